//! The rules of client authentication, client by client and step by step.

use std::cell::Cell;

use super::*;
use crate::work::{Step, steps_of};
use crate::{KeySpec, SigningKey};
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

fn registration(secret: &str, pepper: &Pepper) -> ClientRegistration {
    ClientRegistration {
        client_id: ClientId::parse("s6BhdRkqt3").unwrap(),
        secrets: vec![RegisteredSecret {
            id: "1".to_owned(),
            digest: pepper.digest(&Secret::from(secret.to_owned())),
            expires_at: None,
        }],
        keys: None,
        methods: ClientAuthenticationMethods::default(),
        enabled: true,
        expires_at: None,
        generation: 1,
        subject: Subject::parse("ann@example.com").unwrap(),
        workspace: WorkspaceId::parse("234d76c6e9d011ebb73082b212ad6fea").unwrap(),
        customer: CustomerId::parse("e8a4da2eefc311eba02cb603422bc0a0").unwrap(),
        instance: ApplicationInstanceId::platform(),
        token_lifetime: SignedDuration::from_hours(2),
        scopes: None,
        introspects: false,
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn presented(header: Option<&str>, body: &str) -> Result<PresentedCredential, TokenError> {
    let form = Form::parse(body.as_bytes()).unwrap();
    PresentedCredential::read(
        header.iter().map(|h| h.as_bytes()),
        &form,
        TwoCredentials::default(),
    )
}

fn outcome(header: Option<&str>, body: &str, secret: &str) -> Result<(), AuthenticationFailure> {
    let pepper = Pepper::new([3; 32]);
    authenticated(header, body, &registration(secret, &pepper), &pepper)
}

fn authenticated(
    header: Option<&str>,
    body: &str,
    known: &ClientRegistration,
    pepper: &Pepper,
) -> Result<(), AuthenticationFailure> {
    let by = Authenticator {
        find: |id: &str| (id == known.client_id.as_str()).then_some(known),
        pepper,
        audiences: &[],
        longest_assertion: SignedDuration::from_mins(5),
    };
    authenticate(&presented(header, body).unwrap(), &by, now())
        .map(|client| assert_eq!(client.registration().client_id, known.client_id))
}

/// RFC 6749 section 2.3.1: the example header and the example body.
#[test]
fn the_rfc_examples_authenticate() {
    let header = Some("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
    assert_eq!(outcome(header, "", "7Fjfp0ZBr1KtDRbnfVdmIw"), Ok(()));
    let body = "client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw";
    assert_eq!(outcome(None, body, "7Fjfp0ZBr1KtDRbnfVdmIw"), Ok(()));
    assert_eq!(
        outcome(None, body, "another"),
        Err(AuthenticationFailure::WrongSecret)
    );
    assert_eq!(
        outcome(None, "client_id=nobody&client_secret=x", "x"),
        Err(AuthenticationFailure::UnknownClient)
    );
}

#[test]
fn basic_is_read_raw_first_and_then_form_decoded() {
    let basic = |pair: &str| format!("bAsIc {}", STANDARD.encode(pair));
    assert_eq!(
        outcome(Some(&basic("s6BhdRkqt3:a%2Bb")), "", "a%2Bb"),
        Ok(())
    );
    assert_eq!(outcome(Some(&basic("s6BhdRkqt3:a%2Bb")), "", "a+b"), Ok(()));
    assert_eq!(
        outcome(Some(&basic("s6BhdRkqt3:a:b=&c")), "", "a:b=&c"),
        Ok(())
    );
    assert_eq!(outcome(Some(&basic("s6BhdRkqt3:a%3Ab")), "", "a:b"), Ok(()));
}

#[test]
fn two_places_must_say_the_same() {
    let header = Some("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
    let same = "client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw";
    assert_eq!(outcome(header, same, "7Fjfp0ZBr1KtDRbnfVdmIw"), Ok(()));
    for other in ["client_id=x", "client_id=s6BhdRkqt3&client_secret=x"] {
        assert_eq!(
            presented(header, other).unwrap_err().code(),
            "invalid_request"
        );
    }
    let form = Form::parse(b"").unwrap();
    let twice = PresentedCredential::read(
        [&b"Basic YTpi"[..], &b"Basic YTpi"[..]],
        &form,
        TwoCredentials::default(),
    );
    assert_eq!(twice.unwrap_err().code(), "invalid_request");
}

#[test]
fn where_two_credentials_are_refused_a_lone_client_id_beside_the_header_is_not_one() {
    let read = |body: &str| {
        let form = Form::parse(body.as_bytes()).unwrap();
        let header = b"Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3";
        PresentedCredential::read([&header[..]], &form, TwoCredentials::Refused)
    };
    let same = "client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw";
    assert_eq!(read(same).unwrap_err().code(), "invalid_request");
    assert!(read("client_id=s6BhdRkqt3").is_ok());
}

#[test]
fn two_secrets_are_good_and_each_ends_at_its_time() {
    let pepper = Pepper::new([3; 32]);
    let mut known = registration("old", &pepper);
    known.secrets[0].expires_at = Some(now() + SignedDuration::from_secs(1));
    known.secrets.push(RegisteredSecret {
        id: "2".to_owned(),
        digest: pepper.digest(&Secret::from("new".to_owned())),
        expires_at: None,
    });
    let try_with = |known: &ClientRegistration, secret: &str| {
        let body = format!("client_id=s6BhdRkqt3&client_secret={secret}");
        authenticated(None, &body, known, &pepper)
    };
    assert_eq!(try_with(&known, "old"), Ok(()));
    assert_eq!(try_with(&known, "new"), Ok(()));
    known.secrets[0].expires_at = Some(now());
    assert_eq!(
        try_with(&known, "old"),
        Err(AuthenticationFailure::ExpiredSecret),
        "to the second"
    );
    assert_eq!(try_with(&known, "new"), Ok(()));
    known.expires_at = Some(now());
    assert_eq!(try_with(&known, "new"), Err(AuthenticationFailure::Expired));
    known.enabled = false;
    assert_eq!(
        try_with(&known, "new"),
        Err(AuthenticationFailure::Disabled)
    );
    assert_eq!(
        try_with(&known, "guess"),
        Err(AuthenticationFailure::WrongSecret),
        "how a client stands is for those to know who have its secret"
    );
}

#[test]
fn a_client_authenticates_only_in_the_ways_registered_for_it() {
    let pepper = Pepper::new([3; 32]);
    let mut known = registration("right", &pepper);
    known.methods = "client_secret_basic".parse().unwrap();
    let header = format!("Basic {}", STANDARD.encode("s6BhdRkqt3:right"));
    assert_eq!(authenticated(Some(&header), "", &known, &pepper), Ok(()));
    let body = "client_id=s6BhdRkqt3&client_secret=right";
    assert_eq!(
        authenticated(None, body, &known, &pepper),
        Err(AuthenticationFailure::Method)
    );
}

/// What a request costs: the look-ups, and the steps counted beside the code that takes them.
fn cost(
    presented: &PresentedCredential,
    known: Option<&ClientRegistration>,
    pepper: &Pepper,
) -> (Result<(), AuthenticationFailure>, usize, Vec<Step>) {
    let looked = Cell::new(0);
    let by = Authenticator {
        find: |_: &str| {
            looked.set(looked.get() + 1);
            known
        },
        pepper,
        audiences: &["https://as.example.com"],
        longest_assertion: SignedDuration::from_mins(5),
    };
    let mut outcome = Ok(());
    let steps = steps_of(|| outcome = authenticate(presented, &by, now()).map(|_| ()));
    (outcome, looked.get(), steps)
}

/// A client that has the secret `right`, in every state that a stranger might ask about.
fn clients_of_every_state(pepper: &Pepper) -> Vec<Option<ClientRegistration>> {
    let good = registration("right", pepper);
    let changed = |change: &dyn Fn(&mut ClientRegistration)| {
        let mut known = good.clone();
        change(&mut known);
        Some(known)
    };
    vec![
        None,
        Some(good.clone()),
        changed(&|known| known.secrets[0].expires_at = Some(now())),
        changed(&|known| known.secrets.push(known.secrets[0].clone())),
        changed(&|known| known.secrets.clear()),
        changed(&|known| known.enabled = false),
        changed(&|known| known.expires_at = Some(now())),
        changed(&|known| known.methods = ClientAuthenticationMethods::KEY),
    ]
}

#[test]
fn audit_06_whoever_is_asked_for_a_secret_costs_the_same_steps() {
    let pepper = Pepper::new([3; 32]);
    let steps = [Step::Digest, Step::Comparison, Step::Comparison];
    let mut failures = Vec::new();
    for known in clients_of_every_state(&pepper) {
        // `foreign` stands for the secret of somebody else, which is as wrong as any.
        for secret in ["right", "wrong", "foreign", ""] {
            let header = format!("Basic {}", STANDARD.encode(format!("s6BhdRkqt3:{secret}")));
            let asked = presented(Some(&header), "").unwrap();
            let (outcome, looked, taken) = cost(&asked, known.as_ref(), &pepper);
            assert_eq!(looked, 1, "{known:?}");
            assert_eq!(taken, steps, "{known:?}");
            failures.extend(outcome.err());
        }
    }
    for seen in [
        AuthenticationFailure::UnknownClient,
        AuthenticationFailure::WrongSecret,
        AuthenticationFailure::ExpiredSecret,
        AuthenticationFailure::Disabled,
        AuthenticationFailure::Expired,
        AuthenticationFailure::Method,
    ] {
        assert!(failures.contains(&seen), "{seen}");
    }
}

#[test]
fn audit_09_a_refusal_costs_no_more_than_a_success() {
    let pepper = Pepper::new([3; 32]);
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    // The last of them reads differently once it is form-decoded.
    for (right, wrong, most) in [
        (basic("s6BhdRkqt3:right"), basic("s6BhdRkqt3:wrong"), 1),
        (basic("s6BhdRkqt3:%72ight"), basic("s6BhdRkqt3:%77rong"), 2),
    ] {
        let steps = |header: &str, known: Option<&ClientRegistration>| {
            let (outcome, looked, steps) =
                cost(&presented(Some(header), "").unwrap(), known, &pepper);
            let digests = steps.iter().filter(|step| **step == Step::Digest).count();
            assert_eq!((looked, digests), (most, most), "{header}");
            assert_eq!(steps.len(), most * (1 + MOST_SECRETS), "{header}");
            (outcome.is_ok(), steps)
        };
        let known = registration("right", &pepper);
        let (good, success) = steps(&right, Some(&known));
        assert!(good, "{right}");
        for known in clients_of_every_state(&pepper) {
            assert_eq!(steps(&wrong, known.as_ref()), (false, success.clone()));
        }
    }
}

/// An assertion for client `s6BhdRkqt3`, good if `key` is registered.
fn assertion(key: &SigningKey, kid: Option<&str>) -> PresentedCredential {
    let header = serde_json::json!({ "alg": key.algorithm().as_str(), "kid": kid });
    let claims = serde_json::json!({
        "iss": "s6BhdRkqt3", "sub": "s6BhdRkqt3", "aud": "https://as.example.com", "jti": "1",
        "exp": now().as_second() + 60,
    });
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap());
    let kind = crate::client_assertion::ASSERTION_TYPE;
    let body = format!("client_assertion_type={kind}&client_assertion={input}.{signature}");
    presented(None, &body).unwrap()
}

#[test]
fn audit_06_whoever_is_asked_for_an_assertion_costs_one_signature() {
    let pepper = Pepper::new([3; 32]);
    let [own, second, stranger] = [(); 3].map(|()| SigningKey::generate(KeySpec::EcP256).unwrap());
    let other_kind = SigningKey::generate(KeySpec::Ed25519).unwrap();
    let set = |keys: &[&SigningKey]| {
        let keys = keys.iter().map(|key| key.public_key().unwrap());
        Some(Arc::new(JwkSet::new(keys)))
    };
    let mut clients = clients_of_every_state(&pepper);
    for keys in [set(&[&own]), set(&[&own, &second]), set(&[&other_kind])] {
        let mut known = registration("right", &pepper);
        known.methods = ClientAuthenticationMethods::KEY;
        known.keys = keys;
        clients.push(Some(known.clone()));
        known.enabled = false;
        clients.push(Some(known));
    }
    let mut successes = 0;
    for known in &clients {
        for asked in [
            assertion(&own, Some(own.id().as_str())),
            assertion(&own, None),
            assertion(&stranger, Some(own.id().as_str())),
            assertion(&stranger, Some(stranger.id().as_str())),
            assertion(&stranger, Some(other_kind.id().as_str())),
            assertion(&stranger, None),
        ] {
            let (outcome, looked, steps) = cost(&asked, known.as_ref(), &pepper);
            assert_eq!(looked, 1, "{known:?}");
            assert_eq!(steps, [Step::Signature], "{outcome:?}: {known:?}");
            successes += usize::from(outcome.is_ok());
        }
    }
    assert_eq!(successes, 3, "with kid for both, without for the only one");
}

#[test]
fn methods_are_read_back_and_nonsense_is_not() {
    let all = "client_secret_basic client_secret_post private_key_jwt";
    let methods: ClientAuthenticationMethods = all.parse().unwrap();
    assert_eq!(methods.to_string(), all);
    for wrong in ["", " ", "none", "client_secret_basic,private_key_jwt"] {
        assert!(wrong.parse::<ClientAuthenticationMethods>().is_err());
    }
}

#[test]
fn a_broken_header_is_a_failed_client_with_a_challenge() {
    for header in [
        "Basic",
        "Basic !!!",
        "Basic Zm9v",
        "Bearer x",
        "Basic AGE6Yg==",
        "Basic /w==",
    ] {
        let error = presented(Some(header), "").unwrap_err();
        assert!(
            error.is_invalid_client() && error.challenge().is_some(),
            "{header}"
        );
    }
    for body in [
        "",
        "client_id=a",
        "client_secret=a",
        "client_id=&client_secret=a",
    ] {
        let error = presented(None, body).unwrap_err();
        assert!(
            error.is_invalid_client() && error.challenge().is_none(),
            "{body}"
        );
    }
}

proptest! {
    #[test]
    fn no_header_makes_the_reader_panic(header: Vec<u8>, body: Vec<u8>) {
        if let Ok(form) = Form::parse(&body) {
            let _ = PresentedCredential::read([header.as_slice()], &form, TwoCredentials::Refused);
        }
    }

    #[test]
    fn what_is_printed_as_basic_has_the_same_pair_among_its_readings(secret in "[^\0]{1,40}") {
        let id = ClientId::parse("a-b_c").unwrap();
        let value = basic_value(&id, &Secret::from(secret.clone()));
        let read = presented(Some(value.expose()), "").unwrap();
        prop_assert!(read.readings().any(|r| r.client_secret.expose() == secret));
    }
}
