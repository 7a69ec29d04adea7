//! Lists: which objects, and the envelope that the definition declares.

use std::borrow::Cow;

use hallpass_openapi::{Definition, Location, Operation};
use hallpass_query::{AttributePath, Lookup};
use serde_json::{Map, Value};

use super::resource::Resource;
use super::schema::Holder;
use super::view::View;
use super::{Call, names, object};
use crate::rest::{Envelope, Item, ListRules, Question, Refusal};
use crate::sandbox::Request;

/// What the members of an envelope tell, by their names.
const TOTALS: [&str; 5] = [
    "total",
    "totalcount",
    "totalitems",
    "numitems",
    "totalresults",
];
const COUNTS: [&str; 2] = ["count", "size"];
const LIMITS: [&str; 5] = ["pagelimit", "limit", "pagesize", "perpage", "itemsperpage"];
const OFFSETS: [&str; 4] = ["pageoffset", "offset", "start", "startindex"];
const ADDRESSES: [&str; 2] = ["requesturi", "requesturl"];

/// Parameters that say how many objects a page has.
const SIZES: [&str; 3] = ["pagesize", "perpage", "size"];

/// An object of a list, as the list shows it.
struct Shown(Value);

impl Lookup for Shown {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        self.0.lookup(path)
    }
}

impl Item for Shown {
    fn render(&self) -> Value {
        self.0.clone()
    }
}

/// The answer to a list of these objects.
pub(super) fn answer(
    call: &Call<'_, '_>,
    resource: &Resource,
    view: &View,
    rules: &ListRules,
    objects: &[(String, Map<String, Value>)],
) -> Result<Value, Refusal> {
    let asked = Asked::of(call.request, resource, call.settings.longest_page);
    let request = Request {
        query: &asked.query,
        ..*call.request
    };
    let longest = call.settings.longest_page;
    let pages = match asked.default_limit {
        Some(limit) => (limit, longest),
        // Who cannot ask for the next page gets all on one, unless the answer tells of pages.
        None if !asked.is_paged && !tells_of_pages(call, view) => (usize::MAX, usize::MAX),
        None => (call.settings.default_page, longest),
    };
    let question = Question::parse(&request, rules, pages)?;
    let items = objects
        .iter()
        .map(|(_, object)| {
            let shown = object::shown(call.definition, resource, view, object);
            Shown(Value::Object(call.addressed(shown)))
        })
        .filter(|item| {
            asked
                .members
                .iter()
                .all(|(name, text)| has(&item.0, name, text))
        });
    let found = question.answer(items, Envelope::WithUri(request.uri));
    let found = found.into_value();
    Ok(envelope(call, view, &found))
}

/// What a request asks of a list, in the words of the query language.
struct Asked {
    query: Vec<(String, String)>,
    default_limit: Option<usize>,
    is_paged: bool,
    /// Members that must have a value.
    members: Vec<(String, String)>,
}

impl Asked {
    /// Parameters that the operation does not have are ignored. One that is called like a member
    /// asks for the objects with that value.
    fn of(request: &Request<'_>, resource: &Resource, longest: usize) -> Self {
        let operation = request.operation;
        let mut asked = Self {
            query: Vec::new(),
            default_limit: None,
            is_paged: false,
            members: Vec::new(),
        };
        let declared = declared(operation);
        let value = |name: &str| {
            let given = request.query.iter().find(|(key, _)| key == name);
            given.map(|(_, value)| value.clone())
        };
        for (name, _) in &declared {
            let Some(text) = value(name) else { continue };
            match *name {
                "filter" | "select" | "limit" | "offset" => {
                    asked.query.push(((*name).to_owned(), text));
                }
                "sort" => asked.query.push(("sort".to_owned(), sorted(&text))),
                _ if SIZES.contains(&names::key(name).as_str()) => {
                    asked.query.push(("limit".to_owned(), text));
                }
                _ => {
                    if let Some(member) = resource.member(name) {
                        asked.members.push((member.to_owned(), text));
                    }
                }
            }
        }
        asked.pages(&declared, value("page"), longest);
        asked
    }

