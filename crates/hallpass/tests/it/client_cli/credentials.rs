//! `hallpass credential` against a running server.

use serde_json::Value;

use super::Client;
use crate::http::token_of;
use crate::world::{ANN, Credential, Done};

/// A server, and a credential of Ann for the platform itself.
fn platform() -> (Client, Credential) {
    let client = Client::new();
    let platform = client.world.create_credential(ANN, "global", "remote");
    (client, platform)
}

fn run(client: &Client, platform: &Credential, arguments: &[&str]) -> Done {
    crate::world::run(&mut client.command_as(platform, arguments))
}

#[test]
fn credentials_are_made_shown_reset_and_deleted_from_elsewhere() {
    let (client, platform) = platform();
    let run = |arguments: &[&str]| run(&client, &platform, arguments);
    let us1 = "3c18bd03-8306-4c7c-942e-c704a4b8744c";

    let made = run(&[
        "credential",
        "create",
        "from afar",
        "--instance",
        us1,
        "--json",
    ])
    .ok();
    let made = made.json();
    assert_eq!(made["credentialName"], "from afar");
    assert_eq!(made["applicationInstanceId"], us1);
    let id = made["clientId"].as_str().unwrap();
    let secret = made["clientSecret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);

    let listed = run(&["credential", "list", "--json"]).ok();
    assert!(!listed.stdout.contains(secret));
    assert_eq!(listed.json()["count"], 3);
    let table = run(&["credential", "list"]).ok().stdout;
    assert!(table.contains("from afar") && table.contains(id), "{table}");
    for named in [id, "from afar"] {
        let shown = run(&["credential", "show", named, "-o", "json"]).ok();
        assert_eq!(shown.json()["clientId"], id);
    }

    let off = run(&["credential", "disable", "from afar", "--json"]).ok();
    assert_eq!(off.json()["state"], "disabled");
    let listed = run(&["credential", "list", "--owner", "all"]).ok().stdout;
    assert!(
        listed.contains("disabled") && listed.contains(ANN),
        "{listed}"
    );
    let on = run(&["credential", "enable", id]).ok().stdout;
    assert!(on.contains("active"), "{on}");

    let reset = run(&["credential", "reset", "from afar", "--yes", "--json"]).ok();
    assert_ne!(reset.json()["clientSecret"].as_str().unwrap(), secret);
    run(&["credential", "delete", id, "--yes"]).ok();
    let gone = run(&["credential", "show", id]);
    assert_eq!(gone.code, Some(1), "{}", gone.stderr);
    assert!(
        gone.stderr.contains("hint: `hallpass credential list`"),
        "{}",
        gone.stderr
    );
}

#[test]
fn what_a_credential_may_do_is_said_and_changed_from_elsewhere() {
    let (client, platform) = platform();
    let run = |arguments: &[&str]| run(&client, &platform, arguments);
    let create = "credential create bounded --instance us1 --expires 2099-12-31 --lifetime 15m --scope read --json";
    let made = run(&create.split(' ').collect::<Vec<_>>()).ok().json();
    let first = Credential {
        client_secret: made["clientSecret"].as_str().unwrap().to_owned(),
        client_id: made["clientId"].as_str().unwrap().to_owned(),
        ..platform.clone()
    };
    let shown = run(&["credential", "show", "bounded", "--json"])
        .ok()
        .json();
    assert_eq!(shown["expiresAt"], "2099-12-31 00:00:00.000000");
    assert_eq!(shown["tokenLifetimeSeconds"], 900);
    assert_eq!(shown["scope"], "read");

    let change = "credential change bounded --expires never --lifetime default --json";
    let changed = run(&change.split(' ').collect::<Vec<_>>()).ok().json();
    assert_eq!(changed["expiresAt"], Value::Null);
    assert_ne!(changed["tokenLifetimeSeconds"], 900);
    assert_eq!(changed["scope"], "read", "what is not named stays");
    let table = run(&["credential", "change", "bounded", "--scope", "none"]).ok();
    assert!(
        table.stdout.contains("tokenLifetimeSeconds"),
        "{}",
        table.stdout
    );
    let nothing = run(&["credential", "change", "bounded"]);
    assert_eq!(nothing.code, Some(2), "{}", nothing.stderr);
    assert!(
        nothing.stderr.contains("hint: say --expires"),
        "{}",
        nothing.stderr
    );

    // With an overlap it asks nothing, and both secrets are good.
    let reset = "credential reset bounded --overlap 1h --json";
    let reset = run(&reset.split(' ').collect::<Vec<_>>()).ok().json();
    let second = Credential {
        client_secret: reset["clientSecret"].as_str().unwrap().to_owned(),
        ..first.clone()
    };
    for good in [&first, &second] {
        token_of(good);
    }
}

#[test]
fn a_new_secret_goes_into_a_profile_and_is_not_printed() {
    let (client, platform) = platform();
    let run = |arguments: &[&str]| run(&client, &platform, arguments);
    let create = [
        "credential",
        "create",
        "kept",
        "--instance",
        "us1",
        "--save-as",
        "storage",
        "--store",
        "file",
        "--json",
    ];
    let made = run(&create).ok();
    assert_eq!(made.json()["clientSecret"], Value::Null);
    assert!(!made.stdout.contains("clientSecret") && made.stderr.contains("secret is kept in"));

    // No connection in the environment: what was kept is enough.
    let list = |client: &Client| {
        let call = ["call", "DeviceType1SystemsList", "limit=1", "-p", "storage"];
        crate::world::run(&mut client.world.command(&call))
    };
    list(&client).ok();
    let again = run(&create);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert!(
        again
            .stderr
            .contains("there is a profile `storage` already")
    );
    let known = run(&["credential", "list", "--json"]).ok().json();
    assert_eq!(known["count"], 3, "nothing was made that nobody could use");

    let reset = run(&[
        "credential",
        "reset",
        "kept",
        "--yes",
        "--save-as",
        "storage",
        "--store",
        "file",
    ])
    .ok();
    assert!(!reset.stdout.contains("clientSecret"));
    list(&client).ok();
    let other = run(&[
        "credential",
        "reset",
        "remote",
        "--yes",
        "--save-as",
        "storage",
    ]);
    assert_eq!(other.code, Some(2));
    assert!(
        other.stderr.contains("is of the client"),
        "{}",
        other.stderr
    );
}

#[test]
fn a_profile_of_a_region_is_told_what_is_missing() {
    let (client, _) = platform();
    let refused = client.run(&["credential", "list"]);
    assert_ne!(refused.code, Some(0));
    assert!(
        refused.stderr.contains("must be one of the platform"),
        "{}",
        refused.stderr
    );
}
