//! How a parameter's value is written into a path, a query, a header or a cookie: OpenAPI 3.0.3,
//! "Style Values", which are the expansions of RFC 6570.
//!
//! Only the unreserved characters of RFC 3986 section 2.3 stay as they are, so that a value can never
//! end its segment, its parameter or its item of a list.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::build::json::Json;
use crate::operation::{Location, Parameter, Style};

/// A blank is `%20`, since `+` is a plus sign in paths.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What `allowReserved` lets stand: the reserved characters of RFC 3986 section 2.2, without those
/// that would end the parameter or mean something else to whoever decodes it.
const ALLOWED: &AsciiSet = &RESERVED
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A value by its parts.
enum Parts {
    One(String),
    Many(Vec<String>),
    Pairs(Vec<(String, String)>),
}

/// The parts of a value; what is nested deeper is written as JSON, for which no style has a form.
fn parts(value: &Json) -> Parts {
    match value.opened() {
        Json::List(items) => Parts::Many(items.iter().map(Json::plain).collect()),
        Json::Object(members) => {
            let pair = |(name, value): &(String, Json)| (name.clone(), value.plain());
            Parts::Pairs(members.iter().map(pair).collect())
        }
        Json::Raw(_) => Parts::One(value.plain()),
    }
}

/// The sign that parts the items of this value and that would stand in an item as well: encoding it
/// does not help, because the separator is encoded too, or because nothing is.
pub(crate) fn torn_by(parameter: &Parameter, value: &Json) -> Option<char> {
    let separator = match (parameter.style, parameter.explode, parameter.location) {
        _ if parameter.content.is_some() => return None,
        (Style::SpaceDelimited, false, _) => ' ',
        (Style::PipeDelimited, false, _) => '|',
        (Style::Label, true, _) => '.',
        (_, _, Location::Header) => ',',
        _ => return None,
    };
    let torn = match parts(value) {
        Parts::One(_) => false,
        Parts::Many(values) => values.iter().any(|value| value.contains(separator)),
        Parts::Pairs(pairs) => pairs
            .iter()
            .any(|(name, value)| name.contains(separator) || value.contains(separator)),
    };
    torn.then_some(separator)
}

/// A parameter of the path, encoded.
pub(crate) fn segment(parameter: &Parameter, value: &Json) -> String {
    if parameter.content.is_some() {
        return encode(&content(parameter, value));
    }
    let parts = parts(value);
    let name = encode(&parameter.name);
    let (first, between) = match (parameter.style, parameter.explode) {
        (Style::Label, true) => (".", "."),
        (Style::Label, false) => (".", ","),
        (Style::Matrix, true) => (";", ";"),
        _ => ("", ","),
    };
    let matrix = parameter.style == Style::Matrix;
    let named = |value: &String| match value.as_str() {
        "" => name.clone(),
        value => format!("{name}={}", encode(value)),
    };
    match (&parts, parameter.explode) {
        (Parts::One(value), _) if matrix => format!(";{}", named(value)),
        (Parts::Many(values), true) if matrix => {
            let named: Vec<String> = values.iter().map(named).collect();
            format!(";{}", named.join(";"))
        }
        (Parts::Many(_) | Parts::Pairs(_), false) if matrix => {
            format!(";{name}={}", joined(&parts, false, between, &encode))
        }
        (_, explode) => first.to_owned() + &joined(&parts, explode, between, &encode),
    }
}

