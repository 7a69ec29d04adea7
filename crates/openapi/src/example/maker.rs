//! Making a value of a schema, layer upon layer.

use serde_json::{Map, Value};

use super::Fill;
use super::layers::Layers;
use super::scalar;
use crate::document::join;
use crate::translate::Direction;

/// How deep a value may be.
const MAX_DEPTH: usize = 12;

/// How many parts a value may have.
const MAX_PARTS: usize = 2_000;

/// Longer lists are not made up.
const MAX_ITEMS: usize = 100;

/// How deep a value is looked for that the definition shows.
const MAX_SHOWN_DEPTH: usize = 4;

/// What values are made from.
pub(super) struct Maker<'a> {
    root: &'a Value,
    direction: Direction,
    fill: Fill,
    name: &'a str,
    /// JSON pointers to what was objected to, round by round.
    distrusted: Vec<Vec<String>>,
}

/// A part of the value that is being made: where it is, and what an example around it shows.
struct Place<'a, 'p> {
    pointer: &'p str,
    name: &'p str,
    shown: Option<&'a Value>,
}

/// The way down to the part that is being made.
struct Way<'a> {
    open: Vec<Layers<'a>>,
    parts: usize,
}

impl<'a> Maker<'a> {
    pub(super) fn new(root: &'a Value, direction: Direction, fill: Fill) -> Self {
        Self {
            root,
            direction,
            fill,
            name: "",
            distrusted: Vec::new(),
        }
    }

    /// The same for a value that has a name.
    pub(super) fn named(mut self, name: &'a str) -> Self {
        self.name = name;
        self
    }

    /// Objections to the last value.
    pub(super) fn distrust(&mut self, pointers: Vec<String>) {
        self.distrusted.push(pointers);
    }

    /// A value of this schema; `shown` is an example of the whole of it.
    pub(super) fn make(&self, schema: &'a Value, shown: Option<&'a Value>) -> Value {
        let place = Place {
            pointer: "",
            name: self.name,
            shown,
        };
        let mut way = Way {
            open: Vec::new(),
            parts: 0,
        };
        self.part(schema, &place, &mut way).unwrap_or(Value::Null)
    }

    /// One part. `None` when it would be without end, or too large.
    fn part(&self, schema: &'a Value, place: &Place<'a, '_>, way: &mut Way<'a>) -> Option<Value> {
        let mut layers = Layers::of(self.root, schema);
        let null = || layers.flag("nullable").then_some(Value::Null);
        let circular = way.open.iter().any(|outer| layers.share_a_layer(outer));
        if circular || way.open.len() >= MAX_DEPTH || way.parts >= MAX_PARTS {
            return null();
        }
        way.parts += 1;
        let objections = self.objections(place.pointer);
        layers.choose(objections);
        let own = example(&layers).filter(|own| Some(*own) != place.shown);
        let shown = [place.shown, own].into_iter().flatten();
        let shown: Vec<&Value> = shown.filter(|value| !value.is_null()).collect();
        let descend = self.fill == Fill::Required && !layers.properties().is_empty();
        if let Some(shown) = shown.get(objections).filter(|_| !descend) {
            return Some((*shown).clone());
        }
        if let Some(value) = given(&layers, objections) {
            return Some(value.clone());
        }
        let nullable = layers.flag("nullable");
        let made = match layers.kind() {
            "object" => self.object(layers, place.pointer, shown.first().copied(), way),
            "array" => self.array(layers, place, way),
            "integer" => Some(scalar::integer(&layers)),
            "number" => Some(scalar::number(&layers)),
            // Made-up values do as little as possible.
            "boolean" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            _ => Some(scalar::text(&layers, place.name)),
        };
        made.or(nullable.then_some(Value::Null))
    }

