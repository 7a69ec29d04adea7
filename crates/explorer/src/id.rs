//! Names that the explorer gives: of workspaces, definitions, environments, requests, tokens, answers.

use std::fmt;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::answer::Failure;

/// A short name without a meaning. It can stand in a path and be the name of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// A new one: 64 random bits.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(format!("{:016x}", rng.next_u64()))
    }

    /// One that follows from a digest: its first 64 bits.
    pub(crate) fn of_digest(digest: &[u8]) -> Self {
        Self(hex(digest.get(..8).unwrap_or(digest)))
    }

    /// Reads one: up to 64 small letters, digits and hyphens, the first no hyphen.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let taken = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_id =
            (1..=64).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(taken);
        if is_id {
            Ok(Self(text.to_owned()))
        } else {
            Err(Failure::not_found("that"))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(|_| serde::de::Error::custom("it is no id"))
    }
}

/// Bytes in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_be_the_name_of_a_file() {
        for good in ["a", "0123-ab", &"x".repeat(64)] {
            assert_eq!(Id::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "A", "a/b", "..", "a.b", "ä", &"x".repeat(65)] {
            assert!(Id::parse(bad).is_err(), "{bad}");
        }
    }
}
