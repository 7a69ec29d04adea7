//! API credentials: a client id with a secret or registered keys, which acts for a person on one
//! application instance (domain facts, sections 3.4 and 3.6).

mod row;

use std::sync::Arc;

use hallpass_access::name::{self, BadName};
use hallpass_access::platform::WORKSPACE_UPDATE;
use hallpass_oauth::client_authentication::{ClientAuthenticationMethods, MOST_SECRETS};
use hallpass_oauth::key::JwkSetError;
use hallpass_oauth::{ApplicationInstanceId, ClientId, JwkSet, ScopeSet, Secret, WorkspaceId};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;

use crate::audit::{AuditEvent, AuditResource, AuditState, random_uuid};
use crate::people::{Actor, Person, PersonId, acted, roles_on};
use crate::projection::{LiveCredential, LivePerson};
use crate::{Store, StoreError};

pub(crate) use row::{CredentialRow, SecretRow};

/// A credential as administration sees it: no secret, no digest.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The client id.
    pub client_id: ClientId,
    /// Its name, unique for the owner.
    pub name: String,
    /// The owner.
    pub owner: PersonId,
    /// The owner's e-mail address.
    pub owner_email: String,
    /// The owner's workspace.
    pub workspace: WorkspaceId,
    /// The service and region it is for.
    pub instance: ApplicationInstanceId,
    /// Grows with each reset, and with everything else that ends its tokens.
    pub generation: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it last got a token.
    pub last_used_at: Option<Timestamp>,
    /// The address it was last used from, where that is known.
    pub last_used_from: Option<String>,
    /// When it ends, if it ever does.
    pub expires_at: Option<Timestamp>,
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether somebody else than the owner switched it off, so that the owner alone cannot switch it
    /// on again.
    pub held: bool,
    /// How long its tokens live.
    pub token_lifetime: SignedDuration,
    /// The scopes it may ask for.
    pub scopes: Option<ScopeSet>,
    /// How it authenticates.
    pub methods: ClientAuthenticationMethods,
    /// Whether it may introspect the tokens of others for its application instance.
    pub introspects: bool,
    /// Its secrets, the oldest first.
    pub secrets: Vec<SecretSummary>,
    /// The ids of its registered keys.
    pub keys: Vec<String>,
}

/// A secret in what may be shown of it.
#[derive(Debug, Clone)]
pub struct SecretSummary {
    /// Names the secret.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it ever does.
    pub expires_at: Option<Timestamp>,
    /// When it last got a token.
    pub last_used_at: Option<Timestamp>,
}

/// A credential with the secret that was just made for it: the only place where it exists in
/// clear.
#[derive(Debug)]
pub struct IssuedCredential {
    /// The credential.
    pub credential: Credential,
    /// Its secret.
    pub secret: Secret,
}

/// What a new credential may be besides its name.
#[derive(Debug, Clone, Default)]
pub struct CredentialOptions {
    /// How long its tokens live; the service's lifetime when absent.
    pub token_lifetime: Option<SignedDuration>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// The scopes it may ask for.
    pub scopes: Option<ScopeSet>,
    /// How it authenticates, where that is narrower than usual.
    pub methods: Option<ClientAuthenticationMethods>,
    /// Whether it may introspect the tokens of others for its application instance.
    pub introspects: bool,
}

/// What to change of a credential; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct CredentialChange {
    /// Whether it may be used. Disabling ends every token for good.
    pub enabled: Option<bool>,
    /// How long its tokens live; `Some(None)` goes back to the service's lifetime.
    pub token_lifetime: Option<Option<SignedDuration>>,
    /// When it ends; `Some(None)` is never.
    pub expires_at: Option<Option<Timestamp>>,
    /// The scopes it may ask for.
    pub scopes: Option<Option<ScopeSet>>,
    /// Whether it may introspect.
    pub introspects: Option<bool>,
    /// The public keys its assertions are signed with (RFC 7517 section 5). Taking one out ends every
    /// token, as a reset does.
    pub keys: Option<String>,
}

