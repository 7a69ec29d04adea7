use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::KeySpec;
use crate::random::SystemRandom;
use crate::token_request::{ClientCredential, TokenRequest};

const CLIENT: &str = "00cfff70-86ab-4f66-8245-1eb054639c38";
const ISSUER: &str = "https://as.example.com";
const NOW: i64 = 1_700_000_000;

/// Keys are slow to make; every test signs with the same one.
static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(KeySpec::default()).unwrap());
static STRANGER: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(KeySpec::default()).unwrap());

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn registered() -> JwkSet {
    JwkSet::new(vec![KEY.public_key().unwrap()])
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": KEY.id().as_str()})
}

fn claims() -> Value {
    json!({
        "iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "jti": "id-1", "iat": NOW, "exp": NOW + 60,
    })
}

fn with(mut object: Value, member: &str, value: Value) -> Value {
    object[member] = value;
    object
}

fn without(mut object: Value, member: &str) -> Value {
    object.as_object_mut().unwrap().remove(member);
    object
}

fn compact_of(header: &str, claims: &str, key: &SigningKey) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn body_of(compact: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_assertion_type", ASSERTION_TYPE)
        .append_pair("client_assertion", compact)
        .finish()
}

fn read(body: &str) -> Result<Option<ClientAssertion>, TokenError> {
    ClientAssertion::read(&Form::parse(body.as_bytes()).unwrap())
}

fn check_compact(compact: &str, now: i64) -> Result<CheckedAssertion, AssertionFailure> {
    let assertion = read(&body_of(compact)).unwrap().unwrap();
    assertion.check(&registered(), &[ISSUER], at(now))
}

fn check(header: &Value, claims: &Value) -> Result<CheckedAssertion, AssertionFailure> {
    let compact = compact_of(&header.to_string(), &claims.to_string(), &KEY);
    check_compact(&compact, NOW)
}

fn check_claims(claims: &Value) -> Result<CheckedAssertion, AssertionFailure> {
    check(&header(), claims)
}

fn is_malformed(outcome: &Result<CheckedAssertion, AssertionFailure>) -> bool {
    matches!(outcome, Err(AssertionFailure::Malformed(_)))
}

#[test]
fn what_the_client_signs_is_accepted_by_the_server() {
    let client = ClientId::parse(CLIENT).unwrap();
    let lifetime = SignedDuration::from_secs(60);
    let sign = || {
        ClientAssertion::sign(&client, ISSUER, &KEY, at(NOW), lifetime, &mut SystemRandom).unwrap()
    };
    let (first, second) = (sign(), sign());
    let encoded =
        TokenRequest::client_credentials(None).encode_with(&ClientCredential::Assertion(&first));
    assert!(encoded.authorization.is_none());
    let assertion = read(encoded.body.expose()).unwrap().unwrap();
    assert_eq!(assertion.unverified_client_id(), CLIENT);
    let checked = assertion.check(&registered(), &[ISSUER], at(NOW)).unwrap();
    assert_eq!(checked.client_id(), &client);
    assert_eq!(checked.expires_at(), at(NOW + 60 + 30));
    let other = check_compact(second.expose(), NOW).unwrap();
    assert_ne!(checked.replay_id(), other.replay_id());
    assert!(!format!("{assertion:?}").contains(first.expose()));
}

#[test]
fn an_independent_library_accepts_what_the_client_signs() {
    let client = ClientId::parse(CLIENT).unwrap();
    let lifetime = SignedDuration::from_secs(60);
    let rng = &mut SystemRandom;
    let signed = ClientAssertion::sign(&client, ISSUER, &KEY, at(NOW), lifetime, rng).unwrap();
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&registered().to_json()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&set.keys[0]).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&[ISSUER]);
    validation.set_issuer(&[CLIENT]);
    let decoded = jsonwebtoken::decode::<Value>(signed.expose(), &key, &validation).unwrap();
    assert_eq!(decoded.header.typ.as_deref(), Some(EXPLICIT_TYPE));
    assert_eq!(decoded.header.kid.as_deref(), Some(KEY.id().as_str()));
    assert_eq!(decoded.claims["sub"], CLIENT);
    assert_eq!(decoded.claims["aud"], ISSUER);
    assert_eq!(decoded.claims["iat"], NOW);
    assert_eq!(decoded.claims["exp"], NOW + 60);
}

