//! What people do with an API's definition and an API client, step by step, in the explorer of a server
//! over TLS: with the definition that comes with the program, and with the real one where there is one.
//!
//! The steps are those of section 9 of `domain.md`; each function names its own.

use serde_json::{Value, json};

use super::stage::{Definition, Stage};
use super::{secrecy, sending};
use crate::world::{eventually, text};

/// What stands in the environment's table for the identifier of a system.
pub(super) const SYSTEM: &str = "7CE751P312";

#[test]
fn the_steps_from_a_definition_to_an_answer_work_in_the_explorer() {
    for definition in Definition::all() {
        let Some(stage) = Stage::served() else { return };
        // 1 and 3: over TLS, in a workspace with a name.
        assert!(stage.origin.starts_with("https://"), "{}", stage.origin);
        stage.create_workspace("HPE DSCC API", Definition::None);
        stage.window.says("HPE DSCC API");
        environment(&stage);
        import(&stage, &definition);
        outline(&stage);
        tree(&stage);
        authorization(&stage);
        tokens(&stage);
        sending::chosen_token(&stage);
        sending::inherited(&stage);
        sending::prefilled(&stage);
        sending::effective(&stage);
        sending::answered(&stage);
        sending::renewed(&stage);
        sending::token_as_variable(&stage);
        sending::tried(&stage);
        secrecy::nothing_is_told(&stage);
    }
}

/// 4 and 5: an environment with the address of a region and a variable of one's own; it is the active one,
/// and can be seen to be.
#[track_caller]
fn environment(stage: &Stage) {
    let window = &stage.window;
    window.choose_last("Environment");
    window.fill("Name", "DSCC testing");
    window.choose("Begin with", "(us1)");
    window.press("Create environment");
    window.finds("[aria-label='Variable, row 1']");
    assert_eq!(window.value("Variable, row 1"), "baseUrl");
    assert_eq!(
        window.value("Initial value, row 1"),
        stage.server.instance("us1")
    );
    window.fill("Variable, row 2", "SystemID");
    window.fill("Initial value, row 2", SYSTEM);
    window.choose("Environment", "DSCC testing");
    eventually("the environment and its variables", || {
        let workspace = stage.workspace();
        let all = workspace["environments"].as_array().unwrap();
        let made = all.iter().find(|one| one["name"] == "DSCC testing")?;
        let is_active = workspace["activeEnvironment"] == made["id"];
        let system = &made["variables"][1];
        (is_active && system["name"] == "SystemID" && system["initial"] == SYSTEM).then_some(())
    });
    let shown = "const [list] = document.querySelectorAll('[aria-label=Environment]');
        return list.selectedOptions[0].textContent";
    assert_eq!(window.script(shown, &json!([])), "DSCC testing");
}

/// 2, 6 and 7: the definition from a file; what it is, before it is taken; documentation as one likes.
#[track_caller]
fn import(stage: &Stage, definition: &Definition) {
    let window = &stage.window;
    window.press("Import");
    match definition {
        Definition::Real(path) => {
            let path = path.canonicalize().unwrap();
            window.fill("Definition file", text(&path));
        }
        Definition::BuiltIn | Definition::None => {
            window.press("Built-in");
            window.press("Continue");
        }
    }
    window.says("Import as");
    window.says("OpenAPI 3.0");
    window.click_on("dialog label.choice input[type=checkbox]");
    window.click_on("dialog footer button:last-child");
    window.says("is imported");
    let imported = &stage.workspace()["definitions"][0];
    assert_eq!(imported["format"], "OpenAPI 3.0");
    assert_eq!(imported["documentation"], false);
}

