//! Tasks: from the 202 to the end, well or badly.

use hallpass_sandbox::{Settings, TaskFate, TaskUri};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{EMAIL, SYSTEM, VOLUME, World, definition};

fn volumes() -> String {
    format!("storage-systems/device-type1/{SYSTEM}/volumes")
}

fn new(name: &str) -> Value {
    json!({"name": name, "sizeMib": 16384, "userCpg": "SSD_r6"})
}

#[test]
fn a_volume_is_created_step_by_step() {
    let mut world = World::new();
    let (status, accepted) = world.post(&volumes(), &new("v"));
    assert_eq!(status, 202);
    assert_eq!(
        (&accepted["status"], &accepted["message"]),
        (&json!("SUBMITTED"), &json!("Successfully submitted"))
    );
    let id = accepted["taskUri"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36, "a bare UUID");
    let mut seen = Vec::new();
    for _ in 0..5 {
        let (_, task) = world.get(&format!("tasks/{id}"));
        let (_, list) = world.get("volumes?filter=name eq v");
        let line = format!(
            "{} {} {}",
            task["state"].as_str().unwrap(),
            task["progressPercent"],
            list["total"]
        );
        assert_eq!(task["endedAt"].is_null(), task["state"] != "SUCCEEDED");
        seen.push(line);
        world.later(250);
    }
    assert_eq!(
        seen,
        [
            "INITIALIZED 0 0",
            "RUNNING 25 0",
            "RUNNING 50 0",
            "RUNNING 75 0",
            "SUCCEEDED 100 1"
        ]
    );
}

