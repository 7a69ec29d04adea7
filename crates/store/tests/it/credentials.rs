//! What may be done to a credential, and what that does to its secrets and its tokens.

use hallpass_oauth::client_authentication::{AuthenticationFailure, ClientAuthenticationMethods};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_oauth::{Grant, JwkSet, KeySpec, Profile, Secret, SigningKey, TokenRequest};
use hallpass_store::credentials::{
    Credential, CredentialChange, CredentialError, CredentialOptions, Credentials,
    IssuedCredential, Renewal,
};
use hallpass_store::{PersonId, Policy, SequenceError};
use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection as _, Row as _};

use crate::world::{World, actor, after, database, form_of, now};

const SUPERSEDED: Option<TokenRefusal> = Some(TokenRefusal::Superseded);

async fn plain(world: &World) -> IssuedCredential {
    let options = CredentialOptions::default();
    world.credential_with("job", options).await
}

async fn change(
    world: &World,
    issued: &IssuedCredential,
    wanted: CredentialChange,
    at: Timestamp,
) -> Result<Credential, CredentialError> {
    let id = issued.credential.client_id.as_str();
    let credentials = world.store.credentials();
    credentials
        .change(id, wanted, &actor(), at, &mut SystemRandom)
        .await
}

async fn rotate(
    world: &World,
    issued: &IssuedCredential,
    overlap: i64,
    at: Timestamp,
) -> Result<IssuedCredential, CredentialError> {
    let id = issued.credential.client_id.as_str();
    let overlap = SignedDuration::from_secs(overlap);
    let credentials = world.store.credentials();
    credentials
        .rotate(id, overlap, &actor(), at, &mut SystemRandom)
        .await
}

fn try_secret(
    world: &World,
    issued: &IssuedCredential,
    secret: &Secret,
    at: Timestamp,
) -> Option<AuthenticationFailure> {
    let form = form_of(issued.credential.client_id.as_str(), secret);
    world.authenticate(&form, at).err()
}

/// What the database itself has of a person: their password is told by no handle.
async fn stored_person(world: &World, id: PersonId) -> (String, Option<String>) {
    let mut file = database(world.folder.path()).await;
    let row = sqlx::query("SELECT email, password FROM person WHERE id = $1")
        .bind(id.to_string())
        .fetch_one(&mut file)
        .await
        .unwrap();
    file.close().await.unwrap();
    (row.get("email"), row.get("password"))
}

#[tokio::test]
async fn audit_19_nothing_that_happens_to_a_credential_touches_its_owners_password() {
    const CHOSEN: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA";
    let world = World::new(Policy::default()).await;
    let owner = world.person("ann@example.com").await;
    let (by, links) = (actor(), world.store.setup_links());
    let rng = &mut SystemRandom;
    let link = links.issue(owner.id, &by, now(), rng).await.unwrap();
    let used = links.redeem(&link, CHOSEN, "127.0.0.1", now(), rng).await;
    assert!(used.unwrap());
    let before = stored_person(&world, owner.id).await;
    assert_eq!(before.1.as_deref(), Some(CHOSEN));

    let unchanged = async |step: &str| {
        assert_eq!(stored_person(&world, owner.id).await, before, "{step}");
    };
    let issued = world.credential(&owner, "job").await.unwrap();
    unchanged("create").await;
    rotate(&world, &issued, 60, now()).await.unwrap();
    unchanged("rotate").await;
    let credentials = world.store.credentials();
    let id = issued.credential.client_id.as_str();
    let old = credentials.find(id).unwrap().secrets[0].id.clone();
    let removed = credentials.remove_secret(id, &old, &by, now(), rng);
    removed.await.unwrap();
    unchanged("remove a secret").await;
    let reset = credentials.reset(id, &by, now(), rng);
    reset.await.unwrap();
    unchanged("reset").await;
    let disable = CredentialChange {
        enabled: Some(false),
        ..CredentialChange::default()
    };
    change(&world, &issued, disable, now()).await.unwrap();
    unchanged("disable").await;
    let deleted = credentials.delete(id, &by, now(), rng);
    deleted.await.unwrap();
    unchanged("delete").await;
}

