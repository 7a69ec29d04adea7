//! The parser against every input that is known from outside, against mistakes, and against noise.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::filter::Filter;
use crate::syntax::{MAX_DEPTH, MAX_LENGTH, SyntaxError};

/// Every form of the table in domain.md section 6.2: a filter, an item that passes, one that does
/// not. Identifiers, names and addresses are our own.
#[test]
#[expect(clippy::too_many_lines, reason = "one row per form of the table")]
fn every_known_form_is_accepted_and_understood() {
    let moment = |at: &str| json!({"state": "Failure", "occurredAt": at});
    for (filter, passing, failing) in [
        // a bare word
        (
            "name eq VEGA_CB1507_8400_2N_150",
            json!({"name": "VEGA_CB1507_8400_2N_150"}),
            json!({"name": "VEGA"}),
        ),
        // double and single quotes
        (
            "model eq \"HPE Alletra 9060\"",
            json!({"model": "HPE Alletra 9060"}),
            json!({"model": "HPE"}),
        ),
        (
            "name eq 'V1'",
            json!({"name": "V1"}),
            json!({"name": "'V1'"}),
        ),
        // backslash escapes
        (
            r"name eq DSCC\-API\-Vol\.0",
            json!({"name": "DSCC-API-Vol.0"}),
            json!({"name": r"DSCC\-API\-Vol\.0"}),
        ),
        // colons in a bare word; `and`
        (
            "name eq 1:0:1 and systemWWN eq 2FF70002AC0",
            json!({"name": "1:0:1", "systemWWN": "2FF70002AC0"}),
            json!({"name": "1:0:1"}),
        ),
        // an attribute in capitals
        (
            "NAME eq g1a1",
            json!({"name": "g1a1"}),
            json!({"name": "g1a2"}),
        ),
        // booleans
        (
            "isSystemVolume eq false",
            json!({"isSystemVolume": false}),
            json!({"isSystemVolume": true}),
        ),
        // a bare instant
        (
            "state eq Failure and occurredAt gt 2020-09-08T16:51:33Z",
            moment("2020-09-08T18:51:33.5+02:00"),
            moment("2020-09-08T16:51:33Z"),
        ),
        // lists in parentheses, with and without blanks
        (
            "editStatus in (Update_Failed,Delete_Failed)",
            json!({"editStatus": "Delete_Failed"}),
            json!({"editStatus": "Idle"}),
        ),
        (
            "hostId in (733b9c)",
            json!({"hostId": "733b9c"}),
            json!({"hostId": "733b"}),
        ),
        ("uid in ( a )", json!({"uid": "a"}), json!({"uid": " a "})),
        // lists without parentheses, and quoted
        (
            "severity in CRITICAL,WARNING",
            json!({"severity": "WARNING"}),
            json!({"severity": "INFO"}),
        ),
        (
            "severity in ('CRITICAL','WARNING')",
            json!({"severity": "CRITICAL"}),
            json!({"severity": "INFO"}),
        ),
        // virtual attributes are ordinary names
        (
            "sc_HostId eq 5a0d",
            json!({"sc_HostId": "5a0d"}),
            json!({"HostId": "5a0d"}),
        ),
        (
            "hostGroupId in (77aa)",
            json!({"hostGroupId": ["66aa", "77aa"]}),
            json!({"hostGroupId": []}),
        ),
        // nesting with a dot, `@` in a bare word
        (
            "owner.name eq fred@example.com",
            json!({"owner": {"name": "fred@example.com"}}),
            json!({"owner.name": "fred@example.com"}),
        ),
        // nesting with a slash
        (
            "parent/id eq 'p 1'",
            json!({"parent": {"id": "p 1"}}),
            json!({"parent": {"id": "p"}}),
        ),
        (
            "storageSystemInfo/id eq \"s1\"",
            json!({"storageSystemInfo": {"id": "s1"}}),
            json!({"storageSystemInfo": {}}),
        ),
        // OData v2: the text first, then the attribute, then `eq true`
        (
            "startswith('10:00',address) eq true",
            json!({"address": "10:00:aa"}),
            json!({"address": "aa:10:00"}),
        ),
        (
            "substringof('VDI',name) eq true",
            json!({"name": "a VDI b"}),
            json!({"name": "vdi"}),
        ),
        (
            "endswith('x',name) eq true",
            json!({"name": "ax"}),
            json!({"name": "xa"}),
        ),
        // OData v4: the attribute first
        (
            "contains(description,'x')",
            json!({"description": "axb"}),
            json!({"description": "ab"}),
        ),
        // a literal in an array attribute
        (
            "'backup-and-recovery' in services",
            json!({"services": ["backup-and-recovery"]}),
            json!({"services": ["backup"]}),
        ),
        (
            "\"x\" in capabilities",
            json!({"capabilities": ["w", "x"]}),
            json!({"capabilities": ["w"]}),
        ),
        // the remaining comparisons
        (
            "createdAt ge 2024-01-01T00:00:00Z",
            json!({"createdAt": "2024-01-01T00:00:00Z"}),
            json!({"createdAt": "2023-12-31T23:59:59Z"}),
        ),
        (
            "createdAt lt 2024-01-01T00:00:00Z",
            json!({"createdAt": "2023-12-31T23:59:59Z"}),
            json!({"createdAt": "2024-01-01T00:00:00Z"}),
        ),
        (
            "createdAt le 2024-01-01T00:00:00Z",
            json!({"createdAt": "2024-01-01T00:00:00Z"}),
            json!({"createdAt": "2024-01-01T00:00:01Z"}),
        ),
        // an expression of another parameter, in the same language
        (
            "startTime eq 1605063600 and endTime eq 1605186000",
            json!({"startTime": 1_605_063_600, "endTime": 1_605_186_000}),
            json!({"startTime": 1_605_063_600}),
        ),
    ] {
        let parsed = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
        assert!(parsed.matches(&passing), "{filter} should pass {passing}");
        assert!(
            !parsed.matches(&failing),
            "{filter} should not pass {failing}"
        );
    }
}

