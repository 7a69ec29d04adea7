//! What is a person's own: changing the password, ending sessions.

use crate::sign_in::{PASSWORD, choose};
use crate::world::{Answer, World};

const NEW: &str = "tin lamp orbit nine";

async fn sign_in(world: &World, password: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let form = format!("email=ann@example.com&password={password}");
    world.send("POST", "/sign-in", &headers, &form).await
}

#[tokio::test]
async fn another_password_takes_the_old_one_and_ends_the_other_sessions() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let (here, elsewhere) = (world.browser(&ann).await, world.browser(&ann).await);
    let path = "/console/account/password";
    for (current, password, again, words) in [
        ("wrong", NEW, NEW, "The present password is not right."),
        (PASSWORD, NEW, PASSWORD, "The two passwords differ."),
        (PASSWORD, "short", "short", "fewer than 12"),
        (PASSWORD, "password1234", "password1234", "tries first"),
    ] {
        let fields = [
            ("current", current),
            ("password", password),
            ("again", again),
        ];
        let refused = world.submit(&here, path, &fields).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
        assert!(!refused.body.contains(NEW) && !refused.body.contains(PASSWORD));
    }
    let fields = [("current", PASSWORD), ("password", NEW), ("again", NEW)];
    let done = world.submit(&here, path, &fields).await;
    assert_eq!(done.header("location"), "/console/account?done=password");
    assert!(world.open(&here, "/").await.body.contains("Sign out"));
    assert!(!world.open(&elsewhere, "/").await.body.contains("Sign out"));
    assert_eq!(sign_in(&world, PASSWORD).await.status, 422);
    assert_eq!(sign_in(&world, NEW).await.status, 303);
    let audit = world.audit().await;
    let message = "ann@example.com changed their password";
    assert!(audit.iter().any(|stored| stored.event.message == message));
}

#[tokio::test]
async fn guessing_the_password_at_an_open_screen_has_an_end() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let here = world.browser(&ann).await;
    let fields = |current| [("current", current), ("password", NEW), ("again", NEW)];
    let path = "/console/account/password";
    for _ in 0..10 {
        assert_eq!(sign_in(&world, "wrong").await.status, 422);
    }
    let at_the_door = sign_in(&world, PASSWORD).await.status;
    assert_eq!(at_the_door, 429, "which is a limit of its own");
    for _ in 0..10 {
        assert_eq!(
            world.submit(&here, path, &fields("wrong")).await.status,
            422
        );
    }
    assert_eq!(
        world.submit(&here, path, &fields(PASSWORD)).await.status,
        429
    );
}

#[tokio::test]
async fn sessions_are_listed_and_end_one_by_one_or_together() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let here = world.browser(&ann).await;
    let (second, third) = (world.browser(&ann).await, world.browser(&ann).await);
    let of_bob = world.browser(&bob).await;
    let page = world.open(&here, "/console/account").await;
    assert_eq!(page.body.matches("/end\">").count(), 2, "not this one");
    assert_eq!(page.body.matches("This one").count(), 1);
    assert!(page.body.contains("2023-11-14 22:13 UTC"));

    let sessions = world.store.sessions();
    let theirs = sessions.list(bob.id, world.now()).await.unwrap();
    let end = |id: &str| format!("/console/account/sessions/{id}/end");
    let foreign = world.submit(&here, &end(&theirs[0].id), &[]).await;
    assert_eq!(foreign.status, 303, "as one that has ended");
    assert!(world.open(&of_bob, "/").await.body.contains("Sign out"));

    let (_, rest) = page.body.split_once("/console/account/sessions/").unwrap();
    let (id, _) = rest.split_once('/').unwrap();
    let ended = world.submit(&here, &end(id), &[]).await;
    assert_eq!(ended.header("location"), "/console/account?done=session");
    let left = sessions.list(ann.id, world.now()).await.unwrap();
    assert!(left.len() == 2 && left.iter().all(|known| known.id != id));
    let others = world
        .submit(&here, "/console/account/sessions/end-others", &[])
        .await;
    assert_eq!(others.header("location"), "/console/account?done=sessions");
    assert!(world.open(&here, "/").await.body.contains("Sign out"));
    for gone in [&second, &third] {
        assert!(!world.open(gone, "/").await.body.contains("Sign out"));
    }
    let page = world.open(&here, "/console/account?done=sessions").await;
    assert!(page.body.contains("signed out everywhere else"));
    assert!(!page.body.contains("End all others"));
}