#[tokio::test]
async fn two_secrets_overlap_to_the_second_and_tokens_live_on() {
    let world = World::new(Policy::default()).await;
    let first = plain(&world).await;
    let token = world.token_of(&first, now()).await;
    let second = rotate(&world, &first, 3600, now()).await.unwrap();
    let world = world.reopen(Policy::default()).await;
    assert_eq!(world.refusal(&token, now()), None);
    for issued in [&first, &second] {
        let failure = try_secret(&world, &first, &issued.secret, after(3599));
        assert_eq!(failure, None);
    }
    assert_eq!(
        try_secret(&world, &first, &first.secret, after(3600)),
        Some(AuthenticationFailure::ExpiredSecret)
    );
    assert_eq!(
        try_secret(&world, &first, &second.secret, after(3600)),
        None
    );
}

#[tokio::test]
async fn a_third_secret_waits_until_one_has_ended() {
    let world = World::new(Policy::default()).await;
    let first = plain(&world).await;
    rotate(&world, &first, 3600, now()).await.unwrap();
    let third = rotate(&world, &first, 60, after(3599)).await;
    assert!(matches!(third, Err(CredentialError::TwoSecrets)));
    let third = rotate(&world, &first, 60, after(3600)).await.unwrap();
    assert_eq!(third.credential.secrets.len(), 2);
    assert_eq!(
        try_secret(&world, &first, &first.secret, after(3600)),
        Some(AuthenticationFailure::WrongSecret),
        "the one that had ended made room"
    );
    let longest = Policy::default().longest_overlap.as_secs();
    for overlap in [-1, 0, longest + 1] {
        let refused = rotate(&world, &first, overlap, after(9999)).await;
        assert!(matches!(refused, Err(CredentialError::Overlap(_))));
    }
    assert!(rotate(&world, &first, longest, after(9999)).await.is_ok());
}

#[tokio::test]
async fn one_of_two_secrets_is_removed_and_the_last_one_is_not() {
    let world = World::new(Policy::default()).await;
    let first = plain(&world).await;
    let second = rotate(&world, &first, 3600, now()).await.unwrap();
    let id = first.credential.client_id.as_str();
    let (credentials, rng) = (world.store.credentials(), &mut SystemRandom);
    let unknown = credentials
        .remove_secret(id, "nothing", &actor(), now(), rng)
        .await;
    assert!(matches!(unknown, Err(CredentialError::UnknownSecret(_))));
    let oldest = &second.credential.secrets[0].id;
    let left = credentials
        .remove_secret(id, oldest, &actor(), now(), rng)
        .await
        .unwrap();
    assert_eq!(left.secrets.len(), 1);
    assert_eq!(
        try_secret(&world, &first, &first.secret, now()),
        Some(AuthenticationFailure::WrongSecret)
    );
    assert_eq!(try_secret(&world, &first, &second.secret, now()), None);
    let last = credentials
        .remove_secret(id, &left.secrets[0].id, &actor(), now(), rng)
        .await;
    assert!(matches!(last, Err(CredentialError::LastSecret)));
    let world = world.reopen(Policy::default()).await;
    assert_eq!(try_secret(&world, &first, &second.secret, now()), None);
    assert!(try_secret(&world, &first, &first.secret, now()).is_some());
}

