//! Objections to a value in words that say which field is meant and what is expected.

use std::collections::HashMap;

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

use super::Violation;
use super::alternatives::{Meant, meant};
use super::words::{both, choices, either, field, kind, shown, what};
use crate::definition::near;
use crate::document::join;

/// All that is wrong, in the order of the schema, each thing once.
pub(super) fn explain(
    schema: &Value,
    whole: &str,
    errors: &[ValidationError<'_>],
) -> Vec<Violation> {
    let mut explainer = Explainer {
        schema,
        whole,
        violations: Vec::new(),
    };
    explainer.all(errors, "");
    explainer.violations
}

struct Explainer<'a> {
    schema: &'a Value,
    whole: &'a str,
    violations: Vec<Violation>,
}

impl<'a> Explainer<'a> {
    /// `aside` says for which alternative this is wrong.
    fn all(&mut self, errors: &[ValidationError<'_>], aside: &str) {
        let mut missing: HashMap<&str, Vec<&str>> = HashMap::new();
        for error in errors {
            if let ValidationErrorKind::Required { property } = error.kind() {
                let names = missing.entry(error.instance_path().as_str()).or_default();
                let name = property.as_str().unwrap_or_default();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        for error in errors {
            let pointer = error.instance_path().as_str();
            if !matches!(error.kind(), ValidationErrorKind::Required { .. }) {
                self.one(error, pointer, aside);
            } else if let Some(names) = missing.remove(pointer) {
                self.add(pointer, &format!("{}{aside}", absent(&names)));
            }
        }
    }

    fn one(&mut self, error: &ValidationError<'_>, pointer: &str, aside: &str) {
        match error.kind() {
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                self.alternatives(error, context, pointer, aside);
            }
            ValidationErrorKind::OneOfMultipleValid { context } => {
                let labels = self.labels(error, context.len());
                let fits: Vec<&str> = std::iter::zip(&labels, context)
                    .filter(|(_, errors)| errors.is_empty())
                    .map(|(label, _)| label.as_str())
                    .collect();
                let which = match fits.as_slice() {
                    [] => String::new(),
                    fits => format!(" ({})", both(fits)),
                };
                let message =
                    format!("fits several of its alternatives{which} and must fit exactly one");
                self.add(pointer, &(message + aside));
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    let message = self.unknown(error, name);
                    self.add(&join(pointer, name), &(message + aside));
                }
            }
            ValidationErrorKind::PropertyNames { error } => {
                let name = error.instance().as_str().unwrap_or_default();
                let message = format!("the name `{name}` {}", expectation(error));
                self.add(pointer, &(message + aside));
            }
            _ => self.add(pointer, &(expectation(error) + aside)),
        }
    }

    fn alternatives(
        &mut self,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        pointer: &str,
        aside: &str,
    ) {
        let discriminator = self.beside(error, "discriminator");
        let labels = self.labels(error, context.len());
        match meant(context, pointer, error.instance(), discriminator, &labels) {
            Meant::Types(words) => {
                let words: Vec<&str> = words.iter().map(|word| kind(word)).collect();
                let got = what(error.instance());
                self.add(
                    pointer,
                    &format!("must be {}, got {got}{aside}", either(&words)),
                );
            }
            Meant::Only(errors) => self.all(errors, aside),
            Meant::Nearest { index, of } => {
                let label = &labels[index];
                let aside =
                    format!(" (as {label}, the nearest of the {of} alternatives here){aside}");
                self.all(&context[index], &aside);
            }
            Meant::Named(index) => {
                self.all(&context[index], &format!(" (as {}){aside}", labels[index]));
            }
            Meant::NoSuchName { property, known } => {
                let given = error.instance().get(property).unwrap_or(&Value::Null);
                let known = Value::from(known);
                let message = format!("must be {}, got {}", choices(&known), shown(given));
                self.add(&join(pointer, property), &(message + aside));
            }
        }
    }

    /// What the alternatives are called: by their schema's name or title, else by their number.
    fn labels(&self, error: &ValidationError<'_>, count: usize) -> Vec<String> {
        let branches = self.schema.pointer(error.schema_path().as_str());
        (0..count)
            .map(|index| {
                let branch = branches.and_then(|branches| branches.get(index));
                branch
                    .and_then(name)
                    .unwrap_or_else(|| format!("alternative {}", index + 1))
            })
            .collect()
    }

    /// A keyword beside the one that objects.
    fn beside(&self, error: &ValidationError<'_>, keyword: &str) -> Option<&'a Value> {
        let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(parent)?.get(keyword)
    }

    fn unknown(&self, error: &ValidationError<'_>, name: &str) -> String {
        let known = self.beside(error, "properties").and_then(Value::as_object);
        let names = known.into_iter().flat_map(|known| known.keys());
        match near(&name.to_lowercase(), names.map(String::as_str)).first() {
            Some(nearest) => format!("unknown field; did you mean `{nearest}`?"),
            None => "unknown field".to_owned(),
        }
    }

    fn add(&mut self, pointer: &str, message: &str) {
        let violation = Violation {
            pointer: pointer.to_owned(),
            message: format!("{}: {message}", field(pointer, self.whole)),
        };
        // An `allOf` may say the same twice.
        if !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }
}

/// The name of a schema: the last part of the reference to it, else its title.
fn name(schema: &Value) -> Option<String> {
    let named = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.rsplit('/').next()?.split_once('-'))
        .map(|(_, name)| name)
        .filter(|name| !name.is_empty());
    named
        .or_else(|| schema.get("title")?.as_str())
        .map(str::to_owned)
}

fn absent(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb} missing", both(&quoted))
}

