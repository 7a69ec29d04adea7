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
    (
        "request",
        "/op/{definition}/{operation}",
        &[],
        "Only what is ticked is sent",
    ),
    (
        "request-authorization",
        "/op/{definition}/{operation}",
        &["Authorization inherited"],
        "Inherit auth from parent",
    ),
    (
        "request-headers",
        "/op/{definition}/{operation}",
        &["Headers"],
        "Written for you",
    ),
    (
        "request-body",
        "/op/{definition}/VolumeCreate",
        &["Body JSON"],
        "sizeMib",
    ),
    (
        "request-sent",
        "/op/{definition}/{operation}",
        &["What will be sent"],
        "Where it comes from",
    ),
    (
        "request-code",
        "/op/{definition}/{operation}",
        &["Code"],
        "curl",
    ),
    ("request-free", "/request", &[], "No parameters yet"),
    (
        "save",
        "/op/{definition}/{operation}",
        &["Save"],
        "Save this request",
    ),
    ("definition", "/definition/{definition}", &[], "Components"),
    (
        "documentation",
        "/docs/{definition}",
        &[],
        "Source and problems",
    ),
    (
        "documentation-operation",
        "/docs/{definition}/{operation}",
        &[],
        "Responses",
    ),
    ("import", "/", &["Import"], "Definition file"),
    (
        "import-folder",
        "/",
        &["Import", "Folder"],
        "Folder of the definition",
    ),
    (
        "import-text",
        "/",
        &["Import", "Text"],
        "Text of the definition",
    ),
    (
        "import-built-in",
        "/",
        &["Import", "Built-in"],
        "most used operations",
    ),
    (
        "import-look",
        "/",
        &["Import", "Built-in", "Continue"],
        "Import as",
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
    stage.window.press("Import");
    stage.window.press("Link");
    stage.window.says("Address of the definition");
    seen.look(&stage.window, "explorer-local-import-link");
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
    let operation = format!("/op/{}/SystemsList", id("definitions"));
    own_authorization(stage, page, &operation, prefix, seen);
    window.open(page);
    stage.is_usable();
    window.size(390, 900);
    window.press("Library");
    seen.look(window, &format!("{prefix}-side"));
}

/// A request with an authorization of its own.
fn own_authorization(stage: &Stage, page: &str, view: &str, prefix: &str, seen: &mut Inspection) {
    let window = &stage.window;
    window.open(&format!("{}/explorer", stage.origin));
    window.open(&format!("{page}#{view}"));
    window.click_on("#request-authorization");
    window.says("The workspace says");
    for (kind, says) in [
        ("Bearer Token", "Header Prefix"),
        ("OAuth 2.0", "Configure New Token"),
    ] {
        window.choose("Type", kind);
        window.says(says);
        let kind = kind.split(' ').next().unwrap().to_lowercase();
        seen.look(window, &format!("{prefix}-request-own-{kind}"));
    }
}
