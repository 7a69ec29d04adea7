//! Tokens that end: early renewal, refusals that come at a bad time, pauses, and clocks that jump.

use std::time::Duration;

use hallpass_client::key_store::{Passphrase, Slot, Store, Stores};
use hallpass_client::{Client, CredentialSource, Event, Kind, Limits, Renewal, TokenFailure};

use crate::server::{World, get, json, ok};

/// Looks again until it is so.
async fn until(what: &str, so: impl Fn() -> bool) {
    let patience = Duration::from_mins(1);
    let look = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let seen = tokio::time::timeout(patience, look).await;
    assert!(seen.is_ok(), "waited in vain for {what}");
}

#[tokio::test]
async fn nobody_waits_for_the_next_token_while_the_old_one_is_good() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    let closed = world.gate.write().await;
    for _ in 0..10 {
        assert!(client.tokens().token().await.unwrap().is(&old));
    }
    until("one request", || world.token_calls() == 2).await;
    drop(closed);
    until("the next token", || world.mints() == 2).await;
    let next = client.tokens().renew_after_401(&old).await.unwrap();
    assert!(next.by_another && !next.token.is(&old));
    assert_eq!(world.token_calls(), 2);
}

#[tokio::test]
async fn a_refusal_that_comes_during_a_renewal_waits_for_it_and_is_not_lost() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    let closed = world.gate.write().await;
    assert!(client.tokens().token().await.unwrap().is(&old));
    until("the renewal", || world.token_calls() == 2).await;
    // The old token is refused while the next one is on its way: everybody gets that one.
    world.supersede();
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(&get("/x")).await.unwrap().status() })
        })
        .collect();
    until("the refusals", || world.calls().len() == 20).await;
    drop(closed);
    for sent in sends {
        assert_eq!(sent.await.unwrap(), 200);
    }
    assert_eq!((world.token_calls(), world.calls().len()), (2, 40));
}

#[tokio::test]
async fn a_renewal_goes_on_when_the_caller_goes_away() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client_that_ends(cache.path());
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    let closed = world.gate.write().await;
    let tokens = client.tokens().clone();
    let gone = tokio::spawn(async move { tokens.token().await });
    until("the request", || world.token_calls() == 2).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(closed);
    let cached = || {
        let files = std::fs::read_dir(cache.path()).unwrap();
        files
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .any(|content| content.contains("token-2"))
    };
    until("the token in the cache", cached).await;
    assert!(!client.tokens().token().await.unwrap().is(&old));
    assert_eq!(world.token_calls(), 2);
}

/// Whether a cache holds this token.
fn is_cached(cache: &std::path::Path, token: &str) -> bool {
    let files = std::fs::read_dir(cache).unwrap();
    files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap_or_default())
        .any(|content| content.contains(token))
}

#[tokio::test]
async fn a_request_for_the_only_token_goes_on_when_the_caller_goes_away() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    let closed = world.gate.write().await;
    let sender = client.clone();
    let gone = tokio::spawn(async move { sender.send(&get("/x")).await });
    until("the request", || world.token_calls() == 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(closed);
    until("the token", || is_cached(cache.path(), "token-1")).await;
    let (sibling, _) = world.client(Some(cache.path()));
    assert_eq!(sibling.send(&get("/x")).await.unwrap().status(), 200);
    assert_eq!(world.token_calls(), 1);
}

#[tokio::test]
async fn a_renewal_that_is_under_way_is_waited_for_by_a_program_that_ends() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (options, _) = world.options(Some(cache.path()));
    let patience = Duration::from_secs(1);
    let limits = Limits {
        renewal_wait: patience,
        ..Limits::default()
    };
    let options = options.with_renewal(Renewal::Before).with_limits(limits);
    let client = world.client_with(&options);
    for hands_out in [false, true] {
        let old = client.tokens().token().await.unwrap();
        world.pass(7199 - 200);
        let (calls, closed) = (world.token_calls(), world.gate.write().await);
        let tokens = client.tokens().clone();
        let mut asking = tokio::spawn(async move {
            if hands_out {
                tokens.token_to_hand_out().await
            } else {
                tokens.token().await
            }
        });
        until("the request", || world.token_calls() > calls).await;
        let early = tokio::time::timeout(patience + patience / 4, &mut asking).await;
        assert!(early.is_err(), "the old token would be dead by now");
        drop(closed);
        assert!(!asking.await.unwrap().unwrap().is(&old));
    }
}

