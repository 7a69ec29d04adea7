//! The CONNECT proxy (RFC 9110 section 9.3.6): programs that name a host of the real system and know
//! nothing of a stand-in reach it through `HTTPS_PROXY`.
//!
//! It opens no connection to anywhere. A connection that asks for one of the stand-in's names is handed
//! to the TLS listener of this program, which goes on with it as if it had come there; every other is
//! refused. So it can be no open relay, whatever is asked of it.

use std::net::SocketAddr;

use bytes::Bytes;
use hallpass_resource_server::listener::{self, HandedOver, take_over};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::mpsc;

use crate::serve::tls::hosts;

/// The port of HTTPS.
const PORT: u16 = 443;

/// What takes the connections.
#[derive(Clone)]
pub(super) struct ConnectProxy(mpsc::Sender<HandedOver>);

/// Why a request gets no connection.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refused {
    #[error(
        "this proxy leads to a stand-in and to nowhere else; it takes CONNECT to port 443 of the names in \
         `hallpass serve --trust`. For everything else, name the hosts in NO_PROXY or ask another proxy"
    )]
    Foreign,
    #[error(
        "this proxy takes CONNECT only, which programs send for https; for the rest, use HTTPS_PROXY and \
         leave HTTP_PROXY and ALL_PROXY unset"
    )]
    Plain,
    #[error("this is the proxy of a stand-in, for HTTPS_PROXY; there is nothing to see here")]
    NoProxyRequest,
    #[error("a CONNECT request has no body")]
    Body,
}

impl ConnectProxy {
    pub(super) fn new(to: mpsc::Sender<HandedOver>) -> Self {
        Self(to)
    }

    /// Answers one request; a connection that was asked for is handed over once the answer is out.
    pub(super) fn answer(
        &self,
        request: Request<listener::Body>,
        peer: SocketAddr,
    ) -> Response<Full<Bytes>> {
        if let Err(refused) = admit(&request) {
            tracing::debug!(reason = %refused, "the proxy refused a request");
            return refused.answer();
        }
        let tls = self.0.clone();
        tokio::spawn(async move {
            if let Some(connection) = take_over(request, peer).await {
                // A listener that is gone takes none, and the connection ends.
                let _ = tls.send(connection).await;
            }
        });
        Response::new(Full::default())
    }
}

fn admit<B>(request: &Request<B>) -> Result<(), Refused> {
    let asked = request.uri();
    if *request.method() != Method::CONNECT {
        let is_forward = asked.authority().is_some();
        return Err(if is_forward {
            Refused::Plain
        } else {
            Refused::NoProxyRequest
        });
    }
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH);
    if headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0") {
        return Err(Refused::Body);
    }
    let host = asked.authority().filter(|authority| {
        authority.port_u16() == Some(PORT) && !authority.as_str().contains('@')
    });
    host.and_then(|authority| hosts::find(authority.host()))
        .map(|_| ())
        .ok_or(Refused::Foreign)
}

impl Refused {
    fn answer(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(format!("{self}\n")));
        *response.status_mut() = match self {
            Self::Body => StatusCode::BAD_REQUEST,
            Self::Foreign | Self::Plain | Self::NoProxyRequest => StatusCode::FORBIDDEN,
        };
        let headers = response.headers_mut();
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        headers.insert(CONTENT_TYPE, text);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: Method, target: &str) -> Result<(), Refused> {
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
            assert_eq!(ask(Method::CONNECT, &format!("{}:443", host.name)), Ok(()));
        }
        assert_eq!(ask(Method::CONNECT, "US1.Data.Cloud.HPE.com:443"), Ok(()));
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
