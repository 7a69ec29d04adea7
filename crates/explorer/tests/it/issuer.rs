//! A token endpoint and an API of one server. It lets one token live at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

pub(crate) struct Issuer {
    pub(crate) address: String,
    live: Mutex<String>,
    minted: AtomicUsize,
    called: AtomicUsize,
    /// What the next token lives, in seconds.
    pub(crate) lifetime: Mutex<i64>,
    /// What the token endpoint was sent.
    pub(crate) asked: Mutex<Vec<(HeaderMap, String)>>,
}

impl Issuer {
    pub(crate) async fn start() -> Arc<Self> {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Arc::new(Self {
            address: format!("http://{}", socket.local_addr().unwrap()),
            live: Mutex::default(),
            minted: AtomicUsize::new(0),
            called: AtomicUsize::new(0),
            lifetime: Mutex::new(7199),
            asked: Mutex::default(),
        });
        let router = Router::new()
            .route("/token", post(token))
            .fallback(api)
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        issuer
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}/token", self.address)
    }

    pub(crate) fn minted(&self) -> usize {
        self.minted.load(Ordering::SeqCst)
    }

    /// How often the API was asked.
    pub(crate) fn called(&self) -> usize {
        self.called.load(Ordering::SeqCst)
    }

    /// From now on no token that was issued is good.
    pub(crate) fn revoke(&self) {
        self.live.lock().unwrap().clear();
    }
}

async fn token(State(issuer): State<Arc<Issuer>>, headers: HeaderMap, body: String) -> Response {
    let good = body.contains("client_secret=planted") || headers.contains_key("authorization");
    issuer.asked.lock().unwrap().push((headers, body));
    if !good {
        let refused = r#"{"error_description":"Invalid client.","error":"invalid_client"}"#;
        return (StatusCode::UNAUTHORIZED, refused).into_response();
    }
    let number = issuer.minted.fetch_add(1, Ordering::SeqCst) + 1;
    // {"alg":"none"}, and a claim that the explainer knows: {"sub":"me"}.
    let token = format!("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.{number}");
    issuer.live.lock().unwrap().clone_from(&token);
    let lifetime = *issuer.lifetime.lock().unwrap();
    format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{lifetime}}}"#)
        .into_response()
}

async fn api(State(issuer): State<Arc<Issuer>>, headers: HeaderMap) -> Response {
    issuer.called.fetch_add(1, Ordering::SeqCst);
    let live = issuer.live.lock().unwrap().clone();
    let sent = headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    let good = !live.is_empty() && sent.is_some_and(|sent| sent.ends_with(&live));
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    };
    (status, sent.unwrap_or("nothing").to_owned()).into_response()
}
