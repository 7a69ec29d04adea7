//! What an editor's Send begins is followed to its end, and what somebody has saved outlives a new version
//! of the definition.

use serde_json::{Value, json};

use super::sending::send;
use super::stage::{Definition, Stage};
use crate::http::get_with;
use crate::world::text;

#[test]
fn a_volume_is_created_and_its_task_followed_to_the_end() {
    let Some(stage) = Stage::served() else { return };
    stage.create_workspace("Volumes", Definition::BuiltIn);
    stage.authorize();
    let window = &stage.window;
    let definition = stage.workspace()["definitions"][0]["id"].clone();
    stage.go(&format!(
        "/op/{}/VolumeCreate",
        definition.as_str().unwrap()
    ));
    window.click_on("#request-body");
    window.press("Text");
    let volume = json!({ "name": "payroll", "sizeMib": 16384, "userCpg": "SSD_r6" });
    window.fill("Body as text", &volume.to_string());
    send(&stage, "202 Accepted");
    window.finds(".answer-task[data-kind=good]");
    window.says("It is done");

    let tokens = stage.ask("GET", "/tokens", &Value::Null);
    let path = format!(
        "/tokens/{}/value",
        tokens["tokens"][0]["id"].as_str().unwrap()
    );
    let token = stage.ask("GET", &path, &Value::Null)["value"].take();
    let address = stage
        .server
        .us1("/api/v1/volumes?filter=name%20eq%20'payroll'");
    let volumes = get_with(&address, token.as_str().unwrap()).is(200).json();
    assert_eq!(volumes["items"][0]["name"], "payroll");
}

#[test]
fn a_saved_request_outlives_a_new_version_of_the_definition() {
    let Some(stage) = Stage::served() else { return };
    stage.create_workspace("Versions", Definition::BuiltIn);
    let window = &stage.window;
    let id = stage.workspace()["definitions"][0]["id"].clone();
    let definition = format!("/definitions/{}", id.as_str().unwrap());
    stage.go(&format!("/op/{}/SystemsList", id.as_str().unwrap()));
    window.fill("limit", "7");
    window.press("Save");
    window.fill("Name", "Seven systems");
    window.click_on("dialog [type=submit]");
    window.says("Saved as");
    let saved = stage.workspace()["saved"].clone();

    let mut next = stage.ask(
        "GET",
        &format!("{definition}/download?format=json"),
        &Value::Null,
    );
    let paths = next["paths"].as_object_mut().unwrap();
    paths.remove("/api/v1/volumes/{id}").unwrap();
    let parameters = &mut paths["/api/v1/storage-systems"]["get"]["parameters"];
    let added = json!({ "name": "site", "in": "query", "schema": { "type": "string" } });
    parameters.as_array_mut().unwrap().push(added);
    let file = stage.file("next.json", &next.to_string());

    stage.go(&definition.replace("definitions", "definition"));
    window.press("Import a new version");
    window.fill("Definition file", text(&file));
    window.says("is in the workspace already");
    window.says("removed");
    window.says("1 operation changed");
    window.press("Import");
    window.says("is imported");

    let workspace = stage.workspace();
    assert_eq!(workspace["definitions"].as_array().unwrap().len(), 1);
    assert_eq!(workspace["definitions"][0]["id"], id);
    assert_eq!(workspace["saved"], saved);
    stage.go(&format!("/saved/{}", saved[0]["id"].as_str().unwrap()));
    window.says("Seven systems");
    window.finds("[data-parameter=site]");
    assert_eq!(window.read("[data-parameter=limit] .entry input"), "7");
}
