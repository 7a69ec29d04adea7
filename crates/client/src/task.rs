//! Following a task from the answer that started it to its end (domain facts, section 6.5).
//!
//! Goes by the task's state and not by its progress, which some servers leave below 100.

mod failure;
mod link;
mod waiting;

use std::time::Duration;

use serde_json::Value;

pub use failure::{FailedChild, TaskFailure, TaskOutcome};
pub use link::TaskLink;
pub use waiting::Waiting;

/// A task as it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    value: Value,
    text: Vec<u8>,
}

/// Where a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// It has not come to its end.
    Going,
    /// It did what it should.
    Succeeded,
    /// It ended otherwise, in the API's word for it.
    Ended(String),
}

impl Task {
    /// Takes the body of `GET /api/v1/tasks/{id}`; `None` when it is no task.
    pub fn read(body: Vec<u8>) -> Option<Self> {
        let value: Value = serde_json::from_slice(&body).ok()?;
        let task = Self { value, text: body };
        (!task.state_word().is_empty()).then_some(task)
    }

    /// The task as a value; large numbers in it are rounded.
    pub fn as_json(&self) -> &Value {
        &self.value
    }

    /// The task as it came, to the byte.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    /// Where it is. An unknown word means that it goes on, unless the task names the time of its end:
    /// a new word may be added at any time, and the time limit ends the waiting.
    pub fn state(&self) -> TaskState {
        let word = self.state_word();
        let letters: String = word.chars().filter(char::is_ascii_alphabetic).collect();
        match letters.to_ascii_uppercase().as_str() {
            "SUCCEEDED" | "SUCCESS" | "SUCCESSFUL" | "COMPLETED" | "COMPLETE" => {
                TaskState::Succeeded
            }
            "FAILED" | "FAILURE" | "ERROR" | "TIMEDOUT" | "TIMEOUT" | "CANCELLED" | "CANCELED"
            | "ABORTED" => TaskState::Ended(word.to_owned()),
            "INITIALIZED" | "SUBMITTED" | "RUNNING" | "PAUSED" => TaskState::Going,
            _ if !self.word("endedAt").is_empty() => TaskState::Ended(word.to_owned()),
            _ => TaskState::Going,
        }
    }

    /// The API's own word for where it is.
    pub fn state_word(&self) -> &str {
        match self.word("state") {
            "" => self.word("status"),
            state => state,
        }
    }

    /// What it does, in words.
    pub fn name(&self) -> &str {
        match self.word("displayName") {
            "" => self.word("name"),
            name => name,
        }
    }

    /// How far it is, from 0 to 100.
    pub fn progress(&self) -> Option<u8> {
        let percent = self.value.get("progressPercent")?.as_f64()?;
        (0..=100).rev().find(|whole| f64::from(*whole) <= percent)
    }

    /// What went wrong, in the API's words.
    pub fn error(&self) -> Option<String> {
        let error = self.value.get("error").unwrap_or(&Value::Null);
        let said = error
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .or_else(|| text(error, "error"))
            .or_else(|| text(error, "message"))
            .or_else(|| {
                text(
                    self.value.get("logMessages")?.as_array()?.last()?,
                    "message",
                )
            });
        match (said, text(error, "errorCode")) {
            (Some(said), Some(code)) => Some(format!("{said} ({code})")),
            (said, code) => said.or(code),
        }
    }

    /// The tasks that it is made of.
    fn children(&self) -> impl Iterator<Item = TaskLink> {
        let children = self.value.get("childTasks").and_then(Value::as_array);
        let uris = children.into_iter().flatten();
        uris.filter_map(|child| TaskLink::of_uri(child.get("resourceUri")?.as_str()?))
    }

    fn suggested_interval(&self) -> Option<Duration> {
        let seconds = self
            .value
            .get("suggestedPollingIntervalSeconds")?
            .as_f64()?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn word(&self, name: &str) -> &str {
        self.value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// A member that holds words.
fn text(value: &Value, name: &str) -> Option<String> {
    let text = value.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn task(value: &Value) -> Task {
        Task::read(value.to_string().into_bytes()).unwrap()
    }

    #[test]
    fn the_state_decides_and_not_the_progress() {
        for going in [
            "INITIALIZED",
            "RUNNING",
            "PAUSED",
            "SUBMITTED",
            "UNSPECIFIED",
            "NEW",
        ] {
            let task = task(&json!({"state": going, "progressPercent": 100, "endedAt": null}));
            assert_eq!(task.state(), TaskState::Going, "{going}");
        }
        for ended in ["FAILED", "TIMEDOUT", "TIMED_OUT", "CANCELLED", "Canceled"] {
            let task = task(&json!({"state": ended, "progressPercent": 10}));
            assert_eq!(task.state(), TaskState::Ended(ended.to_owned()));
        }
        for done in ["SUCCEEDED", "Succeeded", "completed"] {
            for name in ["state", "status"] {
                assert_eq!(
                    task(&json!({name: done})).state(),
                    TaskState::Succeeded,
                    "{done}"
                );
            }
        }
        let over = task(&json!({"state": "HALTED", "endedAt": "2026-01-01T00:00:00Z"}));
        assert_eq!(over.state(), TaskState::Ended("HALTED".to_owned()));
        let paused = task(&json!({"state": "PAUSED", "endedAt": "0001-01-01T00:00:00Z"}));
        assert_eq!(paused.state(), TaskState::Going, "a zero time is no end");
        for none in [r#"{"items": []}"#, r#"{"state": ""}"#, "[]", "<html>"] {
            assert!(Task::read(none.as_bytes().to_vec()).is_none(), "{none}");
        }
    }

    #[test]
    fn the_error_is_told_in_the_words_there_are() {
        let said = |value: Value| task(&value).error();
        let error = json!({"state": "FAILED", "error": {"error": "no space", "errorCode": "E7"}});
        assert_eq!(said(error).unwrap(), "no space (E7)");
        let log = json!({"state": "FAILED", "error": null,
            "logMessages": [{"message": "a"}, {"message": "pool full"}]});
        assert_eq!(said(log).unwrap(), "pool full");
        assert_eq!(said(json!({"state": "FAILED"})), None);
    }

    #[test]
    fn progress_is_a_whole_percentage() {
        let progress = |value: Value| task(&json!({"state": "RUNNING", "progressPercent": value}));
        assert_eq!(progress(json!(42.9)).progress(), Some(42));
        assert_eq!(progress(json!(250)).progress(), Some(100));
        assert_eq!(progress(json!(-1)).progress(), None);
        assert_eq!(progress(json!(null)).progress(), None);
    }

    #[test]
    fn the_text_stays_what_the_server_wrote() {
        let text = br#"{"state":"RUNNING", "size":18446744073709551616}"#;
        assert_eq!(Task::read(text.to_vec()).unwrap().as_bytes(), text);
    }
}
