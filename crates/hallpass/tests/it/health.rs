//! What operators look at: health, metrics, configuration, and a port that is taken.

use std::net::TcpListener;

use crate::http::{get, get_with, post_form, token_form, token_of};
use crate::server::Server;
use crate::world::{ANN, World, run, text};

/// A sample of the metrics; 0 when it was never counted.
fn sample(text: &str, name: &str) -> f64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
    let value = lines.find_map(|rest| rest.strip_prefix(' '));
    value.map_or(0.0, |value| value.parse().unwrap())
}

#[test]
fn health_is_answered_to_anybody() {
    let server = Server::start(&World::owner());
    for path in ["/healthz", "/readyz"] {
        get(&format!("{}{path}", server.base())).is(200);
    }
    // The guarded listeners have nothing for strangers, not even that.
    get(&server.us1("/healthz")).is(401);
}

#[test]
fn the_counters_move_and_only_the_metrics_listener_shows_them() {
    let world = World::owner();
    let server = Server::start(&world);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let metrics = || {
        let reply = get(server.metrics()).is(200);
        assert!(
            reply
                .content_type
                .starts_with("application/openmetrics-text")
        );
        assert!(reply.text.ends_with("# EOF\n"));
        reply.text
    };
    let issued = "hallpass_access_tokens_issued_total{grant=\"client_credentials\"}";
    let refused = "hallpass_token_requests_refused_total{endpoint=\"token\",error=\"invalid_client\",status=\"401\"}";
    let answered = |status: u16| format!("hallpass_api_answers_total{{status=\"{status}\"}}");
    assert_eq!(sample(&metrics(), issued).to_string(), "0");

    let token = token_of(&credential);
    post_form(
        server.token_url(),
        &token_form(&credential.client_id, "wrong"),
    )
    .is(401);
    get_with(&server.us1("/api/v1/storage-systems"), &token).is(200);
    get_with(&server.us1("/api/v1/volumes"), &token).is(200);
    get(&server.us1("/api/v1/volumes")).is(401);
    let text = metrics();
    for (name, count) in [
        (issued, 1),
        (refused, 1),
        (&answered(200), 2),
        (&answered(401), 1),
    ] {
        assert_eq!(
            sample(&text, name).to_string(),
            count.to_string(),
            "{name} in {text}"
        );
    }
    get(&format!("{}/metrics", server.base())).is(404);
    get_with(&server.us1("/metrics"), &token).is(404);
    let metrics = server.metrics().trim_end_matches("/metrics");
    get(&format!("{metrics}/healthz")).is(404);
}

#[test]
fn the_printed_configuration_is_accepted_back() {
    let world = World::new();
    let data = world.data();
    let serve = ["serve", "--data", text(&data), "--print-config"];
    let listening = [
        "--listen",
        "127.0.0.1:4000",
        "--issuer",
        "https://sso.example.com",
    ];
    let printed = world.run(&[&serve[..], &listening].concat()).ok();
    assert_eq!(printed.stderr, "");
    assert!(!data.exists(), "to print is not to make");
    let file = world.path("printed.toml");
    std::fs::write(&file, &printed.stdout).unwrap();
    let again = world
        .run(&["serve", "--config", text(&file), "--print-config"])
        .ok();
    assert_eq!(again.stdout, printed.stdout);
    let table: toml::Table = toml::from_str(&again.stdout).unwrap();
    assert_eq!(table["data"].as_str(), Some(text(&data)));
    assert_eq!(
        table["listen"]["instances"]["us1"].as_str(),
        Some("127.0.0.1:4003")
    );
    assert_eq!(
        table["tokens"]["issuer"].as_str(),
        Some("https://sso.example.com")
    );
}

/// The flag goes round the file, and not round its rules.
#[test]
fn rfc8414_2_an_issuer_with_a_query_or_a_fragment_is_refused() {
    let world = World::new();
    let print = |issuer: &str| world.run(&["serve", "--issuer", issuer, "--print-config"]);
    for issuer in [
        "https://sso.example.com?x=1",
        "https://sso.example.com/tenant#top",
        "https://sso.example.com/?",
    ] {
        print(issuer)
            .ended(2)
            .says(&["issuer", issuer, "query", "fragment"]);
    }
    print("https://sso.example.com/tenant").ok();
    // Plain http is for development on one machine, and the operator's to choose.
    print("http://127.0.0.1:8080").ok();
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let world = World::new();
    let data = world.data();
    std::fs::create_dir(&data).unwrap();
    let file = "[listen]\nauthorization_server = \"127.0.0.1:5000\"\n[sandbox]\nseed = 7\n";
    std::fs::write(data.join("hallpass.toml"), file).unwrap();
    let serve = ["serve", "--data", text(&data), "--print-config"];
    let listens_on = |more: &[&str], variable: Option<&str>| {
        let mut command = world.command(&[&serve[..], more].concat());
        if let Some(address) = variable {
            command.env("HALLPASS_LISTEN", address);
        }
        let table: toml::Table = toml::from_str(&run(&mut command).ok().stdout).unwrap();
        assert_eq!(
            table["sandbox"]["seed"].as_integer(),
            Some(7),
            "the file is read"
        );
        let address = &table["listen"]["authorization_server"];
        address.as_str().unwrap().to_owned()
    };
    assert_eq!(listens_on(&[], None), "127.0.0.1:5000");
    assert_eq!(listens_on(&[], Some("127.0.0.1:6000")), "127.0.0.1:6000");
    let flag = ["--listen", "127.0.0.1:7000"];
    assert_eq!(listens_on(&flag, Some("127.0.0.1:6000")), "127.0.0.1:7000");
}

#[test]
fn mistakes_in_the_configuration_are_named() {
    let world = World::new();
    std::fs::create_dir(world.data()).unwrap();
    let file = world.data().join("hallpass.toml");
    for (content, words) in [
        ("[tokens]\nlifetime = 5\n", ["lifetime", "line 2"]),
        (
            "[tokens]\nlifetime_seconds = 0\n",
            ["tokens.lifetime_seconds", "between 1 and"],
        ),
        ("listen = 80\n", ["line 1", "invalid type"]),
        ("[tokens]\nissuer = \"nowhere\"\n", ["issuer", "nowhere"]),
    ] {
        std::fs::write(&file, content).unwrap();
        let done = run(&mut Server::command(&world)).ended(2);
        assert!(done.stderr.contains(text(&file)), "{content}: {done:?}");
        done.says(&words);
    }
    let missing = world.path("missing.toml");
    let named = run(Server::command(&world).args(["--config", text(&missing)]));
    named.ended(2).says(&[text(&missing), "cannot be read"]);
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let world = World::owner();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = world.data();
    let done = world
        .run(&["serve", "--data", text(&data), "--listen", &address])
        .ended(1);
    done.says(&[&format!("cannot listen on {address}"), "hint: ", "--listen"]);
    assert!(!data.join("admin.sock").exists());
}
