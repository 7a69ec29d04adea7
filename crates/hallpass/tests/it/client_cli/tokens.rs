//! `hallpass token`: one token for every program of the machine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hallpass_oauth::{JwkSet, KeySpec, SigningKey};
use serde_json::json;

use super::Client;
use crate::http::{get_with, token_of};
use crate::world::{ANN, Done, PATIENCE, run, text};

#[test]
fn a_token_is_printed_in_four_forms_and_kept_for_the_next_process() {
    let client = Client::new();
    let plain = client.run(&["token"]).ok();
    assert_eq!(plain.stderr, "");
    let token = plain.stdout.strip_suffix('\n').unwrap();
    assert_eq!(token.split('.').count(), 3);
    get_with(&client.server.us1("/api/v1/storage-systems"), token).is(200);

    let header = client.run(&["token", "--header"]).ok().stdout;
    assert_eq!(header, format!("Authorization: Bearer {token}\n"));
    let shown = client.run(&["token", "--json"]).ok().json();
    assert_eq!(
        (&shown["access_token"], &shown["token_type"]),
        (&json!(token), &json!("Bearer"))
    );
    let left = shown["expires_in"].as_i64().unwrap();
    assert!((7000..=7200).contains(&left), "{left}");
    let end: jiff::Timestamp = shown["expires_at"].as_str().unwrap().parse().unwrap();
    let claims = client.run(&["token", "--claims", "--json"]).ok().json();
    assert_eq!(claims["sub"], ANN);
    assert_eq!(claims["client_id"], json!(client.credential.client_id));
    let exp = claims["exp"].as_i64().unwrap();
    assert!((exp - end.as_second()).abs() <= 2, "{exp} {end}");
    let explained = client.run(&["token", "--claims"]).ok().stdout;
    for words in [
        "who issued it",
        ANN,
        "the service and region it works for",
        " +00:00, in 1 h 59 min",
        "how it is signed",
    ] {
        assert!(explained.contains(words), "`{words}`: {explained}");
    }
    assert!(!explained.contains(token));
    assert_eq!(client.minted(), 1);

    let renewed = client.run(&["token", "--renew"]).ok().stdout;
    assert_ne!(renewed, plain.stdout);
    assert_eq!(client.run(&["token"]).ok().stdout, renewed);
    get_with(&client.server.us1("/api/v1/storage-systems"), token).is(401);
    client.run(&["token", "--json", "--header"]).ended(2);
    client.run(&["token", "--claims", "--header"]).ended(2);
}

#[test]
fn a_hundred_processes_with_an_empty_cache_ask_for_one_token() {
    let client = Client::new();
    let children: Vec<_> = (0..100)
        .map(|_| client.command(&["token"]).spawn().unwrap())
        .collect();
    let tokens: Vec<String> = children
        .into_iter()
        .map(|child| Done::from(child.wait_with_output().unwrap()).ok().stdout)
        .collect();
    assert!(
        tokens.iter().all(|token| *token == tokens[0]),
        "{tokens:#?}"
    );
    assert_eq!(client.minted(), 1);
}

/// A server that lets one token of a credential live, and each for a few seconds; fifty programs that
/// call at all times. Each mint ends the token that the other forty-nine just used.
#[test]
fn fifty_processes_call_over_several_lifetimes_with_one_mint_each_and_no_failed_call() {
    let lifetime = 5;
    let configuration = format!("[tokens]\nlifetime_seconds = {lifetime}\n");
    let client = Client::configured(&configuration);
    let (world, credential) = (&client.world, &client.credential);
    // The moments at which the tokens that were minted end, as their minters tell them.
    let ends: Mutex<Vec<jiff::Timestamp>> = Mutex::default();
    let (calls, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let give_up = Instant::now() + PATIENCE;
    let call = || {
        let arguments = ["get", "/api/v1/storage-systems?limit=1", "--verbose"];
        let done = run(world.command(&arguments).envs(credential.variables())).ok();
        calls.fetch_add(1, Ordering::Relaxed);
        let told = done.stderr.lines();
        for end in told.filter_map(|line| line.strip_prefix("< token, good until ")) {
            let mut ends = ends.lock().unwrap();
            ends.push(end.split(' ').next().unwrap().parse().unwrap());
            enough.fetch_or(ends.len() >= 4, Ordering::Relaxed);
        }
    };
    std::thread::scope(|threads| {
        for _ in 0..50 {
            threads.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    assert!(Instant::now() < give_up, "too few lifetimes");
                    call();
                }
            });
        }
    });
    let mut ends = ends.into_inner().unwrap();
    ends.sort_unstable();
    let calls = calls.into_inner();
    let minted = client.minted();
    assert_eq!(minted, ends.len() as u64, "{ends:?}");
    assert!(minted >= 4 && calls > 50, "{minted} tokens, {calls} calls");
    // The client believes what the answer says, which is the lifetime in whole seconds, and renews in its
    // last tenth, or at most a hundredth before that. On a busy machine an answer is late, and says a
    // second less.
    let earliest = f64::from(lifetime - 1) * 0.88 - 1.0;
    for pair in ends.windows(2) {
        let apart = pair[1].duration_since(pair[0]).as_secs_f64();
        assert!(apart >= earliest, "two tokens in one lifetime: {ends:?}");
    }
}

#[test]
fn a_token_that_was_ended_by_the_server_is_replaced_without_a_word() {
    let client = Client::new();
    let old = client.run(&["token"]).ok().stdout;
    // Another program, without the cache, asks for a token: that ends the cached one.
    token_of(&client.credential);
    client.run(&["call", "SystemsList"]).ok();
    assert_ne!(client.run(&["token"]).ok().stdout, old);
}

/// The server takes assertions for its issuer only, which the client finds in the metadata.
#[test]
fn a_credential_with_a_key_gets_tokens_by_signed_assertions() {
    let client = Client::new();
    let world = &client.world;
    let key = SigningKey::generate(KeySpec::Ed25519).unwrap();
    let jwks = JwkSet::new([key.public_key().unwrap()]).to_json();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(key.to_pkcs8().unwrap())
    );
    std::fs::write(world.path("jwks.json"), jwks).unwrap();
    std::fs::write(world.path("key.pem"), pem).unwrap();
    let file = world.path("jwks.json");
    let own = ["credential", "create", "--owner", ANN, "--instance", "us1"];
    let rest = ["--name", "signed", "--jwks", text(&file)];
    let made = world.admin(&[&own[..], &rest[..]].concat());
    let signed = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command
            .env("HALLPASS_TOKEN_URL", client.server.token_url())
            .env("HALLPASS_BASE_URL", client.server.us1(""))
            .env("HALLPASS_CLIENT_ID", made["clientId"].as_str().unwrap())
            .env("HALLPASS_PRIVATE_KEY", world.path("key.pem"));
        run(&mut command)
    };
    let claims = signed(&["token", "--claims", "--json"]).ok().json();
    assert_eq!(claims["client_id"], made["clientId"]);
    signed(&["token", "--renew"]).ok();
    signed(&["get", "/api/v1/storage-systems"]).ok();
    std::fs::write(world.path("key.pem"), "no key").unwrap();
    signed(&["get", "/api/v1/storage-systems"]).ok();
    signed(&["token", "--renew"])
        .ended(2)
        .says(&["key.pem", "PEM"]);
}
