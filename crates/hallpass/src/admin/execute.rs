//! What each administrative command does, whether it was sent to a running server or not. The
//! answers are JSON; the addresses in them are the real ones when a server runs.

use std::sync::Arc;

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, Secret, Subject, WorkspaceId};
use hallpass_store::audit::StoredEvent;
use hallpass_store::credentials::{CredentialError, IssuedCredential};
use hallpass_store::people::PersonError;
use hallpass_store::workspaces::WorkspaceError;
use hallpass_store::{
    Actor, ApplicationInstance, AuditQuery, Credential, Person, Store, StoreError, Workspace,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::admin::{
    AdminCommand, AuditCommand, CredentialCommand, InWorkspace, InstanceCommand, ROLES, RoleChange,
    RoleCommand, UserCommand, WorkspaceCommand,
};
use crate::command::{CommandError, chain};
use crate::serve::Addresses;

/// Executes a command.
pub(crate) async fn execute(
    command: &AdminCommand,
    store: &Store,
    addresses: &Addresses,
    now: Timestamp,
) -> Result<Value, CommandError> {
    let admin = Administrator {
        store,
        addresses,
        now,
    };
    match command {
        AdminCommand::Init => Ok(admin.init()),
        AdminCommand::User(command) => admin.user(command).await,
        AdminCommand::Role(command) => admin.role(command).await,
        AdminCommand::Workspace(command) => admin.workspace(command).await,
        AdminCommand::Instance(InstanceCommand::List) => Ok(admin.instances()),
        AdminCommand::Credential(command) => admin.credential(command).await,
        AdminCommand::Audit(AuditCommand::List { limit, at }) => admin.audit(*limit, at).await,
    }
}

struct Administrator<'a> {
    store: &'a Store,
    addresses: &'a Addresses,
    now: Timestamp,
}

