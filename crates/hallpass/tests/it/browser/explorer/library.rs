//! The library: finding operations by path, by tag, by words, with the keyboard alone, and keeping some at
//! hand.

use serde_json::{Value, json};

use super::super::window::{DOWN, END, ENTER, ESCAPE, HOME, LEFT, RIGHT};
use super::stage::{Definition, Stage};
use crate::world::eventually;

/// What the page may have with all operations (design, section 6).
const MOST_NODES: u64 = 3000;

/// The titles of the operations that are shown.
const SHOWN: &str =
    "return [...document.querySelectorAll('.library-leaf')].map((one) => one.title)";

#[test]
fn operations_are_found_by_words_and_kept_at_hand() {
    let Some(stage) = Stage::served() else { return };
    stage.create_workspace("Library", Definition::BuiltIn);
    let window = &stage.window;
    window.says("storage-systems");

    // A slash leads to the search from anywhere, and each word must be somewhere.
    window.keys("/systemslist");
    assert_eq!(window.focus(), "Search operations");
    window.says("2 of ");
    let both = [
        "GET /api/v1/storage-systems",
        "GET /api/v1/storage-systems/device-type1",
    ];
    assert_eq!(paths(&stage), both);
    window.keys(&format!("{DOWN}f"));
    window.finds(".library-star[aria-pressed=true]");
    window.keys(&ENTER.to_string());
    window.finds(".library-leaf[aria-current=page]");
    assert!(window.url().ends_with("/SystemsList"), "{}", window.url());
    eventually("the favourite is kept", || {
        let kept = &stage.workspace()["favourites"];
        (kept[0]["operation"] == "SystemsList").then_some(())
    });

    // Words that nothing has.
    window.keys("/zebra");
    window.says("No operation has all these words");
    assert_eq!(paths(&stage), [] as [String; 0]);
    window.keys(&ESCAPE.to_string());
    window.says("Favourites");

    // It is there after the page was loaded anew, on top.
    window.script("location.reload()", &json!([]));
    stage.is_usable();
    window.says("Favourites");
    assert_eq!(paths(&stage)[0], "GET /api/v1/storage-systems");
}

#[test]
fn a_folder_opens_and_closes_with_the_arrows() {
    let Some(stage) = Stage::served() else { return };
    stage.create_workspace("Library", Definition::BuiltIn);
    let window = &stage.window;
    let rows = || -> u64 {
        let count = "return document.querySelectorAll('[role=treeitem]').length";
        window.script(count, &json!([])).as_u64().unwrap()
    };
    window.finds("[role=treeitem]");
    let open = rows();
    window.keys("/");
    window.keys(&DOWN.to_string());
    let focused = "return document.activeElement.getAttribute('aria-expanded')";
    assert_eq!(window.script(focused, &json!([])), "true");
    window.keys(&LEFT.to_string());
    assert_eq!(window.script(focused, &json!([])), "false");
    assert_eq!(rows(), 1, "a closed definition has no rows in the page");
    window.keys(&RIGHT.to_string());
    assert_eq!(rows(), open);
    // To the last row and back.
    let place = "const rows = [...document.querySelectorAll('[role=treeitem]')];
        return rows.indexOf(document.activeElement)";
    window.keys(&END.to_string());
    assert_eq!(window.script(place, &json!([])), open - 1);
    window.keys(&HOME.to_string());
    assert_eq!(window.script(place, &json!([])), 0);
}

#[test]
fn the_page_stays_small_with_every_operation() {
    let Some(stage) = Stage::served() else { return };
    for definition in Definition::all() {
        stage.create_workspace("Library", definition);
        let window = &stage.window;
        window.finds("[role=treeitem]");
        // Every folder is opened, one after the other.
        let open_all = "for (let most = 0; most < 400; most++) {
              const closed = document.querySelector('.library-tree [aria-expanded=false]');
              if (!closed) break;
              closed.click();
            }
            return document.querySelectorAll('*').length";
        for mode in ["By path", "By tag"] {
            window.press(mode);
            let nodes = window.script(open_all, &json!([])).as_u64().unwrap();
            assert!(nodes <= MOST_NODES, "{mode}: {nodes} nodes");
            assert!(!window.shows(".library-tree [aria-expanded=false]"));
        }
    }
}

#[test]
fn a_workspace_gets_another_name_and_goes() {
    let Some(stage) = Stage::served() else { return };
    stage.create_workspace("Frist", Definition::None);
    let window = &stage.window;
    window.says("No definition yet");
    window.press("Workspace");
    window.press("Rename");
    window.fill("Name", "First");
    window.click_on("dialog [type=submit]");
    window.says("First");
    assert_eq!(stage.workspace()["name"], "First");
    window.press("Workspace");
    window.press("Remove");
    window.press("Remove the workspace");
    window.says("Create a workspace");
    window.lacks("First");
}

/// Method and path of the operations that are shown.
#[track_caller]
fn paths(stage: &Stage) -> Vec<String> {
    let titles = stage.window.script(SHOWN, &json!([]));
    let titles = titles.as_array().unwrap().iter();
    let first_line = |title: &Value| title.as_str()?.lines().next().map(str::to_owned);
    titles.filter_map(first_line).collect()
}
