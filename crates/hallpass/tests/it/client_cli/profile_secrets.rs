//! How a secret comes into a profile, and that it is found nowhere it should not be.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::Client;
use super::profiles::add_profile;
use crate::world::{ANN, Done, files, run, run_with_input, text};

/// Those of these files that hold the text.
fn holders(folder: &Path, secret: &str) -> Vec<std::path::PathBuf> {
    let holds = |file: &std::path::PathBuf| {
        let content = std::fs::read(file).unwrap();
        content
            .windows(secret.len())
            .any(|part| part == secret.as_bytes())
    };
    files(folder).into_iter().filter(holds).collect()
}

fn silent(done: &Done, secret: &str) {
    assert!(
        !done.stdout.contains(secret) && !done.stderr.contains(secret),
        "{done:#?}"
    );
}

#[test]
fn a_downloaded_credential_becomes_a_profile_and_the_file_goes() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let download = world.path("credential.json");
    let shown_once = json!({
        "clientId": credential.client_id,
        "clientSecret": credential.client_secret,
        "tokenUrl": credential.token_url,
        "baseUrl": credential.base_url,
        "applicationInstanceId": "3c18bd03-8306-4c7c-942e-c704a4b8744c",
    });
    std::fs::write(&download, shown_once.to_string()).unwrap();
    let from = ["profile", "add", "us1", "--from", text(&download)];
    let kept = world.run(&from).ok();
    silent(&kept, &credential.client_secret);
    kept.says(&["takes the token", "still holds the secret"]);
    let again = [&from[..], &["--replace", "--delete-file"]].concat();
    world.run(&again).ok().says(&["is deleted"]);
    assert!(!download.exists());
    world.run(&["token"]).ok();

    let labelled = format!(
        "Client ID: {}\nClient Secret: {}\n",
        credential.client_id, credential.client_secret
    );
    let by_input = ["profile", "add", "dialog", "--from", "-"];
    let no_place = run_with_input(&mut world.command(&by_input), &labelled).ended(2);
    no_place.says(&["--region NAME", "is missing"]);
    let urls = [
        "--token-url",
        &credential.token_url,
        "--base-url",
        &credential.base_url,
    ];
    let whole = [&by_input[..], &urls].concat();
    run_with_input(&mut world.command(&whole), &labelled).ok();
    let half = run_with_input(&mut world.command(&whole), "Client Secret: planted").ended(2);
    silent(&half, "planted");
    half.says(&["no client id"]);
}

#[test]
fn a_credential_of_another_region_is_warned_of() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let other = crate::world::Credential {
        base_url: client.server.instance("eu1").to_owned(),
        ..credential.clone()
    };
    let add = [&add_profile("wrong", &other)[..], &["--secret-file", "-"]].concat();
    let added = run_with_input(&mut world.command(&add), &credential.client_secret).ok();
    added.says(&["warning: ", "does not take the token", "hint: "]);
}

#[test]
fn a_secret_may_stay_where_it_is() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let secret = &credential.client_secret;
    let mounted = world.path("mounted");
    std::fs::write(&mounted, format!("{secret}\n")).unwrap();
    // It shows what it was given, and prints the secret as JSON.
    let program = world.path("vault");
    let seen = world.path("seen");
    let script = format!(
        "#!/bin/sh\ntr '\\0' '\\n' </proc/self/environ >{seen}\ntr '\\0' ' ' </proc/$PPID/cmdline >>{seen}\n\
         echo 'touch the key' >&2\nprintf '{{\"Version\":1,\"client_secret\":\"%s\"}}' \"$(cat {})\"\n",
        text(&mounted),
        seen = text(&seen)
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    for (name, place) in [
        ("file", ["--secret-path", text(&mounted)]),
        ("command", ["--secret-command", text(&program)]),
        ("env", ["--secret-env", "NIGHTLY_SECRET"]),
    ] {
        let add = [&add_profile(name, credential)[..], &place].concat();
        let mut command = world.command(&add);
        command.env("NIGHTLY_SECRET", secret);
        silent(&run(&mut command).ok(), secret);
        let renew = ["token", "--renew", "--verbose", "-p", name];
        let mut command = world.command(&renew);
        command.env("NIGHTLY_SECRET", secret);
        silent(&run(&mut command).ok(), secret);
    }
    let unset = world.run(&["token", "--renew", "-p", "env"]).ended(3);
    unset.says(&["NIGHTLY_SECRET", "not set"]);
    world
        .run(&["token", "--renew", "-p", "command"])
        .ok()
        .says(&["touch the key"]);
    assert_eq!(holders(&world.home(), secret), [] as [&Path; 0]);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(!seen.contains(secret) && seen.contains("HOME="), "{seen}");

    // A secret in the environment is for this program, not for its children.
    let mut command = world.command(&["token", "--renew", "-p", "command"]);
    command.env("HALLPASS_PASSPHRASE_FILE", "/planted/passphrase");
    run(&mut command).ok();
    let seen = std::fs::read_to_string(world.path("seen")).unwrap();
    assert!(!seen.contains("planted"), "{seen}");
}

