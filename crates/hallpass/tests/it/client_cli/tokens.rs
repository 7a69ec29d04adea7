//! `hallpass token`: one token for every program of the machine.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass_oauth::{JwkSet, KeySpec, SigningKey};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Client;
use crate::http::{get_with, token_of};
use crate::world::{ANN, Done, PATIENCE, World, run, text};

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
    let end: Timestamp = shown["expires_at"].as_str().unwrap().parse().unwrap();
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
///
/// As few tokens as can be: each but the last is used until its renewal window begins.
#[test]
fn fifty_processes_call_over_several_lifetimes_with_one_mint_each_and_no_failed_call() {
    let client = Client::configured("[tokens]\nlifetime_seconds = 5\n");
    let (world, credential) = (&client.world, &client.credential);
    let (calls, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let give_up = Instant::now() + PATIENCE;
    let call = || {
        let arguments = ["get", "/api/v1/storage-systems?limit=1"];
        run(world.command(&arguments).envs(credential.variables())).ok();
        calls.fetch_add(1, Ordering::Relaxed);
    };
    let mut tokens: Vec<Token> = Vec::new();
    std::thread::scope(|threads| {
        let caller = || {
            threads.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    assert!(Instant::now() < give_up, "too few lifetimes");
                    call();
                }
            })
        };
        let callers: Vec<_> = (0..50).map(|_| caller()).collect();
        while !callers.iter().all(ScopedJoinHandle::is_finished) {
            look(world, &mut tokens);
            enough.fetch_or(tokens.len() >= 4, Ordering::Relaxed);
            std::thread::park_timeout(Duration::from_millis(2));
        }
    });
    look(world, &mut tokens);
    let calls = calls.into_inner();
    assert!(calls > 50, "{calls} calls: {tokens:?}");
    // Every token that the server made came to where all find it.
    assert_eq!(client.minted(), tokens.len() as u64, "{tokens:?}");
    for token in &tokens {
        token.is_believed_as_long_as_the_server_says();
    }
    for pair in tokens.windows(2) {
        let early = pair[0].window().duration_since(pair[1].obtained_at);
        assert!(early <= RESOLUTION, "too many tokens: {early}: {tokens:?}");
    }
}

/// The client counts in milliseconds.
const RESOLUTION: SignedDuration = SignedDuration::from_millis(1);

/// A token as it was found in the cache that the fifty share.
#[derive(Debug)]
struct Token {
    /// When it was asked for, by whoever did.
    obtained_at: Timestamp,
    /// When it ends, by what the answer said.
    expires_at: Timestamp,
    /// When it ends, by what the server wrote and signed.
    exp: Timestamp,
    /// Later than it came.
    seen_at: Timestamp,
}

impl Token {
    #[expect(clippy::disallowed_methods, reason = "a test reads the clock")]
    fn read(entry: &[u8]) -> Option<Self> {
        let entry: Value = serde_json::from_slice(entry).ok()?;
        let time = |name: &str| entry[name].as_str()?.parse().ok();
        let claims = entry["access_token"].as_str()?.split('.').nth(1)?;
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        Some(Self {
            obtained_at: time("obtained_at")?,
            expires_at: time("expires_at")?,
            exp: Timestamp::from_second(claims["exp"].as_i64()?).ok()?,
            seen_at: Timestamp::now(),
        })
    }

    fn lifetime(&self) -> SignedDuration {
        self.expires_at.duration_since(self.obtained_at)
    }

    /// From here on the next one may be asked for: in the last tenth, and at most a tenth of that
    /// before it.
    fn window(&self) -> Timestamp {
        self.expires_at - self.lifetime() * 11 / 100
    }

    /// The answer has the whole seconds that are left when it is written, which is after the token was
    /// asked for and before it was seen.
    #[track_caller]
    fn is_believed_as_long_as_the_server_says(&self) {
        let lifetime = self.lifetime();
        let most = self.exp.duration_since(self.obtained_at);
        let least = self.exp.duration_since(self.seen_at) - SignedDuration::from_secs(1);
        assert!(least < lifetime && lifetime <= most, "{self:?}");
    }
}

/// Adds the token that is in the cache, if it is another one.
fn look(world: &World, tokens: &mut Vec<Token>) {
    if let Some(token) = cached(world).and_then(|entry| Token::read(&entry))
        && tokens
            .last()
            .is_none_or(|last| last.obtained_at != token.obtained_at)
    {
        tokens.push(token);
    }
}

/// The only entry of the cache of tokens.
fn cached(world: &World) -> Option<Vec<u8>> {
    let folder = std::fs::read_dir(world.home().join("cache/hallpass/tokens")).ok()?;
    let mut files = folder.map(|file| file.unwrap().path());
    let entry = files.find(|file| file.extension().is_some_and(|end| end == "json"))?;
    std::fs::read(entry).ok()
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
