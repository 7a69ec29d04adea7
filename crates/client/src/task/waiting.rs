//! Looking at a task until it ends or the time is up.
//!
//! A look that fails for the moment (429, a server error, a lost connection) says nothing about the
//! task, so it does not end the waiting; the time limit does.

use std::time::Duration;

use hallpass_openapi::BuiltRequest;
use http::Method;
use tokio::time::Instant;

use super::{FailedChild, Task, TaskLink, TaskOutcome, TaskState};
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::response::Response;
use crate::send::Client;
use crate::token_answer::retry_after;

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

    /// The pause after so many failed looks in a row: each twice as long as the one before.
    fn pause_after_failures(&self, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.shortest.saturating_mul(1 << failures.min(16));
        asked.unwrap_or(doubled).clamp(self.shortest, self.longest)
    }
}

impl Client {
    /// Waits for a task to end, telling `on_progress` of every look at it. A look that fails for the
    /// moment is repeated; a task that does not exist, or that may not be looked at, is an error.
    pub async fn wait_for_task(
        &self,
        link: &TaskLink,
        waiting: Waiting,
        mut on_progress: impl FnMut(&Task),
    ) -> Result<TaskOutcome, Error> {
        let begin = Instant::now();
        let deadline = begin
            .checked_add(waiting.timeout)
            .unwrap_or(begin + FOREVER);
        let (mut last, mut trouble, mut looks, mut failures) = (None, None, 0, 0);
        loop {
            let look = tokio::time::timeout_at(deadline, self.look_at_task(link)).await;
            looks += 1;
            let pause = match look {
                Err(_) => Duration::MAX,
                Ok(Ok(Look::Seen(task))) => {
                    (failures, trouble) = (0, None);
                    on_progress(&task);
                    match task.state() {
                        TaskState::Succeeded => return Ok(TaskOutcome::Succeeded(task)),
                        TaskState::Ended(_) => {
                            let children = self.failed_children(&task, deadline).await;
                            return Ok(TaskOutcome::Failed { task, children });
                        }
                        TaskState::Going => {}
                    }
                    let pause = waiting.pause(looks, task.suggested_interval());
                    last = Some(task);
                    pause
                }
                Ok(Ok(Look::Later(asked, error))) => {
                    failures += 1;
                    self.tell(&Event::PollFailed {
                        reason: error.to_string(),
                    });
                    trouble = Some(error.to_string());
                    waiting.pause_after_failures(failures, asked)
                }
                Ok(Err(error)) => return Err(error),
            };
            if pause >= deadline.saturating_duration_since(Instant::now()) {
                tokio::time::sleep_until(deadline).await;
                return Ok(TaskOutcome::TimedOut {
                    last,
                    waited: waiting.timeout,
                    trouble,
                });
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn look_at_task(&self, link: &TaskLink) -> Result<Look, Error> {
        let request = BuiltRequest {
            method: Method::GET,
            path_and_query: link.path().to_owned(),
            headers: Vec::new(),
            body: None,
        };
        let response: Response = match self.send_unrepeated(&request).await {
            Ok(response) => response,
            Err(error) if error.kind() == Kind::Unreachable => {
                return Ok(Look::Later(None, error));
            }
            Err(error) => return Err(error),
        };
        if let Some(problem) = response.problem() {
            let passing = response.status().is_server_error() || problem.status() == 429;
            let delay = retry_after(&response, self.now());
            return if passing {
                Ok(Look::Later(delay, problem.into()))
            } else {
                Err(problem.into())
            };
        }
        let status = response.status().as_u16();
        let not_a_task = || Error::NotJson {
            status,
            reason: "it has no `state`, so it is no task".to_owned(),
        };
        Task::read(response.into_body())
            .map(Look::Seen)
            .ok_or_else(not_a_task)
    }

    /// What went wrong in the tasks that a failed one is made of, as far as they can be looked at.
    async fn failed_children(&self, task: &Task, deadline: Instant) -> Vec<FailedChild> {
        let mut failed = Vec::new();
        for child in task.children().take(MOST_CHILDREN) {
            let look = tokio::time::timeout_at(deadline, self.look_at_task(&child)).await;
            if let Ok(Ok(Look::Seen(child))) = look
                && let TaskState::Ended(_) = child.state()
            {
                failed.push(FailedChild::new(&child));
            }
        }
        failed
    }
}

/// What a look at a task gave.
enum Look {
    Seen(Task),
    /// Nothing for the moment, and when to look again if the server said so.
    Later(Option<Duration>, Error),
}

/// Stands for a timeout too long to be added to a time: a year.
const FOREVER: Duration = Duration::from_hours(365 * 24);

/// How many parts of a failed task are asked what went wrong.
const MOST_CHILDREN: usize = 10;

/// Pause when the server suggests none.
const UNSAID_INTERVAL: Duration = Duration::from_secs(2);

/// Longest pause between the first look and the second.
const SECOND_LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_server_in_trouble_is_asked_less_and_less_often() {
        let waiting = Waiting::at_most(Duration::from_mins(10));
        let pause = |failures| waiting.pause_after_failures(failures, None);
        assert_eq!(pause(1), Duration::from_millis(400));
        assert_eq!(pause(3), Duration::from_millis(1600));
        assert_eq!(pause(4_000_000), waiting.longest);
        let asked = |seconds| waiting.pause_after_failures(1, Some(Duration::from_secs(seconds)));
        assert_eq!(
            (asked(7), asked(700)),
            (Duration::from_secs(7), waiting.longest)
        );
    }
}
