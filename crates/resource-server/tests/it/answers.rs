//! What the roles and the audit log answer, one file each (domain.md 7.7), so that any change of an
//! answer is seen in review. Ids that are drawn are shown as what they are of; the stand-in's own
//! answers are kept beside it.

use hallpass_access::Role;
use serde_json::{Value, json};

use crate::world::World;

const VOLUMES: &str = "/api/v1/storage-systems/device-type1/2M2042059T/volumes";

#[tokio::test]
async fn every_read_answers_as_it_did() {
    let world = World::new().await;
    let observer = world.client("otto", Role::Observer).await;
    let token = world.mint(&observer).await;
    let denied = world.post(VOLUMES, &token, &json!({"name": "x"})).await;
    assert_eq!(denied.status, 403);
    let host = format!("http://{}", world.address);
    for kind in ["access-controls", "audit-events", "resource-types"] {
        let target = format!("/api/v1/{kind}?limit=2");
        let answer = world.get(&target, &token).await;
        assert_eq!(answer.status, 200, "{kind} {}", answer.body);
        let mut shown = answer.json();
        let drawn = [
            (world.workspace.customer.as_str(), "(customer)"),
            (observer.id.as_str(), "(client)"),
            (&host, "(host)"),
        ];
        hide(&mut shown, &drawn);
        insta::assert_json_snapshot!(kind, shown);
    }
}

/// Puts words in the place of what is drawn: these texts, and the ids of events.
fn hide(shown: &mut Value, drawn: &[(&str, &str)]) {
    match shown {
        Value::String(text) => {
            if let Some((_, word)) = drawn.iter().find(|(id, _)| id == text) {
                (*word).clone_into(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, drawn)),
        Value::Object(members) => {
            for (name, member) in members {
                if name == "id" && member.as_str().is_some_and(|id| !id.starts_with('/')) {
                    *member = "(id)".into();
                }
                hide(member, drawn);
            }
        }
        _ => {}
    }
}
