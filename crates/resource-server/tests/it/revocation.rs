//! What ends a token acts on the very next call, however often its signature was checked before.

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::AuditState;
use jiff::SignedDuration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::wire::{parse, soon, to_end};
use crate::world::{World, actor};

const TARGET: &str = "/api/v1/volumes";

#[tokio::test]
async fn a_second_token_ends_the_first() {
    let world = World::new().await;
    let client = world.client("ann", Role::Observer).await;
    let other = world.credential(client.owner.clone(), "us1").await;
    let (first, of_other) = (world.mint(&client).await, world.mint(&other).await);
    works(&world, &first).await;
    let second = world.mint(&client).await;
    revoked(&world, &first).await;
    works(&world, &second).await;
    works(&world, &of_other).await;
}

#[tokio::test]
async fn a_reset_ends_the_token() {
    let world = World::new().await;
    let client = world.client("ann", Role::Observer).await;
    let token = world.mint(&client).await;
    works(&world, &token).await;
    world
        .store
        .credentials()
        .reset(client.id.as_str(), &actor(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    revoked(&world, &token).await;
}

#[tokio::test]
async fn the_credentials_end_is_the_tokens() {
    let world = World::new().await;
    let client = world.client("ann", Role::Observer).await;
    let token = world.mint(&client).await;
    works(&world, &token).await;
    world
        .store
        .credentials()
        .delete(client.id.as_str(), &actor(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    revoked(&world, &token).await;
}

#[tokio::test]
async fn the_owners_removal_is_the_tokens_end() {
    let world = World::new().await;
    let client = world.client("ann", Role::Administrator).await;
    let token = world.mint(&client).await;
    works(&world, &token).await;
    world
        .store
        .people()
        .remove(client.owner.id, &actor(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    revoked(&world, &token).await;
}

#[tokio::test]
async fn a_change_of_role_needs_no_new_token() {
    let world = World::new().await;
    let client = world.client("ann", Role::Observer).await;
    let (token, owner) = (world.mint(&client).await, client.owner.id);
    let people = world.store.people();
    works(&world, &token).await;
    people
        .revoke(
            owner,
            None,
            Role::Observer,
            &actor(),
            world.now(),
            &mut SystemRandom,
        )
        .await
        .unwrap();
    assert_eq!(world.get(TARGET, &token).await.status, 403);
    // A role on another instance is none here.
    let instance = |name| {
        Some(
            world
                .store
                .workspaces()
                .find_instance(name)
                .unwrap()
                .id
                .clone(),
        )
    };
    for (name, status) in [("eu1", 403), ("us1", 200)] {
        people
            .assign(
                owner,
                instance(name),
                Role::Observer,
                &actor(),
                world.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap();
        assert_eq!(world.get(TARGET, &token).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_a_little_leeway() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    works(&world, &token).await;
    world.wait(SignedDuration::from_secs(7200 + 29));
    works(&world, &token).await;
    world.wait(SignedDuration::from_secs(1));
    let answer = world.get(TARGET, &token).await;
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(
        challenge.ends_with("error_description=\"the access token expired\""),
        "{challenge}"
    );
}

async fn works(world: &World, token: &str) {
    for _ in 0..2 {
        assert_eq!(world.get(TARGET, token).await.status, 200);
    }
}

async fn revoked(world: &World, token: &str) {
    let answer = world.get(TARGET, token).await;
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert!(challenge.contains("revoked"), "{challenge}");
}

/// The server asks for the body once it has let the head through; what is decided must still hold
/// when the body has come.
#[tokio::test]
async fn a_right_lost_while_the_body_is_on_its_way_is_lost() {
    let world = World::new().await;
    let client = world.client("ann", Role::Administrator).await;
    let token = world.mint(&client).await;
    let body = r#"{"name":"late","sizeMib":1024,"userCpg":"SSD_r6"}"#;
    let head = format!(
        "POST /api/v1/storage-systems/device-type1/2M2042059T/volumes HTTP/1.1\r\nHost: {}\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\nConnection: close\r\n\r\n",
        world.address,
        body.len()
    );
    let mut socket = TcpStream::connect(world.address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    soon(socket.read_exact(&mut go_on)).await.unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"));

    let (people, owner) = (world.store.people(), client.owner.id);
    let (role, rng) = (Role::Administrator, &mut SystemRandom);
    let revoked = people
        .revoke(owner, None, role, &actor(), world.now(), rng)
        .await;
    revoked.unwrap();
    socket.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(parse(&to_end(&mut socket).await).status, 403);
    let events = world.audit().await;
    assert!(
        events
            .iter()
            .all(|stored| stored.event.state != AuditState::Initiated)
    );
}
