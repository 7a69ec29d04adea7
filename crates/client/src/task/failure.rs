//! How the waiting for a task ended, and why a task did not succeed.

use std::fmt;
use std::time::Duration;

use super::Task;
use crate::redact::first_line;

/// How the waiting ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskOutcome {
    /// The task did what it should.
    Succeeded(Task),
    /// The task ended otherwise.
    Failed {
        /// The task.
        task: Task,
        /// The parts of it that failed.
        children: Vec<FailedChild>,
    },
    /// The time is up, and the task is not at its end.
    TimedOut {
        /// The task as last seen, if it was.
        last: Option<Task>,
        /// How long it was waited for.
        waited: Duration,
        /// Why the last look gave nothing.
        trouble: Option<String>,
    },
}

impl TaskOutcome {
    /// The task when it succeeded.
    pub fn success(self) -> Result<Task, TaskFailure> {
        match self {
            Self::Succeeded(task) => Ok(task),
            Self::Failed { task, children } => Err(TaskFailure::Ended {
                task: FailedChild::new(&task),
                children,
            }),
            Self::TimedOut {
                last,
                waited,
                trouble,
            } => Err(TaskFailure::TimedOut {
                name: last.map_or_else(String::new, |task| first_line(task.name(), &[])),
                waited,
                trouble,
            }),
        }
    }
}

/// A task that ended otherwise, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedChild {
    name: String,
    state: String,
    said: String,
}

impl FailedChild {
    pub(super) fn new(task: &Task) -> Self {
        Self {
            name: first_line(task.name(), &[]),
            state: first_line(task.state_word(), &[]),
            said: first_line(&task.error().unwrap_or_default(), &[]),
        }
    }
}

impl fmt::Display for FailedChild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task `{}` ended as {}", self.name, self.state)?;
        if self.said.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", self.said)
    }
}

/// Why a task did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskFailure {
    /// It ended otherwise.
    #[error("{task}{}", Parts(children))]
    Ended {
        /// What ended how.
        task: FailedChild,
        /// The parts of it that failed.
        children: Vec<FailedChild>,
    },
    /// It was not waited for any longer.
    #[error("task `{name}` is not done after {} s{}", waited.as_secs(), Trouble(trouble))]
    TimedOut {
        /// What it does.
        name: String,
        /// How long it was waited for.
        waited: Duration,
        /// Why the last look gave nothing.
        trouble: Option<String>,
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

struct Parts<'a>(&'a [FailedChild]);

impl fmt::Display for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|child| write!(f, "; its {child}"))
    }
}

struct Trouble<'a>(&'a Option<String>);

impl fmt::Display for Trouble<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(trouble) => write!(f, ", and the last look at it failed: {trouble}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_the_parts_that_failed() {
        let task = |text: &str| Task::read(text.as_bytes().to_vec()).unwrap();
        let alone = TaskOutcome::Failed {
            task: task(r#"{"state":"FAILED","name":"x"}"#),
            children: Vec::new(),
        };
        let alone = alone.success().unwrap_err();
        assert_eq!(alone.to_string(), "task `x` ended as FAILED");
        let part =
            task(r#"{"state":"TIMEDOUT","displayName":"Export","error":{"error":"no path"}}"#);
        let parts = TaskOutcome::Failed {
            task: task(r#"{"state":"FAILED","name":"x"}"#),
            children: vec![FailedChild::new(&part)],
        };
        assert_eq!(
            parts.success().unwrap_err().to_string(),
            "task `x` ended as FAILED; its task `Export` ended as TIMEDOUT: no path"
        );
    }
}
