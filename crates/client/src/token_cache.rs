//! The tokens of this machine, shared by all its programs: one private file per set of parameters
//! that shape a token, replaced whole, read without a lock.
//!
//! The secret is not among the parameters, so a cached token is found without opening the place
//! where the secret is kept. The entry remembers a fingerprint of the secret (or the id of the key)
//! it was got with, and whoever knows the secret passes over an entry that was got with another one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use aws_lc_rs::{digest, hmac};
use hallpass_oauth::Secret;
use hallpass_oauth::identifier::hex;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::access_token::AccessToken;
use crate::key_store::Slot;
use crate::private_file::{Durable, PrivateDirectory, PrivateFileError};
use crate::profile::{Authentication, Profile};
use crate::token_pause::{Pause, Whom};
use crate::token_refused::Refused;

/// A directory of cached tokens.
#[derive(Debug, Clone)]
pub struct TokenCache {
    directory: PrivateDirectory,
    path: PathBuf,
}

impl TokenCache {
    /// The cache in `path`; nothing is read or made yet.
    pub fn new(path: PathBuf) -> Self {
        Self {
            directory: PrivateDirectory::new(path.clone()),
            path,
        }
    }

    /// The directory.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// The token for `key`. An entry that cannot be read as one counts as none; one that others
    /// could have written is an error.
    pub fn read(
        &self,
        key: &CacheKey,
        known: Option<&Secret>,
    ) -> Result<Option<AccessToken>, PrivateFileError> {
        let content = self.directory.read(&key.entry_file())?;
        Ok(content.and_then(|content| Entry::read(&content, key, known)))
    }

    /// Puts a token in place of the one for `key`. `mark` is the secret or the id of the key that it
    /// was got with.
    pub fn write(
        &self,
        key: &CacheKey,
        token: &AccessToken,
        mark: &str,
    ) -> Result<(), PrivateFileError> {
        let content = Entry::print(key, token, mark);
        self.directory
            .replace(&key.entry_file(), &content, Durable::No)
    }

    /// Forgets the token for `key`; says whether there was one.
    pub fn remove(&self, key: &CacheKey) -> Result<bool, PrivateFileError> {
        self.directory.remove(&key.entry_file())
    }

    /// The file that is locked while a token for the client of `key` is asked for. One per client
    /// and token endpoint and not per key: minting supersedes all of a client's earlier tokens.
    pub(crate) fn lock_path(&self, key: &CacheKey) -> Result<PathBuf, PrivateFileError> {
        self.directory.prepare()?;
        Ok(self.directory.path(&format!("{}.lock", key.client)))
    }

    /// The pause for the client of `key` or for its whole endpoint. One that cannot be read is none.
    pub(crate) fn pause(&self, key: &CacheKey, whom: Whom) -> Option<Pause> {
        let content = self.directory.read(&key.pause_file(whom)).ok()??;
        Pause::read(&content)
    }

    /// Leaves a pause for the others. Without it they find out themselves, so it may fail.
    pub(crate) fn begin_pause(&self, key: &CacheKey, pause: &Pause) {
        let file = key.pause_file(pause.whom());
        let _ = self.directory.replace(&file, &pause.print(), Durable::No);
    }

    /// The token that was refused as soon as it was got. A note that cannot be read is none.
    pub(crate) fn refused(&self, key: &CacheKey) -> Option<Refused> {
        let content = self.directory.read(&refused_file(key)).ok()??;
        Refused::read(&content)
    }

    /// Leaves a note of it for the others. Without it they find out themselves, so it may fail.
    pub(crate) fn note_refused(&self, key: &CacheKey, refused: &Refused) {
        let (file, note) = (refused_file(key), refused.print());
        let _ = self.directory.replace(&file, &note, Durable::No);
    }

    /// The endpoint answers again.
    pub(crate) fn end_pauses(&self, key: &CacheKey) {
        for whom in [Whom::Client, Whom::Endpoint] {
            let _ = self.directory.remove(&key.pause_file(whom));
        }
    }
}

/// What an entry is found by: a digest over everything that shapes a token, except the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheKey {
    parameters: String,
    client: String,
    endpoint: String,
}

