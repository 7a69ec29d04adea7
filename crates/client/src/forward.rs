//! Passing on a request that another program wrote, with a token added: what a local proxy does.
//!
//! The answer is streamed as it comes. Which program may do this is not known here.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};

use crate::authorization::Attempt;
use crate::error::Error;
use crate::event::Event;
use crate::send::Client;
use crate::transport::{TransportError, classify};

impl Client {
    /// Sends a request of another program, with a token of ours, and gives back the answer while it
    /// comes. When the token is refused with 401 the request is sent once more with another; a
    /// second 401 is the answer.
    ///
    /// The request's address counts as a path below the base URL. Fields of a single connection (RFC
    /// 9110 section 7.6.1), cookies, and any authorization of the program's own stay behind. A
    /// redirect is not followed: that is for the program to decide.
    pub async fn forward(&self, request: &Request<Bytes>) -> Result<Response<Forwarded>, Error> {
        let mut attempt = self.authorization().begin().await?;
        loop {
            let answer = self.pass_on(request, &attempt).await?;
            if !attempt.again(answer.status(), answer.headers()).await? {
                return Ok(answer);
            }
        }
    }

    async fn pass_on(
        &self,
        request: &Request<Bytes>,
        attempt: &Attempt<'_>,
    ) -> Result<Response<Forwarded>, Error> {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let url = self.profile().base_url().join(path);
        let url = url.ok_or(Error::Request("its path does not stay below the base URL"))?;
        let server = url.origin().ascii_serialization();
        self.tell(&Event::RequestSent {
            method: request.method().clone(),
            url: url.to_string(),
            body_bytes: request.body().len(),
        });
        let mut passed = reqwest::Request::new(request.method().clone(), url);
        *passed.headers_mut() = end_to_end(request.headers());
        attempt.authorize(passed.headers_mut())?;
        *passed.timeout_mut() = Some(LONGEST);
        if !request.body().is_empty() {
            *passed.body_mut() = Some(request.body().clone().into());
        }
        let started = tokio::time::Instant::now();
        let answer = self.way_to(passed.url())?.execute(passed).await?;
        self.tell(&Event::AnswerBegun {
            status: answer.status().as_u16(),
            elapsed: started.elapsed(),
        });
        Ok(streamed(answer, server))
    }
}

fn streamed(answer: reqwest::Response, server: String) -> Response<Forwarded> {
    let (parts, body) = Response::<reqwest::Body>::from(answer).into_parts();
    let mut response = Response::new(Forwarded { body, server });
    *response.status_mut() = parts.status;
    *response.headers_mut() = end_to_end(&parts.headers);
    // Taken off for requests, where the HTTP library counts by itself; an answer may be one to HEAD,
    // whose length is nobody's to count.
    if let Some(length) = parts.headers.get(CONTENT_LENGTH) {
        response
            .headers_mut()
            .insert(CONTENT_LENGTH, length.clone());
    }
    response
}

/// The fields that are meant for the other end.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .collect();
    let stays = |name: &HeaderName| STAY.contains(name) || named.contains(name);
    let passed = headers.iter().filter(|(name, _)| !stays(name));
    passed
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Fields that are not passed on in either direction. Cookies ignore ports: those that a program sends
/// to this machine may belong to any other server on it.
const STAY: [HeaderName; 15] = [
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    HOST,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    SET_COOKIE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// How long an answer may take to come whole: a large one over a slow line, but not for ever.
const LONGEST: Duration = Duration::from_mins(10);

/// The body of an answer, on its way.
pub struct Forwarded {
    body: reqwest::Body,
    server: String,
}

impl Body for Forwarded {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TransportError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        frame.map_err(|error| classify(&self.server, &error))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_fields_for_the_other_end_are_passed_on() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("accept", "text/csv"),
            ("authorization", "Bearer stale"),
            ("connection", "close, X-Hop"),
            ("connection", "x-other-hop"),
            ("cookie", "console=1"),
            ("host", "127.0.0.1:1"),
            ("if-none-match", "\"7\""),
            ("transfer-encoding", "chunked"),
            ("x-hop", "1"),
            ("x-other-hop", "1"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let passed = end_to_end(&headers);
        let names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["accept", "if-none-match"]);
    }
}
