//! What holds for every text: no panic, places inside the text, JSON as every JSON parser reads it,
//! and the same from JSON and YAML.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::{json, parse};
use crate::document::join;
use crate::testing::SMALL;
use crate::{Definition, Position, Problem};

/// Texts of what JSON and YAML are made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\n",
        "\r",
        " ",
        "  ",
        "\t",
        "- ",
        ": ",
        "? ",
        "|",
        ">",
        "&a",
        "*a",
        "<<",
        "!!int ",
        "!x ",
        "#",
        "'",
        "---",
        "...",
        "%",
        "a",
        "é",
        "😀",
        "\u{85}",
        "0",
        "-",
        "1",
        ".",
        "e5",
        "1.10",
        "true",
        "null",
        "~",
        "\"a\":",
        "\"a\":1,",
        "a: ",
        "\\u00e9",
        "\\ud83d",
        "\\ude00",
        "\u{feff}",
        "\u{1}",
        "\0",
        "openapi: 3.1.0\n",
        "{\"openapi\":\"3.0.3\",",
    ]);
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// JSON values as deep as a few levels, with names that mean something to a definition.
fn values() -> impl Strategy<Value = Value> {
    let word = select(vec![
        "$ref",
        "$id",
        "$anchor",
        "type",
        "properties",
        "items",
        "allOf",
        "nullable",
        "example",
        "required",
        "pattern",
        "x-a",
        "a",
        "A",
        "a/b~c",
        "é",
        "😀",
        "",
        "#/components/schemas/a",
        "#a",
        "string",
        "null",
        "1",
        "- a: b",
        " a ",
        "é\n\tb",
        "\u{7f}\u{85}\u{feff}",
        "(",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        word.clone().prop_map(Value::from),
        any::<String>().prop_map(|text| Value::from(text.replace('\0', ""))),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let members = vec((word.clone(), inner.clone()), 0..6);
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::Array),
            members.prop_map(|members| {
                let named = members.into_iter();
                Value::Object(
                    named
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// A definition with these schemas.
fn definitions() -> impl Strategy<Value = Value> {
    vec(values(), 0..4).prop_map(|schemas| {
        let named: Map<String, Value> = ["a", "A", "b c", "é"]
            .into_iter()
            .map(str::to_owned)
            .zip(schemas)
            .collect();
        json!({
            "openapi": "3.1.0",
            "paths": {"/a/{b}": {"get": {"parameters": [{"$ref": "#/components/schemas/a"}]}}},
            "components": {"schemas": named},
        })
    })
}

/// A text with a few pieces taken out, put in and doubled.
fn changed(text: String) -> impl Strategy<Value = String> {
    let change = (any::<Index>(), 0..12_usize, pieces(), any::<bool>());
    vec(change, 1..4).prop_map(move |changes| {
        let mut text = text.clone();
        for (place, length, piece, doubles) in changes {
            let start = text.floor_char_boundary(place.index(text.len() + 1));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            let cut = text[start..end].to_owned();
            let instead = if doubles {
                [cut.as_str(), &cut].concat()
            } else {
                piece
            };
            text.replace_range(start..end, &instead);
        }
        text
    })
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        pieces(),
        any::<String>(),
        changed(SMALL.to_owned()),
        definitions().prop_flat_map(|value| changed(format!("{value:#}"))),
        definitions().prop_flat_map(|value| changed(yaml(&value))),
    ]
}

/// A value in YAML's block style.
fn yaml(value: &Value) -> String {
    fn write(value: &Value, indent: usize, into: &mut String) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, member) in members {
                    let _ = write!(into, "\n{:indent$}{}:", "", scalar(&json!(name)));
                    write(member, indent + 2, into);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for item in items {
                    let _ = write!(into, "\n{:indent$}-", "");
                    write(item, indent + 2, into);
                }
            }
            other => {
                let _ = write!(into, " {}", scalar(other));
            }
        }
    }
    /// JSON's scalars are YAML's, but for characters that YAML wants escaped.
    fn scalar(value: &Value) -> String {
        let needs_escape = |one: char| {
            one.is_control()
                || matches!(
                    one,
                    '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                )
        };
        let mut text = String::new();
        for one in value.to_string().chars() {
            match one {
                one if needs_escape(one) => {
                    let _ = write!(text, "\\u{:04x}", u32::from(one));
                }
                one => text.push(one),
            }
        }
        text
    }
    let mut text = String::new();
    write(value, 0, &mut text);
    text.trim_start().to_owned() + "\n"
}

/// The lines of a text, as JSON and YAML count them.
fn lines(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let ends = text.replace("\r\n", "\n").replace('\r', "\n");
    ends.split('\n').map(str::to_owned).collect()
}

fn is_inside(lines: &[String], line: usize, column: usize) -> bool {
    let length = line
        .checked_sub(1)
        .and_then(|line| Some(lines.get(line)?.chars().count()));
    length.is_some_and(|length| (1..=length + 1).contains(&column))
}

/// Everything but the place.
fn essence(problems: &[Problem]) -> Vec<(&'static str, &str, &str)> {
    let mut all: Vec<_> = problems
        .iter()
        .map(|one| (one.rule, one.pointer.as_str(), one.message.as_str()))
        .collect();
    all.sort_unstable();
    all
}

/// `serde_json` may miss the nearest floating point number by one step.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            one.to_bits().abs_diff(other.to_bits()) <= 1
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|((name, one), (other_name, other))| {
                        name == other_name && is_same(one, other)
                    })
        }
        _ => one == other,
    }
}

