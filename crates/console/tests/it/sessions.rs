//! The REST API for sessions, and what a session that begins must still find as it was.

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::sessions::Candidate;
use jiff::SignedDuration;
use serde_json::Value;

use crate::second_factor::switched_on;
use crate::sign_in::choose;
use crate::world::{Answer, World, local};

const PATH: &str = "/workspaces/v1/sessions";

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let list = answer.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(list["count"], items.len());
    assert_eq!(list["total"], items.len());
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

#[tokio::test]
async fn whoever_is_signed_in_sees_and_ends_their_own() {
    let world = World::new().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let (here, there) = (world.browser(&bob).await, world.browser(&bob).await);
    let listed = world.script(&here, "GET", PATH, None).await;
    let list = listed.json();
    assert_eq!(ids(&listed).len(), 2);
    let current: Vec<_> = list["items"].as_array().unwrap().iter().collect();
    let (mine, other): (Vec<_>, Vec<_>) = current
        .into_iter()
        .partition(|item| item["current"] == true);
    assert_eq!((mine.len(), other.len()), (1, 1));
    assert_eq!(other[0]["createdAt"], "2023-11-14T22:13:20Z");
    assert_eq!(other[0]["userAgent"], "Tests/1.0");
    assert_eq!(other[0]["userId"], bob.id.to_string());

    let path = format!("{PATH}/{}", other[0]["id"].as_str().unwrap());
    let cookie = World::parts(&here).0;
    let forged = world.send("DELETE", &path, &[("cookie", cookie)], "").await;
    assert_eq!(forged.status, 403, "no form token");
    assert_eq!(world.script(&here, "DELETE", &path, None).await.status, 204);
    assert_eq!(world.script(&here, "DELETE", &path, None).await.status, 404);
    assert_eq!(world.script(&there, "GET", PATH, None).await.status, 401);
    assert_eq!(world.send("GET", PATH, &[], "").await.status, 401);
}

#[tokio::test]
async fn administrators_reach_the_people_of_their_workspace_and_nobody_else() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let role = Some(Role::Operator);
    let bob = world.person("Main", "bob@example.com", role).await;
    let eve = world.person("Other", "eve@example.com", None).await;
    let (of_ann, of_bob) = (world.browser(&ann).await, world.browser(&bob).await);
    let of_eve = world.browser(&eve).await;
    let of = |id: &str, whose: &str| format!("{PATH}{id}?user={whose}");
    let (bobs, anns, eves) = (bob.id.to_string(), ann.id.to_string(), eve.id.to_string());

    let listed = world.script(&of_ann, "GET", &of("", &bobs), None).await;
    let id = format!("/{}", ids(&listed)[0]);
    for nobody in [
        eves.as_str(),
        "7c1f0a52-54e5-4a8e-9d0f-1b5f7a3f1c11",
        "x",
        "",
    ] {
        let unknown = world.script(&of_ann, "GET", &of("", nobody), None).await;
        assert_eq!(unknown.refusal().0, 404, "{nobody}");
    }
    // Everybody sees the workspace; only administrators end what is others'.
    let seen = world.script(&of_bob, "GET", &of("", &anns), None).await;
    let of_anns = format!("/{}", ids(&seen)[0]);
    let refused = world
        .script(&of_bob, "DELETE", &of(&of_anns, &anns), None)
        .await;
    assert_eq!(refused.refusal().0, 403);
    // The session of one person is not found under another's name.
    let crossed = world.script(&of_ann, "DELETE", &of(&id, &anns), None).await;
    assert_eq!(crossed.refusal().0, 404);
    let ended = world.script(&of_ann, "DELETE", &of(&id, &bobs), None).await;
    assert_eq!(ended.status, 204);
    assert_eq!(world.script(&of_bob, "GET", PATH, None).await.status, 401);
    assert_eq!(world.script(&of_eve, "GET", PATH, None).await.status, 200);

    let token = world.token_of(&ann).await;
    assert_eq!(ids(&world.get(PATH, &token).await).len(), 1);
    let twice = format!("{PATH}?user={bobs}&user={bobs}");
    assert_eq!(world.get(&twice, &token).await.status, 400);
    let audit = world.audit().await;
    let message = "bob@example.com was signed out elsewhere";
    let mut events = audit.iter().map(|stored| &stored.event);
    let event = events.find(|event| event.message == message).unwrap();
    assert_eq!(event.user_email, "ann@example.com");
}

