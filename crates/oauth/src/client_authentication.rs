//! Client authentication with a secret (RFC 6749 section 2.3.1): in the body or by Basic.

use std::ops::Deref;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;

use crate::form::Form;
use crate::token_error::TokenError;
use crate::{
    ApplicationInstanceId, ClientId, CustomerId, Pepper, Secret, SecretDigest, Subject, WorkspaceId,
};

/// What the authorization server knows of a client: enough to authenticate it and to write a token
/// for it, and no secret in clear.
#[derive(Debug, Clone)]
pub struct ClientRegistration {
    /// The client.
    pub client_id: ClientId,
    /// The digest of its secret.
    pub secret_digest: SecretDigest,
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
}

/// The credential of a request, not yet checked. Basic can be read in two ways, see
/// [`Self::readings`].
#[derive(Debug)]
pub struct PresentedCredential {
    readings: Vec<Reading>,
    with_header: bool,
}

/// One reading of a presented credential.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The id as sent; no such client may exist.
    pub client_id: String,
    /// The secret as sent.
    pub client_secret: Secret,
}

/// A client whose secret was right. Only [`authenticate`] makes one.
#[derive(Debug)]
pub struct AuthenticatedClient<R>(R);

impl<R: Deref<Target = ClientRegistration>> AuthenticatedClient<R> {
    /// The registration the client authenticated for.
    pub fn registration(&self) -> &ClientRegistration {
        &self.0
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
}

impl PresentedCredential {
    /// Reads the credential out of the `Authorization` headers and the form.
    ///
    /// RFC 6749 section 2.3 forbids a client to authenticate in two ways. Two that say the same
    /// are tolerated, as the real system's clients expect; two that differ are refused, so that no
    /// proxy and server can disagree about who called.
    pub fn read<'a>(
        authorization: impl IntoIterator<Item = &'a [u8]>,
        form: &Form<'_>,
    ) -> Result<Self, TokenError> {
        let mut headers = authorization.into_iter();
        let header = headers.next();
        if headers.next().is_some() {
            return Err(TokenError::invalid_request(
                "more than one Authorization header",
            ));
        }
        let from_body = read_body(form);
        match (header, from_body) {
            (Some(header), body) => {
                let readings =
                    read_basic(header).ok_or_else(|| TokenError::invalid_client(true))?;
                if body
                    .client_id
                    .is_some_and(|id| readings.iter().all(|r| r.client_id != id))
                    || body.client_secret.is_some_and(|secret| {
                        readings.iter().all(|r| r.client_secret.expose() != secret)
                    })
                {
                    return Err(TokenError::invalid_request(
                        "the Authorization header and the body name different credentials",
                    ));
                }
                Ok(Self {
                    readings,
                    with_header: true,
                })
            }
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
                    readings: vec![reading],
                    with_header: false,
                })
            }
            (None, _) => Err(TokenError::invalid_client(false)),
        }
    }

    /// The ways to read the credential: one, or two for a Basic value that means something else
    /// once form-decoded. RFC 6749 section 2.3.1 wants id and secret form-encoded before base64;
    /// half of the clients do not do it (domain facts, section 2.1), so the raw text comes first.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter()
    }

    /// The client id as presented, for the log and the limits; nothing is verified about it.
    pub fn unverified_client_id(&self) -> &str {
        self.readings
            .first()
            .map_or("", |reading| &reading.client_id)
    }

    /// What the client is told when authentication failed.
    pub fn refusal(&self) -> TokenError {
        TokenError::invalid_client(self.with_header)
    }
}

/// Checks the presented secret against the registration that `find` knows for the id.
///
/// An unknown client and a wrong secret take the same steps: one look-up, one digest, one
/// comparison in constant time. The difference would otherwise tell a stranger which ids exist.
pub fn authenticate<R: Deref<Target = ClientRegistration>>(
    presented: &PresentedCredential,
    find: impl Fn(&str) -> Option<R>,
    pepper: &Pepper,
) -> Result<AuthenticatedClient<R>, AuthenticationFailure> {
    let mut failure = AuthenticationFailure::UnknownClient;
    for reading in presented.readings() {
        let registration = find(&reading.client_id);
        let digest = pepper.digest(&reading.client_secret);
        let expected = registration
            .as_ref()
            .map_or(&SecretDigest::NOBODY, |known| &known.secret_digest);
        let matches = expected.matches(&digest);
        match registration {
            Some(registration) if matches => return Ok(AuthenticatedClient(registration)),
            Some(_) => failure = AuthenticationFailure::WrongSecret,
            None => {}
        }
    }
    Err(failure)
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
    use super::*;
    use proptest::prelude::*;

    fn registration(secret: &str, pepper: &Pepper) -> ClientRegistration {
        ClientRegistration {
            client_id: ClientId::parse("s6BhdRkqt3").unwrap(),
            secret_digest: pepper.digest(&Secret::from(secret.to_owned())),
            subject: Subject::parse("ann@example.com").unwrap(),
            workspace: WorkspaceId::parse("234d76c6e9d011ebb73082b212ad6fea").unwrap(),
            customer: CustomerId::parse("e8a4da2eefc311eba02cb603422bc0a0").unwrap(),
            instance: ApplicationInstanceId::platform(),
            token_lifetime: SignedDuration::from_hours(2),
        }
    }

    fn presented(header: Option<&str>, body: &str) -> Result<PresentedCredential, TokenError> {
        let form = Form::parse(body.as_bytes()).unwrap();
        PresentedCredential::read(header.iter().map(|h| h.as_bytes()), &form)
    }

    fn outcome(
        header: Option<&str>,
        body: &str,
        secret: &str,
    ) -> Result<(), AuthenticationFailure> {
        let pepper = Pepper::new([3; 32]);
        let known = registration(secret, &pepper);
        authenticate(
            &presented(header, body).unwrap(),
            |id| (id == known.client_id.as_str()).then_some(&known),
            &pepper,
        )
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
        let twice = PresentedCredential::read([&b"Basic YTpi"[..], &b"Basic YTpi"[..]], &form);
        assert_eq!(twice.unwrap_err().code(), "invalid_request");
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
                let _ = PresentedCredential::read([header.as_slice()], &form);
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
