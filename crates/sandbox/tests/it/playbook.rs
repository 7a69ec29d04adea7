//! The order of calls in which the Ansible collection deletes a volume and a host (domain.md 8.3).

use serde_json::{Value, json};

use crate::world::World;

/// As the collection polls: until the state is none of those that go on.
fn polled(world: &mut World, (status, accepted): (u16, Value)) -> Value {
    assert_eq!(status, 202, "{accepted}");
    let task = format!("tasks/{}", accepted["taskUri"].as_str().unwrap());
    let mut polls = 0;
    loop {
        let (status, task) = world.get(&task);
        assert_eq!(status, 200);
        let state = task["state"].as_str().unwrap();
        if !["INITIALIZED", "RUNNING", "SUBMITTED"].contains(&state) {
            assert!(polls > 2, "a task takes its time");
            return task;
        }
        polls += 1;
        world.later(300);
    }
}

/// The last volume of that kind that is exported, and the ids of its host groups.
fn exported(world: &mut World, family: &str) -> (String, String, Vec<String>) {
    let (_, list) = world.get("volumes?limit=1000");
    let mut volumes = list["items"].as_array().unwrap().iter();
    let volume = volumes
        .rfind(|v| v["productFamily"] == family && v["initiators"] != json!([]))
        .unwrap();
    let groups = volume["initiators"].as_array().unwrap().iter();
    let groups = groups.map(|group| group["id"].as_str().unwrap().to_owned());
    let text = |field: &str| volume[field].as_str().unwrap().to_owned();
    (text("systemId"), text("name"), groups.collect())
}

#[test]
fn a_volume_of_device_type1_is_withdrawn_and_deleted() {
    let mut world = World::new();
    let (system, name, groups) = exported(&mut world, "deviceType1");
    let volumes = format!("storage-systems/device-type1/{system}/volumes");
    let (_, found) = world.get(&format!("{volumes}?filter=name eq '{name}'"));
    let volume = format!("{volumes}/{}", found["items"][0]["id"].as_str().unwrap());
    assert_eq!(world.get(&volume).0, 200);
    assert_eq!(world.get(&format!("{volume}/snapshots")).0, 200);
    let body = json!({"hostGroupIds": groups});
    let answer = world.post(&format!("{volume}/un-export"), &body);
    assert_eq!(polled(&mut world, answer)["state"], "SUCCEEDED");
    let answer = world.delete(&volume);
    assert_eq!(polled(&mut world, answer)["state"], "SUCCEEDED");
    let (_, found) = world.get(&format!("{volumes}?filter=name eq '{name}'"));
    assert_eq!(found["total"], 0);
}

#[test]
fn a_volume_of_device_type2_is_withdrawn_and_deleted_by_force() {
    let mut world = World::new();
    let (system, name, groups) = exported(&mut world, "deviceType2");
    let volumes = format!("storage-systems/device-type2/{system}/volumes");
    let (_, found) = world.get(&format!("{volumes}?filter=name eq '{name}'"));
    let volume = format!("{volumes}/{}", found["items"][0]["id"].as_str().unwrap());
    let (_, snapshots) = world.get(&format!("{volume}/snapshots"));
    assert_eq!(snapshots["total"], 1);
    let body = json!({"hostGroups": groups});
    let answer = world.post(&format!("{volume}/un-export"), &body);
    assert_eq!(polled(&mut world, answer)["state"], "SUCCEEDED");
    let answer = world.delete(&format!("{volume}?force=true"));
    assert_eq!(polled(&mut world, answer)["state"], "SUCCEEDED");
    let (_, found) = world.get(&format!("{volumes}?filter=name eq '{name}'"));
    assert_eq!(found["total"], 0);
}

#[test]
fn a_host_is_deleted_by_force_out_of_its_group() {
    let mut world = World::new();
    let (_, groups) = world.get("host-initiator-groups?filter=name eq cluster-1");
    let group = &groups["items"][0];
    let (name, id) = (
        group["hosts"][0]["name"].as_str().unwrap(),
        group["id"].as_str().unwrap(),
    );
    let (_, found) = world.get(&format!("host-initiators?filter=name eq '{name}'"));
    let host = found["items"][0]["id"].as_str().unwrap().to_owned();
    let answer = world.delete(&format!("host-initiators/{host}?force=true"));
    assert_eq!(polled(&mut world, answer)["state"], "SUCCEEDED");
    let (_, found) = world.get(&format!("host-initiators?filter=name eq '{name}'"));
    assert_eq!(found["total"], 0);
    let (_, group) = world.get(&format!("host-initiator-groups/{id}"));
    assert_eq!(group["hosts"].as_array().unwrap().len(), 1);
}
