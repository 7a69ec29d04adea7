//! From a draft to the request that is sent: the same that the command line builds from the same
//! values, or everything that is wrong with them.

use std::collections::HashSet;

use std::sync::Arc;

use hallpass_client::BuiltRequest;
use hallpass_client::address::BaseUrl;
use hallpass_openapi::{Argument, Definition, Location, Operation, Route, Values};
use http::Method;

use super::address::{Address, open_names, segment};
use super::away;
use super::fill::{Face, Filled, FilledRow};
use super::fresh::find;
use super::mistake::{Wrong, of_request};
use super::query;
use crate::Explorer;
use crate::answer::Failure;
use crate::definitions::Loaded;
use crate::id::Id;
use crate::variables::{Meanings, Variables, names};
use crate::visitor::Visitor;
use crate::workspace::{AuthorizationSettings, Draft, Literal, RowPlace, Workspace};

/// A draft as far as it is a request.
pub(super) struct Composed {
    pub(super) method: Method,
    pub(super) filled: Filled,
    pub(super) address: Address,
    /// The operation that it turned out to be.
    pub(super) known: Option<Known>,
    pub(super) mistakes: Vec<Wrong>,
    /// What is sent, when something can be. The path is the whole one.
    pub(super) request: Option<(BaseUrl, BuiltRequest)>,
}

/// An operation of a definition of the workspace.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) id: Id,
    pub(super) loaded: Arc<Loaded>,
    pub(super) operation: usize,
}

impl Known {
    pub(super) fn definition(&self) -> &Definition {
        &self.loaded.definition
    }

    pub(super) fn operation(&self) -> &Operation {
        &self.loaded.definition.operations()[self.operation]
    }
}

/// All that a request is composed from, as it was at one moment: what is shown and what is sent are
/// made of the same.
pub(super) struct Gathered {
    pub(super) workspace: Workspace,
    pub(super) draft: Draft,
    meanings: Meanings,
    /// The operation that the draft names.
    named: Option<Known>,
    pub(super) candidates: Vec<(Id, Arc<Loaded>)>,
}

impl Explorer {
    /// Composes the request of a draft, checked against its operation.
    pub(super) async fn compose(
        &self,
        visitor: &Visitor,
        id: &Id,
        draft: &Draft,
        face: Face,
    ) -> Result<(Workspace, Composed), Failure> {
        let gathered = self.gather(visitor, id, draft.clone()).await?;
        away(move || {
            let composed = gathered.composed(face);
            (gathered.workspace, composed)
        })
        .await
    }

    /// Reads everything that a draft needs.
    pub(super) async fn gather(
        &self,
        visitor: &Visitor,
        id: &Id,
        draft: Draft,
    ) -> Result<Gathered, Failure> {
        let bounded = away(move || bounded(&draft).map(|names| (draft, names)));
        let (draft, names) = bounded.await??;
        let workspace = self.workspace(visitor, id).await?;
        let own = self.own(visitor, id).await?;
        let variables = Variables::of(self, visitor, id, &workspace, &own);
        let mut named = None;
        if let (Some(definition), Some(operation)) = (&draft.definition, &draft.operation) {
            named = self.named(visitor, id, definition, operation).await?;
        }
        Ok(Gathered {
            meanings: variables.meanings(names).await?,
            candidates: self.candidates(visitor, id, &workspace, &draft).await,
            named,
            workspace,
            draft,
        })
    }

    async fn named(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        definition: &Id,
        operation: &str,
    ) -> Result<Option<Known>, Failure> {
        let Ok(loaded) = self.definition(visitor, workspace, definition).await else {
            return Ok(None);
        };
        let operation = find(&loaded.definition, operation).map(Operation::index);
        Ok(operation.map(|operation| Known {
            id: definition.clone(),
            loaded,
            operation,
        }))
    }

    /// The definitions in which an address is looked for: the draft's own, else all.
    async fn candidates(
        &self,
        visitor: &Visitor,
        id: &Id,
        workspace: &Workspace,
        draft: &Draft,
    ) -> Vec<(Id, Arc<Loaded>)> {
        let wanted = draft.definition.as_ref();
        let mut found = Vec::new();
        for imported in &workspace.definitions {
            let is_wanted = wanted.is_none_or(|wanted| *wanted == imported.id);
            // One that cannot be read any more is told of where it is shown.
            if is_wanted && let Ok(loaded) = self.definition(visitor, id, &imported.id).await {
                found.push((imported.id.clone(), loaded));
            }
        }
        found
    }
}

