//! Tasks followed from the command line.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::odd::{Answer, Odd, json};
use crate::server::Running;
use crate::world::eventually;

const ID: &str = "dd9e6b68-db1c-4f86-90b4-9ce31d65abfa";

pub(super) fn running(percent: usize) -> Answer {
    json(&format!(
        r#"{{"state":"RUNNING","progressPercent":{percent},"suggestedPollingIntervalSeconds":0}}"#
    ))
}

#[test]
fn a_task_is_followed_in_every_form_of_its_address() {
    for (status, header, body, path) in [
        (
            202,
            None,
            format!(r#"{{"taskUri":"{ID}"}}"#),
            "/api/v1/tasks/",
        ),
        (
            202,
            None,
            format!(r#"{{"taskUri":"/rest/vega/v1/tasks/{ID}"}}"#),
            "/api/v1/tasks/",
        ),
        (
            200,
            None,
            format!(r#"{{"taskUri":"/api/v1/tasks/{ID}"}}"#),
            "/api/v1/tasks/",
        ),
        (
            202,
            Some(format!("/data-services/v1beta1/async-operations/{ID}")),
            "{}".to_owned(),
            "/data-services/v1beta1/async-operations/",
        ),
    ] {
        let looks = AtomicUsize::new(0);
        let started = (
            status,
            header.map(|to| ("location", to)).into_iter().collect(),
            body.into_bytes(),
        );
        let task = format!("{path}{ID}");
        let known = task.clone();
        let odd = Odd::start(move |path| match path {
            "/start" => started.clone(),
            path if path == known => match looks.fetch_add(1, Ordering::SeqCst) {
                0 => running(10),
                1 => (503, Vec::new(), Vec::new()),
                _ => json(r#"{"state":"SUCCEEDED","size":18446744073709551616}"#),
            },
            _ => (404, Vec::new(), Vec::new()),
        });
        let done = odd.run(&["get", "/start", "--wait"]).ok();
        assert_eq!(
            done.stdout,
            "{\n  \"state\": \"SUCCEEDED\",\n  \"size\": 18446744073709551616\n}\n"
        );
        assert!(
            odd.calls().iter().filter(|call| **call == task).count() >= 3,
            "{:?}",
            odd.calls()
        );
    }
}

#[test]
fn an_answer_without_a_task_is_printed_at_once() {
    let odd = Odd::start(|_| json(r#"{"deleteInitiator":true}"#));
    let done = odd.run(&["get", "/v", "--wait", "-o", "raw"]).ok();
    assert_eq!(
        (done.stdout.as_str(), odd.calls().len()),
        (r#"{"deleteInitiator":true}"#, 1)
    );
}

#[test]
fn a_task_that_fails_or_takes_too_long_ends_with_5() {
    let odd = Odd::start(|path| match path.rsplit('/').next().unwrap() {
        "fail" => json(r#"{"taskUri":"t1"}"#),
        "slow" => json(r#"{"taskUri":"t2"}"#),
        "gone" => json(r#"{"taskUri":"t3"}"#),
        "t1" => json(
            r#"{"state":"CANCELLED","displayName":"Create","error":{"error":"by ann"},
                "childTasks":[{"resourceUri":"/api/v1/tasks/part"}]}"#,
        ),
        "part" => json(r#"{"state":"FAILED","displayName":"Export","error":"no path"}"#),
        "t2" => running(40),
        _ => (404, Vec::new(), br#"{"error":"no such task"}"#.to_vec()),
    });
    let failed = odd
        .run(&["get", "/fail", "--wait", "--query", ".state"])
        .ended(5);
    assert_eq!(
        failed.stdout, "\"CANCELLED\"\n",
        "the task is printed all the same"
    );
    failed.says(&[
        "task `Create` ended as CANCELLED: by ann; its task `Export` ended as FAILED: no path",
        "hint: look at the task: hallpass get /api/v1/tasks/t1",
    ]);
    for misfit in [".state.name", ".state | tonumber"] {
        odd.run(&["get", "/fail", "--wait", "--query", misfit])
            .ended(5)
            .says(&[
                "ended as CANCELLED: by ann",
                "hallpass get /api/v1/tasks/t1",
            ]);
    }
    odd.run(&[
        "get",
        "/slow",
        "--wait",
        "--wait-timeout",
        "1",
        "--query",
        ".state.x",
    ])
    .ended(5)
    .says(&["is not done after 1 s"]);
    odd.run(&["get", "/slow", "--wait", "--wait-timeout", "1"])
        .ended(5)
        .says(&["is not done after 1 s", "hallpass get /api/v1/tasks/t2"]);
    odd.run(&["get", "/gone", "--wait"]).ended(1).says(&[
        "the task was started and cannot be followed",
        "no such task",
    ]);
}

#[test]
fn ctrl_c_leaves_the_task_and_says_how_to_look_at_it() {
    let odd = Odd::start(|path| match path {
        "/start" => json(r#"{"taskUri":"t1"}"#),
        _ => running(40),
    });
    let mut waiting = Running::start(&mut odd.command(&["get", "/start", "--wait"]));
    eventually("a look at the task", || {
        (odd.calls().len() > 2).then_some(())
    });
    waiting.signal("INT");
    assert_eq!(waiting.end().code(), Some(130));
    let said = waiting.stderr.to_end();
    assert!(
        said.contains("the task goes on") && said.contains("hallpass get /api/v1/tasks/t1"),
        "{said}"
    );
}

#[test]
fn the_hint_to_a_task_keeps_the_connection_that_was_typed() {
    let odd = Odd::start(|path| match path {
        "/fail" => json(r#"{"taskUri":"t1"}"#),
        _ => json(r#"{"state":"FAILED","error":"no"}"#),
    });
    let secret = odd.world.path("secret");
    std::fs::write(&secret, "planted").unwrap();
    let token_url = format!("{}/token", odd.address);
    let add = [
        "profile",
        "add",
        "here",
        "--client-id",
        "c",
        "--secret-file",
        secret.to_str().unwrap(),
        "--token-url",
        &token_url,
        "--base-url",
        &odd.address,
        "--no-test",
    ];
    odd.world.run(&add).ok();
    let typed = odd.world.run(&["get", "/fail", "--wait", "-p", "here"]);
    typed
        .ended(5)
        .says(&["hallpass get /api/v1/tasks/t1 -p here\n"]);
    let mut said_by_the_environment = odd.world.command(&["get", "/fail", "--wait"]);
    said_by_the_environment.env("HALLPASS_PROFILE", "here");
    crate::world::run(&mut said_by_the_environment)
        .ended(5)
        .says(&["hallpass get /api/v1/tasks/t1\n"]);
}
