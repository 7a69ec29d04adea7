//! Client authentication with a signed assertion, `private_key_jwt`: RFC 7521 section 4.2, RFC 7523
//! sections 2.2 and 3, and the stricter audience of draft-ietf-oauth-rfc7523bis.
//!
//! Whether an assertion was used before is not known here: [`CheckedAssertion::replay_id`] and
//! [`CheckedAssertion::expires_at`] are what the caller has to write down, once and durably, before
//! it believes the client.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::form::Form;
use crate::jws::{MalformedJws, UnverifiedJws};
use crate::key::{KeyError, nobodys_key};
use crate::token_error::TokenError;
use crate::{ClientId, JwkSet, Secret, SigningKey, VerifyingKey, numeric_date};

/// The only `client_assertion_type` known (RFC 7523 section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the clocks of client and server may differ. The same constant lengthens the life of the
/// replay record ([`CheckedAssertion::expires_at`]): were the record gone at `exp`, the assertion
/// could be used a second time for as long as the leeway still accepts it.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// Longest time that `exp` may lie ahead by default, leeway apart. It bounds the memory for replay
/// records and the use of an assertion that leaked (RFC 7523 section 3, point 4).
pub const LONGEST_LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Longest time that `iat` may lie back (RFC 7523 section 3, point 6), unless the assertion may live
/// longer.
const OLDEST: SignedDuration = SignedDuration::from_mins(10);

/// Longest `jti`, in characters.
const LONGEST_ID: usize = 255;

/// An explicit type keeps a JWT that was made for another purpose from being taken for this one
/// (RFC 8725 section 3.11; draft-ietf-oauth-rfc7523bis).
const EXPLICIT_TYPE: &str = "client-authentication+jwt";

/// An assertion as it came with a request. Nothing about it is checked yet.
#[derive(Debug)]
pub struct ClientAssertion {
    compact: Secret,
    /// The `client_id` parameter, which is optional beside an assertion (RFC 7521 section 4.2).
    client_id: Option<String>,
    /// The `sub` claim, empty when the assertion cannot be read.
    subject: String,
}

/// An assertion that the client's own key signed, for this server and for now. Only
/// [`ClientAssertion::check`] and [`ClientAssertion::check_within`] make one. It proves nothing until its replay id is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedAssertion {
    client_id: ClientId,
    replay_id: [u8; 32],
    expires_at: Timestamp,
}

/// Why an assertion was refused, for the log. The caller is told `invalid_client` whatever it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFailure {
    /// Not a JWT of the right form.
    #[error("the assertion is malformed: {0}")]
    Malformed(&'static str),
    /// `kid` is none of the client's keys, or the client has none for the algorithm.
    #[error("the assertion names no key that is registered for the client")]
    UnknownKey,
    /// There is no `kid`, and the client has several keys of the algorithm.
    #[error("the assertion names no key, and the client has several of its algorithm")]
    NoKeyId,
    /// None of the client's keys made the signature.
    #[error("the assertion's signature is wrong")]
    Signature,
    /// RFC 7523 section 3, points 1 and 2.
    #[error("the assertion's iss is not its sub")]
    Issuer,
    /// RFC 7521 section 4.2.
    #[error("the client_id parameter is not the assertion's sub")]
    OtherClient,
    /// RFC 7523 section 3, point 3.
    #[error("the assertion is for another audience")]
    Audience,
    /// RFC 7523 section 3, point 4.
    #[error("the assertion has expired")]
    Expired,
    /// `exp` is too far ahead (RFC 7523 section 3, point 4).
    #[error("the assertion lives too long")]
    TooLong,
    /// `iat` or `nbf` lies ahead.
    #[error("the assertion is from the future")]
    NotYetValid,
    /// `iat` lies too far back.
    #[error("the assertion was issued too long ago")]
    TooOld,
}

impl From<MalformedJws> for AssertionFailure {
    fn from(malformed: MalformedJws) -> Self {
        Self::Malformed(malformed.reason())
    }
}

/// The claims of an assertion (RFC 7523 section 3). `aud` is a single string: an array lets one
/// server use an assertion at another (audience injection, draft-ietf-oauth-rfc7523bis).
#[derive(Serialize, Deserialize)]
struct AssertionClaims {
    iss: String,
    sub: String,
    aud: String,
    jti: String,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "numeric_date::optional"
    )]
    iat: Option<i64>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "numeric_date::optional"
    )]
    nbf: Option<i64>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "numeric_date::optional"
    )]
    exp: Option<i64>,
}

