//! Workspaces and application instances.

use std::sync::Arc;

use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use hallpass_store::{ApplicationInstance, Workspace};
use serde_json::{Value, json};

use super::{Administrator, actor};
use crate::admin::WorkspaceCommand;
use crate::command::CommandError;

impl Administrator<'_> {
    pub(super) async fn workspace(
        &self,
        command: &WorkspaceCommand,
    ) -> Result<Value, CommandError> {
        let workspaces = self.store.workspaces();
        match command {
            WorkspaceCommand::Create { name, managed_by } => {
                let manager = match managed_by {
                    Some(word) => Some(self.find_workspace(word)?.id.clone()),
                    None => None,
                };
                let made = workspaces
                    .create_managed(name, manager, &actor(), self.now, &mut SystemRandom)
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

    pub(super) fn instances(&self) -> Value {
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

    fn workspace_value(&self, workspace: &Workspace) -> Value {
        let path = format!("/authorization/v2/oauth2/{}/token", workspace.id);
        json!({
            "workspaceId": workspace.id.as_str(),
            "name": workspace.name,
            "managedBy": workspace.managed_by.as_ref().map(WorkspaceId::as_str),
            "tokenUrl": format!("{}{path}", self.addresses.authorization_server),
        })
    }

    pub(super) fn instance_name(&self, id: &ApplicationInstanceId) -> String {
        self.store
            .workspaces()
            .find_instance(id.as_str())
            .map_or_else(|| id.to_string(), |instance| instance.name.clone())
    }

    pub(super) fn find_workspace(&self, word: &str) -> Result<Arc<Workspace>, CommandError> {
        let known = self.store.workspaces().list();
        known
            .into_iter()
            .find(|workspace| workspace.name == word || workspace.id.as_str() == word)
            .ok_or_else(|| {
                CommandError::refused(format!("there is no workspace {word}"))
                    .hint("`hallpass admin workspace list` shows them")
            })
    }

    /// The id of a workspace where one was named.
    pub(super) fn workspace_id(
        &self,
        word: Option<&str>,
    ) -> Result<Option<WorkspaceId>, CommandError> {
        word.map(|word| Ok(self.find_workspace(word)?.id.clone()))
            .transpose()
    }

    pub(super) fn only_workspace(&self) -> Result<Arc<Workspace>, CommandError> {
        let mut known = self.store.workspaces().list();
        match (known.pop(), known.len()) {
            (Some(workspace), 0) => Ok(workspace),
            _ => Err(CommandError::usage("there are several workspaces").hint(
                "name one with --workspace NAME; `hallpass admin workspace list` shows them",
            )),
        }
    }

    pub(super) fn find_instance(
        &self,
        word: &str,
    ) -> Result<Arc<ApplicationInstance>, CommandError> {
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
