//! Hosts, host groups and initiators together: each shows the others, and no side is ever behind.

use serde_json::{Value, json};

use crate::world::{HOST, World, names};

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(id).collect()
}

fn new_host(name: &str) -> Value {
    json!({"name": name, "operatingSystem": "Ubuntu", "userCreated": true})
}

fn initiator(world: &mut World, address: &str) -> String {
    let body = json!({"address": address, "protocol": "FC"});
    let (status, made) = world.post("initiators", &body);
    assert_eq!(status, 200, "{made}");
    id(&made).to_owned()
}

fn group(world: &mut World, body: &Value) -> Value {
    let (status, made) = world.post("host-initiator-groups", body);
    assert_eq!(status, 200, "{made}");
    made
}

/// The group of the seed that volumes are exported to.
fn cluster(world: &mut World) -> Value {
    let (_, found) = world.get("host-initiator-groups?filter=name eq cluster-1");
    found["items"][0].clone()
}

#[test]
fn a_created_host_appears_at_its_initiators_and_groups_at_once() {
    let mut world = World::new();
    let port = initiator(&mut world, "1000000000000001");
    let made = group(&mut world, &json!({"name": "g", "userCreated": true}));
    let mut body = new_host("db");
    body["initiatorIds"] = json!([port]);
    body["hostGroupIds"] = json!([id(&made)]);
    let (status, host) = world.post("host-initiators", &body);
    assert_eq!(status, 200);
    assert_eq!(ids(&host["initiators"]), [port.as_str()]);
    assert_eq!(ids(&host["hostGroups"]), [id(&made)]);

    let (_, seen) = world.get(&format!("initiators/{port}"));
    assert_eq!(ids(&seen["hosts"]), [id(&host)]);
    assert_eq!(ids(&seen["hosts"][0]["hostGroups"]), [id(&made)]);
    let (_, seen) = world.get(&format!("host-initiator-groups/{}", id(&made)));
    assert_eq!(ids(&seen["hosts"]), [id(&host)]);
    assert_eq!(ids(&seen["hosts"][0]["initiators"]), [port.as_str()]);
}

#[test]
fn a_group_is_created_with_hosts_that_are_there_and_hosts_that_are_not() {
    let mut world = World::new();
    let mut wanted = new_host("fresh");
    wanted["initiatorsToCreate"] = json!([{"address": "iqn.fresh", "protocol": "iscsi"}]);
    let body = json!({
        "name": "mixed", "userCreated": true, "comment": "c",
        "hostIds": [HOST], "hostsToCreate": [wanted],
    });
    let made = group(&mut world, &body);
    assert_eq!(names(&json!({"items": made["hosts"]}))[1], "fresh");
    assert_eq!(made["hosts"][1]["initiators"][0]["protocol"], "iSCSI");
    let (_, read) = world.get(&format!("host-initiator-groups/{}", id(&made)));
    for field in ["hosts", "systems", "comment", "editStatus", "type"] {
        assert_eq!(read[field], made[field], "{field}");
    }
    for host in ids(&made["hosts"]) {
        let (_, host) = world.get(&format!("host-initiators/{host}"));
        assert_eq!(ids(&host["hostGroups"]), [id(&made)]);
    }
}

#[test]
fn an_update_of_a_group_adds_takes_out_and_renames() {
    let mut world = World::new();
    let cluster = cluster(&mut world);
    let path = format!("host-initiator-groups/{}", id(&cluster));
    let leaving = cluster["hosts"][0]["id"].clone();
    let body = json!({
        "name": "renamed", "updatedHosts": [HOST], "removedHosts": [leaving],
        "hostsToCreate": [new_host("third")],
    });
    let answer = world.put(&path, &body);
    let (_, during) = world.get(&path);
    assert_eq!(during["editStatus"], "Update_In_Progress");
    assert_eq!(during["hosts"], cluster["hosts"]);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, after) = world.get(&path);
    assert_eq!(after["editStatus"], "Not_Applicable");
    assert_eq!(after["name"], "renamed");
    let members = ids(&after["hosts"]);
    assert_eq!(members.len(), 3);
    assert!(members.contains(&HOST) && !members.contains(&leaving.as_str().unwrap()));
    let (_, host) = world.get(&format!("host-initiators/{HOST}"));
    assert_eq!(host["hostGroups"][0]["name"], "renamed");
    let (_, gone) = world.get(&format!("host-initiators/{}", leaving.as_str().unwrap()));
    assert_eq!(gone["hostGroups"], json!([]));
}

