//! The state of a stand-in as a whole: saved, restored, reset, kept and bounded.

use hallpass_access::Role;
use hallpass_resource_server::OriginError;
use hallpass_store::JournalEntry;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::wire::Answer;
use crate::world::{OBJECTS, World};

const STATE: &str = "/.hallpass/sandbox/state";

async fn put(world: &World, token: &str, document: &str) -> Answer {
    let fields = format!("Authorization: Bearer {token}\r\n");
    world.send("PUT", STATE, &fields, document).await
}

async fn reset(world: &World, token: &str, query: &str) -> Answer {
    let target = format!("{STATE}{query}");
    world.call("DELETE", &target, Some(token), None).await
}

async fn total(world: &World, token: &str, target: &str) -> u64 {
    let answer = world.get(&format!("{target}?limit=1"), token).await;
    answer.json()["total"].as_u64().unwrap()
}

/// Everything that lists show, in one value.
async fn everything(world: &World, token: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["volumes", "host-initiators", "tasks"] {
        let answer = world
            .get(&format!("/api/v1/{path}?limit=5000"), token)
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        all.push(answer.json()["items"].clone());
    }
    all
}

#[tokio::test]
async fn a_saved_state_comes_back_and_survives_the_kill() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    world.start_volume(&token, "kept").await;
    world.wait(SignedDuration::from_secs(2));
    let before = everything(&world, &token).await;
    let saved = world.get(STATE, &token).await;
    assert_eq!(saved.status, 200);

    world.start_volume(&token, "gone").await;
    world.wait(SignedDuration::from_secs(2));
    assert_ne!(everything(&world, &token).await, before);
    let restored = put(&world, &token, &saved.body).await;
    assert_eq!(restored.status, 200, "{}", restored.body);
    assert_eq!(restored.json()["objects"], saved.json()["objects"]);
    assert_eq!(everything(&world, &token).await, before);

    let killed = world.killed().await;
    assert_eq!(everything(&killed, &token).await, before);
    // And what is made after it has its place in the journal.
    killed.start_volume(&token, "later").await;
    killed.wait(SignedDuration::from_secs(2));
    let again = killed.killed().await;
    assert_eq!(again.volumes(&token, "later").await.len(), 1);
    assert_eq!(again.volumes(&token, "gone").await.len(), 0);
}

#[tokio::test]
async fn a_reset_begins_anew_with_what_it_is_told() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let first = total(&world, &token, "/api/v1/volumes").await;
    let names = everything(&world, &token).await;
    world.start_volume(&token, "gone").await;
    world.wait(SignedDuration::from_secs(2));
    assert_eq!(reset(&world, &token, "").await.status, 200);
    assert_eq!(total(&world, &token, "/api/v1/volumes").await, first);

    assert_eq!(
        reset(&world, &token, "?seed=7&volumes=300").await.status,
        200
    );
    assert!(total(&world, &token, "/api/v1/volumes").await >= 300);
    assert_ne!(everything(&world, &token).await, names, "another seed");
    let killed = world.killed().await;
    assert_eq!(
        everything(&killed, &token).await,
        everything(&world, &token).await
    );

    for (query, named) in [
        ("?seed=x", "`seed`"),
        ("?size=3", "`size`"),
        ("?volumes=5001", "`sandbox.objects` allows 5000"),
        // Each volume has exports and more.
        ("?volumes=4999", "`sandbox.objects` allows 5000"),
        ("?volumes=200001", "`volumes` may be 200000 at most"),
    ] {
        let refused = reset(&world, &token, query).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body.contains(named), "{}", refused.body);
    }
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let before = everything(&world, &token).await;
    let saved = world.get(STATE, &token).await.body;
    let cut = &saved[..saved.len() / 2];
    for (document, said) in [
        (cut.to_owned(), "line 1 column"),
        (saved.replace("\"version\":1", "\"version\":9"), "version 9"),
        ("{}".to_owned(), "`format`"),
        (String::new(), "line 1 column 0"),
    ] {
        let refused = put(&world, &token, &document).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body.contains(said), "{}", refused.body);
    }
    assert_eq!(everything(&world, &token).await, before);
}

