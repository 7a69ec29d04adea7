//! Several definitions side by side, through the real server: each is answered as if it were alone, one
//! set of permissions covers them all, and each is documented for itself.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{get, get_with, send_json, token_of};
use crate::server::Server;
use crate::world::{ANN, World, text};

/// OpenAPI 3.1, where the built-in definition is 3.0.
const LIBRARY: &str = include_str!("../../../sandbox/tests/it/library.yaml");
const BOB: &str = "bob@example.com";
const HOSTS: &str = "/api/v1/host-initiators";

/// A world whose settings name the built-in definition and the library's.
fn with_both() -> World {
    let world = World::owner();
    std::fs::write(world.path("library.yaml"), LIBRARY).unwrap();
    settings(&world, "api = [\"built-in\", \"../library.yaml\"]\n");
    world
}

fn settings(world: &World, text: &str) {
    std::fs::write(world.data().join("hallpass.toml"), text).unwrap();
}

fn make_host(server: &Server, token: &str, name: &str) {
    let body = json!({"name": name, "operatingSystem": "Linux", "userCreated": true});
    let url = server.us1(HOSTS);
    let made = send_json(&Method::POST, &url, token, &body);
    assert!(made.status < 300, "{}", made.text);
}

fn hosts(server: &Server, token: &str) -> Vec<Value> {
    let list = get_with(&server.us1(&format!("{HOSTS}?limit=1000")), token);
    let list = list.is(200).json();
    let items = list["items"].as_array().unwrap().iter();
    items.map(|one| one["name"].clone()).collect()
}

#[test]
fn both_are_kept_and_what_was_there_before_one_was_added_stays() {
    let world = with_both();
    settings(&world, "");
    let token = |name: &str| token_of(&world.create_credential(ANN, "us1", name));
    let server = Server::start(&world);
    let ann = token("one");
    make_host(&server, &ann, "first");
    get_with(&server.us1("/libraries"), &ann).is(404);
    server.stop();

    settings(&world, "api = [\"../library.yaml\", \"built-in\"]\n");
    let server = Server::start(&world);
    let ann = token("two");
    assert!(hosts(&server, &ann).contains(&json!("first")));
    make_host(&server, &ann, "second");
    let body = json!({"name": "Central", "city": "Porto", "motto": null});
    let libraries = server.us1("/v2/libraries");
    let library = send_json(&Method::POST, &libraries, &ann, &body)
        .is(201)
        .json();
    let one = format!("/libraries/{}", library["id"]);
    // Of the storage API only, a PUT leaves alone what it does not name.
    let books = format!("{one}/books");
    let book = json!({"title": "Dom Casmurro", "pages": 256});
    let book = send_json(&Method::POST, &server.us1(&books), &ann, &book)
        .is(201)
        .json();
    let book = format!("{books}/{}", book["id"].as_str().unwrap());
    let put = send_json(
        &Method::PUT,
        &server.us1(&book),
        &ann,
        &json!({"title": "Iracema"}),
    )
    .is(200);
    assert_eq!(put.json()["pages"], Value::Null, "{}", put.text);
    server.kill();

    world.admin(&[
        "sandbox",
        "save",
        "--instance",
        "us1",
        "--file",
        text(&world.path("state")),
    ]);
    let server = Server::start_with(
        &world,
        &[
            "--api",
            "built-in",
            "--api",
            text(&world.path("library.yaml")),
        ],
        &[],
    );
    let ann = token("three");
    assert_eq!(get_with(&server.us1(&one), &ann).is(200).json(), library);
    assert_eq!(
        get_with(&server.us1(&book), &ann).is(200).json(),
        put.json()
    );
    let names = hosts(&server, &ann);
    assert!(names.contains(&json!("first")) && names.contains(&json!("second")));
    server.stop();

    settings(&world, "");
    let server = Server::start(&world);
    let ann = token("four");
    assert_eq!(hosts(&server, &ann), names, "the other one was taken away");
    get_with(&server.us1(&one), &ann).is(404);
}

