//! The life of signing keys by a clock that the tests move.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::{LEEWAY, SignedToken, TokenRefusal, check};
use hallpass_oauth::{JwkSet, KeySpec, SigningKey};
use hallpass_store::credentials::{CredentialChange, CredentialOptions, IssuedCredential};
use hallpass_store::keys::{Key, KeyState, KeysError};
use hallpass_store::{KeyPolicy, Policy};
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, Row as _};

use crate::world::{World, actor, after, database, now};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

fn policy() -> Policy {
    Policy {
        single_active: false,
        keys: KeyPolicy {
            spec: KeySpec::EcP256,
            rotate_every: Some(SignedDuration::from_hours(3)),
            publish_before: SignedDuration::from_mins(10),
        },
        ..Policy::default()
    }
}

fn by_hand(spec: KeySpec) -> Policy {
    Policy {
        keys: KeyPolicy {
            spec,
            rotate_every: None,
            ..policy().keys
        },
        ..policy()
    }
}

impl World {
    async fn maintain(&self, at: Timestamp) {
        self.store.maintain(at, &mut SystemRandom).await.unwrap();
    }

    async fn rotate(&self, at: Timestamp) -> Result<Key, KeysError> {
        let keys = self.store.keys();
        keys.rotate(&actor(), at, &mut SystemRandom).await
    }

    async fn import(&self, pem: &str, at: Timestamp) -> Result<Key, KeysError> {
        let keys = self.store.keys();
        keys.import(pem, &actor(), at, &mut SystemRandom).await
    }

    async fn remove(&self, id: &str, at: Timestamp) -> Result<Key, KeysError> {
        let keys = self.store.keys();
        keys.remove(id, &actor(), at, &mut SystemRandom).await
    }

    async fn states(&self) -> Vec<KeyState> {
        let keys = self.store.keys().list().await.unwrap();
        keys.iter().map(|key| key.state).collect()
    }

    fn published(&self) -> Vec<String> {
        let keys = self.store.published_keys().current();
        keys.ids().map(ToString::to_string).collect()
    }

    fn signs(&self) -> String {
        self.store.signing_keys().active().id().to_string()
    }

    async fn job(&self) -> IssuedCredential {
        self.credential_with("job", CredentialOptions::default())
            .await
    }
}

fn pem_of(key: &SigningKey) -> String {
    let der = key.to_pkcs8().unwrap();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(&*der)
    )
}

#[tokio::test]
async fn a_key_is_upcoming_active_retiring_and_retired_each_to_the_second() {
    use KeyState::{Active, Retired, Retiring, Upcoming};
    let world = World::new(policy()).await;
    let first = world.signs();
    let due = 3 * HOUR - 10 * MINUTE;
    world.maintain(after(due - 1)).await;
    assert_eq!(world.states().await, [Active]);
    world.maintain(after(due)).await;
    assert_eq!(world.states().await, [Active, Upcoming]);
    assert_eq!(world.published().len(), 2, "published before it signs");
    world.maintain(after(3 * HOUR - 1)).await;
    assert_eq!(world.signs(), first);
    let document = world.store.published_keys().document();
    world.maintain(after(3 * HOUR)).await;
    assert_eq!(world.states().await, [Retiring, Active]);
    let second = world.signs();
    assert_ne!(second, first);
    let same = world.store.published_keys().document();
    assert_eq!(same.etag, document.etag, "the same keys, the same document");

    // Two hours for the tokens, the leeway for the verifier and once more for its clock.
    let gone = 3 * HOUR + 2 * HOUR + 2 * LEEWAY.as_secs();
    world.maintain(after(gone - 1)).await;
    assert_eq!(world.states().await, [Retiring, Active]);
    world.maintain(after(gone)).await;
    assert_eq!(world.states().await, [Retired, Active]);
    assert_eq!(world.published(), [second]);
    assert_ne!(world.store.published_keys().document().etag, document.etag);

    let retired = world.store.keys().list().await.unwrap().remove(0);
    assert_eq!(retired.id.as_str(), first);
    assert_eq!(retired.created_at, now());
    assert_eq!(retired.retiring_since, Some(after(3 * HOUR)));
    assert_eq!(retired.retires_at, Some(after(gone)));
    let said: Vec<String> = world
        .messages()
        .await
        .into_iter()
        .map(|said| said.0)
        .collect();
    for word in ["made", "active", "retiring", "retired"] {
        let message = format!("Signing key {word}");
        let times = said.iter().filter(|said| **said == message).count();
        assert_eq!(times, 1, "{message} in {said:?}");
    }
}