impl CredentialChange {
    /// What it has then, after the word of what was done.
    fn in_words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.token_lifetime.map(|lifetime| match lifetime {
            Some(lifetime) => format!("tokens live for {} s", lifetime.as_secs()),
            None => "tokens live as long as the service's".to_owned(),
        }));
        words.extend(self.expires_at.map(|end| match end {
            Some(end) => format!("expires {end}"),
            None => "does not expire".to_owned(),
        }));
        words.extend(self.scopes.as_ref().map(|scopes| match scopes {
            Some(scopes) => format!("scopes {scopes}"),
            None => "any scope".to_owned(),
        }));
        let introspects = |may| {
            if may {
                "may introspect"
            } else {
                "may not introspect"
            }
        };
        words.extend(self.introspects.map(|may| introspects(may).to_owned()));
        words.extend(self.keys.as_ref().map(|_| "other keys".to_owned()));
        if words.is_empty() {
            return String::new();
        }
        format!(": {}", words.join(", "))
    }
}

/// How a credential gets a new secret.
#[derive(Debug, Clone, Default)]
pub struct Renewal {
    /// How long the old secret lives on. Without it, that dies at once and every token with it.
    pub overlap: Option<SignedDuration>,
    /// The secret that the new one takes over from: the credential's newest when the renewal was
    /// decided on. Another one means that somebody was quicker, and nothing is done.
    pub instead_of: Option<String>,
}

/// How credentials stand, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialState {
    /// It may be used.
    Active,
    /// Somebody switched it off.
    Disabled,
    /// Its time is over.
    Expired,
}

/// The bounds of what credentials may be.
#[derive(Debug, Clone, Copy)]
pub struct CredentialLimits {
    /// Most that a person may have in a workspace.
    pub per_owner: usize,
    /// Longest name, in characters.
    pub longest_name: usize,
    /// Longest lifetime of tokens.
    pub longest_lifetime: SignedDuration,
    /// Longest time that an old secret may live on beside a new one.
    pub longest_overlap: SignedDuration,
    /// Whether a credential has one good token at a time.
    pub single_active: bool,
}

/// Administration of credentials.
#[derive(Clone)]
pub struct Credentials(Store, Option<Condition>);

/// What must hold for the owner when a credential is made.
type Condition = Arc<dyn Fn(&Person) -> bool + Send + Sync>;

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The owner has as many as allowed.
    #[error("You have reached the maximum of {0} personal API clients")]
    LimitReached(usize),
    /// The owner has one of that name.
    #[error("a credential named `{0}` exists")]
    NameTaken(String),
    /// The name is no name.
    #[error("the name of a credential {0}")]
    BadName(BadName),
    /// No such credential.
    #[error("there is no credential {0}")]
    Unknown(String),
    /// No such owner.
    #[error("there is no person {0}")]
    UnknownOwner(PersonId),
    /// No such instance.
    #[error("there is no application instance {0}")]
    UnknownInstance(ApplicationInstanceId),
    /// The instance takes no calls.
    #[error("the application instance {0} is switched off")]
    InstanceOff(String),
    /// The lifetime is out of bounds.
    #[error("a token lifetime is between {shortest} and {longest} seconds")]
    Lifetime {
        /// The shortest allowed, in seconds.
        shortest: i64,
        /// The longest allowed, in seconds.
        longest: i64,
    },
    /// The end lies behind.
    #[error("a credential cannot expire in the past; disable or delete it instead")]
    ExpiresInThePast,
    /// Two secrets are alive.
    #[error("the credential has two secrets already; remove one first")]
    TwoSecrets,
    /// It has another secret than whoever asked has seen.
    #[error("the credential got another secret meanwhile")]
    SecretChanged,
    /// The overlap is out of bounds.
    #[error("the old secret may live on for 1 to {0} seconds")]
    Overlap(i64),
    /// The credential authenticates with keys.
    #[error("the credential authenticates with registered keys and has no secret")]
    NoSecret,
    /// The credential authenticates with a secret.
    #[error("the credential authenticates with a secret and has no keys to replace")]
    NoKeys,
    /// No such secret.
    #[error("the credential has no secret {0}")]
    UnknownSecret(String),
    /// It is the only one.
    #[error("it is the credential's only secret; reset or delete the credential instead")]
    LastSecret,
    /// Whoever asked may not do that at the moment of the change.
    #[error("whoever makes the credential may not do that any more")]
    NotPermitted,
    /// An administrator switched it off, and the owner is none.
    #[error(
        "an administrator disabled this credential, and only an administrator enables it again"
    )]
    Held,
    /// The keys are no good.
    #[error(transparent)]
    Keys(#[from] JwkSetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CredentialError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Credential {
    /// How it stands at that time.
    pub fn state(&self, now: Timestamp) -> CredentialState {
        if !self.enabled {
            CredentialState::Disabled
        } else if self.expires_at.is_some_and(|end| end <= now) {
            CredentialState::Expired
        } else {
            CredentialState::Active
        }
    }

    /// Its secrets that can still be used at that time, the oldest first.
    pub fn living_secrets(
        &self,
        now: Timestamp,
    ) -> impl DoubleEndedIterator<Item = &SecretSummary> {
        let lives = move |secret: &&SecretSummary| secret.expires_at.is_none_or(|end| end > now);
        self.secrets.iter().filter(lives)
    }
}

