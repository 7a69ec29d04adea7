//! `hallpass profile`: connections with a name, and where their secrets are.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::Client;
use crate::world::{Credential, files, run, run_with_input, text};

#[test]
fn profiles_are_added_listed_shown_chosen_and_removed() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let secret_file = world.path("secret");
    std::fs::write(&secret_file, format!("{}\n", credential.client_secret)).unwrap();
    let from_file = [
        &add_profile("first", credential)[..],
        &["--secret-file", text(&secret_file)],
    ];
    let added = world
        .run(&from_file.concat())
        .ok()
        .says(&["only you can read"]);
    assert_eq!(added.stdout, "");
    let from_input = [
        &add_profile("second", credential)[..],
        &["--secret-file", "-"],
    ]
    .concat();
    run_with_input(&mut world.command(&from_input), &credential.client_secret).ok();

    let list = world.run(&["profile", "list", "--json"]).ok().json();
    let names: Vec<(&Value, &Value)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (&item["name"], &item["current"]))
        .collect();
    assert_eq!(
        names,
        [
            (&json!("first"), &json!(true)),
            (&json!("second"), &json!(false))
        ]
    );
    world.run(&["profile", "use", "second"]).ok();
    let shown = world.run(&["profile", "show", "--json"]).ok().json();
    assert_eq!(shown["name"], "second");
    assert_eq!(shown["clientId"], json!(credential.client_id));
    assert_eq!(shown["tokenUrl"], json!(credential.token_url));
    let table = world.run(&["profile", "list"]).ok().stdout;
    assert!(table.lines().next().unwrap().starts_with("name"), "{table}");
    assert_eq!(table.lines().count(), 3);

    // Both work, by choice of any kind.
    let by_flag = world.run(&["token", "-p", "first"]).ok().stdout;
    let by_variable = run(world.command(&["token"]).env("HALLPASS_PROFILE", "first"))
        .ok()
        .stdout;
    assert_eq!(by_flag, by_variable);
    assert_eq!(
        world.run(&["token"]).ok().stdout,
        by_flag,
        "one credential, one token"
    );

    world.run(&["profile", "remove", "second"]).ok();
    let none = world.run(&["token"]).ended(2);
    none.says(&[
        "error: no profile is chosen",
        "first",
        "hint: `hallpass profile use NAME`",
    ]);
    world
        .run(&["profile", "use", "second"])
        .ended(2)
        .says(&["there is no profile `second`", "first"]);
    world
        .run(&["profile", "remove", "second"])
        .ended(2)
        .says(&["there is no profile `second`"]);
}

#[test]
fn secrets_of_profiles_are_in_files_of_their_own() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let add = [&add_profile("us1", credential)[..], &["--secret-file", "-"]].concat();
    run_with_input(&mut world.command(&add), &credential.client_secret).ok();
    let profiles = world.home().join("config/hallpass/profiles.toml");
    assert!(
        std::fs::read_to_string(&profiles)
            .unwrap()
            .contains(&credential.client_id)
    );
    let holders: Vec<_> = files(&world.home())
        .into_iter()
        .filter(|file| {
            std::fs::read_to_string(file)
                .unwrap()
                .contains(&credential.client_secret)
        })
        .collect();
    let [holder] = holders.as_slice() else {
        panic!("{holders:?}");
    };
    let mode = std::fs::metadata(holder).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "{}", text(holder));
    let shown = world.run(&["profile", "show"]).ok().stdout;
    assert!(
        shown.contains(text(holder)) && !shown.contains(&credential.client_secret),
        "{shown}"
    );
    world.run(&["profile", "remove", "us1"]).ok();
    assert!(!holder.exists());
}

#[test]
fn a_profile_is_only_replaced_when_asked_for() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let add = [&add_profile("us1", credential)[..], &["--secret-file", "-"]].concat();
    let add_with = |secret: &str, more: &[&str]| {
        let arguments = [&add[..], more].concat();
        run_with_input(&mut world.command(&arguments), secret)
    };
    add_with(&credential.client_secret, &[]).ok();
    let again = run(&mut world.command(&add)).ended(2);
    again.says(&[
        "error: a profile `us1` exists already",
        "hint: ",
        "--replace",
    ]);
    world.run(&["token"]).ok();
    let refused = add_with("another secret", &["--replace"]).ended(3);
    refused.says(&["nothing was kept", "--no-test"]);
    world.run(&["token"]).ok();
    add_with("another secret", &["--replace", "--no-test"]).ok();
    world.run(&["token", "--renew"]).ended(3);
    // Nothing is kept of what was refused.
    let mut bad = add_profile("bad name", credential);
    bad.extend(["--secret-file", "-"]);
    run(&mut world.command(&bad))
        .ended(2)
        .says(&["`bad name`", "hint: "]);
    let no_terminal = run(&mut world.command(&add_profile("other", credential))).ended(2);
    no_terminal.says(&["no terminal", "--secret-file"]);
    let plain = Credential {
        token_url: "http://sso.example.com/token".to_owned(),
        ..credential.clone()
    };
    let plain = [&add_profile("plain", &plain)[..], &["--secret-file", "-"]].concat();
    run(&mut world.command(&plain))
        .ended(2)
        .says(&["`sso.example.com`", "hint: use https"]);
    let list = world.run(&["profile", "list", "--json"]).ok().json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

pub(super) fn add_profile<'a>(name: &'a str, credential: &'a Credential) -> Vec<&'a str> {
    let urls = [
        "--token-url",
        &credential.token_url,
        "--base-url",
        &credential.base_url,
    ];
    let who = ["profile", "add", name, "--client-id", &credential.client_id];
    [&who[..], &urls].concat()
}
