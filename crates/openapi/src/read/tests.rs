//! Reading, in both languages.

use std::fmt::Write as _;

use super::*;
use serde_json::json;

fn error(text: &str) -> ReadError {
    read(text).unwrap_err()
}

fn value(members: &str) -> Value {
    read(&format!("openapi: 3.1.0\n{members}")).unwrap().value
}

#[test]
fn json_and_yaml_give_the_same_value() {
    let json = read("{\"openapi\": \"3.0.3\", \"x\": [1, -2, 1.5, true, null, \"a\\/b\"]}");
    let yaml = read("openapi: 3.0.3\nx:\n  - 1\n  - -2\n  - 1.5\n  - true\n  - null\n  - a/b\n");
    assert_eq!(json.unwrap().value, yaml.unwrap().value);
}

#[test]
fn numbers_of_64_bits_are_exact() {
    let read = value("a: 18446744073709551615\nb: -9223372036854775808\nc: [9223372036854775808]");
    assert_eq!(read["a"], json!(u64::MAX));
    assert_eq!(read["b"], json!(i64::MIN));
    assert_eq!(read["c"], json!([9_223_372_036_854_775_808_u64]));
    // The place of the number counts in characters, not bytes.
    let umlaut = read_json("{\"openapi\":\"3.0.0\",\"ä😀\":18446744073709551615}");
    assert_eq!(umlaut["ä😀"], json!(u64::MAX));
}

fn read_json(text: &str) -> Value {
    let read = read(text).unwrap();
    assert_eq!(read.value, serde_json::from_str::<Value>(text).unwrap());
    read.value
}

#[test]
fn json_escapes_beyond_the_first_plane_are_read() {
    let read = read_json(
        r#"{"openapi":"3.0.0","a":"x\ud83d\ude00y\\ud83d\\ude00\ud83d\ude01","b":18446744073709551615}"#,
    );
    assert_eq!(read["a"], "x😀y\\ud83d\\ude00😁");
}

#[test]
fn keys_and_scalars_of_yaml_are_what_is_written() {
    let read = value("responses: { 200: a, 007: b, 1.0: c, true: d, ~: e }\nf: .inf\ng: 0x10");
    let keys: Vec<&String> = read["responses"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["200", "007", "1.0", "true", "~"]);
    assert_eq!(read["f"], ".inf");
    assert_eq!(read["g"], 16);
}

#[test]
fn places_are_those_of_keys_and_items() {
    let read = read("openapi: 3.0.0\npaths:\n  /a/b~c:\n    get:\n      tags: [x, y]\n").unwrap();
    let at = |pointer: &str| {
        let position = read.places.position(read.places.find(&read.value, pointer));
        (position.line, position.column)
    };
    assert_eq!(at(""), (1, 1));
    assert_eq!(at("/paths/~1a~1b~0c/get"), (4, 5));
    assert_eq!(at("/paths/~1a~1b~0c/get/tags/1"), (5, 17));
    assert_eq!(
        at("/paths/~1a~1b~0c/put/tags"),
        (3, 3),
        "the nearest that exists"
    );
}

#[test]
fn a_syntax_error_says_where() {
    let json =
        error("{\n  \"openapi\": \"3.0.0\",\n  \"info\": {\n    \"title\": \"a\" \"b\"\n  }\n}");
    assert_eq!(json.line, 4);
    assert!(json.hint.unwrap().contains("JSON"));
    let yaml = error("openapi: 3.0.0\ninfo:\n  title: a: b\n");
    assert_eq!((yaml.line, yaml.column), (3, 11));
    assert!(yaml.hint.unwrap().contains("indentation"));
}

/// Rule, pointer, line and column of what is flawed.
fn flaws(text: &str) -> Vec<(&'static str, String, usize, usize)> {
    let problems = read(text).unwrap().problems(None);
    let found = problems.into_iter();
    found
        .map(|one| (one.rule, one.pointer, one.line, one.column))
        .collect()
}

