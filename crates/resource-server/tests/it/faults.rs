//! Faults that a caller asks for by header, or the server by rules.

use std::time::Duration;

use hallpass_access::Role;
use hallpass_resource_server::{FaultRule, RuleRefused};
use jiff::SignedDuration;
use serde_json::json;

use crate::wire::{Answer, exchange, parse, soon};
use crate::world::{POOL, World, check};

const LIST: &str = "/api/v1/volumes";

async fn bytes(world: &World, method: &str, token: &str, fault: &str) -> Vec<u8> {
    let request = format!(
        "{method} {LIST} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nHallpass-Fault: {fault}\r\n\r\n"
    );
    exchange(world.address, request.as_bytes()).await
}

/// An answer whose `Retry-After` the fault decides.
async fn get(world: &World, token: &str, fault: &str) -> Answer {
    let answer = parse(&bytes(world, "GET", token, fault).await);
    if answer.status != 429 {
        check(&answer, "GET");
    }
    answer
}

#[tokio::test]
async fn a_status_is_answered_in_the_words_it_has_otherwise() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    for (status, code) in [
        (400, "BAD_REQUEST"),
        (401, "UNAUTHENTICATED"),
        (403, "FORBIDDEN"),
        (500, "INTERNAL_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
    ] {
        let answer = get(&world, &token, &format!("status={status}")).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["errorCode"], code);
    }
    let limited = get(&world, &token, "status=429; retry-after=7").await;
    assert_eq!(limited.status, 429);
    assert_eq!(limited.header("retry-after"), Some("7"));
    let limited = get(&world, &token, "status=429").await;
    assert_eq!(limited.header("retry-after"), Some("1"));
    let mut metrics = String::new();
    prometheus_client::encoding::text::encode(&mut metrics, &world.registry).unwrap();
    assert!(metrics.contains("hallpass_api_faults_total{kind=\"status\"} 7"));
}

#[tokio::test]
async fn a_token_is_refused_after_so_many_calls_until_there_is_a_new_one() {
    let world = World::new().await;
    let client = world.client("ann", Role::Observer).await;
    let token = world.mint(&client).await;
    let fault = "status=401; after=3";
    for call in 1..=5 {
        let answer = get(&world, &token, fault).await;
        assert_eq!(answer.status, if call > 3 { 401 } else { 200 }, "{call}");
    }
    let refused = get(&world, &token, fault).await;
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    let next = world.mint(&client).await;
    assert_eq!(get(&world, &next, fault).await.status, 200);
}

#[tokio::test]
async fn a_fault_ends_after_so_many_times() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let fault = "status=503; times=2; retry-after=0";
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(&world, &token, fault).await.status);
    }
    assert_eq!(statuses, [503, 503, 200, 200]);
}

#[tokio::test]
async fn a_connection_ends_before_the_answer_or_within_it() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    for (method, fault) in [
        ("GET", "drop"),
        ("GET", "drop=answer"),
        ("HEAD", "drop"),
        ("HEAD", "drop=body"),
    ] {
        let sent = bytes(&world, method, &token, fault).await;
        assert_eq!(String::from_utf8_lossy(&sent), "", "{method} {fault}");
    }
    let half = bytes(&world, "GET", &token, "drop=body").await;
    let text = String::from_utf8(half).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.unwrap().parse().unwrap();
    assert_eq!(body.len(), length / 2);
}

/// What is done at the moment of a drop is the difference between the two.
#[tokio::test]
async fn a_change_is_made_or_not_before_its_connection_ends() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    for (fault, made) in [
        ("drop", 0),
        ("status=503", 0),
        ("drop=answer", 1),
        ("drop=body", 1),
    ] {
        let name = fault.replace('=', "-");
        let body = json!({"name": name, "sizeMib": 16384, "userCpg": POOL}).to_string();
        let request = format!(
            "POST /api/v1/storage-systems/device-type1/2M2042059T/volumes HTTP/1.1\r\nHost: a\r\n\
             Connection: close\r\nAuthorization: Bearer {token}\r\nHallpass-Fault: {fault}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        exchange(world.address, request.as_bytes()).await;
        world.server.settle().await;
        world.wait(SignedDuration::from_secs(2));
        assert_eq!(world.volumes(&token, &name).await.len(), made, "{fault}");
    }
}

