//! Operations: what the definition says one can do, with what is inherited merged in.

mod reading;

use http::Method;
use serde_json::Value;

use crate::lean;

pub(crate) use reading::{json_media_type, operations, operations_below};

/// One method on one path.
#[derive(Debug, Clone)]
pub struct Operation {
    index: usize,
    id: String,
    declared_id: Option<String>,
    method: Method,
    path: String,
    pointer: String,
    tag: Option<String>,
    summary: String,
    description: String,
    deprecated: bool,
    parameters: Vec<Parameter>,
    body_required: bool,
    bodies: Vec<Body>,
    responses: Vec<(String, Option<Value>)>,
    is_list: bool,
}

impl Operation {
    /// Gives back the room that its schemas and examples do not need.
    pub(crate) fn shrink(&mut self) {
        let parameters = self.parameters.iter_mut();
        let bodies = self.bodies.iter_mut();
        let values = (parameters.flat_map(|one| one.example.iter_mut().chain([&mut one.schema])))
            .chain(bodies.flat_map(|one| {
                let others = one.example.iter_mut().chain(&mut one.encoding);
                others.chain([&mut one.schema])
            }))
            .chain(
                self.responses
                    .iter_mut()
                    .filter_map(|(_, schema)| schema.as_mut()),
            );
        values.for_each(lean::shrink);
    }

    /// Position in [`Definition::operations`](crate::Definition::operations).
    pub fn index(&self) -> usize {
        self.index
    }

    /// The operationId; where it is missing or taken, a name made from method and path.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The same operation, alone in a definition, with the name it has among the others.
    pub(crate) fn alone(mut self, id: &str) -> Self {
        self.index = 0;
        id.clone_into(&mut self.id);
        self
    }

    /// As much of an operation as routing needs.
    pub(crate) fn outline(index: usize, id: &str, method: &Method, path: &str) -> Self {
        Self {
            index,
            id: id.to_owned(),
            declared_id: None,
            method: method.clone(),
            path: path.to_owned(),
            pointer: String::new(),
            tag: None,
            summary: String::new(),
            description: String::new(),
            deprecated: false,
            parameters: Vec::new(),
            body_required: false,
            bodies: Vec::new(),
            responses: Vec::new(),
            is_list: false,
        }
    }

    /// The operationId as written.
    pub(crate) fn declared_id(&self) -> Option<&str> {
        self.declared_id.as_deref()
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path template, with `{names}`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// JSON pointer to the operation in the definition.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The first tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// One line on what it does; may be empty.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What it does at length; may be empty.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The definition advises against using it.
    pub fn deprecated(&self) -> bool {
        self.deprecated
    }

    /// All parameters, those of the path merged in, references resolved.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The JSON body it takes.
    pub fn body(&self) -> Option<&Body> {
        let ranked = self.bodies.iter().filter_map(|body| {
            let rank = reading::json_rank(&body.media_type)?;
            Some((rank, body))
        });
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, body)| body)
    }

    /// The bodies it takes, one for each media type, in the order of the definition.
    pub fn bodies(&self) -> &[Body] {
        &self.bodies
    }

    /// Whether a body must be sent, whatever its media type.
    pub fn needs_body(&self) -> bool {
        self.body_required
    }

    /// Status (`"200"`, `"4XX"`, `"default"`) and the schema of the JSON answer, unresolved.
    pub fn responses(&self) -> &[(String, Option<Value>)] {
        &self.responses
    }

    /// A GET whose 200 schema is an object with an `items` array.
    pub fn is_list(&self) -> bool {
        self.is_list
    }

    /// Which declared response speaks for a status: itself, its range, or the default.
    pub(crate) fn response_index(&self, status: u16) -> Option<usize> {
        let range = format!("{}XX", status / 100);
        [status.to_string(), range, "default".to_owned()]
            .iter()
            .find_map(|key| {
                self.responses
                    .iter()
                    .position(|(name, _)| name.eq_ignore_ascii_case(key))
            })
    }
}

/// One parameter of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name; letter case counts.
    pub name: String,
    /// Where it is sent.
    pub location: Location,
    /// Whether it must be given. Path parameters always must.
    pub required: bool,
    /// Its schema, unresolved; an empty object when the definition has none.
    pub schema: Value,
    /// What it means; may be empty.
    pub description: String,
    /// An example, from the parameter or its schema.
    pub example: Option<Value>,
    /// The definition advises against using it.
    pub deprecated: bool,
    /// How an array or an object is written.
    pub style: Style,
    /// Whether the items of an array and the members of an object are written apart, in a query as
    /// repeated parameters.
    pub explode: bool,
    /// Whether a query may hold reserved characters of the value as they are.
    pub allow_reserved: bool,
    /// The media type in which the value is written, instead of a style.
    pub content: Option<String>,
}

/// How the parts of an array or an object are put together (OpenAPI 3.0.3, "Style Values").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// `;name=a,b` in a path.
    Matrix,
    /// `.a.b` in a path.
    Label,
    /// `a,b` in a path or a header.
    Simple,
    /// `name=a,b` in a query or a cookie.
    Form,
    /// `name=a%20b` in a query.
    SpaceDelimited,
    /// `name=a|b` in a query.
    PipeDelimited,
    /// `name[member]=a` in a query.
    DeepObject,
}

