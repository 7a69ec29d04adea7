//! RFC 8725, JSON Web Token Best Current Practices, for every JWT that comes in: access tokens at
//! introspection, revocation and exchange, and client assertions.
//!
//! Proved beside the code: the whole of the reader, `crates/oauth/src/jws.rs` and `crates/oauth/tests/it`;
//! each kind of key that is weak or damaged, `crates/oauth/src/key`.
//!
//! Section 3.4's inputs of key agreement and 3.6 (compression) concern encryption, which is accepted
//! nowhere. 3.5's ban on passwords as keys: there are no symmetric keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_oauth::SigningKey;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::{CredentialError, CredentialOptions};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};

use crate::assertion::{form, good_claims, key, signed, unsigned};
use crate::world::{Plan, World, actor, claims, exchange_form, header, workspace_path};

/// Whether any endpoint takes the text for a good token of the first credential.
async fn is_taken_anywhere(world: &World, path: &str, token: &str) -> bool {
    let active = world.is_active(token).await;
    let exchanged = world.post(path, &exchange_form(token)).await.status == 200;
    assert_eq!(active, exchanged, "the endpoints agree");
    active
}

async fn with_tenant(world: World) -> (World, String) {
    let tenant = world.tenant("Tenant", true).await;
    let path = workspace_path(tenant.id.as_str());
    (world, path)
}

fn with(value: &Value, name: &str, to: Value) -> Value {
    let mut value = value.clone();
    value[name] = to;
    value
}

#[tokio::test]
async fn rfc8725_3_1_the_algorithm_is_the_keys_and_not_the_tokens() {
    for profile in [|_: &mut Plan| (), Plan::rfc9068 as fn(&mut Plan)] {
        let (world, path) = with_tenant(World::with(profile).await).await;
        let token = world.token().await;
        let (header, claims) = (header(&token), claims(&token));
        let (_, signature) = token.rsplit_once('.').unwrap();
        for algorithm in ["ES256", "EdDSA", "PS256", "RS512", "HS256", "none", "rs256"] {
            let input = unsigned(&with(&header, "alg", json!(algorithm)), &claims);
            let changed = format!("{input}.{signature}");
            assert!(
                !is_taken_anywhere(&world, &path, &changed).await,
                "{algorithm}"
            );
        }
        assert!(is_taken_anywhere(&world, &path, &token).await);
    }
}

/// The public key as the secret of an HMAC, by a library of others.
#[tokio::test]
async fn rfc8725_3_1_a_mac_made_with_the_public_key_is_refused() {
    let (world, path) = with_tenant(World::new().await).await;
    let token = world.token().await;
    let published = world.send("GET", "/pf/JWKS", &[], "").await;
    let modulus = published.json()["keys"][0]["n"]
        .as_str()
        .unwrap()
        .to_owned();
    let raw = URL_SAFE_NO_PAD.decode(&modulus).unwrap();
    for secret in [modulus.as_bytes(), &raw, published.body.as_bytes(), b""] {
        let mut forged = Header::new(jsonwebtoken::Algorithm::HS256);
        forged.kid = header(&token)["kid"].as_str().map(str::to_owned);
        let secret = EncodingKey::from_secret(secret);
        let forged = jsonwebtoken::encode(&forged, &claims(&token), &secret).unwrap();
        assert!(!is_taken_anywhere(&world, &path, &forged).await);
    }
}

#[tokio::test]
async fn rfc8725_3_2_none_is_no_algorithm() {
    let (world, path) = with_tenant(World::new().await).await;
    let token = world.token().await;
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let input = unsigned(&with(&header(&token), "alg", json!(none)), &claims(&token));
        for unsigned in [format!("{input}."), input] {
            assert!(!is_taken_anywhere(&world, &path, &unsigned).await, "{none}");
        }
    }
}

#[tokio::test]
async fn rfc8725_3_3_the_signature_covers_every_claim() {
    let (world, path) = with_tenant(World::new().await).await;
    let token = world.token().await;
    let mut parts = token.split('.');
    let (head, signature) = (parts.next().unwrap(), parts.next_back().unwrap());
    let claims = claims(&token);
    for name in claims.as_object().unwrap().keys() {
        let changed = match &claims[name] {
            Value::Number(number) => json!(number.as_i64().unwrap() + 1),
            other => json!(format!("{}x", other.as_str().unwrap())),
        };
        let payload = with(&claims, name, changed).to_string();
        let forged = format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(payload));
        assert!(!is_taken_anywhere(&world, &path, &forged).await, "{name}");
    }
}

