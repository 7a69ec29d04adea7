//! Finding secrets in texts, however they are written there: as they are, percent-encoded in an address
//! (RFC 3986 section 2.1), as a field of a form, escaped as in JSON, and in the small letters of a host.
//! Servers and libraries write them anew in a way that nobody here decides.

use std::collections::HashMap;

use hallpass_client::Secret;

use super::MASK;

/// Secrets that are looked for together, in one go through a text.
#[derive(Default)]
pub(super) struct Masking(HashMap<u8, Vec<Secret>>);

impl Masking {
    /// Those that are long enough: one of a few letters would be found everywhere.
    pub(super) fn of(secrets: &[Secret]) -> Self {
        let mut by_first: HashMap<u8, Vec<Secret>> = HashMap::new();
        for secret in secrets {
            let text = secret.expose();
            if let (SHORTEST.., Some(first)) = (text.len(), text.bytes().next()) {
                let first = first.to_ascii_lowercase();
                by_first.entry(first).or_default().push(secret.clone());
            }
        }
        // What begins like another and goes on is to be found whole.
        for secrets in by_first.values_mut() {
            secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        }
        Self(by_first)
    }

    /// The text with a mask in place of every secret.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut masked = String::new();
        let (mut begin, mut at) = (0, 0);
        while at < text.len() {
            let found = text.is_char_boundary(at).then(|| self.at(&text[at..]));
            match found.flatten() {
                Some(length) => {
                    masked.extend([&text[begin..at], MASK]);
                    at += length;
                    begin = at;
                }
                None => at += 1,
            }
        }
        masked.push_str(&text[begin..]);
        masked
    }

    /// How much of the text is the secret that it begins with.
    fn at(&self, text: &str) -> Option<usize> {
        let text = text.as_bytes();
        let raw = text.first()?.to_ascii_lowercase();
        let (meant, _) = unit(text)?;
        let blank = (raw == b'+').then_some(b' ');
        let firsts = [Some(raw), Some(meant.to_ascii_lowercase()), blank];
        let secrets = firsts
            .iter()
            .flatten()
            .filter_map(|first| self.0.get(first));
        let mut lengths = secrets
            .flatten()
            .filter_map(|secret| length(text, secret.expose()));
        lengths.next()
    }
}

/// How much of the text writes this secret.
fn length(text: &[u8], secret: &str) -> Option<usize> {
    let secret = secret.as_bytes();
    let same = |one: u8, other: u8| one.eq_ignore_ascii_case(&other);
    if let Some(begin) = text.get(..secret.len())
        && begin.eq_ignore_ascii_case(secret)
    {
        return Some(secret.len());
    }
    let mut at = 0;
    for wanted in secret {
        let rest = &text[at..];
        let (meant, length) = unit(rest)?;
        at += match rest.first()? {
            _ if same(meant, *wanted) => length,
            b'+' if *wanted == b' ' => 1,
            raw if same(*raw, *wanted) => 1,
            _ => return None,
        };
    }
    Some(at)
}

/// The byte that a text begins with, and how much of the text writes it.
fn unit(text: &[u8]) -> Option<(u8, usize)> {
    let hex = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        u8::from_str_radix(digits, 16).ok()
    };
    let written = match text {
        [b'%', digits @ ..] => digits.get(..2).and_then(hex).map(|byte| (byte, 3)),
        [b'\\', b'u', b'0', b'0', digits @ ..] => {
            let byte = digits.get(..2).and_then(hex).filter(u8::is_ascii);
            byte.map(|byte| (byte, 6))
        }
        [b'\\', b'n', ..] => Some((b'\n', 2)),
        [b'\\', b'r', ..] => Some((b'\r', 2)),
        [b'\\', b't', ..] => Some((b'\t', 2)),
        [b'\\', other @ (b'"' | b'\\' | b'/'), ..] => Some((*other, 2)),
        _ => None,
    };
    written.or(text.first().map(|byte| (*byte, 1)))
}

/// A shorter secret is not looked for.
const SHORTEST: usize = 6;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(secrets: &[&str], text: &str) -> String {
        let secrets: Vec<Secret> = secrets
            .iter()
            .map(|one| Secret::from((*one).to_owned()))
            .collect();
        Masking::of(&secrets).masked(text)
    }

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let secret = "p@ss \"Wörd\"/1%2";
        let in_json = serde_json::Value::from(secret).to_string();
        let in_form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for written in [
            secret,
            in_json.trim_matches('"'),
            &in_form,
            &super::super::segment(secret),
            "p%40ss%20%22w%c3%b6rd%22%2f1%252",
            "P@SS \"Wörd\"/1%2",
            "p@ss%20%22W%C3%B6rd%22/1%2",
            "p\\u0040ss \\\"Wörd\\\"\\/1%2",
        ] {
            let text = format!("ä<{written}>%4\\");
            assert_eq!(masked(&[secret], &text), "ä<********>%4\\");
        }
        assert_eq!(masked(&["abcdef", "abcdefgh"], "xabcdefghx"), "x********x");
        assert_eq!(masked(&["short", ""], "short"), "short");
        assert_eq!(masked(&["%25abc"], "%25abc"), "********");
    }

    proptest! {
        #[test]
        fn nothing_but_secrets_is_taken_out(text in "[a%2\\\\u0+ äß\"]{0,30}") {
            prop_assert_eq!(masked(&["zzzzzz", "ä+zz%z"], &text), text);
        }

        #[test]
        fn no_secret_stays(secret in "[a%2\\\\u0+ äß\"/]{6,12}", around in "[a% \\\\ä]{0,4}") {
            let encoded = super::super::segment(&secret);
            for written in [&secret, &encoded] {
                let text = format!("{around}{written}{around}");
                let masked = masked(&[&secret], &text);
                prop_assert!(!masked.contains(written.as_str()), "{} in {}", written, masked);
            }
        }
    }
}
