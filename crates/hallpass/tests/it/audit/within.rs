//! The servers in this process, for what the executable cannot be asked for: a clock that is set, a
//! store that is gone, bounds that are small. Same parts, same listener, real connections.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ConnectInfo;
use hallpass_access::Role;
use hallpass_authorization_server::{AuthorizationServer, Limits, Settings};
use hallpass_oauth::client_authentication::TwoCredentials;
use hallpass_oauth::mint::Issuing;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::token_error::Wording;
use hallpass_oauth::{
    ApplicationInstanceId, Audience, Expectation, Issuer, KeySpec, Profile, Subject, WorkspaceId,
};
use hallpass_openapi::Definition;
use hallpass_resource_server::listener::{self, Kind, Site};
use hallpass_resource_server::{Faults, ResourceServer, StandInSettings, listener::serve};
use hallpass_store::audit::StoredEvent;
use hallpass_store::credentials::{CredentialChange, CredentialOptions};
use hallpass_store::{
    Actor, AuditQuery, Clock, Credential, KeyPolicy, MasterKey, Person, Policy, Store,
};
use jiff::{SignedDuration, Timestamp};
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower_service::Service as _;

use super::jwt::Key;
use super::wire::{Answer, ask};
use crate::world::ANN;

/// What a test may choose.
pub(super) struct Setup {
    pub(super) policy: Policy,
    pub(super) limits: Limits,
    pub(super) listener: listener::Limits,
}

/// The servers, their store and their clock.
pub(super) struct Within {
    pub(super) store: Store,
    pub(super) owner: Person,
    /// The authorization server.
    pub(super) base: String,
    /// The resource server of `us1`.
    pub(super) us1: String,
    pub(super) folder: tempfile::TempDir,
    clock: Arc<Mutex<Timestamp>>,
    _running: watch::Sender<bool>,
    runtime: Runtime,
}

/// A credential with its secret.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

pub(super) fn actor() -> Actor {
    Actor {
        email: "the auditor".to_owned(),
        client_id: String::new(),
        address: "192.0.2.7".to_owned(),
        source: "audit",
    }
}

impl Within {
    pub(super) fn greenlake() -> Self {
        Self::start(|_| {})
    }

    pub(super) fn rfc9068() -> Self {
        Self::start(|setup| setup.policy.profile = Profile::Rfc9068)
    }

    pub(super) fn start(choose: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup {
            // A key that is made at once; what RSA has of its own is asked of the executable.
            policy: Policy {
                keys: KeyPolicy {
                    spec: KeySpec::EcP256,
                    ..KeyPolicy::default()
                },
                ..Policy::default()
            },
            limits: Limits {
                signing_threads: NonZeroUsize::MIN,
                ..Limits::default()
            },
            listener: listener::Limits::default(),
        };
        choose(&mut setup);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let started = runtime.block_on(start(&setup, &folder));
        let Started {
            store,
            owner,
            base,
            us1,
            clock,
            running,
        } = started;
        Self {
            store,
            owner,
            base,
            us1,
            folder,
            clock,
            _running: running,
            runtime,
        }
    }

    /// Does something with the store.
    pub(super) fn run<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    pub(super) fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    pub(super) fn set(&self, now: Timestamp) {
        *self.clock.lock().unwrap() = now;
    }

    pub(super) fn wait(&self, time: SignedDuration) {
        self.set(self.now() + time);
    }

    /// What a running server does every few seconds.
    pub(super) fn maintain(&self) {
        self.run(self.store.maintain(self.now(), &mut SystemRandom))
            .unwrap();
    }

    pub(super) fn instance(&self, name: &str) -> ApplicationInstanceId {
        let instance = self.store.workspaces().find_instance(name);
        instance.unwrap().id.clone()
    }

    pub(super) fn client(&self, name: &str) -> Client {
        self.client_with("us1", name, CredentialOptions::default())
    }

