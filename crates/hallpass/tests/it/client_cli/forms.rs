//! The forms of an answer: as people and programs read them.

use super::Client;
use super::odd::{Odd, json};
use crate::world::text;

/// Numbers that floating point would change, members in an odd order, one of them twice.
const EXACT: &str = r#"{"z":18446744073709551616,"a":1.10,"list":[1e400,-0,9007199254740993],"z":2,"s":"\u00e4\/"}"#;

fn exact() -> Odd {
    Odd::start(|_| json(EXACT))
}

#[test]
fn numbers_come_out_as_the_server_wrote_them_in_every_form() {
    let odd = exact();
    let get = |more: &[&str]| odd.run(&[&["get", "/v"], more].concat()).ok().stdout;
    assert_eq!(
        get(&[]),
        "{\n  \"z\": 18446744073709551616,\n  \"a\": 1.10,\n  \"list\": [\n    1e400,\n    -0,\n    \
         9007199254740993\n  ],\n  \"z\": 2,\n  \"s\": \"\\u00e4\\/\"\n}\n"
    );
    assert_eq!(get(&["-o", "raw"]), EXACT);
    assert_eq!(
        get(&["-o", "yaml"]),
        "a: 1.10\nlist:\n- 1.0e+400\n- -0\n- 9007199254740993\nz: 2\ns: \"ä/\"\n"
    );
    assert_eq!(
        get(&["-o", "csv"]),
        "a,list,z,s\n1.10,\"[1e400,-0,9007199254740993]\",2,ä/\n"
    );
    assert_eq!(
        get(&["-o", "table"]),
        "a     1.10\nlist  [1e400,-0,9007199254740993]\nz     2\ns     ä/\n"
    );
    assert_eq!(
        get(&["--query", ".list[]"]),
        "1e400\n-0\n9007199254740993\n"
    );
    assert_eq!(get(&["--query", ".s, .a", "-o", "raw"]), "ä/\n1.10\n");
    assert_eq!(
        get(&["--query", ".list[], .s", "-o", "yaml"]),
        "1.0e+400\n---\n-0\n---\n9007199254740993\n---\n\"ä/\"\n"
    );
    assert_eq!(
        get(&["--query", ".list[] | {n: .}", "-o", "csv"]),
        "n\n1e400\n-0\n9007199254740993\n"
    );
}

#[test]
fn a_query_is_checked_before_anything_is_sent() {
    let odd = exact();
    odd.run(&["get", "/v", "--query", ".items[ | x"])
        .ended(2)
        .says(&["--query", "character", "hint: "]);
    odd.run(&["get", "/v", "--columns", "a"])
        .ended(2)
        .says(&["-o table"]);
    odd.run(&["get", "/v", "--save", "none/x"])
        .ended(2)
        .says(&["none/x cannot be written"]);
    odd.run(&["get", "/v", "--each"]).ended(2);
    assert_eq!(odd.calls(), [""; 0]);
}

#[test]
fn what_does_not_fit_the_answer_says_that_the_call_was_made() {
    let odd = exact();
    for (options, said) in [
        (&["--query", ".a.b"][..], "--query does not fit the answer"),
        (&["--query", ".", "--each"], "and the answer is none"),
        (&["--all"], "the answer is no list"),
    ] {
        let arguments = [&["get", "/v"], options].concat();
        odd.run(&arguments)
            .ended(1)
            .says(&["the call was made, but ", said]);
    }
    assert_eq!(odd.calls().len(), 3);
}

#[test]
fn what_is_no_json_goes_through_untouched() {
    let bytes: Vec<u8> = (0..=255).collect();
    let sent = bytes.clone();
    let odd = Odd::start(move |path| match path {
        "/empty" => (204, Vec::new(), Vec::new()),
        "/text" => (200, Vec::new(), b"not {json}".to_vec()),
        "/deep" => json(&"[".repeat(200_000)),
        _ => (
            200,
            vec![("content-type", "image/png".to_owned())],
            sent.clone(),
        ),
    });
    for format in ["json", "table", "yaml", "csv", "raw"] {
        let done = odd
            .command(&["get", "/image", "-o", format])
            .output()
            .unwrap();
        assert_eq!(done.stdout, bytes, "{format}");
        assert_eq!(odd.run(&["get", "/empty", "-o", format]).ok().stdout, "");
        assert_eq!(
            odd.run(&["get", "/text", "-o", format]).ok().stdout,
            "not {json}"
        );
        assert_eq!(
            odd.run(&["get", "/deep", "-o", format]).ok().stdout.len(),
            200_000
        );
    }
    odd.run(&["get", "/text", "--query", "."])
        .ended(1)
        .says(&["no JSON"]);
}

#[test]
fn an_answer_is_saved_whole_or_not_at_all() {
    let odd = Odd::start(|path| match path {
        "/bad" | "/half?offset=1" => (500, Vec::new(), Vec::new()),
        path if path.starts_with("/half") => json(r#"{"items":[1],"total":2}"#),
        _ => json(EXACT),
    });
    let file = odd.world.home().join("answer");
    std::fs::write(&file, "before").unwrap();
    let save = ["--save", text(&file)];
    odd.run(&[&["get", "/bad"], &save[..]].concat()).ended(1);
    let half = odd
        .run(&[&["get", "/half", "--all"], &save[..]].concat())
        .ended(1);
    assert_eq!(
        (
            half.stdout.as_str(),
            std::fs::read_to_string(&file).unwrap().as_str()
        ),
        ("", "before")
    );
    let done = odd
        .run(&[&["get", "/v", "-o", "raw"], &save[..]].concat())
        .ok();
    assert_eq!(
        (
            done.stdout.as_str(),
            std::fs::read_to_string(&file).unwrap().as_str()
        ),
        ("", EXACT)
    );
    let left = std::fs::read_dir(odd.world.home()).unwrap();
    assert!(
        left.map(|entry| entry.unwrap().file_name())
            .all(|name| !name.to_string_lossy().starts_with(".hallpass"))
    );
}

#[test]
fn a_table_shows_what_tells_most_and_any_columns_that_are_asked_for() {
    let client = Client::new();
    let run = |more: &[&str]| {
        client
            .run(&[&["call", "VolumesList", "-o"], more].concat())
            .ok()
            .stdout
    };
    let table = run(&["table", "limit=3"]);
    let names: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(names[..2], ["name", "id"], "{table}");
    assert!((4..12).contains(&names.len()), "{table}");
    assert_eq!(table.lines().count(), 4);

    let csv = run(&["csv", "limit=3"]);
    let header = csv.lines().next().unwrap();
    assert!(header.split(',').count() > 12, "{header}");
    let chosen = run(&["csv", "limit=3", "--columns", "name,id"]);
    let volumes = client.run(&["call", "VolumesList", "limit=3"]).ok().json();
    let expected = volumes["items"].as_array().unwrap().iter().map(|volume| {
        format!(
            "{},{}\n",
            volume["name"].as_str().unwrap(),
            volume["id"].as_str().unwrap()
        )
    });
    assert_eq!(chosen, format!("name,id\n{}", expected.collect::<String>()));
}
