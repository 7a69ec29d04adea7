//! Statements 28 to 32: signing keys and their publication (RFC 7517, RFC 9700).

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass_oauth::SigningKey;
use hallpass_oauth::key::KeySpec;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::LEEWAY;
use hallpass_store::keys::{KeyState, KeysError};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::jwt::{Key, names, parts, pem};
use super::wire::{Answer, call, get, send};
use super::within::{Client, MAX_AGE, Within, actor};
use crate::http;
use crate::server::Server;
use crate::world::{World, files, text};

const KEYS: &str = "/.well-known/jwks.json";
const PLACES: [&str; 2] = [KEYS, "/pf/JWKS"];
const STEP: SignedDuration = SignedDuration::from_secs(30);

fn published(within: &Within) -> Vec<String> {
    let keys = get(&within.base, KEYS).is(200).json();
    let keys = keys["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn state(within: &Within, id: &str) -> KeyState {
    let keys = within.run(within.store.keys().list()).unwrap();
    keys.iter().find(|key| key.id.as_str() == id).unwrap().state
}

fn signs_with(within: &Within, client: &Client) -> (String, String) {
    let token = within.ask(client).token();
    let id = parts(&token).0["kid"].as_str().unwrap().to_owned();
    (id, token)
}

#[test]
fn audit_28_a_key_is_seen_before_it_signs_and_as_long_as_its_tokens_live() {
    let within = Within::greenlake();
    let client = within.client("nightly");
    let (first, _) = signs_with(&within, &client);
    let rng = &mut SystemRandom;
    let made = within.run(within.store.keys().rotate(&actor(), within.now(), rng));
    let next = made.unwrap().id.to_string();
    let again = within.run(within.store.keys().rotate(&actor(), within.now(), rng));
    assert!(matches!(again, Err(KeysError::UnderWay { .. })));
    assert_eq!(state(&within, &next), KeyState::Upcoming);

    let seen = within.now();
    let signing = loop {
        assert!(published(&within).contains(&next));
        let (id, _) = signs_with(&within, &client);
        if id == next {
            break within.now();
        }
        within.wait(STEP);
        within.maintain();
    };
    let published_before = signing.duration_since(seen);
    assert!(published_before >= MAX_AGE, "{published_before}");
    assert_eq!(state(&within, &next), KeyState::Active);
    assert_eq!(state(&within, &first), KeyState::Retiring);
    // The last token of the first key is at most this old.
    let gone = loop {
        within.wait(STEP);
        within.maintain();
        if !published(&within).contains(&first) {
            break within.now();
        }
    };
    let kept = gone.duration_since(signing);
    assert!(kept >= SignedDuration::from_mins(120) + LEEWAY, "{kept}");
    assert_eq!(state(&within, &first), KeyState::Retired);

    // By the schedule, too.
    within.wait(SignedDuration::from_hours(24 * 30));
    within.maintain();
    let keys = within.run(within.store.keys().list()).unwrap();
    assert_eq!(keys.len(), 3);
    assert_eq!(keys[2].state, KeyState::Upcoming);

    // In an emergency: gone with the next request, and its tokens with it.
    let (_, token) = signs_with(&within, &client);
    call(&within.us1, &token).is(200);
    within
        .run(
            within
                .store
                .keys()
                .remove(&next, &actor(), within.now(), rng),
        )
        .unwrap();
    call(&within.us1, &token).is(401);
    assert!(!published(&within).contains(&next));
    let (id, token) = signs_with(&within, &client);
    assert_eq!(id, keys[2].id.as_str());
    call(&within.us1, &token).is(200);
}

/// Somebody else's verifier: fetches the keys when its copy is older than it may be, and never in
/// between.
struct Verifier {
    keys: JwkSet,
    until: Timestamp,
}

impl Verifier {
    fn fetch(within: &Within) -> Self {
        let asked = within.now();
        let answer = get(&within.base, KEYS).is(200);
        let age: i64 = answer
            .header("cache-control")
            .and_then(|value| value.rsplit_once("max-age="))
            .map(|(_, seconds)| seconds.parse().unwrap())
            .unwrap();
        Self {
            keys: serde_json::from_str(&answer.body).unwrap(),
            until: asked + SignedDuration::from_secs(age),
        }
    }

    #[track_caller]
    fn accepts(&mut self, within: &Within, token: &str) {
        if within.now() >= self.until {
            *self = Self::fetch(within);
        }
        let id = decode_header(token).unwrap().kid.unwrap();
        let key = self
            .keys
            .find(&id)
            .unwrap_or_else(|| panic!("no key {id} at {}", within.now()));
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["external_api"]);
        // The clock of the test is not the library's.
        rules.validate_exp = false;
        decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap();
    }
}

