//! A task as it is kept: what it says of itself when it is accepted, on its way and at its end.
//!
//! A task of several parts has a child for each (domain.md sections 4.5 and 6.5): a child refers to
//! its parent, a task at the top to itself.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::tasks::{Work, merge, reference};
use super::{collection, ids};
use crate::change::{Change, Check, Planned};
use crate::sandbox::TaskFate;

/// What to do about a fault that was asked for.
const ASKED_FOR: &str = "Send the request without the fault.";

/// A task, before it is known how it ends.
pub(super) struct Task {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) user: String,
    pub(super) source: Value,
    pub(super) resources: Vec<Value>,
    pub(super) created: Timestamp,
    pub(super) started: Timestamp,
    pub(super) end: Timestamp,
    /// The task that it is a part of.
    pub(super) parent: Option<Value>,
    /// The tasks that are its parts.
    pub(super) children: Vec<Value>,
}

impl Task {
    /// How other tasks refer to it.
    pub(super) fn reference(&self) -> Value {
        reference("task", &self.title, self.uri())
    }

    fn uri(&self) -> String {
        format!("/api/v1/tasks/{}", self.id)
    }

    pub(super) fn initialized(&self) -> Value {
        let seconds = self.end.duration_since(self.created).as_secs();
        json!({
            "id": self.id,
            "name": self.title,
            "type": "task",
            "displayName": self.title,
            "state": "INITIALIZED",
            "healthStatus": "OK",
            "progressPercent": 0,
            "createdAt": ids::time(self.created),
            "startedAt": null,
            "updatedAt": ids::time(self.created),
            "endedAt": null,
            "parentTask": self.parent.clone().unwrap_or_else(|| self.reference()),
            "childTasks": self.children,
            "sourceResource": self.source,
            "associatedResources": self.resources,
            "logMessages": [log("accepted", self.created)],
            "recommendations": [],
            "error": null,
            "estimatedRunningDurationMinutes": seconds / 60 + 1,
            "suggestedPollingIntervalSeconds": (seconds / 10).clamp(1, 30),
            "userId": self.user,
            "generation": self.created.as_millisecond(),
            "resourceUri": self.uri(),
            "additionalDetails": {"consoleUri": format!("/data-ops-manager/tasks/{}", self.id)},
        })
    }

    pub(super) fn running(&self, at: Timestamp, percent: i32) -> Change {
        self.merge(json!({
            "state": "RUNNING",
            "progressPercent": percent,
            "startedAt": ids::time(self.started),
            "updatedAt": ids::time(at),
            "logMessages": [log("accepted", self.created), log("started", self.started)],
            "generation": at.as_millisecond(),
        }))
    }

    /// Pollers wait for 100 percent, so a task that failed is there, too.
    fn over(&self, state: &str, health: &str, word: &str) -> Map<String, Value> {
        let fields = json!({
            "state": state,
            "healthStatus": health,
            "progressPercent": 100,
            "startedAt": ids::time(self.started),
            "updatedAt": ids::time(self.end),
            "endedAt": ids::time(self.end),
            "logMessages": [
                log("accepted", self.created),
                log("started", self.started),
                log(word, self.end),
            ],
            "generation": self.end.as_millisecond(),
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    pub(super) fn succeeded(&self) -> Change {
        self.merge(Value::Object(self.over("SUCCEEDED", "OK", "completed")))
    }

    fn failed(&self, complaint: &str, recommendation: &str, trace: &str) -> Change {
        let fields = self.over("FAILED", "ERROR", "failed");
        self.unsuccessful(fields, complaint, "BAD_REQUEST", recommendation, trace)
    }

    fn timed_out(&self, trace: &str) -> Change {
        let fields = self.over("TIMEDOUT", "ERROR", "timed out");
        let complaint = "the task took too long";
        self.unsuccessful(fields, complaint, "TIMEOUT", ASKED_FOR, trace)
    }

    fn unsuccessful(
        &self,
        mut fields: Map<String, Value>,
        complaint: &str,
        code: &str,
        recommendation: &str,
        trace: &str,
    ) -> Change {
        fields.insert(
            "error".to_owned(),
            json!({"error": complaint, "errorCode": code, "traceId": trace}),
        );
        fields.insert(
            "recommendations".to_owned(),
            json!([{"message": recommendation}]),
        );
        self.merge(Value::Object(fields))
    }

    /// What happens when the time is over; nothing when the task hangs.
    pub(super) fn ending(&self, work: Work, fate: TaskFate, trace: &str) -> Option<Planned> {
        let unsuccessful = |change: Change| Planned {
            at: self.end,
            checks: Vec::new(),
            then: [work.on_failure.clone(), vec![change]].concat(),
        };
        match fate {
            TaskFate::Normal => Some(self.work(work, trace)),
            TaskFate::Fail => {
                let complaint = "the task failed, as the request asked for";
                Some(unsuccessful(self.failed(complaint, ASKED_FOR, trace)))
            }
            TaskFate::TimeOut => Some(unsuccessful(self.timed_out(trace))),
            TaskFate::Hang => None,
        }
    }

    fn work(&self, work: Work, trace: &str) -> Planned {
        let checks = work.checks.into_iter().map(|check| {
            let mut otherwise = work.on_failure.clone();
            otherwise.push(self.failed(&check.complaint, check.recommendation, trace));
            Check {
                requirement: check.requirement,
                otherwise,
            }
        });
        let checks = checks.collect();
        let mut then = work.then;
        then.push(self.succeeded());
        Planned {
            at: self.end,
            checks,
            then,
        }
    }

    fn merge(&self, fields: Value) -> Change {
        merge(collection::TASKS, &self.id, fields)
    }
}

fn log(word: &str, at: Timestamp) -> Value {
    json!({"message": format!("Task {word}"), "timestampAt": ids::time(at)})
}
