//! Signing in and out, and what a session is good for.

use hallpass_console::{CREDENTIALS_PATH, SETUP_PATH};
use hallpass_store::Person;
use hallpass_store::sessions::{IDLE_TIME, LONGEST_SESSION};
use jiff::SignedDuration;

use crate::world::{Answer, World};

pub(crate) const PASSWORD: &str = "correct horse battery";

const NEW: &str = "tin lamp orbit nine";

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
    assert_eq!(post(&world, &path, &chosen, &[]).await.status, 303);

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
    let again = world.send("GET", "/sign-in?to=/x", &[cookie], "").await;
    let onward = (again.status.as_u16(), again.header("location"));
    assert_eq!(onward, (303, "/x"), "nobody signs in twice");
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
async fn a_short_idle_time_is_not_over_while_requests_come() {
    let world = World::with_idle_time(SignedDuration::from_mins(1)).await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    for request in 0..20 {
        world.pass(SignedDuration::from_secs(10));
        let page = world.open(&browser, "/").await.body;
        assert!(page.contains("Sign out"), "request {request}");
    }
    world.pass(SignedDuration::from_mins(1));
    assert!(!world.open(&browser, "/").await.body.contains("Sign out"));
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

/// Chooses [`PASSWORD`] for a person.
pub(crate) async fn choose(world: &World, person: &Person) {
    let link = world.setup_link(person).await;
    let chosen = format!("password={PASSWORD}&again={PASSWORD}");
    let path = format!("{SETUP_PATH}{}", link.expose());
    assert_eq!(post(world, &path, &chosen, &[]).await.status, 303);
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let bob = world.person("Main", "bob@example.com", None).await;
    assert_eq!(bob.email.as_str(), "bob@example.com", "has no password");
    let mut answers = Vec::new();
    for email in ["ann@example.com", "bob@example.com", "eve@example.com"] {
        let answer = sign_in(&world, email, "another password").await;
        let body = answer.body.replace(email, "");
        let mut headers = answer.headers.clone();
        headers.remove("date");
        headers.remove("content-length");
        answers.push((answer.status, format!("{headers:?}"), body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn too_many_failures_are_told_to_wait_and_do_not_lock_the_owner_out_for_ever() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    for email in ["ann@example.com", "eve@example.com"] {
        for _ in 0..10 {
            assert_eq!(sign_in(&world, email, "wrong").await.status, 422);
        }
        let refused = sign_in(&world, email, "wrong").await;
        assert_eq!(refused.status, 429, "{email}");
        assert_eq!(refused.header("retry-after"), "60");
        assert!(refused.body.contains("Wait 60 seconds"));
        assert!(!refused.body.contains(email));
    }
    assert_eq!(
        sign_in(&world, "ANN@example.com", PASSWORD).await.status,
        429
    );
    world.pass(SignedDuration::from_secs(60));
    assert_eq!(
        sign_in(&world, "ann@example.com", PASSWORD).await.status,
        303
    );
    let audit = world.audit().await;
    let refused = audit.iter().map(|stored| &stored.event);
    let refused = refused.filter(|event| event.message == "Sign-in refused");
    let counted: u64 = refused.map(|event| event.count).sum();
    assert_eq!(counted, 20, "without those that a limit turned away");
    let turned_away = audit
        .iter()
        .filter(|stored| stored.event.message.contains("too many tries"));
    let turned_away: Vec<u64> = turned_away.map(|stored| stored.event.count).collect();
    assert_eq!(turned_away, [3], "one row, whoever they were");
    let mut refused = audit.iter().map(|stored| &stored.event);
    let refused = refused.find(|event| event.user_email == "ann@example.com" && event.count == 10);
    assert_eq!(refused.unwrap().message, "Sign-in refused");
    assert_eq!(refused.unwrap().workspace.as_ref(), Some(&ann.workspace));
}

/// One network may try sixty at once; whoever is signed in and asked again is another limit.
#[tokio::test]
async fn more_passwords_than_can_be_verified_are_told_to_come_again() {
    let world = std::sync::Arc::new(World::new().await);
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..12 {
        let email = format!("p{number}@example.com");
        let person = world.person("Main", &email, None).await;
        for _ in 0..5 {
            let browser = world.browser(&person).await;
            let world = world.clone();
            tries.spawn(async move {
                let fields = [("current", "wrong"), ("password", NEW), ("again", NEW)];
                let path = "/console/account/password";
                told(&world.submit(&browser, path, &fields).await)
            });
        }
    }
    for number in 0..60 {
        let world = world.clone();
        tries.spawn(async move {
            let email = format!("{number}@example.com");
            told(&sign_in(&world, &email, "wrong").await)
        });
    }
    let answers = tries.join_all().await;
    assert!(
        answers.contains(&503) && answers.contains(&422),
        "{answers:?}"
    );
}

fn told(answer: &Answer) -> u16 {
    if answer.status == 503 {
        assert_eq!(answer.header("retry-after"), "1");
    }
    answer.status.as_u16()
}

/// Whoever goes away before the answer has had their try.
#[tokio::test]
async fn a_try_that_is_broken_off_is_counted_and_recorded() {
    use tokio::io::AsyncWriteExt as _;
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let form = "email=ann@example.com&password=wrong";
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    let mut tries = 0;
    while refusals(&world).await < 10 {
        tries += 1;
        assert!(tries < 200, "tries that were broken off are not counted");
        let mut stream = tokio::net::TcpStream::connect(world.host()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        // The server reads the form and looks for the person; comparing the password takes much longer.
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    let limited = sign_in(&world, "ann@example.com", PASSWORD).await;
    assert_eq!(limited.status, 429);
}

/// How many refused sign-ins of Ann the audit log counts.
async fn refusals(world: &World) -> u64 {
    let audit = world.audit().await;
    let events = audit.iter().map(|stored| &stored.event);
    let refused = events.filter(|event| event.message == "Sign-in refused");
    refused.map(|event| event.count).sum()
}

#[tokio::test]
async fn a_cheap_hash_is_replaced_when_its_owner_signs_in() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let passwords = world.store.passwords();
    let first = passwords.of(ann.id).await.unwrap().unwrap();
    // The same password at a lower cost, made by another program.
    let cheap = cheap_hash(PASSWORD);
    passwords.strengthen(ann.id, &first, &cheap).await.unwrap();
    assert_eq!(
        sign_in(&world, "ann@example.com", "wrong").await.status,
        422
    );
    assert_eq!(passwords.of(ann.id).await.unwrap().unwrap(), cheap);
    assert_eq!(
        sign_in(&world, "ann@example.com", PASSWORD).await.status,
        303
    );
    let now = passwords.of(ann.id).await.unwrap().unwrap();
    assert!(now.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{now}");
    assert_eq!(
        sign_in(&world, "ann@example.com", PASSWORD).await.status,
        303
    );
}

fn cheap_hash(password: &str) -> String {
    use argon2::PasswordHasher as _;
    use argon2::{Algorithm, Argon2, Params, Version};
    let params = Params::new(8 * 1024, 1, 1, None).unwrap();
    let hash: argon2::password_hash::phc::PasswordHash =
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(password.as_bytes(), b"0123456789abcdef")
            .unwrap();
    hash.to_string()
}

#[tokio::test]
async fn the_page_says_where_a_browser_would_drop_the_cookie() {
    let world = World::new().await;
    // The console of this world is known by a name behind TLS.
    let page = world.send("GET", "/sign-in", &[], "").await;
    assert!(!page.body.contains("over plain HTTP"));
    let plain = World::in_clear().await;
    for (host, insecure) in [
        ("127.0.0.1:8080", false),
        ("localhost:8080", false),
        ("hallpass.example.com:8080", true),
        ("192.0.2.7:8080", true),
    ] {
        let page = plain.send("GET", "/sign-in", &[("host", host)], "").await;
        assert_eq!(page.body.contains("over plain HTTP"), insecure, "{host}");
    }
}

#[tokio::test]
async fn the_same_address_in_two_workspaces_is_two_accounts() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    world.pass(SignedDuration::from_secs(1));
    let other = world.person("Other", "ann@example.com", None).await;
    choose(&world, &other).await;
    // One that is older and never chose a password is in nobody's way.
    world.person("Third", "eve@example.com", None).await;
    world.pass(SignedDuration::from_secs(1));
    let eve = world.person("Other", "eve@example.com", None).await;
    choose(&world, &eve).await;
    let entered = sign_in(&world, "eve@example.com", PASSWORD).await;
    assert_eq!(entered.status, 303);
    let page = world.send("GET", "/sign-in?workspace=Other", &[], "").await;
    assert!(page.body.contains("name=\"workspace\" value=\"Other\""));
    for (workspace, expected) in [("Other", "Other"), ("Main", "Main"), ("", "Main")] {
        let form = format!("email=ann@example.com&password={PASSWORD}&workspace={workspace}");
        let entered = post(&world, "/sign-in", &form, &[]).await;
        let cookie = entered.header("set-cookie").split(';').next().unwrap();
        let cookie = [("cookie", cookie)];
        let page = world.send("GET", "/console/account", &cookie, "").await;
        let here = format!("<dd>{expected}</dd>");
        assert!(page.body.contains(&here), "{workspace}");
    }
    let form = format!("email=ann@example.com&password={PASSWORD}&workspace=None");
    assert_eq!(post(&world, "/sign-in", &form, &[]).await.status, 422);
}
