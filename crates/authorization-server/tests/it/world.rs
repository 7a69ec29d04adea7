//! A server with its store and its clock, one person and one credential. Every answer of an endpoint
//! is checked for what must always hold, see [`crate::always`].

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, mpsc};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass_access::Role;
use hallpass_authorization_server::{
    AuthorizationServer, INTROSPECTION_PATH, Limits, REVOCATION_PATH, Settings, TOKEN_PATH,
    WORKSPACE_TOKEN_PATH,
};
use hallpass_oauth::client_authentication::TwoCredentials;
use hallpass_oauth::mint::Issuing;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::token_error::Wording;
use hallpass_oauth::{Audience, ClientId, Issuer, Profile, SigningKey, Subject};
use hallpass_store::credentials::{CredentialChange, CredentialOptions, IssuedCredential};
use hallpass_store::{
    Actor, AuditQuery, Credential, MasterKey, Person, Policy, Principal, Store, Workspace,
};
use jiff::{SignedDuration, Timestamp};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::always;
use crate::assertion::registered;
use crate::wire::{Answer, exchange};

pub(crate) const ISSUER: &str = "https://sso.example.com";
pub(crate) const OWNER: &str = "ann@example.com";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const GRANT: &str = "grant_type=client_credentials";

/// The moment at which every test begins: a whole second.
pub(crate) const BEGINNING: i64 = 1_700_000_000;

/// Where requests come from unless a test says otherwise.
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What a world is told before it begins. The defaults are the product's, in the profile
/// `greenlake`.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) policy: Policy,
    pub(crate) settings: Settings,
}

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) server: Arc<AuthorizationServer>,
    pub(crate) store: Store,
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) owner: Person,
    pub(crate) credential: IssuedCredential,
    pub(crate) registry: Registry,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) plan: Plan,
    master_key: MasterKey,
    clock: Arc<Mutex<Hands>>,
    serving: JoinHandle<()>,
}

/// The test's clock.
struct Hands {
    now: Timestamp,
    /// How far it goes on whenever somebody looks.
    step: SignedDuration,
    /// Holds up who looks at it next, or after so many looks.
    gate: Option<(usize, Gate)>,
}

struct Gate {
    reached: oneshot::Sender<()>,
    release: mpsc::Receiver<()>,
}

/// A request that is held up where it looks at the clock. Dropping this lets it go on.
pub(crate) struct HeldUp {
    reached: oneshot::Receiver<()>,
    _release: mpsc::Sender<()>,
}

impl HeldUp {
    /// Waits until the request is there.
    pub(crate) async fn reached(&mut self) {
        (&mut self.reached).await.unwrap();
    }
}

impl Hands {
    /// What the time is, and the gate that the one who looks has come to.
    fn look(&mut self) -> (Timestamp, Option<Gate>) {
        let now = self.now;
        self.now += self.step;
        let gate = self.gate.take_if(|(looks, _)| {
            *looks -= 1;
            *looks == 0
        });
        (now, gate.map(|(_, gate)| gate))
    }
}

pub(crate) fn actor() -> Actor {
    Actor {
        email: "local administrator".to_owned(),
        client_id: String::new(),
        address: String::new(),
        source: "admin",
    }
}

impl Plan {
    fn greenlake() -> Self {
        Self {
            policy: Policy::default(),
            settings: Settings {
                issuing: Issuing {
                    issuer: Issuer::parse(ISSUER).unwrap(),
                    audience: Audience::parse("external_api").unwrap(),
                    profile: Profile::Greenlake,
                },
                issuers: vec![Issuer::parse(ISSUER).unwrap()],
                base_url: ISSUER.to_owned(),
                wording: Wording::default(),
                two_credentials: TwoCredentials::default(),
                assertions_for_endpoint: false,
                jwks_paths: hallpass_authorization_server::JWKS_PATHS
                    .map(str::to_owned)
                    .to_vec(),
                jwks_max_age: SignedDuration::from_mins(5),
                limits: Limits::default(),
            },
        }
    }

    /// What the configuration makes of the other profile.
    pub(crate) fn rfc9068(&mut self) {
        self.policy.profile = Profile::Rfc9068;
        self.settings.issuing.profile = Profile::Rfc9068;
        self.settings.two_credentials = TwoCredentials::Refused;
        self.settings.wording = Wording::Rfc6749;
    }