    /// In how many rounds something at this place or inside it was objected to.
    fn objections(&self, pointer: &str) -> usize {
        let inside = |other: &String| {
            let rest = other.strip_prefix(pointer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let rounds = self.distrusted.iter();
        rounds.filter(|round| round.iter().any(inside)).count()
    }

    fn object(
        &self,
        layers: Layers<'a>,
        pointer: &str,
        shown: Option<&'a Value>,
        way: &mut Way<'a>,
    ) -> Option<Value> {
        let outline = Outline::of(&layers);
        way.open.push(layers);
        let members = self.members(&outline, pointer, shown, way);
        way.open.pop();
        members.map(Value::Object)
    }

    fn members(
        &self,
        outline: &Outline<'a>,
        pointer: &str,
        shown: Option<&'a Value>,
        way: &mut Way<'a>,
    ) -> Option<Map<String, Value>> {
        let mut members = Map::new();
        for (name, schema) in &outline.properties {
            let required = outline.required.contains(name);
            let shown = shown.and_then(|shown| shown.get(name));
            if !self.wanted(schema, required, shown.is_some()) {
                continue;
            }
            match self.member(schema, pointer, name, shown, way) {
                Some(value) => drop(members.insert((*name).to_owned(), value)),
                None if required => return None,
                None => {}
            }
        }
        for name in &outline.undeclared {
            let value = self.member(outline.others, pointer, name, None, way)?;
            members.insert((*name).to_owned(), value);
        }
        for (name, schema) in &outline.properties {
            if members.len() < outline.least && !members.contains_key(*name) {
                let value = self.member(schema, pointer, name, None, way)?;
                members.insert((*name).to_owned(), value);
            }
        }
        Some(members)
    }

    /// Whether a member belongs into the example.
    fn wanted(&self, schema: &'a Value, required: bool, shown: bool) -> bool {
        let layers = Layers::of(self.root, schema);
        let one_way = match self.direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let optional = || match self.fill {
            Fill::Required => false,
            Fill::Shown => shown || self.shows(&layers, 0),
            Fill::All => true,
        };
        !layers.flag(one_way) && (required || (!layers.flag("deprecated") && optional()))
    }

    /// Whether the definition shows a value, or a part of it.
    fn shows(&self, layers: &Layers<'a>, depth: usize) -> bool {
        if depth > MAX_SHOWN_DEPTH {
            return false;
        }
        let properties = layers.properties().into_iter().map(|(_, schema)| schema);
        let mut parts = properties.chain(layers.first("items"));
        let own = example(layers).or_else(|| layers.first("const"));
        own.is_some_and(|own| !own.is_null())
            || parts.any(|part| self.shows(&Layers::of(self.root, part), depth + 1))
    }

    fn member(
        &self,
        schema: &'a Value,
        pointer: &str,
        name: &str,
        shown: Option<&'a Value>,
        way: &mut Way<'a>,
    ) -> Option<Value> {
        let place = Place {
            pointer: &join(pointer, name),
            name,
            shown,
        };
        self.part(schema, &place, way)
    }

    /// A list with one item, or as many as it must have.
    fn array(&self, layers: Layers<'a>, place: &Place<'a, '_>, way: &mut Way<'a>) -> Option<Value> {
        let least = layers.count("minItems").unwrap_or(0);
        let most = layers.least("maxItems").unwrap_or(f64::MAX);
        let different = layers.flag("uniqueItems");
        let first = layers.first("prefixItems").and_then(Value::as_array);
        let schema = layers.first("items").unwrap_or(ANYTHING);
        way.open.push(layers);
        let mut items: Vec<Value> = Vec::new();
        for index in 0..least.clamp(1, MAX_ITEMS) {
            #[expect(clippy::cast_precision_loss, reason = "there are at most MAX_ITEMS")]
            if index as f64 >= most {
                break;
            }
            let schema = first.and_then(|first| first.get(index)).unwrap_or(schema);
            let inner = Place {
                pointer: &join(place.pointer, &index.to_string()),
                name: place.name,
                shown: None,
            };
            let Some(item) = self.part(schema, &inner, way) else {
                break;
            };
            items.push(if different && items.contains(&item) {
                another(schema, item, index)
            } else {
                item
            });
        }
        way.open.pop();
        (items.len() >= least.min(MAX_ITEMS)).then_some(Value::Array(items))
    }
}

/// What an object is made of.
struct Outline<'a> {
    properties: Vec<(&'a str, &'a Value)>,
    required: Vec<&'a str>,
    /// Required, and without a schema of its own.
    undeclared: Vec<&'a str>,
    /// The schema of what is not declared.
    others: &'a Value,
    least: usize,
}

impl<'a> Outline<'a> {
    fn of(layers: &Layers<'a>) -> Self {
        let properties = layers.properties();
        let required = layers.required();
        let declared = |name: &&str| properties.iter().any(|(known, _)| known == name);
        let others = layers.first("additionalProperties");
        Self {
            undeclared: required
                .iter()
                .copied()
                .filter(|name| !declared(name))
                .collect(),
            others: others.filter(|one| one.is_object()).unwrap_or(ANYTHING),
            least: layers.count("minProperties").unwrap_or(0),
            properties,
            required,
        }
    }
}

/// The schema that says nothing.
const ANYTHING: &Value = &Value::Bool(true);

/// The example that the schema itself shows.
fn example<'a>(layers: &Layers<'a>) -> Option<&'a Value> {
    let several = || layers.first("examples")?.get(0);
    let fallback = || layers.first("default");
    layers.first("example").or_else(several).or_else(fallback)
}

/// The value that it must be, or one of those that it can be; after an objection, the next.
fn given<'a>(layers: &Layers<'a>, objections: usize) -> Option<&'a Value> {
    if let Some(value) = layers.first("const") {
        return Some(value);
    }
    let values = layers.first("enum")?.as_array()?;
    let useful: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
    let choice = objections.checked_rem(useful.len())?;
    useful.get(choice).copied()
}

/// Another value of the same kind, for a list that holds none twice.
fn another(schema: &Value, item: Value, index: usize) -> Value {
    let choices = schema.get("enum").and_then(Value::as_array);
    match (choices.and_then(|choices| choices.get(index)), item) {
        (Some(choice), _) => choice.clone(),
        (None, Value::String(text)) => Value::from(format!("{text}{index}")),
        (None, Value::Number(number)) => match number.as_i64() {
            Some(number) => Value::from(number.saturating_add(i64::try_from(index).unwrap_or(0))),
            None => Value::Number(number),
        },
        (None, item) => item,
    }
}
