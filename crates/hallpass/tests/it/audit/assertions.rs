//! Statements 33 to 36: client assertions, metadata, and what is never fetched (RFC 7521, RFC 7523,
//! draft-ietf-oauth-rfc7523bis, RFC 8414).

use std::io::ErrorKind;
use std::net::TcpListener;

use hallpass_oauth::client_assertion::ASSERTION_TYPE;
use hallpass_oauth::key::KeySpec;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::{CredentialError, CredentialOptions};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::jwt::{Key, encoded, names};
use super::wire::{
    Answer, GRANT, INTROSPECT, REVOKE, TOKEN, basic, call, get, pair, post, post_with,
};
use super::within::{Within, actor};

/// A client with a key, and the makings of its assertions.
struct Signer {
    within: Within,
    key: Key,
    client: String,
    number: std::cell::Cell<u32>,
}

impl Signer {
    fn new() -> Self {
        let within = Within::greenlake();
        let key = Key::generate(KeySpec::EcP256);
        let client = within.key_client("keys", &key);
        Self {
            within,
            key,
            client,
            number: std::cell::Cell::new(0),
        }
    }

    /// Claims that are right and were not used before.
    fn claims(&self) -> Value {
        self.number.set(self.number.get() + 1);
        let now = self.within.now().as_second();
        json!({
            "iss": self.client,
            "sub": self.client,
            "aud": self.within.base,
            "jti": format!("number {}", self.number.get()),
            "iat": now,
            "exp": now + 60,
        })
    }

    fn with(&self, name: &str, value: impl Into<Value>) -> Value {
        let mut claims = self.claims();
        claims[name] = value.into();
        claims
    }

    fn sign(&self, claims: &Value) -> String {
        self.key
            .sign(&self.key.header().to_string(), &claims.to_string())
    }

    fn present(&self, assertion: &str) -> Answer {
        post(
            &self.within.base,
            TOKEN,
            &format!("{GRANT}&{}", fields(assertion)),
        )
    }

    #[track_caller]
    fn refused(&self, what: &str, claims: &Value) {
        let answer = self.present(&self.sign(claims));
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        assert_eq!(answer.json()["error"], "invalid_client", "{what}");
    }
}

fn fields(assertion: &str) -> String {
    format!("client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}")
}

