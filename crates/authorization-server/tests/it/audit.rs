//! What is written down and what is counted, and that no secret is among it.

use std::fmt::Write as _;

use hallpass_store::AuditState;
use hallpass_store::audit::StoredEvent;
use jiff::SignedDuration;

use crate::world::{FORM, GRANT, World, basic};

#[tokio::test]
async fn attempts_are_counted_by_reason_client_and_minute() {
    let world = World::new().await;
    let id = world.credential.credential.client_id.to_string();
    for _ in 0..2 {
        world.form(&world.good_form()).await;
        world.with_header(&basic(&id, "wrong"), GRANT).await;
    }
    world
        .form(&format!("{GRANT}&client_id={id}&client_secret=wrong"))
        .await;
    for stranger in ["one", "two", "three"] {
        world
            .form(&format!("{GRANT}&client_id={stranger}&client_secret=x"))
            .await;
    }
    world.with_header("Basic !!!", GRANT).await;
    world.wait(SignedDuration::from_mins(1));
    world
        .form(&format!("{GRANT}&client_id={id}&client_secret=wrong"))
        .await;

    let events = world.audit().await;
    assert_eq!(counts(&events, "issued to client", &id), [2]);
    assert_eq!(
        counts(&events, "wrong secret", &id),
        [3, 1],
        "a row per minute"
    );
    assert_eq!(
        counts(&events, "unknown client", ""),
        [3],
        "however many ids"
    );
    assert_eq!(counts(&events, "no readable credential", ""), [1]);
    for event in events
        .iter()
        .filter(|stored| stored.event.code == "invalid_client")
    {
        let event = &event.event;
        assert_eq!(event.state, AuditState::Failure);
        assert_eq!(event.source_ip, "127.0.0.1");
        let workspace = (!event.client_id.is_empty()).then(|| world.workspace.id.clone());
        assert_eq!(event.workspace, workspace);
    }
}

#[tokio::test]
async fn no_secret_and_no_token_is_kept() {
    let world = World::new().await;
    let id = world.credential.credential.client_id.to_string();
    let secret = world.credential.secret.expose().to_owned();
    let token = world.token().await;
    // A secret where the id belongs, a wrong one, one in the URL: all are somebody's.
    let planted = ["plantedsecret1", "plantedsecret2", "plantedsecret3"];
    world
        .form(&format!("{GRANT}&client_id={}&client_secret=x", planted[0]))
        .await;
    world.with_header(&basic(&id, planted[1]), GRANT).await;
    let target = format!(
        "{}?client_secret={}",
        hallpass_authorization_server::TOKEN_PATH,
        planted[2]
    );
    world
        .ask("POST", &target, &[("Content-Type", FORM)], GRANT)
        .await;

    let events = world.audit().await;
    assert!(events.len() >= 4, "there is something to look through");
    let mut kept = format!("{events:?}");
    kept.push_str(&world.metrics());
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        write!(kept, "{}", String::from_utf8_lossy(&bytes)).unwrap();
    }
    assert!(kept.contains(&id), "the database was read");
    let signature = token.rsplit('.').next().unwrap();
    for text in planted
        .into_iter()
        .chain([secret.as_str(), token.as_str(), signature])
    {
        assert!(!kept.contains(text), "{text}");
    }
}

fn counts(events: &[StoredEvent], message: &str, client_id: &str) -> Vec<u64> {
    let counted = events
        .iter()
        .map(|stored| &stored.event)
        .filter(|event| event.message.contains(message) && event.client_id == client_id);
    counted.map(|event| event.count).collect()
}
