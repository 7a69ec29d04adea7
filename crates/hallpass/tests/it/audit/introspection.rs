//! Statements 37 to 39: introspection and revocation (RFC 7662, RFC 7009).

use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::{CredentialChange, CredentialOptions};
use jiff::SignedDuration;
use serde_json::Value;

use super::wire::{Answer, INTROSPECT, REVOKE, call, pair, post};
use super::within::{Client, Within, actor};
use crate::server::Server;
use crate::world::{ANN, World};

const INACTIVE: &str = r#"{"active":false}"#;

fn about(base: &str, target: &str, client: &Client, token: &str) -> Answer {
    let form = format!("{}&token={token}", pair(&client.id, &client.secret));
    post(base, target, &form)
}

fn asked(within: &Within, client: &Client, token: &str) -> Answer {
    about(&within.base, INTROSPECT, client, token).is(200)
}

/// A client that is a resource server: it may ask about tokens of others that are for it.
fn resource(within: &Within, instance: &str) -> Client {
    let options = CredentialOptions {
        introspects: true,
        ..CredentialOptions::default()
    };
    within.client_with(instance, &format!("guard of {instance}"), options)
}

#[test]
fn audit_37_a_token_is_shown_to_whom_it_is_for_and_to_nobody_else() {
    let within = Within::start(|setup| setup.limits.questions_per_credential = 10);
    let owner = within.client("nightly");
    let curious = within.client("curious");
    let (here, elsewhere) = (resource(&within, "us1"), resource(&within, "eu1"));
    let token = within.ask(&owner).token();
    for target in [INTROSPECT, REVOKE] {
        post(&within.base, target, &format!("token={token}")).refuses(401, "invalid_client");
        let wrong = Client {
            secret: "wrong".to_owned(),
            ..owner.clone()
        };
        about(&within.base, target, &wrong, &token).refuses(401, "invalid_client");
    }
    for client in [&owner, &here] {
        let answer: Value = asked(&within, client, &token).json();
        assert_eq!(answer["active"], true);
        assert_eq!(answer["client_id"], owner.id.as_str());
    }
    // What is for somebody else is not told from what is nothing.
    let nothing = asked(&within, &curious, "nothing");
    assert_eq!(nothing.body, INACTIVE);
    for client in [&curious, &elsewhere] {
        let answer = asked(&within, client, &token);
        assert_eq!(
            answer.without_its_moment(),
            nothing.clone().without_its_moment()
        );
    }
    // The rate: twice a minute's worth at once, and no more.
    let statuses: Vec<u16> = (0..25)
        .map(|_| about(&within.base, INTROSPECT, &curious, "x").status)
        .collect();
    assert!(statuses.starts_with(&[200; 10]), "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    let limited = about(&within.base, REVOKE, &curious, "x").is(429);
    assert!(limited.header("retry-after").is_some());
    asked(&within, &owner, &token);
}

#[test]
fn audit_38_a_client_ends_its_own_tokens_and_no_others() {
    let within = Within::greenlake();
    let (owner, other) = (within.client("nightly"), within.client("other"));
    let token = within.ask(&owner).token();
    let revoke = |client: &Client, token: &str| {
        let answer = about(&within.base, REVOKE, client, token).is(200);
        assert_eq!(answer.body, "");
        answer.without_its_moment()
    };
    let unknown = revoke(&other, "unknown");
    assert_eq!(revoke(&other, &token), unknown);
    let guard = resource(&within, "us1");
    assert_eq!(revoke(&guard, &token), unknown, "to see is not to end");
    call(&within.us1, &token).is(200);

    let before = within.store.client_registrations().sizes().spent_ids;
    assert_eq!(revoke(&owner, &token), unknown);
    // The very next request: both servers look at one projection.
    call(&within.us1, &token).is(401);
    assert_eq!(asked(&within, &owner, &token).body, INACTIVE);
    assert_eq!(
        within.store.client_registrations().sizes().spent_ids,
        before + 1
    );
    assert_eq!(revoke(&owner, &token), unknown);

    // The list forgets it when its time would have been up anyway.
    let expired = within.ask(&other).token();
    within.wait(SignedDuration::from_mins(125));
    within.maintain();
    assert_eq!(within.store.client_registrations().sizes().spent_ids, 0);
    assert_eq!(revoke(&other, &expired), unknown);
    assert_eq!(within.store.client_registrations().sizes().spent_ids, 0);
    call(&within.us1, &token).is(401);
}

#[test]
fn audit_38_a_revoked_token_stays_dead_when_the_server_is_killed() {
    let world = World::owner();
    let server = Server::start(&world);
    let made = world.create_credential(ANN, "us1", "nightly");
    let client = Client {
        id: made.client_id.clone(),
        secret: made.client_secret.clone(),
    };
    let token = crate::http::token_of(&made);
    call(&server.us1(""), &token).is(200);
    about(server.base(), REVOKE, &client, &token).is(200);
    call(&server.us1(""), &token).is(401);
    server.kill();
    let server = Server::start(&world);
    call(&server.us1(""), &token).is(401);
    assert_eq!(
        about(server.base(), INTROSPECT, &client, &token)
            .is(200)
            .body,
        INACTIVE
    );
}

#[test]
fn audit_39_the_tokens_of_a_client_end_with_it() {
    let within = Within::greenlake();
    let guard = resource(&within, "us1");
    let live = |name: &str| {
        let client = within.client(name);
        let token = within.ask(&client).token();
        assert_eq!(asked(&within, &guard, &token).json()["active"], true);
        (client, token)
    };
    let dead = |token: &str| {
        assert_eq!(asked(&within, &guard, token).body, INACTIVE);
        call(&within.us1, token).is(401);
    };
    let (disabled, token) = live("disabled");
    within.disable(&disabled);
    dead(&token);
    let enabled = CredentialChange {
        enabled: Some(true),
        ..CredentialChange::default()
    };
    within.change(&disabled, enabled);
    dead(&token);
    within.ask(&disabled).is(200);
    let (deleted, token) = live("deleted");
    let credentials = within.store.credentials();
    within
        .run(credentials.delete(&deleted.id, &actor(), within.now(), &mut SystemRandom))
        .unwrap();
    dead(&token);
}
