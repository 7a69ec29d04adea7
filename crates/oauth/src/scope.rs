//! Scopes (RFC 6749 section 3.3): single words and sets of them.
//!
//! A request's scope is a set: order and repetition mean nothing. The order of writing is kept all
//! the same, since it makes answers predictable. Which scopes exist, and who may have them, is
//! decided elsewhere.

use std::fmt;
use std::str::FromStr;

/// Most words in one set. No service known has more than a few dozen.
pub const MOST_SCOPES: usize = 100;

/// Longest single word, in bytes.
pub const LONGEST_SCOPE: usize = 128;

/// One scope word: RFC 6749 section 3.3, `scope-token`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(String);

/// Why a text is no scope. Positions count bytes from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// A scope-token has at least one character; between two of them stands exactly one blank.
    #[error(
        "at position {position} of the scope a word is missing: words are separated by one space"
    )]
    EmptyWord {
        /// Where the word was expected.
        position: usize,
    },
    /// Outside of the characters RFC 6749 section 3.3 allows.
    #[error(
        "position {position} of the scope holds a character that is not allowed: a scope is made of \
         visible ASCII without quotes and backslashes"
    )]
    Character {
        /// Where the character stands.
        position: usize,
    },
    /// Over [`LONGEST_SCOPE`].
    #[error("the scope word at position {position} is longer than {LONGEST_SCOPE} characters")]
    TooLong {
        /// Where the word begins.
        position: usize,
    },
    /// Over [`MOST_SCOPES`].
    #[error("the scope has more than {MOST_SCOPES} words")]
    TooMany,
}

impl Scope {
    /// Checks the characters and the length.
    pub fn parse(word: &str) -> Result<Self, ScopeError> {
        Self::parse_at(word, 1)
    }

    /// The word as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse_at(word: &str, position: usize) -> Result<Self, ScopeError> {
        if word.is_empty() {
            return Err(ScopeError::EmptyWord { position });
        }
        if let Some(at) = word.bytes().position(|byte| !is_scope_character(byte)) {
            let position = position + at;
            return Err(ScopeError::Character { position });
        }
        if word.len() > LONGEST_SCOPE {
            return Err(ScopeError::TooLong { position });
        }
        Ok(Self(word.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({})", self.0)
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(word: &str) -> Result<Self, ScopeError> {
        Self::parse(word)
    }
}

/// A set of scopes, in the order in which they were first named. Two sets of the same words are
/// equal whatever their order.
#[derive(Debug, Clone, Default)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// Reads the value of a `scope` parameter. An empty text is the empty set: RFC 6749 section 3.2
    /// takes a parameter without a value as omitted.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let mut set = Self::default();
        if text.is_empty() {
            return Ok(set);
        }
        let mut position = 1;
        for (index, word) in text.split(' ').enumerate() {
            // Counted with repetitions, so that a long text of one word is no way around the limit.
            if index == MOST_SCOPES {
                return Err(ScopeError::TooMany);
            }
            set.put(Scope::parse_at(word, position)?);
            position += word.len() + 1;
        }
        Ok(set)
    }

    /// A set of these scopes; a repeated one counts once.
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, ScopeError> {
        let mut set = Self::default();
        for scope in scopes {
            set.put(scope);
            if set.0.len() > MOST_SCOPES {
                return Err(ScopeError::TooMany);
            }
        }
        Ok(set)
    }

    /// Whether there is no scope in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many scopes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether that scope is one of them. Scopes are compared with case (RFC 6749 section 3.3).
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Whether `other` has each of these.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|scope| other.contains(scope))
    }

    /// Those of this set that `other` does not have.
    #[must_use]
    pub fn missing_from(&self, other: &Self) -> Self {
        let missing = self.0.iter().filter(|scope| !other.contains(scope));
        Self(missing.cloned().collect())
    }

    /// The scopes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    fn put(&mut self, scope: Scope) {
        if !self.contains(&scope) {
            self.0.push(scope);
        }
    }
}

