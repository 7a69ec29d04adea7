//! An access token taken apart for a person to read (domain facts, section 2.3): each part with its value
//! and a sentence that says what it is for.

use hallpass_oauth::jws::peek;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::shown::in_words;

/// A member of a token.
pub(super) struct Explained {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) meaning: String,
}

/// The members of header and claims, in the token's own order.
pub(super) fn explain(token: &str, now: Timestamp) -> (Vec<Explained>, Vec<Explained>) {
    let (header, claims) = peek(token).unwrap_or_default();
    let read =
        |text: &str| -> Map<String, Value> { serde_json::from_str(text).unwrap_or_default() };
    let all = |members: Map<String, Value>, meaning: &dyn Fn(&str, &Value) -> String| {
        let each = members.into_iter().map(|(name, value)| Explained {
            meaning: meaning(&name, &value),
            value: value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
            name,
        });
        each.collect()
    };
    (
        all(read(&header), &|name, _| in_header(name).to_owned()),
        all(read(&claims), &|name, value| in_claims(name, value, now)),
    )
}

fn in_header(name: &str) -> &'static str {
    match name {
        "alg" => "How the token is signed.",
        "kid" => "Which of the published keys verifies the signature.",
        "typ" => "What kind of token it is.",
        "pi.atm" => "Names the token manager; a mark of the real system without a meaning here.",
        _ => "Something else about the signature.",
    }
}

fn in_claims(name: &str, value: &Value, now: Timestamp) -> String {
    let words = match name {
        "client_id" => "The credential that the token was issued to.",
        "iss" => "Who issued the token.",
        "aud" => "Whom the token is for; a server that is not meant refuses it.",
        "sub" => {
            "Whom the token speaks for: the credential's owner, by whose roles calls are judged, or the credential itself."
        }
        "user_ctx" => "What the owner's workspace is called in audit events and tasks.",
        "auth_source" => "Which service manages the credential.",
        "platform_customer_id" => "The workspace that the token is for.",
        "application_instance_id" => {
            "The service and region that accept the token; all zeros is the platform itself."
        }
        "jti" => "Names this one token, so that it can be revoked.",
        "scope" => "What the token may be used for at the most.",
        "iat" => return format!("When the token was issued: {}.", time(value)),
        "nbf" => return format!("Before this time the token is not good: {}.", time(value)),
        "exp" => return end(value, now),
        _ => "Something else that the issuer says.",
    };
    words.to_owned()
}

fn time(value: &Value) -> String {
    let at = value
        .as_i64()
        .and_then(|at| Timestamp::from_second(at).ok());
    at.map_or_else(
        || "not a time".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

fn end(value: &Value, now: Timestamp) -> String {
    let at = value
        .as_i64()
        .and_then(|at| Timestamp::from_second(at).ok());
    let left = at.map_or(SignedDuration::ZERO, |at| at.duration_since(now));
    format!(
        "When the token ends: {}, {} from when this page was made.",
        time(value),
        in_words(left)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header and claims of the shape of the real system's, with a signature of nothing.
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsiLCJwaS5hdG0iOiJkZXowIn0.\
        eyJjbGllbnRfaWQiOiJjIiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDcyMDAsImNvbG91ciI6NX0.AA";

    #[test]
    fn every_member_has_its_value_and_a_sentence() {
        let now = Timestamp::from_second(1_700_000_001).unwrap();
        let (header, claims) = explain(TOKEN, now);
        let shown = |all: &[Explained]| -> Vec<(String, String)> {
            let each = all.iter().map(|one| (one.name.clone(), one.value.clone()));
            each.collect()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            shown(&header),
            [
                pair("alg", "RS256"),
                pair("kid", "k"),
                pair("pi.atm", "dez0")
            ]
        );
        assert_eq!(
            shown(&claims),
            [
                pair("client_id", "c"),
                pair("iat", "1700000000"),
                pair("exp", "1700007200"),
                pair("colour", "5")
            ]
        );
        let said = &claims[2].meaning;
        assert!(
            said.contains("2023-11-15 00:13:20 UTC, 1 hour 59 minutes"),
            "{said}"
        );
        assert!(
            header
                .iter()
                .chain(&claims)
                .all(|one| one.meaning.ends_with('.'))
        );
    }

    #[test]
    fn what_is_no_token_has_no_members() {
        let (header, claims) = explain("abc", Timestamp::UNIX_EPOCH);
        assert!(header.is_empty() && claims.is_empty());
    }
}
