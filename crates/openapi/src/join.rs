//! Several definitions as one: a server that has several APIs below one host answers the requests of
//! all of them.
//!
//! Each document stays whole, as a member of [`DEFINITIONS`], and its references are written so that
//! they lead into it (`transplant`). So components of the same name do not meet, and what the head of a
//! document says (security, servers) is said of its own operations only. A request and an operation's
//! name must mean one operation (`clash`).
//!
//! OpenAPI 3.0 and later versions read schemas differently. Where both are joined, the whole is of the
//! later version, and what reads differently in a 3.0 document is marked (`translate::OLD`).

mod clash;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod transplant;

use serde_json::{Value, json};

use crate::Definition;
use crate::document::join;
use crate::operation::operations_below;
use crate::read::plain;
use crate::route::Routes;
use crate::translate::is_old_dialect;

pub use clash::JoinError;

/// The member of the joined document that holds the others, in their order.
const DEFINITIONS: &str = "x-hallpass-definitions";

impl Definition {
    /// Joins definitions whose requests are answered side by side. Errors call each by the name that
    /// stands beside it.
    ///
    /// The operations are those of the first, then those of the second and so on, with the same names
    /// and paths; their pointers lead into the joined document. It has no servers and no components of
    /// its own.
    pub fn join(named: &[(&str, &Self)]) -> Result<Self, JoinError> {
        clash::check(named)?;
        let (document, pointers) = document(named);
        let operations = operations_below(&document, &pointers);
        let (mut routes, unreachable) = Routes::new(&operations);
        let mut starts = Vec::with_capacity(named.len());
        let mut start = 0;
        for (_, definition) in named {
            let end = start + definition.operations().len();
            routes = routes.below(&definition.server_urls(), &(start..end));
            starts.push(start);
            start = end;
        }
        clash::check_reachable(named, &operations, &unreachable)?;
        Ok(Self::of_several(
            document,
            (listed(named, Self::title), listed(named, Self::version)),
            operations,
            routes,
            starts,
        ))
    }
}

/// The joined document, and where in it each of the others is.
fn document(named: &[(&str, &Definition)]) -> (Value, Vec<String>) {
    let is_old = |one: &&(&str, &Definition)| is_old_dialect(one.1.document());
    let newest = named.iter().find(|one| !is_old(one)).or(named.first());
    let version = newest.and_then(|(_, definition)| definition.document().get("openapi"));
    let is_mixed = newest.is_some_and(|one| !is_old(&one)) && named.iter().any(|one| is_old(&one));
    let above = join("", DEFINITIONS);
    let pointers: Vec<String> = (0..named.len())
        .map(|index| join(&above, &index.to_string()))
        .collect();
    let documents = named.iter().zip(&pointers).map(|(one, pointer)| {
        let mark = is_mixed && is_old(&one);
        transplant::transplant(one.1.document().clone(), pointer, mark)
    });
    let documents: Vec<Value> = documents.collect();
    let document = json!({
        "openapi": version.map(plain),
        "info": {
            "title": listed(named, Definition::title),
            "version": listed(named, Definition::version),
        },
        "paths": {},
        DEFINITIONS: documents,
    });
    (document, pointers)
}

fn listed(named: &[(&str, &Definition)], of: impl Fn(&Definition) -> &str) -> String {
    let all = named.iter().map(|(_, definition)| of(definition));
    let all: Vec<&str> = all.filter(|text| !text.is_empty()).collect();
    all.join(", ")
}
