//! Statements 21 to 27: access tokens (RFC 9068, RFC 8725, RFC 7519, RFC 9700 sections 2.2 and 4.15).

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::TcpListener;

use hallpass_oauth::key::KeySpec;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::LEEWAY;
use hallpass_store::credentials::{CredentialError, CredentialOptions};
use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::jwt::{Key, encoded, names, parts};
use super::rfc9068_world;
use super::wire::{ask, call, get, send};
use super::within::{Client, Within, actor};
use crate::server::Server;
use crate::world::{ANN, Credential, World};

const KEYS: &str = "/.well-known/jwks.json";

/// A token of the executable, with the server that issued it.
fn issued(world: &World) -> (Server, Credential, String) {
    let server = Server::start(world);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let answer = ask(
        server.base(),
        &credential.client_id,
        &credential.client_secret,
    );
    let token = answer.token();
    (server, credential, token)
}

#[track_caller]
fn assert_published(server: &Server, header: &Value) {
    let keys = get(server.base(), KEYS).is(200).json();
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"]);
    assert_eq!(key.unwrap()["alg"], header["alg"]);
}

#[test]
fn audit_21_rfc9068_the_header_says_what_the_token_is() {
    let (server, _, token) = issued(&rfc9068_world());
    let (header, _) = parts(&token);
    assert_eq!(names(&header), ["typ", "alg", "kid"]);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("at+jwt"), &json!("RS256"))
    );
    assert_published(&server, &header);
}

#[test]
fn audit_21_greenlake_the_header_is_the_real_systems() {
    let (server, _, token) = issued(&World::owner());
    let (header, _) = parts(&token);
    assert_eq!(names(&header), ["alg", "kid", "pi.atm"]);
    assert_eq!(header["alg"], "RS256");
    assert_published(&server, &header);
}

#[test]
fn audit_22_rfc9068_every_claim_is_there_and_nothing_personal() {
    let world = rfc9068_world();
    let (server, credential, token) = issued(&world);
    let (_, claims) = parts(&token);
    assert_eq!(
        names(&claims),
        ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"]
    );
    assert_eq!(claims["iss"], server.base());
    assert_eq!(claims["client_id"], credential.client_id.as_str());
    // One resource: another region's is another audience.
    let eu1 = world.create_credential(ANN, "eu1", "elsewhere");
    let elsewhere = ask(server.base(), &eu1.client_id, &eu1.client_secret).token();
    let audience = |claims: &Value| claims["aud"].as_str().unwrap().to_owned();
    assert_ne!(audience(&claims), audience(&parts(&elsewhere).1));
    call(&server.us1(""), &elsewhere).is(401);
    call(&server.us1(""), &token).is(200);
    assert!(!claims.to_string().contains(ANN), "{claims}");
    assert_unique_ids(Within::start(|setup| {
        setup.policy.profile = hallpass_oauth::Profile::Rfc9068;
        setup.limits.tokens_per_credential = 0;
    }));
}

#[test]
fn audit_22_greenlake_the_claims_are_the_real_systems() {
    let (server, credential, token) = issued(&World::owner());
    let (_, claims) = parts(&token);
    assert_eq!(
        names(&claims),
        [
            "client_id",
            "iss",
            "aud",
            "sub",
            "user_ctx",
            "auth_source",
            "platform_customer_id",
            "iat",
            "application_instance_id",
            "exp",
            "jti"
        ]
    );
    assert_eq!(claims["iss"], server.base());
    assert_eq!(claims["client_id"], credential.client_id.as_str());
    assert_eq!(claims["aud"], "external_api", "one for all resources");
    assert_unique_ids(Within::start(|setup| {
        setup.limits.tokens_per_credential = 0;
    }));
}

/// That no two can be the same follows from how an id is made: the place in the credential's
/// sequence, which no other token of it has, and 64 random bits.
#[expect(
    clippy::needless_pass_by_value,
    reason = "made for this and gone with it"
)]
fn assert_unique_ids(within: Within) {
    let clients = [within.client("one"), within.client("two")];
    let mut seen = HashSet::new();
    for turn in 0..200 {
        let (_, claims) = parts(&within.ask(&clients[turn % 2]).token());
        assert!(seen.insert(claims["jti"].as_str().unwrap().to_owned()));
    }
}

#[test]
fn audit_23_rfc9068_the_subject_is_the_program() {
    let (_server, credential, token) = issued(&rfc9068_world());
    let (_, claims) = parts(&token);
    assert_eq!(claims["sub"], credential.client_id.as_str());
    // People are known by their addresses, and no id that this server gives to a client is one.
    assert!(hallpass_oauth::Subject::parse(&credential.client_id).is_err());
}

#[test]
fn audit_23_greenlake_the_subject_is_the_owner() {
    let (_server, credential, token) = issued(&World::owner());
    let (_, claims) = parts(&token);
    assert_eq!(claims["sub"], ANN);
    assert_eq!(claims["client_id"], credential.client_id.as_str());
}

