//! The stand-ins in memory: loaded when they are asked for, forgotten when nobody asks any more, and
//! when it is not sure that memory and disk say the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hallpass_oauth::WorkspaceId;
use hallpass_sandbox::State;
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument as _;

use super::room::{Room, Written, in_background};
use super::{OriginError, Shared, Unrestorable};

/// The stand-ins of one instance.
pub(super) struct Rooms {
    pub(super) shared: Arc<Shared>,
    known: Mutex<Known>,
    seed: u64,
}

#[derive(Default)]
struct Known {
    rooms: HashMap<WorkspaceId, Slot>,
    swept: Option<Timestamp>,
}

struct Slot {
    door: Arc<Door>,
    asked: Timestamp,
}

/// Where a room is, or will be.
#[derive(Default)]
struct Door {
    room: OnceLock<Arc<Room>>,
    /// Held while the room is loaded: by the task that does it, not by who waits for it.
    loading: Arc<tokio::sync::Mutex<()>>,
}

/// How long a stand-in is kept in memory that nobody asks.
const IDLE: SignedDuration = SignedDuration::from_mins(15);

/// How often it is looked for those.
const SWEEP: SignedDuration = SignedDuration::from_mins(1);

impl Rooms {
    pub(super) fn new(shared: Shared, seed: u64) -> Self {
        Self {
            shared: Arc::new(shared),
            known: Mutex::default(),
            seed,
        }
    }

    pub(super) fn in_memory(&self) -> usize {
        self.known().rooms.len()
    }

    /// Those in memory.
    pub(super) fn loaded(&self) -> Vec<Arc<Room>> {
        let known = self.known();
        let doors = known.rooms.values();
        doors
            .filter_map(|slot| slot.door.room.get().cloned())
            .collect()
    }

    /// The room of a workspace, if it is in memory.
    pub(super) fn loaded_of(&self, workspace: &WorkspaceId) -> Option<Arc<Room>> {
        let known = self.known();
        known.rooms.get(workspace)?.door.room.get().cloned()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room of a workspace. Who waits for it may go away: loading goes on, once, and the next who
    /// comes finds what it found.
    pub(super) async fn room(
        self: &Arc<Self>,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Arc<Room>, OriginError> {
        let (door, idle) = {
            let mut known = self.known();
            (known.door(workspace, now), known.sweep(now))
        };
        if !idle.is_empty() {
            // Taking a large state apart takes long.
            tokio::task::spawn_blocking(move || drop(idle));
        }
        if let Some(room) = door.room.get() {
            return Ok(room.clone());
        }
        Box::pin(self.load_behind(door, workspace, now)).await
    }

    async fn load_behind(
        self: &Arc<Self>,
        door: Arc<Door>,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Arc<Room>, OriginError> {
        let loading = door.loading.clone().lock_owned().await;
        if let Some(room) = door.room.get() {
            return Ok(room.clone());
        }
        let (rooms, workspace) = (self.clone(), workspace.clone());
        let load = async move {
            let _loading = loading;
            let room = Arc::new(rooms.load(&workspace, now).await?);
            Ok(door.room.get_or_init(|| room).clone())
        };
        let loaded = tokio::spawn(load.in_current_span()).await;
        loaded.map_err(|_| OriginError::Stopped)?
    }

    /// The room that is read anew in the place of an outdated one.
    pub(super) async fn instead_of(
        self: &Arc<Self>,
        outdated: &Arc<Room>,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Arc<Room>, OriginError> {
        self.forget(outdated, workspace);
        self.room(workspace, now).await
    }

    /// Puts another state in the place of what there is; how many objects it has. Not to be dropped
    /// half way.
    pub(super) async fn replace(
        self: &Arc<Self>,
        workspace: &WorkspaceId,
        new: Written,
        now: Timestamp,
    ) -> Result<usize, OriginError> {
        let objects = new.objects();
        let mut room = match self.room(workspace, now).await {
            Ok(room) => room,
            // A state that cannot be read is what this is for, too.
            Err(OriginError::Unreadable(_)) => {
                let Shared {
                    journals, instance, ..
                } = &*self.shared;
                journals.replace(workspace, instance, new.text()).await?;
                return Ok(objects);
            }
            Err(error) => return Err(error),
        };
        let turn = match room.own_turn().await {
            Err(OriginError::Outdated) => {
                room = self.instead_of(&room, workspace, now).await?;
                room.own_turn().await?
            }
            turn => turn?,
        };
        let done = room.replace(turn, &self.shared, new).await;
        if done.is_err() {
            self.forget(&room, workspace);
        }
        done.map(|()| objects)
    }

    fn forget(&self, room: &Arc<Room>, workspace: &WorkspaceId) {
        let mut known = self.known();
        let is_known = known.rooms.get(workspace).is_some_and(|slot| {
            let there = slot.door.room.get();
            there.is_some_and(|there| Arc::ptr_eq(there, room))
        });
        if is_known {
            known.rooms.remove(workspace);
        }
    }

    async fn load(
        self: &Arc<Self>,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<Room, OriginError> {
        let Shared {
            journals, instance, ..
        } = &*self.shared;
        if let Some(room) = self.stored(workspace).await? {
            return Ok(room);
        }
        let rooms = self.clone();
        let first = in_background(move || Written::new(rooms.first_state(None, None, now))).await?;
        if journals
            .snapshot(workspace, instance, 0, first.text())
            .await?
        {
            return Ok(Room::begin(workspace.clone(), first));
        }
        // Somebody else was first.
        let stored = self.stored(workspace).await?;
        stored.ok_or(OriginError::Outdated)
    }

    async fn stored(&self, workspace: &WorkspaceId) -> Result<Option<Room>, OriginError> {
        let Shared {
            journals, instance, ..
        } = &*self.shared;
        let Some(stored) = journals.load(workspace, instance).await? else {
            return Ok(None);
        };
        let whose = workspace.clone();
        in_background(move || Room::open(whose, &stored).map(Some)).await
    }

    /// A state that somebody asks for, which may be too large.
    pub(super) fn new_state(
        &self,
        seed: Option<u64>,
        volumes: Option<usize>,
        now: Timestamp,
    ) -> Result<State, OriginError> {
        let most = self.shared.most_objects;
        let check = |objects: usize| {
            if objects > most {
                return Err(Unrestorable::TooLarge { objects, most });
            }
            Ok(())
        };
        check(volumes.unwrap_or(0))?;
        let state = self.first_state(seed, volumes, now);
        check(state.len())?;
        Ok(state)
    }

    fn first_state(&self, seed: Option<u64>, volumes: Option<usize>, now: Timestamp) -> State {
        let rules = &self.shared.rules;
        let seed = seed.unwrap_or(self.seed);
        match volumes {
            Some(volumes) => rules.seed_sized(seed, volumes, now),
            None => rules.seed(seed, now),
        }
    }
}

impl Known {
    fn door(&mut self, workspace: &WorkspaceId, now: Timestamp) -> Arc<Door> {
        if let Some(slot) = self.rooms.get_mut(workspace) {
            slot.asked = now;
            return slot.door.clone();
        }
        let door = Arc::default();
        let slot = Slot {
            door: Arc::clone(&door),
            asked: now,
        };
        self.rooms.insert(workspace.clone(), slot);
        door
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
                && Arc::strong_count(&slot.door) == 1
                && slot
                    .door
                    .room
                    .get()
                    .is_none_or(|room| Arc::strong_count(room) == 1)
        };
        let idle = self.rooms.extract_if(|_, slot| idle(slot));
        idle.map(|(_, slot)| slot).collect()
    }
}