    pub(crate) fn issuer(&mut self, issuer: &str) {
        let issuer = Issuer::parse(issuer).unwrap();
        self.settings.issuers = vec![issuer.clone()];
        self.settings.issuing.issuer = issuer;
    }
}

impl World {
    /// The profile `greenlake` with every default.
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// The profile `rfc9068`.
    pub(crate) async fn rfc9068() -> Self {
        Self::with(Plan::rfc9068).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = Plan::greenlake();
        change(&mut plan);
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_second(BEGINNING).unwrap();
        let master_key = MasterKey::generate(&mut SystemRandom);
        let store = open(&folder, &master_key, &plan, now).await;
        let workspaces = store.workspaces();
        let workspace = workspaces
            .create("Main", &actor(), now, &mut SystemRandom)
            .await
            .unwrap();
        let owner = add_person(&store, &workspace, OWNER, now).await;
        let options = CredentialOptions::default();
        let credential = add_credential(&store, &owner, "us1", "nightly", options, now).await;
        let clock = Arc::new(Mutex::new(Hands {
            now,
            step: SignedDuration::ZERO,
            gate: None,
        }));
        let mut registry = Registry::default();
        let (address, server, serving) = serve(&store, &plan, clock.clone(), &mut registry).await;
        Self {
            address,
            server,
            store,
            workspace,
            owner,
            credential,
            registry,
            folder,
            plan,
            master_key,
            clock,
            serving,
        }
    }

    /// Holds up the request that is the so-manieth to look at the clock. The runtime of the test needs
    /// a thread more for it.
    pub(crate) fn hold_up(&self, looks: usize) -> HeldUp {
        let (reached, is_reached) = oneshot::channel();
        let (release, is_released) = mpsc::channel();
        let gate = Gate {
            reached,
            release: is_released,
        };
        self.clock.lock().unwrap().gate = Some((looks, gate));
        HeldUp {
            reached: is_reached,
            _release: release,
        }
    }

    /// The same with other settings.
    pub(crate) async fn restart_with(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self.restart().await
    }

    /// Closes the store and begins anew with what is on disk.
    pub(crate) async fn restart(mut self) -> Self {
        self.serving.abort();
        self.store.close().await;
        self.registry = Registry::default();
        self.store = open(&self.folder, &self.master_key, &self.plan, self.now()).await;
        let now = self.now();
        self.store.maintain(now, &mut SystemRandom).await.unwrap();
        let clock = self.clock.clone();
        (self.address, self.server, self.serving) =
            serve(&self.store, &self.plan, clock, &mut self.registry).await;
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.lock().unwrap().now
    }

    /// Lets time go on, or back.
    pub(crate) fn wait(&self, time: SignedDuration) {
        self.clock.lock().unwrap().now += time;
    }

    /// From now on the clock goes on by so much whenever the server looks.
    pub(crate) fn step(&self, time: SignedDuration) {
        self.clock.lock().unwrap().step = time;
    }

    pub(crate) async fn credential_for(&self, instance: &str, name: &str) -> IssuedCredential {
        let options = CredentialOptions::default();
        self.credential_with(instance, name, options).await
    }

    pub(crate) async fn credential_with(
        &self,
        instance: &str,
        name: &str,
        options: CredentialOptions,
    ) -> IssuedCredential {
        add_credential(
            &self.store,
            &self.owner,
            instance,
            name,
            options,
            self.now(),
        )
        .await
    }