#[test]
fn an_encrypted_secret_needs_its_passphrase() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let passphrase = world.path("passphrase");
    std::fs::write(&passphrase, "open sesame\n").unwrap();
    let with = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.env("HALLPASS_PASSPHRASE_FILE", &passphrase);
        command
    };
    let add = [&add_profile("us1", credential)[..], &["--secret-file", "-"]].concat();
    let added = run_with_input(&mut with(&add), &credential.client_secret).ok();
    added.says(&["encrypted file"]);
    assert_eq!(
        holders(&world.home(), &credential.client_secret),
        [] as [&Path; 0]
    );
    run(&mut with(&["token", "--renew"])).ok();
    // The cached token opens nothing.
    world.run(&["token"]).ok();
    let none = world.run(&["token", "--renew"]).ended(3);
    none.says(&["no passphrase", "HALLPASS_PASSPHRASE_FILE"]);
    std::fs::write(&passphrase, "another").unwrap();
    run(&mut with(&["token", "--renew"]))
        .ended(3)
        .says(&["passphrase is wrong"]);
    std::fs::write(&passphrase, "open sesame").unwrap();
    run(&mut with(&["profile", "rename", "us1", "renamed"])).ok();
    run(&mut with(&["token", "--renew"])).ok();
}

#[test]
fn a_reset_secret_is_replaced() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let add = [&add_profile("us1", credential)[..], &["--secret-file", "-"]].concat();
    run_with_input(&mut world.command(&add), &credential.client_secret).ok();
    let reset = world.admin(&["credential", "reset", &credential.client_id]);
    let secret = reset["clientSecret"].as_str().unwrap();
    world.run(&["token", "--renew"]).ended(3).says(&["reset"]);
    let set = ["profile", "set-secret", "us1", "--secret-file", "-"];
    silent(
        &run_with_input(&mut world.command(&set), secret).ok(),
        secret,
    );
    world.run(&["token", "--renew"]).ok();
    assert_eq!(holders(&world.home(), secret).len(), 1);
    // A definition that is gone says nothing about the credential.
    let definition = world.path("api.json");
    std::fs::write(
        &definition,
        r#"{"openapi":"3.0.3","info":{"title":"A","version":"1"},"paths":{}}"#,
    )
    .unwrap();
    world.run(&["api", "add", text(&definition)]).ok();
    std::fs::remove_file(&definition).unwrap();
    let kept = run_with_input(&mut world.command(&set), secret).ok();
    kept.says(&["The credential works", "no call was tried"]);
    let wrong = run_with_input(&mut world.command(&set), "planted").ended(3);
    silent(&wrong, "planted");
    world.run(&["token", "--renew"]).ok();
}

#[test]
fn a_profile_that_changes_while_its_secret_is_asked_for_is_left_alone() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let add = [&add_profile("us1", credential)[..], &["--secret-file", "-"]].concat();
    run_with_input(&mut world.command(&add), &credential.client_secret).ok();
    let secret_file = world.path("secret");
    let made = Command::new("mkfifo").arg(&secret_file).status().unwrap();
    assert!(made.success());
    let set = ["profile", "set-secret", "us1", "--no-test"];
    let mut command = world.command(&[&set[..], &["--secret-file", text(&secret_file)]].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = command.spawn().unwrap();
    // Opens when the other end does, and by then the profile is read.
    let mut input = File::options().write(true).open(&secret_file).unwrap();
    world.run(&["profile", "remove", "us1"]).ok();
    input
        .write_all(credential.client_secret.as_bytes())
        .unwrap();
    drop(input);
    let done: Done = waiting.wait_with_output().unwrap().into();
    done.ended(2).says(&["was changed or removed meanwhile"]);
    world.run(&["profile", "show", "us1"]).ended(2);
    assert_eq!(holders(&world.home(), &credential.client_secret).len(), 0);
}

