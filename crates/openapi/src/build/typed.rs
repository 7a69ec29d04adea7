//! A text as a value of the type that a schema wants, exactly as it was typed.

use serde_json::value::RawValue;

use crate::build::argument::Given;
use crate::build::json::Json;
use crate::build::mistake::Mistake;
use crate::build::shape::Shape;
use crate::definition::near;

/// One value for a place whose shape may be known. A text is a string wherever a string may be; a
/// text for a place of which nothing is known is one too.
pub(crate) fn typed(shape: Option<Shape<'_>>, given: &Given, name: &str) -> Result<Json, Mistake> {
    if let Given::Json(json) = given {
        return Ok(Json::Raw(json.clone()));
    }
    let wrong = |expected: String| Mistake::WrongType {
        name: name.to_owned(),
        expected,
        value: given.shown(),
    };
    let Some(text) = given.text() else {
        return Err(wrong("UTF-8 text".to_owned()));
    };
    let Some(shape) = shape else {
        return Ok(Json::text(text));
    };
    let value = as_kind(&shape.kinds(), text).ok_or_else(|| wrong(shape.in_words()))?;
    among_choices(shape, value, given, name)
}

/// All that was given for one place: a list collects, anything else takes one.
pub(crate) fn collected(
    shape: Option<Shape<'_>>,
    given: &[&Given],
    name: &str,
) -> Result<Json, Mistake> {
    match (given, shape.filter(|shape| shape.allows("array"))) {
        ([one], None) => typed(shape, one, name),
        (_, None) => Err(Mistake::Repeated {
            name: name.to_owned(),
        }),
        ([one], Some(shape)) if shape.allows("string") && !is_list(one) => {
            typed(Some(shape), one, name)
        }
        (_, Some(shape)) => {
            let mut items = Vec::new();
            for one in given {
                items.extend(items_of(shape, one, name)?);
            }
            Ok(Json::List(items))
        }
    }
}

/// What one argument adds to a list: all items of a JSON list, or itself as an item. A JSON list is
/// an item itself where the items are lists.
fn items_of(shape: Shape<'_>, given: &Given, name: &str) -> Result<Vec<Json>, Mistake> {
    let items = shape.items();
    if let Some(Json::List(several)) = is_list(given).then(|| whole(given)) {
        let is_item = items.is_some_and(|items| items.allows("array"))
            && !several
                .iter()
                .all(|one| matches!(one.opened(), Json::List(_)));
        return Ok(if is_item {
            vec![Json::List(several)]
        } else {
            several
        });
    }
    if matches!(given, Given::Text(text) if text == "null") && shape.allows("null") {
        return Err(Mistake::WrongType {
            name: name.to_owned(),
            expected: "a list; null for the whole of it is written :=null".to_owned(),
            value: "\"null\"".to_owned(),
        });
    }
    Ok(vec![typed(items, given, name)?])
}

fn is_list(given: &Given) -> bool {
    matches!(whole(given), Json::List(_))
}

fn whole(given: &Given) -> Json {
    let text = given.text().unwrap_or_default().trim();
    let mut json = match serde_json::from_str(text) {
        Ok(raw) => Json::Raw(raw),
        Err(_) => Json::text(text),
    };
    json.open();
    json
}

/// The text as one of these types; `None` when it is of none of them.
fn as_kind(kinds: &[&str], text: &str) -> Option<Json> {
    let allows = |kind: &str| kinds.contains(&kind);
    if kinds.is_empty() || allows("string") {
        return Some(Json::text(text));
    }
    let trimmed = text.trim();
    // Looked at as text: read as a number, it could be one that is too large for a float.
    let raw: Box<RawValue> = serde_json::from_str(trimmed).ok()?;
    let fits = match raw.get().as_bytes().first()? {
        b'n' => allows("null"),
        b't' | b'f' => allows("boolean"),
        b'[' => allows("array"),
        b'{' => allows("object"),
        b'"' => false,
        _ => allows("number") || allows("integer") && is_whole(trimmed),
    };
    fits.then_some(Json::Raw(raw))
}

/// Whether a JSON number is written as a whole one.
fn is_whole(text: &str) -> bool {
    !text.contains(['.', 'e', 'E'])
}

