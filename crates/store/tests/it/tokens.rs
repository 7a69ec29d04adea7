//! Which tokens are good: by their place or their fingerprint, within their grace, and unless they
//! were revoked; and that an assertion is good once.

use hallpass_oauth::client_assertion::{
    ASSERTION_TYPE, ClientAssertion, LEEWAY as ASSERTION_LEEWAY,
};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::{LEEWAY, TokenRefusal};
use hallpass_oauth::{ClientId, JwkSet, KeySpec, SigningKey};
use hallpass_store::audit::{AuditEvent, AuditState};
use hallpass_store::credentials::CredentialOptions;
use hallpass_store::{Policy, SequenceError};
use jiff::{SignedDuration, Timestamp};

use crate::world::{ISSUER, World, actor, after, now};

async fn revoke(world: &World, token: &str, at: Timestamp) {
    let signed = world.signed(token, at).unwrap();
    let keys = world.store.published_keys().current();
    let (principals, expectation) = (world.store.principals(), world.expectation());
    let verified = principals.verify_token(&signed, &keys, &expectation, at);
    let (_, verified) = verified.unwrap();
    let event = AuditEvent::new(
        AuditState::Success,
        "revoked",
        "test",
        at,
        &mut SystemRandom,
    );
    let revocations = world.store.revocations();
    revocations.revoke(&verified, event).await.unwrap();
}

#[tokio::test]
async fn tokens_without_jti_are_known_by_their_fingerprint_over_a_restart() {
    let policy = Policy {
        jti: false,
        ..Policy::default()
    };
    let world = World::new(policy.clone()).await;
    let issued = world
        .credential_with("bare", CredentialOptions::default())
        .await;
    let first = world.token_of(&issued, now()).await;
    let payload = hallpass_oauth::jws::peek(&first).unwrap().1;
    assert!(!payload.contains("jti"), "{payload}");
    assert_eq!(world.refusal(&first, now()), None);
    let second = world.token_of(&issued, after(1)).await;
    assert_eq!(
        world.refusal(&first, after(1)),
        Some(TokenRefusal::Superseded)
    );

    let world = world.reopen(policy.clone()).await;
    assert_eq!(world.refusal(&second, after(1)), None);
    assert_eq!(
        world.refusal(&first, after(1)),
        Some(TokenRefusal::Superseded)
    );
    let id = issued.credential.client_id.as_str();
    let credentials = world.store.credentials();
    let reset = credentials
        .reset(id, &actor(), after(2), &mut SystemRandom)
        .await
        .unwrap();
    assert_eq!(
        world.refusal(&second, after(2)),
        Some(TokenRefusal::Superseded)
    );
    let third = world.token_of(&reset, after(3)).await;
    let world = world.reopen(policy).await;
    assert_eq!(
        world.refusal(&second, after(3)),
        Some(TokenRefusal::Superseded),
        "the reset was on disk"
    );
    assert_eq!(world.refusal(&third, after(3)), None);
}

#[tokio::test]
async fn switching_jti_on_and_off_keeps_the_last_token_and_no_other() {
    let bare = Policy {
        jti: false,
        ..Policy::default()
    };
    let world = World::new(bare.clone()).await;
    let issued = world
        .credential_with("turn", CredentialOptions::default())
        .await;
    let first = world.token_of(&issued, now()).await;
    let world = world.reopen(Policy::default()).await;
    assert_eq!(world.refusal(&first, now()), None);
    let second = world.token_of(&issued, after(1)).await;
    assert_eq!(
        world.refusal(&first, after(1)),
        Some(TokenRefusal::Superseded)
    );
    let world = world.reopen(bare).await;
    assert_eq!(world.refusal(&second, after(1)), None);
    world.token_of(&issued, after(2)).await;
    assert_eq!(
        world.refusal(&second, after(2)),
        Some(TokenRefusal::Superseded)
    );
}

