//! People as the database keeps them, and the statements that change them.

use hallpass_access::Role;
use hallpass_oauth::{ApplicationInstanceId, SecretDigest, Subject, WorkspaceId};
use sqlx::{Row, SqliteConnection};

use super::{Assignment, Draft, Person, PersonError, PersonId};
use crate::audit::{AuditEvent, AuditRow};
use crate::database::{Database, nanoseconds, read};
use crate::projection::LivePerson;
use crate::{Store, StoreError, setup_links};

/// A person as the database keeps them.
pub(crate) struct PersonRow {
    pub(crate) id: PersonId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) email: Subject,
    pub(crate) enabled: bool,
    pub(crate) roles: Vec<Assignment>,
}

impl PersonRow {
    pub(crate) async fn load_all(database: &Database) -> Result<Vec<Self>, StoreError> {
        let mut people = Vec::new();
        let rows =
            sqlx::query("SELECT id, workspace_id, email, enabled FROM person ORDER BY created_at")
                .fetch_all(database.reader())
                .await?;
        for row in rows {
            let id: PersonId = read("person id", row.try_get("id")?)?;
            people.push(Self {
                id,
                workspace: read("workspace id", row.try_get("workspace_id")?)?,
                email: read("e-mail address", row.try_get("email")?)?,
                enabled: row.try_get::<i64, _>("enabled")? != 0,
                roles: load_roles(database, id).await?,
            });
        }
        Ok(people)
    }

    pub(crate) fn live(store: &Store, person: PersonId) -> Result<Self, PersonError> {
        let live = store.projection.person(person);
        let live = live.ok_or_else(|| PersonError::Unknown(person.to_string()))?;
        Ok(Self::of(&live))
    }

    /// The row of a person of the projection.
    pub(crate) fn of(live: &LivePerson) -> Self {
        let assigned = live.assigned.iter();
        Self {
            id: live.id,
            workspace: live.workspace.id.clone(),
            email: live.email.clone(),
            enabled: live.enabled,
            roles: assigned
                .map(|(instance, role)| (instance.clone(), role.key()))
                .collect(),
        }
    }

    /// Whether they administer the workspace: as somebody who may sign in, and on the platform.
    pub(super) fn administers(&self) -> bool {
        let platform = ApplicationInstanceId::platform();
        self.enabled
            && self.roles.iter().any(|(instance, role)| {
                *role == Role::Administrator.into()
                    && instance.as_ref().is_none_or(|on| *on == platform)
            })
    }

    /// Whether the workspace loses its administration with them: nobody else administers it, or
    /// nobody else who has a password while they have one. Who has none may never choose one.
    pub(super) async fn is_last(&self, store: &Store) -> Result<bool, StoreError> {
        let others: Vec<PersonId> = {
            let people = store.projection.people.pin();
            let others = people.values().filter(|live| {
                live.id != self.id
                    && live.workspace.id == self.workspace
                    && Self::of(live).administers()
            });
            others.map(|live| live.id).collect()
        };
        if others.is_empty() {
            return Ok(true);
        }
        for other in others {
            if has_password(store, other).await? {
                return Ok(false);
            }
        }
        has_password(store, self.id).await
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

async fn has_password(store: &Store, person: PersonId) -> Result<bool, StoreError> {
    let found = sqlx::query("SELECT 1 FROM person WHERE id = $1 AND password IS NOT NULL")
        .bind(person.to_string())
        .fetch_optional(store.database.reader())
        .await?;
    Ok(found.is_some())
}

async fn load_roles(database: &Database, person: PersonId) -> Result<Vec<Assignment>, StoreError> {
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

pub(super) async fn insert(
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
    for (_, role) in &row.roles {
        store.projection.assigned_role(&row.workspace, *role)?;
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
        Some((_, role)) => {
            let role = store.projection.assigned_role(&row.workspace, *role)?;
            format!("User {} added as {role}", row.email)
        }
        None => format!("User {} added", row.email),
    };
    AuditRow::new(said.event(&row, &added))
        .insert(&mut transaction)
        .await?;
    transaction.commit().await?;
    let live = store.projection.put_person(&row)?;
    Ok(Person::from(live.as_ref()))
}

pub(super) async fn update_roles(
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

/// Writes whether the person may do anything. Disabled, they are signed out everywhere, and their links
/// are void: enabled again, they come in as they are then.
pub(super) async fn update_enabled(
    store: &Store,
    row: &PersonRow,
    event: AuditEvent,
) -> Result<Person, PersonError> {
    let mut transaction = store.database.begin().await?;
    sqlx::query("UPDATE person SET enabled = $2 WHERE id = $1")
        .bind(row.id.to_string())
        .bind(i64::from(row.enabled))
        .execute(&mut *transaction)
        .await?;
    if !row.enabled {
        crate::sessions::end_all(&mut transaction, row.id, "").await?;
        crate::setup_links::forget(&mut transaction, row.id).await?;
    }
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    let live = store.projection.put_person(row)?;
    // What the token endpoint asks says whether the owner is enabled.
    let theirs: Vec<_> = {
        let credentials = store.projection.credentials.pin();
        let theirs = credentials
            .values()
            .filter(|live| live.row.person == row.id);
        theirs.cloned().collect()
    };
    for credential in theirs {
        let (kept, sequence) = (credential.row.clone(), credential.sequence.clone());
        store
            .projection
            .put_credential(kept, sequence, &store.policy)?;
    }
    Ok(Person::from(live.as_ref()))
}

pub(super) async fn delete(
    store: &Store,
    row: &PersonRow,
    event: AuditEvent,
) -> Result<(), PersonError> {
    let person = row.id;
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
