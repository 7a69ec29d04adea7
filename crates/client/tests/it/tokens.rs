//! One token for everybody: caching, sharing, renewal, and what happens when there is none.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use hallpass_client::{Client, CredentialSource, Error, Event, Kind, Limits, TokenFailure};
use hallpass_oauth::Secret;
use hallpass_oauth::token_request::AuthenticationMethod;

use crate::server::{World, credential, get};

/// Sends from `tasks` tasks of each client at once; all have to succeed.
async fn send_from_all(clients: &[Client], tasks: usize) {
    let sends: Vec<_> = clients
        .iter()
        .flat_map(|client| std::iter::repeat_n(client.clone(), tasks))
        .map(|client| tokio::spawn(async move { client.send(&get("/x")).await.unwrap().status() }))
        .collect();
    for sent in sends {
        assert_eq!(sent.await.unwrap(), 200);
    }
}

#[tokio::test]
async fn many_tasks_of_many_clients_with_an_empty_cache_ask_for_one_token() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let clients = [(); 4].map(|()| world.client(Some(cache.path())).0);
    send_from_all(&clients, 10).await;
    assert_eq!((world.token_calls(), world.calls().len()), (1, 40));
}

#[tokio::test]
async fn many_tasks_whose_token_was_superseded_ask_for_one_token_more() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let clients = [(); 4].map(|()| world.client(Some(cache.path())).0);
    send_from_all(&clients, 1).await;
    world.supersede();
    send_from_all(&clients, 10).await;
    assert_eq!(world.token_calls(), 2);
}

#[tokio::test]
async fn after_a_401_another_programs_token_is_used_before_one_is_asked_for() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (one, events) = world.client(Some(cache.path()));
    let (other, _) = world.client(Some(cache.path()));
    let first = one.tokens().token().await.unwrap();
    let second = other.tokens().renew().await.unwrap();
    let replacement = one.tokens().renew_after_401(&first).await.unwrap();
    assert!(replacement.token.is(&second) && replacement.by_another);
    assert_eq!(world.token_calls(), 2);
    let by_another = |event: &Event| *event == Event::TokenReplacedAfter401 { by_another: true };
    assert_eq!(events.count(by_another), 1);
}

#[tokio::test]
async fn after_a_401_with_nothing_newer_one_token_is_asked_for_and_the_request_repeated() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, events) = world.client(Some(cache.path()));
    client.send(&get("/x")).await.unwrap();
    world.supersede();
    assert_eq!(client.send(&get("/x?y=1")).await.unwrap().status(), 200);
    let asked: Vec<_> = world
        .calls()
        .into_iter()
        .map(|call| call.path_and_query)
        .collect();
    assert_eq!(asked, ["/x", "/x?y=1", "/x?y=1"]);
    assert_eq!(world.token_calls(), 2);
    let by_us = |event: &Event| *event == Event::TokenReplacedAfter401 { by_another: false };
    assert_eq!(events.count(by_us), 1);
}

#[tokio::test]
async fn a_cached_token_needs_neither_the_secret_nor_the_token_endpoint() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    world
        .client(Some(cache.path()))
        .0
        .send(&get("/x"))
        .await
        .unwrap();
    let (options, events) = world.options(Some(cache.path()));
    let absent = CredentialSource::File("/nonexistent/secret".into());
    let client = Client::new(world.profile(), absent, &options).unwrap();
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
    assert_eq!(world.token_calls(), 1);
    assert_eq!(
        events.count(|event| matches!(event, Event::TokenFromCache { .. })),
        1
    );

    assert!(client.tokens().forget().unwrap());
    let error = client.send(&get("/x")).await.unwrap_err();
    assert!(
        matches!(error, Error::Token(TokenFailure::Credential(_))),
        "{error:?}"
    );
    assert_eq!(world.calls().len(), 2, "nothing is sent without a token");
}

#[tokio::test]
async fn a_token_of_another_secret_or_scope_is_not_used() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    world
        .client(Some(cache.path()))
        .0
        .send(&get("/x"))
        .await
        .unwrap();
    let (options, _) = world.options(Some(cache.path()));
    let other = CredentialSource::Given(Secret::from("other".to_owned()));
    let error = Client::new(world.profile(), other, &options)
        .unwrap()
        .send(&get("/x"))
        .await;
    assert!(
        matches!(error, Err(Error::Token(TokenFailure::Refused { .. }))),
        "{error:?}"
    );
    let scoped = world.profile().with_scope(Some("hpe-tenant"));
    Client::new(scoped, credential(), &options)
        .unwrap()
        .send(&get("/x"))
        .await
        .unwrap();
    assert_eq!(world.token_calls(), 3);
}

