//! People: the resource owners, and what they are on which application instance.

use std::fmt;
use std::sync::Arc;

use hallpass_access::{Role, Roles};
use hallpass_oauth::{ApplicationInstanceId, Secret, SecretDigest, Subject, WorkspaceId};
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::{Row, SqliteConnection};

use crate::audit::{AuditEvent, AuditResource, AuditRow, AuditState, random_uuid};
use crate::database::{Database, nanoseconds, read};
use crate::projection::LivePerson;
use crate::{Store, StoreError, setup_links};

/// Names a person; a version-4 UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(uuid::Uuid);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for PersonId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A person as administration sees them.
#[derive(Debug, Clone)]
pub struct Person {
    /// The person.
    pub id: PersonId,
    /// Their e-mail address, unique in the workspace.
    pub email: Subject,
    /// Their workspace.
    pub workspace: WorkspaceId,
    /// Their roles by instance; `None` holds on every instance.
    pub roles: Vec<(Option<ApplicationInstanceId>, Role)>,
}

impl Person {
    /// What they are on one instance.
    pub fn roles_on(&self, instance: &ApplicationInstanceId) -> Roles {
        roles_on(&self.roles, instance)
    }
}

/// The roles that hold on one instance.
pub(crate) fn roles_on(
    assigned: &[(Option<ApplicationInstanceId>, Role)],
    instance: &ApplicationInstanceId,
) -> Roles {
    let here = assigned
        .iter()
        .filter(|(on, _)| on.as_ref().is_none_or(|on| on == instance));
    here.map(|(_, role)| *role).collect()
}

/// Who makes an administrative change, for the audit log.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The person's e-mail address, or what stands for the local administrator.
    pub email: String,
    /// The client that acts for them, if one does.
    pub client_id: String,
    /// Where the request came from.
    pub address: String,
    /// The part of the system that took it.
    pub source: &'static str,
}

