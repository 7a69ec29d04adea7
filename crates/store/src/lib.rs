//! Everything that lasts, and the live picture of it.
//!
//! This crate holds the only SQL of the project. A write commits first and then changes the
//! [`projection`], before it returns; both servers read the projection through narrow
//! handles and nobody else caches a fact that can change. That is why a reset secret, a changed
//! role or a deleted credential acts on the very next request.
//!
//! | Handle | Who holds it | What it can do |
//! | --- | --- | --- |
//! | [`ClientRegistrations`], [`TokenSequences`], [`SigningKeys`], [`Revocations`] | the token path | look a client up, take a place in its token sequence, sign, revoke a token |
//! | [`PublishedKeys`], [`Principals`] | whoever verifies tokens | public keys; how a credential stands and what its owner may do |
//! | [`AuditLog`] | every server | write and read audit events |
//! | [`SandboxJournals`] | the resource server | keep the stand-in's accepted changes |
//! | [`Instances`] | the resource server | what answers behind an application instance |
//! | [`Credentials`], [`People`], [`Workspaces`], [`Keys`] | console and command line | administration |
//! | [`Sessions`] | the console | who is signed in |
//! | [`Credentials`], [`People`], [`CustomRoles`], [`Workspaces`], [`Keys`] | console and command line | administration |
//! | [`Sessions`], [`Passwords`], [`SecondFactors`], [`SetupLinks`] | the console | who is signed in, and what they show for it |
//! | [`ExplorerDocuments`] | the explorer's drawer | what a person keeps there |
//!
//! The resource server gets none that can name a client secret or a private key.

pub mod audit;
pub mod credentials;
mod database;
mod directory;
pub mod explorer_documents;
mod handles;
pub mod instances;
mod journal;
pub mod keys;
pub mod master_key;
mod passwords;
pub mod people;
mod principals;
mod projection;
pub mod roles;
pub mod second_factor;
mod sequence;
pub mod sessions;
mod setup_links;
mod spent;
mod tokens;
pub mod workspaces;
mod writer;

use std::path::Path;
use std::sync::Arc;

use hallpass_oauth::key::KeyError;
use hallpass_oauth::{ApplicationInstanceId, Issuer, Pepper, Profile, SecretFormat};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;

pub use audit::{AuditEvent, AuditLog, AuditQuery, AuditState};
pub use credentials::{Credential, Credentials};
pub use explorer_documents::ExplorerDocuments;
pub use handles::{AuthorizationServerHandles, ConsoleHandles, ResourceServerHandles};
pub use instances::{ApplicationInstance, Instances};
pub use journal::{JournalEntry, ListedSandbox, SandboxJournals, StoredSandbox};
pub use keys::{JwksDocument, KeyPolicy, Keys, PublishedKeys, SigningKeys};
pub use master_key::MasterKey;
pub use passwords::Passwords;
pub use people::{Actor, People, Person, PersonId};
pub use principals::{Principal, Principals, VerifiedCaller};
pub use roles::CustomRoles;
pub use second_factor::SecondFactors;
pub use sessions::{Session, Sessions};
pub use setup_links::{SetupLinks, StartLink};
pub use spent::Revocations;
pub use tokens::{
    ClientRegistrations, Issue, ProjectionSizes, Reservation, SequenceError, TokenSequences,
    Writing,
};
pub use workspaces::{Workspace, Workspaces};

use audit::Tally;
use database::Database;
use projection::Projection;
use writer::{Write, Writer};

/// Gives the time. Servers read it once per request and hand it down.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The open store. Cheap to share; hands out the handles.
#[derive(Clone)]
pub struct Store {
    database: Database,
    projection: Arc<Projection>,
    writer: Writer,
    tally: Arc<Tally>,
    pepper: Arc<Pepper>,
    /// For sealing new signing keys.
    master_key: Arc<MasterKey>,
    policy: Arc<Policy>,
    /// Taken by every administrative change, so that checking and writing are one step.
    changes: Arc<tokio::sync::Mutex<()>>,
    snapshot_turns: journal::SnapshotTurns,
    instance_servers: Arc<std::sync::OnceLock<Arc<dyn instances::InstanceServers>>>,
}

