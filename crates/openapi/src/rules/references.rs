//! References: where they lead, and what nothing leads to.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Findings;
use super::catalogue::{
    COMPONENT_UNUSED, DISCRIMINATOR_DANGLING, REFERENCE_CIRCULAR, REFERENCE_DANGLING,
    REFERENCE_KIND, REFERENCE_SIBLING,
};
use super::grammar::Kind;
use super::tour::Node;
use crate::document::join;
use crate::layers::layers;
use crate::reference::{self, resolve};

/// Every target seen.
#[derive(Default)]
pub(super) struct References<'v> {
    targets: HashSet<&'v str>,
    /// Names that stand for a component: security schemes and what a discriminator maps to.
    names: HashSet<(&'static str, &'v str)>,
}

impl<'v> References<'v> {
    /// Looks at one object; whether it is a reference and nothing else.
    pub(super) fn visit(
        &mut self,
        findings: &mut Findings<'_>,
        root: &'v Value,
        old_dialect: bool,
        node: &Node<'v, '_>,
    ) -> bool {
        match node.kind {
            Kind::Document | Kind::Operation => self.security(node),
            Kind::Schema => self.discriminator(findings, root, node),
            Kind::Link => self.link(findings, root, node),
            _ => {}
        }
        let Some(target) = node.reference() else {
            return false;
        };
        // What leads out of the document has been looked at when its texts were brought together.
        let is_local = target == "#" || target.starts_with("#/");
        let is_new = self.targets.insert(target);
        if is_local && (is_new || reference::local(root, target).is_none()) {
            leads_somewhere(findings, root, node, target);
        }
        right_kind(findings, node, target);
        if old_dialect && node.kind == Kind::Schema {
            siblings(findings, node);
        }
        node.kind != Kind::PathItem && (old_dialect || node.kind != Kind::Schema)
    }

    fn security(&mut self, node: &Node<'v, '_>) {
        let list = node.object.get("security").and_then(Value::as_array);
        let names = list
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .flat_map(Map::keys);
        self.names
            .extend(names.map(|name| ("securitySchemes", name.as_str())));
    }

    /// What leads into another text has been followed before.
    fn link(&mut self, findings: &mut Findings<'_>, root: &Value, node: &Node<'v, '_>) {
        let target = node.text("operationRef").filter(|one| one.starts_with('#'));
        let Some(target) = target else { return };
        if reference::local(root, target).is_some() {
            self.targets.insert(target);
        } else {
            findings.add(
                &REFERENCE_DANGLING,
                node.at("operationRef"),
                format!("the link to `{target}` leads to nothing"),
                "correct the spelling (letter case counts) or add what is missing",
            );
        }
    }

    fn discriminator(&mut self, findings: &mut Findings<'_>, root: &Value, node: &Node<'v, '_>) {
        let Some(mapping) = node
            .object
            .get("discriminator")
            .and_then(|discriminator| discriminator.get("mapping")?.as_object())
        else {
            return;
        };
        for (value, target) in mapping {
            let Some(target) = target.as_str() else {
                continue;
            };
            let schemas = root.pointer("/components/schemas");
            let by_name = schemas.is_some_and(|schemas| schemas.get(target).is_some());
            if by_name {
                self.names.insert(("schemas", target));
            } else if reference::local(root, target).is_some() {
                self.targets.insert(target);
            } else if target.starts_with('#') || !target.contains(['/', '.']) {
                findings.add(
                    &DISCRIMINATOR_DANGLING,
                    join(&join(&node.at("discriminator"), "mapping"), value),
                    format!("`{value}` stands for the schema `{target}`, which does not exist"),
                    "correct the spelling (letter case counts) or add the schema",
                );
            }
        }
    }

    /// Components that nothing refers to.
    pub(super) fn unused(&self, findings: &mut Findings<'_>, root: &Value) {
        let mut used: HashSet<(String, String)> = HashSet::new();
        for target in &self.targets {
            let pointer = reference::pointer(target).unwrap_or_default();
            let mut tokens = pointer.split('/').skip(2);
            if let (Some(section), Some(name)) = (tokens.next(), tokens.next()) {
                let name = name.replace("~1", "/").replace("~0", "~");
                used.insert((section.to_owned(), name));
            }
        }
        let components = root.get("components").and_then(Value::as_object);
        for (section, members) in components.into_iter().flatten() {
            // Paths may be kept here for others to read.
            if section.starts_with("x-") || section == "pathItems" {
                continue;
            }
            for (name, member) in members.as_object().into_iter().flatten() {
                let by_name = self
                    .names
                    .contains(&(static_section(section), name.as_str()));
                if by_name
                    || used.contains(&(section.clone(), name.clone()))
                    || (section == "schemas" && is_subtype(root, member))
                {
                    continue;
                }
                findings.add(
                    &COMPONENT_UNUSED,
                    join(&join("/components", section), name),
                    format!("nothing refers to `{name}` under `{section}`"),
                    "remove it, or add the reference that was forgotten",
                );
            }
        }
    }
}

/// Whether a schema extends one with a discriminator, which leads to it by its name although nothing
/// refers to it (OpenAPI 3.0.3, "Discriminator Object").
fn is_subtype(root: &Value, schema: &Value) -> bool {
    let bases = layers(root, schema, &["allOf"]).into_iter().skip(1);
    bases
        .into_iter()
        .any(|base| base.get("discriminator").is_some())
}

fn static_section(section: &str) -> &'static str {
    match section {
        "securitySchemes" => "securitySchemes",
        "schemas" => "schemas",
        _ => "",
    }
}

fn leads_somewhere(findings: &mut Findings<'_>, root: &Value, node: &Node<'_, '_>, target: &str) {
    if reference::local(root, target).is_none() {
        findings.add(
            &REFERENCE_DANGLING,
            node.at("$ref"),
            format!("the reference `{target}` leads to nothing"),
            "correct the spelling (letter case counts) or add what is missing",
        );
    } else if reference::target(resolve(root, node.value)) == Some(target) {
        findings.add(
            &REFERENCE_CIRCULAR,
            node.at("$ref"),
            format!("the reference `{target}` leads back to itself"),
            "write out what it stands for in one of the places",
        );
    }
}

fn right_kind(findings: &mut Findings<'_>, node: &Node<'_, '_>, target: &str) {
    let Some(section) = target
        .strip_prefix("#/components/")
        .and_then(|rest| rest.split_once('/'))
        .filter(|(_, name)| !name.contains('/'))
        .map(|(section, _)| section)
    else {
        return;
    };
    if node.kind.section() != Some(section) {
        findings.add(
            &REFERENCE_KIND,
            node.at("$ref"),
            format!(
                "{} cannot be what stands under `{section}`",
                node.kind.name()
            ),
            format!(
                "refer to something under `components.{}`",
                node.kind.section().unwrap_or_default()
            ),
        );
    }
}

fn siblings(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    let harmless = |key: &str| ["$ref", "description", "summary"].contains(&key);
    let counts = |key: &&String| !harmless(key) && !key.starts_with("x-");
    if let Some(key) = node.object.keys().find(counts) {
        findings.add(
            &REFERENCE_SIBLING,
            node.at(key),
            format!("`{key}` beside `$ref` is ignored (OpenAPI 3.0.3, Reference Object)"),
            "put the reference into an `allOf` of one, and the keyword beside that",
        );
    }
}
