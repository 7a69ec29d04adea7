//! People and roles, with a server: what the commands and the console's REST API change acts on the
//! next call of the real resource server.

use reqwest::Method;
use serde_json::json;

use super::{items, word};
use crate::http::{bare_request, get_with, post_form, send_json, token_form, token_of, try_send};
use crate::server::Server;
use crate::world::{ANN, World};

const BOB: &str = "bob@example.com";

#[test]
fn a_changed_custom_role_acts_on_the_next_call() {
    let world = World::owner();
    world.admin(&["user", "create", "--email", BOB]);
    let server = Server::start(&world);
    let platform = world.create_credential(ANN, "global", "console");
    let ann = token_of(&platform);
    let bob = token_of(&world.create_credential(BOB, "us1", "nightly"));
    let (systems, controls) = (
        server.us1("/api/v1/storage-systems"),
        server.us1("/api/v1/access-controls?permission=storage-system.read"),
    );
    get_with(&systems, &bob).is(403);
    get_with(&controls, &bob).is(403);

    let roles = format!("{}/workspaces/v1/roles", server.base());
    let wanted = json!({"name": "Reader", "permissions": ["storage-system.read"]});
    let made = send_json(&Method::POST, &roles, &ann, &wanted)
        .is(201)
        .json();
    let person = world.admin(&["user", "list"]);
    let person = items(&person)
        .iter()
        .find(|one| one["email"] == BOB)
        .unwrap();
    let user = format!(
        "{}/workspaces/v1/users/{}",
        server.base(),
        word(person, "id")
    );
    let assignments = format!("{user}/role-assignments");
    let given = json!({"role": "Reader", "instance": "us1"});
    send_json(&Method::POST, &assignments, &ann, &given).is(201);
    get_with(&systems, &bob).is(200);
    let told = get_with(&controls, &bob).is(200).json();
    assert_eq!(told["items"], json!(["storage-system.read"]));
    let types = server.us1("/api/v1/resource-types");
    assert_eq!(
        get_with(&types, &bob).is(200).json()["items"],
        json!(["storage-system"])
    );

    let role = format!("{roles}/{}", word(&made, "id"));
    let other = json!({"name": "Reader", "permissions": ["volume.*"]});
    send_json(&Method::PUT, &role, &ann, &other).is(200);
    get_with(&systems, &bob).is(403);
    assert_eq!(get_with(&controls, &bob).is(200).json()["items"], json!([]));
    get_with(&server.us1("/api/v1/volumes"), &bob).is(200);
    world.admin(&[
        "role",
        "change",
        "reader",
        "--permission",
        "storage-system.read",
    ]);
    get_with(&systems, &bob).is(200);

    let path = "/permissions?instance=us1&allowed=true";
    let may = get_with(&format!("{user}{path}"), &ann).is(200).json();
    let listed = items(&may)
        .iter()
        .any(|one| one["path"] == "/api/v1/storage-systems");
    assert!(listed, "{may}");
    world
        .try_admin(&["role", "remove", "Reader"])
        .ended(1)
        .says(&["assigned to 1 person", "hint: ", "--take-away"]);
    world.admin(&["role", "remove", "Reader", "--take-away"]);
    get_with(&systems, &bob).is(403);
}

#[test]
fn a_disabled_person_gets_nothing_until_enabled_and_a_removed_one_nothing_ever() {
    let world = World::owner();
    world.create_user(BOB, "observer");
    let server = Server::start(&world);
    let bob = world.create_credential(BOB, "us1", "nightly");
    let form = token_form(&bob.client_id, &bob.client_secret);
    let token = token_of(&bob);
    let systems = server.us1("/api/v1/storage-systems");
    get_with(&systems, &token).is(200);

    let disabled = world.admin(&["user", "disable", "--email", BOB]);
    assert_eq!(word(&disabled, "state"), "disabled");
    get_with(&systems, &token).is(401);
    let refused = post_form(&bob.token_url, &form).is(401).json();
    assert_eq!(refused["error"], "invalid_client");
    let enabled = world.admin(&["user", "enable", "--email", BOB]);
    assert_eq!(word(&enabled, "state"), "enabled");
    get_with(&systems, &token).is(200);
    let token = token_of(&bob);

    world.admin(&["user", "remove", "--email", BOB]);
    get_with(&systems, &token).is(401);
    post_form(&bob.token_url, &form).is(401);
}

