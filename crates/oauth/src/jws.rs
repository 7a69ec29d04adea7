//! The compact form of a signed token (RFC 7515 section 7.1), read strictly.
//!
//! Strict means: three parts of canonical base64url (so that no second spelling of one token
//! exists), an algorithm from the server's own list, no `crit` (RFC 7515 section 4.1.11: what is
//! not understood must be refused), no member twice (section 4, RFC 7519 section 4), UTF-8 throughout
//! (RFC 8725 section 3.7), a bounded length. Nothing here is verified; the types say so.

use std::collections::HashSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::claims::{Claims, Profile};
use crate::key::Algorithm;
use crate::verify::TokenRefusal;
use crate::{SigningKey, VerifyingKey, numeric_date};

/// Longest token read, in bytes. Ours are under 1,200.
pub const LONGEST_TOKEN: usize = 8 * 1024;

/// The type of an access token in the `rfc9068` profile (RFC 9068 section 2.1); the real system's
/// have none.
const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The `pi.atm` header of every token of the real system (domain facts, section 2.3).
const TOKEN_MANAGER: &str = "dez0";

/// The header, in wire order.
#[derive(Serialize)]
struct PrintedHeader<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'static str>,
    alg: &'static str,
    kid: &'a str,
    #[serde(rename = "pi.atm", skip_serializing_if = "Option::is_none")]
    token_manager: Option<&'static str>,
}

#[derive(Deserialize)]
struct ParsedHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    crit: bool,
}

/// Why a text is no signed token of ours or of a client's; reads on after "the token is malformed:".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MalformedJws(&'static str);

impl MalformedJws {
    pub(crate) fn reason(self) -> &'static str {
        self.0
    }
}

impl From<MalformedJws> for TokenRefusal {
    fn from(MalformedJws(reason): MalformedJws) -> Self {
        Self::Malformed(reason)
    }
}

/// A signed object that was taken apart and nothing more: anybody can write one. What it says may
/// be logged as *unverified* and used to look up a key, and for nothing else before
/// [`Self::verify_with`] says yes.
#[derive(Debug)]
pub struct UnverifiedJws<'a, C> {
    signing_input: &'a str,
    algorithm: Algorithm,
    key_id: Option<String>,
    typ: Option<String>,
    claims: C,
    signature: Vec<u8>,
}

impl<'a, C: DeserializeOwned> UnverifiedJws<'a, C> {
    /// Takes the compact form apart.
    pub fn parse(compact: &'a str) -> Result<Self, MalformedJws> {
        if compact.len() > LONGEST_TOKEN {
            return Err(MalformedJws("it is longer than 8 KiB"));
        }
        let [header, payload, signature] = split(compact)?;
        let header: ParsedHeader = json(header)?;
        // RFC 8725 section 3.1: the algorithm comes from our list, never from the token.
        let algorithm = header
            .alg
            .parse()
            .map_err(|_| MalformedJws("its algorithm is none of RS256, ES256 and EdDSA"))?;
        if header.crit {
            return Err(MalformedJws("it has a crit header"));
        }
        Ok(Self {
            signing_input: &compact[..compact.rfind('.').unwrap_or(0)],
            algorithm,
            key_id: header.kid,
            typ: header.typ,
            claims: json(payload)?,
            signature: decode(signature)?,
        })
    }
}

impl<C> UnverifiedJws<'_, C> {
    /// The algorithm it says it was signed with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key it says it was signed with. Only ever a look-up key.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// What kind of token it says it is (RFC 8725 section 3.11).
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// What it says.
    pub fn claims(&self) -> &C {
        &self.claims
    }

    /// Whether this key signed it. The header has to name the key's own algorithm: a key is for one
    /// algorithm, whatever a token says (RFC 8725 sections 2.1 and 3.1).
    pub fn verify_with(&self, key: &VerifyingKey) -> bool {
        self.algorithm == key.algorithm()
            && key.verifies(self.signing_input.as_bytes(), &self.signature)
    }
}