#[test]
fn rfc7521_4_2_one_parameter_without_the_other_is_an_invalid_request() {
    assert!(read("grant_type=client_credentials").unwrap().is_none());
    for body in [
        "client_assertion=a.b.c",
        "client_assertion=a.b.c&client_assertion_type=",
        &format!("client_assertion_type={ASSERTION_TYPE}"),
        "client_assertion=a&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
    ] {
        assert_eq!(read(body).unwrap_err().code(), "invalid_request", "{body}");
    }
}

#[test]
fn rfc6749_2_3_an_assertion_and_a_secret_are_two_methods() {
    let body = format!("{}&client_secret=s", body_of("a.b.c"));
    assert_eq!(read(&body).unwrap_err().code(), "invalid_request");
}

#[test]
fn what_is_no_jwt_is_told_as_a_failed_client_and_logged_as_malformed() {
    for compact in [
        "x",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "é.é.é",
        "...",
        &"a".repeat(9000),
    ] {
        let assertion = read(&body_of(compact)).unwrap().unwrap();
        assert_eq!(assertion.unverified_client_id(), "", "{compact}");
        let outcome = assertion.check(&registered(), &[ISSUER], at(NOW));
        assert!(is_malformed(&outcome), "{compact}");
        assert!(assertion.refusal().is_invalid_client());
    }
}

#[test]
fn rfc7523_3_1_and_2_issuer_and_subject_are_the_client() {
    assert!(check_claims(&claims()).is_ok());
    for member in ["iss", "sub"] {
        let other = check_claims(&with(claims(), member, json!("another")));
        assert_eq!(other.unwrap_err(), AssertionFailure::Issuer);
        assert!(is_malformed(&check_claims(&without(claims(), member))));
    }
    let blank = with(with(claims(), "iss", json!("a b")), "sub", json!("a b"));
    assert!(is_malformed(&check_claims(&blank)));
}

#[test]
fn rfc7521_4_2_the_client_id_parameter_must_name_the_same_client() {
    let compact = compact_of(&header().to_string(), &claims().to_string(), &KEY);
    for (id, expected) in [
        (CLIENT, Ok(())),
        ("another", Err(AssertionFailure::OtherClient)),
    ] {
        let body = format!("{}&client_id={id}", body_of(&compact));
        let assertion = read(&body).unwrap().unwrap();
        let outcome = assertion.check(&registered(), &[ISSUER], at(NOW));
        assert_eq!(outcome.map(|_| ()), expected, "{id}");
    }
}

#[test]
fn rfc7523_3_3_the_audience_is_one_string_of_this_server() {
    for other in [
        "https://as.example.com/",
        "https://as.example.com/token",
        "",
    ] {
        let outcome = check_claims(&with(claims(), "aud", json!(other)));
        assert_eq!(outcome.unwrap_err(), AssertionFailure::Audience, "{other}");
    }
    for array in [json!([ISSUER]), json!([ISSUER, "https://evil"]), json!([])] {
        assert!(is_malformed(&check_claims(&with(claims(), "aud", array))));
    }
    assert!(is_malformed(&check_claims(&without(claims(), "aud"))));
}

#[test]
fn rfc7523_3_4_exp_is_required_near_and_not_past() {
    let exp = |exp: i64| check_claims(&with(claims(), "exp", json!(exp)));
    assert!(is_malformed(&check_claims(&without(claims(), "exp"))));
    assert_eq!(exp(NOW - 30).unwrap_err(), AssertionFailure::Expired);
    assert!(exp(NOW - 29).is_ok());
    assert!(exp(NOW + 330).is_ok());
    assert_eq!(exp(NOW + 331).unwrap_err(), AssertionFailure::TooLong);
    assert_eq!(exp(i64::MAX).unwrap_err(), AssertionFailure::TooLong);
    assert_eq!(exp(i64::MIN).unwrap_err(), AssertionFailure::Expired);
    for wrong in [json!((NOW + 60).to_string()), json!(null), json!([NOW])] {
        let outcome = check_claims(&with(claims(), "exp", wrong));
        assert!(is_malformed(&outcome));
    }
}