impl ClientAssertion {
    /// Takes the assertion out of the form; `None` when the client authenticates in another way.
    ///
    /// An assertion that is no JWT is kept all the same, so that [`Self::check`] can say why it was
    /// refused. A client secret beside it is a second method, which RFC 6749 section 2.3 forbids;
    /// an `Authorization` header is too, and the caller's to see.
    pub fn read(form: &Form<'_>) -> Result<Option<Self>, TokenError> {
        let kind = form.value("client_assertion_type");
        let (kind, compact) = match (kind, form.value("client_assertion")) {
            (None, None) => return Ok(None),
            (Some(kind), Some(compact)) => (kind, compact),
            (None, Some(_)) => {
                return Err(TokenError::invalid_request(
                    "client_assertion came without client_assertion_type",
                ));
            }
            (Some(_), None) => {
                return Err(TokenError::invalid_request(
                    "client_assertion_type came without client_assertion",
                ));
            }
        };
        if kind != ASSERTION_TYPE {
            return Err(TokenError::invalid_request(format!(
                "client_assertion_type must be {ASSERTION_TYPE}"
            )));
        }
        if form.value("client_secret").is_some() {
            return Err(TokenError::invalid_request(
                "the client authenticates with an assertion and a secret: one of them must go",
            ));
        }
        let subject = UnverifiedJws::<AssertionClaims>::parse(compact)
            .map(|jws| jws.claims().sub.clone())
            .unwrap_or_default();
        Ok(Some(Self {
            compact: Secret::from(compact.to_owned()),
            client_id: form.value("client_id").map(str::to_owned),
            subject,
        }))
    }

    /// The client the assertion claims to be of, for finding the registered keys and for the
    /// limits; nothing is verified about it. Empty when the assertion cannot be read: no client has
    /// that id.
    pub fn unverified_client_id(&self) -> &str {
        &self.subject
    }

    /// What the client is told when the check failed. No header was used, so there is no challenge.
    pub fn refusal(&self) -> TokenError {
        TokenError::invalid_client(false)
    }

    /// Checks everything about the assertion but its first use. `keys` are those registered for
    /// [`Self::unverified_client_id`]; `audiences` are the names this server answers to, which is
    /// its issuer and, if it chooses so, the addresses of its endpoints.
    ///
    /// `exp` may lie [`LONGEST_LIFETIME`] ahead; [`Self::check_within`] takes another limit.
    pub fn check(
        &self,
        keys: &JwkSet,
        audiences: &[&str],
        now: Timestamp,
    ) -> Result<CheckedAssertion, AssertionFailure> {
        self.check_within(LONGEST_LIFETIME, keys, audiences, now)
    }

    /// Checks the same with a limit of the caller's: some libraries make assertions that live long
    /// unless told otherwise (Authlib's live an hour). Replay records live as long.
    ///
    /// The signature is checked first: what is said of an assertion that the client did not sign is
    /// always that, whatever else is wrong with it. Without a key there is a check all the same, so
    /// that an empty set, which stands for a client that does not exist, takes as long to refuse as a
    /// full one.
    pub fn check_within(
        &self,
        longest_lifetime: SignedDuration,
        keys: &JwkSet,
        audiences: &[&str],
        now: Timestamp,
    ) -> Result<CheckedAssertion, AssertionFailure> {
        let jws = UnverifiedJws::<AssertionClaims>::parse(self.compact.expose())?;
        check_type(jws.typ())?;
        check_signature(&jws, keys)?;
        let claims = jws.claims();
        let client_id = self.check_client(claims)?;
        if !audiences.contains(&claims.aud.as_str()) {
            return Err(AssertionFailure::Audience);
        }
        let expires_at = check_times(claims, longest_lifetime, now)?;
        if !(1..=LONGEST_ID).contains(&claims.jti.chars().count()) {
            return Err(AssertionFailure::Malformed(
                "its jti has not 1 to 255 characters",
            ));
        }
        Ok(CheckedAssertion {
            replay_id: replay_id(&client_id, &claims.jti),
            client_id,
            expires_at,
        })
    }

    /// Makes an assertion for one request: the client's end. `audience` is the issuer of the server.
    pub fn sign(
        client_id: &ClientId,
        audience: &str,
        key: &SigningKey,
        now: Timestamp,
        lifetime: SignedDuration,
        rng: &mut dyn CryptoRng,
    ) -> Result<Secret, KeyError> {
        Self::sign_as(
            client_id,
            audience,
            key,
            key.id().as_str(),
            now,
            lifetime,
            rng,
        )
    }

    /// The same for a server that has a name of its own (`key_id`) for the client's key.
    pub fn sign_as(
        client_id: &ClientId,
        audience: &str,
        key: &SigningKey,
        key_id: &str,
        now: Timestamp,
        lifetime: SignedDuration,
        rng: &mut dyn CryptoRng,
    ) -> Result<Secret, KeyError> {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let issued_at = now.as_second();
        let claims = AssertionClaims {
            iss: client_id.as_str().to_owned(),
            sub: client_id.as_str().to_owned(),
            aud: audience.to_owned(),
            jti: URL_SAFE_NO_PAD.encode(id),
            iat: Some(issued_at),
            nbf: None,
            exp: Some(issued_at.saturating_add(lifetime.as_secs())),
        };
        let header = PrintedHeader {
            alg: key.algorithm().as_str(),
            typ: EXPLICIT_TYPE,
            kid: key_id,
        };
        sign(&header, &claims, key)
    }

