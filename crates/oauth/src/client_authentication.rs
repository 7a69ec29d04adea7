//! Client authentication: a secret in the body or by Basic (RFC 6749 section 2.3.1), or an assertion
//! signed with a registered key (RFC 7523).

use std::fmt;
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
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::work::{Step, steps_of};
    use crate::{KeySpec, SigningKey};
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    fn registration(secret: &str, pepper: &Pepper) -> ClientRegistration {
        ClientRegistration {
            client_id: ClientId::parse("s6BhdRkqt3").unwrap(),
            secrets: vec![RegisteredSecret {
                id: "1".to_owned(),
                digest: pepper.digest(&Secret::from(secret.to_owned())),
                expires_at: None,
            }],
            keys: None,
            methods: ClientAuthenticationMethods::default(),
            enabled: true,
            expires_at: None,
            generation: 1,
            subject: Subject::parse("ann@example.com").unwrap(),
            workspace: WorkspaceId::parse("234d76c6e9d011ebb73082b212ad6fea").unwrap(),
            customer: CustomerId::parse("e8a4da2eefc311eba02cb603422bc0a0").unwrap(),
            instance: ApplicationInstanceId::platform(),
            token_lifetime: SignedDuration::from_hours(2),
            scopes: None,
            introspects: false,
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn presented(header: Option<&str>, body: &str) -> Result<PresentedCredential, TokenError> {
        let form = Form::parse(body.as_bytes()).unwrap();
        PresentedCredential::read(
            header.iter().map(|h| h.as_bytes()),
            &form,
            TwoCredentials::default(),
        )
    }

    fn outcome(
        header: Option<&str>,
        body: &str,
        secret: &str,
    ) -> Result<(), AuthenticationFailure> {
        let pepper = Pepper::new([3; 32]);
        authenticated(header, body, &registration(secret, &pepper), &pepper)
    }

    fn authenticated(
        header: Option<&str>,
        body: &str,
        known: &ClientRegistration,
        pepper: &Pepper,
    ) -> Result<(), AuthenticationFailure> {
        let by = Authenticator {
            find: |id: &str| (id == known.client_id.as_str()).then_some(known),
            pepper,
            audiences: &[],
            longest_assertion: SignedDuration::from_mins(5),
        };
        authenticate(&presented(header, body).unwrap(), &by, now())
            .map(|client| assert_eq!(client.registration().client_id, known.client_id))
    }

    /// RFC 6749 section 2.3.1: the example header and the example body.
    #[test]
    fn the_rfc_examples_authenticate() {
        let header = Some("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
        assert_eq!(outcome(header, "", "7Fjfp0ZBr1KtDRbnfVdmIw"), Ok(()));
        let body = "client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw";
        assert_eq!(outcome(None, body, "7Fjfp0ZBr1KtDRbnfVdmIw"), Ok(()));
        assert_eq!(
            outcome(None, body, "another"),
            Err(AuthenticationFailure::WrongSecret)
        );
        assert_eq!(
            outcome(None, "client_id=nobody&client_secret=x", "x"),
            Err(AuthenticationFailure::UnknownClient)
        );
    }

    #[test]
    fn basic_is_read_raw_first_and_then_form_decoded() {
        let basic = |pair: &str| format!("bAsIc {}", STANDARD.encode(pair));
        assert_eq!(
            outcome(Some(&basic("s6BhdRkqt3:a%2Bb")), "", "a%2Bb"),
            Ok(())
        );
        assert_eq!(outcome(Some(&basic("s6BhdRkqt3:a%2Bb")), "", "a+b"), Ok(()));
        assert_eq!(
            outcome(Some(&basic("s6BhdRkqt3:a:b=&c")), "", "a:b=&c"),
            Ok(())
        );
        assert_eq!(outcome(Some(&basic("s6BhdRkqt3:a%3Ab")), "", "a:b"), Ok(()));
    }

    #[test]
    fn two_places_must_say_the_same() {
        let header = Some("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3");
        let same = "client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw";
        assert_eq!(outcome(header, same, "7Fjfp0ZBr1KtDRbnfVdmIw"), Ok(()));
        for other in ["client_id=x", "client_id=s6BhdRkqt3&client_secret=x"] {
            assert_eq!(
                presented(header, other).unwrap_err().code(),
                "invalid_request"
            );
        }
        let form = Form::parse(b"").unwrap();
        let twice = PresentedCredential::read(
            [&b"Basic YTpi"[..], &b"Basic YTpi"[..]],
            &form,
            TwoCredentials::default(),
        );
        assert_eq!(twice.unwrap_err().code(), "invalid_request");
    }

    #[test]
    fn where_two_credentials_are_refused_a_lone_client_id_beside_the_header_is_not_one() {
        let read = |body: &str| {
            let form = Form::parse(body.as_bytes()).unwrap();
            let header = b"Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3";
            PresentedCredential::read([&header[..]], &form, TwoCredentials::Refused)
        };
        let same = "client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw";
        assert_eq!(read(same).unwrap_err().code(), "invalid_request");
        assert!(read("client_id=s6BhdRkqt3").is_ok());
    }

    #[test]
    fn two_secrets_are_good_and_each_ends_at_its_time() {
        let pepper = Pepper::new([3; 32]);
        let mut known = registration("old", &pepper);
        known.secrets[0].expires_at = Some(now() + SignedDuration::from_secs(1));
        known.secrets.push(RegisteredSecret {
            id: "2".to_owned(),
            digest: pepper.digest(&Secret::from("new".to_owned())),
            expires_at: None,
        });
        let try_with = |known: &ClientRegistration, secret: &str| {
            let body = format!("client_id=s6BhdRkqt3&client_secret={secret}");
            authenticated(None, &body, known, &pepper)
        };
        assert_eq!(try_with(&known, "old"), Ok(()));
        assert_eq!(try_with(&known, "new"), Ok(()));
        known.secrets[0].expires_at = Some(now());
        assert_eq!(
            try_with(&known, "old"),
            Err(AuthenticationFailure::ExpiredSecret),
            "to the second"
        );
        assert_eq!(try_with(&known, "new"), Ok(()));
        known.expires_at = Some(now());
        assert_eq!(try_with(&known, "new"), Err(AuthenticationFailure::Expired));
        known.enabled = false;
        assert_eq!(
            try_with(&known, "new"),
            Err(AuthenticationFailure::Disabled)
        );
        assert_eq!(
            try_with(&known, "guess"),
            Err(AuthenticationFailure::WrongSecret),
            "how a client stands is for those to know who have its secret"
        );
    }

    #[test]
    fn a_client_authenticates_only_in_the_ways_registered_for_it() {
        let pepper = Pepper::new([3; 32]);
        let mut known = registration("right", &pepper);
        known.methods = "client_secret_basic".parse().unwrap();
        let header = format!("Basic {}", STANDARD.encode("s6BhdRkqt3:right"));
        assert_eq!(authenticated(Some(&header), "", &known, &pepper), Ok(()));
        let body = "client_id=s6BhdRkqt3&client_secret=right";
        assert_eq!(
            authenticated(None, body, &known, &pepper),
            Err(AuthenticationFailure::Method)
        );
    }

    /// What a request costs: the look-ups, and the steps counted beside the code that takes them.
    fn cost(
        presented: &PresentedCredential,
        known: Option<&ClientRegistration>,
        pepper: &Pepper,
    ) -> (Result<(), AuthenticationFailure>, usize, Vec<Step>) {
        let looked = Cell::new(0);
        let by = Authenticator {
            find: |_: &str| {
                looked.set(looked.get() + 1);
                known
            },
            pepper,
            audiences: &["https://as.example.com"],
            longest_assertion: SignedDuration::from_mins(5),
        };
        let mut outcome = Ok(());
        let steps = steps_of(|| outcome = authenticate(presented, &by, now()).map(|_| ()));
        (outcome, looked.get(), steps)
    }

    /// A client that has the secret `right`, in every state that a stranger might ask about.
    fn clients_of_every_state(pepper: &Pepper) -> Vec<Option<ClientRegistration>> {
        let good = registration("right", pepper);
        let changed = |change: &dyn Fn(&mut ClientRegistration)| {
            let mut known = good.clone();
            change(&mut known);
            Some(known)
        };
        vec![
            None,
            Some(good.clone()),
            changed(&|known| known.secrets[0].expires_at = Some(now())),
            changed(&|known| known.secrets.push(known.secrets[0].clone())),
            changed(&|known| known.secrets.clear()),
            changed(&|known| known.enabled = false),
            changed(&|known| known.expires_at = Some(now())),
            changed(&|known| known.methods = ClientAuthenticationMethods::KEY),
        ]
    }

    #[test]
    fn audit_06_whoever_is_asked_for_a_secret_costs_the_same_steps() {
        let pepper = Pepper::new([3; 32]);
        let steps = [Step::Digest, Step::Comparison, Step::Comparison];
        let mut failures = Vec::new();
        for known in clients_of_every_state(&pepper) {
            // `foreign` stands for the secret of somebody else, which is as wrong as any.
            for secret in ["right", "wrong", "foreign", ""] {
                let header = format!("Basic {}", STANDARD.encode(format!("s6BhdRkqt3:{secret}")));
                let asked = presented(Some(&header), "").unwrap();
                let (outcome, looked, taken) = cost(&asked, known.as_ref(), &pepper);
                assert_eq!(looked, 1, "{known:?}");
                assert_eq!(taken, steps, "{known:?}");
                failures.extend(outcome.err());
            }
        }
        for seen in [
            AuthenticationFailure::UnknownClient,
            AuthenticationFailure::WrongSecret,
            AuthenticationFailure::ExpiredSecret,
            AuthenticationFailure::Disabled,
            AuthenticationFailure::Expired,
            AuthenticationFailure::Method,
        ] {
            assert!(failures.contains(&seen), "{seen}");
        }
    }

    #[test]
    fn audit_09_a_refusal_costs_no_more_than_a_success() {
        let pepper = Pepper::new([3; 32]);
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        // The last of them reads differently once it is form-decoded.
        for (right, wrong, most) in [
            (basic("s6BhdRkqt3:right"), basic("s6BhdRkqt3:wrong"), 1),
            (basic("s6BhdRkqt3:%72ight"), basic("s6BhdRkqt3:%77rong"), 2),
        ] {
            let steps = |header: &str, known: Option<&ClientRegistration>| {
                let (outcome, looked, steps) =
                    cost(&presented(Some(header), "").unwrap(), known, &pepper);
                let digests = steps.iter().filter(|step| **step == Step::Digest).count();
                assert_eq!((looked, digests), (most, most), "{header}");
                assert_eq!(steps.len(), most * (1 + MOST_SECRETS), "{header}");
                (outcome.is_ok(), steps)
            };
            let known = registration("right", &pepper);
            let (good, success) = steps(&right, Some(&known));
            assert!(good, "{right}");
            for known in clients_of_every_state(&pepper) {
                assert_eq!(steps(&wrong, known.as_ref()), (false, success.clone()));
            }
        }
    }

    /// An assertion for client `s6BhdRkqt3`, good if `key` is registered.
    fn assertion(key: &SigningKey, kid: Option<&str>) -> PresentedCredential {
        let header = serde_json::json!({ "alg": key.algorithm().as_str(), "kid": kid });
        let claims = serde_json::json!({
            "iss": "s6BhdRkqt3", "sub": "s6BhdRkqt3", "aud": "https://as.example.com", "jti": "1",
            "exp": now().as_second() + 60,
        });
        let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap());
        let kind = crate::client_assertion::ASSERTION_TYPE;
        let body = format!("client_assertion_type={kind}&client_assertion={input}.{signature}");
        presented(None, &body).unwrap()
    }

    #[test]
    fn audit_06_whoever_is_asked_for_an_assertion_costs_one_signature() {
        let pepper = Pepper::new([3; 32]);
        let [own, second, stranger] =
            [(); 3].map(|()| SigningKey::generate(KeySpec::EcP256).unwrap());
        let other_kind = SigningKey::generate(KeySpec::Ed25519).unwrap();
        let set = |keys: &[&SigningKey]| {
            let keys = keys.iter().map(|key| key.public_key().unwrap());
            Some(Arc::new(JwkSet::new(keys)))
        };
        let mut clients = clients_of_every_state(&pepper);
        for keys in [set(&[&own]), set(&[&own, &second]), set(&[&other_kind])] {
            let mut known = registration("right", &pepper);
            known.methods = ClientAuthenticationMethods::KEY;
            known.keys = keys;
            clients.push(Some(known.clone()));
            known.enabled = false;
            clients.push(Some(known));
        }
        let mut successes = 0;
        for known in &clients {
            for asked in [
                assertion(&own, Some(own.id().as_str())),
                assertion(&own, None),
                assertion(&stranger, Some(own.id().as_str())),
                assertion(&stranger, Some(stranger.id().as_str())),
                assertion(&stranger, Some(other_kind.id().as_str())),
                assertion(&stranger, None),
            ] {
                let (outcome, looked, steps) = cost(&asked, known.as_ref(), &pepper);
                assert_eq!(looked, 1, "{known:?}");
                assert_eq!(steps, [Step::Signature], "{outcome:?}: {known:?}");
                successes += usize::from(outcome.is_ok());
            }
        }
        assert_eq!(successes, 3, "with kid for both, without for the only one");
    }

    #[test]
    fn methods_are_read_back_and_nonsense_is_not() {
        let all = "client_secret_basic client_secret_post private_key_jwt";
        let methods: ClientAuthenticationMethods = all.parse().unwrap();
        assert_eq!(methods.to_string(), all);
        for wrong in ["", " ", "none", "client_secret_basic,private_key_jwt"] {
            assert!(wrong.parse::<ClientAuthenticationMethods>().is_err());
        }
    }

    #[test]
    fn a_broken_header_is_a_failed_client_with_a_challenge() {
        for header in [
            "Basic",
            "Basic !!!",
            "Basic Zm9v",
            "Bearer x",
            "Basic AGE6Yg==",
            "Basic /w==",
        ] {
            let error = presented(Some(header), "").unwrap_err();
            assert!(
                error.is_invalid_client() && error.challenge().is_some(),
                "{header}"
            );
        }
        for body in [
            "",
            "client_id=a",
            "client_secret=a",
            "client_id=&client_secret=a",
        ] {
            let error = presented(None, body).unwrap_err();
            assert!(
                error.is_invalid_client() && error.challenge().is_none(),
                "{body}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_the_reader_panic(header: Vec<u8>, body: Vec<u8>) {
            if let Ok(form) = Form::parse(&body) {
                let _ = PresentedCredential::read([header.as_slice()], &form, TwoCredentials::Refused);
            }
        }

        #[test]
        fn what_is_printed_as_basic_has_the_same_pair_among_its_readings(secret in "[^\0]{1,40}") {
            let id = ClientId::parse("a-b_c").unwrap();
            let value = basic_value(&id, &Secret::from(secret.clone()));
            let read = presented(Some(value.expose()), "").unwrap();
            prop_assert!(read.readings().any(|r| r.client_secret.expose() == secret));
        }
    }
}