impl Gathered {
    /// The request. Takes its time with a long one.
    pub(super) fn composed(&self, face: Face) -> Composed {
        let draft = &self.draft;
        let filled = Filled::of(draft, &self.meanings, face);
        let mut mistakes: Vec<Wrong> = filled.missing.iter().map(Wrong::missing).collect();
        let named = self.named.clone();
        if let (Some(_), Some(operation), None) = (&draft.definition, &draft.operation, &named) {
            mistakes.push(gone(operation));
        }
        let template = named.as_ref().map(|known| known.operation().path());
        let address = Address::read(&filled.url, template);
        let method = match &named {
            Some(known) => known.operation().method().clone(),
            None => method(&draft.method, &mut mistakes),
        };
        let mut route = Vec::new();
        let known = match named {
            Some(known) if address.is_template => Some(known),
            _ => {
                let path = address.filled(|name| path_value(&filled, name));
                self.routed(&method, &path).map(|(known, values)| {
                    route = values;
                    known
                })
            }
        };
        let mut composed = Composed {
            method,
            filled,
            address,
            known,
            mistakes,
            request: None,
        };
        composed.build(&route);
        composed
    }

    /// The operation that an address turned out to be, and the values in its path.
    fn routed(&self, method: &Method, path: &str) -> Option<(Known, Vec<(String, String)>)> {
        self.candidates.iter().find_map(|(id, loaded)| {
            let (operation, values) = routed(&loaded.definition, method, path)?;
            let known = Known {
                id: id.clone(),
                loaded: loaded.clone(),
                operation,
            };
            Some((known, values))
        })
    }
}

/// The names in a request of a size that somebody fills in: what is done with it grows faster than it.
fn bounded(draft: &Draft) -> Result<Vec<String>, Failure> {
    let rows = || draft.parameters.iter().chain(&draft.headers);
    if rows().count() > MOST_ROWS {
        return Err(Failure::wrong(
            format!("a request has up to {MOST_ROWS} parameters and headers"),
            "leave some out",
        ));
    }
    let body = draft.body.iter().map(|body| &body.text);
    let texts = rows().map(|row| &row.value).chain([&draft.url]).chain(body);
    let mut used: HashSet<&str> = texts.flat_map(|text| names(text)).collect();
    let filled: Vec<String> = used.iter().map(|name| (*name).to_owned()).collect();
    used.extend(texts_of(draft.authorization.as_ref()).flat_map(names));
    if used.len() > MOST_NAMES {
        return Err(Failure::wrong(
            format!("a request uses up to {MOST_NAMES} different variables"),
            "leave some out; double braces that mean no variable can be written as \\u007b\\u007b in JSON",
        ));
    }
    Ok(filled)
}

/// The texts of settings in which names may stand.
fn texts_of(settings: Option<&AuthorizationSettings>) -> impl Iterator<Item = &str> {
    let (oauth2, literal) = match settings {
        Some(AuthorizationSettings::OAuth2(oauth2)) => (Some(oauth2), Some(&oauth2.client_secret)),
        Some(AuthorizationSettings::Bearer { token, .. }) => (None, Some(token)),
        Some(AuthorizationSettings::None | AuthorizationSettings::Profile { .. }) | None => {
            (None, None)
        }
    };
    let fields = oauth2.into_iter().flat_map(|oauth2| {
        [
            &*oauth2.token_name,
            &oauth2.access_token_url,
            &oauth2.client_id,
            &oauth2.scope,
        ]
    });
    fields.chain(literal.and_then(|literal| match literal {
        Literal::Reference { text } => Some(text.as_str()),
        Literal::Empty | Literal::Kept { .. } => None,
    }))
}

const MOST_ROWS: usize = 1_000;
const MOST_NAMES: usize = 500;

/// The operation that a path leads to, and the values in it.
pub(super) fn routed(
    definition: &Definition,
    method: &Method,
    path: &str,
) -> Option<(usize, Vec<(String, String)>)> {
    match definition.routes().find(method, path) {
        Route::Found { operation, path } => Some((operation, path)),
        Route::WrongMethod { .. } | Route::Unknown => None,
    }
}

fn path_value<'a>(filled: &'a Filled, name: &str) -> Option<&'a str> {
    let mut rows = filled.parameters.iter();
    let row = rows.find(|row| row.place == RowPlace::Path && row.name == name);
    row.map(|row| row.value.as_str())
}

