//! The live picture of everything that a request depends on and that can change: credentials,
//! owners, roles, keys and watermarks. Reads take no lock; only `store` writes, after its commit.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use hallpass_access::Roles;
use hallpass_oauth::client_authentication::RegisteredSecret;
use hallpass_oauth::{
    ApplicationInstanceId, ClientRegistration, JwkSet, Profile, ScopeSet, Subject, WorkspaceId,
};
use jiff::Timestamp;
use papaya::HashMap;

use crate::credentials::{CredentialRow, SecretRow};
use crate::database::{Database, nanoseconds, timestamp};
use crate::directory::Directory;
use crate::instances::ApplicationInstance;
use crate::keys::{KeyRing, KeyRow};
use crate::people::{PersonError, PersonId, PersonRow, roles_on};
use crate::roles::{AssignedRole, RoleId, RoleKey, WorkspaceRole};
use crate::sequence::Sequence;
use crate::spent::Spent;
use crate::workspaces::Workspace;
use crate::{MasterKey, Policy, StoreError};

pub(crate) struct Projection {
    pub(crate) credentials: HashMap<String, Arc<LiveCredential>>,
    pub(crate) people: HashMap<PersonId, Arc<LivePerson>>,
    pub(crate) roles: HashMap<RoleId, Arc<WorkspaceRole>>,
    pub(crate) directory: ArcSwap<Directory>,
    pub(crate) keys: ArcSwap<KeyRing>,
    pub(crate) spent: Arc<Spent>,
}

/// A credential as it stands now.
pub(crate) struct LiveCredential {
    pub(crate) row: CredentialRow,
    pub(crate) registration: Arc<ClientRegistration>,
    pub(crate) last_use: Arc<LastUse>,
    pub(crate) secrets: Vec<LiveSecret>,
    /// Shared by all versions of the credential's entry.
    pub(crate) sequence: Arc<Sequence>,
}

/// A secret of a credential as it stands now.
pub(crate) struct LiveSecret {
    pub(crate) row: SecretRow,
    pub(crate) last_use: Arc<LastUse>,
}

/// When something was last used, and from where: exact in memory, and on disk not older than a minute,
/// so that no token costs a row.
#[derive(Default)]
pub(crate) struct LastUse {
    seen: AtomicI64,
    written: AtomicI64,
    /// An address as text. It is kept as long as the same one goes on: nothing is allocated then.
    from: Mutex<String>,
}

/// How much older than the truth the disk may be, in nanoseconds.
const WRITE_USE_EVERY: i64 = 60 * 1_000_000_000;

impl LastUse {
    pub(crate) fn new(at: Option<Timestamp>, from: &str) -> Self {
        let at = at.map_or(0, nanoseconds);
        Self {
            seen: AtomicI64::new(at),
            written: AtomicI64::new(at),
            from: Mutex::new(from.to_owned()),
        }
    }

