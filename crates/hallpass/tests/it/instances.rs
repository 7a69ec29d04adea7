//! Application instances that are made, changed and removed while the server runs: their listeners, and
//! upstreams behind them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{bare_request, get, get_with, is_closed, json_request, token_of, try_send};
use crate::server::Server;
use crate::world::{ANN, Credential, World, eventually};

const SYSTEMS: &str = "/api/v1/storage-systems";

/// A server behind the gateway: answers every request alike, and keeps what came.
struct Behind {
    url: String,
    came: Receiver<String>,
}

impl Behind {
    fn start(answer: &'static str) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/base", socket.local_addr().unwrap());
        let (sender, came) = channel();
        std::thread::spawn(move || {
            for stream in socket.incoming() {
                let Ok(mut stream) = stream else { break };
                let Some(request) = read(&stream) else {
                    continue;
                };
                if sender.send(request).is_err() {
                    break;
                }
                // Whoever asked may be gone.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { url, came }
    }

    fn next(&self) -> String {
        self.came.recv_timeout(crate::world::PATIENCE).unwrap()
    }
}

/// A request, head and body.
fn read(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let start = text.len();
        reader.read_line(&mut text).ok().filter(|read| *read > 0)?;
        let line = text[start..].to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    text.push_str(&String::from_utf8(body).unwrap());
    Some(text)
}

fn make(world: &World, more: &[&str]) -> Value {
    let make = ["instance", "create", "attic", "--title", "Attic"];
    world.admin(&[&make[..], more].concat())
}

fn credential(world: &World, instance: &str) -> Credential {
    world.create_credential(ANN, instance, instance)
}

fn addresses(world: &World) -> Value {
    serde_json::from_slice(&std::fs::read(world.path("addresses.json")).unwrap()).unwrap()
}

#[test]
fn an_instance_listens_at_once_and_again_after_a_restart() {
    let world = World::owner();
    let server = Server::start(&world);
    let made = make(&world, &["--region", "Roof"]);
    let url = made["baseUrl"].as_str().unwrap().to_owned();
    let attic = credential(&world, "attic");
    assert_eq!(attic.base_url, url);
    assert_eq!(addresses(&world)["instances"]["attic"], url.as_str());
    let token = token_of(&attic);
    let list = get_with(&format!("{url}{SYSTEMS}"), &token).is(200).json();
    assert!(list["total"].as_u64().unwrap() > 0);
    // Its tokens are for it, and for no other.
    get_with(&server.us1(SYSTEMS), &token).is(401);
    let start = get(&format!("{}/", server.base()));
    assert!(start.text.replace("<wbr>", "").contains(&url));

    server.stop();
    assert!(is_closed(&url));
    let server = Server::start(&world);
    let moved = Credential {
        token_url: server.token_url().to_owned(),
        ..attic
    };
    let token = token_of(&moved);
    assert_eq!(server.instance("attic"), url);
    get_with(&format!("{url}{SYSTEMS}"), &token).is(200);

    world.admin(&["instance", "change", "attic", "--disable"]);
    let off = get_with(&format!("{url}{SYSTEMS}"), &token).is(503).json();
    assert_eq!(off["errorCode"], "INSTANCE_DISABLED");
    get(&format!("{url}{SYSTEMS}")).is(401);
    world.admin(&["instance", "change", "attic", "--enable"]);
    get_with(&format!("{url}{SYSTEMS}"), &token).is(200);
    let moved = world.admin(&["instance", "change", "attic", "--listen", "127.0.0.1:0"]);
    let elsewhere = moved["baseUrl"].as_str().unwrap();
    assert_ne!(elsewhere, url);
    get_with(&format!("{elsewhere}{SYSTEMS}"), &token).is(200);
    eventually("the end of the old listener", || {
        is_closed(&url).then_some(())
    });

    let taken = server.instance("us1").strip_prefix("http://").unwrap();
    let again = [
        "instance", "create", "cellar", "--title", "Cellar", "--listen", taken,
    ];
    world
        .try_admin(&again)
        .ended(1)
        .says(&["cannot listen on", "hint: "]);
    world
        .try_admin(&["instance", "remove", "attic"])
        .ended(1)
        .says(&["1 credentials"]);
    world.admin(&["instance", "remove", "attic", "--with-credentials"]);
    eventually("the end of the listener", || {
        is_closed(elsewhere).then_some(())
    });
    assert!(addresses(&world)["instances"]["attic"].is_null());
}

#[test]
fn an_instance_made_without_a_server_keeps_the_port_that_was_free() {
    let world = World::owner();
    let made = make(&world, &[]);
    assert_eq!(made["listen"], "127.0.0.1:0");
    let server = Server::start(&world);
    let url = server.instance("attic").to_owned();
    let shown = world.admin(&["instance", "show", "attic"]);
    assert_eq!(shown["baseUrl"], url.as_str());
    assert_eq!(format!("http://{}", shown["listen"].as_str().unwrap()), url);
    server.stop();
    assert_eq!(
        world.admin(&["instance", "show", "attic"])["baseUrl"],
        url.as_str()
    );
}

#[test]
fn permitted_calls_go_to_the_upstream_with_what_this_server_says_about_them() {
    let world = World::owner();
    let _server = Server::start(&world);
    let behind = Behind::start(
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nx-made-by: behind\r\n\
         connection: close, x-secret\r\nx-secret: 1\r\nset-cookie: __Host-hallpass=evil\r\n\
         set-cookie: theirs=1\r\ncontent-length: 13\r\n\r\n{\"made\":true}",
    );
    let made = make(&world, &["--upstream", &behind.url]);
    let url = made["baseUrl"].as_str().unwrap();
    let token = token_of(&credential(&world, "attic"));

    let path = "/api/v1/host-initiators?x=%2Fa&x=b+c";
    let body = json!({"name": "web", "operatingSystem": "Linux", "userCreated": true});
    let request = json_request(&Method::POST, &format!("{url}{path}"), &token, &body)
        .header("x-hallpass-owner", "evil@example.com")
        .header("x_hallpass_workspace", "evil")
        .header("x-forwarded-for", "203.0.113.9")
        .header("x-http-method-override", "DELETE")
        .header("cookie", "__Host-hallpass=secret; theirs=1");
    let answer = try_send(request).unwrap();
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (201, "{\"made\":true}")
    );
    assert_eq!(answer.headers["x-made-by"], "behind");
    assert!(answer.headers.get("x-secret").is_none());
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["theirs=1"]);

    let came = behind.next();
    assert!(
        came.starts_with("POST /base/api/v1/host-initiators?x=%2Fa&x=b+c HTTP/1.1\r\n"),
        "{came}"
    );
    assert!(came.ends_with(&format!("\r\n\r\n{body}")), "{came}");
    for line in [
        "x-hallpass-owner: ann@example.com",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        "cookie: theirs=1",
        "via: 1.1 hallpass",
    ] {
        assert!(came.contains(&format!("\r\n{line}\r\n")), "{line}: {came}");
    }
    assert!(
        came.contains("\r\nx-hallpass-workspace: ") && came.contains("\r\nx-hallpass-client-id: ")
    );
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert!(came.contains(&format!("\r\nx-request-id: {id}\r\n")));
    for word in [
        "evil",
        "203.0.113.9",
        "DELETE",
        "authorization",
        "secret",
        &token,
    ] {
        assert!(!came.contains(word), "{word}: {came}");
    }

    // What this server knows best it answers itself, and what is not permitted goes nowhere.
    get_with(&format!("{url}/api/v1/access-controls"), &token).is(200);
    get(&format!("{url}{SYSTEMS}")).is(401);
    get_with(&format!("{url}/api/v1/nothing"), &token).is(404);
    let change = [
        "instance",
        "change",
        "attic",
        "--upstream",
        &behind.url,
        "--pass-token",
    ];
    world.admin(&change);
    get_with(&format!("{url}{SYSTEMS}"), &token).is(201);
    let came = behind.next();
    assert!(
        came.starts_with("GET /base/api/v1/storage-systems HTTP"),
        "nothing came between: {came}"
    );
    assert!(came.contains(&format!("\r\nauthorization: Bearer {token}\r\n")));
    // A changed origin acts on the next request.
    world.admin(&["instance", "change", "attic", "--sandbox"]);
    get_with(&format!("{url}{SYSTEMS}"), &token).is(200);
}

#[test]
fn an_upstream_that_is_not_there_or_does_not_answer_is_told_apart() {
    let world = World::owner();
    std::fs::write(
        world.data().join("hallpass.toml"),
        "[upstream]\nseconds = 1\n",
    )
    .unwrap();
    let server = Server::start(&world);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", nobody.local_addr().unwrap());
    let made = make(&world, &["--upstream", &silent]);
    let url = format!("{}{SYSTEMS}", made["baseUrl"].as_str().unwrap());
    let token = token_of(&credential(&world, "attic"));
    let late = get_with(&url, &token).is(504);
    let told = late.json();
    assert_eq!(told["errorCode"], "GATEWAY_TIMEOUT");
    assert_eq!(
        told["traceId"],
        late.headers["x-request-id"].to_str().unwrap()
    );
    drop(nobody);
    let gone = get_with(&url, &token).is(502).json();
    assert_eq!(gone["errorCode"], "BAD_GATEWAY");
    let broken = Behind::start("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
    world.admin(&["instance", "change", "attic", "--upstream", &broken.url]);
    get_with(&url, &token).is(502);
    // A certificate that nobody vouches for.
    let tls = server.tls().to_owned();
    world.admin(&["instance", "change", "attic", "--upstream", &tls]);
    get_with(&url, &token).is(502);
    let request = bare_request(&Method::HEAD, &url, &token);
    assert_eq!(try_send(request).unwrap().status, 502);
    world
        .try_admin(&[
            "instance",
            "change",
            "attic",
            "--upstream",
            "http://169.254.169.254",
        ])
        .ended(2)
        .says(&["link-local"]);
}
