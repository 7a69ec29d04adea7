//! The origin: one stand-in per workspace, loaded when it is first asked, kept over restarts.
//!
//! A change is decided on the present state, written to the journal, and only then made. So an
//! answer never tells of a change that a crash could take back, and a reader never sees one. A state
//! that is put in the place of another goes the same way.
//!
//! A stand-in that nobody has asked for a while is forgotten: everything about it is in the database.

mod jobs;
mod present;
mod room;
mod rooms;
mod saved;

use std::sync::Arc;

use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use hallpass_openapi::Definition;
use hallpass_sandbox::{Caller, Outcome, Request, Sandbox};
use hallpass_store::{SandboxJournals, StoreError};
use jiff::Timestamp;
use tracing::Instrument as _;

use crate::permitted::Call;
pub(crate) use jobs::Caller as JobCaller;
pub(crate) use present::KeptAnswer;
use room::{Room, Written, in_background};
use rooms::Rooms;
pub use saved::Unrestorable;

/// How the stand-ins of an instance begin, and how large they may become.
#[derive(Debug, Clone)]
pub struct StandInSettings {
    /// How they behave.
    pub sandbox: hallpass_sandbox::Settings,
    /// The number that a first state is made from.
    pub seed: u64,
    /// Most objects of one state.
    pub objects: usize,
}

/// The stand-ins of one application instance, one per workspace.
#[derive(Clone)]
pub struct StandIns(Arc<Rooms>);

/// What all rooms share.
struct Shared {
    rules: Sandbox,
    journals: SandboxJournals,
    instance: ApplicationInstanceId,
    most_objects: usize,
}

/// A state that was saved.
#[derive(Debug)]
pub struct Saved {
    /// The document, as [`StandIns::restore`] takes it.
    pub document: String,
    /// How many objects it holds.
    pub objects: usize,
}

/// What the stand-in answers.
pub(crate) enum Answered {
    Made(Outcome),
    /// A 200 that changes nothing and is the same for the same request until something changes.
    Kept(KeptAnswer),
}

/// Why the stand-in gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// The database.
    #[error("the stand-in's journal failed")]
    Store(#[from] StoreError),
    /// What the database holds.
    #[error("the stand-in's state cannot be written or read as JSON")]
    Unreadable(#[source] serde_json::Error),
    /// The process is about to end.
    #[error("the stand-in was stopped")]
    Stopped,
    /// What is on disk is not known any more to be what was in memory, and is to be read again.
    #[error("the stand-in's state in memory is outdated")]
    Outdated,
    /// No room for what a call would add.
    #[error(
        "the stand-in is full: it may have {0} objects (`sandbox.objects`); delete some or reset it"
    )]
    Full(usize),
    /// What was to be restored.
    #[error(transparent)]
    Unrestorable(#[from] Unrestorable),
}

impl StandIns {
    /// Of one instance.
    pub fn new(
        definition: Arc<Definition>,
        settings: StandInSettings,
        journals: SandboxJournals,
        instance: ApplicationInstanceId,
    ) -> Self {
        let shared = Shared {
            rules: Sandbox::new(definition, settings.sandbox),
            journals,
            instance,
            most_objects: settings.objects,
        };
        Self(Arc::new(Rooms::new(shared, settings.seed)))
    }

    /// How many of them are in memory.
    pub fn in_memory(&self) -> usize {
        self.0.in_memory()
    }

    /// The whole state of a workspace as a document.
    pub async fn save(
        &self,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Saved, OriginError> {
        let room = self.0.room(workspace, now).await?;
        let (document, objects) = match room.save(now).await {
            Err(OriginError::Outdated) => {
                let room = self.0.instead_of(&room, workspace, now).await?;
                room.save(now).await?
            }
            saved => saved?,
        };
        Ok(Saved { document, objects })
    }

    /// Puts a saved state in the place of the workspace's; how many objects there are now. Nothing
    /// changes when the document is not good.
    pub async fn restore(
        &self,
        workspace: &WorkspaceId,
        document: impl AsRef<[u8]> + Send + 'static,
        now: Timestamp,
    ) -> Result<usize, OriginError> {
        let most = self.0.shared.most_objects;
        let read = move || Written::new(saved::read(document.as_ref(), most)?);
        let new = in_background(read).await?;
        self.replace(workspace, new, now).await
    }

    /// Begins anew, from another number or with another number of volumes where they are given; how
    /// many objects there are now.
    pub async fn reset(
        &self,
        workspace: &WorkspaceId,
        seed: Option<u64>,
        volumes: Option<usize>,
        now: Timestamp,
    ) -> Result<usize, OriginError> {
        let rooms = self.0.clone();
        let new = in_background(move || Written::new(rooms.new_state(seed, volumes, now)?)).await?;
        self.replace(workspace, new, now).await
    }

    /// In a task of its own: whoever asked for it may go away, and what is on disk and what is in
    /// memory must not differ.
    async fn replace(
        &self,
        workspace: &WorkspaceId,
        new: Written,
        now: Timestamp,
    ) -> Result<usize, OriginError> {
        let (rooms, workspace) = (self.0.clone(), workspace.clone());
        let replacing = async move { rooms.replace(&workspace, new, now).await };
        let done = tokio::spawn(replacing.in_current_span()).await;
        done.map_err(|_| OriginError::Stopped)?
    }

    /// Writes down which tasks have ended since the last time, of all stand-ins in memory. Those that are
    /// not tell of theirs when they are loaded.
    pub async fn tell_ends(&self, now: Timestamp) {
        self.tell_ends_in(self.0.loaded(), now).await;
    }

    /// The same of one workspace.
    pub(crate) async fn tell_ends_of(&self, workspace: &WorkspaceId, now: Timestamp) {
        let room = self.0.loaded_of(workspace);
        self.tell_ends_in(room.into_iter().collect(), now).await;
    }

    async fn tell_ends_in(&self, rooms: Vec<Arc<Room>>, now: Timestamp) {
        for room in rooms {
            let shared = self.0.shared.clone();
            // In a task of its own: whoever asked for it may go away.
            let telling = async move { room.tell_ends(&shared, now).await };
            let told = tokio::spawn(telling.in_current_span()).await;
            if let Ok(Err(error)) = told {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(error, "the ends of tasks were not written down");
            }
        }
    }

    /// Answers a permitted call. A change must be run in a task of its own: were it dropped half
    /// way, it could be in the journal and not in the state.
    pub(crate) async fn answer(
        &self,
        call: &Call,
        base_url: &str,
        begins: &JobCaller,
        now: Timestamp,
    ) -> Result<Answered, OriginError> {
        let principal = call.permitted.principal();
        let room = self.0.room(&principal.workspace, now).await?;
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
            task_fate: call.task_fate,
            uri: &uri,
        };
        if request.operation.method() == http::Method::GET {
            return Ok(room.read(&self.0.shared, &request, now));
        }
        // In boxes, since most calls only read and would carry the room for this.
        match Box::pin(room.change(&self.0.shared, &request, begins, now)).await {
            Err(OriginError::Outdated) => {
                let room = self.0.instead_of(&room, &principal.workspace, now);
                let room = Box::pin(room).await?;
                Box::pin(room.change(&self.0.shared, &request, begins, now)).await
            }
            outcome => outcome,
        }
        .map(Answered::Made)
    }
}
