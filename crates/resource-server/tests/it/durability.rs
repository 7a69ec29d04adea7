//! What was answered is kept, whatever happens to the process.

use hallpass_access::Role;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn a_volume_is_made_by_a_task_that_ends() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let task = world.start_volume(&token, "made").await;
    assert_eq!(task.len(), 36);
    assert!(
        task.split('-').map(str::len).eq([8, 4, 4, 4, 12]),
        "a bare UUID: {task}"
    );

    let begun = task_of(&world, &token, &task).await;
    assert!(
        ["INITIALIZED", "RUNNING"].contains(&begun["state"].as_str().unwrap()),
        "{begun}"
    );
    assert_eq!(begun["customerId"], world.workspace.customer.as_str());
    assert_eq!(begun["userId"], "ann@example.com");
    assert_eq!(world.volumes(&token, "made").await.len(), 0);

    world.wait(SignedDuration::from_secs(2));
    done(&world, &token, &task, "made").await;
}

#[tokio::test]
async fn a_pending_task_survives_the_kill() {
    let world = World::new().await;
    let client = world.client("ann", Role::Administrator).await;
    let token = world.mint(&client).await;
    let task = world.start_volume(&token, "survivor").await;
    let killed = world.killed().await;
    assert_eq!(killed.now(), world.now());

    let begun = task_of(&killed, &token, &task).await;
    assert_eq!(begun, task_of(&world, &token, &task).await);
    assert_eq!(begun["endedAt"], Value::Null);
    killed.wait(SignedDuration::from_secs(2));
    done(&killed, &token, &task, "survivor").await;
    // What is made after the restart has its place behind what was made before.
    let next = killed.start_volume(&token, "after").await;
    let again = killed.killed().await;
    again.wait(SignedDuration::from_secs(2));
    done(&again, &token, &task, "survivor").await;
    done(&again, &token, &next, "after").await;
    assert!(again.mint(&client).await != token, "and tokens go on");
}

#[tokio::test]
async fn the_token_that_was_superseded_stays_so() {
    let world = World::new().await;
    let client = world.client("ann", Role::Observer).await;
    let (first, second) = (world.mint(&client).await, world.mint(&client).await);
    let killed = world.killed().await;
    assert_eq!(killed.get("/api/v1/volumes", &first).await.status, 401);
    assert_eq!(killed.get("/api/v1/volumes", &second).await.status, 200);
}

/// More changes than stand in the journal at once.
#[tokio::test]
async fn a_thousand_changes_are_kept() {
    const HOSTS: usize = 1003;
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let before = hosts(&world, &token).await;
    for first in (0..HOSTS).step_by(100) {
        let made = (first..HOSTS.min(first + 100)).map(|number| {
            let body = json!({
                "name": format!("host-of-many-{number}"),
                "operatingSystem": "Linux",
                "userCreated": true,
            });
            let (world, token) = (&world, &token);
            async move {
                world
                    .post("/api/v1/host-initiators", token, &body)
                    .await
                    .status
            }
        });
        for status in join(made).await {
            assert_eq!(status, 200);
        }
    }
    let killed = world.killed().await;
    assert_eq!(hosts(&killed, &token).await, before + HOSTS);
    let same = "/api/v1/host-initiators?limit=5000&sort=name";
    let of = async |world: &World| world.get(same, &token).await.json()["items"].clone();
    assert_eq!(of(&killed).await, of(&world).await);
}

async fn hosts(world: &World, token: &str) -> usize {
    let answer = world.get("/api/v1/host-initiators?limit=1", token).await;
    usize::try_from(answer.json()["total"].as_u64().unwrap()).unwrap()
}

async fn task_of(world: &World, token: &str, task: &str) -> Value {
    let answer = world.get(&format!("/api/v1/tasks/{task}"), token).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

async fn done(world: &World, token: &str, task: &str, volume: &str) {
    let ended = task_of(world, token, task).await;
    assert_eq!(
        (&ended["state"], &ended["progressPercent"]),
        (&json!("SUCCEEDED"), &json!(100))
    );
    let volumes = world.volumes(token, volume).await;
    assert_eq!(volumes.len(), 1, "{volumes:?}");
}

/// All of them, at once.
async fn join<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        for (future, outcome) in &mut waiting {
            if outcome.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(cx)
            {
                *outcome = Some(value);
            }
        }
        if waiting.iter().all(|(_, outcome)| outcome.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting
        .into_iter()
        .filter_map(|(_, outcome)| outcome)
        .collect()
}
