//! The console with scripts switched off in the browser. Only what copies is missing.

use serde_json::json;

use super::stage::Stage;
use crate::http::{post_form, token_form, token_of};
use crate::world::{ANN, Credential};

#[test]
fn a_credential_is_made_reset_and_deleted_without_scripts() {
    let Some(stage) = Stage::set() else { return };
    let window = &stage.window;
    window.without_scripts();
    stage.open_link();
    // Otherwise this test would say nothing.
    let ran = "return document.querySelector('main [role=status].unseen') !== null";
    assert_eq!(window.script(ran, &json!([])), false);
    stage.set_password();
    window.press("Sign out");
    window.says("Sign in");
    stage.sign_in();
    window.says(ANN);

    stage.open("/console/credentials/new");
    window.choose_last("Select Application");
    window.press("Create Credentials");
    // The browser asks for the name that is missing, and what was chosen is still there.
    window.fill("Credential Name", "nightly backup");
    window.press("Create Credentials");
    window.says("Successfully created nightly backup");
    assert!(!window.shows("button[data-copy]"));
    let made = shown(&stage);
    token_of(&made);

    let page = format!("/console/credentials/{}", made.client_id);
    stage.open(&page);
    window.press("Reset Client Secret");
    window.says("The old secret works");
    window.press("Reset Client Secret");
    window.says("Successfully reset");
    token_of(&shown(&stage));
    let form = token_form(&made.client_id, &made.client_secret);
    post_form(&made.token_url, &form).is(401);

    stage.open(&page);
    window.press("Delete Credentials");
    window.press("Delete");
    window.says("No credentials yet");
    window.press("Sign out");
    window.says("Sign in");
    stage.open(&page);
    window.says("Sign in");
}

fn shown(stage: &Stage) -> Credential {
    Credential {
        client_id: stage.window.read("#client-id"),
        client_secret: stage.window.read("#client-secret"),
        token_url: stage.server.token_url().to_owned(),
        base_url: String::new(),
    }
}