#[tokio::test]
async fn a_renewal_that_cannot_begin_is_not_waited_for_for_long() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (options, events) = world.options(Some(cache.path()));
    let limits = Limits {
        renewal_wait: Duration::from_millis(50),
        ..Limits::default()
    };
    let client = world.client_with(&options.with_limits(limits));
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    let lock = lock_file(cache.path());
    let held = std::fs::File::options().write(true).open(lock).unwrap();
    held.lock().unwrap();
    assert!(client.tokens().token_to_hand_out().await.unwrap().is(&old));
    let lost = |event: &Event| matches!(event, Event::EarlyRenewalFailed { .. });
    assert_eq!((events.count(lost), world.token_calls()), (1, 1));
}

fn lock_file(cache: &std::path::Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(cache).unwrap();
    files
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "lock"))
        .unwrap()
}

#[tokio::test]
async fn without_a_lock_a_good_token_is_not_renewed_early() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client_that_ends(cache.path());
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    let lock = lock_file(cache.path());
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    assert!(client.tokens().token().await.unwrap().is(&old));
    assert!(client.tokens().token_to_hand_out().await.unwrap().is(&old));
    assert_eq!(world.token_calls(), 1);
    world.pass(200);
    assert!(!client.tokens().token().await.unwrap().is(&old));
    assert_eq!(world.token_calls(), 2);
}

#[tokio::test]
async fn nobody_is_asked_for_a_passphrase_while_the_token_is_good() {
    let world = World::quiet().await;
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let (client, _) = world.client_that_ends(&cache);
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    let ask = || Passphrase::new(|_| Err("somebody was asked".to_owned()));
    // There is no such file, so a renewal fails; whether it is tried is what matters.
    for (passphrase, tried) in [(ask(), 0), (ask().without_asking(), 1)] {
        let slot = Slot::from(world.profile().name());
        let stores = Stores::new(home.path(), None, passphrase);
        let kept = CredentialSource::Kept(stores.place(Store::Encrypted, &slot));
        let (options, events) = world.options(Some(&cache));
        let options = options.with_renewal(Renewal::Before);
        let client = Client::new(world.profile(), kept, &options).unwrap();
        assert!(client.tokens().token().await.unwrap().is(&old));
        assert!(client.tokens().token_to_hand_out().await.unwrap().is(&old));
        let failed = |event: &Event| matches!(event, Event::EarlyRenewalFailed { .. });
        assert_eq!(events.count(failed), tried);
    }
    assert_eq!(world.token_calls(), 1);
}

#[tokio::test]
async fn those_who_wait_for_a_request_without_an_answer_do_not_repeat_it() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (options, _) = world.options(Some(cache.path()));
    let limits = Limits {
        total: Duration::from_secs(2),
        ..Limits::default()
    };
    let first = world.client_with(&options.with_limits(limits));
    let closed = world.gate.write().await;
    let first = tokio::spawn(async move { first.send(&get("/x")).await });
    until("the request", || world.token_calls() == 1).await;
    let (sibling, events) = world.client(Some(cache.path()));
    let waiting = sibling.clone();
    let waiting = tokio::spawn(async move { waiting.send(&get("/x")).await });
    let waits = |event: &Event| matches!(event, Event::WaitingForLock { .. });
    until("the sibling", || events.count(waits) == 1).await;
    world.pass(1);
    assert_eq!(first.await.unwrap().unwrap_err().kind(), Kind::Unreachable);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert_eq!(world.token_calls(), 1, "{error:?}");
    drop(closed);
    assert_eq!(sibling.send(&get("/x")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_token_for_others_is_never_one_that_is_about_to_be_superseded() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, events) = world.client(Some(cache.path()));
    let old = client.tokens().token_to_hand_out().await.unwrap();
    assert!(client.tokens().token_to_hand_out().await.unwrap().is(&old));
    world.pass(7199 - 200);
    let next = client.tokens().token_to_hand_out().await.unwrap();
    assert_eq!((next.is(&old), world.token_calls()), (false, 2));
    // When there is no other, the old one is better than none.
    world.pass(7199 - 200);
    world.next_token_answer(500, &[], "");
    let same = client.tokens().token_to_hand_out().await.unwrap();
    assert!(same.is(&next));
    assert_eq!((events.count(|_| true) > 0, world.token_calls()), (true, 3));
}

