//! OpenAPI schemas as JSON Schema 2020-12.
//!
//! OpenAPI 3.0 has its own dialect: `nullable`, boolean `exclusiveMinimum`, references whose
//! siblings do not count (OpenAPI 3.0.3, "Schema Object"). The result is one self-contained
//! document: what is referred to, directly or not, is translated once and kept under `$defs`, so
//! references stay references and cycles stay cycles.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::integers;
use crate::layers::layers;
use crate::marks::is_or_holds;
use crate::reference;

/// Which way a value goes: properties that are read-only need not be in a request, and write-only
/// ones not in a response, even when they are required (OpenAPI 3.0.3, "Schema Object").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// OpenAPI 3.0, whose schemas are not yet JSON Schema.
pub(crate) fn is_old_dialect(root: &Value) -> bool {
    root.get("openapi")
        .map(crate::read::plain)
        .is_some_and(|version| version.starts_with("3.0"))
}

/// The member of an object that came from an OpenAPI 3.0 document into one of a later version (`join`),
/// where that makes a difference.
pub(crate) const OLD: &str = "x-hallpass-openapi-3.0";

/// Whether an object is [`OLD`] in a document that is not.
pub(crate) fn is_marked_old(object: &Value) -> bool {
    object.get(OLD).is_some()
}

/// Whether an object says something else in OpenAPI 3.0 than in later versions: keywords that only one
/// of them knows, or beside a reference.
pub(crate) fn tells_versions_apart(object: &Map<String, Value>) -> bool {
    const KEYWORDS: [&str; 13] = [
        "$dynamicRef",
        "const",
        "contains",
        "dependentRequired",
        "else",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "if",
        "prefixItems",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    ];
    let has = |key: &&'static str| object.contains_key(*key);
    (object.contains_key("$ref") && object.len() > 1)
        || is_nullable(object)
        || KEYWORDS.iter().any(has)
}

/// The schema and all it refers to as one JSON Schema document.
pub(crate) fn translate(root: &Value, schema: &Value, direction: Direction, old: bool) -> Value {
    let mut translator = Translator {
        root,
        direction,
        old,
        names: HashMap::new(),
        waiting: Vec::new(),
        exempt: Vec::new(),
    };
    let mut document = translator.schema(schema);
    let mut definitions = Map::new();
    while let Some((name, target, exempt)) = translator.waiting.pop() {
        translator.exempt = exempt;
        let translated = translator.schema(target);
        definitions.insert(name, translated);
    }
    if let (Value::Object(document), false) = (&mut document, definitions.is_empty()) {
        document.insert("$defs".to_owned(), Value::Object(definitions));
    }
    document
}

/// How many targets are told apart by what is exempt in them.
const MAX_TOLD_APART: usize = 5_000;

struct Translator<'a> {
    root: &'a Value,
    direction: Direction,
    old: bool,
    /// The names that targets of references have in the result.
    /// What one of them requires depends on what it is put together with.
    names: HashMap<(&'a str, Vec<&'a str>), String>,
    /// Targets that are named but not translated yet, and what is exempt in them.
    waiting: Vec<(String, &'a Value, Vec<&'a str>)>,
    /// Properties that the value at hand need not have, whoever requires them.
    exempt: Vec<&'a str>,
}

impl<'a> Translator<'a> {
    fn schema(&mut self, schema: &'a Value) -> Value {
        let object = match schema {
            Value::Object(object) => object,
            Value::Bool(flag) if !self.old => return Value::Bool(*flag),
            // Anything else says nothing about a value.
            _ => return Value::Bool(true),
        };
        let old = self.old || is_marked_old(schema);
        let nullable = old && is_nullable(object);
        // A dynamic reference is taken as it stands: which definition its document means first.
        let dynamic = object.get("$dynamicRef").and_then(Value::as_str);
        let outer = self.exempt.clone();
        self.add_exempt(schema);
        let translated = match reference::target(schema) {
            Some(reference) if old => self.reference(reference),
            reference => self.beside(object, [reference, dynamic.filter(|_| !old)]),
        };
        self.exempt = outer;
        if nullable {
            allow_null(translated)
        } else {
            translated
        }
    }

