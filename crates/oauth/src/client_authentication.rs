//! Client authentication: a secret in the body or by Basic (RFC 6749 section 2.3.1), or an assertion
//! signed with a registered key (RFC 7523).

mod methods;

use std::ops::Deref;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};

use crate::client_assertion::{AssertionFailure, CheckedAssertion, ClientAssertion};
use crate::form::Form;
use crate::scope::ScopeSet;
use crate::token_error::TokenError;
use crate::{
    ApplicationInstanceId, ClientId, CustomerId, JwkSet, Pepper, Secret, SecretDigest, Subject,
    WorkspaceId,
};

pub use methods::{ClientAuthenticationMethod, ClientAuthenticationMethods, InvalidMethods};

/// What the authorization server knows of a client: enough to authenticate it and to write a token
/// for it, and no secret in clear.
#[derive(Debug, Clone)]
pub struct ClientRegistration {
    /// The client.
    pub client_id: ClientId,
    /// Its secrets: none, one, or two while a new one takes over from an old one.
    pub secrets: Vec<RegisteredSecret>,
    /// The public keys its assertions are signed with.
    pub keys: Option<Arc<JwkSet>>,
    /// How it may authenticate.
    pub methods: ClientAuthenticationMethods,
    /// Whether it may do anything at all.
    pub enabled: bool,
    /// When it ends, if it ever does.
    pub expires_at: Option<Timestamp>,
    /// Counts the changes that end everything before them.
    pub generation: u64,
    /// The resource owner the client acts for.
    pub subject: Subject,
    /// The workspace it belongs to.
    pub workspace: WorkspaceId,
    /// What that workspace is called inside tokens.
    pub customer: CustomerId,
    /// The service and region its tokens are for.
    pub instance: ApplicationInstanceId,
    /// How long its tokens live.
    pub token_lifetime: SignedDuration,
    /// The scopes it may ask for; `None` for a client whose requests may name any, to no effect.
    pub scopes: Option<ScopeSet>,
    /// Whether it may introspect the tokens of others for its application instance.
    pub introspects: bool,
}

/// One secret of a client.
#[derive(Debug, Clone)]
pub struct RegisteredSecret {
    /// Names the secret; not secret itself.
    pub id: String,
    /// Its digest.
    pub digest: SecretDigest,
    /// When it ends, if it ever does.
    pub expires_at: Option<Timestamp>,
}

/// Most secrets of a client that may be alive at a time.
pub const MOST_SECRETS: usize = 2;

/// What a request may do that RFC 6749 section 2.3 forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TwoCredentials {
    /// Two places that say the same are one credential (domain facts, section 2.5).
    #[default]
    ToleratedWhenEqual,
    /// Only one place may hold a credential.
    Refused,
}

/// The credential of a request, not yet checked. Basic can be read in two ways, see
/// [`Self::readings`].
#[derive(Debug)]
pub struct PresentedCredential {
    kind: Presented,
    with_header: bool,
}

#[derive(Debug)]
enum Presented {
    Secret {
        method: ClientAuthenticationMethod,
        readings: Vec<Reading>,
    },
    Assertion(ClientAssertion),
}

/// One reading of a presented credential.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The id as sent; no such client may exist.
    pub client_id: String,
    /// The secret as sent.
    pub client_secret: Secret,
}

/// A client whose secret or assertion was right. Only [`authenticate`] makes one.
#[derive(Debug)]
pub struct AuthenticatedClient<R> {
    registration: R,
    proof: Proof,
}

/// What a client authenticated with.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The secret of that id.
    Secret(String),
    /// An assertion, good for one use: whoever takes it has to remember that it was used.
    Assertion(CheckedAssertion),
}

impl<R: Deref<Target = ClientRegistration>> AuthenticatedClient<R> {
    /// The registration the client authenticated for.
    pub fn registration(&self) -> &ClientRegistration {
        &self.registration
    }

    /// What it authenticated with.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }
}

/// Why authentication failed. The caller is told the same for every reason; the log keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationFailure {
    /// No client has that id.
    #[error("unknown client")]
    UnknownClient,
    /// The client exists, the secret is another.
    #[error("wrong secret")]
    WrongSecret,
    /// The secret was right until it expired.
    #[error("expired secret")]
    ExpiredSecret,
    /// The client is disabled.
    #[error("disabled client")]
    Disabled,
    /// The client has come to its end.
    #[error("expired client")]
    Expired,
    /// The client may not authenticate in this way.
    #[error("authentication method not registered for the client")]
    Method,
    /// The assertion is no good.
    #[error("client assertion refused: {0}")]
    Assertion(#[from] AssertionFailure),
}

