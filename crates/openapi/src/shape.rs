//! A schema as a person or a command line sees it: its type in a word, what it allows, and the
//! fields inside it, to a chosen depth.
//!
//! References, `allOf` and alternatives are followed, and a schema inside itself is named instead of
//! opened again. What a value breaks is not said here but in `schema`.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::definition::Definition;
use crate::marks::{each_property, is_or_holds};
use crate::read::plain;
use crate::reference::{resolve, target};

/// What a schema says about a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// The type: `string`, `list of integer`, `map of string`, `string or integer`, `any`.
    pub kind: String,
    /// The format, as written.
    pub format: Option<String>,
    /// The only values allowed, for it or for each item of a list, when the schema names them;
    /// without null.
    pub values: Vec<Value>,
    /// Null is allowed.
    pub nullable: bool,
    /// It is in answers only.
    pub read_only: bool,
    /// It is in requests only.
    pub write_only: bool,
    /// The definition advises against using it.
    pub deprecated: bool,
    /// What it means; may be empty.
    pub description: String,
    /// What it can look like.
    pub example: Option<Value>,
    /// Limits in words, such as `at least 1`.
    pub limits: Vec<String>,
    /// What it holds: the fields of an object, or of the objects in a list.
    pub inside: Inside,
}

/// What is inside a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Inside {
    /// No fields that are known.
    Nothing,
    /// These fields.
    Fields(Vec<Field>),
    /// The same as the schema of this name around it.
    Again(String),
    /// Fields below the depth that was asked for, or more than are told at once.
    Deeper,
}

/// A named part of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name; letter case counts.
    pub name: String,
    /// Whether an object without it is incomplete.
    pub required: bool,
    /// What it is.
    pub shape: Shape,
}

impl Shape {
    /// The fields inside, if they are known and were asked for.
    pub fn fields(&self) -> &[Field] {
        match &self.inside {
            Inside::Fields(fields) => fields,
            _ => &[],
        }
    }
}

impl Definition {
    /// What `schema`, a part of this definition, says, with fields down to `depth` layers.
    pub fn shape(&self, schema: &Value, depth: usize) -> Shape {
        shape(self.document(), schema, depth)
    }
}

/// What a schema says, with fields down to `depth` layers.
pub(crate) fn shape(root: &Value, schema: &Value, depth: usize) -> Shape {
    Reader {
        root,
        open: Vec::new(),
        left: MOST_FIELDS,
    }
    .shape(schema, depth)
}

/// How many schemas may apply to one value on top of each other; it ends cyclic `allOf`s.
const MAX_LAYERS: usize = 12;

/// How many fields are told of one schema, in all layers together: where each of a few schemas has some
/// properties of the next, there are more than anybody can read, and a small definition would take all
/// memory. The largest real one has some hundred.
const MOST_FIELDS: usize = 5_000;

struct Reader<'a> {
    root: &'a Value,
    /// The schemas around the one that is looked at, and the names they are referred to by.
    open: Vec<(&'a Value, String)>,
    /// How many more fields are told.
    left: usize,
}

impl<'a> Reader<'a> {
    fn shape(&mut self, schema: &'a Value, depth: usize) -> Shape {
        let layers = Layers::of(self.root, schema);
        let says = |key: &str| layers.first(key) == Some(&Value::Bool(true));
        let items = layers
            .first("items")
            .map(|items| Layers::of(self.root, items));
        let in_items = || items.as_ref()?.first("enum");
        let allowed = layers
            .first("enum")
            .or_else(in_items)
            .and_then(Value::as_array);
        let allowed = allowed.map(Vec::as_slice).unwrap_or_default();
        Shape {
            kind: kind(self.root, schema, 0, &mut 0),
            format: layers.text("format").map(str::to_owned),
            values: allowed
                .iter()
                .filter(|one| !one.is_null())
                .cloned()
                .collect(),
            nullable: says("nullable")
                || layers
                    .first("type")
                    .is_some_and(|kind| is_or_holds(kind, "null")),
            read_only: says("readOnly"),
            write_only: says("writeOnly"),
            deprecated: says("deprecated"),
            description: layers.text("description").unwrap_or_default().to_owned(),
            example: layers
                .first("example")
                .or_else(|| layers.first("examples")?.get(0))
                .or_else(|| layers.first("default"))
                .cloned(),
            limits: limits(&layers),
            inside: self.inside(schema, depth),
        }
    }

