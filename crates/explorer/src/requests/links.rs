//! Where an answer leads: every path and address in it that an operation of the workspace's definitions
//! answers to, as a draft of that operation; its next page; its task.
//!
//! An address of another server leads nowhere: a token is not taken to where an answer points. What a
//! server says again of the secrets that it was sent is masked: a draft may be kept.

use std::borrow::Cow;

use hallpass_client::address::BaseUrl;
use hallpass_openapi::Operation;
use http::Method;
use reqwest::Url;
use serde::Serialize;
use serde_json::Value;

use super::answered::Outcome;
use super::compose::{Known, routed};
use super::fresh;
use crate::workspace::{Draft, Row, RowPlace};

/// The name in a pair of a query, as it was typed.
fn typed_name(pair: &str) -> Cow<'_, str> {
    let name = form_urlencoded::parse(pair.as_bytes()).next();
    name.map_or(Cow::Borrowed(pair), |(name, _)| name)
}

/// A place in an answer that leads somewhere.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    pointer: String,
    target: String,
    draft: Draft,
}

/// What is needed to follow an answer.
pub(super) struct Leads<'a> {
    outcome: &'a Outcome,
    server: Option<&'a BaseUrl>,
    /// What stands before the paths of drafts, as it was typed.
    base: String,
    /// The path that the base has beyond its server.
    prefix: String,
}

impl<'a> Leads<'a> {
    pub(super) fn new(outcome: &'a Outcome) -> Self {
        let server = outcome.shown.request.as_ref().map(|(server, _)| server);
        let prefix = outcome.shown.address.server();
        let prefix = prefix.map(|(_, prefix)| prefix).unwrap_or_default();
        Self {
            base: base(outcome, server),
            server,
            prefix,
            outcome,
        }
    }

    /// The links of a body, in its order, each target once.
    pub(super) fn all(&self, body: &Value) -> Vec<Link> {
        let mut links: Vec<Link> = Vec::new();
        let mut steps = 0;
        let mut open = vec![(String::new(), body)];
        while let Some((pointer, value)) = open.pop() {
            steps += 1;
            if steps > MOST_STEPS || links.len() >= MOST_LINKS {
                break;
            }
            let inside = |name: &str| {
                let name = name.replace('~', "~0").replace('/', "~1");
                format!("{pointer}/{name}")
            };
            match value {
                Value::String(text) => {
                    if let Some((target, draft)) = self.follow(text) {
                        links.push(Link {
                            pointer,
                            target,
                            draft,
                        });
                    }
                }
                // The last in is the first out.
                Value::Array(items) => {
                    let items = items.iter().enumerate().rev();
                    open.extend(items.map(|(at, item)| (inside(&at.to_string()), item)));
                }
                Value::Object(members) => {
                    let members = members.iter().rev();
                    open.extend(members.map(|(name, member)| (inside(name), member)));
                }
                _ => {}
            }
        }
        links
    }

    /// The next page: the same draft with another query. What was sent may hold the values of secrets, so
    /// nothing of it but what the answer changed comes into the draft: the rest stays as it was typed.
    pub(super) fn next(&self, path_and_query: &str) -> Option<Draft> {
        let (path, query) = path_and_query.split_once('?')?;
        let sent = &self.outcome.request.path_and_query;
        let (sent_path, sent_query) = sent.split_once('?').unwrap_or((sent, ""));
        let before: Vec<_> = form_urlencoded::parse(sent_query.as_bytes()).collect();
        let after: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let mut draft = self.outcome.gathered.draft.clone();
        if path != sent_path {
            let typed = draft.parameters.into_iter().filter(|row| {
                let stays = row.on && row.place == RowPlace::Query;
                stays && after.iter().any(|(name, _)| *name == row.name)
            });
            let typed: Vec<Row> = typed.collect();
            draft = self.to_path(path);
            let is_typed = |row: &Row| typed.iter().any(|one| one.name == row.name);
            draft.parameters.retain(|row| !is_typed(row));
            draft.parameters.extend(typed);
        }
        let (address, typed) = match draft.url.split_once('?') {
            Some((address, typed)) => (address.to_owned(), typed.to_owned()),
            None => (draft.url.clone(), String::new()),
        };
        let mut typed: Vec<String> = typed
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(str::to_owned)
            .collect();
        for (name, _) in before.iter().filter(|one| !after.contains(one)) {
            let rows = draft.parameters.iter_mut();
            let rows = rows.filter(|row| row.place == RowPlace::Query && row.name == *name);
            rows.for_each(|row| row.on = false);
            if !after.iter().any(|(other, _)| other == name) {
                typed.retain(|pair| typed_name(pair) != *name);
            }
        }
        for (name, value) in after.iter().filter(|one| !before.contains(one)) {
            let value = &self.outcome.secrets.masked(value);
            match typed.iter_mut().find(|pair| typed_name(pair) == *name) {
                Some(pair) => {
                    let mut written = form_urlencoded::Serializer::new(String::new());
                    *pair = written.append_pair(name, value).finish();
                }
                None => set(&mut draft.parameters, name, value),
            }
        }
        draft.url = match typed.join("&") {
            query if query.is_empty() => address,
            query => format!("{address}?{query}"),
        };
        Some(draft)
    }