#[test]
fn a_group_cannot_lose_what_it_has_not_nor_gain_what_is_not_there() {
    let mut world = World::new();
    let cluster = cluster(&mut world);
    let member = cluster["hosts"][0]["id"].as_str().unwrap();
    let path = format!("host-initiator-groups/{}", id(&cluster));
    for (body, word) in [
        (json!({"updatedHosts": ["nobody"]}), "no host nobody"),
        (json!({"removedHosts": [HOST]}), "is not in it"),
        (
            json!({"removedHosts": [member], "updatedHosts": [member]}),
            "come in",
        ),
        (
            json!({"hostProximityValues": [{"hostId": HOST}]}),
            "is not in it",
        ),
        (json!({"name": " "}), "name"),
        (
            json!({"hostsToCreate": [new_host("x"), new_host("x")]}),
            "two of the new hosts",
        ),
    ] {
        let (status, answer) = world.put(&path, &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
    let values = json!({"hostProximityValues": [{"hostId": member, "systemName": "s"}]});
    let answer = world.put(&path, &values);
    world.done(answer);
    let (_, after) = world.get(&path);
    assert_eq!(after["hostProximityValues"], values["hostProximityValues"]);
}

#[test]
fn an_update_whose_host_goes_meanwhile_fails_and_says_so() {
    let mut world = World::new();
    let cluster = cluster(&mut world);
    let path = format!("host-initiator-groups/{}", id(&cluster));
    let gone = world.delete(&format!("host-initiators/{HOST}"));
    world.later(500);
    let answer = world.put(&path, &json!({"updatedHosts": [HOST]}));
    world.later(600);
    assert_eq!(world.done(gone)["state"], "SUCCEEDED");
    assert_eq!(world.done(answer)["state"], "FAILED");
    let (_, after) = world.get(&path);
    assert_eq!(after["editStatus"], "Update_Failed");
    assert_eq!(after["hosts"], cluster["hosts"]);
}

#[test]
fn a_group_that_volumes_are_exported_to_is_deleted_only_by_force() {
    let mut world = World::new();
    let cluster = cluster(&mut world);
    let path = format!("host-initiator-groups/{}", id(&cluster));
    let member = cluster["hosts"][0]["id"].as_str().unwrap().to_owned();
    let (_, reached) = world.get(&format!("host-initiators/{member}/volumes"));
    assert!(reached["total"].as_u64().unwrap() >= 2);
    let (status, answer) = world.delete(&path);
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("force"));
    let answer = world.delete(&format!("{path}?force=true"));
    let (_, during) = world.get(&path);
    assert_eq!(
        (&during["editStatus"], &during["markedForDelete"]),
        (&json!("Delete_In_Progress"), &json!(true))
    );
    assert_eq!(world.put(&path, &json!({"name": "late"})).0, 400);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(world.get(&path).0, 404);
    let (_, reached) = world.get(&format!("host-initiators/{member}/volumes"));
    assert_eq!(reached["total"], 0);
    let (_, volumes) = world.get("volumes?limit=1000");
    assert!(!volumes.to_string().contains(id(&cluster)));
    let (_, host) = world.get(&format!("host-initiators/{member}"));
    assert_eq!(host["hostGroups"], json!([]));
}

#[test]
fn a_deletion_that_fails_takes_the_mark_back() {
    let mut world = World::new();
    world.fate = hallpass_sandbox::TaskFate::Fail;
    let answer = world.delete(&format!("host-initiators/{HOST}"));
    assert_eq!(world.done(answer)["state"], "FAILED");
    let (_, host) = world.get(&format!("host-initiators/{HOST}"));
    assert_eq!(
        (&host["editStatus"], &host["markedForDelete"]),
        (&json!("Delete_Failed"), &json!(false))
    );
}

#[test]
fn an_initiator_is_made_and_deleted_at_once_unless_a_host_has_it() {
    let mut world = World::new();
    let port = initiator(&mut world, "1000000000000002");
    let body = json!({"address": "1000000000000002", "protocol": "FC"});
    assert_eq!(world.post("initiators", &body).0, 400);
    let body = json!({"address": "1000000000000003", "protocol": "SCSI"});
    assert_eq!(world.post("initiators", &body).0, 400);

    let answer = world.put(
        &format!("host-initiators/{HOST}"),
        &json!({"updatedInitiators": [port]}),
    );
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (status, refused) = world.delete(&format!("initiators/{port}"));
    assert_eq!(status, 400);
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("belongs to a host")
    );

    let answer = world.delete(&format!("host-initiators/{HOST}"));
    world.done(answer);
    let (_, free) = world.get(&format!("initiators/{port}"));
    assert_eq!(free["hosts"], json!([]));
    let (status, deleted) = world.delete(&format!("initiators/{port}"));
    assert_eq!((status, deleted), (200, json!({"deleteInitiator": true})));
    assert_eq!(world.get(&format!("initiators/{port}")).0, 404);
}

#[test]
fn each_kind_is_found_by_the_others_ids() {
    let mut world = World::new();
    let cluster = cluster(&mut world);
    let host = cluster["hosts"][0].clone();
    let port = host["initiators"][0]["id"].as_str().unwrap();
    let host = id(&host);
    for (list, filter, expected) in [
        ("host-initiator-groups", format!("hostId eq {host}"), 1),
        ("host-initiator-groups", format!("hostId in ({host})"), 1),
        ("host-initiator-groups", format!("sc_HostId eq {host}"), 1),
        ("host-initiator-groups", "hostId eq nobody".to_owned(), 0),
        ("initiators", format!("hostId eq {host}"), 1),
        (
            "initiators",
            format!("hostId eq {host} and name eq nothing"),
            0,
        ),
        (
            "host-initiators",
            format!("hostGroupId eq {}", id(&cluster)),
            2,
        ),
        ("host-initiators", format!("initiatorId eq {port}"), 1),
        (
            "host-initiators",
            format!("hostGroupId eq {} and initiatorId eq {port}", id(&cluster)),
            1,
        ),
    ] {
        let (status, found) = world.get(&format!("{list}?filter={filter}"));
        assert_eq!(
            (status, &found["total"]),
            (200, &json!(expected)),
            "{filter}"
        );
    }
    for list in ["host-initiator-groups", "initiators", "host-initiators"] {
        assert_eq!(world.get(&format!("{list}?filter=volumeId eq x")).0, 400);
    }
}