    fn inside(&mut self, schema: &'a Value, depth: usize) -> Inside {
        let holder = holder(self.root, schema);
        let end = resolve(self.root, holder);
        if let Some((_, name)) = self
            .open
            .iter()
            .find(|(outer, _)| std::ptr::eq(*outer, end))
        {
            return Inside::Again(name.clone());
        }
        let mut found = Vec::new();
        collect(
            self.root,
            holder,
            Certain::Yes,
            &mut HashSet::new(),
            &mut found,
        );
        if found.is_empty() {
            return Inside::Nothing;
        }
        if depth == 0 || found.len() > self.left {
            return Inside::Deeper;
        }
        self.left -= found.len();
        let name = name(holder);
        self.open.push((end, name));
        let fields = found
            .into_iter()
            .map(|(name, schema, required)| Field {
                name: name.to_owned(),
                required,
                shape: self.shape(schema, depth - 1),
            })
            .collect();
        self.open.pop();
        Inside::Fields(fields)
    }
}

/// The name a schema is referred to by.
fn name(schema: &Value) -> String {
    let name = target(schema).and_then(|reference| reference.rsplit('/').next());
    name.unwrap_or("the object around it").to_owned()
}

/// The schema whose fields are inside a value: itself, or that of a list's items or a map's values.
fn holder<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut holder = schema;
    for _ in 0..MAX_LAYERS {
        let layers = Layers::of(root, holder);
        let values = |key| layers.first(key).filter(|value| value.is_object());
        let inner = values("items")
            .or_else(|| values("additionalProperties").filter(|_| !layers.holds("properties")));
        match inner {
            Some(inner) => holder = inner,
            None => break,
        }
    }
    holder
}

/// Whether the fields of a schema must be there when the schema asks for them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certain {
    Yes,
    /// The schema is one of several that the value can have.
    No,
}

/// How many alternatives of one value are looked at, also within each other.
const MAX_ALTERNATIVES: usize = 500;

/// The fields of a schema and whether they are required, each once, those of its alternatives last.
fn collect<'a>(
    root: &'a Value,
    schema: &'a Value,
    certain: Certain,
    seen: &mut HashSet<*const Value>,
    found: &mut Vec<(&'a str, &'a Value, bool)>,
) {
    let again = !seen.insert(std::ptr::from_ref(resolve(root, schema)));
    if again || seen.len() > MAX_ALTERNATIVES {
        return;
    }
    let layers = Layers::of(root, schema);
    each_property(root, schema, &mut |name, property| {
        let required = certain == Certain::Yes && layers.requires(name);
        match found.iter_mut().find(|(known, ..)| *known == name) {
            Some(known) => *known = (name, property, known.2 || required),
            None => found.push((name, property, required)),
        }
    });
    for alternative in ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| layers.first(key))
    {
        for branch in alternative.as_array().into_iter().flatten() {
            let mut inner = Vec::new();
            collect(root, branch, Certain::No, seen, &mut inner);
            for field in inner {
                if !found.iter().any(|(known, ..)| *known == field.0) {
                    found.push(field);
                }
            }
        }
    }
}

/// How many objects one value's schema is put together from.
const MAX_OBJECTS: usize = 500;

/// The schema objects that apply to one value together: what is written at the place first, then
/// what it refers to.
struct Layers<'a>(Vec<&'a Map<String, Value>>);

impl<'a> Layers<'a> {
    fn of(root: &'a Value, schema: &'a Value) -> Self {
        let mut written = Vec::new();
        let mut referred = Vec::new();
        let seen = &mut HashSet::new();
        gather(root, schema, seen, &mut written, &mut referred);
        written.append(&mut referred);
        Self(written)
    }

    fn first(&self, key: &str) -> Option<&'a Value> {
        self.0.iter().find_map(|layer| layer.get(key))
    }

    fn holds(&self, key: &str) -> bool {
        self.first(key).is_some()
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|layer| layer.get(key)?.as_str())
    }

    fn requires(&self, name: &str) -> bool {
        let mut lists = self
            .0
            .iter()
            .filter_map(|layer| layer.get("required")?.as_array());
        lists.any(|names| names.iter().any(|one| one == name))
    }
}

fn gather<'a>(
    root: &'a Value,
    schema: &'a Value,
    seen: &mut HashSet<*const Value>,
    written: &mut Vec<&'a Map<String, Value>>,
    referred: &mut Vec<&'a Map<String, Value>>,
) {
    let is_new = seen.len() < MAX_OBJECTS && seen.insert(std::ptr::from_ref(schema));
    let Some(object) = schema.as_object().filter(|_| is_new) else {
        return;
    };
    written.push(object);
    let end = resolve(root, schema);
    if !std::ptr::eq(end, schema) {
        let mut deeper = Vec::new();
        gather(root, end, seen, referred, &mut deeper);
        referred.append(&mut deeper);
    }
    for member in object
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        gather(root, member, seen, written, referred);
    }
}

