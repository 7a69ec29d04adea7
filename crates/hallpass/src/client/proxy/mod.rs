//! `hallpass proxy`: any other program calls a local address, and the token is added.
//!
//! Who may come in is decided by the [`gate`]; nothing is sent anywhere but below the profile's base
//! URL.

mod gate;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use clap::Args;
use hallpass_client::TransportError;
use hallpass_client::error::{Error, Kind};
use hallpass_client::send::Client;
use hallpass_resource_server::listener::{self, BodyError};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use reqwest::Url;
use serde_json::json;

use crate::client::ConnectionArgs;
use crate::client::loopback::{self, Key};
use crate::command::{CommandError, chain};
use crate::output;
use crate::serve::Signals;
use gate::{Gate, Refused};

/// Add the token to the requests of any other program
///
/// Prints an address of this machine. A request to a path below it goes to the same path below the
/// profile's base URL, with a token, and nowhere else. The program needs no credential and no
/// token. Whoever knows the address can use it while the proxy runs, so it holds a key that is new
/// each time.
#[derive(Debug, Args)]
pub(crate) struct ProxyArgs {
    /// Where to listen: an address of this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Leave the key out of the address, for programs that cannot take one. Every program and every
    /// user of this machine can then use the credential
    #[arg(long)]
    no_key: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command until it is told to stop.
pub(crate) async fn run(args: ProxyArgs) -> Result<(), CommandError> {
    let client = args.connection.connect_to_stay()?;
    let harm = "it would lend the credential to the network";
    let (socket, address) = loopback::bind(args.listen, "the proxy", harm).await?;
    let key = (!args.no_key).then(|| Key::generate(&mut hallpass_oauth::random::SystemRandom));
    let signals = Signals::listen()?;
    let proxy = Arc::new(Proxy::new(client, Gate::new(address, key)));
    announce(&proxy)?;
    let answer = move |request, _peer| {
        let proxy = proxy.clone();
        async move { proxy.answer(request).await }
    };
    loopback::serve(socket, "proxy", signals, answer).await;
    Ok(())
}

/// What is between the programs and the API.
struct Proxy {
    client: Client,
    gate: Gate,
}

impl Proxy {
    fn new(client: Client, gate: Gate) -> Self {
        Self { client, gate }
    }

    async fn answer(&self, request: Request<listener::Body>) -> Response<Body> {
        let path = match self.gate.admit(&request) {
            Ok(path) => path,
            Err(refused) => return refused.into(),
        };
        let (mut parts, body) = request.into_parts();
        parts.uri = path.clone();
        let body = match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return no_body(error.as_ref()),
        };
        let request: Request<Bytes> = Request::from_parts(parts, body);
        match self.client.forward(&request).await {
            Ok(answer) => self.here(&path, answer.map(Body::new)),
            Err(error) => failed(&error),
        }
    }

    /// An answer that names another place of the API, as a redirect or as the place of a task, names it
    /// within the proxy. `asked` is what the place is relative to (RFC 9110 section 10.2.2).
    fn here(&self, asked: &Uri, mut answer: Response<Body>) -> Response<Body> {
        let named = answer
            .headers()
            .get(LOCATION)
            .and_then(|to| to.to_str().ok());
        if let Some(path) = named.and_then(|named| self.below(asked, named))
            && let Ok(here) = HeaderValue::try_from(format!("{}{path}", self.gate.base_url()))
        {
            answer.headers_mut().insert(LOCATION, here);
        }
        answer
    }

    /// The part of an address of the API that comes after its base URL.
    fn below(&self, asked: &Uri, named: &str) -> Option<String> {
        let base_url = self.client.profile().base_url().as_str();
        let asked = Url::parse(&format!("{base_url}{asked}")).ok()?;
        let named = asked.join(named).ok()?;
        let path = named.as_str().strip_prefix(base_url)?;
        (path.is_empty() || path.starts_with(['/', '?'])).then(|| path.to_owned())
    }
}

fn announce(proxy: &Proxy) -> Result<(), CommandError> {
    let profile = proxy.client.profile();
    output::words(&format!(
        "Requests to the address below go to {} as {}. Ctrl-C ends it.",
        profile.base_url(),
        profile.client_id()
    ));
    if !proxy.gate.has_key() {
        output::words(
            "warning: without a key in the address, every program and every user of this machine \
             can use the credential",
        );
    }
    output::data(&proxy.gate.base_url())
}

/// Why there is no answer of the API, in the shape of its own errors (domain.md section 6.4).
fn failed(error: &Error) -> Response<Body> {
    let (status, code) = match error {
        Error::Transport(TransportError::TimedOut { .. }) => {
            (StatusCode::GATEWAY_TIMEOUT, "GATEWAY_TIMEOUT")
        }
        _ => match error.kind() {
            Kind::Usage => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
            Kind::Authentication => (StatusCode::BAD_GATEWAY, "NO_TOKEN"),
            Kind::Api | Kind::Unreachable | Kind::Task => (StatusCode::BAD_GATEWAY, "BAD_GATEWAY"),
        },
    };
    let hint = error
        .hint()
        .map_or_else(String::new, |hint| format!(" ({hint})"));
    let message = format!("{}{hint}", chain(error));
    output::words(&format!("error: {}", output::printable(&message)));
    refusal(status, code, &message)
}

fn no_body(error: &(dyn std::error::Error + 'static)) -> Response<Body> {
    if error.is::<LengthLimitError>() {
        let message =
            format!("the body is larger than the {LARGEST_BODY} bytes that are passed on");
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", &message);
    }
    let status = match error.downcast_ref() {
        Some(BodyError::TooSlow(_)) => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::BAD_REQUEST,
    };
    refusal(status, "BAD_REQUEST", &chain(error))
}

impl From<Refused> for Response<Body> {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Refused::Page | Refused::NoKey => StatusCode::FORBIDDEN,
        };
        refusal(status, "FORBIDDEN", &refused.to_string())
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = json!({ "error": message, "errorCode": code }).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// Largest body that is passed on, in bytes. It is held until the answer begins, because a token that
/// is refused has it sent once more.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_the_api_are_named_within_the_proxy_and_others_as_they_are() {
        let id = "00cfff70-86ab-4f66-8245-1eb054639c38";
        let secret = "s".to_owned();
        let base_url = "http://127.0.0.1:1/base";
        let client = Client::connect("http://127.0.0.1:1/token", base_url, id, secret).unwrap();
        let gate = Gate::new("127.0.0.1:4000".parse().unwrap(), None);
        let proxy = Proxy { client, gate };
        let asked: Uri = "/api/v1/volumes?limit=1".parse().unwrap();
        for (named, told) in [
            ("/base/tasks/7", "http://127.0.0.1:4000/tasks/7"),
            (
                "http://127.0.0.1:1/base/tasks/7?x=1",
                "http://127.0.0.1:4000/tasks/7?x=1",
            ),
            ("v2", "http://127.0.0.1:4000/api/v1/v2"),
            ("/elsewhere", "/elsewhere"),
            ("/based", "/based"),
            (
                "https://elsewhere.example/base/x",
                "https://elsewhere.example/base/x",
            ),
        ] {
            let mut answer = Response::new(Body::empty());
            let field = HeaderValue::from_static(named);
            answer.headers_mut().insert(LOCATION, field);
            assert_eq!(
                proxy.here(&asked, answer).headers()[LOCATION],
                told,
                "{named}"
            );
        }
    }
}
