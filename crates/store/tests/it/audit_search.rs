//! Finding events in the audit log.

use hallpass_oauth::WorkspaceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Policy;
use hallpass_store::audit::{AuditEvent, AuditOf, AuditSearch, AuditState};
use jiff::SignedDuration;

use crate::world::{World, database, now};

/// One event each second, the first at the beginning.
async fn record(world: &World, workspace: &WorkspaceId, at: i64, change: impl Fn(&mut AuditEvent)) {
    let time = now() + SignedDuration::from_secs(at);
    let mut event = AuditEvent::new(
        AuditState::Success,
        format!("Event {at}"),
        "test",
        time,
        &mut SystemRandom,
    );
    event.workspace = Some(workspace.clone());
    change(&mut event);
    world.store.audit_log().record(event).await.unwrap();
}

/// The numbers of what is found, page by page.
async fn find(world: &World, mut search: AuditSearch, limit: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let log = world.store.audit_log();
        let page = log.search(&search, limit).await.unwrap();
        let numbers = page.events.iter().map(|stored| {
            let message = &stored.event.message;
            message.strip_prefix("Event ").unwrap_or(message).to_owned()
        });
        pages.push(numbers.collect());
        match page.next {
            Some(next) => search.after = Some(next),
            None => return pages,
        }
    }
}

fn workspace(digit: &str) -> WorkspaceId {
    digit.repeat(32).parse().unwrap()
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "a table of searches and what they find"
)]
async fn events_are_found_by_each_condition_and_in_pages_without_gaps() {
    let world = World::new(Policy::default()).await;
    let (ours, theirs) = (workspace("a"), workspace("b"));
    for at in 0..10 {
        record(&world, &ours, at, |event| {
            if at % 2 == 0 {
                event.user_email = "ann@example.com".to_owned();
            }
            if at % 3 == 0 {
                event.state = AuditState::Failure;
                event.client_id = "c1".to_owned();
            }
            if at > 6 {
                event.source = "console".to_owned();
                event.resource.name = "Nightly 100% Ünïque".to_owned();
            }
        })
        .await;
        record(&world, &theirs, at, |event| {
            event.message = "theirs".to_owned();
        })
        .await;
    }
    let all = AuditSearch {
        of: AuditOf::Workspace(ours.clone()),
        ..AuditSearch::default()
    };
    let text = |word: &str| Some(word.to_owned());
    let time = |at| Some(now() + SignedDuration::from_secs(at));
    let searches = [
        (all.clone(), vec!["9 8 7 6", "5 4 3 2", "1 0"]),
        (
            AuditSearch {
                oldest_first: true,
                ..all.clone()
            },
            vec!["0 1 2 3", "4 5 6 7", "8 9"],
        ),
        (
            AuditSearch {
                person: text("ann@example.com"),
                ..all.clone()
            },
            vec!["8 6 4 2", "0"],
        ),
        (
            AuditSearch {
                state: Some(AuditState::Failure),
                ..all.clone()
            },
            vec!["9 6 3 0"],
        ),
        (
            AuditSearch {
                state: Some(AuditState::Success),
                ..all.clone()
            },
            vec!["8 7 5 4", "2 1"],
        ),
        (
            AuditSearch {
                client_id: text("c1"),
                person: text("ann@example.com"),
                ..all.clone()
            },
            vec!["6 0"],
        ),
        (
            AuditSearch {
                source: text("console"),
                ..all.clone()
            },
            vec!["9 8 7"],
        ),
        (
            AuditSearch {
                text: text("  nIGHTLY ünÏque "),
                ..all.clone()
            },
            vec!["9 8 7"],
        ),
        (
            AuditSearch {
                text: text("100% event 8"),
                ..all.clone()
            },
            vec!["8"],
        ),
        (
            AuditSearch {
                text: text("100_"),
                ..all.clone()
            },
            vec![""],
        ),
        (
            AuditSearch {
                from: time(3),
                to: time(5),
                ..all.clone()
            },
            vec!["4 3"],
        ),
        (
            AuditSearch {
                of: AuditOf::Workspace(theirs),
                ..all.clone()
            },
            vec![
                "theirs theirs theirs theirs",
                "theirs theirs theirs theirs",
                "theirs theirs",
            ],
        ),
    ];
    for (search, expected) in searches {
        let found = find(&world, search.clone(), 4).await;
        let found: Vec<String> = found.iter().map(|page| page.join(" ")).collect();
        assert_eq!(found, expected, "{search:?}");
    }
}

#[tokio::test]
async fn events_of_the_same_moment_are_neither_lost_nor_told_twice() {
    let world = World::new(Policy::default()).await;
    let ours = workspace("a");
    for number in 0..7 {
        record(&world, &ours, 0, |event| event.message = number.to_string()).await;
    }
    let search = AuditSearch {
        of: AuditOf::Workspace(ours),
        ..AuditSearch::default()
    };
    let found = find(&world, search, 3).await.concat();
    assert_eq!(found, ["6", "5", "4", "3", "2", "1", "0"]);
}

#[tokio::test]
async fn a_word_that_is_nowhere_costs_a_bounded_page() {
    let world = World::new(Policy::default()).await;
    let ours = workspace("a");
    let mut connection = database(world.folder.path()).await;
    sqlx::query(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 25000) \
         INSERT INTO audit_event (id, workspace_id, occurred_at, logged_at, state, code, message, \
         source, source_ip, user_email, client_id, permission, task_id, resource_id, resource_name, \
         resource_type, count) SELECT 'e' || n, $1, n, n, 'Success', '', 'Event ' || n, 'test', '', \
         'ann@example.com', '', '', '', '', '', '', 1 FROM number",
    )
    .bind(ours.as_str())
    .execute(&mut connection)
    .await
    .unwrap();
    let mut search = AuditSearch {
        of: AuditOf::Workspace(ours),
        text: Some("nowhere".to_owned()),
        ..AuditSearch::default()
    };
    let log = world.store.audit_log();
    let page = log.search(&search, 50).await.unwrap();
    assert!(
        page.events.is_empty() && page.read <= 10_000,
        "{}",
        page.read
    );
    assert!(page.next.is_some(), "and says where to go on");
    assert_eq!(find(&world, search.clone(), 50).await.len(), 3);

    search.text = None;
    let page = log.search(&search, 50).await.unwrap();
    assert_eq!((page.events.len(), page.read), (50, 50));
    search.text = Some("Event 17".to_owned());
    let found = find(&world, search, 1000).await.concat();
    assert_eq!(
        found.len(),
        1777,
        "17, 17x, 117, …: whatever holds the words"
    );
}