    /// A draft of what is at a path of the server: of its operation, if there is one.
    pub(super) fn to_path(&self, path_and_query: &str) -> Draft {
        let path_and_query = &*self.outcome.secrets.masked(path_and_query);
        self.operation_at(path_and_query).unwrap_or_else(|| Draft {
            definition: None,
            operation: None,
            method: Method::GET.to_string(),
            url: format!("{}{}", self.base, quoted(path_and_query)),
            parameters: Vec::new(),
            headers: Vec::new(),
            body: None,
            authorization: self.outcome.gathered.draft.authorization.clone(),
        })
    }

    /// The draft that a text leads to, if it is a path or an address that somebody answers to; and the text.
    fn follow(&self, text: &str) -> Option<(String, Draft)> {
        if text.len() > LONGEST || !(text.starts_with('/') || text.starts_with("http")) {
            return None;
        }
        let text = self.outcome.secrets.masked(text);
        let path = if text.starts_with('/') {
            text.clone()
        } else if text.starts_with("http://") || text.starts_with("https://") {
            let url = Url::parse(&text).ok()?;
            let server = Url::parse(self.server?.as_str()).ok()?;
            if url.origin() != server.origin() {
                return None;
            }
            match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            }
        } else {
            return None;
        };
        let draft = self.operation_at(&path)?;
        Some((text, draft))
    }

    /// A draft of the operation that answers to a path, which may begin with that of the base.
    fn operation_at(&self, path_and_query: &str) -> Option<Draft> {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        let below = path.strip_prefix(&*self.prefix);
        let below = below.filter(|rest| rest.starts_with('/')).unwrap_or(path);
        let (known, values) = self.route(below)?;
        let operation = known.operation();
        let mut draft = fresh::draft(&known.id, known.definition(), operation);
        draft.url = format!("{}{}", self.base, operation.path());
        draft
            .authorization
            .clone_from(&self.outcome.gathered.draft.authorization);
        for row in &mut draft.parameters {
            let is_path = row.place == RowPlace::Path;
            let value = values.iter().find(|(name, _)| is_path && *name == row.name);
            if let Some((_, value)) = value {
                row.value = quoted(value);
            }
        }
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            set(&mut draft.parameters, &name, &value);
        }
        Some(draft)
    }

    /// The definition of the request goes before the others.
    fn route(&self, path: &str) -> Option<(Known, Vec<(String, String)>)> {
        let own = self.outcome.shown.known.as_ref();
        let own = own.map(|known| (&known.id, &known.loaded));
        let others = self.outcome.gathered.candidates.iter();
        let others = others.map(|(id, loaded)| (id, loaded));
        own.into_iter().chain(others).find_map(|(id, loaded)| {
            let (operation, values) = routed(&loaded.definition, &Method::GET, path)?;
            let known = Known {
                id: id.clone(),
                loaded: loaded.clone(),
                operation,
            };
            Some((known, values))
        })
    }
}

/// Sets a parameter of the query, and has it sent.
fn set(rows: &mut Vec<Row>, name: &str, value: &str) {
    let mut of_query = rows.iter_mut();
    let row = of_query.find(|row| row.place == RowPlace::Query && row.name == name);
    match row {
        Some(row) => {
            row.value = quoted(value);
            row.on = true;
        }
        None => rows.push(Row {
            name: name.to_owned(),
            place: RowPlace::Query,
            value: quoted(value),
            on: true,
        }),
    }
}

/// What a server says is no variable, whatever it looks like: it could have a person's secrets sent.
fn quoted(text: &str) -> String {
    text.replace("{{", "{ {")
}

/// What stands before the path in the draft that was sent, as it was typed.
fn base(outcome: &Outcome, server: Option<&BaseUrl>) -> String {
    let url = outcome.gathered.draft.url.trim();
    let template = outcome
        .shown
        .known
        .as_ref()
        .map(Known::operation)
        .map(Operation::path);
    let whole = url.split(['?', '#']).next().unwrap_or_default();
    if let Some(base) = template.and_then(|path| whole.strip_suffix(path)) {
        return base.to_owned();
    }
    match url
        .strip_prefix("{{")
        .and_then(|rest| rest.split_once("}}"))
    {
        Some((name, rest)) if rest.starts_with('/') => format!("{{{{{name}}}}}"),
        _ => server.map_or_else(String::new, |server| server.as_str().to_owned()),
    }
}

/// How many values of a body are looked at, how many links are told, and how long one may be.
const MOST_STEPS: usize = 50_000;
const MOST_LINKS: usize = 500;
const LONGEST: usize = 2_000;
