//! `hallpass admin` for signing keys, credentials, people and workspaces, with a server and without one.

mod credentials;
mod keys;
mod registered_keys;
mod roles;
mod workspaces;

use hallpass_oauth::JwkSet;
use hallpass_oauth::key::{KeySpec, SigningKey};
use serde_json::Value;

/// The items of a list.
#[track_caller]
fn items(list: &Value) -> &Vec<Value> {
    list["items"]
        .as_array()
        .unwrap_or_else(|| panic!("no list: {list}"))
}

/// A text member.
#[track_caller]
fn word<'a>(answer: &'a Value, name: &str) -> &'a str {
    let value = answer[name].as_str();
    value.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// A new key pair, as `openssl genpkey` would write it, and as a client registers it.
fn key_pair() -> (String, String) {
    let key = SigningKey::generate(KeySpec::EcP256).unwrap();
    let base64 = base64(&key.to_pkcs8().unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
    let jwks = JwkSet::new([key.public_key().unwrap()]).to_json();
    (pem, jwks)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\n")
}
