//! A store in a folder of its own, and the steps of the token endpoint and of a verifier on it.

use std::path::Path;

use hallpass_access::Role;
use hallpass_oauth::claims::AUDIENCE;
use hallpass_oauth::client_authentication::{
    AuthenticatedClient, AuthenticationFailure, Authenticator, TwoCredentials, authenticate,
};
use hallpass_oauth::form::Form;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::mint::{Issuing, mint};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::{SignedToken, TokenRefusal, check};
use hallpass_oauth::{
    ApplicationInstanceId, Audience, ClientRegistration, Expectation, Grant, Issuer,
    PresentedCredential, Profile, Secret, Subject, TokenId, TokenRequest,
};
use hallpass_store::audit::{AuditEvent, AuditQuery, AuditState};
use hallpass_store::credentials::{CredentialError, CredentialOptions, IssuedCredential};
use hallpass_store::{
    Actor, Issue, MasterKey, Person, Policy, SequenceError, Store, StoreError, VerifiedCaller,
};
use jiff::{SignedDuration, Timestamp};
use sqlx::ConnectOptions as _;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteConnectOptions;

pub(crate) const ISSUER: &str = "https://sso.example.com";

type Client = AuthenticatedClient<std::sync::Arc<ClientRegistration>>;

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) master_key: String,
    pub(crate) store: Store,
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor {
        email: "local administrator".to_owned(),
        client_id: String::new(),
        address: String::new(),
        source: "admin",
    }
}

/// That many seconds after [`now`].
pub(crate) fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

pub(crate) async fn open(
    folder: &Path,
    master_key: &str,
    policy: Policy,
) -> Result<Store, StoreError> {
    open_at(folder, master_key, policy, now()).await
}

pub(crate) async fn open_at(
    folder: &Path,
    master_key: &str,
    policy: Policy,
    now: Timestamp,
) -> Result<Store, StoreError> {
    let key = MasterKey::parse(master_key).unwrap();
    let path = folder.join("hallpass.db");
    Store::open(&path, &key, policy, now, &mut SystemRandom).await
}

/// The database file itself, for what no handle tells.
pub(crate) async fn database(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("hallpass.db"));
    options.connect().await.unwrap()
}

/// How a client presents that secret.
pub(crate) fn form_of(client_id: &str, secret: &Secret) -> String {
    format!(
        "client_id={client_id}&client_secret={}&grant_type=client_credentials",
        secret.expose()
    )
}

pub(crate) fn issuing(profile: Profile) -> Issuing {
    Issuing {
        issuer: Issuer::parse(ISSUER).unwrap(),
        audience: Audience::parse(AUDIENCE).unwrap(),
        profile,
    }
}

impl World {
    pub(crate) async fn new(policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master_key = MasterKey::generate(&mut SystemRandom).to_text().to_string();
        let store = open(folder.path(), &master_key, policy).await.unwrap();
        Self {
            folder,
            master_key,
            store,
        }
    }

    pub(crate) async fn reopen(self, policy: Policy) -> Self {
        self.reopen_at(policy, now()).await
    }

    pub(crate) async fn reopen_at(self, policy: Policy, now: Timestamp) -> Self {
        self.store.close().await;
        let store = open_at(self.folder.path(), &self.master_key, policy, now)
            .await
            .unwrap();
        // As a server does when it starts.
        store.maintain(now, &mut SystemRandom).await.unwrap();
        Self { store, ..self }
    }

    /// A credential with options, of a new person of that name.
    pub(crate) async fn credential_with(
        &self,
        name: &str,
        options: CredentialOptions,
    ) -> IssuedCredential {
        let owner = self.person(&format!("{name}@example.com")).await;
        let (credentials, us1) = (self.store.credentials(), self.us1());
        credentials
            .create_with(
                owner.id,
                us1,
                name,
                options,
                &actor(),
                now(),
                &mut SystemRandom,
            )
            .await
            .unwrap()
    }

    pub(crate) fn authenticate(
        &self,
        form: &str,
        now: Timestamp,
    ) -> Result<Client, AuthenticationFailure> {
        let form = Form::parse(form.as_bytes()).unwrap();
        let presented = PresentedCredential::read([], &form, TwoCredentials::Refused).unwrap();
        let clients = self.store.client_registrations();
        let by = Authenticator {
            find: |id: &str| clients.find(id),
            pepper: clients.pepper(),
            audiences: &[ISSUER],
            longest_assertion: hallpass_oauth::client_assertion::LONGEST_LIFETIME,
        };
        authenticate(&presented, &by, now)
    }

    /// A token, in the steps of the token endpoint.
    pub(crate) async fn token(&self, client: &Client, now: Timestamp) -> String {
        self.try_token(client, now).await.unwrap()
    }

