//! Tokens from grant to verification, with `jsonwebtoken` as the independent reader.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

mod keys;

use hallpass_oauth::bearer::PresentedToken;
use hallpass_oauth::claims::{AUDIENCE, Claims, Profile};
use hallpass_oauth::client_authentication::{
    Authenticator, ClientAuthenticationMethods, RegisteredSecret, TwoCredentials, authenticate,
};
use hallpass_oauth::form::Form;
use hallpass_oauth::jws::{self, UnverifiedToken};
use hallpass_oauth::mint::{Issuing, mint};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::{LEEWAY, TokenRefusal, check};
use hallpass_oauth::{
    AccessToken, ApplicationInstanceId, Audience, ClientId, ClientRegistration, CustomerId,
    Expectation, Grant, Issuer, JwkSet, KeySpec, Pepper, PresentedCredential, Secret, SigningKey,
    Standing, Subject, TokenId, TokenRequest, TokenResponse, WorkspaceId,
};
use jiff::{SignedDuration, Timestamp};

const CLIENT: &str = "00cfff70-86ab-4f66-8245-1eb054639c38";
const INSTANCE: &str = "3c18bd03-8306-4c7c-942e-c704a4b8744c";
const WORKSPACE: &str = "234d76c6e9d011ebb73082b212ad6fea";

struct World {
    key: SigningKey,
    keys: JwkSet,
    expectation: Expectation,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        Self::signing_with(KeySpec::default())
    }

    fn signing_with(spec: KeySpec) -> Self {
        let key = SigningKey::generate(spec).unwrap();
        Self {
            keys: JwkSet::new(vec![key.public_key().unwrap()]),
            key,
            expectation: Expectation {
                issuers: vec![Issuer::parse("https://sso.common.cloud.hpe.com").unwrap()],
                audience: Audience::parse(AUDIENCE).unwrap(),
                instance: ApplicationInstanceId::parse(INSTANCE).unwrap(),
            },
            now: Timestamp::from_second(1_634_779_206).unwrap(),
        }
    }

    fn grant(now: Timestamp) -> Grant {
        let pepper = Pepper::new([1; 32]);
        let registration = ClientRegistration {
            client_id: ClientId::parse(CLIENT).unwrap(),
            secrets: vec![RegisteredSecret {
                id: "1".to_owned(),
                digest: pepper.digest(&Secret::from("right".to_owned())),
                expires_at: None,
            }],
            keys: None,
            methods: ClientAuthenticationMethods::default(),
            enabled: true,
            expires_at: None,
            generation: 1,
            subject: Subject::parse("user@example.com").unwrap(),
            workspace: WorkspaceId::parse(WORKSPACE).unwrap(),
            customer: CustomerId::parse("e8a4da2eefc311eba02cb603422bc0a0").unwrap(),
            instance: ApplicationInstanceId::parse(INSTANCE).unwrap(),
            token_lifetime: SignedDuration::from_hours(2),
            scopes: None,
            introspects: false,
        };
        let body = format!("grant_type=client_credentials&client_id={CLIENT}&client_secret=right");
        let form = Form::parse(body.as_bytes()).unwrap();
        let presented = PresentedCredential::read([], &form, TwoCredentials::Refused).unwrap();
        let by = Authenticator {
            find: |_: &str| Some(&registration),
            pepper: &pepper,
            audiences: &[],
            longest_assertion: hallpass_oauth::client_assertion::LONGEST_LIFETIME,
        };
        let client = authenticate(&presented, &by, now).unwrap();
        let request = TokenRequest::from_form(&form).unwrap();
        let elsewhere = WorkspaceId::parse("00000000000011ebb73082b212ad6fea").unwrap();
        let refused = Grant::authorize(&client, &request, Some(&elsewhere)).unwrap_err();
        assert_eq!(refused.code(), "unauthorized_client");
        Grant::authorize(&client, &request, Some(&registration.workspace)).unwrap()
    }

    fn mint(&self, sequence: u64) -> AccessToken {
        let issuing = Issuing {
            issuer: self.expectation.issuers[0].clone(),
            audience: self.expectation.audience.clone(),
            profile: Profile::Greenlake,
        };
        let id = TokenId::generate(sequence, &mut SystemRandom);
        let grant = Self::grant(self.now);
        mint(&grant, Some(&id), &issuing, &self.key, self.now).unwrap()
    }

    fn verify(&self, token: &str, standing: &Standing) -> Result<String, TokenRefusal> {
        self.verify_at(token, standing, self.now)
    }

    fn verify_at(
        &self,
        token: &str,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<String, TokenRefusal> {
        let header = format!("Bearer {token}");
        let presented = PresentedToken::read([header.as_bytes()]).unwrap();
        let unverified = UnverifiedToken::parse(presented.expose())?;
        let signed = check(&unverified, &self.keys, &self.expectation, now)?;
        let verified = signed.verify(&self.keys, &self.expectation, standing, now)?;
        Ok(verified.client_id().to_string())
    }
}