#[tokio::test]
async fn one_rotation_is_under_way_at_a_time_and_a_restart_does_not_forget_it() {
    let world = World::new(by_hand(KeySpec::EcP256)).await;
    let made = world.rotate(now()).await.unwrap();
    assert_eq!(made.state, KeyState::Upcoming);
    assert_eq!(made.activates_at, after(10 * MINUTE));
    let world = world.reopen(by_hand(KeySpec::EcP256)).await;
    let pem = pem_of(&SigningKey::generate(KeySpec::Ed25519).unwrap());
    for second in [
        world.rotate(after(1)).await,
        world.import(&pem, after(1)).await,
    ] {
        let Err(KeysError::UnderWay { id, activates_at }) = second else {
            panic!("a second rotation: {second:?}");
        };
        assert_eq!((id, activates_at), (made.id.clone(), made.activates_at));
    }
    assert_eq!(world.published().len(), 2);
    world.maintain(after(10 * MINUTE)).await;
    assert_eq!(world.signs(), made.id.as_str());
    world.maintain(after(1000 * HOUR)).await;
    assert_eq!(
        world.states().await,
        [KeyState::Retired, KeyState::Active],
        "no key is made by the clock where rotation is by hand"
    );
}

#[tokio::test]
async fn a_key_does_not_sign_sooner_because_another_one_goes() {
    let world = World::new(by_hand(KeySpec::EcP256)).await;
    world.rotate(now()).await.unwrap();
    world.maintain(after(10 * MINUTE)).await;
    let second = world.signs();
    let retires_at = world.store.keys().list().await.unwrap()[0].retires_at;
    let gone = retires_at.unwrap();
    let just_before = gone - SignedDuration::from_secs(1);
    let third = world.rotate(just_before).await.unwrap();
    world.maintain(gone).await;
    assert_eq!(world.signs(), second);
    assert_eq!(world.published(), [second.as_str(), third.id.as_str()]);
    let states = [KeyState::Retired, KeyState::Active, KeyState::Upcoming];
    assert_eq!(world.states().await, states);
}

#[tokio::test]
async fn the_log_names_every_key_however_many_change_at_once() {
    let long = Policy {
        longest_token_lifetime: SignedDuration::from_hours(8),
        ..by_hand(KeySpec::Ed25519)
    };
    let world = World::new(long).await;
    for turn in 0..18 {
        world.rotate(after(turn * 10 * MINUTE)).await.unwrap();
        world.maintain(after((turn + 1) * 10 * MINUTE)).await;
    }
    assert_eq!(world.published().len(), 19);
    world.maintain(after(100 * HOUR)).await;
    assert_eq!(world.published().len(), 1);
    let said = world.messages().await;
    let retired = said.iter().filter(|said| said.0 == "Signing key retired");
    assert_eq!(retired.count(), 18);
}

#[tokio::test]
async fn a_key_from_outside_signs_under_its_own_id_and_comes_back_never() {
    let world = World::new(by_hand(KeySpec::EcP256)).await;
    let job = world.job().await;
    let key = SigningKey::generate(KeySpec::Rsa2048).unwrap();
    let imported = world.import(&pem_of(&key), now()).await.unwrap();
    assert_eq!(&imported.id, key.id());
    assert!(imported.imported && imported.kind == "rsa-2048");
    world.maintain(after(10 * MINUTE)).await;
    assert_eq!(world.signs(), key.id().as_str());
    world.maintain(after(HOUR)).await;
    assert_eq!(
        world.published().len(),
        2,
        "it stays, though the setting says another kind"
    );
    let token = world.token_of(&job, after(HOUR)).await;
    assert_eq!(world.refusal(&token, after(HOUR)), None);

    let again = world.import(&pem_of(&key), after(HOUR)).await;
    assert!(matches!(again, Err(KeysError::Known(id)) if id == *key.id()));
    world.remove(key.id().as_str(), after(HOUR)).await.unwrap();
    let again = world.import(&pem_of(&key), after(HOUR)).await;
    assert!(
        matches!(again, Err(KeysError::Known(_))),
        "a key that was taken out in an emergency must not return"
    );
    let nonsense = world.import("no key", after(HOUR)).await;
    assert!(matches!(nonsense, Err(KeysError::Key(_))));
}

