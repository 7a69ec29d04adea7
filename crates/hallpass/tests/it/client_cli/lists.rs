//! Lists read to their end: written while they come, whole or marked as what they are.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;

use serde_json::{Value, json};

use super::odd::{Answer, Odd, asked, json as answer};
use crate::world::{eventually, signal};

/// A page of `size` items of a list of `total`, each over 100 bytes long.
pub(super) fn page(path: &str, total: usize, size: usize) -> Answer {
    let offset = asked(path, "offset").unwrap_or(0).min(total);
    let end = (offset + asked(path, "limit").unwrap_or(size)).min(total);
    let mut body = String::from(r#"{"items":["#);
    for number in offset..end {
        let mark = if number == offset { "" } else { "," };
        let text = "x".repeat(80);
        write!(
            body,
            r#"{mark}{{"id":"{number:06}","n":{number}.10,"o":{{"t":"{text}"}}}}"#
        )
        .unwrap();
    }
    write!(body, r#"],"total":{total},"pageOffset":{offset}}}"#).unwrap();
    answer(&body)
}

/// Three pages of items that have nothing after the second one but trouble.
fn broken() -> Odd {
    Odd::start(|path| match asked(path, "offset") {
        Some(4) => (500, Vec::new(), br#"{"error":"disk"}"#.to_vec()),
        offset => {
            let first = offset.unwrap_or(0);
            answer(&format!(
                r#"{{"items":[{{"id":{first}}},{{"id":{}}}],"total":6}}"#,
                first + 1
            ))
        }
    })
}

#[test]
fn a_list_that_breaks_off_is_whole_as_far_as_it_came_and_says_so() {
    let odd = broken();
    let get = |more: &[&str]| {
        let done = odd.run(&[&["get", "/v", "--all"], more].concat()).ended(1);
        done.says(&["disk", "4 items came before"]).stdout
    };
    let list: Value = serde_json::from_str(&get(&[])).unwrap();
    assert_eq!(
        list,
        json!({"items": [{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}], "total": 4, "incomplete": true})
    );
    assert_eq!(
        get(&["-o", "yaml"]),
        "items:\n- id: 0\n- id: 1\n- id: 2\n- id: 3\ntotal: 4\nincomplete: true\n"
    );
    assert_eq!(get(&["-o", "csv"]), "id\n0\n1\n2\n3\n");
    assert_eq!(
        get(&["-o", "raw"]),
        "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n"
    );
    assert_eq!(get(&["--query", ".id", "--each"]), "0\n1\n2\n3\n");
    assert_eq!(
        get(&["--query", ".items | length"]),
        "",
        "of a part it would be untrue"
    );
}

#[test]
fn a_list_without_items_is_an_empty_one() {
    let odd = Odd::start(|_| answer(r#"{"items":[],"total":0}"#));
    let get = |more: &[&str]| {
        odd.run(&[&["get", "/v", "--all"], more].concat())
            .ok()
            .stdout
    };
    assert_eq!(get(&[]), "{\n  \"items\": [],\n  \"total\": 0\n}\n");
    assert_eq!(get(&["-o", "yaml"]), "items: []\ntotal: 0\n");
    assert_eq!(get(&["-o", "csv", "--columns", "id,name"]), "id,name\n");
    assert_eq!(get(&["-o", "raw"]), "");
    assert_eq!(get(&["--query", ".total"]), "0\n");
}

#[test]
fn a_query_sees_the_whole_list_or_every_item() {
    let odd = Odd::start(|path| page(path, 25, 10));
    let query = |more: &[&str]| {
        odd.run(&[&["get", "/v", "--all", "--query"], more].concat())
            .ok()
            .stdout
    };
    assert_eq!(query(&[".items | length"]), "25\n");
    assert_eq!(query(&[".n", "--each"]).lines().nth(20), Some("20.10"));
    let rows = query(&["{id, t: (.o.t | length)}", "--each", "-o", "csv"]);
    assert_eq!(rows.lines().count(), 26);
    assert!(
        rows.starts_with("id,t\n000000,80\n") && rows.ends_with("000024,80\n"),
        "{rows}"
    );
}

#[test]
fn values_that_come_too_late_for_a_column_are_told() {
    let odd = Odd::start(|path| match asked(path, "offset") {
        None => answer(r#"{"items":[{"a":1}],"total":2}"#),
        Some(_) => answer(r#"{"items":[{"a":2,"late":{"b":3}}],"total":2}"#),
    });
    let done = odd
        .run(&["get", "/v", "--all", "-o", "csv"])
        .ok()
        .says(&["late.b", "--columns"]);
    assert_eq!(done.stdout, "a\n1\n2\n");
    let asked = odd
        .run(&["get", "/v", "--all", "-o", "csv", "--columns", "a,late.b"])
        .ok();
    assert_eq!(
        (asked.stdout.as_str(), asked.stderr.as_str()),
        ("a,late.b\n1,\n2,3\n", "")
    );
}

#[test]
fn a_list_that_changes_is_doubted() {
    let odd = Odd::start(|path| match asked(path, "offset") {
        None => answer(r#"{"items":[{"id":1}],"total":2}"#),
        Some(_) => answer(r#"{"items":[{"id":2},{"id":3}],"total":3}"#),
    });
    let done = odd
        .run(&["get", "/v", "--all"])
        .ok()
        .says(&["changed while it was read"]);
    assert_eq!(done.json()["total"], 3);
}

#[test]
fn a_reader_that_goes_away_ends_the_reading() {
    let odd = Odd::start(|path| page(path, 100_000, 1000));
    let mut child = odd.command(&["get", "/v", "--all"]).spawn().unwrap();
    let mut begin = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut begin).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    assert!(odd.calls().len() < 20, "{}", odd.calls().len());
}

#[test]
fn ctrl_c_closes_the_list() {
    let odd = Odd::start(|path| page(path, 100_000, 1000));
    let mut child = odd.command(&["get", "/v", "--all"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut text: String = lines.by_ref().take(2).map(Result::unwrap).collect();
    signal(child.id(), "INT");
    text.extend(lines.map(Result::unwrap));
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130), "{done:?}");
    let list: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list["incomplete"], true);
    let came = list["items"].as_array().unwrap().len();
    assert!(came < 100_000 && list["total"] == came, "{came}");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(
        said.contains(&format!("{came} items came before")),
        "{said}"
    );
}

/// Reads until `part` has come, and tells the most memory the process has had by then. It is not
/// at its end: what comes after does not fit into the pipe.
fn peak(child: &mut Child, part: &str) -> u64 {
    let out = child.stdout.as_mut().unwrap();
    let (mut seen, mut chunk) = (Vec::new(), [0; 8192]);
    while !seen
        .windows(part.len())
        .any(|window| window == part.as_bytes())
    {
        let tail = seen.len().saturating_sub(part.len());
        seen.drain(..tail);
        let read = out.read(&mut chunk).unwrap();
        assert_ne!(read, 0, "`{part}` did not come");
        seen.extend_from_slice(&chunk[..read]);
    }
    let peak = eventually("the memory of the process", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    peak
}

/// 100 000 items need hardly more memory than one page of two thousand, in every form.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_list() {
    let odd = Odd::start(|path| page(path, 100_000, 2000));
    for (form, near_the_end) in [
        ("json", "\"096000\""),
        ("yaml", "id: \"096000\""),
        ("csv", "096000,"),
        ("table", "096000"),
        ("raw", "\"096000\""),
    ] {
        let columns: &[&str] = if form == "table" {
            &["--columns", "id,o.t"]
        } else {
            &[]
        };
        let start = |more: &[&str]| {
            let get = ["get", "/v", "-o", form];
            odd.command(&[&get, columns, more].concat())
                .spawn()
                .unwrap()
        };
        let one = peak(&mut start(&[]), "000000");
        let all = peak(&mut start(&["--all"]), near_the_end);
        assert!(
            all * 2 < one * 3,
            "{form}: {all} kB for all, {one} kB for one page"
        );
    }
}
