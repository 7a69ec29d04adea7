//! The body of a request, in the media type that the operation takes: JSON, a form, a form of parts,
//! or bytes that are given whole.
//!
//! A body that is given whole and not changed goes out byte for byte.

use serde_json::Value;

use crate::build::argument::Given;
use crate::build::json::Json;
use crate::build::mistake::Mistake;
use crate::build::shape::Shape;
use crate::build::style;
use crate::operation::{Body, Location, Parameter, Style};

/// The kinds of bodies that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Form,
    Parts,
    Opaque,
}

impl Kind {
    pub(crate) fn of(media_type: &str) -> Self {
        match essence(media_type).as_str() {
            "application/json" | "application/*" | "*/*" => Self::Json,
            name if name.ends_with("+json") => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "multipart/form-data" => Self::Parts,
            _ => Self::Opaque,
        }
    }
}

/// A media type without its parameters, in lower case.
pub(crate) fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// A body and what it is called. `media_type` is left out for plain JSON, which every sender takes
/// for granted.
pub(crate) type Encoded = (Option<String>, Vec<u8>);

/// A top-level property of a form: its name, its value, and the file it came from.
pub(crate) struct Field<'a> {
    pub(crate) name: String,
    pub(crate) value: Json,
    pub(crate) file: Option<&'a Given>,
}

/// `application/x-www-form-urlencoded`: every property as a query would have it, nested ones as JSON.
pub(crate) fn form(declared: &Body, fields: &[Field<'_>]) -> Encoded {
    let pairs = fields.iter().flat_map(|field| {
        let parameter = as_parameter(&field.name, encoding(declared, &field.name));
        style::query(&parameter, &field.value)
    });
    let text = pairs.collect::<Vec<_>>().join("&");
    (Some(declared.media_type.clone()), text.into_bytes())
}

fn encoding<'a>(declared: &'a Body, name: &str) -> Option<&'a Value> {
    declared.encoding.as_ref()?.get(name)
}

fn as_parameter(name: &str, encoding: Option<&Value>) -> Parameter {
    let word = |key: &str| encoding.and_then(|one| one.get(key)?.as_str());
    let flag = |key: &str| encoding.and_then(|one| one.get(key)?.as_bool());
    let style = Style::read(word("style"), Location::Query);
    Parameter {
        name: name.to_owned(),
        location: Location::Query,
        required: false,
        schema: Value::Null,
        description: String::new(),
        example: None,
        deprecated: false,
        style,
        explode: flag("explode").unwrap_or(style == Style::Form),
        allow_reserved: flag("allowReserved").unwrap_or(false),
        content: word("contentType").map(str::to_owned),
    }
}

/// The first type of a list that is one and no range: `image/png, image/*` says what a part may be,
/// and a part is of one (OpenAPI 3.0.3, "Encoding Object").
fn one_type(listed: &str) -> Option<String> {
    let mut types = listed.split(',').map(str::trim);
    let found = types.find(|one| !one.is_empty() && !one.contains('*'));
    found.map(str::to_owned)
}

