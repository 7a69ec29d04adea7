//! The sequence of commands that scripts rely on, word for word, and what a running server promises.

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::http::{get, get_with, is_closed, post_form, token_form, token_of};
use crate::server::{Running, Server};
use crate::world::{ANN, World, eventually, run, text};

/// `name` of an answer, which must be a text.
#[track_caller]
fn word<'a>(answer: &'a Value, name: &str) -> &'a str {
    let value = answer[name].as_str();
    value.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn names(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_script_goes_from_nothing_to_an_answer() {
    let world = World::new();
    let (data, file) = (world.data(), world.path("F"));
    let (d, f) = (text(&data), text(&file));
    let create = ["admin", "user", "create", "--data", d, "--email", ANN];
    let user = world.run(&[&create[..], &["--role", "administrator", "--json"]].concat());
    let user = user.ok().json();
    assert_eq!(word(&user, "id").len(), 36);
    assert!(
        word(&user, "setupUrl").starts_with("http://127.0.0.1:8080/setup/"),
        "{user}"
    );

    let create = ["admin", "credential", "create", "--data", d, "--owner", ANN];
    let rest = ["--instance", "us1", "--name", "nightly", "--json"];
    let made = world.run(&[&create[..], &rest].concat()).ok();
    assert_eq!(made.stderr, "");
    let made = made.json();
    for name in [
        "clientId",
        "clientSecret",
        "applicationInstanceId",
        "tokenUrl",
        "baseUrl",
    ] {
        assert!(!word(&made, name).is_empty());
    }
    // The configured addresses, since no server runs.
    assert_eq!(
        word(&made, "tokenUrl"),
        "http://127.0.0.1:8080/as/token.oauth2"
    );
    assert_eq!(word(&made, "baseUrl"), "http://127.0.0.1:8083");

    let serve = [
        "serve",
        "--data",
        d,
        "--listen",
        "127.0.0.1:0",
        "--address-file",
        f,
    ];
    let mut server = Running::start(&mut world.command(&serve));
    // It appears whole, by rename: whoever finds it can use it.
    let addresses = eventually("the address file", || std::fs::read_to_string(&file).ok());
    let addresses: Value = serde_json::from_str(&addresses).unwrap();

    let form = token_form(word(&made, "clientId"), word(&made, "clientSecret"));
    let answer = post_form(word(&addresses, "tokenUrl"), &form)
        .is(200)
        .json();
    assert_eq!(answer["token_type"], "Bearer");
    let base = word(&addresses["instances"], "us1");
    let url = format!("{base}/api/v1/storage-systems");
    let systems = get_with(&url, word(&answer, "access_token")).is(200).json();
    assert!(!systems["items"].as_array().unwrap().is_empty());

    server.signal("TERM");
    assert!(server.end().success());
    assert!(!file.exists(), "the addresses are not true any more");
}

#[test]
fn the_address_file_names_everything_and_nothing_else() {
    let server = Server::start(&World::owner());
    let addresses = &server.addresses;
    let keys = [
        "authorizationServer",
        "tokenUrl",
        "console",
        "instances",
        "tls",
        "proxy",
        "metrics",
        "caFile",
    ];
    assert_eq!(names(addresses), keys);
    assert_eq!(
        names(&addresses["instances"]),
        ["eu1", "global", "jp1", "us1"]
    );
    assert_eq!(
        word(addresses, "tokenUrl"),
        format!("{}/as/token.oauth2", server.base())
    );
    assert_eq!(word(addresses, "console"), format!("{}/", server.base()));
    assert_eq!(word(&addresses["instances"], "global"), server.base());
    for instance in ["eu1", "jp1", "us1"] {
        let base = word(&addresses["instances"], instance);
        get(&format!("{base}/api/v1/storage-systems")).is(401);
    }
}

/// The page for people and the metadata for programs lead to the keys where they are.
#[test]
fn the_start_page_and_the_metadata_name_the_first_path_of_the_keys() {
    let world = World::new();
    world.admin(&["init"]);
    let configuration = "[keys]\npaths = [\"/ext/keys\", \"/pf/JWKS\"]\n";
    std::fs::write(world.data().join("hallpass.toml"), configuration).unwrap();
    let server = Server::start(&world);
    let keys = format!("{}/ext/keys", server.base());
    assert!(get(&keys).is(200).json()["keys"].is_array());
    let page = get(&format!("{}/", server.base())).is(200).text;
    // Where a long address may be broken.
    let page = page.replace("<wbr>", "");
    assert!(page.contains(&keys) && !page.contains("jwks"), "{page}");
    let metadata = "/.well-known/oauth-authorization-server";
    let metadata = get(&format!("{}{metadata}", server.base())).is(200);
    assert_eq!(word(&metadata.json(), "jwks_uri"), keys);
}

#[test]
fn commands_go_to_the_running_server_and_act_at_once() {
    let world = World::owner();
    let server = Server::start(&world);
    // Real addresses, and good for the next request.
    let credential = world.create_credential(ANN, "us1", "nightly");
    assert_eq!(credential.token_url, server.token_url());
    assert_eq!(credential.base_url, server.us1(""));
    let token = token_of(&credential);
    let systems = server.us1("/api/v1/storage-systems");
    get_with(&systems, &token).is(200);

    let revoke = ["role", "revoke", "--user", ANN, "--role", "administrator"];
    world.admin(&revoke);
    get_with(&systems, &token).is(403);
    world.admin(&["role", "assign", "--user", ANN, "--role", "observer"]);
    get_with(&systems, &token).is(200);

    let setup = world.create_user("bob@example.com", "observer");
    assert!(word(&setup, "setupUrl").starts_with(&format!("{}/setup/", server.base())));
    get(word(&setup, "setupUrl")).is(200);

    world.admin(&["credential", "delete", &credential.client_id]);
    get_with(&systems, &token).is(401);
    let form = token_form(&credential.client_id, &credential.client_secret);
    post_form(server.token_url(), &form).is(401);
}

#[test]
fn a_reset_ends_the_token_and_the_secret_at_once() {
    let world = World::owner();
    let server = Server::start(&world);
    let old = world.create_credential(ANN, "us1", "nightly");
    let token = token_of(&old);
    let reset = world.admin(&["credential", "reset", &old.client_id]);
    get_with(&server.us1("/api/v1/storage-systems"), &token).is(401);
    post_form(
        &old.token_url,
        &token_form(&old.client_id, &old.client_secret),
    )
    .is(401);
    let new = token_form(&old.client_id, word(&reset, "clientSecret"));
    post_form(&old.token_url, &new).is(200);
}

#[test]
fn a_refused_command_says_the_same_with_and_without_a_server() {
    let world = World::owner();
    let refused = |world: &World| {
        let command = ["credential", "create", "--owner", "eve@example.com"];
        let rest = ["--instance", "us1", "--name", "x"];
        let done = world.try_admin(&[&command[..], &rest].concat()).ended(1);
        assert_eq!(done.stdout, "");
        done.says(&["error: ", "eve@example.com", "hint: "]).stderr
    };
    let without = refused(&world);
    let _server = Server::start(&world);
    assert_eq!(refused(&world), without);
}

#[test]
fn a_second_server_on_the_same_data_names_the_first() {
    let world = World::owner();
    let server = Server::start(&world);
    let (process, base) = (format!("process {}", server.process.id()), server.base());
    let second = run(&mut Server::command(&world)).ended(1);
    let second = second.says(&[&process, base, text(&world.data()), "hint: "]);
    assert_eq!(second.stdout, "");
    // The first one is none the worse.
    get(&format!("{base}/readyz")).is(200);
}

#[test]
fn the_data_directory_is_for_its_owner_only() {
    let world = World::owner();
    let data = world.data();
    let _server = Server::start(&world);
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("master.key")), 0o600);
    assert_eq!(mode(&data.join("admin.sock")), 0o600);
    assert_eq!(mode(&data.join("hallpass.db")) & 0o077, 0);
}

