//! Tasks whose end somebody wants to hear of (domain.md 4.5): who began one is kept beside it, as a
//! note that is not looked into here, until its end was told.
//!
//! A watched task is kept as `{id, title, place, note}`, with the id of the task.
//!
//! What is watched is part of the state, so that a restart forgets no end and tells none twice. A task
//! that is not kept any longer is told as one that ended well enough.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{collection, put, remove};
use crate::change::Change;
use crate::sandbox::Outcome;
use crate::state::{State, WATCHED};
use crate::stored::{Fields, Stored};

/// A task that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Its id.
    pub task: String,
    /// What it does, in words.
    pub title: String,
    /// Where it stands among others.
    pub place: Place,
}

/// Where a task stands among those of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is the only one.
    Alone,
    /// Others are its parts.
    Parent,
    /// It is a part of another.
    Child,
}

/// A watched task that came to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The task.
    pub begun: Begun,
    /// Whether it did what it was to do.
    pub succeeded: bool,
    /// When it ended; nothing when it is not kept any longer.
    pub at: Option<Timestamp>,
    /// What was said when it began to be watched.
    pub note: Value,
}

impl Outcome {
    /// The tasks that it starts.
    pub fn begun(&self) -> Vec<Begun> {
        let tasks = self.changes.iter().filter_map(|change| match change {
            Change::Put {
                collection, value, ..
            } if collection == collection::TASKS => Some(value),
            _ => None,
        });
        tasks.map(begun).collect()
    }

    /// Watches the tasks that it starts.
    pub fn watch(&mut self, note: &Value) {
        for task in self.begun() {
            let watched = json!({
                "id": task.task,
                "title": task.title,
                "place": task.place.word(),
                "note": note,
            });
            self.changes.push(put(WATCHED, watched));
        }
    }
}

impl State {
    /// Whether any task is watched.
    pub fn watches(&self) -> bool {
        self.size(WATCHED) > 0
    }

    /// The watched tasks that have ended, in the order in which they were accepted.
    pub fn ended(&self) -> Vec<Ended> {
        let ended = |(id, watched): (&str, &Stored)| {
            let task = self.get(collection::TASKS, id);
            let at = match task.map(|task| task.text("endedAt")) {
                Some("") => return None,
                at => at.and_then(|at| at.parse().ok()),
            };
            Some(Ended {
                begun: Begun {
                    task: id.to_owned(),
                    title: watched.text("title").to_owned(),
                    place: Place::of(watched.text("place")),
                },
                succeeded: task.is_none_or(|task| task.text("state") == "SUCCEEDED"),
                at,
                note: watched.field("note"),
            })
        };
        self.all(WATCHED).filter_map(ended).collect()
    }

    /// Ends every watch, for a state that comes from elsewhere: who began its tasks is nobody here.
    pub fn unwatch(&mut self) {
        let watched = self.all(WATCHED).map(|(id, _)| remove(WATCHED, id));
        let changes: Vec<Change> = watched.collect();
        self.make(&changes);
    }
}

impl Ended {
    /// What ends the watch.
    pub fn told(&self) -> Change {
        remove(WATCHED, &self.begun.task)
    }
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Parent => "parent",
            Self::Child => "child",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "parent" => Self::Parent,
            "child" => Self::Child,
            _ => Self::Alone,
        }
    }
}

/// A task at the top refers to itself.
fn begun(task: &Value) -> Begun {
    let parent = task.field("parentTask");
    let has_parts = task.get("childTasks").and_then(Value::as_array);
    let place = if parent.text("resourceUri") != task.text("resourceUri") {
        Place::Child
    } else if has_parts.is_some_and(|parts| !parts.is_empty()) {
        Place::Parent
    } else {
        Place::Alone
    };
    Begun {
        task: task.text("id").to_owned(),
        title: task.text("displayName").to_owned(),
        place,
    }
}
