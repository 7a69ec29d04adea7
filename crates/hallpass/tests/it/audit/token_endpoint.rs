//! Statements 1 to 14: the token endpoint and client authentication (RFC 6749 sections 2.3, 3.2, 4.4
//! and 5; RFC 9700 section 2.5). The ninth is proved where digests can be counted, beside the code.

use hallpass_oauth::client_authentication::ClientAuthenticationMethods;
use hallpass_oauth::key::KeySpec;
use hallpass_store::credentials::CredentialOptions;
use jiff::SignedDuration;

use super::jwt::{Key, names, parts};
use super::rfc9068_world;
use super::wire::{
    Answer, FORM, GRANT, INTROSPECT, REVOKE, TOKEN, ask, ask_basic, basic, body, exchange, pair,
    post, post_with, request, send,
};
use super::within::{Client, SHORT, Within};
use crate::server::Server;
use crate::world::{ANN, Credential, World};

const ENDPOINTS: [&str; 3] = [TOKEN, INTROSPECT, REVOKE];

fn served() -> (World, Server, Credential) {
    let world = World::owner();
    let server = Server::start(&world);
    let credential = world.create_credential(ANN, "us1", "nightly");
    (world, server, credential)
}

#[test]
fn audit_01_only_a_posted_form_is_read() {
    let (_world, server, known) = served();
    let base = server.base();
    let form = format!("{}&token=x", body(&known.client_id, &known.client_secret));
    for target in ENDPOINTS {
        for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
            let answer = send(base, method, target, &[]).is(405);
            assert_eq!(answer.header("allow"), Some("POST"), "{method} {target}");
        }
        let json = r#"{"grant_type":"client_credentials"}"#;
        for headers in [
            &[][..],
            &[("Content-Type", "application/json")],
            &[("Content-Type", "multipart/form-data; boundary=x")],
            &[("Content-Type", "text/plain")],
        ] {
            for text in [form.as_str(), json] {
                let request = request("POST", target, headers, text.as_bytes());
                exchange(base, &request).refuses(400, "invalid_request");
            }
        }
        post(base, target, &form).is(200);
        let charset = (
            "Content-Type",
            "application/x-www-form-urlencoded; charset=UTF-8",
        );
        exchange(base, &request("POST", target, &[charset], form.as_bytes())).is(200);
    }
}

#[test]
fn audit_02_credentials_in_the_address_are_refused_and_not_logged() {
    let world = World::owner();
    let loud = [("HALLPASS_LOG", "trace")];
    let mut server = Server::start_with(&world, &[] as &[&str], &loud);
    let known = world.create_credential(ANN, "us1", "nightly");
    let (id, secret) = (&known.client_id, &known.client_secret);
    let good = body(id, secret);
    for target in ENDPOINTS {
        for query in [
            pair(id, secret),
            format!("client_id={id}"),
            format!("CLIENT_SECRET={secret}"),
            format!("x=1&client%5Fsecret={secret}"),
            format!("client_assertion={secret}"),
            format!("token={secret}"),
        ] {
            let target = format!("{target}?{query}");
            // Good credentials in the body do not help.
            let answer = post(server.base(), &target, &format!("{good}&token=x"));
            let answer = answer.refuses(400, "invalid_request");
            assert!(!answer.body.contains(secret.as_str()), "{answer:?}");
        }
    }
    server.process.signal("TERM");
    assert!(server.process.end().success());
    let log = server.process.stderr.to_end();
    assert!(log.contains("request answered"), "{log}");
    assert!(!log.contains(secret.as_str()));
}

