//! Passwords of people: what one must be like, how it is kept, how it is checked.
//!
//! Length is what makes a password hard to guess; rules about its characters make people choose
//! worse ones (NIST SP 800-63B, section 5.1.1.2); those that everybody tries first are refused. It is kept as an Argon2id hash (RFC 9106) whose
//! cost is written beside it, so that the cost can grow without anybody choosing anew.

mod common;

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

/// How many may be under way, those that wait for their turn included: some seconds of work. Whoever
/// comes beyond is told to come again, and has cost nothing.
const UNDER_WAY: usize = 64;

/// A hash at [`COST`] that no known password has: what is verified where there is nobody, so that an
/// unknown address costs what a wrong password does.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
    5MFh3ydUC0m1eHBoVnZ6Mw$hT0v3Wn7Yk1sQ9xJb5LzEoR2cVfGmNpAd8uXiKt6yZM";

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
    /// It is one of those that are tried first.
    #[error(
        "This password is one of those that everybody tries first. Choose one that nobody else has, such as a few unrelated words."
    )]
    Common,
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
    /// Too many wait already.
    #[error("too many passwords are being checked at this moment")]
    Overloaded,
}

/// Computes hashes, a few at a time and away from the threads that answer requests.
#[derive(Debug, Clone)]
pub struct Hashing {
    turns: Arc<Semaphore>,
    under_way: Arc<Semaphore>,
}

/// What comparing a password with a stored hash came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// It is another one, or there is nobody.
    No,
    /// It is the one.
    Yes {
        /// Whether its hash is cheaper than new ones are.
        outdated: bool,
    },
}

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
        let (typed, email) = (first.expose().trim().to_lowercase(), email.to_lowercase());
        if typed == email || typed == email.replace('@', "") {
            return Err(Unsuitable::Email);
        }
        if common::contains(first.expose()) {
            return Err(Unsuitable::Common);
        }
        Ok(Self(first))
    }

    /// The password of somebody who has just signed in with it: it was chosen under the rules of its
    /// time, and is hashed anew.
    pub(crate) fn proved(password: Secret) -> Self {
        Self(password)
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
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            under_way: Arc::new(Semaphore::new(UNDER_WAY)),
        }
    }

    /// Compares a password with a stored hash. Without one it does the same work on a hash that is
    /// nobody's, and then says no.
    pub async fn verify(
        &self,
        password: Secret,
        stored: Option<String>,
    ) -> Result<Verified, HashingError> {
        self.run(move || {
            let anybody = stored.is_some();
            let stored = stored.as_deref().unwrap_or(NOBODY);
            let matches = verify(&password, stored);
            Ok(if matches && anybody {
                Verified::Yes {
                    outdated: is_outdated(stored),
                }
            } else {
                Verified::No
            })
        })
        .await
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
        let hashing = self.clone();
        async move { hashing.run(move || hash(&password, &salt)).await }
    }

    /// Computes away from the threads that answer requests, when it is its turn.
    async fn run<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> Result<T, HashingError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let place = self.under_way.clone().try_acquire_owned();
        let place = place.map_err(|_| HashingError::Overloaded)?;
        let turn = self.turns.clone().acquire_owned().await;
        let turn = turn.map_err(|_| HashingError::Aborted)?;
        let computation = tokio::task::spawn_blocking(move || {
            // Held until the memory is free again, even if whoever asked has gone away.
            let _held = (place, turn);
            compute()
        });
        computation.await.map_err(|_| HashingError::Aborted)?
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

/// Whether a stored hash is not of the kind and cost that new ones are.
fn is_outdated(stored: &str) -> bool {
    let (memory, passes, lanes) = COST;
    !stored.starts_with(&format!("$argon2id$v=19$m={memory},t={passes},p={lanes}$"))
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
            "abababababab",
            "  .   -   . ",
            "ÄÖÜäöüßéèêëñ",
            &"ßa".repeat(LONGEST / 2),
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
            .map(|_| hashing.turns.clone().try_acquire_owned().unwrap())
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

    #[tokio::test]
    async fn whoever_comes_when_too_many_wait_is_told_so_at_once() {
        let hashing = Hashing::new();
        let held = hashing.under_way.clone();
        let held = held.try_acquire_many_owned(u32::try_from(UNDER_WAY).unwrap());
        let refused = hashing.verify(secret("correct horse"), None).await;
        assert!(matches!(refused, Err(HashingError::Overloaded)));
        drop(held);
        let answered = hashing.verify(secret("correct horse"), None).await;
        assert_eq!(answered.unwrap(), Verified::No);
    }

    /// What is verified for nobody is a hash like those that are stored, or it would cost less.
    #[test]
    fn nobody_has_a_hash_of_the_present_cost() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(nobody.hash.unwrap().as_bytes().len(), 32);
        assert_eq!(nobody.salt.unwrap().len(), 16);
        assert!(!is_outdated(NOBODY));
        assert!(!verify(&secret(""), NOBODY));
    }

    #[tokio::test]
    async fn a_cheaper_hash_is_good_and_told_apart() {
        let hashing = Hashing::new();
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let cheap: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(b"correct horse", b"0123456789abcdef")
            .unwrap();
        let verified = hashing.verify(secret("correct horse"), Some(cheap.to_string()));
        assert_eq!(verified.await.unwrap(), Verified::Yes { outdated: true });
        let now = parse("correct horse", "correct horse").unwrap();
        let stored = hashing.hash(now, &mut SystemRandom).await.unwrap();
        let verified = hashing.verify(secret("correct horse"), Some(stored));
        assert_eq!(verified.await.unwrap(), Verified::Yes { outdated: false });
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for text in ["Password12345", "qwertyuiopasdfghjkl", "greenlakeadmin"] {
            assert_eq!(parse(text, text).unwrap_err(), Unsuitable::Common, "{text}");
        }
    }
}