    /// The keywords of an object with its references beside them, so that `unevaluatedProperties`
    /// knows what they have looked at. Only one can stand there.
    fn beside(
        &mut self,
        object: &'a Map<String, Value>,
        references: [Option<&'a str>; 2],
    ) -> Value {
        let mut keywords = self.keywords(object);
        for reference in references.into_iter().flatten() {
            let Value::Object(reference) = self.reference(reference) else {
                continue;
            };
            if !keywords.contains_key("$ref") {
                keywords.extend(reference);
                continue;
            }
            let all = keywords.entry("allOf").or_insert_with(|| json!([]));
            if let Value::Array(all) = all {
                all.push(Value::Object(reference));
            }
        }
        Value::Object(keywords)
    }

    /// Notes the properties that a value of this schema need not have, whichever of the schemas that
    /// it is put together from requires them.
    fn add_exempt(&mut self, schema: &'a Value) {
        const TOGETHER: [&str; 6] = ["$ref", "$dynamicRef", "required", "allOf", "anyOf", "oneOf"];
        let flag = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        if !TOGETHER.iter().any(|key| schema.get(*key).is_some()) {
            return;
        }
        let says_so = |one: &&Value| one.get(flag) == Some(&Value::Bool(true));
        for layer in layers(self.root, schema, &["allOf"]) {
            let properties = layer.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                if !self.exempt.contains(&name.as_str())
                    && layers(self.root, property, &["allOf"]).iter().any(says_so)
                {
                    self.exempt.push(name);
                }
            }
        }
    }

    /// What is exempt already among the names that a schema asks for.
    fn exempt_in(&self, schema: &'a Value) -> Vec<&'a str> {
        if self.exempt.is_empty() || self.names.len() > MAX_TOLD_APART {
            return Vec::new();
        }
        let asked = layers(self.root, schema, &["allOf", "anyOf", "oneOf"])
            .into_iter()
            .filter_map(|layer| layer.get("required")?.as_array())
            .flatten();
        let asked: HashSet<&str> = asked.filter_map(Value::as_str).collect();
        let mut exempt = self.exempt.clone();
        exempt.retain(|name| asked.contains(name));
        exempt.sort_unstable();
        exempt
    }

    /// Translates what is said about another value than the one around it.
    fn apart<T>(&mut self, translate: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::take(&mut self.exempt);
        let translated = translate(self);
        self.exempt = outer;
        translated
    }

    /// A reference into `$defs`; one that leads nowhere allows everything.
    fn reference(&mut self, reference: &'a str) -> Value {
        let Some(target) = reference::local(self.root, reference) else {
            return Value::Bool(true);
        };
        let key = (reference, self.exempt_in(target));
        if let Some(name) = self.names.get(&key) {
            return json!({ "$ref": format!("#/$defs/{name}") });
        }
        let name = format!("s{}-{}", self.names.len(), plain_name(reference));
        self.waiting.push((name.clone(), target, key.1.clone()));
        self.names.insert(key, name.clone());
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn keywords(&mut self, object: &'a Map<String, Value>) -> Map<String, Value> {
        let old = self.old || object.contains_key(OLD);
        let mut result = Map::new();
        for (key, value) in object {
            let translated = match key.as_str() {
                "properties" | "patternProperties" => self.apart(|it| it.schemas(value)),
                "dependentSchemas" => self.schemas(value),
                "items" | "additionalProperties" | "not" => self.apart(|it| it.one(value)),
                "then" | "else" if !old => self.one(value),
                "contains"
                | "propertyNames"
                | "if"
                | "unevaluatedItems"
                | "unevaluatedProperties"
                    if !old =>
                {
                    self.apart(|it| it.one(value))
                }
                "allOf" | "anyOf" | "oneOf" => self.list(value),
                "prefixItems" if !old => self.apart(|it| it.list(value)),
                "dependentRequired" if !old => names_by_name(value),
                "required" => self.required(value),
                "const" if !old => Some(value.clone()),
                // What messages are made of; it asserts nothing.
                "discriminator" => Some(value.clone()),
                _ => assertion(key, value),
            };
            if let Some(translated) = translated {
                result.insert(key.clone(), translated);
            }
        }
        if old {
            exclusive_limit(object, &mut result, "minimum", "exclusiveMinimum");
            exclusive_limit(object, &mut result, "maximum", "exclusiveMaximum");
        }
        if let Some(format) = integers::format_in(object) {
            result.insert(integers::KEYWORD.to_owned(), format.clone());
        }
        result
    }

    fn one(&mut self, value: &'a Value) -> Option<Value> {
        (value.is_object() || value.is_boolean()).then(|| match value {
            Value::Bool(_) => value.clone(),
            _ => self.schema(value),
        })
    }

    fn schemas(&mut self, value: &'a Value) -> Option<Value> {
        let members = value.as_object()?;
        let translated = members
            .iter()
            .map(|(name, schema)| (name.clone(), self.schema(schema)))
            .collect();
        Some(Value::Object(translated))
    }

    fn list(&mut self, value: &'a Value) -> Option<Value> {
        let members = value.as_array().filter(|members| !members.is_empty())?;
        Some(members.iter().map(|schema| self.schema(schema)).collect())
    }

    fn required(&self, value: &Value) -> Option<Value> {
        let mut names: Vec<&str> = Vec::new();
        for name in value.as_array()?.iter().filter_map(Value::as_str) {
            if !self.exempt.contains(&name) && !names.contains(&name) {
                names.push(name);
            }
        }
        Some(json!(names))
    }
}

/// The last part of a reference, if it is a name that a component can have (OpenAPI 3.0.3,
/// "Components Object"): messages call an alternative by it.
fn plain_name(reference: &str) -> &str {
    let name = reference.rsplit('/').next().unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.bytes().all(allowed) { name } else { "" }
}

/// Keywords that hold no schemas, as far as they are well formed. What is not says nothing.
fn assertion(key: &str, value: &Value) -> Option<Value> {
    const TYPES: [&str; 7] = [
        "array", "boolean", "integer", "null", "number", "object", "string",
    ];
    let is_type = |word: &Value| TYPES.iter().any(|known| word == known);
    let well_formed = match key {
        "type" => match value {
            Value::Array(words) => !words.is_empty() && words.iter().all(is_type),
            word => is_type(word),
        },
        "enum" => value.as_array().is_some_and(|values| !values.is_empty()),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => value.is_number(),
        "multipleOf" => value.as_f64().is_some_and(|number| number > 0.0),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            value.is_u64()
        }
        "minContains" | "maxContains" => value.is_u64(),
        "uniqueItems" => value.is_boolean(),
        "format" | "title" => value.is_string(),
        "pattern" => value.as_str().is_some_and(is_pattern),
        _ => false,
    };
    well_formed.then(|| value.clone())
}

/// Property names under property names.
fn names_by_name(value: &Value) -> Option<Value> {
    let is_list = |names: &Value| {
        let names = names.as_array().map(Vec::as_slice).unwrap_or_default();
        let known = |at: usize| names[..at].contains(&names[at]);
        names.iter().all(Value::is_string) && !(0..names.len()).any(known)
    };
    let members = value.as_object()?.iter();
    let well_formed = members.filter(|(_, names)| is_list(names));
    Some(Value::Object(
        well_formed
            .map(|(name, names)| (name.clone(), names.clone()))
            .collect(),
    ))
}

/// Whether a regular expression can be used at all.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    jsonschema::options()
        .build(&json!({ "pattern": pattern }))
        .is_ok()
}

