//! What a schema says about the values it describes, as far as typed arguments ask: which types they
//! have, which members and items, which few values.
//!
//! `allOf`, `anyOf` and `oneOf` are looked through. Whether a value fits is for `schema` to say.

use std::collections::HashMap;

use serde_json::Value;

use crate::layers::{layers, parts};
use crate::reference::resolve;
use crate::schema::article;

/// A schema and the document that its references lead into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    root: &'a Value,
    schema: &'a Value,
}

/// Values, where a schema lists them.
type Listed<'a> = Option<Vec<&'a Value>>;

impl<'a> Shape<'a> {
    pub(crate) fn new(root: &'a Value, schema: &'a Value) -> Self {
        Self { root, schema }
    }

    /// The types a value may have; none when nothing is said.
    pub(crate) fn kinds(&self) -> Vec<&'a str> {
        let mut kinds = Vec::new();
        for schema in self.layers() {
            collect_kinds(schema, &mut kinds);
        }
        kinds
    }

    /// Whether a value may have this type, and the schema says so.
    pub(crate) fn allows(&self, kind: &str) -> bool {
        self.kinds().contains(&kind)
    }

    /// The types in words: `an integer or null`.
    pub(crate) fn in_words(&self) -> String {
        let kinds: Vec<String> = self.kinds().into_iter().map(article).collect();
        if kinds.is_empty() {
            "text".to_owned()
        } else {
            kinds.join(" or ")
        }
    }

    /// The few values that there are, when the schema lists them: where one of several alternatives
    /// lists none, there are others.
    pub(crate) fn choices(&self) -> Vec<&'a Value> {
        self.choices_once(&mut HashMap::new()).unwrap_or_default()
    }

    /// `None` when nothing lists them. `known` holds what was found out before.
    fn choices_once(&self, known: &mut HashMap<*const Value, Listed<'a>>) -> Listed<'a> {
        let key = std::ptr::from_ref(resolve(self.root, self.schema));
        if let Some(choices) = known.get(&key) {
            return choices.clone();
        }
        known.insert(key, Some(Vec::new()));
        let mut listed: Listed<'a> = None;
        for layer in layers(self.root, self.schema, &["allOf"]) {
            let values = layer.get("enum").and_then(Value::as_array);
            let own = values.into_iter().flatten().chain(layer.get("const"));
            let mut own = own.peekable();
            if own.peek().is_some() {
                listed.get_or_insert_default().extend(own);
            } else if layer.get("type").is_some_and(|kind| kind == "null") {
                listed.get_or_insert_default();
            }
            for key in ["anyOf", "oneOf"] {
                let branches = parts(layer, &[key]).into_iter();
                let branches = branches.map(|schema| Shape { schema, ..*self });
                let all: Option<Vec<Vec<&Value>>> =
                    branches.map(|one| one.choices_once(known)).collect();
                if let Some(all) = all.filter(|all| !all.is_empty()) {
                    listed.get_or_insert_default().extend(all.concat());
                }
            }
        }
        known.insert(key, listed.clone());
        listed
    }

    /// The names and shapes of the declared members.
    pub(crate) fn members(&self) -> Vec<(&'a str, Shape<'a>)> {
        let mut members: Vec<(&'a str, Shape<'a>)> = Vec::new();
        for schema in self.layers() {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                if members.iter().all(|(known, _)| known != name) {
                    members.push((name, Shape { schema, ..*self }));
                }
            }
        }
        members
    }

    /// The shape of a member that is declared.
    pub(crate) fn declared(&self, name: &str) -> Option<Shape<'a>> {
        let members = self.members().into_iter();
        members
            .filter(|(known, _)| *known == name)
            .map(|(_, shape)| shape)
            .next()
    }

    /// The shape of every member that is not declared, when the schema has one.
    pub(crate) fn other_members(&self) -> Option<Shape<'a>> {
        self.find("additionalProperties")
            .filter(|shape| shape.schema.is_object())
    }

    /// Whether members with any name are meant: the schema declares none, or says so. A schema that
    /// declares some and says nothing takes others too, but a name it does not know is a slip more
    /// often than not.
    pub(crate) fn takes_any_member(&self) -> bool {
        match self.find("additionalProperties") {
            Some(others) => others.schema != &Value::Bool(false),
            None => self.members().is_empty(),
        }
    }

    /// The shape of the items of a list.
    pub(crate) fn items(&self) -> Option<Shape<'a>> {
        self.find("items")
    }

    /// Whether the server sets it and nobody else.
    pub(crate) fn is_read_only(&self) -> bool {
        self.find("readOnly")
            .is_some_and(|flag| flag.schema == &Value::Bool(true))
    }

    /// Whether a value is bytes rather than text, or nothing says that it is text (OpenAPI 3.0.3 and
    /// 3.1, "Considerations for File Uploads").
    pub(crate) fn is_binary(&self) -> bool {
        let format = self
            .find("format")
            .is_some_and(|format| format.schema == "binary");
        format || self.find("contentMediaType").is_some() || self.kinds().is_empty()
    }

    /// Members that must be there and that a caller can give.
    pub(crate) fn required(&self) -> Vec<&'a str> {
        let mut required = Vec::new();
        // An alternative may do without what another requires.
        for schema in layers(self.root, self.schema, &["allOf"]) {
            let names = schema.get("required").and_then(Value::as_array);
            required.extend(names.into_iter().flatten().filter_map(Value::as_str));
        }
        required.retain(|name| self.declared(name).is_none_or(|one| !one.is_read_only()));
        required
    }

    fn find(&self, key: &str) -> Option<Shape<'a>> {
        let found = self.layers().into_iter().find_map(|one| one.get(key));
        found.map(|schema| Shape { schema, ..*self })
    }

    /// The schema and those that apply to the same value.
    fn layers(&self) -> Vec<&'a Value> {
        layers(self.root, self.schema, &["allOf", "anyOf", "oneOf"])
    }
}

fn collect_kinds<'a>(schema: &'a Value, kinds: &mut Vec<&'a str>) {
    let mut add = |kind: &'a str| {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    };
    match schema.get("type") {
        Some(Value::String(kind)) => add(kind),
        Some(Value::Array(listed)) => listed.iter().filter_map(Value::as_str).for_each(&mut add),
        _ if schema.get("properties").is_some() => add("object"),
        _ if schema.get("items").is_some() => add("array"),
        _ => {
            let listed = schema.get("enum").and_then(Value::as_array);
            let values = listed.into_iter().flatten().chain(schema.get("const"));
            values.for_each(|value| add(kind_of(value)));
        }
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        add("null");
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
