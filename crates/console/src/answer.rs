//! The one place where an outcome of the REST API becomes a wire answer: JSON, never stored, and
//! for a refusal the error family of the newer services (domain facts, sections 3.6 and 6.4) with
//! the challenge of RFC 6750 section 3 where a token is the matter.
//!
//! The caller is told what to do; the log keeps the cause. `debugId` joins the two.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass_access::PermissionSet;
use hallpass_access::platform::WORKSPACE_UPDATE;
use hallpass_limits::RetryAfter;
use hallpass_oauth::Challenge;
use hallpass_oauth::identifier::hex;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_store::StoreError;
use hallpass_store::credentials::CredentialError;
use hallpass_store::people::PersonError;
use hallpass_store::roles::RoleError;
use rand_core::CryptoRng;
use serde::Serialize;

use crate::password::HashingError;

/// What was done.
#[derive(Debug)]
pub(crate) enum Done {
    /// The JSON text to answer.
    Ok(String),
    /// The same for something new.
    Created(String),
    /// There is nothing to show.
    Deleted,
}

/// Why nothing was done. Each variant has one status, and none of them is a success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The token is missing or no good, or its owner may not do this.
    #[error("{}", .0.description())]
    Challenged(Challenge),
    /// The token's owner may do this, but not there.
    #[error("{message}")]
    Elsewhere {
        challenge: Challenge,
        message: &'static str,
    },
    /// Whoever is signed in may not do this. There is no credential to speak of.
    #[error("you lack the permission {permission}; ask an administrator for a role that has it")]
    NotPermitted {
        challenge: Challenge,
        permission: String,
    },
    /// Whoever says where everybody's calls go must be allowed everything there.
    #[error(
        "where the calls of an application instance go is said by those who may do everything on it: \
         everybody's tokens and data go there; you lack {lacking}"
    )]
    NotEverything {
        challenge: Challenge,
        lacking: PermissionSet,
    },
    /// A session's cookie came without the token that only this site's pages have.
    #[error(
        "a change made with a session needs its form token in the header {}",
        crate::session::FORM_TOKEN_HEADER
    )]
    NoFormToken,
    /// A token came where only the person may call.
    #[error(
        "no token does this: sign in to the console, and call with the session's cookie and form token"
    )]
    InSessionOnly,
    /// What was to confirm it, in the body, is not right. It is no credential of the request: that is
    /// the session, which stands. So this is no 401, which would ask for another one, and no 403,
    /// which would say that whoever calls may not do it (RFC 9110, sections 15.5.2, 15.5.4 and 15.5.21).
    #[error("{0}")]
    NotConfirmed(&'static str),
    /// Too many passwords were wrong.
    #[error("too many tries have failed; try again in {} seconds", .0.seconds())]
    TooMany(RetryAfter),
    /// The request is wrong; the words say where.
    #[error("{0}")]
    BadRequest(String),
    /// There is no such credential for this caller.
    #[error(
        "you have no credential of that id; GET {} lists yours",
        crate::CREDENTIALS_PATH
    )]
    UnknownCredential,
    /// There is no such thing for this caller; the words say what.
    #[error("{0}")]
    NotFound(&'static str),
    /// Nothing is at this address.
    #[error(
        "there is nothing at this address; credentials are at {}",
        crate::CREDENTIALS_PATH
    )]
    UnknownPath,
    /// The address does not take the method.
    #[error("this address does not take that method; the Allow header lists those it takes")]
    WrongMethod,
    /// The change does not go with what there is already.
    #[error("{0}")]
    Conflict(String),
    /// The body is over the limit.
    #[error("the body is over {0} bytes")]
    TooLarge(usize),
    /// The body is of another media type.
    #[error("the body must be sent as application/json")]
    NotJson,
    /// The store failed, and the caller is not to blame.
    #[error("the service is not available at this moment; try again")]
    Unavailable(#[from] StoreError),
    /// A password could not be hashed or verified at this moment.
    #[error("the service is not available at this moment; try again")]
    Hashing(HashingError),
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::LimitReached(_)
            | CredentialError::NameTaken(_)
            | CredentialError::TwoSecrets
            | CredentialError::LastSecret
            | CredentialError::NoSecret
            | CredentialError::SecretChanged
            | CredentialError::Held
            | CredentialError::NoKeys => Self::Conflict(error.to_string()),
            CredentialError::BadName(_)
            | CredentialError::UnknownInstance(_)
            | CredentialError::InstanceOff(_)
            | CredentialError::Lifetime { .. }
            | CredentialError::ExpiresInThePast
            | CredentialError::Overlap(_)
            | CredentialError::Keys(_) => Self::BadRequest(error.to_string()),
            CredentialError::Unknown(_) | CredentialError::UnknownSecret(_) => {
                Self::UnknownCredential
            }
            CredentialError::NotPermitted => Self::Elsewhere {
                challenge: Challenge::InsufficientScope(WORKSPACE_UPDATE.to_string()),
                message: "you may not do that any more",
            },
            // The owner was there a moment ago, when the token was verified.
            CredentialError::UnknownOwner(_) => {
                Self::Challenged(Challenge::InvalidToken(TokenRefusal::CredentialGone))
            }
            CredentialError::Store(error) => Self::Unavailable(error),
        }
    }
}

