//! The API's answer as it came: status, headers, bytes. Numbers are never touched; a program that
//! passes the body on passes on exactly what the server wrote.

use std::fmt;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::error::Error;
use crate::problem::ApiProblem;

/// An answer.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self {
            status,
            headers,
            body,
        }
    }

    /// The same with another body.
    pub(crate) fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The text of a header, when there is one and it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The media type without its parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase(),
        )
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, without a copy.
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The body as text, with a mark in place of what is none.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON, whatever the content type says: gateways mislabel it.
    pub fn json(&self) -> Result<Value, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::NotJson {
            status: self.status.as_u16(),
            reason: error.to_string(),
        })
    }

    /// What the API complains about; `None` for a success, and for 304, which is one.
    pub fn problem(&self) -> Option<ApiProblem> {
        let fine = self.status.is_success() || self.status == StatusCode::NOT_MODIFIED;
        (!fine).then(|| ApiProblem::read(self))
    }

    /// The answer itself when it is a success.
    pub fn success(self) -> Result<Self, Error> {
        match self.problem() {
            Some(problem) => Err(problem.into()),
            None => Ok(self),
        }
    }
}

/// Bodies are large and belong to the caller; only their size is shown.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("media_type", &self.media_type())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
