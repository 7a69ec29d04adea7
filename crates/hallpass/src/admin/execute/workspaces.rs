//! Workspaces.

use std::sync::Arc;

use hallpass_oauth::WorkspaceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Workspace;
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
            WorkspaceCommand::Show { workspace } => {
                let known = self.find_workspace(workspace)?;
                let mut shown = self.workspace_value(&known);
                shown["people"] = json!(workspaces.people(&known.id));
                let all = workspaces.list();
                let tenants = all
                    .iter()
                    .filter(|w| w.managed_by.as_ref() == Some(&known.id));
                let tenants: Vec<&str> = tenants.map(|tenant| tenant.name.as_str()).collect();
                shown["manages"] = json!(tenants);
                Ok(shown)
            }
            WorkspaceCommand::Rename { workspace, name } => {
                let known = self.find_workspace(workspace)?;
                let renamed = workspaces
                    .rename(&known.id, name, &actor(), self.now, &mut SystemRandom)
                    .await?;
                Ok(self.workspace_value(&renamed))
            }
            WorkspaceCommand::Remove { workspace } => {
                let known = self.find_workspace(workspace)?;
                workspaces
                    .remove(&known.id, &actor(), self.now, &mut SystemRandom)
                    .await?;
                Ok(json!({"workspaceId": known.id.as_str(), "name": known.name, "removed": true}))
            }
        }
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
}