impl From<PersonError> for Refusal {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::EmailTaken(_)
            | PersonError::LastAdministrator(_)
            | PersonError::Beyond(_)
            | PersonError::Above(_) => Self::Conflict(error.to_string()),
            PersonError::NotAssigned { .. } => {
                Self::NotFound("there is no such role assignment in your workspace")
            }
            PersonError::UnknownRole(_) | PersonError::BadEmail(_) => {
                Self::BadRequest(error.to_string())
            }
            PersonError::Unknown(_)
            | PersonError::Ambiguous(_)
            | PersonError::UnknownWorkspace(_) => {
                Self::NotFound("there is no such user in your workspace")
            }
            PersonError::Store(error) => Self::Unavailable(error),
        }
    }
}

impl From<RoleError> for Refusal {
    fn from(error: RoleError) -> Self {
        match error {
            RoleError::NameTaken(_)
            | RoleError::Assigned { .. }
            | RoleError::Beyond(_)
            | RoleError::Above(_) => Self::Conflict(error.to_string()),
            RoleError::Unknown(_) | RoleError::UnknownWorkspace(_) => {
                Self::NotFound("there is no such role in your workspace")
            }
            RoleError::Store(error) => Self::Unavailable(error),
        }
    }
}

/// Why something was not done.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Error)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorBody<'a> {
    /// The status of the answer once more.
    http_status_code: u16,
    /// A word for programs.
    error_code: &'a str,
    /// What is wrong and what to do, for people.
    message: String,
    /// Names this refusal in the server's log.
    debug_id: &'a str,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Challenged(challenge) | Self::Elsewhere { challenge, .. } => {
                StatusCode::from_u16(challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED)
            }
            Self::NotPermitted { .. }
            | Self::NotEverything { .. }
            | Self::NoFormToken
            | Self::InSessionOnly => StatusCode::FORBIDDEN,
            Self::NotConfirmed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::UnknownCredential | Self::NotFound(_) | Self::UnknownPath => {
                StatusCode::NOT_FOUND
            }
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unavailable(_) | Self::Hashing(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn challenge(&self) -> Option<&Challenge> {
        match self {
            Self::Challenged(challenge)
            | Self::Elsewhere { challenge, .. }
            | Self::NotPermitted { challenge, .. }
            | Self::NotEverything { challenge, .. } => Some(challenge),
            // A token came, and does not do (RFC 6750, section 3).
            Self::InSessionOnly => Some(&Challenge::NotByToken),
            _ => None,
        }
    }
}

