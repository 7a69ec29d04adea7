//! Which problems a definition can have.
//!
//! Each rule says what, where and what to do. None of them keeps the definition from being used:
//! that is for `read`.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::document::Document;
use crate::operation::{Location, Operation};
use crate::places::join;
use crate::problem::{Problem, Severity};
use crate::reference;
use crate::route::{Piece, Unreachable, pieces};
use crate::translate::{is_old_dialect, is_pattern};
use crate::walk::{Visit, walk};

/// Everything found, rule by rule.
pub(crate) fn check(
    document: &Document,
    operations: &[Operation],
    unreachable: &[Unreachable],
) -> Vec<Problem> {
    let mut findings = Findings {
        document,
        problems: Vec::new(),
    };
    information(&mut findings);
    path_names(&mut findings);
    operation_ids(&mut findings, operations);
    path_parameters(&mut findings, operations);
    routes(&mut findings, operations, unreachable);
    component_names(&mut findings);
    everywhere(&mut findings);
    findings.problems
}

/// Problems, located as they are added.
struct Findings<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
}

impl Findings<'_> {
    fn add(
        &mut self,
        (severity, rule): (Severity, &'static str),
        pointer: String,
        message: String,
        advice: impl Into<String>,
    ) {
        let place = self.document.place(pointer);
        self.problems.push(Problem {
            severity,
            part: place.part.map(str::to_owned),
            pointer: place.pointer,
            line: place.position.line,
            column: place.position.column,
            message,
            advice: advice.into(),
            rule,
        });
    }
}

fn information(findings: &mut Findings<'_>) {
    let info = findings.document.value().get("info");
    for (key, rule, message, advice) in [
        (
            "license",
            "license-missing",
            "the definition names no licence",
            "add `info.license` with a name, so that readers know what they may do with it",
        ),
        (
            "contact",
            "contact-missing",
            "the definition names no contact",
            "add `info.contact`, so that readers know whom to ask",
        ),
    ] {
        if info.and_then(|info| info.get(key)).is_none() {
            findings.add(
                (Severity::Note, rule),
                "/info".to_owned(),
                message.to_owned(),
                advice,
            );
        }
    }
}

fn path_names(findings: &mut Findings<'_>) {
    let paths = findings
        .document
        .value()
        .get("paths")
        .and_then(Value::as_object);
    for path in paths.into_iter().flat_map(Map::keys) {
        if !path.starts_with('/') && !path.starts_with("x-") {
            findings.add(
                (Severity::Error, "path-without-slash"),
                join("/paths", path),
                format!("the path `{path}` does not begin with a slash, so it is left out"),
                "begin every path with `/`",
            );
        }
    }
}

fn operation_ids(findings: &mut Findings<'_>, operations: &[Operation]) {
    let mut by_id: HashMap<&str, &Operation> = HashMap::new();
    let mut by_lower: HashMap<String, &str> = HashMap::new();
    for operation in operations {
        let at = join(operation.pointer(), "operationId");
        let Some(id) = operation.declared_id() else {
            findings.add(
                (Severity::Warning, "operation-id-missing"),
                operation.pointer().to_owned(),
                format!(
                    "{} {} has no operationId",
                    operation.method(),
                    operation.path()
                ),
                format!("add one; until then it is called `{}` here", operation.id()),
            );
            continue;
        };
        if let Some(first) = by_id.get(id) {
            findings.add(
                (Severity::Error, "operation-id-duplicate"),
                at,
                format!(
                    "the operationId `{id}` is taken by {} {}",
                    first.method(),
                    first.path()
                ),
                format!(
                    "give each operation its own; this one is called `{}` here",
                    operation.id()
                ),
            );
            continue;
        }
        by_id.insert(id, operation);
        if let Some(twin) = by_lower.get(&id.to_lowercase()) {
            findings.add(
                (Severity::Warning, "operation-id-case"),
                at,
                format!("the operationIds `{id}` and `{twin}` differ only in letter case"),
                "rename one: code generators and people mix them up",
            );
        } else {
            by_lower.insert(id.to_lowercase(), id);
        }
    }
}

fn path_parameters(findings: &mut Findings<'_>, operations: &[Operation]) {
    for operation in operations {
        let template = pieces(operation.path());
        let declared = || {
            operation
                .parameters()
                .iter()
                .filter(|one| one.location == Location::Path)
        };
        for piece in &template {
            let Piece::Parameter(name) = piece else {
                continue;
            };
            if !declared().any(|one| one.name == *name) {
                findings.add(
                    (Severity::Error, "path-parameter-undeclared"),
                    operation.pointer().to_owned(),
                    format!("the path has `{{{name}}}`, but no path parameter is called `{name}`"),
                    "declare it under `parameters` with `in: path`, in the same letter case",
                );
            }
        }
        for parameter in declared() {
            if !template.contains(&Piece::Parameter(&parameter.name)) {
                findings.add(
                    (Severity::Warning, "path-parameter-unused"),
                    operation.pointer().to_owned(),
                    format!(
                        "the path parameter `{}` does not occur in the path {}",
                        parameter.name,
                        operation.path()
                    ),
                    "write it into the path in braces, or remove it",
                );
            }
        }
    }
}

fn routes(findings: &mut Findings<'_>, operations: &[Operation], unreachable: &[Unreachable]) {
    for one in unreachable {
        match one {
            Unreachable::SameAs { operation, other } => {
                let (operation, other) = (&operations[*operation], &operations[*other]);
                findings.add(
                    (Severity::Error, "operation-unreachable"),
                    operation.pointer().to_owned(),
                    format!(
                        "{} {} matches the same requests as {}",
                        operation.method(),
                        operation.path(),
                        other.path()
                    ),
                    "the names of parameters do not tell paths apart; change the path of one",
                );
            }
            Unreachable::Ambiguous { operation, reason } => {
                let operation = &operations[*operation];
                findings.add(
                    (Severity::Error, "operation-unreachable"),
                    operation.pointer().to_owned(),
                    format!(
                        "requests cannot be matched to {}: {reason}",
                        operation.path()
                    ),
                    "use one parameter per segment, with segments that can be told apart",
                );
            }
        }
    }
}