    /// A credential that authenticates with these keys.
    pub(crate) async fn credential_of_keys(&self, name: &str, keys: &[&SigningKey]) -> ClientId {
        let instance = self.store.workspaces().find_instance("us1").unwrap();
        self.store
            .credentials()
            .create_with_keys(
                self.owner.id,
                instance.id.clone(),
                name,
                &registered(keys),
                CredentialOptions::default(),
                &actor(),
                self.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap()
            .client_id
    }

    pub(crate) async fn change(&self, client_id: &ClientId, change: CredentialChange) {
        self.store
            .credentials()
            .change(
                client_id.as_str(),
                change,
                &actor(),
                self.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap();
    }

    pub(crate) async fn enable(&self, client_id: &ClientId, enabled: bool) {
        let change = CredentialChange {
            enabled: Some(enabled),
            ..CredentialChange::default()
        };
        self.change(client_id, change).await;
    }

    pub(crate) async fn reset(&self, client_id: &ClientId) -> IssuedCredential {
        self.store
            .credentials()
            .reset(client_id.as_str(), &actor(), self.now(), &mut SystemRandom)
            .await
            .unwrap()
    }

    pub(crate) async fn delete(&self, client_id: &ClientId) {
        self.store
            .credentials()
            .delete(client_id.as_str(), &actor(), self.now(), &mut SystemRandom)
            .await
            .unwrap();
    }

    /// A workspace; `managed` says whether the main one manages it.
    pub(crate) async fn tenant(&self, name: &str, managed: bool) -> Arc<Workspace> {
        let manager = managed.then(|| self.workspace.id.clone());
        self.store
            .workspaces()
            .create_managed(name, manager, &actor(), self.now(), &mut SystemRandom)
            .await
            .unwrap()
    }

    /// The owner of a credential at this moment, as a resource server finds them.
    pub(crate) fn principal(&self, credential: &Credential) -> Principal {
        self.store
            .principals()
            .find(&credential.client_id, &credential.instance, self.now())
            .unwrap()
    }

    /// Any request at all.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.send_from(HERE, method, target, headers, body).await
    }

    async fn send_from(
        &self,
        source: IpAddr,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        request.push_str("\r\n");
        request.push_str(body);
        exchange(source, self.address, request.as_bytes()).await
    }

    /// A request to an endpoint that clients authenticate at.
    pub(crate) async fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.ask_from(HERE, method, target, headers, body).await
    }

    pub(crate) async fn ask_from(
        &self,
        source: IpAddr,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let answer = self.send_from(source, method, target, headers, body).await;
        let asked = always::Asked {
            target,
            body,
            with_header: headers.iter().any(|(name, _)| *name == "Authorization"),
            wording: self.plan.settings.wording,
        };
        always::check(&answer, &asked);
        answer
    }

    /// A form for any endpoint.
    pub(crate) async fn post(&self, target: &str, body: &str) -> Answer {
        self.ask("POST", target, &[("Content-Type", FORM)], body)
            .await
    }

    /// A form for the classic endpoint.
    pub(crate) async fn form(&self, body: &str) -> Answer {
        self.post(TOKEN_PATH, body).await
    }

    /// A form for the classic endpoint from another address.
    pub(crate) async fn form_from(&self, source: IpAddr, body: &str) -> Answer {
        let headers = [("Content-Type", FORM)];
        self.ask_from(source, "POST", TOKEN_PATH, &headers, body)
            .await
    }

    /// A form for the classic endpoint, with an Authorization header.
    pub(crate) async fn with_header(&self, authorization: &str, body: &str) -> Answer {
        let headers = [("Content-Type", FORM), ("Authorization", authorization)];
        self.ask("POST", TOKEN_PATH, &headers, body).await
    }

    /// The form that every client may send.
    pub(crate) fn good_form(&self) -> String {
        form_of(&self.credential)
    }

    /// A token of the first credential.
    pub(crate) async fn token(&self) -> String {
        self.token_of(&self.credential).await
    }

    pub(crate) async fn token_of(&self, credential: &IssuedCredential) -> String {
        self.form(&form_of(credential)).await.token()
    }