/// `filter=a&filter=b` is the last row of the table.
#[test]
fn repeated_filters_must_all_hold() {
    let filter = Filter::parse_all(["a eq 1", "b eq 2"]).unwrap().unwrap();
    assert!(filter.matches(&json!({"a": 1, "b": 2})));
    assert!(!filter.matches(&json!({"a": 1})));
}

#[test]
fn different_spellings_are_the_same_filter() {
    for (one, other) in [
        (
            "name EQ 'a' AND Not b Eq c OR d In (e)",
            "name eq a and not b eq c or d in e",
        ),
        ("startswith(name,'a')", "StartsWith('a', name) eq TRUE"),
        ("contains(name,'a')", "substringof('a',name)"),
        ("contains(name,'a') eq false", "not contains(name,'a')"),
        ("contains(name,10:00)", "contains('10:00',name)"),
        ("contains(10:00,name)", "contains('10:00',name)"),
        ("endswith(name,5)", "endswith('5',name)"),
        ("'a' in tags", "tags eq 'a'"),
        ("5 in sizes", "'5' in sizes"),
        ("a eq 'it''s'", r#"a eq "it's""#),
        ("a eq it\\'s", r#"a eq "it's""#),
        ("((a eq b))", "a eq b"),
        ("a.b eq c", "a/b eq c"),
        ("not(a eq b)", "not a eq b"),
        ("a eq'b'and c eq'd'", "a eq b and c eq d"),
        ("\ta  eq\n b ", "a eq b"),
        ("a eq NULL", "a eq null"),
    ] {
        assert_eq!(
            Filter::parse(one).unwrap(),
            Filter::parse(other).unwrap(),
            "{one} / {other}"
        );
    }
}

#[test]
fn words_of_the_language_can_be_names_and_values() {
    let item = json!({"and": "or", "contains": "not", "in": 1});
    for filter in [
        "\\and eq 'or'",
        "\\and eq \\or",
        "contains eq 'not'",
        "\\in eq 1",
        "contains(\\and,'o')",
    ] {
        assert!(Filter::parse(filter).unwrap().matches(&item), "{filter}");
    }
}

fn refused(text: &str) -> SyntaxError {
    match Filter::parse(text) {
        Err(error) => error,
        Ok(filter) => panic!("{text} was read as {filter}"),
    }
}

/// Each mistake with its column and a part of the hint.
#[test]
fn mistakes_are_pointed_at_with_a_hint() {
    for (text, column, hint) in [
        ("", 1, "name eq 'V1'"),
        ("   ", 4, "name eq 'V1'"),
        ("name", 5, "eq, ne, gt"),
        ("name eq", 8, "quotes"),
        ("name eq and b eq c", 9, "quotes"),
        ("name eq ('V1')", 9, "parentheses"),
        ("name in ()", 10, "quotes"),
        ("name in (a,)", 12, "quotes"),
        ("name = V1", 6, "`eq`"),
        ("name != V1", 6, "`ne`"),
        ("name >= V1", 6, "`ge`"),
        ("name like V1", 6, "contains"),
        ("name=V1", 8, "blanks around"),
        ("name:V1 and x eq y", 9, "eq, ne, gt"),
        ("name 'V1'", 6, "eq, ne, gt"),
        ("name eq HPE Alletra", 13, "'HPE Alletra 9060'"),
        ("name eq a,b", 10, "`in`"),
        ("name eq a && b eq c", 11, "`and`"),
        ("name eq a || b eq c", 11, "`or`"),
        ("name eq v(1)", 10, "parentheses"),
        ("name in (a b)", 12, "quotes"),
        ("a eq b and", 11, "name eq 'V1'"),
        ("eq b", 1, "`\\`"),
        ("a eq b or or c eq d", 11, "`\\`"),
        ("'V1' eq name", 6, "on the left"),
        ("'V1'", 5, "on the left"),
        ("'V1' in 'x'", 9, "'value' in attribute"),
        ("'V1' in and", 9, "`\\`"),
        ("tolower(name) eq 'x'", 1, "startswith"),
        ("contains(name)", 14, "contains(attribute, 'text')"),
        ("contains('a','b')", 10, "take the quotes off"),
        ("contains(name,VDI)", 10, "put quotes around"),
        ("contains(1,2)", 10, "put quotes around"),
        ("a eq b\\", 7, "`\\\\`"),
    ] {
        let error = refused(text);
        assert_eq!(error.column, column, "{text}: {error}");
        let given = error.hint.clone().unwrap_or_default();
        assert!(given.contains(hint), "{text}: {error}, hint: {given}");
    }
}

#[test]
fn mistakes_that_need_no_hint_are_pointed_at() {
    for (text, column) in [
        ("(a eq b", 1),
        ("a eq b)", 7),
        ("a eq b and ()", 13),
        ("contains(name,'x'", 9),
        ("contains(,'x')", 10),
        ("contains(name,'x') eq maybe", 23),
        ("contains(name,'x') eq", 22),
        ("a eq 'b", 6),
        ("owner..name eq b", 7),
        ("x eq y and owner. eq b", 18),
        (", a eq b", 1),
    ] {
        assert_eq!(refused(text).column, column, "{text}: {}", refused(text));
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |levels: usize| format!("{}a eq b{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(refused(&nested(MAX_DEPTH + 1)).column, MAX_DEPTH + 1);
    assert!(Filter::parse(&format!("{}a eq b", "not ".repeat(MAX_DEPTH))).is_ok());
    refused(&format!("{}a eq b", "not ".repeat(MAX_DEPTH + 1)));
    // `eq false` is printed as one more `not`.
    refused(&format!(
        "{}contains(a,'b') eq false",
        "not ".repeat(MAX_DEPTH)
    ));
    // Groups beside one another are not nested.
    assert!(Filter::parse(&vec!["(a eq b)"; MAX_DEPTH * 2].join(" and ")).is_ok());
}

#[test]
fn length_is_limited() {
    let filter = |length: usize| format!("name eq {}", "x".repeat(length - "name eq ".len()));
    assert!(Filter::parse(&filter(MAX_LENGTH)).is_ok());
    assert_eq!(refused(&filter(MAX_LENGTH + 1)).column, MAX_LENGTH + 1);
}

const PAGE: &str = include_str!("../../../../docs/query-language.md");

#[test]
fn the_page_has_the_grammar_of_the_module() {
    let module: String = include_str!("../parser.rs")
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .flat_map(|line| [line.strip_prefix(' ').unwrap_or(line), "\n"])
        .collect();
    assert!(grammar(PAGE).is_some());
    assert_eq!(grammar(PAGE), grammar(&module));
}

fn grammar(text: &str) -> Option<&str> {
    text.split("```").find(|part| part.starts_with("ebnf\n"))
}

/// The rows between two headings of the page, each cut into its cells.
fn rows(from: &str) -> Vec<Vec<String>> {
    let (_, section) = PAGE.split_once(from).unwrap();
    let section = section.split("\n#").next().unwrap();
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(2);
    rows.map(|row| {
        row.split(" | ")
            .map(|cell| cell.trim_matches(['|', ' ']).to_owned())
            .collect()
    })
    .collect()
}

#[test]
fn the_pages_examples_are_filters() {
    let mut seen = 0;
    for row in rows("### Conditions") {
        for example in row[1].split('`').skip(1).step_by(2) {
            Filter::parse(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} examples found");
}

#[test]
fn the_pages_refusals_are_what_is_said() {
    let refusals = rows("## Errors");
    assert_eq!(refusals.len(), 4);
    for row in refusals {
        let error = refused(row[0].trim_matches('`'));
        assert_eq!(error.to_string(), row[1], "{}", row[0]);
        let hint = row.get(2).filter(|hint| !hint.is_empty()).cloned();
        assert_eq!(error.hint, hint, "{}", row[0]);
    }
}

/// Texts made of the pieces of the language, which get further than arbitrary ones.
fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(
        &[
            "(",
            ")",
            ",",
            "'",
            "\"",
            "\\",
            ".",
            "/",
            " ",
            "and",
            "or",
            "not",
            "eq",
            "ne",
            "in",
            "true",
            "false",
            "null",
            "contains",
            "substringof",
            "startswith(",
            "name",
            "a.b",
            "'x'",
            "\"y\"",
            "5",
            "é",
            "2024-01-01T00:00:00Z",
            "\u{a0}",
        ][..],
    );
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.join(" "))
}

fn survives(text: &str) {
    match Filter::parse(text) {
        Ok(filter) => {
            assert_eq!(
                Filter::parse(&filter.to_string()).as_ref(),
                Ok(&filter),
                "{text}"
            );
            filter.matches(&json!({"name": "x", "a": [{"b": 5}]}));
            filter.matches(&Value::Null);
        }
        Err(error) => assert!(
            (1..=text.chars().count() + 1).contains(&error.column),
            "{text}: {error}"
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn no_mixture_of_its_own_pieces_makes_it_panic(text in pieces()) {
        survives(&text);
    }
}
