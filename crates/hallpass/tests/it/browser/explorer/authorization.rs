//! A token that is got with a secret variable: what is named is shown with its value, or that it has none,
//! and the secret is nowhere in the page. And tokens that have ended.

use serde_json::{Value, json};

use super::super::inspection::Inspection;
use super::sending::send;
use super::stage::{Definition, Stage};
use crate::world::eventually;

#[test]
fn a_token_is_got_with_the_secret_variable_of_an_environment() {
    let Some(stage) = Stage::served() else { return };
    let mut seen = Inspection::of(&stage.origin).unwrap();
    let window = &stage.window;
    stage.create_workspace("HPE DSCC API", Definition::None);
    let environment = stage.workspace()["environments"][0].clone();
    let path = format!("/environments/{}", environment["id"].as_str().unwrap());
    let credential = &stage.credential;
    let variables = json!([
        {"name": "baseUrl", "on": true, "initial": credential.base_url},
        {"name": "clientId", "on": true, "initial": credential.client_id},
        {"name": "clientSecret", "on": true, "secret": true, "value": credential.client_secret},
    ]);
    let filled = json!({"name": "DSCC testing", "variables": variables});
    stage.ask("PUT", &path, &filled);
    window.script("location.reload()", &json!([]));
    stage.is_usable();
    stage.go(&path);
    window.says("never shared");
    seen.look(window, "explorer-environment");
    window.press("Values of the environment");
    window.says("environment DSCC testing: clientId, initial value");
    seen.look(window, "explorer-values");
    window.press("Edit environment");

    stage.go("/authorization");
    window.fill("Client ID", "{{clientId}}");
    window.says(&format!("= {}", credential.client_id));
    window.fill("Client Secret", "{{nobody}}");
    window.press("Get New Access Token");
    window.says("Client Secret has no value for {{nobody}}");
    seen.look(window, "explorer-token-missing");
    window.click_on("dialog footer button");
    window.fill("Client Secret", "{{clientSecret}}");
    window.press("Get New Access Token");
    window.says("Authentication complete.");
    window.press("Show details");
    window.says("who issued it: the authorization server");
    seen.look(window, "explorer-tokens");
    window.press("Delete");
    window.says("There is no token yet");
    let shared = stage.workspace().to_string();
    let page = window.script("return document.documentElement.outerHTML", &json!([]));
    let page = page.as_str().unwrap();
    for shown in [&*shared, page] {
        assert!(!shown.contains(&credential.client_secret), "{shown}");
    }
    seen.end();
}

/// Step 21 of section 9 of `domain.md`, with a server whose tokens last for seconds in place of two hours.
#[test]
fn a_token_that_has_ended_is_struck_through_and_renewed() {
    let Some(stage) = Stage::served_with("[tokens]\nlifetime_seconds = 2\n") else {
        return;
    };
    let mut seen = Inspection::of(&stage.origin).unwrap();
    let window = &stage.window;
    stage.create_workspace("Tokens", Definition::BuiltIn);
    stage.authorize();
    let definition = stage.workspace()["definitions"][0]["id"].clone();
    let operation = format!("/op/{}/SystemsList", definition.as_str().unwrap());
    let tokens = || stage.ask("GET", "/tokens", &Value::Null)["tokens"].take();
    stage.ask("POST", "/tokens", &json!({ "authorization": null }));
    eventually("the token ends", || {
        (tokens()[0]["expired"] == true).then_some(())
    });

    stage.go("/tokens");
    window.finds(".tokens [data-expired=true]");
    let struck = "const name = document.querySelector('.tokens [data-expired=true] .token-name');
        return getComputedStyle(name).textDecorationLine";
    assert_eq!(window.script(struck, &json!([])), "line-through");
    seen.look(window, "explorer-tokens-expired");
    window.press("Close");

    stage.go(&operation);
    send(&stage, "200 OK");
    window.says("new token");
    eventually("the new token ends too", || {
        let known = tokens();
        let mut known = known.as_array().unwrap().iter();
        known.all(|token| token["expired"] == true).then_some(())
    });
    stage.go("/tokens");
    window.finds(".tokens [data-expired=true]");
    window.press("Delete Expired Tokens");
    window.says("good for nothing");
    seen.look(window, "explorer-tokens-delete-expired");
    window.click_on("dialog:last-of-type footer .danger");
    window.says("There is no token yet");
    assert_eq!(tokens(), json!([]));
    seen.end();
}
