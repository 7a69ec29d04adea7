//! The body of a request, in the mode of the format that its media type asks for.

use serde_json::{Map, Value, json};

use crate::build::body::Kind;
use crate::definition::Definition;
use crate::example::Fill;
use crate::operation::Operation;
use crate::read::plain;

/// A body and the content type that must be sent with it; for forms, the sender writes it.
pub(super) fn body(
    definition: &Definition,
    operation: &Operation,
) -> Option<(Option<String>, Value)> {
    let example = example(definition, operation)?;
    let declared = operation.body().or_else(|| operation.bodies().first())?;
    let media_type = declared.media_type.clone();
    Some(match Kind::of(&media_type) {
        Kind::Json => {
            let any = media_type.contains('*');
            let media_type = if any {
                "application/json".to_owned()
            } else {
                media_type
            };
            let options = json!({"raw": {"language": "json"}});
            let text = without_variables(&super::pretty(&example));
            (
                Some(media_type),
                json!({"mode": "raw", "raw": text, "options": options}),
            )
        }
        Kind::Form => (
            None,
            json!({"mode": "urlencoded", "urlencoded": fields(&example)}),
        ),
        Kind::Parts => (
            None,
            json!({"mode": "formdata", "formdata": fields(&example)}),
        ),
        Kind::Opaque => (
            Some(media_type),
            json!({"mode": "raw", "raw": plain(&example)}),
        ),
    })
}

/// What the definition shows, or, when it shows nothing, everything that could be sent: there is
/// more to see in it than in an empty object.
fn example(definition: &Definition, operation: &Operation) -> Option<Value> {
    let shown = definition.example_body(operation, Fill::Shown)?;
    let empty = shown.as_object().is_some_and(Map::is_empty);
    if empty {
        return definition.example_body(operation, Fill::All);
    }
    Some(shown)
}

fn fields(example: &Value) -> Value {
    let members = example.as_object().into_iter().flatten();
    members
        .map(|(name, value)| json!({"key": name, "value": plain(value), "type": "text"}))
        .collect()
}

/// Two braces, which in JSON can only stand in a text, would be taken for a variable.
fn without_variables(json: &str) -> String {
    json.replace("{{", "{\\u007b")
}
