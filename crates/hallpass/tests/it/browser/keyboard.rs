//! The console with the keyboard alone: Tab, Enter and Space, and the letters that are typed.

use super::stage::Stage;
use super::window::{DOWN, ENTER, ESCAPE, SPACE, TAB, Window};
use crate::http::token_of;
use crate::world::Credential;

/// More strokes than any page has places to stop at.
const MOST_STOPS: usize = 80;

#[test]
fn a_credential_is_made_with_the_keyboard_alone() {
    let Some(stage) = Stage::set() else { return };
    stage.open_link();
    stage.set_password();
    let window = &stage.window;
    // The first stop of every page leads past the navigation.
    stage.open("/");
    window.keys(&TAB.to_string());
    assert_eq!(window.focus(), "Skip to the content");

    go_to(window, "Credentials", ENTER);
    window.says("No credentials yet");
    window.keys(&format!("{TAB}{ENTER}"));
    go_to(window, "Create Credentials", ENTER);
    window.says("Credential Name");
    tab_to(window, "Select Application");
    window.keys(&DOWN.to_string());
    tab_to(window, "Credential Name");
    window.keys("nightly backup");
    go_to(window, "Create Credentials", SPACE);
    window.says("Successfully created nightly backup");
    let secret = window.read("#client-secret");
    go_to(window, "Copy", SPACE);
    window.says("Copied");
    assert_eq!(window.clipboard(), window.read("#client-id"));
    token_of(&Credential {
        client_id: window.read("#client-id"),
        client_secret: secret,
        token_url: stage.server.token_url().to_owned(),
        base_url: String::new(),
    });
    go_to(window, "Close", ENTER);
    window.says("nightly backup");
}

#[test]
fn the_menu_of_a_small_screen_opens_and_closes_with_the_keyboard() {
    let Some(stage) = Stage::set() else { return };
    stage.open_link();
    stage.set_password();
    let window = &stage.window;
    window.size(390, 900);
    stage.open("/");
    assert!(!window.shows(".sections"));
    go_to(window, "Menu", ENTER);
    window.finds(".sections");
    window.keys(&TAB.to_string());
    assert_eq!(window.focus(), window.read(".sections a"));
    window.keys(&ESCAPE.to_string());
    assert!(!window.shows(".sections"));
    assert_eq!(window.focus(), "Menu");
}

/// Goes on to the place of that name and presses the key there.
#[track_caller]
fn go_to(window: &Window, name: &str, key: char) {
    tab_to(window, name);
    window.keys(&key.to_string());
}

#[track_caller]
fn tab_to(window: &Window, name: &str) {
    let mut passed = Vec::new();
    for _ in 0..MOST_STOPS {
        window.keys(&TAB.to_string());
        let focus = window.focus();
        if focus == name {
            return;
        }
        passed.push(focus);
    }
    panic!("the Tab key does not lead to `{name}` but to {passed:?}");
}