#[test]
fn audit_03_no_parameter_counts_twice_and_an_empty_one_not_at_all() {
    let (_world, server, known) = served();
    let (base, good) = (server.base(), body(&known.client_id, &known.client_secret));
    for twice in [GRANT, "scope=a", "scope=", "unknown=1", "client_secret=x"] {
        let form = format!("{good}&{twice}&{twice}");
        post(base, TOKEN, &form).refuses(400, "invalid_request");
    }
    for empty in ["grant_type=", ""] {
        let form = good.replace(GRANT, empty);
        post(base, TOKEN, &form).refuses(400, "invalid_request");
    }
    for empty in ["client_id=", "client_secret="] {
        let form = format!("{GRANT}&{empty}");
        post(base, TOKEN, &form).refuses(401, "invalid_client");
    }
    for ignored in [
        "scope=",
        "unknown=1",
        "audience=x&nonce=",
        "client_assertion=",
    ] {
        post(base, TOKEN, &format!("{good}&{ignored}")).is(200);
    }
}

/// Header and body of one client, and those of two.
fn two_places(base: &str, known: &Credential) -> [Answer; 3] {
    let (id, secret) = (&known.client_id, &known.client_secret);
    let header = basic(id, secret);
    let with = |form: &str| post_with(base, TOKEN, &[("Authorization", &header)], form);
    [
        with(&body(id, secret)),
        with(&format!("{GRANT}&client_id={id}&client_secret=another")),
        with(&format!("{GRANT}&client_id={id}")),
    ]
}

#[test]
fn audit_04_rfc9068_two_ways_to_authenticate_are_refused() {
    let world = rfc9068_world();
    let server = Server::start(&world);
    let known = world.create_credential(ANN, "us1", "nightly");
    let [same, different, id_alone] = two_places(server.base(), &known);
    same.refuses(400, "invalid_request");
    different.refuses(400, "invalid_request");
    // Names the client and authenticates nobody.
    id_alone.is(200);
    let form = format!(
        "{}&client_assertion_type={}&client_assertion=a.b.c",
        body(&known.client_id, &known.client_secret),
        hallpass_oauth::client_assertion::ASSERTION_TYPE
    );
    post(server.base(), TOKEN, &form).refuses(400, "invalid_request");
}

#[test]
fn audit_04_greenlake_two_places_are_one_credential_when_they_say_the_same() {
    let (_world, server, known) = served();
    let [same, different, id_alone] = two_places(server.base(), &known);
    same.is(200);
    different.refuses(400, "invalid_request");
    id_alone.is(200);
}

#[test]
fn audit_05_a_client_does_only_what_it_is_registered_for() {
    let within = Within::greenlake();
    let only = |methods: &str| {
        let methods: ClientAuthenticationMethods = methods.parse().unwrap();
        let options = CredentialOptions {
            methods: Some(methods),
            ..CredentialOptions::default()
        };
        within.client_with("us1", &format!("only {methods}"), options)
    };
    let Client { id, secret } = only("client_secret_basic");
    ask_basic(&within.base, &id, &secret).is(200);
    ask(&within.base, &id, &secret).refuses(401, "invalid_client");
    let Client { id, secret } = only("client_secret_post");
    ask(&within.base, &id, &secret).is(200);
    ask_basic(&within.base, &id, &secret).refuses(401, "invalid_client");
    let of_keys = within.key_client("keys", &Key::generate(KeySpec::EcP256));
    ask(&within.base, &of_keys, &secret).refuses(401, "invalid_client");

    let form = body(&id, &secret);
    for grant in [
        "password",
        "refresh_token",
        "authorization_code",
        "implicit",
    ] {
        let form = form.replace("client_credentials", grant);
        post(&within.base, TOKEN, &form).refuses(400, "unsupported_grant_type");
    }
    // The grant at the endpoint of a workspace is for its own clients.
    let at = |workspace: &str| format!("/authorization/v2/oauth2/{workspace}/token");
    post(&within.base, &at(within.workspace().as_str()), &form).is(200);
    let elsewhere = at("0123456789abcdef0123456789abcdef");
    post(&within.base, &elsewhere, &form).refuses(400, "unauthorized_client");
}

