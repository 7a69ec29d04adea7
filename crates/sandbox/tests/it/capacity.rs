//! Capacity numbers add up wherever they are shown.

use hallpass_sandbox::Settings;
use serde_json::{Value, json};

use crate::world::{SYSTEM, VOLUME, World, definition};

fn device() -> String {
    format!("storage-systems/device-type1/{SYSTEM}")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// The sum of a field over the items of a list.
fn sum(list: &Value, field: &str) -> f64 {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| number(&item[field])).sum()
}

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 0.01
}

/// Fails unless the numbers of the system's pools, volumes and summary are the same.
fn assert_adds_up(world: &mut World) {
    let (_, pools) = world.get(&format!("{}/storage-pools", device()));
    let (_, volumes) = world.get(&format!("{}/volumes?limit=100000", device()));
    let (_, summary) = world.get(&format!("{}/capacity-summary", device()));
    let all = &summary["capacitySummary"];
    let used = sum(&volumes, "usedSizeMiB");
    assert!(same(sum(&pools, "baseSizeMiB"), used));
    assert!(same(sum(&pools, "totalSizeMiB"), number(&all["total"])));
    assert!(same(sum(&pools, "freeSizeMiB"), number(&all["free"])));
    assert!(same(number(&all["allocated"]["total"]), used));
    assert!(same(number(&all["total"]), used + number(&all["free"])));
    let parts = number(&all["freePercentage"]) + number(&all["allocatedPercentage"]);
    assert!(same(parts, 1.0));
    let utilization = &summary["utilizationSummary"];
    assert!(same(
        number(&utilization["provisionedCapacity"]),
        sum(&volumes, "sizeMiB")
    ));
    let tiers = &summary["capacityByTier"];
    let tier_used = ["ssdUsed", "fcUsed", "nlUsed"].map(|tier| number(&tiers[tier]));
    assert!(same(tier_used.iter().sum(), used));
    for pool in pools["items"].as_array().unwrap() {
        let free = number(&pool["freeSizeMiB"]);
        assert!(free >= 0.0, "{pool}");
        let id = pool["id"].as_str().unwrap();
        let (_, mine) = world.get(&format!(
            "{}/storage-pools/{id}/volumes?limit=100000",
            device()
        ));
        assert!(same(
            sum(&mine, "usedSizeMiB"),
            number(&pool["baseSizeMiB"])
        ));
        let counted = number(&pool["numberOfTPVV"]) + number(&pool["numberOfTDVV"]);
        assert!(same(number(&mine["total"]), counted));
        let (_, fleet) = world.get(&format!(
            "storage-systems/{SYSTEM}/storage-pools/{id}/volumes"
        ));
        assert_eq!(fleet["total"], mine["total"]);
    }
}

#[test]
fn volumes_add_up_to_pools_and_pools_to_the_system() {
    let mut world = World::new();
    assert_adds_up(&mut world);
    for (path, body) in [
        (
            format!("{}/volumes", device()),
            json!({"name": "v", "sizeMib": 4096, "userCpg": "SSD_r1", "count": 3}),
        ),
        (
            format!("{}/volumes/{VOLUME}/clone", device()),
            json!({"destinationVolume": "copy"}),
        ),
    ] {
        let answer = world.post(&path, &body);
        assert_eq!(world.done(answer)["state"], "SUCCEEDED");
        assert_adds_up(&mut world);
    }
    let answer = world.put(
        &format!("{}/volumes/{VOLUME}", device()),
        &json!({"userCpgName": "NL_r6"}),
    );
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_adds_up(&mut world);
}

#[test]
fn the_seed_adds_up_with_many_volumes_too() {
    let settings = Settings {
        volumes: 5000,
        ..Settings::default()
    };
    let mut world = World::with(definition(), settings);
    let (_, pools) = world.get(&format!("{}/storage-pools", device()));
    for pool in pools["items"].as_array().unwrap() {
        assert!(number(&pool["freeSizeMiB"]) > 0.0, "{pool}");
    }
    let (_, summary) = world.get(&format!("{}/capacity-summary", device()));
    assert!(same(
        sum(&pools, "totalSizeMiB"),
        number(&summary["capacitySummary"]["total"])
    ));
}

