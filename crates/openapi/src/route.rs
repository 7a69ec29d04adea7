//! From method and path to the operation.
//!
//! Literal segments win over parameters: `/storage-systems/device-type1` is not the storage system
//! with the id `device-type1` (domain.md section 7.4). Which of its names a parameter has differs
//! between sibling templates, so the table knows positions only and each operation keeps its names.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::operation::Operation;

/// All routes of a definition.
#[derive(Debug, Default)]
pub struct Routes {
    table: matchit::Router<usize>,
    templates: Vec<Template>,
    bases: Vec<Base>,
}

/// What may stand before the paths of some operations.
#[derive(Debug, PartialEq, Eq)]
struct Base {
    path: String,
    /// The positions of the operations.
    of: Range<usize>,
}

/// What a method and a path lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// An operation.
    Found {
        /// Its position in [`Definition::operations`](crate::Definition::operations).
        operation: usize,
        /// Its path parameters, percent-decoded, in the order of the template.
        path: Vec<(String, String)>,
    },
    /// The path exists, the method does not.
    WrongMethod {
        /// The methods that do, in the order of the definition.
        allow: Vec<Method>,
    },
    /// No path fits, or a parameter's value is not UTF-8 when decoded.
    Unknown,
}

/// The operations of all templates that differ in nothing but the names of their parameters.
#[derive(Debug)]
struct Template {
    endpoints: Vec<Endpoint>,
}

#[derive(Debug)]
struct Endpoint {
    method: Method,
    operation: usize,
    names: Vec<String>,
}

/// An operation that no request can reach, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// Another operation has the same method and a path that differs in parameter names only.
    SameAs { operation: usize, other: usize },
    /// The path cannot be told from others, or has two parameters in one segment.
    Ambiguous { operation: usize, reason: String },
}

impl Routes {
    /// The table, and the operations that found no place in it.
    pub(crate) fn new(operations: &[Operation]) -> (Self, Vec<Unreachable>) {
        let mut routes = Self::default();
        let mut known = HashMap::new();
        let unreachable = operations
            .iter()
            .filter_map(|operation| routes.add(operation, &mut known).err())
            .collect();
        (routes, unreachable)
    }

    /// The same for requests of the operations `of` that begin with the path of one of these servers,
    /// too: a client that is pointed at another host keeps it (OpenAPI 3.1.1, "Server Object").
    pub(crate) fn below(mut self, servers: &[String], of: &Range<usize>) -> Self {
        for server in servers {
            let base = Base {
                path: base(server).to_owned(),
                of: of.clone(),
            };
            if !base.path.is_empty() && !self.bases.contains(&base) {
                self.bases.push(base);
            }
        }
        self
    }

    /// Finds the operation for a raw (still percent-encoded) path without query.
    ///
    /// Each parameter is decoded on its own, so `%2F` stays inside its segment. A HEAD for which
    /// there is no operation of its own is answered by the GET's.
    pub fn find(&self, method: &Method, path: &str) -> Route {
        let whole = self.find_among(method, path, &(0..usize::MAX));
        if self.bases.is_empty() || matches!(whole, Route::Found { .. }) {
            return whole;
        }
        let below = self.bases.iter().filter_map(|base| {
            let path = path.strip_prefix(base.path.as_str())?;
            Some(self.find_among(method, path, &base.of))
        });
        // A path that is there without the method says less than an operation below a server's path.
        let mut best = whole;
        for route in below {
            match route {
                Route::Found { .. } => return route,
                Route::WrongMethod { .. } if best == Route::Unknown => best = route,
                _ => {}
            }
        }
        best
    }

    fn find_among(&self, method: &Method, path: &str, among: &Range<usize>) -> Route {
        let Ok(matched) = self.table.at(path) else {
            return Route::Unknown;
        };
        let template = &self.templates[*matched.value];
        let Some(endpoint) = template.endpoint(method, among) else {
            let allow = template.methods(among);
            return if allow.is_empty() {
                Route::Unknown
            } else {
                Route::WrongMethod { allow }
            };
        };
        let mut decoded = Vec::with_capacity(endpoint.names.len());
        for (name, (_, raw)) in endpoint.names.iter().zip(matched.params.iter()) {
            let Ok(value) = percent_decode_str(raw).decode_utf8() else {
                return Route::Unknown;
            };
            decoded.push((name.clone(), value.into_owned()));
        }
        Route::Found {
            operation: endpoint.operation,
            path: decoded,
        }
    }