#[test]
fn audit_33_an_assertion_is_for_this_server_for_now_and_for_once() {
    let signer = Signer::new();
    let now = signer.within.now().as_second();
    let good = signer.sign(&signer.claims());
    signer.present(&good).is(200);
    signer.present(&good).refuses(401, "invalid_client");
    // Another one under the same jti is the same one, however it is signed.
    let used = signer.with("jti", "number 1");
    signer.refused("jti", &used);

    for name in ["iss", "sub"] {
        signer.refused(name, &signer.with(name, "another"));
    }
    let base = signer.within.base.clone();
    for aud in [
        json!([base]),
        json!([base, "https://evil.example"]),
        json!(format!("{base}{TOKEN}")),
        json!(format!("{base}/")),
        json!("https://evil.example"),
        Value::Null,
    ] {
        signer.refused("aud", &signer.with("aud", aud));
    }
    for name in ["iss", "sub", "aud", "jti", "exp"] {
        let mut claims = signer.claims();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        signer.refused(name, &claims);
    }
    for exp in [
        json!(now - 31),
        json!(now + 3600),
        json!((now + 60).to_string()),
    ] {
        signer.refused("exp", &signer.with("exp", exp));
    }
    for name in ["iat", "nbf"] {
        signer
            .present(&signer.sign(&signer.with(name, now + 8)))
            .is(200);
        signer.refused(name, &signer.with(name, now + 60));
    }
    // The client's own key, with the algorithm that goes with it.
    let claims = signer.claims().to_string();
    for spec in [KeySpec::Rsa2048, KeySpec::Ed25519, KeySpec::EcP256] {
        let other = Key::generate(spec);
        signer
            .present(&other.sign(&other.header().to_string(), &claims))
            .refuses(401, "invalid_client");
        let mut posed = other.header();
        posed["kid"] = json!(signer.key.id);
        signer
            .present(&other.sign(&posed.to_string(), &claims))
            .refuses(401, "invalid_client");
    }
    let unsigned = format!("{}.{}.", encoded(r#"{"alg":"none"}"#), encoded(&claims));
    signer.present(&unsigned).refuses(401, "invalid_client");
    signer
        .present(&signer.key.sign(&signer.key.header().to_string(), &claims))
        .is(200);
    // Used at one endpoint is used at all; remembered until it has ended for everybody.
    let once = signer.sign(&signer.claims());
    let form = format!("{}&token=x", fields(&once));
    post(&base, INTROSPECT, &form).is(200);
    signer.present(&once).refuses(401, "invalid_client");
    signer.within.wait(SignedDuration::from_secs(80));
    signer.within.maintain();
    signer.present(&once).refuses(401, "invalid_client");
}

/// Public keys are registered by value. Nothing that a client sends makes the server connect
/// anywhere; that no server of this project has an HTTP client at all is proved by
/// `sql_http_and_threads_are_where_they_belong`.
#[test]
fn audit_34_no_address_of_a_client_is_ever_opened() {
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let address = format!("http://{}/keys", trap.local_addr().unwrap());
    let signer = Signer::new();
    let within = &signer.within;
    for keys in [
        address.clone(),
        json!(address).to_string(),
        json!({ "jwks_uri": address }).to_string(),
        json!({ "keys": [{ "kty": "EC", "x5u": address }] }).to_string(),
    ] {
        let made = within.run(within.store.credentials().create_with_keys(
            within.owner.id,
            within.instance("us1"),
            "by reference",
            &keys,
            CredentialOptions::default(),
            &actor(),
            within.now(),
            &mut SystemRandom,
        ));
        assert!(matches!(made, Err(CredentialError::Keys(_))), "{keys}");
    }
    let stranger = Key::generate(KeySpec::EcP256);
    for name in ["jku", "x5u"] {
        let mut header = stranger.header();
        header[name] = json!(address);
        let assertion = stranger.sign(&header.to_string(), &signer.claims().to_string());
        signer.present(&assertion).refuses(401, "invalid_client");
    }
    let form = format!(
        "{}&request_uri={address}&jwks_uri={address}",
        fields(&signer.sign(&signer.claims()))
    );
    post(&within.base, TOKEN, &format!("{GRANT}&{form}")).is(200);
    assert_eq!(trap.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn audit_35_whatever_the_metadata_promises_is_served() {
    let signer = Signer::new();
    let within = &signer.within;
    let base = &within.base;
    let client = within.client("secret");
    let metadata = get(base, "/.well-known/oauth-authorization-server")
        .is(200)
        .json();
    let openid = get(base, "/.well-known/openid-configuration")
        .is(200)
        .json();
    for document in [&metadata, &openid] {
        assert_eq!(document["issuer"], base.as_str());
    }
    let token = within.ask(&client).token();
    for (name, value) in metadata.as_object().unwrap() {
        let Some(path) = value
            .as_str()
            .and_then(|url| url.strip_prefix(base.as_str()))
        else {
            continue;
        };
        let form = format!("{GRANT}&token={token}&{}", pair(&client.id, &client.secret));
        match name.as_str() {
            "issuer" => assert_eq!(path, ""),
            "jwks_uri" => assert!(get(base, path).is(200).json()["keys"].is_array()),
            "token_endpoint" | "introspection_endpoint" | "revocation_endpoint" => {
                post(base, path, &form).is(200);
            }
            other => panic!("{other} is advertised and not looked at"),
        }
    }
    let mut tried = 0;
    for endpoint in ["token", "introspection", "revocation"] {
        let methods = &metadata[format!("{endpoint}_endpoint_auth_methods_supported")];
        let target = match endpoint {
            "token" => TOKEN,
            "introspection" => INTROSPECT,
            _ => REVOKE,
        };
        let form = format!("{GRANT}&token=x");
        for method in methods.as_array().unwrap() {
            match method.as_str().unwrap() {
                "client_secret_post" => {
                    let form = format!("{form}&{}", pair(&client.id, &client.secret));
                    post(base, target, &form).is(200)
                }
                "client_secret_basic" => {
                    let header = basic(&client.id, &client.secret);
                    post_with(base, target, &[("Authorization", &header)], &form).is(200)
                }
                "private_key_jwt" => {
                    let assertion = signer.sign(&signer.claims());
                    post(base, target, &format!("{form}&{}", fields(&assertion))).is(200)
                }
                other => panic!("{other}"),
            };
            tried += 1;
        }
    }
    assert_eq!(tried, 9, "three ways at three endpoints");
    for algorithm in metadata["token_endpoint_auth_signing_alg_values_supported"]
        .as_array()
        .unwrap()
    {
        let spec = match algorithm.as_str().unwrap() {
            "RS256" => KeySpec::Rsa2048,
            "ES256" => KeySpec::EcP256,
            // Two names of one algorithm (RFC 8037, RFC 9864).
            "EdDSA" | "Ed25519" => KeySpec::Ed25519,
            other => panic!("{other}"),
        };
        let key = Key::generate(spec);
        let id = within.key_client(algorithm.as_str().unwrap(), &key);
        let mut claims = signer.claims();
        claims["iss"] = json!(id);
        claims["sub"] = json!(id);
        let assertion = key.sign(&key.header().to_string(), &claims.to_string());
        signer.present(&assertion).is(200);
    }
    for grant in metadata["grant_types_supported"].as_array().unwrap() {
        let form = format!(
            "grant_type={}&{}",
            grant.as_str().unwrap(),
            pair(&client.id, &client.secret)
        );
        let answer = post(base, TOKEN, &form);
        assert!(
            !answer.body.contains("unsupported_grant_type"),
            "{answer:?}"
        );
    }
    // Nobody registers over the wire: the document names no place for it, and there is none.
    assert!(!names(&metadata).contains(&"registration_endpoint"));
    for path in [
        "/register",
        "/as/clients.oauth2",
        "/clients",
        "/oauth2/register",
    ] {
        post(base, path, "{}").is(404);
    }
}

#[test]
fn audit_36_nothing_encrypted_is_taken() {
    let signer = Signer::new();
    let within = &signer.within;
    let client = within.client("secret");
    for header in [
        json!({ "alg": "dir", "enc": "A256GCM" }),
        json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": signer.key.id }),
        json!({ "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 4_000_000_000_u32, "p2s": "AAAA" }),
        json!({ "alg": "ECDH-ES", "enc": "A128GCM", "zip": "DEF" }),
    ] {
        let part = encoded("whatever it is, it is not looked at");
        let jwe = format!(
            "{}.{part}.{part}.{part}.{part}",
            encoded(header.to_string())
        );
        signer.present(&jwe).refuses(401, "invalid_client");
        call(&within.us1, &jwe).is(401);
        let form = format!("{}&token={jwe}", pair(&client.id, &client.secret));
        assert_eq!(
            post(&within.base, INTROSPECT, &form).is(200).body,
            r#"{"active":false}"#
        );
        let exchange = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={jwe}\
             &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
        );
        let target = format!("/authorization/v2/oauth2/{}/token", within.workspace());
        post(&within.base, &target, &exchange).refuses(400, "invalid_request");
    }
}