#[tokio::test]
async fn all_others_end_in_one_call() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let eve = world.person("Other", "eve@example.com", None).await;
    let (here, there) = (world.browser(&bob).await, world.browser(&bob).await);
    let (of_ann, of_eve) = (world.browser(&ann).await, world.browser(&eve).await);
    let cookie = World::parts(&here).0;
    let forged = world.send("DELETE", PATH, &[("cookie", cookie)], "").await;
    assert_eq!(forged.status, 403, "no form token");
    assert_eq!(world.script(&there, "GET", PATH, None).await.status, 200);

    let done = world.script(&here, "DELETE", PATH, None).await;
    assert_eq!(done.status, 204, "{}", done.body);
    assert_eq!(world.script(&there, "GET", PATH, None).await.status, 401);
    let left = world.script(&here, "GET", PATH, None).await;
    assert_eq!(ids(&left).len(), 1);

    // Others' take a permission, and end without exception.
    let of = |whose: &str| format!("{PATH}?user={whose}");
    let (anns, bobs, eves) = (ann.id.to_string(), bob.id.to_string(), eve.id.to_string());
    let refused = world.script(&here, "DELETE", &of(&anns), None).await;
    assert_eq!(refused.refusal().0, 403);
    let unknown = world.script(&of_ann, "DELETE", &of(&eves), None).await;
    assert_eq!(unknown.refusal().0, 404);
    let done = world.script(&of_ann, "DELETE", &of(&bobs), None).await;
    assert_eq!(done.status, 204);
    assert_eq!(world.script(&here, "GET", PATH, None).await.status, 401);
    for untouched in [&of_ann, &of_eve] {
        assert_eq!(world.script(untouched, "GET", PATH, None).await.status, 200);
    }

    // A program has no session to keep, whatever cookie comes along.
    let token = format!("Bearer {}", world.token_of(&ann).await);
    let headers = [
        ("authorization", token.as_str()),
        ("cookie", World::parts(&of_ann).0),
    ];
    let done = world.send("DELETE", PATH, &headers, "").await;
    assert_eq!(done.status, 204);
    assert_eq!(world.script(&of_ann, "GET", PATH, None).await.status, 401);
    let audit = world.audit().await;
    for message in [
        "bob@example.com was signed out everywhere else",
        "bob@example.com was signed out everywhere",
        "ann@example.com was signed out everywhere",
    ] {
        let said = audit.iter().any(|stored| stored.event.message == message);
        assert!(said, "{message}");
    }
}

/// Verifying takes a while: what ends sessions ends the ones that are about to begin, too.
#[tokio::test]
async fn a_sign_in_under_way_does_not_outlive_what_it_was_proved_with() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let (sessions, by, rng) = (world.store.sessions(), local(), &mut SystemRandom);
    let now = world.now();
    let enter = async |seen: &Candidate, stands: bool| {
        let rng = &mut SystemRandom;
        let begun = sessions.begin(seen, &by, "Tests", now, rng).await;
        assert_eq!(begun.unwrap().is_some(), stands);
        let step = sessions.begin_step(seen, now, rng).await.unwrap();
        assert_eq!(step.is_some(), stands);
    };
    choose(&world, &ann).await;

    let seen = world.candidate(&ann).await;
    enter(&seen, true).await;
    let step = sessions.begin_step(&seen, now, rng).await.unwrap().unwrap();
    let old = seen.password.clone().unwrap();
    let passwords = world.store.passwords();
    let changed = passwords.change(&ann, &old, "another hash", "", &by, now, rng);
    assert!(changed.await.unwrap());
    enter(&seen, false).await;
    let finished = sessions.finish(&step, &ann, &by, "Tests", now, rng).await;
    assert!(
        finished.unwrap().is_none(),
        "nor does one between the pages"
    );

    let seen = world.candidate(&ann).await;
    choose(&world, &ann).await;
    enter(&seen, false).await;

    let seen = world.candidate(&ann).await;
    let people = world.store.people();
    let disabled = people.set_enabled(ann.id, false, &by, now, rng).await;
    assert!(!disabled.unwrap().enabled);
    enter(&seen, false).await;
    let enabled = people.set_enabled(ann.id, true, &by, now, rng).await;
    assert!(enabled.unwrap().enabled);
    enter(&seen, true).await;

    switched_on(&world, &ann).await;
    let begun = sessions.begin(&seen, &by, "Tests", now, rng).await;
    assert!(begun.unwrap().is_none(), "a code is asked for now");
}

#[tokio::test]
async fn a_step_begins_one_session() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let (sessions, by, rng) = (world.store.sessions(), local(), &mut SystemRandom);
    let (seen, now) = (world.candidate(&ann).await, world.now());
    let step = sessions.begin_step(&seen, now, rng).await.unwrap().unwrap();
    for first in [true, false] {
        let begun = sessions.finish(&step, &ann, &by, "Tests", now, rng).await;
        assert_eq!(begun.unwrap().is_some(), first);
    }
}

#[tokio::test]
async fn of_many_sessions_the_one_that_was_idle_longest_gives_way() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let (first, second) = (world.browser(&ann).await, world.browser(&ann).await);
    let of_bob = world.browser(&bob).await;
    world.pass(SignedDuration::from_mins(2));
    assert_eq!(world.open(&first, PATH).await.status, 200, "is in use");
    for _ in 0..19 {
        world.browser(&ann).await;
    }
    assert_eq!(ids(&world.open(&first, PATH).await).len(), 20);
    assert_eq!(world.open(&second, PATH).await.status, 401);
    assert_eq!(world.open(&of_bob, PATH).await.status, 200, "another's");
}

#[tokio::test]
async fn somebody_signed_in_is_told_that_they_lack_the_permission() {
    let world = World::new().await;
    world.administrator().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let browser = world.browser(&bob).await;
    let refused = world.open(&browser, "/workspaces/v1/users").await;
    assert_eq!(refused.status, 403);
    let words = "you lack the permission workspace.read";
    assert!(refused.body.contains(words), "{}", refused.body);
    let token = world.token_of(&bob).await;
    let refused = world.get("/workspaces/v1/users", &token).await;
    assert!(refused.body.contains("the credential's owner lacks"));
}