    fn add(
        &mut self,
        operation: &Operation,
        known: &mut HashMap<String, usize>,
    ) -> Result<(), Unreachable> {
        let (pattern, names) = pattern(operation.path());
        let template = if let Some(template) = known.get(&pattern) {
            *template
        } else {
            let template = self.templates.len();
            let ambiguous = |error: matchit::InsertError| Unreachable::Ambiguous {
                operation: operation.index(),
                reason: error.to_string(),
            };
            self.table
                .insert(pattern.as_str(), template)
                .map_err(ambiguous)?;
            self.templates.push(Template {
                endpoints: Vec::new(),
            });
            known.insert(pattern, template);
            template
        };
        let endpoints = &mut self.templates[template].endpoints;
        if let Some(other) = endpoints
            .iter()
            .find(|known| known.method == *operation.method())
        {
            return Err(Unreachable::SameAs {
                operation: operation.index(),
                other: other.operation,
            });
        }
        endpoints.push(Endpoint {
            method: operation.method().clone(),
            operation: operation.index(),
            names,
        });
        Ok(())
    }
}

impl Template {
    fn endpoint(&self, method: &Method, among: &Range<usize>) -> Option<&Endpoint> {
        let of = |wanted: &Method| self.among(among).find(|known| known.method == *wanted);
        of(method).or_else(|| {
            (*method == Method::HEAD)
                .then(|| of(&Method::GET))
                .flatten()
        })
    }

    fn methods(&self, among: &Range<usize>) -> Vec<Method> {
        self.among(among)
            .map(|endpoint| endpoint.method.clone())
            .collect()
    }

    fn among(&self, operations: &Range<usize>) -> impl Iterator<Item = &Endpoint> {
        let endpoints = self.endpoints.iter();
        endpoints.filter(|endpoint| operations.contains(&endpoint.operation))
    }
}

/// The path of a server, without a slash at the end.
pub(crate) fn base(server: &str) -> &str {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    let path = host.find('/').map_or("", |start| &host[start..]);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/')
}

/// A template with its parameters numbered, and their names in the same order.
pub(crate) fn pattern(path: &str) -> (String, Vec<String>) {
    let mut pattern = String::with_capacity(path.len());
    let mut names = Vec::new();
    for piece in pieces(path) {
        match piece {
            Piece::Literal(text) => {
                // Doubled braces are literal ones in the table's language.
                pattern.push_str(&text.replace('{', "{{").replace('}', "}}"));
            }
            Piece::Parameter(name) => {
                // Writing to a String cannot fail.
                let _ = write!(pattern, "{{p{}}}", names.len());
                names.push(name.to_owned());
            }
        }
    }
    (pattern, names)
}

/// One piece of a path template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Literal(&'a str),
    Parameter(&'a str),
}

