//! What a client authenticates with at the token endpoint: its secret, or an assertion that it signs
//! with its private key (RFC 6749 section 2.3.1; RFC 7523 section 2.2).

use std::path::Path;

use hallpass_oauth::client_assertion::ClientAssertion;
use hallpass_oauth::token_request::{AuthenticationMethod, ClientCredential, EncodedRequest};
use hallpass_oauth::{Secret, SigningKey, TokenRequest};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::credential_source::CredentialSource;
use crate::profile::{Authentication, PrivateKey, Profile};
use crate::token_failure::TokenFailure;

/// The credential, opened for one token.
pub(crate) enum Credential {
    Secret(Secret),
    Key {
        key: Box<SigningKey>,
        /// What the server calls it.
        id: String,
    },
}

impl Credential {
    /// Opens the place where it is kept.
    pub(crate) fn open(profile: &Profile, source: &CredentialSource) -> Result<Self, TokenFailure> {
        match profile.authentication() {
            Authentication::PrivateKeyJwt(key) => Self::read(key),
            _ => Ok(Self::Secret(source.load()?)),
        }
    }

    /// What an entry of the cache tells it from others by. The id of a key follows from the key.
    pub(crate) fn mark(&self) -> &str {
        match self {
            Self::Secret(secret) => secret.expose(),
            Self::Key { key, .. } => key.id().as_str(),
        }
    }

    /// What must not be shown, wherever it comes from.
    pub(crate) fn hidden(&self) -> &str {
        match self {
            Self::Secret(secret) => secret.expose(),
            // Each assertion is good once, and is looked for in the request it went with.
            Self::Key { .. } => "",
        }
    }

    /// The request with the credential in exactly one place.
    pub(crate) fn encode(
        &self,
        profile: &Profile,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<EncodedRequest, TokenFailure> {
        let (request, client_id) = (request(profile), profile.client_id());
        let client_secret = match self {
            Self::Secret(secret) => secret,
            Self::Key { key, id } => {
                let audience = profile.token_url().as_str();
                let lifetime = ASSERTION_LIFETIME;
                let signed =
                    ClientAssertion::sign_as(client_id, audience, key, id, now, lifetime, rng);
                let assertion = signed.map_err(|error| TokenFailure::Setup {
                    reason: error.to_string(),
                })?;
                return Ok(request.encode_with(&ClientCredential::Assertion(&assertion)));
            }
        };
        let method = match profile.authentication() {
            Authentication::BasicUnencoded => {
                return Ok(request.encode_with(&ClientCredential::UnencodedBasic {
                    client_id,
                    client_secret,
                }));
            }
            Authentication::Basic => AuthenticationMethod::Basic,
            Authentication::Body | Authentication::PrivateKeyJwt(_) => AuthenticationMethod::Body,
        };
        Ok(request.encode(method, client_id, client_secret))
    }

    fn read(private_key: &PrivateKey) -> Result<Self, TokenFailure> {
        let path = private_key.file();
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|error| failed(path, &error))?;
        let key = SigningKey::from_pem(&text).map_err(|error| failed(path, &error))?;
        let id = private_key.id().unwrap_or(key.id().as_str()).to_owned();
        Ok(Self::Key {
            key: Box::new(key),
            id,
        })
    }
}

/// What is asked for, without who asks.
fn request(profile: &Profile) -> TokenRequest {
    let mut request = TokenRequest::client_credentials(profile.scope().map(str::to_owned));
    if let Some(audience) = profile.audience() {
        request = request.with_parameter("audience", audience);
    }
    for resource in profile.resources() {
        request = request.with_parameter("resource", resource);
    }
    request
}

fn failed(path: &Path, reason: &dyn std::fmt::Display) -> TokenFailure {
    TokenFailure::PrivateKey {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// How long an assertion is good: long enough for clocks that are a little apart, and no longer.
const ASSERTION_LIFETIME: SignedDuration = SignedDuration::from_secs(60);
