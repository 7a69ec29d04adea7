//! Callers that go away in the middle of a change.

use std::net::SocketAddr;
use std::task::Poll;

use bytes::Bytes;
use hallpass_access::Role;
use hallpass_store::AuditState;
use http::Request;
use http_body_util::Full;
use serde_json::json;

use crate::wire::soon;
use crate::world::World;

/// Most steps tried; a call has far fewer.
const MOST_STEPS: usize = 1000;

/// The call is dropped after one step, after two, and so on until it has come to its end by itself.
#[tokio::test]
async fn whatever_began_has_an_end_in_the_log_and_is_whole_in_the_state() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let mut tried = 0;
    for steps in 0..MOST_STEPS {
        tried += 1;
        if run(&world, &token, &format!("left-{steps}"), steps).await {
            break;
        }
    }
    assert!(
        (2..MOST_STEPS).contains(&tried),
        "{tried}: some were dropped, and one came to its end"
    );

    let of = async |state| {
        let events = world.audit().await;
        let of_state = events.iter().filter(|stored| {
            stored.event.state == state && stored.event.permission == "host-initiator.create"
        });
        of_state.count()
    };
    let begun = of(AuditState::Initiated).await;
    assert!(begun > 1, "some were dropped after they had begun");
    let ended = async {
        while of(AuditState::Success).await < of(AuditState::Initiated).await {
            tokio::task::yield_now().await;
        }
    };
    soon(ended).await;
    let here = world
        .get("/api/v1/host-initiators?limit=5000", &token)
        .await
        .json();
    let killed = world.killed().await;
    let there = killed
        .get("/api/v1/host-initiators?limit=5000", &token)
        .await
        .json();
    assert_eq!(
        here["items"], there["items"],
        "the journal and the state agree"
    );
    let made = here["items"].as_array().unwrap().iter();
    let made = made
        .filter(|host| host["name"].as_str().unwrap().starts_with("left-"))
        .count();
    assert!(made >= of(AuditState::Success).await);
}

/// A call is moved several times on its way to its answer: what few of them need is somewhere else.
#[tokio::test]
async fn a_call_takes_little_room_while_it_is_answered() {
    let world = World::new().await;
    let request = Request::get("/api/v1/volumes").body(Full::new(Bytes::new()));
    let peer: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let call = world.server.handle(request.unwrap(), peer);
    let bytes = std::mem::size_of_val(&call);
    assert!(bytes < 4096, "{bytes}");
}

/// Whether the call came to its end within so many steps.
async fn run(world: &World, token: &str, name: &str, steps: usize) -> bool {
    let body = json!({"name": name, "operatingSystem": "Linux", "userCreated": true}).to_string();
    let request = Request::post("/api/v1/host-initiators")
        .header("host", "here")
        .header("authorization", format!("Bearer {token}"))
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let peer: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let mut call = Box::pin(world.server.handle(request, peer));
    let mut taken = 0;
    soon(std::future::poll_fn(|cx| {
        if call.as_mut().poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        taken += 1;
        if taken > steps {
            return Poll::Ready(false);
        }
        Poll::Pending
    }))
    .await
}