#[test]
fn audit_24_no_token_lives_too_long_and_no_clock_makes_a_dead_one() {
    // The limits go by the clock, so one that was set back costs a moment; that is not the question.
    let within = Within::start(|setup| setup.limits.tokens_per_credential = 0);
    let lifetime = |minutes| {
        let options = CredentialOptions {
            token_lifetime: Some(SignedDuration::from_mins(minutes)),
            ..CredentialOptions::default()
        };
        within.run(within.store.credentials().create_with(
            within.owner.id,
            within.instance("us1"),
            &format!("{minutes} minutes"),
            options,
            &actor(),
            within.now(),
            &mut SystemRandom,
        ))
    };
    assert!(matches!(
        lifetime(121),
        Err(CredentialError::Lifetime { .. })
    ));
    let short = lifetime(5).unwrap();
    let id = short.credential.client_id.to_string();
    let (_, claims) = parts(&ask(&within.base, &id, short.secret.expose()).token());
    let lived = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lived, 300);

    let client = within.client("nightly");
    let begin = within.now();
    let last = parts(&within.ask(&client).token()).1["iat"]
        .as_i64()
        .unwrap();
    assert_eq!(last, begin.as_second());
    let mut iat = last;
    for back in [10, 30, 31, 3600] {
        within.set(begin - SignedDuration::from_secs(back));
        let (_, claims) = parts(&within.ask(&client).token());
        iat = claims["iat"].as_i64().unwrap();
        assert!(iat >= last - LEEWAY.as_secs(), "{back} s back: {claims}");
        assert_eq!(claims["exp"], iat + 7200);
    }
    assert_eq!(iat, last - LEEWAY.as_secs());
    // Time goes on from there, and the token is good once the clock is right again.
    within.set(begin);
    let token = within.ask(&client).token();
    call(&within.us1, &token).is(200);

    // A clock that was a day ahead was wrong, and nobody waits for it.
    let day_before = begin - SignedDuration::from_hours(24);
    within.set(day_before);
    let (_, claims) = parts(&within.ask(&client).token());
    assert_eq!(claims["iat"], day_before.as_second());
}

/// A token with a good signature, and everything that may be wrong with it all the same.
struct Forge {
    within: Within,
    key: Key,
    header: Value,
    claims: Value,
}

impl Forge {
    fn new(within: Within) -> Self {
        let key = within.known_signing_key();
        let client = within.client("nightly");
        let (header, claims) = parts(&within.ask(&client).token());
        let forge = Self {
            within,
            key,
            header,
            claims,
        };
        // Our own signature over the same words is the token.
        call(&forge.within.us1, &forge.sign(&forge.header, &forge.claims)).is(200);
        forge
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        self.key.sign(&header.to_string(), &claims.to_string())
    }

    fn with_header(&self, name: &str, value: impl Into<Value>) -> String {
        let mut header = self.header.clone();
        header[name] = value.into();
        self.sign(&header, &self.claims)
    }

    fn with_claim(&self, name: &str, value: impl Into<Value>) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value.into();
        self.sign(&self.header, &claims)
    }

    fn without_claim(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        self.sign(&self.header, &claims)
    }

    fn mac(&self, secret: &[u8]) -> String {
        let mut header = self.header.clone();
        header["alg"] = json!("HS256");
        let input = format!(
            "{}.{}",
            encoded(header.to_string()),
            encoded(self.claims.to_string())
        );
        let key = EncodingKey::from_secret(secret);
        let mac = jsonwebtoken::crypto::sign(input.as_bytes(), &key, Algorithm::HS256).unwrap();
        format!("{input}.{mac}")
    }

    #[track_caller]
    fn refused(&self, what: &str, token: &str) {
        let answer = call(&self.within.us1, token);
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("invalid_token"), "{what}: {challenge}");
    }
}

