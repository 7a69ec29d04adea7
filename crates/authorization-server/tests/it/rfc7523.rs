//! RFC 7523, JWT Profile for OAuth 2.0 Client Authentication, with section 4.2 of RFC 7521, which it
//! completes.
//!
//! Each rule about one claim is proved beside the code too, `crates/oauth/src/client_assertion/tests.rs`,
//! with the edges of its times; here each is proved through the wire.
//!
//! Section 2.1 (assertions as grants) does not apply: the grant is not offered. Two rules are stricter
//! than the standard and say so: `aud` is one string and not a list, and is the issuer unless the server
//! is told to take its endpoint's address too (draft-ietf-oauth-rfc7523bis); `jti` is required.

use hallpass_authorization_server::{INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH};
use hallpass_oauth::{ClientId, KeySpec, SigningKey};
use serde_json::{Value, json};

use crate::assertion::{form, good, good_claims, good_header, key, parameters, signed, unsigned};
use crate::wire::Answer;
use crate::world::{GRANT, ISSUER, Plan, World, claims};

/// A world with a client that registered one key.
struct Keyed {
    world: World,
    client: ClientId,
    key: SigningKey,
}

impl Keyed {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let world = World::with(change).await;
        let key = key();
        let client = world.credential_of_keys("keys", &[&key]).await;
        Self { world, client, key }
    }

    fn claims(&self, jti: &str) -> Value {
        good_claims(&self.client, self.world.now(), jti)
    }

    /// Signs these claims properly and asks for a token.
    async fn ask(&self, claims: &Value) -> Answer {
        self.ask_with(&good_header(&self.key), claims).await
    }

    async fn ask_with(&self, header: &Value, claims: &Value) -> Answer {
        self.world
            .form(&form(&signed(header, claims, &self.key)))
            .await
    }

    /// Good claims in which one has another value; `Null` takes it out.
    fn but(&self, jti: &str, name: &str, value: Value) -> Value {
        let mut claims = self.claims(jti);
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        claims
    }

    async fn refuses(&self, claims: &Value) {
        let answer = self.ask(claims).await;
        let refused = (answer.status, answer.error());
        assert_eq!(refused, (401, "invalid_client".to_owned()), "{claims}");
    }
}

#[tokio::test]
async fn rfc7521_4_2_type_and_assertion_are_required_together() {
    let keyed = Keyed::new().await;
    let assertion = good(&keyed.client, &keyed.key, keyed.world.now(), "1");
    let both = parameters(&assertion);
    let (kind, value) = both.split_once('&').unwrap();
    for part in [kind, value] {
        let answer = keyed.world.form(&format!("{GRANT}&{part}")).await;
        assert_eq!(answer.error(), "invalid_request", "{part}");
    }
    let answer = keyed.world.form(&format!("{GRANT}&{both}")).await;
    assert_eq!(
        answer.status, 200,
        "what was refused for its form is not used up"
    );
}

#[tokio::test]
async fn rfc7521_4_2_the_client_id_beside_an_assertion_names_the_same_client() {
    let keyed = Keyed::new().await;
    let other = keyed.world.credential.credential.client_id.clone();
    for (jti, id, status) in [("1", &other, 401), ("2", &keyed.client, 200)] {
        let assertion = good(&keyed.client, &keyed.key, keyed.world.now(), jti);
        let body = format!("{}&client_id={id}", form(&assertion));
        assert_eq!(keyed.world.form(&body).await.status, status, "{id}");
    }
}

#[tokio::test]
async fn rfc7523_2_2_the_assertion_type_is_exact_and_the_assertion_is_one_jwt() {
    let keyed = Keyed::new().await;
    let assertion = good(&keyed.client, &keyed.key, keyed.world.now(), "1");
    for kind in ["saml2-bearer", "JWT-bearer"] {
        let body = form(&assertion).replace("jwt-bearer", kind);
        assert_eq!(keyed.world.form(&body).await.error(), "invalid_request");
    }
    let twice = format!("{}&client_assertion={assertion}", form(&assertion));
    assert_eq!(keyed.world.form(&twice).await.error(), "invalid_request");
    for several in [
        format!("{assertion}+{assertion}"),
        format!("{assertion}.{assertion}"),
    ] {
        let answer = keyed.world.form(&form(&several)).await;
        assert_eq!(answer.error(), "invalid_client");
    }
    assert_eq!(keyed.world.form(&form(&assertion)).await.status, 200);
}

#[tokio::test]
async fn rfc7523_3_1_and_2_issuer_and_subject_are_there_and_are_the_client_exactly() {
    let keyed = Keyed::new().await;
    let upper = keyed.client.as_str().to_ascii_uppercase();
    let other = keyed.world.credential.credential.client_id.to_string();
    for name in ["iss", "sub"] {
        for wrong in [
            Value::Null,
            json!(""),
            json!(upper),
            json!(other),
            json!([keyed.client.as_str()]),
            json!(ISSUER),
        ] {
            keyed.refuses(&keyed.but("1", name, wrong)).await;
        }
    }
    let mut both = keyed.claims("1");
    both["iss"] = json!(other);
    both["sub"] = json!(other);
    keyed.refuses(&both).await;
    assert_eq!(keyed.ask(&keyed.claims("1")).await.status, 200);
}

