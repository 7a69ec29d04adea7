//! `GET /api/v1/audit-events`: filter, order, pages.

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::{AuditEvent, AuditState};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::world::World;

/// As many events as fill several of the chunks in which the log is read, and two pages.
const MANY: usize = 1203;

#[tokio::test]
async fn filters_pages_and_orders_fit_together() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let beginning = world.now() + SignedDuration::from_hours(1);
    write_many(&world, beginning).await;
    let ask = async |query: &str| {
        let target = format!("/api/v1/audit-events?filter=source%20eq%20many{query}");
        let answer = world.get(&target, &token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };

    let page = ask("").await;
    assert_eq!(
        (numbers(&page).len(), &page["total"]),
        (500, &Value::from(MANY))
    );
    assert_eq!(
        numbers(&page)[..2],
        [MANY - 1, MANY - 2],
        "the newest first"
    );
    for (name, value) in [("numItems", 500), ("pageLimit", 500), ("pageOffset", 0)] {
        assert_eq!(page[name], value, "{name}");
    }

    let mut all = Vec::new();
    for offset in (0..MANY).step_by(400) {
        let page = ask(&format!("&limit=400&offset={offset}")).await;
        assert_eq!(page["total"], MANY);
        all.extend(numbers(&page));
    }
    assert_eq!(
        all,
        (0..MANY).rev().collect::<Vec<_>>(),
        "each once, in order"
    );
    assert_eq!(numbers(&ask(&format!("&limit={MANY}")).await), all);
    assert_eq!(
        numbers(&ask(&format!("&offset={MANY}")).await),
        [] as [usize; 0]
    );
    assert_eq!(ask("&limit=0").await["total"], MANY);

    for (sort, first) in [
        ("occurredAt", 0),
        ("occurredAt%20asc", 0),
        ("occurredAt+desc", MANY - 1),
        ("message%20asc", 0),
        ("message%20desc", MANY - 1),
    ] {
        let page = ask(&format!("&sort={sort}&limit=1")).await;
        assert_eq!(numbers(&page), [first], "{sort}");
    }
    let second = ask("&sort=message%20asc&limit=2&offset=600").await;
    assert_eq!(numbers(&second), [600, 601]);
}

#[tokio::test]
async fn the_filter_of_the_documentation_works() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let beginning = world.now() + SignedDuration::from_hours(1);
    write_many(&world, beginning).await;
    let after = beginning + SignedDuration::from_secs(1000);
    for (filter, first, total) in [
        ("state eq Failure".to_owned(), 1200, 121),
        (
            format!("state eq Failure and occurredAt gt {after}"),
            1200,
            20,
        ),
        (
            format!("state eq 'Failure' and occurredAt ge {after}"),
            1200,
            21,
        ),
        ("message eq 'event 0007'".to_owned(), 7, 1),
        ("associatedResource.name eq 'event 0007'".to_owned(), 7, 1),
    ] {
        let encoded = filter.replace(' ', "%20").replace('\'', "%27");
        let target = format!("/api/v1/audit-events?filter={encoded}&filter=source+eq+many");
        let answer = world.get(&target, &token).await.json();
        assert_eq!(
            (numbers(&answer)[0], &answer["total"]),
            (first, &Value::from(total)),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn a_question_that_is_none_is_refused() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    for query in [
        "filter=state%20eq",
        "filter=(",
        "limit=-1",
        "limit=x",
        "offset=1.5",
        "sort=occurredAt%20sideways",
        "filter=nosuch%20eq%201",
        "sort=nosuch",
    ] {
        let answer = world
            .get(&format!("/api/v1/audit-events?{query}"), &token)
            .await;
        assert_eq!(answer.status, 400, "{query}");
    }
    // `select` is taken and means nothing (domain facts, section 4.5).
    for query in ["select=id", "unknown=1", "filter=", "sort=", "limit=", ""] {
        let answer = world
            .get(&format!("/api/v1/audit-events?{query}"), &token)
            .await;
        assert_eq!(answer.status, 200, "{query}");
    }
}

/// Events a second apart, every tenth a failure.
async fn write_many(world: &World, beginning: Timestamp) {
    let log = world.store.audit_log();
    let written = (0..MANY).map(|number| {
        let seconds = i64::try_from(number).unwrap();
        let state = match number % 10 {
            0 => AuditState::Failure,
            _ => AuditState::Success,
        };
        let text = format!("event {number:04}");
        let at = beginning + SignedDuration::from_secs(seconds);
        let mut event = AuditEvent::new(state, text.clone(), "many", at, &mut SystemRandom);
        event.workspace = Some(world.workspace.id.clone());
        event.resource.name = text;
        let log = log.clone();
        async move { log.record(event).await.unwrap() }
    });
    // Handed over in order, and committed in groups.
    let mut waiting = tokio::task::JoinSet::new();
    for event in written {
        waiting.spawn(event);
    }
    waiting.join_all().await;
}

fn numbers(answer: &Value) -> Vec<usize> {
    let items = answer["items"].as_array().unwrap();
    let number = |item: &Value| {
        let message = item["message"].as_str().unwrap();
        message.strip_prefix("event ").unwrap().parse().unwrap()
    };
    items.iter().map(number).collect()
}
