//! Credentials with a secret: two secrets, ends, lifetimes, scopes, and the lists of them.

use serde_json::Value;

use super::{items, word};
use crate::http::{Reply, form_request, get_with, post_form, token_form, token_of, try_send};
use crate::server::Server;
use crate::world::{ANN, Credential, World, eventually, text};

const SYSTEMS: &str = "/api/v1/storage-systems";

fn create(world: &World, name: &str, more: &[&str]) -> Credential {
    let command = ["credential", "create", "--owner", ANN, "--instance", "us1"];
    let named = ["--name", name];
    Credential::read(&world.admin(&[&command[..], &named, more].concat()))
}

fn show(world: &World, id: &str) -> Value {
    world.admin(&["credential", "show", id])
}

fn change(world: &World, id: &str, what: &[&str]) -> Value {
    world.admin(&[&["credential", "change", id], what].concat())
}

fn ask(credential: &Credential, more: &str) -> Reply {
    let form = token_form(&credential.client_id, &credential.client_secret);
    post_form(&credential.token_url, &format!("{form}{more}"))
}

#[test]
fn a_second_secret_takes_over_while_tokens_live_on() {
    let world = World::owner();
    let server = Server::start(&world);
    let old = create(&world, "nightly", &[]);
    let id = &old.client_id;
    let token = token_of(&old);
    let rotated = world.admin(&["credential", "rotate", id, "--overlap", "7d"]);
    let new = Credential::read(&rotated);
    get_with(&server.us1(SYSTEMS), &token).is(200);
    token_of(&old);
    token_of(&new);
    let shown = show(&world, id);
    let secrets = shown["secrets"].as_array().unwrap();
    assert_eq!(secrets.len(), 2);
    assert_eq!(word(&secrets[0], "id"), word(&rotated, "oldSecretId"));
    assert_eq!(
        word(&secrets[0], "expiresAt"),
        word(&rotated, "oldSecretExpiresAt")
    );
    assert_eq!(word(&secrets[1], "id"), word(&rotated, "secretId"));
    assert!(secrets[1]["expiresAt"].is_null());
    for secret in secrets {
        word(secret, "createdAt");
        word(secret, "lastUsedAt");
    }
    world
        .try_admin(&["credential", "rotate", id, "--overlap", "7d"])
        .ended(1)
        .says(&["two secrets already", "hint: ", "remove-secret"]);

    let remove = |secret| world.try_admin(&["credential", "remove-secret", id, secret]);
    remove("nonsense")
        .ended(1)
        .says(&["no secret nonsense", "hint: "]);
    let token = token_of(&old);
    remove(word(&rotated, "oldSecretId")).ok();
    ask(&old, "").is(401);
    get_with(&server.us1(SYSTEMS), &token).is(200);
    token_of(&new);
    remove(word(&rotated, "secretId"))
        .ended(1)
        .says(&["only secret"]);
}

#[test]
fn the_old_secret_ends_with_the_overlap() {
    let world = World::owner();
    let _server = Server::start(&world);
    let old = create(&world, "nightly", &[]);
    let id = &old.client_id;
    let new = world.admin(&["credential", "rotate", id, "--overlap", "1s"]);
    eventually("the end of the old secret", || {
        (ask(&old, "").status == 401).then_some(())
    });
    token_of(&Credential::read(&new));
    assert_eq!(show(&world, id)["secrets"][0]["state"], "expired");
    let rotate = ["credential", "rotate", id, "--overlap"];
    world
        .try_admin(&[&rotate[..], &["31d"]].concat())
        .ended(1)
        .says(&["1 to 2592000 seconds", "longest_overlap_days"]);
    world
        .try_admin(&[&rotate[..], &["7"]].concat())
        .ended(2)
        .says(&["a number with its unit", "30d"]);
}

#[test]
fn a_disabled_credential_and_its_tokens_are_dead() {
    let world = World::owner();
    let server = Server::start(&world);
    let credential = create(&world, "nightly", &[]);
    let id = &credential.client_id;
    let token = token_of(&credential);
    let disabled = world.admin(&["credential", "disable", id]);
    assert_eq!(disabled["state"], "disabled");
    get_with(&server.us1(SYSTEMS), &token).is(401);
    ask(&credential, "").is(401);
    let enabled = world.admin(&["credential", "enable", id]);
    assert_eq!(enabled["state"], "enabled");
    get_with(&server.us1(SYSTEMS), &token).is(401);
    let token = token_of(&credential);
    get_with(&server.us1(SYSTEMS), &token).is(200);
}

#[test]
fn tokens_live_as_long_as_the_credential_has_it() {
    let world = World::owner();
    let _server = Server::start(&world);
    let credential = create(&world, "nightly", &["--lifetime", "2m30s"]);
    let id = &credential.client_id;
    let lives = || {
        ask(&credential, "").is(200).json()["expires_in"]
            .as_i64()
            .unwrap()
    };
    assert!((120..=150).contains(&lives()), "{}", lives());
    let changed = change(&world, id, &["--lifetime", "default"]);
    assert_eq!(changed["tokenLifetimeSeconds"], 7200);
    assert!(lives() > 7000);
    for wrong in ["3h", "2h1s"] {
        world
            .try_admin(&["credential", "change", id, "--lifetime", wrong])
            .ended(1)
            .says(&["between 1 and 7200 seconds", "longest_lifetime_seconds"]);
    }
    world
        .try_admin(&["credential", "change", id, "--lifetime", "15"])
        .ended(2)
        .says(&["`default`", "15m"]);
}