    pub(crate) async fn try_token(
        &self,
        client: &Client,
        now: Timestamp,
    ) -> Result<String, SequenceError> {
        let request = TokenRequest::client_credentials(None);
        let grant = Grant::authorize(client, &request, None).unwrap();
        let sequences = self.store.token_sequences();
        let reservation = sequences.reserve(client.registration())?;
        let id = TokenId::generate(reservation.place(), &mut SystemRandom);
        let id = (!sequences.awaits_fingerprint()).then_some(&id);
        let key = self.store.signing_keys().active();
        let token = mint(&grant, id, &issuing(Profile::Greenlake), &key, now).unwrap();
        let fingerprint = sequences.awaits_fingerprint().then(|| token.fingerprint());
        let event = AuditEvent::new(
            AuditState::Success,
            "issued",
            "test",
            now,
            &mut SystemRandom,
        );
        let issue = Issue::new(event.per_minute("issued"), client.proof().clone());
        let writing = reservation.write(issue, fingerprint)?;
        writing.committed().await?;
        Ok(token.expose().to_owned())
    }

    /// A token for whoever has that secret.
    pub(crate) async fn token_of(&self, issued: &IssuedCredential, now: Timestamp) -> String {
        let form = form_of(issued.credential.client_id.as_str(), &issued.secret);
        let client = self.authenticate(&form, now).unwrap();
        self.token(&client, now).await
    }

    pub(crate) fn expectation(&self) -> Expectation {
        Expectation {
            issuers: vec![Issuer::parse(ISSUER).unwrap()],
            audience: Audience::parse(AUDIENCE).unwrap(),
            instance: self.us1(),
        }
    }

    pub(crate) fn signed(&self, token: &str, now: Timestamp) -> Result<SignedToken, TokenRefusal> {
        let keys = self.store.published_keys().current();
        let unverified = UnverifiedToken::parse(token)?;
        check(&unverified, &keys, &self.expectation(), now)
    }

    /// What a resource server says about a token.
    pub(crate) fn verify(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<VerifiedCaller, TokenRefusal> {
        let signed = self.signed(token, now)?;
        let keys = self.store.published_keys().current();
        let principals = self.store.principals();
        principals.verify(&signed, &keys, &self.expectation(), now)
    }

    /// The reason why a token is no good at that time.
    pub(crate) fn refusal(&self, token: &str, now: Timestamp) -> Option<TokenRefusal> {
        self.verify(token, now).err()
    }

    pub(crate) async fn person(&self, email: &str) -> Person {
        let workspaces = self.store.workspaces();
        let workspace = match workspaces.list().first() {
            Some(workspace) => workspace.clone(),
            None => workspaces
                .create("Main", &actor(), now(), &mut SystemRandom)
                .await
                .unwrap(),
        };
        let email = Subject::parse(email).unwrap();
        let people = self.store.people();
        let role = Some(Role::Operator);
        people
            .create(
                &workspace.id,
                email,
                role,
                &actor(),
                now(),
                &mut SystemRandom,
            )
            .await
            .unwrap()
    }

    pub(crate) async fn credential(
        &self,
        owner: &Person,
        name: &str,
    ) -> Result<IssuedCredential, CredentialError> {
        let instance = self.us1();
        let credentials = self.store.credentials();
        credentials
            .create(owner.id, instance, name, &actor(), now(), &mut SystemRandom)
            .await
    }

    pub(crate) fn us1(&self) -> ApplicationInstanceId {
        self.store
            .workspaces()
            .find_instance("us1")
            .unwrap()
            .id
            .clone()
    }

    pub(crate) async fn mint(&self, client_id: &str) -> Result<u64, SequenceError> {
        let client = self.store.client_registrations().find(client_id).unwrap();
        let event = AuditEvent::new(
            AuditState::Success,
            "issued",
            "test",
            now(),
            &mut SystemRandom,
        )
        .per_minute("issued");
        let reservation = self.store.token_sequences().reserve(&client)?;
        let place = reservation.place();
        reservation.write(event, None)?.committed().await?;
        Ok(place)
    }

    pub(crate) fn live_from(&self, issued: &IssuedCredential) -> u64 {
        let client_id = &issued.credential.client_id;
        self.store
            .principals()
            .find(client_id, &self.us1(), now())
            .unwrap()
            .standing
            .live_from
    }

    pub(crate) async fn messages(&self) -> Vec<(String, u64)> {
        let query = AuditQuery {
            workspace: None,
            oldest_first: true,
            after: None,
            limit: 100,
        };
        self.store.audit_log().settle().await.unwrap();
        let events = self.store.audit_log().read(&query).await.unwrap();
        events
            .into_iter()
            .map(|stored| (stored.event.message, stored.event.count))
            .collect()
    }
}
