//! Following `$ref` inside one document, lazily.
//!
//! What another text holds has been brought into the document before (`link`), so that a reference
//! that leads anywhere begins with `#`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A chain of references longer than this is a cycle.
pub(crate) const MAX_HOPS: usize = 32;

/// The target written in a Reference Object.
pub(crate) fn target(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

/// The part of `root` that a local reference (`#/…`) names, one step.
pub(crate) fn local<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(&pointer(reference)?)
}

/// The JSON pointer in a local reference; `None` for one that leaves the document.
pub(crate) fn pointer(reference: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(reference.strip_prefix('#')?)
        .decode_utf8()
        .ok()
}

/// Follows references until there is none. What dangles or turns in a circle stays as it is.
pub(crate) fn resolve<'a>(root: &'a Value, value: &'a Value) -> &'a Value {
    let mut current = value;
    for _ in 0..MAX_HOPS {
        let Some(reference) = target(current) else {
            return current;
        };
        let Some(next) = local(root, reference) else {
            return current;
        };
        current = next;
    }
    value
}