impl Style {
    /// The style of this name, where it may be used; otherwise the location's own.
    pub(crate) fn read(name: Option<&str>, location: Location) -> Self {
        match (name, location) {
            (Some("matrix"), Location::Path) => Self::Matrix,
            (Some("label"), Location::Path) => Self::Label,
            (Some("spaceDelimited"), Location::Query) => Self::SpaceDelimited,
            (Some("pipeDelimited"), Location::Query) => Self::PipeDelimited,
            (Some("deepObject"), Location::Query) => Self::DeepObject,
            (_, Location::Query | Location::Cookie) => Self::Form,
            (_, Location::Path | Location::Header) => Self::Simple,
        }
    }
}

/// Where a parameter is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// As a header.
    Header,
    /// As a cookie.
    Cookie,
}

impl Location {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "path" => Some(Self::Path),
            "query" => Some(Self::Query),
            "header" => Some(Self::Header),
            "cookie" => Some(Self::Cookie),
            _ => None,
        }
    }
}

/// The body of a request, in one media type.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// The media type, as written.
    pub media_type: String,
    /// Whether it must be sent.
    pub required: bool,
    /// Its schema, unresolved.
    pub schema: Value,
    /// An example, when the definition has one for the whole body.
    pub example: Option<Value>,
    /// How single properties are written in a form, by their names; unresolved.
    pub encoding: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Definition;
    use crate::testing::{operation, small, with_paths};
    use serde_json::json;

    #[test]
    fn operations_come_in_the_order_of_the_document() {
        let small = small();
        let ids: Vec<&str> = small
            .operations()
            .iter()
            .map(Operation::id)
            .take(4)
            .collect();
        assert_eq!(
            ids,
            [
                "ListSystems",
                "GetSystem",
                "GetSystemAway",
                "ListFirstSystems"
            ]
        );
        assert!(
            small
                .operations()
                .iter()
                .enumerate()
                .all(|(at, one)| one.index() == at)
        );
        let list = operation(&small, "ListSystems");
        assert_eq!(
            (list.tag(), list.summary()),
            (Some("systems"), "All systems")
        );
        assert_eq!(list.pointer(), "/paths/~1storage-systems/get");
    }

    #[test]
    fn parameters_are_merged_and_resolved() {
        let small = small();
        let one = &operation(&small, "GetSystem").parameters();
        assert_eq!(one.len(), 1, "the operation's own replaces the path's");
        assert_eq!(one[0].description, "from the operation");
        assert_eq!(one[0].example, Some(json!("2M20")));
        assert!(one[0].required && !one[0].explode);
        assert_eq!(
            operation(&small, "GetSystemAway").parameters()[0].description,
            "from the path"
        );

        let list = operation(&small, "ListSystems").parameters();
        assert_eq!(
            (list[0].name.as_str(), list[0].location),
            ("limit", Location::Query)
        );
        assert_eq!(list[0].example, Some(json!(10)));
        assert_eq!(list[0].schema["minimum"], 0);
        assert!(list[1].explode && !list[2].explode && !list[1].required);
    }

    #[test]
    fn an_answer_has_the_media_type_that_is_declared_for_its_status() {
        let text = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a~b:\n    get:\n      responses:\n        \
             '200': {description: yes, content: {text/csv: {}, application/json: {}}}\n        \
             4XX: {$ref: '#/components/responses/Problem'}\n        \
             default: {description: any, content: {'*/*': {}}}\n        \
             '204': {description: nothing}\n\
             components:\n  responses:\n    Problem:\n      description: no\n      \
             content: {text/html: {}, application/problem+json: {}}\n";
        let definition = Definition::read(text).unwrap().definition.lean();
        let operation = &definition.operations()[0];
        let declared = |status| definition.response_media_type(operation, status);
        assert_eq!(declared(200), Some("application/json"));
        assert_eq!(declared(404), Some("application/problem+json"));
        assert_eq!((declared(500), declared(204)), (None, None));
    }

    #[test]
    fn a_list_is_a_get_with_items() {
        let small = small();
        let lists: Vec<&str> = small
            .operations()
            .iter()
            .filter(|one| one.is_list())
            .map(Operation::id)
            .collect();
        assert_eq!(lists, ["ListSystems"]);
    }

    #[test]
    fn bodies_and_responses_keep_their_references() {
        let small = small();
        let edit = operation(&small, "EditVolume");
        let body = edit.body().unwrap();
        assert!(body.required);
        assert_eq!(body.schema, json!({"$ref": "#/components/schemas/Edit"}));
        assert_eq!(edit.responses()[0].0, "202");
        let list = operation(&small, "ListSystems");
        assert_eq!(list.response_index(200), Some(0));
        assert_eq!(list.response_index(404), Some(1));
        assert_eq!(list.response_index(500), None);
        assert_eq!(
            list.responses()[1].1,
            Some(json!({"$ref": "#/components/schemas/Refusal"}))
        );
    }

    #[test]
    fn nameless_operations_get_names_that_nobody_has() {
        let text = with_paths(
            "{ '/a/{b}': { get: {}, put: {operationId: get-a-b} }, /a-b: { get: {operationId: x}, \
              put: {operationId: x} } }",
        );
        let definition = Definition::read(&text).unwrap().definition;
        let ids: Vec<&str> = definition.operations().iter().map(Operation::id).collect();
        assert_eq!(ids, ["get-a-b-2", "get-a-b", "x", "put-a-b"]);
    }
}
