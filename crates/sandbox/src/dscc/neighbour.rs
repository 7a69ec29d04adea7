//! What the generic level is told of the storage API: its tasks, and that its PUT is partial.

use std::collections::BTreeSet;

use hallpass_openapi::{Definition, Operation};
use http::Method;
use serde_json::Value;

use super::tasks::{self, WorkCheck, reference};
use super::{Call, Row};
use crate::generic;
use crate::rest::Refusal;
use crate::sandbox::Outcome;

/// Whether the definition is one of the storage API, as far as tasks are concerned.
pub(crate) fn has_tasks(definition: &Definition) -> bool {
    let mut operations = definition.operations().iter();
    operations.any(|one| {
        one.method() == Method::GET
            && one.path().starts_with("/api/v1/tasks/")
            && Row::of(one).is_some()
    })
}

/// Which of several joined definitions are of the storage API: it may be written in several, and what
/// holds for all of it says nothing of another API beside it.
pub(crate) fn origins(definition: &Definition) -> BTreeSet<usize> {
    let operations = definition.operations().iter();
    let own = operations.filter(|one| Row::of(one).is_some() || answers_with_task(definition, one));
    own.map(|one| definition.origin(one)).collect()
}

/// Whether an operation answers with a task (domain.md 6.5).
pub(crate) fn answers_with_task(definition: &Definition, operation: &Operation) -> bool {
    let mut answers = operation.responses().iter();
    answers.any(|(status, schema)| {
        let schema = schema.as_ref().map(|schema| definition.resolve(schema));
        let properties = schema.and_then(|schema| schema.get("properties"));
        status.starts_with('2') && properties.is_some_and(|all| all.get("taskUri").is_some())
    })
}

/// Takes the work of the generic level as a task.
pub(crate) fn accept(call: &mut Call<'_, '_>, work: generic::Work) -> Result<Outcome, Refusal> {
    let title = work.told();
    let resource = |(name, path): (String, String)| reference(&work.kind, &name, path);
    let resources: Vec<Value> = work.about.into_iter().map(resource).collect();
    let checks = work
        .checks
        .into_iter()
        .map(|(requirement, complaint)| WorkCheck {
            requirement,
            complaint,
            recommendation: "Choose another name.",
        });
    let path = call.request.operation.path();
    let work = tasks::Work {
        title,
        source: resources
            .first()
            .cloned()
            .unwrap_or_else(|| reference("system", "", path)),
        checks: checks.collect(),
        resources,
        first: work.first,
        then: work.then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}