/// The answers to failed authentications, which a stranger must not be able to tell apart. That they
/// take the same steps is counted beside the code that takes them, in
/// `crates/oauth/src/client_authentication.rs` (`audit_06_whoever_…`, `audit_09_…`).
#[test]
fn audit_06_every_failed_client_gets_the_same_answer() {
    let within = Within::greenlake();
    let (known, other) = (within.client("known"), within.client("other"));
    let expired = within.client("expired");
    within.rotate(&expired, SignedDuration::from_mins(1));
    within.wait(SignedDuration::from_mins(2));
    let disabled = within.client("disabled");
    within.disable(&disabled);
    let nobody = "00000000-0000-4000-8000-000000000000";
    let wrong = "0123456789abcdef0123456789abcdef";
    let failures = [
        (nobody, known.secret.as_str()),
        (&known.id, wrong),
        (&expired.id, &expired.secret),
        (&disabled.id, &disabled.secret),
        (&disabled.id, wrong),
        (&known.id, &other.secret),
    ];
    for by in [ask, ask_basic] {
        let answers = failures.map(|(id, secret)| by(&within.base, id, secret));
        for answer in answers.clone() {
            let answer = answer.refuses(401, "invalid_client");
            assert_eq!(
                answer.without_its_moment(),
                answers[0].clone().without_its_moment()
            );
        }
    }
    // Each failed for its own reason, and nothing else was wrong with the requests.
    let log: Vec<String> = within
        .audit()
        .into_iter()
        .map(|stored| stored.event.message)
        .collect();
    for reason in [
        "unknown client",
        "wrong secret",
        "expired secret",
        "disabled client",
    ] {
        let message = format!("Client authentication failed: {reason}");
        assert!(log.contains(&message), "{reason}: {log:?}");
    }
    within.ask(&known).is(200);
}

#[test]
fn audit_07_a_basic_value_is_decoded_or_refused_and_never_an_error_of_ours() {
    let (_world, server, known) = served();
    let (base, id, secret) = (server.base(), &known.client_id, &known.client_secret);
    let escaped = |text: &str| {
        let bytes = text.bytes().map(|byte| format!("%{byte:02X}"));
        bytes.collect::<Vec<_>>().concat()
    };
    ask_basic(base, &escaped(id), &escaped(secret)).is(200);
    ask_basic(base, id, secret).is(200);
    let encoded = |bytes: &[u8]| {
        use base64::Engine as _;
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(bytes)
        )
    };
    let pair = format!("{id}:{secret}");
    for header in [
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic !!!".to_owned(),
        format!("Basic {pair}"),
        encoded(b""),
        encoded(b":"),
        encoded(id.as_bytes()),
        encoded(b"\xff\xfe:\xff"),
        encoded(format!("{pair}\0").as_bytes()),
        encoded(format!("\0{pair}").as_bytes()),
        encoded(b"%zz:%"),
        encoded(b"%ff%fe:%00"),
        encoded(pair.as_bytes()).trim_end_matches('=')[..20].to_owned(),
        format!("Bearer {secret}"),
    ] {
        let answer = post_with(base, TOKEN, &[("Authorization", &header)], GRANT);
        assert!([400, 401].contains(&answer.status), "{header}: {answer:?}");
    }
    let mut bytes = b"POST /as/token.oauth2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n".to_vec();
    bytes.extend_from_slice(b"Content-Type: application/x-www-form-urlencoded\r\n");
    bytes.extend_from_slice(b"Authorization: Basic \xff\xfe\r\nContent-Length: 29\r\n\r\n");
    bytes.extend_from_slice(GRANT.as_bytes());
    let answer = exchange(base, &bytes);
    assert!([400, 401].contains(&answer.status), "{answer:?}");
}

