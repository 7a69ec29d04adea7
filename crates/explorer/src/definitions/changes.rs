//! What is different in another version of a definition: operations that came, went, or take and answer
//! something else, in words.
//!
//! An operation is the same when its method and path are. Only those whose own text or the parts that it
//! refers to differ are looked at closely.

use std::collections::{BTreeMap, HashMap, HashSet};

use hallpass_openapi::{Definition, Operation, Shape};
use serde_json::{Value, json};

use super::shape::typed;

/// The changes as JSON: `added`, `removed`, `changed` with `what`.
pub(super) fn changes(old: &Definition, new: &Definition) -> Value {
    let known: HashMap<_, _> = old.operations().iter().map(|one| (key(one), one)).collect();
    let still: HashSet<_> = new.operations().iter().map(key).collect();
    let mut parts = Parts::new(old.document(), new.document());
    let mut added = Vec::new();
    let mut changed = Vec::new();
    for operation in new.operations() {
        match known.get(&key(operation)) {
            None => added.push(named(operation)),
            Some(before) if parts.differ(before, operation) => {
                let mut told = named(operation);
                told["what"] = json!(compare((old, before), (new, operation)));
                changed.push(told);
            }
            Some(_) => {}
        }
    }
    let gone = old.operations().iter();
    let gone = gone.filter(|one| !still.contains(&key(one)));
    json!({
        "added": added,
        "removed": gone.map(named).collect::<Vec<_>>(),
        "changed": changed,
    })
}

fn key(operation: &Operation) -> (&str, &str) {
    (operation.method().as_str(), operation.path())
}

fn named(operation: &Operation) -> Value {
    json!({
        "operation": operation.id(),
        "method": operation.method().as_str(),
        "path": operation.path(),
    })
}

/// The parts of two documents, and which of them differ.
struct Parts<'a> {
    old: &'a Value,
    new: &'a Value,
    /// By pointer: whether the part differs, and what it refers to.
    known: HashMap<&'a str, (bool, Vec<&'a str>)>,
}

impl<'a> Parts<'a> {
    fn new(old: &'a Value, new: &'a Value) -> Self {
        Self {
            old,
            new,
            known: HashMap::new(),
        }
    }

    /// Whether an operation differs, in itself or in anything that it refers to.
    fn differ(&mut self, before: &Operation, after: &Operation) -> bool {
        if before.id() != after.id() {
            return true;
        }
        let around = |root: &'a Value, one: &Operation| {
            let item = one.pointer().rsplit_once('/').map(|(item, _)| item);
            let shared = item.and_then(|item| root.pointer(item)?.get("parameters"));
            (root.pointer(one.pointer()), shared)
        };
        let (old, new) = (around(self.old, before), around(self.new, after));
        if old != new {
            return true;
        }
        let mut waiting = Vec::new();
        for value in [new.0, new.1].into_iter().flatten() {
            references(value, &mut waiting);
        }
        let mut seen = HashSet::new();
        while let Some(reference) = waiting.pop() {
            if !seen.insert(reference) {
                continue;
            }
            let (old, new) = (self.old, self.new);
            let (differs, further) = self.known.entry(reference).or_insert_with(|| {
                let pointer = reference.trim_start_matches('#');
                let part = new.pointer(pointer);
                let mut further = Vec::new();
                if let Some(part) = part {
                    references(part, &mut further);
                }
                (old.pointer(pointer) != part, further)
            });
            if *differs {
                return true;
            }
            waiting.extend(further.iter());
        }
        false
    }
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members
                .values()
                .for_each(|member| references(member, found));
        }
        _ => {}
    }
}

type Side<'a> = (&'a Definition, &'a Operation);

/// What is different about an operation.
fn compare(old: Side<'_>, new: Side<'_>) -> Vec<String> {
    let mut what = Vec::new();
    if old.1.id() != new.1.id() {
        what.push(format!("called {} instead of {}", new.1.id(), old.1.id()));
    }
    match (old.1.deprecated(), new.1.deprecated()) {
        (false, true) => what.push("the definition now advises against it".to_owned()),
        (true, false) => what.push("the definition no longer advises against it".to_owned()),
        _ => {}
    }
    parameters(old, new, &mut what);
    bodies(old, new, &mut what);
    responses(old, new, &mut what);
    if what.is_empty() {
        what.push("descriptions, examples or limits".to_owned());
    }
    if what.len() > MOST_WORDS {
        let more = what.len() - MOST_WORDS;
        what.truncate(MOST_WORDS);
        what.push(format!("and {more} more"));
    }
    what
}

