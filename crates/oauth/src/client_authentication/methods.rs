//! The ways in which clients authenticate, one by one and as the set that a client is registered for.

use std::fmt;

/// A way to authenticate, by its name in the registry of RFC 7591 section 2 and RFC 8414.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthenticationMethod {
    /// The `Authorization: Basic` header.
    SecretBasic,
    /// `client_id` and `client_secret` in the body.
    SecretPost,
    /// An assertion signed with a registered key.
    PrivateKeyJwt,
}

impl ClientAuthenticationMethod {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The method of that registered name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }
}

/// A set of ways to authenticate, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAuthenticationMethods([bool; 3]);

/// A text that names no set of methods.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no list of client_secret_basic, client_secret_post and private_key_jwt, separated by \
     blanks"
)]
pub struct InvalidMethods(String);

impl ClientAuthenticationMethods {
    /// Both places for a secret: what every credential may use unless it is told otherwise.
    pub const SECRET: Self = Self([true, true, false]);
    /// Assertions only.
    pub const KEY: Self = Self([false, false, true]);

    /// Whether the method is among them.
    pub fn contains(self, method: ClientAuthenticationMethod) -> bool {
        self.0[method as usize]
    }

    /// The methods.
    pub fn iter(self) -> impl Iterator<Item = ClientAuthenticationMethod> {
        ClientAuthenticationMethod::ALL
            .into_iter()
            .filter(move |method| self.contains(*method))
    }
}

impl Default for ClientAuthenticationMethods {
    fn default() -> Self {
        Self::SECRET
    }
}

impl fmt::Display for ClientAuthenticationMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .iter()
            .map(ClientAuthenticationMethod::as_str)
            .collect();
        f.write_str(&names.join(" "))
    }
}

impl std::str::FromStr for ClientAuthenticationMethods {
    type Err = InvalidMethods;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidMethods(text.chars().take(128).collect());
        let mut methods = [false; 3];
        for word in text.split_ascii_whitespace() {
            let method = ClientAuthenticationMethod::named(word).ok_or_else(invalid)?;
            methods[method as usize] = true;
        }
        if methods == [false; 3] {
            return Err(invalid());
        }
        Ok(Self(methods))
    }
}
