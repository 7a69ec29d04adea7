//! What the one script adds to pages that work without it, on the pages of the gallery.

use serde_json::json;

use super::gallery::Gallery;
use crate::world::eventually;

#[test]
fn times_are_shown_in_the_zone_of_the_reader_with_the_exact_one_in_the_title() {
    let Some(gallery) = Gallery::open() else {
        return;
    };
    let window = &gallery.window;
    window.devtools(
        "Emulation.setTimezoneOverride",
        &json!({ "timezoneId": "Asia/Tokyo" }),
    );
    gallery.show("gallery-list");
    let created = "tbody tr:first-child td[data-label=Created] time";
    assert_eq!(window.read(created), "2026-03-02 17:14");
    assert_eq!(
        window.attribute(created, "title"),
        "2026-03-02 08:14:00 UTC"
    );
    // A distance stays one, and a day is the same everywhere.
    let distance = "tbody tr:first-child td[data-label='Last used'] time";
    assert_eq!(window.read(distance), "3 hours ago");
    assert_eq!(
        window.attribute(distance, "title"),
        "2026-11-23 05:41 (2026-11-22 20:41:09 UTC)"
    );
    assert_eq!(window.read("td[data-label=Expires] time"), "2026-12-14");
}

#[test]
fn a_value_is_copied_whole_and_the_button_says_so() {
    let Some(gallery) = Gallery::open() else {
        return;
    };
    gallery.show("gallery-list");
    gallery.window.click_on("button[data-copy=id1]");
    gallery.window.says("Copied");
    assert_eq!(
        gallery.window.clipboard(),
        "0e1a9a6e-8c1f-4a55-9f21-5d0a3c1be0aa"
    );
}

#[test]
fn a_search_is_sent_while_it_is_typed_and_nothing_typed_is_lost() {
    let Some(gallery) = Gallery::open() else {
        return;
    };
    let window = &gallery.window;
    gallery.show("gallery-list?offset=20");
    let before = window.script("return history.length", &json!([]));
    window.click_on("#search");
    window.keys("night");
    eventually("the search", || {
        window
            .url()
            .ends_with("?search=night&instance=All&state=Any")
            .then_some(())
    });
    window.keys("ly ");
    eventually("the longer search", || {
        window.url().contains("search=nightly+&").then_some(())
    });
    // The focus and the cursor are where they were, and Back leads out of the list.
    window.keys("x");
    eventually("the longest search", || {
        window.url().contains("search=nightly+x&").then_some(())
    });
    assert_eq!(
        window.script("return document.querySelector('#search').value", &json!([])),
        "nightly x"
    );
    assert_eq!(window.script("return history.length", &json!([])), before);
}

#[test]
fn what_is_typed_into_a_sample_stays_on_the_page_and_goes_with_it() {
    let Some(gallery) = Gallery::open() else {
        return;
    };
    let window = &gallery.window;
    gallery.show("gallery-parts");
    window.fill("Client secret", "0123abcd");
    assert!(window.read("pre.sample").contains("client_secret=0123abcd"));
    window.fill("Client secret", "$(rm -rf ~)");
    assert!(
        window
            .read("pre.sample")
            .contains("client_secret=YOUR_SECRET")
    );
    assert!(window.shows("input[data-fills][aria-invalid=true]"));
}

#[test]
fn a_form_that_changes_something_is_not_sent_twice_by_a_nervous_hand() {
    let Some(gallery) = Gallery::open() else {
        return;
    };
    gallery.show("gallery-parts");
    let twice = "const stopped = []; \
                 document.addEventListener('submit', (event) => { \
                   stopped.push(event.defaultPrevented); event.preventDefault(); }); \
                 const form = document.querySelector('main form[method=post]'); \
                 form.noValidate = true; \
                 form.requestSubmit(); form.requestSubmit(); \
                 return stopped.join()";
    assert_eq!(gallery.window.script(twice, &json!([])), "false,true");
}
