//! `hallpass proxy`: any other program calls a local address, and the token is added.
//!
//! Who may come in is decided by the [`gate`]; nothing is sent anywhere but below the profile's base
//! URL.

mod gate;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use clap::Args;
use hallpass_client::TransportError;
use hallpass_client::error::{Error, Kind};
use hallpass_client::send::Client;
use hallpass_resource_server::listener::{self, BodyError, Limits, Metrics, Site};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use prometheus_client::registry::Registry;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::client::ConnectionArgs;
use crate::command::{CommandError, Exit, chain};
use crate::output;
use crate::serve::Signals;
use gate::{Gate, Key, Refused};

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
    let socket = bind(args.listen).await?;
    let address = socket
        .local_addr()
        .map_err(|error| no_socket(args.listen, &error))?;
    let key = (!args.no_key).then(|| Key::generate(&mut hallpass_oauth::random::SystemRandom));
    let mut signals = Signals::listen()?;
    let proxy = Arc::new(Proxy::new(client, Gate::new(address, key)));
    announce(&proxy)?;

    let (stop, stopping) = watch::channel(false);
    let site = Site::new(
        "proxy",
        listener::Kind::Proxy,
        &Metrics::new(&mut Registry::default()),
    );
    let limits = Limits {
        connections: MOST_CONNECTIONS,
        ..Limits::default()
    };
    let answer = move |request, _peer| {
        let proxy = proxy.clone();
        async move { proxy.answer(request).await }
    };
    let serving = tokio::spawn(listener::serve(socket, site, limits, stopping, answer));
    signals.stop().await;
    let _ = stop.send(true);
    // What it ended with is of no consequence: the process ends with it.
    let _ = serving.await;
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
        parts.uri = path;
        let body = match Limited::new(body, LARGEST_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return no_body(error.as_ref()),
        };
        let request: Request<Bytes> = Request::from_parts(parts, body);
        match self.client.forward(&request).await {
            Ok(answer) => self.here(answer.map(Body::new)),
            Err(error) => failed(&error),
        }
    }

    /// An answer that sends the program on within the API sends it on within the proxy.
    fn here(&self, mut answer: Response<Body>) -> Response<Body> {
        let base = self.client.profile().base_url();
        let elsewhere = answer
            .headers()
            .get(LOCATION)
            .and_then(|to| to.to_str().ok());
        // A path alone would lead past the key; relative to the request it leads where it should.
        let elsewhere = elsewhere.and_then(|to| {
            if !to.starts_with('/') {
                return Some(to.to_owned());
            }
            let base = reqwest::Url::parse(base.as_str()).ok()?;
            Some(base.join(to).ok()?.to_string())
        });
        let below = elsewhere
            .as_deref()
            .and_then(|to| to.strip_prefix(base.as_str()));
        if let Some(path) = below.filter(|path| path.starts_with(['/', '?']) || path.is_empty())
            && let Ok(here) = HeaderValue::try_from(format!("{}{path}", self.gate.base_url()))
        {
            answer.headers_mut().insert(LOCATION, here);
        }
        answer
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, CommandError> {
    if !is_of_this_machine(address.ip()) {
        return Err(CommandError::usage(format!(
            "the proxy cannot listen on {}: it would lend the credential to the network",
            address.ip()
        ))
        .hint("use 127.0.0.1:PORT or [::1]:PORT"));
    }
    TcpListener::bind(address)
        .await
        .map_err(|error| no_socket(address, &error))
}

fn is_of_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn no_socket(address: SocketAddr, error: &std::io::Error) -> CommandError {
    CommandError::caused(
        Exit::Refused,
        &format!("the proxy cannot listen on {address}"),
        error,
    )
    .hint("choose another port with --listen, or port 0 for a free one")
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

/// Programs of one person.
const MOST_CONNECTIONS: usize = 256;
