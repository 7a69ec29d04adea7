//! Tasks: the work that a 202 promises, planned as steps of the state (domain.md 6.5).
//!
//! What a call will check and change is described once, as [`Work`]. Checks that already fail refuse
//! the call; they are made again when the task ends, and what happened in between makes it fail.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::routes::{Named, Row};
use super::{Call, Owned, collection, ids};
use crate::change::{Change, Check, Planned, Requirement};
use crate::rest::{Envelope, Refusal, Virtual};
use crate::sandbox::{Outcome, Response, TaskFate, TaskUri};
use crate::state::State;
use crate::stored::{Fields, Stored};
use http::StatusCode;

/// How far a task is, in percent of its way and of its time.
const PROGRESS: [i32; 3] = [25, 50, 75];

/// What to do about a fault that was asked for.
const ASKED_FOR: &str = "Send the request without the fault.";

/// What a task is to do.
pub(super) struct Work {
    /// What it does, in words.
    pub(super) title: String,
    /// What it was asked of.
    pub(super) source: Value,
    /// What it changes.
    pub(super) resources: Vec<Value>,
    /// What must hold, now and when it ends.
    pub(super) checks: Vec<WorkCheck>,
    /// What changes at once.
    pub(super) first: Vec<Change>,
    /// What changes when it succeeds.
    pub(super) then: Vec<Change>,
    /// What changes when it fails; the objects themselves must stay as they were.
    pub(super) on_failure: Vec<Change>,
}

/// A requirement, and what to say when it does not hold.
pub(super) struct WorkCheck {
    pub(super) requirement: Requirement,
    pub(super) complaint: String,
    pub(super) recommendation: &'static str,
}

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "tasks", &[], |call| list(call)).filtered_by(Virtual::Everything),
    Row::new("GET", "tasks/{}", &[Named::Task], |call| get(call)),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let customer = call.request.caller.customer_id;
    let tasks = call
        .candidates(collection::TASKS, question.filter.as_ref())
        .map(|stored| Owned { stored, customer });
    Ok(Outcome::ok(question.answer(tasks, Envelope::Plain)))
}

/// The id may be a whole path that ends in it: clients pass what they take for a URI verbatim.
fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let id = call.path(0).trim_end_matches('/');
    let id = id.rsplit('/').next().unwrap_or(id);
    let stored = call
        .state
        .get(collection::TASKS, id)
        .or_else(|| call.state.get(collection::TASKS, &id.to_ascii_lowercase()))
        .ok_or_else(|| super::not_found("task", id))?;
    let customer = call.request.caller.customer_id;
    call.one(crate::rest::Item::render(&Owned { stored, customer }))
}

/// When work that starts now will be done.
pub(super) fn end(call: &Call<'_, '_>) -> Timestamp {
    share(call, 100)
}

/// Accepts the work: a 202 that names a new task, or a refusal because a check fails already.
pub(super) fn start(call: &mut Call<'_, '_>, work: Work) -> Result<Outcome, Refusal> {
    require(call.state, &work.checks)?;
    let id = ids::task(call.rng);
    let trace = ids::object(call.rng);
    let task = Task::new(&id, call, &work);
    let mut changes = work.first.clone();
    changes.push(Change::Put {
        collection: collection::TASKS.to_owned(),
        id: id.clone(),
        value: task.initialized(),
    });
    changes.push(Change::Trim {
        collection: collection::TASKS.to_owned(),
        field: "endedAt".to_owned(),
        keep: call.settings.kept_tasks,
    });
    for percent in Task::stages(call.request.task_fate).iter().copied() {
        changes.push(Change::Schedule(Planned {
            at: share(call, percent),
            checks: Vec::new(),
            then: vec![task.running(share(call, percent), percent)],
        }));
    }
    changes.extend(
        task.ending(work, call.request.task_fate, &trace)
            .map(Change::Schedule),
    );
    let body = json!({
        "taskUri": uri(call.settings.task_uri, &id),
        "status": "SUBMITTED",
        "message": "Successfully submitted",
    });
    Ok(Outcome {
        response: Response {
            status: StatusCode::ACCEPTED,
            body: Some(body),
            task: Some(id),
        },
        changes,
    })
}