#[tokio::test]
async fn an_answer_takes_as_long_as_it_is_told_to() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let asked = tokio::time::Instant::now();
    let answer = get(&world, &token, "delay=300ms").await;
    assert_eq!(answer.status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(300));
}

/// A delay must not let a token live on that died meanwhile.
#[tokio::test]
async fn a_token_that_dies_during_a_delay_is_refused_after_it() {
    let world = World::new().await;
    let client = world.client("ann", Role::Observer).await;
    let token = world.mint(&client).await;
    let asked = async { get(&world, &token, "delay=500ms").await };
    let superseded = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.mint(&client).await
    };
    let (answer, _) = soon(async { tokio::join!(asked, superseded) }).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn a_task_fails_when_it_is_told_to() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    for (fault, state) in [
        ("task=fail", "FAILED"),
        ("task=timeout", "TIMEDOUT"),
        ("task=hang", "RUNNING"),
    ] {
        let name = fault.replace('=', "-");
        let fields = format!("Authorization: Bearer {token}\r\nHallpass-Fault: {fault}\r\n");
        let body = json!({"name": name, "sizeMib": 16384, "userCpg": POOL}).to_string();
        let target = "/api/v1/storage-systems/device-type1/2M2042059T/volumes";
        let answer = world.send("POST", target, &fields, &body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        let task = answer.json()["taskUri"].as_str().unwrap().to_owned();
        world.wait(SignedDuration::from_mins(5));
        let client = world.get(&format!("/api/v1/tasks/{task}"), &token).await;
        assert_eq!(client.json()["state"], state, "{fault}: {}", client.body);
        assert_eq!(world.volumes(&token, &name).await.len(), 0, "{fault}");
    }
}

#[tokio::test]
async fn a_mistake_is_told_and_strangers_drive_nothing() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let nobody = world.token("bob", None).await;
    let answer = get(&world, &token, "explode").await;
    assert_eq!(answer.status, 400);
    let said = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(
        said.starts_with("Hallpass-Fault: `explode` is no fault"),
        "{said}"
    );
    for fault in ["status=500", "explode", "drop"] {
        let stranger = get(&world, "garbage", fault).await;
        assert_eq!(stranger.status, 401, "{fault}");
        assert_eq!(get(&world, &nobody, fault).await.status, 403, "{fault}");
    }
}

#[tokio::test]
async fn rules_act_on_the_calls_they_are_for() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let rule = |on: &str, faults: &str| FaultRule {
        on: on.to_owned(),
        faults: faults.to_owned(),
    };
    let faults = &world.faults;
    faults
        .add(rule("GET /api/v1/vol*", "status=503; every=3"))
        .unwrap();
    faults.add(rule("HostList", "status=500")).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(world.get(LIST, &token).await.status);
    }
    assert_eq!(statuses, [200, 200, 503, 200, 200, 503]);
    assert_eq!(
        world.get("/api/v1/host-initiators", &token).await.status,
        500
    );
    assert_eq!(
        world.get("/api/v1/storage-systems", &token).await.status,
        200
    );
    let listed = faults.list();
    assert_eq!((listed[0].calls, listed[1].calls), (6, 1));
    assert_eq!(faults.clear(), 2);
    assert_eq!(
        world.get("/api/v1/host-initiators", &token).await.status,
        200
    );

    let unknown = faults.add(rule("HostLists", "drop")).unwrap_err();
    assert!(unknown.to_string().contains("`HostLists`"), "{unknown}");
    assert!(matches!(
        faults.add(rule("", "x")),
        Err(RuleRefused::Unreadable(_))
    ));
}