/// An access token that was taken apart and nothing more.
#[derive(Debug)]
pub struct UnverifiedToken<'a> {
    compact: &'a str,
    jws: UnverifiedJws<'a, Claims>,
    key_id: String,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart.
    pub fn parse(compact: &'a str) -> Result<Self, TokenRefusal> {
        let mut jws = UnverifiedJws::parse(compact)?;
        // RFC 8725 section 3.11: a token of another kind (an ID token, say) is none of ours.
        if jws.typ().is_some_and(|typ| !is_access_token_type(typ)) {
            return Err(TokenRefusal::Malformed(
                "its typ is of another kind of token",
            ));
        }
        let key_id = jws
            .key_id
            .take()
            .ok_or(TokenRefusal::Malformed("it has no kid"))?;
        Ok(Self {
            compact,
            jws,
            key_id,
        })
    }

    /// The key the token says it was signed with.
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    pub(crate) fn claims(&self) -> &Claims {
        self.jws.claims()
    }

    /// The whole token as it came.
    pub(crate) fn compact(&self) -> &str {
        self.compact
    }

    /// Whether its header says that it is an access token (RFC 9068 section 2.1).
    pub(crate) fn is_typed(&self) -> bool {
        self.jws.typ().is_some_and(|typ| {
            typ.eq_ignore_ascii_case(ACCESS_TOKEN_TYPE)
                || typ.eq_ignore_ascii_case("application/at+jwt")
        })
    }

    /// See [`UnverifiedJws::verify_with`].
    pub(crate) fn verify_with(&self, key: &VerifyingKey) -> bool {
        self.jws.verify_with(key)
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
    #[derive(Deserialize)]
    struct Claims {
        #[serde(default, deserialize_with = "numeric_date::optional")]
        exp: Option<i64>,
    }
    let (_, payload) = peek(compact)?;
    serde_json::from_str::<Claims>(&payload).ok()?.exp
}

/// Prints the header part of an access token.
pub(crate) fn encode_header(key: &SigningKey, profile: Profile) -> String {
    let (typ, token_manager) = match profile {
        Profile::Greenlake => (None, Some(TOKEN_MANAGER)),
        Profile::Rfc9068 => (Some(ACCESS_TOKEN_TYPE), None),
    };
    let header = PrintedHeader {
        typ,
        alg: key.algorithm().as_str(),
        kid: key.id().as_str(),
        token_manager,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).unwrap_or_default())
}

fn is_access_token_type(typ: &str) -> bool {
    ["jwt", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|known| typ.eq_ignore_ascii_case(known))
}

fn split(compact: &str) -> Result<[&str; 3], MalformedJws> {
    let mut parts = compact.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => Ok([header, payload, signature]),
        _ => Err(MalformedJws("it has not three parts")),
    }
}

/// Canonical base64url without padding; the engine refuses stray trailing bits.
fn decode(part: &str) -> Result<Vec<u8>, MalformedJws> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| MalformedJws("it is no base64url"))
}

fn json<T: DeserializeOwned>(part: &str) -> Result<T, MalformedJws> {
    let bytes = decode(part)?;
    // The reader of JSON passes over bytes of members that nobody asks for (RFC 7519 section 7.2).
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| MalformedJws("its header or claims are no UTF-8"))?;
    let refused = |_| MalformedJws("its header or claims are not of the right form");
    let _: UniqueMembers = serde_json::from_str(text).map_err(refused)?;
    serde_json::from_str(text).map_err(refused)
}

/// An object in which no name stands twice. Two readers that pick different ones of two `sub`s would
/// see two tokens; a struct notices only the names it knows, and a map none.
struct UniqueMembers;

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueMembersVisitor)
    }
}

struct UniqueMembersVisitor;

impl<'de> Visitor<'de> for UniqueMembersVisitor {
    type Value = UniqueMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueMembers, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
            if !names.insert(name) {
                return Err(serde::de::Error::custom("a member stands twice"));
            }
        }
        Ok(UniqueMembers)
    }
}

