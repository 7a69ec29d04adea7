//! What one operation takes, by name: parameters and fields of the body.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::Definition;
use crate::operation::{Location, Operation};
use crate::read::plain;
use crate::shape::{Inside, Shape, shape};

/// What an operation takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// What can be given by name: parameters first, then fields of the body, dotted where they are
    /// nested.
    pub inputs: Vec<Input>,
    /// It takes a body.
    pub body: bool,
    /// What the list it answers can be filtered by.
    pub filterable: Vec<String>,
    /// What the list it answers can be sorted by.
    pub sortable: Vec<String>,
    /// The fields of one item of the list it answers.
    pub selectable: Vec<String>,
}

/// One thing that can be given by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its name; letter case counts. Where several things have one name, with the place before it.
    pub name: String,
    /// Where it goes.
    pub place: Place,
    /// Whether it must be given.
    pub required: bool,
    /// Its type in a word or a few.
    pub kind: String,
    /// The only values it can have, when they are known.
    pub values: Vec<String>,
    /// Whether it can be given more than once.
    pub repeats: bool,
    /// What it means, in a sentence; may be empty.
    pub about: String,
}

/// Where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Into the path.
    Path,
    /// Into the query.
    Query,
    /// Into a header.
    Header,
    /// Into a cookie.
    Cookie,
    /// Into the body.
    Body,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
    }
}

/// How deep fields of the body are named.
const DEPTH: usize = 3;

/// How many names of the body are worth offering.
const MOST: usize = 400;

impl Brief {
    /// What `operation` of `definition` takes.
    pub fn of(definition: &Definition, operation: &Operation) -> Self {
        let root = definition.document();
        let mut inputs: Vec<Input> = operation
            .parameters()
            .iter()
            .map(|parameter| {
                let told = shape(root, &parameter.schema, 0);
                let about = [&parameter.description, &told.description];
                let about = about.iter().find(|text| !text.is_empty());
                Input {
                    about: about.map_or_else(String::new, |text| sentence(text)),
                    ..input(
                        &parameter.name,
                        parameter.location.into(),
                        parameter.required,
                        &told,
                    )
                }
            })
            .collect();
        if let Some(body) = operation.body().or(operation.bodies().first()) {
            let told = shape(root, &body.schema, DEPTH);
            if !told.kind.starts_with("list") {
                let from = inputs.len();
                nested("", operation.needs_body(), &told, &mut inputs);
                inputs.truncate(from + MOST);
            }
        }
        say_where(&mut inputs);
        let marks = definition.marks(operation);
        Self {
            inputs,
            body: !operation.bodies().is_empty(),
            filterable: marks.filterable,
            sortable: marks.sortable,
            selectable: selectable(root, operation),
        }
    }
}

/// A name that means several things is written behind the word for its place.
fn say_where(inputs: &mut [Input]) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for input in inputs.iter() {
        *count.entry(input.name.clone()).or_default() += 1;
    }
    for input in inputs.iter_mut().filter(|input| count[&input.name] > 1) {
        input.name = format!("{}.{}", input.place.word(), input.name);
    }
}

fn nested(prefix: &str, required: bool, told: &Shape, inputs: &mut Vec<Input>) {
    for field in told.fields().iter().filter(|field| !field.shape.read_only) {
        let name = format!("{prefix}{}", field.name);
        let required = required && field.required;
        // What is in a list or a map has no name of its own.
        let opens = field.shape.kind == "object" && matches!(field.shape.inside, Inside::Fields(_));
        if opens && inputs.len() < MOST {
            nested(&format!("{name}."), required, &field.shape, inputs);
        } else {
            inputs.push(input(&name, Place::Body, required, &field.shape));
        }
    }
}

