//! A server that answers as a test wants it, and a world whose profile leads there.

use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use tokio::runtime::Runtime;

use crate::world::{Done, World, run};

/// An answer: status, headers, body.
pub(super) type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// The server; it ends with its value.
pub(super) struct Odd {
    pub(super) world: World,
    pub(super) address: String,
    calls: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

impl Odd {
    /// Starts a server: `api` answers what is asked besides tokens, by path and query.
    pub(super) fn start(api: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (seen, api) = (calls.clone(), Arc::new(api));
        let router = axum::Router::new().fallback(move |request: Request| {
            let path = request.uri().to_string();
            let answer = if path == "/token" {
                json(r#"{"access_token":"t","token_type":"Bearer","expires_in":7199}"#)
            } else {
                seen.lock().unwrap().push(path.clone());
                api(&path)
            };
            async move { response(answer) }
        });
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await
        });
        Self {
            world: World::new(),
            address,
            calls,
            _runtime: runtime,
        }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.envs([
            (
                "HALLPASS_TOKEN_URL",
                format!("{}/token", self.address).as_str(),
            ),
            ("HALLPASS_BASE_URL", &self.address),
            ("HALLPASS_CLIENT_ID", "00cfff70-86ab-4f66-8245-1eb054639c38"),
            (
                "HALLPASS_CLIENT_SECRET",
                "planted5ecret0f32HexadecimalDigits",
            ),
        ]);
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Done {
        run(&mut self.command(arguments))
    }

    /// What was asked so far.
    pub(super) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }
}

/// A good answer of JSON.
pub(super) fn json(body: &str) -> Answer {
    (
        200,
        vec![("content-type", "application/json".to_owned())],
        body.into(),
    )
}

/// The value of a parameter of the query.
pub(super) fn asked(path: &str, name: &str) -> Option<usize> {
    let query = path.split_once('?')?.1;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(found, _)| *found == name)?.1.parse().ok()
}

fn response((status, headers, body): Answer) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(body)).unwrap()
}
