//! A token endpoint and an API on a free port, as odd as a test wants them, and clients for them.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use hallpass_client::address::{BaseUrl, TokenUrl};
use hallpass_client::{
    Cache, Client, CredentialSource, Event, Options, Profile, ProfileName, Renewal,
};
use hallpass_oauth::{ClientId, Secret};
use hallpass_openapi::BuiltRequest;
use http::Method;
use jiff::Timestamp;

pub(crate) const CLIENT_ID: &str = "00cfff70-86ab-4f66-8245-1eb054639c38";
pub(crate) const CLIENT_SECRET: &str = "planted5ecret0f32HexadecimalDigits-and-more-than-forty";

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// What the API was asked.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path_and_query: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

type Answer = (u16, Vec<(&'static str, String)>, String);

/// The servers' state.
pub(crate) struct World {
    pub(crate) address: String,
    live: Mutex<String>,
    mints: AtomicUsize,
    token_calls: AtomicUsize,
    lifetime: Mutex<String>,
    odd_token_answers: Mutex<VecDeque<Answer>>,
    calls: Mutex<Vec<Call>>,
    token_requests: Mutex<Vec<Call>>,
    metadata: Mutex<Option<String>>,
    /// Whoever holds it for writing keeps the token endpoint from answering.
    pub(crate) gate: tokio::sync::RwLock<()>,
    clock: AtomicI64,
}

impl World {
    /// Starts both servers; `api` answers what carries the live token.
    pub(crate) async fn start(api: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let world = Arc::new(Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            live: Mutex::new(String::new()),
            mints: AtomicUsize::new(0),
            token_calls: AtomicUsize::new(0),
            lifetime: Mutex::new("7199".to_owned()),
            odd_token_answers: Mutex::new(VecDeque::new()),
            calls: Mutex::new(Vec::new()),
            token_requests: Mutex::new(Vec::new()),
            metadata: Mutex::default(),
            gate: tokio::sync::RwLock::new(()),
            clock: AtomicI64::new(1_700_000_000),
        });
        let (at_token, at_api) = (world.clone(), world.clone());
        let api = Arc::new(api);
        let router = axum::Router::new()
            .route(
                "/token",
                post(move |request| answer_token(at_token.clone(), request)),
            )
            .fallback(move |request| answer_api(at_api.clone(), api.clone(), request));
        tokio::spawn(async move { axum::serve(listener, router).await });
        world
    }

    /// Starts both servers; the API answers every call with `{}`.
    pub(crate) async fn quiet() -> Arc<Self> {
        Self::start(|_| ok("{}")).await
    }

    /// A program that shares nothing with the clients gets a token.
    pub(crate) fn supersede(&self) -> String {
        let number = self.mints.fetch_add(1, Ordering::SeqCst) + 1;
        let token = format!("token-{number}");
        token.clone_into(&mut self.live.lock().unwrap());
        token
    }

    /// How many tokens were made.
    pub(crate) fn mints(&self) -> usize {
        self.mints.load(Ordering::SeqCst)
    }

    /// How often the token endpoint was called.
    pub(crate) fn token_calls(&self) -> usize {
        self.token_calls.load(Ordering::SeqCst)
    }

    /// What the API was asked so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// What the token endpoint was asked so far.
    pub(crate) fn token_requests(&self) -> Vec<Call> {
        self.token_requests.lock().unwrap().clone()
    }

    /// `expires_in` as JSON.
    pub(crate) fn set_lifetime(&self, json: &str) {
        json.clone_into(&mut self.lifetime.lock().unwrap());
    }

    /// What the authorization server says about itself (RFC 8414), to everybody; nothing at first.
    pub(crate) fn publish(&self, metadata: &str) {
        *self.metadata.lock().unwrap() = Some(metadata.to_owned());
    }

    /// The next answer of the token endpoint, instead of a token.
    pub(crate) fn next_token_answer(
        &self,
        status: u16,
        headers: &[(&'static str, &str)],
        body: &str,
    ) {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        self.odd_token_answers
            .lock()
            .unwrap()
            .push_back((status, headers, body.to_owned()));
    }

    /// Lets time pass for the clients.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn profile(&self) -> Profile {
        profile(&self.address)
    }

    /// Options with the world's clock, and the events that will be told.
    pub(crate) fn options(self: &Arc<Self>, cache: Option<&Path>) -> (Options, Events) {
        let events = Events::default();
        let (clock, told) = (self.clone(), events.0.clone());
        let cache = cache.map_or(Cache::None, |path| Cache::Directory(path.to_owned()));
        let options = Options::new(cache, Arc::new(move || clock.now())).with_events(Arc::new(
            move |event| told.lock().unwrap().push(event.clone()),
        ));
        (options, events)
    }

    pub(crate) fn client_with(&self, options: &Options) -> Client {
        Client::new(self.profile(), credential(), options).unwrap()
    }

    /// Another client of the same token endpoint.
    pub(crate) fn other_client(&self, options: &Options) -> Client {
        let profile = self.profile();
        let other = Profile::new(
            profile.name().clone(),
            profile.token_url().clone(),
            profile.base_url().clone(),
            ClientId::parse("another").unwrap(),
        );
        Client::new(other, credential(), options).unwrap()
    }

    /// A client of a program that ends with its answer.
    pub(crate) fn client_that_ends(self: &Arc<Self>, cache: &Path) -> (Client, Events) {
        let (options, events) = self.options(Some(cache));
        let options = options.with_renewal(Renewal::Before);
        let client = Client::new(self.profile(), credential(), &options);
        (client.unwrap(), events)
    }

    /// A client that shares its tokens in `cache`, and the events it tells.
    pub(crate) fn client(self: &Arc<Self>, cache: Option<&Path>) -> (Client, Events) {
        let (options, events) = self.options(cache);
        (
            Client::new(self.profile(), credential(), &options).unwrap(),
            events,
        )
    }
}

/// The events told so far.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<Event>>>);

impl Events {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.all().iter().filter(|event| wanted(event)).count()
    }
}

pub(crate) fn profile(address: &str) -> Profile {
    Profile::new(
        ProfileName::parse("test").unwrap(),
        TokenUrl::parse(&format!("{address}/token")).unwrap(),
        BaseUrl::parse(address).unwrap(),
        ClientId::parse(CLIENT_ID).unwrap(),
    )
}

pub(crate) fn credential() -> CredentialSource {
    CredentialSource::Given(Secret::from(CLIENT_SECRET.to_owned()))
}

pub(crate) fn get(path_and_query: &str) -> BuiltRequest {
    request(Method::GET, path_and_query, None)
}

pub(crate) fn request(method: Method, path_and_query: &str, body: Option<&str>) -> BuiltRequest {
    BuiltRequest {
        method,
        path_and_query: path_and_query.to_owned(),
        headers: Vec::new(),
        body: body.map(|body| body.as_bytes().to_vec()),
    }
}

pub(crate) fn ok(body: &str) -> Answer {
    json(200, body)
}

pub(crate) fn json(status: u16, body: &str) -> Answer {
    (
        status,
        vec![("content-type", "application/json".to_owned())],
        body.to_owned(),
    )
}

async fn answer_token(world: Arc<World>, request: Request) -> Response {
    world.token_calls.fetch_add(1, Ordering::SeqCst);
    let header = request.headers().get("authorization").cloned();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 65_536).await.unwrap();
    world.token_requests.lock().unwrap().push(Call {
        method: parts.method,
        path_and_query: parts.uri.to_string(),
        headers: parts.headers,
        body: body.to_vec(),
    });
    drop(world.gate.read().await);
    if let Some(odd) = world.odd_token_answers.lock().unwrap().pop_front() {
        return dated(&world, odd);
    }
    let form = String::from_utf8(body.to_vec()).unwrap();
    let in_body = form.contains(&format!(
        "client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}"
    ));
    let in_header = header.is_some_and(|value| value.to_str().unwrap().starts_with("Basic "));
    if !form.contains("grant_type=client_credentials") || in_body == in_header {
        return dated(
            &world,
            json(
                401,
                r#"{"error":"invalid_client","error_description":"no"}"#,
            ),
        );
    }
    let token = world.supersede();
    let lifetime = world.lifetime.lock().unwrap().clone();
    let body =
        format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{lifetime}}}"#);
    dated(&world, ok(&body))
}

