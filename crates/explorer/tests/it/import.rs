//! Definitions are looked at, taken in, replaced, downloaded and removed.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

const SMALL: &str = "openapi: 3.1.0\ninfo: {title: Small, version: '1'}\nservers: [{url: /api}]\npaths:\n  \
     /things:\n    get:\n      operationId: listThings\n      responses: {'200': {description: all}}\n";

async fn empty(world: &World) -> String {
    let new = json!({"name": "Test"});
    let (_, made) = world.ask("POST", "/explorer/api/workspaces", &new).await;
    format!("/explorer/api/w/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_file_is_recognized_and_taken_in() {
    let world = World::with(&[]);
    let path = empty(&world).await;
    let (status, look) = world.look(&path, "small.yaml", SMALL.as_bytes()).await;
    assert_eq!(status, StatusCode::OK, "{look}");
    for (member, value) in [
        ("title", json!("Small")),
        ("format", json!("OpenAPI 3.1")),
        ("as", json!("API")),
        ("source", json!("small.yaml")),
        ("operations", json!(1)),
        ("same", json!([])),
    ] {
        assert_eq!(look[member], value, "{look}");
    }
    assert_eq!(
        world.get(&path).await["definitions"],
        json!([]),
        "nothing is taken in yet"
    );
    let taken = world.take(&path, &look, &Value::Null).await;
    assert_eq!(taken["definition"]["title"], "Small");
    let shown = world.get(&path).await;
    assert_eq!(shown["definitions"][0]["id"], taken["definition"]["id"]);
    // It is taken in once.
    let again = json!({"look": look["look"]});
    let (status, _) = world
        .ask("POST", &format!("{path}/definitions"), &again)
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_is_no_definition_is_told_with_its_place() {
    let world = World::with(&[]);
    let path = empty(&world).await;
    let broken = "openapi: 3.0.3\ninfo:\n  title: A\npaths: {\n  /a: [\n";
    let (status, told) = world.look(&path, "broken.yaml", broken.as_bytes()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let error = &told["error"];
    let line = error["line"].as_u64().unwrap();
    assert!(error["column"].as_u64().unwrap() > 0 && line >= 4, "{told}");
    let excerpt = error["excerpt"].as_array().unwrap();
    let shown = excerpt.iter().any(|one| one["text"] == "paths: {");
    assert!(shown && excerpt.len() > 2, "{told}");
    for (text, word) in [
        ("swagger: '2.0'\n", "Swagger 2.0"),
        (r#"{"info": {"_postman_id": "1"}}"#, "Postman collection"),
    ] {
        let (_, told) = world.look(&path, "other", text.as_bytes()).await;
        assert!(
            told["error"]["what"].as_str().unwrap().contains(word),
            "{told}"
        );
        assert!(!told["error"]["hint"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn servers_of_an_address_resolve_against_it() {
    let url = "https://api.example.com/doc/small.yaml";
    let world = World::with(&[(url, SMALL)]);
    let path = empty(&world).await;
    let at = format!("{path}/definitions/look");
    let (status, look) = world.ask("POST", &at, &json!({"url": url})).await;
    assert_eq!(status, StatusCode::OK, "{look}");
    let taken = world.take(&path, &look, &Value::Null).await;
    let id = taken["definition"]["id"].as_str().unwrap();
    let about = world.get(&format!("{path}/definitions/{id}")).await;
    assert_eq!(about["servers"], json!(["https://api.example.com/api"]));
    assert_eq!(about["source"], url);
    for bad in ["file:///etc/passwd", "no address"] {
        let (status, _) = world.ask("POST", &at, &json!({"url": bad})).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    // An uploaded text does not come from an address, whatever it is called.
    let (_, look) = world
        .look(&path, "https://other.example.com/a", SMALL.as_bytes())
        .await;
    assert_eq!(look["source"], "pasted text");
}

#[tokio::test]
async fn a_new_version_tells_what_changes_and_keeps_what_a_person_has() {
    let world = World::with(&[]);
    let path = empty(&world).await;
    let (_, look) = world.look(&path, "a.yaml", SMALL.as_bytes()).await;
    let first = world.take(&path, &look, &Value::Null).await["definition"]["id"].clone();
    let favourites = json!([{"definition": first, "operation": "listThings"}]);
    world
        .ask("PUT", &format!("{path}/favourites"), &favourites)
        .await;
    let newer = SMALL.replace(
        "      responses",
        "      parameters: [{name: limit, in: query, schema: {type: integer}}]\n      responses",
    ) + "  /more: {get: {operationId: more, responses: {}}}\n";
    let (_, look) = world.look(&path, "b.yaml", newer.as_bytes()).await;
    let changes = &look["same"][0]["changes"];
    assert_eq!(look["same"][0]["definition"], first, "{look}");
    assert_eq!(changes["added"][0]["operation"], "more");
    assert_eq!(
        changes["changed"][0]["what"],
        json!(["parameter limit added"])
    );
    let taken = world.take(&path, &look, &first).await;
    assert_eq!(
        (&taken["definition"]["id"], &taken["changes"]),
        (&first, changes)
    );
    let shown = world.get(&path).await;
    assert_eq!(shown["definitions"].as_array().unwrap().len(), 1);
    assert_eq!(shown["definitions"][0]["source"], "b.yaml");
    assert_eq!(shown["favourites"], favourites);
    let library = format!("{path}/definitions/{}/library", first.as_str().unwrap());
    let library = world.get(&library).await;
    assert_eq!(library["operations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn several_files_refer_to_each_other_and_to_nothing_else() {
    let world = World::with(&[]);
    let path = empty(&world).await;
    let main = SMALL.replace("{description: all}", "{$ref: './parts/all.yaml'}")
        + "  /secret: {$ref: '../../etc/passwd.yaml'}\n";
    let files = json!({"files": [
        {"name": "api/main.yaml", "text": main},
        {"name": "api/parts/all.yaml", "text": "description: everything\n"},
        {"name": "api/unused.yaml", "text": "a: b\n"},
        {"name": "other.yaml", "text": SMALL},
    ]});
    let at = format!("{path}/definitions/look");
    let (status, told) = world.ask("POST", &at, &files).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let looks = told["looks"].as_array().unwrap();
    assert_eq!(
        (looks.len(), &looks[1]["source"]),
        (2, &json!("other.yaml")),
        "{told}"
    );
    assert_eq!(
        (&looks[0]["files"], &looks[1]["files"]),
        (&json!(2), &json!(1))
    );
    assert!(
        looks[0]["problems"]["errors"].as_u64().unwrap() > 0,
        "a file is missing: {told}"
    );
    let taken = world.take(&path, &looks[0], &Value::Null).await;
    let one = format!(
        "{path}/definitions/{}",
        taken["definition"]["id"].as_str().unwrap()
    );
    let detail = world.get(&format!("{one}/operations/listThings")).await;
    assert_eq!(detail["responses"][0]["description"], "everything");
    let part = world
        .get(&format!("{one}/source?part=api/parts/all.yaml"))
        .await;
    assert_eq!(part["lines"], json!(["description: everything"]));
    let main_source = world.get(&format!("{one}/source?from=1&lines=1")).await;
    assert_eq!(main_source["lines"], json!(["openapi: 3.1.0"]));
}

#[tokio::test]
async fn a_definition_is_downloaded_in_either_format() {
    let world = World::with(&[]);
    let path = empty(&world).await;
    let (_, look) = world.look(&path, "a.yaml", SMALL.as_bytes()).await;
    let taken = world.take(&path, &look, &Value::Null).await;
    let one = format!(
        "{path}/definitions/{}",
        taken["definition"]["id"].as_str().unwrap()
    );
    let get = async |format: &str| {
        let uri = format!("{one}/download?format={format}");
        let request = axum::http::Request::get(uri)
            .body(axum::body::Body::empty())
            .unwrap();
        let (status, bytes) = world.send(request).await;
        assert_eq!(status, StatusCode::OK);
        bytes
    };
    assert_eq!(get("yaml").await, SMALL.as_bytes(), "as it came");
    let as_json = get("json").await;
    let read: Value = serde_json::from_slice(&as_json).unwrap();
    assert_eq!(read["paths"]["/things"]["get"]["operationId"], "listThings");
    let (_, look) = world.look(&path, "a.json", &as_json).await;
    assert_eq!(
        look["same"][0]["changes"],
        json!({"added": [], "removed": [], "changed": []}),
        "the other format says the same"
    );
}

#[tokio::test]
async fn a_removed_definition_is_gone_with_its_favourites() {
    let world = World::with(&[]);
    let path = world.workspace().await;
    let id = world.get(&path).await["definitions"][0]["id"].clone();
    let favourites = json!([{"definition": id, "operation": "a"}]);
    world
        .ask("PUT", &format!("{path}/favourites"), &favourites)
        .await;
    let one = format!("{path}/definitions/{}", id.as_str().unwrap());
    let (status, _) = world
        .ask("PATCH", &one, &json!({"documentation": false}))
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(&one).await["documentation"], false);
    let (status, _) = world.ask("DELETE", &one, &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let shown = world.get(&path).await;
    assert_eq!(
        (&shown["definitions"], &shown["favourites"]),
        (&json!([]), &json!([]))
    );
    let (status, _) = world.ask("GET", &one, &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_token_address_of_a_definition_fills_an_empty_field() {
    let world = World::with(&[]);
    let path = world.workspace().await;
    let authorization = &world.get(&path).await["authorization"];
    let known = authorization["accessTokenUrl"].as_str().unwrap();
    assert!(
        known.starts_with("https://") && known.ends_with("/as/token.oauth2"),
        "{known}"
    );
}

/// The published definition, which is no part of this project.
#[tokio::test]
async fn the_published_definition_is_taken_in() {
    for name in ["storage-api.json", "storage-api.yaml"] {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        let Ok(text) = std::fs::read(file.join(name)) else {
            eprintln!("skipped: ../shared/data/{name} is not there");
            continue;
        };
        let world = World::with(&[]);
        let path = empty(&world).await;
        let (status, look) = world.look(&path, name, &text).await;
        assert_eq!(
            (status, &look["operations"]),
            (StatusCode::OK, &json!(349)),
            "{look}"
        );
        let taken = world.take(&path, &look, &Value::Null).await;
        let one = format!(
            "{path}/definitions/{}",
            taken["definition"]["id"].as_str().unwrap()
        );
        let about = world.get(&one).await;
        for problem in about["problems"].as_array().unwrap() {
            assert!(
                problem["line"].as_u64() <= about["lines"].as_u64(),
                "{problem}"
            );
        }
        let library = world.get(&format!("{one}/library")).await;
        // Some of them: all take seconds in a program that was not made quick.
        for operation in library["operations"].as_array().unwrap().iter().step_by(12) {
            let id = operation["id"].as_str().unwrap();
            let detail = world.get(&format!("{one}/operations/{id}")).await;
            assert_eq!(detail["id"], id);
        }
    }
}

#[tokio::test]
async fn a_definition_that_cannot_be_replaced_stays_whole() {
    let world = World::with(&[]);
    let path = empty(&world).await;
    let (_, look) = world.look(&path, "small.yaml", SMALL.as_bytes()).await;
    let taken = world.take(&path, &look, &Value::Null).await;
    let other = SMALL.replace("title: Small", "title: Other");
    let (_, look) = world.look(&path, "small.yaml", other.as_bytes()).await;
    world.fill(true);
    let body = json!({"look": look["look"], "replaces": taken["definition"]["id"]});
    let (status, told) = world
        .ask("POST", &format!("{path}/definitions"), &body)
        .await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{told}");
    world.fill(false);
    let shown = world.get(&path).await["definitions"][0].clone();
    assert_eq!(shown["title"], "Small");
    assert_eq!(world.text(&path, shown["id"].as_str().unwrap()), SMALL);
}