    /// Notes a use; says whether it is time to write it down.
    pub(crate) fn note(&self, now: Timestamp, from: &str) -> bool {
        {
            let mut known = self.from.lock().unwrap_or_else(PoisonError::into_inner);
            if *known != from {
                from.clone_into(&mut known);
            }
        }
        let now = nanoseconds(now);
        self.seen.fetch_max(now, Ordering::AcqRel);
        let written = self.written.load(Ordering::Acquire);
        now - written >= WRITE_USE_EVERY
            && self
                .written
                .compare_exchange(written, now, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    pub(crate) fn at(&self) -> Option<Timestamp> {
        match self.seen.load(Ordering::Acquire) {
            0 => None,
            at => Some(timestamp(at)),
        }
    }

    /// The address of the last use, where it is known.
    pub(crate) fn from(&self) -> Option<String> {
        let known = self.from.lock().unwrap_or_else(PoisonError::into_inner);
        Some(known.clone()).filter(|from| !from.is_empty())
    }
}

/// A person as they stand now.
#[derive(Clone)]
pub(crate) struct LivePerson {
    pub(crate) id: PersonId,
    pub(crate) email: Subject,
    pub(crate) workspace: Arc<Workspace>,
    /// Whether they may do anything.
    pub(crate) enabled: bool,
    /// Roles by instance; `None` holds everywhere.
    pub(crate) assigned: Vec<(Option<ApplicationInstanceId>, AssignedRole)>,
    /// What they are where a role is assigned for that instance alone, and then everywhere else: put
    /// together once, since every call asks.
    by_instance: Vec<(ApplicationInstanceId, Roles)>,
    elsewhere: Roles,
}

impl LivePerson {
    fn new(
        row: &PersonRow,
        workspace: Arc<Workspace>,
        assigned: Vec<(Option<ApplicationInstanceId>, AssignedRole)>,
    ) -> Self {
        let mut by_instance: Vec<(ApplicationInstanceId, Roles)> = Vec::new();
        for instance in assigned
            .iter()
            .filter_map(|(instance, _)| instance.as_ref())
        {
            if !by_instance.iter().any(|(known, _)| known == instance) {
                by_instance.push((instance.clone(), roles_on(&assigned, instance)));
            }
        }
        let everywhere: Vec<_> = assigned
            .iter()
            .filter(|(instance, _)| instance.is_none())
            .cloned()
            .collect();
        Self {
            id: row.id,
            email: row.email.clone(),
            workspace,
            enabled: row.enabled,
            elsewhere: roles_on(&everywhere, &ApplicationInstanceId::platform()),
            assigned,
            by_instance,
        }
    }

    pub(crate) fn roles_on(&self, instance: &ApplicationInstanceId) -> Roles {
        let here = self.by_instance.iter().find(|(known, _)| known == instance);
        here.map_or(&self.elsewhere, |(_, roles)| roles).clone()
    }
}

impl Projection {
    pub(crate) async fn load(
        database: &Database,
        master_key: &MasterKey,
        policy: &Policy,
    ) -> Result<Self, StoreError> {
        let directory = Directory::load(database).await?;
        let projection = Self {
            credentials: HashMap::new(),
            people: HashMap::new(),
            roles: HashMap::new(),
            directory: ArcSwap::from_pointee(directory),
            keys: ArcSwap::from_pointee(KeyRing::open(
                KeyRow::load_all(database).await?,
                master_key,
                None,
            )?),
            spent: Arc::new(Spent::load(database).await?),
        };
        for role in WorkspaceRole::load_all(database).await? {
            projection.roles.pin().insert(role.id, Arc::new(role));
        }
        for person in PersonRow::load_all(database).await? {
            projection.put_person(&person)?;
        }
        for row in CredentialRow::load_all(database).await? {
            let sequence = Arc::new(Sequence::new(&row, policy.grace));
            projection.put_credential(row, sequence, policy)?;
        }
        Ok(projection)
    }

    pub(crate) fn put_person(&self, row: &PersonRow) -> Result<Arc<LivePerson>, StoreError> {
        let directory = self.directory.load();
        let workspace =
            directory
                .workspace(&row.workspace)
                .ok_or_else(|| StoreError::Unreadable {
                    what: "workspace",
                    value: row.workspace.to_string(),
                })?;
        let assigned = row.roles.iter().map(|(instance, key)| {
            let role = self.assigned_role(&row.workspace, *key);
            let role = role.map_err(|_| StoreError::Unreadable {
                what: "role",
                value: key.to_string(),
            })?;
            Ok((instance.clone(), role))
        });
        let assigned = assigned.collect::<Result<_, StoreError>>()?;
        let person = Arc::new(LivePerson::new(row, workspace.clone(), assigned));
        self.people.pin().insert(row.id, person.clone());
        Ok(person)
    }

    pub(crate) fn put_credential(
        &self,
        row: CredentialRow,
        sequence: Arc<Sequence>,
        policy: &Policy,
    ) -> Result<Arc<LiveCredential>, StoreError> {
        let person =
            self.people
                .pin()
                .get(&row.person)
                .cloned()
                .ok_or_else(|| StoreError::Unreadable {
                    what: "owner",
                    value: row.person.to_string(),
                })?;
        let registration = Arc::new(registration(&row, &person, policy)?);
        let before = self.credential(row.client_id.as_str());
        let secrets = row.secrets.iter().map(|secret| {
            let known = before.iter().flat_map(|live| &live.secrets);
            let known = known
                .filter(|live| live.row.id == secret.id)
                .map(|live| live.last_use.clone())
                .next();
            LiveSecret {
                row: secret.clone(),
                last_use: known.unwrap_or_else(|| Arc::new(LastUse::new(secret.last_used_at, ""))),
            }
        });
        let secrets = secrets.collect();
        let last_use = before.as_ref().map_or_else(
            || Arc::new(LastUse::new(row.last_used_at, &row.last_used_from)),
            |live| live.last_use.clone(),
        );
        let live = Arc::new(LiveCredential {
            row,
            registration,
            last_use,
            secrets,
            sequence,
        });
        self.credentials
            .pin()
            .insert(live.row.client_id.to_string(), live.clone());
        Ok(live)
    }

    pub(crate) fn credential(&self, client_id: &str) -> Option<Arc<LiveCredential>> {
        self.credentials.pin().get(client_id).cloned()
    }

    pub(crate) fn person(&self, id: PersonId) -> Option<Arc<LivePerson>> {
        self.people.pin().get(&id).cloned()
    }

    /// The role of that key, for people of that workspace.
    pub(crate) fn assigned_role(
        &self,
        workspace: &WorkspaceId,
        key: RoleKey,
    ) -> Result<AssignedRole, PersonError> {
        let id = match key {
            RoleKey::BuiltIn(role) => return Ok(AssignedRole::BuiltIn(role)),
            RoleKey::Custom(id) => id,
        };
        let known = self.roles.pin().get(&id).cloned();
        known
            .filter(|role| role.workspace == *workspace)
            .map(AssignedRole::Custom)
            .ok_or_else(|| PersonError::UnknownRole(id.to_string()))
    }

    pub(crate) fn instance(&self, id: &ApplicationInstanceId) -> Option<Arc<ApplicationInstance>> {
        self.directory.load().instance(id).cloned()
    }
}

/// A credential as the token endpoint sees it.
fn registration(
    row: &CredentialRow,
    person: &LivePerson,
    policy: &Policy,
) -> Result<ClientRegistration, StoreError> {
    let keys = row
        .jwks
        .as_deref()
        .map(|text| JwkSet::read_registered(text.as_bytes()));
    let keys = keys.transpose().map_err(|_| StoreError::Unreadable {
        what: "registered key set",
        value: row.client_id.to_string(),
    })?;
    Ok(ClientRegistration {
        client_id: row.client_id.clone(),
        secrets: row
            .secrets
            .iter()
            .map(|secret| RegisteredSecret {
                id: secret.id.clone(),
                digest: secret.digest.clone(),
                expires_at: secret.expires_at,
            })
            .collect(),
        keys: keys.map(Arc::new),
        methods: row.methods,
        // Somebody who is disabled gets no tokens, whatever their credentials are.
        enabled: row.enabled && person.enabled,
        expires_at: row.expires_at,
        generation: row.generation,
        subject: person.email.clone(),
        workspace: person.workspace.id.clone(),
        customer: person.workspace.customer.clone(),
        instance: row.instance.clone(),
        token_lifetime: row
            .lifetime
            .unwrap_or_else(|| policy.lifetime_of(&row.instance))
            // The limit may be lower than when the credential was made, and keys are kept for no
            // longer than the limit.
            .min(policy.longest_lifetime()),
        scopes: match policy.profile {
            // The scope of a client without scopes is empty there, so that asking for any is refused
            // (RFC 6749 section 3.3).
            Profile::Rfc9068 => Some(row.scopes.clone().unwrap_or_default()),
            Profile::Greenlake => row
                .scopes
                .clone()
                .filter(|scopes: &ScopeSet| !scopes.is_empty()),
        },
        introspects: row.introspects,
    })
}

impl Projection {
    /// The workspace of that id.
    pub(crate) fn workspace(&self, id: &WorkspaceId) -> Option<Arc<Workspace>> {
        self.directory.load().workspace(id).cloned()
    }
}