#[test]
fn a_key_written_twice_is_told_in_both_and_the_first_is_kept() {
    let json = "{\"openapi\": \"3.0.0\",\n \"a\": {\"b\": [1, {\"c\": 1,\n \"c\": {\"c\": 2, \"c\": 3}, \"d\": 4}]}}";
    assert_eq!(
        flaws(json),
        [
            ("key-twice", "/a/b/1".to_owned(), 3, 16),
            ("key-twice", "/a/b/1/c".to_owned(), 3, 2),
        ]
    );
    let parsed = read(json).unwrap();
    assert_eq!(parsed.value["a"], json!({"b": [1, {"c": 1, "d": 4}]}));
    let d = parsed.places.find(&parsed.value, "/a/b/1/d");
    assert_eq!(
        parsed.places.position(d),
        Position {
            line: 3,
            column: 25
        }
    );
    // Two keys in YAML, one in JSON.
    let yaml = flaws("openapi: 3.0.0\nresponses:\n  200: a\n  '200': b\n");
    assert_eq!(yaml, [("key-twice", "/responses/200".to_owned(), 4, 3)]);
    let many = (0..2_000).map(|_| "  a: 1\n").collect::<String>();
    assert!(
        error(&format!("openapi: 3.0.0\nx:\n{many}"))
            .message
            .contains("more than 1000")
    );
}

#[test]
fn what_yaml_has_and_json_has_not_is_told() {
    let found = |text: &str| {
        let flaws = flaws(text);
        flaws
            .into_iter()
            .map(|one| (one.0, one.2))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("openapi: 3.0.0\nx:\n  [1, 2]: a\n  b: !!int c\n---\nopenapi: 3.0.0\n"),
        [
            ("key-no-text", 3),
            ("tag-misfit", 4),
            ("several-documents", 5)
        ]
    );
    assert_eq!(
        value("x:\n  ? {a: 1}\n  : a\n  b: 1\n")["x"],
        json!({"b": 1})
    );
}

#[test]
fn json_with_a_mistake_that_is_yaml_is_read_and_told() {
    let text = "{\"openapi\": \"3.0.0\",\n \"a\": [1, 2,],\n}";
    assert_eq!(flaws(text), [("json-invalid", String::new(), 2, 13)]);
    assert_eq!(
        flaws("{openapi: 3.0.0, a: [1,],}"),
        [],
        "never meant as JSON"
    );
}

#[test]
fn merge_keys_add_what_is_not_there() {
    let text = "openapi: 3.0.0\na: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: *a\n  y: 9\n\
                d:\n  <<: [*b, *a]\n  '<<': text\ne:\n  <<: 1\n";
    let parsed = read(text).unwrap();
    assert_eq!(parsed.value["c"], json!({"y": 9, "x": 1}));
    assert_eq!(
        parsed.value["d"],
        json!({"<<": "text", "y": 3, "z": 4, "x": 1})
    );
    assert_eq!(parsed.value["e"], json!({}));
    let at = |pointer: &str| {
        let node = parsed.places.find(&parsed.value, pointer);
        let position = parsed.places.position(node);
        (
            position.line,
            position.column,
            parsed.places.pointer(&parsed.value, node),
        )
    };
    assert_eq!(at("/c/x"), (2, 8, "/c/x".to_owned()), "where it is written");
    assert_eq!(at("/d/z"), (3, 14, "/d/z".to_owned()));
    assert_eq!(at("/e"), (10, 1, "/e".to_owned()));
}

#[test]
fn numbers_are_kept_as_they_are_written() {
    for text in [
        "openapi: 3.0.0\na: [1.10, 1.5, 18446744073709551616]\nb: &b {c: 1e3, d: 007}\ne: {<<: *b}\nf: *b",
        "{\"openapi\": \"3.0.0\", \"a\": [1.10, 1.5, 18446744073709551616], \"b\": {\"c\": 1e3, \"d\": 7}, \
          \"e\": {\"c\": 1e3}, \"f\": {\"d\": 7, \"c\": 1e3}}",
    ] {
        let parsed = read(text).unwrap();
        let written = |pointer| parsed.text(pointer).unwrap();
        assert_eq!(written("/a/0"), "1.10");
        assert_eq!(written("/a/1"), "1.5");
        assert_eq!(written("/a/2"), "18446744073709551616");
        for pointer in ["/b/c", "/e/c", "/f/c"] {
            assert_eq!(written(pointer), "1e3", "{pointer}");
        }
        assert!(written("/b/d").ends_with('7'));
    }
}