#[tokio::test]
async fn a_superseded_token_has_its_grace_to_the_second_and_a_restart_or_a_reset_ends_it() {
    for jti in [true, false] {
        let policy = Policy {
            grace: SignedDuration::from_secs(30),
            jti,
            ..Policy::default()
        };
        let world = World::new(policy.clone()).await;
        let issued = world
            .credential_with("graced", CredentialOptions::default())
            .await;
        let superseded = Some(TokenRefusal::Superseded);
        let first = world.token_of(&issued, now()).await;
        let second = world.token_of(&issued, after(10)).await;
        assert_eq!(world.refusal(&first, after(39)), None, "jti {jti}");
        assert_eq!(world.refusal(&first, after(40)), superseded, "jti {jti}");
        assert_eq!(world.refusal(&second, after(40)), None);

        let third = world.token_of(&issued, after(50)).await;
        assert_eq!(world.refusal(&second, after(51)), None);
        let world = world.reopen(policy).await;
        assert_eq!(world.refusal(&second, after(51)), superseded);
        assert_eq!(world.refusal(&third, after(51)), None);

        let fourth = world.token_of(&issued, after(52)).await;
        assert_eq!(world.refusal(&third, after(53)), None);
        let credentials = world.store.credentials();
        let id = issued.credential.client_id.as_str();
        credentials
            .reset(id, &actor(), after(53), &mut SystemRandom)
            .await
            .unwrap();
        assert_eq!(world.refusal(&third, after(53)), superseded);
        assert_eq!(world.refusal(&fourth, after(53)), superseded);
    }
}

#[tokio::test]
async fn of_several_living_tokens_one_is_revoked_until_it_would_have_ended() {
    let policy = Policy {
        single_active: false,
        ..Policy::default()
    };
    let world = World::new(policy.clone()).await;
    let issued = world
        .credential_with("many", CredentialOptions::default())
        .await;
    let first = world.token_of(&issued, now()).await;
    let second = world.token_of(&issued, now()).await;
    revoke(&world, &first, after(1)).await;
    let refused = Some(TokenRefusal::Revoked);
    assert_eq!(world.refusal(&first, after(1)), refused);
    assert_eq!(world.refusal(&second, after(1)), None);

    let world = world.reopen(policy.clone()).await;
    assert_eq!(world.refusal(&first, after(1)), refused);
    // Two hours, and the leeway that a verifier grants.
    let dead = after(7200) + LEEWAY;
    let last_moment = dead - SignedDuration::from_secs(1);
    let sizes = |world: &World| world.store.client_registrations().sizes().spent_ids;
    world
        .store
        .maintain(last_moment, &mut SystemRandom)
        .await
        .unwrap();
    assert_eq!(world.refusal(&first, last_moment), refused);
    assert_eq!(world.refusal(&first, dead), Some(TokenRefusal::Expired));
    assert_eq!(sizes(&world), 1);
    // A minute longer, for a request that looked before and is not over.
    let forgotten = dead + LEEWAY + SignedDuration::from_mins(1);
    world
        .store
        .maintain(forgotten, &mut SystemRandom)
        .await
        .unwrap();
    assert_eq!(sizes(&world), 0);
    let world = world.reopen(policy).await;
    assert_eq!(sizes(&world), 0, "on disk as well");
}

fn assert_form(id: &ClientId, key: &SigningKey) -> String {
    let lifetime = SignedDuration::from_secs(60);
    let rng = &mut SystemRandom;
    let assertion = ClientAssertion::sign(id, ISSUER, key, now(), lifetime, rng).unwrap();
    format!(
        "grant_type=client_credentials&client_assertion_type={ASSERTION_TYPE}\
         &client_assertion={}",
        assertion.expose()
    )
}