#[tokio::test]
async fn the_credential_goes_into_the_header_when_asked_for() {
    let world = World::quiet().await;
    let (options, _) = world.options(None);
    let profile = world
        .profile()
        .with_authentication(AuthenticationMethod::Basic);
    let client = Client::new(profile, credential(), &options).unwrap();
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn without_a_cache_directory_the_token_is_kept_in_memory() {
    let world = World::quiet().await;
    let (client, _) = world.client(None);
    send_from_all(std::slice::from_ref(&client), 40).await;
    assert_eq!(world.token_calls(), 1);
    world.pass(7199);
    client.send(&get("/x")).await.unwrap();
    assert_eq!(world.token_calls(), 2);
}

#[tokio::test]
async fn an_expired_token_is_replaced_also_when_its_lifetime_was_written_as_text() {
    let world = World::quiet().await;
    world.set_lifetime("\"1000\"");
    let cache = tempfile::tempdir().unwrap();
    world
        .client(Some(cache.path()))
        .0
        .send(&get("/x"))
        .await
        .unwrap();
    // A new client as after a restart: times are absolute, so the lifetime does not begin again.
    world.pass(800);
    world
        .client(Some(cache.path()))
        .0
        .send(&get("/x"))
        .await
        .unwrap();
    assert_eq!(world.token_calls(), 1);
    world.pass(200);
    world
        .client(Some(cache.path()))
        .0
        .send(&get("/x"))
        .await
        .unwrap();
    assert_eq!(world.token_calls(), 2);
}

/// The file that is locked while a token is asked for.
fn lock_file(cache: &Path) -> std::fs::File {
    let files = std::fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut locks = files.filter(|path| path.extension().is_some_and(|end| end == "lock"));
    std::fs::File::options()
        .write(true)
        .open(locks.next().unwrap())
        .unwrap()
}

#[tokio::test]
async fn shortly_before_its_end_whoever_gets_the_lock_renews_and_the_others_do_not_wait() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client_that_ends(cache.path());
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    let held = lock_file(cache.path());
    held.lock().unwrap();
    assert!(client.tokens().token().await.unwrap().is(&old));
    assert_eq!(world.token_calls(), 1);
    drop(held);
    let renewed = client.tokens().token().await.unwrap();
    assert_eq!((renewed.is(&old), world.token_calls()), (false, 2));
}

#[tokio::test]
async fn a_good_token_is_used_on_when_it_cannot_be_renewed_early() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, events) = world.client_that_ends(cache.path());
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    world.next_token_answer(503, &[("retry-after", "0")], "");
    assert!(client.tokens().token().await.unwrap().is(&old));
    assert_eq!(
        world.token_calls(),
        2,
        "there is no second try while a good token is at hand"
    );
    assert_eq!(
        events.count(|event| matches!(event, Event::EarlyRenewalFailed { .. })),
        1
    );
}

#[tokio::test]
async fn a_lock_that_is_never_given_back_is_not_waited_for_for_ever() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    world
        .client(Some(cache.path()))
        .0
        .tokens()
        .token()
        .await
        .unwrap();
    world.pass(8000);
    let held = lock_file(cache.path());
    held.lock().unwrap();
    let (options, events) = world.options(Some(cache.path()));
    let limits = Limits {
        lock_wait: Some(Duration::from_millis(30)),
        ..Limits::default()
    };
    let options = options.with_limits(limits);
    let client = Client::new(world.profile(), credential(), &options).unwrap();
    let own = client.tokens().token().await.unwrap();
    assert!(
        client.tokens().token().await.unwrap().is(&own),
        "its own token is kept"
    );
    assert_eq!(world.token_calls(), 2);
    assert_eq!(
        events.count(|event| matches!(event, Event::WaitingForLock { .. })),
        1
    );
    assert_eq!(
        events.count(|event| matches!(event, Event::LockGivenUp { .. })),
        1
    );
    let (other, _) = world.client(Some(cache.path()));
    drop(held);
    assert!(
        !other.tokens().token().await.unwrap().is(&own),
        "it was not shared without a lock"
    );
}

