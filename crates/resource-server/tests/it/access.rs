//! `access-controls` and `resource-types` say what the caller may really do.

use std::collections::BTreeSet;

use hallpass_access::Role;
use serde_json::json;

use crate::operations::{Ids, all};
use crate::world::World;

const CONTROLS: &str = "/api/v1/access-controls";

#[tokio::test]
async fn the_answer_is_what_the_guard_does() {
    for role in Role::ALL {
        let world = World::new().await;
        let token = world.token("ann", role).await;
        let granted = items(&world, &token, CONTROLS).await;
        for operation in all(&Ids::new()) {
            let body = operation.body.as_ref();
            let answer = world.call(&operation.method, &operation.target, Some(&token), body);
            let allowed = answer.await.status != 403;
            let told =
                operation.permission == "ANY.read" || granted.contains(&operation.permission);
            assert_eq!(told, allowed, "{role} {}", operation.id);
        }
    }
}

#[tokio::test]
async fn a_question_is_answered_with_what_one_has_of_it() {
    let world = World::new().await;
    let (admin, operator, observer) = (
        world.token("ann", Role::Administrator).await,
        world.token("olga", Role::Operator).await,
        world.token("otto", Role::Observer).await,
    );
    let asked = format!(
        "{CONTROLS}?permission=volume.delete&permission=data-services.volume.create&permission=audit.read"
    );
    for (token, has) in [
        (
            &admin,
            &["volume.delete", "volume.create", "audit.read"][..],
        ),
        (&operator, &["volume.create", "audit.read"]),
        (&observer, &["audit.read"]),
    ] {
        assert_eq!(items(&world, token, &asked).await, has);
    }
    for every in ["ANY.read", "ALL.read", "any.read"] {
        let reads = items(&world, &observer, &format!("{CONTROLS}?permission={every}")).await;
        assert_eq!(reads, items(&world, &observer, CONTROLS).await, "{every}");
        assert!(
            reads.len() >= 6
                && reads
                    .iter()
                    .all(|word| word.split_once('.').unwrap().1 == "read")
        );
    }
    let creates = format!("{CONTROLS}?permission=ANY.create");
    assert!(items(&world, &observer, &creates).await.is_empty());
    assert!(
        items(&world, &operator, &creates)
            .await
            .contains(&"host-initiator.create".to_owned())
    );
}

#[tokio::test]
async fn a_word_that_is_no_permission_is_one_that_nobody_has() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    for word in [
        "volume",
        "volume.destroy",
        "",
        "a%20b.read",
        "volume.read%00",
    ] {
        let beside = format!("{CONTROLS}?permission=volume.read&permission={word}");
        let answer = world.get(&beside, &token).await;
        assert_eq!(answer.status, 200, "{word}");
        assert_eq!(answer.json()["items"], json!(["volume.read"]), "{word}");
        let alone = world
            .get(&format!("{CONTROLS}?permission={word}"), &token)
            .await;
        assert_eq!(alone.json()["items"], json!([]), "{word}");
    }
}

#[tokio::test]
async fn resource_types_are_those_of_the_permissions() {
    let world = World::new().await;
    for role in Role::ALL {
        let token = world.token(&role.to_string(), role).await;
        let types = items(&world, &token, "/api/v1/resource-types").await;
        let granted = items(&world, &token, CONTROLS).await;
        let of_granted: BTreeSet<_> = granted
            .iter()
            .map(|word| word.split_once('.').unwrap().0.to_owned())
            .collect();
        assert_eq!(types, Vec::from_iter(of_granted), "{role}");
        assert!(types.contains(&"audit".to_owned()) && types.contains(&"volume".to_owned()));
    }
}

async fn items(world: &World, token: &str, target: &str) -> Vec<String> {
    let answer = world.get(target, token).await;
    assert_eq!(answer.status, 200, "{target} {}", answer.body);
    let items = answer.json()["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}
