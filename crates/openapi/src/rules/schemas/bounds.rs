//! Bounds that no value can keep.

use serde_json::Value;

use super::super::Findings;
use super::super::catalogue::BOUNDS_IMPOSSIBLE;
use super::super::tour::Node;

const PAIRS: [(&str, &str); 4] = [
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
];

pub(super) fn check(findings: &mut Findings<'_>, old_dialect: bool, node: &Node<'_, '_>) {
    let number = |key: &str| node.object.get(key).and_then(Value::as_f64);
    for (low, high) in PAIRS {
        if let (Some(least), Some(most)) = (number(low), number(high))
            && least > most
        {
            add(findings, node, low, format!("`{low}` lies above `{high}`"));
        }
    }
    exclusive(findings, old_dialect, node);
    for counted in [
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ] {
        if number(counted).is_some_and(|limit| limit < 0.0) {
            add(
                findings,
                node,
                counted,
                format!("`{counted}` is below zero"),
            );
        }
    }
    if number("multipleOf").is_some_and(|step| step <= 0.0) {
        let message = "`multipleOf` is not above zero".to_owned();
        add(findings, node, "multipleOf", message);
    }
}

/// Excluded limits leave nothing between equal bounds. In 3.0 they are flags.
fn exclusive(findings: &mut Findings<'_>, old_dialect: bool, node: &Node<'_, '_>) {
    let number = |key: &str| node.object.get(key).and_then(Value::as_f64);
    let bound = |limit: &'static str, excluded: &'static str| {
        if old_dialect {
            Some((limit, number(limit)?, node.is_set(excluded)))
        } else {
            let inclusive = || Some((limit, number(limit)?, false));
            number(excluded).map_or_else(inclusive, |value| Some((excluded, value, true)))
        }
    };
    let (Some(low), Some(high)) = (
        bound("minimum", "exclusiveMinimum"),
        bound("maximum", "exclusiveMaximum"),
    ) else {
        return;
    };
    let plain = low.0 == "minimum" && high.0 == "maximum";
    if (low.1 >= high.1 && (low.2 || high.2)) && !(plain && low.1 > high.1) {
        let message = format!("nothing lies between `{}` and `{}`", low.0, high.0);
        add(findings, node, low.0, message);
    }
}

fn add(findings: &mut Findings<'_>, node: &Node<'_, '_>, key: &str, message: String) {
    findings.add(
        &BOUNDS_IMPOSSIBLE,
        node.at(key),
        message,
        "correct the numbers: as they are, no value fits",
    );
}
