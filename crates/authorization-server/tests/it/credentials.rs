//! What an administrator or owner does to a credential, as its programs and its tokens notice it: each
//! change acts on the very next request.

use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ClientId, ScopeSet};
use hallpass_store::credentials::{CredentialChange, CredentialOptions, IssuedCredential};
use jiff::SignedDuration;

use crate::assertion;
use crate::world::{BEGINNING, GRANT, World, actor, basic_of, claims, form_of, pair_of};

/// A world with a resource that introspects, so that tokens can be asked about whose own credential
/// cannot ask any more.
async fn with_resource() -> (World, IssuedCredential) {
    let world = World::new().await;
    let options = CredentialOptions {
        introspects: true,
        ..CredentialOptions::default()
    };
    let resource = world.credential_with("us1", "resource", options).await;
    (world, resource)
}

async fn is_active_for(world: &World, asker: &IssuedCredential, token: &str) -> bool {
    let answer = world.introspect(asker, token).await;
    answer.json()["active"].as_bool().unwrap()
}

fn id(world: &World) -> ClientId {
    world.credential.credential.client_id.clone()
}

#[tokio::test]
async fn disabling_ends_secret_and_tokens_at_once_and_for_good() {
    let (world, resource) = with_resource().await;
    let token = world.token().await;
    assert!(is_active_for(&world, &resource, &token).await);
    world.enable(&id(&world), false).await;
    let refused = world.form(&world.good_form()).await;
    let wrong = world.form(&format!("{}x", world.good_form())).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.to_stranger(), wrong.to_stranger());
    assert!(!is_active_for(&world, &resource, &token).await);

    world.enable(&id(&world), true).await;
    assert!(
        !is_active_for(&world, &resource, &token).await,
        "dead is dead"
    );
    let again = world.token().await;
    assert!(is_active_for(&world, &resource, &again).await);
}

#[tokio::test]
async fn deleting_ends_secret_and_tokens_at_once() {
    let (world, resource) = with_resource().await;
    let token = world.token().await;
    world.delete(&id(&world)).await;
    assert_eq!(world.form(&world.good_form()).await.status, 401);
    assert!(!is_active_for(&world, &resource, &token).await);
}

