//! The audit log: pages, files and REST, each for whoever may read it and for no other workspace.

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Person;
use hallpass_store::audit::{AuditEvent, AuditState};

use crate::world::World;

const PAGE: &str = "/console/audit";
const REST: &str = "/workspaces/v1/audit-events";

async fn record(world: &World, of: &Person, message: &str, change: impl Fn(&mut AuditEvent)) {
    let now = world.now();
    let state = AuditState::Success;
    let mut event = AuditEvent::new(state, message, "console", now, &mut SystemRandom);
    event.workspace = Some(of.workspace.clone());
    change(&mut event);
    world.store.audit_log().record(event).await.unwrap();
}

/// A world with a log of 120 events in one workspace and one in another.
async fn with_events() -> (World, Person, Person) {
    let world = World::new().await;
    let ann = world.administrator().await;
    let eve = world
        .person("Others", "eve@example.com", Some(Role::Administrator))
        .await;
    for number in 0..120 {
        record(&world, &ann, &format!("Job {number:03} done"), |event| {
            event.user_email = String::from("bob@example.com");
            event.client_id = String::from("c1");
        })
        .await;
    }
    record(&world, &ann, "=HYPERLINK(\"x\")", |event| {
        event.state = AuditState::PermissionDenied;
        event.resource.name = String::from("<script>alert(1)</script>");
        event.count = 17;
    })
    .await;
    record(&world, &eve, "Somebody else's secret", |_| {}).await;
    (world, ann, eve)
}

#[tokio::test]
async fn the_list_is_filtered_paged_and_escaped() {
    let (world, ann, _) = with_events().await;
    let browser = world.browser(&ann).await;
    let newest = world.open(&browser, PAGE).await;
    assert_eq!(newest.status, 200);
    assert!(newest.body.contains("Not permitted") && newest.body.contains("&#60;script&#62;"));
    assert!(!newest.body.contains("<script>alert"));
    assert!(!newest.body.contains("Somebody else"));

    let mut found = Vec::new();
    let mut next = Some(format!("{PAGE}?person=bob%40example.com&search=JOB"));
    let mut pages = 0;
    while let Some(path) = next {
        let page = world.open(&browser, &path).await.body;
        let jobs = page.split("Job ").skip(1).map(|rest| rest[..3].to_owned());
        found.extend(jobs.filter(|job| job.parse::<u32>().is_ok()));
        next = page.split_once("rel=\"next\"").map(|(before, _)| {
            let (_, href) = before.rsplit_once("href=\"").unwrap();
            href.split('"').next().unwrap().replace("&#38;", "&")
        });
        pages += 1;
    }
    let expected: Vec<String> = (0..120).rev().map(|n| format!("{n:03}")).collect();
    assert_eq!((found, pages), (expected, 3));

    let none = world
        .open(&browser, &format!("{PAGE}?search=nowhere"))
        .await;
    assert!(none.body.contains("Nothing in the log is like that"));
    let wrong = world
        .open(&browser, &format!("{PAGE}?from=yesterday&search=keep+this"))
        .await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("must be a time in UTC"));
    assert!(
        wrong.body.contains("value=\"keep this\""),
        "nothing typed is lost"
    );
}

/// An event has the id of the client alone: its name is looked up where the log is read.
#[tokio::test]
async fn events_of_a_client_are_found_by_the_name_of_its_credential() {
    let (world, ann, eve) = with_events().await;
    let nightly = world.credential(&ann, "us1", "Nightly backup").await;
    let theirs = world.credential(&eve, "us1", "Nightly theirs").await;
    for (whose, of) in [(&nightly, &ann), (&theirs, &eve)] {
        record(&world, of, "Tokens issued", |event| {
            event.client_id = whose.credential.client_id.to_string();
        })
        .await;
    }
    let browser = world.browser(&ann).await;
    let path = format!("{PAGE}?search=tokens+BACKUP");
    let found = world.open(&browser, &path).await.body;
    let id = nightly.credential.client_id.as_str();
    let client = format!("Nightly backup {id}");
    assert!(found.contains("Tokens issued") && found.contains(&client));
    assert_eq!(found.matches("<td data-label=\"Who\">").count(), 1);
    let href = found
        .split_once("<td data-label=\"Time\"><a href=\"")
        .unwrap();
    let href = href.1.split('"').next().unwrap();
    let details = world.open(&browser, href).await.body;
    assert!(details.contains("<dt>Credential</dt><dd>Nightly backup</dd>"));
    assert!(details.contains("<dt>Time</dt><dd>2023-11-14T22:13:20Z</dd>"));
    let programs = format!("{REST}?search=backup");
    let found = world.script(&browser, "GET", &programs, None).await.json();
    let clients = found["items"].as_array().unwrap().iter();
    let clients: Vec<_> = clients
        .map(|one| one["clientId"].as_str().unwrap())
        .collect();
    assert!(clients.contains(&id), "{found}");
}