    fn check_client(&self, claims: &AssertionClaims) -> Result<ClientId, AssertionFailure> {
        if claims.iss != claims.sub {
            return Err(AssertionFailure::Issuer);
        }
        if self.client_id.as_ref().is_some_and(|id| *id != claims.sub) {
            return Err(AssertionFailure::OtherClient);
        }
        ClientId::parse(&claims.sub)
            .map_err(|_| AssertionFailure::Malformed("its sub is no client id"))
    }
}

impl CheckedAssertion {
    /// The client that signed.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Tells this assertion from every other: SHA-256 of the client id, a zero byte (which no
    /// client id has) and the `jti`. A second assertion with this id is a replay.
    pub fn replay_id(&self) -> [u8; 32] {
        self.replay_id
    }

    /// From when on the assertion is refused anyway, so the replay record may go: `exp` and the
    /// [`LEEWAY`].
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

fn check_type(typ: Option<&str>) -> Result<(), AssertionFailure> {
    // RFC 7515 section 4.1.9: media types are compared without case.
    let known = |typ: &str| {
        ["JWT", EXPLICIT_TYPE]
            .iter()
            .any(|known| typ.eq_ignore_ascii_case(known))
    };
    if typ.is_none_or(known) {
        Ok(())
    } else {
        Err(AssertionFailure::Malformed(
            "its typ is of another kind of token",
        ))
    }
}

/// One signature is checked, whoever the assertion says it is from: were it none for a client that does
/// not exist, or several for one with several keys, the time would tell a stranger which clients
/// exist.
fn check_signature(
    jws: &UnverifiedJws<'_, AssertionClaims>,
    keys: &JwkSet,
) -> Result<(), AssertionFailure> {
    match find_key(jws, keys) {
        Ok(key) if jws.verify_with(key) => Ok(()),
        Ok(_) => Err(AssertionFailure::Signature),
        Err(failure) => {
            let _unbelieved = nobodys_key(jws.algorithm()).map(|key| jws.verify_with(key));
            Err(failure)
        }
    }
}

/// The client's one key that can have signed the assertion. A `kid` is a look-up key into the
/// registered set and nothing else; without one the algorithm has to tell the key.
fn find_key<'k>(
    jws: &UnverifiedJws<'_, AssertionClaims>,
    keys: &'k JwkSet,
) -> Result<&'k VerifyingKey, AssertionFailure> {
    let is_of_algorithm = |key: &&VerifyingKey| key.algorithm() == jws.algorithm();
    if let Some(id) = jws.key_id() {
        let key = keys.find(id).filter(is_of_algorithm);
        return key.ok_or(AssertionFailure::UnknownKey);
    }
    let mut of_algorithm = keys.iter().filter(is_of_algorithm);
    match (of_algorithm.next(), of_algorithm.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(AssertionFailure::NoKeyId),
        (None, _) => Err(AssertionFailure::UnknownKey),
    }
}

/// Checks the three times and returns when the replay record may go.
fn check_times(
    claims: &AssertionClaims,
    longest: SignedDuration,
    now: Timestamp,
) -> Result<Timestamp, AssertionFailure> {
    let exp = claims
        .exp
        .ok_or(AssertionFailure::Malformed("it has no exp"))?;
    let (now, leeway) = (now.as_second(), LEEWAY.as_secs());
    let end = exp.saturating_add(leeway);
    if now >= end {
        return Err(AssertionFailure::Expired);
    }
    let latest = now + leeway;
    if exp > latest.saturating_add(longest.as_secs()) {
        return Err(AssertionFailure::TooLong);
    }
    if claims.iat.is_some_and(|iat| iat > latest) || claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err(AssertionFailure::NotYetValid);
    }
    let oldest = OLDEST.as_secs().max(longest.as_secs() + leeway);
    if claims.iat.is_some_and(|iat| iat < now - oldest) {
        return Err(AssertionFailure::TooOld);
    }
    // It lies near `now`, so only a clock at the end of time has no such moment.
    Ok(Timestamp::from_second(end).unwrap_or(Timestamp::MAX))
}

fn replay_id(client_id: &ClientId, jti: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [client_id.as_str().as_bytes(), b"\0", jti.as_bytes()] {
        context.update(part);
    }
    let mut id = [0; 32];
    id.copy_from_slice(context.finish().as_ref());
    id
}

#[derive(Serialize)]
struct PrintedHeader<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

fn sign(
    header: &PrintedHeader<'_>,
    claims: &AssertionClaims,
    key: &SigningKey,
) -> Result<Secret, KeyError> {
    let header = serde_json::to_vec(header).map_err(|_| KeyError::Failed)?;
    let claims = serde_json::to_vec(claims).map_err(|_| KeyError::Failed)?;
    let mut compact = URL_SAFE_NO_PAD.encode(header);
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut compact);
    let signature = key.sign(compact.as_bytes())?;
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut compact);
    Ok(Secret::from(compact))
}

#[cfg(test)]
mod tests;