#[test]
fn the_limit_of_the_lifetime_can_be_another() {
    let claims = with(claims(), "exp", json!(NOW + 3600));
    let compact = compact_of(&header().to_string(), &claims.to_string(), &KEY);
    let assertion = read(&body_of(&compact)).unwrap().unwrap();
    let within = |seconds, now| {
        let longest = SignedDuration::from_secs(seconds);
        assertion
            .check_within(longest, &registered(), &[ISSUER], at(now))
            .map(|checked| checked.expires_at())
    };
    assert_eq!(within(3569, NOW), Err(AssertionFailure::TooLong));
    assert_eq!(within(3570, NOW), Ok(at(NOW + 3630)));
    // One that may live an hour is not too old before its hour is over.
    assert_eq!(within(3600, NOW + 3629), Ok(at(NOW + 3630)));
    assert_eq!(within(3599, NOW + 3630), Err(AssertionFailure::Expired));
    assert_eq!(within(600, NOW + 3629), Err(AssertionFailure::TooOld));
}

#[test]
fn rfc7523_3_5_and_6_an_assertion_from_8_seconds_ahead_is_taken_and_from_60_is_not() {
    for member in ["nbf", "iat"] {
        let outcome = |at: i64| check_claims(&with(claims(), member, json!(at)));
        assert!(outcome(NOW + 8).is_ok() && outcome(NOW + 30).is_ok());
        for ahead in [31, 60, i64::MAX - NOW] {
            let failure = outcome(NOW + ahead).unwrap_err();
            assert_eq!(failure, AssertionFailure::NotYetValid, "{member} {ahead}");
        }
        assert!(is_malformed(&check_claims(&with(
            claims(),
            member,
            json!("1")
        ))));
        assert!(check_claims(&without(claims(), member)).is_ok());
    }
}

#[test]
fn rfc7523_3_6_an_assertion_issued_more_than_ten_minutes_ago_is_refused() {
    let iat = |iat: i64| check_claims(&with(claims(), "iat", json!(iat)));
    assert!(iat(NOW - 600).is_ok());
    assert_eq!(iat(NOW - 601).unwrap_err(), AssertionFailure::TooOld);
    assert_eq!(iat(i64::MIN).unwrap_err(), AssertionFailure::TooOld);
}

#[test]
fn rfc7523_3_7_jti_is_required_and_bounded() {
    assert!(is_malformed(&check_claims(&without(claims(), "jti"))));
    for (length, accepted) in [(0, false), (1, true), (255, true), (256, false)] {
        let outcome = check_claims(&with(claims(), "jti", json!("é".repeat(length))));
        assert_eq!(outcome.is_ok(), accepted, "{length}");
        assert_eq!(is_malformed(&outcome), !accepted, "{length}");
    }
}

#[test]
fn rfc7523_3_7_the_replay_id_is_of_client_and_jti_and_of_nothing_else() {
    let id = |claims: &Value| check_claims(claims).unwrap().replay_id();
    let later = with(with(claims(), "exp", json!(NOW + 61)), "nbf", json!(NOW));
    assert_eq!(id(&claims()), id(&later));
    assert_ne!(id(&claims()), id(&with(claims(), "jti", json!("id-2"))));
    let of = |client: &str, jti: &str| replay_id(&ClientId::parse(client).unwrap(), jti);
    assert_ne!(of("ab", "c"), of("a", "bc"));
    // SHA-256 of `a`, a zero byte and `b`.
    assert_eq!(
        crate::identifier::hex(&of("a", "b")),
        "59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138"
    );
}

/// Were the record dropped a second earlier, the assertion could be used once more.
#[test]
fn the_replay_record_lives_exactly_as_long_as_the_assertion_is_accepted() {
    let compact = compact_of(&header().to_string(), &claims().to_string(), &KEY);
    let end = check_compact(&compact, NOW)
        .unwrap()
        .expires_at()
        .as_second();
    assert!(check_compact(&compact, end - 1).is_ok());
    let failure = check_compact(&compact, end).unwrap_err();
    assert_eq!(failure, AssertionFailure::Expired);
}

