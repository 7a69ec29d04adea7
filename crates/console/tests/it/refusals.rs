//! Whom the REST API turns away, and what is written down about it.

use hallpass_access::Role;
use hallpass_console::CREDENTIALS_PATH;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::AuditState;
use jiff::SignedDuration;

use crate::world::{Answer, ISSUER, World, local, logged};

/// Every operation, on a credential of the caller.
fn operations(id: &str) -> [(&'static str, String, &'static str); 6] {
    let one = format!("{CREDENTIALS_PATH}/{id}");
    [
        ("GET", CREDENTIALS_PATH.to_owned(), "workspace.read"),
        ("POST", CREDENTIALS_PATH.to_owned(), "workspace.update"),
        ("POST", format!("{one}/reset"), "workspace.update"),
        ("GET", one.clone(), "workspace.read"),
        ("PATCH", one.clone(), "workspace.update"),
        ("DELETE", one, "workspace.delete"),
    ]
}

fn unauthorized(answer: &Answer, words: &str) {
    assert_eq!(
        answer.refusal(),
        (401, "HPE_GL_ERROR_UNAUTHORIZED".to_owned())
    );
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains(words), "{challenge}");
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
}

#[tokio::test]
async fn every_operation_refuses_strangers_before_it_looks_at_anything_else() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let id = nightly.credential.client_id.as_str();
    for (method, path, _) in operations(id) {
        let nothing = world.send(method, &path, &[], "{").await;
        assert_eq!(
            nothing.refusal(),
            (401, "HPE_GL_ERROR_UNAUTHORIZED".to_owned())
        );
        // No error is named when no token came (RFC 6750 section 3.1).
        assert_eq!(nothing.header("www-authenticate"), "Bearer realm=\"api\"");

        unauthorized(&world.call(method, &path, "abc", None).await, "malformed");
        let basic = [("authorization", "Basic YTpi")];
        let basic = world.send(method, &path, &basic, "").await;
        assert_eq!(basic.header("www-authenticate"), "Bearer realm=\"api\"");
        let twice = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
        let twice = world.send(method, &path, &twice, "").await;
        assert_eq!(
            twice.refusal(),
            (400, "HPE_GL_ERROR_BAD_REQUEST".to_owned())
        );
        assert!(twice.header("www-authenticate").contains("invalid_request"));
    }
    let stored = world.store.credentials().find(id).unwrap();
    assert_eq!(stored.generation, 1);
    assert_eq!(world.store.credentials().list(None).len(), 1);
}

#[tokio::test]
async fn a_token_must_be_ours_for_the_platform_and_alive() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let platform = world.credential(&ann, "global", "console").await;
    let regional = world.credential(&ann, "us1", "nightly").await;
    let list = async |token: &str| world.get(CREDENTIALS_PATH, token).await;

    let token = world.token(&regional).await;
    assert_eq!(world.stands_at(&token, "us1"), Ok(()));
    unauthorized(&list(&token).await, "another application instance");

    let id = platform.credential.client_id.as_str();
    let secret = platform.secret.expose();
    let foreign = world
        .token_with(id, secret, "https://sso.example.org")
        .await;
    unauthorized(&list(&foreign.unwrap()).await, "invalid");

    let old = world.token(&platform).await;
    assert_eq!(list(&old).await.status, 200);
    let token = world.token(&platform).await;
    unauthorized(&list(&old).await, "revoked");
    assert_eq!(list(&token).await.status, 200);

    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(list(&forged).await.status, 401);
    let in_query = format!("{CREDENTIALS_PATH}?access_token={token}");
    assert_eq!(world.send("GET", &in_query, &[], "").await.status, 401);

    // The platform's tokens live 15 minutes; the verifier allows 30 seconds more.
    world.pass(SignedDuration::from_secs(15 * 60 + 29));
    assert_eq!(list(&token).await.status, 200);
    world.pass(SignedDuration::from_secs(1));
    unauthorized(&list(&token).await, "expired");
}