/// Whether a client could register the public key.
async fn is_registered(world: &World, name: &str, key: &Value) -> bool {
    let instance = world.store.workspaces().find_instance("us1").unwrap();
    let credentials = world.store.credentials();
    let made = credentials
        .create_with_keys(
            world.owner.id,
            instance.id.clone(),
            name,
            &json!({ "keys": [key] }).to_string(),
            CredentialOptions::default(),
            &actor(),
            world.now(),
            &mut SystemRandom,
        )
        .await;
    match made {
        Ok(_) => true,
        Err(CredentialError::Keys(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

fn public(key: &SigningKey) -> Value {
    let set: Value = serde_json::from_str(&crate::assertion::registered(&[key])).unwrap();
    set["keys"][0].clone()
}

/// A point that is not on the curve would let a verifier be led; the same for a modulus that is even.
#[tokio::test]
async fn rfc8725_3_4_public_keys_that_are_no_keys_are_refused() {
    let world = World::new().await;
    let good = public(&key());
    let off_curve = with(&good, "x", good["y"].clone());
    let origin = "A".repeat(43);
    let nowhere = with(&with(&good, "x", json!(origin)), "y", json!(origin));
    let rsa = public(&SigningKey::generate(hallpass_oauth::KeySpec::Rsa2048).unwrap());
    let modulus = URL_SAFE_NO_PAD.decode(rsa["n"].as_str().unwrap()).unwrap();
    let even = [&modulus[..255], &[modulus[255] & 0xfe]].concat();
    let even = with(&rsa, "n", json!(URL_SAFE_NO_PAD.encode(even)));
    for wrong in [off_curve, nowhere, even] {
        assert!(!is_registered(&world, "wrong", &wrong).await, "{wrong}");
    }
    assert!(is_registered(&world, "elliptic", &good).await);
    assert!(is_registered(&world, "rsa", &rsa).await);
}

#[tokio::test]
async fn rfc8725_3_5_keys_that_can_be_guessed_are_refused() {
    let world = World::new().await;
    let rsa = public(&SigningKey::generate(hallpass_oauth::KeySpec::Rsa2048).unwrap());
    let modulus = rsa["n"].as_str().unwrap();
    let short = with(&rsa, "n", json!(modulus[..172]));
    let exponent = with(&rsa, "e", json!("Aw"));
    // RFC 8037 appendix A.2: its private half stands above it.
    let printed = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let symmetric = json!({ "kty": "oct", "k": "cGFzc3dvcmQ" });
    for weak in [short, exponent, printed, symmetric] {
        let mut unnamed = weak.clone();
        unnamed.as_object_mut().unwrap().remove("kid");
        assert!(!is_registered(&world, "weak", &unnamed).await, "{weak}");
    }
    assert!(is_registered(&world, "strong", &rsa).await);
}

/// A token whose parts are these bytes, signed by whoever has the key.
fn signed_bytes(header: &[u8], claims: &[u8], key: &SigningKey) -> String {
    let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let input = parts.join(".");
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The good JSON with one more member, whose text is these bytes.
fn with_text(json: &Value, text: &[u8]) -> Vec<u8> {
    let json = json.to_string();
    let (_, rest) = json.split_at(1);
    [br#"{"x":""#, text, br#"","#, rest.as_bytes()].concat()
}

/// Also RFC 7519 section 7.2, points 3 and 10: where no reader looks at a member, its bytes count too.
#[tokio::test]
async fn rfc8725_3_7_header_and_claims_are_utf_8() {
    let (world, path) = with_tenant(World::new().await).await;
    let own = world.store.signing_keys().active();
    let token = world.token().await;
    let (good_header, good_claims) = (header(&token), claims(&token));
    let client_key = key();
    let client = world.credential_of_keys("keys", &[&client_key]).await;
    let own_header = crate::assertion::good_header(&client_key);
    for (number, (text, is_utf_8)) in [
        ("é".as_bytes(), true),
        (b"\xff", false),
        (b"\xc3", false),
        (b"\xed\xa0\x80", false),
        (b"\xc0\x80", false),
    ]
    .into_iter()
    .enumerate()
    {
        let as_is = good_header.to_string().into_bytes();
        for (head, payload) in [
            (
                with_text(&good_header, text),
                good_claims.to_string().into_bytes(),
            ),
            (as_is, with_text(&good_claims, text)),
        ] {
            let token = signed_bytes(&head, &payload, &own);
            let taken = is_taken_anywhere(&world, &path, &token).await;
            assert_eq!(taken, is_utf_8, "{text:?}");
        }
        for in_header in [true, false] {
            let claims = self::good_claims(&client, world.now(), &format!("{number} {in_header}"));
            let (head, payload) = if in_header {
                (
                    with_text(&own_header, text),
                    claims.to_string().into_bytes(),
                )
            } else {
                (
                    own_header.to_string().into_bytes(),
                    with_text(&claims, text),
                )
            };
            let assertion = signed_bytes(&head, &payload, &client_key);
            let answer = world.form(&form(&assertion)).await;
            assert_eq!(answer.status == 200, is_utf_8, "{text:?} in an assertion");
        }
    }
}

/// A key of ours is needed, whatever issuer a token names; and the issuer has to be ours, whatever key.
#[tokio::test]
async fn rfc8725_3_8_the_key_belongs_to_the_issuer() {
    let (world, path) = with_tenant(World::new().await).await;
    let own = world.store.signing_keys().active();
    let token = world.token().await;
    let again = signed(&header(&token), &claims(&token), &own);
    assert!(
        is_taken_anywhere(&world, &path, &again).await,
        "the forger is able"
    );

    let foreign = SigningKey::generate(hallpass_oauth::KeySpec::Rsa2048).unwrap();
    let stolen_name = signed(&header(&token), &claims(&token), &foreign);
    let own_name = with(&header(&token), "kid", json!(foreign.id().as_str()));
    let own_name = signed(&own_name, &claims(&token), &foreign);
    let other_issuer = with(&claims(&token), "iss", json!("https://other.example.com"));
    let other_issuer = signed(&header(&token), &other_issuer, &own);
    for forged in [stolen_name, own_name, other_issuer] {
        assert!(!is_taken_anywhere(&world, &path, &forged).await);
    }
}

#[tokio::test]
async fn rfc8725_3_9_the_audience_is_validated() {
    for profile in [|_: &mut Plan| (), Plan::rfc9068 as fn(&mut Plan)] {
        let (world, path) = with_tenant(World::with(profile).await).await;
        let own = world.store.signing_keys().active();
        let token = world.token().await;
        for audience in [
            json!("other_api"),
            json!(["external_api", "other_api"]),
            json!([]),
            json!("urn:uuid:none"),
            json!(1),
        ] {
            let other = with(&claims(&token), "aud", audience.clone());
            let other = signed(&header(&token), &other, &own);
            assert!(
                !is_taken_anywhere(&world, &path, &other).await,
                "{audience}"
            );
        }
    }
}

/// `kid` looks a key up and does nothing else; addresses of keys in a token are never followed.
#[tokio::test]
async fn rfc8725_3_10_the_header_is_not_trusted() {
    let (world, path) = with_tenant(World::new().await).await;
    let foreign = key();
    let token = world.token().await;
    let long = "k".repeat(6000);
    for kid in ["../../etc/passwd", "' OR 1=1 --", "", "\u{0}", &long] {
        let header = json!({"alg": "ES256", "kid": kid});
        let forged = signed(&header, &claims(&token), &foreign);
        assert!(!is_taken_anywhere(&world, &path, &forged).await, "{kid}");
    }
    let jwk: Value = serde_json::from_str(&crate::assertion::registered(&[&foreign])).unwrap();
    let url = "https://127.0.0.1:1/keys";
    for (name, value) in [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("jwk", jwk["keys"][0].clone()),
    ] {
        let header = json!({"alg": "ES256", "kid": foreign.id().as_str(), name: value});
        let forged = signed(&header, &claims(&token), &foreign);
        assert!(!is_taken_anywhere(&world, &path, &forged).await, "{name}");
    }
}

#[tokio::test]
async fn rfc8725_3_11_a_token_of_another_type_is_refused() {
    let (world, path) = with_tenant(World::rfc9068().await).await;
    let own = world.store.signing_keys().active();
    let token = world.token().await;
    for typ in ["id_token", "logout+jwt", "client-authentication+jwt", ""] {
        let other = with(&header(&token), "typ", json!(typ));
        let other = signed(&other, &claims(&token), &own);
        assert!(!is_taken_anywhere(&world, &path, &other).await, "{typ}");
    }
}

/// Keys of clients sign assertions and keys of the server sign tokens; neither passes for the other.
#[tokio::test]
async fn rfc8725_3_12_a_token_is_no_assertion_and_an_assertion_no_token() {
    let (world, path) = with_tenant(World::rfc9068().await).await;
    let key = key();
    let client = world.credential_of_keys("keys", &[&key]).await;
    let assertion = crate::assertion::good(&client, &key, world.now(), "1");
    let token = world.form(&form(&assertion)).await.token();
    assert_eq!(world.form(&form(&token)).await.error(), "invalid_client");

    let own = world.store.signing_keys().active();
    let by_server = json!({"alg": own.algorithm().as_str(), "kid": own.id().as_str()});
    let claims = good_claims(&client, world.now(), "2");
    let by_server = signed(&by_server, &claims, &own);
    assert_eq!(
        world.form(&form(&by_server)).await.error(),
        "invalid_client"
    );

    let assertion = crate::assertion::good(&client, &key, world.now(), "3");
    assert!(!is_taken_anywhere(&world, &path, &assertion).await);
}
