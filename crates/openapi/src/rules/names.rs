//! Names of components: what differs only in letter case, and what is no name.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Findings;
use super::catalogue::{COMPONENT_NAME_CASE, COMPONENT_NAME_INVALID, SCHEMA_NAME_CASE};
use crate::document::join;

pub(super) fn check(findings: &mut Findings<'_>, root: &Value) {
    let components = root.get("components").and_then(Value::as_object);
    let sections = components
        .into_iter()
        .flatten()
        .filter(|(section, _)| !section.starts_with("x-"));
    for (section, members) in sections {
        let mut by_lower: HashMap<String, &str> = HashMap::new();
        let at = |name: &str| join(&join("/components", section), name);
        for name in members.as_object().into_iter().flat_map(Map::keys) {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            if !name.chars().all(allowed) {
                findings.add(
                    &COMPONENT_NAME_INVALID,
                    at(name),
                    format!("`{name}` is no name that a component may have"),
                    "use letters, digits, `-`, `.` and `_` (OpenAPI 3.0.3, Components Object)",
                );
            }
            let Some(twin) = by_lower.insert(name.to_lowercase(), name) else {
                continue;
            };
            let rule = if section == "schemas" {
                &SCHEMA_NAME_CASE
            } else {
                &COMPONENT_NAME_CASE
            };
            findings.add(
                rule,
                at(name),
                format!("`{twin}` and `{name}` under `{section}` differ only in letter case"),
                "rename one: generated code and case-insensitive file systems merge them",
            );
        }
    }
}