#[test]
fn audit_08_everything_that_is_read_has_a_bound() {
    let within = Within::start(|setup| setup.listener.body_time = SHORT);
    let client = within.client("nightly");
    let good = body(&client.id, &client.secret);
    let base = &within.base;
    // Each of these would fail at its secret, if it came to that.
    let wrong = format!("{good}x");
    let filled =
        |form: &str, length: usize| format!("{form}&x={}", "a".repeat(length - form.len() - 3));
    post(base, TOKEN, &filled(&wrong, 16 * 1024 + 1)).is(413);
    post(base, TOKEN, &filled(&wrong, 1024 * 1024)).is(413);
    let long = "a".repeat(40 * 1024);
    post_with(base, TOKEN, &[("X-Long", &long)], &wrong).is(431);
    let names: Vec<String> = (0..120).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    post_with(base, TOKEN, &many, &wrong).is(431);
    // Three are in the form already.
    let parameters = |form: &str, number: usize| {
        let more = (3..number).map(|n| format!("&x{n}=1"));
        form.to_owned() + &more.collect::<Vec<_>>().concat()
    };
    post(base, TOKEN, &parameters(&wrong, 101)).refuses(400, "invalid_request");
    let cut = request("POST", TOKEN, &[FORM], wrong.as_bytes());
    exchange(base, &cut[..cut.len() - 1]).is(408);
    let log = within.audit();
    let mut messages = log.iter().map(|stored| &stored.event.message);
    assert!(
        messages.all(|message| !message.contains("authentication")),
        "no secret was looked at"
    );
    post(base, TOKEN, &filled(&good, 16 * 1024)).is(200);
    post(base, TOKEN, &parameters(&good, 100)).is(200);
}

#[test]
fn audit_10_rfc9068_the_answer_says_what_was_granted() {
    let world = rfc9068_world();
    let server = Server::start(&world);
    let known = world.create_credential(ANN, "us1", "nightly");
    let answer = ask(server.base(), &known.client_id, &known.client_secret).is(200);
    let json = answer.json();
    assert_eq!(names(&json), ["access_token", "token_type", "expires_in"]);
    assert_eq!(json["token_type"], "Bearer");
    let (_, claims) = parts(&answer.token());
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(json["expires_in"], lifetime);

    let within = Within::rfc9068();
    let options = CredentialOptions {
        scopes: Some("read write".parse().unwrap()),
        ..CredentialOptions::default()
    };
    let Client { id, secret } = within.client_with("us1", "scoped", options);
    let asked = |scope: &str| {
        let form = format!("{}{scope}", body(&id, &secret));
        post(&within.base, TOKEN, &form)
    };
    let granted = |scope: &str| {
        let answer = asked(scope).is(200);
        let (_, claims) = parts(&answer.token());
        (answer.json().get("scope").cloned(), claims["scope"].clone())
    };
    let both = serde_json::json!("read write");
    assert_eq!(granted(""), (Some(both.clone()), both));
    assert_eq!(granted("&scope=write+read"), (None, "write read".into()));
    assert_eq!(granted("&scope=read"), (None, "read".into()));
    for beyond in ["&scope=admin", "&scope=read+admin", "&scope=READ"] {
        asked(beyond).refuses(400, "invalid_scope");
    }
}

#[test]
fn audit_10_greenlake_a_scope_is_ignored_and_the_time_left_is_told() {
    let (_world, server, known) = served();
    for scope in ["", "&scope=admin", "&scope=a+b"] {
        let form = format!("{}{scope}", body(&known.client_id, &known.client_secret));
        let answer = post(server.base(), TOKEN, &form).is(200);
        let json = answer.json();
        assert_eq!(names(&json), ["access_token", "token_type", "expires_in"]);
        assert_eq!(json["token_type"], "Bearer");
        // The real system tells the whole seconds left, which are fewer by one most of the time.
        let (_, claims) = parts(&answer.token());
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 7200);
        let left = json["expires_in"].as_i64().unwrap();
        assert!((lifetime - 60..=lifetime).contains(&left), "{left}");
        assert!(claims.get("scope").is_none(), "{claims}");
    }
}

