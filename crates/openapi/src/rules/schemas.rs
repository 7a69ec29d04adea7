//! Schemas that contradict themselves or say less than their author thinks.

mod bounds;
mod keywords;

use std::collections::HashSet;

use serde_json::Value;

use super::Findings;
use super::catalogue::{
    ENUM_DUPLICATE, ENUM_EMPTY, ENUM_TYPE, NULLABLE_WITHOUT_TYPE, PATTERN_UNUSABLE,
    READ_AND_WRITE_ONLY, REQUIRED_UNDECLARED, TYPE_UNKNOWN,
};
use super::fit::has_type;
use super::tour::Node;
use crate::definition::near;
use crate::layers::layers;
use crate::reference::{local, target};
use crate::translate::is_pattern;

/// The types of JSON Schema; `null` is one since OpenAPI 3.1.
const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "number", "object", "string", "null",
];

pub(super) fn check(
    findings: &mut Findings<'_>,
    root: &Value,
    old_dialect: bool,
    node: &Node<'_, '_>,
) {
    types(findings, old_dialect, node);
    keywords::check(findings, node);
    bounds::check(findings, old_dialect, node);
    enumeration(findings, old_dialect, node);
    required(findings, root, node);
    if let Some(pattern) = node.text("pattern")
        && !is_pattern(pattern)
    {
        findings.add(
            &PATTERN_UNUSABLE,
            node.at("pattern"),
            format!("the pattern `{pattern}` is no regular expression that can be used"),
            "correct it; until then the pattern is not checked",
        );
    }
    if node.is_set("readOnly") && node.is_set("writeOnly") {
        findings.add(
            &READ_AND_WRITE_ONLY,
            node.at("writeOnly"),
            "the property can be neither sent nor received",
            "keep `readOnly` or `writeOnly`, not both",
        );
    }
}

fn types(findings: &mut Findings<'_>, old_dialect: bool, node: &Node<'_, '_>) {
    let allowed = if old_dialect { &TYPES[..6] } else { &TYPES };
    let is_type = |word: &Value| word.as_str().is_some_and(|word| allowed.contains(&word));
    let is_known = match node.object.get("type") {
        None => true,
        Some(Value::Array(words)) => !old_dialect && words.iter().all(is_type),
        Some(word) => is_type(word),
    };
    if !is_known {
        let written = &node.object["type"];
        let nearest = written.as_str().and_then(|word| {
            near(&word.to_lowercase(), allowed.iter().copied())
                .into_iter()
                .next()
        });
        let advice = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("write one of {}", allowed.join(", ")),
        };
        findings.add(
            &TYPE_UNKNOWN,
            node.at("type"),
            format!("{written} is no type"),
            advice,
        );
    }
    if old_dialect && node.is_set("nullable") && !node.object.contains_key("type") {
        findings.add(
            &NULLABLE_WITHOUT_TYPE,
            node.at("nullable"),
            "`nullable` has no effect without `type` beside it (OpenAPI 3.0.3, Schema Object)",
            "add the `type`; until then Hallpass allows null here, which is what it seems to mean",
        );
    }
}

fn enumeration(findings: &mut Findings<'_>, old_dialect: bool, node: &Node<'_, '_>) {
    let Some(values) = node.object.get("enum").and_then(Value::as_array) else {
        return;
    };
    if values.is_empty() {
        findings.add(
            &ENUM_EMPTY,
            node.at("enum"),
            "the list of allowed values is empty",
            "list the values, or remove `enum`",
        );
    }
    let kind = node.object.get("type");
    let nullable = old_dialect && node.is_set("nullable");
    let mut known = HashSet::new();
    for (index, value) in values.iter().enumerate() {
        let fits = kind.is_none_or(|kind| has_type(kind, value)) || (nullable && value.is_null());
        if !fits {
            let advice = if value.is_null() {
                "add `nullable: true` if null is allowed, else remove it"
            } else {
                "correct the value or the type; in YAML, quote what looks like another type"
            };
            findings.add(
                &ENUM_TYPE,
                format!("{}/{index}", node.at("enum")),
                format!("{value} is listed, but does not have the type of the schema"),
                advice,
            );
        }
        let again = !known.insert(value.to_string());
        if again {
            findings.add(
                &ENUM_DUPLICATE,
                format!("{}/{index}", node.at("enum")),
                format!("{value} is listed twice"),
                "remove one",
            );
        }
    }
}

/// Required names that no property has. A part of a composition is not judged: the property may
/// be declared beside it.
fn required(findings: &mut Findings<'_>, root: &Value, node: &Node<'_, '_>) {
    let Some(required) = node.object.get("required").and_then(Value::as_array) else {
        return;
    };
    if node.is_part() {
        return;
    }
    let Some(declared) = collect(root, node.value) else {
        return;
    };
    for (index, name) in required.iter().enumerate() {
        let Some(name) = name.as_str().filter(|name| !declared.contains(name)) else {
            continue;
        };
        let advice = match near(&name.to_lowercase(), declared.iter().copied()).first() {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "declare it under `properties`, or remove it here".to_owned(),
        };
        findings.add(
            &REQUIRED_UNDECLARED,
            format!("{}/{index}", node.at("required")),
            format!("`{name}` is required but not declared"),
            advice,
        );
    }
}

/// The properties of a schema and its parts; `None` when they cannot all be known.
fn collect<'v>(root: &'v Value, schema: &'v Value) -> Option<HashSet<&'v str>> {
    let mut names = HashSet::new();
    for layer in layers(root, schema, &["allOf", "anyOf", "oneOf"]) {
        if target(layer).is_some_and(|reference| local(root, reference).is_none()) {
            return None;
        }
        let properties = layer.get("properties").and_then(Value::as_object);
        names.extend(properties.into_iter().flatten().map(|(name, _)| &**name));
    }
    Some(names)
}
