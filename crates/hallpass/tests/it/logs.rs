//! The log and the end of a server, as operators see them.

use reqwest::Method;
use serde_json::Value;

use crate::http::{get, get_with, post_form, send_as, token_form, token_of};
use crate::server::Server;
use crate::world::{ANN, World, eventually};

const REQUESTS: (&str, &str) = ("HALLPASS_LOG", "info,hallpass::requests=debug");
const NOTHING: [&str; 0] = [];

fn of_requests(log: &str) -> impl Iterator<Item = Value> {
    let lines = log.lines().filter(|line| line.contains("request answered"));
    lines.map(|line| serde_json::from_str(line).unwrap())
}

#[test]
fn each_request_has_one_line_without_its_query() {
    let world = World::owner();
    let json = ("HALLPASS_LOG_FORMAT", "json");
    let mut server = Server::start_with(&world, &NOTHING, &[REQUESTS, json]);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let token = token_of(&credential);
    get_with(
        &server.us1("/api/v1/storage-systems?limit=1&mark=4711"),
        &token,
    )
    .is(200);
    get(&server.us1("/api/v1/storage-systems")).is(401);
    send_as(&Method::from_bytes(b"STRANGE").unwrap(), server.base()).is(405);
    server.process.signal("TERM");
    assert!(server.process.end().success());
    let log = server.process.stderr.to_end();
    let shown: Vec<_> = of_requests(&log)
        .map(|line| {
            for (name, length) in [("trace_id", 32), ("span_id", 16)] {
                assert_eq!(line[name].as_str().unwrap().len(), length, "{line}");
            }
            assert!(line["milliseconds"].as_f64().unwrap() > 0.0, "{line}");
            assert!(line["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            let what = [text("listener"), text("method"), text("path")].join(" ");
            (what, line["status"].as_u64().unwrap())
        })
        .collect();
    let expected = [
        ("authorization_server POST /as/token.oauth2", 200),
        ("us1 GET /api/v1/storage-systems", 200),
        ("us1 GET /api/v1/storage-systems", 401),
        ("authorization_server other /", 405),
    ];
    assert_eq!(
        shown,
        expected.map(|(what, status)| (what.to_owned(), status))
    );
    assert!(!log.contains("4711"), "{log}");
}

#[test]
fn unless_they_are_asked_for_there_are_no_lines_about_requests() {
    let world = World::owner();
    let mut server = Server::start(&world);
    get(&server.us1("/api/v1/storage-systems")).is(401);
    post_form(server.token_url(), &token_form("nobody", "wrong")).is(401);
    server.process.signal("TERM");
    assert!(server.process.end().success());
    let log = server.process.stderr.to_end();
    assert!(log.contains(" INFO ") && !log.contains("trace_id"), "{log}");
}

/// Load balancers have time to turn away: everything is served while readiness is refused.
#[test]
fn the_end_is_announced_before_it_comes() {
    let world = World::owner();
    let credential = world.create_credential(ANN, "us1", "nightly");
    let mut server = Server::start_with(&world, &["--shutdown-notice", "10000"], &[]);
    let credential = server.moved(&credential);
    let ready = format!("{}/readyz", server.base());
    get(&ready).is(200);
    server.process.signal("TERM");
    eventually("the announcement", || {
        (get(&ready).status == 503).then_some(())
    });
    get(&format!("{}/healthz", server.base())).is(200);
    let token = token_of(&credential);
    get_with(&server.us1("/api/v1/storage-systems"), &token).is(200);
    server.process.signal("TERM");
    assert!(server.process.end().success());
}

/// Where the system tells: a crash writes no memory, and so no secret, into a file.
#[test]
fn a_crash_leaves_no_memory_behind() {
    let server = Server::start(&World::owner());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.process.id()));
    if let Ok(limits) = limits {
        let mut lines = limits
            .lines()
            .filter(|line| line.starts_with("Max core file size"));
        let words: Vec<_> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(words[4..6], ["0", "0"]);
    }
}
