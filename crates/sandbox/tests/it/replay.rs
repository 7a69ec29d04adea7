//! A process that is killed at any moment comes back with the state it had.

use hallpass_sandbox::{Change, State};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{HOST, SYSTEM, VOLUME, World};

/// A snapshot and what was journalled since, both as text.
struct Disk {
    snapshot: String,
    journal: Vec<String>,
}

impl Disk {
    fn of(world: &mut World) -> Self {
        world.journal.clear();
        Self {
            snapshot: serde_json::to_string(&world.state).unwrap(),
            journal: Vec::new(),
        }
    }

    fn write(&mut self, world: &World) {
        self.journal = world
            .journal
            .iter()
            .map(|entry| serde_json::to_string(entry).unwrap())
            .collect();
    }

    fn restart(&self) -> State {
        let mut state: State = serde_json::from_str(&self.snapshot).unwrap();
        for entry in &self.journal {
            let (changes, now): (Vec<Change>, Timestamp) = serde_json::from_str(entry).unwrap();
            state.commit(&changes, now);
        }
        state
    }
}

#[test]
fn planned_steps_survive_a_snapshot_taken_in_the_middle_of_a_task() {
    let mut world = World::new();
    let path = format!("storage-systems/device-type1/{SYSTEM}/volumes");
    let body = json!({"name": "v", "sizeMib": 1, "userCpg": "SSD_r6"});
    let answer = world.post(&path, &body);
    world.later(600);
    world.state.advance(world.now);
    let mut disk = Disk::of(&mut world);
    let renamed = world.put(
        &format!("host-initiators/{HOST}"),
        &json!({"name": "later"}),
    );
    disk.write(&world);
    world.state = disk.restart();
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(world.done(renamed)["state"], "SUCCEEDED");
    assert_eq!(world.get("volumes?filter=name eq v").1["total"], 1);
    assert_eq!(
        world.get(&format!("host-initiators/{HOST}")).1["name"],
        "later"
    );
}

#[test]
fn whatever_is_accepted_can_be_read_again() {
    let mut world = World::new();
    let mut disk = Disk::of(&mut world);
    let nested = |levels: usize| {
        let inner = (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
        json!({"name": format!("v{levels}"), "size": 1, "metadata": [inner]})
    };
    let volumes = crate::device_type2::path("volumes");
    // The body itself and the list are two levels more.
    for refused in [63, 120] {
        let (status, problem) = world.post(&volumes, &nested(refused));
        assert_eq!(status, 400, "{refused}: {problem}");
        assert!(problem["error"].as_str().unwrap().contains("64 levels"));
    }
    let (status, told) = world.post(&volumes, &nested(62));
    assert_eq!(status, 202, "{told}");
    disk.write(&world);
    assert_eq!(disk.restart(), world.state);
    let text = serde_json::to_string(&world.state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), world.state);
}

#[derive(Debug, Clone)]
enum Act {
    Create(u8),
    Edit(u8),
    Delete,
    CreateHost(u8),
    UpdateHost(u8),
    DeleteHost,
    Read,
}

fn act(world: &mut World, act: &Act) {
    let volumes = format!("storage-systems/device-type1/{SYSTEM}/volumes");
    let volume = format!("{volumes}/{VOLUME}");
    let host = format!("host-initiators/{HOST}");
    let answer: (u16, Value) = match act {
        Act::Create(name) => world.post(
            &volumes,
            &json!({"name": format!("v{name}"), "sizeMib": 1, "userCpg": "SSD_r6", "count": 1 + name % 2}),
        ),
        Act::Edit(name) => world.put(&volume, &json!({"name": format!("v{name}"), "sizeMib": 1_000_000 + u64::from(*name)})),
        Act::Delete => world.delete(&volume),
        Act::CreateHost(name) => world.post(
            "host-initiators",
            &json!({"name": format!("h{name}"), "operatingSystem": "AIX", "userCreated": true}),
        ),
        Act::UpdateHost(name) => world.put(&host, &json!({"name": format!("h{name}")})),
        Act::DeleteHost => world.delete(&host),
        Act::Read => world.get("tasks?limit=1"),
    };
    assert!(answer.0 < 500, "{answer:?}");
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0_u8..4).prop_map(Act::Create),
        (0_u8..4).prop_map(Act::Edit),
        Just(Act::Delete),
        (0_u8..4).prop_map(Act::CreateHost),
        (0_u8..4).prop_map(Act::UpdateHost),
        Just(Act::DeleteHost),
        Just(Act::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_replayed_state_is_the_live_one(
        acts in prop::collection::vec((any_act(), 0_i64..700), 1..25),
        cut in 0_usize..25,
    ) {
        let mut world = World::new();
        let mut disk = Disk::of(&mut world);
        for (index, (next, pause)) in acts.iter().enumerate() {
            act(&mut world, next);
            world.later(*pause);
            if index == cut {
                disk = Disk::of(&mut world);
            }
        }
        disk.write(&world);
        let mut back = disk.restart();
        back.advance(world.now);
        world.state.advance(world.now);
        prop_assert_eq!(&back, &world.state);
        world.later(5000);
        back.advance(world.now);
        world.state.advance(world.now);
        prop_assert_eq!(&back, &world.state);
        prop_assert_eq!(back.next_due(), None);
    }
}