#[tokio::test]
async fn whoever_is_signed_in_is_told_who_they_are() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let here = world.browser(&bob).await;
    let path = "/workspaces/v1/account";
    let told = world.script(&here, "GET", path, None).await.json();
    assert_eq!(told["email"], "bob@example.com");
    assert_eq!(told["id"], bob.id.to_string());
    assert_eq!(told["workspace"]["name"], "Main");
    assert_eq!(told["secondFactor"], false);
    assert!(told["roles"].as_array().unwrap().is_empty());
    let anns = world.token_of(&ann).await;
    let told = world.get(path, &anns).await.json();
    assert_eq!(told["email"], "ann@example.com");
    assert_eq!(told["roles"][0]["roleName"], "administrator");
    let bobs = world.token_of(&bob).await;
    let refused = world.get(path, &bobs).await;
    assert_eq!(refused.refusal().0, 403, "a program needs the permission");
    assert_eq!(world.send("GET", path, &[], "").await.status, 401);
}

const OVER_REST: &str = "/workspaces/v1/account/password";

fn change_to(new: &str, current: &str) -> String {
    serde_json::json!({"currentPassword": current, "newPassword": new}).to_string()
}

#[tokio::test]
async fn the_password_changes_over_rest_as_on_the_page() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let (here, elsewhere) = (world.browser(&ann).await, world.browser(&ann).await);
    let put = async |body: String| world.script(&here, "PUT", OVER_REST, Some(&body)).await;
    for (body, status, words) in [
        (change_to(NEW, "wrong"), 422, "present password"),
        (change_to("short", PASSWORD), 400, "fewer than 12"),
        (change_to("password1234", PASSWORD), 400, "tries first"),
        (change_to("", PASSWORD), 400, "`newPassword` is empty"),
        (format!("[\"{NEW}\"]"), 400, "must be an object"),
    ] {
        let refused = put(body).await;
        assert_eq!(refused.refusal().0, status, "{words}");
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
        assert!(!refused.body.contains(NEW) && !refused.body.contains(PASSWORD));
    }
    assert_eq!(put(change_to(NEW, PASSWORD)).await.status, 204);
    assert!(world.open(&here, "/").await.body.contains("Sign out"));
    assert!(!world.open(&elsewhere, "/").await.body.contains("Sign out"));
    assert_eq!(sign_in(&world, PASSWORD).await.status, 422);
    assert_eq!(sign_in(&world, NEW).await.status, 303);
    let audit = world.audit().await;
    let message = "ann@example.com changed their password";
    assert!(audit.iter().any(|stored| stored.event.message == message));
}

#[tokio::test]
async fn no_token_and_no_other_site_changes_a_password() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let here = world.browser(&ann).await;
    let body = change_to(NEW, PASSWORD);
    let token = world.token_of(&ann).await;
    let by_program = world.call("PUT", OVER_REST, &token, Some(&body)).await;
    assert_eq!(by_program.refusal().0, 403);
    assert!(by_program.body.contains("no token does this"));
    let challenge = by_program.header("www-authenticate");
    assert_eq!(
        challenge,
        "Bearer realm=\"api\", error=\"insufficient_scope\""
    );
    let json = ("content-type", "application/json");
    let cookie = ("cookie", World::parts(&here).0);
    let forged = world.send("PUT", OVER_REST, &[cookie, json], &body).await;
    assert_eq!(forged.refusal().0, 403);
    assert_eq!(sign_in(&world, PASSWORD).await.status, 303, "unchanged");
}

/// The page and this share the tries that somebody at an open screen has.
#[tokio::test]
async fn guessing_the_password_over_rest_has_the_same_end() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let here = world.browser(&ann).await;
    let fields = [("current", "wrong"), ("password", NEW), ("again", NEW)];
    for _ in 0..5 {
        let wrong = change_to(NEW, "wrong");
        let refused = world.script(&here, "PUT", OVER_REST, Some(&wrong)).await;
        assert_eq!(refused.refusal().0, 422);
        let page = "/console/account/password";
        assert_eq!(world.submit(&here, page, &fields).await.status, 422);
    }
    let right = change_to(NEW, PASSWORD);
    let late = world.script(&here, "PUT", OVER_REST, Some(&right)).await;
    assert_eq!(late.refusal().0, 429);
    assert!(late.header("retry-after").parse::<u32>().unwrap() > 0);
}
