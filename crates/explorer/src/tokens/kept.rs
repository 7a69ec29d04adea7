//! The list of a workspace's tokens as the drawer keeps it: one secret, because each of them is one.

use aws_lc_rs::digest;
use hallpass_client::{AccessToken, Secret};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TokensOf;
use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::visitor::Visitor;

/// The tokens of a workspace, the newest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    tokens: Vec<KeptToken>,
}

/// A token and what is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptToken {
    pub(super) id: Id,
    pub(super) name: String,
    /// What it was got with, as a digest.
    settings: String,
    #[serde(with = "moment")]
    pub(super) issued: Timestamp,
    #[serde(with = "moment")]
    pub(super) expires: Timestamp,
    pub(super) scope: String,
    #[serde(with = "exposed")]
    value: Secret,
}

impl KeptToken {
    pub(super) fn new(of: &TokensOf, token: &AccessToken) -> Self {
        let name = Some(of.token_name.as_str()).filter(|name| !name.is_empty());
        Self {
            id: Kept::id(token),
            name: name.unwrap_or("Token").to_owned(),
            settings: of.settings.clone(),
            issued: token.obtained_at(),
            expires: token.expires_at(),
            scope: of.scope.clone(),
            value: Secret::from(token.expose().to_owned()),
        }
    }

    /// The token as a client uses it.
    pub(crate) fn access_token(&self) -> AccessToken {
        AccessToken::new(self.value.clone(), self.issued, self.expires)
    }

    /// The token itself.
    pub(crate) fn value(&self) -> &Secret {
        &self.value
    }

    /// Whether it was got with these settings.
    pub(crate) fn is_of(&self, of: &TokensOf) -> bool {
        self.settings == of.settings
    }

    pub(super) fn settings(&self) -> &str {
        &self.settings
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }
}

impl Kept {
    /// Those of a workspace.
    pub(crate) async fn of(visitor: &Visitor, id: &Id) -> Result<Self, Failure> {
        let secret = visitor.drawer.secret(id, NAME).await?;
        Ok(secret.as_ref().map(Self::read).unwrap_or_default())
    }

    /// What a token is called in the list: the same for the same token.
    pub(crate) fn id(token: &AccessToken) -> Id {
        let digest = digest::digest(&digest::SHA256, token.expose().as_bytes());
        Id::of_digest(digest.as_ref())
    }

    /// The tokens themselves.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Secret> {
        self.tokens.iter().map(KeptToken::value)
    }

    /// The one of this name.
    pub(crate) fn find(&self, id: &Id) -> Option<&KeptToken> {
        self.tokens.iter().find(|token| token.id == *id)
    }

    /// The newest token that these settings got.
    pub(crate) fn newest_of(&self, of: &TokensOf) -> Option<AccessToken> {
        let found = self.tokens.iter().find(|token| token.is_of(of));
        found.map(KeptToken::access_token)
    }

    /// The token to use where any will do: the chosen one, else the newest, if they have not ended.
    pub(crate) fn current(&self, chosen: Option<&Id>, now: Timestamp) -> Option<&KeptToken> {
        let good = |token: &&KeptToken| !token.has_expired(now);
        let chosen = chosen.and_then(|id| self.find(id)).filter(good);
        chosen.or_else(|| self.tokens.iter().find(good))
    }

    pub(super) fn all(&self) -> &[KeptToken] {
        &self.tokens
    }

    pub(super) fn all_mut(&mut self) -> &mut Vec<KeptToken> {
        &mut self.tokens
    }

    /// Puts a token into its place; the oldest make room.
    pub(super) fn put(&mut self, token: KeptToken) {
        self.tokens.retain(|one| one.id != token.id);
        self.tokens.push(token);
        self.tokens.sort_by_key(|one| std::cmp::Reverse(one.issued));
        self.tokens.truncate(MOST_TOKENS);
        while self.tokens.len() > 1 && self.size() > MOST_BYTES {
            self.tokens.pop();
        }
    }

    /// About how long the list is when it is printed.
    fn size(&self) -> usize {
        let size = |token: &KeptToken| {
            token.value.expose().len() + token.name.len() + token.scope.len() + AROUND
        };
        self.tokens.iter().map(size).sum()
    }

    fn read(kept: &Secret) -> Self {
        // What another version wrote is no reason to send nothing: tokens are got again.
        serde_json::from_str(kept.expose()).unwrap_or_default()
    }

    fn print(&self) -> Result<Secret, Failure> {
        // Room for all of it at once: a growing text would leave copies of the tokens behind.
        let mut text = Vec::with_capacity(self.size() * 2 + 64);
        serde_json::to_writer(&mut text, self)
            .map_err(|error| Failure::wrong(error.to_string(), "try again"))?;
        let text = String::from_utf8(text);
        text.map(Secret::from)
            .map_err(|_| Failure::wrong("the tokens cannot be kept", "try again"))
    }
}

impl Explorer {
    /// The tokens that are kept.
    pub(crate) async fn kept_tokens(&self, visitor: &Visitor, id: &Id) -> Result<Kept, Failure> {
        Kept::of(visitor, id).await
    }

    /// Changes the tokens that are kept.
    pub(super) async fn change_tokens<T>(
        &self,
        visitor: &Visitor,
        id: &Id,
        change: impl FnOnce(&mut Kept) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let _turn = self.turn(visitor, id).await;
        // Nothing is kept of a workspace that is not there.
        self.workspace(visitor, id).await?;
        let mut kept = Kept::of(visitor, id).await?;
        let outcome = change(&mut kept)?;
        let secret = if kept.tokens.is_empty() {
            None
        } else {
            Some(kept.print()?)
        };
        visitor.drawer.keep_secret(id, NAME, secret).await?;
        Ok(outcome)
    }
}

mod moment {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// In the one document that is a secret itself.
mod exposed {
    use super::{Deserialize, Deserializer, Secret, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::from)
    }
}

/// The drawer's name for it.
const NAME: &str = "tokens";
const MOST_TOKENS: usize = 50;
/// How long the list may be: no secret of a server is longer than 64 kB. A usual token has one.
const MOST_BYTES: usize = 60 * 1024;
/// What is kept of a token besides itself, its name and scope, in bytes at most.
const AROUND: usize = 320;

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: i64, length: usize) -> KeptToken {
        let issued = Timestamp::from_second(1_700_000_000 + number).unwrap();
        let value = Secret::from(format!("{number:0length$}"));
        KeptToken {
            id: Kept::id(&AccessToken::new(value.clone(), issued, issued)),
            name: "Mine".to_owned(),
            settings: "0".repeat(64),
            issued,
            expires: issued,
            scope: String::new(),
            value,
        }
    }

    #[test]
    fn the_list_keeps_the_newest_and_stays_short_enough_for_a_server() {
        for (length, kept) in [(10, MOST_TOKENS), (952, 48), (63_000, 1)] {
            let mut list = Kept::default();
            for number in 0..60 {
                list.put(token(number, length));
            }
            assert_eq!(list.tokens.len(), kept);
            assert_eq!(list.tokens[0].id, token(59, length).id);
            let printed = list.print().unwrap();
            assert!(printed.expose().len() < 64 * 1024, "{length}");
            let again = Kept::read(&printed);
            assert_eq!(again.tokens.len(), kept);
            assert_eq!(
                again.tokens[0].value.expose(),
                list.tokens[0].value.expose()
            );
        }
    }
}
