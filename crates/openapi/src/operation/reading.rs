//! Operations from the document: what the path gives merged in, references resolved.

use std::collections::HashSet;

use http::Method;
use serde_json::{Map, Value};

use super::{Body, Location, Operation, Parameter, Style};
use crate::document::join;
use crate::marks::items_schema;
use crate::reference::{self, MAX_HOPS, resolve};
use crate::translate::{is_marked_old, is_old_dialect};

/// The methods an OpenAPI path can have, in the order of the specification.
const METHODS: [(&str, Method); 8] = [
    ("get", Method::GET),
    ("put", Method::PUT),
    ("post", Method::POST),
    ("delete", Method::DELETE),
    ("options", Method::OPTIONS),
    ("head", Method::HEAD),
    ("patch", Method::PATCH),
    ("trace", Method::TRACE),
];

/// All operations of a document, in its order.
pub(crate) fn operations(root: &Value) -> Vec<Operation> {
    operations_below(root, &[""])
}

/// The operations of the documents that `root` holds at these pointers, in their order.
pub(crate) fn operations_below<P: AsRef<str>>(root: &Value, documents: &[P]) -> Vec<Operation> {
    let mut operations = Vec::new();
    for document in documents {
        read_into(
            &mut operations,
            root,
            &[document.as_ref(), "/paths"].concat(),
        );
    }
    name_uniquely(&mut operations);
    operations
}

/// Adds the operations of the paths at this pointer.
fn read_into(operations: &mut Vec<Operation>, root: &Value, pointer: &str) {
    let Some(paths) = root.pointer(pointer).and_then(Value::as_object) else {
        return;
    };
    let modern = !is_old_dialect(root);
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with('/')) {
        let layers = layers(root, join(pointer, path), item);
        let mut known = Vec::new();
        for (layer, key, value) in members(&layers) {
            let method = METHODS.iter().find(|(name, _)| name == key);
            let (Some((_, method)), Some(own)) = (method, value.as_object()) else {
                continue;
            };
            if known.contains(&method) {
                continue;
            }
            known.push(method);
            let reader = Reader {
                root,
                modern,
                path,
                layers: &layers,
                own,
            };
            let pointer = join(&layer.pointer, key);
            operations.push(reader.read(operations.len(), pointer, method));
        }
    }
}

/// One of the objects that a path item is made of.
struct Layer<'a> {
    pointer: String,
    members: &'a Map<String, Value>,
}

/// A path item, then the one that it refers to, and so on. What the specification leaves undefined,
/// the same member in several of them, is decided for the nearer one.
fn layers<'a>(root: &'a Value, pointer: String, item: &'a Value) -> Vec<Layer<'a>> {
    let mut layers: Vec<Layer<'a>> = Vec::new();
    let mut next = Some((pointer, item));
    while let Some((pointer, item)) = next {
        let Some(members) = item.as_object() else {
            break;
        };
        let is_known = |known: &Layer<'_>| std::ptr::eq(known.members, members);
        if layers.len() == MAX_HOPS || layers.iter().any(is_known) {
            break;
        }
        layers.push(Layer { pointer, members });
        next = reference::target(item).and_then(|target| {
            let pointer = reference::pointer(target)?.into_owned();
            let item = root.pointer(&pointer)?;
            Some((pointer, item))
        });
    }
    layers
}

fn members<'l, 'a>(
    layers: &'l [Layer<'a>],
) -> impl Iterator<Item = (&'l Layer<'a>, &'a String, &'a Value)> {
    let of = |layer: &'l Layer<'a>| {
        let members = layer.members.iter();
        members.map(move |(key, value)| (layer, key, value))
    };
    layers.iter().flat_map(of)
}

/// Gives the operations without an own name one that nobody has.
fn name_uniquely(operations: &mut [Operation]) {
    let mut taken = HashSet::new();
    let mut nameless = Vec::new();
    for operation in operations.iter_mut() {
        match &operation.declared_id {
            Some(id) if taken.insert(id.clone()) => operation.id.clone_from(id),
            _ => nameless.push(operation.index),
        }
    }
    for index in nameless {
        let made = made_up_name(&operations[index]);
        let mut name = made.clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{made}-{number}");
        }
        operations[index].id = name;
    }
}

fn made_up_name(operation: &Operation) -> String {
    let words = operation
        .path
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    std::iter::once(operation.method.as_str().to_lowercase().as_str())
        .chain(words)
        .collect::<Vec<_>>()
        .join("-")
}

/// What one operation is read from.
struct Reader<'a> {
    root: &'a Value,
    /// OpenAPI 3.1 or later.
    modern: bool,
    path: &'a str,
    layers: &'a [Layer<'a>],
    own: &'a Map<String, Value>,
}

