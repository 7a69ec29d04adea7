//! A token that is got with a secret variable: what is named is shown with its value, or that it has none,
//! and the secret is nowhere in the page.

use serde_json::json;

use super::super::inspection::Inspection;
use super::stage::{Definition, Stage};

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
