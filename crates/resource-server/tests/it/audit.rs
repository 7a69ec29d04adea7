//! What the guard writes down, and what it does not.

use hallpass_access::Role;
use hallpass_store::AuditState;
use hallpass_store::audit::StoredEvent;
use jiff::SignedDuration;
use prometheus_client::encoding::text::encode;
use serde_json::{Value, json};

use crate::world::{POOL, World};

const VOLUMES: &str = "/api/v1/storage-systems/device-type1/2M2042059T/volumes";
const EVENTS: &str = "/api/v1/audit-events";

#[tokio::test]
async fn a_change_leaves_its_beginning_and_its_end() {
    let world = World::new().await;
    let client = world.client("ann", Role::Administrator).await;
    let token = world.mint(&client).await;
    let task = world.start_volume(&token, "audited").await;
    let refused = world
        .post(VOLUMES, &token, &json!({"name": "audited"}))
        .await;
    assert_eq!(refused.status, 400);

    let events = of_guard(&world).await;
    let states: Vec<_> = events.iter().map(|event| event.event.state).collect();
    assert_eq!(
        states,
        [
            AuditState::Initiated,
            AuditState::Success,
            AuditState::Initiated,
            AuditState::Failure
        ]
    );
    for stored in &events {
        let event = &stored.event;
        assert_eq!(event.permission, "volume.create");
        assert_eq!(event.user_email, "ann@example.com");
        assert_eq!(event.client_id, client.id.as_str());
        assert_eq!(event.workspace.as_ref(), Some(&world.workspace.id));
        assert_eq!(event.source_ip, "127.0.0.1");
        assert_eq!(
            (event.resource.id.as_str(), event.resource.kind.as_str()),
            (VOLUMES, "volume")
        );
        assert_eq!(event.resource.name, "VolumeCreate");
    }
    let tasks: Vec<_> = events
        .iter()
        .map(|event| event.event.task_id.as_str())
        .collect();
    assert_eq!(tasks, ["", &task, "", ""]);
}

#[tokio::test]
async fn permitted_reads_leave_nothing() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    for target in [
        "/api/v1/volumes",
        EVENTS,
        "/api/v1/access-controls",
        "/api/v1/volumes/none",
    ] {
        world.get(target, &token).await;
    }
    world
        .call("HEAD", "/api/v1/volumes", Some(&token), None)
        .await;
    assert_eq!(of_guard(&world).await.len(), 0);
}