#[test]
fn a_volume_may_be_promised_what_its_pool_has_and_no_more() {
    let mut world = World::new();
    let path = format!("{}/storage-pools?filter=name eq SSD_r1", device());
    let total = world.get(&path).1["items"][0]["totalSizeMiB"]
        .as_u64()
        .unwrap();
    let body = |name: &str, size: u64| json!({"name": name, "sizeMib": size, "userCpg": "SSD_r1"});
    let volumes = format!("{}/volumes", device());
    for name in ["whole", "again"] {
        let answer = world.post(&volumes, &body(name, total));
        assert_eq!(
            world.done(answer)["state"],
            "SUCCEEDED",
            "thin volumes may overlap"
        );
    }
    let (status, answer) = world.post(&volumes, &body("more", total + 1));
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("whole pool"));
    let (_, list) = world.get("volumes?filter=name eq whole");
    let whole = format!("{volumes}/{}", list["items"][0]["id"].as_str().unwrap());
    assert_eq!(world.put(&whole, &json!({"sizeMib": total + 1})).0, 400);
}

#[test]
fn a_clone_is_refused_when_the_pool_has_no_room_for_it() {
    let mut world = World::new();
    let (_, volume) = world.get(&format!("{}/volumes/{VOLUME}", device()));
    let used = number(&volume["usedSizeMiB"]);
    let pools = format!("{}/storage-pools?filter=name eq SSD_r1", device());
    let free = number(&world.get(&pools).1["items"][0]["freeSizeMiB"]);
    assert!(used > 0.0);
    let mut made = 0.0;
    loop {
        let name = format!("copy-{made}");
        let body = json!({"destinationVolume": name, "onlineClone": {"destinationCpg": "SSD_r1"}});
        let answer = world.post(&format!("{}/volumes/{VOLUME}/clone", device()), &body);
        if answer.0 == 400 {
            assert!(answer.1["error"].as_str().unwrap().contains("SSD_r1"));
            break;
        }
        world.done(answer);
        made += used;
        assert!(made <= free);
    }
    assert!(made + used > free);
    assert_adds_up(&mut world);
}

#[test]
fn a_set_and_an_application_have_what_their_volumes_have() {
    let mut world = World::new();
    let body = json!({"appSetName": "db", "appSetType": "CUSTOM", "customAppType": "Ledger", "members": ["vol-1-0", "vol-1-1"]});
    let sets = format!("{}/applicationsets", device());
    for name in ["db", "db2"] {
        let mut body = body.clone();
        body["appSetName"] = name.into();
        let answer = world.post(&sets, &body);
        world.done(answer);
    }
    let (_, set) = world.get(&format!("{sets}?filter=name eq db"));
    let id = set["items"][0]["id"].as_str().unwrap();
    let (_, statistics) = world.get(&format!("{sets}/{id}/capacity-statistics"));
    let (_, volumes) = world.get(&format!("{sets}/{id}/volumes"));
    let capacity = &statistics["capacitySummary"];
    assert!(same(
        number(&capacity["sizeMiB"]),
        sum(&volumes["volumes"], "sizeMiB")
    ));
    let used = number(&capacity["usedSizeMiB"]);
    assert!(same(used, sum(&volumes["volumes"], "usedSizeMiB")));
    assert!(same(
        used + number(&capacity["freeMiB"]),
        number(&capacity["sizeMiB"])
    ));
    let (_, summary) = world.get(&format!("{}/application-summary", device()));
    let applications = summary["items"].as_array().unwrap();
    let ledger = applications
        .iter()
        .find(|one| one["applicationSetType"] == "Ledger")
        .unwrap();
    assert_eq!(
        ledger["volumesCount"], 2,
        "each volume once, though it is in both sets"
    );
    assert!(same(
        number(&ledger["totalSizeMiB"]),
        number(&capacity["sizeMiB"])
    ));
}
