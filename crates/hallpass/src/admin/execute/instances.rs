//! Application instances.

use std::sync::Arc;

use hallpass_oauth::ApplicationInstanceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::ApplicationInstance;
use hallpass_store::instances::{Origin, Upstream};
use serde_json::{Value, json};

use super::{Administrator, actor};
use crate::admin::InstanceCommand;
use crate::command::CommandError;

impl Administrator<'_> {
    pub(super) async fn instance(&self, command: &InstanceCommand) -> Result<Value, CommandError> {
        let workspaces = self.store.workspaces();
        let rng = &mut SystemRandom;
        match command {
            InstanceCommand::List => {
                let known = workspaces.instances();
                let items = known.iter().map(|instance| self.instance_value(instance));
                Ok(json!({ "items": items.collect::<Vec<_>>() }))
            }
            InstanceCommand::Show { instance } => {
                let instance = self.find_instance(instance)?;
                let mut shown = self.instance_value(&instance);
                shown["credentials"] = json!(workspaces.credentials_for(&instance.id));
                Ok(shown)
            }
            InstanceCommand::Create {
                name,
                title,
                listen,
                wanted,
            } => {
                let new = wanted.new_instance(name, title, listen);
                let made = workspaces
                    .create_instance(new, &actor(), self.now, rng)
                    .await?;
                Ok(self.instance_value(&made))
            }
            InstanceCommand::Change {
                instance,
                title,
                listen,
                wanted,
                enable,
            } => {
                let instance = self.find_instance(instance)?;
                let change = wanted.change(title.as_deref(), listen.as_ref(), *enable);
                let changed = workspaces
                    .change_instance(&instance.id, change, &actor(), self.now, rng)
                    .await?;
                Ok(self.instance_value(&changed))
            }
            InstanceCommand::Remove {
                instance,
                with_credentials,
            } => {
                let instance = self.find_instance(instance)?;
                workspaces
                    .remove_instance(&instance.id, *with_credentials, &actor(), self.now, rng)
                    .await?;
                Ok(json!({"name": instance.name, "removed": true}))
            }
        }
    }

    fn instance_value(&self, instance: &ApplicationInstance) -> Value {
        let (origin, passes_token) = match &instance.origin {
            Origin::Sandbox => (None, false),
            Origin::Upstream(Upstream { url, passes_token }) => (Some(url.as_str()), *passes_token),
        };
        let mut value = json!({
            "name": instance.name,
            "applicationInstanceId": instance.id.as_str(),
            "title": instance.title,
            "region": instance.region,
            "baseUrl": self.addresses.of_instance(instance),
        });
        // The platform is answered by this system itself.
        if !instance.is_platform() {
            value["origin"] = json!(origin.unwrap_or("sandbox"));
            if origin.is_some() {
                value["passesToken"] = json!(passes_token);
            }
            value["listen"] = json!(instance.listen.map(|address| address.to_string()));
            value["enabled"] = json!(instance.enabled);
        }
        value
    }

    pub(super) fn base_url_of(&self, id: &ApplicationInstanceId) -> Option<String> {
        let instance = self.store.workspaces().find_instance(id.as_str())?;
        self.addresses.of_instance(&instance)
    }

    pub(super) fn instance_name(&self, id: &ApplicationInstanceId) -> String {
        self.store
            .workspaces()
            .find_instance(id.as_str())
            .map_or_else(|| id.to_string(), |instance| instance.name.clone())
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
