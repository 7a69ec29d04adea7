//! What looks like a secret: access tokens, client secrets, headers that let somebody in, and whatever the
//! drawer keeps as a secret. A person is told where it is, never what it is.

use hallpass_client::Secret;
use serde_json::Value;

use super::file::Shared;
use super::leaves::{self, Kind, Leaf};
use crate::answer::Failure;
use crate::workspace::Draft;

/// Refuses what may not be shared, saying what and where, and then this.
pub(super) fn check(shared: &Shared, kept: &[Secret], hint: &str) -> Result<(), Failure> {
    let mut found: Vec<String> = Vec::new();
    let leaves = leaves::of(&shared.workspace);
    for leaf in &leaves {
        let looks = of_leaf(leaf).or_else(|| is_kept(leaf.text, kept));
        found.extend(looks.map(|what| format!("{what} in {}", leaf.place)));
    }
    let titles = shared.workspace.definitions.iter().map(|one| &one.title);
    for (title, carried) in titles.zip(&shared.definitions) {
        for (number, line) in carried.text.lines().enumerate() {
            let looks = of_line(line).or_else(|| is_kept(line, kept));
            found.extend(
                looks.map(|what| {
                    format!("{what} in line {} of the definition {title:?}", number + 1)
                }),
            );
            if found.len() > MOST_TOLD {
                break;
            }
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let more = found.len() > MOST_TOLD;
    found.truncate(MOST_TOLD);
    if more {
        found.push("more of the kind".to_owned());
    }
    let what = format!(
        "a shared file holds no secrets, but there is {}",
        found.join("; ")
    );
    Err(Failure::wrong(what, hint))
}

/// What looks like a secret in a request, and where, in words: at most one of each place.
pub(crate) fn secrets_in(draft: &Draft, kept: &[Secret]) -> Vec<String> {
    let leaves = leaves::of_draft("the request", draft);
    let found = leaves.iter().filter_map(|leaf| {
        let what = of_leaf(leaf).or_else(|| is_kept(leaf.text, kept))?;
        Some(format!("{what} in {}", leaf.place))
    });
    found.collect()
}

/// What a text of a workspace looks like.
fn of_leaf(leaf: &Leaf<'_>) -> Option<&'static str> {
    let text = leaf.text;
    if let Some(what) = anywhere(text) {
        return Some(what);
    }
    match leaf.kind {
        Kind::Words => None,
        Kind::Reference => (!is_reference(text)).then_some("the value of a secret"),
        Kind::Address => of_address(text),
        Kind::Body => of_body(text),
        Kind::Header if is_credential_header(leaf.name) => of_credential_header(text),
        Kind::Header | Kind::Value => of_value(leaf.name, text).or_else(|| of_address(text)),
    }
}

/// What cannot be anything else, wherever it stands.
fn anywhere(text: &str) -> Option<&'static str> {
    let is_of_token = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    for word in text.split(|letter: char| !is_of_token(letter)) {
        if is_token(word) {
            return Some("an access token");
        }
    }
    let mut marks = text.match_indices("hps_");
    if marks.any(|(at, _)| text.get(at..at + 55).is_some_and(Secret::is_prefixed)) {
        return Some("a client secret");
    }
    text.contains("PRIVATE KEY-----").then_some("a private key")
}

/// Three parts in base64url, the first of which is a JSON object (RFC 7519 section 3).
fn is_token(word: &str) -> bool {
    let parts: Vec<&str> = word.trim_end_matches('.').split('.').collect();
    word.starts_with("eyJ") && parts.len() >= 3 && parts[..3].iter().all(|part| part.len() >= 4)
}

fn of_value(name: &str, text: &str) -> Option<&'static str> {
    if is_reference(text) {
        return None;
    }
    if is_named_secret(name) {
        return Some("a value whose name says that it is secret");
    }
    (is_client_secret(text.trim()) && !is_named_id(name)).then_some("what may be a client secret")
}

/// Only the word for the scheme, and names of variables, may stand in such a header.
fn of_credential_header(text: &str) -> Option<&'static str> {
    let rest = text.trim();
    let rest = rest
        .split_once(' ')
        .filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphabetic()))
        .map_or(rest, |(_, rest)| rest);
    (!is_reference(rest)).then_some("a header that lets somebody in")
}

/// A password before the host, or a secret in the query.
fn of_address(text: &str) -> Option<&'static str> {
    if let Some((_, rest)) = text.split_once("://") {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((user, _)) = authority.rsplit_once('@') {
            let password = user.split_once(':').map_or("", |(_, password)| password);
            if !is_reference(password) {
                return Some("a password");
            }
        }
    }
    let (_, query) = text.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(name, value)| of_value(name, value))
}

fn of_body(text: &str) -> Option<&'static str> {
    match serde_json::from_str(text) {
        Ok(body) => of_json("body", &body),
        Err(_) => text.lines().find_map(of_line),
    }
}