/// The type in a word or a few.
fn kind(root: &Value, schema: &Value, layer: usize, steps: &mut usize) -> String {
    const ANY: &str = "any";
    *steps += 1;
    if layer > MAX_LAYERS || *steps > MAX_ALTERNATIVES {
        return ANY.to_owned();
    }
    let layers = Layers::of(root, schema);
    let mut inner = |key: &str| {
        let value = layers.first(key).filter(|value| value.is_object())?;
        Some(kind(root, value, layer + 1, steps))
    };
    let of = |word: &str, inner: Option<String>| match inner {
        Some(inner) if inner != ANY => format!("{word} of {inner}"),
        _ => word.to_owned(),
    };
    let mut word = |word: &str| match word {
        "array" => of("list", inner("items")),
        "object" if !layers.holds("properties") => match inner("additionalProperties") {
            Some(values) => of("map", Some(values)),
            None => word.to_owned(),
        },
        other => other.to_owned(),
    };
    match layers.first("type") {
        Some(Value::String(one)) => word(one),
        Some(Value::Array(several)) => {
            let words = several.iter().filter_map(Value::as_str);
            alternatives(words.filter(|one| *one != "null").map(word))
        }
        _ if layers.holds("properties") => "object".to_owned(),
        _ if layers.holds("items") => word("array"),
        _ => {
            let branches = layers.first("anyOf").or_else(|| layers.first("oneOf"));
            let branches = branches.and_then(Value::as_array).into_iter().flatten();
            let words = branches.map(|branch| kind(root, branch, layer + 1, steps));
            alternatives(words.filter(|word| word != ANY && word != "null"))
        }
    }
}

/// Words joined, each once; `any` when there are none.
fn alternatives(words: impl Iterator<Item = String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for word in words {
        if !different.contains(&word) {
            different.push(word);
        }
    }
    if different.is_empty() {
        return "any".to_owned();
    }
    different.join(" or ")
}

