//! People: the resource owners, and what they are on which application instance.

pub(crate) mod giver;
mod row;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use hallpass_access::name::{self, BadName};
use hallpass_access::{PermissionSet, Role, Roles};
use hallpass_oauth::{ApplicationInstanceId, Secret, SecretDigest, Subject, WorkspaceId};
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::Row as _;

use crate::audit::{AuditEvent, AuditResource, AuditState, random_uuid};
use crate::database::{read, timestamp};
use crate::projection::LivePerson;
use crate::roles::{AssignedRole, RoleKey};
use crate::{Store, StoreError};

pub(crate) use row::PersonRow;

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
    /// Whether they may do anything. Who is disabled cannot sign in, and their credentials get no
    /// tokens.
    pub enabled: bool,
    /// Their roles by instance; `None` holds on every instance.
    pub roles: Vec<(Option<ApplicationInstanceId>, AssignedRole)>,
}

/// A role on one instance, or on every one.
pub type Assignment = (Option<ApplicationInstanceId>, RoleKey);

/// The roles of somebody new.
#[derive(Debug, Clone, Default)]
pub struct Assignments(Vec<Assignment>);

/// What is known of a person besides what they may do.
#[derive(Debug, Clone, Copy)]
pub struct PersonFacts {
    /// When they were added.
    pub created_at: Timestamp,
    /// When they last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// Whether they have chosen a password.
    pub has_password: bool,
    /// Whether a second factor is asked of them.
    pub has_second_factor: bool,
}

impl Person {
    /// What they are on one instance.
    pub fn roles_on(&self, instance: &ApplicationInstanceId) -> Roles {
        roles_on(&self.roles, instance)
    }
}

/// The roles that hold on one instance.
pub(crate) fn roles_on(
    assigned: &[(Option<ApplicationInstanceId>, AssignedRole)],
    instance: &ApplicationInstanceId,
) -> Roles {
    let here = || {
        let assigned = assigned.iter();
        assigned.filter(|(on, _)| on.as_ref().is_none_or(|on| on == instance))
    };
    let built_in: Roles = here().filter_map(|(_, role)| role.built_in()).collect();
    built_in.with_custom(here().filter_map(|(_, role)| role.custom().cloned()))
}

impl From<Option<Role>> for Assignments {
    fn from(role: Option<Role>) -> Self {
        role.map(|role| (None, role.into())).into_iter().collect()
    }
}