fn input(name: &str, place: Place, required: bool, told: &Shape) -> Input {
    let mut values: Vec<String> = told.values.iter().map(plain).collect();
    if values.is_empty() && told.kind.ends_with("boolean") {
        values = vec!["true".to_owned(), "false".to_owned()];
    }
    Input {
        name: name.to_owned(),
        place,
        required,
        kind: told.kind.clone(),
        values,
        repeats: told.kind.starts_with("list") || place == Place::Query,
        about: sentence(&told.description),
    }
}

/// The first sentence or line, short enough for one line of a terminal.
fn sentence(text: &str) -> String {
    const LONGEST: usize = 80;
    let line = text.trim().lines().next().unwrap_or_default();
    let end = line.find(". ").unwrap_or(line.len());
    let line = line[..end].trim_end_matches('.');
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    let kept: String = line.chars().take(LONGEST - 1).collect();
    format!("{}…", kept.trim_end())
}

fn selectable(root: &Value, operation: &Operation) -> Vec<String> {
    if !operation.is_list() {
        return Vec::new();
    }
    let answers = operation.responses().iter();
    let mut schemas = answers
        .filter(|(status, _)| status == "200")
        .filter_map(|(_, one)| one.as_ref());
    let Some(schema) = schemas.next() else {
        return Vec::new();
    };
    let told = shape(root, schema, 2);
    let items = told.fields().iter().find(|field| field.name == "items");
    let fields = items.map(|items| items.shape.fields()).unwrap_or_default();
    fields.iter().map(|field| field.name.clone()).collect()
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        match location {
            Location::Path => Self::Path,
            Location::Query => Self::Query,
            Location::Header => Self::Header,
            Location::Cookie => Self::Cookie,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{operation, small, with_paths};

    #[test]
    fn parameters_and_fields_are_named_with_their_values() {
        let small = small();
        let brief = Brief::of(&small, operation(&small, "EditVolume"));
        let find = |name: &str| brief.inputs.iter().find(|one| one.name == name);
        let system = find("systemId").unwrap();
        assert_eq!((system.place, system.required), (Place::Path, true));
        assert_eq!(find("mode").unwrap().values, ["THIN", "FULL"]);
        assert_eq!(find("dataReduction").unwrap().values, ["true", "false"]);
        assert_eq!(find("limits.most").unwrap().kind, "integer");
        assert!(find("counts").unwrap().repeats && !find("sizeMib").unwrap().repeats);
        assert_eq!(find("id"), None, "it is in answers only");
        assert_eq!(find("limits"), None, "its fields are named instead");
        assert!(brief.body && brief.sortable.is_empty());
    }

    #[test]
    fn a_name_of_two_things_says_where_it_goes() {
        let text = with_paths(
            "{ '/a/{id}': { put: { operationId: a, parameters: [{ name: id, in: path, required: true }, \
             { name: q, in: query }], requestBody: { content: { application/json: { schema: \
             { properties: { id: {}, n: {} } } } } }, responses: {} } } }",
        );
        let definition = Definition::read(&text).unwrap().definition;
        let brief = Brief::of(&definition, operation(&definition, "a"));
        let names: Vec<&str> = brief.inputs.iter().map(|input| &*input.name).collect();
        assert_eq!(names, ["path.id", "q", "body.id", "n"]);
    }

    #[test]
    fn a_list_tells_what_it_can_be_asked() {
        let small = small();
        let brief = Brief::of(&small, operation(&small, "ListSystems"));
        assert_eq!(
            brief.filterable,
            ["id", "name", "model", "sizeMiB", "hostId"]
        );
        assert!(brief.selectable.contains(&"model".to_owned()), "{brief:?}");
        assert!(!brief.body);
    }

    #[test]
    fn a_sentence_is_one_short_line() {
        assert_eq!(sentence(" Its name. It is long.\nMore"), "Its name");
        assert_eq!(sentence("v1.2 of it"), "v1.2 of it");
        let long = sentence(&"ä".repeat(100));
        assert_eq!(long.chars().count(), 80);
        assert!(long.ends_with('…'));
    }
}
