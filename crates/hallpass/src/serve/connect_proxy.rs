//! The CONNECT proxy (RFC 9110 section 9.3.6): programs that name a host of the real system and know
//! nothing of a stand-in reach it through `HTTPS_PROXY`.
//!
//! It opens no connection to anywhere. A connection that asks for one of the stand-in's names is handed
//! to the TLS listener of this program, which goes on with it as if it had come there; every other is
//! refused. So it can be no open relay, whatever is asked of it.
//!
//! Some programs (axios with an agent of its own) do not ask a proxy for a connection but send it the
//! request with its `https` URL, in clear. That is answered by the same part as over TLS.

use std::net::SocketAddr;

use axum::body::Body;
use hallpass_resource_server::listener::{self, HandedOver, take_over};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::ext::ReasonPhrase;
use tokio::sync::mpsc;

use crate::serve::tls::{ByName, hosts};

/// The port of HTTPS.
const PORT: u16 = 443;

/// The proxy, with what takes the connections and what answers requests.
#[derive(Clone)]
pub(super) struct ConnectProxy {
    tls: mpsc::Sender<HandedOver>,
    by_name: ByName,
}

/// What is asked of the proxy, and may be.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// A connection.
    Connection,
    /// An answer.
    Answer,
}

/// Why a request gets no connection.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error(
        "this proxy leads to a stand-in and to nowhere else; it takes CONNECT to port 443 of the names in \
         `hallpass serve --trust`. For everything else, name the hosts in NO_PROXY or ask another proxy"
    )]
    Foreign,
    #[error(
        "this proxy is for https; for the rest, use HTTPS_PROXY and leave HTTP_PROXY and ALL_PROXY unset"
    )]
    Plain,
    #[error("this is the proxy of a stand-in, for HTTPS_PROXY; there is nothing to see here")]
    NoProxyRequest,
    #[error("a CONNECT request has no body")]
    Body,
}

impl ConnectProxy {
    pub(super) fn new(tls: mpsc::Sender<HandedOver>, by_name: ByName) -> Self {
        Self { tls, by_name }
    }

    /// Answers one request; a connection that was asked for is handed over once the answer is out.
    pub(super) async fn answer(
        &self,
        request: Request<listener::Body>,
        peer: SocketAddr,
    ) -> Response<Body> {
        match admit(&request) {
            Ok(Asked::Connection) => {
                let tls = self.tls.clone();
                tokio::spawn(async move {
                    if let Some(connection) = take_over(request, peer).await {
                        // A listener that is gone takes none, and the connection ends.
                        let _ = tls.send(connection).await;
                    }
                });
                Response::new(Body::empty())
            }
            Ok(Asked::Answer) => self.by_name.answer(request, peer).await,
            Err(refused) => {
                tracing::debug!(reason = %refused, "the proxy refused a request");
                refused.answer()
            }
        }
    }
}

fn admit<B>(request: &Request<B>) -> Result<Asked, Refused> {
    let asked = request.uri();
    let host = asked.authority().and_then(|authority| {
        let is_plain = !authority.as_str().contains('@');
        hosts::find(authority.host()).filter(|_| is_plain)
    });
    let port = asked.authority().and_then(Authority::port_u16);
    if *request.method() != Method::CONNECT {
        return match asked.scheme() {
            None => Err(Refused::NoProxyRequest),
            Some(scheme) if *scheme != Scheme::HTTPS => Err(Refused::Plain),
            Some(_) if host.is_none() || port.is_some_and(|port| port != PORT) => {
                Err(Refused::Foreign)
            }
            Some(_) => Ok(Asked::Answer),
        };
    }
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH);
    if headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0") {
        return Err(Refused::Body);
    }
    if host.is_none() || port != Some(PORT) {
        return Err(Refused::Foreign);
    }
    Ok(Asked::Connection)
}

impl Refused {
    /// The reason stands in the status line too (RFC 9112 section 4): of an answer to CONNECT
    /// most programs show nothing else.
    fn answer(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(format!("{self}\n")));
        *response.status_mut() = match self {
            Self::Body => StatusCode::BAD_REQUEST,
            Self::Foreign | Self::Plain | Self::NoProxyRequest => StatusCode::FORBIDDEN,
        };
        if let Some(phrase) = self.phrase() {
            response
                .extensions_mut()
                .insert(ReasonPhrase::from_static(phrase));
        }
        let headers = response.headers_mut();
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(CONTENT_TYPE, text);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }

    fn phrase(&self) -> Option<&'static [u8]> {
        match self {
            Self::Foreign => Some(b"Forbidden: not a host and port of this stand-in"),
            Self::Plain => Some(b"Forbidden: this proxy is for https"),
            Self::NoProxyRequest | Self::Body => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: Method, target: &str) -> Result<Asked, Refused> {
        admit(
            &Request::builder()
                .method(method)
                .uri(target)
                .body(())
                .unwrap(),
        )
    }

    #[test]
    fn only_the_names_of_the_stand_in_at_443() {
        for host in &hosts::HOSTS {
            let target = format!("{}:443", host.name.to_uppercase());
            assert_eq!(ask(Method::CONNECT, &target), Ok(Asked::Connection));
            for url in [host.name.to_owned(), format!("{}:443", host.name)] {
                let url = format!("https://{url}/api/v1/volumes");
                assert_eq!(ask(Method::GET, &url), Ok(Asked::Answer));
            }
        }
        for foreign in [
            "us1.data.cloud.hpe.com:80",
            "us1.data.cloud.hpe.com:22",
            "us1.data.cloud.hpe.com",
            "example.com:443",
            "127.0.0.1:443",
            "localhost:443",
            "[::1]:443",
            "us1.data.cloud.hpe.com.example.com:443",
            "x@us1.data.cloud.hpe.com:443",
        ] {
            assert_eq!(
                ask(Method::CONNECT, foreign),
                Err(Refused::Foreign),
                "{foreign}"
            );
        }
        for foreign in [
            "https://example.com/",
            "https://us1.data.cloud.hpe.com:8443/",
            "https://x@us1.data.cloud.hpe.com/",
            "https://127.0.0.1/",
        ] {
            assert_eq!(
                ask(Method::GET, foreign),
                Err(Refused::Foreign),
                "{foreign}"
            );
        }
    }

    #[test]
    fn nothing_is_forwarded() {
        let forward = "http://us1.data.cloud.hpe.com/";
        assert_eq!(ask(Method::GET, forward), Err(Refused::Plain));
        assert_eq!(ask(Method::GET, "/"), Err(Refused::NoProxyRequest));
        let body = Request::builder()
            .method(Method::CONNECT)
            .uri("us1.data.cloud.hpe.com:443")
            .header(CONTENT_LENGTH, "5");
        assert_eq!(admit(&body.body(()).unwrap()), Err(Refused::Body));
    }
}
