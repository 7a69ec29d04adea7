//! Statements 40 to 46: transport, proxies and operations (RFC 9700 sections 2.6 and 4.13).

use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt as _;

use hallpass_oauth::random::SystemRandom;
use rand_core::Rng as _;

use super::configured;
use super::jwt::parts;
use super::wire::{
    FORM, GRANT, INTROSPECT, REVOKE, TOKEN, ask, call, exchange, get, post, post_with, request,
    send, shout,
};
use super::within::Within;
use crate::http::{self, token_of};
use crate::server::Server;
use crate::world::{ANN, World, files, run, text};

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// There is no TLS listener yet: whatever leaves the machine needs one in front, so nothing does
/// unless it is asked for, and then it is warned of.
#[test]
fn audit_40_plain_http_stays_on_the_machine_unless_it_is_asked_to_leave() {
    let world = World::owner();
    let data = world.data();
    let serve = ["serve", "--data", text(&data)];
    let printed = world.run(&[&serve[..], &["--print-config"]].concat()).ok();
    let table: toml::Table = toml::from_str(&printed.stdout).unwrap();
    let listen = table["listen"].as_table().unwrap();
    let mut addresses: Vec<&str> = listen.values().filter_map(toml::Value::as_str).collect();
    let instances = listen["instances"].as_table().unwrap();
    addresses.extend(instances.values().filter_map(toml::Value::as_str));
    assert_eq!(addresses.len(), 7);
    assert!(
        addresses
            .iter()
            .all(|address| address.starts_with("127.0.0.1:"))
    );

    let server = Server::start(&world);
    server.stop();
    let everywhere = ["--listen", "0.0.0.0:0"];
    let refused = world.run(&[&serve[..], &everywhere].concat()).ended(2);
    refused.says(&["public.authorization_server"]);

    let open = configured(
        "[listen]\nauthorization_server = \"0.0.0.0:0\"\n\
         [public]\nauthorization_server = \"https://sso.example.com\"\n",
    );
    let (data, file) = (open.data(), open.path("addresses.json"));
    let arguments = [
        "serve",
        "--data",
        text(&data),
        "--address-file",
        text(&file),
    ];
    let ports =
        "[listen.instances]\nus1 = \"127.0.0.1:0\"\neu1 = \"127.0.0.1:0\"\njp1 = \"127.0.0.1:0\"\n";
    let config = data.join("hallpass.toml");
    let known = std::fs::read_to_string(&config).unwrap();
    let listen = "authorization_server = \"0.0.0.0:0\"\n";
    let free = ["metrics", "tls", "proxy"].map(|name| format!("{name} = \"127.0.0.1:0\"\n"));
    let known = known.replace(listen, &format!("{listen}{}", free.concat()));
    std::fs::write(&config, format!("{known}{ports}")).unwrap();
    let mut server = crate::server::Running::start(&mut open.command(&arguments));
    server.stderr.wait_for("plain HTTP");
    server.stderr.wait_for("hallpass is ready");
    server.signal("TERM");
    assert!(server.end().success());
}

/// No proxy is believed, since none can be configured.
#[test]
fn audit_41_what_a_header_says_of_the_way_here_is_ignored() {
    let within = Within::start(|setup| setup.limits.failures_per_address = 3);
    let client = within.client("nightly");
    let plain = get(&within.base, METADATA).is(200).body;
    let mut statuses = Vec::new();
    for n in 0..6 {
        let address = format!("203.0.113.{n}");
        let forwarded = format!("for={address};host=evil.example;proto=https");
        let headers = [
            ("X-Forwarded-For", address.as_str()),
            ("X-Real-IP", &address),
            ("Forwarded", &forwarded),
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Prefix", "/evil"),
            ("X-Original-URL", "/metrics"),
            ("X-Rewrite-URL", "/metrics"),
            ("X-HTTP-Method-Override", "DELETE"),
        ];
        let wrong = format!("{GRANT}&client_id=id-{n}&client_secret=wrong");
        statuses.push(post_with(&within.base, TOKEN, &headers, &wrong).status);
        assert_eq!(
            send(&within.base, "GET", METADATA, &headers).is(200).body,
            plain
        );
        call(&within.us1, "nothing").is(401);
    }
    // However many addresses are claimed, they are one.
    assert_eq!(statuses, [401, 401, 401, 429, 429, 429]);
    let (_, claims) = parts(&within.ask(&client).token());
    assert_eq!(claims["iss"], within.base.as_str());
    let log = within.audit();
    let failures = log.iter().map(|stored| &stored.event);
    let mut failures = failures.filter(|event| event.message.contains("unknown client"));
    assert!(failures.all(|event| event.source_ip == "127.0.0.1"));
    assert!(!format!("{log:?}").contains("203.0.113"));
}