impl PresentedCredential {
    /// Reads the credential out of the `Authorization` headers and the form.
    ///
    /// RFC 6749 section 2.3 forbids a client to authenticate in two ways. Two that differ are always
    /// refused, so that no proxy and server can disagree about who called; two that say the same
    /// are for `two` to decide.
    pub fn read<'a>(
        authorization: impl IntoIterator<Item = &'a [u8]>,
        form: &Form<'_>,
        two: TwoCredentials,
    ) -> Result<Self, TokenError> {
        let mut headers = authorization.into_iter();
        let header = headers.next();
        if headers.next().is_some() {
            return Err(TokenError::invalid_request(
                "more than one Authorization header",
            ));
        }
        let body = read_body(form);
        if let Some(assertion) = ClientAssertion::read(form)? {
            if header.is_some() || body.client_secret.is_some() {
                return Err(TokenError::invalid_request(
                    "the request authenticates the client in two ways",
                ));
            }
            return Ok(Self {
                kind: Presented::Assertion(assertion),
                with_header: false,
            });
        }
        match (header, body) {
            (Some(header), body) => Self::from_header(header, &body, two),
            (
                None,
                BodyCredential {
                    client_id: Some(id),
                    client_secret: Some(secret),
                },
            ) => {
                let reading = Reading {
                    client_id: id.to_owned(),
                    client_secret: Secret::from(secret.to_owned()),
                };
                Ok(Self {
                    kind: Presented::Secret {
                        method: ClientAuthenticationMethod::SecretPost,
                        readings: vec![reading],
                    },
                    with_header: false,
                })
            }
            (None, _) => Err(TokenError::invalid_client(false)),
        }
    }

    fn from_header(
        header: &[u8],
        body: &BodyCredential<'_>,
        two: TwoCredentials,
    ) -> Result<Self, TokenError> {
        let readings = read_basic(header).ok_or_else(|| TokenError::invalid_client(true))?;
        if body
            .client_id
            .is_some_and(|id| readings.iter().all(|r| r.client_id != id))
            || body
                .client_secret
                .is_some_and(|secret| readings.iter().all(|r| r.client_secret.expose() != secret))
        {
            return Err(TokenError::invalid_request(
                "the Authorization header and the body name different credentials",
            ));
        }
        // A client_id alone in the body authenticates nobody (RFC 6749 section 3.2.1).
        if two == TwoCredentials::Refused && body.client_secret.is_some() {
            return Err(TokenError::invalid_request(
                "the client credentials are both in the Authorization header and in the body",
            ));
        }
        Ok(Self {
            kind: Presented::Secret {
                method: ClientAuthenticationMethod::SecretBasic,
                readings,
            },
            with_header: true,
        })
    }

    /// The ways to read the credential: one, or two for a Basic value that means something else
    /// once form-decoded. RFC 6749 section 2.3.1 wants id and secret form-encoded before base64;
    /// half of the clients do not do it (domain facts, section 2.1), so the raw text comes first.
    /// None for an assertion.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        match &self.kind {
            Presented::Secret { readings, .. } => readings.iter(),
            Presented::Assertion(_) => [].iter(),
        }
    }

    /// The client id as presented, for the log and the limits; nothing is verified about it.
    pub fn unverified_client_id(&self) -> &str {
        match &self.kind {
            Presented::Secret { readings, .. } => readings
                .first()
                .map_or("", |reading| reading.client_id.as_str()),
            Presented::Assertion(assertion) => assertion.unverified_client_id(),
        }
    }

    /// What the client is told when authentication failed.
    pub fn refusal(&self) -> TokenError {
        TokenError::invalid_client(self.with_header)
    }
}

/// Whom a request may come from, and how that is found out.
pub struct Authenticator<'a, F> {
    /// Looks up the registration of a client id.
    pub find: F,
    /// The key of the secret digests.
    pub pepper: &'a Pepper,
    /// What an assertion's `aud` may be: the issuer, and whatever else this server goes by.
    pub audiences: &'a [&'a str],
    /// How far ahead an assertion's `exp` may lie.
    pub longest_assertion: SignedDuration,
}

/// Checks the presented credential against the registration that is known for the id.
pub fn authenticate<R, F>(
    presented: &PresentedCredential,
    by: &Authenticator<'_, F>,
    now: Timestamp,
) -> Result<AuthenticatedClient<R>, AuthenticationFailure>
where
    R: Deref<Target = ClientRegistration>,
    F: Fn(&str) -> Option<R>,
{
    match &presented.kind {
        Presented::Secret { method, readings } => authenticate_secret(readings, *method, by, now),
        Presented::Assertion(assertion) => authenticate_assertion(assertion, by, now),
    }
}

