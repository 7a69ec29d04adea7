//! What only a form leads to: links and dialogs that one gets to see once, and forms that come back with
//! what is wrong with them.

use super::inspection::Inspection;
use super::stage::{PASSWORD, Stage, code_in};
use crate::http::post_form;
use crate::world::ANN;

const BOB: &str = "bob@example.com";

/// Wrong passwords from one network that are answered at once (docs/console.md).
const TRIES: usize = 10;

#[test]
fn dialogs_about_people_can_be_read() {
    let Some(mut stage) = Stage::set() else {
        return;
    };
    let mut seen = Inspection::of(stage.server.base()).unwrap();
    stage.furnish();
    stage.open_link();
    stage.set_password();
    let window = &stage.window;

    let user = stage.filled("/console/users/{user}");
    stage.open(&user);
    window.press("New set-up link");
    window.says("A new link for");
    let link = window.read("#link");
    seen.look(window, "user-link");
    stage.open("/console/users/new");
    window.fill("E-mail address", "carol@example.com");
    window.choose_last("Role");
    window.press("Invite user");
    window.says("is invited");
    seen.look(window, "user-invited");

    as_bob(&stage, &link, &mut seen);
    window.press("Sign out");
    window.says("Sign in");
    stage.sign_in();
    window.says(ANN);
    stage.open(&format!("{user}/second-factor"));
    seen.look(window, "user-second-factor");
    window.press("Take it away");
    window.says("Second factor");
    seen.end();
}

/// Bob, an observer, sets up a second factor, is told that a code is wrong, and may not invite.
fn as_bob(stage: &Stage, link: &str, seen: &mut Inspection) {
    let window = &stage.window;
    window.open(link);
    window.fill("Password", PASSWORD);
    window.fill("The same password again", PASSWORD);
    window.press("Set the password and sign in");
    window.says(BOB);
    stage.open("/console/account");
    window.press("Set up a second factor");
    let key = window.read("#key");
    window.fill("Password", PASSWORD);
    window.fill("Code that the app shows", &code_in(0, &key));
    window.press("Switch it on");
    window.says("The second factor is on");
    stage.open("/console/account/second-factor/off");
    window.fill("Password", PASSWORD);
    window.fill("Code", "000000");
    window.click_on("main button.danger");
    window.finds("main [role=alert]");
    seen.look(window, "second-factor-off-refused");
    stage.open("/console/account/password");
    window.fill("Present password", "not the password");
    window.fill("New password", "eight loud herons sing");
    window.fill("The same password again", "eight loud herons sing");
    window.press("Change the password");
    window.says("The present password is not right");
    seen.look(window, "account-password-refused");
    stage.open("/console/users/new");
    window.says("workspace.update");
    seen.look(window, "not-permitted");
    stage.open("/console/account");
}

#[test]
fn forms_that_come_back_can_be_read() {
    let Some(mut stage) = Stage::set() else {
        return;
    };
    let mut seen = Inspection::of(stage.server.base()).unwrap();
    stage.furnish();
    stage.open_link();
    stage.set_password();
    let window = &stage.window;
    for (name, page, fields, button) in [
        (
            "user-refused",
            "/console/users/new",
            &[("E-mail address", BOB)][..],
            "Invite user",
        ),
        (
            "role-refused",
            "/console/roles/new",
            &[("Name", "Observer")],
            "Save role",
        ),
        (
            "workspace-refused",
            "/console/workspaces/new",
            &[("Name", "Tenant")],
            "Create workspace",
        ),
        (
            "instance-refused",
            "/console/instances/new",
            &[("Short name", "us1"), ("Title", "Again"), ("Region", "US")],
            "Create instance",
        ),
    ] {
        stage.open(page);
        for (label, typed) in fields {
            window.fill(label, typed);
        }
        window.press(button);
        window.finds("main .alert");
        seen.look(window, name);
    }
    sign_in_limited(&stage, &mut seen);
    seen.end();
}

/// Guesses until the server has had enough.
fn sign_in_limited(stage: &Stage, seen: &mut Inspection) {
    let window = &stage.window;
    let sign_in = format!("{}/sign-in", stage.server.base());
    window.press("Sign out");
    window.says("Sign in");
    for _ in 0..TRIES {
        post_form(&sign_in, "email=eve%40example.com&password=guessed").is(422);
    }
    stage.open("/sign-in");
    window.fill("E-mail address", "eve@example.com");
    window.fill("Password", "guessed");
    window.press("Sign in");
    window.says("Too many");
    seen.look(window, "sign-in-limited");
}