fn everything_wrong_with_a_token(forge: &Forge) {
    let Forge {
        header,
        claims,
        key,
        ..
    } = forge;
    let (head, payload) = (header.to_string(), claims.to_string());
    let good = forge.sign(header, claims);
    let unsigned = encoded(head.replace("ES256", "none"));
    for none in [
        format!("{unsigned}.{}.", encoded(&payload)),
        format!("{unsigned}.{}.AAAA", encoded(&payload)),
    ] {
        forge.refused("alg none", &none);
    }
    for word in ["None", "NONE", "ES512", "PS256"] {
        forge.refused(word, &forge.with_header("alg", word));
    }
    let jwks = get(&forge.within.base, KEYS).body;
    for public in [
        jwks.as_str(),
        key.jwk["x"].as_str().unwrap(),
        &key.jwk.to_string(),
    ] {
        forge.refused("HS256 with the public key", &forge.mac(public.as_bytes()));
    }
    for spec in [KeySpec::Rsa2048, KeySpec::EcP256] {
        let other = Key::generate(spec);
        forge.refused(
            "an unlisted key",
            &other.sign(&other.header().to_string(), &payload),
        );
        let mut posed = header.clone();
        posed["alg"] = other.header()["alg"].clone();
        forge.refused("a listed name", &other.sign(&posed.to_string(), &payload));
    }
    forge.refused("iss", &forge.with_claim("iss", "https://evil.example"));
    forge.refused("aud", &forge.with_claim("aud", "another"));
    forge.refused("aud", &forge.with_claim("aud", json!(["a", "b"])));
    let now = forge.within.now().as_second();
    for name in ["exp", "iat", "iss", "aud", "sub", "client_id"] {
        forge.refused(name, &forge.without_claim(name));
    }
    forge.refused("text", &forge.with_claim("exp", (now + 600).to_string()));
    forge.refused("text", &forge.with_claim("nbf", (now - 600).to_string()));
    forge.refused("nbf", &forge.with_claim("nbf", now + 600));
    forge.refused("exp", &forge.with_claim("exp", now - LEEWAY.as_secs() - 1));
    for crit in [json!(["b64"]), json!([]), Value::Null] {
        forge.refused("crit", &forge.with_header("crit", crit));
    }
    let twice = |text: &str, name: &str| text.replacen('{', &format!("{{\"{name}\":\"x\","), 1);
    forge.refused("a member twice", &key.sign(&twice(&head, "kid"), &payload));
    forge.refused("a claim twice", &key.sign(&head, &twice(&payload, "sub")));
    let name = encoded("{\"alg\":\"dir\",\"enc\":\"A128GCM\"}");
    forge.refused("five parts", &format!("{name}.{good}.AAAA"));
    forge.refused("two parts", good.rsplit_once('.').unwrap().0);
    forge.refused("long", &forge.with_claim("more", "a".repeat(8 * 1024)));
    forge.refused("padded", &format!("{good}="));
    forge.refused("spaced", &good.replacen('.', ". ", 1));
}

#[test]
fn audit_25_what_is_wrong_with_a_token_is_seen() {
    let forge = Forge::new(Within::greenlake());
    everything_wrong_with_a_token(&forge);
    // An ID token of ours, had we any: no application instance and another type.
    forge.refused(
        "an ID token",
        &forge.without_claim("application_instance_id"),
    );

    let forge = Forge::new(Within::rfc9068());
    everything_wrong_with_a_token(&forge);
    for typ in ["JWT", "id_token+jwt", "at+jwt+x", "dpop+jwt", ""] {
        forge.refused(typ, &forge.with_header("typ", typ));
    }
    forge.refused("no jti", &forge.without_claim("jti"));
}

#[test]
fn audit_26_a_key_id_is_a_look_up_key_and_nothing_is_fetched() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let address = format!("http://{}/keys", trap.local_addr().unwrap());
    let forge = Forge::new(Within::greenlake());
    for id in [
        "../../../etc/passwd",
        "' OR 1=1 --",
        "\0",
        "",
        "unknown",
        &address,
        &"k".repeat(4_000),
        &"k".repeat(10_000),
    ] {
        forge.refused(id, &forge.with_header("kid", id));
    }
    for id in [json!(1), json!(["x"]), Value::Null] {
        forge.refused("a kid that is no text", &forge.with_header("kid", id));
    }
    let other = Key::generate(KeySpec::EcP256);
    for name in ["jku", "x5u"] {
        let mut header = other.header();
        header[name] = json!(address);
        forge.refused(
            name,
            &other.sign(&header.to_string(), &forge.claims.to_string()),
        );
    }
    let mut header = other.header();
    header["jwk"] = other.jwk.clone();
    forge.refused(
        "jwk",
        &other.sign(&header.to_string(), &forge.claims.to_string()),
    );
    let nobody_came = trap.accept().unwrap_err();
    assert_eq!(nobody_came.kind(), ErrorKind::WouldBlock);
}

/// Sender-constrained tokens are not offered; so nothing must look as if they were.
#[test]
fn audit_27_no_binding_is_claimed_that_is_not_checked() {
    let within = Within::rfc9068();
    let client: Client = within.client("nightly");
    let answer = within.ask(&client);
    let token = answer.token();
    assert_eq!(answer.json()["token_type"], "Bearer");
    assert!(parts(&token).1.get("cnf").is_none());
    let metadata = get(&within.base, "/.well-known/oauth-authorization-server").json();
    for name in names(&metadata) {
        assert!(
            !name.starts_with("dpop_") && !name.starts_with("tls_client_"),
            "{name}"
        );
    }
    let header = format!("DPoP {token}");
    let path = "/api/v1/storage-systems";
    send(&within.us1, "GET", path, &[("Authorization", &header)]).is(401);
    call(&within.us1, &token).is(200);
}
