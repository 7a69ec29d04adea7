//! The roles that the administrators of a workspace make, and how a person's roles are named.
//!
//! What a role permits is `hallpass_access`'s matter. A change puts everybody who has the role into the
//! projection anew, before it returns: it acts on the next request.

use std::fmt;
use std::sync::Arc;

use hallpass_access::{CustomRole, Permission, PermissionSet, Role};
use hallpass_oauth::WorkspaceId;
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::{Row, SqliteConnection};

use crate::audit::{AuditEvent, AuditResource, AuditRow, AuditState, random_uuid};
use crate::database::{Database, nanoseconds, read, timestamp};
use crate::people::{PersonError, PersonRow, giver};
use crate::{Actor, PersonId, Store, StoreError};

/// Names a role of a workspace; a version-4 UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoleId(uuid::Uuid);

/// Names a role that a person can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoleKey {
    /// One that is built in.
    BuiltIn(Role),
    /// One of the workspace.
    Custom(RoleId),
}

/// A role of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRole {
    /// The role's id.
    pub id: RoleId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// What it is.
    pub role: Arc<CustomRole>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A role that a person has. Displayed as its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignedRole {
    /// One that is built in.
    BuiltIn(Role),
    /// One of the workspace.
    Custom(Arc<WorkspaceRole>),
}

