//! Following a task from the 202 to its end (domain facts, section 6.5).
//!
//! Goes by the task's state and not by its progress, which some servers leave below 100.

use std::time::Duration;

use hallpass_openapi::BuiltRequest;
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::Instant;

use crate::error::{Error, Kind};
use crate::event::Event;
use crate::redact::first_line;
use crate::response::Response;
use crate::send::Client;
use crate::token_answer::retry_after;

/// The id of the task that a 202 started. `taskUri` is a bare id, or a path of one of two bases that
/// ends in it; only the id leads to the task.
pub fn task_id(body: &Value) -> Option<String> {
    let uri = body.get("taskUri")?.as_str()?;
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let id = path.trim_end_matches('/').rsplit('/').next()?.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// A task as it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Task(Value);

/// Where a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    /// It has not come to its end.
    Going,
    /// It did what it should.
    Succeeded,
    /// It ended otherwise: `FAILED`, `TIMEDOUT` or `CANCELLED`.
    Ended(String),
}

impl Task {
    /// Takes the body of `GET /api/v1/tasks/{id}`; `None` when it is no task.
    pub fn read(body: Value) -> Option<Self> {
        body.get("state")
            .is_some_and(Value::is_string)
            .then_some(Self(body))
    }

    /// The task as it came.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// Where it is. An unknown word means that it goes on: a new one may be added at any time, and
    /// the time limit ends the waiting.
    pub fn state(&self) -> TaskState {
        match self.word("state") {
            "SUCCEEDED" => TaskState::Succeeded,
            state @ ("FAILED" | "TIMEDOUT" | "CANCELLED") => TaskState::Ended(state.to_owned()),
            _ => TaskState::Going,
        }
    }

    /// The API's own word for where it is.
    pub fn state_word(&self) -> &str {
        self.word("state")
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
        let percent = self.0.get("progressPercent")?.as_f64()?;
        (0..=100).rev().find(|whole| f64::from(*whole) <= percent)
    }

    /// What went wrong, in the API's words.
    pub fn error(&self) -> Option<String> {
        let error = self.0.get("error").unwrap_or(&Value::Null);
        let text = |value: &Value, name: &str| {
            value
                .get(name)
                .and_then(Value::as_str)
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let said = error
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned);
        let said = said
            .or_else(|| text(error, "error"))
            .or_else(|| text(error, "message"));
        let last_message = || text(self.0.get("logMessages")?.as_array()?.last()?, "message");
        let code = text(error, "errorCode");
        match (said.or_else(last_message), code) {
            (Some(said), Some(code)) => Some(format!("{said} ({code})")),
            (said, code) => said.or(code),
        }
    }

    fn suggested_interval(&self) -> Option<Duration> {
        let seconds = self.0.get("suggestedPollingIntervalSeconds")?.as_f64()?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn word(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// How to wait for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// At most this long.
    pub timeout: Duration,
    /// Shortest pause between two looks.
    pub shortest: Duration,
    /// Longest pause between two looks.
    pub longest: Duration,
}

impl Waiting {
    /// With pauses between 200 ms and 30 s.
    pub fn at_most(timeout: Duration) -> Self {
        Self {
            timeout,
            shortest: Duration::from_millis(200),
            longest: Duration::from_secs(30),
        }
    }

    /// The pause after the look number `looks`. The second look comes early, since most tasks are
    /// done at once; from then on the server's suggestion counts.
    fn pause(&self, looks: u32, suggested: Option<Duration>) -> Duration {
        let suggested = suggested
            .unwrap_or(UNSAID_INTERVAL)
            .clamp(self.shortest, self.longest);
        if looks == 1 {
            suggested.min(SECOND_LOOK.max(self.shortest))
        } else {
            suggested
        }
    }
}

/// How the waiting ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskOutcome {
    /// The task did what it should.
    Succeeded(Task),
    /// The task ended otherwise.
    Failed(Task),
    /// The time is up, and the task is not at its end.
    TimedOut {
        /// The task as last seen, if it was.
        last: Option<Task>,
        /// How long it was waited for.
        waited: Duration,
    },
}

impl TaskOutcome {
    /// The task when it succeeded.
    pub fn success(self) -> Result<Task, TaskFailure> {
        match self {
            Self::Succeeded(task) => Ok(task),
            Self::Failed(task) => Err(TaskFailure::Ended {
                name: first_line(task.name(), &[]),
                state: first_line(task.state_word(), &[]),
                said: first_line(&task.error().unwrap_or_default(), &[]),
            }),
            Self::TimedOut { last, waited } => Err(TaskFailure::TimedOut {
                name: last.map_or_else(String::new, |task| first_line(task.name(), &[])),
                waited,
            }),
        }
    }
}

/// Why a task did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskFailure {
    /// It ended otherwise.
    #[error("task `{name}` ended as {state}{}{said}", if said.is_empty() { "" } else { ": " })]
    Ended {
        /// What it did.
        name: String,
        /// The API's word for its end.
        state: String,
        /// What it said, or nothing.
        said: String,
    },
    /// It was not waited for any longer.
    #[error("task `{name}` is not done after {} s", waited.as_secs())]
    TimedOut {
        /// What it does.
        name: String,
        /// How long it was waited for.
        waited: Duration,
    },
}

