//! What a profile is called.

use std::fmt;

use super::ProfileError;

/// What a connection is called on the command line. It becomes a file name as well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(String);

impl ProfileName {
    /// Letters, digits, `-`, `_` and `.`, at most 64, starting with a letter or digit: what every
    /// file system takes and no path walks with.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let first = text
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric());
        if first && text.len() <= LONGEST_NAME && text.chars().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProfileError::Name {
                name: text.chars().take(LONGEST_NAME).collect(),
            })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Longest profile name, in bytes: well below what any file system takes.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_file_names() {
        for name in ["us1", "eu-1_test.x", "7", &"a".repeat(64)] {
            assert_eq!(ProfileName::parse(name).unwrap().as_str(), name);
        }
        for name in [
            "",
            ".",
            "..",
            ".hidden",
            "-p",
            "a/b",
            "a b",
            "ä",
            "a\0",
            &"a".repeat(65),
        ] {
            assert!(ProfileName::parse(name).is_err(), "{name:?}");
        }
    }
}
