//! People: who there is, and whether they may do anything.

use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{Secret, Subject};
use hallpass_store::people::Assignments;
use hallpass_store::{Person, Workspace};
use serde_json::{Value, json};

use super::{Administrator, actor};
use crate::admin::user::Who;
use crate::admin::{InWorkspace, UserCommand};
use crate::command::CommandError;

impl Administrator<'_> {
    pub(super) async fn user(&self, command: &UserCommand) -> Result<Value, CommandError> {
        match command {
            UserCommand::Create { email, role, at } => {
                self.create_user(email, role.as_deref(), at).await
            }
            UserCommand::List => {
                let people = self.store.people().list();
                let items: Vec<Value> = people.iter().map(|person| self.person(person)).collect();
                Ok(json!({ "items": items }))
            }
            UserCommand::SetupLink(who) => {
                let person = self.person_meant(who)?;
                let links = self.store.setup_links();
                let secret = links
                    .issue(person.id, &actor(), self.now, &mut SystemRandom)
                    .await?;
                Ok(self.with_link(&person, &secret))
            }
            UserCommand::Disable(who) => self.set_enabled(who, false).await,
            UserCommand::Enable(who) => self.set_enabled(who, true).await,
            UserCommand::ResetSecondFactor(who) => {
                let person = self.person_meant(who)?;
                let factors = self.store.second_factors();
                let removed = factors
                    .remove(&person, &actor(), self.now, &mut SystemRandom)
                    .await?;
                let id = person.id.to_string();
                Ok(json!({ "id": id, "email": person.email.as_str(), "removed": removed }))
            }
            UserCommand::Remove(who) => {
                let person = self.person_meant(who)?;
                self.store
                    .people()
                    .remove(person.id, &actor(), self.now, &mut SystemRandom)
                    .await?;
                Ok(json!({ "id": person.id.to_string(), "removed": true }))
            }
        }
    }

    async fn set_enabled(&self, who: &Who, enabled: bool) -> Result<Value, CommandError> {
        let person = self.person_meant(who)?;
        let people = self.store.people();
        let person = people
            .set_enabled(person.id, enabled, &actor(), self.now, &mut SystemRandom)
            .await?;
        Ok(self.person(&person))
    }

    async fn create_user(
        &self,
        email: &str,
        role: Option<&str>,
        at: &InWorkspace,
    ) -> Result<Value, CommandError> {
        let email = Subject::parse(email).map_err(|e| CommandError::usage(e.to_string()))?;
        let workspace = self.workspace_meant(at)?;
        let role = role.map(|word| self.find_role(word, &workspace.id));
        let role = role.transpose()?.map(|role| (None, role.key()));
        let people = self.store.people();
        let (person, secret) = people
            .invite(
                &workspace.id,
                email,
                role.into_iter().collect::<Assignments>(),
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

    pub(super) fn person(&self, person: &Person) -> Value {
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
            "state": if person.enabled { "enabled" } else { "disabled" },
        })
    }

    fn person_meant(&self, who: &Who) -> Result<Person, CommandError> {
        self.find_person(&who.email, who.at.workspace.as_deref())
    }

    pub(super) fn workspace_meant(
        &self,
        at: &InWorkspace,
    ) -> Result<std::sync::Arc<Workspace>, CommandError> {
        match &at.workspace {
            Some(word) => self.find_workspace(word),
            None => self.only_workspace(),
        }
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