#[test]
fn a_credential_ends_when_it_was_told_to_and_can_be_given_more_time() {
    let world = World::owner();
    let server = Server::start(&world);
    let credential = create(&world, "nightly", &["--expires", "5s"]);
    let id = &credential.client_id;
    let token = token_of(&credential);
    eventually("the end of the credential", || {
        (ask(&credential, "").status == 401).then_some(())
    });
    get_with(&server.us1(SYSTEMS), &token).is(401);
    let list = world.admin(&["credential", "list"]);
    assert_eq!(items(&list)[0]["state"], "expired");
    let changed = change(&world, id, &["--expires", "2100-01-01"]);
    assert_eq!(word(&changed, "expiresAt"), "2100-01-01T00:00:00Z");
    token_of(&credential);
    assert!(change(&world, id, &["--expires", "never"])["expiresAt"].is_null());
    world
        .try_admin(&["credential", "change", id, "--expires", "2020-01-01"])
        .ended(1)
        .says(&["cannot expire in the past"]);
    world
        .try_admin(&["credential", "change", id, "--expires", "tomorrow"])
        .ended(2)
        .says(&["`never`", "90d", "2030-12-31"]);
}

#[test]
fn scopes_methods_and_introspection_are_what_was_said() {
    let world = World::owner();
    let _server = Server::start(&world);
    let method = ["--method", "client_secret_basic"];
    let more = [&method[..], &["--scope", "read write", "--introspection"]].concat();
    let credential = create(&world, "nightly", &more);
    let id = &credential.client_id;
    let basic = |form: &str| {
        let request = form_request(&credential.token_url, form);
        let request = request.basic_auth(id, Some(&credential.client_secret));
        try_send(request).unwrap()
    };
    ask(&credential, "").is(401);
    basic("grant_type=client_credentials&scope=read").is(200);
    let refused = basic("grant_type=client_credentials&scope=delete").is(400);
    assert_eq!(refused.json()["error"], "invalid_scope");
    let shown = show(&world, id);
    assert_eq!(shown["scope"], "read write");
    assert_eq!(shown["authentication"], "client_secret_basic");
    assert_eq!(shown["introspection"], true);

    let changed = change(&world, id, &["--scope", "none", "--no-introspection"]);
    assert!(changed["scope"].is_null());
    assert_eq!(changed["introspection"], false);
    basic("grant_type=client_credentials&scope=delete").is(200);
    // What was not named stayed.
    assert_eq!(changed["authentication"], "client_secret_basic");
    world
        .try_admin(&["credential", "change", id])
        .ended(2)
        .says(&["--lifetime", "--no-introspection"]);
}

#[test]
fn lists_have_an_order_and_can_be_narrowed() {
    let world = World::owner();
    let _server = Server::start(&world);
    let charlie = create(&world, "charlie", &[]);
    create(&world, "alpha", &[]);
    let bravo = create(&world, "bravo", &[]);
    let names = |more: &[&str]| -> Vec<String> {
        let list = world.admin(&[&["credential", "list"], more].concat());
        let names = items(&list).iter().map(|item| word(item, "name"));
        names.map(str::to_owned).collect()
    };
    assert_eq!(names(&[]), ["charlie", "alpha", "bravo"]);
    assert_eq!(names(&["--sort", "name"]), ["alpha", "bravo", "charlie"]);
    token_of(&bravo);
    token_of(&charlie);
    // The one that was never used, then by the last use.
    let by_use = names(&["--sort", "last-used"]);
    assert_eq!(by_use, ["alpha", "bravo", "charlie"]);
    assert!(names(&["--older-than", "1d"]).is_empty());
    assert!(names(&["--unused-for", "1d"]).is_empty());
    eventually("all to be older than a second", || {
        (names(&["--older-than", "1s"]).len() == 3).then_some(())
    });
    // Asked again where the machine took more than two seconds from one command to the next.
    eventually("the two that were not used lately", || {
        token_of(&charlie);
        (names(&["--unused-for", "2s"]) == ["alpha", "bravo"]).then_some(())
    });
}

#[test]
fn people_read_a_table_and_are_told_what_to_do() {
    let world = World::owner();
    let data = world.data();
    let told = |arguments: &[&str]| {
        let own = ["admin", "--data", text(&data), "credential"];
        world.run(&[&own, arguments].concat()).ok()
    };
    told(&["list"]).says(&["No credential is like that"]);
    let create = ["create", "--owner", ANN, "--instance", "us1", "--name", "n"];
    let made = told(&create);
    assert!(made.stdout.contains("clientSecret "));
    made.says(&["cannot be shown again"]);
    let list = told(&["list"]);
    let header: Vec<&str> = list
        .stdout
        .lines()
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(
        header,
        [
            "clientId",
            "name",
            "owner",
            "instance",
            "state",
            "createdAt",
            "lastUsedAt",
            "expiresAt",
            "secrets",
            "keys"
        ]
    );
    let id = list
        .stdout
        .lines()
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let shown = told(&["show", id]).stdout;
    assert!(shown.contains("\n\nsecrets\nid "), "{shown}");
    told(&["rotate", id, "--overlap", "12h"]).says(&["The old secret", "is good until"]);
    told(&["disable", id]).says(&["dead for good"]);
    world
        .try_admin(&["credential", "show", "nobody"])
        .ended(1)
        .says(&["no credential nobody", "hint: "]);
}