    fn pages(&mut self, declared: &[(&str, &Value)], page: Option<String>, longest: usize) {
        let size = |name: &str| name == "limit" || SIZES.contains(&names::key(name).as_str());
        let Some((_, schema)) = declared.iter().find(|(name, _)| size(name)) else {
            return;
        };
        self.is_paged = true;
        let default = schema.get("default").and_then(Value::as_u64);
        self.default_limit = default.and_then(|limit| usize::try_from(limit).ok());
        let takes_page = declared.iter().any(|(name, _)| *name == "page");
        if let Some(page) = page
            .filter(|_| takes_page)
            .and_then(|page| page.parse::<usize>().ok())
        {
            let asked = self.query.iter().find(|(name, _)| name == "limit");
            let limit = asked
                .and_then(|(_, limit)| limit.parse().ok())
                .or(self.default_limit);
            let offset = page
                .saturating_sub(1)
                .saturating_mul(limit.unwrap_or_default().min(longest));
            self.query.push(("offset".to_owned(), offset.to_string()));
        }
    }
}

fn tells_of_pages(call: &Call<'_, '_>, view: &View) -> bool {
    let envelope = view.example(call.definition).as_object();
    let mut names = envelope.into_iter().flat_map(Map::keys);
    names.any(|name| LIMITS.contains(&names::key(name).as_str()))
}

fn declared(operation: &Operation) -> Vec<(&str, &Value)> {
    let query = operation
        .parameters()
        .iter()
        .filter(|parameter| parameter.location == Location::Query);
    query
        .map(|parameter| (parameter.name.as_str(), &parameter.schema))
        .collect()
}

/// `-name` is how many APIs say `name desc`.
fn sorted(text: &str) -> String {
    let key = |key: &str| match key.trim().strip_prefix('-') {
        Some(name) => format!("{name} desc"),
        None => key.trim().trim_start_matches('+').to_owned(),
    };
    text.split(',').map(key).collect::<Vec<_>>().join(",")
}

fn has(item: &Value, name: &str, text: &str) -> bool {
    let is = |value: &Value| match value {
        Value::String(own) => own == text,
        Value::Null => false,
        other => other.to_string().as_str() == text,
    };
    match item.get(name) {
        Some(Value::Array(elements)) => elements.iter().any(is),
        Some(value) => is(value),
        None => false,
    }
}

/// The page that was found, in the envelope of the definition.
fn envelope(call: &Call<'_, '_>, view: &View, found: &Value) -> Value {
    let items = found.get("items").cloned().unwrap_or_default();
    if view.holder == Holder::Whole {
        return items;
    }
    let count = items.as_array().map_or(0, Vec::len);
    let mut envelope = view.example(call.definition).clone();
    if let Value::Object(members) = &mut envelope {
        let has_total = members
            .keys()
            .any(|name| TOTALS.contains(&names::key(name).as_str()));
        for (name, value) in members.iter_mut() {
            let name = names::key(name);
            let is = |words: &[&str]| words.contains(&name.as_str());
            let told = if is(&TOTALS) || (is(&COUNTS) && !has_total) {
                found.get("total").cloned()
            } else if is(&COUNTS) {
                Some(Value::from(count))
            } else if is(&LIMITS) {
                found.get("pageLimit").cloned()
            } else if is(&OFFSETS) {
                found.get("pageOffset").cloned()
            } else if is(&ADDRESSES) {
                Some(Value::from(call.request.uri))
            } else {
                above(call, &name)
            };
            match (told, &value) {
                (Some(told), _) => *value = told,
                // A second list beside the one that is kept holds nothing.
                (None, Value::Array(_)) => *value = Value::Array(Vec::new()),
                _ => {}
            }
        }
    }
    view.holder.around(envelope, items)
}

/// What a member of an envelope tells of a page that holds all, by its [`names::key`].
pub(super) fn told_of_one_page(member: &str, all: usize) -> Option<usize> {
    let is = |words: &[&str]| words.contains(&member);
    let is_count = is(&TOTALS) || is(&COUNTS) || is(&LIMITS);
    is_count.then_some(all).or(is(&OFFSETS).then_some(0))
}

/// The id above the list that a member of the envelope repeats.
pub(super) fn above(call: &Call<'_, '_>, member: &str) -> Option<Value> {
    let mut ids = call.request.path.iter();
    let (_, id) = ids.find(|(name, _)| names::key(name) == member)?;
    Some(Value::from(id.as_str()))
}

/// What lists of an operation can be asked.
pub(super) fn rules(definition: &Definition, operation: &Operation) -> ListRules {
    ListRules::of(definition, operation, crate::rest::Virtual::These(&[]))
}
