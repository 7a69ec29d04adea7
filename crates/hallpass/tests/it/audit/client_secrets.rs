//! Statements 15 to 20: client secrets (RFC 6749 section 10.1, RFC 9700 section 2.5).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::CredentialError;
use jiff::SignedDuration;
use reqwest::Method;

use super::rfc9068_world;
use super::wire::{ask, call, send};
use super::within::{Client, Within, actor};
use crate::http::{send_json, token_of};
use crate::server::Server;
use crate::world::{ANN, World, files};

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn audit_15_rfc9068_a_scanner_can_find_a_secret_and_nobody_can_guess_one() {
    let world = rfc9068_world();
    let secrets = ["one", "two"].map(|name| {
        let credential = world.create_credential(ANN, "us1", name);
        credential.client_secret
    });
    for secret in &secrets {
        let (body, sum) = secret.split_at(secret.len() - 8);
        let random = URL_SAFE_NO_PAD
            .decode(body.strip_prefix("hps_").unwrap())
            .unwrap();
        assert_eq!(random.len(), 32, "256 bits");
        // The pattern as the document gives it, with its checksum.
        let digest = digest::digest(&digest::SHA256, body.as_bytes());
        assert_eq!(sum, hex(&digest.as_ref()[..4]));
        assert!(
            secret
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        );
    }
    assert_ne!(secrets[0][..47], secrets[1][..47]);
    let document = include_str!("../../../../../docs/security-audit.md");
    assert!(document.contains("`hps_[A-Za-z0-9_-]{43}[0-9a-f]{8}`"));
}

#[test]
fn audit_15_greenlake_a_secret_looks_like_the_real_systems() {
    let world = World::owner();
    let secrets = ["one", "two"].map(|name| {
        let credential = world.create_credential(ANN, "us1", name);
        credential.client_secret
    });
    for secret in &secrets {
        assert_eq!(secret.len(), 32, "128 bits");
        assert!(
            secret
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        );
    }
    assert_ne!(secrets[0], secrets[1]);
}

#[test]
fn audit_16_what_is_stored_of_a_secret_is_of_no_use_without_the_server() {
    let within = Within::greenlake();
    let client = within.client("nightly");
    within.ask(&client).is(200);
    let secret = client.secret.as_bytes();
    let plain = digest::digest(&digest::SHA256, secret);
    let plain = plain.as_ref();
    let mut schemes = 0;
    for file in files(within.folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        for what in [secret, plain, hex(plain).as_bytes()] {
            assert!(!holds(&bytes, what), "{}", file.display());
        }
        schemes += usize::from(holds(&bytes, b"hmac-sha256-1:"));
    }
    assert!(
        schemes > 0,
        "the version of the scheme stands beside the digest"
    );
}

#[test]
fn audit_17_a_secret_is_shown_once() {
    let world = World::owner();
    let server = Server::start(&world);
    let platform = world.create_credential(ANN, "global", "platform");
    let nightly = world.create_credential(ANN, "us1", "nightly");
    let owner = token_of(&platform);
    let mut shown = String::new();
    for command in [
        &["credential", "list"][..],
        &["credential", "list", "--owner", ANN],
        &["user", "list"],
        &["audit", "list"],
    ] {
        shown += &world.admin(command).to_string();
    }
    let list = format!("{}/workspaces/v1/credentials", server.base());
    let bearer = format!("Bearer {owner}");
    let headers = [("Authorization", bearer.as_str())];
    let path = "/workspaces/v1/credentials";
    shown += &send(server.base(), "GET", path, &headers).is(200).body;
    shown += &send(
        server.base(),
        "GET",
        &format!("{path}/{}", nightly.client_id),
        &headers,
    )
    .body;
    assert!(
        shown.contains(&nightly.client_id),
        "there is something to look through"
    );
    for secret in [&platform.client_secret, &nightly.client_secret] {
        assert!(!shown.contains(secret.as_str()));
        let debug = format!("{:?}", Secret::from(secret.clone()));
        assert_eq!(debug, "Secret([redacted])");
    }
    // A reset shows the new one, once.
    let reset = format!("{list}/{}/reset", nightly.client_id);
    let reset = send_json(&Method::POST, &reset, &owner, &serde_json::json!({})).is(200);
    let secret = reset.json()["clientSecret"].as_str().unwrap().to_owned();
    ask(server.base(), &nightly.client_id, &secret).is(200);
    let list = send(server.base(), "GET", path, &headers).is(200).body;
    assert!(!list.contains(&secret));
}

