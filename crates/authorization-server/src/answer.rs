//! The one place where an outcome becomes a wire answer: RFC 6749 sections 5.1 and 5.2, which RFC
//! 7009, 7662 and 8693 take over for their endpoints.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass_oauth::TokenError;

use crate::AuthorizationServer;

/// Why there is no success: the error of the protocol, and the status where HTTP has a better one
/// than that error.
#[derive(Debug)]
pub(crate) struct Refusal {
    error: TokenError,
    status: Option<StatusCode>,
}

impl Refusal {
    /// A request that HTTP itself refuses.
    pub(crate) fn http(status: StatusCode, error: TokenError) -> Self {
        Self {
            error,
            status: Some(status),
        }
    }

    pub(crate) fn error(&self) -> &TokenError {
        &self.error
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| {
            StatusCode::from_u16(self.error.status()).unwrap_or(StatusCode::BAD_REQUEST)
        })
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self {
            error,
            status: None,
        }
    }
}

/// Anything but POST. The router adds which method is allowed.
pub(crate) async fn wrong_method(State(server): State<Arc<AuthorizationServer>>) -> Response {
    let error = TokenError::invalid_request("this endpoint takes POST");
    server.refuse(&Refusal::http(StatusCode::METHOD_NOT_ALLOWED, error))
}

impl AuthorizationServer {
    /// Answers with JSON, or with nothing where there is nothing to say (RFC 7009 section 2.2).
    pub(crate) fn answer(&self, outcome: Result<Option<String>, Refusal>) -> Response {
        match outcome {
            Ok(Some(body)) => (no_store(), [JSON], body).into_response(),
            Ok(None) => no_store().into_response(),
            Err(refusal) => self.refuse(&refusal),
        }
    }

    fn refuse(&self, refusal: &Refusal) -> Response {
        let error = refusal.error();
        let body = error.to_json_in(self.settings.wording);
        let mut response = (refusal.status(), no_store(), [JSON], body).into_response();
        let headers = response.headers_mut();
        if let Some(challenge) = error.challenge() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = error.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

const JSON: (axum::http::HeaderName, &str) = (CONTENT_TYPE, "application/json");

/// RFC 6749 section 5.1, on errors and empty answers too.
fn no_store() -> [(axum::http::HeaderName, &'static str); 2] {
    [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")]
}