/// What is not given is asked for on a terminal, one after the other, and the secret is not shown.
#[test]
fn what_is_missing_is_asked_for_on_a_terminal() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let hallpass = world.command::<&str>(&[]).get_program().to_owned();
    let line = format!("'{}' profile add asked --store file", hallpass.display());
    // util-linux' script gives the program a terminal, and stands between it and us.
    let mut session = Command::new("script");
    session.env_clear().current_dir(world.home());
    session.env("PATH", std::env::var_os("PATH").unwrap());
    let own = world.command::<&str>(&[]);
    session.envs(
        own.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    session.args(["-qec", &line, "/dev/null"]);
    session.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut session = session.spawn().unwrap();
    let mut input = session.stdin.take().unwrap();
    let mut output = session.stdout.take().unwrap();
    let mut shown = String::new();
    for (question, answer) in [
        ("base URL of the API: ", &credential.base_url),
        ("Token URL: ", &credential.token_url),
        ("Client id: ", &credential.client_id),
        ("Client secret: ", &credential.client_secret),
    ] {
        while !shown.ends_with(question) {
            let mut byte = [0];
            let read = output.read(&mut byte).unwrap();
            assert_eq!(read, 1, "it ended before it asked {question:?}: {shown}");
            shown.push(char::from(byte[0]));
        }
        if question == "Client secret: " {
            wait_until_nothing_is_echoed(session.id());
        }
        writeln!(input, "{answer}").unwrap();
    }
    output.read_to_string(&mut shown).unwrap();
    drop(input);
    assert!(session.wait().unwrap().success(), "{shown}");
    assert!(!shown.contains(&credential.client_secret), "{shown}");
    assert!(
        shown.contains(&credential.client_id),
        "what may be seen is echoed"
    );
    world.run(&["token", "-p", "asked"]).ok();
}

/// The prompt is there a moment before the terminal stops to echo; nobody types so fast.
fn wait_until_nothing_is_echoed(session: u32) {
    let children = format!("/proc/{session}/task/{session}/children");
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let child = std::fs::read_to_string(&children).unwrap_or_default();
        let terminal = std::fs::read_link(format!("/proc/{}/fd/0", child.trim()));
        if let Ok(terminal) = terminal {
            let stty = Command::new("stty")
                .arg("-F")
                .arg(terminal)
                .arg("-a")
                .output()
                .unwrap();
            if String::from_utf8_lossy(&stty.stdout)
                .split_whitespace()
                .any(|word| word == "-echo")
            {
                return;
            }
        }
        assert!(Instant::now() < end, "the terminal goes on echoing");
        std::thread::yield_now();
    }
}

#[test]
fn a_shared_file_of_profiles_gets_no_secret_of_another_profile() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let add = [&add_profile("us1", credential)[..], &["--secret-file", "-"]].concat();
    run_with_input(&mut world.command(&add), &credential.client_secret).ok();
    let shared = world.path("shared.toml");
    let write = |secret: &str| {
        let file = format!(
            "current = \"us1\"\n[profiles.us1]\ntoken_url = \"{}\"\nbase_url = \"{}\"\nclient_id = \"{}\"\n{secret}\n",
            credential.token_url, credential.base_url, credential.client_id
        );
        std::fs::write(&shared, file).unwrap();
    };
    let renew = ["token", "--renew", "--profiles", text(&shared)];
    write("");
    // The token that the other profile has in the cache is not lent either.
    world.run(&["token"]).ok();
    for command in [&["token"][..], &["get", "/api/v1/storage-systems"]] {
        let lent = world.run(&[command, &["--profiles", text(&shared)]].concat());
        lent.ended(3).says(&["no client secret is kept"]);
    }
    // Nor is the secret of a connection that the environment names.
    let mut command = client.command(&[&renew[..], &["-p", "us1"]].concat());
    run(&mut command)
        .ended(3)
        .says(&["no client secret is kept"]);
    world
        .run(&renew)
        .ended(3)
        .says(&["no client secret is kept"]);
    let set = [
        "profile",
        "set-secret",
        "us1",
        "--profiles",
        text(&shared),
        "--secret-file",
        "-",
    ];
    run_with_input(&mut world.command(&set), &credential.client_secret).ok();
    world.run(&renew).ok();
    // Once its way changes, it has neither the secret nor the token.
    let good = std::fs::read_to_string(&shared).unwrap();
    for changed in [
        good.replace(&credential.base_url, client.server.instance("eu1")),
        format!("{good}proxy = \"http://127.0.0.1:9\"\n"),
    ] {
        std::fs::write(&shared, changed).unwrap();
        let elsewhere = ["token", "--profiles", text(&shared)];
        world
            .run(&elsewhere)
            .ended(3)
            .says(&["no client secret is kept"]);
    }
    write("ca_file = \"ca.pem\"");
    world.run(&renew).ended(2).says(&["ca_file", "your own"]);
    write("secret = { env = \"HALLPASS_CI_SECRET\" }");
    let mut command = world.command(&renew);
    command.env("HALLPASS_CI_SECRET", &credential.client_secret);
    run(&mut command).ok();
    let marker = world.path("ran");
    write(&format!(
        "secret = {{ command = [\"touch\", \"{}\"] }}",
        text(&marker)
    ));
    world
        .run(&renew)
        .ended(2)
        .says(&["secret.command", "your own"]);
    assert!(!marker.exists());
    write("client_secret = \"planted\"");
    let refused = world.run(&renew).ended(2);
    silent(&refused, "planted");
    refused.says(&["line 6", "`client_secret`"]);
}

