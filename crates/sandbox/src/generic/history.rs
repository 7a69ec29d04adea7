//! Histories: answers that are numbers over time, such as `…/capacity-history` (domain.md 6.2, of
//! `range` and `timeIntervalMin`).
//!
//! Nothing is kept for them. A number follows from the seed, its place and the time of its point, so
//! that whoever asks again is told the same, and whoever asks later sees the same past. Does not know
//! what the numbers mean; they swing about the example of the definition.

mod apart;
mod asked;
mod point;
mod stamp;
mod wave;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use hallpass_openapi::{Definition, Location, Operation};
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::schema::{self, Outline};
use super::store::hash;
use super::template::Template;
use super::view::success;
use super::{Call, list, names};
use crate::rest::{ListRules, Refusal};
use crate::sandbox::{Body, Outcome, Request, Response};
use asked::{Asked, Parameters};
use point::Point;
use stamp::Stamp;

/// Words at the end of a path that leads to numbers over time.
const WORDS: [&str; 12] = [
    "history",
    "histories",
    "trend",
    "trends",
    "series",
    "timeseries",
    "metrics",
    "statistics",
    "measurements",
    "samples",
    "telemetry",
    "usage",
];

/// What the ends of the time are called in an answer.
const STARTS: [&str; 4] = ["starttime", "start", "from", "since"];
const ENDS: [&str; 4] = ["endtime", "end", "to", "until"];

/// An operation that answers with numbers over time.
#[derive(Debug)]
pub(super) struct History {
    path: Template,
    status: u16,
    parameters: Parameters,
    /// An answer as the schema and its examples make it.
    example: OnceLock<Value>,
    /// Whether answers with many points keep to the schema as those with one do.
    keeps: OnceLock<bool>,
}

impl History {
    /// What this operation is as a history; nothing when its points are things that are kept, or its
    /// answer has none.
    pub(super) fn of(definition: &Definition, operation: &Operation) -> Option<Self> {
        let path = Template::of(operation.path())?;
        let (status, answer) = success(operation)?;
        let parameters = Parameters::of(definition, operation);
        let words = names::words(path.word()?);
        let is_named = words.iter().any(|word| WORDS.contains(&word.as_str()));
        let is_history = operation.method() == Method::GET
            && (is_named || parameters.ask_for_a_time())
            && is_only_read(definition, operation, &path)
            && has_points(definition, answer?, &mut BTreeSet::new());
        is_history.then(|| Self {
            path,
            status,
            parameters,
            example: OnceLock::new(),
            keeps: OnceLock::new(),
        })
    }

    /// The answer to a request for it.
    pub(super) fn answer(
        &self,
        call: &Call<'_, '_>,
        rules: &ListRules,
    ) -> Result<Outcome, Refusal> {
        let ids = call.ids();
        call.store().reach(&self.path, &ids)?;
        let now = call.moment.now().as_second();
        let operation = call.request.operation;
        let asked = self.parameters.asked(call.definition, call.request, now)?;
        let mut answer = self.example(call.definition, operation).clone();
        if let Value::Object(members) = &mut answer {
            call.address(members);
            above(call, members);
        }
        let seed = call.store().number() ^ hash(&self.path.fill(&ids));
        if self.keeps(call.definition, operation) {
            fill(call.definition, operation, &mut answer, (asked, seed));
        }
        let shown = crate::rest::Question::one(call.request, rules, answer)?;
        Ok(Outcome {
            response: Response {
                status: StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK),
                body: Some(Body::from(shown)),
                task: None,
            },
            changes: Vec::new(),
        })
    }

    fn example(&self, definition: &Definition, operation: &Operation) -> &Value {
        self.example.get_or_init(|| {
            let made = definition.example_answer(operation, self.status);
            made.unwrap_or_default()
        })
    }

    /// A schema may say of its points what no rule here knows; its example is answered then.
    fn keeps(&self, definition: &Definition, operation: &Operation) -> bool {
        *self.keeps.get_or_init(|| {
            let mut tried = self.example(definition, operation).clone();
            fill(definition, operation, &mut tried, (Asked::SAMPLE, 0));
            let wrong = definition.check_response(operation, self.status, &tried);
            wrong.is_empty()
        })
    }
}

/// What puts points into an answer.
struct Filler<'a> {
    definition: &'a Definition,
    asked: Asked,
    seed: u64,
}