/// The value, if it is among those that there are. A text that means null where no string is called
/// so is null.
fn among_choices(
    shape: Shape<'_>,
    value: Json,
    given: &Given,
    name: &str,
) -> Result<Json, Mistake> {
    let choices = shape.choices();
    let Ok(parsed) = value.value() else {
        return Ok(value);
    };
    if choices.is_empty() || choices.contains(&&parsed) {
        return Ok(value);
    }
    if parsed == "null" && shape.allows("null") {
        return Ok(Json::null());
    }
    let allowed: Vec<String> = choices.into_iter().map(crate::read::plain).collect();
    let wanted = given.text().unwrap_or_default().to_lowercase();
    Err(Mistake::NoChoice {
        name: name.to_owned(),
        value: given.shown(),
        near: near(&wanted, allowed.iter().map(String::as_str)),
        allowed,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn give(schema: &Value, texts: &[&str]) -> Result<String, String> {
        let shape = Shape::new(schema, schema);
        let given: Vec<Given> = texts
            .iter()
            .map(|text| Given::Text((*text).to_owned()))
            .collect();
        let given: Vec<&Given> = given.iter().collect();
        collected(Some(shape), &given, "a")
            .map(|json| json.to_string())
            .map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn numbers_stay_as_they_were_typed() {
        let number = json!({"type": "number"});
        for text in ["1.10", "12345678901234567890123", "-0.0", "1E400", "1e-7"] {
            assert_eq!(give(&number, &[text]), Ok(text.to_owned()));
        }
        let integer = json!({"type": "integer", "format": "int64"});
        assert_eq!(
            give(&integer, &["18446744073709551616"]),
            Ok("18446744073709551616".to_owned())
        );
        for text in ["1.0", "1e3", "007", "+1", "0x10", "", "one"] {
            assert!(give(&integer, &[text]).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_is_a_string_where_a_string_may_be() {
        for schema in [
            json!({"type": "string"}),
            json!({"type": ["integer", "string"]}),
            json!({}),
        ] {
            assert_eq!(give(&schema, &["12"]), Ok("\"12\"".to_owned()));
        }
        let nullable = json!({"type": "integer", "nullable": true});
        assert_eq!(give(&nullable, &["null"]), Ok("null".to_owned()));
        assert_eq!(
            give(&nullable, &["x"]).unwrap_err(),
            "\"a\" must be an integer or null, not \"x\""
        );
        assert_eq!(
            give(&json!({"type": "string", "nullable": true}), &["null"]),
            Ok("\"null\"".to_owned())
        );
    }

    #[test]
    fn lists_collect_what_is_given() {
        let integers = json!({"type": "array", "items": {"type": "integer"}});
        assert_eq!(
            give(&integers, &["1", "[2, 3.10]", "4"]),
            Ok("[1,2,3.10,4]".to_owned())
        );
        assert_eq!(give(&integers, &["[]"]), Ok("[]".to_owned()));
        assert!(give(&integers, &["x"]).is_err());
        let strings = json!({"type": "array", "items": {"type": "string"}});
        assert_eq!(give(&strings, &["[::1]"]), Ok("[\"[::1]\"]".to_owned()));
        let lists = json!({"type": "array", "items": {"type": "array"}});
        assert_eq!(give(&lists, &["[1]", "[2]"]), Ok("[[1],[2]]".to_owned()));
        assert_eq!(give(&lists, &["[[1],[2]]"]), Ok("[[1],[2]]".to_owned()));
        assert_eq!(
            give(&json!({"type": "string"}), &["a", "b"]).unwrap_err(),
            "\"a\" is given more than once and can have one value only"
        );
    }

    #[test]
    fn an_alternative_without_a_list_takes_any_value() {
        let named = json!({"anyOf": [{"type": "string"}, {"type": "string", "enum": ["a"]}]});
        assert_eq!(give(&named, &["b"]), Ok("\"b\"".to_owned()));
        let auto = json!({"oneOf": [{"type": "integer"}, {"type": "integer", "enum": [-1]}]});
        assert_eq!(give(&auto, &["7"]), Ok("7".to_owned()));
        let closed = json!({"oneOf": [{"enum": ["a"]}, {"const": "b"}, {"type": "null"}]});
        assert_eq!(give(&closed, &["b"]), Ok("\"b\"".to_owned()));
        assert!(give(&closed, &["c"]).is_err());
    }

    #[test]
    fn only_what_every_alternative_needs_is_required() {
        let schema = json!({
            "allOf": [{"required": ["a"]}], "oneOf": [{"required": ["b"]}, {"required": ["c"]}],
        });
        assert_eq!(Shape::new(&schema, &schema).required(), ["a"]);
    }

    #[test]
    fn one_of_few_values_is_suggested() {
        let mode = json!({"type": "string", "enum": ["THIN", "FULL", null], "nullable": true});
        assert_eq!(give(&mode, &["THIN"]), Ok("\"THIN\"".to_owned()));
        assert_eq!(give(&mode, &["null"]), Ok("null".to_owned()));
        assert_eq!(
            give(&mode, &["thin"]).unwrap_err(),
            "\"a\" cannot be \"thin\"; similar: THIN; it is one of: THIN, FULL, null"
        );
        let port = json!({"type": "integer", "enum": [25, 465]});
        assert_eq!(give(&port, &["25"]), Ok("25".to_owned()));
        assert!(give(&port, &["26"]).is_err());
    }
}
