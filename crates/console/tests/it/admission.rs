//! A room beside the console lets in whom the console knows, for as long as it does.

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use jiff::SignedDuration;

use crate::world::{Answer, BESIDE, Browser, World, local};

async fn come(world: &World, browser: &Browser, method: &str, more: &[(&str, &str)]) -> Answer {
    let headers = [&[("cookie", browser.cookie())], more].concat();
    world.send(method, BESIDE, &headers, "").await
}

fn is_sign_in(answer: &Answer) -> bool {
    answer.status == 303 && answer.header("location") == "/sign-in?to=%2Fbeside"
}

#[tokio::test]
async fn somebody_signed_in_is_told_with_the_navigation_around_the_page() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let page = world.open(&browser, BESIDE).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&ann.id.to_string()), "{}", page.body);
    let here = r#"<a href="/beside" aria-current="page">Beside</a>"#;
    assert!(page.body.contains(here), "{}", page.body);
    let elsewhere = world.open(&browser, "/console/credentials").await;
    let there = r#"<a href="/beside">Beside</a>"#;
    assert!(elsewhere.body.contains(there), "{}", elsewhere.body);
    let stranger = world.send("GET", BESIDE, &[], "").await;
    assert!(is_sign_in(&stranger), "{stranger:?}");
}

#[tokio::test]
async fn what_may_change_something_comes_from_a_page_of_the_session() {
    let world = World::new().await;
    let browser = world.browser(&world.administrator().await).await;
    let (_, form_token) = World::parts(&browser);
    let bob = world.person("Main", "bob@example.com", None).await;
    let other = world.browser(&bob).await;
    let (_, foreign) = World::parts(&other);
    for (status, headers, field) in [
        (200, &[("x-csrf-token", form_token)][..], ""),
        (200, &[], form_token),
        (403, &[], ""),
        (403, &[("x-csrf-token", foreign)], ""),
        (403, &[], foreign),
        // The header decides, whatever stands in the form.
        (403, &[("x-csrf-token", foreign)], form_token),
        (
            403,
            &[
                ("x-csrf-token", form_token),
                ("sec-fetch-site", "cross-site"),
            ],
            "",
        ),
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let headers = [&[("cookie", browser.cookie())], headers].concat();
            let answer = world.send(method, BESIDE, &headers, field).await;
            assert_eq!(answer.status, status, "{method} {headers:?} {field}");
        }
    }
}

#[tokio::test]
async fn a_session_counts_there_as_long_as_in_the_console() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    world.pass(SignedDuration::from_mins(20));
    assert_eq!(come(&world, &browser, "GET", &[]).await.status, 200);
    // That was a request: the idle time begins anew.
    world.pass(SignedDuration::from_mins(20));
    assert_eq!(come(&world, &browser, "GET", &[]).await.status, 200);
    world.pass(SignedDuration::from_mins(31));
    assert!(is_sign_in(&come(&world, &browser, "GET", &[]).await));

    let browser = world.browser(&ann).await;
    for _ in 0..35 {
        assert_eq!(come(&world, &browser, "GET", &[]).await.status, 200);
        world.pass(SignedDuration::from_mins(20));
    }
    world.pass(SignedDuration::from_mins(20));
    assert!(is_sign_in(&come(&world, &browser, "GET", &[]).await));
}

#[tokio::test]
async fn who_is_disabled_or_removed_is_out_at_once() {
    let world = World::new().await;
    world.administrator().await;
    let bob = world
        .person("Main", "bob@example.com", Some(Role::Administrator))
        .await;
    let browser = world.browser(&bob).await;
    let people = world.store.people();
    let (now, rng) = (world.now(), &mut SystemRandom);
    people
        .set_enabled(bob.id, false, &local(), now, rng)
        .await
        .unwrap();
    assert!(is_sign_in(&come(&world, &browser, "GET", &[]).await));
    people
        .set_enabled(bob.id, true, &local(), now, rng)
        .await
        .unwrap();
    let browser = world.browser(&bob).await;
    assert_eq!(come(&world, &browser, "GET", &[]).await.status, 200);
    people.remove(bob.id, &local(), now, rng).await.unwrap();
    assert!(is_sign_in(&come(&world, &browser, "GET", &[]).await));
}
