//! What a token says, for its bearer: each member of header and payload with its value and its meaning
//! (RFC 7519 section 4.1, RFC 9068 section 2.2, domain facts section 2.3). Nothing is verified; that is
//! the resource server's business.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// The members of a token, explained for somebody who looks at `now` in `zone`.
pub(crate) fn explain(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    now: Timestamp,
    zone: &TimeZone,
) -> String {
    let rows = |members: &Map<String, Value>| -> Vec<[String; 3]> {
        let row = |(name, value): (&String, &Value)| {
            let (value, meaning) = shown(name, value, now, zone);
            [printable(name), value, meaning.to_owned()]
        };
        members.iter().map(row).collect()
    };
    let (header, claims) = (rows(header), rows(claims));
    let width = |column: usize| {
        let all = header.iter().chain(&claims);
        let lengths = all.map(|row| row[column].chars().count());
        lengths
            .filter(|length| *length <= WIDEST)
            .max()
            .unwrap_or_default()
    };
    let (names, values) = (width(0), width(1));
    let mut text = String::new();
    for (title, rows) in [("Header", &header), ("Claims", &claims)] {
        let _ = writeln!(text, "{title}");
        for [name, value, meaning] in rows {
            let line = format!("  {name:names$}  {value:values$}  {meaning}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn shown(name: &str, value: &Value, now: Timestamp, zone: &TimeZone) -> (String, &'static str) {
    let meaning = meaning(name);
    let time = value
        .as_i64()
        .and_then(|second| Timestamp::from_second(second).ok());
    let shown = match (value, time) {
        (_, Some(time)) if TIMES.contains(&name) => {
            let local = time
                .to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S %:z");
            format!("{local}, {}", distance(time.duration_since(now)))
        }
        (Value::String(text), _) => printable(text),
        (other, _) => printable(&other.to_string()),
    };
    (shown, meaning)
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

/// A token is made by a server, and a terminal obeys some characters.
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

/// A value that is longer than this does not make its column wider.
const WIDEST: usize = 60;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn explained(claims: &Value) -> String {
        let (header, now) = (
            json!({"alg": "RS256"}),
            Timestamp::from_second(1_700_000_000),
        );
        let (header, claims) = (header.as_object().unwrap(), claims.as_object().unwrap());
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        explain(header, claims, now.unwrap(), &zone)
    }

    #[test]
    fn claims_are_named_in_words_and_times_in_local_form_with_what_is_left() {
        let text = explained(&json!({
            "iss": "http://127.0.0.1:8080", "iat": 1_699_999_000, "exp": 1_700_003_660, "x": [1]
        }));
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| {
                line.split("  ")
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .collect()
            })
            .collect();
        assert_eq!(lines[0], ["Header"]);
        assert_eq!(lines[1], ["alg", "RS256", "how it is signed"]);
        assert_eq!(lines[2], ["Claims"]);
        assert_eq!(lines[3][..2], ["iss", "http://127.0.0.1:8080"]);
        let issued = "2023-11-14 22:56:40 +01:00, 16 min 40 s ago";
        assert_eq!(lines[4], ["iat", issued, "when it was issued"]);
        assert_eq!(lines[5][1], "2023-11-15 00:14:20 +01:00, in 1 h 1 min");
        assert_eq!(lines[6], ["x", "[1]"]);
        let column = |line: &str, word: &str| line.find(word);
        let all: Vec<_> = text.lines().collect();
        assert_eq!(column(all[1], "how it"), column(all[4], "when it"));
    }

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
    fn a_token_does_not_command_the_terminal() {
        let text =
            explained(&json!({"sub": "a\u{1b}[2Jb", "\u{7}": "", "exp": "soon", "iat": 1e300}));
        assert!(text.contains("a\\u{1b}[2Jb") && !text.contains(['\u{1b}', '\u{7}']));
    }
}
