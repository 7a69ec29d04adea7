//! What the page is told when something cannot be done: the one place where an outcome becomes a wire
//! answer, also where what it asked cannot be read.
//!
//! The shape is `{"error": {"what": …, "hint": …}}`; `what` says what and where, `hint` what to do.
//! One that ends when the person trusts an address has that in `trust`; see [`trust`](crate::trust).

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::drawer::DrawerError;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    status: StatusCode,
    what: String,
    hint: String,
    /// The origin that nothing is sent to until the person says that they trust it.
    trust: Option<String>,
}

impl Failure {
    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        let what = format!("there is no {what} here");
        Self::new(
            StatusCode::NOT_FOUND,
            what,
            "it may have been removed; load the page again",
        )
    }

    /// What was asked for makes no sense as it stands.
    pub fn wrong(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, what, hint)
    }

    /// It is not allowed here.
    pub fn refused(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, what, hint)
    }

    /// Somebody else that is needed does not do their part: a server, or the network.
    pub fn elsewhere(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, what, hint)
    }

    /// A failure of this status, in these words.
    pub fn new(status: StatusCode, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            status,
            what: what.into(),
            hint: hint.into(),
            trust: None,
        }
    }

    /// The same, for an origin that the person may say they trust.
    pub(crate) fn until_trusted(mut self, origin: String) -> Self {
        self.trust = Some(origin);
        self
    }

    /// The same in other words. An origin in which there is something to hide cannot be trusted by name.
    pub(crate) fn reworded(self, say: impl Fn(&str) -> String) -> Self {
        Self {
            trust: self.trust.filter(|origin| say(origin) == *origin),
            ..Self::new(self.status, say(&self.what), say(&self.hint))
        }
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl From<DrawerError> for Failure {
    fn from(error: DrawerError) -> Self {
        match error {
            DrawerError::Full(what) => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                what,
                "remove what is not needed any more",
            ),
            DrawerError::Unavailable(what) => {
                tracing::warn!(%what, "the explorer's documents cannot be reached");
                let hint = "try again; nothing was changed";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, what, hint)
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut error = json!({ "what": self.what, "hint": self.hint });
        if let Some(origin) = self.trust {
            error["trust"] = origin.into();
        }
        answer(self.status, &json!({ "error": error }))
    }
}

/// The JSON that a page sent.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let read = axum::Json::from_request(request, state).await;
        let axum::Json(sent) = read.map_err(|rejection| {
            let status = rejection.status();
            let what = match &rejection {
                JsonRejection::MissingJsonContentType(_) => "what was sent is not JSON".to_owned(),
                JsonRejection::BytesRejection(_) => not_whole(status),
                other => match std::error::Error::source(other) {
                    Some(why) => format!("what was sent cannot be read: {why}"),
                    None => "what was sent cannot be read".to_owned(),
                },
            };
            Failure::new(status, what, "load the page again")
        })?;
        Ok(Self(sent))
    }
}

/// The bytes that a page sent.
pub(crate) struct Whole(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let read = Bytes::from_request(request, state).await;
        read.map(Self).map_err(|rejection: BytesRejection| {
            let status = rejection.status();
            Failure::new(status, not_whole(status), "choose a smaller file")
        })
    }
}

fn not_whole(status: StatusCode) -> String {
    let what = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "what was sent is too large",
        _ => "what was sent did not come whole",
    };
    what.to_owned()
}

/// What a handler gives back.
pub(crate) type Answer = Result<Response, Failure>;

/// JSON for the page, which nobody may store.
pub(crate) fn answer(status: StatusCode, body: &(impl Serialize + ?Sized)) -> Response {
    let no_store = [(CACHE_CONTROL, "no-store")];
    hallpass_pages::protected((status, no_store, axum::Json(body)).into_response())
}

/// The same with 200.
#[expect(clippy::unnecessary_wraps, reason = "it is what a handler ends with")]
pub(crate) fn told(body: &(impl Serialize + ?Sized)) -> Answer {
    Ok(answer(StatusCode::OK, body))
}

/// Done, with nothing to tell.
#[expect(clippy::unnecessary_wraps, reason = "it is what a handler ends with")]
pub(crate) fn done() -> Answer {
    Ok(hallpass_pages::protected(
        StatusCode::NO_CONTENT.into_response(),
    ))
}