fn gone(operation: &str) -> Wrong {
    Wrong::new(
        format!("the definition has no operation {operation:?} any more"),
        "choose the operation in the library again; the request is sent as it stands here",
    )
}

fn method(text: &str, mistakes: &mut Vec<Wrong>) -> Method {
    let known = Method::from_bytes(text.trim().to_ascii_uppercase().as_bytes());
    match known {
        Ok(method) if method != Method::CONNECT && method != Method::TRACE => method,
        _ => {
            let hint = "choose GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS";
            mistakes.push(Wrong::new(format!("{text:?} is no method"), hint).stopping());
            Method::GET
        }
    }
}

impl Composed {
    /// Whether nothing can be sent, whatever the person says.
    pub(super) fn stopped(&self) -> Option<&Wrong> {
        self.mistakes.iter().find(|wrong| wrong.stops)
    }

    fn build(&mut self, route: &[(String, String)]) {
        let server = match self.address.server() {
            Ok(server) => Some(server),
            // A missing variable is mistake enough.
            Err(_) if self.mistakes.iter().any(|wrong| wrong.stops) => None,
            Err(error) => {
                let what = error.to_string().replace("base URL", "address");
                self.mistakes
                    .push(Wrong::new(what, error.hint()).stopping());
                None
            }
        };
        let built = self.built(route);
        self.check_headers();
        let (Some((server, prefix)), Some(mut request)) = (server, built) else {
            return;
        };
        request.path_and_query.insert_str(0, &prefix);
        self.lay_headers(&mut request);
        self.request = Some((server, request));
    }

    /// The request below its base.
    fn built(&mut self, route: &[(String, String)]) -> Option<BuiltRequest> {
        let path = self.address.filled(|name| path_value(&self.filled, name));
        let built = match self.known.clone() {
            Some(known) => self.by_operation(&known, route, &path),
            None => self.untyped(&path),
        };
        let open = open_names(&path);
        if let (false, [first, ..]) = (self.address.is_template, open.as_slice()) {
            let wrong = Wrong::new(format!("{{{first}}} has no value"), "fill in the parameter");
            self.mistakes
                .push(wrong.of_row(first, RowPlace::Path).stopping());
            return None;
        }
        built
    }

    fn by_operation(
        &mut self,
        known: &Known,
        route: &[(String, String)],
        path: &str,
    ) -> Option<BuiltRequest> {
        let (definition, operation) = (known.definition(), known.operation());
        let (typed, declared): (Vec<String>, Vec<String>) = self
            .address
            .query_pairs()
            .partition(|pair| !takes(operation, pair));
        let mut arguments = Vec::new();
        let is_template = self.address.is_template;
        for (name, value) in route.iter().filter(|_| !is_template) {
            arguments.push(Argument::placed("path", name, value));
        }
        for (name, value) in form_urlencoded::parse(declared.join("&").as_bytes()) {
            arguments.push(Argument::placed("query", &name, &value));
        }
        let rows = self.filled.parameters.iter();
        let rows = rows.filter(|row| row.place != RowPlace::Path || is_template);
        rows.for_each(|row| arguments.extend(placed(row, Some((definition, operation)))));
        let values = self.values(arguments);
        self.mistakes
            .extend(query::check(definition, operation, &self.filled));
        let built = definition.request(operation, &values).or_else(|error| {
            self.mistakes.extend(of_request(&error, &self.filled));
            definition.request(operation, &values.clone().unchecked())
        });
        let mut request = match built {
            Ok(request) => request,
            Err(error) => {
                self.add_new(of_request(&error, &self.filled));
                return None;
            }
        };
        let query = request
            .path_and_query
            .split_once('?')
            .map(|(_, query)| query.to_owned());
        let query: Vec<String> = typed.into_iter().chain(query).collect();
        let built = request.path_and_query.split('?').next();
        let path = built.filter(|_| is_template).unwrap_or(path);
        let mark = if query.is_empty() { "" } else { "?" };
        request.path_and_query = format!("{path}{mark}{}", query.join("&"));
        Some(request)
    }

    fn untyped(&mut self, path: &str) -> Option<BuiltRequest> {
        let rows = self.filled.parameters.iter();
        let rows = rows.filter(|row| row.place != RowPlace::Path);
        let arguments = rows.flat_map(|row| placed(row, None)).collect();
        let query: Vec<String> = self.address.query_pairs().collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let path = format!("{path}{mark}{}", query.join("&"));
        let values = self.values(arguments);
        let built = BuiltRequest::untyped(self.method.clone(), &path, &values).or_else(|error| {
            self.mistakes.extend(of_request(&error, &self.filled));
            BuiltRequest::untyped(self.method.clone(), &path, &values.clone().unchecked())
        });
        built
            .map_err(|error| self.add_new(of_request(&error, &self.filled)))
            .ok()
    }