impl TaskFailure {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ended { .. } => None,
            Self::TimedOut { .. } => {
                Some("it goes on without being watched; look at it again later".to_owned())
            }
        }
    }
}

/// Stands for a timeout too long to be added to a time: a year.
const FOREVER: Duration = Duration::from_hours(365 * 24);

impl Client {
    /// Waits for a task to end, telling `on_progress` of every look at it. A look that fails for the
    /// moment is repeated; a task that does not exist, or that may not be looked at, is an error.
    pub async fn wait_for_task(
        &self,
        id: &str,
        waiting: Waiting,
        mut on_progress: impl FnMut(&Task),
    ) -> Result<TaskOutcome, Error> {
        let begin = Instant::now();
        let deadline = begin
            .checked_add(waiting.timeout)
            .unwrap_or(begin + FOREVER);
        let (mut last, mut looks, mut failures) = (None, 0, 0);
        loop {
            let Ok(look) = tokio::time::timeout_at(deadline, self.look_at_task(id)).await else {
                return Ok(TaskOutcome::TimedOut {
                    last,
                    waited: waiting.timeout,
                });
            };
            looks += 1;
            let pause = match look {
                Ok(Look::Seen(task)) => {
                    failures = 0;
                    on_progress(&task);
                    match task.state() {
                        TaskState::Succeeded => return Ok(TaskOutcome::Succeeded(task)),
                        TaskState::Ended(_) => return Ok(TaskOutcome::Failed(task)),
                        TaskState::Going => {}
                    }
                    let pause = waiting.pause(looks, task.suggested_interval());
                    last = Some(task);
                    pause
                }
                Ok(Look::Later(delay, error)) => {
                    failures += 1;
                    self.forgive(failures, error)?;
                    delay
                        .unwrap_or(waiting.shortest * failures)
                        .clamp(waiting.shortest, waiting.longest)
                }
                Err(error) if error.kind() == Kind::Unreachable => {
                    failures += 1;
                    self.forgive(failures, error)?;
                    (waiting.shortest * failures).min(waiting.longest)
                }
                Err(error) => return Err(error),
            };
            if Instant::now() + pause >= deadline {
                tokio::time::sleep_until(deadline).await;
                return Ok(TaskOutcome::TimedOut {
                    last,
                    waited: waiting.timeout,
                });
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn look_at_task(&self, id: &str) -> Result<Look, Error> {
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
        let request = BuiltRequest {
            method: Method::GET,
            path_and_query: format!("/api/v1/tasks/{id}"),
            headers: Vec::new(),
            body: None,
        };
        let response: Response = self.send_unrepeated(&request).await?;
        if let Some(problem) = response.problem() {
            let passing = response.status().is_server_error() || problem.status() == 429;
            let delay = retry_after(&response, self.now());
            return if passing {
                Ok(Look::Later(delay, problem.into()))
            } else {
                Err(problem.into())
            };
        }
        let not_a_task = || Error::NotJson {
            status: response.status().as_u16(),
            reason: "it has no `state`, so it is no task".to_owned(),
        };
        Task::read(response.json()?)
            .map(Look::Seen)
            .ok_or_else(not_a_task)
    }

    /// Lets a failed look pass, a few times in a row.
    fn forgive(&self, failures: u32, error: Error) -> Result<(), Error> {
        if failures > FORGIVEN {
            return Err(error);
        }
        self.tell(&Event::PollFailed {
            reason: error.to_string(),
        });
        Ok(())
    }
}

/// What a look at a task gave.
enum Look {
    Seen(Task),
    /// Nothing for the moment, and when to look again if the server said so.
    Later(Option<Duration>, Error),
}

/// How many looks in a row may fail.
const FORGIVEN: u32 = 3;

/// Pause when the server suggests none.
const UNSAID_INTERVAL: Duration = Duration::from_secs(2);

/// Longest pause between the first look and the second.
const SECOND_LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn task(value: Value) -> Task {
        Task::read(value).unwrap()
    }

    #[test]
    fn the_task_is_found_in_all_forms_of_its_address() {
        let id = "dd9e6b68-db1c-4f86-90b4-9ce31d65abfa";
        for uri in [
            id.to_owned(),
            format!("/rest/vega/v1/tasks/{id}"),
            format!("/api/v1/tasks/{id}"),
            format!("https://us1.example.com/api/v1/tasks/{id}/?x=/y"),
        ] {
            assert_eq!(
                task_id(&json!({"taskUri": uri})).as_deref(),
                Some(id),
                "{uri}"
            );
        }
        for body in [
            json!({}),
            json!({"taskUri": ""}),
            json!({"taskUri": "/"}),
            json!([]),
        ] {
            assert_eq!(task_id(&body), None, "{body}");
        }
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
            let task = task(json!({"state": going, "progressPercent": 100}));
            assert_eq!(task.state(), TaskState::Going, "{going}");
        }
        for ended in ["FAILED", "TIMEDOUT", "CANCELLED"] {
            let task = task(json!({"state": ended, "progressPercent": 10}));
            assert_eq!(task.state(), TaskState::Ended(ended.to_owned()));
        }
        assert_eq!(
            task(json!({"state": "SUCCEEDED"})).state(),
            TaskState::Succeeded
        );
        assert!(Task::read(json!({"items": []})).is_none());
    }

    #[test]
    fn the_error_is_told_in_the_words_there_are() {
        let said = |value: Value| task(value).error();
        let error = json!({"state": "FAILED", "error": {"error": "no space", "errorCode": "E7"}});
        assert_eq!(said(error).unwrap(), "no space (E7)");
        let log = json!({"state": "FAILED", "error": null,
            "logMessages": [{"message": "a"}, {"message": "pool full"}]});
        assert_eq!(said(log).unwrap(), "pool full");
        assert_eq!(said(json!({"state": "FAILED"})), None);
        let failure = TaskOutcome::Failed(task(json!({"state": "FAILED", "name": "x"})));
        assert_eq!(
            failure.success().unwrap_err().to_string(),
            "task `x` ended as FAILED"
        );
    }

    #[test]
    fn the_servers_suggestion_counts_within_bounds_and_the_second_look_is_early() {
        let waiting = Waiting::at_most(Duration::from_mins(10));
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(waiting.pause(1, seconds(30)), Duration::from_secs(1));
        assert_eq!(waiting.pause(2, seconds(30)), Duration::from_secs(30));
        assert_eq!(waiting.pause(2, seconds(3600)), Duration::from_secs(30));
        assert_eq!(waiting.pause(1, seconds(0)), Duration::from_millis(200));
        assert_eq!(waiting.pause(5, None), UNSAID_INTERVAL);
    }

    #[test]
    fn progress_is_a_whole_percentage() {
        let progress = |value: Value| task(json!({"state": "RUNNING", "progressPercent": value}));
        assert_eq!(progress(json!(42.9)).progress(), Some(42));
        assert_eq!(progress(json!(250)).progress(), Some(100));
        assert_eq!(progress(json!(-1)).progress(), None);
        assert_eq!(progress(json!(null)).progress(), None);
    }
}
