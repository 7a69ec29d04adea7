//! How the values of a request are sorted, typed, checked and put together.
//!
//! What can be asked for is said in `request`. All mistakes are collected, so that a person mends
//! them in one go.

pub(crate) mod argument;
pub(crate) mod body;
mod json;
pub(crate) mod mistake;
mod put;
mod shape;
pub(crate) mod style;
mod target;
mod typed;
mod untyped;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::Definition;
use crate::build::argument::{Argument, Given};
use crate::build::body::{Encoded, Field, Kind, essence};
use crate::build::json::Json;
use crate::build::mistake::{Mistake, RequestError};
use crate::build::put::{put, shape_of};
use crate::build::shape::Shape;
use crate::build::style::encode;
use crate::build::target::{Names, Place, Target, word};
use crate::build::typed::{collected, typed};
use crate::document::join;
use crate::operation::{Body, Location, Operation, Parameter};
use crate::request::{BuiltRequest, Values};
use crate::route::{Piece, pieces};

/// The values of one request, sorted by where they go.
pub(crate) struct Builder<'a> {
    definition: &'a Definition,
    operation: &'a Operation,
    values: &'a Values,
    parameters: Vec<&'a Parameter>,
    /// The body that is sent, when the operation takes one.
    declared: Option<&'a Body>,
    sorted: Vec<(Target, &'a Argument)>,
    mistakes: Vec<Mistake>,
}

/// Arguments for the same place.
struct Group<'a> {
    steps: Vec<String>,
    name: &'a str,
    given: Vec<&'a Given>,
    /// Whether the place was said, so that the definition need not know the name.
    said: bool,
}

/// Headers that no parameter describes, whatever a definition says (OpenAPI 3.0.3, "Parameter
/// Object"): the token's own, and those that follow from the bodies.
const NO_PARAMETERS: [&str; 3] = ["authorization", "accept", "content-type"];

/// Builds the request, or says everything that is wrong with it.
pub(crate) fn build(
    definition: &Definition,
    operation: &Operation,
    values: &Values,
) -> Result<BuiltRequest, RequestError> {
    let mut builder = Builder::new(definition, operation, values);
    builder.sort();
    let mut parts = Written::default();
    builder.write_parameters(&mut parts);
    let path = builder.path(&parts);
    let body = builder.body();
    if let Some(error) = RequestError::of(builder.mistakes) {
        return Err(error);
    }
    if !parts.cookies.is_empty() {
        parts
            .headers
            .push(("cookie".to_owned(), parts.cookies.join("; ")));
    }
    if let Some((Some(media_type), _)) = &body {
        parts
            .headers
            .push(("content-type".to_owned(), media_type.clone()));
    }
    let mark = if parts.query.is_empty() { "" } else { "?" };
    Ok(BuiltRequest {
        method: operation.method().clone(),
        path_and_query: path + mark + &parts.query.join("&"),
        headers: parts.headers,
        body: body.map(|(_, bytes)| bytes),
    })
}

/// Parameters as they are sent.
#[derive(Default)]
struct Written<'a> {
    path: Vec<(&'a str, String)>,
    query: Vec<String>,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
}