/// A client that works without a pause, and its own verifier.
struct Worker {
    client: Client,
    verifier: Verifier,
    /// Its tokens that live on for the whole turn, the oldest first.
    alive: Vec<(Timestamp, String)>,
    /// The keys that its tokens were signed with.
    signed_by: std::collections::BTreeSet<String>,
}

impl Worker {
    /// Gets a token and shows it, and the oldest that still lives, to everybody. The clock goes on by a
    /// step meanwhile.
    fn take_a_turn(&mut self, within: &Within, lifetime: SignedDuration) {
        let (id, token) = signs_with(within, &self.client);
        self.signed_by.insert(id);
        self.alive.push((within.now() - STEP, token));
        self.alive
            .retain(|(at, _)| within.now() + STEP < *at + lifetime);
        let (oldest, newest) = (&self.alive[0].1, &self.alive[self.alive.len() - 1].1);
        for token in [oldest, newest] {
            self.verifier.accepts(within, token);
            call(&within.us1, token).is(200);
        }
    }
}

/// Five clients at work at once, while the clock goes on, keys are made, take over and go.
#[test]
fn audit_29_no_verifier_meets_an_unknown_key_during_a_rotation() {
    let within = Within::start(|setup| {
        // Tokens live side by side, so that each can be shown for as long as it lives.
        setup.policy.single_active = false;
        setup.limits.tokens_per_credential = 0;
    });
    let mut workers: Vec<Worker> = (0..5)
        .map(|number| {
            // Their copies of the keys are of different moments.
            within.wait(STEP * 2);
            Worker {
                client: within.client(&format!("worker {number}")),
                verifier: Verifier::fetch(&within),
                alive: Vec::new(),
                signed_by: std::collections::BTreeSet::new(),
            }
        })
        .collect();
    let lifetime = SignedDuration::from_mins(120);
    let within = &within;
    for turn in 0..400 {
        std::thread::scope(|turns| {
            for worker in &mut workers {
                turns.spawn(move || worker.take_a_turn(within, lifetime));
            }
            // Just after one of them fetched its copy, the worst moment for it.
            if turn == 10 {
                let keys = within.store.keys();
                within
                    .run(keys.rotate(&actor(), within.now(), &mut SystemRandom))
                    .unwrap();
            }
            within.wait(STEP);
            within.maintain();
        });
    }
    for worker in &workers {
        assert_eq!(worker.signed_by.len(), 2, "the rotation was seen");
    }
    assert_eq!(published(within).len(), 1, "and its end");
}

