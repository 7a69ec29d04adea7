//! Issues: about objects that are there, and filtered as the service says.

use serde_json::json;

use crate::world::{World, names};

#[test]
fn issues_are_found_by_what_they_are_about() {
    let mut world = World::new();
    let (_, all) = world.get("issues");
    assert!(all["total"].as_u64().unwrap() >= 4);
    for issue in all["items"].as_array().unwrap() {
        let object = &issue["relatedResource"];
        let uri = object["resourceUri"].as_str().unwrap();
        let (status, found) = world.get(uri.trim_start_matches("/api/v1/"));
        assert_eq!(status, 200, "{uri}");
        assert_eq!(found["name"], object["name"]);
        let kind = object["type"].as_str().unwrap();
        for filter in [
            format!("relatedObject eq '{uri}'"),
            format!("relatedObjectType in ('{kind}') and state eq CREATED"),
            format!("ruleId eq {}", issue["ruleId"].as_str().unwrap()),
            format!(
                "createdAt lt 2030-01-01T00:00:00Z and severity eq {}",
                issue["severity"].as_str().unwrap()
            ),
        ] {
            let (status, found) = world.get(&format!("issues?filter={filter}"));
            assert_eq!(status, 200, "{filter}");
            assert!(
                names(&found).contains(&object["name"].as_str().unwrap()),
                "{filter}"
            );
        }
    }
    let (_, found) = world.get("issues?filter=severity in CRITICAL,WARNING&sort=severity desc");
    let severities: Vec<_> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["severity"])
        .collect();
    assert_eq!(severities, ["WARNING", "CRITICAL"]);
}

#[test]
fn a_value_or_attribute_that_does_not_exist_is_not_found() {
    let mut world = World::new();
    for (filter, status) in [
        ("severity eq TERRIBLE", 404),
        ("title eq x", 404),
        ("state eq CREATED and issueType eq PROBLEM", 404),
        ("category eq ANYTHING", 200),
        ("severity eq", 400),
    ] {
        let (seen, answer) = world.get(&format!("issues?filter={filter}"));
        assert_eq!(seen, status, "{filter}: {answer}");
    }
}

#[test]
fn an_issue_goes_with_its_object() {
    let mut world = World::new();
    let (_, found) = world.get("issues?filter=relatedObjectType eq host-initiator");
    let id = found["items"][0]["id"].as_str().unwrap().to_owned();
    let host = found["items"][0]["relatedResource"]["resourceUri"]
        .as_str()
        .unwrap();
    let host = host.trim_start_matches("/api/v1/").to_owned();
    let answer = world.put(&host, &json!({"name": "other"}));
    world.done(answer);
    assert_eq!(world.get(&format!("issues/{id}")).1["name"], "other");
    let answer = world.delete(&format!("{host}?force=true"));
    world.done(answer);
    let (status, gone) = world.get(&format!("issues/{id}"));
    assert_eq!((status, &gone["errorCode"]), (404, &json!("NOT_FOUND")));
    let (_, found) = world.get("issues?filter=relatedObjectType eq host-initiator");
    assert_eq!(found["total"], 0);
}

/// domain.md 6.3.
#[test]
fn a_selection_without_what_an_issue_must_have_is_refused() {
    let mut world = World::new();
    let (status, body) = world.get("issues?select=name");
    assert_eq!((status, &body["errorCode"]), (422, &json!("422")));
    let said = body["error"].as_str().unwrap();
    let missing = said.strip_prefix("Missing required field(s) - ").unwrap();
    let all = format!("name,{}", missing.replace(", ", ","));
    let (status, body) = world.get(&format!("issues?select={all}"));
    assert_eq!(status, 200, "{body}");
    let (status, _) = world.get("volumes?select=id");
    assert_eq!(status, 200, "only where it is declared");
}