#[test]
fn rfc7523_3_9_the_signature_must_be_of_a_registered_key() {
    let (header, claims) = (header().to_string(), claims().to_string());
    let forged = compact_of(&header, &claims, &STRANGER);
    let failure = check_compact(&forged, NOW).unwrap_err();
    assert_eq!(failure, AssertionFailure::Signature);

    let good = compact_of(&header, &claims, &KEY);
    let (_, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let altered = claims.replace("id-1", "id-2");
    let altered = format!(
        "{}.{}.{signature}",
        URL_SAFE_NO_PAD.encode(&header),
        URL_SAFE_NO_PAD.encode(altered)
    );
    let failure = check_compact(&altered, NOW).unwrap_err();
    assert_eq!(failure, AssertionFailure::Signature);

    let assertion = read(&body_of(&good)).unwrap().unwrap();
    let failure = assertion.check(&JwkSet::default(), &[ISSUER], at(NOW));
    assert_eq!(failure.unwrap_err(), AssertionFailure::UnknownKey);
}

#[test]
fn a_kid_is_looked_up_and_without_one_the_algorithm_has_to_tell_the_key() {
    let strange = json!({"alg": "RS256", "kid": "../../etc/passwd"});
    let failure = check(&strange, &claims()).unwrap_err();
    assert_eq!(failure, AssertionFailure::UnknownKey);

    let compact = compact_of(r#"{"alg":"RS256"}"#, &claims().to_string(), &KEY);
    let assertion = read(&body_of(&compact)).unwrap().unwrap();
    let [elliptic, edwards] =
        [KeySpec::EcP256, KeySpec::Ed25519].map(|spec| SigningKey::generate(spec).unwrap());
    let outcome = |keys: &[&SigningKey]| {
        let keys = JwkSet::new(keys.iter().map(|key| key.public_key().unwrap()));
        assertion.check(&keys, &[ISSUER], at(NOW)).map(|_| ())
    };
    assert_eq!(outcome(&[&elliptic, &KEY, &edwards]), Ok(()));
    let failure = Err(AssertionFailure::NoKeyId);
    assert_eq!(outcome(&[&KEY, &STRANGER]), failure, "two of RS256");
    let failure = Err(AssertionFailure::UnknownKey);
    assert_eq!(outcome(&[&elliptic, &edwards]), failure);
    assert_eq!(outcome(&[]), failure);
}

#[test]
fn rfc7523_3_8_and_10_other_algorithms_types_and_critical_headers_are_refused() {
    for algorithm in ["none", "HS256", "rs256", "RS512", ""] {
        let outcome = check(&with(header(), "alg", json!(algorithm)), &claims());
        assert!(is_malformed(&outcome), "{algorithm}");
    }
    assert!(is_malformed(&check(&without(header(), "alg"), &claims())));
    assert!(is_malformed(&check(
        &with(header(), "crit", json!(["exp"])),
        &claims()
    )));
    for (typ, accepted) in [
        ("JWT", true),
        ("jwt", true),
        ("Client-Authentication+JWT", true),
        ("at+jwt", false),
        ("", false),
    ] {
        let outcome = check(&with(header(), "typ", json!(typ)), &claims());
        assert_eq!(outcome.is_ok(), accepted, "{typ}");
        assert_eq!(is_malformed(&outcome), !accepted, "{typ}");
    }
}

#[test]
fn rfc7519_4_a_member_twice_is_refused() {
    let (header, claims) = (header().to_string(), claims().to_string());
    for member in ["iss", "sub", "aud", "exp", "iat", "jti"] {
        let value = &serde_json::from_str::<Value>(&claims).unwrap()[member];
        let twice = claims.replacen('{', &format!("{{\"{member}\":{value},"), 1);
        let outcome = check_compact(&compact_of(&header, &twice, &KEY), NOW);
        assert!(is_malformed(&outcome), "{member}");
    }
    let twice = header.replacen('{', r#"{"alg":"RS256","#, 1);
    let outcome = check_compact(&compact_of(&twice, &claims, &KEY), NOW);
    assert!(is_malformed(&outcome));
}

proptest! {
    #[test]
    fn any_assertion_is_refused_without_a_panic(compact in ".{0,80}", header in ".{0,40}", claims in ".{0,40}") {
        let encoded = format!(
            "{}.{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims), "AAAA"
        );
        for compact in [compact, encoded] {
            if let Ok(Some(assertion)) = read(&body_of(&compact)) {
                prop_assert!(assertion.check(&registered(), &[ISSUER], at(NOW)).is_err());
            }
        }
    }

    #[test]
    fn any_times_are_judged_without_overflow(
        exp: i64, iat: Option<i64>, nbf: Option<i64>,
        now in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
    ) {
        let claims = AssertionClaims {
            iss: String::new(), sub: String::new(), aud: String::new(), jti: String::new(),
            iat, nbf, exp: Some(exp),
        };
        if let Ok(end) = check_times(&claims, LONGEST_LIFETIME, at(now)) {
            prop_assert!(end > at(now) || end == Timestamp::MAX);
        }
    }
}
