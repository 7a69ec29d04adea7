//! People and their roles.

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, Secret, Subject};
use hallpass_store::Person;
use serde_json::{Value, json};

use super::{Administrator, actor};
use crate::admin::{InWorkspace, ROLES, RoleChange, RoleCommand, UserCommand};
use crate::command::CommandError;

impl Administrator<'_> {
    pub(super) async fn user(&self, command: &UserCommand) -> Result<Value, CommandError> {
        match command {
            UserCommand::Create { email, role, at } => {
                self.create_user(email, role.as_deref(), at).await
            }
            UserCommand::List => {
                let items: Vec<Value> = self
                    .store
                    .people()
                    .list()
                    .iter()
                    .map(|person| self.person(person))
                    .collect();
                Ok(json!({ "items": items }))
            }
            UserCommand::SetupLink { email, at } => {
                let person = self.find_person(email, at.workspace.as_deref())?;
                let links = self.store.setup_links();
                let secret = links
                    .issue(person.id, &actor(), self.now, &mut SystemRandom)
                    .await?;
                Ok(self.with_link(&person, &secret))
            }
            UserCommand::Remove { email, at } => {
                let person = self.find_person(email, at.workspace.as_deref())?;
                self.store
                    .people()
                    .remove(person.id, &actor(), self.now, &mut SystemRandom)
                    .await?;
                Ok(json!({ "id": person.id.to_string(), "removed": true }))
            }
        }
    }

    async fn create_user(
        &self,
        email: &str,
        role: Option<&str>,
        at: &InWorkspace,
    ) -> Result<Value, CommandError> {
        let email = Subject::parse(email).map_err(|e| CommandError::usage(e.to_string()))?;
        let role = role.map(parse_role).transpose()?;
        let workspace = match &at.workspace {
            Some(word) => self.find_workspace(word)?,
            None => self.only_workspace()?,
        };
        let people = self.store.people();
        let (person, secret) = people
            .invite(
                &workspace.id,
                email,
                role,
                &actor(),
                self.now,
                &mut SystemRandom,
            )
            .await?;
        Ok(self.with_link(&person, &secret))
    }

    fn with_link(&self, person: &Person, secret: &Secret) -> Value {
        let mut answer = self.person(person);
        answer["setupUrl"] = json!(format!(
            "{}setup/{}",
            self.addresses.console,
            secret.expose()
        ));
        answer
    }

    pub(super) async fn role(&self, command: &RoleCommand) -> Result<Value, CommandError> {
        let rng = &mut SystemRandom;
        let person = match command {
            RoleCommand::List => return Ok(roles()),
            RoleCommand::Assign(change) => {
                let (person, instance, role) = self.role_change(change)?;
                let people = self.store.people();
                people
                    .assign(person.id, instance, role, &actor(), self.now, rng)
                    .await?
            }
            RoleCommand::Revoke(change) => {
                let (person, instance, role) = self.role_change(change)?;
                let people = self.store.people();
                people
                    .revoke(person.id, instance, role, &actor(), self.now, rng)
                    .await?
            }
        };
        Ok(self.person(&person))
    }

    fn role_change(
        &self,
        change: &RoleChange,
    ) -> Result<(Person, Option<ApplicationInstanceId>, Role), CommandError> {
        let person = self.find_person(&change.user, change.at.workspace.as_deref())?;
        let instance = match &change.instance {
            Some(word) => Some(self.find_instance(word)?.id.clone()),
            None => None,
        };
        Ok((person, instance, parse_role(&change.role)?))
    }

    fn person(&self, person: &Person) -> Value {
        let roles: Vec<String> = person
            .roles
            .iter()
            .map(|(instance, role)| match instance {
                None => role.to_string(),
                Some(id) => format!("{role} on {}", self.instance_name(id)),
            })
            .collect();
        json!({
            "id": person.id.to_string(),
            "email": person.email.as_str(),
            "workspaceId": person.workspace.as_str(),
            "roles": roles.join(", "),
        })
    }

    pub(super) fn find_person(
        &self,
        email: &str,
        workspace: Option<&str>,
    ) -> Result<Person, CommandError> {
        let workspace = self.workspace_id(workspace)?;
        Ok(self.store.people().find(email, workspace.as_ref())?)
    }
}

fn parse_role(word: &str) -> Result<Role, CommandError> {
    word.parse().map_err(|error: hallpass_access::UnknownRole| {
        CommandError::usage(error.to_string()).hint(format!("the roles are {}", ROLES.join(", ")))
    })
}

fn roles() -> Value {
    json!({ "items": [
        { "role": "administrator", "permits": "everything, credentials of the workspace included" },
        { "role": "operator", "permits": "every read; create and update volumes, sets, snapshots, hosts, host groups, initiators" },
        { "role": "observer", "permits": "every read" },
    ]})
}
