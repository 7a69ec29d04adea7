//! What tells one token from another: the `jti` claim, or the token's own hash where the profile
//! writes none.
//!
//! An ordinary token is linked to its credential by its place in the credential's sequence, so one
//! watermark per credential can end any number of tokens (design, section 3.3). A token got by
//! exchange (RFC 8693) repeats the link of its subject token, so it dies with it.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;

/// The first 128 bits of a token's SHA-256: what names a token that carries no `jti`.
pub type Fingerprint = [u8; 16];

/// Takes the fingerprint of a token in compact form.
pub fn fingerprint(compact: &str) -> Fingerprint {
    let hash = digest::digest(&digest::SHA256, compact.as_bytes());
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&hash.as_ref()[..16]);
    fingerprint
}

/// What links a token to its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The place in the credential's sequence, and 64 random bits that tell tokens of one place
    /// apart.
    Place {
        /// The place.
        sequence: u64,
        /// The random bits.
        random: u64,
    },
    /// The fingerprint of a token that carries no `jti`.
    Fingerprint(Fingerprint),
}

impl Link {
    fn to_bytes(self) -> [u8; 16] {
        match self {
            Self::Place { sequence, random } => {
                (u128::from(sequence) << 64 | u128::from(random)).to_be_bytes()
            }
            Self::Fingerprint(bytes) => bytes,
        }
    }

    fn place(bytes: [u8; 16]) -> Self {
        let (sequence, random) = bytes.split_at(8);
        let number = |part: &[u8]| u64::from_be_bytes(part.try_into().unwrap_or_default());
        Self::Place {
            sequence: number(sequence),
            random: number(random),
        }
    }

    fn tag(self) -> u8 {
        match self {
            Self::Place { .. } => 0,
            Self::Fingerprint(_) => 1,
        }
    }
}

/// Names one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenId {
    link: Link,
    /// Set for a token got by exchange: the random bits that are its own.
    exchanged: Option<u64>,
}

/// A name under which a token, or a client assertion, stands in the list of what must not be
/// taken (any more).
pub type SpentId = [u8; 32];

impl TokenId {
    /// A new id at that place of the credential's sequence.
    pub fn generate(sequence: u64, rng: &mut dyn CryptoRng) -> Self {
        Self {
            link: Link::Place {
                sequence,
                random: rng.next_u64(),
            },
            exchanged: None,
        }
    }

    /// The id of a token that carries none.
    pub fn of_bare(fingerprint: Fingerprint) -> Self {
        Self {
            link: Link::Fingerprint(fingerprint),
            exchanged: None,
        }
    }

    /// A new id for a token got in exchange for this one.
    #[must_use]
    pub fn exchange(&self, rng: &mut dyn CryptoRng) -> Self {
        Self {
            link: self.link,
            exchanged: Some(rng.next_u64()),
        }
    }

    /// What links the token to its credential.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Whether the token was got by exchange.
    pub fn is_exchanged(&self) -> bool {
        self.exchanged.is_some()
    }

    /// The text of the `jti` claim; `None` for a token that carries none. 22 characters for an
    /// ordinary token, 34 for one got by exchange.
    pub fn to_claim(&self) -> Option<String> {
        match (self.link, self.exchanged) {
            (Link::Fingerprint(_), None) => None,
            (link, None) => Some(URL_SAFE_NO_PAD.encode(link.to_bytes())),
            (link, Some(own)) => {
                let mut bytes = [0; 25];
                bytes[0] = link.tag();
                bytes[1..17].copy_from_slice(&link.to_bytes());
                bytes[17..].copy_from_slice(&own.to_be_bytes());
                Some(URL_SAFE_NO_PAD.encode(bytes))
            }
        }
    }

    /// Reads the text of a `jti` claim.
    pub fn from_claim(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        if let Ok(link) = <[u8; 16]>::try_from(bytes.as_slice()) {
            return Some(Self {
                link: Link::place(link),
                exchanged: None,
            });
        }
        let bytes = <[u8; 25]>::try_from(bytes).ok()?;
        let link = <[u8; 16]>::try_from(&bytes[1..17]).ok()?;
        Some(Self {
            link: match bytes[0] {
                0 => Link::place(link),
                1 => Link::Fingerprint(link),
                _ => return None,
            },
            exchanged: Some(u64::from_be_bytes(bytes[17..].try_into().ok()?)),
        })
    }

    /// The name under which this very token is revoked.
    pub fn spent_id(&self) -> SpentId {
        let mut id = [0; 32];
        id[0] = self.link.tag();
        id[1..17].copy_from_slice(&self.link.to_bytes());
        if let Some(own) = self.exchanged {
            id[17] = 1;
            id[18..26].copy_from_slice(&own.to_be_bytes());
        }
        id
    }

    /// Every name whose revocation ends this token: its own, and its subject token's.
    pub fn spent_ids(&self) -> impl Iterator<Item = SpentId> {
        let subject = Self {
            link: self.link,
            exchanged: None,
        };
        let inherited = self.is_exchanged().then(|| subject.spent_id());
        std::iter::once(self.spent_id()).chain(inherited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn an_id_is_read_back_with_its_link() {
        let rng = &mut SystemRandom;
        let ordinary = TokenId::generate(u64::MAX - 1, rng);
        let bare = TokenId::of_bare(fingerprint("a.b.c"));
        for id in [ordinary, ordinary.exchange(rng), bare.exchange(rng)] {
            let claim = id.to_claim().unwrap();
            assert_eq!(TokenId::from_claim(&claim), Some(id), "{claim}");
        }
        assert_eq!(ordinary.to_claim().unwrap().len(), 22);
        assert_eq!(ordinary.exchange(rng).to_claim().unwrap().len(), 34);
        assert_eq!(bare.to_claim(), None);
        assert_eq!(TokenId::from_claim("short"), None);
        let unknown_tag = URL_SAFE_NO_PAD.encode([2; 25]);
        assert_eq!(TokenId::from_claim(&unknown_tag), None);
    }

    #[test]
    fn revoking_a_subject_token_ends_what_was_got_for_it_and_not_the_other_way_round() {
        let rng = &mut SystemRandom;
        let subject = TokenId::generate(7, rng);
        let exchanged = subject.exchange(rng);
        assert!(exchanged.spent_ids().any(|id| id == subject.spent_id()));
        assert!(subject.spent_ids().all(|id| id != exchanged.spent_id()));
        assert_ne!(exchanged.spent_id(), subject.exchange(rng).spent_id());
        assert_ne!(
            TokenId::of_bare([0; 16]).spent_id(),
            TokenId::from_claim(&URL_SAFE_NO_PAD.encode([0; 16])).unwrap().spent_id(),
            "a fingerprint and a place are never the same name"
        );
    }
}