fn parameters(old: Side<'_>, new: Side<'_>, what: &mut Vec<String>) {
    fn flat((definition, operation): Side<'_>) -> Flat {
        let parameters = operation.parameters().iter();
        parameters
            .map(|one| {
                let shape = definition.shape(&one.schema, 0);
                (one.name.clone(), Leaf::of(one.required, &shape))
            })
            .collect()
    }
    differences("parameter", &flat(old), &flat(new), true, what);
}

fn bodies(old: Side<'_>, new: Side<'_>, what: &mut Vec<String>) {
    match (old.1.bodies().is_empty(), new.1.bodies().is_empty()) {
        (true, true) => return,
        (true, false) => return what.push("a body added".to_owned()),
        (false, true) => return what.push("the body removed".to_owned()),
        (false, false) => {}
    }
    match (old.1.needs_body(), new.1.needs_body()) {
        (false, true) => what.push("the body must be sent now".to_owned()),
        (true, false) => what.push("the body may be left out now".to_owned()),
        _ => {}
    }
    let flat = |(definition, operation): Side<'_>| {
        let body = operation.body().or_else(|| operation.bodies().first());
        body.map(|body| fields(&definition.shape(&body.schema, DEPTH)))
            .unwrap_or_default()
    };
    differences("body field", &flat(old), &flat(new), true, what);
}

fn responses(old: Side<'_>, new: Side<'_>, what: &mut Vec<String>) {
    let known: BTreeMap<_, _> = old.1.responses().iter().map(|(a, b)| (a, b)).collect();
    let now: BTreeMap<_, _> = new.1.responses().iter().map(|(a, b)| (a, b)).collect();
    for status in known.keys().filter(|one| !now.contains_key(*one)) {
        what.push(format!("answer {status} removed"));
    }
    for (status, schema) in now {
        let Some(before) = known.get(status) else {
            what.push(format!("answer {status} added"));
            continue;
        };
        let flat = |definition: &Definition, schema: &Option<Value>| {
            let shape = schema.as_ref().map(|one| definition.shape(one, DEPTH));
            shape.map(|shape| fields(&shape)).unwrap_or_default()
        };
        let word = format!("answer {status}: field");
        let (before, after) = (flat(old.0, before), flat(new.0, schema));
        // What an answer must hold is nothing that whoever asks has to do.
        differences(&word, &before, &after, false, what);
    }
}

type Flat = BTreeMap<String, Leaf>;

#[derive(PartialEq)]
struct Leaf {
    required: bool,
    kind: String,
    values: Vec<String>,
}

impl Leaf {
    fn of(required: bool, shape: &Shape) -> Self {
        Self {
            required,
            kind: shape.kind.clone(),
            values: shape.values.iter().map(typed).collect(),
        }
    }
}

/// All fields by their dotted names.
fn fields(shape: &Shape) -> Flat {
    fn add(prefix: &str, shape: &Shape, flat: &mut Flat) {
        for field in shape.fields() {
            if flat.len() >= MOST_FIELDS {
                return;
            }
            let name = format!("{prefix}{}", field.name);
            flat.insert(name.clone(), Leaf::of(field.required, &field.shape));
            add(&format!("{name}."), &field.shape, flat);
        }
    }
    let mut flat = Flat::new();
    add("", shape, &mut flat);
    flat
}

