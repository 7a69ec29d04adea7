//! Whether objects have the members that the specification gives them.

use serde_json::Value;

use super::Findings;
use super::catalogue::{MEMBER_MISSING, MEMBER_TYPE, MEMBER_UNKNOWN};
use super::grammar::{Holds, Kind, Member, is_old};
use super::tour::{Misfit, Node};
use crate::definition::near;

pub(super) fn check(findings: &mut Findings<'_>, old_dialect: bool, node: &Node<'_, '_>) {
    let members = node.kind.members();
    if members.is_empty() {
        return;
    }
    for (key, value) in node.object {
        if key.starts_with("x-") {
            continue;
        }
        let known = members
            .iter()
            .find(|member| member.name == key)
            .filter(|member| !old_dialect || is_old(node.kind, member.name));
        match known {
            Some(member) if !fits(member.holds, value, old_dialect) => {
                wrong_type(findings, node, member, old_dialect);
            }
            Some(_) => {}
            // Any keyword may stand in a schema of 3.1, which is JSON Schema.
            None if node.kind == Kind::Schema && !old_dialect => {}
            // A file that is a path may hold schemas too, to which others refer.
            None if node.is_whole_part() => {}
            None => unknown(findings, node, key, members),
        }
    }
    let missing = members
        .iter()
        .filter(|member| member.required && !node.object.contains_key(member.name));
    for member in missing {
        findings.add(
            &MEMBER_MISSING,
            node.pointer(),
            format!("{} has no `{}`", node.kind.name(), member.name),
            format!("add `{}`, which the specification requires", member.name),
        );
    }
}

pub(super) fn misfit(findings: &mut Findings<'_>, misfit: &Misfit<'_, '_>) {
    findings.add(
        &MEMBER_TYPE,
        misfit.pointer(),
        format!("{} must be an object", misfit.kind.name()),
        "write it as an object, or remove it",
    );
}

fn fits(holds: Holds, value: &Value, old_dialect: bool) -> bool {
    match holds {
        // What is no object is told by the tour.
        Holds::Any | Holds::One(_) => true,
        Holds::Text => value.is_string(),
        Holds::Flag => value.is_boolean(),
        Holds::Counted if old_dialect => value.is_boolean(),
        Holds::Limit | Holds::Counted => value.is_number(),
        Holds::List | Holds::Many(_) => value.is_array(),
        Holds::Object | Holds::Map(_) | Holds::Patterned(_) => value.is_object(),
    }
}

fn wrong_type(
    findings: &mut Findings<'_>,
    node: &Node<'_, '_>,
    member: &Member,
    old_dialect: bool,
) {
    let wanted = match member.holds {
        Holds::Text => "text",
        Holds::Flag => "true or false",
        Holds::Counted if old_dialect => "true or false",
        Holds::Limit | Holds::Counted => "a number",
        Holds::List | Holds::Many(_) => "a list",
        _ => "an object",
    };
    findings.add(
        &MEMBER_TYPE,
        node.at(member.name),
        format!("`{}` must be {wanted}", member.name),
        "correct the value; until then it is ignored",
    );
}

fn unknown(findings: &mut Findings<'_>, node: &Node<'_, '_>, key: &str, members: &[Member]) {
    let names = members.iter().map(|member| member.name);
    let advice = match near(&key.to_lowercase(), names).first() {
        Some(nearest) if nearest != key => format!("did you mean `{nearest}`?"),
        _ => "remove it, or begin its name with `x-` to mark it as an extension".to_owned(),
    };
    findings.add(
        &MEMBER_UNKNOWN,
        node.at(key),
        format!("{} has no member `{key}`", node.kind.name()),
        advice,
    );
}
