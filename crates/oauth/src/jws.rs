//! The compact form of a signed token (RFC 7515 section 7.1), read strictly.
//!
//! Strict means: three parts of canonical base64url (so that no second spelling of one token
//! exists), an algorithm from the server's own list, no `crit` (RFC 7515 section 4.1.11: what is
//! not understood must be refused), a bounded length. Nothing here is verified; the types say so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::claims::Claims;
use crate::identifier::KeyId;
use crate::verify::TokenRefusal;

/// Longest token read, in bytes. Ours are under 1,200.
pub const LONGEST_TOKEN: usize = 8 * 1024;

/// The `pi.atm` header of every token of the real system (domain facts, section 2.3).
const TOKEN_MANAGER: &str = "dez0";

/// The header, in wire order.
#[derive(Serialize)]
struct PrintedHeader<'a> {
    alg: &'static str,
    kid: &'a str,
    #[serde(rename = "pi.atm")]
    token_manager: &'static str,
}

#[derive(Deserialize)]
struct ParsedHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// A token that was taken apart and nothing more: anybody can write one. What it says may be
/// logged as *unverified* and used to look up a key, and for nothing else.
#[derive(Debug)]
pub struct UnverifiedToken<'a> {
    signing_input: &'a str,
    key_id: String,
    claims: Claims,
    signature: Vec<u8>,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart.
    pub fn parse(compact: &'a str) -> Result<Self, TokenRefusal> {
        if compact.len() > LONGEST_TOKEN {
            return Err(TokenRefusal::Malformed("it is longer than 8 KiB"));
        }
        let [header, payload, signature] = split(compact)?;
        let header: ParsedHeader = json(header)?;
        // RFC 8725 section 3.1: the algorithm comes from our list, never from the token.
        if header.alg != "RS256" {
            return Err(TokenRefusal::Malformed("its algorithm is not RS256"));
        }
        if header.crit.is_some() {
            return Err(TokenRefusal::Malformed("it has a crit header"));
        }
        // RFC 8725 section 3.11: a token of another kind (an ID token, say) is none of ours.
        if header.typ.is_some_and(|typ| !is_access_token_type(&typ)) {
            return Err(TokenRefusal::Malformed(
                "its typ is of another kind of token",
            ));
        }
        let key_id = header.kid.ok_or(TokenRefusal::Malformed("it has no kid"))?;
        let claims = json(payload)?;
        let signature = decode(signature)?;
        let signing_input = &compact[..compact.rfind('.').unwrap_or(0)];
        Ok(Self {
            signing_input,
            key_id,
            claims,
            signature,
        })
    }

    /// The key the token says it was signed with.
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// Header and payload of a token for a person to read, exactly as they stand. Nothing is verified.
pub fn peek(compact: &str) -> Option<(String, String)> {
    let [header, payload, _] = split(compact).ok()?;
    let text = |part| String::from_utf8(decode(part).ok()?).ok();
    Some((text(header)?, text(payload)?))
}

/// The expiry a token claims, in seconds since 1970; for a client, whose own token it is.
pub fn peek_expiry(compact: &str) -> Option<i64> {
    let (_, payload) = peek(compact)?;
    serde_json::from_str::<Value>(&payload)
        .ok()?
        .get("exp")?
        .as_i64()
}

/// Prints the header part for a key.
pub(crate) fn encode_header(key: &KeyId) -> String {
    let header = PrintedHeader {
        alg: "RS256",
        kid: key.as_str(),
        token_manager: TOKEN_MANAGER,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).unwrap_or_default())
}

fn is_access_token_type(typ: &str) -> bool {
    ["jwt", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|known| typ.eq_ignore_ascii_case(known))
}

fn split(compact: &str) -> Result<[&str; 3], TokenRefusal> {
    let mut parts = compact.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok([header, payload, signature]),
        _ => Err(TokenRefusal::Malformed("it has not three parts")),
    }
}

/// Canonical base64url without padding; the engine refuses stray trailing bits.
fn decode(part: &str) -> Result<Vec<u8>, TokenRefusal> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenRefusal::Malformed("it is no base64url"))
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, TokenRefusal> {
    serde_json::from_slice(&decode(part)?)
        .map_err(|_| TokenRefusal::Malformed("its header or claims are not of the right form"))
}
