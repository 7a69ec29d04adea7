//! Which alternative of an `anyOf` or `oneOf` a value was meant to be.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

/// What can be said about a value that fits no alternative.
pub(super) enum Meant<'a> {
    /// The alternatives differ in type, and the value has none of their types.
    Types(Vec<String>),
    /// There is one alternative beside null.
    Only(&'a [ValidationError<'static>]),
    /// The value says itself which it is (OpenAPI 3.0.3, "Discriminator Object").
    Named(usize),
    /// The value says which it is, and there is none of this name.
    NoSuchName {
        /// The property that says it.
        property: &'a str,
        /// The names there are.
        known: Vec<String>,
    },
    /// The alternative with the least against it.
    Nearest {
        /// Which one.
        index: usize,
        /// Among how many.
        of: usize,
    },
}

type Branch = Vec<ValidationError<'static>>;

/// `labels` are the names of the branches.
pub(super) fn meant<'a>(
    branches: &'a [Branch],
    pointer: &str,
    value: &Value,
    discriminator: Option<&'a Value>,
    labels: &[String],
) -> Meant<'a> {
    let candidates: Vec<usize> = (0..branches.len())
        .filter(|index| !wants_null(&branches[*index], pointer))
        .collect();
    if let [only] = candidates.as_slice() {
        return Meant::Only(&branches[*only]);
    }
    if let Some(named) = discriminator.and_then(|it| by_name(it, value, labels)) {
        return named;
    }
    let types: Option<Vec<Vec<String>>> = branches
        .iter()
        .map(|branch| only_types(branch, pointer))
        .collect();
    if let Some(types) = types {
        let mut words: Vec<String> = Vec::new();
        for word in types.into_iter().flatten() {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        return Meant::Types(words);
    }
    let nearest = candidates
        .iter()
        .copied()
        .min_by_key(|index| against(&branches[*index], pointer));
    Meant::Nearest {
        index: nearest.unwrap_or_default(),
        of: candidates.len(),
    }
}

fn by_name<'a>(discriminator: &'a Value, value: &Value, labels: &[String]) -> Option<Meant<'a>> {
    let property = discriminator.get("propertyName")?.as_str()?;
    let given = value.get(property)?;
    let mapping = discriminator.get("mapping").and_then(Value::as_object);
    let schema_of = |name: &str| {
        let target = mapping.and_then(|mapping| mapping.get(name)?.as_str());
        let schema = target.map_or(name, |target| target.rsplit('/').next().unwrap_or(target));
        labels.iter().position(|label| label == schema)
    };
    if let Some(index) = given.as_str().and_then(schema_of) {
        return Some(Meant::Named(index));
    }
    let is_mapped = |name| mapping.is_some_and(|mapping| mapping.contains_key(name));
    if given.as_str().is_some_and(is_mapped) {
        // To an alternative without a name of its own, such as a whole text.
        return None;
    }
    let known = match mapping {
        Some(mapping) => mapping.keys().cloned().collect(),
        None => labels.to_vec(),
    };
    Some(Meant::NoSuchName { property, known })
}

/// The types that a branch wants, if it objects to nothing else.
fn only_types(branch: &Branch, pointer: &str) -> Option<Vec<String>> {
    match branch.as_slice() {
        [error] if error.instance_path().as_str() == pointer => match error.kind() {
            ValidationErrorKind::Type {
                kind: TypeKind::Single(one),
            } => Some(vec![one.to_string()]),
            ValidationErrorKind::Type {
                kind: TypeKind::Multiple(several),
            } => Some(several.iter().map(|one| one.to_string()).collect()),
            _ => None,
        },
        _ => None,
    }
}

fn wants_null(branch: &Branch, pointer: &str) -> bool {
    only_types(branch, pointer).is_some_and(|types| types == ["null"])
}

/// What speaks against a branch, the most telling first: the wrong type as a whole, a wrong fixed
/// value (which is how alternatives tell themselves apart), the number of objections.
fn against(branch: &Branch, pointer: &str) -> (bool, usize, usize) {
    let wrong_type = branch.iter().any(|error| {
        error.instance_path().as_str() == pointer
            && matches!(error.kind(), ValidationErrorKind::Type { .. })
    });
    let fixed = branch
        .iter()
        .filter(|error| {
            matches!(
                error.kind(),
                ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. }
            )
        })
        .count();
    (wrong_type, fixed, branch.len())
}
