//! Lists: pages, filters, sorting, selection and the envelope.

use hallpass_sandbox::Settings;
use serde_json::{Value, json};

use crate::world::{CUSTOMER, GROUP, SYSTEM, VOLUME, World, definition, names};

#[test]
fn the_envelope_has_its_fields_in_order() {
    let mut world = World::new();
    let (_, list) = world.get("volumes?limit=2&offset=1");
    let keys: Vec<&str> = list
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        ["items", "total", "pageLimit", "pageOffset", "requestUri"]
    );
    assert_eq!(
        (&list["pageLimit"], &list["pageOffset"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(list["requestUri"], "volumes?limit=2&offset=1");
    let (_, tasks) = world.get("tasks");
    assert!(tasks.get("requestUri").is_none());
    assert_eq!(tasks["pageLimit"], 500);
}

#[test]
fn paging_to_the_end_visits_everything_once() {
    let mut world = World::new();
    for list in ["volumes", "host-initiators", "storage-systems", "tasks"] {
        for sorted in ["", "&sort=name desc"] {
            let (_, all) = world.get(&format!("{list}?limit=5000{sorted}"));
            let mut visited: Vec<Value> = Vec::new();
            loop {
                let offset = visited.len();
                let (_, page) = world.get(&format!("{list}?limit=2&offset={offset}{sorted}"));
                assert_eq!(page["total"], all["total"]);
                let items = page["items"].as_array().unwrap();
                if items.is_empty() {
                    break;
                }
                visited.extend(items.iter().cloned());
            }
            assert_eq!(json!(visited), all["items"], "{list}");
            assert_eq!(json!(visited.len()), all["total"]);
        }
    }
}

#[test]
fn a_page_holds_what_the_setting_says_when_nothing_was_asked() {
    let settings = Settings {
        default_page: 3,
        longest_page: 5,
        ..Settings::default()
    };
    let mut world = World::with(definition(), settings);
    let (_, list) = world.get("volumes");
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    assert_eq!(list["pageLimit"], 3);
    let (_, most) = world.get("volumes?limit=1000000");
    assert_eq!(most["items"].as_array().unwrap().len(), 5);
    assert_eq!(most["pageLimit"], 5);
    let (_, none) = world.get("volumes?limit=0");
    assert_eq!(none["items"], json!([]));
    assert_eq!(none["total"], list["total"]);
}

#[test]
fn the_systems_and_their_volumes_add_up_to_the_fleet() {
    let mut world = World::new();
    let (_, systems) = world.get("storage-systems");
    let (_, type1) = world.get("storage-systems/device-type1");
    let (_, type2) = world.get("storage-systems/device-type2");
    assert_eq!(
        (&systems["total"], &type1["total"], &type2["total"]),
        (&json!(3), &json!(2), &json!(1))
    );
    let mut sum = 0;
    for system in systems["items"].as_array().unwrap() {
        let id = system["id"].as_str().unwrap();
        let (_, volumes) = world.get(&format!("storage-systems/{id}/volumes"));
        sum += volumes["total"].as_u64().unwrap();
        let (_, pools) = world.get(&format!("storage-systems/{id}/storage-pools"));
        assert!((2..=3).contains(&pools["total"].as_u64().unwrap()));
    }
    let (_, fleet) = world.get("volumes");
    assert_eq!(fleet["total"], sum);
    assert!(sum >= 12);
}

#[test]
fn filters_in_the_dialects_of_the_clients_find_the_same() {
    let mut world = World::new();
    for filter in [
        "name eq alletra-1",
        "name eq 'alletra-1'",
        "NAME eq \"alletra-1\"",
        r"name eq alletra\-1",
        "startswith('alletra-1',name) eq true",
        "name in (alletra-1) and state eq NORMAL",
    ] {
        let (status, list) = world.get(&format!("storage-systems?filter={filter}"));
        assert_eq!((status, names(&list)), (200, vec!["alletra-1"]), "{filter}");
    }
    let (_, both) =
        world.get("storage-systems?filter=state eq NORMAL&filter=model eq \"HPE Alletra 6030\"");
    assert_eq!(names(&both), ["group-1"]);
}

#[test]
fn narrowing_by_name_or_id_finds_what_a_full_search_finds() {
    let mut world = World::new();
    let (_, all) = world.get("volumes");
    for volume in all["items"].as_array().unwrap() {
        let (id, name) = (
            volume["id"].as_str().unwrap(),
            volume["name"].as_str().unwrap(),
        );
        // `in` is not narrowed.
        for (narrow, full) in [
            (format!("name eq '{name}'"), format!("name in ('{name}')")),
            (format!("id eq {id}"), format!("id in ({id})")),
            (
                format!("sizeMiB gt 1 and name eq '{name}'"),
                format!("name in ('{name}')"),
            ),
        ] {
            let (_, narrow) = world.get(&format!("volumes?filter={narrow}"));
            let (_, full) = world.get(&format!("volumes?filter={full}"));
            assert_eq!(narrow["items"], full["items"]);
            assert_eq!(narrow["items"], json!([volume]));
        }
        let (_, none) = world.get(&format!("volumes?filter=name eq '{name}' and sizeMiB lt 1"));
        assert_eq!(none["total"], 0);
    }
}

#[test]
fn every_marked_attribute_of_a_volume_filters_by_what_is_shown() {
    let mut world = World::new();
    for (operation, list) in [
        ("VolumesList", "volumes".to_owned()),
        (
            "DeviceType1VolumesList",
            format!("storage-systems/device-type1/{SYSTEM}/volumes"),
        ),
    ] {
        let definition = world.definition.clone();
        let marks = definition.marks(definition.operation(operation).unwrap());
        let (_, all) = world.get(&list);
        let first = &all["items"][0];
        for attribute in marks.filterable {
            let literal = match &first[&attribute] {
                Value::String(text) => format!("'{text}'"),
                other => other.to_string(),
            };
            let (status, found) = world.get(&format!("{list}?filter={attribute} eq {literal}"));
            assert_eq!(status, 200, "{found}");
            assert!(
                found["items"].as_array().unwrap().contains(first),
                "{attribute} eq {literal}"
            );
        }
    }
}

#[test]
fn a_filter_that_cannot_be_used_is_refused_with_its_column() {
    let mut world = World::new();
    let (status, body) = world.get("volumes?filter=name eq");
    assert_eq!(status, 400);
    assert!(body["error"].as_str().unwrap().contains("column"), "{body}");
    let (status, body) = world.get("volumes?filter=name eq a and colour eq red");
    let error = body["error"].as_str().unwrap();
    assert_eq!(
        (status, &body["errorCode"]),
        (400, &json!("INVALID_PARAMETER"))
    );
    assert!(
        error.contains("column 15") && error.contains("colour"),
        "{error}"
    );
    assert!(
        error.contains("usedCapacityPercent"),
        "names what is known: {error}"
    );
    for parameters in ["limit=-1", "offset=x", "sort=name sideways", "sort=colour"] {
        let (status, body) = world.get(&format!("volumes?{parameters}"));
        assert_eq!(status, 400, "{parameters}: {body}");
    }
}

#[test]
fn parameters_that_an_operation_does_not_have_are_ignored() {
    let mut world = World::new();
    let (_, plain) = world.get("tasks");
    let (status, body) = world.get("tasks?sort=nonsense here&select=id&colour=red");
    assert_eq!((status, &body), (200, &plain));
}

#[test]
fn selecting_leaves_the_envelope_and_works_on_single_objects() {
    let mut world = World::new();
    let (_, list) = world.get("volumes?select=id,name&sort=name&limit=1");
    assert_eq!(list["items"][0].as_object().unwrap().len(), 2);
    assert!(list["total"].as_u64().unwrap() > 1);
    let (_, one) = world.get(&format!("volumes/{VOLUME}?select=id"));
    assert_eq!(one, json!({"id": VOLUME}));
}

#[test]
fn everything_belongs_to_the_caller() {
    let mut world = World::new();
    for path in ["storage-systems", "volumes", "host-initiators", "tasks"] {
        let (_, list) = world.get(path);
        for item in list["items"].as_array().unwrap() {
            assert_eq!(item["customerId"], CUSTOMER, "{path}");
        }
    }
    let (_, list) = world.get(&format!("tasks?filter=customerId eq {CUSTOMER}"));
    assert_eq!(list["total"], 1);
}

#[test]
fn a_group_knows_its_capacity() {
    let mut world = World::new();
    let (_, group) = world.get(&format!("storage-systems/device-type2/{GROUP}"));
    let number = |field: &str| group[field].as_i64().unwrap();
    assert_eq!(
        number("usage") + number("free_space"),
        number("usable_capacity_bytes")
    );
    let (_, volumes) = world.get(&format!("storage-systems/{GROUP}/volumes"));
    let items = volumes["items"].as_array().unwrap();
    let used: i64 = items
        .iter()
        .map(|volume| volume["usedSizeMiB"].as_i64().unwrap())
        .sum();
    assert_eq!(number("usage"), used * 1024 * 1024);
}

/// What a list shows of a volume is kept between two requests, and no longer than it is true.
#[test]
fn a_list_that_was_read_before_shows_every_change_since() {
    let mut world = World::new();
    let path = format!("storage-systems/device-type1/{SYSTEM}/volumes/{VOLUME}");
    let fleet = format!("volumes?filter=id eq {VOLUME}");
    let shown = |world: &mut World| {
        let item = world.get(&fleet).1["items"][0].clone();
        assert_eq!(item, world.get(&fleet).1["items"][0]);
        item
    };
    let before = shown(&mut world);
    let answer = world.put(&path, &json!({"name": "renamed"}));
    world.done(answer);
    let after = shown(&mut world);
    assert_ne!(before["name"], "renamed");
    assert_eq!(after["name"], "renamed");
    // Not a field of the volume itself.
    let group = world.group();
    let export = json!({"hostGroupIds": [group], "autoLun": true, "override": true});
    let answer = world.post(&format!("{path}/export"), &export);
    world.done(answer);
    let groups = shown(&mut world)["initiators"].to_string();
    assert!(groups.contains(&group), "{groups}");
    assert_ne!(groups, before["initiators"].to_string());
}
