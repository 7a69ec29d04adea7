//! Which problems a definition can have.
//!
//! Each rule says what, where and what to do; [`catalogue`] lists them. None of them keeps the
//! definition from being used: that is for `read`. What concerns one object is looked at in one
//! tour of the document, and what concerns several (names, paths, operations) after it.

mod catalogue;
mod examples;
mod fit;
mod grammar;
mod head;
mod names;
mod operations;
mod parameters;
mod paths;
mod references;
mod schemas;
mod security;
mod structure;
#[cfg(test)]
mod tests;
mod tour;

use std::collections::HashSet;

use serde_json::Value;

use crate::document::Document;
use crate::operation::Operation;
use crate::problem::Problem;
use crate::route::Unreachable;
use crate::translate::is_old_dialect;

pub use catalogue::{RULES, Rule};

use examples::Examples;
use grammar::Kind;
use references::References;
use tour::{Misfit, Node, Visitor, tour};

/// Everything found, rule by rule.
pub(crate) fn check(
    document: &Document,
    operations: &[Operation],
    unreachable: &[Unreachable],
) -> Vec<Problem> {
    let root = document.value();
    let old_dialect = is_old_dialect(root);
    let mut linter = Linter {
        root,
        old_dialect,
        findings: Findings {
            document,
            problems: Vec::new(),
        },
        references: References::default(),
        examples: Examples::new(root, old_dialect),
    };
    tour(root, old_dialect, &mut linter);
    let Linter {
        mut findings,
        references,
        ..
    } = linter;
    head::tags(&mut findings, root);
    security::check(&mut findings, root, operations);
    paths::check(&mut findings, root, operations, unreachable);
    operations::check(&mut findings, root, operations);
    parameters::of_operations(&mut findings, root, operations);
    names::check(&mut findings, root);
    references.unused(&mut findings, root);
    // What is used in several places, such as an example, is looked at in each of them.
    let mut told = HashSet::new();
    findings.problems.retain(|one| {
        let place = (one.part.clone(), one.pointer.clone());
        told.insert((one.rule, place, one.message.clone()))
    });
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
        rule: &Rule,
        pointer: String,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let place = self.document.place(pointer);
        self.problems.push(Problem {
            severity: rule.severity,
            part: place.part.map(str::to_owned),
            pointer: place.pointer,
            line: place.position.line,
            column: place.position.column,
            message: message.into(),
            advice: advice.into(),
            rule: rule.name,
        });
    }
}

/// What is remembered during the tour.
struct Linter<'v> {
    root: &'v Value,
    old_dialect: bool,
    findings: Findings<'v>,
    references: References<'v>,
    examples: Examples<'v>,
}

impl<'v> Visitor<'v> for Linter<'v> {
    fn visit(&mut self, node: &Node<'v, '_>) {
        let findings = &mut self.findings;
        if self
            .references
            .visit(findings, self.root, self.old_dialect, node)
        {
            return;
        }
        structure::check(findings, self.old_dialect, node);
        match node.kind {
            Kind::Document => head::document(findings, node),
            Kind::Info => head::information(findings, node),
            Kind::Server => head::server(findings, node),
            Kind::Operation => operations::one(findings, node),
            Kind::RequestBody => operations::body(findings, node),
            Kind::Parameter => parameters::one(findings, node),
            Kind::Schema => schemas::check(findings, self.root, self.old_dialect, node),
            Kind::Link => operations::link(findings, self.root, node),
            _ => {}
        }
        self.examples.check(findings, node);
    }

    fn misfit(&mut self, misfit: &Misfit<'v, '_>) {
        structure::misfit(&mut self.findings, misfit);
    }
}
