//! One plain HTTP exchange, shown as it was. The walk uses the client library wherever a program
//! would; this is for what the library refuses to do, such as using a token that it knows is dead.

use hallpass_oauth::Secret;
use hallpass_oauth::token_request::EncodedRequest;
use http::StatusCode;
use serde_json::Value;

use crate::command::{CommandError, Exit};

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The challenge of a refusal.
    pub(super) challenge: Option<String>,
    pub(super) body: Value,
}

/// Sends single requests, without a cache and without a second try.
pub(super) struct Wire(reqwest::Client);

impl Wire {
    pub(super) fn new() -> Result<Self, CommandError> {
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map(Self)
            .map_err(|error| failed(&error))
    }

    pub(super) async fn get(
        &self,
        url: &str,
        token: Option<&Secret>,
    ) -> Result<Answer, CommandError> {
        let request = self.0.get(url);
        let request = match token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        exchange(request).await
    }

    pub(super) async fn post_form(
        &self,
        url: &str,
        form: &EncodedRequest,
    ) -> Result<Answer, CommandError> {
        let kind = hallpass_oauth::TokenRequest::CONTENT_TYPE;
        let body = form.body.expose().to_owned();
        exchange(self.0.post(url).header("content-type", kind).body(body)).await
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer, CommandError> {
    let response = request.send().await.map_err(|error| failed(&error))?;
    let status = response.status();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let text = response.text().await.map_err(|error| failed(&error))?;
    let body =
        serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.trim().to_owned()));
    Ok(Answer {
        status,
        challenge,
        body,
    })
}

fn failed(error: &reqwest::Error) -> CommandError {
    CommandError::caused(
        Exit::Unreachable,
        "the demo's own server did not answer",
        error,
    )
}