fn component_names(findings: &mut Findings<'_>) {
    let components = findings
        .document
        .value()
        .get("components")
        .and_then(Value::as_object);
    for (section, members) in components.into_iter().flatten() {
        let mut by_lower: HashMap<String, &str> = HashMap::new();
        for name in members.as_object().into_iter().flat_map(Map::keys) {
            let Some(twin) = by_lower.insert(name.to_lowercase(), name) else {
                continue;
            };
            let rule = if section == "schemas" {
                "schema-name-case"
            } else {
                "component-name-case"
            };
            findings.add(
                (Severity::Warning, rule),
                join(&join("/components", section), name),
                format!("`{twin}` and `{name}` under `{section}` differ only in letter case"),
                "rename one: generated code and case-insensitive file systems merge them",
            );
        }
    }
}

fn everywhere(findings: &mut Findings<'_>) {
    let root = findings.document.value();
    let old = is_old_dialect(root);
    walk(root, &mut |visit| {
        if let Some(reference) = reference::target(visit.value) {
            reference_target(findings, root, &visit, reference);
        }
        if old
            && visit.value.get("nullable") == Some(&Value::Bool(true))
            && visit.value.get("type").is_none()
        {
            findings.add(
                (Severity::Warning, "nullable-without-type"),
                join(&visit.pointer(), "nullable"),
                "`nullable` has no effect without `type` beside it (OpenAPI 3.0.3, Schema Object)"
                    .to_owned(),
                "add the `type`; until then Hallpass allows null here, which is what it seems to mean",
            );
        }
        if let Some(pattern) = visit.value.get("pattern").and_then(Value::as_str)
            && !is_pattern(pattern)
        {
            findings.add(
                (Severity::Warning, "pattern-unusable"),
                join(&visit.pointer(), "pattern"),
                format!("the pattern `{pattern}` is no regular expression that can be used"),
                "correct it; until then the pattern is not checked",
            );
        }
    });
}

fn reference_target(
    findings: &mut Findings<'_>,
    root: &Value,
    visit: &Visit<'_, '_>,
    target: &str,
) {
    // What leads out of the document has been looked at when its texts were brought together.
    let is_local = target == "#" || target.starts_with("#/");
    if is_local && reference::local(root, target).is_none() {
        findings.add(
            (Severity::Error, "reference-dangling"),
            join(&visit.pointer(), "$ref"),
            format!("the reference `{target}` leads to nothing"),
            "correct the spelling (letter case counts) or add what is missing",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::Definition;
    use crate::testing::SMALL;

    /// Rule, line and column of everything found.
    fn found(text: &str) -> Vec<(&'static str, usize, usize)> {
        let reading = Definition::read(text).unwrap();
        let problems = reading.problems.iter();
        problems
            .map(|problem| (problem.rule, problem.line, problem.column))
            .collect()
    }

    #[test]
    fn the_small_definition_has_its_known_problems_only() {
        assert_eq!(
            found(SMALL),
            [
                ("operation-id-case", 121, 7),
                ("nullable-without-type", 166, 19),
                ("nullable-without-type", 171, 19),
            ]
        );
    }

    #[test]
    fn each_rule_finds_and_locates() {
        let text = "\
openapi: 3.0.3
info: { title: T }
paths:
  no-slash:
    get: {}
  /a/{id}:
    get:
      parameters:
        - { name: ID, in: path, required: true, schema: { type: string, pattern: '(' } }
    put: { operationId: p, parameters: [{ $ref: '#/components/parameters/id' }] }
    post: { operationId: p, parameters: [{ name: id, in: path, schema: { $ref: other.yaml#/x } }] }
components:
  parameters:
    Id: { name: id, in: path, schema: { nullable: true } }
  schemas:
    a: { properties: { $ref: { type: string }, nullable: { type: string } } }
    A: { example: { $ref: '#/nowhere' } }
";
        assert_eq!(
            found(text),
            [
                ("license-missing", 2, 1),
                ("contact-missing", 2, 1),
                ("path-without-slash", 4, 3),
                ("operation-id-missing", 7, 5),
                ("path-parameter-undeclared", 7, 5),
                ("path-parameter-unused", 7, 5),
                ("pattern-unusable", 9, 73),
                ("path-parameter-undeclared", 10, 5),
                ("reference-dangling", 10, 43),
                ("operation-id-duplicate", 11, 13),
                ("reference-external", 11, 74),
                ("nullable-without-type", 14, 41),
                ("schema-name-case", 17, 5),
            ]
        );
    }

    #[test]
    fn a_problem_says_what_and_what_to_do() {
        let reading = Definition::read(SMALL).unwrap();
        let problem = &reading.problems[0];
        assert_eq!(
            problem.to_string(),
            "121:7: warning: the operationIds `Starthandover` and `StartHandover` differ only in \
             letter case [operation-id-case]"
        );
        assert_eq!(problem.pointer, "/paths/~1handover~1stop/post/operationId");
        assert!(
            reading
                .problems
                .iter()
                .all(|problem| !problem.advice.is_empty())
        );
    }

    #[test]
    fn nullable_means_nothing_in_3_1() {
        let text = "openapi: 3.1.0\ninfo: {license: {}, contact: {}}\ncomponents: {schemas: {A: {nullable: true}}}";
        assert_eq!(found(text), []);
    }
}
