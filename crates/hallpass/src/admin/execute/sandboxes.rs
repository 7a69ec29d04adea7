//! Stand-ins and faults.

use std::sync::Arc;

use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use hallpass_resource_server::{FaultRule, OriginError, ResourceServer, StandIns};
use hallpass_store::{ApplicationInstance, AuditEvent, AuditState};
use serde_json::{Value, json};

use super::{Administrator, actor};
use crate::admin::sandbox::{Document, FaultCommand, SandboxCommand, StandInArgs};
use crate::command::{CommandError, Exit, chain};

impl Administrator<'_> {
    pub(super) async fn sandbox(&self, command: &SandboxCommand) -> Result<Value, CommandError> {
        match command {
            SandboxCommand::List => self.list_sandboxes().await,
            SandboxCommand::Save { of, .. } => {
                let place = self.place(of)?;
                let saved = self
                    .stand_ins(&place)?
                    .save(&place.workspace, self.now)
                    .await;
                let saved = saved.map_err(|error| failed(&error))?;
                Ok(json!({"objects": saved.objects, "document": saved.document}))
            }
            SandboxCommand::Restore { of, file } => {
                let Document::Read(document) = file else {
                    return Err(CommandError::usage("the file was not read"));
                };
                let place = self.place(of)?;
                let (stand_ins, document) = (self.stand_ins(&place)?, document.clone());
                let restoring = stand_ins.restore(&place.workspace, document, self.now);
                self.replaced("Restore the stand-in", &place, restoring.await)
                    .await
            }
            SandboxCommand::Reset { of, seed, volumes } => {
                let place = self.place(of)?;
                let stand_ins = self.stand_ins(&place)?;
                let resetting = stand_ins.reset(&place.workspace, *seed, *volumes, self.now);
                self.replaced("Reset the stand-in", &place, resetting.await)
                    .await
            }
            SandboxCommand::Fault(command) => self.fault(command),
        }
    }

    async fn list_sandboxes(&self) -> Result<Value, CommandError> {
        let workspaces = self.store.workspaces();
        let mut items = Vec::new();
        for listed in self.store.sandbox_journals().list().await? {
            let mut known = workspaces.list().into_iter();
            let workspace = known.find(|known| known.id.as_str() == listed.workspace);
            let instance = workspaces.find_instance(&listed.instance);
            items.push(json!({
                "workspace": workspace.map_or(listed.workspace, |known| known.name.clone()),
                "instance": instance.map_or(listed.instance, |known| known.name.clone()),
                "changes": listed.changes,
                "snapshotBytes": listed.snapshot_bytes,
                "changesSinceSnapshot": listed.journal_entries,
            }));
        }
        Ok(json!({ "items": items }))
    }

    async fn replaced(
        &self,
        what: &str,
        place: &Place,
        outcome: Result<usize, OriginError>,
    ) -> Result<Value, CommandError> {
        let (state, word) = match outcome {
            Ok(_) => (AuditState::Success, "Completed"),
            Err(_) => (AuditState::Failure, "Failed"),
        };
        let who = actor();
        let message = format!("{what} of {} - {word}", place.instance.name);
        let mut event = AuditEvent::new(state, message, who.source, self.now, &mut SystemRandom);
        event.workspace = Some(place.workspace.clone());
        event.user_email = who.email;
        self.store.audit_log().record(event).await?;
        let objects = outcome.map_err(|error| failed(&error))?;
        Ok(json!({"instance": place.instance.name, "objects": objects}))
    }

    fn fault(&self, command: &FaultCommand) -> Result<Value, CommandError> {
        let (FaultCommand::Add { instance, .. }
        | FaultCommand::List { instance }
        | FaultCommand::Clear { instance }) = command;
        let instance = self.find_instance(instance)?;
        let server = self.running(&instance).ok_or_else(|| {
            CommandError::refused(format!("no server runs that serves {}", instance.name)).hint(
                "start `hallpass serve`, or write the faults into hallpass.toml as \
                 sandbox.faults.rules",
            )
        })?;
        match command {
            FaultCommand::Add { faults, on, .. } => {
                let rule = FaultRule {
                    on: on.clone(),
                    faults: faults.clone(),
                };
                let id = server.faults().add(rule);
                let id = id.map_err(|error| CommandError::usage(chain(&error)))?;
                Ok(json!({"id": id, "faults": faults}))
            }
            FaultCommand::List { .. } => {
                let rules = server.faults().list();
                let items = rules.iter().map(|listed| {
                    json!({
                        "id": listed.id,
                        "faults": listed.rule.faults,
                        "on": listed.rule.on,
                        "calls": listed.calls,
                    })
                });
                Ok(json!({ "items": items.collect::<Vec<_>>() }))
            }
            FaultCommand::Clear { .. } => Ok(json!({ "cleared": server.faults().clear() })),
        }
    }

    fn place(&self, of: &StandInArgs) -> Result<Place, CommandError> {
        let workspace = match &of.at.workspace {
            Some(word) => self.find_workspace(word)?,
            None => self.only_workspace()?,
        };
        let instance = self.find_instance(&of.instance)?;
        if instance.id == ApplicationInstanceId::platform() {
            return Err(CommandError::refused(format!(
                "{} is the platform itself and has no stand-in",
                instance.name
            ))
            .hint("name a region, such as us1"));
        }
        Ok(Place {
            workspace: workspace.id.clone(),
            instance,
        })
    }

    /// Those of the running server, so that its next call sees the change; otherwise some of our own.
    fn stand_ins(&self, place: &Place) -> Result<StandIns, CommandError> {
        if let Some(server) = self.running(&place.instance) {
            return Ok(server.stand_ins().clone());
        }
        let definition = crate::definition::load(self.config.api.as_deref())?.definition;
        Ok(StandIns::new(
            Arc::new(definition),
            self.config.stand_in(),
            self.store.sandbox_journals(),
            place.instance.id.clone(),
        ))
    }

    fn running(&self, instance: &ApplicationInstance) -> Option<&Arc<ResourceServer>> {
        let mut running = self.running.iter();
        running
            .find(|(name, _)| *name == instance.name)
            .map(|(_, server)| server)
    }
}

/// A stand-in.
struct Place {
    workspace: WorkspaceId,
    instance: Arc<ApplicationInstance>,
}

fn failed(error: &OriginError) -> CommandError {
    let error = match error {
        OriginError::Unrestorable(_) => CommandError::new(Exit::Usage, chain(error)),
        _ => CommandError::caused(Exit::Refused, "the stand-in cannot do that", error),
    };
    error.hint(
        "nothing was changed; `hallpass admin sandbox save` writes a state that can be restored",
    )
}
