//! The origin: one stand-in per workspace, loaded when it is first asked, kept over restarts.
//!
//! A change is decided on the present state, written to the journal, and only then made. So an
//! answer never tells of a change that a crash could take back, and a reader never sees one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use hallpass_sandbox::{Caller, Change, Outcome, Request, Sandbox, State, TaskFate};
use hallpass_store::{JournalEntry, SandboxJournals, StoreError};
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::permitted::Call;

/// The stand-ins of one application instance.
pub(crate) struct Sandboxes {
    shared: Shared,
    rooms: Mutex<HashMap<WorkspaceId, Arc<OnceCell<Arc<Room>>>>>,
    seed: u64,
}

struct Shared {
    rules: Sandbox,
    journals: SandboxJournals,
    instance: ApplicationInstanceId,
}

/// The stand-in of one workspace.
struct Room {
    workspace: WorkspaceId,
    state: RwLock<State>,
    /// Held while a change is decided, journalled and made; counts the changes.
    turn: tokio::sync::Mutex<u64>,
}

/// Why the stand-in gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OriginError {
    #[error("the stand-in's journal failed")]
    Store(#[from] StoreError),
    #[error("the stand-in's state cannot be written or read as JSON")]
    Unreadable(#[source] serde_json::Error),
}

/// How many changes may stand in the journal before the state is saved as a whole.
const CHANGES_PER_SNAPSHOT: u64 = 1000;

impl Sandboxes {
    pub(crate) fn new(
        rules: Sandbox,
        journals: SandboxJournals,
        instance: ApplicationInstanceId,
        seed: u64,
    ) -> Self {
        Self {
            shared: Shared {
                rules,
                journals,
                instance,
            },
            rooms: Mutex::default(),
            seed,
        }
    }

    /// Answers a permitted call. A change must be run in a task of its own: were it dropped half
    /// way, it could be in the journal and not in the state.
    pub(crate) async fn answer(
        &self,
        call: &Call,
        base_url: &str,
        now: Timestamp,
    ) -> Result<Outcome, OriginError> {
        let principal = call.permitted.principal();
        let room = self.room(&principal.workspace, now).await?;
        let uri = call.target.url(base_url);
        let request = Request {
            operation: call.permitted.operation(),
            path: &call.path,
            query: call.target.query(),
            body: call.body.as_deref(),
            caller: Caller {
                email: principal.email.as_str(),
                customer_id: principal.customer.as_str(),
            },
            task_fate: TaskFate::Normal,
            uri: &uri,
        };
        if request.operation.method() == http::Method::GET {
            return Ok(room.read(&self.shared, &request, now));
        }
        room.change(&self.shared, &request, now).await
    }

    async fn room(
        &self,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Arc<Room>, OriginError> {
        let cell = {
            let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.entry(workspace.clone()).or_default().clone()
        };
        let load = || async { Ok(Arc::new(self.load(workspace, now).await?)) };
        cell.get_or_try_init(load).await.cloned()
    }

    async fn load(&self, workspace: &WorkspaceId, now: Timestamp) -> Result<Room, OriginError> {
        let Shared {
            rules,
            journals,
            instance,
        } = &self.shared;
        let (state, changes) = if let Some(stored) = journals.load(workspace, instance).await? {
            let mut state: State =
                serde_json::from_str(&stored.state).map_err(OriginError::Unreadable)?;
            for entry in &stored.entries {
                let changes: Vec<Change> =
                    serde_json::from_str(&entry.changes).map_err(OriginError::Unreadable)?;
                state.commit(&changes, entry.at);
            }
            (state, stored.last_sequence())
        } else {
            let state = rules.seed(self.seed, now);
            let text = serde_json::to_string(&state).map_err(OriginError::Unreadable)?;
            journals.snapshot(workspace, instance, 0, &text).await?;
            (state, 0)
        };
        Ok(Room {
            workspace: workspace.clone(),
            state: RwLock::new(state),
            turn: tokio::sync::Mutex::new(changes),
        })
    }
}

impl Room {
    fn read(&self, shared: &Shared, request: &Request<'_>, now: Timestamp) -> Outcome {
        // Not while a change is on its way into the journal: tasks that went on before it here would
        // go on after it when the journal is replayed.
        if let Ok(_turn) = self.turn.try_lock() {
            self.catch_up(now);
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let now = state.not_before(now);
        shared.rules.apply(&state, request, now, &mut SystemRandom)
    }

    async fn change(
        &self,
        shared: &Shared,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Outcome, OriginError> {
        let mut changes_made = self.turn.lock().await;
        self.catch_up(now);
        let (outcome, now) = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            let now = state.not_before(now);
            let outcome = shared.rules.apply(&state, request, now, &mut SystemRandom);
            (outcome, now)
        };
        if outcome.changes.is_empty() {
            return Ok(outcome);
        }
        let entry = JournalEntry {
            sequence: *changes_made + 1,
            at: now,
            changes: serde_json::to_string(&outcome.changes).map_err(OriginError::Unreadable)?,
        };
        shared
            .journals
            .append(&self.workspace, &shared.instance, entry)
            .await?;
        *changes_made += 1;
        self.state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .commit(&outcome.changes, now);
        if changes_made.is_multiple_of(CHANGES_PER_SNAPSHOT)
            && let Err(error) = self.save(shared, *changes_made).await
        {
            // The change is in the journal all the same; the next round saves more at once.
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(error, "the stand-in's state was not saved");
        }
        Ok(outcome)
    }

    /// Lets tasks go on that are due. Nothing to journal: it follows from the state and the time.
    fn catch_up(&self, now: Timestamp) {
        let due = |state: &State| state.next_due().is_some_and(|due| due <= now);
        if due(&self.state.read().unwrap_or_else(PoisonError::into_inner)) {
            self.state
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .advance(now);
        }
    }

    async fn save(&self, shared: &Shared, sequence: u64) -> Result<(), OriginError> {
        let text = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            serde_json::to_string(&*state).map_err(OriginError::Unreadable)?
        };
        Ok(shared
            .journals
            .snapshot(&self.workspace, &shared.instance, sequence, &text)
            .await?)
    }
}