#[test]
fn audit_18_two_secrets_live_side_by_side_and_each_ends_to_the_second() {
    let within = Within::greenlake();
    let first = within.client("nightly");
    let made = within.now();
    within.wait(SignedDuration::from_mins(1));
    let second = within.rotate(&first, SignedDuration::from_hours(1));
    let end = within.now() + SignedDuration::from_hours(1);
    within.ask(&first).is(200);
    within.ask(&second).is(200);
    let third = within.run(within.store.credentials().rotate(
        &first.id,
        SignedDuration::from_hours(1),
        &actor(),
        within.now(),
        &mut SystemRandom,
    ));
    assert!(matches!(third, Err(CredentialError::TwoSecrets)));
    let shown = within.store.credentials().find(&first.id).unwrap();
    let [old, new] = shown.secrets.as_slice() else {
        panic!("{shown:?}")
    };
    assert_eq!((old.created_at, old.expires_at), (made, Some(end)));
    assert_eq!((new.created_at, new.expires_at), (within.now(), None));
    assert!([old, new].map(|secret| secret.last_used_at) == [Some(within.now()); 2]);

    within.set(end - SignedDuration::from_secs(1));
    within.ask(&first).is(200);
    within.set(end);
    within.ask(&first).refuses(401, "invalid_client");
    within.ask(&second).is(200);

    // Removed, one is dead for the very next request; there is one node, and no cache.
    let fourth = within.rotate(&second, SignedDuration::from_hours(1));
    let shown = within.store.credentials().find(&first.id).unwrap();
    let second_id = shown.secrets[0].id.clone();
    within.ask(&second).is(200);
    let removed = within.run(within.store.credentials().remove_secret(
        &first.id,
        &second_id,
        &actor(),
        within.now(),
        &mut SystemRandom,
    ));
    assert_eq!(removed.unwrap().secrets.len(), 1);
    within.ask(&second).refuses(401, "invalid_client");
    within.ask(&fourth).is(200);
}

/// That no change of a credential touches its owner's password, which nothing here can read, is proved
/// on the database (`audit_19_nothing_that_happens_to_a_credential_…` in `crates/store`).
#[test]
fn audit_19_a_credential_is_not_its_owner_and_falls_with_them() {
    let within = Within::greenlake();
    let (one, two) = (within.client("one"), within.client("two"));
    let token = within.ask(&two).token();
    let people = within.store.people();
    let before = format!("{:?}", people.list());
    let credentials = within.store.credentials();
    let rng = &mut SystemRandom;
    within.rotate(&one, SignedDuration::from_hours(1));
    within
        .run(credentials.reset(&one.id, &actor(), within.now(), rng))
        .unwrap();
    within
        .run(credentials.delete(&one.id, &actor(), within.now(), rng))
        .unwrap();
    assert_eq!(format!("{:?}", people.list()), before);
    call(&within.us1, &token).is(200);
    within.ask(&two).is(200);

    let token = within.ask(&two).token();
    within
        .run(people.remove(within.owner.id, &actor(), within.now(), rng))
        .unwrap();
    within.ask(&two).refuses(401, "invalid_client");
    call(&within.us1, &token).is(401);
}

#[test]
fn audit_20_whatever_happens_to_a_secret_is_in_the_log() {
    let within = Within::start(|setup| setup.limits.failures_per_client = 2);
    let first = within.client("nightly");
    let second = within.rotate(&first, SignedDuration::from_mins(1));
    within.wait(SignedDuration::from_mins(1));
    within.ask(&first).refuses(401, "invalid_client");
    let credentials = within.store.credentials();
    let rng = &mut SystemRandom;
    let reset = within.run(credentials.reset(&first.id, &actor(), within.now(), rng));
    let third = reset.unwrap().secret.expose().to_owned();
    for _ in 0..4 {
        within.ask(&first);
    }
    let client = Client {
        id: first.id.clone(),
        secret: third.clone(),
    };
    within.disable(&client);
    within
        .run(credentials.delete(&first.id, &actor(), within.now(), rng))
        .unwrap();

    let log = within.audit();
    let about = |words: &str| {
        let mut found = log
            .iter()
            .filter(|stored| stored.event.message.contains(words));
        let found = found
            .next()
            .unwrap_or_else(|| panic!("`{words}` in {log:#?}"));
        &found.event
    };
    for (words, at) in [
        ("nightly of ann@example.com created", 0),
        ("given a second secret", 0),
        ("nightly of ann@example.com reset", 60),
        ("nightly of ann@example.com disabled", 60),
        ("nightly of ann@example.com deleted", 60),
    ] {
        let event = about(words);
        assert_eq!(event.user_email, "the auditor", "{words}");
        assert_eq!(event.source_ip, "192.0.2.7", "{words}");
        assert_eq!(event.source, "audit", "{words}");
        assert_eq!(event.resource.id, first.id, "{words}");
        let began = within.now() - SignedDuration::from_secs(60);
        assert_eq!(event.occurred_at, began + SignedDuration::from_secs(at));
    }
    // Nothing happens at the moment of an end; the first use after it does.
    for words in ["expired secret", "wrong secret", "Too many failed"] {
        assert_eq!(about(words).source_ip, "127.0.0.1", "{words}");
    }
    assert_eq!(about("wrong secret").client_id, first.id);
    assert_eq!(about("expired secret").client_id, first.id);
    let log = format!("{log:?}");
    for secret in [&first.secret, &second.secret, &third] {
        assert!(!log.contains(secret.as_str()));
    }
}