#[tokio::test]
async fn a_token_dies_with_its_credential_and_with_its_owner() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let credential = world.credential(&ann, "global", "console").await;
    let token = world.token(&credential).await;
    let other = world
        .token(&world.credential(&ann, "global", "other").await)
        .await;
    let credentials = world.store.credentials();
    let id = credential.credential.client_id.as_str();
    credentials
        .delete(id, &local(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    unauthorized(&world.get(CREDENTIALS_PATH, &token).await, "revoked");
    assert_eq!(world.get(CREDENTIALS_PATH, &other).await.status, 200);
    let people = world.store.people();
    people
        .remove(ann.id, &local(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    unauthorized(&world.get(CREDENTIALS_PATH, &other).await, "revoked");
}

/// Its holder was given a tenant's resources for a while, and not the managing workspace for good.
#[tokio::test]
async fn a_token_got_by_exchange_for_a_tenant_is_refused_at_every_operation() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let credential = world.credential(&ann, "global", "msp").await;
    let token = world.exchanged(&credential).await;
    assert_eq!(world.stands_at(&token, "global"), Ok(()));
    let id = credential.credential.client_id.as_str();
    for (method, path, _) in operations(id) {
        let body = r#"{"credentialName":"tool"}"#;
        let answer = world.call(method, &path, &token, Some(body)).await;
        unauthorized(&answer, "revoked");
    }
    let kept = world.store.credentials().list(None);
    assert_eq!(kept.len(), 1, "none was made or deleted");
    assert_eq!(kept[0].generation, 1, "nor reset");
}

#[tokio::test]
async fn a_role_taken_away_acts_on_the_very_next_call() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let body = |name: &str| format!(r#"{{"credentialName":"{name}"}}"#);
    assert_eq!(world.create(&token, &body("one")).await.status, 201);
    let people = world.store.people();
    let (now, rng) = (world.now(), &mut SystemRandom);
    people
        .revoke(ann.id, None, Role::Administrator, &local(), now, rng)
        .await
        .unwrap();
    let refused = world.create(&token, &body("two")).await;
    assert_eq!(
        refused.refusal(),
        (403, "HPE_GL_ERROR_FORBIDDEN".to_owned())
    );
    assert_eq!(world.get(CREDENTIALS_PATH, &token).await.status, 403);

    // A role somewhere else is no role here; the same role here is.
    let us1 = Some(world.instance("us1"));
    let platform = Some(world.instance("global"));
    let give = async |instance| {
        let role = Role::Administrator;
        people
            .assign(
                ann.id,
                instance,
                role,
                &local(),
                world.now(),
                &mut SystemRandom,
            )
            .await
            .unwrap();
        world.create(&token, &body("two")).await.status
    };
    assert_eq!(give(us1).await, 403);
    assert_eq!(give(platform).await, 201);
}

#[tokio::test]
async fn observers_and_operators_see_their_credentials_and_change_nothing() {
    let world = World::new().await;
    for (email, role) in [
        ("olga@example.com", Some(Role::Observer)),
        ("otto@example.com", Some(Role::Operator)),
        ("nora@example.com", None),
    ] {
        let person = world.person("Main", email, role).await;
        let credential = world.credential(&person, "global", "console").await;
        let token = world.token(&credential).await;
        let id = credential.credential.client_id.to_string();
        for (method, path, permission) in operations(&id) {
            let body = Some(r#"{"credentialName":"more"}"#);
            let answer = world.call(method, &path, &token, body).await;
            if method == "GET" && role.is_some() {
                assert_eq!(answer.status, 200, "{email}");
                continue;
            }
            assert_eq!(
                answer.refusal(),
                (403, "HPE_GL_ERROR_FORBIDDEN".to_owned()),
                "{email} {method} {path}"
            );
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("insufficient_scope"), "{challenge}");
            assert!(challenge.contains(&format!("scope=\"{permission}\"")));

            let events = world.audit().await;
            let event = &events.last().unwrap().event;
            assert_eq!(event.state, AuditState::PermissionDenied);
            assert_eq!(event.code, "Unauthorized privilege");
            assert_eq!(event.message, "Unauthorized user access");
            assert_eq!(event.resource.id, path);
            assert_eq!(
                (event.resource.name.as_str(), event.resource.kind.as_str()),
                ("", "")
            );
            assert_eq!(event.permission, permission);
            assert_eq!(event.user_email, email);
            assert_eq!(event.client_id, id);
            assert_eq!(event.source, "console");
            assert_eq!(event.source_ip, "127.0.0.1");
            assert_eq!(event.workspace.as_ref(), Some(&person.workspace));
        }
        let stored = world.store.credentials().find(&id).unwrap();
        assert_eq!(stored.generation, 1, "{email}");
        let owned = world.store.credentials().list(Some(person.id));
        assert_eq!(owned.len(), 1, "{email}");
    }
}

#[tokio::test]
async fn strangers_are_counted_by_reason_and_minute() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let regional = world.credential(&ann, "us1", "nightly").await;
    let token = world.token(&regional).await;
    for _ in 0..3 {
        world.send("GET", CREDENTIALS_PATH, &[], "").await;
        world.get(CREDENTIALS_PATH, &token).await;
    }
    world.pass(SignedDuration::from_secs(60));
    world.send("GET", CREDENTIALS_PATH, &[], "").await;
    let events = world.audit().await;
    let mut counts: Vec<_> = events
        .iter()
        .filter(|stored| stored.event.message.starts_with("Access token refused"))
        .map(|stored| {
            assert_eq!(stored.event.state, AuditState::Failure);
            assert_eq!(stored.event.source_ip, "127.0.0.1");
            assert_eq!(
                stored.event.client_id, "",
                "nothing unverified is written down"
            );
            (stored.event.code.as_str(), stored.event.count)
        })
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, [("instance", 3), ("missing", 1), ("missing", 3)]);
}