/// Refuses what a check already speaks against.
pub(super) fn require(state: &State, checks: &[WorkCheck]) -> Result<(), Refusal> {
    match checks.iter().find(|check| !state.holds(&check.requirement)) {
        Some(check) => Err(Refusal::BadRequest(check.complaint.clone())),
        None => Ok(()),
    }
}

/// A reference to another resource.
pub(super) fn reference(kind: &str, name: &str, uri: impl Into<String>) -> Value {
    json!({"name": name, "resourceUri": uri.into(), "type": kind})
}

/// A task that was there before anybody called; the seed has one.
pub(super) fn ended(
    id: &str,
    title: &str,
    user: &str,
    source: Value,
    created: Timestamp,
    end: Timestamp,
) -> Value {
    let task = Task {
        id: id.to_owned(),
        title: title.to_owned(),
        user: user.to_owned(),
        source: source.clone(),
        resources: vec![source],
        created,
        started: created,
        end,
    };
    let mut value = task.initialized();
    if let (Value::Object(object), Change::Merge { fields, .. }) = (&mut value, task.succeeded()) {
        object.extend(fields);
    }
    value
}

fn uri(form: TaskUri, id: &str) -> String {
    match form {
        TaskUri::Id => id.to_owned(),
        TaskUri::Path => format!("/api/v1/tasks/{id}"),
        TaskUri::Definition => format!("/rest/vega/v1/tasks/{id}"),
    }
}

/// The moment at which a task that starts now will be so far.
fn share(call: &Call<'_, '_>, percent: i32) -> Timestamp {
    let duration = call.settings.task_duration;
    // A duration that ends beyond the end of time counts as no time at all.
    call.now
        .checked_add(duration / 100 * percent)
        .unwrap_or(call.now)
        .max(call.now)
}

struct Task {
    id: String,
    title: String,
    user: String,
    source: Value,
    resources: Vec<Value>,
    created: Timestamp,
    started: Timestamp,
    end: Timestamp,
}

impl Task {
    fn new(id: &str, call: &Call<'_, '_>, work: &Work) -> Self {
        Self {
            id: id.to_owned(),
            title: work.title.clone(),
            user: call.request.caller.email.to_owned(),
            source: work.source.clone(),
            resources: work.resources.clone(),
            created: call.now,
            started: share(call, PROGRESS[0]),
            end: share(call, 100),
        }
    }

    fn uri(&self) -> String {
        format!("/api/v1/tasks/{}", self.id)
    }

    fn initialized(&self) -> Value {
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
            "parentTask": reference("task", &self.title, self.uri()),
            "childTasks": [],
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

    fn running(&self, at: Timestamp, percent: i32) -> Change {
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

    fn succeeded(&self) -> Change {
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

    /// How far the task will be seen to be on its way.
    fn stages(fate: TaskFate) -> &'static [i32] {
        match fate {
            TaskFate::Hang => &PROGRESS[..2],
            TaskFate::Normal | TaskFate::Fail | TaskFate::TimeOut => &PROGRESS,
        }
    }

    /// What happens when the time is over; nothing when the task hangs.
    fn ending(&self, work: Work, fate: TaskFate, trace: &str) -> Option<Planned> {
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

/// A change of some fields of an object.
pub(super) fn merge(collection: &str, id: &str, fields: Value) -> Change {
    let fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    Change::Merge {
        collection: collection.to_owned(),
        id: id.to_owned(),
        fields,
    }
}

/// That an object is still there.
pub(super) fn still_there(collection: &str, what: &str, object: &Stored) -> WorkCheck {
    let id = object.text("id");
    WorkCheck {
        requirement: Requirement::Exists {
            collection: collection.to_owned(),
            id: id.to_owned(),
        },
        complaint: format!("the {what} {} ({id}) is gone", object.text("name")),
        recommendation: "Look whether somebody else deleted it.",
    }
}

fn log(word: &str, at: Timestamp) -> Value {
    json!({"message": format!("Task {word}"), "timestampAt": ids::time(at)})
}
