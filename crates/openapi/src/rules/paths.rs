//! Paths: how they are written, and which requests they share.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::Findings;
use super::catalogue::{
    OPERATION_UNREACHABLE, PATH_AMBIGUOUS, PATH_IDENTICAL, PATH_OVERLAP, PATH_PARAMETER_REPEATED,
    PATH_TEMPLATE_BROKEN, PATH_TRAILING_SLASH, PATH_WITH_QUERY, PATH_WITHOUT_SLASH, Rule,
};
use crate::document::join;
use crate::operation::Operation;
use crate::route::{Piece, Unreachable, pieces};

pub(super) fn check(
    findings: &mut Findings<'_>,
    root: &Value,
    operations: &[Operation],
    unreachable: &[Unreachable],
) {
    let paths = root.get("paths").and_then(Value::as_object);
    let mut templates = Vec::new();
    for path in paths.into_iter().flat_map(Map::keys) {
        if path.starts_with("x-") {
            continue;
        }
        spelling(findings, path);
        if path.starts_with('/') {
            templates.push(Template::new(path));
        }
    }
    shared(findings, &templates);
    routes(findings, operations, unreachable);
}

fn spelling(findings: &mut Findings<'_>, path: &str) {
    let at = || join("/paths", path);
    if !path.starts_with('/') {
        findings.add(
            &PATH_WITHOUT_SLASH,
            at(),
            format!("the path `{path}` does not begin with a slash, so it is left out"),
            "begin every path with `/`",
        );
    }
    if path.len() > 1 && path.ends_with('/') {
        findings.add(
            &PATH_TRAILING_SLASH,
            at(),
            format!("the path `{path}` ends in a slash"),
            "remove the slash, or make sure that callers write it: the path without it is another",
        );
    }
    if path.contains(['?', '#']) {
        findings.add(
            &PATH_WITH_QUERY,
            at(),
            format!("the path `{path}` has a query or a fragment in it"),
            "declare what stands behind `?` as parameters with `in: query`",
        );
    }
    let mut names = HashSet::new();
    for piece in pieces(path) {
        match piece {
            Piece::Parameter(name) if !names.insert(name) => findings.add(
                &PATH_PARAMETER_REPEATED,
                at(),
                format!("the path `{path}` has `{{{name}}}` twice"),
                "give each place its own name",
            ),
            Piece::Literal(text) if text.contains(['{', '}']) => findings.add(
                &PATH_TEMPLATE_BROKEN,
                at(),
                format!("in the path `{path}`, braces do not enclose a name"),
                "write each parameter as `{name}`",
            ),
            _ => {}
        }
    }
}

/// A path by segments; a segment with a parameter anywhere in it may be many things.
struct Template<'a> {
    path: &'a str,
    segments: Vec<Option<&'a str>>,
}

impl<'a> Template<'a> {
    fn new(path: &'a str) -> Self {
        let is_fixed = |segment: &&'a str| !segment.contains('{');
        let segments = path
            .split('/')
            .skip(1)
            .map(|segment| Some(segment).filter(is_fixed))
            .collect();
        Self { path, segments }
    }

    fn parameters(&self) -> usize {
        self.segments.iter().filter(|one| one.is_none()).count()
    }

    /// Both fit some request, and each is the more exact one in some place.
    fn crosses(&self, other: &Self) -> bool {
        let (mut here, mut there) = (false, false);
        for pair in std::iter::zip(&self.segments, &other.segments) {
            match pair {
                (Some(one), Some(other)) if one != other => return false,
                (Some(_), None) => here = true,
                (None, Some(_)) => there = true,
                _ => {}
            }
        }
        here && there
    }
}

/// Each path that shares requests with one before it is told once, with the first such path.
fn shared(findings: &mut Findings<'_>, templates: &[Template<'_>]) {
    let mut same: HashMap<&[Option<&str>], &str> = HashMap::new();
    let mut by_length: HashMap<usize, Vec<&Template<'_>>> = HashMap::new();
    for template in templates {
        let path = template.path;
        // Segments such as `{id}:run` hold fixed text too and are left to the table of routes.
        let whole = |segment: &str| !segment.contains('{') || is_parameter(segment);
        if !path.split('/').all(whole) {
            continue;
        }
        if let Some(twin) = same.get(template.segments.as_slice()) {
            findings.add(
                &PATH_IDENTICAL,
                join("/paths", path),
                format!("the paths `{path}` and `{twin}` differ only in the names of parameters"),
                "move the operations of both under one of them",
            );
            continue;
        }
        same.insert(&template.segments, path);
        let before = by_length.entry(template.segments.len()).or_default();
        if let Some((rule, other)) = sharing(before, template) {
            let other = other.path;
            findings.add(
                rule,
                join("/paths", path),
                format!("some requests fit both `{path}` and `{other}`"),
                "change one; until then Hallpass takes the one whose fixed segment comes first",
            );
        }
        before.push(template);
    }
}

/// A path before this one that shares requests with it: rather one that is as exact.
fn sharing<'a, 'b>(
    before: &[&'a Template<'b>],
    template: &Template<'_>,
) -> Option<(&'static Rule, &'a Template<'b>)> {
    let mut crossing = before.iter().filter(|other| other.crosses(template));
    let first = crossing.next()?;
    let as_exact = |other: &&&Template<'_>| other.parameters() == template.parameters();
    let ambiguous = std::iter::once(first).chain(crossing).find(as_exact);
    Some(match ambiguous {
        Some(other) => (&PATH_AMBIGUOUS, *other),
        None => (&PATH_OVERLAP, *first),
    })
}

fn is_parameter(segment: &str) -> bool {
    matches!(pieces(segment).as_slice(), [Piece::Parameter(_)])
}

fn routes(findings: &mut Findings<'_>, operations: &[Operation], unreachable: &[Unreachable]) {
    for one in unreachable {
        let (at, message, advice) = match one {
            Unreachable::SameAs { operation, other } => {
                let (operation, other) = (&operations[*operation], &operations[*other]);
                let message = format!(
                    "{} {} matches the same requests as {}",
                    operation.method(),
                    operation.path(),
                    other.path()
                );
                let advice =
                    "the names of parameters do not tell paths apart; change the path of one";
                (operation, message, advice)
            }
            Unreachable::Ambiguous { operation, reason } => {
                let operation = &operations[*operation];
                let message = format!(
                    "requests cannot be matched to {}: {reason}",
                    operation.path()
                );
                let advice = "use one parameter per segment, with segments that can be told apart";
                (operation, message, advice)
            }
        };
        findings.add(
            &OPERATION_UNREACHABLE,
            at.pointer().to_owned(),
            message,
            advice,
        );
    }
}
