//! What a list can be asked, as its definition says.

use hallpass_openapi::{Definition, Location, Operation};
use hallpass_query::Attributes;
use serde_json::Value;

/// What a list can be filtered and sorted by.
#[derive(Debug)]
pub(crate) struct ListRules {
    pub(crate) filterable: Attributes,
    pub(crate) sortable: Attributes,
    /// An attribute that nothing can be filtered by is answered 404 and not 400.
    pub(crate) unknown_is_missing: bool,
    /// Parameters that the operation does not have are ignored, as the service does.
    pub(crate) takes_sort: bool,
    pub(crate) takes_select: bool,
    /// What a selection must not leave out: some operations refuse an answer that would break its own
    /// schema, and declare the 422 for it (domain.md 6.3). The others give what was asked for.
    pub(crate) must_select: Vec<String>,
}

impl ListRules {
    /// Filterable is what is marked, and the virtual attributes (domain.md 6.2). Sortable is every
    /// property: the published example sorts by an id that is not marked for it. A list without
    /// marks can be filtered by every property; one without properties, by everything.
    pub(crate) fn of(
        definition: &Definition,
        operation: &Operation,
        virtual_attributes: Virtual,
    ) -> Self {
        let takes = |name: &str| {
            operation
                .parameters()
                .iter()
                .any(|parameter| parameter.location == Location::Query && parameter.name == name)
        };
        let marks = definition.marks(operation);
        let mut properties = Vec::new();
        if let Some(item) = item_schema(definition, operation) {
            collect(definition, item, 0, &mut properties);
        }
        let filterable = match virtual_attributes {
            Virtual::Everything => Attributes::any(),
            Virtual::Only(names) => known(names.iter().map(|name| (*name).to_owned()).collect()),
            Virtual::These(_) if marks.filterable.is_empty() => known(properties.clone()),
            Virtual::These(more) => {
                let more = more.iter().map(|name| (*name).to_owned());
                known(marks.filterable.into_iter().chain(more).collect())
            }
        };
        for name in marks.sortable {
            if !properties.contains(&name) {
                properties.push(name);
            }
        }
        Self {
            filterable,
            sortable: known(properties),
            unknown_is_missing: matches!(virtual_attributes, Virtual::Only(_)),
            takes_sort: takes("sort"),
            takes_select: takes("select"),
            must_select: must_select(definition, operation),
        }
    }
}

/// Attributes that no property of the schema names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Virtual {
    /// These names.
    These(&'static [&'static str]),
    /// These names and no property of the schema; a filter that names another finds nothing to
    /// look at (domain.md 6.2, of issues).
    Only(&'static [&'static str]),
    /// Whatever one asks for.
    Everything,
}

/// Deeper nesting of `allOf` is not looked at; it also ends cycles.
const MAX_DEPTH: usize = 8;

fn known(names: Vec<String>) -> Attributes {
    if names.is_empty() {
        Attributes::any()
    } else {
        Attributes::of(names)
    }
}

fn must_select(definition: &Definition, operation: &Operation) -> Vec<String> {
    let mut responses = operation.responses().iter();
    if !responses.any(|(status, _)| status == "422") {
        return Vec::new();
    }
    let shown = item_schema(definition, operation).or_else(|| answer_schema(definition, operation));
    let mut required = Vec::new();
    if let Some(shown) = shown {
        collect_required(definition, shown, 0, &mut required);
    }
    required
}

fn answer_schema<'a>(definition: &'a Definition, operation: &'a Operation) -> Option<&'a Value> {
    let (_, answer) = operation
        .responses()
        .iter()
        .find(|(status, _)| status == "200")?;
    Some(definition.resolve(answer.as_ref()?))
}

fn item_schema<'a>(definition: &'a Definition, operation: &'a Operation) -> Option<&'a Value> {
    let answer = answer_schema(definition, operation)?;
    let items = definition.resolve(answer.get("properties")?.get("items")?);
    Some(definition.resolve(items.get("items")?))
}

fn collect(definition: &Definition, schema: &Value, depth: usize, names: &mut Vec<String>) {
    if depth > MAX_DEPTH {
        return;
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        for part in parts {
            collect(definition, definition.resolve(part), depth + 1, names);
        }
    }
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().cloned());
    }
}

fn collect_required(
    definition: &Definition,
    schema: &Value,
    depth: usize,
    names: &mut Vec<String>,
) {
    if depth > MAX_DEPTH {
        return;
    }
    for part in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        collect_required(definition, definition.resolve(part), depth + 1, names);
    }
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    names.extend(required.map(str::to_owned));
}