impl FromIterator<Assignment> for Assignments {
    fn from_iter<I: IntoIterator<Item = Assignment>>(assignments: I) -> Self {
        let mut all = Vec::new();
        for assignment in assignments {
            if !all.contains(&assignment) {
                all.push(assignment);
            }
        }
        Self(all)
    }
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
pub struct People {
    store: Store,
    /// Whether the last administrator of a workspace stays one.
    keeps_administrators: bool,
    /// Who changes them; nobody is limited where nobody is named.
    giver: Option<PersonId>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// The address is taken in this workspace.
    #[error("a person with the address {0} exists in this workspace")]
    EmailTaken(Subject),
    /// The address is none to know a person by: it would look like another one.
    #[error("the e-mail address {0}")]
    BadEmail(BadName),
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
        role: String,
    },
    /// No such role in the person's workspace.
    #[error("there is no role {0}")]
    UnknownRole(String),
    /// Whoever makes the change does not have it themselves.
    #[error("nobody can give what they do not have there themselves: {0}")]
    Beyond(PermissionSet),
    /// The person may do what whoever makes the change may not.
    #[error("nobody does that to somebody who may do more than they may themselves: {0}")]
    Above(PermissionSet),
    /// Nobody else could administer the workspace.
    #[error(
        "{0} is the last administrator of the workspace who has a password; make somebody else an \
         administrator first"
    )]
    LastAdministrator(Subject),
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
        Self {
            store,
            keeps_administrators: false,
            giver: None,
        }
    }

    /// The same, refusing to give anybody what this person does not have, and to take anything from
    /// somebody who has more than they.
    #[must_use]
    pub fn given_by(&self, person: PersonId) -> Self {
        Self {
            giver: Some(person),
            ..self.clone()
        }
    }

    /// Whether a person may hand on all that another one has, and so may let somebody in as them.
    pub fn may_stand_in(&self, giver: PersonId, person: PersonId) -> Result<(), PersonError> {
        let row = PersonRow::live(&self.store, person)?;
        giver::check(&self.store, Some(giver), &row, &row.roles)
    }

    /// Whether a person may do all that another one may, and so may end what is theirs.
    pub fn may_stop(&self, by: PersonId, person: PersonId) -> Result<(), PersonError> {
        let row = PersonRow::live(&self.store, person)?;
        giver::reaches(&self.store, Some(by), &row)
    }

    /// What keeps a person from being allowed everything on an instance, or on every one; empty where
    /// they are.
    pub fn short_of_everything(
        &self,
        person: PersonId,
        instance: Option<&ApplicationInstanceId>,
    ) -> PermissionSet {
        let own = giver::permissions(&self.store, person, instance);
        Role::Administrator.permissions().without(&own)
    }

    /// The same, refusing what would leave a workspace without an administrator: for those who could
    /// not undo it. The local administrator can.
    #[must_use]
    pub fn keeping_administrators(self) -> Self {
        Self {
            keeps_administrators: true,
            ..self
        }
    }

    /// All people, by address.
    pub fn list(&self) -> Vec<Person> {
        let people = self.store.projection.people.pin();
        let mut list: Vec<Person> = people
            .values()
            .map(|live| Person::from(live.as_ref()))
            .collect();
        list.sort_by(|a, b| a.email.cmp(&b.email).then(a.id.cmp(&b.id)));
        list
    }

    /// The person of that id in that workspace.
    pub fn get(&self, id: PersonId, workspace: &WorkspaceId) -> Option<Person> {
        let live = self.store.projection.person(id)?;
        (live.workspace.id == *workspace).then(|| Person::from(live.as_ref()))
    }

    /// What else is known of the people of a workspace.
    pub async fn facts(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<HashMap<PersonId, PersonFacts>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, created_at, last_sign_in_at, password IS NOT NULL AS has_password, \
             EXISTS (SELECT 1 FROM second_factor WHERE person_id = person.id \
             AND confirmed_at IS NOT NULL) AS has_second_factor \
             FROM person WHERE workspace_id = $1",
        )
        .bind(workspace.as_str())
        .fetch_all(self.store.database.reader())
        .await?;
        rows.iter()
            .map(|row| {
                let signed_in: Option<i64> = row.try_get("last_sign_in_at")?;
                let facts = PersonFacts {
                    created_at: timestamp(row.try_get("created_at")?),
                    last_sign_in_at: signed_in.map(timestamp),
                    has_password: row.try_get::<i64, _>("has_password")? != 0,
                    has_second_factor: row.try_get::<i64, _>("has_second_factor")? != 0,
                };
                Ok((read("person id", row.try_get("id")?)?, facts))
            })
            .collect()
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

    /// Adds a person with these roles.
    pub async fn create(
        &self,
        workspace: &WorkspaceId,
        email: Subject,
        roles: impl Into<Assignments>,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Person, PersonError> {
        let draft = Draft::new(workspace, email, roles.into(), actor, now, rng);
        let people = self.clone();
        self.store
            .uninterrupted(async move { people.insert(draft, None).await })
            .await
    }

    /// Adds a person together with the secret of a one-time link, in one step: nobody is left
    /// without a way in.
    pub async fn invite(
        &self,
        workspace: &WorkspaceId,
        email: Subject,
        roles: impl Into<Assignments>,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(Person, Secret), PersonError> {
        let draft = Draft::new(workspace, email, roles.into(), actor, now, rng);
        let secret = Secret::generate(rng);
        let digest = self.store.pepper.digest(&secret);
        let people = self.clone();
        let person = self
            .store
            .uninterrupted(async move { people.insert(draft, Some(digest)).await })
            .await?;
        Ok((person, secret))
    }

    /// Gives a role on one instance, or on every one.
    pub async fn assign(
        &self,
        person: PersonId,
        instance: Option<ApplicationInstanceId>,
        role: impl Into<RoleKey>,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Person, PersonError> {
        let (event, role) = (Said::new(actor, now, rng), role.into());
        let people = self.clone();
        self.change_roles(person, role, event, move |row, name| {
            let given = [(instance.clone(), role)];
            giver::check(&people.store, people.giver, row, &given)?;
            let place = place(&people.store, instance.as_ref());
            if !row.roles.contains(&(instance.clone(), role)) {
                row.roles.push((instance, role));
            }
            Ok(format!("Role {name} assigned to {} {place}", row.email))
        })
        .await
    }

    /// Takes a role away.
    pub async fn revoke(
        &self,
        person: PersonId,
        instance: Option<ApplicationInstanceId>,
        role: impl Into<RoleKey>,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Person, PersonError> {
        let (event, role) = (Said::new(actor, now, rng), role.into());
        let people = self.clone();
        self.change_roles(person, role, event, move |row, name| {
            giver::reaches(&people.store, people.giver, row)?;
            let before = row.roles.len();
            row.roles
                .retain(|assigned| *assigned != (instance.clone(), role));
            if row.roles.len() == before {
                return Err(PersonError::NotAssigned {
                    email: row.email.clone(),
                    role: name.to_owned(),
                });
            }
            let place = place(&people.store, instance.as_ref());
            Ok(format!("Role {name} taken from {} {place}", row.email))
        })
        .await
    }

    /// Disables a person or enables them again. Disabled, they are signed out, cannot sign in, and
    /// their credentials neither get tokens nor are the tokens they have taken.
    pub async fn set_enabled(
        &self,
        person: PersonId,
        enabled: bool,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Person, PersonError> {
        let (said, people) = (Said::new(actor, now, rng), self.clone());
        let changed = async move {
            let store = &people.store;
            let mut row = PersonRow::live(store, person)?;
            giver::reaches(store, people.giver, &row)?;
            let administered = row.administers();
            row.enabled = enabled;
            people
                .keep_administrator(&row, administered && !enabled)
                .await?;
            let how = if enabled { "enabled" } else { "disabled" };
            let event = said.event(&row, &format!("User {} {how}", row.email));
            row::update_enabled(store, &row, event).await
        };
        self.store.uninterrupted(changed).await
    }

    /// Removes a person, their credentials and, with those, their tokens.
    pub async fn remove(
        &self,
        person: PersonId,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), PersonError> {
        let (said, people) = (Said::new(actor, now, rng), self.clone());
        let removed = async move {
            let row = PersonRow::live(&people.store, person)?;
            giver::reaches(&people.store, people.giver, &row)?;
            people.keep_administrator(&row, row.administers()).await?;
            let event = said.event(&row, &format!("User {} removed", row.email));
            row::delete(&people.store, &row, event).await
        };
        self.store.uninterrupted(removed).await
    }

    async fn insert(
        &self,
        draft: Draft,
        link: Option<SecretDigest>,
    ) -> Result<Person, PersonError> {
        name::seen(draft.row.email.as_str()).map_err(PersonError::BadEmail)?;
        giver::check(&self.store, self.giver, &draft.row, &draft.row.roles)?;
        row::insert(&self.store, draft, link).await
    }

    /// Reads the roles, changes and writes them, all as one step: two changes at a time would each
    /// write what the other one changed. `change` is given the role's name.
    async fn change_roles(
        &self,
        person: PersonId,
        role: RoleKey,
        event: Said,
        change: impl FnOnce(&mut PersonRow, &str) -> Result<String, PersonError> + Send + 'static,
    ) -> Result<Person, PersonError> {
        let people = self.clone();
        let changed = async move {
            let store = &people.store;
            let mut row = PersonRow::live(store, person)?;
            let name = store.projection.assigned_role(&row.workspace, role)?;
            let administered = row.administers();
            let message = change(&mut row, &name.to_string())?;
            people
                .keep_administrator(&row, administered && !row.administers())
                .await?;
            row::update_roles(store, &row, event.event(&row, &message)).await
        };
        self.store.uninterrupted(changed).await
    }

    /// Refuses to take the last administrator from a workspace. Asked within the change, so that two
    /// administrators cannot remove each other.
    async fn keep_administrator(&self, row: &PersonRow, lost: bool) -> Result<(), PersonError> {
        if self.keeps_administrators && lost && row.is_last(&self.store).await? {
            return Err(PersonError::LastAdministrator(row.email.clone()));
        }
        Ok(())
    }
}

/// Where a role holds, in words.
fn place(store: &Store, instance: Option<&ApplicationInstanceId>) -> String {
    let Some(id) = instance else {
        return "everywhere".to_owned();
    };
    let directory = store.projection.directory.load();
    let name = directory.instance(id).map(|known| known.name.clone());
    format!("on {}", name.unwrap_or_else(|| id.to_string()))
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
        roles: Assignments,
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
            enabled: true,
            roles: roles.0,
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
            enabled: live.enabled,
            roles: live.assigned.clone(),
        }
    }
}

/// Gives actors their audit fields; shared with the credentials.
pub(crate) fn acted(mut event: AuditEvent, actor: &Actor, live: &Arc<LivePerson>) -> AuditEvent {
    event.workspace = Some(live.workspace.id.clone());
    event.source_ip.clone_from(&actor.address);
    event.user_email.clone_from(&actor.email);
    event.client_id.clone_from(&actor.client_id);
    event
}