    pub(super) fn client_with(
        &self,
        instance: &str,
        name: &str,
        options: CredentialOptions,
    ) -> Client {
        let issued = self.run(self.store.credentials().create_with(
            self.owner.id,
            self.instance(instance),
            name,
            options,
            &actor(),
            self.now(),
            &mut SystemRandom,
        ));
        let issued = issued.unwrap();
        Client {
            id: issued.credential.client_id.to_string(),
            secret: issued.secret.expose().to_owned(),
        }
    }

    /// A client that signs assertions with this key.
    pub(super) fn key_client(&self, name: &str, key: &Key) -> String {
        let keys = serde_json::json!({ "keys": [key.jwk] }).to_string();
        let made = self.run(self.store.credentials().create_with_keys(
            self.owner.id,
            self.instance("us1"),
            name,
            &keys,
            CredentialOptions::default(),
            &actor(),
            self.now(),
            &mut SystemRandom,
        ));
        made.unwrap().client_id.to_string()
    }

    pub(super) fn change(&self, client: &Client, change: CredentialChange) -> Credential {
        let changed = self.run(self.store.credentials().change(
            &client.id,
            change,
            &actor(),
            self.now(),
            &mut SystemRandom,
        ));
        changed.unwrap()
    }

    pub(super) fn disable(&self, client: &Client) {
        let change = CredentialChange {
            enabled: Some(false),
            ..CredentialChange::default()
        };
        assert!(!self.change(client, change).enabled);
    }

    /// A second secret, beside one that lives on for so long.
    pub(super) fn rotate(&self, client: &Client, overlap: SignedDuration) -> Client {
        let issued = self.run(self.store.credentials().rotate(
            &client.id,
            overlap,
            &actor(),
            self.now(),
            &mut SystemRandom,
        ));
        Client {
            id: client.id.clone(),
            secret: issued.unwrap().secret.expose().to_owned(),
        }
    }

    pub(super) fn ask(&self, client: &Client) -> Answer {
        ask(&self.base, &client.id, &client.secret)
    }

    /// A signing key that the test knows too, made the active one.
    pub(super) fn known_signing_key(&self) -> Key {
        let key = Key::generate(KeySpec::EcP256);
        let keys = self.store.keys();
        self.run(keys.import(&key.pem, &actor(), self.now(), &mut SystemRandom))
            .unwrap();
        self.wait(KeyPolicy::default().publish_before);
        self.maintain();
        assert_eq!(self.store.signing_keys().active().id().as_str(), key.id);
        key
    }

    /// The audit log, the oldest event first.
    pub(super) fn audit(&self) -> Vec<StoredEvent> {
        let query = AuditQuery {
            workspace: None,
            oldest_first: true,
            after: None,
            limit: 10_000,
        };
        let log = self.store.audit_log();
        self.run(async {
            log.settle().await.unwrap();
            log.read(&query).await.unwrap()
        })
    }

    pub(super) fn workspace(&self) -> WorkspaceId {
        self.owner.workspace.clone()
    }
}

struct Started {
    store: Store,
    owner: Person,
    base: String,
    us1: String,
    clock: Arc<Mutex<Timestamp>>,
    running: watch::Sender<bool>,
}

async fn start(setup: &Setup, folder: &tempfile::TempDir) -> Started {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let store = Store::open(
        &folder.path().join("hallpass.db"),
        &MasterKey::generate(&mut SystemRandom),
        setup.policy.clone(),
        now,
        &mut SystemRandom,
    )
    .await
    .unwrap();
    let rng = &mut SystemRandom;
    let workspaces = store.workspaces();
    let workspace = workspaces.create("Main", &actor(), now, rng).await.unwrap();
    let (id, email) = (&workspace.id, Subject::parse(ANN).unwrap());
    let role = Some(Role::Administrator);
    let (people, by) = (store.people(), actor());
    let owner = people.create(id, email, role, &by, now, rng).await;
    let owner = owner.unwrap();

    let hands = Arc::new(Mutex::new(now));
    let shared = hands.clone();
    let sockets = [listen().await, listen().await];
    let [base, us1] = [0, 1].map(|at| format!("http://{}", sockets[at].local_addr().unwrap()));
    let (running, stopping) = watch::channel(false);
    let mut parts = Parts {
        setup,
        store: &store,
        expectation: Expectation {
            issuers: vec![Issuer::parse(&base).unwrap()],
            audience: Audience::parse(hallpass_oauth::claims::AUDIENCE).unwrap(),
            instance: workspaces.find_instance("us1").unwrap().id.clone(),
        },
        clock: Arc::new(move || *shared.lock().unwrap()),
        registry: Registry::default(),
        stopping,
    };
    let [platform, instance] = sockets;
    parts.serve_platform(platform, &base);
    parts.serve_us1(instance, &us1);
    Started {
        store,
        owner,
        base,
        us1,
        clock: hands,
        running,
    }
}