#[tokio::test]
async fn a_refused_owner_is_in_the_log_of_their_workspace_alone() {
    let world = World::new().await;
    let observer = world.client("otto", Role::Observer).await;
    let token = world.mint(&observer).await;
    let target = format!("{VOLUMES}?x=1");
    let answer = world.post(&target, &token, &json!({"name": "x"})).await;
    assert_eq!(answer.status, 403);

    let admin = world.token("ann", Role::Administrator).await;
    let stranger = world
        .mint(&world.stranger("eve", Role::Administrator).await)
        .await;
    let denied = format!("{EVENTS}?filter=state%20eq%20PermissionDenied");
    assert_eq!(list(&world, &stranger, &denied).await, [] as [Value; 0]);
    let seen = list(&world, &admin, &denied).await;
    let [event] = seen.as_slice() else {
        panic!("{seen:?}")
    };
    let expected = json!({
        "code": "Unauthorized privilege",
        "message": "Unauthorized user access",
        "state": "PermissionDenied",
        "occurredAt": world.now().to_string(),
        "associatedResource": {"id": target, "name": "", "type": ""},
        "sourceIpAddress": "127.0.0.1",
        "customerId": world.workspace.customer.as_str(),
        "contextId": observer.id.as_str(),
        "taskId": "",
        "userEmail": "otto@example.com",
        "permission": "volume.create",
        "scope": "",
        "version": 1,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(event[name], *value, "{name}");
    }
    assert_eq!(event.get("count"), None, "it is listed, not counted");
}

#[tokio::test]
async fn strangers_are_counted_by_reason_and_minute() {
    let world = World::new().await;
    let good = world.token("ann", Role::Observer).await;
    let late = world.stranger("eve", Role::Observer).await;
    let superseded = world.mint(&late).await;
    world.mint(&late).await;
    for _ in 0..3 {
        world.call("GET", "/api/v1/volumes", None, None).await;
        world.get("/api/v1/nowhere", "garbage").await;
    }
    world.get("/api/v1/volumes", &superseded).await;
    world
        .get(&format!("/api/v1/volumes?access_token={good}"), &good)
        .await;
    world.wait(SignedDuration::from_mins(1));
    world.call("GET", "/api/v1/volumes", None, None).await;

    let events = of_guard(&world).await;
    let mut rows: Vec<_> = events
        .iter()
        .map(|stored| (stored.event.message.as_str(), stored.event.count))
        .collect();
    rows.sort_unstable();
    assert_eq!(
        rows,
        [
            ("API request refused: bad_authorization", 1),
            ("API request refused: malformed", 3),
            ("API request refused: no_token", 1),
            ("API request refused: no_token", 3),
            ("API request refused: superseded", 1),
        ]
    );
    assert!(events.iter().all(|stored| stored.event.workspace.is_none()));
    let kept = format!("{:?}", world.audit().await);
    for token in [good, superseded] {
        assert!(
            !kept.contains(token.rsplit('.').next().unwrap()),
            "no token is kept"
        );
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_written_down_is_not_made() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    assert_eq!(world.volumes(&token, "unwritten").await.len(), 0);
    world.store.close().await;
    let body = json!({"name": "unwritten", "sizeMib": 16384, "userCpg": "SSD_r6"});
    let answer = world.post(VOLUMES, &token, &body).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    world.wait(SignedDuration::from_secs(2));
    assert_eq!(world.volumes(&token, "unwritten").await.len(), 0);
}

#[tokio::test]
async fn answers_and_refusals_are_counted_without_names() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    world.get("/api/v1/volumes", &token).await;
    world.get("/api/v1/nowhere", &token).await;
    world.get("/api/v1/volumes", "garbage").await;
    world.post(VOLUMES, &token, &json!({"name": "x"})).await;
    let mut text = String::new();
    encode(&mut text, &world.registry).unwrap();
    let of_guard = text.lines().filter(|line| line.starts_with("hallpass_api"));
    let lines: Vec<_> = of_guard.collect();
    for line in [
        "hallpass_api_answers_total{status=\"200\"} 1",
        "hallpass_api_answers_total{status=\"401\"} 1",
        "hallpass_api_answers_total{status=\"403\"} 1",
        "hallpass_api_answers_total{status=\"404\"} 1",
        "hallpass_api_refusals_total{reason=\"malformed\"} 1",
        "hallpass_api_refusals_total{reason=\"permission_denied\"} 1",
        "hallpass_api_refusals_total{reason=\"unknown_operation\"} 1",
    ] {
        assert!(lines.contains(&line), "{line} in {text}");
    }
    assert_eq!(lines.len(), 7, "{text}");
}

/// The events that the guard wrote; the store writes its own about people and credentials.
async fn of_guard(world: &World) -> Vec<StoredEvent> {
    let mut events = world.audit().await;
    events.retain(|stored| stored.event.source.starts_with("http://"));
    events
}

async fn list(world: &World, token: &str, target: &str) -> Vec<Value> {
    let answer = world.get(target, token).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["items"].as_array().unwrap().clone()
}

/// The events of tasks: what they say, and whether it is one of success.
fn of_tasks(events: &[StoredEvent], titles: &str) -> Vec<(String, AuditState)> {
    let events = events.iter().map(|stored| &stored.event);
    let of_tasks = events.filter(|event| event.message.contains(titles));
    let mut told: Vec<_> = of_tasks
        .map(|event| (event.message.clone(), event.state))
        .collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    told
}

#[tokio::test]
async fn the_end_of_a_task_is_written_down_once_in_the_name_of_who_began_it() {
    let world = World::new().await;
    let client = world.client("ann", Role::Administrator).await;
    let token = world.mint(&client).await;
    let task = world.start_volume(&token, "job").await;
    let world = world.killed().await;
    world.wait(SignedDuration::from_secs(2));
    let token = world.mint(&client).await;
    // It is in memory again.
    world.get("/api/v1/tasks", &token).await;
    for _ in 0..2 {
        let list = world.get(EVENTS, &token).await;
        assert_eq!(list.status, 200);
        assert!(
            list.body.contains("Create volume job - Completed"),
            "{}",
            list.body
        );
        let events = of_guard(&world).await;
        let ends: Vec<_> = events
            .iter()
            .filter(|stored| stored.event.message.starts_with("Create volume job"))
            .collect();
        assert_eq!(ends.len(), 1);
        let end = &ends[0].event;
        assert_eq!(end.state, AuditState::Success);
        assert_eq!(end.task_id, task);
        assert_eq!(end.user_email, "ann@example.com");
        assert_eq!(end.client_id, client.id.as_str());
        assert_eq!(end.permission, "volume.create");
        assert_eq!(end.resource.id, VOLUMES);
        assert_eq!(end.workspace.as_ref(), Some(&world.workspace.id));
    }
    let again = world.killed().await;
    let token = again.mint(&client).await;
    again.get("/api/v1/tasks", &token).await;
    again.server.stand_ins().tell_ends(again.now()).await;
    assert_eq!(
        of_tasks(&of_guard(&again).await, "Create volume job").len(),
        1
    );
}

#[tokio::test]
async fn each_part_of_a_task_begins_and_ends_in_the_log() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let body = json!({"name": "many", "sizeMib": 1024, "userCpg": POOL, "count": 2});
    assert_eq!(world.post(VOLUMES, &token, &body).await.status, 202);
    let begun = [
        (
            "Create volume many.0 - Initiated".to_owned(),
            AuditState::Initiated,
        ),
        (
            "Create volume many.1 - Initiated".to_owned(),
            AuditState::Initiated,
        ),
    ];
    assert_eq!(of_tasks(&of_guard(&world).await, "many"), begun);
    world.wait(SignedDuration::from_secs(2));
    world.server.stand_ins().tell_ends(world.now()).await;
    let told = of_tasks(&of_guard(&world).await, "many");
    let messages: Vec<&str> = told.iter().map(|(message, _)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "Create volume many.0 - Completed",
            "Create volume many.0 - Initiated",
            "Create volume many.1 - Completed",
            "Create volume many.1 - Initiated",
            "Parent Task : Create 2 volumes many.0 to many.1 - Completed",
        ]
    );
}

#[tokio::test]
async fn a_task_that_fails_is_a_failure_in_the_log() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    world.start_volume(&token, "twice").await;
    world.start_volume(&token, "twice").await;
    world.server.stand_ins().tell_ends(world.now()).await;
    assert_eq!(of_tasks(&of_guard(&world).await, "Create volume twice"), []);
    world.wait(SignedDuration::from_secs(2));
    world.server.stand_ins().tell_ends(world.now()).await;
    let told = of_tasks(&of_guard(&world).await, "Create volume twice");
    let ends = [
        (
            "Create volume twice - Completed".to_owned(),
            AuditState::Success,
        ),
        (
            "Create volume twice - Failed".to_owned(),
            AuditState::Failure,
        ),
    ];
    assert_eq!(told, ends);
}
