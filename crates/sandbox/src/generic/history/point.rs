//! One point of a series: its moment, its numbers, and what else it says.

use hallpass_openapi::Definition;
use serde_json::{Map, Value};

use super::asked::Asked;
use super::stamp::Stamp;
use super::wave::Motion;
use crate::generic::names;
use crate::generic::schema::{self, Outline};

/// Members besides the moment and the numbers: with more of them it is a thing, and no point.
const MOST_OTHERS: usize = 2;

/// Last words of names that tell things apart.
const IDS: [&str; 5] = ["id", "uuid", "uid", "name", "key"];

/// Words for what is stored; it grows and shrinks slowly.
const STORED: [&str; 8] = [
    "usage", "used", "capacity", "savings", "saving", "written", "size", "free",
];

/// A number that the definition says nothing of is about this.
const MIDDLE: f64 = 50.0;

/// What a point of a series is made of.
pub(super) struct Point<'a> {
    clock: &'a str,
    numbers: Vec<(&'a str, Limits)>,
}

impl<'a> Point<'a> {
    /// What a schema of list items says of points, if they are that.
    pub(super) fn of(definition: &'a Definition, items: &'a Value) -> Option<Self> {
        let properties = Outline::of(definition, items).properties;
        if properties.iter().any(|(name, _)| is_id(name)) {
            return None;
        }
        let (clock, _) = properties
            .iter()
            .find(|(name, schema)| is_of_time(name) && is_clock(definition, schema))?;
        let numbers: Vec<(&str, Limits)> = properties
            .iter()
            .filter(|(name, schema)| !is_of_time(name) && is_number(definition, schema))
            .map(|(name, schema)| (*name, Limits::of(definition, schema)))
            .collect();
        let others = properties.len().checked_sub(numbers.len() + 1)?;
        (!numbers.is_empty() && others <= MOST_OTHERS).then_some(Self { clock, numbers })
    }

    /// The points that were asked for, each made after the example. What the schema of the list says
    /// of its length is kept.
    pub(super) fn series(
        &self,
        example: Option<&Value>,
        list: &Value,
        (asked, is_latency): (Asked, bool),
        seed: impl Fn(&str) -> u64,
    ) -> Vec<Value> {
        let Some(example) = example.and_then(Value::as_object) else {
            return Vec::new();
        };
        let clock = example.get(self.clock);
        let Some(stamp) = clock.and_then(|clock| Stamp::of(self.clock, clock)) else {
            return vec![Value::Object(example.clone())];
        };
        let numbers: Vec<Number<'_>> = self
            .numbers
            .iter()
            .filter_map(|(name, limits)| Number::of(name, example, limits, seed(name)))
            .collect();
        let total = Total::of(&numbers, is_latency);
        let point = |second: i64| {
            let mut point = example.clone();
            point.insert(self.clock.to_owned(), stamp.write(second));
            for (at, number) in numbers.iter().enumerate() {
                let value = match &total {
                    Some(total) if total.at == at => total.sum(&numbers, second),
                    _ => number.at(second),
                };
                point.insert(number.name.to_owned(), number.shown(value));
            }
            Value::Object(point)
        };
        let limit = |word: &str| list.get(word).and_then(Value::as_u64);
        let seconds = asked.seconds(limit("minItems"), limit("maxItems"));
        seconds.map(point).collect()
    }
}

/// A number of a point.
struct Number<'a> {
    name: &'a str,
    middle: f64,
    motion: Motion,
    limits: &'a Limits,
    seed: u64,
}

impl<'a> Number<'a> {
    /// Nothing for one that must stay as the example has it.
    fn of(
        name: &'a str,
        example: &Map<String, Value>,
        limits: &'a Limits,
        seed: u64,
    ) -> Option<Self> {
        let shown = example.get(name)?.as_f64()?;
        let stored = |word: &String| STORED.contains(&word.as_str());
        let motion = if names::words(name).iter().any(stored) {
            Motion::Drift
        } else {
            Motion::Swing
        };
        let is_said = limits.has_example || shown.abs() > 0.0;
        (!limits.is_fixed).then_some(Self {
            name,
            middle: if is_said { shown } else { MIDDLE },
            motion,
            limits,
            seed,
        })
    }

