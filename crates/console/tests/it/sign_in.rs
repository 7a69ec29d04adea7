//! Signing in and out, and what a session is good for.

use hallpass_console::{CREDENTIALS_PATH, SETUP_PATH};
use hallpass_store::sessions::{IDLE_TIME, LONGEST_SESSION};
use jiff::SignedDuration;

use crate::world::{Answer, World};

const PASSWORD: &str = "correct horse battery";

async fn post(world: &World, path: &str, form: &str, more: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(more);
    world.send("POST", path, &headers, form).await
}

async fn sign_in(world: &World, email: &str, password: &str) -> Answer {
    let form = format!("email={email}&password={password}&to=%2Fx");
    post(world, "/sign-in", &form, &[]).await
}

#[tokio::test]
async fn a_password_opens_a_session_and_signing_out_ends_it() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let link = world.setup_link(&ann).await;
    let chosen = format!("password={PASSWORD}&again={PASSWORD}");
    let path = format!("{SETUP_PATH}{}", link.expose());
    assert_eq!(post(&world, &path, &chosen, &[]).await.status, 200);

    for (email, password) in [
        ("ann@example.com", "another password"),
        ("bob@example.com", PASSWORD),
    ] {
        let refused = sign_in(&world, email, password).await;
        assert_eq!(refused.status, 422);
        assert_eq!(refused.header("set-cookie"), "");
        assert!(refused.body.contains("do not belong together"));
        assert!(!refused.body.contains(password));
    }

    let entered = sign_in(&world, "Ann@example.com", PASSWORD).await;
    assert_eq!(
        (entered.status.as_u16(), entered.header("location")),
        (303, "/x")
    );
    let cookie = entered.header("set-cookie");
    assert!(
        cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let cookie = ("cookie", cookie.split(';').next().unwrap());
    let page = world.send("GET", "/", &[cookie], "").await;
    let (_, rest) = page
        .body
        .split_once("name=\"form_token\" value=\"")
        .unwrap();
    let token = format!("form_token={}", rest.split_once('"').unwrap().0);

    let out = post(&world, "/sign-out", &token, &[]).await;
    assert_eq!(
        out.header("location"),
        "/sign-in?to=%2Fsign-out",
        "no cookie, no session"
    );
    let out = post(&world, "/sign-out", "form_token=x", &[cookie]).await;
    assert_eq!(out.status, 403, "another site cannot sign anybody out");
    let out = post(&world, "/sign-out", &token, &[cookie]).await;
    assert_eq!(
        (out.status.as_u16(), out.header("location")),
        (303, "/sign-in")
    );
    let page = world.send("GET", "/", &[cookie], "").await;
    assert!(!page.body.contains("Sign out"));

    let said: Vec<String> = world
        .audit()
        .await
        .into_iter()
        .map(|e| e.event.message)
        .collect();
    for message in [
        "Sign-in refused",
        "ann@example.com signed in",
        "ann@example.com signed out",
    ] {
        assert!(
            said.iter().any(|said| said == message),
            "{message}: {said:#?}"
        );
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let idle = world.browser(&ann).await;
    let second = SignedDuration::from_secs(1);
    world.pass(IDLE_TIME - second);
    assert!(world.open(&idle, "/").await.body.contains("Sign out"));
    world.pass(IDLE_TIME);
    assert!(!world.open(&idle, "/").await.body.contains("Sign out"));

    let busy = world.browser(&ann).await;
    let mut passed = SignedDuration::ZERO;
    while passed < LONGEST_SESSION {
        assert!(
            world.open(&busy, "/").await.body.contains("Sign out"),
            "{passed:?}"
        );
        world.pass(IDLE_TIME - second);
        passed += IDLE_TIME - second;
    }
    assert!(!world.open(&busy, "/").await.body.contains("Sign out"));
}

#[tokio::test]
async fn a_session_may_call_the_rest_api_from_pages_of_ours_only() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let body = "{\"credentialName\":\"nightly\"}";
    let made = world
        .script(&browser, "POST", CREDENTIALS_PATH, Some(body))
        .await;
    assert_eq!(made.status, 201, "{}", made.body);
    let listed = world.open(&browser, CREDENTIALS_PATH).await;
    assert_eq!(listed.json()["count"], 1);
    let path = format!("{CREDENTIALS_PATH}/{}", made.json()["id"].as_str().unwrap());
    let forged = world.submit(&browser, &format!("{path}/reset"), &[]).await;
    assert_eq!(
        forged.status, 403,
        "a form of another site has no such header"
    );
    let gone = world.script(&browser, "DELETE", &path, None).await;
    assert_eq!(gone.status, 204);
}