/// What one keyword wants, and what it got where that can be told.
fn expectation(error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    let instance = error.instance();
    match error.kind() {
        Kind::Type { kind } => wrong_type(kind, instance),
        Kind::Enum { options } => wrong_choice(options, instance),
        Kind::Constant { expected_value } => {
            format!("must be {expected_value}, got {}", shown(instance))
        }
        Kind::Minimum { limit } => format!("must be at least {limit}, got {instance}"),
        Kind::Maximum { limit } => format!("must be at most {limit}, got {instance}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}, got {instance}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}, got {instance}"),
        Kind::MultipleOf { multiple_of } => {
            format!("must be a multiple of {multiple_of}, got {instance}")
        }
        Kind::MinLength { limit } => length("at least", *limit, "character", instance),
        Kind::MaxLength { limit } => length("at most", *limit, "character", instance),
        Kind::MinItems { limit } => length("at least", *limit, "item", instance),
        Kind::MaxItems { limit } => length("at most", *limit, "item", instance),
        Kind::MinProperties { limit } => length("at least", *limit, "field", instance),
        Kind::MaxProperties { limit } => length("at most", *limit, "field", instance),
        Kind::UniqueItems => "must not hold an item twice".to_owned(),
        Kind::Pattern { pattern } => format!("must match the pattern {pattern}"),
        Kind::Format { format } => format!("must be a valid {format}"),
        Kind::FalseSchema => "must not be given".to_owned(),
        Kind::Custom { message, .. } => message.clone(),
        Kind::Contains => "holds no item of the kind that it must hold".to_owned(),
        other => format!("breaks the rule `{}` of its schema", other.keyword()),
    }
}

fn wrong_type(wanted: &TypeKind, instance: &Value) -> String {
    let wanted: Vec<String> = match wanted {
        TypeKind::Single(one) => vec![one.to_string()],
        TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect(),
    };
    let words: Vec<&str> = wanted.iter().map(|word| kind(word)).collect();
    // Null first would read as if it were the usual value.
    let (null, mut words): (Vec<&str>, Vec<&str>) =
        words.into_iter().partition(|word| *word == "null");
    words.extend(null);
    format!("must be {}, got {}", either(&words), shown(instance))
}

/// The allowed values, and which of them was likely meant.
fn wrong_choice(options: &Value, instance: &Value) -> String {
    let allowed = format!("must be {}, got {}", choices(options), shown(instance));
    let texts = options.as_array().into_iter().flatten();
    let nearest = instance.as_str().and_then(|given| {
        let names = near(&given.to_lowercase(), texts.filter_map(Value::as_str));
        names.into_iter().next()
    });
    match nearest {
        Some(nearest) => format!("{allowed}; did you mean \"{nearest}\"?"),
        None => allowed,
    }
}

fn length(bound: &str, limit: u64, unit: &str, instance: &Value) -> String {
    let has = match instance {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    let plural = if limit == 1 { "" } else { "s" };
    format!("must have {bound} {limit} {unit}{plural}, got {has}")
}
