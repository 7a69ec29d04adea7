//! The head of a definition: who made it, where its servers are, which tags there are.

use std::collections::HashSet;

use serde_json::Value;

use super::Findings;
use super::catalogue::{
    CONTACT_MISSING, LICENSE_MISSING, SERVER_EXAMPLE_HOST, SERVER_TRAILING_SLASH,
    SERVER_VARIABLE_DEFAULT, SERVER_VARIABLE_UNDEFINED, SERVER_VARIABLE_UNUSED, SERVERS_MISSING,
    TAG_DUPLICATE,
};
use super::tour::Node;
use crate::document::join;
use crate::route::{Piece, pieces};

pub(super) fn information(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    if !node.object.contains_key("license") {
        findings.add(
            &LICENSE_MISSING,
            node.pointer(),
            "the definition names no licence",
            "add `info.license` with a name, so that readers know what they may do with it",
        );
    }
    if !node.object.contains_key("contact") {
        findings.add(
            &CONTACT_MISSING,
            node.pointer(),
            "the definition names no contact",
            "add `info.contact`, so that readers know whom to ask",
        );
    }
}

pub(super) fn document(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    let servers = node.object.get("servers").and_then(Value::as_array);
    if servers.is_none_or(Vec::is_empty) {
        let pointer = if servers.is_some() {
            node.at("servers")
        } else {
            node.pointer()
        };
        findings.add(
            &SERVERS_MISSING,
            pointer,
            "the definition does not say where the API is",
            "add `servers` with at least one URL; until then a profile must name the base URL",
        );
    }
}

pub(super) fn server(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    let Some(url) = node.text("url") else {
        return;
    };
    if url.len() > 1 && url.ends_with('/') {
        findings.add(
            &SERVER_TRAILING_SLASH,
            node.at("url"),
            format!("the server's URL `{url}` ends in a slash"),
            "remove the slash: every path begins with one",
        );
    }
    let host = url
        .split_once("://")
        .map_or("", |(_, rest)| rest)
        .split(['/', ':', '?'])
        .next()
        .unwrap_or_default();
    let made_up = host == "localhost"
        || host == "127.0.0.1"
        || host == "example.com"
        || host.ends_with(".example.com");
    if made_up {
        findings.add(
            &SERVER_EXAMPLE_HOST,
            node.at("url"),
            format!("the server `{host}` is a placeholder"),
            "write the address at which callers reach the API",
        );
    }
    variables(findings, node, url);
}

fn variables(findings: &mut Findings<'_>, node: &Node<'_, '_>, url: &str) {
    let defined = node.object.get("variables").and_then(Value::as_object);
    let template = pieces(url);
    for piece in &template {
        if let Piece::Parameter(name) = piece
            && defined.is_none_or(|defined| !defined.contains_key(*name))
        {
            findings.add(
                &SERVER_VARIABLE_UNDEFINED,
                node.at("url"),
                format!("the server's URL has `{{{name}}}`, which `variables` does not define"),
                "define it under `variables` with a default",
            );
        }
    }
    for (name, variable) in defined.into_iter().flatten() {
        let at = || join(&node.at("variables"), name);
        if !template.contains(&Piece::Parameter(name)) {
            findings.add(
                &SERVER_VARIABLE_UNUSED,
                at(),
                format!("the server variable `{name}` does not occur in the URL"),
                "write it into the URL in braces, or remove it",
            );
        }
        let allowed = variable.get("enum").and_then(Value::as_array);
        let default = variable.get("default");
        // That there is none is another finding.
        if let (Some(allowed), Some(default)) = (allowed, default)
            && !allowed.contains(default)
        {
            findings.add(
                &SERVER_VARIABLE_DEFAULT,
                at(),
                format!("the default of the server variable `{name}` is not among its values"),
                "list the default in `enum`, or choose another",
            );
        }
    }
}

/// Names that `tags` lists more than once.
pub(super) fn tags(findings: &mut Findings<'_>, root: &Value) {
    let mut known = HashSet::new();
    let tags = root.get("tags").and_then(Value::as_array);
    for (index, tag) in tags.into_iter().flatten().enumerate() {
        if let Some(name) = tag.get("name").and_then(Value::as_str)
            && !known.insert(name)
        {
            findings.add(
                &TAG_DUPLICATE,
                format!("/tags/{index}"),
                format!("the tag `{name}` is described a second time"),
                "keep one of the two",
            );
        }
    }
}