#[test]
fn an_introspection_knows_that_somebody_is_disabled() {
    let world = World::owner();
    world.create_user(BOB, "observer");
    let server = Server::start(&world);
    let bob = world.create_credential(BOB, "us1", "nightly");
    let asks = ["credential", "create", "--owner", ANN, "--instance", "us1"];
    let asks = world.admin(&[&asks[..], &["--name", "asks", "--introspection"]].concat());
    let token = token_of(&bob);
    let authenticated = format!(
        "client_id={}&client_secret={}",
        word(&asks, "clientId"),
        word(&asks, "clientSecret")
    );
    let introspected = || {
        let url = format!("{}/as/introspect.oauth2", server.base());
        post_form(&url, &format!("{authenticated}&token={token}"))
            .is(200)
            .json()["active"]
            .clone()
    };
    assert_eq!(introspected(), true);
    world.admin(&["user", "disable", "--email", BOB]);
    assert_eq!(introspected(), false);
    world.admin(&["user", "enable", "--email", BOB]);
    assert_eq!(introspected(), true);
}

#[test]
fn roles_are_administered_by_command() {
    let world = World::owner();
    let create = ["role", "create", "Backup", "--permission", "snapshot.*"];
    let rest = ["--permission", "ANY.read", "--description", "nightly"];
    let made = world.admin(&[&create[..], &rest].concat());
    assert_eq!(made["permissions"], json!(["ANY.read", "snapshot.*"]));
    world
        .try_admin(&create)
        .ended(1)
        .says(&["a role named `Backup` exists", "hint: "]);
    world
        .try_admin(&["role", "create", "x", "--permission", "snapshot.fly"])
        .ended(2)
        .says(&["`fly` in `snapshot.fly` is no verb", "hint: "]);
    world
        .try_admin(&["role", "change", "operator", "--name", "x"])
        .ended(2)
        .says(&["operator is built in", "hint: "]);
    world
        .try_admin(&["role", "assign", "--user", ANN, "--role", "root"])
        .ended(1)
        .says(&["there is no role root", "hint: "]);

    let assign = ["role", "assign", "--user", ANN, "--role", "backup"];
    let ann = world.admin(&[&assign[..], &["--instance", "us1"]].concat());
    assert_eq!(word(&ann, "roles"), "administrator, Backup on us1");
    let changed = world.admin(&["role", "change", "Backup", "--name", "Archive"]);
    assert_eq!(changed["description"], "nightly");
    let shown = world.admin(&["role", "show", "archive"]);
    assert_eq!(shown["people"], json!([ANN]));
    let list = world.admin(&["role", "list"]);
    let names: Vec<&str> = items(&list).iter().map(|role| word(role, "role")).collect();
    assert_eq!(names, ["administrator", "operator", "observer", "Archive"]);
    let revoke = ["role", "revoke", "--user", ANN, "--role", "Archive"];
    let ann = world.admin(&[&revoke[..], &["--instance", "us1"]].concat());
    assert_eq!(word(&ann, "roles"), "administrator");
    world.admin(&["role", "remove", "Archive"]);

    let olga = [
        "user",
        "create",
        "--email",
        "olga@example.com",
        "--role",
        "Archive",
    ];
    world
        .try_admin(&olga)
        .ended(1)
        .says(&["there is no role Archive"]);
}

#[test]
fn the_rest_api_keeps_the_last_administrator() {
    let world = World::owner();
    let everything = ["ANY.*", "audit.*", "sandbox.*", "workspace.*"];
    let mut staff = vec!["role", "create", "Staff"];
    staff.extend(everything.iter().flat_map(|words| ["--permission", words]));
    world.admin(&staff);
    world.create_user(BOB, "staff");
    let server = Server::start(&world);
    let bob = token_of(&world.create_credential(BOB, "global", "console"));
    let people = world.admin(&["user", "list"]);
    let ann = items(&people)
        .iter()
        .find(|one| one["email"] == ANN)
        .unwrap();
    let user = format!("{}/workspaces/v1/users/{}", server.base(), word(ann, "id"));
    let refused = try_send(bare_request(&Method::DELETE, &user, &bob))
        .unwrap()
        .is(409)
        .json();
    assert!(
        word(&refused, "message").contains("the last administrator"),
        "{refused}"
    );
    world.create_user("olga@example.com", "administrator");
    try_send(bare_request(&Method::DELETE, &user, &bob))
        .unwrap()
        .is(204);
}
