//! One public key of each algorithm whose private half was thrown away when it was made.
//!
//! An assertion that no registered key can be looked up for is checked with the one of its algorithm,
//! so that it takes as long to refuse as one of a client that exists. What comes of that check is
//! believed by nobody.

use std::sync::LazyLock;

use super::{Algorithm, JwkSet, VerifyingKey};

static KEYS: LazyLock<JwkSet> =
    LazyLock::new(|| JwkSet::from_json(include_bytes!("nobody.json")).unwrap_or_default());

/// Nobody's key of the algorithm. There is one of each.
pub(crate) fn nobodys_key(algorithm: Algorithm) -> Option<&'static VerifyingKey> {
    KEYS.iter().find(|key| key.algorithm() == algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_of_each_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(nobodys_key(algorithm).unwrap().algorithm(), algorithm);
        }
        assert_eq!(KEYS.iter().count(), Algorithm::ALL.len());
    }
}
