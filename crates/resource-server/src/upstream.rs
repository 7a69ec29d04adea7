//! The other origin: a server that permitted calls are passed on to.
//!
//! It gets exactly the path that was matched, and headers that are put together here ([`headers`]): what
//! it reads about the caller was said by this server and nobody else. Its answers are read to their end
//! before they are passed back, within a bounded length and time; a name that leads to an address where
//! no API is (`is_refused`) is not followed. TLS is verified by the certificates that the system trusts.

mod connect;
mod headers;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use hallpass_oauth::PresentedToken;
use hallpass_store::instances::{ApplicationInstance, Upstream};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};

use crate::listener::ServerName;
use crate::permitted::Call;
use connect::Client;
use headers::{for_upstream, from_upstream};

/// Longest answer that is passed back, in bytes.
const LONGEST_ANSWER: usize = 16 * 1024 * 1024;

/// What is passed on of a request besides what every origin gets: put together before its body is
/// read, from the head that came.
#[derive(Debug)]
pub(crate) struct Forwarding {
    upstream: Upstream,
    method: Method,
    headers: HeaderMap,
}

/// Passes calls on.
pub(crate) struct Forwarder {
    /// Made when the first call is passed on: reading the certificates of the system takes a moment.
    client: OnceLock<Client>,
    time: Duration,
}

/// Why an upstream gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the request cannot be passed on")]
    Request(#[source] http::Error),
    #[error("the certificates of the system cannot be used")]
    Certificates(#[source] Arc<tokio_rustls::rustls::Error>),
    #[error("the upstream cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("the upstream did not answer in time")]
    TooSlow,
    #[error("the answer of the upstream is over {LONGEST_ANSWER} bytes")]
    TooLong,
    #[error("the answer of the upstream broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the upstream wants to go on with another protocol")]
    Switched,
}

impl Forwarding {
    pub(crate) fn new(
        upstream: &Upstream,
        instance: &ApplicationInstance,
        head: &Parts,
        token: &PresentedToken,
    ) -> Self {
        let mut headers = for_upstream(&head.headers);
        if upstream.passes_token {
            headers::set_token(&mut headers, token);
        }
        let secure = head.extensions.get::<ServerName>().is_some();
        headers::set_way(&mut headers, &head.headers, secure);
        headers::set(
            &mut headers,
            "x-hallpass-application-instance",
            instance.id.as_str(),
        );
        Self {
            upstream: upstream.clone(),
            method: head.method.clone(),
            headers,
        }
    }
}

impl Forwarder {
    /// One call may take that long, until its answer is there.
    pub(crate) fn new(time: Duration) -> Self {
        Self {
            client: OnceLock::new(),
            time,
        }
    }

    pub(crate) async fn answer(
        &self,
        call: &Call,
        forwarding: &Forwarding,
        trace_id: &str,
    ) -> Result<Response<Bytes>, UpstreamError> {
        let request = request(call, forwarding, trace_id).map_err(UpstreamError::Request)?;
        let client = self.client()?;
        let exchange = async {
            let response = client.request(request).await;
            passed_back(response.map_err(UpstreamError::Unreachable)?).await
        };
        let answered = tokio::time::timeout(self.time, exchange).await;
        answered.unwrap_or(Err(UpstreamError::TooSlow))
    }

    fn client(&self) -> Result<&Client, UpstreamError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = connect::client().map_err(|error| UpstreamError::Certificates(error.into()))?;
        Ok(self.client.get_or_init(|| made))
    }
}

impl UpstreamError {
    /// The status that the caller is told.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooSlow => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        }
    }
}

fn request(
    call: &Call,
    forwarding: &Forwarding,
    trace_id: &str,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let url = format!(
        "{}{}",
        forwarding.upstream.url,
        call.target.path_and_query()
    );
    let uri: Uri = url.parse()?;
    let mut request = Request::new(Full::new(call.body.clone().unwrap_or_default().into()));
    *request.method_mut() = forwarding.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = forwarding.headers.clone();
    let headers = request.headers_mut();
    let owner = call.permitted.principal();
    for (name, value) in [
        ("x-hallpass-owner", owner.email.as_str()),
        ("x-hallpass-client-id", call.permitted.client_id().as_str()),
        ("x-hallpass-workspace", owner.workspace.as_str()),
        ("x-hallpass-permission", call.permitted.permission()),
        ("x-request-id", trace_id),
        ("x-forwarded-for", &peer(call.peer)),
    ] {
        headers::set(headers, name, value);
    }
    Ok(request)
}

fn peer(address: SocketAddr) -> String {
    address.ip().to_canonical().to_string()
}

async fn passed_back(
    response: Response<hyper::body::Incoming>,
) -> Result<Response<Bytes>, UpstreamError> {
    let (head, body) = response.into_parts();
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(UpstreamError::Switched);
    }
    let body = Limited::new(body, LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            UpstreamError::TooLong
        } else {
            UpstreamError::Broken(error)
        }
    })?;
    let mut answer = Response::new(body.to_bytes());
    *answer.status_mut() = head.status;
    *answer.headers_mut() = from_upstream(&head.headers);
    Ok(answer)
}
