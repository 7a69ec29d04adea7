//! What is served over TLS, told apart by the name that was asked for.
//!
//! The name stands in the handshake and in the request. Where they differ, two parties on the way may
//! believe different ones, so the answer is 421 (RFC 9110 section 15.5.20).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use hallpass_resource_server::AskedUrl;
use hallpass_resource_server::listener::{self, ServerName, TraceContext};
use http::header::{CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::json;

use super::hosts::{self, Role};
use crate::serve::guards::Guards;
use crate::serve::listening::answer_by;
use crate::serve::platform::Named;

/// Answers each request by the part that its name is for.
#[derive(Clone)]
pub(crate) struct ByName(Arc<Parts>);

struct Parts {
    named: Named,
    guards: Arc<Guards>,
}

/// Why a request gets no part's answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Misdirected {
    #[error("the request has no readable Host header")]
    Unreadable,
    #[error("the request asks for another host than its connection was opened for")]
    Differs,
    #[error(
        "this stand-in does not answer under that name; it has the names of the storage API's regions, \
         of the sign-in and the console, and localhost"
    )]
    Unknown,
}

/// The part that a name is for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Role(Role),
    /// This machine's own names.
    Local,
    /// A name that only an instance's base URL may have.
    Other,
}

impl ByName {
    pub(in crate::serve) fn new(named: Named, guards: Arc<Guards>) -> Self {
        Self(Arc::new(Parts { named, guards }))
    }

    /// Answers one request.
    pub(crate) async fn answer(
        &self,
        mut request: Request<listener::Body>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let trace = request.extensions().get::<TraceContext>().copied();
        let told = |status, code, message: &str| refusal(status, code, message, trace);
        let misdirected = |why: Misdirected| {
            let status = StatusCode::MISDIRECTED_REQUEST;
            told(status, "MISDIRECTED_REQUEST", &why.to_string())
        };
        let (asked, part) = match asked(&request) {
            Ok(asked) => asked,
            Err(why) => return misdirected(why),
        };
        let Parts { named, guards } = &*self.0;
        let server = match part {
            Part::Local => return answer_by(&named.local, request, peer).await,
            Part::Role(Role::Platform) => return answer_by(&named.platform, request, peer).await,
            Part::Role(Role::Console) => return answer_by(&named.console, request, peer).await,
            // What an administrator says about an instance goes before the names of the real system.
            Part::Role(Role::Instance(name)) => {
                guards.at_host(asked.host()).or_else(|| guards.find(name))
            }
            Part::Role(Role::Absent) => guards.at_host(asked.host()),
            Part::Other => match guards.at_host(asked.host()) {
                None => return misdirected(Misdirected::Unknown),
                server => server,
            },
        };
        let Some(server) = server else {
            let known: Vec<String> = guards.all().into_iter().map(|(name, _)| name).collect();
            let message = format!(
                "this stand-in has no application instance for {}; it has {}",
                asked.host(),
                known.join(", ")
            );
            return told(StatusCode::NOT_FOUND, "NO_INSTANCE", &message);
        };
        request
            .extensions_mut()
            .insert(AskedUrl(url(&asked).into()));
        server.handle(request, peer).await.map(Body::new)
    }
}

/// Which name a request asks for, and the part that is behind it.
fn asked<B>(request: &Request<B>) -> Result<(Authority, Part), Misdirected> {
    let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
    let opened_for = request.extensions().get::<ServerName>();
    let opened_for = opened_for.and_then(|ServerName(name)| name.as_deref());
    let asked: Authority = match (host, opened_for) {
        (Some(host), _) => Authority::try_from(host).map_err(|_| Misdirected::Unreadable)?,
        // HTTP/1.0 has no Host.
        (None, Some(name)) => Authority::try_from(name).map_err(|_| Misdirected::Unreadable)?,
        (None, None) => return Err(Misdirected::Unreadable),
    };
    if asked.as_str().contains('@') {
        return Err(Misdirected::Unreadable);
    }
    let name = hosts::relative(asked.host());
    let other = |named: &str| !hosts::relative(named).eq_ignore_ascii_case(name);
    if opened_for.is_some_and(other)
        || request
            .uri()
            .authority()
            .is_some_and(|named| *named != asked)
    {
        return Err(Misdirected::Differs);
    }
    let part = match hosts::find(name) {
        Some(host) => Part::Role(host.role),
        None if hosts::is_local(name) => Part::Local,
        None => Part::Other,
    };
    Ok((asked, part))
}

