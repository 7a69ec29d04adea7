//! Every view and dialog of the explorer is looked at, wide and narrow, light and dark. A new one gets a
//! line in the list.

use super::super::inspection::Inspection;
use super::stage::{Definition, Stage};

/// A name, which the pictures get; the view, by what stands behind the `#`, with `{definition}`,
/// `{operation}` and `{environment}` in the places of ids; what is pressed there; and what the page says
/// then.
type View = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

const VIEWS: &[View] = &[
    ("welcome", "/", &[], "What to do next"),
    (
        "nowhere",
        "/nowhere",
        &[],
        "There is nothing at this address",
    ),
    ("tags", "/", &["By tag"], "By tag"),
    ("saved", "/", &["Saved"], "Nothing is saved yet"),
    ("history", "/", &["History"], "Nothing was sent yet"),
    ("menu", "/", &["Workspace"], "All workspaces"),
    (
        "environment",
        "/environments/{environment}",
        &[],
        "Initial value",
    ),
    (
        "values",
        "/",
        &["Values of the environment"],
        "Effective value",
    ),
    (
        "authorization",
        "/authorization",
        &[],
        "Configure New Token",
    ),
    ("tokens", "/tokens", &[], "There is no token yet"),
    (
        "rename",
        "/",
        &["Workspace", "Rename"],
        "Rename the workspace",
    ),
    (
        "remove",
        "/",
        &["Workspace", "Remove"],
        "This cannot be undone",
    ),
];

#[test]
fn everybody_can_use_every_view_of_a_server() {
    let Some(stage) = Stage::served() else { return };
    let mut seen = Inspection::of(&stage.origin).unwrap();
    look_at_all(&stage, "explorer", &mut seen);
    seen.end();
}

#[test]
fn everybody_can_use_the_explorer_of_their_own_machine() {
    let Some(stage) = Stage::local() else { return };
    let mut seen = Inspection::of(&stage.origin).unwrap();
    seen.look(&stage.window, "explorer-local-workspaces");
    stage.create_workspace("HPE DSCC API", Definition::BuiltIn);
    seen.look(&stage.window, "explorer-local-welcome");
    seen.end();
}

fn look_at_all(stage: &Stage, prefix: &str, seen: &mut Inspection) {
    let window = &stage.window;
    window.open(&format!("{}/explorer", stage.origin));
    window.says("Create a workspace");
    seen.look(window, &format!("{prefix}-workspaces"));
    stage.create_workspace("HPE DSCC API", Definition::BuiltIn);
    let page = window.url();
    let page = page.split('#').next().unwrap();
    let workspace = stage.workspace();
    let id = |part: &str| workspace[part][0]["id"].as_str().unwrap().to_owned();
    let places = [
        ("{definition}", id("definitions")),
        ("{environment}", id("environments")),
        ("{operation}", "SystemsList".to_owned()),
    ];
    for (name, view, pressed, says) in VIEWS {
        let fill = |view: String, (place, id): &(&str, String)| view.replace(place, id);
        let view = places.iter().fold((*view).to_owned(), fill);
        // The page anew for each: no dialog of the last one is open.
        window.open(&format!("{}/explorer", stage.origin));
        window.open(&format!("{page}#{view}"));
        stage.is_usable();
        for button in *pressed {
            window.press(button);
        }
        window.says(says);
        seen.look(window, &format!("{prefix}-{name}"));
    }
    window.open(page);
    stage.is_usable();
    window.size(390, 900);
    window.press("Library");
    seen.look(window, &format!("{prefix}-side"));
}