/// Settings that the store enforces.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Which claims tokens carry.
    pub profile: Profile,
    /// Whether minting a token ends the credential's earlier ones (domain facts, section 2.4).
    pub single_active: bool,
    /// How long a token that another one superseded stays good.
    pub grace: SignedDuration,
    /// How long tokens stay good after a reset (domain facts, section 10, question 9).
    pub reset_grace: SignedDuration,
    /// Whether tokens carry a `jti`. Without it they are known by their hash, which takes the
    /// single-active rule: [`Self::single_active`] must be set.
    pub jti: bool,
    /// Lifetime of tokens for a service.
    pub token_lifetime: SignedDuration,
    /// Lifetime of tokens for the platform itself.
    pub platform_token_lifetime: SignedDuration,
    /// Longest lifetime that a credential's tokens may be given.
    pub longest_token_lifetime: SignedDuration,
    /// Most credentials a person may have in a workspace (domain facts, section 3.4).
    pub credentials_per_owner: usize,
    /// Longest name of a credential, in characters (domain facts, section 10, question 3).
    pub longest_name: usize,
    /// Longest time that an old secret may live on beside a new one.
    pub longest_overlap: SignedDuration,
    /// Signing keys.
    pub keys: KeyPolicy,
    /// How long audit events are kept.
    pub audit_retention: SignedDuration,
    /// How long a session of the console lasts without a request.
    pub session_idle: SignedDuration,
    /// How long a session of the console lasts at most.
    pub longest_session: SignedDuration,
}

impl Policy {
    fn longest_lifetime(&self) -> SignedDuration {
        self.token_lifetime
            .max(self.platform_token_lifetime)
            .max(self.longest_token_lifetime)
    }

    fn lifetime_of(&self, instance: &ApplicationInstanceId) -> SignedDuration {
        if *instance == ApplicationInstanceId::platform() {
            self.platform_token_lifetime
        } else {
            self.token_lifetime
        }
    }

    /// Secrets look like the real system's where the tokens do.
    fn secret_format(&self) -> SecretFormat {
        match self.profile {
            Profile::Greenlake => SecretFormat::Greenlake,
            Profile::Rfc9068 => SecretFormat::Prefixed,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            profile: Profile::Greenlake,
            single_active: true,
            grace: SignedDuration::ZERO,
            reset_grace: SignedDuration::ZERO,
            jti: true,
            token_lifetime: SignedDuration::from_mins(120),
            platform_token_lifetime: SignedDuration::from_mins(15),
            longest_token_lifetime: SignedDuration::from_mins(120),
            credentials_per_owner: 7,
            longest_name: 64,
            longest_overlap: SignedDuration::from_hours(24 * 30),
            keys: KeyPolicy::default(),
            audit_retention: SignedDuration::from_hours(24 * 400),
            session_idle: sessions::IDLE_TIME,
            longest_session: sessions::LONGEST_SESSION,
        }
    }
}

/// The store failed; whoever called is not to blame.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database could not be opened, read or written.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database schema could not be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The key material could not be used.
    #[error("the signing keys could not be used")]
    Key(#[from] KeyError),
    /// A signing key does not open under the master key.
    #[error(
        "the signing keys do not open with this master key; start with the master.key that belongs to this data directory"
    )]
    WrongMasterKey,
    /// What the database holds is not what this version writes.
    #[error("the database holds a {what} that this version cannot read: {value}")]
    Unreadable {
        /// The column or kind of value.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// More writes wait than the store takes on.
    #[error("the store is overloaded")]
    Overloaded,
    /// The store is shutting down, or its last group of writes failed.
    #[error("the write was not made: {0}")]
    NotWritten(String),
}

impl Store {
    /// Opens the database file, makes what is missing (schema, the first signing key, the four
    /// application instances) and loads the projection.
    pub async fn open(
        path: &Path,
        master_key: &MasterKey,
        policy: Policy,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Self, StoreError> {
        let database = Database::open(path).await?;
        directory::ensure_instances(&database, now, rng).await?;
        let longest = policy.longest_lifetime();
        keys::ensure_active(&database, master_key, policy.keys.spec, longest, now, rng).await?;
        keys::raise_lifetimes(&database, longest).await?;
        let projection = Arc::new(Projection::load(&database, master_key, &policy).await?);
        let writer = Writer::start(database.clone(), policy.audit_retention);
        let tally = Tally::start(writer.clone());
        Ok(Self {
            database,
            projection,
            writer,
            tally,
            pepper: Arc::new(master_key.pepper()),
            master_key: Arc::new(master_key.duplicate()),
            policy: Arc::new(policy),
            changes: Arc::default(),
            snapshot_turns: Arc::default(),
            instance_servers: Arc::default(),
        })
    }

    /// Does what the clock asks for: keys change their state, what has ended is forgotten. A server
    /// calls it when it starts, and every few seconds; a command that only opens the store does not, since
    /// it may not know the server's settings.
    pub async fn maintain(
        &self,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), StoreError> {
        self.keys()
            .advance(now, rng)
            .await
            .map_err(|error| match error {
                keys::KeysError::Store(error) => error,
                keys::KeysError::Key(error) => error.into(),
                other => StoreError::NotWritten(other.to_string()),
            })?;
        if self.writer.health().check().is_err() {
            // Nobody may come to try, as long as this server says that it is not ready.
            self.writer
                .submit(vec![Write::Probe(now)])?
                .committed()
                .await?;
        }
        spent::forget_old(&self.database, &self.projection, now).await
    }

    /// Waits until all accepted writes are on disk and closes the database.
    pub async fn close(&self) {
        // An administrative change under way comes to its end first.
        let _turn = self.changes.lock().await;
        let _ = self.tally.flush(&self.writer).await;
        self.writer.finish().await;
        self.database.close().await;
    }

    /// Whether the database answers, and the last writes came to their end in time. Costs the writer
    /// nothing: anybody may ask.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.writer.health().check()?;
        sqlx::query("SELECT 1")
            .execute(self.database.reader())
            .await?;
        Ok(())
    }