/// The answer with the time of the world, unless it has one of its own.
fn dated(world: &World, mut answer: Answer) -> Response {
    if answer.1.iter().all(|(name, _)| *name != "date") {
        let date = world.now().strftime("%a, %d %b %Y %H:%M:%S GMT");
        answer.1.push(("date", date.to_string()));
    }
    response(answer)
}

async fn answer_api(
    world: Arc<World>,
    api: Arc<impl Fn(&Call) -> Answer>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let call = Call {
        method: parts.method,
        path_and_query: parts.uri.path_and_query().unwrap().to_string(),
        headers: parts.headers,
        body: to_bytes(body, 65_536).await.unwrap().to_vec(),
    };
    let metadata = world.metadata.lock().unwrap().clone();
    if let Some(metadata) = metadata.filter(|_| call.path_and_query == METADATA) {
        return response(ok(&metadata));
    }
    world.calls.lock().unwrap().push(call.clone());
    let wanted = format!("Bearer {}", world.live.lock().unwrap());
    let given = call
        .headers
        .get("authorization")
        .map(|value| value.to_str().unwrap());
    if given != Some(&wanted) {
        return response(json(401, r#"{"error":"no","errorCode":"UNAUTHENTICATED"}"#));
    }
    response(api(&call))
}

fn response((status, headers, body): Answer) -> Response {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(body)).unwrap()
}