/// An unknown client, a wrong, expired or foreign secret and a disabled client take the same steps:
/// per reading one look-up, one digest and [`MOST_SECRETS`] comparisons in constant time. A
/// difference would tell a stranger which ids exist.
fn authenticate_secret<R, F>(
    readings: &[Reading],
    method: ClientAuthenticationMethod,
    by: &Authenticator<'_, F>,
    now: Timestamp,
) -> Result<AuthenticatedClient<R>, AuthenticationFailure>
where
    R: Deref<Target = ClientRegistration>,
    F: Fn(&str) -> Option<R>,
{
    let mut failure = AuthenticationFailure::UnknownClient;
    for reading in readings {
        let registration = (by.find)(&reading.client_id);
        let digest = by.pepper.digest(&reading.client_secret);
        let mut matching = None;
        for place in 0..MOST_SECRETS {
            let known = registration
                .as_ref()
                .and_then(|known| known.secrets.get(place));
            let expected = known.map_or(&SecretDigest::NOBODY, |secret| &secret.digest);
            if expected.matches(&digest) {
                matching = known;
            }
        }
        let matching = matching.cloned();
        let Some(registration) = registration else {
            continue;
        };
        match standing(&registration, matching, method, now) {
            Ok(secret) => {
                return Ok(AuthenticatedClient {
                    registration,
                    proof: Proof::Secret(secret.id),
                });
            }
            Err(known) => failure = known,
        }
    }
    Err(failure)
}

/// Everything but the secret that a known client can fail by.
fn standing(
    registration: &ClientRegistration,
    matching: Option<RegisteredSecret>,
    method: ClientAuthenticationMethod,
    now: Timestamp,
) -> Result<RegisteredSecret, AuthenticationFailure> {
    let secret = matching.ok_or(AuthenticationFailure::WrongSecret)?;
    if secret.expires_at.is_some_and(|end| end <= now) {
        return Err(AuthenticationFailure::ExpiredSecret);
    }
    registration.may_authenticate(method, now)?;
    Ok(secret)
}

/// One look-up and one signature check, whoever the assertion says it is from and however that client
/// stands.
fn authenticate_assertion<R, F>(
    assertion: &ClientAssertion,
    by: &Authenticator<'_, F>,
    now: Timestamp,
) -> Result<AuthenticatedClient<R>, AuthenticationFailure>
where
    R: Deref<Target = ClientRegistration>,
    F: Fn(&str) -> Option<R>,
{
    let registration = (by.find)(assertion.unverified_client_id());
    let known = registration.as_ref().and_then(|known| known.keys.clone());
    let keys = known.unwrap_or_default();
    let checked = assertion.check_within(by.longest_assertion, &keys, by.audiences, now);
    let registration = registration.ok_or(AuthenticationFailure::UnknownClient)?;
    registration.may_authenticate(ClientAuthenticationMethod::PrivateKeyJwt, now)?;
    Ok(AuthenticatedClient {
        registration,
        proof: Proof::Assertion(checked?),
    })
}

impl ClientRegistration {
    fn may_authenticate(
        &self,
        method: ClientAuthenticationMethod,
        now: Timestamp,
    ) -> Result<(), AuthenticationFailure> {
        if !self.enabled {
            return Err(AuthenticationFailure::Disabled);
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(AuthenticationFailure::Expired);
        }
        if !self.methods.contains(method) {
            return Err(AuthenticationFailure::Method);
        }
        Ok(())
    }
}

/// Prints the value of a Basic header, form-encoded first as RFC 6749 section 2.3.1 says. Ids and
/// secrets of this project need no encoding, so both readings agree.
pub(crate) fn basic_value(client_id: &ClientId, client_secret: &Secret) -> Secret {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!(
        "{}:{}",
        encode(client_id.as_str()),
        encode(client_secret.expose())
    );
    basic_of(pair)
}

/// The same without the form encoding, for servers that do not take it off.
pub(crate) fn unencoded_basic_value(client_id: &ClientId, client_secret: &Secret) -> Secret {
    basic_of(format!("{}:{}", client_id.as_str(), client_secret.expose()))
}

fn basic_of(pair: String) -> Secret {
    let value = Secret::from(format!("Basic {}", STANDARD.encode(&pair)));
    drop(Secret::from(pair));
    value
}

struct BodyCredential<'a> {
    client_id: Option<&'a str>,
    client_secret: Option<&'a str>,
}

fn read_body<'a>(form: &'a Form<'_>) -> BodyCredential<'a> {
    BodyCredential {
        client_id: form.value("client_id"),
        client_secret: form.value("client_secret"),
    }
}

fn read_basic(header: &[u8]) -> Option<Vec<Reading>> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    if pair.contains('\0') {
        return None;
    }
    let (id, secret) = pair.split_once(':')?;
    let raw = Reading {
        client_id: id.to_owned(),
        client_secret: Secret::from(secret.to_owned()),
    };
    let mut readings = vec![raw];
    if let (Some(decoded_id), Some(decoded_secret)) = (form_decode(id), form_decode(secret))
        && (decoded_id != id || decoded_secret != secret)
    {
        readings.push(Reading {
            client_id: decoded_id,
            client_secret: Secret::from(decoded_secret),
        });
    }
    drop(Secret::from(pair));
    Some(readings)
}

/// Undoes form encoding of a single value; `None` when the result is no UTF-8.
fn form_decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    Some(
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .ok()?
            .into_owned(),
    )
}

#[cfg(test)]
mod tests;
