//! `hallpass proxy`: other programs, without a credential, reach the API and nothing else.

use std::process::Command;

use reqwest::Method;
use serde_json::json;

use super::Client;
use super::odd::Odd;
use crate::http::{get, send_as, send_bytes, token_of, try_send};
use crate::server::Running;
use crate::world::eventually;

/// A running proxy, and the address it printed.
struct Proxy {
    running: Running,
    base_url: String,
}

impl Proxy {
    fn start(client: &Client, arguments: &[&str]) -> Self {
        Self::of(&mut client.command(&[&["proxy"], arguments].concat()))
    }

    fn of(command: &mut Command) -> Self {
        let running = Running::start(command);
        let base_url = running.stdout.wait_for("http://");
        Self { running, base_url }
    }

    /// The address without its key.
    fn origin(&self) -> &str {
        self.base_url.rsplit_once('/').unwrap().0
    }
}

#[test]
fn any_program_calls_the_api_without_a_credential() {
    let client = Client::new();
    let proxy = Proxy::start(&client, &[]);
    let systems = get(&format!(
        "{}/api/v1/storage-systems?limit=1",
        proxy.base_url
    ))
    .is(200);
    let direct = client
        .run(&["get", "/api/v1/storage-systems", "limit=1"])
        .ok()
        .json();
    assert_eq!(systems.json()["items"][0]["id"], direct["items"][0]["id"]);
    assert_eq!(client.minted(), 1);

    // Its token dies when another program gets one; no call fails.
    token_of(&client.credential);
    let system = client.system();
    token_of(&client.credential);
    let volumes = format!("/api/v1/storage-systems/device-type1/{system}/volumes");
    let created = reqwest::Client::new()
        .post(format!("{}{volumes}", proxy.base_url))
        .header("content-type", "application/json")
        .body(json!({"name": "by-proxy", "sizeMib": 16384, "userCpg": "SSD_r6"}).to_string());
    let task = try_send(created).unwrap().is(202).json();
    assert!(task["taskUri"].is_string(), "{task}");
    eventually("the new volume", || {
        let volumes = client.run(&["get", "/api/v1/volumes", "filter=name eq 'by-proxy'"]);
        (volumes.ok().json()["items"].as_array()?.len() == 1).then_some(())
    });
}

#[test]
fn nobody_else_comes_in() {
    let client = Client::new();
    let proxy = Proxy::start(&client, &[]);
    let path = "/api/v1/storage-systems";
    let refused = get(&format!("{}{path}", proxy.origin())).is(403).json();
    assert_eq!(refused["errorCode"], "FORBIDDEN");
    let port = proxy.origin().rsplit(':').next().unwrap().to_owned();
    let key = proxy.base_url.rsplit('/').next().unwrap();
    for (field, status) in [
        ("Origin: https://evil.example".to_owned(), "403"),
        ("Sec-Fetch-Site: cross-site".to_owned(), "403"),
        (format!("Host: rebound.example:{port}"), "400"),
    ] {
        let asked = format!(
            "GET /{key}{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{field}\r\nConnection: close\r\n\r\n"
        );
        let answer = send_bytes(proxy.origin(), asked.as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{field}: {answer}"
        );
    }
    let rebound = format!(
        "GET /{key}{path} HTTP/1.1\r\nHost: rebound.example:{port}\r\nConnection: close\r\n\r\n"
    );
    let answer = send_bytes(proxy.origin(), rebound.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    // Nothing of it reached the token endpoint.
    assert_eq!(client.minted(), 0);
}

#[test]
fn without_a_key_it_warns_and_works_under_the_bare_address() {
    let client = Client::new();
    let mut proxy = Proxy::start(&client, &["--no-key"]);
    get(&format!("{}/api/v1/storage-systems", proxy.base_url)).is(200);
    assert!(
        proxy
            .running
            .stderr
            .text()
            .contains("warning: without a key")
    );
    proxy.running.signal("TERM");
    assert!(proxy.running.end().success());
}

#[test]
fn errors_of_the_api_and_of_the_way_there_are_told_apart() {
    let client = Client::new();
    let mut proxy = Proxy::start(&client, &[]);
    let unknown = send_as(&Method::GET, &format!("{}/api/v1/nothing", proxy.base_url));
    assert_eq!(unknown.is(404).json()["errorCode"], "NOT_FOUND");
    drop(client.server);
    let gone = get(&format!("{}/api/v1/storage-systems", proxy.base_url)).is(502);
    assert_eq!(gone.json()["errorCode"], "BAD_GATEWAY");
    proxy.running.signal("INT");
    assert!(proxy.running.end().success());
}

#[test]
fn a_redirect_within_the_api_leads_to_the_proxy_and_any_other_stays_as_it_is() {
    let odd = Odd::start(|path| {
        let to = path.split_once('?').unwrap().1.to_owned();
        (307, vec![("location", to)], Vec::new())
    });
    let proxy = Proxy::of(&mut odd.command(&["proxy"]));
    let host = proxy.origin().strip_prefix("http://").unwrap();
    let key = proxy.base_url.rsplit('/').next().unwrap();
    let api = odd.address();
    for (to, leads_to) in [
        (format!("{api}/b?c=d"), format!("{}/b?c=d", proxy.base_url)),
        ("/b".to_owned(), format!("{}/b", proxy.base_url)),
        ("b".to_owned(), format!("{}/b", proxy.base_url)),
        (
            "//other.example/b".to_owned(),
            "//other.example/b".to_owned(),
        ),
        (format!("{api}0/b"), format!("{api}0/b")),
        (
            "https://other.example/b".to_owned(),
            "https://other.example/b".to_owned(),
        ),
    ] {
        let asked =
            format!("GET /{key}/a?{to} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = send_bytes(proxy.origin(), asked.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 307"), "{answer}");
        let line = format!("\r\nlocation: {leads_to}\r\n");
        assert!(answer.contains(&line), "{line}: {answer}");
    }
}

#[test]
fn it_listens_to_this_machine_only() {
    let client = Client::new();
    let refused = client.run(&["proxy", "--listen", "0.0.0.0:0"]);
    refused.ended(2).says(&["0.0.0.0", "hint: use 127.0.0.1"]);
}
