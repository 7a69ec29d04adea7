//! What a client's requests are authorized with (RFC 6750 section 2.1), and when another token is
//! tried: the same for whole answers and for those that are passed on as they come.
//!
//! Usually that is the profile's own tokens. A program that lets people choose their token, or send
//! requests without one, says so here.

use std::fmt;

use hallpass_oauth::Secret;
use http::header::{HeaderMap, HeaderValue};
use http::{StatusCode, header};

use crate::access_token::AccessToken;
use crate::error::Error;
use crate::token::Tokens;

/// What requests are authorized with.
#[derive(Clone)]
pub enum Authorization {
    /// Tokens that are renewed: before they end, and when the API refuses one.
    Tokens {
        /// The tokens.
        tokens: Tokens,
        /// The one to begin with; the newest if there is none.
        first: Option<AccessToken>,
        /// What stands before it in the header.
        prefix: Prefix,
    },
    /// A token that is sent as it is, whatever the API says to it.
    Fixed {
        /// The token.
        token: Secret,
        /// What stands before it in the header.
        prefix: Prefix,
    },
    /// Nothing.
    None,
}

impl Authorization {
    /// These tokens as RFC 6750 wants them.
    pub(crate) fn bearer(tokens: Tokens) -> Self {
        Self::Tokens {
            tokens,
            first: None,
            prefix: Prefix::default(),
        }
    }

    /// The header as it may be shown.
    pub(crate) fn masked(&self) -> Option<String> {
        match self {
            Self::Tokens { prefix, .. } | Self::Fixed { prefix, .. } => {
                Some(format!("{prefix} {MASK}").trim_start().to_owned())
            }
            Self::None => None,
        }
    }

    /// What the first try of a request goes with.
    pub(crate) async fn begin(&self) -> Result<Attempt<'_>, Error> {
        let renewal = match self {
            Self::Tokens { tokens, first, .. } => {
                let token = match first {
                    Some(first) => first.clone(),
                    None => tokens.token().await?,
                };
                Some(Renewal {
                    tokens,
                    token,
                    replaced: 0,
                    is_our_own: false,
                })
            }
            Self::Fixed { .. } | Self::None => None,
        };
        Ok(Attempt {
            authorization: self,
            renewal,
        })
    }
}

/// What stands before a token in the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Checks one: visible letters of ASCII and blanks; it may be empty.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let good = text.len() <= 100 && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::Request(
                "what stands before the token can be no header",
            ))
        }
    }

    fn header(&self, token: &str) -> Result<HeaderValue, Error> {
        // Room for all of it at once: a growing text would leave copies of the token behind.
        let mut text = String::with_capacity(self.0.len() + 1 + token.len());
        if !self.0.is_empty() {
            text.push_str(&self.0);
            text.push(' ');
        }
        text.push_str(token);
        let text = Secret::from(text);
        let mut header = HeaderValue::try_from(text.expose())
            .map_err(|_| Error::Request("the token is one that no header can hold"))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("Bearer".to_owned())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A try of a request.
pub(crate) struct Attempt<'a> {
    authorization: &'a Authorization,
    renewal: Option<Renewal<'a>>,
}

/// How the token of a try is replaced.
struct Renewal<'a> {
    tokens: &'a Tokens,
    token: AccessToken,
    replaced: usize,
    /// Whether the token was asked for on account of this request: nobody but the API can be at fault
    /// when it is refused as well.
    is_our_own: bool,
}

impl Attempt<'_> {
    /// Puts the authorization among the headers of a request, in place of any other.
    pub(crate) fn authorize(&self, headers: &mut HeaderMap) -> Result<(), Error> {
        let value = match (self.authorization, &self.renewal) {
            (Authorization::Tokens { prefix, .. }, Some(renewal)) => {
                prefix.header(renewal.token.expose())?
            }
            (Authorization::Fixed { token, prefix }, _) => prefix.header(token.expose())?,
            (Authorization::None | Authorization::Tokens { .. }, _) => return Ok(()),
        };
        headers.insert(header::AUTHORIZATION, value);
        Ok(())
    }

    /// Whether the request is to be sent once more, with another token in place of one that was
    /// refused. A second refusal is the answer, unless the other token was a sibling program's and was
    /// superseded on the way as well.
    pub(crate) async fn again(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<bool, Error> {
        let Some(renewal) = &mut self.renewal else {
            return Ok(false);
        };
        if !refuses_token(status, headers) {
            return Ok(false);
        }
        if renewal.is_our_own {
            renewal.tokens.refused_anew(&renewal.token);
            return Ok(false);
        }
        if renewal.replaced == MOST_REPLACEMENTS {
            return Ok(false);
        }
        let Some(replacement) = renewal.tokens.replace(&renewal.token).await? else {
            return Ok(false);
        };
        renewal.token = replacement.token;
        renewal.is_our_own = !replacement.by_another;
        renewal.replaced += 1;
        Ok(true)
    }
}

/// Whether another token may help: a 401 that asks for other credentials than a bearer token is not
/// about the token (RFC 9110 section 11.6.1). Gateways leave the challenge out.
fn refuses_token(status: StatusCode, headers: &HeaderMap) -> bool {
    let challenges = headers.get_all(header::WWW_AUTHENTICATE);
    let mut parts = challenges
        .iter()
        .flat_map(|challenge| challenge.as_bytes().split(|&byte| byte == b','))
        .map(|part| part.trim_ascii().to_ascii_lowercase());
    let bearer = |part: Vec<u8>| part == b"bearer" || part.starts_with(b"bearer ");
    status == StatusCode::UNAUTHORIZED
        && (!headers.contains_key(header::WWW_AUTHENTICATE) || parts.any(bearer))
}

/// What stands in place of the token.
const MASK: &str = "********";

/// How often a refused token is replaced for one request. Each replacement but the last was a
/// sibling's.
const MOST_REPLACEMENTS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_stands_before_the_token_and_may_be_empty() {
        for (prefix, header) in [("Bearer", "Bearer t"), (" token ", "token t"), ("", "t")] {
            let prefix = Prefix::parse(prefix).unwrap();
            let value = prefix.header("t").unwrap();
            assert_eq!(value.to_str().unwrap(), header);
            assert!(value.is_sensitive());
        }
        for bad in ["a\nb", "ä", &"x".repeat(101)] {
            assert!(Prefix::parse(bad).is_err(), "{bad}");
        }
        assert!(Prefix::default().header("a\nb").is_err());
    }
}
