//! The origin: one stand-in per workspace, loaded when it is first asked, kept over restarts.
//!
//! A change is decided on the present state, written to the journal, and only then made. So an
//! answer never tells of a change that a crash could take back, and a reader never sees one. A state
//! that is put in the place of another goes the same way.
//!
//! A stand-in that nobody has asked for a while is forgotten: everything about it is in the database.

mod room;
mod saved;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use hallpass_openapi::Definition;
use hallpass_sandbox::{Caller, Outcome, Request, Sandbox, State};
use hallpass_store::{SandboxJournals, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use crate::permitted::Call;
use room::{Room, in_background};
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

struct Rooms {
    shared: Arc<Shared>,
    rooms: Mutex<Known>,
    seed: u64,
}

/// What all rooms share.
struct Shared {
    rules: Sandbox,
    journals: SandboxJournals,
    instance: ApplicationInstanceId,
    most_objects: usize,
}

#[derive(Default)]
struct Known {
    rooms: HashMap<WorkspaceId, Slot>,
    swept: Option<Timestamp>,
}

struct Slot {
    room: Arc<OnceCell<Arc<Room>>>,
    asked: Timestamp,
}

/// How long a stand-in is kept in memory that nobody asks.
const IDLE: SignedDuration = SignedDuration::from_mins(15);

/// How often it is looked for those.
const SWEEP: SignedDuration = SignedDuration::from_mins(1);

/// A state that was saved.
#[derive(Debug)]
pub struct Saved {
    /// The document, as [`StandIns::restore`] takes it.
    pub document: String,
    /// How many objects it holds.
    pub objects: usize,
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
        Self(Arc::new(Rooms {
            shared: Arc::new(Shared {
                rules: Sandbox::new(definition, settings.sandbox),
                journals,
                instance,
                most_objects: settings.objects,
            }),
            rooms: Mutex::default(),
            seed: settings.seed,
        }))
    }

    /// How many of them are in memory.
    pub fn in_memory(&self) -> usize {
        let known = self.0.rooms.lock();
        known.unwrap_or_else(PoisonError::into_inner).rooms.len()
    }

    /// The whole state of a workspace as a document.
    pub async fn save(
        &self,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Saved, OriginError> {
        let room = self.0.room(workspace, now).await?;
        let (document, objects) = room.save(now).await?;
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
        let read = move || Ok(saved::read(document.as_ref(), most)?);
        let state = in_background(read).await?;
        self.replace(workspace, state, now).await
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
        let state = in_background(move || rooms.first_state(seed, volumes, now)).await?;
        self.replace(workspace, state, now).await
    }

    /// In a task of its own: whoever asked for it may go away, and what is on disk and what is in
    /// memory must not differ.
    async fn replace(
        &self,
        workspace: &WorkspaceId,
        state: State,
        now: Timestamp,
    ) -> Result<usize, OriginError> {
        let (rooms, workspace) = (self.0.clone(), workspace.clone());
        let objects = state.len();
        let replacing = async move {
            match rooms.room(&workspace, now).await {
                Ok(room) => room.replace(&rooms.shared, state).await,
                // A state that cannot be read is what this is for, too.
                Err(OriginError::Unreadable(_)) => rooms.overwrite(&workspace, &state).await,
                Err(error) => Err(error),
            }
        };
        let done = tokio::spawn(replacing).await;
        done.map_err(|_| OriginError::Stopped)??;
        Ok(objects)
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
        room.change(&self.0.shared, &request, now).await
    }
}

impl Rooms {
    async fn room(
        self: &Arc<Self>,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Arc<Room>, OriginError> {
        let (cell, idle) = {
            let mut known = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
            (known.cell(workspace, now), known.sweep(now))
        };
        if !idle.is_empty() {
            // Taking a large state apart takes long.
            tokio::task::spawn_blocking(move || drop(idle));
        }
        let load = || async { Ok(Arc::new(self.load(workspace, now).await?)) };
        cell.get_or_try_init(load).await.cloned()
    }

    async fn load(
        self: &Arc<Self>,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Room, OriginError> {
        let Shared {
            journals, instance, ..
        } = &*self.shared;
        let whose = workspace.clone();
        if let Some(stored) = journals.load(workspace, instance).await? {
            return in_background(move || Room::open(whose, &stored)).await;
        }
        let rooms = self.clone();
        let (state, text) = in_background(move || {
            let state = rooms.first_state(None, None, now)?;
            let text = serde_json::to_string(&state).map_err(OriginError::Unreadable)?;
            Ok((state, text))
        })
        .await?;
        journals.snapshot(workspace, instance, 0, &text).await?;
        Ok(Room::begin(whose, state, 0, text.len()))
    }

    fn first_state(
        &self,
        seed: Option<u64>,
        volumes: Option<usize>,
        now: Timestamp,
    ) -> Result<State, OriginError> {
        let Shared {
            rules,
            most_objects,
            ..
        } = &*self.shared;
        let seed = seed.unwrap_or(self.seed);
        let most = *most_objects;
        if let Some(objects) = volumes.filter(|volumes| *volumes > most) {
            return Err(Unrestorable::TooLarge { objects, most }.into());
        }
        let state = match volumes {
            Some(volumes) => rules.seed_sized(seed, volumes, now),
            None => rules.seed(seed, now),
        };
        Ok(state)
    }

    /// The same as [`Room::replace`] where no room can be had.
    async fn overwrite(&self, workspace: &WorkspaceId, state: &State) -> Result<(), OriginError> {
        let Shared {
            journals, instance, ..
        } = &*self.shared;
        let last = journals.last_sequence(workspace, instance).await?;
        let text = serde_json::to_string(state).map_err(OriginError::Unreadable)?;
        let sequence = last.map_or(0, |last| last + 1);
        Ok(journals
            .snapshot(workspace, instance, sequence, &text)
            .await?)
    }
}

impl Known {
    fn cell(&mut self, workspace: &WorkspaceId, now: Timestamp) -> Arc<OnceCell<Arc<Room>>> {
        if let Some(slot) = self.rooms.get_mut(workspace) {
            slot.asked = now;
            return slot.room.clone();
        }
        let room = Arc::default();
        let slot = Slot {
            room: Arc::clone(&room),
            asked: now,
        };
        self.rooms.insert(workspace.clone(), slot);
        room
    }

    /// The rooms that nobody has asked for a while and nobody is in. They are out of the map: whoever
    /// asks next finds what the database has.
    fn sweep(&mut self, now: Timestamp) -> Vec<Slot> {
        if self
            .swept
            .is_some_and(|swept| now.duration_since(swept) < SWEEP)
        {
            return Vec::new();
        }
        self.swept = Some(now);
        let idle = |slot: &Slot| {
            now.duration_since(slot.asked) >= IDLE
                && Arc::strong_count(&slot.room) == 1
                && slot
                    .room
                    .get()
                    .is_none_or(|room| Arc::strong_count(room) == 1)
        };
        let idle = self.rooms.extract_if(|_, slot| idle(slot));
        idle.map(|(_, slot)| slot).collect()
    }
}