    /// Notes that tokens carry one of `issuers` from now on and gives every name that a token still
    /// alive may carry, those first.
    pub async fn use_issuers(
        &self,
        issuers: &[Issuer],
        now: Timestamp,
    ) -> Result<Vec<Issuer>, StoreError> {
        keys::use_issuers(&self.database, issuers, self.policy.longest_lifetime(), now).await
    }

    /// Clients as the token endpoint sees them.
    pub fn client_registrations(&self) -> ClientRegistrations {
        ClientRegistrations::new(self)
    }

    /// Places in the token sequences.
    pub fn token_sequences(&self) -> TokenSequences {
        TokenSequences::new(self)
    }

    /// The key that signs.
    pub fn signing_keys(&self) -> SigningKeys {
        SigningKeys::new(self.projection.clone())
    }

    /// The keys that verify.
    pub fn published_keys(&self) -> PublishedKeys {
        PublishedKeys::new(self.projection.clone())
    }

    /// Administration of signing keys.
    pub fn keys(&self) -> Keys {
        Keys::new(self.clone())
    }

    /// Revocation of single tokens.
    pub fn revocations(&self) -> Revocations {
        Revocations::new(self.projection.clone(), self.writer.clone())
    }

    /// Credentials and their owners as a resource server sees them.
    pub fn principals(&self) -> Principals {
        Principals::new(self.projection.clone())
    }

    /// The audit log.
    pub fn audit_log(&self) -> AuditLog {
        AuditLog::new(
            self.database.clone(),
            self.writer.clone(),
            self.tally.clone(),
        )
    }

    /// What the stand-in keeps.
    pub fn sandbox_journals(&self) -> SandboxJournals {
        SandboxJournals::new(
            self.database.clone(),
            self.writer.clone(),
            self.snapshot_turns.clone(),
        )
    }

    /// Application instances as a resource server sees them.
    pub fn instances(&self) -> Instances {
        Instances::new(self.projection.clone())
    }

    /// Administration of credentials.
    pub fn credentials(&self) -> Credentials {
        Credentials::new(self.clone())
    }

    /// Administration of people and their roles.
    pub fn people(&self) -> People {
        People::new(self.clone())
    }

    /// Administration of the roles that administrators make.
    pub fn custom_roles(&self) -> CustomRoles {
        CustomRoles::new(self.clone())
    }

    /// One-time links for new people.
    pub fn setup_links(&self) -> SetupLinks {
        SetupLinks::new(self.clone())
    }

    /// Hashes of passwords.
    pub fn passwords(&self) -> Passwords {
        Passwords::new(self.clone())
    }

    /// What shows a second time who somebody is.
    pub fn second_factors(&self) -> SecondFactors {
        SecondFactors::new(self.clone())
    }

    /// People signed in at the console.
    pub fn sessions(&self) -> Sessions {
        Sessions::new(self.clone())
    }

    /// What people keep in the explorer.
    pub fn explorer_documents(&self) -> ExplorerDocuments {
        ExplorerDocuments::new(self.clone())
    }

    /// Workspaces and application instances.
    pub fn workspaces(&self) -> Workspaces {
        Workspaces::new(self.clone())
    }

    /// Runs an administrative change to its end, one at a time, even if whoever asked goes away:
    /// a change that was committed and did not reach the projection would be unseen until the
    /// next start.
    pub(crate) async fn uninterrupted<T, E>(
        &self,
        change: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let turn = self.changes.clone().lock_owned().await;
        let task = tokio::spawn(async move {
            let _turn = turn;
            change.await
        });
        task.await
            .unwrap_or_else(|error| Err(StoreError::NotWritten(error.to_string()).into()))
    }
}
