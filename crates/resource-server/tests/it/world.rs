//! A guard with its store and its clock, and clients of people with all sorts of roles. Every
//! answer is checked for what must always hold.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use hallpass_access::Role;
use hallpass_oauth::claims::Profile;
use hallpass_oauth::client_authentication::{Authenticator, TwoCredentials, authenticate};
use hallpass_oauth::form::Form;
use hallpass_oauth::mint::{Issuing, mint};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{
    Audience, ClientId, Expectation, Grant, Issuer, PresentedCredential, Secret, Subject, TokenId,
    TokenRequest, WorkspaceId,
};
use hallpass_openapi::Definition;
use hallpass_resource_server::listener::{self, Kind, Limits, Site, serve};
use hallpass_resource_server::{Faults, Metrics, ResourceServer, Settings, StandInSettings};
use hallpass_store::audit::StoredEvent;
use hallpass_store::{
    Actor, AuditEvent, AuditQuery, AuditState, Issue, MasterKey, Person, Policy, Store, Workspace,
};
use jiff::{SignedDuration, Timestamp};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::wire::{Answer, exchange, parse};

pub(crate) const ISSUER: &str = "https://sso.example.com";

/// Most objects of a state.
pub(crate) const OBJECTS: usize = 5_000;

/// What the seed's objects are called; the examples of the definition.
const SYSTEM: &str = "2M2042059T";
pub(crate) const POOL: &str = "SSD_r6";

/// The project's own definition.
pub(crate) fn definition() -> Arc<Definition> {
    static DEFINITION: OnceLock<Arc<Definition>> = OnceLock::new();
    let read = || {
        let text = include_str!("../../../../api/storage-api.yaml");
        Arc::new(Definition::read(text).unwrap().definition)
    };
    DEFINITION.get_or_init(read).clone()
}

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) server: Arc<ResourceServer>,
    pub(crate) registry: Registry,
    pub(crate) faults: Arc<Faults>,
    /// The workspace that people are in unless a test says otherwise.
    pub(crate) workspace: Arc<Workspace>,
    folder: tempfile::TempDir,
    master_key: String,
    clock: Arc<Mutex<Timestamp>>,
    _running: watch::Sender<bool>,
}

/// A credential of somebody.
pub(crate) struct Client {
    pub(crate) owner: Person,
    pub(crate) id: ClientId,
    secret: Secret,
}