#[test]
fn a_task_tells_who_what_and_when() {
    let mut world = World::new();
    let created = world.now;
    let answer = world.post(&volumes(), &new("v"));
    let (_, fresh) = world.get(&format!("tasks/{}", answer.1["taskUri"].as_str().unwrap()));
    assert!(fresh["startedAt"].is_null());
    assert!(fresh["suggestedPollingIntervalSeconds"].as_i64().unwrap() >= 1);
    let task = world.done(answer);
    assert_eq!(task["displayName"], "Create volume v");
    assert_eq!(task["userId"], EMAIL);
    assert_eq!(task["parentTask"]["resourceUri"], task["resourceUri"]);
    assert_eq!(task["createdAt"], format!("{created:.9}"));
    let ended: Timestamp = task["endedAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(ended.duration_since(created), SignedDuration::from_secs(1));
    assert_eq!(task["sourceResource"]["type"], "storage-system");
    assert!(task["generation"].as_i64() > fresh["generation"].as_i64());
    assert!(task["error"].is_null());
}

#[test]
fn a_task_is_found_by_a_path_that_ends_in_its_id() {
    let mut world = World::new();
    let (_, accepted) = world.post(&volumes(), &new("v"));
    let id = accepted["taskUri"].as_str().unwrap();
    for written in [
        format!("%2Fapi%2Fv1%2Ftasks%2F{id}"),
        format!("%2Frest%2Fvega%2Fv1%2Ftasks%2F{id}"),
        id.to_uppercase(),
    ] {
        let (status, task) = world.get(&format!("tasks/{written}"));
        assert_eq!((status, task["id"].as_str()), (200, Some(id)), "{written}");
    }
    assert_eq!(world.get("tasks/%2Fapi%2Fv1%2Ftasks%2F").0, 404);
}

#[test]
fn of_two_creations_of_one_name_the_second_fails_and_changes_nothing() {
    let mut world = World::new();
    let first = world.post(&volumes(), &new("race"));
    world.later(100);
    let second = world.post(
        &volumes(),
        &json!({"name": "race", "sizeMib": 1, "userCpg": "NL_r6"}),
    );
    world.later(100);
    assert_eq!(world.done(first)["state"], "SUCCEEDED");
    let task = world.done(second);
    assert_eq!(
        (&task["state"], &task["healthStatus"]),
        (&json!("FAILED"), &json!("ERROR"))
    );
    assert!(task["error"]["error"].as_str().unwrap().contains("race"));
    assert!(!task["recommendations"].as_array().unwrap().is_empty());
    assert!(task["endedAt"].is_string());
    let (_, list) = world.get("volumes?filter=name eq race");
    assert_eq!(
        (&list["total"], &list["items"][0]["sizeMiB"]),
        (&json!(1), &json!(16384))
    );
}

#[test]
fn work_on_a_volume_that_was_deleted_meanwhile_fails() {
    let mut world = World::new();
    let path = format!("{}/{VOLUME}", volumes());
    let deletion = world.delete(&path);
    let again = world.delete(&path);
    let edit = world.put(&path, &json!({"name": "late"}));
    assert_eq!(world.done(deletion)["state"], "SUCCEEDED");
    for answer in [again, edit] {
        let task = world.done(answer);
        assert_eq!(task["state"], "FAILED");
        assert!(task["error"]["error"].as_str().unwrap().contains("gone"));
    }
    assert_eq!(world.get(&path).0, 404);
}

#[test]
fn a_volume_never_shrinks_even_when_two_edits_overlap() {
    let mut world = World::new();
    let path = format!("{}/{VOLUME}", volumes());
    let large = world.put(&path, &json!({"sizeMib": 3_000_000}));
    let small = world.put(&path, &json!({"sizeMib": 2_000_000}));
    assert_eq!(world.done(large)["state"], "SUCCEEDED");
    assert_eq!(world.done(small)["state"], "FAILED");
    assert_eq!(world.get(&path).1["sizeMiB"], 3_000_000);
}

#[test]
fn tasks_can_be_filtered_by_anything() {
    let mut world = World::new();
    let answer = world.post(&volumes(), &new("v"));
    let id = answer.1["taskUri"].as_str().unwrap().to_owned();
    for filter in [
        format!("id eq {id}"),
        "state in (INITIALIZED,RUNNING)".to_owned(),
        "sourceResource.name eq alletra-1".to_owned(),
        format!("userId eq {EMAIL}"),
        "name eq 'Create volume v'".to_owned(),
    ] {
        let (status, list) = world.get(&format!("tasks?filter={filter}"));
        assert_eq!(status, 200);
        assert_eq!(
            (&list["total"], &list["items"][0]["id"]),
            (&json!(1), &json!(id)),
            "{filter}"
        );
    }
    let (status, none) = world.get("tasks?filter=owner.name eq fred@example.com");
    assert_eq!((status, &none["total"]), (200, &json!(0)));
}

#[test]
fn ended_tasks_are_bounded_and_running_ones_are_kept() {
    let settings = Settings {
        kept_tasks: 5,
        ..Settings::default()
    };
    let mut world = World::with(definition(), settings);
    let mut last = Value::Null;
    for number in 0..8 {
        let answer = world.post(&volumes(), &new(&format!("v{number}")));
        last = world.done(answer);
    }
    let (_, kept) = world.get("tasks");
    assert_eq!(kept["total"], 5);
    assert_eq!(kept["items"][4]["id"], last["id"]);
    for number in 0..8 {
        assert_eq!(world.post(&volumes(), &new(&format!("w{number}"))).0, 202);
    }
    let (_, running) = world.get("tasks?filter=endedAt eq null");
    assert_eq!(running["total"], 8);
}

#[test]
fn the_duration_is_a_setting_and_may_be_nothing() {
    for (milliseconds, wait) in [(0, 0), (10_000, 10_000), (-5, 0)] {
        let task_duration = SignedDuration::from_millis(milliseconds);
        let settings = Settings {
            task_duration,
            ..Settings::default()
        };
        let mut world = World::with(definition(), settings);
        let (_, accepted) = world.post(&volumes(), &new("v"));
        world.later(wait);
        let (_, task) = world.get(&format!("tasks/{}", accepted["taskUri"].as_str().unwrap()));
        assert_eq!(task["state"], "SUCCEEDED", "{milliseconds}");
    }
}

#[test]
fn a_task_that_is_to_fail_ends_without_its_work() {
    for (fate, state, code) in [
        (TaskFate::Fail, "FAILED", "BAD_REQUEST"),
        (TaskFate::TimeOut, "TIMEDOUT", "TIMEOUT"),
    ] {
        let mut world = World::new();
        world.fate = fate;
        let (_, accepted) = world.post(&volumes(), &new("v"));
        world.later(5000);
        let uri = accepted["taskUri"].as_str().unwrap();
        let (_, task) = world.get(&format!("tasks/{uri}"));
        assert_eq!(
            (&task["state"], &task["progressPercent"]),
            (&json!(state), &json!(100))
        );
        assert_eq!(task["error"]["errorCode"], code);
        let (_, list) = world.get("volumes?filter=name eq v");
        assert_eq!(list["total"], 0);
    }
}

#[test]
fn a_task_that_is_to_hang_never_ends() {
    let mut world = World::new();
    world.fate = TaskFate::Hang;
    let (_, accepted) = world.post(&volumes(), &new("v"));
    world.later(100_000);
    let uri = accepted["taskUri"].as_str().unwrap();
    let (_, task) = world.get(&format!("tasks/{uri}"));
    assert_eq!(
        (&task["state"], &task["progressPercent"]),
        (&json!("RUNNING"), &json!(50))
    );
    assert!(task["endedAt"].is_null());
    assert_eq!(world.state.next_due(), None);
}

#[test]
fn a_task_is_named_in_the_form_that_is_set_and_found_by_it() {
    for (form, before) in [
        (TaskUri::Id, ""),
        (TaskUri::Path, "/api/v1/tasks/"),
        (TaskUri::Definition, "/rest/vega/v1/tasks/"),
    ] {
        let settings = Settings {
            task_uri: form,
            ..Settings::default()
        };
        let mut world = World::with(definition(), settings);
        let (_, accepted) = world.post(&volumes(), &new("v"));
        let uri = accepted["taskUri"].as_str().unwrap();
        let id = uri.strip_prefix(before).unwrap();
        assert_eq!(id.len(), 36);
        let (status, task) = world.get(&format!("tasks/{}", uri.replace('/', "%2F")));
        assert_eq!((status, &task["id"]), (200, &json!(id)));
    }
}