/// Administration of the roles of workspaces.
#[derive(Clone)]
pub struct CustomRoles {
    store: Store,
    /// Who changes them; nobody is limited where nobody is named.
    giver: Option<PersonId>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// The workspace has one of that name.
    #[error("a role named `{0}` exists in this workspace")]
    NameTaken(String),
    /// No such role in the workspace.
    #[error("there is no role {0}")]
    Unknown(String),
    /// No such workspace.
    #[error("there is no workspace {0}")]
    UnknownWorkspace(WorkspaceId),
    /// People have it.
    #[error(
        "the role {name} is assigned to {people} {}; take it away first",
        if *people == 1 { "person" } else { "people" }
    )]
    Assigned {
        /// The role.
        name: String,
        /// How many.
        people: usize,
    },
    /// People have it, and would get what whoever changes it does not have.
    #[error("people have this role, and nobody can give what they do not have themselves: {0}")]
    Beyond(PermissionSet),
    /// People have it who may do what whoever takes something from it may not.
    #[error(
        "people have this role who may do more than whoever changes it, and nobody takes anything from them: {0}"
    )]
    Above(PermissionSet),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for RoleError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl CustomRoles {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, giver: None }
    }

    /// The same, refusing to give anybody what this person does not have, and to take anything from
    /// somebody who has more than they.
    #[must_use]
    pub fn given_by(&self, person: PersonId) -> Self {
        Self {
            store: self.store.clone(),
            giver: Some(person),
        }
    }

    /// The roles of a workspace, by name.
    pub fn list(&self, workspace: &WorkspaceId) -> Vec<Arc<WorkspaceRole>> {
        let roles = self.store.projection.roles.pin();
        let mut list: Vec<_> = roles
            .values()
            .filter(|known| known.workspace == *workspace)
            .cloned()
            .collect();
        list.sort_by_cached_key(|known| (known.role.name().to_lowercase(), known.id));
        list
    }

    /// The role of that id in that workspace.
    pub fn get(&self, id: RoleId, workspace: &WorkspaceId) -> Option<Arc<WorkspaceRole>> {
        let known = self.store.projection.roles.pin().get(&id).cloned();
        known.filter(|role| role.workspace == *workspace)
    }

    /// The role of that name or id in that workspace: one that is built in, or one of its own.
    pub fn find(&self, word: &str, workspace: &WorkspaceId) -> Option<AssignedRole> {
        if let Ok(role) = word.to_ascii_lowercase().parse() {
            return Some(AssignedRole::BuiltIn(role));
        }
        let mut known = self.list(workspace).into_iter();
        known
            .find(|known| is_named(known, word) || known.id.to_string() == word)
            .map(AssignedRole::Custom)
    }

    /// Who has a role.
    pub fn holders(&self, role: RoleKey, workspace: &WorkspaceId) -> Vec<PersonId> {
        let people = self.store.projection.people.pin();
        let of_workspace = people.values().filter(|one| one.workspace.id == *workspace);
        of_workspace
            .filter(|one| one.assigned.iter().any(|(_, known)| known.key() == role))
            .map(|one| one.id)
            .collect()
    }

    /// Makes a role.
    pub async fn create(
        &self,
        workspace: &WorkspaceId,
        role: CustomRole,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<WorkspaceRole>, RoleError> {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        let made = WorkspaceRole {
            id: RoleId(uuid::Builder::from_random_bytes(bytes).into_uuid()),
            workspace: workspace.clone(),
            role: Arc::new(role),
            created_at: now,
            updated_at: now,
        };
        let event = said(&made, "created", actor, now, rng);
        let store = self.store.clone();
        self.store
            .uninterrupted(async move { insert(&store, made, event).await })
            .await
    }

    /// Changes a role; it acts on the next call of everybody who has it.
    pub async fn change(
        &self,
        id: RoleId,
        workspace: &WorkspaceId,
        role: CustomRole,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<WorkspaceRole>, RoleError> {
        let roles = self.clone();
        let workspace = workspace.clone();
        let (event_id, actor) = (random_uuid(rng), actor.clone());
        let changed = async move {
            let known = roles.get(id, &workspace);
            let known = known.ok_or_else(|| RoleError::Unknown(id.to_string()))?;
            roles.keep_within_giver(&known, &role)?;
            let taken = known.role.permissions().without(role.permissions());
            if !taken.is_empty() {
                roles.keep_those_above(&known)?;
            }
            let changed = WorkspaceRole {
                role: Arc::new(role),
                updated_at: now,
                ..known.as_ref().clone()
            };
            let did = format!("changed: it permits {}", changed.role.permissions());
            let event = event(event_id, &changed, &did, &actor, now);
            update(&roles.store, changed, event).await
        };
        self.store.uninterrupted(changed).await
    }

    /// Removes a role. Of one that people have, only when it is to be taken away from them all.
    pub async fn remove(
        &self,
        id: RoleId,
        workspace: &WorkspaceId,
        take_away: bool,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), RoleError> {
        let roles = self.clone();
        let workspace = workspace.clone();
        let (event_id, actor) = (random_uuid(rng), actor.clone());
        let removed = async move {
            let known = roles.get(id, &workspace);
            let known = known.ok_or_else(|| RoleError::Unknown(id.to_string()))?;
            let people = roles.holders(RoleKey::Custom(id), &workspace).len();
            if people > 0 && !take_away {
                let name = known.role.name().to_owned();
                return Err(RoleError::Assigned { name, people });
            }
            roles.keep_those_above(&known)?;
            let did = match people {
                0 => "removed".to_owned(),
                _ => format!("removed and taken from {people} people"),
            };
            let event = event(event_id, &known, &did, &actor, now);
            delete(&roles.store, &known, event).await
        };
        self.store.uninterrupted(removed).await
    }

    /// Refuses to put into a role that people have what whoever changes it does not have where they
    /// have it. Asked within the change, so that nobody gives what they lose meanwhile.
    fn keep_within_giver(&self, known: &WorkspaceRole, new: &CustomRole) -> Result<(), RoleError> {
        let Some(giver) = self.giver else {
            return Ok(());
        };
        let added = new.permissions().without(known.role.permissions());
        for row in rows_with(&self.store, known) {
            let held = row.roles.iter().filter(|(_, key)| *key == known.id.into());
            for (instance, _) in held {
                let own = giver::permissions(&self.store, giver, instance.as_ref());
                let beyond = added.without(&own);
                if !beyond.is_empty() {
                    return Err(RoleError::Beyond(beyond));
                }
            }
        }
        Ok(())
    }

    /// Refuses to take anything from a role of somebody who may do more than whoever changes it: that
    /// would be taking it from them.
    fn keep_those_above(&self, known: &WorkspaceRole) -> Result<(), RoleError> {
        for row in rows_with(&self.store, known) {
            // Any other refusal is of a role that goes at this moment: nothing in it is to be kept.
            if let Err(PersonError::Above(more)) = giver::reaches(&self.store, self.giver, &row) {
                return Err(RoleError::Above(more));
            }
        }
        Ok(())
    }
}

impl AssignedRole {
    /// What names it.
    pub fn key(&self) -> RoleKey {
        match self {
            Self::BuiltIn(role) => RoleKey::BuiltIn(*role),
            Self::Custom(role) => RoleKey::Custom(role.id),
        }
    }

    /// All that it permits.
    pub fn permissions(&self) -> PermissionSet {
        match self {
            Self::BuiltIn(role) => role.permissions(),
            Self::Custom(role) => role.role.permissions().clone(),
        }
    }

    /// Does this role allow it?
    pub fn permits(&self, permission: &Permission) -> bool {
        match self {
            Self::BuiltIn(role) => role.permits(permission),
            Self::Custom(role) => role.role.permits(permission),
        }
    }

    pub(crate) fn built_in(&self) -> Option<Role> {
        match self {
            Self::BuiltIn(role) => Some(*role),
            Self::Custom(_) => None,
        }
    }

    pub(crate) fn custom(&self) -> Option<&Arc<CustomRole>> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Custom(role) => Some(&role.role),
        }
    }
}

impl From<Role> for AssignedRole {
    fn from(role: Role) -> Self {
        Self::BuiltIn(role)
    }
}

impl fmt::Display for AssignedRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => role.fmt(f),
            Self::Custom(role) => f.write_str(role.role.name()),
        }
    }
}

impl From<Role> for RoleKey {
    fn from(role: Role) -> Self {
        Self::BuiltIn(role)
    }
}

impl From<RoleId> for RoleKey {
    fn from(id: RoleId) -> Self {
        Self::Custom(id)
    }
}

/// As the database and the wire have it: the word of a built-in role, or the id of another.
impl fmt::Display for RoleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => role.fmt(f),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