/// People and their roles.
#[derive(Clone)]
pub struct People(Store);

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The address is taken in this workspace.
    #[error("a person with the address {0} exists in this workspace")]
    EmailTaken(Subject),
    /// No such person.
    #[error("there is no person {0}")]
    Unknown(String),
    /// The address stands for several people in different workspaces.
    #[error("{0} exists in more than one workspace; name the workspace")]
    Ambiguous(String),
    /// No such workspace.
    #[error("there is no workspace {0}")]
    UnknownWorkspace(WorkspaceId),
    /// The person does not have the role that should go.
    #[error("{email} is not {role} there")]
    NotAssigned {
        /// The person.
        email: Subject,
        /// The role.
        role: Role,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for PersonError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl People {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// All people, by address.
    pub fn list(&self) -> Vec<Person> {
        let people = self.0.projection.people.pin();
        let mut list: Vec<Person> = people
            .values()
            .map(|live| Person::from(live.as_ref()))
            .collect();
        list.sort_by(|a, b| a.email.cmp(&b.email).then(a.id.cmp(&b.id)));
        list
    }

    /// The person of that address, in that workspace or in the only one that has it.
    pub fn find(
        &self,
        email: &str,
        workspace: Option<&WorkspaceId>,
    ) -> Result<Person, PersonError> {
        let mut found = self.list().into_iter().filter(|person| {
            person.email.as_str().eq_ignore_ascii_case(email)
                && workspace.is_none_or(|id| *id == person.workspace)
        });
        let person = found
            .next()
            .ok_or_else(|| PersonError::Unknown(email.to_owned()))?;
        match found.next() {
            Some(_) => Err(PersonError::Ambiguous(email.to_owned())),
            None => Ok(person),
        }
    }

    /// Adds a person with one role on every instance.
    pub async fn create(
        &self,
        workspace: &WorkspaceId,
        email: Subject,
        role: Option<Role>,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Person, PersonError> {
        let draft = Draft::new(workspace, email, role, actor, now, rng);
        let store = self.0.clone();
        self.0
            .uninterrupted(async move { insert(&store, draft, None).await })
            .await
    }

    /// Adds a person together with the secret of a one-time link, in one step: nobody is left
    /// without a way in.
    pub async fn invite(
        &self,
        workspace: &WorkspaceId,
        email: Subject,
        role: Option<Role>,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(Person, Secret), PersonError> {
        let draft = Draft::new(workspace, email, role, actor, now, rng);
        let secret = Secret::generate(rng);
        let digest = self.0.pepper.digest(&secret);
        let store = self.0.clone();
        let person = self
            .0
            .uninterrupted(async move { insert(&store, draft, Some(digest)).await })
            .await?;
        Ok((person, secret))
    }

    /// Gives a role on one instance, or on every one.
    pub async fn assign(
        &self,
        person: PersonId,
        instance: Option<ApplicationInstanceId>,
        role: Role,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Person, PersonError> {
        let event = Said::new(actor, now, rng);
        self.change_roles(person, event, move |row| {
            if !row.roles.contains(&(instance.clone(), role)) {
                row.roles.push((instance, role));
            }
            Ok(format!("Role {role} assigned to {}", row.email))
        })
        .await
    }

    /// Takes a role away.
    pub async fn revoke(
        &self,
        person: PersonId,
        instance: Option<ApplicationInstanceId>,
        role: Role,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Person, PersonError> {
        let event = Said::new(actor, now, rng);
        self.change_roles(person, event, move |row| {
            let before = row.roles.len();
            row.roles
                .retain(|assigned| *assigned != (instance.clone(), role));
            if row.roles.len() == before {
                return Err(PersonError::NotAssigned {
                    email: row.email.clone(),
                    role,
                });
            }
            Ok(format!("Role {role} taken from {}", row.email))
        })
        .await
    }

    /// Removes a person, their credentials and, with those, their tokens.
    pub async fn remove(
        &self,
        person: PersonId,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), PersonError> {
        let event = Said::new(actor, now, rng);
        let store = self.0.clone();
        self.0
            .uninterrupted(async move { delete(&store, person, event).await })
            .await
    }

    /// Reads the roles, changes and writes them, all as one step: two changes at a time would each
    /// write what the other one changed.
    async fn change_roles(
        &self,
        person: PersonId,
        event: Said,
        change: impl FnOnce(&mut PersonRow) -> Result<String, PersonError> + Send + 'static,
    ) -> Result<Person, PersonError> {
        let store = self.0.clone();
        self.0
            .uninterrupted(async move {
                let mut row = PersonRow::live(&store, person)?;
                let message = change(&mut row)?;
                update_roles(&store, &row, event.event(&row, &message)).await
            })
            .await
    }
}

/// Who changes something, and when: what an audit event needs before it is known what it says.
pub(crate) struct Said {
    id: String,
    actor: Actor,
    now: Timestamp,
}

impl Said {
    pub(crate) fn new(actor: &Actor, now: Timestamp, rng: &mut dyn CryptoRng) -> Self {
        Self {
            id: random_uuid(rng),
            actor: actor.clone(),
            now,
        }
    }

    pub(crate) fn event(self, person: &PersonRow, message: &str) -> AuditEvent {
        let Self { id, actor, now } = self;
        AuditEvent {
            workspace: Some(person.workspace.clone()),
            source_ip: actor.address,
            user_email: actor.email,
            client_id: actor.client_id,
            permission: "workspace.update".to_owned(),
            resource: AuditResource {
                id: person.id.to_string(),
                name: person.email.to_string(),
                kind: "user".to_owned(),
            },
            ..AuditEvent::identified(id, AuditState::Success, message, actor.source, now)
        }
    }
}

/// A person to be added.
struct Draft {
    row: PersonRow,
    said: Said,
}

impl Draft {
    fn new(
        workspace: &WorkspaceId,
        email: Subject,
        role: Option<Role>,
        actor: &Actor,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        let row = PersonRow {
            id: PersonId(uuid::Builder::from_random_bytes(bytes).into_uuid()),
            workspace: workspace.clone(),
            email,
            roles: role.map(|role| (None, role)).into_iter().collect(),
        };
        Self {
            row,
            said: Said::new(actor, now, rng),
        }
    }
}

impl From<&LivePerson> for Person {
    fn from(live: &LivePerson) -> Self {
        Self {
            id: live.id,
            email: live.email.clone(),
            workspace: live.workspace.id.clone(),
            roles: live.roles.clone(),
        }
    }
}

/// A person as the database keeps them.
pub(crate) struct PersonRow {
    pub(crate) id: PersonId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) email: Subject,
    pub(crate) roles: Vec<(Option<ApplicationInstanceId>, Role)>,
}

impl PersonRow {
    pub(crate) async fn load_all(database: &Database) -> Result<Vec<Self>, StoreError> {
        let mut people = Vec::new();
        let rows = sqlx::query("SELECT id, workspace_id, email FROM person ORDER BY created_at")
            .fetch_all(database.reader())
            .await?;
        for row in rows {
            let id: PersonId = read("person id", row.try_get("id")?)?;
            people.push(Self {
                id,
                workspace: read("workspace id", row.try_get("workspace_id")?)?,
                email: read("e-mail address", row.try_get("email")?)?,
                roles: load_roles(database, id).await?,
            });
        }
        Ok(people)
    }

    pub(crate) fn live(store: &Store, person: PersonId) -> Result<Self, PersonError> {
        let live = store.projection.person(person);
        let live = live.ok_or_else(|| PersonError::Unknown(person.to_string()))?;
        Ok(Self {
            id: live.id,
            workspace: live.workspace.id.clone(),
            email: live.email.clone(),
            roles: live.roles.clone(),
        })
    }

    async fn write_roles(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM role_assignment WHERE person_id = $1")
            .bind(self.id.to_string())
            .execute(&mut *connection)
            .await?;
        for (instance, role) in &self.roles {
            sqlx::query(
                "INSERT INTO role_assignment (person_id, instance_id, role) VALUES ($1, $2, $3)",
            )
            .bind(self.id.to_string())
            .bind(instance.as_ref().map_or("", |id| id.as_str()))
            .bind(role.to_string())
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}

async fn load_roles(
    database: &Database,
    person: PersonId,
) -> Result<Vec<(Option<ApplicationInstanceId>, Role)>, StoreError> {
    let rows = sqlx::query("SELECT instance_id, role FROM role_assignment WHERE person_id = $1")
        .bind(person.to_string())
        .fetch_all(database.reader())
        .await?;
    rows.iter()
        .map(|row| {
            let instance: String = row.try_get("instance_id")?;
            let instance = match instance.as_str() {
                "" => None,
                id => Some(read("application instance id", id)?),
            };
            Ok((instance, read("role", row.try_get("role")?)?))
        })
        .collect()
}

async fn insert(
    store: &Store,
    draft: Draft,
    link: Option<SecretDigest>,
) -> Result<Person, PersonError> {
    let Draft { row, said } = draft;
    let now = said.now;
    let taken = store.projection.people.pin().values().any(|known| {
        known.workspace.id == row.workspace
            && known
                .email
                .as_str()
                .eq_ignore_ascii_case(row.email.as_str())
    });
    if taken {
        return Err(PersonError::EmailTaken(row.email.clone()));
    }
    if store
        .projection
        .directory
        .load()
        .workspace(&row.workspace)
        .is_none()
    {
        return Err(PersonError::UnknownWorkspace(row.workspace.clone()));
    }
    let mut transaction = store.database.begin().await?;
    sqlx::query("INSERT INTO person (id, workspace_id, email, created_at) VALUES ($1, $2, $3, $4)")
        .bind(row.id.to_string())
        .bind(row.workspace.as_str())
        .bind(row.email.as_str())
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
    row.write_roles(&mut transaction).await?;
    if let Some(digest) = link {
        setup_links::write(&mut transaction, row.id, &digest, now).await?;
    }
    let added = match row.roles.first() {
        Some((_, role)) => format!("User {} added as {role}", row.email),
        None => format!("User {} added", row.email),
    };
    AuditRow::new(said.event(&row, &added))
        .insert(&mut transaction)
        .await?;
    transaction.commit().await?;
    let live = store.projection.put_person(&row)?;
    Ok(Person::from(live.as_ref()))
}

async fn update_roles(
    store: &Store,
    row: &PersonRow,
    event: AuditEvent,
) -> Result<Person, PersonError> {
    let mut transaction = store.database.begin().await?;
    row.write_roles(&mut transaction).await?;
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    let live = store.projection.put_person(row)?;
    Ok(Person::from(live.as_ref()))
}

async fn delete(store: &Store, person: PersonId, said: Said) -> Result<(), PersonError> {
    let row = PersonRow::live(store, person)?;
    let event = said.event(&row, &format!("User {} removed", row.email));
    let mut transaction = store.database.begin().await?;
    sqlx::query("DELETE FROM person WHERE id = $1")
        .bind(person.to_string())
        .execute(&mut *transaction)
        .await?;
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    let credentials = store.projection.credentials.pin();
    credentials.retain(|_, live| live.row.person != person);
    store.projection.people.pin().remove(&person);
    Ok(())
}

/// Gives actors their audit fields; shared with the credentials.
pub(crate) fn acted(mut event: AuditEvent, actor: &Actor, live: &Arc<LivePerson>) -> AuditEvent {
    event.workspace = Some(live.workspace.id.clone());
    event.source_ip.clone_from(&actor.address);
    event.user_email.clone_from(&actor.email);
    event.client_id.clone_from(&actor.client_id);
    event
}
