//! The stand-in of one workspace: its state, and whose turn it is to change it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use hallpass_oauth::WorkspaceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_sandbox::{Body, Change, Ended, Outcome, Request, State};
use hallpass_store::{AuditEvent, JournalEntry, StoreError, StoredSandbox};
use http::StatusCode;
use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::jobs::{self, Caller};
use super::present::{KeptAnswer, Present};
use super::{Answered, OriginError, Shared, saved};
use crate::conditional::entity_tag;

/// The stand-in of one workspace.
pub(super) struct Room {
    workspace: WorkspaceId,
    present: RwLock<Present>,
    /// Held while a change is decided, journalled and made.
    turn: Arc<tokio::sync::Mutex<Turn>>,
    /// Whether the state is on its way into the database as a whole.
    saving: AtomicBool,
}

/// The right to change a state.
pub(super) type OwnTurn = OwnedMutexGuard<Turn>;

/// Where the journal is.
pub(super) struct Turn {
    /// The place of the last change.
    made: u64,
    /// Bytes of the changes since the last snapshot.
    journal_bytes: usize,
    snapshot_bytes: usize,
    /// A write failed, and what is on disk now is not sure.
    is_outdated: bool,
}

impl Turn {
    fn after_snapshot(made: u64, text: &str) -> Self {
        Self {
            made,
            journal_bytes: 0,
            snapshot_bytes: text.len(),
            is_outdated: false,
        }
    }
}

/// A state and what is written down of it.
pub(super) struct Written {
    state: State,
    text: String,
}

impl Written {
    /// To be made in the background.
    pub(super) fn new(state: State) -> Result<Self, OriginError> {
        let text = serde_json::to_string(&state).map_err(OriginError::Unreadable)?;
        Ok(Self { state, text })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn objects(&self) -> usize {
        self.state.len()
    }
}

/// The journal may grow to this, or to the size of the snapshot: so what is written for snapshots is
/// never more than what is written for changes, and a restart reads at most twice the state.
const LEAST_JOURNAL: usize = 1024 * 1024;

/// Most ends that are written down in one transaction.
const MOST_TOLD: usize = 1000;

impl Room {
    /// What was kept.
    pub(super) fn open(
        workspace: WorkspaceId,
        stored: &StoredSandbox,
    ) -> Result<Self, OriginError> {
        let mut state: State =
            serde_json::from_str(&stored.state).map_err(OriginError::Unreadable)?;
        let mut journal_bytes = 0;
        for entry in &stored.entries {
            let changes: Vec<Change> =
                serde_json::from_str(&entry.changes).map_err(OriginError::Unreadable)?;
            state.commit(&changes, entry.at);
            journal_bytes += entry.changes.len();
        }
        let turn = Turn {
            made: stored.last_sequence(),
            journal_bytes,
            snapshot_bytes: stored.state.len(),
            is_outdated: false,
        };
        Ok(Self::new(workspace, state, turn))
    }

    /// A first state that was written down.
    pub(super) fn begin(workspace: WorkspaceId, first: Written) -> Self {
        let turn = Turn::after_snapshot(0, &first.text);
        Self::new(workspace, first.state, turn)
    }

    fn new(workspace: WorkspaceId, state: State, turn: Turn) -> Self {
        Self {
            workspace,
            present: RwLock::new(Present::new(state)),
            turn: Arc::new(tokio::sync::Mutex::new(turn)),
            saving: AtomicBool::new(false),
        }
    }

    /// The answer to a request that reads. One that stays good until the state changes is made once.
    pub(super) fn read(&self, shared: &Shared, request: &Request<'_>, now: Timestamp) -> Answered {
        // Not while a change is on its way into the journal: tasks that went on before it here would
        // go on after it when the journal is replayed.
        if let Ok(_turn) = self.turn.try_lock() {
            self.catch_up(now);
        }
        let present = self.present();
        if let Some(answer) = present.kept(request) {
            return Answered::Kept(answer);
        }
        let now = present.state().not_before(now);
        let read = shared
            .rules
            .read(present.state(), request, now, &mut SystemRandom);
        let (outcome, lasts) = read;
        if !lasts || outcome.response.status != StatusCode::OK {
            return Answered::Made(outcome);
        }
        let Some(body) = outcome.response.body else {
            return Answered::Made(outcome);
        };
        let text: Bytes = match body {
            Body::Value(value) => value.to_string().into(),
            Body::Written(text) => text.into(),
        };
        let tag = entity_tag(&text);
        let answer = KeptAnswer { text, tag };
        // The state is lent to nobody who could change it until this is done.
        present.keep(request, &answer);
        Answered::Kept(answer)
    }

