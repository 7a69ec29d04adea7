//! Keywords and formats that are for another type than the schema's.

use serde_json::Value;

use super::super::Findings;
use super::super::catalogue::{
    ARRAY_WITHOUT_ITEMS, FORMAT_TYPE, FORMAT_UNKNOWN, ITEMS_WITHOUT_ARRAY, KEYWORD_WITHOUT_EFFECT,
};
use super::super::tour::Node;
use crate::marks::is_or_holds;
use crate::schema::article;

/// Keywords and the types that they say something about.
const KEYWORDS: [(&str, &[&str]); 17] = [
    ("properties", &["object"]),
    ("additionalProperties", &["object"]),
    ("required", &["object"]),
    ("minProperties", &["object"]),
    ("maxProperties", &["object"]),
    ("discriminator", &["object"]),
    ("minItems", &["array"]),
    ("maxItems", &["array"]),
    ("uniqueItems", &["array"]),
    ("minLength", &["string"]),
    ("maxLength", &["string"]),
    ("pattern", &["string"]),
    ("minimum", &["integer", "number"]),
    ("maximum", &["integer", "number"]),
    ("exclusiveMinimum", &["integer", "number"]),
    ("exclusiveMaximum", &["integer", "number"]),
    ("multipleOf", &["integer", "number"]),
];

/// Formats of the OpenAPI registry and of JSON Schema, with the types that they are for.
const FORMATS: [(&str, &[&str]); 43] = [
    ("int64", &["integer", "number"]),
    ("int32", &["integer", "number"]),
    ("float", &["number"]),
    ("double", &["number"]),
    ("date-time", &["string"]),
    ("date", &["string"]),
    ("time", &["string"]),
    ("duration", &["string"]),
    ("uuid", &["string"]),
    ("email", &["string"]),
    ("idn-email", &["string"]),
    ("hostname", &["string"]),
    ("idn-hostname", &["string"]),
    ("ipv4", &["string"]),
    ("ipv6", &["string"]),
    ("uri", &["string"]),
    ("uri-reference", &["string"]),
    ("uri-template", &["string"]),
    ("iri", &["string"]),
    ("iri-reference", &["string"]),
    ("json-pointer", &["string"]),
    ("relative-json-pointer", &["string"]),
    ("regex", &["string"]),
    ("byte", &["string"]),
    ("binary", &["string"]),
    ("password", &["string"]),
    ("base64url", &["string"]),
    ("char", &["string"]),
    ("commonmark", &["string"]),
    ("html", &["string"]),
    ("http-date", &["string"]),
    ("media-range", &["string"]),
    ("sf-string", &["string"]),
    ("sf-token", &["string"]),
    ("sf-binary", &["string"]),
    ("sf-boolean", &["string"]),
    ("sf-integer", &["integer", "number"]),
    ("sf-decimal", &["number"]),
    ("int8", &["integer", "number"]),
    ("int16", &["integer", "number"]),
    ("uint8", &["integer", "number"]),
    ("uint16", &["integer", "number"]),
    ("decimal", &["string", "number"]),
];

/// Newer entries of the registry.
const MORE_FORMATS: [(&str, &[&str]); 5] = [
    ("uint32", &["integer", "number"]),
    ("uint64", &["integer", "number", "string"]),
    ("double-int", &["integer"]),
    ("decimal128", &["string", "number"]),
    ("unixtime", &["integer", "number"]),
];

pub(super) fn check(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    let Some(kind) = node.object.get("type") else {
        return;
    };
    let is = |word: &str| is_or_holds(kind, word);
    if node.object.contains_key("items") && !is("array") {
        findings.add(
            &ITEMS_WITHOUT_ARRAY,
            node.at("items"),
            format!("`items` stands in a schema of type {}", shown(kind)),
            "write `type: array` if a list is meant, else `properties` instead of `items`",
        );
    }
    let has_items = ["items", "prefixItems"]
        .iter()
        .any(|key| node.object.contains_key(*key));
    if is("array") && !has_items {
        findings.add(
            &ARRAY_WITHOUT_ITEMS,
            node.pointer(),
            "nothing says what is in the list",
            "add `items`; `items: {}` says that anything may be in it",
        );
    }
    for (keyword, wanted) in KEYWORDS {
        if node.object.contains_key(keyword) && !wanted.iter().any(|word| is(word)) {
            findings.add(
                &KEYWORD_WITHOUT_EFFECT,
                node.at(keyword),
                format!(
                    "`{keyword}` says nothing about a value of type {}",
                    shown(kind)
                ),
                format!(
                    "it is for {}: correct the type or remove it",
                    article(wanted[0])
                ),
            );
        }
    }
    format(findings, node, kind);
}

fn format(findings: &mut Findings<'_>, node: &Node<'_, '_>, kind: &Value) {
    let Some(format) = node.text("format") else {
        return;
    };
    let mut known = FORMATS.iter().chain(&MORE_FORMATS);
    match known.find(|(name, _)| *name == format) {
        None => findings.add(
            &FORMAT_UNKNOWN,
            node.at("format"),
            format!("the format `{format}` is in no registry"),
            "it is taken as a remark; see spec.openapis.org/registry/format for those that tools know",
        ),
        Some((_, wanted)) if !wanted.iter().any(|word| is_or_holds(kind, word)) => findings.add(
            &FORMAT_TYPE,
            node.at("format"),
            format!("the format `{format}` is for {}, not for {}", article(wanted[0]), shown(kind)),
            "correct the type or the format",
        ),
        Some(_) => {}
    }
}

fn shown(kind: &Value) -> String {
    match kind {
        Value::String(word) => word.clone(),
        other => other.to_string(),
    }
}
