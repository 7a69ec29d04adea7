//! How one answer shows an object: as itself, or as one of a list.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use hallpass_openapi::{Definition, Operation};
use serde_json::{Map, Value};

use super::schema::{self, Holder, Outline};

/// The shape in which an operation answers with objects of a resource.
#[derive(Debug)]
pub(super) struct View {
    operation: usize,
    pub(super) status: u16,
    pub(super) holder: Holder,
    listed: bool,
    /// What an object declares; empty when its schema leaves that open.
    pub(super) properties: BTreeSet<String>,
    pub(super) required: BTreeSet<String>,
    example: OnceLock<Value>,
}

impl View {
    /// The view of an operation that answers with one object.
    pub(super) fn one(definition: &Definition, operation: &Operation) -> Option<Self> {
        let (status, answer) = success(operation)?;
        let (holder, object) = schema::one(definition, answer?)?;
        Some(Self::new(
            definition,
            operation,
            status,
            (holder, object),
            false,
        ))
    }

    /// The view of an operation that answers with a list of objects.
    pub(super) fn many(definition: &Definition, operation: &Operation) -> Option<Self> {
        let (status, answer) = success(operation)?;
        let (holder, object) = schema::list(definition, answer?)?;
        Some(Self::new(
            definition,
            operation,
            status,
            (holder, object),
            true,
        ))
    }

    fn new(
        definition: &Definition,
        operation: &Operation,
        status: u16,
        (holder, object): (Holder, &Value),
        listed: bool,
    ) -> Self {
        let outline = Outline::of(definition, object);
        let owned = |name: &&str| (*name).to_owned();
        Self {
            operation: operation.index(),
            status,
            holder,
            listed,
            properties: outline
                .properties
                .iter()
                .map(|(name, _)| owned(name))
                .collect(),
            required: outline.required.iter().map(owned).collect(),
            example: OnceLock::new(),
        }
    }

    /// An answer made of the schema and its examples.
    pub(super) fn example(&self, definition: &Definition) -> &Value {
        self.example.get_or_init(|| {
            let operation = self.operation(definition);
            let made = definition.example_answer(operation, self.status);
            made.unwrap_or_default()
        })
    }

    /// The object in the example.
    pub(super) fn example_object(&self, definition: &Definition) -> Map<String, Value> {
        let inside = self.holder.inside(self.example(definition));
        let object = if self.listed {
            inside.and_then(|list| list.get(0))
        } else {
            inside
        };
        object
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    }

    /// Whether it shows the member; a schema without properties shows all.
    pub(super) fn shows(&self, name: &str) -> bool {
        self.properties.is_empty() || self.properties.contains(name)
    }

    /// The members of an object that it objects to; `None` stands for the object as a whole.
    pub(super) fn objections(
        &self,
        definition: &Definition,
        object: &Map<String, Value>,
    ) -> Vec<Option<String>> {
        let object = Value::Object(object.clone());
        let inside = if self.listed {
            Value::Array(vec![object])
        } else {
            object
        };
        let answer = self.holder.around(self.example(definition).clone(), inside);
        let violations =
            definition.check_response(self.operation(definition), self.status, &answer);
        let member = |pointer: &str| self.holder.member(pointer, self.listed).map(str::to_owned);
        violations.iter().map(|one| member(&one.pointer)).collect()
    }

    fn operation<'d>(&self, definition: &'d Definition) -> &'d Operation {
        &definition.operations()[self.operation]
    }
}

/// The status of the answer to a request that succeeds, and its schema if it has one; 200 goes before
/// the others.
pub(super) fn success(operation: &Operation) -> Option<(u16, Option<&Value>)> {
    let responses = operation.responses();
    let status = |text: &str| match text.parse::<u16>() {
        Ok(status) => Some(status).filter(|status| (200..300).contains(status)),
        Err(_) => text.eq_ignore_ascii_case("2XX").then_some(200),
    };
    let mut declared: Vec<(u16, Option<&Value>)> = responses
        .iter()
        .filter_map(|(text, schema)| Some((status(text)?, schema.as_ref())))
        .collect();
    declared.sort_by_key(|(status, _)| *status);
    let default = || {
        let mut all = responses.iter();
        let (_, schema) = all.find(|(text, _)| text == "default")?;
        responses.len().eq(&1).then_some((200, schema.as_ref()))
    };
    declared.first().copied().or_else(default)
}
