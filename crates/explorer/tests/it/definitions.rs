//! Definitions as the page is shown them: what they say, their operations, their text.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

async fn only_definition(world: &World) -> String {
    let path = world.workspace().await;
    let shown = world.get(&path).await;
    let id = shown["definitions"][0]["id"].as_str().unwrap().to_owned();
    format!("{path}/definitions/{id}")
}

#[tokio::test]
async fn a_definition_tells_what_it_is_and_where_its_parts_are() {
    let world = World::with(&[]);
    let path = only_definition(&world).await;
    let about = world.get(&path).await;
    assert_eq!(about["format"], "OpenAPI 3.0", "{about}");
    assert_eq!(about["source"], "built-in");
    assert_eq!(about["problemCount"]["errors"], 0, "{about}");
    let outline = about["outline"].as_array().unwrap();
    let titles: Vec<&str> = outline
        .iter()
        .map(|part| part["title"].as_str().unwrap())
        .collect();
    for title in ["General", "Servers", "Paths", "Components"] {
        assert!(titles.contains(&title), "{titles:?}");
    }
    // The line of a part is the line of its name in the text.
    let paths = outline.iter().find(|one| one["title"] == "Paths").unwrap();
    for part in paths["parts"].as_array().unwrap().iter().take(20) {
        let line = part["line"].as_u64().unwrap();
        let shown = world
            .get(&format!("{path}/source?from={line}&lines=1"))
            .await;
        let text = shown["lines"][0].as_str().unwrap();
        assert!(
            text.contains(part["title"].as_str().unwrap()),
            "{part} {text}"
        );
    }
    let security = about["security"].as_array().unwrap();
    let security = security.iter().find(|one| one["type"] == "oauth2").unwrap();
    assert_eq!(security["clientCredentials"], true, "{about}");
    assert!(
        security["tokenUrl"]
            .as_str()
            .unwrap()
            .starts_with("https://")
    );
}

#[tokio::test]
async fn lines_of_the_source_are_told_by_number() {
    let world = World::with(&[]);
    let path = only_definition(&world).await;
    let text = include_str!("../../../../api/storage-api.yaml");
    let lines: Vec<&str> = text.lines().collect();
    let shown = world.get(&format!("{path}/source?from=11&lines=3")).await;
    assert_eq!(shown["total"], lines.len());
    assert_eq!(shown["lines"], json!([lines[10], lines[11], lines[12]]));
    let (status, _) = world
        .ask(
            "GET",
            &format!("{path}/source?part=other.yaml"),
            &Value::Null,
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_operation_is_described() {
    let world = World::with(&[]);
    let path = only_definition(&world).await;
    let library = world.get(&format!("{path}/library")).await;
    for one in library["operations"].as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        let detail = world.get(&format!("{path}/operations/{id}")).await;
        assert_eq!(detail["path"], one["path"]);
        assert!(detail["line"].as_u64().unwrap() > 1, "{detail}");
        let declared = one["path"].as_str().unwrap().matches('{').count();
        let parameters = detail["parameters"].as_array().unwrap();
        let in_path = parameters.iter().filter(|one| one["in"] == "path");
        assert_eq!(in_path.count(), declared, "{detail}");
        for body in detail["bodies"].as_array().unwrap() {
            let example = body["example"].as_str().unwrap();
            serde_json::from_str::<Value>(example).unwrap();
        }
    }
    let (status, _) = world
        .ask("GET", &format!("{path}/operations/nothing"), &Value::Null)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_list_tells_what_it_can_be_asked() {
    let world = World::with(&[]);
    let path = only_definition(&world).await;
    let library = world.get(&format!("{path}/library")).await;
    let operations = library["operations"].as_array().unwrap();
    let lists_systems = |one: &&Value| one["path"] == "/api/v1/storage-systems";
    let id = operations.iter().find(lists_systems).unwrap()["id"].clone();
    let detail = world
        .get(&format!("{path}/operations/{}", id.as_str().unwrap()))
        .await;
    assert_eq!(detail["list"], true);
    let filterable = detail["filterable"].as_array().unwrap();
    let name = filterable.iter().find(|one| one["name"] == "name").unwrap();
    assert_eq!(name["kind"], "string", "{detail}");
    assert!(
        detail["selectable"]
            .as_array()
            .unwrap()
            .contains(&json!("name"))
    );
    let limit = detail["parameters"].as_array().unwrap();
    let limit = limit.iter().find(|one| one["name"] == "limit").unwrap();
    assert_eq!(
        (&limit["in"], &limit["kind"]),
        (&json!("query"), &json!("integer"))
    );
    let good = &detail["responses"][0];
    assert_eq!(
        (&good["status"], &good["mediaType"]),
        (&json!("200"), &json!("application/json"))
    );
    assert!(good["shape"]["fields"].as_array().unwrap().len() > 1);
    serde_json::from_str::<Value>(good["example"].as_str().unwrap()).unwrap();
}