    /// What the introspection endpoint tells the asker about a token.
    pub(crate) async fn introspect(&self, asker: &IssuedCredential, token: &str) -> Answer {
        let body = format!("token={token}&{}", pair_of(asker));
        let answer = self.post(INTROSPECTION_PATH, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    /// Whether a token of the first credential is good, by its own word.
    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let answer = self.introspect(&self.credential, token).await;
        answer.json()["active"].as_bool().unwrap()
    }

    pub(crate) async fn revoke(&self, asker: &IssuedCredential, token: &str) -> Answer {
        let body = format!("token={token}&{}", pair_of(asker));
        self.post(REVOCATION_PATH, &body).await
    }

    /// Exchanges a token at a workspace's endpoint, without client authentication.
    pub(crate) async fn exchange(&self, workspace: &str, subject_token: &str) -> Answer {
        self.post(&workspace_path(workspace), &exchange_form(subject_token))
            .await
    }

    pub(crate) async fn audit(&self) -> Vec<hallpass_store::audit::StoredEvent> {
        let query = AuditQuery {
            workspace: None,
            oldest_first: true,
            after: None,
            limit: 1000,
        };
        self.store.audit_log().settle().await.unwrap();
        self.store.audit_log().read(&query).await.unwrap()
    }

    /// The metrics as they are read.
    pub(crate) fn metrics(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        text
    }
}

pub(crate) fn workspace_path(id: &str) -> String {
    WORKSPACE_TOKEN_PATH.replace("{workspaceId}", id)
}

/// The credential as it stands in a form.
pub(crate) fn pair_of(credential: &IssuedCredential) -> String {
    format!(
        "client_id={}&client_secret={}",
        credential.credential.client_id,
        credential.secret.expose()
    )
}

pub(crate) fn form_of(credential: &IssuedCredential) -> String {
    format!("{GRANT}&{}", pair_of(credential))
}

pub(crate) fn exchange_form(subject_token: &str) -> String {
    format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={subject_token}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
    )
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

pub(crate) fn basic_of(credential: &IssuedCredential) -> String {
    basic(
        credential.credential.client_id.as_str(),
        credential.secret.expose(),
    )
}

/// Header and claims of a token, as they stand.
pub(crate) fn parts(token: &str) -> (String, String) {
    let text = |part: Option<&str>| {
        String::from_utf8(URL_SAFE_NO_PAD.decode(part.unwrap()).unwrap()).unwrap()
    };
    let mut parts = token.split('.');
    (text(parts.next()), text(parts.next()))
}

pub(crate) fn claims(token: &str) -> Value {
    serde_json::from_str(&parts(token).1).unwrap()
}

pub(crate) fn header(token: &str) -> Value {
    serde_json::from_str(&parts(token).0).unwrap()
}

/// The token with its last character changed: still canonical base64url, and of another signature.
pub(crate) fn forged(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    *signature.last_mut().unwrap() ^= 1;
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn open(
    folder: &tempfile::TempDir,
    master_key: &MasterKey,
    plan: &Plan,
    now: Timestamp,
) -> Store {
    let path = folder.path().join("hallpass.db");
    let policy = plan.policy.clone();
    Store::open(&path, master_key, policy, now, &mut SystemRandom)
        .await
        .unwrap()
}

pub(crate) async fn add_person(
    store: &Store,
    workspace: &Workspace,
    email: &str,
    now: Timestamp,
) -> Person {
    store
        .people()
        .create(
            &workspace.id,
            Subject::parse(email).unwrap(),
            Some(Role::Operator),
            &actor(),
            now,
            &mut SystemRandom,
        )
        .await
        .unwrap()
}

pub(crate) async fn add_credential(
    store: &Store,
    owner: &Person,
    instance: &str,
    name: &str,
    options: CredentialOptions,
    now: Timestamp,
) -> IssuedCredential {
    let instance = store.workspaces().find_instance(instance).unwrap();
    store
        .credentials()
        .create_with(
            owner.id,
            instance.id.clone(),
            name,
            options,
            &actor(),
            now,
            &mut SystemRandom,
        )
        .await
        .unwrap()
}

async fn serve(
    store: &Store,
    plan: &Plan,
    clock: Arc<Mutex<Hands>>,
    registry: &mut Registry,
) -> (SocketAddr, Arc<AuthorizationServer>, JoinHandle<()>) {
    let clock = Arc::new(move || {
        let (now, gate) = clock.lock().unwrap().look();
        if let Some(Gate { reached, release }) = gate {
            reached.send(()).unwrap();
            // Ends when the other half is dropped.
            let _ = release.recv();
        }
        now
    });
    let settings = plan.settings.clone();
    let handles = store.for_authorization_server();
    let server = AuthorizationServer::start(handles, settings, clock, registry).unwrap();
    let listener = tokio::net::TcpListener::bind((HERE, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = server
        .clone()
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (address, server, serving)
}
