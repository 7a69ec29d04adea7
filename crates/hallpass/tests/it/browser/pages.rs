//! Every page that can be reached by its address. A new page gets a line in one of the lists; what
//! only a form leads to is looked at where the form is sent, in `story.rs` and `forms.rs`.

use serde_json::json;

use super::inspection::Inspection;
use super::stage::Stage;
use crate::world::ANN;

/// A name, which the pictures get, the address, and the status of the answer. In an address stand
/// `{user}`, `{credential}`, `{role}`, `{workspace}` and `{instance}` for ids of what [`Stage::furnish`] made.
type Visit = (&'static str, &'static str, u64);

/// What strangers see.
const STRANGERS: &[Visit] = &[
    ("start", "/", 200),
    ("sign-in", "/sign-in", 200),
    ("sign-in-workspace", "/sign-in?workspace=Main", 200),
    ("nothing-here", "/nowhere", 404),
    ("dead-link", "/setup/0000000000000000", 404),
];

/// What an administrator of the first workspace sees.
const PEOPLE: &[Visit] = &[
    ("start-signed-in", "/", 200),
    ("account", "/console/account", 200),
    ("account-password", "/console/account/password", 200),
    ("credentials", "/console/credentials", 200),
    (
        "credentials-all",
        "/console/credentials?owner=all&sort=-created",
        200,
    ),
    (
        "credentials-none",
        "/console/credentials?search=nothing",
        200,
    ),
    (
        "credential-change",
        "/console/credentials/{credential}/change",
        200,
    ),
    (
        "credential-disable",
        "/console/credentials/{credential}/disable",
        200,
    ),
    (
        "credential-sample",
        "/console/credentials/sample?credential={credential}",
        200,
    ),
    ("credential-nowhere", "/console/credentials/{user}", 404),
    ("nothing-here-signed-in", "/nowhere", 404),
    ("users", "/console/users", 200),
    ("user-new", "/console/users/new", 200),
    ("user", "/console/users/{user}", 200),
    ("user-may", "/console/users/{user}/may", 200),
    ("user-disable", "/console/users/{user}/disable", 200),
    ("user-remove", "/console/users/{user}/remove", 200),
    ("roles", "/console/roles", 200),
    ("role-new", "/console/roles/new", 200),
    ("role", "/console/roles/observer", 200),
    ("role-own", "/console/roles/{role}", 200),
    ("role-delete", "/console/roles/{role}/delete", 200),
    ("workspaces", "/console/workspaces", 200),
    ("workspace-new", "/console/workspaces/new", 200),
    ("workspace", "/console/workspaces/{workspace}", 200),
    (
        "workspace-delete",
        "/console/workspaces/{workspace}/delete",
        200,
    ),
    ("instances", "/console/instances", 200),
    ("instance-new", "/console/instances/new", 200),
    ("instance", "/console/instances/{instance}", 200),
    (
        "instance-delete",
        "/console/instances/{instance}/delete",
        200,
    ),
    ("audit", "/console/audit", 200),
    ("audit-none", "/console/audit?search=nothing+like+that", 200),
    ("documentation", "/doc/", 200),
    ("documentation-api", "/doc/api/v1/", 200),
    ("documentation-search", "/doc/api/v1/?q=snapshot", 200),
];

/// What the first link of a list leads to: a name, the list, and where its links are.
const DETAILS: [(&str, &str, &str); 2] = [
    ("audit-event", "/console/audit", "table.list tbody a"),
    (
        "documentation-operation",
        "/doc/api/v1/?q=snapshot",
        ".operations a",
    ),
];

#[test]
fn strangers_can_read_every_page() {
    let Some(stage) = Stage::set() else { return };
    let mut inspection = Inspection::of(stage.server.base()).unwrap();
    visit(&stage, STRANGERS, &mut inspection);
    stage.open_link();
    inspection.look(&stage.window, "setup");
    stage.window.fill("Password", "seven quiet otters knit");
    stage
        .window
        .fill("The same password again", "seven quiet otters knot");
    stage.window.press("Set the password and sign in");
    stage.window.says("password");
    inspection.look(&stage.window, "setup-refused");
    stage.open("/sign-in");
    stage.window.fill("E-mail address", ANN);
    stage.window.fill("Password", "not the password");
    stage.window.press("Sign in");
    stage.window.says("do not belong together");
    inspection.look(&stage.window, "sign-in-refused");
    inspection.end();
}

#[test]
fn administrators_can_read_every_page() {
    let Some(mut stage) = Stage::set() else {
        return;
    };
    let mut inspection = Inspection::of(stage.server.base()).unwrap();
    stage.furnish();
    stage.open_link();
    stage.set_password();
    visit(&stage, PEOPLE, &mut inspection);
    for (name, list, link) in DETAILS {
        stage.open(list);
        stage.window.click_on(link);
        inspection.look(&stage.window, name);
    }
    stage.open("/nowhere");
    stage.window.says(ANN);
    stage.open("/");
    stage.window.size(390, 900);
    stage.window.press("Menu");
    inspection.look(&stage.window, "menu");
    inspection.end();
}

fn visit(stage: &Stage, pages: &[Visit], inspection: &mut Inspection) {
    for (name, address, status) in pages {
        let address = stage.filled(address);
        stage.open(&address);
        let asked = "return performance.getEntriesByType('navigation')[0].responseStatus";
        let answered = stage.window.script(asked, &json!([]));
        assert_eq!(answered, *status, "{address}");
        inspection.look(&stage.window, name);
    }
}