/// For a member whose presence alone counts, `null` included.
fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn compact(header: &str, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(header), part(payload), part("signature"))
    }

    fn refusal(header: &str, payload: &str) -> String {
        let text = compact(header, payload);
        let read = UnverifiedJws::<Value>::parse(&text);
        read.unwrap_err().to_string()
    }

    #[test]
    fn claims_of_any_type_are_read_with_what_the_header_says() {
        #[derive(Deserialize)]
        struct Subject {
            sub: String,
        }
        let text = compact(
            r#"{"typ":"JWT","kid":"a","alg":"ES256"}"#,
            r#"{"sub":"x","more":[{"a":1},{"a":2}]}"#,
        );
        let jws = UnverifiedJws::<Subject>::parse(&text).unwrap();
        assert_eq!(jws.algorithm(), Algorithm::Es256);
        assert_eq!((jws.key_id(), jws.typ()), (Some("a"), Some("JWT")));
        assert_eq!(jws.claims().sub, "x");
        let text = compact(r#"{"alg":"EdDSA"}"#, r#"{"sub":"x"}"#);
        let jws = UnverifiedJws::<Subject>::parse(&text).unwrap();
        assert_eq!((jws.key_id(), jws.typ()), (None, None));
    }

    #[test]
    fn no_member_may_stand_twice_whatever_reads_the_claims() {
        let form = "not of the right form";
        let good = r#"{"alg":"RS256"}"#;
        assert!(refusal(r#"{"alg":"RS256","alg":"RS256"}"#, "{}").contains(form));
        assert!(refusal(r#"{"alg":"RS256","x":1,"x":1}"#, "{}").contains(form));
        assert!(refusal(good, r#"{"sub":"a","sub":"b"}"#).contains(form));
        assert!(
            refusal(good, r#"{"sub":"a","su\u0062":"b"}"#).contains(form),
            "spelled in two ways"
        );
        assert!(refusal(r#"["RS256",null,null,null]"#, "{}").contains(form));
        assert!(refusal(good, "[]").contains(form));
        assert!(refusal(good, "{} {}").contains(form));
    }

    #[test]
    fn rfc8725_3_7_members_that_nobody_asks_for_are_utf_8_too() {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (good, bad) = (
            b"{\"alg\":\"RS256\"}",
            b"{\"alg\":\"RS256\",\"x\":\"\xff\"}",
        );
        for (header, claims) in [(&good[..], &bad[..]), (bad, good)] {
            let text = format!("{}.{}.AAAA", part(header), part(claims));
            let refused = UnverifiedJws::<Value>::parse(&text).unwrap_err();
            assert!(refused.to_string().contains("no UTF-8"), "{refused}");
        }
        let text = format!("{}.{}.AAAA", part(good), part(good));
        assert!(UnverifiedJws::<Value>::parse(&text).is_ok());
    }

    #[test]
    fn the_algorithm_comes_from_the_list_and_crit_is_refused_whatever_it_says() {
        for word in ["none", "HS256", "ES384", "PS256", "rs256", "EdDSA ", ""] {
            let refused = refusal(&format!(r#"{{"alg":"{word}"}}"#), "{}");
            assert!(refused.contains("none of RS256, ES256 and EdDSA"), "{word}");
        }
        for crit in ["null", "[]", r#"["exp"]"#, "false"] {
            let refused = refusal(&format!(r#"{{"alg":"RS256","crit":{crit}}}"#), "{}");
            assert!(refused.contains("crit"), "{crit}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*", parts in proptest::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
            prop_assert!(UnverifiedJws::<Value>::parse(&text).is_err());
            let _ = UnverifiedToken::parse(&parts.join("."));
        }

        #[test]
        fn no_header_and_no_claims_panic(header in ".*", payload in ".*") {
            let _ = UnverifiedJws::<Value>::parse(&compact(&header, "{}"));
            let _ = UnverifiedJws::<Value>::parse(&compact(r#"{"alg":"RS256"}"#, &payload));
        }
    }
}