/// The URL that was asked by, in the one spelling that clients expect.
fn url(asked: &Authority) -> String {
    let name = hosts::relative(asked.host()).to_ascii_lowercase();
    match asked.port_u16() {
        None | Some(443) => format!("https://{name}"),
        Some(port) => format!("https://{name}:{port}"),
    }
}

/// In the shape of the API's own errors (domain facts, section 6.4).
fn refusal(
    status: StatusCode,
    code: &str,
    message: &str,
    trace: Option<TraceContext>,
) -> Response<Body> {
    let trace = trace.map(|trace| trace.trace_id().to_string());
    let body = json!({"error": message, "errorCode": code, "traceId": trace}).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(
        opened_for: Option<&str>,
        host: Option<&str>,
        uri: &str,
    ) -> Result<(String, Part), Misdirected> {
        let mut request = Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let mut request = request.body(()).unwrap();
        let name = ServerName(opened_for.map(Into::into));
        request.extensions_mut().insert(name);
        asked(&request).map(|(asked, part)| (url(&asked), part))
    }

    const US1: &str = "us1.data.cloud.hpe.com";

    #[test]
    fn the_name_decides_and_its_port_stays() {
        let part = Part::Role(Role::Instance("us1"));
        let found = ask(Some(US1), Some("US1.data.cloud.hpe.com:443"), "/").unwrap();
        assert_eq!(found, (format!("https://{US1}"), part));
        let found = ask(Some(US1), Some("us1.data.cloud.hpe.com:8443"), "/").unwrap();
        assert_eq!(found.0, format!("https://{US1}:8443"));
        let part = Part::Role(Role::Instance("us1"));
        let dotted = ask(Some(US1), Some("us1.data.cloud.hpe.com."), "/").unwrap();
        assert_eq!(dotted, (format!("https://{US1}"), part));
        for (opened_for, host) in [
            (None, "127.0.0.1:8443"),
            (None, "[::1]:8443"),
            (Some("localhost"), "localhost:8443"),
        ] {
            assert_eq!(ask(opened_for, Some(host), "/").unwrap().1, Part::Local);
        }
        assert!(ask(Some(US1), None, "/").is_ok() && ask(None, Some(US1), "/").is_ok());
        let absolute = format!("https://{US1}/api");
        assert!(ask(Some(US1), Some(US1), &absolute).is_ok());
    }

    #[test]
    fn two_names_are_none() {
        let differs = Err(Misdirected::Differs);
        assert_eq!(ask(Some(US1), Some("eu1.data.cloud.hpe.com"), "/"), differs);
        assert_eq!(ask(Some(US1), Some("127.0.0.1"), "/"), differs);
        assert_eq!(
            ask(Some(US1), Some(US1), "https://eu1.data.cloud.hpe.com/"),
            differs
        );
        assert_eq!(ask(None, None, "/"), Err(Misdirected::Unreadable));
        assert_eq!(
            ask(None, Some("a@localhost"), "/"),
            Err(Misdirected::Unreadable)
        );
        for foreign in [
            "example.com",
            "192.0.2.1",
            "127.0.0.2:8443",
            "us1.data.cloud.hpe.com.evil.example",
        ] {
            assert_eq!(ask(None, Some(foreign), "/").unwrap().1, Part::Other);
        }
    }
}
