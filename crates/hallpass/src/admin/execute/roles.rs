//! Roles: those that are built in, those of a workspace, and who has which.

use std::sync::Arc;

use hallpass_access::{CustomRole, PermissionSet, Role};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use hallpass_store::Person;
use hallpass_store::roles::{AssignedRole, RoleKey, WorkspaceRole};
use serde_json::{Value, json};

use super::{Administrator, actor, time};
use crate::admin::{InWorkspace, OnlyWorkspace, RoleChange, RoleCommand};
use crate::command::CommandError;

/// What to change of a role; what is `None` stays.
struct Wanted<'a> {
    name: Option<&'a str>,
    description: Option<&'a str>,
    permissions: Option<&'a [String]>,
}

impl Administrator<'_> {
    pub(super) async fn role(&self, command: &RoleCommand) -> Result<Value, CommandError> {
        match command {
            RoleCommand::List(only) => self.roles(only),
            RoleCommand::Assign(change) => self.assign(change).await,
            RoleCommand::Revoke(change) => self.revoke(change).await,
            RoleCommand::Create {
                name,
                permissions,
                description,
                at,
            } => self.create_role(name, permissions, description, at).await,
            RoleCommand::Show { role, at } => {
                let workspace = self.workspace_meant(at)?.id.clone();
                let role = self.find_role(role, &workspace)?;
                Ok(self.role_with_people(&role, &workspace))
            }
            RoleCommand::Change {
                role,
                name,
                permissions,
                description,
                at,
            } => {
                let wanted = Wanted {
                    name: name.as_deref(),
                    description: description.as_deref(),
                    permissions: Some(permissions.as_slice()).filter(|words| !words.is_empty()),
                };
                self.change_role(role, &wanted, at).await
            }
            RoleCommand::Remove {
                role,
                take_away,
                at,
            } => {
                let known = self.find_custom_role(role, at)?;
                let (rng, roles) = (&mut SystemRandom, self.store.custom_roles());
                roles
                    .remove(
                        known.id,
                        &known.workspace,
                        *take_away,
                        &actor(),
                        self.now,
                        rng,
                    )
                    .await?;
                Ok(json!({ "id": known.id.to_string(), "removed": true }))
            }
        }
    }

    async fn assign(&self, change: &RoleChange) -> Result<Value, CommandError> {
        let (person, instance, role) = self.role_change(change)?;
        let (rng, people) = (&mut SystemRandom, self.store.people());
        let person = people
            .assign(person.id, instance, role, &actor(), self.now, rng)
            .await?;
        Ok(self.person(&person))
    }

    async fn revoke(&self, change: &RoleChange) -> Result<Value, CommandError> {
        let (person, instance, role) = self.role_change(change)?;
        let (rng, people) = (&mut SystemRandom, self.store.people());
        let person = people
            .revoke(person.id, instance, role, &actor(), self.now, rng)
            .await?;
        Ok(self.person(&person))
    }

    async fn create_role(
        &self,
        name: &str,
        words: &[String],
        description: &str,
        at: &InWorkspace,
    ) -> Result<Value, CommandError> {
        let workspace = self.workspace_meant(at)?.id.clone();
        let role = CustomRole::new(name, description, permissions(words)?);
        let role = role.map_err(|error| CommandError::usage(error.to_string()))?;
        let (rng, roles) = (&mut SystemRandom, self.store.custom_roles());
        let made = roles
            .create(&workspace, role, &actor(), self.now, rng)
            .await?;
        Ok(self.role_with_people(&AssignedRole::Custom(made), &workspace))
    }

    async fn change_role(
        &self,
        word: &str,
        wanted: &Wanted<'_>,
        at: &InWorkspace,
    ) -> Result<Value, CommandError> {
        let known = self.find_custom_role(word, at)?;
        let words = wanted.permissions.map(permissions).transpose()?;
        let role = CustomRole::new(
            wanted.name.unwrap_or(known.role.name()),
            wanted.description.unwrap_or(known.role.description()),
            words.unwrap_or_else(|| known.role.permissions().clone()),
        );
        let role = role.map_err(|error| CommandError::usage(error.to_string()))?;
        let (rng, roles) = (&mut SystemRandom, self.store.custom_roles());
        let changed = roles
            .change(known.id, &known.workspace, role, &actor(), self.now, rng)
            .await?;
        Ok(self.role_with_people(&AssignedRole::Custom(changed), &known.workspace))
    }

    fn role_change(
        &self,
        change: &RoleChange,
    ) -> Result<(Person, Option<ApplicationInstanceId>, RoleKey), CommandError> {
        let person = self.find_person(&change.user, change.at.workspace.as_deref())?;
        let instance = match &change.instance {
            Some(word) => Some(self.find_instance(word)?.id.clone()),
            None => None,
        };
        let role = self.find_role(&change.role, &person.workspace)?;
        Ok((person, instance, role.key()))
    }

    /// The role of that name or id in that workspace.
    pub(super) fn find_role(
        &self,
        word: &str,
        workspace: &WorkspaceId,
    ) -> Result<AssignedRole, CommandError> {
        let found = self.store.custom_roles().find(word, workspace);
        found.ok_or_else(|| unknown(word))
    }

    fn find_custom_role(
        &self,
        word: &str,
        at: &InWorkspace,
    ) -> Result<Arc<WorkspaceRole>, CommandError> {
        match self.find_role(word, &self.workspace_meant(at)?.id)? {
            AssignedRole::Custom(role) => Ok(role),
            AssignedRole::BuiltIn(role) => {
                let what = format!("{role} is built in and stays as it is");
                Err(CommandError::usage(what).hint(
                    "make a role of your own: `hallpass admin role create NAME --permission WORD`",
                ))
            }
        }
    }

    fn roles(&self, only: &OnlyWorkspace) -> Result<Value, CommandError> {
        let only = self.workspace_id(only.workspace.as_deref())?;
        let workspaces = self.store.workspaces().list();
        let workspaces = workspaces
            .iter()
            .filter(|one| only.as_ref().is_none_or(|only| one.id == *only));
        let built_in = Role::ALL
            .iter()
            .map(|role| json!({ "role": role.to_string(), "permits": permits(*role) }));
        let mut items: Vec<Value> = built_in.collect();
        for workspace in workspaces {
            for known in self.store.custom_roles().list(&workspace.id) {
                items.push(json!({
                    "role": known.role.name(),
                    "permits": known.role.permissions().to_string(),
                    "id": known.id.to_string(),
                    "workspace": workspace.name,
                }));
            }
        }
        Ok(json!({ "items": items }))
    }

    fn role_with_people(&self, role: &AssignedRole, workspace: &WorkspaceId) -> Value {
        let holders = self.store.custom_roles().holders(role.key(), workspace);
        let people = self.store.people();
        let people = holders.iter().filter_map(|id| people.get(*id, workspace));
        let mut people: Vec<String> = people.map(|person| person.email.to_string()).collect();
        people.sort();
        match role {
            AssignedRole::BuiltIn(role) => json!({
                "role": role.to_string(),
                "permits": permits(*role),
                "people": people,
            }),
            AssignedRole::Custom(known) => json!({
                "role": known.role.name(),
                "id": known.id.to_string(),
                "workspaceId": known.workspace.as_str(),
                "description": known.role.description(),
                "permissions": known.role.permissions().words(),
                "people": people,
                "createdAt": time(known.created_at),
                "updatedAt": time(known.updated_at),
            }),
        }
    }
}

fn permissions(words: &[String]) -> Result<PermissionSet, CommandError> {
    let all = words.join(" ");
    all.parse()
        .map_err(|error: hallpass_access::PermissionWordError| {
            CommandError::usage(error.to_string())
                .hint("`hallpass api show OPERATION` says which permission an operation takes")
        })
}

fn unknown(word: &str) -> CommandError {
    CommandError::refused(format!("there is no role {word}"))
        .hint("`hallpass admin role list` shows the roles")
}

fn permits(role: Role) -> &'static str {
    match role {
        Role::Administrator => "everything, credentials of the workspace included",
        Role::Operator => {
            "every read; create and update volumes, sets, snapshots, hosts, host groups, initiators"
        }
        Role::Observer => "every read",
    }
}