#[tokio::test]
async fn a_key_in_any_state_is_taken_out_at_once() {
    let world = World::new(by_hand(KeySpec::EcP256)).await;
    let job = world.job().await;
    let first = world.signs();
    let token = world.token_of(&job, now()).await;

    let upcoming = world.rotate(now()).await.unwrap();
    world.remove(upcoming.id.as_str(), after(1)).await.unwrap();
    assert_eq!(world.published(), std::slice::from_ref(&first));
    assert_eq!(world.refusal(&token, after(1)), None);

    world.rotate(after(2)).await.unwrap();
    world.maintain(after(2 + 10 * MINUTE)).await;
    let second = world.signs();
    let at = after(HOUR);
    let younger = world.token_of(&job, at).await;
    assert_eq!(world.refusal(&token, at), None);
    world.remove(&first, at).await.unwrap();
    assert_eq!(world.refusal(&token, at), Some(TokenRefusal::UnknownKey));
    assert_eq!(world.refusal(&younger, at), None);

    // The active one, with a successor on its way: that one signs at once.
    let next = world.rotate(at).await.unwrap();
    world.remove(&second, at).await.unwrap();
    assert_eq!(world.signs(), next.id.as_str());
    assert_eq!(world.published(), [next.id.as_str()]);
    assert_eq!(world.refusal(&younger, at), Some(TokenRefusal::UnknownKey));
    // And without one: a new one is made.
    world.remove(next.id.as_str(), at).await.unwrap();
    let spare = world.signs();
    assert_ne!(spare, next.id.as_str());
    assert_eq!(world.published(), std::slice::from_ref(&spare));
    let token = world.token_of(&job, at).await;
    assert_eq!(world.refusal(&token, at), None);

    for unknown in [first.as_str(), "nobody", "", "a b"] {
        let refused = world.remove(unknown, at).await;
        assert!(matches!(refused, Err(KeysError::Unknown(_))), "{unknown:?}");
    }
    let world = world.reopen_at(by_hand(KeySpec::EcP256), at).await;
    assert_eq!(world.signs(), spare);
    assert_eq!(world.refusal(&token, at), None);
}