#[test]
fn audit_11_no_answer_may_be_kept_and_no_other_origin_may_read_it() {
    let (_world, server, known) = served();
    let origin = ("Origin", "https://evil.example");
    let good = format!("{}&token=x", body(&known.client_id, &known.client_secret));
    for target in ENDPOINTS {
        for (form, status) in [
            (good.as_str(), 200),
            (&format!("{good}&{GRANT}"), 400),
            (&good.replace("client_secret=", "client_secret=x"), 401),
            (&"a".repeat(20_000), 413),
        ] {
            let answer = post_with(server.base(), target, &[origin], form).is(status);
            assert_private(&answer);
        }
        let preflight = ("Access-Control-Request-Method", "POST");
        assert_private(&send(server.base(), "OPTIONS", target, &[origin, preflight]).is(405));
    }
}

#[track_caller]
fn assert_private(answer: &Answer) {
    assert_eq!(
        answer.header("cache-control"),
        Some("no-store"),
        "{answer:?}"
    );
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{answer:?}");
    let mut names = answer.headers.iter().map(|(name, _)| name);
    assert!(
        names.all(|name| !name.starts_with("access-control-")),
        "{answer:?}"
    );
}

#[test]
fn audit_12_a_challenge_answers_the_header_and_nothing_else() {
    let (_world, server, known) = served();
    for target in ENDPOINTS {
        let form = format!("{GRANT}&token=x");
        for header in [basic(&known.client_id, "wrong"), "Basic !!!".to_owned()] {
            let answer = post_with(server.base(), target, &[("Authorization", &header)], &form);
            let answer = answer.refuses(401, "invalid_client");
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(challenge.starts_with("Basic realm="), "{challenge}");
        }
        let form = format!("{form}&{}", pair(&known.client_id, "wrong"));
        let answer = post(server.base(), target, &form).refuses(401, "invalid_client");
        assert_eq!(answer.header("www-authenticate"), None);
    }
}

#[test]
fn audit_13_trouble_of_the_server_is_never_the_clients_fault() {
    let crowded = Within::start(|setup| setup.limits.under_way = 0);
    let client = crowded.client("nightly");
    assert_unavailable(&crowded.ask(&client));

    let within = Within::greenlake();
    let client = within.client("nightly");
    let token = within.ask(&client).token();
    within.run(within.store.close());
    assert_unavailable(&within.ask(&client));
    let form = format!("{}&token={token}", pair(&client.id, &client.secret));
    assert_unavailable(&post(&within.base, REVOKE, &form));
    // Who the client is, is known without the database.
    ask(&within.base, &client.id, "wrong").refuses(401, "invalid_client");
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    let answer = answer.clone().refuses(503, "temporarily_unavailable");
    let wait: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

/// That the memory of the limits is bounded, whatever ids come, is proved beside them
/// (`a_million_ids_take_no_more_memory_than_none`).
#[test]
fn audit_14_failures_are_limited_and_a_good_secret_never_is() {
    let within = Within::start(|setup| {
        setup.limits.failures_per_client = 3;
        setup.limits.failures_per_address = 8;
    });
    let (victim, other) = (within.client("victim"), within.client("other"));
    let guess = |id: &str| ask(&within.base, id, "guess");
    for _ in 0..3 {
        guess(&victim.id).refuses(401, "invalid_client");
    }
    let limited = guess(&victim.id).is(429);
    let wait: u32 = limited.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // Whoever has the secret is not kept out by those who guess it, not even at their own address.
    within.ask(&victim).is(200);
    guess(&other.id).refuses(401, "invalid_client");
    // Another id for each guess: the address is at its limit.
    let statuses: Vec<u16> = (0..12).map(|n| guess(&format!("id-{n}")).status).collect();
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    assert!(statuses.contains(&401), "{statuses:?}");
    guess(&other.id).is(429);
    within.ask(&other).is(200);
    within.wait(SignedDuration::from_mins(2));
    guess(&victim.id).refuses(401, "invalid_client");
}