impl CacheKey {
    /// The key of a profile's token. The order of the words of a scope makes no difference
    /// (RFC 6749 section 3.3).
    ///
    /// The profiles of one person share a token whatever API they are for: a second one would kill
    /// the first. A shared profile has tokens of its own, got for exactly its way to the API, for
    /// its file may name any client and have the token sent to any address.
    pub fn of(profile: &Profile) -> Self {
        let token_url = profile.token_url().as_str();
        let client_id = profile.client_id().as_str();
        let scope = sorted(profile.scope().unwrap_or_default().split(' '));
        let resources = sorted(profile.resources().iter().map(String::as_str));
        let mut parts = vec!["token", token_url, client_id, method(profile), &scope];
        // Parameters that are not asked for are not in the key, so that there may be more of them.
        if let Some(audience) = profile.audience() {
            parts.extend(["audience", audience]);
        }
        if !resources.is_empty() {
            parts.extend(["resources", &resources]);
        }
        let slot = profile.is_shared().then(|| Slot::of(profile));
        if let Some(slot) = &slot {
            parts.extend(["shared", slot.as_str()]);
        }
        Self {
            parameters: fold(&parts),
            client: fold(&["client", token_url, client_id]),
            endpoint: fold(&["endpoint", token_url]),
        }
    }

    fn pause_file(&self, whom: Whom) -> String {
        let whose = match whom {
            Whom::Client => &self.client,
            Whom::Endpoint => &self.endpoint,
        };
        format!("{whose}.pause")
    }

    fn entry_file(&self) -> String {
        format!("{}.json", self.parameters)
    }
}

fn method(profile: &Profile) -> &'static str {
    match profile.authentication() {
        Authentication::BasicUnencoded => "basic, unencoded",
        other => other.word(),
    }
}

/// The words once each, in an order of ours: theirs means nothing.
fn sorted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: BTreeSet<&str> = words.filter(|word| !word.is_empty()).collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// SHA-256 over the parts, each with its length before it, so that no two lists run together.
fn fold(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    hex(context.finish().as_ref())
}

fn refused_file(key: &CacheKey) -> String {
    format!("{}.refused", key.parameters)
}

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
struct Entry {
    version: u32,
    access_token: String,
    obtained_at: String,
    expires_at: String,
    secret_fingerprint: String,
}

impl Entry {
    fn print(key: &CacheKey, token: &AccessToken, mark: &str) -> Zeroizing<Vec<u8>> {
        let mut entry = Self {
            version: VERSION,
            access_token: token.expose().to_owned(),
            obtained_at: token.obtained_at().to_string(),
            expires_at: token.expires_at().to_string(),
            secret_fingerprint: fingerprint(key, mark),
        };
        // Room for all of it at once: a growing buffer would leave copies of the token behind.
        let mut content = Zeroizing::new(Vec::with_capacity(entry.access_token.len() * 2 + 512));
        let written = serde_json::to_writer(&mut *content, &entry);
        entry.access_token.zeroize();
        if written.is_err() {
            content.clear();
        }
        content
    }

    fn read(content: &[u8], key: &CacheKey, known: Option<&Secret>) -> Option<AccessToken> {
        let mut entry: Self = serde_json::from_slice(content).ok()?;
        let compact = Secret::from(std::mem::take(&mut entry.access_token));
        let of_this_secret = known
            .is_none_or(|secret| fingerprint(key, secret.expose()) == entry.secret_fingerprint);
        if entry.version != VERSION || compact.expose().is_empty() || !of_this_secret {
            return None;
        }
        let obtained_at: Timestamp = entry.obtained_at.parse().ok()?;
        let expires_at: Timestamp = entry.expires_at.parse().ok()?;
        Some(AccessToken::new(compact, obtained_at, expires_at))
    }
}

/// Tells one secret from another and gives neither away: 64 bits of a keyed digest. They are less
/// than a guesser needs to be sure of a generated secret, and the entry holds a live token anyway.
fn fingerprint(key: &CacheKey, mark: &str) -> String {
    let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, key.parameters.as_bytes());
    let tag = hmac::sign(&hmac_key, mark.as_bytes());
    hex(&tag.as_ref()[..8])
}