    fn at(&self, second: i64) -> f64 {
        self.middle * self.motion.at(second, self.seed)
    }

    fn shown(&self, value: f64) -> Value {
        let Limits { least, most, .. } = *self.limits;
        if self.limits.is_whole {
            #[expect(clippy::cast_possible_truncation, reason = "saturates, as is wanted")]
            return Value::from(value.round().clamp(least, most) as i64);
        }
        Value::from(((value * 100.0).round() / 100.0).clamp(least, most))
    }
}

/// The number that is what is read and what is written together; or lies between, where it says how
/// long something takes.
struct Total {
    at: usize,
    parts: [usize; 2],
    /// Of what the parts are together.
    share: f64,
}

impl Total {
    fn of(numbers: &[Number<'_>], is_latency: bool) -> Option<Self> {
        let keys: Vec<String> = numbers
            .iter()
            .map(|number| names::key(number.name))
            .collect();
        let at = keys.iter().position(|key| key.contains("total"))?;
        let part = |word: &str| {
            let name = keys[at].replace("total", word);
            keys.iter().position(|key| *key == name)
        };
        let parts = [part("read")?, part("write")?];
        let share = if is_latency { 0.5 } else { 1.0 };
        Some(Self { at, parts, share })
    }

    fn sum(&self, numbers: &[Number<'_>], second: i64) -> f64 {
        let parts = self.parts.iter().map(|part| numbers[*part].at(second));
        self.share * parts.sum::<f64>()
    }
}

/// What a schema says of a number.
struct Limits {
    least: f64,
    most: f64,
    is_whole: bool,
    /// It says more than a rule here knows; the example keeps to it.
    is_fixed: bool,
    has_example: bool,
}

/// What a schema may say of a number besides how large it is.
const FURTHER: [&str; 9] = [
    "enum",
    "const",
    "multipleOf",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
];

impl Limits {
    fn of(definition: &Definition, schema: &Value) -> Self {
        let schema = definition.resolve(schema);
        let number = |word: &str| schema.get(word).and_then(Value::as_f64);
        let format = schema.get("format").and_then(Value::as_str);
        let is_whole = is_type(schema, "integer") || matches!(format, Some("int32" | "int64"));
        let (mut least, mut most) = (number("minimum"), number("maximum"));
        if is_whole {
            (least, most) = (least.map(f64::ceil), most.map(f64::floor));
        }
        let (least, most) = (least.unwrap_or(f64::MIN), most.unwrap_or(f64::MAX));
        Self {
            least,
            most,
            is_whole,
            is_fixed: least > most || FURTHER.iter().any(|word| schema.get(word).is_some()),
            has_example: schema.get("example").or(schema.get("examples")).is_some(),
        }
    }
}

fn is_id(name: &str) -> bool {
    let words = names::words(name);
    words
        .last()
        .is_some_and(|word| IDS.contains(&word.as_str()))
}

/// Whether a name is that of a moment or of a time.
fn is_of_time(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("time") || name.contains("date") || name == "ts"
}

fn is_clock(definition: &Definition, schema: &Value) -> bool {
    let schema = definition.resolve(schema);
    let format = schema.get("format").and_then(Value::as_str);
    is_number(definition, schema) || matches!(format, Some("date-time" | "date"))
}

fn is_number(definition: &Definition, schema: &Value) -> bool {
    let schema = definition.resolve(schema);
    is_type(schema, "number") || is_type(schema, "integer")
}

fn is_type(schema: &Value, word: &str) -> bool {
    schema
        .get("type")
        .is_some_and(|kind| schema::is(kind, word))
}