#[test]
fn a_file_of_profiles_that_is_named_is_meant_by_every_command() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    let add = [&add_profile("us1", credential)[..], &["--secret-file", "-"]].concat();
    run_with_input(&mut world.command(&add), &credential.client_secret).ok();
    let shared = world.path("team.toml");
    let team = "current = \"team\"\n[profiles.team]\nregion = \"eu1\"\nclient_id = \"c1\"\n";
    std::fs::write(&shared, team).unwrap();
    let by_variable = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        run(command.env("HALLPASS_PROFILES", &shared))
    };
    for list in [
        by_variable(&["profile", "list", "--json"]),
        world.run(&["profile", "list", "--json", "--profiles", text(&shared)]),
    ] {
        let list = list.ok().json();
        assert_eq!(list["items"][0]["name"], "team", "{list}");
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    }
    let shown = by_variable(&["profile", "show", "--json"]).ok().json();
    assert_eq!(shown["name"], "team");
    by_variable(&["api", "list", "-p", "us1"]).ended(2);
    for change in [
        &["profile", "remove", "us1"][..],
        &["profile", "use", "us1"],
        &["profile", "rename", "us1", "mine"],
        &["api", "add", "api.yaml", "-p", "us1"],
    ] {
        by_variable(change)
            .ended(2)
            .says(&["team.toml", "unset HALLPASS_PROFILES"]);
    }
    by_variable(&add).ended(2).says(&["team.toml"]);
    world.run(&["token", "-p", "us1"]).ok();
    assert_eq!(std::fs::read_to_string(&shared).unwrap(), team);
    // A flag says more than a connection in the environment, and a variable says less.
    client.run(&["token"]).ok();
    client
        .run(&["token", "--profiles", text(&shared)])
        .ended(3)
        .says(&["no client secret is kept"]);
}

#[test]
fn profiles_added_at_the_same_time_are_all_kept() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    std::thread::scope(|scope| {
        for n in 0..6 {
            scope.spawn(move || {
                let name = format!("p{n}");
                let add = [
                    &add_profile(&name, credential)[..],
                    &["--secret-file", "-", "--no-test"],
                ];
                let mut command = world.command(&add.concat());
                run_with_input(&mut command, &credential.client_secret).ok();
            });
        }
    });
    let list = world.run(&["profile", "list", "--json"]).ok().json();
    assert_eq!(list["items"].as_array().unwrap().len(), 6);
    assert_eq!(holders(&world.home(), &credential.client_secret).len(), 6);
}

#[test]
fn regions_are_known_by_name() {
    let client = Client::new();
    let world = &client.world;
    let add = |region: &str| {
        let arguments = [
            "profile",
            "add",
            region,
            "--region",
            region,
            "--client-id",
            "c1",
            "--secret-file",
            "-",
            "--no-test",
        ];
        run_with_input(&mut world.command(&arguments), "planted")
    };
    add("eu-west").ok();
    let shown = world.run(&["profile", "show", "--json"]).ok().json();
    assert_eq!(shown["baseUrl"], "https://eu-west.api.greenlake.hpe.com");
    assert_eq!(
        shown["tokenUrl"],
        "https://sso.common.cloud.hpe.com/as/token.oauth2"
    );
    add("us2")
        .ended(2)
        .says(&["no region `us2`", "do you mean `us1`?"]);
    add("us-west.data.cloud.hpe.com")
        .ended(2)
        .says(&["the host is us-west.api.greenlake.hpe.com"]);
}

#[test]
fn a_credential_of_the_platform_is_tried_with_the_operations_of_the_console() {
    let client = Client::new();
    let create = [
        "credential",
        "create",
        "--owner",
        ANN,
        "--instance",
        "global",
    ];
    let made = client
        .world
        .admin(&[&create[..], &["--name", "remote"]].concat());
    let download = client.world.path("remote.json");
    std::fs::write(&download, made.to_string()).unwrap();
    let from = ["profile", "add", "platform", "--from", text(&download)];
    client.world.run(&from).ok().says(&[
        "takes the token",
        "may call listApplicationInstances",
        "is what the definition says",
    ]);
}