impl std::str::FromStr for RoleKey {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(role) => Ok(Self::BuiltIn(role)),
            Err(_) => text.parse().map(Self::Custom),
        }
    }
}

impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for RoleId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl WorkspaceRole {
    pub(crate) async fn load_all(database: &Database) -> Result<Vec<Self>, StoreError> {
        let rows = sqlx::query("SELECT * FROM role")
            .fetch_all(database.reader())
            .await?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get("name")?;
                let permissions = read("permission words", row.try_get("permissions")?)?;
                let role = CustomRole::kept(name, row.try_get("description")?, permissions);
                Ok(Self {
                    id: read("role id", row.try_get("id")?)?,
                    workspace: read("workspace id", row.try_get("workspace_id")?)?,
                    role: Arc::new(role),
                    created_at: timestamp(row.try_get("created_at")?),
                    updated_at: timestamp(row.try_get("updated_at")?),
                })
            })
            .collect()
    }

    async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO role (id, workspace_id, name, description, permissions, created_at, \
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET \
             name = excluded.name, description = excluded.description, \
             permissions = excluded.permissions, updated_at = excluded.updated_at",
        )
        .bind(self.id.to_string())
        .bind(self.workspace.as_str())
        .bind(self.role.name())
        .bind(self.role.description())
        .bind(self.role.permissions().to_string())
        .bind(nanoseconds(self.created_at))
        .bind(nanoseconds(self.updated_at))
        .execute(connection)
        .await?;
        Ok(())
    }
}

async fn insert(
    store: &Store,
    made: WorkspaceRole,
    event: AuditEvent,
) -> Result<Arc<WorkspaceRole>, RoleError> {
    if store.projection.workspace(&made.workspace).is_none() {
        return Err(RoleError::UnknownWorkspace(made.workspace));
    }
    write(store, &made, event).await?;
    let made = Arc::new(made);
    store.projection.roles.pin().insert(made.id, made.clone());
    Ok(made)
}

async fn update(
    store: &Store,
    changed: WorkspaceRole,
    event: AuditEvent,
) -> Result<Arc<WorkspaceRole>, RoleError> {
    write(store, &changed, event).await?;
    let changed = Arc::new(changed);
    let roles = store.projection.roles.pin();
    roles.insert(changed.id, changed.clone());
    for row in rows_with(store, &changed) {
        store.projection.put_person(&row)?;
    }
    Ok(changed)
}

async fn write(store: &Store, role: &WorkspaceRole, event: AuditEvent) -> Result<(), RoleError> {
    let name = role.role.name();
    let known = CustomRoles::new(store.clone()).list(&role.workspace);
    if known
        .iter()
        .any(|known| known.id != role.id && is_named(known, name))
    {
        return Err(RoleError::NameTaken(name.to_owned()));
    }
    let mut transaction = store.database.begin().await?;
    role.write(&mut transaction).await?;
    AuditRow::new(event).insert(&mut transaction).await?;
    Ok(transaction.commit().await?)
}

async fn delete(store: &Store, role: &WorkspaceRole, event: AuditEvent) -> Result<(), RoleError> {
    let mut transaction = store.database.begin().await?;
    for statement in [
        "DELETE FROM role_assignment WHERE role = $1",
        "DELETE FROM role WHERE id = $1",
    ] {
        sqlx::query(statement)
            .bind(role.id.to_string())
            .execute(&mut *transaction)
            .await?;
    }
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    for mut row in rows_with(store, role) {
        row.roles.retain(|(_, key)| *key != role.id.into());
        store.projection.put_person(&row)?;
    }
    store.projection.roles.pin().remove(&role.id);
    Ok(())
}

/// Everybody who has the role.
fn rows_with(store: &Store, role: &WorkspaceRole) -> Vec<PersonRow> {
    let people = store.projection.people.pin();
    let rows = people.values().map(|live| PersonRow::of(live));
    rows.filter(|row| row.roles.iter().any(|(_, key)| *key == role.id.into()))
        .collect()
}

fn is_named(known: &WorkspaceRole, name: &str) -> bool {
    known.role.name().to_lowercase() == name.trim().to_lowercase()
}

fn said(
    role: &WorkspaceRole,
    did: &str,
    actor: &Actor,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> AuditEvent {
    event(random_uuid(rng), role, did, actor, now)
}

fn event(id: String, role: &WorkspaceRole, did: &str, actor: &Actor, now: Timestamp) -> AuditEvent {
    let message = format!("Role {} {did}", role.role.name());
    AuditEvent {
        workspace: Some(role.workspace.clone()),
        source_ip: actor.address.clone(),
        user_email: actor.email.clone(),
        client_id: actor.client_id.clone(),
        permission: "workspace.update".to_owned(),
        resource: AuditResource {
            id: role.id.to_string(),
            name: role.role.name().to_owned(),
            kind: "role".to_owned(),
        },
        ..AuditEvent::identified(id, AuditState::Success, message, actor.source, now)
    }
}