/// 8: the outline, and in one line whether anything is wrong.
#[track_caller]
fn outline(stage: &Stage) {
    let window = &stage.window;
    let id = stage.workspace()["definitions"][0]["id"].clone();
    let path = format!("/definitions/{}", id.as_str().unwrap());
    stage.go(&path.replace("definitions", "definition"));
    for part in ["General", "Servers", "Paths", "Components"] {
        window.says(part);
    }
    let problems = &stage.ask("GET", &path, &Value::Null)["problemCount"];
    let verdict = window.read(".definition-verdict");
    for (kind, one) in [
        ("errors", "error"),
        ("warnings", "warning"),
        ("notes", "note"),
    ] {
        let count = problems[kind].as_u64().unwrap();
        let told = verdict.contains(&format!("{count} {one}"));
        assert_eq!(told, count > 0, "{kind}: {verdict}");
    }
    let usable = verdict.contains("can be used as it is") || verdict == "No issues found.";
    assert_eq!(usable, problems["errors"] == 0, "{verdict}");
}

/// 9: the tree of all operations by path.
#[track_caller]
fn tree(stage: &Stage) {
    let window = &stage.window;
    let id = stage.workspace()["definitions"][0]["id"].clone();
    let library = format!("/definitions/{}/library", id.as_str().unwrap());
    let library = stage.ask("GET", &library, &Value::Null);
    let operations = library["operations"].as_array().unwrap().len();
    window.says(&format!("{operations} operations"));
    window.press("By path");
    window.says("api/v1");
    // The folder that most operations are in.
    let open = "const folder = [...document.querySelectorAll('.library-folder')]
          .find((one) => one.querySelector('.library-label').textContent === 'storage-systems');
        if (folder.getAttribute('aria-expanded') === 'false') folder.click()";
    window.finds("[role=treeitem][aria-level='3']");
    window.script(open, &json!([]));
    window.click_on(".library-leaf[title^='GET /api/v1/storage-systems\\a '] a");
    window.finds(".library-leaf[aria-current=page]");
    assert!(window.url().ends_with("/SystemsList"), "{}", window.url());
}

/// 10, 12 and 13: authorization for all requests, with the fields that people know; a secret that is
/// wrong, in words, and one that is right.
#[track_caller]
fn authorization(stage: &Stage) {
    let window = &stage.window;
    stage.go("/authorization");
    window.says("Configure New Token");
    window.choose("Type", "OAuth 2.0");
    window.choose("Add auth data to", "Request Headers");
    window.fill("Token Name", "GreenLake");
    window.choose("Grant Type", "Client Credentials");
    assert!(
        window
            .value("Access Token URL")
            .ends_with("/as/token.oauth2")
    );
    assert_eq!(window.value("Scope"), "");
    window.fill("Client ID", &stage.credential.client_id);
    window.fill("Client Secret", "not the secret");
    window.choose("Client Authentication", "Send client credentials in body");
    window.says("A literal secret is kept");
    window.press("Get New Access Token");
    window.says("There is no token");
    window.click_on("dialog footer button");

    window.press("Change");
    window.fill("Client Secret", &stage.credential.client_secret);
    window.choose("Client Authentication", "Send as Basic Auth header");
    window.says("A literal secret is kept");
    window.press("Get New Access Token");
    window.says("Authentication complete");
    stage.hides(&stage.credential.client_secret);
}

/// 11, 14 and 15: the token's details; another name; it is the one in use, for all requests, with a prefix.
#[track_caller]
fn tokens(stage: &Stage) {
    let window = &stage.window;
    window.press("Show details");
    window.says("Token Details");
    window.says("expires_in");
    window.says("In use");
    window.retype("Token Name", "Mine");
    window.click_on("dialog h3");
    eventually("the token's new name", || {
        let known = stage.ask("GET", "/tokens", &Value::Null);
        let token = &known["tokens"][0];
        (token["name"] == "Mine" && token["chosen"] == true).then_some(())
    });
    let token = stage.ask("GET", "/tokens", &Value::Null)["tokens"][0]["id"].clone();
    let path = format!("/tokens/{}/value", token.as_str().unwrap());
    let value = stage.ask("GET", &path, &Value::Null)["value"].clone();
    stage.hides(value.as_str().unwrap());
    window.press("Close");
    assert_eq!(window.value("Header Prefix"), "Bearer");
    window.says("left");
}