#[test]
fn audit_42_the_pages_keep_to_themselves() {
    let world = World::new();
    let server = Server::start(&world);
    let base = server.base().to_owned();
    let made = world.create_user(ANN, "administrator");
    let link = made["setupUrl"]
        .as_str()
        .unwrap()
        .strip_prefix(&base)
        .unwrap()
        .to_owned();
    let secret = link.rsplit_once('/').unwrap().1.to_owned();
    let password = "tin+lamp+battery+nine";
    let form = format!("password={password}&again={password}");
    let elsewhere = [
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    for header in elsewhere {
        post_with(&base, &link, &[header], &form).is(403);
    }
    let shown = get(&base, &link).is(200);
    let done = post(&base, &link, &form).is(303);
    let gone = get(&base, &link).is(404);
    for answer in [&get(&base, "/").is(200), &shown, &done, &gone] {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(
            policy.contains("script-src 'self'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let page = answer.body.to_ascii_lowercase();
        for script in ["<script>", "javascript:", " onclick", " onload"] {
            assert!(!page.contains(script), "{script} in {page}");
        }
        for private in [secret.as_str(), "battery"] {
            assert!(!answer.body.contains(private), "{answer:?}");
        }
    }
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    assert_eq!(shown.header("set-cookie"), None);
    let cookie = done.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("__Host-hallpass=")
            && cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
}

#[test]
fn audit_43_no_caller_writes_into_the_log() {
    let world = World::owner();
    let loud = [("HALLPASS_LOG", "trace")];
    let mut server = Server::start_with(&world, &[] as &[&str], &loud);
    let known = world.create_credential(ANN, "us1", "nightly");
    let token = token_of(&known);
    let hostile = "x%0AERROR%20forged%0D%1B%5B2J%C2%9B%E2%80%AE";
    let base = server.base();
    for form in [
        format!("{GRANT}&client_id={hostile}&client_secret={hostile}"),
        format!(
            "{GRANT}&client_id={}&client_secret={}&scope={hostile}",
            known.client_id, known.client_secret
        ),
        format!("grant_type={hostile}"),
        format!("{hostile}=1&{hostile}=1"),
    ] {
        let agent = [("User-Agent", "x\tERROR forged\u{9b}2J")];
        let answer = post_with(base, TOKEN, &agent, &form);
        assert!(answer.status < 500, "{answer:?}");
        assert!(
            !answer.body.contains(|c: char| c.is_control()),
            "{answer:?}"
        );
    }
    get(base, &format!("/{hostile}"));
    call(&server.us1(""), &token);
    server.process.signal("TERM");
    assert!(server.process.end().success());
    let log = server.process.stderr.to_end();
    assert!(log.contains("request answered"));
    for line in log.lines() {
        assert!(!line.trim_start().starts_with("ERROR"), "{line:?}");
        assert!(
            !line.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{line:?}"
        );
    }
    assert!(!log.contains(&known.client_secret));
    assert!(!log.contains(token.rsplit_once('.').unwrap().1));
}

#[test]
fn audit_44_no_client_makes_a_series_and_only_one_listener_shows_them() {
    let world = World::owner();
    let server = Server::start(&world);
    let known = world.create_credential(ANN, "us1", "nightly");
    let series = || -> BTreeSet<String> {
        let text = http::get(server.metrics()).is(200).text;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect()
    };
    let load = |n: u32| {
        ask(server.base(), &format!("id-{n}"), "wrong");
        ask(server.base(), &known.client_id, "wrong");
        let form = format!("grant_type=kind-{n}&scope=s{n}&client_id=id-{n}");
        post(server.base(), TOKEN, &form);
        for target in [INTROSPECT, REVOKE] {
            post(
                server.base(),
                target,
                &format!("token={n}&client_id=id-{n}&client_secret=x"),
            );
        }
        get(server.base(), &format!("/path-{n}"));
        call(&server.us1(""), &format!("token-{n}"));
    };
    token_of(&known);
    // Over the limit of failures, too.
    (0..100).for_each(load);
    let before = series();
    (100..150).for_each(load);
    let after = series();
    assert_eq!(
        after.difference(&before).collect::<Vec<_>>(),
        [] as [&String; 0]
    );
    let text = after.into_iter().collect::<String>();
    for name in ["id-", "kind-", "path-", &known.client_id, ANN] {
        assert!(!text.contains(name), "{name} in {text}");
    }
    get(server.base(), "/metrics").is(404);
    call(&server.us1(""), &token_of(&known)).is(200);
    send(&server.us1(""), "GET", "/metrics", &[]).is(401);
}

/// Bytes of all sorts at the edge, beside the property tests of each parser that the document names.
#[test]
fn audit_45_no_bytes_bring_the_server_down() {
    let within = Within::greenlake();
    let client = within.client("nightly");
    let token = within.ask(&client).token();
    let form = format!(
        "{GRANT}&client_id={}&client_secret={}",
        client.id, client.secret
    );
    let mut rng = SystemRandom;
    let mut damaged = |text: &str| -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=rng.next_u32() % 4 {
            let place = rng.next_u32() as usize % bytes.len();
            match rng.next_u32() % 3 {
                0 => bytes[place] = rng.next_u64().to_le_bytes()[0],
                1 => bytes.truncate(place.max(1)),
                _ => bytes.insert(place, b"%&=+.\0\"{:"[place % 9]),
            }
        }
        bytes
    };
    for turn in 0..200 {
        let bodies = [
            damaged(&form),
            damaged(&format!("{form}&client_assertion={token}")),
            damaged(&format!("{form}&token={token}")),
        ];
        for (target, body) in [TOKEN, TOKEN, INTROSPECT].into_iter().zip(&bodies) {
            let answer = exchange(&within.base, &request("POST", target, &[FORM], body));
            assert!(
                (200..500).contains(&answer.status),
                "{turn} {body:?}: {answer:?}"
            );
        }
        let bearer: String = damaged(&token)
            .into_iter()
            .filter(u8::is_ascii_graphic)
            .map(char::from)
            .collect();
        let answer = call(&within.us1, &bearer);
        assert!(
            [200, 400, 401].contains(&answer.status),
            "{bearer}: {answer:?}"
        );
        let mut raw =
            damaged("GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        raw.extend_from_slice(b"\r\n\r\n");
        shout(&within.base, &raw);
    }
    within.wait(jiff::SignedDuration::from_mins(5));
    within.ask(&client).is(200);
}

/// There are no commands for backup and restore yet. What a copy of the data directory is worth.
#[test]
fn audit_46_a_copy_of_the_data_directory_has_the_same_keys() {
    let world = World::owner();
    let server = Server::start(&world);
    let known = world.create_credential(ANN, "us1", "nightly");
    let before = token_of(&known);
    server.stop();
    let copied = World::new();
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(copied.data())
        .unwrap();
    for file in files(&world.data()) {
        std::fs::copy(&file, copied.data().join(file.file_name().unwrap())).unwrap();
    }
    // What happens after a copy was made is not in it.
    world.admin(&["credential", "reset", &known.client_id]);

    let restored = Server::start(&copied);
    call(&restored.us1(""), &before).is(200);
    let fresh = token_of(&restored.moved(&known));
    assert_eq!(parts(&fresh).0, parts(&before).0, "the same key");
    call(&restored.us1(""), &fresh).is(200);
    drop(restored);
    let without = copied.data().join("master.key");
    std::fs::remove_file(without).unwrap();
    run(&mut Server::command(&copied))
        .ended(2)
        .says(&["is missing"]);
}
