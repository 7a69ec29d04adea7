//! Hosts: made at once, changed and deleted by tasks.

use serde_json::{Value, json};

use crate::world::{HOST, World, names};

fn new(name: &str) -> Value {
    json!({"name": name, "operatingSystem": "Ubuntu", "userCreated": true})
}

#[test]
fn a_host_is_there_as_soon_as_it_is_created() {
    let mut world = World::new();
    let body = json!({
        "name": "db", "operatingSystem": "Ubuntu", "userCreated": "true", "comment": "c",
        "initiatorsToCreate": [{"address": "100008F1EABFE61C", "protocol": "FC"}],
    });
    let (status, host) = world.post("host-initiators", &body);
    assert_eq!(status, 200);
    let id = host["id"].as_str().unwrap();
    assert_eq!(host["editStatus"], "Not_Applicable");
    assert_eq!(
        host["consoleUri"],
        format!("/data-ops-manager/host-initiators/{id}")
    );
    let (_, mut read) = world.get(&format!("host-initiators/{id}"));
    read.as_object_mut().unwrap().remove("requestUri").unwrap();
    assert_eq!(read, host);
    let initiator = host["initiators"][0]["id"].as_str().unwrap();
    let (_, found) = world.get(&format!(
        "host-initiators?filter=initiatorId eq {initiator}"
    ));
    assert_eq!(names(&found), ["db"]);
}

#[test]
fn a_host_that_cannot_be_is_refused() {
    let mut world = World::new();
    let (_, existing) = world.get(&format!("host-initiators/{HOST}"));
    for (body, word) in [
        (json!({"name": "h", "userCreated": true}), "operatingSystem"),
        (new(""), "name"),
        (new(existing["name"].as_str().unwrap()), "already"),
        (
            json!({"name": "h", "operatingSystem": "AIX", "userCreated": true, "initiatorIds": ["x"]}),
            "no initiator x",
        ),
        (
            json!({"name": "h", "operatingSystem": "AIX", "userCreated": true, "hostGroupIds": ["y"]}),
            "no host group y",
        ),
    ] {
        let (status, answer) = world.post("host-initiators", &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
}

#[test]
fn hosts_are_found_by_their_group() {
    let mut world = World::new();
    let (_, all) = world.get("host-initiators");
    let items = all["items"].as_array().unwrap();
    let grouped: Vec<&Value> = items
        .iter()
        .filter(|host| host["hostGroups"] != json!([]))
        .collect();
    assert_eq!((items.len(), grouped.len()), (4, 2));
    let group = grouped[0]["hostGroups"][0]["id"].as_str().unwrap();
    for filter in [
        format!("hostGroupId eq {group}"),
        format!("hostGroupId in ({group})"),
    ] {
        let (status, found) = world.get(&format!("host-initiators?filter={filter}"));
        assert_eq!(
            (status, &found["items"]),
            (200, &json!(grouped)),
            "{filter}"
        );
    }
}

#[test]
fn the_edit_status_tells_how_far_an_update_is() {
    let mut world = World::new();
    let path = format!("host-initiators/{HOST}");
    let (_, before) = world.get(&path);
    let body = json!({
        "name": "renamed",
        "initiatorsToCreate": [{"address": "iqn.x", "protocol": "iSCSI", "name": "second"}],
    });
    let answer = world.put(&path, &body);
    let (_, during) = world.get(&path);
    assert_eq!(during["editStatus"], "Update_In_Progress");
    assert_eq!(during["name"], before["name"]);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, after) = world.get(&path);
    assert_eq!(
        (&after["editStatus"], &after["name"]),
        (&json!("Not_Applicable"), &json!("renamed"))
    );
    assert_eq!(
        names(&json!({"items": after["initiators"]})).last(),
        Some(&"second")
    );
    assert_eq!(after["initiators"].as_array().unwrap().len(), 2);
    let kept = &after["initiators"][0]["id"];
    let answer = world.put(&path, &json!({"updatedInitiators": [kept]}));
    world.done(answer);
    let (_, last) = world.get(&path);
    assert_eq!(last["initiators"].as_array().unwrap().len(), 1);
}

#[test]
fn an_update_that_fails_says_so_on_the_host_and_changes_nothing_else() {
    let mut world = World::new();
    let path = format!("host-initiators/{HOST}");
    let (_, before) = world.get(&path);
    let answer = world.put(&path, &json!({"name": "wanted"}));
    let (status, _) = world.post("host-initiators", &new("wanted"));
    assert_eq!(status, 200);
    let task = world.done(answer);
    assert_eq!(task["state"], "FAILED");
    let (_, after) = world.get(&path);
    assert_eq!(
        (&after["editStatus"], &after["name"]),
        (&json!("Update_Failed"), &before["name"])
    );
}

#[test]
fn a_host_is_marked_while_it_is_deleted() {
    let mut world = World::new();
    let path = format!("host-initiators/{HOST}");
    let answer = world.delete(&path);
    let (_, during) = world.get(&path);
    assert_eq!(
        (&during["markedForDelete"], &during["editStatus"]),
        (&json!(true), &json!("Delete_In_Progress"))
    );
    world.done(answer);
    assert_eq!(world.get(&path).0, 404);
}

#[test]
fn a_host_in_a_group_is_deleted_only_by_force() {
    let mut world = World::new();
    let (_, all) = world.get("host-initiators");
    let items = all["items"].as_array().unwrap();
    let grouped = items
        .iter()
        .find(|host| host["hostGroups"] != json!([]))
        .unwrap();
    let path = format!("host-initiators/{}", grouped["id"].as_str().unwrap());
    let (status, answer) = world.delete(&path);
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("force"));
    let answer = world.delete(&format!("{path}?force=true"));
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
}

#[test]
fn a_body_lists_no_more_than_a_thousand_ids_and_is_refused_at_the_first_stranger() {
    let mut world = World::new();
    let ids: Vec<String> = (0..1001).map(|number| format!("x{number}")).collect();
    let mut told = |ids: &[String]| {
        let body = json!({"name": "g", "hostIds": ids, "userCreated": true});
        let (status, problem) = world.post("host-initiator-groups", &body);
        assert_eq!(status, 400, "{problem}");
        problem["error"].as_str().unwrap().to_owned()
    };
    assert!(told(&ids).contains("hostIds: a list in a body may have 1000 elements"));
    assert!(told(&ids[..1000]).contains("no host x0"));
}