#[tokio::test]
async fn rfc7523_3_3_the_audience_is_this_server_and_compared_as_text() {
    let keyed = Keyed::new().await;
    let endpoint = format!("{ISSUER}{TOKEN_PATH}");
    for wrong in [
        Value::Null,
        json!("https://other.example.com"),
        json!(format!("{ISSUER}/")),
        json!("HTTPS://sso.example.com"),
        json!([ISSUER, "https://other.example.com"]),
        json!([ISSUER]),
        json!(endpoint),
    ] {
        keyed.refuses(&keyed.but("1", "aud", wrong)).await;
    }
    assert_eq!(keyed.ask(&keyed.claims("1")).await.status, 200);
}

/// "The token endpoint URL of the authorization server MAY be used": by a setting, for clients that
/// know no other.
#[tokio::test]
async fn rfc7523_3_3_the_token_endpoint_is_an_audience_where_it_is_allowed() {
    let keyed = Keyed::with(|plan| plan.settings.assertions_for_endpoint = true).await;
    let endpoint = json!(format!("{ISSUER}{TOKEN_PATH}"));
    let answer = keyed.ask(&keyed.but("1", "aud", endpoint)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        keyed.ask(&keyed.claims("2")).await.status,
        200,
        "the issuer too"
    );
    let foreign = json!(format!("https://other.example.com{TOKEN_PATH}"));
    keyed.refuses(&keyed.but("3", "aud", foreign)).await;
}

#[tokio::test]
async fn rfc7523_3_4_it_expires_and_not_too_late() {
    let keyed = Keyed::new().await;
    let now = keyed.world.now().as_second();
    for wrong in [
        Value::Null,
        json!(now - 31),
        json!(now + 3600),
        json!((now + 60).to_string()),
        json!(true),
    ] {
        keyed.refuses(&keyed.but("1", "exp", wrong)).await;
    }
    let skewed = keyed.ask(&keyed.but("1", "exp", json!(now - 29))).await;
    assert_eq!(skewed.status, 200, "clocks differ a little");
}

#[tokio::test]
async fn rfc7523_3_5_and_6_it_is_not_of_the_future_nor_old() {
    let keyed = Keyed::new().await;
    let now = keyed.world.now().as_second();
    for (name, wrong) in [("nbf", now + 60), ("iat", now + 60), ("iat", now - 3600)] {
        keyed.refuses(&keyed.but("1", name, json!(wrong))).await;
    }
    for (jti, name, right) in [
        ("1", "nbf", now + 8),
        ("2", "iat", now + 8),
        ("3", "iat", now),
    ] {
        let answer = keyed.ask(&keyed.but(jti, name, json!(right))).await;
        assert_eq!(answer.status, 200, "{name}");
    }
}

#[tokio::test]
async fn rfc7523_3_7_it_is_good_once_at_every_endpoint_together() {
    let keyed = Keyed::new().await;
    let world = &keyed.world;
    let assertion = good(&keyed.client, &keyed.key, world.now(), "1");
    let body = format!("{}&token=x", form(&assertion));
    assert_eq!(world.form(&body).await.status, 200);
    for path in [TOKEN_PATH, INTROSPECTION_PATH, REVOCATION_PATH] {
        let answer = world.post(path, &body).await;
        let refused = (answer.status, answer.error());
        assert_eq!(refused, (401, "invalid_client".to_owned()), "{path}");
    }
    for (jti, path) in [("2", INTROSPECTION_PATH), ("3", REVOCATION_PATH)] {
        let assertion = good(&keyed.client, &keyed.key, world.now(), jti);
        let body = format!("{}&token=x", form(&assertion));
        assert_eq!(world.post(path, &body).await.status, 200, "{path}");
        assert_eq!(world.form(&body).await.error(), "invalid_client", "{path}");
    }
}

#[tokio::test]
async fn rfc7523_3_7_a_restart_forgets_no_used_assertion() {
    let keyed = Keyed::new().await;
    let Keyed { world, client, key } = keyed;
    let of_token = form(&good(&client, &key, world.now(), "1"));
    let of_question = format!("{}&token=x", form(&good(&client, &key, world.now(), "2")));
    assert_eq!(world.form(&of_token).await.status, 200);
    let answer = world.post(INTROSPECTION_PATH, &of_question).await;
    assert_eq!(answer.status, 200);
    let world = world.restart().await;
    for used in [of_token, of_question] {
        assert_eq!(world.form(&used).await.error(), "invalid_client");
    }
    let fresh = form(&good(&client, &key, world.now(), "3"));
    assert_eq!(world.form(&fresh).await.status, 200);
}