#[tokio::test]
async fn a_cache_that_others_can_change_is_not_used_and_the_program_goes_on() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let (client, events) = world.client(Some(cache.path()));
    send_from_all(&[client], 3).await;
    assert_eq!(world.token_calls(), 1);
    assert_eq!(
        events.count(|event| matches!(event, Event::CacheUnusable { .. })),
        1
    );
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_cached_token_that_others_can_read_is_passed_over_and_replaced() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    let seen = client.tokens().token().await.unwrap();
    for file in std::fs::read_dir(cache.path()).unwrap() {
        let readable = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(file.unwrap().path(), readable).unwrap();
    }
    let fresh = client.tokens().token().await.unwrap();
    assert!(!fresh.is(&seen));
    assert!(
        client.tokens().token().await.unwrap().is(&fresh),
        "and is private again"
    );
}

#[tokio::test]
async fn one_failure_is_told_to_all_who_waited_for_it() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    world.next_token_answer(401, &[], r#"{"error":"invalid_client"}"#);
    let sends: Vec<_> = std::iter::repeat_n(client.clone(), 40)
        .map(|client| tokio::spawn(async move { client.send(&get("/x")).await.unwrap_err() }))
        .collect();
    for sent in sends {
        let error = sent.await.unwrap();
        assert_eq!(error.kind(), Kind::Authentication);
        assert!(error.hint().unwrap().contains("secret"), "{error}");
    }
    assert_eq!((world.token_calls(), world.calls().len()), (1, 0));
    client.send(&get("/x")).await.unwrap();
    assert_eq!(world.token_calls(), 2, "whoever comes later asks again");
}

#[tokio::test]
async fn a_busy_token_endpoint_is_asked_again_as_it_wishes() {
    let world = World::quiet().await;
    let (client, events) = world.client(None);
    world.next_token_answer(429, &[("retry-after", "0")], "slow down");
    world.next_token_answer(
        503,
        &[("retry-after", "0")],
        r#"{"error":"temporarily_unavailable"}"#,
    );
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
    assert_eq!(world.token_calls(), 3);
    assert_eq!(
        events.count(|event| matches!(event, Event::Retrying { .. })),
        2
    );
}

#[tokio::test]
async fn patience_has_an_end_and_long_pauses_are_told_instead_of_slept() {
    let world = World::quiet().await;
    let (client, _) = world.client(None);
    for _ in 0..3 {
        world.next_token_answer(429, &[("retry-after", "0")], "");
    }
    let error = client.send(&get("/x")).await.unwrap_err();
    assert!(
        matches!(error, Error::Token(TokenFailure::Busy { status: 429, .. })),
        "{error:?}"
    );
    assert_eq!(world.token_calls(), 3);
    world.next_token_answer(503, &[("retry-after", "3600")], "");
    let error = client.send(&get("/x")).await.unwrap_err().to_string();
    assert!(error.contains("3600 s"), "{error}");
    assert_eq!((world.token_calls(), world.calls().len()), (4, 0));
}

#[tokio::test]
async fn a_token_request_is_never_redirected() {
    let world = World::quiet().await;
    let thief = World::quiet().await;
    let to = format!("{}/token", thief.address);
    for status in [301, 302, 303, 307, 308] {
        let (client, _) = world.client(None);
        world.next_token_answer(status, &[("location", &to)], "");
        let error = client.send(&get("/x")).await.unwrap_err();
        assert!(
            matches!(error, Error::Token(TokenFailure::Redirected { .. })),
            "{error:?}"
        );
        assert_eq!(error.kind(), Kind::Authentication);
    }
    assert_eq!(
        (
            thief.token_calls(),
            thief.calls().len(),
            world.calls().len()
        ),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn answers_that_are_no_token_stop_the_call() {
    let world = World::quiet().await;
    let html = [("content-type", "text/html")];
    let huge = "x".repeat(64 * 1024 + 1);
    for (status, headers, body, said) in [
        (502, &html[..], "<h1>Bad Gateway</h1>", "502 with text/html"),
        (200, &html[..], "<h1>Sign in</h1>", "no JSON object"),
        (
            200,
            &[][..],
            r#"{"error":"invalid_scope"}"#,
            "invalid_scope",
        ),
        (
            400,
            &[][..],
            r#"{"error":{"code":7}}"#,
            "400 with no content type",
        ),
        (
            200,
            &[][..],
            "access_token=t&token_type=bearer",
            "no JSON object",
        ),
        (200, &[][..], "{}", "no access_token"),
        (200, &[][..], &huge, "larger than 65536 bytes"),
    ] {
        let (client, _) = world.client(None);
        world.next_token_answer(status, headers, body);
        let error = client.send(&get("/x")).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(world.calls().len(), 0, "nothing is sent without a token");
}