    fn values(&self, arguments: Vec<Argument>) -> Values {
        let mut values = Values::new(arguments);
        if let Some(body) = &self.filled.body {
            values.body = Some(body.text.clone().into_bytes());
            values.media_type = Some(body.media_type.clone()).filter(|name| !name.is_empty());
        }
        values
    }

    fn add_new(&mut self, mistakes: Vec<Wrong>) {
        for wrong in mistakes {
            if !self.mistakes.contains(&wrong) {
                self.mistakes.push(wrong);
            }
        }
    }

    /// Headers that belong to the connection, and what is none.
    fn check_headers(&mut self) {
        for row in &self.filled.headers {
            let hint = "switch it off";
            let wrong = if is_connections(&row.name) {
                Wrong::new(
                    format!("{:?} is set by the connection itself", row.name),
                    hint,
                )
            } else if http::HeaderName::try_from(&row.name).is_err() {
                let hint = "use letters, digits and hyphens";
                Wrong::new(format!("{:?} can be no header", row.name), hint).stopping()
            } else if http::HeaderValue::try_from(&row.value).is_err() {
                let hint = "write it in one line";
                Wrong::new(
                    format!("the value of {:?} can be no header", row.name),
                    hint,
                )
                .stopping()
            } else {
                continue;
            };
            self.mistakes
                .push(wrong.of_row(&row.name, RowPlace::Header));
        }
    }

    /// Lays the typed headers over those that were built.
    fn lay_headers(&self, request: &mut BuiltRequest) {
        let rows = self.filled.headers.iter();
        let rows: Vec<&FilledRow> = rows.filter(|row| !is_connections(&row.name)).collect();
        request
            .headers
            .retain(|(name, _)| !rows.iter().any(|row| row.name.eq_ignore_ascii_case(name)));
        let typed = rows.iter().map(|row| (row.name.clone(), row.value.clone()));
        request.headers.extend(typed);
    }
}

/// Whether the query of the operation has a plain parameter of a pair's name: what is written out for a
/// list or an object in one of their styles is not taken apart again.
fn takes(operation: &Operation, pair: &str) -> bool {
    let Some((name, _)) = form_urlencoded::parse(pair.as_bytes()).next() else {
        return false;
    };
    let is_plain =
        |schema: &serde_json::Value| !matches!(schema["type"].as_str(), Some("array" | "object"));
    let mut parameters = operation.parameters().iter();
    parameters
        .any(|one| one.location == Location::Query && one.name == name && is_plain(&one.schema))
}

/// A row as arguments: one, or one for each line where it takes a list.
fn placed(row: &FilledRow, known: Option<(&Definition, &Operation)>) -> Vec<Argument> {
    let place = match row.place {
        RowPlace::Path => "path",
        RowPlace::Query => "query",
        RowPlace::Header => "header",
        RowPlace::Cookie => "cookie",
    };
    let is_list = known.is_some_and(|(definition, operation)| {
        let mut all = operation.parameters().iter();
        let one =
            all.find(|one| one.name == row.name && super::fresh::place(one.location) == row.place);
        one.is_some_and(|one| definition.shape(&one.schema, 0).kind.starts_with("list"))
    });
    if !is_list {
        return vec![Argument::placed(place, &row.name, &row.value)];
    }
    let items = row.value.lines().filter(|item| !item.is_empty());
    items
        .map(|item| Argument::placed(place, &row.name, item))
        .collect()
}

/// Headers that the connection sets (RFC 9110 section 7.6.1), or that say how a message is cut.
fn is_connections(name: &str) -> bool {
    let names = [
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    names.iter().any(|one| name.eq_ignore_ascii_case(one))
}

/// The query of a draft whose request cannot be built, for showing.
pub(super) fn rough_query(filled: &Filled) -> Vec<(String, String)> {
    let rows = filled.parameters.iter();
    let rows = rows.filter(|row| row.place == RowPlace::Query);
    rows.map(|row| {
        let pair = format!("{}={}", segment(&row.name), segment(&row.value));
        (row.name.clone(), pair)
    })
    .collect()
}