/// The parameters of the query, encoded: `name=value`, none, or several.
pub(crate) fn query(parameter: &Parameter, value: &Json) -> Vec<String> {
    let name = encode(&parameter.name);
    if parameter.content.is_some() {
        return vec![format!("{name}={}", encode(&content(parameter, value)))];
    }
    let encoded = |text: &str| {
        let set = if parameter.allow_reserved {
            ALLOWED
        } else {
            RESERVED
        };
        utf8_percent_encode(text, set).to_string()
    };
    if parameter.style == Style::DeepObject {
        let mut pairs = Vec::new();
        deep(&parameter.name, value, &mut pairs);
        let pair =
            |(name, value): &(String, String)| format!("{}={}", encode(name), encoded(value));
        return pairs.iter().map(pair).collect();
    }
    let between = match parameter.style {
        Style::SpaceDelimited => "%20",
        Style::PipeDelimited => "%7C",
        _ => ",",
    };
    match (parts(value), parameter.explode) {
        (Parts::One(value), _) => vec![format!("{name}={}", encoded(&value))],
        (Parts::Many(values), true) => values
            .iter()
            .map(|value| format!("{name}={}", encoded(value)))
            .collect(),
        (Parts::Pairs(pairs), true) => {
            let pair =
                |(name, value): &(String, String)| format!("{}={}", encode(name), encoded(value));
            pairs.iter().map(pair).collect()
        }
        (Parts::Many(values), false) if values.is_empty() => Vec::new(),
        // The separator is left as it is, so it must not stand in an item.
        (parts, false) => vec![format!(
            "{name}={}",
            joined(&parts, false, between, &encode)
        )],
    }
}

/// The value of a header, as it is: headers know no encoding.
pub(crate) fn header(parameter: &Parameter, value: &Json) -> String {
    if parameter.content.is_some() {
        return content(parameter, value);
    }
    joined(&parts(value), parameter.explode, ",", &str::to_owned)
}

/// The pairs of the cookie header.
pub(crate) fn cookies(parameter: &Parameter, value: &Json) -> Vec<String> {
    query(parameter, value)
}

/// `a,b` for a list; for an object `name,a,other,b`, or exploded `name=a,other=b`.
fn joined(parts: &Parts, explode: bool, between: &str, encode: &dyn Fn(&str) -> String) -> String {
    let texts: Vec<String> = match parts {
        Parts::One(value) => vec![encode(value)],
        Parts::Many(values) => values.iter().map(|value| encode(value)).collect(),
        Parts::Pairs(pairs) if explode => pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect(),
        Parts::Pairs(pairs) => pairs
            .iter()
            .flat_map(|(name, value)| [encode(name), encode(value)])
            .collect(),
    };
    texts.join(between)
}

/// `name[member]`, and so on inwards; the specification leaves lists open, which are repeated.
fn deep(name: &str, value: &Json, pairs: &mut Vec<(String, String)>) {
    match value.opened() {
        Json::Object(members) => members
            .iter()
            .for_each(|(member, value)| deep(&format!("{name}[{member}]"), value, pairs)),
        Json::List(items) => items.iter().for_each(|item| deep(name, item, pairs)),
        Json::Raw(_) => pairs.push((name.to_owned(), value.plain())),
    }
}

