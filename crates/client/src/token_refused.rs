//! An API that refuses every token is believed for a while: each further token would supersede the one
//! that the client's other programs use, and help nobody.
//!
//! The note is a file of the cache directory and holds a fingerprint of the token, not the token.

use aws_lc_rs::digest;
use hallpass_oauth::identifier::hex;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::access_token::AccessToken;

/// A token that was got in place of a refused one and was refused as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    token: String,
    at: Timestamp,
}

impl Refused {
    pub(crate) fn new(token: &AccessToken, now: Timestamp) -> Self {
        let token = fingerprint(token);
        Self { token, at: now }
    }

    /// Whether `token` is not worth replacing at `now`. A clock that was set back ends it.
    pub(crate) fn holds(&self, token: &AccessToken, now: Timestamp) -> bool {
        let age = now.duration_since(self.at);
        !age.is_negative() && age < BELIEVED && self.token == fingerprint(token)
    }

    pub(crate) fn print(&self) -> Vec<u8> {
        let written = Written {
            token: self.token.clone(),
            at: self.at.to_string(),
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads what [`Self::print`] wrote; anything else is no note.
    pub(crate) fn read(content: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(content).ok()?;
        Some(Self {
            at: written.at.parse().ok()?,
            token: written.token,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    token: String,
    at: String,
}

/// Tells one token from another and gives neither away.
fn fingerprint(token: &AccessToken) -> String {
    let digest = digest::digest(&digest::SHA256, token.expose().as_bytes());
    hex(&digest.as_ref()[..8])
}

/// How long the refusal is believed.
const BELIEVED: SignedDuration = SignedDuration::from_mins(1);

#[cfg(test)]
mod tests {
    use hallpass_oauth::Secret;

    use super::*;

    #[test]
    fn a_refusal_is_believed_for_a_minute_and_for_one_token() {
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let token = |text: &str| AccessToken::new(Secret::from(text.to_owned()), at(0), at(7200));
        let refused = Refused::new(&token("planted"), at(0));
        assert_eq!(Refused::read(&refused.print()).as_ref(), Some(&refused));
        assert!(
            !String::from_utf8(refused.print())
                .unwrap()
                .contains("planted")
        );
        for (text, second, holds) in [
            ("planted", 0, true),
            ("planted", 59, true),
            ("planted", 60, false),
            ("planted", -1, false),
            ("another", 0, false),
        ] {
            assert_eq!(
                refused.holds(&token(text), at(second)),
                holds,
                "{text} {second}"
            );
        }
        assert_eq!(Refused::read(b"{}"), None);
    }
}
