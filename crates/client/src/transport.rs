//! One request, one answer: the only place that knows the HTTP library.
//!
//! Follows no redirects, limits the time and the size of an answer, and turns the library's errors
//! into words. What status and body mean is for others to say.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use reqwest::Url;
use reqwest::redirect::Policy;

use crate::address::is_loopback;
use crate::error::{Kind, ca_file};
use crate::profile::ProfileError;
use crate::response::Response;

/// Why there is no answer. Cloneable, because one failure may be told to many waiters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The server cannot be reached, or the connection broke.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        /// The server.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// The server is not who it should be.
    #[error("cannot trust {server}: {reason}")]
    Certificate {
        /// The server.
        server: String,
        /// What is wrong with its certificate.
        reason: String,
    },
    /// It took too long.
    #[error("{server} did not answer in time")]
    TimedOut {
        /// The server.
        server: String,
    },
    /// The answer is larger than this program takes.
    #[error("the answer of {server} is larger than {limit} bytes")]
    TooLarge {
        /// The server.
        server: String,
        /// The limit.
        limit: usize,
    },
}

impl TransportError {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TooLarge { .. } => Kind::Api,
            _ => Kind::Unreachable,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "check the address, and that the server runs",
            Self::Certificate { .. } => {
                "if the server uses a private certificate authority, name its file in the profile"
            }
            Self::TimedOut { .. } => "try again; is a proxy or a firewall in the way?",
            Self::TooLarge { .. } => "ask for less: a smaller page, or fewer attributes",
        }
    }
}

/// How long and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) connect: Duration,
    pub(crate) total: Duration,
}

/// A client for the server of `url`.
///
/// Plain http is allowed to this machine only, so it goes past every proxy, which would carry the
/// secret away, and needs no certificate authorities, which take longer to load than a local call.
pub(crate) fn client(
    url: &Url,
    authorities: Option<&Path>,
    bounds: Bounds,
) -> Result<reqwest::Client, ProfileError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("hallpass/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(bounds.connect)
        .timeout(bounds.total);
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        builder = builder.tls_certs_only([]);
    } else if let Some(path) = authorities {
        let pem = std::fs::read(path).map_err(|error| ca_file(path, &error))?;
        let certificates =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| ca_file(path, &error))?;
        if certificates.is_empty() {
            return Err(ca_file(path, &"it is empty"));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| {
        ca_file(
            authorities.unwrap_or(Path::new("the system's certificate store")),
            &words(&error),
        )
    })
}

/// Sends the request and takes the whole answer, up to `limit` bytes.
pub(crate) async fn exchange(
    client: &reqwest::Client,
    request: reqwest::Request,
    limit: usize,
) -> Result<Response, TransportError> {
    let server = request.url().origin().ascii_serialization();
    let failed = |error: reqwest::Error| classify(&server, &error);
    let mut answer = client.execute(request).await.map_err(failed)?;
    let status = answer.status();
    let headers = std::mem::take(answer.headers_mut());
    let too_large = || TransportError::TooLarge {
        server: server.clone(),
        limit,
    };
    if answer
        .content_length()
        .is_some_and(|length| length > limit as u64)
    {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response::new(status, headers, body))
}

/// The library's error in words.
pub(crate) fn classify(server: &str, error: &reqwest::Error) -> TransportError {
    let server = server.to_owned();
    let reason = words(error);
    if error.is_timeout() {
        TransportError::TimedOut { server }
    } else if reason.contains("certificate") {
        TransportError::Certificate { server, reason }
    } else {
        TransportError::Unreachable { server, reason }
    }
}

/// The innermost cause: the outer ones only repeat that a request failed, and its address.
fn words(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = None;
    while let Some(inner) = cause {
        text = Some(inner.to_string());
        cause = inner.source();
    }
    text.unwrap_or_else(|| "the request failed".to_owned())
}