/// The value in the parameter's own media type: JSON, or the text.
fn content(parameter: &Parameter, value: &Json) -> String {
    let json = parameter
        .content
        .as_ref()
        .is_some_and(|kind| kind.contains("json"));
    if json {
        value.to_string()
    } else {
        value.plain()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parameter(location: Location, style: Style, explode: bool) -> Parameter {
        Parameter {
            name: "color".to_owned(),
            location,
            required: false,
            schema: json!({}),
            description: String::new(),
            example: None,
            style,
            explode,
            allow_reserved: false,
            deprecated: false,
            content: None,
        }
    }

    const ARRAY: &str = r#"["blue","black","brown"]"#;
    const OBJECT: &str = r#"{"R":100,"G":200,"B":150}"#;

    fn raw(text: &str) -> Json {
        Json::raw(text)
    }

    /// The table of "Style Examples", with the delimiters that RFC 6570 gives.
    #[test]
    fn paths_are_written_as_the_specification_says() {
        let cases = [
            (
                Style::Matrix,
                false,
                ";color=blue",
                ";color=blue,black,brown",
                ";color=R,100,G,200,B,150",
            ),
            (
                Style::Matrix,
                true,
                ";color=blue",
                ";color=blue;color=black;color=brown",
                ";R=100;G=200;B=150",
            ),
            (
                Style::Label,
                false,
                ".blue",
                ".blue,black,brown",
                ".R,100,G,200,B,150",
            ),
            (
                Style::Label,
                true,
                ".blue",
                ".blue.black.brown",
                ".R=100.G=200.B=150",
            ),
            (
                Style::Simple,
                false,
                "blue",
                "blue,black,brown",
                "R,100,G,200,B,150",
            ),
            (
                Style::Simple,
                true,
                "blue",
                "blue,black,brown",
                "R=100,G=200,B=150",
            ),
        ];
        for (style, explode, one, many, pairs) in cases {
            let parameter = parameter(Location::Path, style, explode);
            for (value, expected) in [("\"blue\"", one), (ARRAY, many), (OBJECT, pairs)] {
                assert_eq!(
                    segment(&parameter, &raw(value)),
                    expected,
                    "{style:?} {explode}"
                );
            }
        }
        let matrix = parameter(Location::Path, Style::Matrix, false);
        assert_eq!(segment(&matrix, &raw("\"\"")), ";color");
    }

    #[test]
    fn queries_are_written_as_the_specification_says() {
        let cases = [
            (
                Style::Form,
                false,
                "color=blue,black,brown",
                "color=R,100,G,200,B,150",
            ),
            (
                Style::Form,
                true,
                "color=blue&color=black&color=brown",
                "R=100&G=200&B=150",
            ),
            (
                Style::SpaceDelimited,
                false,
                "color=blue%20black%20brown",
                "color=R%20100%20G%20200%20B%20150",
            ),
            (
                Style::PipeDelimited,
                false,
                "color=blue%7Cblack%7Cbrown",
                "color=R%7C100%7CG%7C200%7CB%7C150",
            ),
            (
                Style::DeepObject,
                true,
                "color=blue&color=black&color=brown",
                "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
            ),
        ];
        for (style, explode, many, pairs) in cases {
            let parameter = parameter(Location::Query, style, explode);
            for (value, expected) in [(ARRAY, many), (OBJECT, pairs)] {
                assert_eq!(
                    query(&parameter, &raw(value)).join("&"),
                    expected,
                    "{style:?} {explode}"
                );
            }
        }
        let list = parameter(Location::Query, Style::Form, false);
        assert_eq!(query(&list, &raw("[]")), [""; 0]);
        assert_eq!(
            query(&list, &raw(r#"["a,b","c d"]"#)),
            ["color=a%2Cb,c%20d"]
        );
        let deep = parameter(Location::Query, Style::DeepObject, true);
        assert_eq!(
            query(&deep, &raw(r#"{"a":{"b":[1,2]}}"#)),
            ["color%5Ba%5D%5Bb%5D=1", "color%5Ba%5D%5Bb%5D=2"]
        );
    }

    #[test]
    fn reserved_characters_and_media_types() {
        let mut reserved = parameter(Location::Query, Style::Form, true);
        reserved.allow_reserved = true;
        assert_eq!(
            query(&reserved, &raw("\"/a?b=(c),d&e#f+g%\"")),
            ["color=/a?b=(c),d%26e%23f%2Bg%25"]
        );
        let mut json = parameter(Location::Query, Style::Form, true);
        json.content = Some("application/json".to_owned());
        assert_eq!(
            query(&json, &raw("{\"a\": 1.10}")),
            ["color=%7B%22a%22%3A%201.10%7D"]
        );
        json.content = Some("text/plain".to_owned());
        assert_eq!(query(&json, &raw("\"a b\"")), ["color=a%20b"]);
    }

    #[test]
    fn headers_and_cookies_are_written_as_the_specification_says() {
        let plain = parameter(Location::Header, Style::Simple, false);
        assert_eq!(header(&plain, &raw(ARRAY)), "blue,black,brown");
        assert_eq!(header(&plain, &raw(OBJECT)), "R,100,G,200,B,150");
        let exploded = parameter(Location::Header, Style::Simple, true);
        assert_eq!(header(&exploded, &raw(OBJECT)), "R=100,G=200,B=150");
        let cookie = parameter(Location::Cookie, Style::Form, false);
        assert_eq!(cookies(&cookie, &raw(ARRAY)), ["color=blue,black,brown"]);
    }
}
