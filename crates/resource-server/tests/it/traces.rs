//! One id for each request, in the answer, in its header and in the trace of the caller; and counters
//! that no caller can make more of.

use std::collections::BTreeSet;

use hallpass_access::Role;

use crate::wire::Answer;
use crate::world::World;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn id(answer: &Answer) -> &str {
    answer.header("x-request-id").unwrap()
}

#[tokio::test]
async fn the_trace_of_the_caller_is_taken_over() {
    let world = World::new().await;
    let field = format!("traceparent: 00-{TRACE}-b7ad6b7169203331-01\r\ntracestate: a=1\r\n");
    let answer = world.send("GET", "/api/v1/volumes", &field, "").await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        (id(&answer), &answer.json()["traceId"]),
        (TRACE, &TRACE.into())
    );
    // A request that the guard never saw.
    let twice = format!("Host: b\r\n{field}");
    let answer = world.send("GET", "/api/v1/volumes", &twice, "").await;
    assert_eq!((answer.status, id(&answer)), (400, TRACE));
}

#[tokio::test]
async fn whatever_else_is_sent_is_no_mistake_and_no_id() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let good = format!("00-{TRACE}-b7ad6b7169203331-01");
    let mut seen = BTreeSet::new();
    for fields in [
        String::new(),
        format!("x-request-id: {TRACE}\r\n"),
        format!("traceparent: {}\r\n", good.to_uppercase()),
        format!("traceparent: {good}\r\ntraceparent: {good}\r\n"),
        "traceparent: 00-0-0-0\r\ntracestate: =,=,\r\n".to_owned(),
        "traceparent: \u{e9}\r\n".to_owned(),
    ] {
        let fields = format!("Authorization: Bearer {token}\r\n{fields}");
        let answer = world
            .send("GET", "/api/v1/storage-systems", &fields, "")
            .await;
        assert_eq!(answer.status, 200, "{fields}");
        assert_ne!(id(&answer), TRACE);
        assert!(seen.insert(id(&answer).to_owned()), "{fields}");
    }
}

/// Audit statement 44: a thousand ids, paths and methods later there are the same series.
#[tokio::test]
async fn audit_44_no_request_makes_a_series() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let series = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &world.registry).unwrap();
        let names = text.lines().filter(|line| !line.starts_with('#'));
        names
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect::<BTreeSet<_>>()
    };
    let ask = async |number: u32| {
        let path = format!("/api/v1/volumes/{number}?limit={number}");
        for (method, token) in [("GET", Some(&*token)), ("GET", None)] {
            world.call(method, &path, token, None).await;
        }
        let fields = format!("Authorization: Bearer {number}\r\nx-request-id: {number}\r\n");
        world.send(&format!("M{number}"), &path, &fields, "").await;
        world
            .call(&format!("M{number}"), &path, Some(&token), None)
            .await;
    };
    ask(0).await;
    let before = series();
    for number in 1..=250 {
        ask(number).await;
    }
    let after = series();
    assert_eq!(
        after.difference(&before).collect::<Vec<_>>(),
        [] as [&String; 0]
    );
    let other = "hallpass_http_requests_total{listener=\"resource_server\",method=\"other\"}";
    assert!(after.contains(other), "{after:?}");
    assert!(!after.iter().any(|name| name.contains("M1")));
}
