//! What must hold for every answer: each form gives back what the server wrote, read by a program
//! that is not ours.

use proptest::prelude::*;
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};

use super::pretty::Pretty;
use super::query::{Query, read};
use super::rows::{Form, Rows};
use super::text::{Json, JsonText};
use super::yaml;
use crate::command::CommandError;

/// The text of a number, as long and as odd as JSON allows.
fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"
}

/// What a string says: anything, and what YAML takes for something else.
fn words() -> impl Strategy<Value = String> {
    let odd = "(?i:yes|no|on|off|y|n|true|false|null|~|=|<<|0x1f|0o7|1_0|1:30|2020-01-01|\\.inf|- a|a: b|a #b| a|a |\\?|---|\\.\\.\\.|%a|@a|\\{a|\\[a)";
    prop_oneof![
        any::<String>(),
        number(),
        odd,
        "[a-z_./ -]{0,8}",
        "\\PC{0,6}"
    ]
}

/// The text of a string: escaped as serde does it, or every character on its own.
fn string() -> impl Strategy<Value = String> {
    (words(), any::<bool>()).prop_map(|(text, all)| {
        if !all {
            return serde_json::Value::from(text).to_string();
        }
        let mut units = [0; 2];
        let escaped = text.chars().flat_map(|c| {
            let units = c.encode_utf16(&mut units);
            units
                .iter()
                .map(|unit| format!("\\u{unit:04X}"))
                .collect::<Vec<_>>()
        });
        format!("\"{}\"", escaped.collect::<String>())
    })
}

fn json() -> impl Strategy<Value = String> {
    let single = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        number(),
        string(),
    ];
    single.prop_recursive(5, 48, 6, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..6);
        let object = proptest::collection::vec((string(), inner), 0..6);
        prop_oneof![
            list.prop_map(|items| format!("[ {}]", items.join(",\n"))),
            object.prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(name, value)| format!("{name} :\t{value}"));
                format!("{{{}\r\n}}", members.collect::<Vec<_>>().join(" ,"))
            }),
        ]
    })
}

/// The text without the space between its pieces.
fn compact(text: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let kept = text.chars().filter(|c| {
        if inside {
            inside = escaped || *c != '"';
            escaped = !escaped && *c == '\\';
            return true;
        }
        inside = *c == '"';
        !c.is_ascii_whitespace()
    });
    kept.collect()
}

fn pretty(text: &str) -> String {
    let mut out = Vec::new();
    let text = JsonText::read(text.as_bytes()).unwrap();
    Pretty::default().write(&mut out, text, 0).unwrap();
    String::from_utf8(out).unwrap()
}

fn as_yaml(value: &Json<'_>) -> String {
    let mut out = Vec::new();
    yaml::write(&mut out, value).unwrap();
    String::from_utf8(out).unwrap()
}

/// Whether the YAML says what the JSON says.
fn same(json: &Json<'_>, yaml: &Yaml<'_>) -> bool {
    match (json, yaml) {
        (Json::List(items), Yaml::Sequence(found)) => {
            items.len() == found.len()
                && items.iter().zip(found).all(|(one, other)| same(one, other))
        }
        (Json::Object(_), Yaml::Mapping(found)) => {
            // Of names that say the same the last one counts, however they are escaped.
            let mut names: Vec<_> = json.members().map(|(name, _)| name.decoded()).collect();
            names.sort();
            names.dedup();
            names.len() == found.len()
                && found.iter().all(|(name, value)| {
                    let name = name.as_str();
                    let member = name.and_then(|name| json.member(name));
                    member.is_some_and(|member| same(member, value))
                })
        }
        (Json::Text(text), Yaml::Value(Scalar::String(found))) => text.decoded() == *found,
        (Json::Number(text), Yaml::Value(Scalar::Integer(found))) => text.parse() == Ok(*found),
        (Json::Number(text), Yaml::Value(Scalar::FloatingPoint(found))) => {
            // What reads into floating point, reads the same as from JSON.
            text.parse() == Ok(found.into_inner())
        }
        (Json::Bool(value), Yaml::Value(Scalar::Boolean(found))) => value == found,
        (Json::Null, Yaml::Value(Scalar::Null)) => true,
        _ => false,
    }
}

proptest! {
    #[test]
    fn json_stays_the_same_text(text in json()) {
        let shown = pretty(&text);
        prop_assert_eq!(compact(&shown), compact(&text));
        prop_assert_eq!(pretty(&shown), shown, "and indenting twice changes nothing");
        prop_assert_eq!(read(&text).unwrap().to_string(), compact(&text));
    }

    #[test]
    fn yaml_says_the_same_to_another_reader(text in json()) {
        let value = read(&text).unwrap();
        let written = as_yaml(&value);
        let found = Yaml::load_from_str(&written).expect(&written);
        prop_assert_eq!(found.len(), 1, "{}", written);
        prop_assert!(same(&value, &found[0]), "{}\n{}", text, written);
    }

    #[test]
    fn csv_says_the_same_to_another_reader(
        rows in proptest::collection::vec(proptest::collection::vec(("[a-z, \"\n]{1,5}", string()), 1..5), 1..5)
    ) {
        let texts: Vec<String> = rows.iter().map(|row| {
            let members = row.iter().map(|(name, value)| {
                format!("{}:{value}", serde_json::Value::from(name.as_str()))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }).collect();
        let values: Vec<Json<'_>> = texts.iter().map(|text| read(text).unwrap()).collect();
        let mut out = Vec::new();
        Rows::new(Form::Csv, None, Vec::new()).write(&mut out, &values).unwrap();
        let mut reader = csv::Reader::from_reader(out.as_slice());
        let names = reader.headers().unwrap().clone();
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), values.len());
        for (record, value) in records.iter().zip(&values) {
            for (name, found) in names.iter().zip(record) {
                let expected = value.member(name).map(super::columns::exact).unwrap_or_default();
                prop_assert_eq!(found, expected);
            }
            let mut members = value.members();
            prop_assert!(members.all(|(name, _)| names.iter().any(|found| found == name.decoded())));
        }
    }

    #[test]
    fn no_bytes_make_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "[\\[\\]{}:,\"\\\\0-9eE.tfn -]{0,32}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Some(text) = JsonText::read(bytes) {
                let _ = text.value().to_string();
                prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok());
            }
        }
    }

    #[test]
    fn no_filter_makes_the_compiler_fail(code in "[.a-c\\[\\]{}()|,$@\"\\\\ 0-9:;?ä-]{0,16}") {
        if let Err(error) = Query::compile(&code) {
            prop_assert!(error.message().contains("at character"), "{:?}", error);
        }
    }
}

#[test]
fn a_query_that_changes_nothing_keeps_every_number() {
    let query = Query::compile(".").unwrap();
    proptest!(|(numbers in proptest::collection::vec(number(), 0..6))| {
        let text = format!("[{}]", numbers.join(","));
        let mut found = Vec::new();
        query.run(&read(&text).unwrap(), |value| {
            found.push(value.to_owned());
            Ok::<_, CommandError>(())
        }).unwrap();
        prop_assert_eq!(found, [text]);
    });
}
