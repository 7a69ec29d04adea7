//! A console on a free port with people, credentials and tokens, and a client that checks on every
//! answer what must always hold.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, Once};

use askama::Template;
use axum::Router;
use axum::routing::any;
use hallpass_access::Role;
use hallpass_console::{
    Addresses, Book, ByHand, CREDENTIALS_PATH, Console, Neighbour, Settings, TokenByHand,
};
use hallpass_oauth::claims::{AUDIENCE, Profile};
use hallpass_oauth::client_authentication::{Authenticator, TwoCredentials, authenticate};
use hallpass_oauth::form::Form;
use hallpass_oauth::grant::Tenant;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::mint::{Issuing, mint};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::{TokenRefusal, check};
use hallpass_oauth::{
    AccessToken, ApplicationInstanceId, Audience, Expectation, Grant, Issuer, PresentedCredential,
    Secret, Subject, TokenError, TokenId, TokenRequest, WorkspaceId,
};
use hallpass_openapi::Definition;
use hallpass_pages::Page;
use hallpass_store::audit::{AuditEvent, AuditQuery, AuditState, StoredEvent};
use hallpass_store::credentials::IssuedCredential;
use hallpass_store::sessions::Candidate;
use hallpass_store::{Actor, Issue, MasterKey, Person, Policy, Store, Workspace};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

/// An API that is small and has each verb.
const DEFINITION: &str = r#"{"openapi": "3.1.0", "info": {"title": "Disks", "version": "1"}, "paths": {
    "/api/v1/disks": {
        "get": {"operationId": "DiskList", "responses": {"200": {"description": "ok"}}},
        "post": {"operationId": "DiskCreate", "responses": {"200": {"description": "ok"}}}},
    "/api/v1/disks/{id}": {
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
        "put": {"operationId": "DiskUpdate", "responses": {"200": {"description": "ok"}}},
        "delete": {"operationId": "DiskDelete", "responses": {"200": {"description": "ok"}}}},
    "/api/v1/volumes": {
        "get": {"operationId": "VolumeList", "responses": {"200": {"description": "ok"}}}},
    "/api/v1/access-controls": {
        "get": {"operationId": "AccessControls", "responses": {"200": {"description": "ok"}}}}}}"#;

/// Where the room beside the console is.
pub(crate) const BESIDE: &str = "/beside";

pub(crate) const ISSUER: &str = "https://sso.example.com";

/// A secret that the token endpoint of these tests is tired of.
pub(crate) const TRIED_TOO_OFTEN: &str = "tried-too-often";

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Store,
    address: SocketAddr,
    seconds: Arc<AtomicI64>,
    /// Whether browsers are told to come over TLS only.
    strict: bool,
}

/// A browser in which somebody is signed in.
pub(crate) struct Browser {
    cookie: String,
    form_token: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Where everything that is logged goes, of any level and from any thread. One for all tests: what
/// they look for is theirs alone.
#[derive(Clone, Copy)]
struct Log;

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static LISTENING: Once = Once::new();

impl World {
    /// A console that people reach over TLS, by name.
    pub(crate) async fn new() -> Self {
        Self::with(settings(), Policy::default()).await
    }

    /// One that people reach in clear.
    pub(crate) async fn in_clear() -> Self {
        let mut settings = settings();
        settings.addresses.console = String::from("http://127.0.0.1:8080");
        Self::with(settings, Policy::default()).await
    }

    /// One whose sessions end after that time without a request.
    pub(crate) async fn with_idle_time(idle: SignedDuration) -> Self {
        let policy = Policy {
            session_idle: idle,
            ..Policy::default()
        };
        Self::with(settings(), policy).await
    }