pub(crate) fn actor() -> Actor {
    Actor {
        email: "local administrator".to_owned(),
        client_id: String::new(),
        address: String::new(),
        source: "admin",
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let master_key = MasterKey::generate(&mut SystemRandom).to_text().to_string();
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        Self::open(tempfile::tempdir().unwrap(), master_key, now).await
    }

    /// What a new process finds when this one is killed now: the files as they are, nothing closed
    /// and nothing flushed.
    pub(crate) async fn killed(&self) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for file in ["hallpass.db", "hallpass.db-wal"] {
            std::fs::copy(self.folder.path().join(file), copy.path().join(file)).unwrap();
        }
        Self::open(copy, self.master_key.clone(), self.now()).await
    }

    async fn open(folder: tempfile::TempDir, master_key: String, now: Timestamp) -> Self {
        let store = open_store(folder.path(), &master_key, now).await;
        let workspaces = store.workspaces();
        let known = workspaces.list().first().cloned();
        let workspace = match known {
            Some(workspace) => workspace,
            None => workspaces
                .create("Main", &actor(), now, &mut SystemRandom)
                .await
                .unwrap(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clock = Arc::new(Mutex::new(now));
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let base_url = format!("http://{address}");
        let faults = Arc::new(Faults::new(definition(), true, 1, Vec::new()).unwrap());
        let server = Arc::new(server(&store, &base_url, clock.clone(), metrics, &faults));
        let (running, shutdown) = watch::channel(false);
        let guard = server.clone();
        let site = Site::new(
            "us1",
            Kind::ResourceServer,
            &listener::Metrics::new(&mut registry),
        );
        tokio::spawn(serve(
            listener,
            site,
            Limits::default(),
            shutdown,
            move |request, peer| {
                let guard = guard.clone();
                async move { guard.handle(request, peer).await }
            },
        ));
        Self {
            address,
            store,
            server,
            registry,
            faults,
            workspace,
            folder,
            master_key,
            clock,
            _running: running,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    pub(crate) fn wait(&self, time: SignedDuration) {
        *self.clock.lock().unwrap() += time;
    }

    /// A client of a new person with that role, for the instance that the guard is.
    pub(crate) async fn client(&self, name: &str, role: impl Into<Option<Role>>) -> Client {
        let owner = self.person(name, &self.workspace.id, role.into()).await;
        self.credential(owner, "us1").await
    }

    /// The same in another workspace, which is made for it.
    pub(crate) async fn stranger(&self, name: &str, role: Role) -> Client {
        let workspaces = self.store.workspaces();
        let workspace = workspaces
            .create(name, &actor(), self.now(), &mut SystemRandom)
            .await
            .unwrap();
        let owner = self.person(name, &workspace.id, Some(role)).await;
        self.credential(owner, "us1").await
    }

    async fn person(&self, name: &str, workspace: &WorkspaceId, role: Option<Role>) -> Person {
        let email = Subject::parse(&format!("{name}@example.com")).unwrap();
        let people = self.store.people();
        people
            .create(
                workspace,
                email,
                role,
                &actor(),
                self.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap()
    }

    /// One more credential of a person.
    pub(crate) async fn credential(&self, owner: Person, instance: &str) -> Client {
        let credentials = self.store.credentials();
        let name = format!("c{}", credentials.list(Some(owner.id)).len());
        let instance = self.store.workspaces().find_instance(instance).unwrap();
        let issued = credentials
            .create(
                owner.id,
                instance.id.clone(),
                &name,
                &actor(),
                self.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap();
        Client {
            owner,
            id: issued.credential.client_id,
            secret: issued.secret,
        }
    }

    /// A token, in the steps of the token endpoint.
    pub(crate) async fn mint(&self, client: &Client) -> String {
        self.mint_as(client, Profile::Greenlake).await
    }

    pub(crate) async fn mint_as(&self, client: &Client, profile: Profile) -> String {
        let body = format!(
            "client_id={}&client_secret={}",
            client.id,
            client.secret.expose()
        );
        let form = Form::parse(body.as_bytes()).unwrap();
        let presented = PresentedCredential::read([], &form, TwoCredentials::Refused).unwrap();
        let clients = self.store.client_registrations();
        let by = Authenticator {
            find: |id: &str| clients.find(id),
            pepper: clients.pepper(),
            audiences: &[],
            longest_assertion: hallpass_oauth::client_assertion::LONGEST_LIFETIME,
        };
        let client = authenticate(&presented, &by, self.now()).unwrap();
        let request = TokenRequest::client_credentials(None);
        let grant = Grant::authorize(&client, &request, None).unwrap();
        let (now, rng) = (self.now(), &mut SystemRandom);
        let event = AuditEvent::new(AuditState::Success, "issued", "test", now, rng);
        let sequences = self.store.token_sequences();
        let reservation = sequences.reserve(client.registration()).unwrap();
        let id = TokenId::generate(reservation.place(), rng);
        let key = self.store.signing_keys().active();
        let token = mint(&grant, Some(&id), &issuing(profile), &key, now).unwrap();
        let issue = Issue::new(event.per_minute("issued"), client.proof().clone());
        let writing = reservation.write(issue, None).unwrap();
        writing.committed().await.unwrap();
        token.expose().to_owned()
    }

    /// A token of a new person with that role.
    pub(crate) async fn token(&self, name: &str, role: impl Into<Option<Role>>) -> String {
        let client = self.client(name, role).await;
        self.mint(&client).await
    }

    pub(crate) async fn get(&self, target: &str, token: &str) -> Answer {
        self.call("GET", target, Some(token), None).await
    }

    pub(crate) async fn post(&self, target: &str, token: &str, body: &Value) -> Answer {
        self.call("POST", target, Some(token), Some(body)).await
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        target: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        let fields = authorization.unwrap_or_default();
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send(method, target, &fields, &body).await
    }

    /// Any request with a Host header and a length.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        fields: &str,
        body: &str,
    ) -> Answer {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Length: {}\r\n{fields}\r\n{body}",
            self.address,
            body.len()
        );
        let answer = parse(&exchange(self.address, request.as_bytes()).await);
        check(&answer, method);
        answer
    }

    /// Starts a volume and gives the task.
    pub(crate) async fn start_volume(&self, token: &str, name: &str) -> String {
        let body = serde_json::json!({"name": name, "sizeMib": 16384, "userCpg": POOL});
        let target = format!("/api/v1/storage-systems/device-type1/{SYSTEM}/volumes");
        let answer = self.post(&target, token, &body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.json()["taskUri"].as_str().unwrap().to_owned()
    }

    /// The volumes of that name, as the fleet sees them.
    pub(crate) async fn volumes(&self, token: &str, name: &str) -> Vec<Value> {
        let target = format!("/api/v1/volumes?filter=name%20eq%20{name}");
        let answer = self.get(&target, token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["items"].as_array().unwrap().clone()
    }

    /// The whole audit log, of all workspaces and of none.
    pub(crate) async fn audit(&self) -> Vec<StoredEvent> {
        let query = AuditQuery {
            workspace: None,
            oldest_first: true,
            after: None,
            limit: 10_000,
        };
        self.store.audit_log().settle().await.unwrap();
        self.store.audit_log().read(&query).await.unwrap()
    }
}

async fn open_store(folder: &Path, master_key: &str, now: Timestamp) -> Store {
    let path = folder.join("hallpass.db");
    let key = MasterKey::parse(master_key).unwrap();
    Store::open(&path, &key, Policy::default(), now, &mut SystemRandom)
        .await
        .unwrap()
}

fn issuing(profile: Profile) -> Issuing {
    Issuing {
        issuer: Issuer::parse(ISSUER).unwrap(),
        audience: Audience::parse("external_api").unwrap(),
        profile,
    }
}

fn server(
    store: &Store,
    base_url: &str,
    clock: Arc<Mutex<Timestamp>>,
    metrics: Metrics,
    faults: &Arc<Faults>,
) -> ResourceServer {
    let instance = store.workspaces().find_instance("us1").unwrap();
    let issuing = issuing(Profile::Greenlake);
    let settings = Settings {
        expectation: Expectation {
            issuers: vec![issuing.issuer],
            audience: issuing.audience,
            instance: instance.id.clone(),
        },
        base_url: base_url.to_owned(),
        definition: definition(),
        stand_in: StandInSettings {
            sandbox: hallpass_sandbox::Settings::default(),
            seed: 1,
            objects: OBJECTS,
        },
        faults: faults.clone(),
        audit_reads: false,
        upstream_time: std::time::Duration::from_secs(60),
    };
    let clock = Arc::new(move || *clock.lock().unwrap());
    ResourceServer::new(store.for_resource_server(), settings, clock, metrics)
}

/// What holds for every answer: an id, JSON unless there is no body, a tag on whatever may be asked for
/// again and no place in any cache for the rest, a challenge with every 401 and 403 (RFC 6750 section 3),
/// and errors with the members of domain facts, section 6.4.
pub(crate) fn check(answer: &Answer, method: &str) {
    let bare = matches!(answer.status, 204 | 304);
    let kind = (!bare).then_some("application/json");
    assert_eq!(answer.header("content-type"), kind);
    let saved = answer.body.starts_with("{\"format\"");
    let read = !saved && matches!((method, answer.status), ("GET" | "HEAD", 200 | 304));
    assert_eq!(answer.header("etag").is_some(), read);
    let kept = if read {
        "private, no-cache"
    } else {
        "no-store"
    };
    assert_eq!(answer.header("cache-control"), Some(kept));
    let id = answer.header("x-request-id").unwrap();
    let challenge = answer.header("www-authenticate");
    match answer.status {
        401 | 403 => assert!(challenge.unwrap().starts_with("Bearer realm=\"api\"")),
        400 => {}
        _ => assert_eq!(challenge, None),
    }
    let allows = matches!(answer.status, 204 | 405);
    assert_eq!(answer.header("allow").is_some(), allows);
    assert_eq!(answer.header("retry-after").is_some(), answer.status == 503);
    if method == "HEAD" || bare {
        assert_eq!(answer.body, "");
        return;
    }
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    if answer.status >= 400 {
        let (error, code, trace) = (text("error"), text("errorCode"), text("traceId"));
        assert!(!error.is_empty(), "{body}");
        assert!(
            code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'),
            "{body}"
        );
        assert!(!code.is_empty() && trace == id && id.len() == 32, "{body}");
    }
}