#[tokio::test]
async fn it_is_for_administrators_of_ones_own_workspace_and_audited() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let stranger = world.stranger("eve", Role::Administrator).await;
    let stranger = world.mint(&stranger).await;
    world.start_volume(&token, "mine").await;
    world.wait(SignedDuration::from_secs(2));
    assert_eq!(reset(&world, &stranger, "").await.status, 200);
    assert_eq!(world.volumes(&token, "mine").await.len(), 1);

    for role in [Role::Operator, Role::Observer] {
        let other = world.token(&format!("{role}"), role).await;
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let refused = world.call(method, STATE, Some(&other), None).await;
            assert_eq!(refused.status, 403, "{role} {method}");
        }
    }
    assert_eq!(world.call("DELETE", STATE, None, None).await.status, 401);
    assert_eq!(
        world.call("POST", STATE, Some(&token), None).await.status,
        405
    );
    let options = world.call("OPTIONS", STATE, Some(&token), None).await;
    assert_eq!(
        options.header("allow"),
        Some("GET, PUT, DELETE, HEAD, OPTIONS")
    );

    assert_eq!(put(&world, &token, "{}").await.status, 400);
    assert_eq!(reset(&world, &token, "?seed=3").await.status, 200);
    let log = world.audit().await;
    let told: Vec<_> = log
        .iter()
        .filter(|row| {
            row.event.message.contains("the stand-in") && row.event.user_email.starts_with("ann")
        })
        .map(|row| (row.event.message.as_str(), row.event.resource.id.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("Restore the stand-in - Initiated", STATE),
            ("Restore the stand-in - Failed", STATE),
            (
                "Reset the stand-in - Initiated",
                "/.hallpass/sandbox/state?seed=3"
            ),
            (
                "Reset the stand-in - Completed",
                "/.hallpass/sandbox/state?seed=3"
            ),
        ]
    );
    assert!(
        log.iter()
            .any(|row| row.event.permission == "sandbox.update")
    );
}

#[tokio::test]
async fn a_state_has_a_bound_and_room_is_made_by_taking_away() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let stand_ins = world.server.stand_ins();
    let workspace = &world.workspace.id;
    let grown = stand_ins
        .reset(workspace, None, Some(4000), world.now())
        .await;
    let grown = grown.unwrap();
    assert!(grown < OBJECTS);
    let volume = world.volumes(&token, "none").await;
    assert!(volume.is_empty());
    let host = |number: usize| json!({"name": format!("h{number}"), "operatingSystem": "Linux", "userCreated": true});
    let mut refused = None;
    for number in 0..=OBJECTS - grown {
        let answer = world
            .post("/api/v1/host-initiators", &token, &host(number))
            .await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.status, 400, "507 is not declared");
    assert!(
        refused.body.contains("`sandbox.objects`"),
        "{}",
        refused.body
    );
    let hosts = world
        .get("/api/v1/host-initiators?filter=name%20eq%20h0", &token)
        .await;
    let id = hosts.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let target = format!("/api/v1/host-initiators/{id}?force=true");
    let gone = world.call("DELETE", &target, Some(&token), None).await;
    assert!(gone.status < 300, "{}", gone.body);
    world.wait(SignedDuration::from_secs(2));
    let hosts = world
        .get("/api/v1/host-initiators?filter=name%20eq%20h0", &token)
        .await;
    assert_eq!(hosts.json()["total"], 0);
}

