//! The small definition that the tests of this crate share.

use crate::{Definition, Operation};

pub(crate) const SMALL: &str = include_str!("../tests/data/small.yaml");

pub(crate) fn small() -> Definition {
    Definition::read(SMALL).unwrap().definition
}

pub(crate) fn operation<'a>(definition: &'a Definition, id: &str) -> &'a Operation {
    definition.operation(id).unwrap()
}

/// A definition with these paths, given in YAML's flow style.
pub(crate) fn with_paths(paths: &str) -> String {
    format!(
        "openapi: 3.0.3\ninfo: {{ title: T, version: '1', license: {{}}, contact: {{}} }}\npaths: {paths}\n"
    )
}