/// Shortest lifetime of a token.
const SHORTEST_LIFETIME: SignedDuration = SignedDuration::from_secs(1);

impl Credentials {
    pub(crate) fn new(store: Store) -> Self {
        Self(store, None)
    }

    /// The same, making a credential only if this holds for its owner when the change is made.
    #[must_use]
    pub fn only_if(&self, holds: impl Fn(&Person) -> bool + Send + Sync + 'static) -> Self {
        Self(self.0.clone(), Some(Arc::new(holds)))
    }

    /// All credentials, or those of one owner; the oldest first.
    pub fn list(&self, owner: Option<PersonId>) -> Vec<Credential> {
        let credentials = self.0.projection.credentials.pin();
        let mut list: Vec<Credential> = credentials
            .values()
            .filter(|live| owner.is_none_or(|owner| owner == live.row.person))
            .filter_map(|live| self.view(live))
            .collect();
        list.sort_by(|a, b| {
            a.created_at
                .cmp(&b.created_at)
                .then(a.client_id.cmp(&b.client_id))
        });
        list
    }

    /// The credential of that client id.
    pub fn find(&self, client_id: &str) -> Option<Credential> {
        let live = self.0.projection.credential(client_id)?;
        self.view(&live)
    }

    /// Makes a credential. The secret is in the answer and nowhere else.
    pub async fn create(
        &self,
        owner: PersonId,
        instance: ApplicationInstanceId,
        name: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<IssuedCredential, CredentialError> {
        let options = CredentialOptions::default();
        self.create_with(owner, instance, name, options, actor, now, rng)
            .await
    }

    /// Makes a credential with options.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, what, by whom and when; grouping them would hide nothing"
    )]
    pub async fn create_with(
        &self,
        owner: PersonId,
        instance: ApplicationInstanceId,
        name: &str,
        options: CredentialOptions,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<IssuedCredential, CredentialError> {
        let (new, secret) = self.new_secret(None, now, rng);
        let mut row = self.draft(owner, instance, name, options, now, rng)?;
        row.secrets.push(new);
        let live = self.insert(row, actor, now, rng).await?;
        self.issued(&live, secret)
    }

    /// Makes a credential that has no secret and authenticates with assertions (RFC 7523), signed with
    /// one of these public keys.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, what, by whom and when; grouping them would hide nothing"
    )]
    pub async fn create_with_keys(
        &self,
        owner: PersonId,
        instance: ApplicationInstanceId,
        name: &str,
        keys: &str,
        options: CredentialOptions,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Credential, CredentialError> {
        JwkSet::read_registered(keys.as_bytes())?;
        let options = CredentialOptions {
            methods: Some(ClientAuthenticationMethods::KEY),
            ..options
        };
        let mut row = self.draft(owner, instance, name, options, now, rng)?;
        row.jwks = Some(keys.to_owned());
        let live = self.insert(row, actor, now, rng).await?;
        self.shown(&live)
    }

    /// What credentials may be.
    pub fn limits(&self) -> CredentialLimits {
        let policy = &self.0.policy;
        CredentialLimits {
            per_owner: policy.credentials_per_owner,
            longest_name: policy.longest_name,
            longest_lifetime: policy.longest_lifetime(),
            longest_overlap: policy.longest_overlap,
            single_active: policy.single_active,
        }
    }

    /// Gives a credential a new secret. The old ones and every token die at once (domain facts,
    /// section 2.4).
    pub async fn reset(
        &self,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<IssuedCredential, CredentialError> {
        self.renew(client_id, Renewal::default(), actor, now, rng)
            .await
    }

    /// Gives a credential a second secret and lets the first one live on for `overlap`, so that
    /// programs can change over one by one. Tokens stay as they are.
    pub async fn rotate(
        &self,
        client_id: &str,
        overlap: SignedDuration,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<IssuedCredential, CredentialError> {
        let renewal = Renewal {
            overlap: Some(overlap),
            instead_of: None,
        };
        self.renew(client_id, renewal, actor, now, rng).await
    }

    /// Gives a credential a new secret in either way.
    pub async fn renew(
        &self,
        client_id: &str,
        renewal: Renewal,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<IssuedCredential, CredentialError> {
        let longest = self.0.policy.longest_overlap;
        let out_of_bounds = |overlap: SignedDuration| !overlap.is_positive() || overlap > longest;
        if renewal.overlap.is_some_and(out_of_bounds) {
            return Err(CredentialError::Overlap(longest.as_secs()));
        }
        let (new, secret) = self.new_secret(None, now, rng);
        let word = match renewal.overlap {
            Some(_) => "given a second secret",
            None => "reset",
        };
        let event = self.event(word, client_id, actor, now, rng)?;
        let change = move |row: &mut CredentialRow| renewal.apply(row, new, now);
        let live = self.change_row(client_id, event, now, change).await?;
        self.issued(&live, secret)
    }

    /// Removes one of two secrets at once. Tokens stay as they are: they do not tell with which
    /// secret they were got.
    pub async fn remove_secret(
        &self,
        client_id: &str,
        secret_id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Credential, CredentialError> {
        let event = self.event("deprived of a secret", client_id, actor, now, rng)?;
        let secret_id = secret_id.to_owned();
        let change = move |row: &mut CredentialRow| {
            let known = row.secrets.iter().position(|known| known.id == secret_id);
            let known = known.ok_or(CredentialError::UnknownSecret(secret_id))?;
            row.secrets.remove(known);
            let lives = |secret: &SecretRow| secret.expires_at.is_none_or(|end| end > now);
            if !row.secrets.iter().any(lives) {
                return Err(CredentialError::LastSecret);
            }
            Ok(Effect::Keeps)
        };
        let live = self.change_row(client_id, event, now, change).await?;
        self.shown(&live)
    }

    /// Changes what a credential may do.
    pub async fn change(
        &self,
        client_id: &str,
        wanted: CredentialChange,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Credential, CredentialError> {
        if let Some(lifetime) = wanted.token_lifetime.flatten() {
            self.check_lifetime(lifetime)?;
        }
        if wanted.expires_at.flatten().is_some_and(|end| end <= now) {
            return Err(CredentialError::ExpiresInThePast);
        }
        if let Some(keys) = &wanted.keys {
            JwkSet::read_registered(keys.as_bytes())?;
        }
        let word = match wanted.enabled {
            Some(true) => "enabled",
            Some(false) => "disabled",
            None => "changed",
        };
        let mut event = self.event(word, client_id, actor, now, rng)?;
        event.message += &wanted.in_words();
        let (store, actor) = (self.0.clone(), actor.email.clone());
        let change = move |row: &mut CredentialRow| {
            if let Some(enabled) = wanted.enabled {
                row.hold(&store, enabled, &actor)?;
            }
            wanted.apply(row, now)
        };
        let live = self.change_row(client_id, event, now, change).await?;
        self.shown(&live)
    }

    /// Deletes a credential and, with it, every token.
    pub async fn delete(
        &self,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), CredentialError> {
        let event = self.event("deleted", client_id, actor, now, rng)?;
        let (store, client_id) = (self.0.clone(), client_id.to_owned());
        self.0
            .uninterrupted(async move { row::delete(&store, &client_id, event).await })
            .await
    }

    /// A new secret and its row.
    fn new_secret(
        &self,
        expires_at: Option<Timestamp>,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> (SecretRow, Secret) {
        let secret = Secret::generate_as(self.0.policy.secret_format(), rng);
        let row = SecretRow {
            id: random_uuid(rng),
            digest: self.0.pepper.digest(&secret),
            created_at: now,
            expires_at,
            last_used_at: None,
        };
        (row, secret)
    }

    /// A new credential without a way to authenticate yet.
    fn draft(
        &self,
        owner: PersonId,
        instance: ApplicationInstanceId,
        name: &str,
        options: CredentialOptions,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<CredentialRow, CredentialError> {
        let name = checked_name(name, self.0.policy.longest_name)?;
        check_instance(&self.0, &instance)?;
        if let Some(lifetime) = options.token_lifetime {
            self.check_lifetime(lifetime)?;
        }
        if options.expires_at.is_some_and(|end| end <= now) {
            return Err(CredentialError::ExpiresInThePast);
        }
        Ok(CredentialRow {
            client_id: ClientId::generate(rng),
            person: owner,
            instance,
            name,
            secrets: Vec::new(),
            generation: 1,
            watermark: 0,
            bare_token: None,
            created_at: now,
            updated_at: now,
            last_used_at: None,
            last_used_from: String::new(),
            enabled: true,
            held: false,
            expires_at: options.expires_at,
            lifetime: options.token_lifetime,
            scopes: options.scopes,
            methods: options.methods.unwrap_or_default(),
            jwks: None,
            introspects: options.introspects,
        })
    }

    fn check_lifetime(&self, lifetime: SignedDuration) -> Result<(), CredentialError> {
        let longest = self.0.policy.longest_lifetime();
        if lifetime < SHORTEST_LIFETIME || lifetime > longest {
            return Err(CredentialError::Lifetime {
                shortest: SHORTEST_LIFETIME.as_secs(),
                longest: longest.as_secs(),
            });
        }
        Ok(())
    }

    async fn insert(
        &self,
        row: CredentialRow,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<LiveCredential>, CredentialError> {
        let person = self
            .0
            .projection
            .person(row.person)
            .ok_or(CredentialError::UnknownOwner(row.person))?;
        let event = event("created", &row, &person, actor, now, rng);
        let (store, condition) = (self.0.clone(), self.1.clone());
        let inserted = async move {
            // Everything may have changed until it was this change's turn.
            check_instance(&store, &row.instance)?;
            let live = store.projection.person(row.person);
            let live = live.ok_or(CredentialError::UnknownOwner(row.person))?;
            if condition.is_some_and(|holds| !holds(&Person::from(live.as_ref()))) {
                return Err(CredentialError::NotPermitted);
            }
            row::insert(&store, row, event).await
        };
        self.0.uninterrupted(inserted).await
    }

    async fn change_row(
        &self,
        client_id: &str,
        event: AuditEvent,
        now: Timestamp,
        change: impl FnOnce(&mut CredentialRow) -> Result<Effect, CredentialError> + Send + 'static,
    ) -> Result<Arc<LiveCredential>, CredentialError> {
        let (store, client_id) = (self.0.clone(), client_id.to_owned());
        self.0
            .uninterrupted(async move { row::change(&store, &client_id, event, now, change).await })
            .await
    }

    fn event(
        &self,
        what: &str,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<AuditEvent, CredentialError> {
        let (live, person) = self.live(client_id)?;
        Ok(event(what, &live.row, &person, actor, now, rng))
    }

    fn live(
        &self,
        client_id: &str,
    ) -> Result<(Arc<LiveCredential>, Arc<LivePerson>), CredentialError> {
        let unknown = || CredentialError::Unknown(client_id.to_owned());
        let live = self
            .0
            .projection
            .credential(client_id)
            .ok_or_else(unknown)?;
        let person = self
            .0
            .projection
            .person(live.row.person)
            .ok_or_else(unknown)?;
        Ok((live, person))
    }

    fn issued(
        &self,
        live: &LiveCredential,
        secret: Secret,
    ) -> Result<IssuedCredential, CredentialError> {
        Ok(IssuedCredential {
            credential: self.shown(live)?,
            secret,
        })
    }

    fn shown(&self, live: &LiveCredential) -> Result<Credential, CredentialError> {
        // The owner may have been removed between the commit and now.
        self.view(live)
            .ok_or_else(|| CredentialError::Unknown(live.row.client_id.to_string()))
    }

    fn view(&self, live: &LiveCredential) -> Option<Credential> {
        let person = self.0.projection.person(live.row.person)?;
        let secrets = live.secrets.iter().map(|secret| SecretSummary {
            id: secret.row.id.clone(),
            created_at: secret.row.created_at,
            expires_at: secret.row.expires_at,
            last_used_at: secret.last_use.at(),
        });
        let keys = live.registration.keys.as_deref();
        Some(Credential {
            client_id: live.row.client_id.clone(),
            name: live.row.name.clone(),
            owner: live.row.person,
            owner_email: person.email.to_string(),
            workspace: person.workspace.id.clone(),
            instance: live.row.instance.clone(),
            generation: live.row.generation,
            created_at: live.row.created_at,
            updated_at: live.row.updated_at,
            last_used_at: live.last_use.at(),
            last_used_from: live.last_use.from(),
            expires_at: live.row.expires_at,
            enabled: live.row.enabled,
            held: live.row.held,
            token_lifetime: live.registration.token_lifetime,
            scopes: live.row.scopes.clone(),
            methods: live.row.methods,
            introspects: live.row.introspects,
            secrets: secrets.collect(),
            keys: keys
                .map(|keys| keys.ids().map(ToString::to_string).collect())
                .unwrap_or_default(),
        })
    }
}

/// What a change does to the tokens that are alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// They live on.
    Keeps,
    /// They all die, once the grace of a reset is over, which usually there is none of.
    Resets,
    /// They all die.
    Ends,
}

impl Renewal {
    fn apply(
        self,
        row: &mut CredentialRow,
        new: SecretRow,
        now: Timestamp,
    ) -> Result<Effect, CredentialError> {
        row.asks_for_secret()?;
        let newest = row.secrets.last().map(|known| &known.id);
        if self.instead_of.is_some() && self.instead_of.as_ref() != newest {
            return Err(CredentialError::SecretChanged);
        }
        let Some(overlap) = self.overlap else {
            row.secrets = vec![new];
            return Ok(Effect::Resets);
        };
        let end = now.checked_add(overlap).unwrap_or(Timestamp::MAX);
        row.secrets
            .retain(|known| known.expires_at.is_none_or(|end| end > now));
        if row.secrets.len() >= MOST_SECRETS {
            return Err(CredentialError::TwoSecrets);
        }
        for known in &mut row.secrets {
            known.expires_at = Some(known.expires_at.map_or(end, |known| known.min(end)));
        }
        row.secrets.push(new);
        Ok(Effect::Keeps)
    }
}

impl CredentialRow {
    /// Notes who switches a credential off, and refuses its owner to undo what an administrator did.
    /// Whoever changes a credential is of its owner's workspace, where an address names one person.
    fn hold(&mut self, store: &Store, enabled: bool, actor: &str) -> Result<(), CredentialError> {
        let owner = store.projection.person(self.person);
        let owner = owner.ok_or(CredentialError::UnknownOwner(self.person))?;
        let by_owner = owner.email.as_str() == actor;
        if !enabled {
            let earlier = !self.enabled && self.held;
            self.held = earlier || !by_owner;
            return Ok(());
        }
        let platform = ApplicationInstanceId::platform();
        let administers = || roles_on(&owner.assigned, &platform).permits(&WORKSPACE_UPDATE);
        if self.held && by_owner && !administers() {
            return Err(CredentialError::Held);
        }
        self.held = false;
        Ok(())
    }
}

impl CredentialChange {
    fn apply(self, row: &mut CredentialRow, now: Timestamp) -> Result<Effect, CredentialError> {
        let mut effect = Effect::Keeps;
        if let Some(enabled) = self.enabled {
            if row.enabled && !enabled {
                effect = Effect::Ends;
            }
            row.enabled = enabled;
        }
        if let Some(lifetime) = self.token_lifetime {
            row.lifetime = lifetime;
        }
        if let Some(expires_at) = self.expires_at {
            // The tokens that the end has ended stay dead.
            if row.expires_at.is_some_and(|end| end <= now) {
                effect = Effect::Ends;
            }
            row.expires_at = expires_at;
        }
        if let Some(scopes) = self.scopes {
            row.scopes = scopes;
        }
        if let Some(introspects) = self.introspects {
            row.introspects = introspects;
        }
        if let Some(keys) = self.keys {
            if row.jwks.is_none() {
                return Err(CredentialError::NoKeys);
            }
            // A key may be taken out because somebody else has it, and then its tokens must go too.
            let before = row.jwks.replace(keys);
            if !all_kept(before.as_deref(), row.jwks.as_deref())? {
                effect = Effect::Ends;
            }
        }
        Ok(effect)
    }
}

/// Whether no registered key is taken out.
fn all_kept(before: Option<&str>, after: Option<&str>) -> Result<bool, JwkSetError> {
    let read = |text: Option<&str>| {
        text.map_or_else(
            || Ok(JwkSet::default()),
            |text| JwkSet::read_registered(text.as_bytes()),
        )
    };
    Ok(read(after)?.keeps_all_of(&read(before)?))
}

/// Whether credentials can be made for that instance.
fn check_instance(store: &Store, instance: &ApplicationInstanceId) -> Result<(), CredentialError> {
    match store.projection.instance(instance) {
        None => Err(CredentialError::UnknownInstance(instance.clone())),
        Some(known) if !known.enabled => Err(CredentialError::InstanceOff(known.name.clone())),
        Some(_) => Ok(()),
    }
}

fn checked_name(name: &str, longest: usize) -> Result<String, CredentialError> {
    name::name(name, longest).map_err(CredentialError::BadName)
}

fn event(
    what: &str,
    row: &CredentialRow,
    owner: &Arc<LivePerson>,
    actor: &Actor,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> AuditEvent {
    let message = format!("API credential {} of {} {what}", row.name, owner.email);
    let event = AuditEvent {
        permission: if what == "deleted" {
            "workspace.delete"
        } else {
            "workspace.update"
        }
        .to_owned(),
        resource: AuditResource {
            id: row.client_id.to_string(),
            name: row.name.clone(),
            kind: "credential".to_owned(),
        },
        ..AuditEvent::new(AuditState::Success, message, actor.source, now, rng)
    };
    acted(event, actor, owner)
}
