//! A server with its store and its clock, one person and one credential. Every answer of the token
//! endpoint is checked for what must always hold.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass_access::Role;
use hallpass_authorization_server::{AuthorizationServer, Metrics, TOKEN_PATH};
use hallpass_oauth::mint::Issuing;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{Audience, Issuer, Subject};
use hallpass_store::credentials::IssuedCredential;
use hallpass_store::{Actor, AuditQuery, MasterKey, Person, Policy, Store, Workspace};
use jiff::{SignedDuration, Timestamp};
use prometheus_client::registry::Registry;
use serde_json::Value;

use crate::wire::{Answer, exchange};

pub(crate) const ISSUER: &str = "https://sso.example.com";
pub(crate) const OWNER: &str = "ann@example.com";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The moment at which every test begins: a whole second.
pub(crate) const BEGINNING: i64 = 1_700_000_000;

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) owner: Person,
    pub(crate) credential: IssuedCredential,
    pub(crate) registry: Registry,
    pub(crate) folder: tempfile::TempDir,
    clock: Arc<Mutex<Hands>>,
}

/// The test's clock.
struct Hands {
    now: Timestamp,
    /// How far it goes on whenever somebody looks.
    step: SignedDuration,
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
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_second(BEGINNING).unwrap();
        let store = Store::open(
            &folder.path().join("hallpass.db"),
            &MasterKey::generate(&mut SystemRandom),
            Policy::default(),
            now,
            &mut SystemRandom,
        )
        .await
        .unwrap();
        let workspaces = store.workspaces();
        let workspace = workspaces
            .create("Main", &actor(), now, &mut SystemRandom)
            .await
            .unwrap();
        let owner = store
            .people()
            .create(
                &workspace.id,
                Subject::parse(OWNER).unwrap(),
                Some(Role::Operator),
                &actor(),
                now,
                &mut SystemRandom,
            )
            .await
            .unwrap();
        let credential = create_credential(&store, &owner, "us1", "nightly", now).await;
        let step = SignedDuration::ZERO;
        let clock = Arc::new(Mutex::new(Hands { now, step }));
        let mut registry = Registry::default();
        let address = serve(&store, clock.clone(), Metrics::new(&mut registry)).await;
        Self {
            address,
            store,
            workspace,
            owner,
            credential,
            registry,
            folder,
            clock,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.lock().unwrap().now
    }

    pub(crate) fn wait(&self, time: SignedDuration) {
        self.clock.lock().unwrap().now += time;
    }

    /// From now on the clock goes on by so much whenever the server looks.
    pub(crate) fn step(&self, time: SignedDuration) {
        self.clock.lock().unwrap().step = time;
    }

    pub(crate) async fn credential_for(&self, instance: &str, name: &str) -> IssuedCredential {
        create_credential(&self.store, &self.owner, instance, name, self.now()).await
    }

    /// Any request at all.
    pub(crate) async fn send(
        &self,
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
        exchange(self.address, request.as_bytes()).await
    }

    /// A request to a token endpoint.
    pub(crate) async fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let answer = self.send(method, target, headers, body).await;
        let with_header = headers.iter().any(|(name, _)| *name == "Authorization");
        check(&answer, with_header);
        answer
    }

    /// A form for the classic endpoint.
    pub(crate) async fn form(&self, body: &str) -> Answer {
        self.ask("POST", TOKEN_PATH, &[("Content-Type", FORM)], body)
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
}

pub(crate) fn form_of(credential: &IssuedCredential) -> String {
    format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        credential.credential.client_id,
        credential.secret.expose()
    )
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// Header and claims of the token in an answer, as they stand.
pub(crate) fn parts(answer: &Answer) -> (String, String) {
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let text = |part: Option<&str>| {
        String::from_utf8(URL_SAFE_NO_PAD.decode(part.unwrap()).unwrap()).unwrap()
    };
    let mut parts = token.split('.');
    (text(parts.next()), text(parts.next()))
}

async fn create_credential(
    store: &Store,
    owner: &Person,
    instance: &str,
    name: &str,
    now: Timestamp,
) -> IssuedCredential {
    let instance = store.workspaces().find_instance(instance).unwrap();
    store
        .credentials()
        .create(
            owner.id,
            instance.id.clone(),
            name,
            &actor(),
            now,
            &mut SystemRandom,
        )
        .await
        .unwrap()
}

async fn serve(store: &Store, clock: Arc<Mutex<Hands>>, metrics: Metrics) -> SocketAddr {
    let issuing = Issuing {
        issuer: Issuer::parse(ISSUER).unwrap(),
        audience: Audience::parse("external_api").unwrap(),
    };
    let clock = Arc::new(move || {
        let mut hands = clock.lock().unwrap();
        let Hands { now, step } = *hands;
        hands.now += step;
        now
    });
    let router =
        AuthorizationServer::new(store.for_authorization_server(), issuing, clock, metrics)
            .router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// What holds for every answer of a token endpoint (RFC 6749 sections 5.1 and 5.2).
fn check(answer: &Answer, with_header: bool) {
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let body = answer.json();
    let members: Vec<&str> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    if answer.status == 200 {
        assert_eq!(members, ["access_token", "token_type", "expires_in"]);
        return;
    }
    assert_eq!(members, ["error_description", "error"]);
    let error = body["error"].as_str().unwrap();
    let status = match error {
        "invalid_client" => 401,
        "temporarily_unavailable" => 503,
        "invalid_request" if answer.status == 405 => 405,
        "invalid_request" | "unauthorized_client" | "unsupported_grant_type" => 400,
        other => panic!("{other} is no code of RFC 6749"),
    };
    assert_eq!(answer.status, status, "{error}");
    assert_eq!(
        answer.header("www-authenticate").is_some(),
        status == 401 && with_header,
        "a challenge answers an Authorization header"
    );
    check_description(&body["error_description"]);
}

/// RFC 6749 section 5.2: visible ASCII and blanks, without quotes and backslashes.
fn check_description(description: &Value) {
    let text = description.as_str().unwrap();
    let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    assert!(!text.is_empty() && text.chars().all(allowed), "{text}");
}