/// Written into each entry; entries of another version are not used.
const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{BaseUrl, TokenUrl};
    use crate::profile::{ProfileName, Settings};
    use hallpass_oauth::ClientId;
    use hallpass_oauth::token_request::AuthenticationMethod;

    fn profile(token_url: &str, client_id: &str) -> Profile {
        Profile::new(
            ProfileName::parse("us1").unwrap(),
            TokenUrl::parse(token_url).unwrap(),
            BaseUrl::parse("https://us1.example.com").unwrap(),
            ClientId::parse(client_id).unwrap(),
        )
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn token() -> AccessToken {
        let at = |second| Timestamp::from_second(second).unwrap();
        AccessToken::new(secret("t1"), at(1_700_000_000), at(1_700_007_199))
    }

    #[test]
    fn a_token_is_read_back_with_its_absolute_times_and_the_secret_is_not_in_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let cache = TokenCache::new(directory.path().join("tokens"));
        let key = CacheKey::of(&profile("https://a.example/t", "c"));
        assert!(cache.read(&key, None).unwrap().is_none());
        cache.write(&key, &token(), "planted").unwrap();
        let read = cache.read(&key, None).unwrap().unwrap();
        assert_eq!(
            (read.expose(), read.expires_at()),
            ("t1", token().expires_at())
        );
        assert_eq!(read.obtained_at(), token().obtained_at());
        let content = std::fs::read_to_string(cache.path().join(key.entry_file())).unwrap();
        assert!(content.contains("2023-11-15T00:13:19Z") && !content.contains("planted"));
        assert!(cache.remove(&key).unwrap());
        assert!(cache.read(&key, None).unwrap().is_none());
    }

    #[test]
    fn a_token_of_another_secret_is_passed_over_by_whoever_knows_the_secret() {
        let directory = tempfile::tempdir().unwrap();
        let cache = TokenCache::new(directory.path().to_owned());
        let key = CacheKey::of(&profile("https://a.example/t", "c"));
        cache.write(&key, &token(), "old").unwrap();
        assert!(cache.read(&key, Some(&secret("old"))).unwrap().is_some());
        assert!(cache.read(&key, Some(&secret("new"))).unwrap().is_none());
        assert!(cache.read(&key, None).unwrap().is_some());
    }

    #[test]
    fn every_parameter_that_shapes_a_token_is_in_the_key_and_scope_order_is_not() {
        let plain = || profile("https://a.example/t", "c");
        let keys = [
            plain(),
            profile("https://b.example/t", "c"),
            profile("https://a.example/t", "d"),
            plain().with_authentication(AuthenticationMethod::Basic),
            plain().with_scope(Some("x")),
            plain().with_scope(Some("x y")),
        ]
        .map(|profile| CacheKey::of(&profile));
        for (at, key) in keys.iter().enumerate() {
            assert!(
                keys[..at]
                    .iter()
                    .all(|other| other.parameters != key.parameters),
                "{at}"
            );
        }
        let at = |base_url: &str| {
            let settings = Settings {
                token_url: Some("https://a.example/t".to_owned()),
                base_url: Some(base_url.to_owned()),
                client_id: Some("c".to_owned()),
                ..Settings::default()
            };
            let name = ProfileName::parse("us1").unwrap();
            settings.read(name, std::path::Path::new("/")).unwrap()
        };
        let (here, there) = (at("https://us1.example.com"), at("https://b.example"));
        assert_eq!(CacheKey::of(&here), CacheKey::of(&there), "one's own");
        let (here, there) = (here.into_shared(), there.into_shared());
        let [ours, theirs, own] = [&here, &there, &plain()].map(CacheKey::of);
        assert!(ours.parameters != theirs.parameters && ours.parameters != own.parameters);
        assert_eq!(ours.client, own.client, "one lock all the same");
        let swapped = CacheKey::of(&plain().with_scope(Some("y  x y")));
        assert_eq!(swapped, keys[5]);
        assert_eq!(
            keys[0].client, keys[5].client,
            "one lock for all of a client's tokens"
        );
        assert_ne!(keys[0].client, keys[1].client);
    }

    #[test]
    fn damaged_entries_are_no_entries() {
        let directory = tempfile::tempdir().unwrap();
        let cache = TokenCache::new(directory.path().to_owned());
        let key = CacheKey::of(&profile("https://a.example/t", "c"));
        cache.write(&key, &token(), "s").unwrap();
        let good = std::fs::read_to_string(cache.path().join(key.entry_file())).unwrap();
        for bad in [
            String::new(),
            good[..good.len() / 2].to_owned(),
            good.replace("\"version\":1", "\"version\":2"),
            good.replace("2023-11-15", "soon"),
            good.replace("\"t1\"", "\"\""),
        ] {
            cache
                .directory
                .replace(&key.entry_file(), bad.as_bytes(), Durable::No)
                .unwrap();
            assert!(cache.read(&key, None).unwrap().is_none(), "{bad}");
        }
    }
}