#[test]
fn audit_30_the_published_keys_are_public_and_always_there() {
    let within = Within::greenlake();
    let look = |target: &str, tag: Option<&str>| -> Answer {
        let headers: Vec<_> = tag.map(|tag| ("If-None-Match", tag)).into_iter().collect();
        send(&within.base, "GET", target, &headers)
    };
    let check = || {
        for target in PLACES {
            let answer = look(target, None).is(200);
            assert_eq!(
                answer.header("content-type"),
                Some("application/jwk-set+json")
            );
            let age = format!("public, max-age={}", MAX_AGE.as_secs());
            assert_eq!(answer.header("cache-control"), Some(age.as_str()));
            let tag = answer.header("etag").unwrap();
            let unchanged = look(target, Some(tag)).is(304);
            assert_eq!(
                (unchanged.body.as_str(), unchanged.header("etag")),
                ("", Some(tag))
            );
            look(target, Some("\"another\"")).is(200);
            let json = answer.json();
            assert_eq!(names(&json), ["keys"]);
            for key in json["keys"].as_array().unwrap() {
                assert_eq!(names(key), ["kty", "use", "alg", "kid", "crv", "x", "y"]);
            }
        }
    };
    check();
    let before = get(&within.base, KEYS).header("etag").unwrap().to_owned();
    let keys = within.store.keys();
    within
        .run(keys.rotate(&actor(), within.now(), &mut SystemRandom))
        .unwrap();
    let after = get(&within.base, KEYS).header("etag").unwrap().to_owned();
    assert_ne!(before, after);
    within.run(within.store.close());
    check();
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// That a key is wiped when it is dropped, and that signing takes the same time whatever the key is,
/// is the work of the cryptographic library.
#[test]
fn audit_31_a_private_key_is_nowhere_in_clear() {
    let within = Within::greenlake();
    let key = within.known_signing_key();
    let pkcs8 = SigningKey::from_pem(&key.pem).unwrap().to_pkcs8().unwrap();
    // RFC 5915: the private number stands behind version and tag, 32 bytes of it.
    let place = pkcs8
        .windows(5)
        .position(|part| part == [2, 1, 1, 4, 32])
        .unwrap();
    let private = &pkcs8[place + 5..place + 37];
    assert!(!holds(
        &URL_SAFE_NO_PAD
            .decode(key.jwk["x"].as_str().unwrap())
            .unwrap(),
        private
    ));
    let lines: Vec<&str> = key
        .pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let text_form = lines.concat();
    let looked = std::cell::Cell::new(0);
    let look = |what: &str, bytes: &[u8]| {
        looked.set(looked.get() + bytes.len());
        assert!(!holds(bytes, private), "{what}");
        assert!(!holds(bytes, &text_form.as_bytes()[44..76]), "{what}");
        assert!(!holds(bytes, STANDARD.encode(private).as_bytes()), "{what}");
    };
    for file in files(within.folder.path()) {
        look(text(&file), &std::fs::read(&file).unwrap());
    }
    assert!(looked.get() > 10_000);
    look("the log", format!("{:?}", within.audit()).as_bytes());
    let list = within.run(within.store.keys().list()).unwrap();
    look("the list", format!("{list:?}").as_bytes());

    let world = World::owner();
    let server = Server::start(&world);
    let data = world.data();
    for name in [
        "master.key",
        "hallpass.db",
        "hallpass.db-wal",
        "hallpass.db-shm",
    ] {
        let mode = std::fs::metadata(data.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let master = std::fs::read_to_string(data.join("master.key")).unwrap();
    let printed = world
        .run(&["serve", "--data", text(&data), "--print-config"])
        .ok();
    let metrics = http::get(server.metrics()).is(200).text;
    for shown in [printed.stdout, printed.stderr, metrics] {
        assert!(!shown.contains(master.trim()) && !shown.contains("PRIVATE KEY"));
    }
}

#[test]
fn audit_32_no_weak_key_signs() {
    let server = Server::start(&World::owner());
    let keys = get(server.base(), KEYS).is(200).json();
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["e"]), (&"RSA".into(), &"AQAB".into()));
    let modulus = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    assert!(modulus.len() == 256 && modulus[0] >= 0x80, "2048 bits");

    let within = Within::greenlake();
    let import = |pem: &str| {
        let keys = within.store.keys();
        within.run(keys.import(pem, &actor(), within.now(), &mut SystemRandom))
    };
    for (pem, words) in [
        (include_str!("weak/rsa-1024.pem"), "RSA key of 1024 bits"),
        (
            include_str!("weak/rsa-exponent-3.pem"),
            "exponent is not 65537",
        ),
        (&printed_in_a_standard(), "RFC 8037"),
    ] {
        let refused = import(pem).unwrap_err();
        assert!(matches!(refused, KeysError::Key(_)), "{refused}");
        assert!(refused.to_string().contains(words), "{refused}");
    }
    assert_eq!(published(&within).len(), 1);
    import(&Key::generate(KeySpec::Rsa2048).pem).unwrap();
    assert_eq!(published(&within).len(), 2);
}

/// The key of RFC 8037 appendix A.1, in the frame of RFC 8410 section 7.
fn printed_in_a_standard() -> String {
    let private = URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let frame = [
        0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32,
    ];
    pem(&[&frame[..], &private].concat())
}
