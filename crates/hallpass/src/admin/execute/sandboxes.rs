//! Stand-ins and faults.

use std::convert::Infallible;
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
                let stand_ins = self.stand_ins(&place)?;
                let saved = stand_ins.save(&place.workspace, self.now).await;
                if self.config.audit.reads {
                    let state = end_of(&saved);
                    self.record("Save the stand-in", &place, state).await?;
                }
                let saved = saved.map_err(|error| failed(&error))?;
                let mut answer = json!({"objects": saved.objects});
                answer["document"] = Value::String(saved.document);
                Ok(answer)
            }
            SandboxCommand::Restore { of, file } => {
                let Document::Read(document) = file else {
                    return Err(CommandError::usage("the file was not read"));
                };
                let place = self.place(of)?;
                let (stand_ins, document) = (self.stand_ins(&place)?, document.clone());
                let restoring = stand_ins.restore(&place.workspace, document, self.now);
                self.replaced("Restore the stand-in", &place, restoring)
                    .await
            }
            SandboxCommand::Reset { of, seed, volumes } => {
                let place = self.place(of)?;
                let stand_ins = self.stand_ins(&place)?;
                let resetting = stand_ins.reset(&place.workspace, *seed, *volumes, self.now);
                self.replaced("Reset the stand-in", &place, resetting).await
            }
            SandboxCommand::Fault(command) => self.fault(command).await,
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
        replacing: impl Future<Output = Result<usize, OriginError>>,
    ) -> Result<Value, CommandError> {
        let objects = self.audited(what, place, replacing).await?;
        let objects = objects.map_err(|error| failed(&error))?;
        Ok(json!({"instance": place.instance.name, "objects": objects}))
    }

    /// Does something between the two events that tell of it: not at all when the first cannot be
    /// written.
    async fn audited<T, E>(
        &self,
        what: &str,
        on: &impl Audited,
        doing: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, CommandError> {
        self.record(what, on, AuditState::Initiated).await?;
        let done = doing.await;
        self.record(what, on, end_of(&done)).await?;
        Ok(done)
    }

    async fn record(
        &self,
        what: &str,
        on: &impl Audited,
        state: AuditState,
    ) -> Result<(), CommandError> {
        let word = match state {
            AuditState::Initiated => "Initiated",
            AuditState::Success => "Completed",
            AuditState::Failure | AuditState::PermissionDenied => "Failed",
        };
        let who = actor();
        let (workspace, instance) = on.names();
        let message = format!("{what} of {instance} - {word}");
        let mut event = AuditEvent::new(state, message, who.source, self.now, &mut SystemRandom);
        event.workspace = workspace.cloned();
        event.user_email = who.email;
        Ok(self.store.audit_log().record(event).await?)
    }

    async fn fault(&self, command: &FaultCommand) -> Result<Value, CommandError> {
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
                let adding = async { server.faults().add(rule) };
                let named: String = faults.chars().take(LONGEST_NAMED).collect();
                let what = format!("Add the faults `{named}`");
                let id = self.audited(&what, &*instance, adding).await?;
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
            FaultCommand::Clear { .. } => {
                let clearing = async { Ok::<_, Infallible>(server.faults().clear()) };
                let Ok(cleared) = self
                    .audited("Clear the faults", &*instance, clearing)
                    .await?;
                Ok(json!({ "cleared": cleared }))
            }
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
        let served = self.config.api.load()?;
        Ok(StandIns::new(
            served.whole().clone(),
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

/// Most characters of faults that go into an audit event.
const LONGEST_NAMED: usize = 200;

/// What an event can be about.
trait Audited {
    /// The workspace, where it is about one only, and the instance.
    fn names(&self) -> (Option<&WorkspaceId>, &str);
}

impl Audited for Place {
    fn names(&self) -> (Option<&WorkspaceId>, &str) {
        (Some(&self.workspace), &self.instance.name)
    }
}

impl Audited for ApplicationInstance {
    fn names(&self) -> (Option<&WorkspaceId>, &str) {
        (None, &self.name)
    }
}

fn end_of<T, E>(done: &Result<T, E>) -> AuditState {
    match done {
        Ok(_) => AuditState::Success,
        Err(_) => AuditState::Failure,
    }
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