/// The answer for whatever came out.
pub(crate) fn answer(outcome: Result<Done, Refusal>) -> Response {
    let mut response = match outcome {
        Ok(Done::Ok(body)) => json(StatusCode::OK, body),
        Ok(Done::Created(body)) => json(StatusCode::CREATED, body),
        Ok(Done::Deleted) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refuse(&refusal, &mut SystemRandom),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The answer for an address under `/workspaces` that nothing is at.
pub(crate) async fn unknown_path() -> Response {
    answer(Err(Refusal::UnknownPath))
}

/// The answer for a method that an address does not take; the router adds the `Allow` header.
pub(crate) async fn wrong_method() -> Response {
    answer(Err(Refusal::WrongMethod))
}

fn refuse(refusal: &Refusal, rng: &mut dyn CryptoRng) -> Response {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    let debug_id = hex(&bytes);
    let (status, code) = (refusal.status(), error_code(refusal.status()));
    log(refusal, status, code, &debug_id);
    let body = ErrorBody {
        http_status_code: status.as_u16(),
        error_code: code,
        message: refusal.to_string(),
        debug_id: &debug_id,
    };
    let mut response = json(status, serde_json::to_string(&body).unwrap_or_default());
    add_advice(response.headers_mut(), refusal, status);
    response
}

/// The newer services prefix their words; those seen are in domain facts, section 6.4.
fn error_code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "HPE_GL_ERROR_UNAUTHORIZED",
        StatusCode::FORBIDDEN => "HPE_GL_ERROR_FORBIDDEN",
        StatusCode::NOT_FOUND => "HPE_GL_ERROR_NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "HPE_GL_ERROR_METHOD_NOT_ALLOWED",
        StatusCode::CONFLICT => "HPE_GL_ERROR_CONFLICT",
        StatusCode::PAYLOAD_TOO_LARGE => "HPE_GL_ERROR_PAYLOAD_TOO_LARGE",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "HPE_GL_ERROR_UNSUPPORTED_MEDIA_TYPE",
        StatusCode::UNPROCESSABLE_ENTITY => "HPE_GL_ERROR_UNPROCESSABLE_ENTITY",
        StatusCode::TOO_MANY_REQUESTS => "HPE_GL_ERROR_TOO_MANY_REQUESTS",
        StatusCode::SERVICE_UNAVAILABLE => "HPE_GL_ERROR_SERVICE_UNAVAILABLE",
        _ => "HPE_GL_ERROR_BAD_REQUEST",
    }
}

/// The message is left out: it can repeat what the caller sent.
fn log(refusal: &Refusal, status: StatusCode, code: &str, debug_id: &str) {
    let failed: Option<&dyn std::error::Error> = match refusal {
        Refusal::Unavailable(error) => Some(error),
        // Strangers can cause any number of the first.
        Refusal::Hashing(HashingError::Overloaded) => None,
        Refusal::Hashing(error) => Some(error),
        _ => None,
    };
    if let Some(error) = failed {
        let cause = error.source().map(ToString::to_string);
        tracing::error!(debug_id, error = %error, cause, "a console request failed");
    } else {
        // Strangers can cause any number of these; the audit log counts them.
        tracing::debug!(
            debug_id,
            status = status.as_u16(),
            code,
            "a console request was refused"
        );
    }
}

fn add_advice(headers: &mut HeaderMap, refusal: &Refusal, status: StatusCode) {
    let challenge = refusal
        .challenge()
        .and_then(|challenge| HeaderValue::try_from(challenge.to_string()).ok());
    if let Some(challenge) = challenge {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Refusal::TooMany(wait) = refusal {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.seconds()));
    }
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal_of(error: StoreError) -> Response {
        answer(Err(Refusal::from(CredentialError::Store(error))))
    }

    #[test]
    fn a_failing_store_is_503_with_advice_and_without_details() {
        let response = refusal_of(StoreError::NotWritten("disk /dev/sda1 is full".to_owned()));
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        let told = Refusal::Unavailable(StoreError::NotWritten("disk".to_owned())).to_string();
        assert!(!told.contains("disk"), "{told}");
    }

    #[test]
    fn an_owner_who_vanished_meanwhile_has_no_token_any_more() {
        let person = "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b80".parse().unwrap();
        let response = answer(Err(CredentialError::UnknownOwner(person).into()));
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers().contains_key(WWW_AUTHENTICATE));
    }
}
