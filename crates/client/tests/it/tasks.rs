//! Tasks followed to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hallpass_client::{Client, Error, Event, Kind, TaskLink, TaskOutcome, Waiting};
use serde_json::json;

use crate::server::{World, get, json as answer, ok};

const ID: &str = "dd9e6b68-db1c-4f86-90b4-9ce31d65abfa";

/// Pauses short enough for a test; the rules for the real ones are tested beside the code.
fn waiting(timeout: Duration) -> Waiting {
    let short = Duration::from_millis(1);
    Waiting {
        shortest: short,
        longest: short,
        ..Waiting::at_most(timeout)
    }
}

fn going(percent: usize) -> String {
    json!({"state": "RUNNING", "displayName": "Create volume", "progressPercent": percent,
        "suggestedPollingIntervalSeconds": 0})
    .to_string()
}

async fn wait(client: &Client) -> (Result<TaskOutcome, Error>, Vec<Option<u8>>) {
    let mut seen = Vec::new();
    let tell = |task: &hallpass_client::Task| seen.push(task.progress());
    let outcome = client
        .wait_for_task(&TaskLink::of_id(ID), waiting(Duration::from_mins(1)), tell)
        .await;
    (outcome, seen)
}

#[tokio::test]
async fn a_task_is_looked_at_until_it_succeeds() {
    let looks = AtomicUsize::new(0);
    let world = World::start(move |_| match looks.fetch_add(1, Ordering::SeqCst) {
        look @ 0..3 => ok(&going(look * 30)),
        _ => ok(r#"{"state":"SUCCEEDED","progressPercent":100}"#),
    })
    .await;
    let (client, _) = world.client(None);
    let (outcome, seen) = wait(&client).await;
    assert!(outcome.unwrap().success().is_ok());
    assert_eq!(seen, [Some(0), Some(30), Some(60), Some(100)]);
    let path = world.calls()[0].path_and_query.replace("%2D", "-");
    assert_eq!(path, format!("/api/v1/tasks/{ID}"));
}

#[tokio::test]
async fn a_failed_task_tells_why_even_at_a_hundred_percent() {
    let failed = json!({"state": "FAILED", "displayName": "Create volume", "progressPercent": 100,
        "error": {"error": "pool full", "errorCode": "E1"}});
    let world = World::start(move |_| ok(&failed.to_string())).await;
    let (client, _) = world.client(None);
    let error: Error = wait(&client).await.0.unwrap().success().unwrap_err().into();
    assert_eq!(error.kind(), Kind::Task);
    assert_eq!(
        error.to_string(),
        "task `Create volume` ended as FAILED: pool full (E1)"
    );
}

#[tokio::test]
async fn waiting_ends_with_the_time() {
    let world = World::start(|_| ok(&going(10))).await;
    let (client, _) = world.client(None);
    // The token is there before the time begins to run.
    client.tokens().token().await.unwrap();
    let short = Waiting {
        timeout: Duration::from_millis(300),
        ..waiting(Duration::ZERO)
    };
    let outcome = client
        .wait_for_task(&TaskLink::of_id(ID), short, |_| {})
        .await
        .unwrap();
    let TaskOutcome::TimedOut {
        last: Some(task), ..
    } = &outcome
    else {
        panic!("{outcome:?}");
    };
    assert_eq!(task.progress(), Some(10));
    assert!(
        outcome
            .success()
            .unwrap_err()
            .hint()
            .unwrap()
            .contains("later")
    );
}

#[tokio::test]
async fn a_look_that_fails_for_the_moment_is_repeated_until_the_time_is_up() {
    let looks = AtomicUsize::new(0);
    let world = World::start(move |_| match looks.fetch_add(1, Ordering::SeqCst) {
        0 => answer(503, ""),
        1 => (429, vec![("retry-after", "0".to_owned())], String::new()),
        2 => ok(&going(50)),
        3 => answer(500, ""),
        _ => ok(r#"{"state":"SUCCEEDED"}"#),
    })
    .await;
    let (client, events) = world.client(None);
    assert!(matches!(
        wait(&client).await.0,
        Ok(TaskOutcome::Succeeded(_))
    ));
    assert_eq!(
        events.count(|event| matches!(event, Event::PollFailed { .. })),
        3
    );

    let world = World::start(|_| answer(503, r#"{"error":"maintenance"}"#)).await;
    let (client, _) = world.client(None);
    client.tokens().token().await.unwrap();
    let short = waiting(Duration::from_millis(300));
    let link = TaskLink::of_id(ID);
    let outcome = client.wait_for_task(&link, short, |_| {});
    let failure = outcome.await.unwrap().success().unwrap_err();
    assert!(failure.to_string().contains("maintenance"), "{failure}");
    assert!(world.calls().len() > 4, "{}", world.calls().len());
}

#[tokio::test]
async fn a_connection_that_breaks_says_nothing_about_the_task() {
    let looks = AtomicUsize::new(0);
    let world = World::start(move |_| match looks.fetch_add(1, Ordering::SeqCst) {
        // Less than it promises, and the connection is closed.
        0 => (200, vec![("content-length", "1000".to_owned())], going(10)),
        _ => ok(r#"{"state":"SUCCEEDED"}"#),
    })
    .await;
    let (client, events) = world.client(None);
    assert!(wait(&client).await.0.unwrap().success().is_ok());
    let failed = events.count(|event| matches!(event, Event::PollFailed { .. }));
    assert_eq!(failed, 1);
}

#[tokio::test]
async fn a_long_wait_renews_its_token() {
    let looks = Arc::new(AtomicUsize::new(0));
    let seen = looks.clone();
    let world = World::start(move |_| match looks.fetch_add(1, Ordering::SeqCst) {
        0..6 => ok(&going(10)),
        _ => ok(r#"{"state":"SUCCEEDED"}"#),
    })
    .await;
    world.set_lifetime("600");
    let (client, events) = world.client(None);
    let (clock, link) = (world.clone(), TaskLink::of_id(ID));
    let outcome = client.wait_for_task(&link, waiting(Duration::from_mins(1)), |_| {
        clock.pass(250);
    });
    assert!(outcome.await.unwrap().success().is_ok());
    assert!(world.mints() > 2, "{}", world.mints());
    assert_eq!(seen.load(Ordering::SeqCst), 7, "no look was refused");
    assert_eq!(
        events.count(|event| matches!(event, Event::PollFailed { .. })),
        0
    );
}

#[tokio::test]
async fn the_parts_of_a_failed_task_are_asked_what_went_wrong() {
    let world = World::start(|call| {
        let part = |uri: &str| json!({"name": "part", "resourceUri": uri, "type": "task"});
        let id = call.path_and_query.rsplit('/').next().unwrap();
        let answer = match id {
            "bad" => json!({"state": "FAILED", "displayName": "Export", "error": "no path"}),
            "good" => json!({"state": "SUCCEEDED"}),
            "gone" => return answer(404, "{}"),
            _ => json!({"state": "FAILED", "displayName": "Create volume", "childTasks": [
                part("/api/v1/tasks/good"), part("/api/v1/tasks/gone"),
                part("/rest/vega/v1/tasks/bad"), part("/api/v1/volumes/7")]}),
        };
        ok(&answer.to_string())
    })
    .await;
    let (client, _) = world.client(None);
    let failure = wait(&client).await.0.unwrap().success().unwrap_err();
    assert_eq!(
        failure.to_string(),
        "task `Create volume` ended as FAILED; its task `Export` ended as FAILED: no path"
    );
    assert_eq!(world.calls().len(), 4);
}

#[tokio::test]
async fn the_answer_says_which_task_it_started() {
    let world = World::start(|call| match call.path_and_query.as_str() {
        "/classic" => answer(
            202,
            &json!({"taskUri": ID, "status": "SUBMITTED"}).to_string(),
        ),
        "/created" => answer(
            201,
            &json!({"taskUri": format!("/api/v1/tasks/{ID}")}).to_string(),
        ),
        "/new" => {
            let place = format!("/data-services/v1beta1/async-operations/{ID}");
            (202, vec![("location", place)], "{}".to_owned())
        }
        "/object" => (
            201,
            vec![("location", "/api/v1/hosts/7".to_owned())],
            "{}".to_owned(),
        ),
        "/elsewhere" => {
            let place = format!("https://evil.example/async-operations/{ID}");
            (202, vec![("location", place)], String::new())
        }
        _ => ok(r#"{"deleteInitiator":true}"#),
    })
    .await;
    let (client, _) = world.client(None);
    let mut paths = Vec::new();
    for path in [
        "/classic",
        "/created",
        "/new",
        "/object",
        "/elsewhere",
        "/plain",
    ] {
        let answer = client.send(&get(path)).await.unwrap();
        paths.push(
            client
                .task_of(&answer)
                .map(|link| link.path().replace("%2D", "-")),
        );
    }
    let classic = Some(format!("/api/v1/tasks/{ID}"));
    let new = Some(format!("/data-services/v1beta1/async-operations/{ID}"));
    assert_eq!(paths, [classic.clone(), classic, new, None, None, None]);
}

#[tokio::test]
async fn a_task_that_is_not_there_or_is_none_is_an_error_at_once() {
    for body in [
        answer(404, r#"{"error":"no such task"}"#),
        ok(r#"{"items":[]}"#),
    ] {
        let world = World::start(move |_| body.clone()).await;
        let (client, _) = world.client(None);
        assert_eq!(wait(&client).await.0.unwrap_err().kind(), Kind::Api);
        assert_eq!(world.calls().len(), 1);
    }
}
