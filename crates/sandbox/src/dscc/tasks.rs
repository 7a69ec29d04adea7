//! Tasks: the work that a 202 promises, planned as steps of the state (domain.md 6.5).
//!
//! What a call will check and change is described once, as [`Work`]. Checks that already fail refuse
//! the call; they are made again when the task ends, and what happened in between makes it fail.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::routes::{Named, Row};
use super::task_object::Task;
use super::{Call, Owned, collection, ids};
use crate::change::{Change, Planned, Requirement};
use crate::rest::{Envelope, Refusal, Virtual};
use crate::sandbox::{Outcome, Response, TaskFate, TaskUri};
use crate::state::State;
use crate::stored::{Fields, Stored};
use http::StatusCode;

/// How far a task is, in percent of its way and of its time.
const PROGRESS: [i32; 3] = [25, 50, 75];

/// When the first part of a task begins and the last is done, in percent of the time of the whole:
/// no part begins before the task does, or ends after it.
const PARTS: (i32, i32) = (10, 90);

/// How far a part is said to be while it is worked on.
const PART_RUNNING: i32 = 50;

/// What a task is to do.
#[derive(Clone)]
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
#[derive(Clone)]
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
    start_in_parts(call, work, Vec::new())
}

/// Accepts work that is done in parts, one after the other, each a task of its own below the one
/// that the 202 names. The whole fails when a part does; the other parts are done all the same.
pub(super) fn start_in_parts(
    call: &mut Call<'_, '_>,
    mut work: Work,
    parts: Vec<Work>,
) -> Result<Outcome, Refusal> {
    for work in parts.iter().chain([&work]) {
        require(call.state, &work.checks)?;
    }
    let trace = ids::object(call.rng);
    let mut task = whole(call, &work);
    if !parts.is_empty() {
        task.started = share(call, PARTS.0);
    }
    let (mut first, mut steps) = (Vec::new(), Vec::new());
    for (index, part) in parts.iter().enumerate() {
        let child = part_of(call, &task, part, index, parts.len());
        task.children.push(child.reference());
        work.checks.push(did_not_fail(&child));
        first.push(put(&child));
        steps.push(Change::Schedule(Planned {
            at: child.started,
            checks: Vec::new(),
            then: vec![child.running(child.started, PART_RUNNING)],
        }));
        let ending = child.ending(part.clone(), call.request.task_fate, &trace);
        steps.extend(ending.map(Change::Schedule));
    }
    let mut changes = work.first.clone();
    changes.extend(parts.into_iter().flat_map(|part| part.first));
    changes.push(put(&task));
    changes.extend(first);
    changes.push(Change::Trim {
        collection: collection::TASKS.to_owned(),
        field: "endedAt".to_owned(),
        keep: call.settings.kept_tasks,
    });
    changes.extend(steps);
    changes.extend(stages(call, &task));
    let ending = task.ending(work, call.request.task_fate, &trace);
    changes.extend(ending.map(Change::Schedule));
    Ok(accepted(call, task.id, changes))
}

fn accepted(call: &Call<'_, '_>, id: String, changes: Vec<Change>) -> Outcome {
    let body = json!({
        "taskUri": uri(call.settings.task_uri, &id),
        "status": "SUBMITTED",
        "message": "Successfully submitted",
    });
    Outcome {
        response: Response {
            status: StatusCode::ACCEPTED,
            body: Some(body.into()),
            task: Some(id),
        },
        changes,
    }
}

fn put(task: &Task) -> Change {
    Change::Put {
        collection: collection::TASKS.to_owned(),
        id: task.id.clone(),
        value: task.initialized(),
    }
}

fn whole(call: &mut Call<'_, '_>, work: &Work) -> Task {
    Task {
        id: ids::task(call.rng),
        title: work.title.clone(),
        user: call.request.caller.email.to_owned(),
        source: work.source.clone(),
        resources: work.resources.clone(),
        created: call.moment.now(),
        started: share(call, PROGRESS[0]),
        end: share(call, 100),
        parent: None,
        children: Vec::new(),
    }
}

/// The part with that index, which has its turn after those before it.
fn part_of(call: &mut Call<'_, '_>, parent: &Task, part: &Work, index: usize, of: usize) -> Task {
    let parts = i32::try_from(of).unwrap_or(i32::MAX);
    let turn = |index: usize| {
        let index = i32::try_from(index).unwrap_or(i32::MAX);
        let each = call.settings.task_duration / 100 * (PARTS.1 - PARTS.0) / parts;
        later(share(call, PARTS.0), each * index)
    };
    let (started, end) = (turn(index), turn(index + 1));
    Task {
        started,
        end,
        parent: Some(parent.reference()),
        ..whole(call, part)
    }
}

/// A part that is not kept any longer has ended well enough: the parent would know otherwise.
fn did_not_fail(child: &Task) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::Differs {
            collection: collection::TASKS.to_owned(),
            id: child.id.clone(),
            field: "state".to_owned(),
            text: "FAILED".to_owned(),
        },
        complaint: format!("a part of the task failed: {}", child.title),
        recommendation: "Look at the error of the child task.",
    }
}

/// How far the task will be seen to be on its way.
fn stages(call: &Call<'_, '_>, task: &Task) -> Vec<Change> {
    let stages = match call.request.task_fate {
        TaskFate::Hang => &PROGRESS[..2],
        TaskFate::Normal | TaskFate::Fail | TaskFate::TimeOut => &PROGRESS,
    };
    let planned = |percent: i32| {
        Change::Schedule(Planned {
            at: share(call, percent),
            checks: Vec::new(),
            then: vec![task.running(share(call, percent), percent)],
        })
    };
    let begin = (!task.children.is_empty()).then_some(PARTS.0);
    begin
        .into_iter()
        .chain(stages.iter().copied())
        .map(planned)
        .collect()
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
        parent: None,
        children: Vec::new(),
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
    later(
        call.moment.now(),
        call.settings.task_duration / 100 * percent,
    )
}

/// A duration that ends beyond the end of time counts as no time at all.
pub(super) fn later(now: Timestamp, duration: SignedDuration) -> Timestamp {
    now.checked_add(duration).unwrap_or(now).max(now)
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