#[tokio::test]
async fn what_is_asked_for_seldom_is_folded_until_it_is_asked_for() {
    let (world, ann, _) = with_events().await;
    let browser = world.browser(&ann).await;
    let open = "<details open>\n<summary>More conditions";
    let folded = world.open(&browser, &format!("{PAGE}?search=job")).await;
    assert!(folded.body.contains("More conditions") && !folded.body.contains(open));
    let shown = world.open(&browser, &format!("{PAGE}?clientId=c1")).await;
    assert!(shown.body.contains(open), "{}", shown.body);
}

#[tokio::test]
async fn an_event_has_a_page_of_its_own_for_its_own_workspace() {
    let (world, ann, eve) = with_events().await;
    let browser = world.browser(&ann).await;
    let listed = world
        .script(
            &browser,
            "GET",
            &format!("{REST}?limit=1&search=hyperlink"),
            None,
        )
        .await;
    let sequence = listed.json()["items"][0]["sequence"].to_string();
    let rest = format!("{REST}/{sequence}");
    let shown = world.script(&browser, "GET", &rest, None).await;
    assert_eq!(shown.json(), listed.json()["items"][0]);
    let other = world.browser(&eve).await;
    for (who, path) in [(&other, rest.as_str()), (&browser, &format!("{REST}/x"))] {
        let gone = world.script(who, "GET", path, None).await;
        assert_eq!(
            gone.refusal(),
            (404, "HPE_GL_ERROR_NOT_FOUND".to_owned()),
            "{path}"
        );
    }
    let path = format!("{PAGE}/{sequence}");
    let page = world.open(&browser, &path).await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("<dt>Times counted</dt><dd>17</dd>"),
        "{}",
        page.body
    );
    assert_eq!(world.open(&other, &path).await.status, 404);
    for wrong in ["0", "x", "99999999999999999999"] {
        let gone = world.open(&browser, &format!("{PAGE}/{wrong}")).await;
        assert_eq!(gone.status, 404, "{wrong}");
    }
}

#[tokio::test]
async fn whoever_may_not_read_it_sees_nothing_and_leaves_a_trace() {
    let (world, _, _) = with_events().await;
    let nobody = world.person("Main", "no@example.com", None).await;
    let browser = world.browser(&nobody).await;
    for path in ["", "/1", "/export.csv", "/export.jsonl"] {
        let refused = world.open(&browser, &format!("{PAGE}{path}")).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(!refused.body.contains("Job"), "{path}");
        let stranger = world.send("GET", &format!("{PAGE}{path}"), &[], "").await;
        assert_eq!(stranger.status, 303, "{path}");
    }
    assert_eq!(world.script(&browser, "GET", REST, None).await.status, 403);
    assert_eq!(world.send("GET", REST, &[], "").await.status, 401);
    let start = world.open(&browser, "/").await;
    assert!(!start.body.contains("href=\"/console/audit\""));
    let denied = world.audit().await.into_iter();
    let denied = denied.filter(|one| one.event.permission == "audit.read");
    assert_eq!(denied.count(), 5);
}