    async fn with(settings: Settings, policy: Policy) -> Self {
        LISTENING.call_once(listen);
        let folder = tempfile::tempdir().unwrap();
        let seconds = Arc::new(AtomicI64::new(1_700_000_000));
        let store = Store::open(
            &folder.path().join("hallpass.db"),
            &MasterKey::generate(&mut SystemRandom),
            policy,
            Timestamp::from_second(1_700_000_000).unwrap(),
            &mut SystemRandom,
        )
        .await
        .unwrap();
        let clock = {
            let seconds = seconds.clone();
            Arc::new(move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap())
        };
        let strict = settings.addresses.console.starts_with("https:");
        let by_hand = by_hand(store.clone(), seconds.clone());
        let console = Console::new(store.for_console(), settings, by_hand, clock);
        let documentation = console.documentation(vec![book()]);
        let beside = beside(console.clone());
        let rooms = console.clone().router();
        let rooms = rooms.merge(documentation).merge(beside);
        let router = console.around(rooms.fallback(hallpass_pages::not_found));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        Self {
            folder,
            store,
            address,
            seconds,
            strict,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn pass(&self, time: SignedDuration) {
        self.seconds.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// A person in the workspace of that name, which is made if it is not there.
    pub(crate) async fn person(&self, workspace: &str, email: &str, role: Option<Role>) -> Person {
        let workspace = self.workspace(workspace).await;
        let email = Subject::parse(email).unwrap();
        self.store
            .people()
            .create(
                &workspace.id,
                email,
                role,
                &local(),
                self.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap()
    }

    /// The workspace of that name, which is made if it is not there.
    pub(crate) async fn workspace(&self, name: &str) -> Arc<Workspace> {
        let workspaces = self.store.workspaces();
        let mut known = workspaces.list().into_iter();
        match known.find(|known| known.name == name) {
            Some(known) => known,
            None => workspaces
                .create(name, &local(), self.now(), &mut SystemRandom)
                .await
                .unwrap(),
        }
    }

    pub(crate) async fn administrator(&self) -> Person {
        self.person("Main", "ann@example.com", Some(Role::Administrator))
            .await
    }

    pub(crate) fn instance(&self, word: &str) -> ApplicationInstanceId {
        self.store
            .workspaces()
            .find_instance(word)
            .unwrap()
            .id
            .clone()
    }

    pub(crate) async fn credential(
        &self,
        owner: &Person,
        instance: &str,
        name: &str,
    ) -> IssuedCredential {
        let instance = self.instance(instance);
        self.store
            .credentials()
            .create(
                owner.id,
                instance,
                name,
                &local(),
                self.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap()
    }

    /// A token of the platform for a new credential of that person.
    pub(crate) async fn token_of(&self, owner: &Person) -> String {
        let credential = self.credential(owner, "global", "console").await;
        self.token(&credential).await
    }

    pub(crate) async fn token(&self, credential: &IssuedCredential) -> String {
        let client_id = credential.credential.client_id.as_str();
        self.token_with(client_id, credential.secret.expose(), ISSUER)
            .await
            .expect("the secret is right")
    }

    /// What the token endpoint does; `None` when the client does not authenticate.
    pub(crate) async fn token_with(
        &self,
        client_id: &str,
        secret: &str,
        issuer: &str,
    ) -> Option<String> {
        let token = minted(&self.store, self.now(), client_id, secret, issuer).await;
        token.map(|token| token.expose().to_owned())
    }

    /// A token for a workspace that the credential's manages, in the steps of a token exchange.
    pub(crate) async fn exchanged(&self, credential: &IssuedCredential) -> String {
        let home = &credential.credential.workspace;
        let tenant = self
            .store
            .workspaces()
            .create_managed(
                "Tenant",
                Some(home.clone()),
                &local(),
                self.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap();
        let subject = self.token(credential).await;
        let keys = self.store.published_keys().current();
        let expectation = Expectation {
            instance: self.instance("global"),
            ..settings().expectation
        };
        let now = self.now();
        let unverified = UnverifiedToken::parse(&subject).unwrap();
        let signed = check(&unverified, &keys, &expectation, now).unwrap();
        let principals = self.store.principals();
        let (_, verified) = principals
            .verify_token(&signed, &keys, &expectation, now)
            .unwrap();
        let client_id = credential.credential.client_id.as_str();
        let client = self.store.client_registrations().find(client_id).unwrap();
        let tenant = Tenant {
            workspace: tenant.id.clone(),
            customer: tenant.customer.clone(),
        };
        let request = TokenRequest::client_credentials(None);
        let grant = Grant::exchange(&verified, &client, &tenant, &request).unwrap();
        let id = verified.token_id().exchange(&mut SystemRandom);
        let issuing = Issuing {
            issuer: Issuer::parse(ISSUER).unwrap(),
            audience: Audience::parse(AUDIENCE).unwrap(),
            profile: Profile::Greenlake,
        };
        let key = self.store.signing_keys().active();
        let token = mint(&grant, Some(&id), &issuing, &key, now).unwrap();
        token.expose().to_owned()
    }

    /// What a resource server of that instance says about a token.
    pub(crate) fn stands_at(&self, token: &str, instance: &str) -> Result<(), TokenRefusal> {
        let expectation = Expectation {
            instance: self.instance(instance),
            ..settings().expectation
        };
        let keys = self.store.published_keys().current();
        let signed = check(
            &UnverifiedToken::parse(token)?,
            &keys,
            &expectation,
            self.now(),
        )?;
        let principals = self.store.principals();
        principals.verify(&signed, &keys, &expectation, self.now())?;
        Ok(())
    }

    pub(crate) async fn setup_link(&self, person: &Person) -> Secret {
        self.store
            .setup_links()
            .issue(person.id, &local(), self.now(), &mut SystemRandom)
            .await
            .unwrap()
    }

    pub(crate) async fn audit(&self) -> Vec<StoredEvent> {
        let query = AuditQuery {
            workspace: None,
            oldest_first: true,
            after: None,
            limit: 1000,
        };
        self.store.audit_log().settle().await.unwrap();
        self.store.audit_log().read(&query).await.unwrap()
    }

    /// A browser in which this person has just signed in.
    pub(crate) async fn browser(&self, person: &Person) -> Browser {
        let (sessions, now) = (self.store.sessions(), self.now());
        let (candidate, rng) = (self.candidate(person).await, &mut SystemRandom);
        let begun = if candidate.second_factor {
            let step = sessions.begin_step(&candidate, now, rng).await.unwrap();
            let (step, by) = (step.unwrap(), local());
            sessions
                .finish(&step, person, &by, "Tests/1.0", now, rng)
                .await
        } else {
            sessions
                .begin(&candidate, &local(), "Tests/1.0", now, rng)
                .await
        };
        let secret = begun.unwrap().unwrap();
        Browser {
            cookie: format!("__Host-hallpass={}", secret.expose()),
            form_token: sessions.form_token(&secret).expose().to_owned(),
        }
    }

    /// This person as a sign-in sees them; people without a password too.
    pub(crate) async fn candidate(&self, person: &Person) -> Candidate {
        let factor = self.store.second_factors().of(person.id, self.now()).await;
        Candidate {
            person: person.clone(),
            password: self.store.passwords().of(person.id).await.unwrap(),
            second_factor: factor.unwrap().is_some_and(|factor| factor.since.is_some()),
        }
    }

    /// The cookie and the form token of that browser, for requests that are not as they should be.
    pub(crate) fn parts(browser: &Browser) -> (&str, &str) {
        (&browser.cookie, &browser.form_token)
    }

    /// A page as that browser gets it.
    pub(crate) async fn open(&self, browser: &Browser, path: &str) -> Answer {
        let headers = [("cookie", browser.cookie.as_str())];
        self.send("GET", path, &headers, "").await
    }

    /// What comes back when that browser sends a form from a page of ours.
    pub(crate) async fn submit(
        &self,
        browser: &Browser,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let form = browser.encode(fields);
        let headers = [
            ("cookie", browser.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send("POST", path, &headers, &form).await
    }

    /// The same by a browser that goes away as soon as the form is sent.
    pub(crate) async fn submit_and_leave(
        &self,
        browser: &Browser,
        path: &str,
        fields: &[(&str, &str)],
    ) {
        let form = browser.encode(fields);
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n\r\n{form}",
            self.host(),
            browser.cookie,
            form.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
    }

    /// A call to the REST API by a script of our own pages in that browser.
    pub(crate) async fn script(
        &self,
        browser: &Browser,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> Answer {
        let mut headers = vec![
            ("cookie", browser.cookie.as_str()),
            ("x-csrf-token", browser.form_token.as_str()),
        ];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let body = body.unwrap_or_default();
        self.send(method, path, &headers, body).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.call("GET", path, token, None).await
    }

    /// A call with a token and, perhaps, a JSON body.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&str>,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("authorization", bearer.as_str())];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        self.send(method, path, &headers, body.unwrap_or_default())
            .await
    }

    pub(crate) async fn create(&self, token: &str, body: &str) -> Answer {
        self.call("POST", CREDENTIALS_PATH, token, Some(body)).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.host());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let (head, body) = sender.send_request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        answer.check(path);
        let strict = answer.header("strict-transport-security");
        let expected = if self.strict { "max-age=31536000" } else { "" };
        assert_eq!(strict, expected, "{path}");
        answer
    }
}

impl Browser {
    fn encode(&self, fields: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("form_token", &self.form_token);
        form.extend_pairs(fields).finish()
    }

    pub(crate) fn cookie(&self) -> &str {
        &self.cookie
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect(&self.body)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The status and the error code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, String) {
        let code = self.json()["errorCode"].as_str().unwrap().to_owned();
        (self.status.as_u16(), code)
    }

    /// What must hold for every answer.
    fn check(&self, path: &str) {
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{path}");
        if path.starts_with("/workspaces") {
            self.check_rest(path);
        } else {
            self.check_page(path);
        }
    }

    fn check_rest(&self, path: &str) {
        assert_eq!(self.header("cache-control"), "no-store", "{path}");
        if self.status == StatusCode::NO_CONTENT {
            assert_eq!(self.body, "", "{path}");
            return;
        }
        let is_file = path.contains("/export.") && self.status.is_success();
        let kind = self.header("content-type");
        assert!(is_file || kind == "application/json", "{path}: {kind}");
        if self.status.is_success() {
            return;
        }
        let error = self.json();
        let members: Vec<_> = error.as_object().unwrap().keys().collect();
        let family = ["httpStatusCode", "errorCode", "message", "debugId"];
        assert_eq!(members, family, "{path}");
        assert_eq!(error["httpStatusCode"], self.status.as_u16(), "{path}");
        let debug_id = error["debugId"].as_str().unwrap();
        assert!(WorkspaceId::parse(debug_id).is_ok(), "32 hex: {debug_id}");
        let challenged = matches!(self.status.as_u16(), 401 | 403);
        let challenge = self.header("www-authenticate").starts_with("Bearer realm=");
        // Whoever calls with a session needs no token: no challenge tells to bring one.
        let forged = "a change made with a session needs its form token";
        assert!(
            challenge || !challenged || self.body.contains(forged),
            "{path}: {:?}",
            self.headers
        );
    }

    fn check_page(&self, path: &str) {
        let policy = self.header("content-security-policy");
        for directive in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(directive), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(self.header("referrer-policy"), "no-referrer", "{path}");
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(self.header(name), value, "{path}: {name}");
        }
        if !path.starts_with("/assets/") {
            assert_eq!(self.header("cache-control"), "no-store", "{path}");
        }
    }
}

/// What the composition root gives the console, from the parts of the token endpoint.
fn by_hand(store: Store, seconds: Arc<AtomicI64>) -> TokenByHand {
    Arc::new(move |asked: ByHand| {
        let store = store.clone();
        let now = Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap();
        Box::pin(async move {
            let (client_id, secret) = (asked.client_id.as_str(), asked.client_secret.expose());
            if secret == TRIED_TOO_OFTEN {
                return Err(TokenError::too_many_requests(17));
            }
            let token = minted(&store, now, client_id, secret, ISSUER).await;
            token.ok_or_else(|| TokenError::invalid_client(false))
        })
    })
}

/// The steps of the token endpoint; `None` when the client does not authenticate.
async fn minted(
    store: &Store,
    now: Timestamp,
    client_id: &str,
    secret: &str,
    issuer: &str,
) -> Option<AccessToken> {
    let body =
        format!("grant_type=client_credentials&client_id={client_id}&client_secret={secret}");
    let form = Form::parse(body.as_bytes()).unwrap();
    let clients = store.client_registrations();
    let presented = PresentedCredential::read([], &form, TwoCredentials::Refused).unwrap();
    let by = Authenticator {
        find: |id: &str| clients.find(id),
        pepper: clients.pepper(),
        audiences: &[],
        longest_assertion: hallpass_oauth::client_assertion::LONGEST_LIFETIME,
    };
    let client = authenticate(&presented, &by, now).ok()?;
    let grant = Grant::authorize(&client, &TokenRequest::from_form(&form).unwrap(), None);
    let event = AuditEvent {
        source_ip: "192.0.2.44".to_owned(),
        ..AuditEvent::new(
            AuditState::Success,
            "issued",
            "test",
            now,
            &mut SystemRandom,
        )
    };
    let sequences = store.token_sequences();
    let reservation = sequences.reserve(client.registration()).unwrap();
    let issuing = Issuing {
        issuer: Issuer::parse(issuer).unwrap(),
        audience: Audience::parse(AUDIENCE).unwrap(),
        profile: Profile::Greenlake,
    };
    let id = TokenId::generate(reservation.place(), &mut SystemRandom);
    let key = store.signing_keys().active();
    let token = mint(&grant.unwrap(), Some(&id), &issuing, &key, now).unwrap();
    let issue = Issue::new(event, client.proof().clone());
    let writing = reservation.write(issue, None).unwrap();
    writing.committed().await.unwrap();
    Some(token)
}

/// What was logged so far.
pub(crate) fn logged() -> String {
    String::from_utf8(LOGGED.lock().unwrap().clone()).unwrap()
}

fn listen() {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(|| Log)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn local() -> Actor {
    Actor {
        email: "local administrator".to_owned(),
        client_id: String::new(),
        address: String::new(),
        source: "admin",
    }
}

/// A definition with what descriptions may hold.
fn book() -> Book {
    let text = "openapi: 3.0.3\ninfo: { title: Things & more, version: '1.2' }\n\
        servers: [{ url: https://elsewhere.example.com }]\npaths:\n  /things:\n    \
        get: { operationId: list things, summary: List, responses: { '200': { description: All } } }\n    \
        post:\n      operationId: makeThing\n      summary: Make a thing\n      \
        description: \"A **bold** `thing`.\\n\\n- <img src=x>\"\n      \
        requestBody: { required: true, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }\n      \
        responses: { '201': { description: Made, content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } } }\n\
        components: { schemas: { Thing: { type: object, required: [name], properties: { name: { type: string, minLength: 3 } } } } }\n";
    let definition = Arc::new(Definition::read(text).unwrap().definition);
    Book {
        guarded: Some(definition.clone()),
        definition,
        path: "/doc/things/".to_owned(),
        file: "/doc/things".to_owned(),
    }
}

fn settings() -> Settings {
    Settings {
        expectation: Expectation {
            issuers: vec![Issuer::parse(ISSUER).unwrap()],
            audience: Audience::parse(AUDIENCE).unwrap(),
            // On purpose not the platform: the console must not depend on it.
            instance: ApplicationInstanceId::parse("3c18bd03-8306-4c7c-942e-c704a4b8744c").unwrap(),
        },
        addresses: Addresses {
            console: "https://console.example.com".to_owned(),
            token_url: "https://sso.example.com/as/token.oauth2".to_owned(),
            jwks_url: "https://sso.example.com/.well-known/jwks.json".to_owned(),
            instances: [("us1".to_owned(), "https://us1.example.com".to_owned())].into(),
        },
        first_call: "/api/v1/storage-systems".to_owned(),
        definition: Arc::new(Definition::read(DEFINITION).unwrap().definition),
        neighbour: Some(Neighbour {
            title: "Beside",
            href: BESIDE,
        }),
    }
}

/// A room beside the console that lets in whom the console knows, and says who they are.
fn beside(console: Console) -> Router {
    let told = move |request: axum::extract::Request| {
        let console = console.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let typed = Secret::from(String::from_utf8(body.to_vec()).unwrap());
            let typed = Some(&typed).filter(|typed| !typed.expose().is_empty());
            match console.admit(&head, typed).await {
                Ok(guest) => Page::new("Beside", Told(guest.person.to_string()))
                    .inside(guest.frame)
                    .answer(StatusCode::OK),
                Err(why) => why.page(&head),
            }
        }
    };
    Router::new().route(BESIDE, any(told))
}

#[derive(Template)]
#[template(source = "<p id=\"told\">{{ self.0 }}</p>", ext = "html")]
struct Told(String);