/// The pieces of a template; a brace without its partner is literal text.
pub(crate) fn pieces(path: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = path;
    while let Some((literal, name, after)) = next_parameter(rest) {
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        pieces.push(Piece::Parameter(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

fn next_parameter(text: &str) -> Option<(&str, &str, &str)> {
    let close = text
        .find('{')
        .and_then(|open| Some(open + text[open..].find('}')?))?;
    let open = text[..close].rfind('{')?;
    let name = &text[open + 1..close];
    (!name.is_empty() && !name.contains('/')).then_some((&text[..open], name, &text[close + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{small, with_paths};
    use crate::{Definition, Location};

    fn found(route: Route) -> (usize, Vec<(String, String)>) {
        match route {
            Route::Found { operation, path } => (operation, path),
            other => panic!("{other:?}"),
        }
    }

    fn find(definition: &Definition, method: &Method, path: &str) -> String {
        match definition.routes().find(method, path) {
            Route::Found { operation, path } => {
                let values: Vec<String> = path
                    .iter()
                    .map(|(name, value)| format!(" {name}={value}"))
                    .collect();
                format!(
                    "{}{}",
                    definition.operations()[operation].id(),
                    values.concat()
                )
            }
            Route::WrongMethod { allow } => format!("allow {allow:?}"),
            Route::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn the_path_of_a_server_may_stand_before_every_path() {
        let text = "openapi: 3.0.3\ninfo: {title: t, version: '1'}\nservers: [{url:                     'https://a.example/v2/'}, {url: /other}]\npaths: {/books: {get: {operationId: b}}}\n";
        let definition = crate::Definition::read(text).unwrap().definition;
        let found = |path| definition.routes().find(&Method::GET, path) != Route::Unknown;
        assert!(found("/books") && found("/v2/books") && found("/other/books"));
        assert!(
            !found("/v2") && !found("/v2books") && !found("/v3/books") && !found("/v2/v2/books")
        );
    }

    #[test]
    fn literal_segments_win() {
        let small = small();
        let get = |path: &str| find(&small, &Method::GET, path);
        assert_eq!(get("/storage-systems/device-type1"), "ListFirstSystems");
        assert_eq!(
            get("/storage-systems/device-type2"),
            "GetSystem id=device-type2"
        );
        assert_eq!(
            get("/storage-systems/device-type1/a/volumes/b"),
            "GetVolume systemId=a volumeId=b"
        );
    }

    #[test]
    fn each_operation_keeps_its_own_names() {
        let small = small();
        let find = |method| find(&small, &method, "/hosts/1/volumes/2");
        assert_eq!(find(Method::GET), "getHostVolume hostId=1 volumeId=2");
        assert_eq!(find(Method::DELETE), "removeHostVolume id=1 number=2");
        assert_eq!(find(Method::PUT), "allow [GET, DELETE]");
    }

    #[test]
    fn values_are_decoded_one_by_one() {
        let small = small();
        let get = |path: &str| find(&small, &Method::GET, path);
        assert_eq!(get("/storage-systems/a%2Fb%20c+d"), "GetSystem id=a/b c+d");
        assert_eq!(get("/storage-systems/a%ffb"), "unknown", "not UTF-8");
        assert_eq!(get("/storage-systems/"), "unknown", "no empty values");
        assert_eq!(get("/storage-systems/a/b"), "unknown");
        assert_eq!(get("/Storage-Systems"), "unknown", "letter case counts");
    }

    #[test]
    fn head_is_answered_by_get() {
        let small = small();
        assert_eq!(
            find(&small, &Method::HEAD, "/storage-systems"),
            "ListSystems"
        );
        assert_eq!(find(&small, &Method::HEAD, "/handover"), "allow [POST]");
        let text = with_paths("{ /a: { get: {operationId: g}, head: {operationId: h} } }");
        let own = Definition::read(&text).unwrap().definition;
        assert_eq!(find(&own, &Method::HEAD, "/a"), "h");
    }

    #[test]
    fn odd_templates_are_routed_or_reported() {
        let text = with_paths(
            "{ '/a/{x}:run': { get: {operationId: run} }, '/b/{x}-{y}': { get: {operationId: two} }, \
              '/c/{': { get: {operationId: brace} }, '/d/{x}': { get: {operationId: d1} }, \
              '/d/{y}': { get: {operationId: d2} } }",
        );
        let reading = Definition::read(&text).unwrap();
        let get = |path: &str| find(&reading.definition, &Method::GET, path);
        assert_eq!(get("/a/1:run"), "run x=1");
        assert_eq!(get("/b/1-2"), "unknown");
        assert_eq!(get("/c/{"), "brace");
        assert_eq!(get("/d/1"), "d1 x=1");
        let unreachable: Vec<&str> = reading
            .problems
            .iter()
            .filter(|problem| problem.rule == "operation-unreachable")
            .map(|problem| problem.pointer.as_str())
            .collect();
        assert_eq!(
            unreachable,
            ["/paths/~1b~1{x}-{y}/get", "/paths/~1d~1{y}/get"]
        );
    }

    #[test]
    fn every_operation_is_found_by_its_own_path() {
        let small = small();
        for operation in small.operations() {
            let path = operation.path().replace(['{', '}'], "_");
            let (index, values) = found(small.routes().find(operation.method(), &path));
            assert_eq!(index, operation.index());
            let declared = operation
                .parameters()
                .iter()
                .filter(|one| one.location == Location::Path);
            assert_eq!(values.len(), declared.count());
        }
    }
}
