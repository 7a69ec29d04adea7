//! Parent and child tasks (domain.md sections 4.5 and 6.5).

use hallpass_sandbox::{Settings, TaskFate};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{SYSTEM, World, definition};

fn volumes() -> String {
    format!("storage-systems/device-type1/{SYSTEM}/volumes")
}

fn several(name: &str) -> Value {
    json!({"name": name, "sizeMib": 1, "userCpg": "SSD_r6", "count": 3})
}

fn task(world: &mut World, reference: &Value) -> Value {
    let uri = reference["resourceUri"].as_str().unwrap();
    let (status, task) = world.get(uri.trim_start_matches("/api/v1/"));
    assert_eq!(status, 200);
    task
}

fn children(world: &mut World, parent: &Value) -> Vec<Value> {
    let references = parent["childTasks"].as_array().unwrap();
    references.iter().map(|child| task(world, child)).collect()
}

fn ended(task: &Value) -> Timestamp {
    task["endedAt"].as_str().unwrap().parse().unwrap()
}

#[test]
fn several_volumes_are_made_by_a_child_task_each() {
    let mut world = World::new();
    let answer = world.post(&volumes(), &several("v"));
    let id = answer.1["taskUri"].as_str().unwrap().to_owned();
    let (_, fresh) = world.get(&format!("tasks/{id}"));
    assert_eq!(fresh["displayName"], "Create 3 volumes v.0 to v.2");
    for (number, child) in children(&mut world, &fresh).iter().enumerate() {
        assert_eq!(child["state"], "INITIALIZED");
        assert_eq!(child["displayName"], format!("Create volume v.{number}"));
        assert_eq!(child["parentTask"]["resourceUri"], fresh["resourceUri"]);
        assert_eq!(child["childTasks"], json!([]));
    }
    let parent = world.done(answer);
    assert_eq!(parent["parentTask"]["resourceUri"], parent["resourceUri"]);
    let mut last = parent["createdAt"].as_str().unwrap().parse().unwrap();
    for child in children(&mut world, &parent) {
        assert_eq!(
            (&child["state"], &child["progressPercent"]),
            (&json!("SUCCEEDED"), &json!(100))
        );
        assert!(ended(&child) > last, "one after the other");
        last = ended(&child);
        assert!(last < ended(&parent));
    }
}

#[test]
fn progress_of_a_parent_is_never_ahead_of_its_children() {
    let mut world = World::new();
    let (_, accepted) = world.post(&volumes(), &several("v"));
    let path = format!("tasks/{}", accepted["taskUri"].as_str().unwrap());
    for _ in 0..21 {
        let (_, parent) = world.get(&path);
        let children = children(&mut world, &parent);
        let percent = |task: &Value| task["progressPercent"].as_i64().unwrap();
        let made = world.get("volumes?filter=startswith(name,'v.')").1["total"].as_u64();
        let over = children
            .iter()
            .filter(|child| child["state"] == "SUCCEEDED");
        assert_eq!(made, Some(over.count() as u64));
        let together: i64 = children.iter().map(percent).sum();
        assert!(
            percent(&parent) <= together / 3 + 10,
            "{} {together}",
            percent(&parent)
        );
        if parent["state"] == "SUCCEEDED" {
            assert_eq!(together, 300);
        }
        world.later(50);
    }
}

#[test]
fn a_parent_fails_with_its_child_and_the_others_are_done_all_the_same() {
    let mut world = World::new();
    let one = world.post(
        &volumes(),
        &json!({"name": "v.2", "sizeMib": 1, "userCpg": "SSD_r6"}),
    );
    world.later(500);
    let answer = world.post(&volumes(), &several("v"));
    world.done(one);
    let parent = world.done(answer);
    assert_eq!(
        (&parent["state"], &parent["progressPercent"]),
        (&json!("FAILED"), &json!(100))
    );
    assert!(parent["error"]["error"].as_str().unwrap().contains("v.2"));
    let states: Vec<Value> = children(&mut world, &parent)
        .iter()
        .map(|child| child["state"].clone())
        .collect();
    assert_eq!(states, ["SUCCEEDED", "SUCCEEDED", "FAILED"]);
    assert_eq!(
        world.get("volumes?filter=startswith(name,'v.')").1["total"],
        3
    );
}

#[test]
fn a_fault_that_was_asked_for_reaches_the_children() {
    for (fate, state) in [
        (TaskFate::Fail, "FAILED"),
        (TaskFate::TimeOut, "TIMEDOUT"),
        (TaskFate::Hang, "RUNNING"),
    ] {
        let mut world = World::new();
        world.fate = fate;
        let (_, accepted) = world.post(&volumes(), &several("v"));
        world.later(5000);
        let (_, parent) = world.get(&format!("tasks/{}", accepted["taskUri"].as_str().unwrap()));
        assert_eq!(parent["state"], state);
        for child in children(&mut world, &parent) {
            assert_eq!(child["state"], state);
        }
        assert_eq!(
            world.get("volumes?filter=startswith(name,'v.')").1["total"],
            0
        );
    }
}

#[test]
fn parts_are_done_at_once_when_tasks_take_no_time() {
    let settings = Settings {
        task_duration: SignedDuration::ZERO,
        ..Settings::default()
    };
    let mut world = World::with(definition(), settings);
    let (_, accepted) = world.post(&volumes(), &several("v"));
    let (_, parent) = world.get(&format!("tasks/{}", accepted["taskUri"].as_str().unwrap()));
    assert_eq!(parent["state"], "SUCCEEDED");
    assert!(
        children(&mut world, &parent)
            .iter()
            .all(|child| child["state"] == "SUCCEEDED")
    );
}

#[test]
fn a_name_that_is_taken_refuses_the_whole_call() {
    let mut world = World::new();
    let answer = world.post(
        &volumes(),
        &json!({"name": "v.1", "sizeMib": 1, "userCpg": "SSD_r6"}),
    );
    world.done(answer);
    let (status, answer) = world.post(&volumes(), &several("v"));
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("v.1"));
}