impl Filler<'_> {
    /// Puts points into every series of a value, and says beside them how many there are.
    fn fill(&self, schema: &Value, value: &mut Value, place: &str) {
        match value {
            Value::Array(elements) => {
                let Some(items) = schema::items(self.definition, schema) else {
                    return;
                };
                if let Some(point) = Point::of(self.definition, items) {
                    let bounds = self.definition.resolve(schema);
                    let is_latency = names::key(place).contains("latency");
                    *elements = point.series(
                        elements.first(),
                        bounds,
                        (self.asked, is_latency),
                        |member| self.seed ^ hash(&format!("{place}/{member}")),
                    );
                } else {
                    for (at, element) in elements.iter_mut().enumerate() {
                        self.fill(items, element, &format!("{place}/{at}"));
                    }
                }
            }
            Value::Object(members) => self.fill_members(schema, members, place),
            _ => {}
        }
    }

    fn fill_members(&self, schema: &Value, members: &mut Map<String, Value>, place: &str) {
        let mut points = None;
        for (name, schema) in Outline::of(self.definition, schema).properties {
            let Some(value) = members.get_mut(name) else {
                continue;
            };
            self.fill(schema, value, &format!("{place}/{name}"));
            if let Some(items) = schema::items(self.definition, schema)
                && Point::of(self.definition, items).is_some()
            {
                points = value.as_array().map(Vec::len);
            }
        }
        for (name, value) in members.iter_mut() {
            let key = names::key(name);
            let is_one_of = |words: &[&str]| words.contains(&key.as_str());
            let end = if is_one_of(&STARTS) {
                Some(self.asked.start)
            } else {
                is_one_of(&ENDS).then_some(self.asked.end)
            };
            if let (Some(end), Some(stamp)) = (end, Stamp::of(name, value)) {
                *value = stamp.write(end);
            } else if let Some(points) = points.filter(|_| value.is_number())
                && let Some(told) = list::told_of_one_page(&key, points)
            {
                *value = Value::from(told);
            }
        }
    }
}

/// Puts points into the answer of an operation.
fn fill(
    definition: &Definition,
    operation: &Operation,
    answer: &mut Value,
    (asked, seed): (Asked, u64),
) {
    if let Some((_, Some(schema))) = success(operation) {
        let filler = Filler {
            definition,
            asked,
            seed,
        };
        filler.fill(schema, answer, operation.path());
    }
}

/// Ids of the path that the answer repeats.
fn above(call: &Call<'_, '_>, members: &mut Map<String, Value>) {
    for (name, value) in members.iter_mut().filter(|(_, value)| value.is_string()) {
        if let Some(id) = list::above(call, &names::key(name)) {
            *value = id;
        }
    }
}

/// Whether nobody can write what is read there, or ask for one of it.
fn is_only_read(definition: &Definition, operation: &Operation, path: &Template) -> bool {
    let item = path.item();
    definition.operations().iter().all(|other| {
        let writes = other.path() == operation.path() && other.method() != Method::GET;
        !writes && Template::of(other.path()).as_ref() != Some(&item)
    })
}

/// Whether points are somewhere in an answer with this schema.
fn has_points(definition: &Definition, schema: &Value, seen: &mut BTreeSet<*const Value>) -> bool {
    let schema = definition.resolve(schema);
    if !seen.insert(std::ptr::from_ref(schema)) {
        return false;
    }
    if let Some(items) = schema::items(definition, schema) {
        return Point::of(definition, items).is_some() || has_points(definition, items, seen);
    }
    let properties = Outline::of(definition, schema).properties;
    let mut inner = properties.iter();
    inner.any(|(_, property)| has_points(definition, property, seen))
}

/// The query parameters of an operation.
fn in_query(operation: &Operation) -> impl Iterator<Item = &hallpass_openapi::Parameter> {
    let parameters = operation.parameters().iter();
    parameters.filter(|parameter| parameter.location == Location::Query)
}

/// What a request gives for a parameter, unless it is blank.
fn given<'a>(request: &Request<'a>, name: &str) -> Option<&'a str> {
    let mut pairs = request.query.iter();
    let (_, text) = pairs.find(|(key, text)| key == name && !text.trim().is_empty())?;
    Some(text)
}
