//! What a token says, laid out for a terminal: header and claims in columns, each with its meaning.

use std::fmt::Write as _;

use hallpass_client::claims::{Claim, explained};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// The members of a token, explained for somebody who looks at `now` in `zone`.
pub(crate) fn explain(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    now: Timestamp,
    zone: &TimeZone,
) -> String {
    let (header, claims) = (explained(header, now, zone), explained(claims, now, zone));
    let width = |column: fn(&Claim) -> &str| {
        let all = header.iter().chain(&claims);
        let lengths = all.map(|claim| column(claim).chars().count());
        lengths
            .filter(|length| *length <= WIDEST)
            .max()
            .unwrap_or_default()
    };
    let (names, values) = (width(|claim| &claim.name), width(|claim| &claim.value));
    let mut text = String::new();
    for (title, claims) in [("Header", &header), ("Claims", &claims)] {
        let _ = writeln!(text, "{title}");
        for Claim {
            name,
            value,
            meaning,
        } in claims
        {
            let line = format!("  {name:names$}  {value:values$}  {meaning}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text.truncate(text.trim_end().len());
    text
}

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
    fn a_token_does_not_command_the_terminal() {
        let text =
            explained(&json!({"sub": "a\u{1b}[2Jb", "\u{7}": "", "exp": "soon", "iat": 1e300}));
        assert!(text.contains("a\\u{1b}[2Jb") && !text.contains(['\u{1b}', '\u{7}']));
    }
}