/// The id is the client's own: another may use the same.
#[tokio::test]
async fn rfc7523_3_7_ids_of_two_clients_do_not_meet() {
    let keyed = Keyed::new().await;
    let key = key();
    let other = keyed.world.credential_of_keys("other", &[&key]).await;
    assert_eq!(keyed.ask(&keyed.claims("1")).await.status, 200);
    let assertion = good(&other, &key, keyed.world.now(), "1");
    assert_eq!(keyed.world.form(&form(&assertion)).await.status, 200);
    for wrong in [Value::Null, json!(""), json!("x".repeat(256)), json!(1)] {
        keyed.refuses(&keyed.but("", "jti", wrong)).await;
    }
}

#[tokio::test]
async fn rfc7523_3_8_other_claims_are_ignored() {
    let keyed = Keyed::new().await;
    let mut claims = keyed.claims("1");
    claims["scope"] = json!("everything");
    claims["https://example.com/x"] = json!({"a": [1, 2]});
    assert_eq!(keyed.ask(&claims).await.status, 200);
}

#[tokio::test]
async fn rfc7523_3_9_it_is_signed_with_a_key_of_the_client() {
    let keyed = Keyed::new().await;
    let (world, header) = (&keyed.world, good_header(&keyed.key));
    let claims = keyed.claims("1");
    let stranger = key();
    let good = signed(&header, &claims, &keyed.key);
    let (input, _) = good.rsplit_once('.').unwrap();
    for wrong in [
        signed(&header, &claims, &stranger),
        signed(&good_header(&stranger), &claims, &stranger),
        signed(&json!({"alg": "ES256"}), &claims, &stranger),
        format!("{input}."),
        input.to_owned(),
        crate::world::forged(&good),
        format!("{}.", unsigned(&json!({"alg": "none"}), &claims)),
    ] {
        let answer = world.form(&form(&wrong)).await;
        assert_eq!(answer.error(), "invalid_client", "{wrong}");
    }
    assert_eq!(world.form(&form(&good)).await.status, 200);
}

#[tokio::test]
async fn rfc7523_3_9_the_key_may_be_found_without_its_id() {
    let keyed = Keyed::new().await;
    let answer = keyed
        .ask_with(&json!({"alg": "ES256"}), &keyed.claims("1"))
        .await;
    assert_eq!(answer.status, 200);
}

/// RFC 7519: what is not understood, or could be understood in two ways, is refused.
#[tokio::test]
async fn rfc7523_3_10_it_is_a_valid_jwt_in_all_other_respects() {
    let keyed = Keyed::new().await;
    let claims = keyed.claims("1");
    for (name, value) in [
        ("crit", json!(["x"])),
        ("alg", json!("RS256")),
        ("alg", json!("HS256")),
        ("typ", json!("at+jwt")),
    ] {
        let mut header = good_header(&keyed.key);
        header[name] = value;
        let answer = keyed.ask_with(&header, &claims).await;
        assert_eq!(answer.error(), "invalid_client", "{header}");
    }
    let mut typed = good_header(&keyed.key);
    typed["typ"] = json!("JWT");
    assert_eq!(keyed.ask_with(&typed, &claims).await.status, 200);
    typed["typ"] = json!("client-authentication+jwt");
    let answer = keyed.ask_with(&typed, &keyed.claims("2")).await;
    assert_eq!(answer.status, 200);
}

/// Section 3.2 and RFC 7521 section 4.2.1: `invalid_client`, and no word about the reason.
#[tokio::test]
async fn rfc7523_3_2_every_bad_assertion_looks_the_same() {
    let keyed = Keyed::new().await;
    let stranger = key();
    let nobody = ClientId::parse("00000000-0000-4000-8000-000000000000").unwrap();
    let of_secret = &keyed.world.credential.credential.client_id;
    let mut answers = Vec::new();
    for bad in [
        good(&nobody, &stranger, keyed.world.now(), "1"),
        good(&keyed.client, &stranger, keyed.world.now(), "1"),
        good(of_secret, &stranger, keyed.world.now(), "1"),
        signed(
            &good_header(&keyed.key),
            &keyed.but("1", "exp", json!(1)),
            &keyed.key,
        ),
        "no.jwt.atall".to_owned(),
    ] {
        answers.push(keyed.world.form(&form(&bad)).await.to_stranger());
    }
    assert!(answers[0].starts_with("401 ") && answers[0].contains("invalid_client"));
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

/// RS256 is the algorithm that every implementation must have; the others are advertised with it.
#[tokio::test]
async fn rfc7523_5_rs256_and_the_other_algorithms_are_taken() {
    for profile in [|_: &mut Plan| (), Plan::rfc9068 as fn(&mut Plan)] {
        let world = World::with(profile).await;
        for spec in [KeySpec::Rsa2048, KeySpec::EcP256, KeySpec::Ed25519] {
            let key = SigningKey::generate(spec).unwrap();
            let client = world.credential_of_keys(spec.as_str(), &[&key]).await;
            let assertion = good(&client, &key, world.now(), "1");
            let token = world.form(&form(&assertion)).await.token();
            assert_eq!(claims(&token)["client_id"], client.as_str(), "{spec}");
        }
    }
}