const GOOD: &Standing = &Standing {
    live_from: 5,
    fingerprints: Vec::new(),
    revoked: false,
};

#[test]
fn the_token_has_the_shape_of_the_greenlake_profile() {
    let world = World::new();
    let token = world.mint(5);
    let (header, payload) = jws::peek(token.expose()).unwrap();
    let kid = world.key.id().as_str();
    assert_eq!(
        header,
        format!(r#"{{"alg":"RS256","kid":"{kid}","pi.atm":"dez0"}}"#)
    );
    let claims: Claims = serde_json::from_str(&payload).unwrap();
    let jti = claims.jti.unwrap();
    assert_eq!(
        payload,
        format!(
            r#"{{"client_id":"{CLIENT}","iss":"https://sso.common.cloud.hpe.com","aud":"external_api","sub":"user@example.com","user_ctx":"e8a4da2eefc311eba02cb603422bc0a0","auth_source":"ccs_token_management","platform_customer_id":"{WORKSPACE}","iat":1634779206,"application_instance_id":"{INSTANCE}","exp":1634786406,"jti":"{jti}"}}"#
        )
    );
    assert_ne!(
        world.mint(5).expose(),
        token.expose(),
        "tokens of one second differ"
    );
}

#[test]
fn the_answer_gives_the_whole_seconds_left() {
    let world = World::new();
    let token = world.mint(5);
    let later = world.now + SignedDuration::from_millis(3);
    let body = TokenResponse::print(&token, later);
    let expected = format!(
        r#"{{"access_token":"{}","token_type":"Bearer","expires_in":7199}}"#,
        token.expose()
    );
    assert_eq!(body, expected);
    let read = TokenResponse::parse(body.as_bytes(), later).unwrap();
    assert_eq!(read.expires_in, Some(7199));
    let silent = format!(r#"{{"access_token":"{}"}}"#, token.expose());
    let read = TokenResponse::parse(silent.as_bytes(), world.now).unwrap();
    assert_eq!(read.expires_in, Some(7200), "taken from the token itself");
}

#[test]
fn an_independent_library_accepts_the_token_with_the_published_keys() {
    let world = World::new();
    let token = world.mint(5);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&world.keys.to_json()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(&set.keys[0]).unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    let decoded =
        jsonwebtoken::decode::<serde_json::Value>(token.expose(), &key, &validation).unwrap();
    assert_eq!(decoded.claims["sub"], "user@example.com");
    assert_eq!(decoded.header.kid.as_deref(), Some(world.key.id().as_str()));
}

#[test]
fn a_good_token_is_verified_and_every_mutable_fact_can_end_it() {
    let mut world = World::new();
    let token = world.mint(5);
    assert_eq!(world.verify(token.expose(), GOOD).as_deref(), Ok(CLIENT));
    let superseded = Standing {
        live_from: 6,
        ..GOOD.clone()
    };
    assert_eq!(
        world.verify(token.expose(), &superseded),
        Err(TokenRefusal::Superseded)
    );
    let revoked = Standing {
        revoked: true,
        ..GOOD.clone()
    };
    assert_eq!(
        world.verify(token.expose(), &revoked),
        Err(TokenRefusal::Revoked)
    );

    let unverified = UnverifiedToken::parse(token.expose()).unwrap();
    let signed = check(&unverified, &world.keys, &world.expectation, world.now).unwrap();
    let end = Timestamp::from_second(1_634_786_406).unwrap() + LEEWAY;
    let just_before = end - SignedDuration::from_secs(1);
    assert!(
        signed
            .verify(&world.keys, &world.expectation, GOOD, just_before)
            .is_ok()
    );
    let expired = signed.verify(&world.keys, &world.expectation, GOOD, end);
    assert_eq!(expired.unwrap_err(), TokenRefusal::Expired);
    let no_keys = JwkSet::default();
    let untrusted = signed.verify(&no_keys, &world.expectation, GOOD, world.now);
    assert_eq!(
        untrusted.unwrap_err(),
        TokenRefusal::UnknownKey,
        "a remembered token whose key went"
    );
    world.expectation.instance = ApplicationInstanceId::platform();
    let foreign = signed.verify(&world.keys, &world.expectation, GOOD, world.now);
    assert_eq!(foreign.unwrap_err(), TokenRefusal::Instance);
}

#[test]
fn what_a_stranger_writes_is_refused() {
    let world = World::new();
    let token = world.mint(5);
    let parts: Vec<&str> = token.expose().split('.').collect();
    let with_header = |header: &str| format!("{}.{}.{}", encode(header), parts[1], parts[2]);
    let kid = world.key.id();
    let refusals = [
        with_header(r#"{"alg":"none","kid":"x"}"#),
        with_header(&format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#)),
        with_header(&format!(
            r#"{{"alg":"RS256","kid":"{kid}","crit":["exp"]}}"#
        )),
        with_header(&format!(
            r#"{{"alg":"RS256","kid":"{kid}","typ":"id+jwt"}}"#
        )),
        with_header(&format!(r#"{{"alg":"RS256","alg":"RS256","kid":"{kid}"}}"#)),
        with_header(r#"{"alg":"RS256"}"#),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.a.b", token.expose()),
        format!("{}=", token.expose()),
        "x".repeat(jws::LONGEST_TOKEN + 1),
        String::new(),
    ];
    for forged in &refusals {
        let refusal = UnverifiedToken::parse(forged).unwrap_err();
        assert!(
            matches!(refusal, TokenRefusal::Malformed(_)),
            "{forged}: {refusal}"
        );
    }
    let stranger = World::new().mint(5);
    assert_eq!(
        world.verify(stranger.expose(), GOOD),
        Err(TokenRefusal::UnknownKey)
    );
    let mut payload = jws::peek(token.expose()).unwrap().1;
    payload = payload.replace("user@example.com", "root@example.com");
    let forged = format!("{}.{}.{}", parts[0], encode(&payload), parts[2]);
    assert_eq!(world.verify(&forged, GOOD), Err(TokenRefusal::Signature));
}

#[test]
fn the_signatures_last_character_has_one_spelling() {
    let world = World::new();
    let token = world.mint(5);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (body, last) = token.expose().split_at(token.expose().len() - 1);
    let accepted: Vec<char> = alphabet
        .chars()
        .filter(|c| world.verify(&format!("{body}{c}"), GOOD).is_ok())
        .collect();
    assert_eq!(
        accepted.iter().collect::<String>(),
        last,
        "so a token has one hash, one cache entry"
    );
}

#[test]
fn a_token_of_the_future_and_of_another_issuer_are_refused() {
    let mut world = World::new();
    let token = world.mint(5);
    let long_after = world.now + SignedDuration::from_hours(3);
    assert_eq!(
        world.verify_at(token.expose(), GOOD, long_after),
        Err(TokenRefusal::Expired)
    );
    world.expectation.issuers = vec![Issuer::parse("https://elsewhere.example").unwrap()];
    assert_eq!(
        world.verify(token.expose(), GOOD),
        Err(TokenRefusal::Issuer)
    );
}

fn encode(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
