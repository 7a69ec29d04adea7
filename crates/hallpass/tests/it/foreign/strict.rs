//! A token server that reads a credential in one way only, where ours is patient: one whose secret
//! holds what forms, headers and shells take for something else. It answers everything else, to its
//! token, with an empty list.

use std::process::Command;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::runtime::Runtime;

/// What forms, URLs and shells take for something else.
pub(super) const CLIENT_ID: &str = "an+odd%2Bid/&='$id";
/// The same with what only a secret may hold; the id of a Basic header ends at the first colon.
pub(super) const CLIENT_SECRET: &str = "a:b%41+/ &=?ü€\"'$HOME`id`\\n-._~*!";

const TOKEN: &str = "the-token";

/// How the server wants the credential, in the words of `HALLPASS_AUTHENTICATION` and its setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Basic,
    UnencodedBasic,
    Body,
}

impl Wants {
    pub(super) const ALL: [Self; 3] = [Self::Basic, Self::UnencodedBasic, Self::Body];

    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Basic => &[("HALLPASS_AUTHENTICATION", "basic")],
            Self::UnencodedBasic => &[
                ("HALLPASS_AUTHENTICATION", "basic"),
                ("HALLPASS_UNENCODED", "true"),
            ],
            Self::Body => &[("HALLPASS_AUTHENTICATION", "body")],
        }
    }

    /// The credential, where it was sent in this way.
    fn read(self, headers: &HeaderMap, form: &str) -> Option<[String; 2]> {
        let field = |wanted: &str| {
            let found = form.split('&').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                (name == wanted).then_some(value)
            });
            decoded(found?)
        };
        let basic = || {
            let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
            let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
            let pair = String::from_utf8(pair).ok()?;
            let (id, secret) = pair.split_once(':')?;
            Some([id.to_owned(), secret.to_owned()])
        };
        match self {
            Self::Body => Some([field("client_id")?, field("client_secret")?]),
            Self::UnencodedBasic => basic(),
            Self::Basic => {
                let [id, secret] = basic()?;
                Some([decoded(&id)?, decoded(&secret)?])
            }
        }
    }
}

/// A value of a form; none for what a form cannot hold.
fn decoded(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~*!'()+%".contains(&byte);
    if !text.bytes().all(plain) {
        return None;
    }
    let text = text.replace('+', " ");
    let bytes = percent_encoding::percent_decode_str(&text).decode_utf8();
    Some(bytes.ok()?.into_owned())
}

/// The server; it ends with its value.
pub(super) struct Strict {
    address: String,
    wants: Wants,
    _runtime: Runtime,
}

impl Strict {
    pub(super) fn start(wants: Wants) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(move |request: Request| answer(wants, request));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await
        });
        Self {
            address,
            wants,
            _runtime: runtime,
        }
    }

    /// The command with a profile of the server in its environment.
    pub(super) fn known_to(&self, command: &mut Command) {
        command
            .env("HALLPASS_TOKEN_URL", format!("{}/token", self.address))
            .env("HALLPASS_BASE_URL", &self.address)
            .env("HALLPASS_CLIENT_ID", CLIENT_ID)
            .env("HALLPASS_CLIENT_SECRET", CLIENT_SECRET)
            .envs(self.wants.settings().iter().copied());
    }
}

async fn answer(
    wants: Wants,
    request: Request,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
    let form = String::from_utf8_lossy(&body);
    let (good, words) = if parts.uri.path() == "/token" {
        let read = wants.read(&parts.headers, &form);
        let good = read
            .as_ref()
            .is_some_and(|[id, secret]| id == CLIENT_ID && secret == CLIENT_SECRET);
        let token =
            format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":7199}}"#);
        (good, token)
    } else {
        let bearer = format!("Bearer {TOKEN}");
        let good = parts
            .headers
            .get(header::AUTHORIZATION)
            .is_some_and(|value| value == bearer.as_str());
        (good, r#"{"items":[],"total":0}"#.to_owned())
    };
    let json = [("content-type", "application/json")];
    if good {
        (StatusCode::OK, json, words)
    } else {
        let refusal = serde_json::json!({
            "error": "invalid_client",
            "error_description": format!("wanted {wants:?}, got {:?} {form}", parts.headers),
        });
        (StatusCode::UNAUTHORIZED, json, refusal.to_string())
    }
}
