//! Requests as any program would send them: no cache, no second try, no redirect followed.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::world::{Credential, PATIENCE};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: ::http::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

pub(crate) fn get(url: &str) -> Reply {
    send(client().get(url))
}

pub(crate) fn get_with(url: &str, token: &str) -> Reply {
    send(bare_request(&Method::GET, url, token))
}

pub(crate) fn send_as(method: &Method, url: &str) -> Reply {
    send(client().request(method.clone(), url))
}

/// Bytes that need not be a request, and whatever comes back until the server closes.
pub(crate) fn send_bytes(url: &str, bytes: &[u8]) -> String {
    use std::io::{Read as _, Write as _};
    let address = url.strip_prefix("http://").unwrap();
    let address = address.split('/').next().unwrap();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// Whether nobody listens there any more.
pub(crate) fn is_closed(url: &str) -> bool {
    runtime().block_on(async {
        client()
            .get(url)
            .send()
            .await
            .is_err_and(|e| e.is_connect())
    })
}

pub(crate) fn send_json(method: &Method, url: &str, token: &str, body: &Value) -> Reply {
    send(json_request(method, url, token, body))
}

pub(crate) fn post_form(url: &str, form: &str) -> Reply {
    send(form_request(url, form))
}

/// A request with neither token nor body that was not sent yet.
pub(crate) fn plain_request(method: &Method, url: &str) -> RequestBuilder {
    client().request(method.clone(), url)
}

/// A request without a body that was not sent yet.
pub(crate) fn bare_request(method: &Method, url: &str, token: &str) -> RequestBuilder {
    client().request(method.clone(), url).bearer_auth(token)
}

/// A request with a JSON body that was not sent yet.
pub(crate) fn json_request(
    method: &Method,
    url: &str,
    token: &str,
    body: &Value,
) -> RequestBuilder {
    let request = bare_request(method, url, token);
    let request = request.header("content-type", "application/json");
    request.body(body.to_string())
}

/// A form that was not sent yet.
pub(crate) fn form_request(url: &str, form: &str) -> RequestBuilder {
    let request = client().post(url);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.body(form.to_owned())
}

/// The form of a token request.
pub(crate) fn token_form(client_id: &str, client_secret: &str) -> String {
    format!("grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}")
}

/// A token that must be issued.
#[track_caller]
pub(crate) fn token_of(credential: &Credential) -> String {
    let form = token_form(&credential.client_id, &credential.client_secret);
    let answer = post_form(&credential.token_url, &form).is(200).json();
    answer["access_token"].as_str().unwrap().to_owned()
}

fn send(request: RequestBuilder) -> Reply {
    try_send(request).unwrap()
}

/// An answer that was read to its end, or why there is none.
pub(crate) fn try_send(request: RequestBuilder) -> reqwest::Result<Reply> {
    runtime().block_on(async {
        let response = request.send().await?;
        let content_type = response.headers().get("content-type");
        Ok(Reply {
            status: response.status().as_u16(),
            content_type: content_type
                .map_or("", |kind| kind.to_str().unwrap())
                .to_owned(),
            headers: response.headers().clone(),
            text: response.text().await?,
        })
    })
}

/// The exchange of a client that brings everything else itself.
pub(crate) fn execute(
    request: ::http::Request<Vec<u8>>,
) -> reqwest::Result<::http::Response<Vec<u8>>> {
    runtime().block_on(async {
        let response = client().execute(request.try_into()?).await?;
        let mut answer = ::http::Response::builder().status(response.status());
        if let Some(kind) = response.headers().get("content-type") {
            answer = answer.header("content-type", kind);
        }
        Ok(answer.body(response.bytes().await?.into()).unwrap())
    })
}

/// A connection per request, so that no server waits for an idle one when it stops.
fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .redirect(redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE.max(Duration::from_secs(1)))
            .build()
            .unwrap()
    })
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    })
}