    pub(super) async fn change(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        request: &Request<'_>,
        begins: &Caller,
        now: Timestamp,
    ) -> Result<Outcome, OriginError> {
        let mut turn = self.own_turn().await?;
        self.catch_up(now);
        let (mut outcome, now) = {
            let present = self.present();
            let state = present.state();
            let now = state.not_before(now);
            let outcome = shared.rules.apply(state, request, now, &mut SystemRandom);
            check_room(state, &outcome.changes, shared.most_objects)?;
            (outcome, now)
        };
        if outcome.changes.is_empty() {
            return Ok(outcome);
        }
        let events = begins.beginnings(&self.workspace, &outcome.begun(), now);
        outcome.watch(&begins.note());
        self.make(shared, &mut turn, &outcome.changes, events, now)
            .await?;
        Ok(outcome)
    }

    /// Writes down which watched tasks have ended. Not to be dropped half way.
    pub(super) async fn tell_ends(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        now: Timestamp,
    ) -> Result<(), OriginError> {
        if !self.present().state().watches() {
            return Ok(());
        }
        let mut turn = self.own_turn().await?;
        self.catch_up(now);
        let (ended, now) = {
            let present = self.present();
            (present.state().ended(), present.state().not_before(now))
        };
        for some in ended.chunks(MOST_TOLD) {
            let changes: Vec<Change> = some.iter().map(Ended::told).collect();
            let event = |ended: &Ended| jobs::ending(&self.workspace, ended, now);
            let events = some.iter().map(event).collect();
            self.make(shared, &mut turn, &changes, events, now).await?;
        }
        Ok(())
    }

    /// Makes changes: first in the journal, with what the audit log says of them, then in the state.
    async fn make(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        turn: &mut Turn,
        changes: &[Change],
        events: Vec<AuditEvent>,
        now: Timestamp,
    ) -> Result<(), OriginError> {
        let text = serde_json::to_string(changes).map_err(OriginError::Unreadable)?;
        let bytes = text.len();
        let entry = JournalEntry {
            sequence: turn.made + 1,
            at: now,
            changes: text,
        };
        let appended = shared
            .journals
            .append_with(&self.workspace, &shared.instance, entry, events)
            .await;
        if let Err(error) = appended {
            // What was refused at once is not on disk; otherwise nobody knows.
            turn.is_outdated = !matches!(error, StoreError::Overloaded);
            return Err(error.into());
        }
        turn.made += 1;
        turn.journal_bytes += bytes;
        self.present_to_change().change().commit(changes, now);
        self.save_if_due(shared, turn).await;
        Ok(())
    }

    /// The state as a document, and how many objects it has. Changes wait meanwhile, reads do not.
    pub(super) async fn save(
        self: &Arc<Self>,
        now: Timestamp,
    ) -> Result<(String, usize), OriginError> {
        let turn = self.own_turn().await?;
        let room = self.clone();
        in_background(move || {
            // Here, so that changes wait without a thread when whoever asked for this is gone.
            let _turn = turn;
            room.catch_up(now);
            let present = room.present();
            let state = present.state();
            let text = saved::write(state, now).map_err(OriginError::Unreadable)?;
            Ok((text, state.len()))
        })
        .await
    }

    /// Puts another state in the place of this one. Not to be dropped half way. After a failure the
    /// room is outdated: the new state may be on disk all the same.
    pub(super) async fn replace(
        &self,
        mut turn: OwnTurn,
        shared: &Shared,
        new: Written,
    ) -> Result<(), OriginError> {
        let replaced = shared
            .journals
            .replace(&self.workspace, &shared.instance, &new.text);
        let sequence = match replaced.await {
            Ok(sequence) => sequence,
            Err(error) => {
                turn.is_outdated = true;
                return Err(error.into());
            }
        };
        *turn = Turn::after_snapshot(sequence, &new.text);
        let old = {
            let mut present = self.present_to_change();
            std::mem::replace(present.change(), new.state)
        };
        drop(turn);
        // Taking a large state apart takes long.
        tokio::task::spawn_blocking(move || drop(old));
        Ok(())
    }

    /// Waits until nobody else changes the state.
    pub(super) async fn own_turn(&self) -> Result<OwnTurn, OriginError> {
        let turn = self.turn.clone().lock_owned().await;
        if turn.is_outdated {
            return Err(OriginError::Outdated);
        }
        Ok(turn)
    }

    /// Lets tasks go on that are due. Nothing to journal: it follows from the state and the time.
    fn catch_up(&self, now: Timestamp) {
        let next_due = self.present().state().next_due();
        if next_due.is_some_and(|due| due <= now) {
            self.present_to_change().change().advance(now);
        }
    }