fn of_json(name: &str, value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => of_value(name, text),
        Value::Array(items) => items.iter().find_map(|item| of_json(name, item)),
        Value::Object(members) => members
            .iter()
            .find_map(|(name, value)| of_json(name, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// What a line of a text with any structure looks like. Definitions speak of secrets and have examples of
/// ids: only both together mean something.
fn of_line(line: &str) -> Option<&'static str> {
    if let Some(what) = anywhere(line) {
        return Some(what);
    }
    let lower = line.to_ascii_lowercase();
    if !lower.contains("secret") && !lower.contains("authorization") {
        return None;
    }
    let mut words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .any(is_client_secret)
        .then_some("what may be a client secret")
}

/// 32 digits of a hexadecimal number, in small letters (domain facts, section 3.4), that are no sample: a
/// secret has more than a few different ones.
fn is_client_secret(word: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let mut different: Vec<u8> = word.bytes().collect();
    different.sort_unstable();
    different.dedup();
    word.len() == 32 && word.bytes().all(is_hex) && different.len() > 5
}

/// Whether nothing but names of variables stands there.
fn is_reference(text: &str) -> bool {
    let mut rest = text.trim();
    while let Some(after) = rest.strip_prefix("{{") {
        let Some((_, after)) = after.split_once("}}") else {
            return false;
        };
        rest = after.trim_start();
    }
    rest.is_empty()
}

fn is_credential_header(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    matches!(
        &*name,
        "authorization" | "proxy-authorization" | "cookie" | "set-cookie"
    ) || is_named_secret(&name)
}

fn is_named_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let about = ["name", "url", "id", "type", "expires", "count"];
    let is_about = about.iter().any(|end| name.ends_with(end));
    let is_token = ["token", "authtoken", "bearertoken", "xauthtoken"].contains(&&*name);
    !is_about && (is_token || SECRET_WORDS.iter().any(|word| name.contains(word)))
}

/// What names of secrets hold.
const SECRET_WORDS: [&str; 7] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "privatekey",
    "accesstoken",
];

fn is_named_id(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ids = ["workspace", "digest", "hash", "etag", "trace"];
    name.ends_with("id") || name.ends_with("uuid") || ids.iter().any(|word| name.contains(word))
}

/// What is kept as a secret is found as it is. One of a few letters would be found everywhere.
fn is_kept(text: &str, kept: &[Secret]) -> Option<&'static str> {
    let is_there = |secret: &Secret| {
        let secret = secret.expose();
        match secret.len() {
            0 => false,
            1..=5 => text == secret,
            _ => text.contains(secret),
        }
    };
    kept.iter()
        .any(is_there)
        .then_some("a secret of this workspace")
}

/// How many are told by place.
const MOST_TOLD: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    const PREFIXED: &str = "hps_01234567890123456789012345678901234567890129f52b234";
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";

    fn looks(kind: Kind, name: &str, text: &str) -> bool {
        let place = String::new();
        let leaf = Leaf {
            place,
            name,
            text,
            kind,
        };
        of_leaf(&leaf).is_some()
    }

    #[test]
    fn secrets_are_seen_wherever_they_are_typed() {
        for kind in [
            Kind::Words,
            Kind::Value,
            Kind::Header,
            Kind::Address,
            Kind::Body,
        ] {
            assert!(looks(kind, "note", &format!("see {TOKEN}!")), "{kind:?}");
            assert!(looks(kind, "note", &format!("a_{PREFIXED},b")), "{kind:?}");
        }
        for (kind, name, text) in [
            (Kind::Value, "x", HEX),
            (Kind::Value, "clientSecret", "anything"),
            (Kind::Value, "api_key", "k"),
            (Kind::Header, "Authorization", "Bearer abc"),
            (Kind::Header, "authorization", "Basic dXNlcjpwYXNz"),
            (Kind::Header, "Cookie", "a=b"),
            (Kind::Header, "X-Auth-Token", "abc"),
            (Kind::Reference, "x", "abc"),
            (Kind::Reference, "x", "{{a}}b"),
            (Kind::Reference, "x", "{{a"),
            (Kind::Address, "x", "https://user:pass@example.com/"),
            (Kind::Address, "x", "https://example.com/?access_token=abc"),
            (
                Kind::Body,
                "x",
                &format!("{{\"a\": [{{\"b\": \"{HEX}\"}}]}}"),
            ),
            (Kind::Body, "x", "{\"password\": \"hunter2\"}"),
            (Kind::Body, "x", &format!("client_secret={HEX}")),
        ] {
            assert!(looks(kind, name, text), "{kind:?} {name}: {text}");
        }
    }

    #[test]
    fn what_is_no_secret_passes() {
        let almost = "hps_0123456789012345678901234567890123456789012deadbeef";
        for (kind, name, text) in [
            (Kind::Value, "x", ""),
            (Kind::Value, "systemId", HEX),
            (Kind::Value, "x", "00000000000000000000000000000001"),
            (Kind::Value, "clientSecret", "{{secret}}"),
            (
                Kind::Value,
                "tokenUrl",
                "https://example.com/as/token.oauth2",
            ),
            (Kind::Value, "baseUrl", "https://example.com/"),
            (Kind::Value, "pageToken", "7"),
            (Kind::Words, "x", almost),
            (Kind::Words, "x", "eyJ.a.b is no token, nor is eyJhbGciOiJ"),
            (Kind::Header, "Authorization", "Bearer {{token}}"),
            (Kind::Header, "Authorization", " {{token}} "),
            (Kind::Header, "Accept", "application/json"),
            (Kind::Reference, "x", "{{a}} {{ b }}"),
            (
                Kind::Address,
                "x",
                &format!("https://example.com/{HEX}/token"),
            ),
            (
                Kind::Address,
                "x",
                "https://{{user}}:{{pass}}@example.com/?secret={{s}}",
            ),
            (
                Kind::Body,
                "x",
                "{\"name\": \"v1\", \"password\": \"{{pw}}\", \"sizeMib\": 1}",
            ),
        ] {
            assert!(!looks(kind, name, text), "{kind:?} {name}: {text}");
        }
    }

    #[test]
    fn what_is_kept_is_found_as_it_is() {
        let kept = [
            Secret::from("pa55-word".to_owned()),
            Secret::from("abc".to_owned()),
        ];
        assert!(is_kept("x pa55-word y", &kept).is_some());
        assert!(is_kept("abc", &kept).is_some());
        assert!(is_kept("abcd pa55", &kept).is_none());
    }
}