#[tokio::test]
async fn a_failed_renewal_is_not_repeated_by_every_call_of_every_program() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client_that_ends(cache.path());
    let old = client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    world.next_token_answer(502, &[], "");
    let (sibling, _) = world.client_that_ends(cache.path());
    for client in [&client, &sibling, &client] {
        assert!(client.tokens().token().await.unwrap().is(&old));
    }
    assert_eq!(world.token_calls(), 2);
    world.pass(10);
    assert!(!sibling.tokens().token().await.unwrap().is(&old));
    assert_eq!(world.token_calls(), 3);
}

#[tokio::test]
async fn a_token_with_a_siblings_replacement_that_is_refused_too_is_replaced_once_more() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    let (sibling, _) = world.client(Some(cache.path()));
    client.send(&get("/x")).await.unwrap();
    // The sibling's token is superseded by a stranger's before anybody uses it.
    let first = client.tokens().token().await.unwrap();
    let second = sibling.tokens().renew().await.unwrap();
    world.supersede();
    assert!(!first.is(&second));
    assert!(client.tokens().token().await.unwrap().is(&second));
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
    assert_eq!(world.token_calls(), 3);
}

#[tokio::test]
async fn an_api_that_refuses_every_token_is_believed_after_one_new_one() {
    let world = World::start(|_| json(401, r#"{"error":"never","errorCode":"UNAUTHENTICATED"}"#));
    let world = world.await;
    let (client, _) = world.client(None);
    let answer = client.send(&get("/x")).await.unwrap();
    assert_eq!(answer.success().unwrap_err().kind(), Kind::Authentication);
    assert_eq!((world.token_calls(), world.calls().len()), (2, 2));
}

#[tokio::test]
async fn an_api_that_refuses_every_token_costs_one_token_a_minute_for_all_programs() {
    let world = World::start(|_| json(401, r#"{"error":"never","errorCode":"UNAUTHENTICATED"}"#));
    let world = world.await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    let (sibling, _) = world.client(Some(cache.path()));
    let (alone, _) = world.client(None);
    for (client, before) in [(&client, 0), (&sibling, 0), (&alone, 2)] {
        for _ in 0..3 {
            assert_eq!(client.send(&get("/x")).await.unwrap().status(), 401);
            assert_eq!(world.token_calls(), before + 2);
        }
    }
    let request = http::Request::get("/x").body(bytes::Bytes::new()).unwrap();
    assert_eq!(client.forward(&request).await.unwrap().status(), 401);
    assert_eq!(world.token_calls(), 4);
    world.pass(60);
    assert_eq!(client.forward(&request).await.unwrap().status(), 401);
    assert_eq!(client.forward(&request).await.unwrap().status(), 401);
    assert_eq!(sibling.send(&get("/x")).await.unwrap().status(), 401);
    assert_eq!(world.token_calls(), 5);
}

#[tokio::test]
async fn a_401_that_asks_for_something_else_than_a_token_is_the_answer() {
    for (challenge, calls) in [
        (None, 2),
        (Some("Bearer realm=\"api\""), 2),
        (Some("Basic realm=\"x\", bearer error=\"invalid_token\""), 2),
        (Some("Bearer"), 2),
        (Some("Basic realm=\"Bearer x\""), 1),
        (Some("Negotiate"), 1),
    ] {
        let world = World::start(move |_| {
            let headers = challenge.map(|text| ("www-authenticate", text.to_owned()));
            (401, headers.into_iter().collect(), "no".to_owned())
        })
        .await;
        let (client, _) = world.client(None);
        assert_eq!(client.send(&get("/x")).await.unwrap().status(), 401);
        assert_eq!(world.calls().len(), calls, "{challenge:?}");
    }
}

#[tokio::test]
async fn a_token_without_a_life_is_used_once_and_not_kept() {
    let world = World::quiet().await;
    world.set_lifetime("0");
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    for sent in 1..=3 {
        assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
        assert_eq!(world.token_calls(), sent);
    }
    let names = std::fs::read_dir(cache.path()).unwrap();
    let shared = names.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "json");
    assert_eq!(shared.count(), 0);
}

#[tokio::test]
async fn a_server_that_repeats_its_nearly_dead_token_is_not_asked_by_every_call() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client_that_ends(cache.path());
    client.tokens().token().await.unwrap();
    world.pass(7199 - 200);
    world.next_token_answer(200, &[], r#"{"access_token":"token-1","expires_in":200}"#);
    for _ in 0..5 {
        assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
    }
    assert_eq!(world.token_calls(), 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_lengthen_a_tokens_life() {
    let world = World::quiet().await;
    world.set_lifetime("1");
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client_that_ends(cache.path());
    client.tokens().token().await.unwrap();
    world.pass(-50);
    let patience = tokio::time::Instant::now() + Duration::from_mins(1);
    while world.token_calls() == 1 {
        client.tokens().token().await.unwrap();
        assert!(tokio::time::Instant::now() < patience, "it lives on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(world.token_calls(), 2);
}

#[tokio::test]
async fn a_pause_holds_for_all_programs_and_a_clients_own_for_that_client() {
    for (status, shared) in [("503", true), ("429", false)] {
        let world = World::quiet().await;
        let cache = tempfile::tempdir().unwrap();
        let (client, _) = world.client(Some(cache.path()));
        world.next_token_answer(status.parse().unwrap(), &[("retry-after", "60")], "");
        let busy = |error: hallpass_client::Error| {
            assert!(
                matches!(
                    error,
                    hallpass_client::Error::Token(TokenFailure::Busy { .. })
                ),
                "{error:?}"
            );
            error.to_string()
        };
        busy(client.send(&get("/x")).await.unwrap_err());
        world.pass(20);
        let (sibling, _) = world.client(Some(cache.path()));
        let said = busy(sibling.send(&get("/x")).await.unwrap_err());
        assert!(said.contains("40 s") && said.contains(status), "{said}");
        assert_eq!(world.token_calls(), 1, "nobody asked meanwhile");
        let (options, _) = world.options(Some(cache.path()));
        let other = world.other_client(&options);
        let sent = other.send(&get("/x")).await;
        assert!(sent.is_err(), "the test's server does not know it");
        assert_eq!(world.token_calls(), if shared { 1 } else { 2 });
        world.pass(41);
        assert_eq!(sibling.send(&get("/x")).await.unwrap().status(), 200);
        let left = std::fs::read_dir(cache.path()).unwrap();
        let pauses =
            left.filter(|file| file.as_ref().unwrap().path().extension().unwrap() == "pause");
        assert_eq!(pauses.count(), 0, "it is over");
    }
}

#[tokio::test]
async fn a_short_pause_of_another_program_is_waited_for() {
    let world = World::quiet().await;
    let cache = tempfile::tempdir().unwrap();
    let (client, _) = world.client(Some(cache.path()));
    for _ in 0..3 {
        world.next_token_answer(503, &[], "");
    }
    client.send(&get("/x")).await.unwrap_err();
    assert_eq!(world.token_calls(), 3);
    // The clock of this test stands still, so the pause is still on: it is waited for once.
    let (sibling, events) = world.client(Some(cache.path()));
    assert_eq!(sibling.send(&get("/x")).await.unwrap().status(), 200);
    let waited = |event: &Event| matches!(event, Event::Retrying { status: 503, .. });
    assert_eq!((events.count(waited), world.token_calls()), (1, 4));
}

#[tokio::test]
async fn patience_with_a_slow_endpoint_ends() {
    let world = World::start(|_| ok("{}")).await;
    let closed = world.gate.write().await;
    let (options, _) = world.options(None);
    let limits = Limits {
        total: Duration::from_millis(200),
        ..Limits::default()
    };
    let client = world.client_with(&options.with_limits(limits));
    let error = client.send(&get("/x")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    drop(closed);
}
