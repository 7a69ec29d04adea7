//! How the values of a request are sorted, encoded and put together.
//!
//! What can be asked for and what can go wrong is said in `request`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::definition::near;
use crate::marks::{each_property, is_or_holds};
use crate::operation::{Location, Operation, Parameter};
use crate::reference::resolve;
use crate::request::{RequestError, Values};
use crate::route::{Piece, pieces};
use crate::schema::article;
use crate::tolerant::parse;

/// The values of one request, sorted by where they go.
pub(crate) struct Builder<'a> {
    root: &'a Value,
    operation: &'a Operation,
    named: &'a [(String, String)],
    parameters: Vec<(&'a Parameter, Vec<&'a str>)>,
    /// The properties named for the body, in the order of their first value.
    properties: Vec<(&'a str, &'a Value, Vec<&'a str>)>,
    body: Option<&'a Value>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(
        root: &'a Value,
        operation: &'a Operation,
        values: &'a Values,
    ) -> Result<Self, RequestError> {
        let mut declared: Vec<(&str, &Value)> = Vec::new();
        if let Some(body) = operation.body() {
            each_property(root, &body.schema, 0, &mut |name, schema| {
                declared.push((name, schema));
            });
        }
        let mut builder = Self {
            root,
            operation,
            named: &values.named,
            parameters: operation
                .parameters()
                .iter()
                .map(|one| (one, Vec::new()))
                .collect(),
            properties: Vec::new(),
            body: values.body.as_ref(),
        };
        for (name, value) in &values.named {
            builder.sort(name, value, &declared)?;
        }
        builder.check_parameters()?;
        Ok(builder)
    }

    fn sort(
        &mut self,
        name: &'a str,
        value: &'a str,
        declared: &[(&'a str, &'a Value)],
    ) -> Result<(), RequestError> {
        if let Some((_, given)) = self.parameters.iter_mut().find(|(one, _)| one.name == name) {
            given.push(value);
        } else if let Some((.., given)) = self.properties.iter_mut().find(|(one, ..)| *one == name)
        {
            given.push(value);
        } else if let Some((_, schema)) = declared.iter().find(|(one, _)| *one == name) {
            self.properties.push((name, schema, vec![value]));
        } else {
            let parameters = self
                .operation
                .parameters()
                .iter()
                .map(|one| one.name.as_str());
            let known: Vec<&str> = parameters
                .chain(declared.iter().map(|(name, _)| *name))
                .collect();
            return Err(RequestError::UnknownName {
                operation: self.operation.id().to_owned(),
                name: name.to_owned(),
                near: near(&name.to_lowercase(), known.iter().copied()),
                known: known.into_iter().map(str::to_owned).collect(),
            });
        }
        Ok(())
    }

    fn check_parameters(&self) -> Result<(), RequestError> {
        for (parameter, given) in &self.parameters {
            if parameter.required && given.is_empty() {
                return Err(RequestError::MissingParameter {
                    operation: self.operation.id().to_owned(),
                    name: parameter.name.clone(),
                    example: parameter.example.as_ref().map(crate::read::plain),
                });
            }
            // A query may repeat any name: two filters mean both (domain.md section 6.2).
            if given.len() > 1
                && parameter.location != Location::Query
                && !self.is_array(&parameter.schema)
            {
                return Err(RequestError::Repeated {
                    name: parameter.name.clone(),
                });
            }
        }
        Ok(())
    }

    fn is_array(&self, schema: &Value) -> bool {
        self.kind(schema)
            .is_some_and(|kind| is_or_holds(kind, "array"))
    }

    fn kind(&self, schema: &'a Value) -> Option<&'a Value> {
        kind(self.root, schema, 0)
    }

    pub(crate) fn path(&self) -> Result<String, RequestError> {
        let mut path = String::new();
        for piece in pieces(self.operation.path()) {
            match piece {
                Piece::Literal(text) => path.push_str(text),
                Piece::Parameter(name) => path.push_str(&self.segment(name)?),
            }
        }
        Ok(path)
    }

    fn segment(&self, name: &str) -> Result<String, RequestError> {
        let given = self
            .parameters
            .iter()
            .find(|(one, _)| one.location == Location::Path && one.name == name)
            .map_or(&[] as &[&str], |(_, given)| given);
        if given.is_empty() {
            // In the template but not declared: there is no name to give it by.
            return Err(RequestError::MissingParameter {
                operation: self.operation.id().to_owned(),
                name: name.to_owned(),
                example: None,
            });
        }
        let encoded = joined(given);
        if matches!(encoded.as_str(), "" | "." | "..") {
            return Err(RequestError::NoSegment {
                name: name.to_owned(),
                value: encoded,
            });
        }
        Ok(encoded)
    }

    /// In the order given: servers may care, and people recognise their own line.
    pub(crate) fn query(&self) -> String {
        let mut query = String::new();
        for (position, (name, value)) in self.named.iter().enumerate() {
            let Some((parameter, given)) = self
                .parameters
                .iter()
                .find(|(one, _)| one.location == Location::Query && one.name == *name)
            else {
                continue;
            };
            let value = if !parameter.explode && self.is_array(&parameter.schema) {
                if self.named[..position]
                    .iter()
                    .any(|(earlier, _)| earlier == name)
                {
                    continue;
                }
                joined(given)
            } else {
                encode(value)
            };
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(&encode(name));
            query.push('=');
            query.push_str(&value);
        }
        query
    }

    pub(crate) fn headers(&self) -> Result<Vec<(String, String)>, RequestError> {
        let mut headers = Vec::new();
        let mut cookies = Vec::new();
        for (parameter, given) in self
            .parameters
            .iter()
            .filter(|(_, given)| !given.is_empty())
        {
            match parameter.location {
                Location::Path | Location::Query => {}
                Location::Header => {
                    let value = given.join(",");
                    if value
                        .bytes()
                        .any(|byte| !matches!(byte, b'\t' | b' '..=b'~'))
                    {
                        return Err(RequestError::NoHeader {
                            name: parameter.name.clone(),
                        });
                    }
                    headers.push((parameter.name.clone(), value));
                }
                Location::Cookie => {
                    let pairs = given
                        .iter()
                        .map(|value| format!("{}={}", parameter.name, encode(value)));
                    cookies.extend(pairs);
                }
            }
        }
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        Ok(headers)
    }

    pub(crate) fn body(&self) -> Result<Option<Vec<u8>>, RequestError> {
        let Some(declared) = self.operation.body() else {
            return match self.body {
                None => Ok(None),
                Some(_) => Err(RequestError::UnwantedBody {
                    operation: self.operation.id().to_owned(),
                }),
            };
        };
        let mut body = match (self.body, self.properties.first()) {
            (Some(body), _) => body.clone(),
            (None, Some(_)) => Value::Object(Map::new()),
            (None, None) if declared.required => return Err(self.missing_body()),
            (None, None) => return Ok(None),
        };
        for (name, schema, given) in &self.properties {
            let value = self.property(name, schema, given)?;
            let Some(object) = body.as_object_mut() else {
                return Err(RequestError::BodyIsNoObject {
                    name: (*name).to_owned(),
                });
            };
            object.insert((*name).to_owned(), value);
        }
        Ok(Some(body.to_string().into_bytes()))
    }

    fn missing_body(&self) -> RequestError {
        let declared = self.operation.body();
        let schema = declared.map(|body| resolve(self.root, &body.schema));
        let required = schema.and_then(|schema| schema.get("required")?.as_array());
        let names = required.into_iter().flatten().filter_map(Value::as_str);
        RequestError::MissingBody {
            operation: self.operation.id().to_owned(),
            required: names.map(str::to_owned).collect(),
            example: declared
                .and_then(|body| body.example.as_ref())
                .map(Value::to_string),
        }
    }

    fn property(
        &self,
        name: &str,
        schema: &'a Value,
        given: &[&str],
    ) -> Result<Value, RequestError> {
        let item = |schema: Option<&'a Value>, text: &str| {
            typed(schema.and_then(|schema| self.kind(schema)), text).ok_or_else(|| {
                RequestError::WrongType {
                    name: name.to_owned(),
                    expected: expected(schema.and_then(|schema| self.kind(schema))),
                    value: text.to_owned(),
                }
            })
        };
        if self.is_array(schema) {
            let items = resolve(self.root, schema).get("items");
            return given.iter().map(|text| item(items, text)).collect();
        }
        match given {
            [text] => item(Some(schema), text),
            _ => Err(RequestError::Repeated {
                name: name.to_owned(),
            }),
        }
    }
}

