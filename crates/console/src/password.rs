//! Passwords of people: what one must be like, how it is kept, how it is checked.
//!
//! Length is what makes a password hard to guess; rules about its characters make people choose
//! worse ones (NIST SP 800-63B, section 5.1.1.2). It is kept as an Argon2id hash (RFC 9106) whose
//! cost is written beside it, so that the cost can grow without anybody choosing anew.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use hallpass_oauth::Secret;
use rand_core::CryptoRng;
use tokio::sync::Semaphore;

/// Shortest password, in characters.
pub const SHORTEST: usize = 12;

/// Longest password, in characters. Nobody types more, and hashing it must stay bounded.
pub const LONGEST: usize = 128;

/// 19 MiB, two passes, one lane: the least that OWASP's password storage advice names for Argon2id.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// How many hashes are computed at once: each takes 19 MiB while it runs.
const AT_ONCE: usize = 2;

/// A password that may be chosen.
#[derive(Debug)]
pub struct NewPassword(Secret);

/// Why a password may not be chosen, in words for whoever chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsuitable {
    /// Nothing was typed.
    #[error("Type the password in both fields.")]
    Missing,
    /// The two fields differ.
    #[error("The two passwords differ. Type the same one twice.")]
    Different,
    /// Fewer than [`SHORTEST`] characters.
    #[error(
        "The password has fewer than {SHORTEST} characters. A few unrelated words make a good one."
    )]
    TooShort,
    /// More than [`LONGEST`] characters.
    #[error("The password has more than {LONGEST} characters.")]
    TooLong,
    /// It is what everybody knows.
    #[error("The password is the e-mail address. Choose something that others cannot know.")]
    Email,
}

/// The password could not be hashed; whoever chose it is not to blame.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// The hash function refused its parameters.
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    /// The computation was given up.
    #[error("hashing the password did not come to its end")]
    Aborted,
}

/// Computes hashes, a few at a time and away from the threads that answer requests.
#[derive(Debug, Clone)]
pub struct Hashing(Arc<Semaphore>);

impl NewPassword {
    /// Takes a password that was typed twice for the person of that e-mail address.
    pub fn parse(first: Secret, second: &Secret, email: &str) -> Result<Self, Unsuitable> {
        let length = first.expose().chars().count();
        if length == 0 {
            return Err(Unsuitable::Missing);
        }
        if first.expose() != second.expose() {
            return Err(Unsuitable::Different);
        }
        if length < SHORTEST {
            return Err(Unsuitable::TooShort);
        }
        if length > LONGEST {
            return Err(Unsuitable::TooLong);
        }
        if first.expose().trim().to_lowercase() == email.to_lowercase() {
            return Err(Unsuitable::Email);
        }
        Ok(Self(first))
    }
}

impl Default for Hashing {
    fn default() -> Self {
        Self::new()
    }
}

impl Hashing {
    /// Ready to compute.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// The hash of a password under a new salt, in the form that is stored. The salt is drawn
    /// before anything waits.
    pub fn hash(
        &self,
        password: NewPassword,
        rng: &mut dyn CryptoRng,
    ) -> impl Future<Output = Result<String, HashingError>> + Send + use<> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let permits = self.0.clone();
        async move {
            let permit = permits.acquire_owned().await;
            let permit = permit.map_err(|_| HashingError::Aborted)?;
            let computation = tokio::task::spawn_blocking(move || {
                // Held until the memory is free again, even if whoever asked has gone away.
                let _permit = permit;
                hash(&password, &salt)
            });
            computation.await.map_err(|_| HashingError::Aborted)?
        }
    }
}

/// Whether the password is the one whose hash was stored. Takes as long as making the hash; a
/// stored text that is no hash verifies nothing.
pub fn verify(password: &Secret, stored: &str) -> bool {
    // The cost comes out of the stored text, so older hashes stay good when `COST` grows.
    PasswordHash::new(stored).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.expose().as_bytes(), &hash)
            .is_ok()
    })
}

fn hash(password: &NewPassword, salt: &[u8]) -> Result<String, HashingError> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None)
        .map_err(|error| HashingError::Hash(error.into()))?;
    let hash: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(password.0.expose().as_bytes(), salt)
        .map_err(HashingError::Hash)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_oauth::random::SystemRandom;

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn parse(first: &str, second: &str) -> Result<NewPassword, Unsuitable> {
        NewPassword::parse(secret(first), &secret(second), "ann.example@example.com")
    }

    #[test]
    fn only_length_counts_and_not_what_the_characters_are() {
        assert_eq!(parse("", "").unwrap_err(), Unsuitable::Missing);
        assert_eq!(parse("", "x").unwrap_err(), Unsuitable::Missing);
        let eleven = "a".repeat(SHORTEST - 1);
        assert_eq!(parse(&eleven, &eleven).unwrap_err(), Unsuitable::TooShort);
        let over = "a".repeat(LONGEST + 1);
        assert_eq!(parse(&over, &over).unwrap_err(), Unsuitable::TooLong);
        let two = ("correct horse", "correct horsf");
        assert_eq!(parse(two.0, two.1).unwrap_err(), Unsuitable::Different);
        for good in [
            "aaaaaaaaaaaa",
            "            ",
            "ÄÖÜäöüßéèêëñ",
            &"ß".repeat(LONGEST),
        ] {
            assert!(parse(good, good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_email_address_is_no_password_in_any_case() {
        for text in [
            "ann.example@example.com",
            "Ann.Example@EXAMPLE.com",
            " ann.example@example.com ",
        ] {
            assert_eq!(parse(text, text).unwrap_err(), Unsuitable::Email, "{text}");
        }
        assert!(parse("ann.example@example.com!", "ann.example@example.com!").is_ok());
    }

    #[tokio::test]
    async fn a_hash_verifies_its_password_and_no_other() {
        let hashing = Hashing::new();
        let password = parse("correct horse", "correct horse").unwrap();
        let stored = hashing.hash(password, &mut SystemRandom).await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(verify(&secret("correct horse"), &stored));
        assert!(!verify(&secret("correct horse "), &stored));
        assert!(!verify(&secret("correct horse"), "correct horse"));
        assert!(!verify(&secret(""), ""));

        let again = parse("correct horse", "correct horse").unwrap();
        let other = hashing.hash(again, &mut SystemRandom).await.unwrap();
        assert_ne!(stored, other, "each hash has its own salt");
    }

    /// Someone who goes away must not make room for the next hash before theirs has ended.
    #[tokio::test]
    async fn no_more_than_a_few_hashes_run_at_once() {
        let hashing = Hashing::new();
        let held: Vec<_> = (0..AT_ONCE)
            .map(|_| hashing.0.clone().try_acquire_owned().unwrap())
            .collect();
        let password = parse("correct horse", "correct horse").unwrap();
        let mut rng = SystemRandom;
        let mut waiting = Box::pin(hashing.hash(password, &mut rng));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("a hash was computed without its turn"),
            () = tokio::task::yield_now() => {}
        }
        drop(held);
        assert!(waiting.await.is_ok());
    }
}