fn limits(layers: &Layers<'_>) -> Vec<String> {
    const WORDS: [(&str, &str, &str); 8] = [
        ("minimum", "at least ", ""),
        ("maximum", "at most ", ""),
        ("multipleOf", "a multiple of ", ""),
        ("minLength", "at least ", " characters"),
        ("maxLength", "at most ", " characters"),
        ("minItems", "at least ", " items"),
        ("maxItems", "at most ", " items"),
        ("pattern", "matching ", ""),
    ];
    let excluded = |key: &str| match layers.first(key) {
        Some(Value::Bool(flag)) => *flag,
        _ => false,
    };
    let limit = |(key, before, after): &(&str, &str, &str)| {
        let value = layers
            .first(key)
            .filter(|value| value.is_number() || value.is_string())?;
        let before = match *key {
            "minimum" if excluded("exclusiveMinimum") => "more than ",
            "maximum" if excluded("exclusiveMaximum") => "less than ",
            _ => before,
        };
        Some(format!("{before}{}{after}", plain(value)))
    };
    let mut limits: Vec<String> = WORDS.iter().filter_map(limit).collect();
    for (key, before) in [
        ("exclusiveMinimum", "more than "),
        ("exclusiveMaximum", "less than "),
    ] {
        if let Some(number) = layers.first(key).filter(|value| value.is_number()) {
            limits.push(format!("{before}{number}"));
        }
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{operation, small};
    use serde_json::json;

    fn find<'s>(shape: &'s Shape, name: &str) -> &'s Field {
        let fields = shape.fields();
        fields.iter().find(|field| field.name == name).unwrap()
    }

    fn of(schemas: &str) -> Shape {
        let text = format!("openapi: 3.1.0\ncomponents: {{ schemas: {schemas} }}");
        let definition = Definition::read(&text).unwrap().definition;
        let reference = json!({"$ref": "#/components/schemas/A"});
        shape(definition.document(), &reference, 3)
    }

    #[test]
    fn a_body_is_told_with_types_limits_and_nesting() {
        let small = small();
        let edit = operation(&small, "EditVolume").body().unwrap();
        let shape = small.shape(&edit.schema, 2);
        assert_eq!(shape.kind, "object");
        assert!(find(&shape, "name").required && !find(&shape, "comment").required);
        assert!(find(&shape, "id").shape.read_only);
        assert!(find(&shape, "comment").shape.nullable);
        assert_eq!(find(&shape, "sizeMib").shape.limits, ["more than 16"]);
        assert_eq!(
            find(&shape, "mode").shape.values,
            [json!("THIN"), json!("FULL")]
        );
        let kinds =
            ["counts", "either", "count", "limits"].map(|name| &*find(&shape, name).shape.kind);
        assert_eq!(
            kinds,
            ["list of integer", "string or integer", "integer", "object"]
        );
        assert_eq!(
            find(&find(&shape, "limits").shape, "most").shape.kind,
            "integer"
        );
        let flat = small.shape(&edit.schema, 1);
        assert_eq!(find(&flat, "limits").shape.inside, Inside::Deeper);
        assert_eq!(find(&flat, "count").shape.inside, Inside::Nothing);
    }

    #[test]
    fn a_schema_inside_itself_is_named() {
        let small = small();
        let system = json!({"$ref": "#/components/schemas/System"});
        let shape = small.shape(&system, 9);
        let parent = &find(&shape, "parent").shape;
        let again = match &parent.inside {
            Inside::Again(name) => name.clone(),
            Inside::Fields(_) => {
                let Inside::Again(name) = &find(parent, "parent").shape.inside else {
                    panic!("opened again: {parent:?}")
                };
                name.clone()
            }
            other => panic!("{other:?}"),
        };
        assert!(!again.is_empty());
        assert_eq!(find(&shape, "state").shape.description, "How it is.");
        assert!(find(&shape, "state").shape.nullable);
    }

    #[test]
    fn alternatives_and_maps_are_opened_too() {
        let shape = of("{ A: { oneOf: [{ properties: { a: {} }, required: [a] }, \
                        { properties: { b: { type: [string, 'null'] } } }] } }");
        assert_eq!(shape.kind, "object");
        assert!(
            !find(&shape, "a").required,
            "the other alternative does without it"
        );
        assert!(find(&shape, "b").shape.nullable);
        assert_eq!(find(&shape, "b").shape.kind, "string");
        let map = of(
            "{ A: { type: object, additionalProperties: { type: array, items: { $ref: '#/components/schemas/B' } } }, \
                      B: { properties: { c: { type: integer, exclusiveMaximum: 7 } } } }",
        );
        assert_eq!(map.kind, "map of list of object");
        assert_eq!(find(&map, "c").shape.limits, ["less than 7"]);
    }

    #[test]
    fn circles_of_every_kind_end() {
        let reference = "{ $ref: '#/components/schemas/A' }, ".repeat(30);
        let fan = |key: &str| format!("{{ A: {{ {key}: [{reference}] }} }}");
        for circle in [
            "{ A: { allOf: [{ $ref: '#/components/schemas/A' }] } }",
            "{ A: { items: { $ref: '#/components/schemas/A' } } }",
            "{ A: { anyOf: [{ $ref: '#/components/schemas/A' }, { $ref: '#/components/schemas/A' }] } }",
            "{ A: { additionalProperties: { $ref: '#/components/schemas/A' } } }",
            &fan("allOf"),
            &fan("anyOf"),
            &fan("oneOf"),
        ] {
            assert_eq!(of(circle).fields(), []);
        }
    }

    /// How many fields are told, and how many of them hold more than was told.
    fn count(shape: &Shape) -> (usize, usize) {
        let cut = usize::from(shape.inside == Inside::Deeper);
        let fields = shape.fields().iter();
        fields.fold((0, cut), |(fields, cut), field| {
            let (inner, deeper) = count(&field.shape);
            (fields + 1 + inner, cut + deeper)
        })
    }

    #[test]
    fn a_definition_that_grows_with_every_layer_is_told_in_part() {
        let layer = |at: usize| {
            let next = json!({"$ref": format!("#/components/schemas/L{}", at + 1)});
            let fields = (0..9).map(|field| (format!("f{field}"), next.clone()));
            let schema = json!({"properties": fields.collect::<serde_json::Map<_, _>>()});
            (format!("L{at}"), schema)
        };
        let schemas: serde_json::Map<_, _> = (0..7).map(layer).collect();
        let text = json!({"openapi": "3.1.0", "components": {"schemas": schemas}});
        let definition = Definition::read(&text.to_string()).unwrap().definition;
        let first = json!({"$ref": "#/components/schemas/L0"});
        let told = shape(definition.document(), &first, 7);
        let (fields, cut) = count(&told);
        assert!(
            (MOST_FIELDS - 8..=MOST_FIELDS).contains(&fields),
            "{fields}"
        );
        assert!(cut > 0);
        assert_eq!(told.fields().len(), 9);
    }
}
