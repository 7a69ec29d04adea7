//! The permissions that a role can have, as a table of resources and verbs, with the operations that
//! each resource stands for.

use std::collections::BTreeMap;

use hallpass_access::{PermissionSet, Verb};

use crate::Console;
use crate::operations::{Listed, permissions};

/// A line of the table.
pub(super) struct Line {
    pub(super) resource: String,
    /// One for each verb, in their order; `None` where no operation asks for it.
    pub(super) cells: Vec<Option<Cell>>,
    pub(super) operations: Vec<Told>,
}

/// A box to tick.
pub(super) struct Cell {
    pub(super) word: String,
    pub(super) label: String,
    pub(super) ticked: bool,
}

/// An operation in a line.
pub(super) struct Told {
    pub(super) request: String,
    pub(super) id: String,
    pub(super) asks_for: String,
    /// Whether the role allows it, as it is ticked.
    pub(super) allowed: bool,
}

impl Console {
    /// The table for a role that is made of `ticked`. A search keeps the lines it is found in, and
    /// those with something ticked: a form must not lose what it does not show.
    pub(super) fn grid(&self, ticked: &PermissionSet, search: &str) -> Vec<Line> {
        let mut lines = vec![everywhere(ticked)];
        let mut known: BTreeMap<String, Vec<Verb>> = BTreeMap::new();
        for permission in permissions([&*self.operations, &*self.platform_operations]) {
            let verbs = known.entry(permission.resource().to_owned()).or_default();
            verbs.push(permission.verb());
        }
        for resource in ticked.resources() {
            known.entry(resource.to_owned()).or_default();
        }
        let operations = self.operations_by_resource();
        for (resource, verbs) in known {
            let all = operations.get(resource.as_str());
            let all = all.map(Vec::as_slice).unwrap_or_default();
            let named = Verb::ALL.iter().any(|verb| ticked.names(&resource, *verb));
            let found = search.is_empty()
                || resource.contains(&search.to_lowercase())
                || all.iter().any(|operation| operation.is_found_by(search));
            if named || found {
                lines.push(line(resource, &verbs, all, ticked));
            }
        }
        lines
    }

    fn operations_by_resource(&self) -> BTreeMap<&str, Vec<&Listed>> {
        let mut all = self.operations.by_resource();
        for (resource, operations) in self.platform_operations.by_resource() {
            all.entry(resource).or_default().extend(operations);
        }
        all
    }
}

fn everywhere(ticked: &PermissionSet) -> Line {
    let cell = |verb: Verb| Cell {
        word: format!("ANY.{verb}"),
        label: format!("Every resource of the API: {verb}"),
        ticked: ticked.has_everywhere(verb),
    };
    Line {
        resource: "Every resource of the API".to_owned(),
        cells: Verb::ALL.map(|verb| Some(cell(verb))).into(),
        operations: Vec::new(),
    }
}

fn line(resource: String, verbs: &[Verb], all: &[&Listed], ticked: &PermissionSet) -> Line {
    let cells = Verb::ALL.map(|verb| {
        let is_ticked = ticked.names(&resource, verb);
        (is_ticked || verbs.contains(&verb)).then(|| Cell {
            word: format!("{resource}.{verb}"),
            label: format!("{resource}: {verb}"),
            ticked: is_ticked,
        })
    });
    let operations = all.iter().map(|operation| Told {
        request: format!("{} {}", operation.method, operation.path),
        id: operation.id.clone(),
        asks_for: operation.asks_for(),
        allowed: operation
            .permission()
            .is_none_or(|permission| ticked.permits(permission)),
    });
    Line {
        cells: cells.into(),
        operations: operations.collect(),
        resource,
    }
}