impl Administrator<'_> {
    fn init(&self) -> Value {
        json!({
            "workspaces": self.store.workspaces().list().len(),
            "instances": self.store.workspaces().instances().len(),
            "tokenUrl": self.addresses.token_url,
        })
    }

    async fn user(&self, command: &UserCommand) -> Result<Value, CommandError> {
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
                let person = self.find_person(email, at)?;
                let links = self.store.setup_links();
                let secret = links
                    .issue(person.id, &actor(), self.now, &mut SystemRandom)
                    .await?;
                Ok(self.with_link(&person, &secret))
            }
            UserCommand::Remove { email, at } => {
                let person = self.find_person(email, at)?;
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

    async fn role(&self, command: &RoleCommand) -> Result<Value, CommandError> {
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
        let person = self.find_person(&change.user, &change.at)?;
        let instance = match &change.instance {
            Some(word) => Some(self.find_instance(word)?.id.clone()),
            None => None,
        };
        Ok((person, instance, parse_role(&change.role)?))
    }

    async fn workspace(&self, command: &WorkspaceCommand) -> Result<Value, CommandError> {
        let workspaces = self.store.workspaces();
        match command {
            WorkspaceCommand::Create { name } => {
                let made = workspaces
                    .create(name, &actor(), self.now, &mut SystemRandom)
                    .await?;
                Ok(self.workspace_value(&made))
            }
            WorkspaceCommand::List => {
                let items: Vec<Value> = workspaces
                    .list()
                    .iter()
                    .map(|known| self.workspace_value(known))
                    .collect();
                Ok(json!({ "items": items }))
            }
        }
    }

    fn instances(&self) -> Value {
        let items: Vec<Value> = self
            .store
            .workspaces()
            .instances()
            .iter()
            .map(|instance| {
                json!({
                    "name": instance.name,
                    "applicationInstanceId": instance.id.as_str(),
                    "title": instance.title,
                    "baseUrl": self.addresses.instances.get(&instance.name),
                })
            })
            .collect();
        json!({ "items": items })
    }

    async fn credential(&self, command: &CredentialCommand) -> Result<Value, CommandError> {
        let (credentials, rng) = (self.store.credentials(), &mut SystemRandom);
        match command {
            CredentialCommand::Create {
                owner,
                instance,
                name,
                at,
            } => {
                let owner = self.find_person(owner, at)?;
                let instance = self.find_instance(instance)?.id.clone();
                let issued = credentials
                    .create(owner.id, instance, name, &actor(), self.now, rng)
                    .await?;
                Ok(self.issued(&issued))
            }
            CredentialCommand::List { owner, at } => {
                let owner = match owner {
                    Some(email) => Some(self.find_person(email, at)?.id),
                    None => None,
                };
                let workspace = match &at.workspace {
                    Some(word) => Some(self.find_workspace(word)?.id.clone()),
                    None => None,
                };
                let items: Vec<Value> = credentials
                    .list(owner)
                    .iter()
                    .filter(|known| workspace.as_ref().is_none_or(|id| *id == known.workspace))
                    .map(|known| self.credential_value(known))
                    .collect();
                Ok(json!({ "items": items }))
            }
            CredentialCommand::Reset { client_id } => {
                let issued = credentials
                    .reset(client_id, &actor(), self.now, rng)
                    .await?;
                Ok(self.issued(&issued))
            }
            CredentialCommand::Delete { client_id } => {
                credentials
                    .delete(client_id, &actor(), self.now, rng)
                    .await?;
                Ok(json!({ "clientId": client_id, "deleted": true }))
            }
        }
    }

    async fn audit(&self, limit: u32, at: &InWorkspace) -> Result<Value, CommandError> {
        let workspace = match &at.workspace {
            Some(word) => Some(self.find_workspace(word)?.id.clone()),
            None => None,
        };
        let query = AuditQuery {
            workspace,
            oldest_first: false,
            after: None,
            limit,
        };
        self.store.audit_log().settle().await?;
        let events = self.store.audit_log().read(&query).await?;
        Ok(json!({ "items": events.iter().map(audit_value).collect::<Vec<_>>() }))
    }

    fn issued(&self, issued: &IssuedCredential) -> Value {
        let credential = &issued.credential;
        let instance = self.instance_name(&credential.instance);
        json!({
            "clientId": credential.client_id.as_str(),
            "clientSecret": issued.secret.expose(),
            "name": credential.name,
            "owner": credential.owner_email,
            "workspaceId": credential.workspace.as_str(),
            "instance": instance,
            "applicationInstanceId": credential.instance.as_str(),
            "tokenUrl": self.addresses.token_url,
            "baseUrl": self.addresses.instances.get(&instance),
        })
    }

    fn credential_value(&self, credential: &Credential) -> Value {
        json!({
            "clientId": credential.client_id.as_str(),
            "name": credential.name,
            "owner": credential.owner_email,
            "instance": self.instance_name(&credential.instance),
            "workspaceId": credential.workspace.as_str(),
            "generation": credential.generation,
            "createdAt": credential.created_at.to_string(),
            "updatedAt": credential.updated_at.to_string(),
        })
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

    fn workspace_value(&self, workspace: &Workspace) -> Value {
        let path = format!("/authorization/v2/oauth2/{}/token", workspace.id);
        json!({
            "workspaceId": workspace.id.as_str(),
            "name": workspace.name,
            "tokenUrl": format!("{}{path}", self.addresses.authorization_server),
        })
    }

    fn instance_name(&self, id: &ApplicationInstanceId) -> String {
        self.store
            .workspaces()
            .find_instance(id.as_str())
            .map_or_else(|| id.to_string(), |instance| instance.name.clone())
    }

    fn find_person(&self, email: &str, at: &InWorkspace) -> Result<Person, CommandError> {
        let workspace: Option<WorkspaceId> = match &at.workspace {
            Some(word) => Some(self.find_workspace(word)?.id.clone()),
            None => None,
        };
        Ok(self.store.people().find(email, workspace.as_ref())?)
    }

    fn find_workspace(&self, word: &str) -> Result<Arc<Workspace>, CommandError> {
        let known = self.store.workspaces().list();
        known
            .into_iter()
            .find(|workspace| workspace.name == word || workspace.id.as_str() == word)
            .ok_or_else(|| {
                CommandError::refused(format!("there is no workspace {word}"))
                    .hint("`hallpass admin workspace list` shows them")
            })
    }

    fn only_workspace(&self) -> Result<Arc<Workspace>, CommandError> {
        let mut known = self.store.workspaces().list();
        match (known.pop(), known.len()) {
            (Some(workspace), 0) => Ok(workspace),
            _ => Err(CommandError::usage("there are several workspaces").hint(
                "name one with --workspace NAME; `hallpass admin workspace list` shows them",
            )),
        }
    }

    fn find_instance(&self, word: &str) -> Result<Arc<ApplicationInstance>, CommandError> {
        self.store.workspaces().find_instance(word).ok_or_else(|| {
            let names: Vec<String> = self
                .store
                .workspaces()
                .instances()
                .iter()
                .map(|instance| instance.name.clone())
                .collect();
            CommandError::refused(format!("there is no application instance {word}"))
                .hint(format!("the instances are {}", names.join(", ")))
        })
    }
}

/// Whoever may open the data directory may do everything; the log says it was them.
pub(crate) fn actor() -> Actor {
    Actor {
        email: "local administrator".to_owned(),
        client_id: String::new(),
        address: String::new(),
        source: "hallpass admin",
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

fn audit_value(stored: &StoredEvent) -> Value {
    let event = &stored.event;
    json!({
        "occurredAt": event.occurred_at.to_string(),
        "state": event.state.as_str(),
        "message": event.message,
        "count": event.count,
        "user": event.user_email,
        "clientId": event.client_id,
        "permission": event.permission,
        "resource": event.resource.id,
        "taskId": event.task_id,
        "code": event.code,
        "address": event.source_ip,
        "source": event.source,
    })
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::refused(chain(&error))
    }
}

impl From<PersonError> for CommandError {
    fn from(error: PersonError) -> Self {
        let hint = match error {
            PersonError::Unknown(_) => Some("`hallpass admin user list` shows the people"),
            PersonError::Ambiguous(_) => Some("add --workspace NAME"),
            PersonError::NotAssigned { .. } => {
                Some("`hallpass admin user list` shows who has which role, and on which instance")
            }
            _ => None,
        };
        Self::refused(chain(&error)).maybe_hint(hint.map(str::to_owned))
    }
}

impl From<CredentialError> for CommandError {
    fn from(error: CredentialError) -> Self {
        let hint = match error {
            CredentialError::LimitReached(_) => Some(
                "delete one that is not needed: `hallpass admin credential list --owner EMAIL`",
            ),
            CredentialError::NameTaken(_) => Some("choose another name, or reset the existing one"),
            CredentialError::Unknown(_) => Some("`hallpass admin credential list` shows them"),
            _ => None,
        };
        Self::refused(chain(&error)).maybe_hint(hint.map(str::to_owned))
    }
}

impl From<WorkspaceError> for CommandError {
    fn from(error: WorkspaceError) -> Self {
        Self::refused(chain(&error))
    }
}