#[tokio::test]
async fn a_reset_ends_both_secrets_and_every_token_at_once() {
    let world = World::new(Policy::default()).await;
    let first = plain(&world).await;
    let second = rotate(&world, &first, 3600, now()).await.unwrap();
    let token = world.token_of(&second, now()).await;
    let id = first.credential.client_id.as_str();
    let credentials = world.store.credentials();
    let reset = credentials
        .reset(id, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    let mut world = world;
    for _ in 0..2 {
        assert_eq!(world.refusal(&token, now()), SUPERSEDED);
        for old in [&first, &second] {
            let failure = try_secret(&world, &first, &old.secret, now());
            assert_eq!(failure, Some(AuthenticationFailure::WrongSecret));
        }
        assert_eq!(try_secret(&world, &first, &reset.secret, now()), None);
        world = world.reopen(Policy::default()).await;
    }
}

#[tokio::test]
async fn a_disabled_credential_comes_back_without_its_tokens() {
    for single_active in [true, false] {
        let policy = Policy {
            single_active,
            ..Policy::default()
        };
        let world = World::new(policy.clone()).await;
        let issued = plain(&world).await;
        let token = world.token_of(&issued, now()).await;
        let form = form_of(issued.credential.client_id.as_str(), &issued.secret);
        let before = world.authenticate(&form, now()).unwrap();
        let enable = |enabled| CredentialChange {
            enabled: Some(enabled),
            ..CredentialChange::default()
        };
        change(&world, &issued, enable(false), now()).await.unwrap();
        assert_eq!(world.refusal(&token, now()), SUPERSEDED);
        assert_eq!(
            try_secret(&world, &issued, &issued.secret, now()),
            Some(AuthenticationFailure::Disabled)
        );
        let late = world.try_token(&before, now()).await;
        assert!(
            matches!(late, Err(SequenceError::Changed)),
            "authenticated before, asked after"
        );
        let world = world.reopen(policy.clone()).await;
        assert_eq!(world.refusal(&token, now()), SUPERSEDED);
        let shown = change(&world, &issued, enable(true), now()).await.unwrap();
        assert!(shown.enabled);
        let world = world.reopen(policy).await;
        assert_eq!(world.refusal(&token, now()), SUPERSEDED);
        let next = world.token_of(&issued, now()).await;
        assert_eq!(world.refusal(&next, now()), None);
        change(&world, &issued, enable(true), now()).await.unwrap();
        assert_eq!(
            world.refusal(&next, now()),
            None,
            "enabling what is enabled ends nothing"
        );
    }
}

#[tokio::test]
async fn the_end_of_a_credential_is_the_end_of_its_tokens() {
    let world = World::new(Policy::default()).await;
    let end = |seconds: i64| CredentialOptions {
        expires_at: Some(after(seconds)),
        ..CredentialOptions::default()
    };
    let issued = world.credential_with("brief", end(600)).await;
    let token = world.token_of(&issued, now()).await;
    let payload = hallpass_oauth::jws::peek(&token).unwrap().1;
    let exp = format!("\"exp\":{},", after(600).as_second());
    assert!(payload.contains(&exp), "{payload}");
    assert_eq!(world.refusal(&token, after(599)), None);
    let ended = Some(TokenRefusal::CredentialEnded);
    assert_eq!(world.refusal(&token, after(600)), ended, "without leeway");
    assert_eq!(
        try_secret(&world, &issued, &issued.secret, after(600)),
        Some(AuthenticationFailure::Expired)
    );
    let to = |end: Option<Timestamp>| CredentialChange {
        expires_at: Some(end),
        ..CredentialChange::default()
    };
    let past = change(&world, &issued, to(Some(after(10))), after(10)).await;
    assert!(matches!(past, Err(CredentialError::ExpiresInThePast)));

    change(&world, &issued, to(None), now()).await.unwrap();
    let long = world.token_of(&issued, now()).await;
    assert_eq!(world.refusal(&long, after(7199)), None);
    let sooner = to(Some(after(60)));
    change(&world, &issued, sooner, now()).await.unwrap();
    let world = world.reopen(Policy::default()).await;
    assert_eq!(world.refusal(&long, after(59)), None);
    assert_eq!(world.refusal(&long, after(60)), ended);

    change(&world, &issued, to(None), after(60)).await.unwrap();
    assert_eq!(
        world.refusal(&long, after(60)),
        Some(TokenRefusal::Superseded),
        "what had ended does not come back with another end"
    );
}

#[tokio::test]
async fn lifetimes_are_bounded_and_tokens_have_them() {
    let world = World::new(Policy::default()).await;
    let issued = plain(&world).await;
    let lifetime = |seconds: Option<i64>| CredentialChange {
        token_lifetime: Some(seconds.map(SignedDuration::from_secs)),
        ..CredentialChange::default()
    };
    for out in [-1, 0, 7201, i64::MAX] {
        let refused = change(&world, &issued, lifetime(Some(out)), now()).await;
        assert!(
            matches!(
                refused,
                Err(CredentialError::Lifetime {
                    shortest: 1,
                    longest: 7200
                })
            ),
            "{out}"
        );
    }
    for (seconds, expected) in [
        (Some(1), 1),
        (Some(60), 60),
        (Some(7200), 7200),
        (None, 7200),
    ] {
        let changed = change(&world, &issued, lifetime(seconds), now()).await;
        let shown = changed.unwrap().token_lifetime;
        assert_eq!(shown, SignedDuration::from_secs(expected));
        let token = world.token_of(&issued, now()).await;
        // A verifier grants 30 seconds, or a tenth of the lifetime when that is less.
        let leeway = (expected / 10).min(30);
        assert_eq!(world.refusal(&token, after(expected + leeway - 1)), None);
        let expired = Some(TokenRefusal::Expired);
        assert_eq!(world.refusal(&token, after(expected + leeway)), expired);
    }
}

/// When the credential and its secrets were last used, as the file has it.
async fn written_uses(world: &World) -> Vec<Option<i64>> {
    let mut file = database(world.folder.path()).await;
    let rows = sqlx::query(
        "SELECT last_used_at, 0 AS part, 0 AS made FROM credential UNION ALL \
         SELECT last_used_at, 1, created_at FROM credential_secret ORDER BY part, made",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    file.close().await.unwrap();
    let seconds = |at: i64| at / 1_000_000_000 - now().as_second();
    rows.iter()
        .map(|row| row.get::<Option<i64>, _>("last_used_at").map(seconds))
        .collect()
}

#[tokio::test]
async fn uses_are_exact_in_memory_and_written_once_a_minute_for_credential_and_secret() {
    let world = World::new(Policy::default()).await;
    let first = plain(&world).await;
    let id = first.credential.client_id.as_str();
    let shown = |world: &World| {
        let credential = world.store.credentials().find(id).unwrap();
        let used = credential.secrets.iter().map(|secret| secret.last_used_at);
        (credential.last_used_at, used.collect::<Vec<_>>())
    };
    assert_eq!(shown(&world), (None, vec![None]));
    let second = rotate(&world, &first, 3600, after(1)).await.unwrap();
    for (seconds, by, written) in [
        (10, &first, [Some(10), Some(10), None]),
        (40, &first, [Some(10), Some(10), None]),
        (50, &second, [Some(50), Some(10), Some(50)]),
        (69, &first, [Some(50), Some(10), Some(50)]),
        (70, &first, [Some(70), Some(70), Some(50)]),
        (90, &second, [Some(70), Some(70), Some(50)]),
    ] {
        world.token_of(by, after(seconds)).await;
        assert_eq!(written_uses(&world).await, written, "at {seconds}");
        assert_eq!(shown(&world).0, Some(after(seconds)));
    }
    let exact = (Some(after(90)), vec![Some(after(70)), Some(after(90))]);
    assert_eq!(shown(&world), exact);
    let world = world.reopen(Policy::default()).await;
    let kept = (Some(after(70)), vec![Some(after(70)), Some(after(50))]);
    assert_eq!(shown(&world), kept, "less than a minute is lost");
    world.token_of(&second, after(95)).await;
    let kept = (Some(after(95)), vec![Some(after(70)), Some(after(95))]);
    assert_eq!(shown(&world), kept);
}

#[tokio::test]
async fn rfc6749_3_3_a_client_gets_the_scopes_it_may_have_and_no_others() {
    let policy = Policy {
        profile: Profile::Rfc9068,
        ..Policy::default()
    };
    let world = World::new(policy.clone()).await;
    let options = CredentialOptions {
        scopes: Some("read write".parse().unwrap()),
        ..CredentialOptions::default()
    };
    let issued = world.credential_with("scoped", options).await;
    assert!(issued.secret.expose().starts_with("hps_"));
    let granted = |world: &World, asked: Option<&str>| {
        let form = form_of(issued.credential.client_id.as_str(), &issued.secret);
        let client = world.authenticate(&form, now()).unwrap();
        let request = TokenRequest::client_credentials(asked.map(str::to_owned));
        Grant::authorize(&client, &request, None)
            .map(|grant| grant.scope().map(ToString::to_string))
            .map_err(|error| error.code().to_owned())
    };
    let refused = Err("invalid_scope".to_owned());
    let all = Ok(Some("read write".to_owned()));
    assert_eq!(granted(&world, None), all);
    assert_eq!(granted(&world, Some("write")), Ok(Some("write".to_owned())));
    for beyond in ["admin", "read admin", "Read"] {
        assert_eq!(granted(&world, Some(beyond)), refused.clone());
    }
    let scopes = |scopes: Option<&str>| CredentialChange {
        scopes: Some(scopes.map(|text| text.parse().unwrap())),
        ..CredentialChange::default()
    };
    change(&world, &issued, scopes(Some("admin")), now())
        .await
        .unwrap();
    let world = world.reopen(policy).await;
    assert_eq!(granted(&world, None), Ok(Some("admin".to_owned())));
    assert_eq!(granted(&world, Some("read")), refused.clone());
    change(&world, &issued, scopes(None), now()).await.unwrap();
    assert_eq!(granted(&world, Some("read")), refused.clone());
    let world = world.reopen(Policy::default()).await;
    assert_eq!(
        granted(&world, Some("anything")),
        Ok(None),
        "the real system's clients have no scopes and may say any word"
    );
}

#[tokio::test]
async fn a_credential_with_keys_has_no_secret_and_its_keys_can_be_replaced() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let registered = |key: &SigningKey| JwkSet::new([key.public_key().unwrap()]).to_json();
    let keys = [KeySpec::EcP256, KeySpec::Ed25519].map(|spec| SigningKey::generate(spec).unwrap());
    let (credentials, rng) = (world.store.credentials(), &mut SystemRandom);
    let options = CredentialOptions {
        methods: Some(ClientAuthenticationMethods::SECRET),
        ..CredentialOptions::default()
    };
    let text = registered(&keys[0]);
    let made = credentials
        .create_with_keys(
            ann.id,
            world.us1(),
            "signer",
            &text,
            options,
            &actor(),
            now(),
            rng,
        )
        .await
        .unwrap();
    assert!(made.secrets.is_empty());
    assert_eq!(made.methods, ClientAuthenticationMethods::KEY);
    assert_eq!(made.keys, [keys[0].id().to_string()]);
    let id = made.client_id.as_str();
    let reset = credentials.reset(id, &actor(), now(), rng).await;
    assert!(matches!(reset, Err(CredentialError::NoSecret)));
    let overlap = SignedDuration::from_secs(60);
    let rotated = credentials.rotate(id, overlap, &actor(), now(), rng).await;
    assert!(matches!(rotated, Err(CredentialError::NoSecret)));

    let with = |text: String| CredentialChange {
        keys: Some(text),
        ..CredentialChange::default()
    };
    let bad = credentials
        .change(id, with("{}".to_owned()), &actor(), now(), rng)
        .await;
    assert!(matches!(bad, Err(CredentialError::Keys(_))));
    let both = JwkSet::new(keys.each_ref().map(|key| key.public_key().unwrap()));
    let added = credentials
        .change(id, with(both.to_json()), &actor(), now(), rng)
        .await
        .unwrap();
    assert_eq!(added.generation, made.generation, "tokens live on");
    let replaced = credentials
        .change(id, with(registered(&keys[1])), &actor(), now(), rng)
        .await
        .unwrap();
    assert_eq!(replaced.keys, [keys[1].id().to_string()]);
    assert!(
        replaced.generation > made.generation,
        "a key that goes takes the tokens along"
    );
    let secret = plain(&world).await;
    let none = change(&world, &secret, with(registered(&keys[1])), now()).await;
    assert!(matches!(none, Err(CredentialError::NoKeys)));

    let world = world.reopen(Policy::default()).await;
    let known = world.store.client_registrations().find(id).unwrap();
    let ids: Vec<_> = known.keys.iter().flat_map(|keys| keys.ids()).collect();
    assert_eq!(ids, [keys[1].id()]);
    let clear = Secret::from(String::new());
    let guess = form_of(id, &clear).replace("client_secret=", "client_secret=x");
    assert_eq!(
        world.authenticate(&guess, now()).err(),
        Some(AuthenticationFailure::WrongSecret)
    );
}

#[tokio::test]
async fn with_its_owner_a_credential_goes_and_everything_of_it() {
    let world = World::new(Policy::default()).await;
    let issued = plain(&world).await;
    rotate(&world, &issued, 60, now()).await.unwrap();
    let token = world.token_of(&issued, now()).await;
    let form = form_of(issued.credential.client_id.as_str(), &issued.secret);
    let before = world.authenticate(&form, now()).unwrap();
    let people = world.store.people();
    people
        .remove(issued.credential.owner, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    let gone = Some(TokenRefusal::CredentialGone);
    assert_eq!(world.refusal(&token, now()), gone);
    assert_eq!(
        try_secret(&world, &issued, &issued.secret, now()),
        Some(AuthenticationFailure::UnknownClient)
    );
    let late = world.try_token(&before, now()).await;
    assert!(matches!(late, Err(SequenceError::Changed)));
    let world = world.reopen(Policy::default()).await;
    assert_eq!(world.refusal(&token, now()), gone);
    assert!(written_uses(&world).await.is_empty(), "no row is left");
}

#[tokio::test]
async fn a_renewal_that_somebody_else_was_quicker_with_does_nothing() {
    let world = World::new(Policy::default()).await;
    let issued = plain(&world).await;
    let id = issued.credential.client_id.as_str();
    let renew = async |overlap: Option<i64>, instead_of: &str| {
        let renewal = Renewal {
            overlap: overlap.map(SignedDuration::from_secs),
            instead_of: Some(instead_of.to_owned()),
        };
        let credentials = world.store.credentials();
        credentials
            .renew(id, renewal, &actor(), after(1), &mut SystemRandom)
            .await
    };
    let first = &issued.credential.secrets[0].id;
    let reset = renew(None, first).await.unwrap();
    for overlap in [None, Some(60)] {
        let again = renew(overlap, first).await;
        assert!(matches!(again, Err(CredentialError::SecretChanged)));
    }
    let stands = world.store.credentials().find(id).unwrap();
    assert_eq!(stands.generation, reset.credential.generation);
    let second = &stands.secrets[0].id;
    let rotated = renew(Some(60), second).await.unwrap().credential;
    assert_eq!(rotated.living_secrets(after(60)).count(), 2);
    assert_eq!(rotated.living_secrets(after(61)).count(), 1);
    assert!(matches!(
        renew(Some(60), second).await,
        Err(CredentialError::SecretChanged)
    ));
}

#[tokio::test]
async fn what_the_owner_lost_meanwhile_counts_when_a_credential_is_made() {
    let world = World::new(Policy::default()).await;
    let ann = world.person("ann@example.com").await;
    let instance = world.store.workspaces().find_instance("us1").unwrap();
    let credentials = world.store.credentials();
    let make = async |credentials: &Credentials| {
        credentials
            .create(
                ann.id,
                instance.id.clone(),
                "nightly",
                &actor(),
                now(),
                &mut SystemRandom,
            )
            .await
    };
    let if_enabled = credentials.only_if(|owner| owner.enabled);
    let people = world.store.people();
    people
        .set_enabled(ann.id, false, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    let refused = make(&if_enabled).await;
    assert!(matches!(refused, Err(CredentialError::NotPermitted)));
    assert!(credentials.list(Some(ann.id)).is_empty());
    people
        .set_enabled(ann.id, true, &actor(), now(), &mut SystemRandom)
        .await
        .unwrap();
    make(&if_enabled).await.unwrap();
}