/// The `type` of a schema, through references and `allOf`.
fn kind<'a>(root: &'a Value, schema: &'a Value, layer: usize) -> Option<&'a Value> {
    const MAX_LAYERS: usize = 8;
    let schema = resolve(root, schema);
    schema.get("type").or_else(|| {
        let members = schema
            .get("allOf")
            .filter(|_| layer < MAX_LAYERS)?
            .as_array()?;
        members
            .iter()
            .find_map(|member| kind(root, member, layer + 1))
    })
}

/// A text as a value of this type. Objects and lists are written as JSON.
fn typed(kind: Option<&Value>, text: &str) -> Option<Value> {
    let Some(kind) = kind else {
        return Some(Value::String(text.to_owned()));
    };
    if is_or_holds(kind, "string") {
        return Some(Value::String(text.to_owned()));
    }
    parse(kind, text).or_else(|| {
        let value: Value = serde_json::from_str(text).ok()?;
        let fits = match value {
            Value::Object(_) => is_or_holds(kind, "object"),
            Value::Array(_) => is_or_holds(kind, "array"),
            Value::Null => is_or_holds(kind, "null"),
            _ => false,
        };
        fits.then_some(value)
    })
}

fn expected(kind: Option<&Value>) -> String {
    match kind {
        Some(Value::String(word)) => article(word),
        Some(Value::Array(words)) => words
            .iter()
            .filter_map(Value::as_str)
            .map(article)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "text".to_owned(),
    }
}

/// Only the unreserved characters of RFC 3986 section 2.3 stay, so that a value can never end its
/// segment or its parameter; a blank is `%20`, since `+` is a plus sign in paths.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Several values as one, their separators left as they are.
fn joined(values: &[&str]) -> String {
    values
        .iter()
        .map(|value| encode(value))
        .collect::<Vec<_>>()
        .join(",")
}