#[tokio::test]
async fn exports_hold_exactly_what_is_filtered() {
    let (world, ann, _) = with_events().await;
    // More than the exporter reads at a time.
    for number in 0..600 {
        record(&world, &ann, &format!("Bulk {number}"), |event| {
            event.source = "bulk".to_owned();
        })
        .await;
    }
    let browser = world.browser(&ann).await;
    let csv = world
        .open(&browser, &format!("{PAGE}/export.csv?source=bulk"))
        .await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let saved = csv.header("content-disposition");
    assert_eq!(saved, "attachment; filename=\"audit-2023-11-14.csv\"");
    let lines: Vec<&str> = csv.body.split("\r\n").collect();
    assert_eq!(
        lines.len(),
        602,
        "a head, 600 events, and the last line's end"
    );
    assert!(lines[0].starts_with("\"occurredAt\",\"state\",\"message\""));
    assert!(lines[1].contains("\"Bulk 599\"") && lines[600].contains("\"Bulk 0\""));

    let csv = world
        .open(&browser, &format!("{PAGE}/export.csv?search=hyperlink"))
        .await;
    assert!(
        csv.body.contains(",\"'=HYPERLINK(\"\"x\"\")\",\"17\","),
        "{}",
        csv.body
    );

    let lines = world
        .open(&browser, &format!("{PAGE}/export.jsonl?clientId=c1"))
        .await;
    let events: Vec<serde_json::Value> = lines
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.len(), 120);
    assert_eq!(events[0]["message"], "Job 119 done");
    let wrong = world
        .open(&browser, &format!("{PAGE}/export.csv?state=x"))
        .await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn programs_read_it_page_by_page() {
    let (world, ann, eve) = with_events().await;
    let token = world.token_of(&ann).await;
    let (mut found, mut after) = (0, String::new());
    loop {
        let path = format!("{REST}?limit=50&person=BOB@example.com{after}");
        let page = world.get(&path, &token).await.json();
        found += page["items"].as_array().unwrap().len();
        assert_eq!(page["count"], page["items"].as_array().unwrap().len());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(found, 120);
    let other = world.token_of(&eve).await;
    let theirs = world
        .get(&format!("{REST}?person=bob@example.com"), &other)
        .await;
    assert_eq!(theirs.json()["count"], 0);
    for wrong in ["limit=0", "state=bad", "after=x", "to=never"] {
        let refused = world.get(&format!("{REST}?{wrong}"), &token).await;
        assert_eq!(refused.refusal().0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn programs_download_what_the_pages_export() {
    let (world, ann, eve) = with_events().await;
    let browser = world.browser(&ann).await;
    let token = world.token_of(&ann).await;
    let observer = world.person("Main", "olga@example.com", None).await;
    let (observer, other) = (world.browser(&observer).await, world.browser(&eve).await);
    for (ending, kind) in [
        ("csv", "text/csv; charset=utf-8"),
        ("jsonl", "application/jsonl"),
    ] {
        let query = format!("export.{ending}?person=bob%40example.com");
        let page = world.open(&browser, &format!("{PAGE}/{query}")).await;
        let path = format!("{REST}/{query}");
        let by_script = world.script(&browser, "GET", &path, None).await;
        let by_token = world.get(&path, &token).await;
        for file in [by_script, by_token] {
            assert_eq!(file.status, 200, "{file:?}");
            assert_eq!(file.header("content-type"), kind);
            assert!(file.header("content-disposition").starts_with("attachment"));
            assert_eq!(file.body, page.body);
        }
        assert_eq!(page.body.matches("Job ").count(), 120);
        let wrong = format!("{REST}/export.{ending}?state=x");
        assert_eq!(world.get(&wrong, &token).await.status, 400);
        let strangers = world.send("GET", &path, &[], "").await;
        assert_eq!(strangers.status, 401);
        let refused = world.script(&observer, "GET", &path, None).await;
        assert_eq!(refused.status, 403);
        let theirs = world.script(&other, "GET", &path, None).await;
        assert!(!theirs.body.contains("Job"), "{}", theirs.body);
    }
}

#[tokio::test]
async fn administrators_of_the_operating_workspace_see_what_belongs_to_none() {
    let (world, ann, eve) = with_events().await;
    record(&world, &ann, "A stranger knocked", |event| {
        event.workspace = None;
    })
    .await;
    let browser = world.browser(&ann).await;
    let own = world.open(&browser, PAGE).await;
    assert!(own.body.contains("name=\"of\"") && !own.body.contains("A stranger knocked"));
    let list = world.open(&browser, &format!("{PAGE}?of=system")).await;
    assert!(list.body.contains("A stranger knocked") && !list.body.contains("Job 1"));
    let (before, _) = list.body.split_once("\"><time").unwrap();
    let (_, details) = before.rsplit_once("href=\"").unwrap();
    let shown = world.open(&browser, details).await;
    assert!(shown.status == 200 && shown.body.contains("A stranger knocked"));

    let observer = world
        .person("Main", "olga@example.com", Some(Role::Observer))
        .await;
    for person in [eve, observer] {
        let browser = world.browser(&person).await;
        let own = world.open(&browser, PAGE).await;
        assert!(!own.body.contains("name=\"of\""));
        let refused = world.open(&browser, &format!("{PAGE}?of=system")).await;
        assert!(matches!(refused.status.as_u16(), 403 | 422), "{refused:?}");
        assert!(!refused.body.contains("A stranger knocked"));
        let refused = world.open(&browser, details).await;
        assert!(matches!(refused.status.as_u16(), 403 | 404));
        for path in ["", "/export.csv"] {
            let path = format!("{REST}{path}?of=system");
            let refused = world.script(&browser, "GET", &path, None).await;
            assert!(matches!(refused.status.as_u16(), 400 | 403), "{refused:?}");
        }
    }
}