#[tokio::test]
async fn a_stand_in_that_nobody_asks_is_forgotten_and_found_again() {
    let world = World::new().await;
    let token = world.client("ann", Role::Administrator).await;
    let first = world.mint(&token).await;
    world.start_volume(&first, "kept").await;
    world.wait(SignedDuration::from_mins(16));
    // Somebody else comes: what is idle goes.
    let other = world.stranger("eve", Role::Observer).await;
    let other = world.mint(&other).await;
    assert_eq!(world.get("/api/v1/volumes", &other).await.status, 200);
    assert_eq!(world.server.stand_ins().in_memory(), 1);
    assert_eq!(world.volumes(&first, "kept").await.len(), 1);
    assert_eq!(world.server.stand_ins().in_memory(), 2);
}

/// A state that this program cannot read any more stops every call but a reset.
#[tokio::test]
async fn a_reset_helps_where_nothing_else_does() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let journals = world.store.sandbox_journals();
    let us1 = world.store.workspaces().find_instance("us1").unwrap();
    journals
        .snapshot(&world.workspace.id, &us1.id, 5, "no state")
        .await
        .unwrap();
    assert_eq!(world.get("/api/v1/volumes", &token).await.status, 503);
    let saved = world
        .server
        .stand_ins()
        .save(&world.workspace.id, world.now());
    assert!(matches!(saved.await, Err(OriginError::Unreadable(_))));
    assert_eq!(reset(&world, &token, "").await.status, 200);
    assert_eq!(world.get("/api/v1/volumes", &token).await.status, 200);
}

/// Whatever the memory believes, the journal knows which place is the next.
#[tokio::test]
async fn a_restore_comes_after_all_that_is_on_disk() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let before = everything(&world, &token).await;
    let saved = world.get(STATE, &token).await.body;
    let journals = world.store.sandbox_journals();
    let us1 = world.store.workspaces().find_instance("us1").unwrap();
    journals
        .snapshot(&world.workspace.id, &us1.id, 5, "something else")
        .await
        .unwrap();
    assert_eq!(put(&world, &token, &saved).await.status, 200);
    let killed = world.killed().await;
    assert_eq!(everything(&killed, &token).await, before);
    killed.start_volume(&token, "kept").await;
    killed.wait(SignedDuration::from_secs(2));
    let again = killed.killed().await;
    assert_eq!(again.volumes(&token, "kept").await.len(), 1);
}

#[tokio::test]
async fn after_a_write_that_failed_the_state_is_read_anew() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    world.start_volume(&token, "first").await;
    world.wait(SignedDuration::from_secs(2));
    let journals = world.store.sandbox_journals();
    let us1 = world.store.workspaces().find_instance("us1").unwrap();
    let stored = journals.load(&world.workspace.id, &us1.id).await.unwrap();
    let taken = JournalEntry {
        sequence: stored.unwrap().last_sequence() + 1,
        at: world.now(),
        changes: "[]".to_owned(),
    };
    journals
        .append(&world.workspace.id, &us1.id, taken)
        .await
        .unwrap();
    let body = json!({"name": "h", "operatingSystem": "Linux", "userCreated": true});
    let path = "/api/v1/host-initiators";
    let create = || world.call("POST", path, Some(&token), Some(&body));
    assert_eq!(create().await.status, 503, "its place is taken");
    assert_eq!(create().await.status, 200);
    assert_eq!(world.volumes(&token, "first").await.len(), 1);
}

/// A caller that goes away neither stops the loading of its stand-in nor holds up those who come.
#[tokio::test]
async fn a_stand_in_is_loaded_although_nobody_waits_for_it() {
    let world = World::new().await;
    let (stand_ins, workspace) = (world.server.stand_ins(), &world.workspace.id);
    let mut loading = Box::pin(stand_ins.save(workspace, world.now()));
    std::future::poll_fn(|cx| {
        assert!(loading.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(loading);
    let journals = world.store.sandbox_journals();
    let us1 = world.store.workspaces().find_instance("us1").unwrap();
    while journals.load(workspace, &us1.id).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert!(stand_ins.save(workspace, world.now()).await.is_ok());
}