#[test]
fn bytes_must_be_utf_8() {
    let utf_16 = |text: &str, unit: fn(u16) -> [u8; 2]| {
        text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()
    };
    for bytes in [
        utf_16("\u{feff}{}", u16::to_le_bytes),
        utf_16("\u{feff}{}", u16::to_be_bytes),
        utf_16("{}", u16::to_le_bytes),
        utf_16("{}", u16::to_be_bytes),
    ] {
        assert!(
            decode(&bytes).unwrap_err().message.contains("UTF-16"),
            "{bytes:?}"
        );
    }
    let latin_1 = decode(b"openapi: 3.0.0\nx: \xc3\xa4 \xe4").unwrap_err();
    assert_eq!((latin_1.line, latin_1.column), (2, 6));
    assert_eq!(decode(b"a"), Ok("a"));
    let nul = error("openapi: 3.0.0\nx: a\0b");
    assert_eq!((nul.line, nul.column), (2, 5));
}

#[test]
fn line_ends_of_other_systems_count_as_lines() {
    let json = "{\"openapi\": \"3.0.0\",\r\n\"a\":\r1, \"a\": 2}";
    assert_eq!(flaws(json), [("key-twice", "/a".to_owned(), 3, 4)]);
    let yaml = "openapi: 3.0.0\r\na: 1\r\na: 2\r\n";
    assert_eq!(flaws(yaml), [("key-twice", "/a".to_owned(), 3, 1)]);
}

#[test]
fn what_is_no_openapi_3_says_what_it_is() {
    let swagger = error("info: {}\nswagger: '2.0'\n");
    assert_eq!((swagger.line, swagger.column), (2, 1));
    assert!(swagger.message.contains("Swagger 2.0"));
    assert!(swagger.hint.unwrap().contains("convert"));
    assert!(error("openapi: 4.0.0").message.contains("4.0.0"));
    assert!(error("openapi: 3.01").message.contains("3.01"));
    assert!(error("{}").message.contains("`openapi`"));
    assert!(error("[1]").message.contains("a list"));
    assert!(error("").message.contains("empty"));
    assert!(read("\u{feff}openapi: 3.1.0").is_ok());
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    let flow = format!("openapi: 3.0.0\na: {}{}", "[".repeat(250), "]".repeat(250));
    assert!(
        error(&flow).message.contains("nested"),
        "{:?}",
        error(&flow)
    );
    let brackets = format!("{{\"openapi\":{}", "[".repeat(100_000));
    assert!(read(&brackets).is_err());
    let block = format!("openapi: 3.0.0\na:\n {}x", "- ".repeat(100_000));
    assert!(error(&block).message.contains("nested"));
    let mut indented = String::new();
    for depth in 0..2_000 {
        let _ = writeln!(indented, "{}a:", " ".repeat(depth));
    }
    assert!(error(&indented).message.contains("nested"));
}

#[test]
fn aliases_cannot_make_values_deeper() {
    let nested = |depth: usize, inner: &str| "[".repeat(depth) + inner + &"]".repeat(depth);
    let two = |depth: usize| {
        let (one, other) = (nested(100, "x"), nested(depth, "*a"));
        format!("openapi: 3.0.0\na: &a {one}\nb: {other}\n")
    };
    assert!(read(&two(99)).is_ok());
    assert!(error(&two(100)).message.contains("nested"));
    let mut chain = format!("openapi: 3.0.0\na0: &a0 {}\n", nested(150, "x"));
    for index in 1..25 {
        let inner = nested(150, &format!("*a{}", index - 1));
        let _ = writeln!(chain, "a{index}: &a{index} {inner}");
    }
    assert!(error(&chain).message.contains("nested"));
    let merged = format!(
        "openapi: 3.0.0\na: &a {{b: {}}}\nc: {}\n",
        nested(100, "x"),
        nested(99, "{<<: *a}")
    );
    assert!(error(&merged).message.contains("nested"));
}

#[test]
fn aliases_cannot_blow_up() {
    let mut bomb = "openapi: 3.0.0\na0: &a0 [x]\n".to_owned();
    for level in 1..30 {
        let _ = writeln!(bomb, "a{level}: &a{level} [*a{0}, *a{0}]", level - 1);
    }
    assert!(read(&bomb).is_err());
    assert_eq!(value("a: &x {b: 1}\nc: *x")["c"], json!({"b": 1}));
}