/// `multipart/form-data` (RFC 7578): a part for each property and for each item of a list.
pub(crate) fn parts(declared: &Body, fields: &[Field<'_>]) -> Encoded {
    let mut parts = Vec::new();
    for field in fields {
        let kind = encoding(declared, &field.name)
            .and_then(|one| one.get("contentType")?.as_str())
            .and_then(one_type);
        match (field.file, field.value.opened()) {
            (Some(Given::File { name, content }), _) => parts.push(Part {
                disposition: format!("{}; filename=\"{}\"", named(&field.name), quoted(name)),
                kind: Some(kind.unwrap_or_else(|| "application/octet-stream".to_owned())),
                content: content.clone(),
            }),
            (_, Json::List(items)) => {
                parts.extend(
                    items
                        .iter()
                        .map(|item| Part::new(&field.name, item, kind.as_ref())),
                );
            }
            (_, value) => parts.push(Part::new(&field.name, &value, kind.as_ref())),
        }
    }
    let boundary = boundary(&parts);
    let mut bytes = Vec::new();
    for part in &parts {
        bytes.extend(
            format!(
                "--{boundary}\r\ncontent-disposition: form-data; {}\r\n",
                part.disposition
            )
            .bytes(),
        );
        if let Some(kind) = &part.kind {
            bytes.extend(format!("content-type: {kind}\r\n").bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&part.content);
        bytes.extend(b"\r\n");
    }
    bytes.extend(format!("--{boundary}--\r\n").bytes());
    (
        Some(format!("multipart/form-data; boundary={boundary}")),
        bytes,
    )
}

struct Part {
    disposition: String,
    kind: Option<String>,
    content: Vec<u8>,
}

impl Part {
    fn new(name: &str, value: &Json, kind: Option<&String>) -> Self {
        let is_object = matches!(value.opened(), Json::Object(_) | Json::List(_));
        Self {
            disposition: named(name),
            kind: kind
                .cloned()
                .or_else(|| is_object.then(|| "application/json".to_owned())),
            content: value.plain().into_bytes(),
        }
    }
}

fn named(name: &str) -> String {
    format!("name=\"{}\"", quoted(name))
}

/// As browsers write names (HTML, "multipart/form-data encoding algorithm").
fn quoted(text: &str) -> String {
    text.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A line that stands in no part. The same parts have the same one, so that a request can be shown
/// before it is sent.
fn boundary(parts: &[Part]) -> String {
    let is_free = |boundary: &str| {
        let line = boundary.as_bytes();
        let holds = |part: &Part| {
            part.content
                .windows(line.len())
                .any(|window| window == line)
        };
        !parts.iter().any(holds)
    };
    let mut number = 0_u64;
    loop {
        let boundary = format!("hallpass-part-{number:016}");
        // There are more of them than parts can hold.
        if is_free(&boundary) {
            return boundary;
        }
        number += 1;
    }
}

/// Properties that a form must have and that were not given.
pub(crate) fn missing_fields(shape: Shape<'_>, fields: &[Field<'_>]) -> Vec<Mistake> {
    let given = |name: &str| fields.iter().any(|field| field.name == name);
    let missing = shape.required().into_iter().filter(|name| !given(name));
    let mistake = |name: &str| Mistake::Violation {
        message: format!("the body: `{name}` is missing"),
        parameter: None,
        pointer: String::new(),
    };
    missing.map(mistake).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(media_type: &str, encoding: Value) -> Body {
        Body {
            media_type: media_type.to_owned(),
            required: true,
            schema: json!({}),
            example: None,
            encoding: Some(encoding),
        }
    }

    fn field(name: &str, value: &str) -> Field<'static> {
        Field {
            name: name.to_owned(),
            value: Json::raw(value),
            file: None,
        }
    }

    #[test]
    fn forms_are_written_like_queries() {
        let declared = body(
            "application/x-www-form-urlencoded",
            json!({"tags": {"explode": false}, "limits": {"contentType": "application/json"}}),
        );
        let fields = [
            field("name", "\"a&b c\""),
            field("ids", "[1,2]"),
            field("tags", "[\"x\",\"y\"]"),
            field("limits", "{\"most\":1.10}"),
        ];
        let (media_type, bytes) = form(&declared, &fields);
        assert_eq!(media_type.unwrap(), "application/x-www-form-urlencoded");
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "name=a%26b%20c&ids=1&ids=2&tags=x,y&limits=%7B%22most%22%3A1.10%7D"
        );
    }

    #[test]
    fn parts_end_at_a_line_that_stands_in_none_of_them() {
        let file = Given::File {
            name: "a\".pem".to_owned(),
            content: b"--hallpass-part-0000000000000000\r\n\xff".to_vec(),
        };
        let mut upload = field("file", "null");
        upload.file = Some(&file);
        let fields = [field("note", "\"x\""), field("meta", "{\"a\":1}"), upload];
        let (media_type, bytes) = parts(&body("multipart/form-data", json!({})), &fields);
        let boundary = "hallpass-part-0000000000000001";
        assert_eq!(
            media_type.unwrap(),
            format!("multipart/form-data; boundary={boundary}")
        );
        let text = String::from_utf8_lossy(&bytes);
        let disposition = "content-disposition: form-data; name=";
        assert_eq!(
            text,
            format!(
                "--{boundary}\r\n{disposition}\"note\"\r\n\r\nx\r\n\
                 --{boundary}\r\n{disposition}\"meta\"\r\ncontent-type: application/json\r\n\r\n{{\"a\":1}}\r\n\
                 --{boundary}\r\n{disposition}\"file\"; filename=\"a%22.pem\"\r\n\
                 content-type: application/octet-stream\r\n\r\n--hallpass-part-0000000000000000\r\n\u{fffd}\r\n\
                 --{boundary}--\r\n"
            )
        );
    }

    #[test]
    fn a_part_has_one_type() {
        for (listed, wanted) in [
            ("image/png", Some("image/png")),
            ("image/*, image/png, image/jpeg", Some("image/png")),
            ("*/*", None),
            ("", None),
        ] {
            assert_eq!(one_type(listed).as_deref(), wanted, "{listed}");
        }
    }
}