/// What the servers are built from.
struct Parts<'a> {
    setup: &'a Setup,
    store: &'a Store,
    expectation: Expectation,
    clock: Clock,
    registry: Registry,
    stopping: watch::Receiver<bool>,
}

impl Parts<'_> {
    fn serve_platform(&mut self, socket: TcpListener, base: &str) {
        let server = AuthorizationServer::start(
            self.store.for_authorization_server(),
            settings(self.setup, &self.expectation, base),
            self.clock.clone(),
            &mut self.registry,
        );
        let router = server.unwrap().router();
        let answer = move |mut request: http::Request<listener::Body>, peer: SocketAddr| {
            let mut router = router.clone();
            request.extensions_mut().insert(ConnectInfo(peer));
            async move { router.call(request).await.unwrap() }
        };
        let metrics = listener::Metrics::new(&mut Registry::default());
        let site = Site::new("platform", Kind::AuthorizationServer, &metrics);
        let (limits, stopping) = (self.setup.listener.clone(), self.stopping.clone());
        tokio::spawn(serve(socket, site, limits, stopping, answer));
    }

    fn serve_us1(&mut self, socket: TcpListener, base: &str) {
        let text = include_str!("../../../../../api/storage-api.yaml");
        let definition = Arc::new(Definition::read(text).unwrap().definition);
        let settings = hallpass_resource_server::Settings {
            expectation: self.expectation.clone(),
            base_url: base.to_owned(),
            definition: definition.clone(),
            stand_in: StandInSettings {
                sandbox: hallpass_sandbox::Settings::default(),
                seed: 1,
                objects: 10_000,
            },
            faults: Arc::new(Faults::new(definition, true, 1, Vec::new()).unwrap()),
            audit_reads: false,
            upstream_time: Duration::from_secs(60),
        };
        let guard = Arc::new(ResourceServer::new(
            self.store.for_resource_server(),
            settings,
            self.clock.clone(),
            hallpass_resource_server::Metrics::new(&mut self.registry),
        ));
        let answer = move |request, peer| {
            let guard = guard.clone();
            async move { guard.handle(request, peer).await }
        };
        let metrics = listener::Metrics::new(&mut Registry::default());
        let site = Site::new("us1", Kind::ResourceServer, &metrics);
        let (limits, stopping) = (self.setup.listener.clone(), self.stopping.clone());
        tokio::spawn(serve(socket, site, limits, stopping, answer));
    }
}

/// As the program makes them out of its configuration.
fn settings(setup: &Setup, expectation: &Expectation, base: &str) -> Settings {
    Settings {
        issuing: Issuing {
            issuer: expectation.issuers[0].clone(),
            audience: expectation.audience.clone(),
            profile: setup.policy.profile,
        },
        issuers: expectation.issuers.clone(),
        base_url: base.to_owned(),
        wording: Wording::default(),
        two_credentials: match setup.policy.profile {
            Profile::Greenlake => TwoCredentials::ToleratedWhenEqual,
            Profile::Rfc9068 => TwoCredentials::Refused,
        },
        assertions_for_endpoint: false,
        jwks_paths: hallpass_authorization_server::JWKS_PATHS
            .map(str::to_owned)
            .to_vec(),
        jwks_max_age: MAX_AGE,
        limits: setup.limits.clone(),
    }
}

/// How long verifiers may keep the published keys.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// A listener's bound on a body that comes slowly, for tests.
pub(super) const SHORT: Duration = Duration::from_millis(300);

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