impl Reader<'_> {
    fn read(&self, index: usize, pointer: String, method: &Method) -> Operation {
        let responses = self.responses();
        let is_list = *method == Method::GET
            && responses.iter().any(|(status, schema)| {
                status == "200"
                    && schema
                        .as_ref()
                        .is_some_and(|schema| items_schema(self.root, schema).is_some())
            });
        Operation {
            index,
            id: String::new(),
            declared_id: string(self.own, "operationId").map(str::to_owned),
            method: method.clone(),
            path: self.path.to_owned(),
            pointer,
            tag: self
                .own
                .get("tags")
                .and_then(|tags| tags.get(0)?.as_str())
                .map(str::to_owned),
            summary: self.text("summary"),
            description: self.text("description"),
            deprecated: flag(self.own, "deprecated").unwrap_or(false),
            parameters: self.parameters(),
            body_required: self
                .request_body()
                .is_some_and(|body| flag(body, "required").unwrap_or(false)),
            bodies: self.bodies(),
            responses,
            is_list,
        }
    }

    fn text(&self, key: &str) -> String {
        let mut objects =
            std::iter::once(self.own).chain(self.layers.iter().map(|layer| layer.members));
        objects
            .find_map(|object| string(object, key))
            .unwrap_or_default()
            .to_owned()
    }

    /// A parameter of the operation replaces the path's one of the same name and location.
    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters: Vec<Parameter> = Vec::new();
        let shared = self.layers.iter().rev().map(|layer| layer.members);
        for object in shared.chain([self.own]) {
            let list = object.get("parameters").and_then(Value::as_array);
            for value in list.into_iter().flatten() {
                let Some(parameter) = self.parameter(value) else {
                    continue;
                };
                let same = |known: &Parameter| {
                    known.name == parameter.name && known.location == parameter.location
                };
                match parameters.iter().position(same) {
                    Some(index) => parameters[index] = parameter,
                    None => parameters.push(parameter),
                }
            }
        }
        parameters
    }

    fn parameter(&self, value: &Value) -> Option<Parameter> {
        let object = resolve(self.root, value).as_object()?;
        // Since 3.1, a description beside a reference says more than the one it leads to.
        let beside = value.get("description");
        let beside = beside.filter(|_| self.modern && !is_marked_old(value));
        let location = Location::parse(string(object, "in")?)?;
        let content = object.get("content").and_then(Value::as_object);
        let first = content.and_then(|content| content.iter().next());
        let schema = object
            .get("schema")
            .or_else(|| json_schema(object.get("content")))
            .or_else(|| first?.1.get("schema"));
        let style = Style::read(string(object, "style"), location);
        Some(Parameter {
            name: string(object, "name")?.to_owned(),
            location,
            required: location == Location::Path || flag(object, "required").unwrap_or(false),
            schema: schema.cloned().unwrap_or_else(|| Value::Object(Map::new())),
            description: beside
                .and_then(Value::as_str)
                .or_else(|| string(object, "description"))
                .unwrap_or_default()
                .to_owned(),
            example: example(self.root, object, schema),
            deprecated: flag(object, "deprecated").unwrap_or(false),
            explode: flag(object, "explode").unwrap_or(style == Style::Form),
            style,
            allow_reserved: flag(object, "allowReserved").unwrap_or(false),
            content: first.map(|(media_type, _)| media_type.clone()),
        })
    }

    fn request_body(&self) -> Option<&Map<String, Value>> {
        resolve(self.root, self.own.get("requestBody")?).as_object()
    }

    fn bodies(&self) -> Vec<Body> {
        let Some(body) = self.request_body() else {
            return Vec::new();
        };
        let content = body.get("content").and_then(Value::as_object);
        let read = |(media_type, media): (&String, &Value)| {
            let media = media.as_object()?;
            let schema = media.get("schema");
            Some(Body {
                media_type: media_type.clone(),
                required: flag(body, "required").unwrap_or(false),
                schema: schema.cloned().unwrap_or_else(|| Value::Object(Map::new())),
                example: example(self.root, media, schema),
                encoding: media.get("encoding").cloned(),
            })
        };
        content.into_iter().flatten().filter_map(read).collect()
    }

    fn responses(&self) -> Vec<(String, Option<Value>)> {
        let Some(responses) = self.own.get("responses").and_then(Value::as_object) else {
            return Vec::new();
        };
        responses
            .iter()
            .filter(|(status, _)| !status.starts_with("x-"))
            .map(|(status, response)| {
                let response = resolve(self.root, response);
                (
                    status.clone(),
                    json_schema(response.get("content")).cloned(),
                )
            })
            .collect()
    }
}

fn string<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str()
}

fn flag(object: &Map<String, Value>, key: &str) -> Option<bool> {
    object.get(key)?.as_bool()
}

fn json_schema(content: Option<&Value>) -> Option<&Value> {
    json_media(content)?.get("schema")
}

/// The name of the JSON among the media types of a body, unless it is a range of types.
pub(crate) fn json_media_type(content: &Value) -> Option<&str> {
    let names = content.as_object()?.keys();
    let ranked = names.filter_map(|name| Some((json_rank(name)?, name)));
    let (_, name) = ranked.min_by_key(|(rank, _)| *rank)?;
    (!name.contains('*')).then_some(name)
}

/// The JSON among the media types of a body.
fn json_media(content: Option<&Value>) -> Option<&Map<String, Value>> {
    let ranked = content?
        .as_object()?
        .iter()
        .filter_map(|(name, media)| Some((json_rank(name)?, media)));
    ranked.min_by_key(|(rank, _)| *rank)?.1.as_object()
}

/// How well a media type says that it is JSON: `application/json` first, then `…+json`, then `*/*`.
pub(super) fn json_rank(media_type: &str) -> Option<u8> {
    let essence = media_type.split(';').next().unwrap_or_default();
    match essence.trim().to_ascii_lowercase().as_str() {
        "application/json" => Some(0),
        name if name.ends_with("+json") => Some(1),
        "application/*" | "*/*" => Some(2),
        _ => None,
    }
}

/// The example of a parameter or body: its own, the first of several, its schema's, or the first
/// value its schema allows.
fn example(root: &Value, object: &Map<String, Value>, schema: Option<&Value>) -> Option<Value> {
    let several = || {
        let first = object.get("examples")?.as_object()?.values().next()?;
        resolve(root, first).get("value")
    };
    let from_schema = || {
        let schema = resolve(root, schema?);
        let first = |key: &str| schema.get(key)?.get(0);
        schema
            .get("example")
            .or_else(|| first("examples"))
            .or_else(|| schema.get("default"))
            .or_else(|| schema.get("const"))
            .or_else(|| first("enum"))
    };
    object
        .get("example")
        .or_else(several)
        .or_else(from_schema)
        .cloned()
}