#[test]
fn a_role_has_words_of_each_and_the_path_of_a_server_is_its_own() {
    let world = with_both();
    let bob = world.admin(&["user", "create", "--email", BOB]);
    let server = Server::start(&world);
    let ann = token_of(&world.create_credential(ANN, "global", "console"));
    let token = token_of(&world.create_credential(BOB, "us1", "nightly"));
    let platform = format!("{}/workspaces/v1", server.base());
    let wanted = json!({"name": "Reader", "permissions": ["library.read"]});
    send_json(&Method::POST, &format!("{platform}/roles"), &ann, &wanted).is(201);
    let assign = ["role", "assign", "--user", BOB, "--role", "Reader"];
    world.admin(&[&assign[..], &["--instance", "us1"]].concat());
    let status = |path: &str| get_with(&server.us1(path), &token).status;
    assert_eq!([status("/libraries"), status("/v2/libraries")], [200, 200]);
    assert_eq!(status("/api/v1/storage-systems"), 403);
    let may = format!(
        "/users/{}/permissions?instance=us1&allowed=true",
        bob["id"].as_str().unwrap()
    );
    let may = get_with(&format!("{platform}{may}"), &ann).is(200).json();
    let paths = may["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["path"]);
    let paths: Vec<&Value> = paths.collect();
    assert!(paths.contains(&&json!("/libraries")), "{may}");
    assert!(!paths.contains(&&json!("/api/v1/storage-systems")), "{may}");

    let systems = ["--permission", "storage-system.read"];
    world.admin(&[&["role", "change", "Reader"], &systems[..]].concat());
    assert_eq!(status("/libraries"), 403);
    assert_eq!(status("/api/v1/storage-systems"), 200);
    let ann = token_of(&world.create_credential(ANN, "us1", "all"));
    get_with(&server.us1("/v2/api/v1/storage-systems"), &ann).is(404);
}

#[test]
fn each_is_a_book_of_its_own() {
    let world = with_both();
    let server = Server::start(&world);
    let page = |path: &str| get(&format!("{}{path}", server.base())).is(200);
    let shelf = page("/doc/").text;
    for path in ["/doc/hallpass/", "/doc/api/v1/", "/doc/api/v1/library/"] {
        assert!(
            shelf.contains(&format!("href=\"{path}\"")),
            "{path}: {shelf}"
        );
    }
    let library = page("/doc/api/v1/library/").text;
    assert!(library.contains("listLibraries") && !library.contains("host-initiators"));
    let first = page("/doc/api/v1/").text;
    assert!(first.contains("host-initiators") && !first.contains("listLibraries"));
    let operation = page("/doc/api/v1/library/operations/burnBook").text;
    assert!(operation.contains("book.update"), "{operation}");
    let own = hallpass_openapi::Definition::read(LIBRARY)
        .unwrap()
        .definition;
    let json = page("/doc/api/v1/library.json").json();
    assert_eq!(&json, own.document());
    let yaml = page("/doc/api/v1/library.yaml").text;
    let yaml = hallpass_openapi::Definition::read(&yaml)
        .unwrap()
        .definition;
    assert_eq!(yaml.document(), own.document());
    let storage = page("/doc/api/v1/storage-api.json").json();
    assert_eq!(storage["openapi"], "3.0.3");
    assert!(storage["paths"].get("/libraries").is_none());
}

#[test]
fn two_that_say_what_the_same_request_does_are_refused_at_the_start() {
    let world = with_both();
    let other = world.path("other.yaml");
    let paths = "paths: { '/libraries/{name}': { get: { operationId: other, responses: {} } } }";
    std::fs::write(&other, format!("openapi: 3.0.3\n{paths}\n")).unwrap();
    let library = world.path("library.yaml");
    let serve = |api: [&Path; 2]| {
        let arguments = ["--api", text(api[0]), "--api", text(api[1])];
        crate::world::run(Server::command(&world).args(arguments)).ended(2)
    };
    serve([&library, &other]).says(&[
        "library.yaml and ",
        "other.yaml both say what `GET /libraries/{name}` does",
        "hint: ",
        "leave one of the two out",
    ]);
    std::fs::write(
        &other,
        format!(
            "openapi: 3.0.3\n{}\n",
            paths
                .replace("libraries", "shops")
                .replace("other", "getLoan")
        ),
    )
    .unwrap();
    serve([&other, &library]).says(&[
        "other.yaml and ",
        "library.yaml both have an operation called `getLoan`",
        "hint: ",
        "operationId",
    ]);
}

#[test]
fn the_settings_are_printed_as_they_are_meant() {
    let world = with_both();
    let data = world.data();
    let print = |more: &[&str]| {
        let serve = ["serve", "--print-config", "--data", text(&data)];
        let printed = world.run(&[&serve, more].concat()).ok().stdout;
        let line = printed.lines().find(|line| line.starts_with("api"));
        line.unwrap_or_default().to_owned()
    };
    let file = data.join("../library.yaml");
    assert_eq!(
        print(&[]),
        format!("api = [\"built-in\", \"{}\"]", text(&file))
    );
    assert_eq!(print(&["--api", "x.json"]), "api = \"x.json\"");
    assert_eq!(
        print(&["--api", "x.json", "--api", "built-in"]),
        "api = [\"x.json\", \"built-in\"]"
    );
}

/// The service's own definition is never part of the project.
#[test]
fn the_published_definition_is_served_beside_a_small_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/storage-api.json");
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let world = with_both();
    let library = world.path("library.yaml");
    let arguments = ["--api", text(&path), "--api", text(&library)];
    let server = Server::start_with(&world, &arguments, &[]);
    let ann = token_of(&world.create_credential(ANN, "us1", "nightly"));
    make_host(&server, &ann, "beside");
    assert!(hosts(&server, &ann).contains(&json!("beside")));
    let body = json!({"name": "Central", "city": "Porto"});
    let made = send_json(&Method::POST, &server.us1("/libraries"), &ann, &body).is(201);
    let one = format!("/v2/libraries/{}", made.json()["id"]);
    assert_eq!(
        get_with(&server.us1(&one), &ann).is(200).json(),
        made.json()
    );
    let wrong = json!({"name": "", "city": "Porto"});
    send_json(&Method::POST, &server.us1("/libraries"), &ann, &wrong).is(400);
}