#[tokio::test]
async fn removing_the_owner_ends_all_their_credentials() {
    let (world, resource) = with_resource().await;
    let bob = crate::world::add_person(
        &world.store,
        &world.workspace,
        "bob@example.com",
        world.now(),
    );
    let bob = bob.await;
    let options = CredentialOptions::default();
    let his = crate::world::add_credential(&world.store, &bob, "us1", "his", options, world.now());
    let his = his.await;
    let token = world.token_of(&his).await;
    assert!(is_active_for(&world, &resource, &token).await);
    world
        .store
        .people()
        .remove(bob.id, &actor(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    assert_eq!(world.form(&form_of(&his)).await.status, 401);
    assert!(!is_active_for(&world, &resource, &token).await);
}

#[tokio::test]
async fn a_resource_that_may_introspect_no_more_sees_nothing_of_others() {
    let (world, resource) = with_resource().await;
    let token = world.token().await;
    let change = CredentialChange {
        introspects: Some(false),
        ..CredentialChange::default()
    };
    world.change(&resource.credential.client_id, change).await;
    let told = world.introspect(&resource, &token).await;
    assert_eq!(told.body, r#"{"active":false}"#);
}

#[tokio::test]
async fn a_credential_ends_to_the_second_and_its_tokens_with_it() {
    let (world, resource) = with_resource().await;
    let options = CredentialOptions {
        expires_at: Some(world.now() + SignedDuration::from_secs(600)),
        ..CredentialOptions::default()
    };
    let ends = world.credential_with("us1", "ends", options).await;
    let token = world.token_of(&ends).await;
    assert_eq!(
        claims(&token)["exp"],
        BEGINNING + 600,
        "not a second longer"
    );
    world.wait(SignedDuration::from_secs(599));
    let last = world.token_of(&ends).await;
    assert!(is_active_for(&world, &resource, &last).await);
    world.wait(SignedDuration::from_secs(1));
    assert_eq!(world.form(&form_of(&ends)).await.status, 401);
    assert!(!is_active_for(&world, &resource, &last).await);
}

#[tokio::test]
async fn an_end_that_is_moved_ends_tokens_that_are_out() {
    let (world, resource) = with_resource().await;
    let token = world.token().await;
    let expires_at = Some(Some(world.now() + SignedDuration::from_secs(10)));
    let change = CredentialChange {
        expires_at,
        ..CredentialChange::default()
    };
    world.change(&id(&world), change).await;
    assert!(is_active_for(&world, &resource, &token).await);
    world.wait(SignedDuration::from_secs(10));
    assert!(!is_active_for(&world, &resource, &token).await);
    assert_eq!(world.form(&world.good_form()).await.status, 401);
}

#[tokio::test]
async fn two_secrets_are_good_while_one_takes_over_from_the_other() {
    let world = World::new().await;
    let before = world.token().await;
    let credentials = world.store.credentials();
    let overlap = SignedDuration::from_secs(100);
    let new = credentials
        .rotate(
            id(&world).as_str(),
            overlap,
            &actor(),
            world.now(),
            &mut SystemRandom,
        )
        .await
        .unwrap();
    assert!(world.is_active(&before).await, "a rotation ends no token");
    for secret in [&world.credential, &new, &world.credential] {
        assert_eq!(world.form(&form_of(secret)).await.status, 200);
    }
    world.wait(SignedDuration::from_secs(99));
    assert_eq!(world.form(&world.good_form()).await.status, 200);
    world.wait(SignedDuration::from_secs(1));
    assert_eq!(world.form(&world.good_form()).await.status, 401);
    let token = world.token_of(&new).await;
    assert_eq!(world.introspect(&new, &token).await.json()["active"], true);
}

#[tokio::test]
async fn a_removed_secret_is_dead_at_once_and_the_other_lives() {
    let world = World::new().await;
    let credentials = world.store.credentials();
    let overlap = SignedDuration::from_hours(1);
    let new = credentials
        .rotate(
            id(&world).as_str(),
            overlap,
            &actor(),
            world.now(),
            &mut SystemRandom,
        )
        .await
        .unwrap();
    let token = world.token_of(&new).await;
    let old = &new.credential.secrets[0].id;
    credentials
        .remove_secret(
            id(&world).as_str(),
            old,
            &actor(),
            world.now(),
            &mut SystemRandom,
        )
        .await
        .unwrap();
    assert_eq!(world.form(&world.good_form()).await.status, 401);
    assert_eq!(world.introspect(&new, &token).await.json()["active"], true);
    assert_eq!(world.form(&form_of(&new)).await.status, 200);
}

#[tokio::test]
async fn a_reset_ends_both_secrets_and_every_token() {
    let world = World::with(|plan| plan.policy.single_active = false).await;
    let credentials = world.store.credentials();
    let overlap = SignedDuration::from_hours(1);
    let second = credentials
        .rotate(
            id(&world).as_str(),
            overlap,
            &actor(),
            world.now(),
            &mut SystemRandom,
        )
        .await
        .unwrap();
    let tokens = [world.token().await, world.token_of(&second).await];
    let reset = world.reset(&id(&world)).await;
    for dead in [&world.credential, &second] {
        assert_eq!(world.form(&form_of(dead)).await.status, 401);
    }
    for token in &tokens {
        assert!(!is_active_for(&world, &reset, token).await);
    }
    assert_eq!(world.form(&form_of(&reset)).await.status, 200);
}

#[tokio::test]
async fn a_credential_may_have_a_lifetime_of_its_own() {
    let world = World::new().await;
    let options = CredentialOptions {
        token_lifetime: Some(SignedDuration::from_secs(90)),
        ..CredentialOptions::default()
    };
    let short = world.credential_with("us1", "short", options).await;
    let answer = world.form(&form_of(&short)).await;
    assert_eq!(answer.json()["expires_in"], 90);
    assert_eq!(claims(&answer.token())["exp"], BEGINNING + 90);
    let change = CredentialChange {
        token_lifetime: Some(None),
        ..CredentialChange::default()
    };
    world.change(&short.credential.client_id, change).await;
    assert_eq!(
        world.form(&form_of(&short)).await.json()["expires_in"],
        7200
    );
}

#[tokio::test]
async fn scopes_that_are_taken_away_are_not_granted_again() {
    let world = World::rfc9068().await;
    let scopes = |text: &str| Some(ScopeSet::parse(text).unwrap());
    let options = CredentialOptions {
        scopes: scopes("read write"),
        ..CredentialOptions::default()
    };
    let scoped = world.credential_with("us1", "scoped", options).await;
    let asked = format!("{}&scope=write", form_of(&scoped));
    assert_eq!(world.form(&asked).await.status, 200);
    let change = CredentialChange {
        scopes: Some(scopes("read")),
        ..CredentialChange::default()
    };
    world.change(&scoped.credential.client_id, change).await;
    assert_eq!(world.form(&asked).await.error(), "invalid_scope");
}

#[tokio::test]
async fn a_client_authenticates_only_in_the_ways_registered_for_it() {
    let world = World::new().await;
    for (name, methods, in_body, in_header) in [
        ("header", "client_secret_basic", 401, 200),
        ("body", "client_secret_post", 200, 401),
    ] {
        let options = CredentialOptions {
            methods: Some(methods.parse().unwrap()),
            ..CredentialOptions::default()
        };
        let credential = world.credential_with("us1", name, options).await;
        let answer = world.form(&form_of(&credential)).await;
        assert_eq!(answer.status, in_body, "{methods}");
        let answer = world.with_header(&basic_of(&credential), GRANT).await;
        assert_eq!(answer.status, in_header, "{methods}");
    }
    let key = assertion::key();
    let keyed = world.credential_of_keys("keys", &[&key]).await;
    let with_secret = format!("{GRANT}&client_id={keyed}&client_secret=x");
    assert_eq!(world.form(&with_secret).await.error(), "invalid_client");
}

#[tokio::test]
async fn keys_that_are_replaced_sign_no_more() {
    let world = World::new().await;
    let (old, new) = (assertion::key(), assertion::key());
    let client = world.credential_of_keys("keys", &[&old]).await;
    let change = CredentialChange {
        keys: Some(assertion::registered(&[&new])),
        ..CredentialChange::default()
    };
    world.change(&client, change).await;
    for (key, jti, status) in [(&old, "1", 401), (&new, "2", 200)] {
        let assertion = assertion::good(&client, key, world.now(), jti);
        let answer = world.form(&assertion::form(&assertion)).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn a_superseded_token_lives_on_for_the_grace_time_and_no_longer() {
    let grace = SignedDuration::from_secs(30);
    let world = World::with(|plan| plan.policy.grace = grace).await;
    let first = world.token().await;
    let second = world.token().await;
    world.wait(SignedDuration::from_secs(29));
    assert!(world.is_active(&first).await);
    world.wait(SignedDuration::from_secs(1));
    assert!(!world.is_active(&first).await);
    assert!(world.is_active(&second).await);
    let third = world.token().await;
    let reset = world.reset(&id(&world)).await;
    for token in [&second, &third] {
        assert!(
            !is_active_for(&world, &reset, token).await,
            "a reset has no grace"
        );
    }
}

#[tokio::test]
async fn without_the_single_active_rule_tokens_live_side_by_side() {
    let world = World::with(|plan| plan.policy.single_active = false).await;
    let (first, second) = (world.token().await, world.token().await);
    assert!(world.is_active(&first).await && world.is_active(&second).await);
    world.revoke(&world.credential, &first).await;
    assert!(!world.is_active(&first).await);
    assert!(world.is_active(&second).await);
    let world = world.restart().await;
    assert!(
        !world.is_active(&first).await,
        "the list outlives a restart"
    );
    assert!(world.is_active(&second).await);
}

#[tokio::test]
async fn without_jti_a_token_is_known_by_itself() {
    let world = World::with(|plan| plan.policy.jti = false).await;
    let first = world.token().await;
    assert!(claims(&first).get("jti").is_none());
    let second = world.token().await;
    assert_eq!(
        claims(&second)["iat"].as_i64().unwrap(),
        claims(&first)["iat"].as_i64().unwrap() + 1,
        "a second token of one second would be the first"
    );
    assert!(!world.is_active(&first).await);
    let world = world.restart().await;
    assert!(world.is_active(&second).await);
    assert!(!world.is_active(&first).await);
    world.revoke(&world.credential, &second).await;
    assert!(!world.is_active(&second).await);
}

#[tokio::test]
async fn a_restart_keeps_what_is_good_and_what_is_not() {
    for world in [World::new().await, World::rfc9068().await] {
        let superseded = world.token().await;
        let revoked = world.token().await;
        let other = world.credential_for("us1", "other").await;
        let kept = world.token_of(&other).await;
        world.revoke(&world.credential, &revoked).await;
        let world = world.restart().await;
        assert!(!world.is_active(&superseded).await);
        assert!(!world.is_active(&revoked).await);
        assert!(is_active_for(&world, &other, &kept).await);
        let next = world.token().await;
        assert!(world.is_active(&next).await);
        assert!(!world.is_active(&superseded).await && !world.is_active(&revoked).await);
    }
}

#[tokio::test]
async fn the_last_use_of_credential_and_secret_is_seen() {
    let world = World::new().await;
    let seen = |world: &World| {
        let credential = world.store.credentials().find(id(world).as_str()).unwrap();
        (credential.last_used_at, credential.secrets[0].last_used_at)
    };
    let from = |world: &World| {
        let credential = world.store.credentials().find(id(world).as_str()).unwrap();
        credential.last_used_from
    };
    assert_eq!(seen(&world), (None, None));
    assert_eq!(from(&world), None);
    world
        .form(&format!("{GRANT}&{}x", pair_of(&world.credential)))
        .await;
    assert_eq!(seen(&world), (None, None), "a failure is no use");
    world.wait(SignedDuration::from_secs(5));
    world.token().await;
    assert_eq!(seen(&world), (Some(world.now()), Some(world.now())));
    let used = seen(&world);
    assert_eq!(from(&world).as_deref(), Some("127.0.0.1"));
    let world = world.restart().await;
    assert_eq!(seen(&world), used);
    assert_eq!(from(&world).as_deref(), Some("127.0.0.1"));
}