#[tokio::test]
async fn a_refusal_that_cannot_be_written_down_is_no_permission() {
    let world = World::new().await;
    let olga = world
        .person("Main", "olga@example.com", Some(Role::Observer))
        .await;
    let token = world.token_of(&olga).await;
    world.store.close().await;
    let answer = world.create(&token, r#"{"credentialName":"more"}"#).await;
    assert_eq!(answer.status, 503);
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_answered_in_json() {
    let world = World::new().await;
    let allowed = async |method: &str, path: &str| {
        let answer = world.send(method, path, &[], "").await;
        let expected = (405, "HPE_GL_ERROR_METHOD_NOT_ALLOWED".to_owned());
        assert_eq!(answer.refusal(), expected, "{method} {path}");
        let mut methods: Vec<_> = answer
            .header("allow")
            .split(',')
            .map(str::to_owned)
            .collect();
        methods.sort_unstable();
        methods
    };
    let one = format!("{CREDENTIALS_PATH}/x");
    assert_eq!(
        allowed("PUT", CREDENTIALS_PATH).await,
        ["GET", "HEAD", "POST"]
    );
    let of_one = ["DELETE", "GET", "HEAD", "PATCH"];
    assert_eq!(allowed("PUT", &one).await, of_one);
    assert_eq!(allowed("GET", &format!("{one}/reset")).await, ["POST"]);
    for path in [
        "/workspaces",
        "/workspaces/",
        "/workspaces/v1",
        "/workspaces/v1/credentials/",
        "/workspaces/v1/credentials/x/y",
        "/workspaces/v2/credentials",
    ] {
        let answer = world.send("GET", path, &[], "").await;
        let expected = (404, "HPE_GL_ERROR_NOT_FOUND".to_owned());
        assert_eq!(answer.refusal(), expected, "{path}");
    }
}

#[tokio::test]
async fn the_debug_id_of_an_answer_stands_in_the_log() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let credential = world.credential(&ann, "global", "console").await;
    let id = credential.credential.client_id.as_str();
    let secret = credential.secret.expose();
    let foreign = world
        .token_with(id, secret, "https://sso.example.org")
        .await;
    let answer = world.get(CREDENTIALS_PATH, &foreign.unwrap()).await;
    let debug_id = answer.json()["debugId"].as_str().unwrap().to_owned();
    assert!(logged().contains(&debug_id));
    let again = world.token_with(id, secret, ISSUER).await.unwrap();
    let fine = world.get(CREDENTIALS_PATH, &again).await;
    assert!(!fine.body.contains("debugId"));
}
