//! Requests to an explorer, without a socket.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hallpass_client::Secret;
use hallpass_explorer::{Document, Explorer, Visitor};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::memory::{FORM_TOKEN, Memory, explorer, visitor};

pub(crate) struct World {
    router: Router,
    drawer: Arc<Memory>,
    places: BTreeMap<String, String>,
}

impl World {
    /// An explorer, and places that it offers: `("us1", "http://…")`, `("token", …)`.
    pub(crate) fn with(places: &[(&str, &str)]) -> Self {
        let places: BTreeMap<String, String> = places
            .iter()
            .map(|(name, url)| ((*name).to_owned(), (*url).to_owned()))
            .collect();
        let drawer: Arc<Memory> = Arc::default();
        Self {
            router: explorer(drawer.clone(), places.clone()).router(),
            drawer,
            places,
        }
    }

    /// The explorer as if it were started anew, with what was kept.
    pub(crate) fn explorer(&self) -> Explorer {
        explorer(self.drawer.clone(), self.places.clone())
    }

    /// The one who asks.
    pub(crate) fn visitor(&self) -> Visitor {
        visitor(self.drawer.clone())
    }

    /// The secrets that are kept, by name.
    pub(crate) fn secrets(&self) -> BTreeMap<String, String> {
        let secrets = self.drawer.secrets.lock().unwrap();
        let shown = |((_, name), secret): (&(_, String), &Secret)| {
            (name.clone(), secret.expose().to_owned())
        };
        secrets.iter().map(shown).collect()
    }

    /// The text of a definition as it is kept.
    pub(crate) fn text(&self, path: &str, definition: &str) -> String {
        let [id, definition] = [path.rsplit('/').next().unwrap(), definition]
            .map(|id| hallpass_explorer::Id::parse(id).unwrap());
        let documents = self.drawer.documents.lock().unwrap();
        let bytes = &documents[&id][&Document::Definition(definition)];
        String::from_utf8(bytes.clone()).unwrap()
    }

    /// Whether there is no room for another version of a workspace from now on.
    pub(crate) fn fill(&self, is_full: bool) {
        self.drawer
            .is_full
            .store(is_full, std::sync::atomic::Ordering::SeqCst);
    }

    /// Changes a document behind the explorer's back, as another program does.
    pub(crate) fn meddle(&self, path: &str, document: &Document, change: impl FnOnce(&mut Value)) {
        let id = hallpass_explorer::Id::parse(path.rsplit('/').next().unwrap()).unwrap();
        let mut documents = self.drawer.documents.lock().unwrap();
        let known = documents.get_mut(&id).unwrap();
        let bytes = known.get_mut(document).unwrap();
        let mut content = serde_json::from_slice(bytes).unwrap();
        change(&mut content);
        *bytes = serde_json::to_vec(&content).unwrap();
    }

    /// All documents that are no definitions, one after the other.
    pub(crate) fn documents(&self) -> String {
        let documents = self.drawer.documents.lock().unwrap();
        let all = documents.values().flatten();
        let own = all.filter(|(document, _)| !matches!(document, Document::Definition(_)));
        own.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
            .collect()
    }

    /// Takes the published definition into a workspace; its id. `None`, and a word, where it is not there:
    /// it is no part of the project.
    pub(crate) async fn import_published(&self, path: &str) -> Option<String> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = file.join("../../../shared/data/storage-api.json");
        let Ok(bytes) = std::fs::read(&file) else {
            println!("skipped: {} is not there", file.display());
            return None;
        };
        let request = Request::builder()
            .method("POST")
            .uri(format!("{path}/definitions/look?source=storage-api.json"))
            .header("content-type", "application/octet-stream")
            .header("x-csrf-token", FORM_TOKEN)
            .body(Body::from(bytes))
            .unwrap();
        let (status, told) = self.send(request).await;
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&told));
        let look: Value = serde_json::from_slice(&told).unwrap();
        let taken = json!({"look": look["look"], "documentation": false, "replaces": null});
        let (_, taken) = self
            .ask("POST", &format!("{path}/definitions"), &taken)
            .await;
        Some(taken["definition"]["id"].as_str().unwrap().to_owned())
    }

    /// Has all documents that are no definitions say something else.
    pub(crate) fn written_anew(&self, change: impl Fn(String) -> String) {
        let mut documents = self.drawer.documents.lock().unwrap();
        let all = documents.values_mut().flatten();
        for (_, bytes) in all.filter(|(document, _)| !matches!(document, Document::Definition(_))) {
            *bytes = change(String::from_utf8(std::mem::take(bytes)).unwrap()).into_bytes();
        }
    }

    /// Sends a request as the page would; the status and the JSON of the answer, null if it is none.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("x-csrf-token", FORM_TOKEN)
            .body(body)
            .unwrap();
        let (status, bytes) = self.send(request).await;
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    /// Sends any request; the answer while it comes.
    pub(crate) async fn answer(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().call(request).await.unwrap()
    }

    /// Sends any request.
    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, Vec<u8>) {
        let answer = self.answer(request).await;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, bytes.to_vec())
    }

    /// Has a text looked at that is uploaded as a file of this name.
    pub(crate) async fn look(&self, path: &str, name: &str, text: &[u8]) -> (StatusCode, Value) {
        let request = Request::builder()
            .method("POST")
            .uri(format!("{path}/definitions/look?source={name}"))
            .header("content-type", "application/octet-stream")
            .header("x-csrf-token", FORM_TOKEN)
            .body(Body::from(text.to_vec()))
            .unwrap();
        let (status, bytes) = self.send(request).await;
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    /// Takes in what was looked at.
    pub(crate) async fn take(&self, path: &str, look: &Value, replaces: &Value) -> Value {
        let taken = serde_json::json!({
            "look": look["look"], "documentation": true, "replaces": replaces,
        });
        let (status, told) = self
            .ask("POST", &format!("{path}/definitions"), &taken)
            .await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        told
    }

    /// A new workspace that has the built-in definition; its path in the interface.
    pub(crate) async fn workspace(&self) -> String {
        let new = serde_json::json!({"name": "Test", "builtIn": true});
        let (status, made) = self.ask("POST", "/explorer/api/workspaces", &new).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        format!("/explorer/api/w/{}", made["id"].as_str().unwrap())
    }

    /// What is at this path.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }
}