#[test]
fn a_directory_that_is_open_to_others_is_refused_and_left_alone() {
    let world = World::new();
    let data = world.data();
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, Permissions::from_mode(0o750)).unwrap();
    let refused = run(&mut Server::command(&world)).ended(2);
    refused.says(&[text(&data), "750", "hint: ", "chmod 700"]);
    assert_eq!(mode(&data), 0o750);
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 0);
    std::fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    Server::start(&world).stop();
}

#[test]
fn both_signals_stop_it_cleanly() {
    for name in ["TERM", "INT"] {
        let world = World::owner();
        let mut server = Server::start(&world);
        server.process.signal(name);
        let status = server.process.end();
        assert_eq!(
            status.code(),
            Some(0),
            "{name}: {}",
            server.process.stderr.text()
        );
        assert!(!world.path("addresses.json").exists(), "{name}");
        assert!(!world.data().join("admin.sock").exists(), "{name}");
    }
}

#[test]
fn a_request_under_way_is_answered_before_the_end() {
    let world = World::owner();
    let credential = world.create_credential(ANN, "us1", "nightly");
    let mut server = Server::start(&world);
    let form = token_form(&credential.client_id, &credential.client_secret);
    let address = server.base().strip_prefix("http://").unwrap().to_owned();
    let mut connection = TcpStream::connect(&address).unwrap();
    connection
        .set_read_timeout(Some(crate::world::PATIENCE))
        .unwrap();
    let head = format!(
        "POST /as/token.oauth2 HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    // The server asks for the body, so the request is under way.
    let mut said = [0; 25];
    connection.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 100 Continue\r\n\r\n");

    server.process.signal("TERM");
    server.process.stderr.wait_for("stopping");
    eventually("the end of listening", || {
        is_closed(server.base()).then_some(())
    });
    connection.write_all(form.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"access_token\":"), "{answer}");
    assert!(server.process.end().success());
}

#[test]
fn an_address_file_that_cannot_be_written_stops_the_server_and_leaves_no_socket() {
    let world = World::owner();
    let data = world.data();
    let nowhere = world.path("missing/addresses.json");
    let serve = ["serve", "--data", text(&data), "--listen", "127.0.0.1:0"];
    let done = world.run(&[&serve[..], &["--address-file", text(&nowhere)]].concat());
    done.ended(2).says(&["error: ", text(&nowhere)]);
    assert!(!data.join("admin.sock").exists());
}
