//! Every algorithm from minting to verification, `jsonwebtoken` as oracle in both directions, and
//! the ways in which one algorithm could be passed off as another.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass_oauth::claims::AUDIENCE;
use hallpass_oauth::jws::{self, UnverifiedJws, UnverifiedToken};
use hallpass_oauth::verify::TokenRefusal;
use hallpass_oauth::{Algorithm, JwkSet, KeySpec, SigningKey};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Value, json};

use crate::{CLIENT, GOOD, World, encode};

/// One kind of key for each algorithm.
const SPECS: [KeySpec; 3] = [KeySpec::Rsa2048, KeySpec::EcP256, KeySpec::Ed25519];

fn foreign(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
    }
}

fn foreign_signer(key: &SigningKey) -> EncodingKey {
    let der = key.to_pkcs8().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(&*der)
    );
    let read = match key.algorithm() {
        Algorithm::Rs256 => EncodingKey::from_rsa_pem,
        Algorithm::Es256 => EncodingKey::from_ec_pem,
        Algorithm::EdDSA => EncodingKey::from_ed_pem,
    };
    read(pem.as_bytes()).unwrap()
}

/// The token with another header, and signed anew by `sign`.
fn resigned(token: &str, header: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let input = format!("{}.{payload}", encode(&header.to_string()));
    let signature = sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn tokens_of_every_algorithm_are_minted_and_verified_here_and_elsewhere() {
    for spec in SPECS {
        let world = World::signing_with(spec);
        let token = world.mint(5);
        let (header, _) = jws::peek(token.expose()).unwrap();
        let header: Value = serde_json::from_str(&header).unwrap();
        assert_eq!(header["alg"], spec.algorithm().as_str());
        assert_eq!(world.verify(token.expose(), GOOD).as_deref(), Ok(CLIENT));

        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&world.keys.to_json()).unwrap();
        let key = DecodingKey::from_jwk(&set.keys[0]).unwrap();
        let mut validation = Validation::new(foreign(spec.algorithm()));
        validation.validate_exp = false;
        validation.set_audience(&[AUDIENCE]);
        let decoded = jsonwebtoken::decode::<Value>(token.expose(), &key, &validation).unwrap();
        assert_eq!(decoded.claims["client_id"], CLIENT, "{spec}");
    }
}

#[test]
fn what_an_independent_library_signs_is_verified() {
    for spec in SPECS {
        let key = SigningKey::generate(spec).unwrap();
        let mut header = Header::new(foreign(spec.algorithm()));
        header.kid = Some("its own".to_owned());
        let claims = json!({"iss": "client", "jti": "1"});
        let compact = jsonwebtoken::encode(&header, &claims, &foreign_signer(&key)).unwrap();

        let read = UnverifiedJws::<Value>::parse(&compact).unwrap();
        assert_eq!(read.algorithm(), spec.algorithm());
        assert_eq!(read.key_id(), Some("its own"));
        assert_eq!(read.typ(), Some("JWT"));
        assert_eq!(read.claims(), &claims);
        assert!(read.verify_with(&key.public_key().unwrap()), "{spec}");
        let other = SigningKey::generate(spec).unwrap();
        assert!(!read.verify_with(&other.public_key().unwrap()), "{spec}");
    }
}

#[test]
fn a_header_that_names_another_algorithm_than_the_keys_is_refused() {
    let worlds = SPECS.map(World::signing_with);
    for (at, world) in worlds.iter().enumerate() {
        let token = world.mint(5);
        let kid = world.key.id().as_str();
        let signed = |alg: Algorithm, key: &SigningKey| {
            let header = json!({"alg": alg.as_str(), "kid": kid});
            resigned(token.expose(), &header, |input| key.sign(input).unwrap())
        };
        let own = signed(world.key.algorithm(), &world.key);
        assert_eq!(world.verify(&own, GOOD).as_deref(), Ok(CLIENT));
        for (other_at, other) in worlds.iter().enumerate() {
            if at == other_at {
                continue;
            }
            // The right key under a wrong name, and a stranger's key under the right `kid`.
            let misnamed = signed(other.key.algorithm(), &world.key);
            let strangers = signed(other.key.algorithm(), &other.key);
            for forged in [misnamed, strangers] {
                assert_eq!(
                    world.verify(&forged, GOOD),
                    Err(TokenRefusal::Signature),
                    "{} for {}",
                    other.key.algorithm(),
                    world.key.algorithm()
                );
            }
        }
    }
}

#[test]
fn a_published_key_is_no_shared_secret() {
    for spec in SPECS {
        let world = World::signing_with(spec);
        let token = world.mint(5);
        let published = world.keys.to_json();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, published.as_bytes());
        for alg in ["HS256", "none"] {
            let header = json!({"alg": alg, "kid": world.key.id().as_str()});
            let forged = resigned(token.expose(), &header, |input| {
                hmac::sign(&secret, input).as_ref().to_vec()
            });
            assert!(
                matches!(
                    UnverifiedToken::parse(&forged),
                    Err(TokenRefusal::Malformed(_))
                ),
                "{alg}"
            );
        }
        let header = json!({"alg": spec.algorithm().as_str(), "kid": world.key.id().as_str()});
        let renamed = resigned(token.expose(), &header, |input| {
            hmac::sign(&secret, input).as_ref().to_vec()
        });
        assert_eq!(world.verify(&renamed, GOOD), Err(TokenRefusal::Signature));
    }
}

/// RFC 7518 section 3.4: r and s at full length, and not the DER of other protocols.
#[test]
fn an_es256_signature_in_der_is_refused() {
    let world = World::signing_with(KeySpec::EcP256);
    let der = world.key.to_pkcs8().unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).unwrap();
    let token = world.mint(5);
    let header = json!({"alg": "ES256", "kid": world.key.id().as_str()});
    let in_der = resigned(token.expose(), &header, |input| {
        let signature = pair.sign(&rand::SystemRandom::new(), input).unwrap();
        signature.as_ref().to_vec()
    });
    assert_eq!(world.verify(&in_der, GOOD), Err(TokenRefusal::Signature));
    let in_full = resigned(token.expose(), &header, |input| {
        world.key.sign(input).unwrap()
    });
    assert_eq!(world.verify(&in_full, GOOD).as_deref(), Ok(CLIENT));
}

#[test]
fn keys_of_all_algorithms_stand_in_one_set() {
    let worlds = SPECS.map(World::signing_with);
    let all = JwkSet::new(worlds.iter().map(|world| world.key.public_key().unwrap()));
    let read = JwkSet::from_json(all.to_json().as_bytes()).unwrap();
    for mut world in worlds {
        world.keys = read.clone();
        let token = world.mint(5);
        assert_eq!(world.verify(token.expose(), GOOD).as_deref(), Ok(CLIENT));
    }
}
