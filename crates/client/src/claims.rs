//! What a token says, for its bearer: each member of header and payload with its value and its meaning
//! (RFC 7519 section 4.1, RFC 9068 section 2.2, domain facts section 2.3). Nothing is verified; that is
//! the resource server's business.

use hallpass_oauth::jws;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// How it is signed.
    pub header: Map<String, Value>,
    /// Its claims.
    pub claims: Map<String, Value>,
}

impl Said {
    /// Reads a token; `None` if it is no JWT, so that it tells nothing to its bearer.
    pub fn by(token: &str) -> Option<Self> {
        let (header, claims) = jws::peek(token)?;
        let members = |text: &str| serde_json::from_str(text).ok();
        Some(Self {
            header: members(&header)?,
            claims: members(&claims)?,
        })
    }
}

/// A member of a token, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its value; of a moment, the date and how far away it is.
    pub value: String,
    /// What it means; empty when that is not known.
    pub meaning: &'static str,
}

/// The members of a part of a token, explained for somebody who looks at `now` in `zone`. A token is
/// made by a server: control characters are spelled out.
pub fn explained(members: &Map<String, Value>, now: Timestamp, zone: &TimeZone) -> Vec<Claim> {
    let claim = |(name, value): (&String, &Value)| Claim {
        name: printable(name),
        value: shown(name, value, now, zone),
        meaning: meaning(name),
    };
    members.iter().map(claim).collect()
}

fn shown(name: &str, value: &Value, now: Timestamp, zone: &TimeZone) -> String {
    let time = value
        .as_i64()
        .and_then(|second| Timestamp::from_second(second).ok());
    match (value, time) {
        (_, Some(time)) if TIMES.contains(&name) => {
            let local = time
                .to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S %:z");
            format!("{local}, {}", distance(time.duration_since(now)))
        }
        (Value::String(text), _) => printable(text),
        (other, _) => printable(&other.to_string()),
    }
}

/// How far away a moment is, in its two largest units.
fn distance(from_now: SignedDuration) -> String {
    let seconds = from_now.as_secs().unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let length = match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    };
    if from_now.is_negative() {
        format!("{length} ago")
    } else {
        format!("in {length}")
    }
}

/// A terminal obeys some characters.
fn printable(text: &str) -> String {
    let escaped = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escaped).collect()
}

fn meaning(name: &str) -> &'static str {
    match name {
        "alg" => "how it is signed",
        "kid" => "which of the issuer's keys signed it",
        "typ" => "what kind of token it is",
        "pi.atm" => "the issuer's token manager",
        "iss" => "who issued it: the authorization server",
        "sub" => "on whose behalf: the credential's owner, whose permissions count",
        "aud" => "whom it is for: the API",
        "exp" => "when it ends, unless it is superseded or revoked before",
        "nbf" => "from when on it is good",
        "iat" => "when it was issued",
        "jti" => "its own id",
        "client_id" | "azp" => "which client asked for it",
        "scope" => "what it may be used for",
        "roles" | "groups" | "entitlements" => "what its owner may do",
        "auth_time" => "when its owner signed in",
        "user_ctx" => "the owner's id, which audit events name",
        "auth_source" => "how it was asked for",
        "platform_customer_id" | "hpe_workspace_id" => "the workspace it belongs to",
        "application_instance_id" => "the service and region it works for",
        "hpe_token_type" => "the version of its form",
        "hpe_principal_type" => "whether a person or a client holds it",
        "hpe_tenant_id" => "the tenant it belongs to",
        _ => "",
    }
}

/// Claims that are seconds since 1970 (RFC 7519 section 2, NumericDate).
const TIMES: [&str; 4] = ["exp", "nbf", "iat", "auth_time"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_their_two_largest_units() {
        for (seconds, text) in [
            (0, "in 0 s"),
            (59, "in 59 s"),
            (-61, "1 min 1 s ago"),
            (7199, "in 1 h 59 min"),
            (-90_000, "1 d 1 h ago"),
        ] {
            assert_eq!(distance(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn what_is_no_jwt_says_nothing() {
        for opaque in ["", "a.b.c", "e30.bm8.x", "opaque"] {
            assert_eq!(Said::by(opaque), None, "{opaque}");
        }
        // {"alg":"none"} and {"sub":"me"}
        let said = Said::by("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.").unwrap();
        let claims = explained(&said.claims, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        assert_eq!((&*claims[0].name, &*claims[0].value), ("sub", "me"));
        assert!(claims[0].meaning.contains("owner"));
    }
}