    fn present(&self) -> RwLockReadGuard<'_, Present> {
        self.present.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn present_to_change(&self) -> RwLockWriteGuard<'_, Present> {
        self.present.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the state as a whole when the journal has grown long enough. Changes wait while it is put
    /// into words, and not while those are written.
    async fn save_if_due(self: &Arc<Self>, shared: &Arc<Shared>, turn: &mut Turn) {
        let allowed = turn.snapshot_bytes.max(LEAST_JOURNAL);
        if turn.journal_bytes <= allowed || self.saving.swap(true, Ordering::AcqRel) {
            return;
        }
        let room = self.clone();
        let words = in_background(move || {
            serde_json::to_string(room.present().state()).map_err(OriginError::Unreadable)
        });
        let text = match words.await {
            Ok(text) => text,
            Err(error) => return self.unsaved(&error),
        };
        turn.journal_bytes = 0;
        turn.snapshot_bytes = text.len();
        let (room, shared, sequence) = (self.clone(), shared.clone(), turn.made);
        tokio::spawn(async move {
            let written =
                shared
                    .journals
                    .snapshot(&room.workspace, &shared.instance, sequence, &text);
            match written.await {
                Ok(_) => room.saving.store(false, Ordering::Release),
                Err(error) => room.unsaved(&error.into()),
            }
        });
    }

    /// The changes are in the journal all the same; the next round saves more at once.
    fn unsaved(&self, error: &OriginError) {
        self.saving.store(false, Ordering::Release);
        let error: &(dyn std::error::Error + 'static) = error;
        tracing::error!(error, "the stand-in's state was not saved");
    }
}

/// Work that takes long for a large state, where it holds up nobody.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OriginError> + Send + 'static,
) -> Result<T, OriginError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| OriginError::Stopped)?
}

/// So much further may go what makes room: it is work, and work is an object until it is forgotten.
const RESERVE: usize = 1000;

/// Whether there is room for what the changes add, with what earlier ones have yet to add.
fn check_room(state: &State, changes: &[Change], most: usize) -> Result<(), OriginError> {
    let growth = state.growth(changes);
    if growth == 0 {
        return Ok(());
    }
    let most_now = if makes_room(state, changes) {
        most.saturating_add(RESERVE)
    } else {
        most
    };
    if state.len() + state.planned_growth() + growth > most_now {
        return Err(OriginError::Full(most));
    }
    Ok(())
}

/// Whether the changes take something away and add nothing but to collections that they trim, which
/// is where work is told of.
fn makes_room(state: &State, changes: &[Change]) -> bool {
    let trimmed = |name: &String| {
        let mut all = changes.iter();
        all.any(|change| matches!(change, Change::Trim { collection, .. } if collection == name))
    };
    let adds = |change: &Change| match change {
        Change::Put { collection, .. } if trimmed(collection) => false,
        other => state.growth(std::slice::from_ref(other)) > 0,
    };
    changes.iter().any(takes_away) && !changes.iter().any(adds)
}

fn takes_away(change: &Change) -> bool {
    match change {
        Change::Remove { .. } | Change::RemoveWhere { .. } => true,
        Change::Schedule(step) => step.then.iter().any(takes_away),
        Change::Put { .. } | Change::Merge { .. } | Change::Trim { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use hallpass_sandbox::Planned;
    use serde_json::json;

    use super::*;

    fn put(collection: &str, id: &str) -> Change {
        Change::Put {
            collection: collection.to_owned(),
            id: id.to_owned(),
            value: json!({"id": id}),
        }
    }

    fn later(then: Vec<Change>) -> Change {
        Change::Schedule(Planned {
            at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(9),
            checks: Vec::new(),
            then,
        })
    }

    /// A call that is answered with a task, and what the task does.
    fn work(then: Vec<Change>) -> Vec<Change> {
        let trim = Change::Trim {
            collection: "tasks".to_owned(),
            field: "endedAt".to_owned(),
            keep: 10,
        };
        vec![put("tasks", "new"), trim, later(then)]
    }

    fn removal() -> Change {
        Change::Remove {
            collection: "hosts".to_owned(),
            id: "a".to_owned(),
        }
    }

    #[test]
    fn only_what_adds_nothing_else_makes_room() {
        let mut state = State::default();
        state.commit(
            &[put("hosts", "a"), put("hosts", "b")],
            Timestamp::UNIX_EPOCH,
        );
        let fits = |changes: &[Change]| check_room(&state, changes, 2).is_ok();
        assert!(!fits(&[put("hosts", "c")]));
        assert!(fits(&[put("hosts", "b")]));
        assert!(fits(&[removal()]));
        assert!(fits(&work(vec![removal()])));
        assert!(!fits(&work(Vec::new())));
        // An end that is planned along with it, or a list that is replaced, makes no room.
        assert!(!fits(&work(vec![
            put("hosts", "c"),
            later(vec![removal()])
        ])));
        assert!(!fits(&[removal(), put("hosts", "c"), put("hosts", "d")]));
    }

    #[test]
    fn what_is_planned_counts_as_if_it_were_there() {
        let mut state = State::default();
        state.commit(
            &[later(vec![put("hosts", "a"), put("hosts", "b")])],
            Timestamp::UNIX_EPOCH,
        );
        assert!(check_room(&state, &[put("hosts", "c")], 3).is_ok());
        assert!(check_room(&state, &[put("hosts", "c")], 2).is_err());
    }
}