#[tokio::test]
async fn the_private_half_of_a_retired_key_is_gone_from_the_file() {
    async fn sealed(world: &World, id: &str) -> Vec<u8> {
        let mut file = database(world.folder.path()).await;
        let row = sqlx::query("SELECT sealed FROM signing_key WHERE id = $1")
            .bind(id)
            .fetch_one(&mut file)
            .await
            .unwrap();
        file.close().await.unwrap();
        row.get("sealed")
    }
    let world = World::new(by_hand(KeySpec::Rsa2048)).await;
    let (rotated, job) = (world.signs(), world.job().await);
    let first = sealed(&world, &rotated).await;
    world.rotate(now()).await.unwrap();
    world.maintain(after(10 * MINUTE)).await;
    let removed = world.signs();
    let second = sealed(&world, &removed).await;
    assert!(first.len() > 1000 && second.len() > 1000);
    world.maintain(after(10 * HOUR)).await;
    world.remove(&removed, after(10 * HOUR)).await.unwrap();
    for id in [&rotated, &removed] {
        assert!(sealed(&world, id).await.is_empty());
    }
    world.token_of(&job, after(10 * HOUR)).await;
    world.store.close().await;
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for half in [&first, &second] {
            for part in half.chunks(64) {
                let found = bytes.windows(part.len()).any(|window| window == part);
                assert!(!found || part.len() < 16, "a remnant in free space");
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_signed_long_tokens_stays_for_them_when_the_setting_is_lowered() {
    let long = Policy {
        longest_token_lifetime: SignedDuration::from_hours(8),
        ..by_hand(KeySpec::Ed25519)
    };
    let short = by_hand(KeySpec::Ed25519);
    let world = World::new(short.clone()).await.reopen(long).await;
    let job = world.job().await;
    let change = CredentialChange {
        token_lifetime: Some(Some(SignedDuration::from_hours(8))),
        ..CredentialChange::default()
    };
    let id = job.credential.client_id.as_str();
    let credentials = world.store.credentials();
    credentials
        .change(id, change, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    let token = world.token_of(&job, now()).await;

    let world = world.reopen(short).await;
    world.rotate(now()).await.unwrap();
    let takes_over = 10 * MINUTE;
    world.maintain(after(takes_over)).await;
    let later = world.token_of(&job, after(takes_over)).await;
    let end = after(8 * HOUR) + LEEWAY - SignedDuration::from_secs(1);
    world.maintain(end).await;
    assert_eq!(world.refusal(&token, end), None);

    // Tokens of now obey the setting of now, or the next key would go before them.
    let over = after(takes_over + 2 * HOUR) + LEEWAY;
    assert_eq!(
        world.refusal(&later, over - SignedDuration::from_secs(1)),
        None
    );
    assert_eq!(world.refusal(&later, over), Some(TokenRefusal::Expired));
}

/// Keeps the published keys for as long as it may, and fetches them only then.
struct Verifier {
    keys: Arc<JwkSet>,
    fetched: i64,
}

impl Verifier {
    fn refresh(&mut self, world: &World, at: i64) {
        let longest = policy().keys.publish_before.as_secs();
        if at - self.fetched >= longest {
            self.keys = world.store.published_keys().current();
            self.fetched = at;
        }
    }
}

struct Living {
    compact: String,
    signed: Option<SignedToken>,
    end: i64,
}

/// Verifiers that fetch at different minutes, and everything that they were shown.
struct Audience {
    verifiers: Vec<Verifier>,
    living: Vec<Living>,
    died: usize,
}

impl Audience {
    fn new(world: &World) -> Self {
        let keys = world.store.published_keys().current();
        let verifiers = [0, -3 * MINUTE, -7 * MINUTE, -9 * MINUTE]
            .map(|fetched| Verifier {
                keys: keys.clone(),
                fetched,
            })
            .into();
        Self {
            verifiers,
            living: Vec::new(),
            died: 0,
        }
    }

    /// Every verifier takes every token for as long as it lives.
    fn watch(&mut self, world: &World, second: i64) {
        let (at, expectation) = (after(second), world.expectation());
        let principals = world.store.principals();
        for token in &mut self.living {
            for verifier in &self.verifiers {
                let unverified = UnverifiedToken::parse(&token.compact).unwrap();
                if token.signed.is_none() || token.end == second {
                    let signed = check(&unverified, &verifier.keys, &expectation, at);
                    let refusal = signed.as_ref().err();
                    assert_eq!(refusal, None, "{second} seconds after the beginning");
                    token.signed = signed.ok();
                }
                let signed = token.signed.as_ref().unwrap();
                let verified = principals.verify(signed, &verifier.keys, &expectation, at);
                assert_eq!(verified.err(), None, "{second} seconds after the beginning");
            }
        }
        let before = self.living.len();
        self.living.retain(|token| token.end > second);
        self.died += before - self.living.len();
    }

    fn refresh(&mut self, world: &World, second: i64) {
        for verifier in &mut self.verifiers {
            verifier.refresh(world, second);
        }
    }

    async fn mint(&mut self, world: &World, by: &IssuedCredential, second: i64) {
        let compact = world.token_of(by, after(second)).await;
        let lifetime = by.credential.token_lifetime.as_secs();
        // The leeway that verifiers grant covers the last step.
        self.living.push(Living {
            compact,
            signed: None,
            end: second + lifetime,
        });
    }
}

#[tokio::test]
async fn no_verifier_meets_an_unknown_key_and_no_good_token_dies_by_a_rotation() {
    let of = |spec| Policy {
        keys: KeyPolicy {
            spec,
            ..policy().keys
        },
        ..policy()
    };
    let mut world = World::new(of(KeySpec::Rsa2048)).await;
    let mut clients = Vec::new();
    for (name, minutes) in [("short", 1), ("middle", 45), ("long", 120)] {
        let options = CredentialOptions {
            token_lifetime: Some(SignedDuration::from_mins(minutes)),
            ..CredentialOptions::default()
        };
        clients.push(world.credential_with(name, options).await);
    }
    let mut audience = Audience::new(&world);
    let mut signed_by = std::collections::BTreeSet::new();
    let mut second = 0;
    while second < 24 * HOUR {
        second += MINUTE;
        match second / MINUTE {
            // By hand, beside the clock.
            60 => drop(world.rotate(after(second)).await.unwrap()),
            // Other kinds, one after the other.
            300 => world = world.reopen_at(of(KeySpec::EcP256), after(second)).await,
            600 => world = world.reopen_at(of(KeySpec::Ed25519), after(second)).await,
            // Down while a key is published that has to take over, and for longer than a key lives.
            900 => {
                world.rotate(after(second)).await.unwrap();
                world.store.close().await;
                for _ in 0..40 {
                    audience.watch(&world, second);
                    second += MINUTE;
                }
                world = world.reopen_at(of(KeySpec::Ed25519), after(second)).await;
            }
            1100 => {
                world.store.close().await;
                for _ in 0..200 {
                    audience.watch(&world, second);
                    second += MINUTE;
                }
                world = world.reopen_at(of(KeySpec::Ed25519), after(second)).await;
            }
            _ => world.maintain(after(second)).await,
        }
        audience.refresh(&world, second);
        if second / MINUTE % 4 == 0 {
            for client in &clients {
                audience.mint(&world, client, second).await;
            }
        }
        audience.watch(&world, second);
        signed_by.insert(world.store.signing_keys().active().id().clone());
        let published = world.published().len();
        assert!(published <= 4, "{published} keys are published");
    }
    assert!(
        audience.died > 500,
        "{} tokens lived to their end",
        audience.died
    );
    let algorithms: Vec<String> = {
        let keys = world.store.keys().list().await.unwrap();
        keys.into_iter().map(|key| key.kind).collect()
    };
    for kind in ["rsa-2048", "ec-p256", "ed25519"] {
        assert!(algorithms.iter().any(|made| made == kind), "{algorithms:?}");
    }
    assert!(signed_by.len() >= 7, "{} keys signed", signed_by.len());
}
