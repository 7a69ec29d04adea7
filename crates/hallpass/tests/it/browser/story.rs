//! The console from the set-up link that `serve` prints to the audit log, as its users go through it, and what is seen on
//! the way.

use super::inspection::Inspection;
use super::stage::{PASSWORD, Stage, code_in};
use crate::http::{get_with, post_form, token_form, token_of};
use crate::world::{ANN, Credential};

const LIST: &str = "/console/credentials";

#[test]
fn a_credential_lives_from_its_creation_to_its_end_as_the_audit_log_tells() {
    let Some(stage) = Stage::first_start() else {
        return;
    };
    let mut seen = Inspection::of(stage.server.base()).unwrap();
    stage.open_link();
    stage.window.says("Make the first administrator");
    seen.look(&stage.window, "setup-first");
    stage.window.fill("E-mail address", ANN);
    stage.set_password();
    let key = second_factor(&stage, &mut seen);
    sign_in_with_code(&stage, &key, &mut seen);

    let made = create(&stage, &mut seen);
    let first = token_of(&made);
    get_with(&stage.server.us1("/api/v1/storage-systems"), &first).is(200);

    let by_hand = generate(&stage, &made, &mut seen);
    get_with(&stage.server.us1("/api/v1/storage-systems"), &by_hand).is(200);

    let reset = reset(&stage, &made, &mut seen);
    is_refused(&made);
    get_with(&stage.server.us1("/api/v1/storage-systems"), &by_hand).is(401);
    token_of(&reset);

    delete(&stage, &reset, &mut seen);
    is_refused(&reset);
    audit_tells(&stage, &reset.client_id);
    seen.end();
}

/// Switches the second factor on; its key.
fn second_factor(stage: &Stage, seen: &mut Inspection) -> String {
    let window = &stage.window;
    stage.open("/console/account");
    window.press("Set up a second factor");
    let key = window.read("#key");
    seen.look(window, "second-factor");
    window.fill("Password", PASSWORD);
    window.fill("Code that the app shows", "000000");
    window.press("Switch it on");
    window.says("That code is not right");
    seen.look(window, "second-factor-refused");
    window.fill("Password", PASSWORD);
    window.fill("Code that the app shows", &code_in(0, &key));
    window.press("Switch it on");
    window.says("The second factor is on");
    seen.look(window, "recovery-codes");
    window.press("I have kept them");
    window.says("Signing in asks for a code");
    seen.look(window, "account-second-factor");
    for (name, page) in [
        ("second-factor-off", "off"),
        ("recovery-codes-new", "recovery-codes"),
    ] {
        stage.open(&format!("/console/account/second-factor/{page}"));
        seen.look(window, name);
    }
    key
}

/// Signs out, and in again with a code. The one of this moment was used.
fn sign_in_with_code(stage: &Stage, key: &str, seen: &mut Inspection) {
    let window = &stage.window;
    window.press("Sign out");
    window.says("Sign in");
    stage.sign_in();
    window.says("Type the code");
    seen.look(window, "sign-in-code");
    window.fill("Code", "000000");
    window.press("Sign in");
    window.says("That code is not right");
    seen.look(window, "sign-in-code-refused");
    window.fill("Code", &code_in(1, key));
    window.press("Sign in");
    window.says(ANN);
}

/// Makes a credential and copies its secret.
fn create(stage: &Stage, seen: &mut Inspection) -> Credential {
    let window = &stage.window;
    stage.open(LIST);
    window.says("No credentials yet");
    seen.look(window, "credentials-empty");
    window.press("Create Credentials");
    seen.look(window, "credential-new");
    window.choose_last("Select Application");
    window.fill("Credential Name", "nightly backup");
    window.press("Create Credentials");
    window.says("Successfully created nightly backup");
    let made = shown(stage);
    seen.look(window, "credential-created");
    // Shown once: neither another look nor the way back has it.
    window.press("Close");
    window.says("nightly backup");
    window.back();
    window.lacks(&made.client_secret);
    made
}

/// What the page shows, with the secret taken from the clipboard.
fn shown(stage: &Stage) -> Credential {
    let window = &stage.window;
    window.click_on("button[data-copy=client-secret]");
    let client_secret = window.clipboard();
    assert_eq!(client_secret, window.read("#client-secret"));
    Credential {
        client_id: window.read("#client-id"),
        client_secret,
        token_url: stage.server.token_url().to_owned(),
        base_url: stage.server.us1(""),
    }
}

fn generate(stage: &Stage, credential: &Credential, seen: &mut Inspection) -> String {
    let window = &stage.window;
    stage.open(LIST);
    window.press("nightly backup");
    seen.look(window, "credential");
    window.press("Generate Access Token");
    seen.look(window, "token-new");
    window.fill("Client Secret", "not the secret");
    window.press("Create Access Token");
    window.finds(".alert");
    seen.look(window, "token-refused");
    window.fill("Client Secret", &credential.client_secret);
    window.press("Create Access Token");
    window.says("Access Token Created");
    seen.look(window, "token-created");
    let token = window.read("#access-token");
    window.press("Close");
    token
}

fn reset(stage: &Stage, credential: &Credential, seen: &mut Inspection) -> Credential {
    let window = &stage.window;
    stage.open(&format!("{LIST}/{}", credential.client_id));
    window.press("Reset Client Secret");
    window.says("Last used");
    seen.look(window, "credential-reset");
    window.press("Reset Client Secret");
    window.says("Successfully reset");
    let reset = shown(stage);
    assert_eq!(reset.client_id, credential.client_id);
    assert_ne!(reset.client_secret, credential.client_secret);
    reset
}

fn delete(stage: &Stage, credential: &Credential, seen: &mut Inspection) {
    let window = &stage.window;
    stage.open(&format!("{LIST}/{}", credential.client_id));
    window.press("Delete Credentials");
    seen.look(window, "credential-delete");
    window.press("Delete");
    window.says("No credentials yet");
}

fn is_refused(credential: &Credential) {
    let form = token_form(&credential.client_id, &credential.client_secret);
    let refused = post_form(&credential.token_url, &form).is(401).json();
    assert_eq!(refused["error"], "invalid_client");
}

fn audit_tells(stage: &Stage, client_id: &str) {
    let window = &stage.window;
    stage.open("/console/audit");
    for words in ["signed in", "created", "token", "reset", "deleted"] {
        window.says(words);
    }
    window.says(client_id);
}