fn each_place(
    value: &Value,
    pointer: &str,
    of_member: Option<&str>,
    see: &mut impl FnMut(&str, &Value, Option<&str>),
) {
    see(pointer, value, of_member);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                each_place(member, &join(pointer, name), Some(name), see);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_place(item, &join(pointer, &index.to_string()), None, see);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_at_a_place_in_it(text in texts()) {
        let lines = lines(&text);
        match Definition::read(&text) {
            Ok(reading) => {
                for one in &reading.problems {
                    prop_assert!(is_inside(&lines, one.line, one.column), "{one}");
                }
                let definition = &reading.definition;
                each_place(definition.document(), "", None, &mut |pointer, _, _| {
                    let Position { line, column } = definition.position(pointer);
                    assert!(is_inside(&lines, line, column), "{pointer} at {line}:{column}");
                });
            }
            Err(error) => prop_assert!(is_inside(&lines, error.line, error.column), "{error}"),
        }
    }

    #[test]
    fn any_parts_are_read_and_their_problems_are_in_them(
        main in definitions(),
        names in vec(select(vec!["#/components/schemas/a", "#a", "#", "b", "b#/a", "../c#", "%zz", "b#a"]), 3),
        part in prop_oneof![texts(), definitions().prop_map(|value| value.to_string())],
    ) {
        let mut main = main;
        main["components"]["schemas"]["A"] = json!({"$id": "x/y", "items": {"$ref": names[0]}});
        main["components"]["schemas"]["a"] = json!({"$ref": names[1]});
        main["paths"]["/a"] = json!({"$ref": names[2]});
        let main = main.to_string();
        let reading = Definition::read_from("m", main.as_bytes(), &mut |_| Ok(part.clone().into_bytes()));
        let texts = [lines(&main), lines(&part)];
        for one in reading.unwrap().problems {
            let lines = &texts[usize::from(one.part.is_some())];
            prop_assert!(is_inside(lines, one.line, one.column), "{one}");
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Definition::read_from("", &bytes, &mut |_| Err(String::new()));
    }

    #[test]
    fn json_is_what_another_parser_reads(
        text in prop_oneof![
            pieces(),
            values().prop_flat_map(|value| changed(value.to_string())),
            values().prop_flat_map(|value| changed(format!("{value:#}"))),
        ],
    ) {
        let other = serde_json::from_str::<Value>(&text);
        match (json::parse(&text), other) {
            (Ok(ours), Ok(other)) => {
                prop_assert!(!ours.flaws.is_empty() || is_same(&ours.value, &other), "{other}");
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(false, "refused by serde_json: {error}"),
            (Err(error), Ok(_)) => prop_assert!(false, "accepted by serde_json: {error}"),
        }
    }

    #[test]
    fn json_and_yaml_say_the_same(value in definitions()) {
        let of_json = Definition::read(&format!("{value:#}")).unwrap();
        let of_yaml = Definition::read(&yaml(&value)).unwrap();
        prop_assert!(is_same(of_json.definition.document(), of_yaml.definition.document()));
        prop_assert_eq!(essence(&of_json.problems), essence(&of_yaml.problems));
    }

    #[test]
    fn places_are_where_the_values_are_written(value in values()) {
        for text in [format!("{value:#}"), value.to_string(), yaml(&value)] {
            let parsed = parse(&text).unwrap();
            let lines = lines(&text);
            each_place(&parsed.value, "", None, &mut |pointer, inner, name| {
                let node = parsed.places.find(&parsed.value, pointer);
                assert_eq!(parsed.places.pointer(&parsed.value, node), pointer);
                let Position { line, column } = parsed.places.position(node);
                let rest: String = lines[line - 1].chars().skip(column - 1).collect();
                let begins = match (name, inner) {
                    (Some(name), _) => json!(name),
                    (None, Value::Object(members)) if !rest.starts_with('{') => {
                        json!(members.keys().next().unwrap())
                    }
                    (None, Value::Array(_)) => {
                        assert!(rest.starts_with(['[', '-']), "{pointer}: {rest}");
                        return;
                    }
                    (None, Value::Object(_)) => return,
                    (None, scalar) => scalar.clone(),
                };
                let mut first = serde_json::Deserializer::from_str(&rest).into_iter::<Value>();
                let found = first.next().and_then(Result::ok);
                assert!(found.is_some_and(|found| is_same(&found, &begins)), "{pointer}: {rest}");
            });
        }
    }
}