#[tokio::test]
async fn rfc7523_3_an_assertion_is_good_once_until_it_has_ended_also_over_a_restart() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let key = SigningKey::generate(KeySpec::EcP256).unwrap();
    let registered = JwkSet::new([key.public_key().unwrap()]).to_json();
    let credentials = world.store.credentials();
    let made = credentials
        .create_with_keys(
            ann.id,
            world.us1(),
            "signer",
            &registered,
            CredentialOptions::default(),
            &actor(),
            now(),
            &mut SystemRandom,
        )
        .await;
    let id = made.unwrap().client_id;
    let form = assert_form(&id, &key);
    let client = world.authenticate(&form, now()).unwrap();
    let token = world.token(&client, now()).await;
    assert_eq!(world.refusal(&token, now()), None);

    let again = world.authenticate(&form, now()).unwrap();
    let replayed = world.try_token(&again, now()).await;
    assert!(matches!(replayed, Err(SequenceError::Replayed)));
    assert_eq!(
        world.refusal(&token, now()),
        None,
        "a replay does not end the token"
    );
    let world = world.reopen(Policy::default()).await;
    let last_moment = after(59) + ASSERTION_LEEWAY;
    world
        .store
        .maintain(last_moment, &mut SystemRandom)
        .await
        .unwrap();
    let again = world.authenticate(&form, last_moment).unwrap();
    let replayed = world.try_token(&again, last_moment).await;
    assert!(matches!(replayed, Err(SequenceError::Replayed)));

    let elsewhere = assert_form(&id, &key);
    let client = world.authenticate(&elsewhere, now()).unwrap();
    let (sequences, proof) = (world.store.token_sequences(), client.proof().clone());
    sequences
        .note_authentication(client.registration(), proof.clone(), "", now())
        .await
        .unwrap();
    let noted = sequences
        .note_authentication(client.registration(), proof, "", now())
        .await;
    assert!(matches!(noted, Err(SequenceError::Replayed)));

    let end = after(60) + ASSERTION_LEEWAY;
    assert!(world.authenticate(&form, end).is_err());
    let forgotten = end + SignedDuration::from_mins(1);
    world
        .store
        .maintain(forgotten, &mut SystemRandom)
        .await
        .unwrap();
    assert_eq!(world.store.client_registrations().sizes().spent_ids, 0);
}

#[tokio::test]
async fn a_revoked_token_without_jti_stays_revoked_over_a_restart() {
    let policy = Policy {
        jti: false,
        ..Policy::default()
    };
    let world = World::new(policy.clone()).await;
    let issued = world
        .credential_with("bare", CredentialOptions::default())
        .await;
    let token = world.token_of(&issued, now()).await;
    revoke(&world, &token, now()).await;
    assert_eq!(world.refusal(&token, now()), Some(TokenRefusal::Revoked));
    let world = world.reopen(policy).await;
    assert_eq!(world.refusal(&token, now()), Some(TokenRefusal::Revoked));
}

/// The caller of a revocation may be gone before it is written; what is on disk then is in memory too.
#[tokio::test]
async fn a_revocation_whose_caller_goes_away_still_counts() {
    let policy = Policy {
        single_active: false,
        ..Policy::default()
    };
    let world = World::new(policy).await;
    let ann = world.person("ann@example.com").await;
    let issued = world.credential(&ann, "nightly").await.unwrap();
    let token = world.token_of(&issued, now()).await;
    let signed = world.signed(&token, now()).unwrap();
    let (principals, keys) = (
        world.store.principals(),
        world.store.published_keys().current(),
    );
    let expectation = world.expectation();
    let (_, verified) = principals
        .verify_token(&signed, &keys, &expectation, now())
        .unwrap();
    let event = AuditEvent::new(
        AuditState::Success,
        "revoked",
        "test",
        now(),
        &mut SystemRandom,
    );
    let revocations = world.store.revocations();
    {
        let mut asked = std::pin::pin!(revocations.revoke(&verified, event));
        let waker = std::task::Waker::noop();
        let polled = asked
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker));
        assert!(polled.is_pending(), "the caller goes before it is written");
    }
    world.store.audit_log().settle().await.unwrap();
    assert_eq!(world.refusal(&token, now()), Some(TokenRefusal::Revoked));
}