impl PartialEq for ScopeSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.is_subset(other)
    }
}

impl Eq for ScopeSet {}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{scope}")?;
        }
        Ok(())
    }
}

impl FromStr for ScopeSet {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::parse(text)
    }
}

/// RFC 6749 section 3.3: `%x21 / %x23-5B / %x5D-7E`.
fn is_scope_character(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    #[test]
    fn rfc6749_3_3_exactly_the_named_characters_make_a_scope() {
        for byte in 0..=0x7f_u8 {
            let allowed =
                byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte);
            let word = char::from(byte).to_string();
            assert_eq!(Scope::parse(&word).is_ok(), allowed, "{byte:#x}");
        }
        assert!(Scope::parse("é").is_err() && Scope::parse("").is_err());
    }

    #[test]
    fn rfc6749_3_3_a_scope_is_a_set_and_its_order_does_not_matter() {
        assert_eq!(set("read write"), set("write read write"));
        assert_ne!(set("read"), set("Read"));
        assert_eq!(set("b a b").to_string(), "b a");
        assert_eq!(set("").to_string(), "");
        assert!(set("").is_empty() && set("").is_subset(&set("a")));
    }

    #[test]
    fn what_is_missing_is_named_in_order() {
        let asked = set("d a c b");
        let granted = set("a b");
        assert!(!asked.is_subset(&granted) && granted.is_subset(&asked));
        assert_eq!(asked.missing_from(&granted).to_string(), "d c");
        assert!(granted.missing_from(&asked).is_empty());
        let words: Vec<&str> = asked.iter().map(Scope::as_str).collect();
        assert_eq!(words, ["d", "a", "c", "b"]);
    }

    #[test]
    fn an_error_says_where() {
        let error = |text: &str| ScopeSet::parse(text).unwrap_err();
        assert_eq!(error("ab  c"), ScopeError::EmptyWord { position: 4 });
        assert_eq!(error(" "), ScopeError::EmptyWord { position: 1 });
        assert_eq!(error("ab "), ScopeError::EmptyWord { position: 4 });
        assert_eq!(error("ab c\"d"), ScopeError::Character { position: 5 });
        assert!(error("ab\tc").to_string().contains("position 3"));
    }

    #[test]
    fn words_and_sets_are_bounded() {
        let longest = "x".repeat(LONGEST_SCOPE);
        assert!(Scope::parse(&longest).is_ok());
        let error = ScopeSet::parse(&format!("a {longest}x")).unwrap_err();
        assert_eq!(error, ScopeError::TooLong { position: 3 });
        let words = |n: usize| (0..n).map(|i| format!("s{i}")).collect::<Vec<_>>();
        assert_eq!(set(&words(MOST_SCOPES).join(" ")).len(), MOST_SCOPES);
        for text in [
            words(MOST_SCOPES + 1).join(" "),
            vec!["a"; MOST_SCOPES + 1].join(" "),
        ] {
            assert_eq!(ScopeSet::parse(&text).unwrap_err(), ScopeError::TooMany);
        }
        let many = |n| {
            words(n)
                .into_iter()
                .map(|word| Scope::parse(&word).unwrap())
        };
        assert!(ScopeSet::of(many(MOST_SCOPES)).is_ok());
        assert_eq!(
            ScopeSet::of(many(MOST_SCOPES + 1)).unwrap_err(),
            ScopeError::TooMany
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_is_printed_back(text in ".{0,200}") {
            if let Ok(set) = ScopeSet::parse(&text) {
                let printed = ScopeSet::parse(&set.to_string()).unwrap();
                prop_assert_eq!(set.to_string(), printed.to_string());
                prop_assert!(text.split(' ').filter(|w| !w.is_empty())
                    .all(|word| set.contains(&Scope::parse(word).unwrap())));
            }
        }
    }
}