fn differences(word: &str, old: &Flat, new: &Flat, needs: bool, what: &mut Vec<String>) {
    let inside_of_one = |names: &Flat, other: &Flat, name: &str| {
        // A field that came or went with the one around it is not named again.
        name.rsplit_once('.')
            .is_some_and(|(around, _)| names.contains_key(around) && !other.contains_key(around))
    };
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        if !inside_of_one(old, new, name) {
            what.push(format!("{word} {name} removed"));
        }
    }
    for (name, now) in new {
        let Some(before) = old.get(name) else {
            if !inside_of_one(new, old, name) {
                let required = if needs && now.required {
                    "required "
                } else {
                    ""
                };
                what.push(format!("{required}{word} {name} added"));
            }
            continue;
        };
        if before.kind != now.kind {
            let (now, before) = (&now.kind, &before.kind);
            what.push(format!("{word} {name} is {now} instead of {before}"));
        }
        if needs && before.required != now.required {
            let need = if now.required {
                "must be given now"
            } else {
                "may be left out now"
            };
            what.push(format!("{word} {name} {need}"));
        }
        let missing = |from: &Leaf, other: &Leaf| {
            let values = from.values.iter();
            values
                .filter(|one| !other.values.contains(one))
                .cloned()
                .collect::<Vec<_>>()
        };
        if before.values.is_empty() != now.values.is_empty() {
            let how = if now.values.is_empty() {
                "any value"
            } else {
                "only certain values"
            };
            what.push(format!("{word} {name} allows {how} now"));
            continue;
        }
        for (verb, values) in [
            ("allows", missing(now, before)),
            ("no longer allows", missing(before, now)),
        ] {
            if !values.is_empty() {
                what.push(format!("{word} {name} {verb} {}", values.join(", ")));
            }
        }
    }
}

/// How deep fields are compared.
const DEPTH: usize = 5;

/// How many fields of one schema are compared.
const MOST_FIELDS: usize = 2_000;

/// How many differences of one operation are told.
const MOST_WORDS: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(paths: &str, size: &str) -> Definition {
        let text = format!(
            "openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\npaths: {paths}\n\
             components: {{schemas: {{V: {{required: [name], properties: {{name: {{type: string}}, \
             {size}}}}}, W: {{type: string}}}}}}\n"
        );
        Definition::read(&text).unwrap().definition
    }

    const VOLUME: &str = "{ /v: { get: {operationId: list, parameters: [{name: limit, in: query, schema: \
         {type: integer}}], responses: {'200': {description: a, content: {application/json: {schema: \
         {$ref: '#/components/schemas/V'}}}}}}, post: {operationId: make, responses: {}} } }";

    #[test]
    fn the_same_is_not_told() {
        let one = read(VOLUME, "size: {type: integer}");
        assert_eq!(
            changes(&one, &one),
            json!({"added": [], "removed": [], "changed": []})
        );
    }

    #[test]
    fn a_change_far_behind_a_reference_is_told() {
        let old = read(VOLUME, "size: {type: integer}");
        let new = read(VOLUME, "size: {type: string}, more: {properties: {a: {}}}");
        let told = changes(&old, &new);
        assert_eq!(told["changed"].as_array().unwrap().len(), 1, "{told}");
        assert_eq!(told["changed"][0]["operation"], "list");
        assert_eq!(
            told["changed"][0]["what"],
            json!([
                "answer 200: field more added",
                "answer 200: field size is string instead of integer"
            ])
        );
    }

    #[test]
    fn operations_come_and_go_and_take_something_else() {
        let old = read(VOLUME, "a: {}");
        let new = read(
            "{ /v: { get: {operationId: list, parameters: [{name: limit, in: query, required: true, schema: \
             {type: integer}}, {name: sort, in: query, schema: {enum: [a, b]}}], responses: {'200': \
             {description: a}, '404': {description: none}}}, delete: {operationId: gone, responses: {}} } }",
            "a: {}",
        );
        let told = changes(&old, &new);
        assert_eq!(
            told["added"],
            json!([{"operation": "gone", "method": "DELETE", "path": "/v"}])
        );
        assert_eq!(told["removed"][0]["operation"], "make");
        let what = told["changed"][0]["what"].as_array().unwrap();
        for words in [
            "parameter limit must be given now",
            "parameter sort added",
            "answer 200: field name removed",
            "answer 404 added",
        ] {
            assert!(what.contains(&json!(words)), "{words}: {told}");
        }
    }

    #[test]
    fn values_are_named() {
        let with = |values: &str| {
            read(
                &format!(
                    "{{ /v: {{ get: {{operationId: a, parameters: [{{name: p, in: query, schema: {{enum: \
                     [{values}]}}}}], responses: {{}}}} }} }}"
                ),
                "a: {}",
            )
        };
        let told = changes(&with("A, B"), &with("B, C"));
        assert_eq!(
            told["changed"][0]["what"],
            json!(["parameter p allows C", "parameter p no longer allows A"])
        );
    }
}