impl<'a> Builder<'a> {
    fn new(definition: &'a Definition, operation: &'a Operation, values: &'a Values) -> Self {
        let is_none = |one: &&Parameter| {
            one.location == Location::Header
                && NO_PARAMETERS
                    .iter()
                    .any(|name| one.name.eq_ignore_ascii_case(name))
        };
        Self {
            definition,
            operation,
            values,
            parameters: operation
                .parameters()
                .iter()
                .filter(|one| !is_none(one))
                .collect(),
            declared: chosen_body(operation, values.media_type.as_deref()),
            sorted: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    fn report(&mut self, mistake: Mistake) {
        if self.values.checked || !mistake.could_be_sent() {
            self.mistakes.push(mistake);
        }
    }

    fn sort(&mut self) {
        let names = Names {
            operation: self.operation.id(),
            parameters: &self.parameters,
            body: self.body_shape(),
            checked: self.values.checked,
        };
        let mut mistakes = Vec::new();
        for argument in &self.values.arguments {
            match names.target(argument) {
                Ok(target) => self.sorted.push((target, argument)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        self.mistakes.extend(mistakes);
    }

    fn body_shape(&self) -> Option<Shape<'a>> {
        let root = self.definition.document();
        // Where the media type asked for is none of the operation's, that is the only mistake.
        let body = self.declared.or_else(|| self.operation.body())?;
        Some(Shape::new(root, &body.schema))
    }

    /// What was given for the places that `into` names, those of the same place together, in the
    /// order of their first argument.
    fn groups(&self, into: impl Fn(&Target) -> Option<(&Vec<String>, bool)>) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for (target, argument) in &self.sorted {
            let Some((steps, said)) = into(target) else {
                continue;
            };
            match groups.iter_mut().find(|group| group.steps == *steps) {
                Some(group) => group.given.push(&argument.given),
                None => groups.push(Group {
                    steps: steps.clone(),
                    name: argument.name(),
                    given: vec![&argument.given],
                    said,
                }),
            }
        }
        groups
    }

    /// In the order given: servers may care, and people recognise their own line.
    fn write_parameters(&mut self, parts: &mut Written<'a>) {
        let mut order: Vec<usize> = Vec::new();
        for (target, argument) in std::mem::take(&mut self.sorted) {
            match &target {
                Target::Parameter(index, _) if !order.contains(index) => order.push(*index),
                Target::Extra(location, name) => {
                    if let Err(mistake) = write_extra(parts, *location, name, argument) {
                        self.mistakes.push(mistake);
                    }
                }
                _ => {}
            }
            self.sorted.push((target, argument));
        }
        for index in &order {
            let parameter = self.parameters[*index];
            let groups = self.groups(|target| match target {
                Target::Parameter(at, steps) if at == index => Some((steps, false)),
                _ => None,
            });
            for value in self.parameter_values(parameter, &groups) {
                if let Err(mistake) = write(parts, parameter, &value) {
                    self.report(mistake);
                }
            }
        }
        for (index, parameter) in self.parameters.clone().into_iter().enumerate() {
            if parameter.required && !order.contains(&index) && !self.may_be_meant(parameter) {
                self.report(Mistake::MissingParameter {
                    operation: self.operation.id().to_owned(),
                    name: parameter.name.clone(),
                    example: parameter.example.as_ref().map(crate::read::plain),
                    in_path: parameter.location == Location::Path,
                });
            }
        }
    }

    /// Whether a name was given that may mean the parameter among others: that is mistake enough.
    fn may_be_meant(&self, parameter: &Parameter) -> bool {
        let full = format!(
            "{}.{}=",
            word(Place::Parameter(parameter.location)),
            parameter.name
        );
        self.mistakes.iter().any(|mistake| {
            matches!(mistake, Mistake::AmbiguousName { candidates, .. } if candidates.contains(&full))
        })
    }

    /// The values of a parameter: one, or several of a query, which may repeat any name: two filters
    /// mean both (domain.md section 6.2).
    fn parameter_values(&mut self, parameter: &'a Parameter, groups: &[Group<'a>]) -> Vec<Json> {
        let shape = Shape::new(self.definition.document(), &parameter.schema);
        let repeats = parameter.location == Location::Query && !shape.allows("array");
        let group = match groups {
            [group] if group.steps.is_empty() => group,
            _ => return self.parameter_by_its_parts(parameter, shape, groups),
        };
        let apart = if repeats { 1 } else { group.given.len() };
        let mut values = Vec::new();
        for given in group.given.chunks(apart) {
            let value = match given {
                [one] if repeats => typed(Some(shape), one, group.name),
                several => collected(Some(shape), several, group.name),
            };
            match value {
                Ok(value) if value.is_null() => self.report(Mistake::NullParameter {
                    name: group.name.to_owned(),
                }),
                Ok(value) => {
                    self.check_parameter(parameter, &value);
                    values.push(value);
                }
                Err(mistake) if !self.values.checked && mistake.could_be_sent() => {
                    let texts = given.iter().filter_map(|one| one.text());
                    values.extend(texts.map(Json::text));
                }
                Err(mistake) => self.mistakes.push(mistake),
            }
        }
        values
    }

    fn parameter_by_its_parts(
        &mut self,
        parameter: &Parameter,
        shape: Shape<'a>,
        groups: &[Group<'a>],
    ) -> Vec<Json> {
        let mut value = Json::null();
        if !self.put_groups(&mut value, shape, groups).is_empty() {
            return Vec::new();
        }
        self.check_parameter(parameter, &value);
        vec![value]
    }

    /// Checks a parameter against its schema, where its name alone says which it is.
    fn check_parameter(&mut self, parameter: &Parameter, value: &Json) {
        let all = self.operation.parameters().iter();
        let alone = all.filter(|one| one.name == parameter.name).count() == 1;
        let Some(value) = value.value().ok().filter(|_| self.values.checked && alone) else {
            return;
        };
        let violations = self
            .definition
            .check_parameter(self.operation, &parameter.name, &value);
        let mistakes = violations.into_iter().map(|one| Mistake::Violation {
            message: one.message,
            parameter: Some(parameter.name.clone()),
            pointer: one.pointer,
        });
        self.mistakes.extend(mistakes);
    }

    /// Puts what was given into a value; the places that went wrong, as JSON pointers.
    fn put_groups(
        &mut self,
        into: &mut Json,
        shape: Shape<'a>,
        groups: &[Group<'a>],
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        for (at, group) in groups.iter().enumerate() {
            let inside = |earlier: &Group<'_>| earlier.steps.starts_with(&group.steps);
            let result = if groups[..at].iter().any(inside) {
                Err(Mistake::Repeated {
                    name: group.name.to_owned(),
                })
            } else {
                self.put_group(into, shape, group)
            };
            if let Err(mistake) = result {
                // Something stands there, so that it is not called missing as well.
                let _ = put(into, Some(shape), &group.steps, Json::null(), group.name);
                wrong.push(
                    group
                        .steps
                        .iter()
                        .fold(String::new(), |pointer, step| join(&pointer, step)),
                );
                self.mistakes.push(mistake);
            }
        }
        wrong
    }

    fn put_group(
        &self,
        into: &mut Json,
        shape: Shape<'a>,
        group: &Group<'a>,
    ) -> Result<(), Mistake> {
        let any = group.said || !self.values.checked;
        let inner = shape_of(Some(shape), &group.steps, group.name, any)?;
        let value = match collected(inner, &group.given, group.name) {
            Err(mistake) if !self.values.checked && mistake.could_be_sent() => {
                Json::text(group.given[0].text().unwrap_or_default())
            }
            value => value?,
        };
        put(into, Some(shape), &group.steps, value, group.name)
    }

    fn path(&mut self, parts: &Written<'_>) -> String {
        let mut path = String::new();
        for piece in pieces(self.operation.path()) {
            match piece {
                Piece::Literal(text) => path.push_str(text),
                Piece::Parameter(name) => {
                    if let Some((_, value)) = parts.path.iter().find(|(one, _)| *one == name) {
                        path.push_str(value);
                    } else if !self
                        .parameters
                        .iter()
                        .any(|one| one.location == Location::Path && one.name == name)
                    {
                        // In the template but not declared: there is no name to give it by.
                        self.mistakes.push(Mistake::MissingParameter {
                            operation: self.operation.id().to_owned(),
                            name: name.to_owned(),
                            example: None,
                            in_path: true,
                        });
                    }
                }
            }
        }
        path
    }

    fn body(&mut self) -> Option<Encoded> {
        let groups = self.groups(|target| match target {
            Target::Body(steps, said) => Some((steps, *said)),
            _ => None,
        });
        let Some(declared) = self.declared else {
            return self.undeclared_body(&groups);
        };
        if groups.is_empty() && self.values.body.is_none() {
            if self.operation.needs_body() {
                let mistake = self.missing_body(declared);
                self.report(mistake);
            }
            return None;
        }
        match Kind::of(&declared.media_type) {
            Kind::Json => Some(self.json_body(declared, &groups)),
            Kind::Opaque => self.opaque_body(declared, &groups),
            kind => Some(self.form_body(kind, declared, &groups)),
        }
    }

    fn undeclared_body(&mut self, groups: &[Group<'_>]) -> Option<Encoded> {
        if groups.is_empty() && self.values.body.is_none() {
            return None;
        }
        let media_type = self.values.media_type.clone();
        let operation = self.operation.id().to_owned();
        self.report(match (&media_type, self.operation.bodies()) {
            (Some(media_type), [_, ..]) => Mistake::WrongMediaType {
                operation,
                media_type: media_type.clone(),
                known: self
                    .operation
                    .bodies()
                    .iter()
                    .map(|one| one.media_type.clone())
                    .collect(),
            },
            _ => Mistake::UnwantedBody { operation },
        });
        let mut body = match &self.values.body {
            Some(body) if groups.is_empty() => return Some((media_type, body.clone())),
            Some(body) => Json::raw(String::from_utf8_lossy(body).trim()),
            None => Json::Object(Vec::new()),
        };
        let anything = Value::Bool(true);
        let anything = Shape::new(&anything, &anything);
        for group in groups {
            let value = collected(Some(anything), &group.given, group.name);
            let done =
                value.and_then(|value| put(&mut body, None, &group.steps, value, group.name));
            if let Err(mistake) = done {
                self.report(mistake);
            }
        }
        Some((media_type, body.to_string().into_bytes()))
    }

    fn missing_body(&self, declared: &Body) -> Mistake {
        let shape = Shape::new(self.definition.document(), &declared.schema);
        Mistake::MissingBody {
            operation: self.operation.id().to_owned(),
            required: shape.required().into_iter().map(str::to_owned).collect(),
            example: declared.example.as_ref().map(Value::to_string),
        }
    }

    fn json_body(&mut self, declared: &'a Body, groups: &[Group<'a>]) -> Encoded {
        let media_type = self
            .values
            .media_type
            .as_ref()
            .unwrap_or(&declared.media_type);
        let plain = media_type.contains('*') || essence(media_type) == "application/json";
        let media_type = (!plain).then(|| media_type.clone());
        let given = match &self.values.body {
            Some(bytes) => match is_json(bytes) {
                Ok(raw) => Some(Json::Raw(raw)),
                Err(reason) => {
                    self.report(Mistake::BodyIsNoJson { reason });
                    return (media_type, bytes.clone());
                }
            },
            None => None,
        };
        let mut body = given.unwrap_or_else(Json::null);
        let shape = Shape::new(self.definition.document(), &declared.schema);
        let wrong = self.put_groups(&mut body, shape, groups);
        self.check(declared, &body, &wrong);
        let bytes = match &self.values.body {
            Some(bytes) if groups.is_empty() => bytes.clone(),
            _ => body.to_string().into_bytes(),
        };
        (media_type, bytes)
    }

    /// Checks the whole body against its schema, but for the places that were found wrong before.
    fn check(&mut self, declared: &Body, body: &Json, wrong: &[String]) {
        let is_main = self
            .operation
            .body()
            .is_some_and(|main| std::ptr::eq(main, declared));
        if !self.values.checked || !is_main {
            return;
        }
        let value = match body.value() {
            Ok(value) => value,
            Err(error) => {
                return self.report(Mistake::BodyIsNoJson {
                    reason: error.to_string(),
                });
            }
        };
        let known = |pointer: &str| {
            wrong
                .iter()
                .any(|place| pointer.starts_with(place.as_str()))
        };
        for violation in self.definition.check_body(self.operation, &value) {
            if !known(&violation.pointer) {
                self.mistakes.push(Mistake::Violation {
                    message: violation.message,
                    parameter: None,
                    pointer: violation.pointer,
                });
            }
        }
    }

    fn opaque_body(&mut self, declared: &Body, groups: &[Group<'_>]) -> Option<Encoded> {
        let named = self
            .values
            .media_type
            .as_ref()
            .unwrap_or(&declared.media_type);
        let media_type = if named.contains('*') {
            "application/octet-stream"
        } else {
            named
        };
        if let [first, ..] = groups {
            self.mistakes.push(Mistake::OpaqueBody {
                name: first.name.to_owned(),
                media_type: essence(media_type),
            });
        }
        let bytes = self.values.body.clone()?;
        Some((Some(media_type.to_owned()), bytes))
    }

    fn form_body(&mut self, kind: Kind, declared: &Body, groups: &[Group<'a>]) -> Encoded {
        if let Some(bytes) = &self.values.body {
            let whole = groups.is_empty() && kind == Kind::Form;
            if !whole {
                self.mistakes.push(Mistake::BodyOfParts {
                    media_type: essence(&declared.media_type),
                });
            }
            return (Some(declared.media_type.clone()), bytes.clone());
        }
        let shape = Shape::new(self.definition.document(), &declared.schema);
        let fields = self.fields(kind, shape, groups);
        for mistake in body::missing_fields(shape, &fields) {
            self.report(mistake);
        }
        match kind {
            Kind::Parts => body::parts(declared, &fields),
            _ => body::form(declared, &fields),
        }
    }

    /// The top-level properties of a form. A file that is given for one is a part of its own when
    /// nothing says that the property is text.
    fn fields(&mut self, kind: Kind, shape: Shape<'_>, groups: &[Group<'a>]) -> Vec<Field<'a>> {
        let mut files = Vec::new();
        let mut others = Vec::new();
        for group in groups {
            match (group.given.as_slice(), group.steps.as_slice()) {
                ([file @ Given::File { .. }], [name])
                    if kind == Kind::Parts
                        && shape.declared(name).is_none_or(|one| one.is_binary()) =>
                {
                    files.push(Field {
                        name: name.clone(),
                        value: Json::null(),
                        file: Some(*file),
                    });
                }
                _ => others.push(group),
            }
        }
        let mut value = Json::Object(Vec::new());
        for group in others {
            if let Err(mistake) = self.put_group(&mut value, shape, group) {
                self.report(mistake);
            }
        }
        let Json::Object(members) = value else {
            return files;
        };
        let fields = members.into_iter().map(|(name, value)| Field {
            name,
            value,
            file: None,
        });
        fields.chain(files).collect()
    }
}

/// The body to send: the one of this media type, else JSON, else a form, else the first.
fn chosen_body<'a>(operation: &'a Operation, media_type: Option<&str>) -> Option<&'a Body> {
    let bodies = operation.bodies();
    let of_type = |wanted: &str| {
        bodies
            .iter()
            .find(|body| essence(&body.media_type) == essence(wanted))
    };
    if let Some(wanted) = media_type {
        let of_kind = || {
            bodies
                .iter()
                .find(|body| Kind::of(&body.media_type) == Kind::of(wanted))
        };
        return of_type(wanted).or_else(of_kind);
    }
    let put_together =
        |body: &&Body| matches!(Kind::of(&body.media_type), Kind::Form | Kind::Parts);
    let form = || bodies.iter().find(put_together);
    operation.body().or_else(form).or_else(|| bodies.first())
}

fn write<'a>(
    parts: &mut Written<'a>,
    parameter: &'a Parameter,
    value: &Json,
) -> Result<(), Mistake> {
    if let Some(sign) = style::torn_by(parameter, value) {
        let name = parameter.name.clone();
        return Err(Mistake::TornItem { name, sign });
    }
    match parameter.location {
        Location::Path => {
            let encoded = style::segment(parameter, value);
            if matches!(encoded.as_str(), "" | "." | "..") {
                return Err(Mistake::NoSegment {
                    name: parameter.name.clone(),
                    value: encoded,
                });
            }
            parts.path.push((&parameter.name, encoded));
        }
        Location::Query => parts.query.extend(style::query(parameter, value)),
        Location::Header => {
            let text = header_value(&parameter.name, style::header(parameter, value))?;
            parts.headers.push((parameter.name.clone(), text));
        }
        Location::Cookie => parts.cookies.extend(style::cookies(parameter, value)),
    }
    Ok(())
}

fn write_extra(
    parts: &mut Written<'_>,
    location: Location,
    name: &str,
    argument: &Argument,
) -> Result<(), Mistake> {
    let value = typed(None, &argument.given, argument.name())?.plain();
    match location {
        Location::Header => {
            let value = header_value(argument.name(), value)?;
            parts.headers.push((name.to_owned(), value));
        }
        Location::Cookie => parts.cookies.push(format!("{name}={}", encode(&value))),
        Location::Query | Location::Path => {
            parts
                .query
                .push(format!("{}={}", encode(name), encode(&value)));
        }
    }
    Ok(())
}

/// The value, if a header can hold it: visible characters and blanks (RFC 9110 section 5.5).
fn header_value(name: &str, value: String) -> Result<String, Mistake> {
    let visible = |byte: u8| matches!(byte, b'\t' | b' '..=b'~');
    if value.bytes().all(visible) {
        Ok(value)
    } else {
        Err(Mistake::NoHeader {
            name: name.to_owned(),
        })
    }
}

/// The bytes as JSON, or what is wrong with them.
fn is_json(bytes: &[u8]) -> Result<Box<RawValue>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
    serde_json::from_str(text).map_err(|error| error.to_string())
}