/// 3.0 says with a boolean whether the limit itself is excluded; JSON Schema has a second limit.
fn exclusive_limit(
    object: &Map<String, Value>,
    result: &mut Map<String, Value>,
    limit: &str,
    exclusive: &str,
) {
    if object.get(exclusive) == Some(&Value::Bool(true))
        && let Some(number) = result.remove(limit)
    {
        result.insert(exclusive.to_owned(), number);
    }
}

/// Whether null is allowed: `nullable` here, or as a member of `allOf` that says nothing else, which
/// is how authors put it beside a reference.
fn is_nullable(object: &Map<String, Value>) -> bool {
    let says_so = |object: &Map<String, Value>| object.get("nullable") == Some(&Value::Bool(true));
    let members = object
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    says_so(object)
        || members
            .filter_map(Value::as_object)
            .any(|member| says_so(member) && !member.contains_key("type"))
}

/// Lets `null` through. The specification wants `nullable` next to `type` and `null` in every
/// `enum`; authors who write `nullable` mean that null is allowed wherever they write it.
fn allow_null(schema: Value) -> Value {
    let Value::Object(mut object) = schema else {
        return schema;
    };
    if ["$ref", "allOf", "anyOf", "oneOf", "not"]
        .iter()
        .any(|key| object.contains_key(*key))
    {
        return json!({ "anyOf": [object, { "type": "null" }] });
    }
    if let Some(kind) = object
        .get_mut("type")
        .filter(|kind| !is_or_holds(kind, "null"))
    {
        *kind = json!([kind, "null"]);
    }
    if let Some(Value::Array(values)) = object.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    Value::Object(object)
}
