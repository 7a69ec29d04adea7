//! The set-up page: one link, one password, once.

use hallpass_access::Role;
use hallpass_console::SETUP_PATH;
use hallpass_console::password::verify;
use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use jiff::SignedDuration;

use crate::world::{Answer, World, logged};

const PASSWORD: &str = "correct horse battery & staple";
const ENCODED: &str =
    "password=correct+horse+battery+%26+staple&again=correct+horse+battery+%26+staple";

/// Every byte in the data directory, as text.
pub(crate) fn everything_on_disk(world: &World) -> String {
    let files = std::fs::read_dir(world.folder.path()).unwrap();
    files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect()
}

async fn invite(world: &World) -> (String, String) {
    let ann = world.administrator().await;
    let secret = world.setup_link(&ann).await.expose().to_owned();
    (format!("{SETUP_PATH}{secret}"), secret)
}

async fn post(world: &World, path: &str, form: &str, more: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(more);
    world.send("POST", path, &headers, form).await
}

async fn open(world: &World, path: &str) -> Answer {
    world.send("GET", path, &[], "").await
}

#[tokio::test]
async fn a_new_person_chooses_a_password_once() {
    let world = World::new().await;
    let (path, secret) = invite(&world).await;
    for _ in 0..2 {
        let page = open(&world, &path).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("value=\"ann@example.com\""));
        assert!(
            !page.body.contains(&secret),
            "the page must not repeat the link"
        );
        assert!(page.body.contains("<html lang=\"en\">"));
        assert!(!page.body.contains("<script>") && !page.body.contains("style=\""));
        for field in ["email", "password", "again"] {
            assert!(page.body.contains(&format!("<label for=\"{field}\">")));
            assert!(page.body.contains(&format!("<input id=\"{field}\"")));
        }
    }

    let done = post(&world, &path, ENCODED, &[]).await;
    assert_eq!(
        (done.status.as_u16(), done.header("location")),
        (303, "/console/credentials"),
        "{}",
        done.body
    );
    let cookie = done.header("set-cookie").split(';').next().unwrap();
    let start = world.send("GET", "/", &[("cookie", cookie)], "").await;
    assert!(start.body.contains("Sign out"), "signed in at once");

    for answer in [
        post(&world, &path, ENCODED, &[]).await,
        open(&world, &path).await,
    ] {
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains("ask your administrator for a new one"));
        assert!(!answer.body.contains("ann@example.com"));
    }

    let events = world.audit().await;
    let chosen = events
        .iter()
        .filter(|stored| stored.event.message == "ann@example.com chose a password");
    assert_eq!(chosen.count(), 1);
    assert!(!format!("{events:?}").contains(&secret));

    world.store.close().await;
    let disk = everything_on_disk(&world);
    assert!(!disk.contains(PASSWORD) && !disk.contains(&secret));
    let stored = stored_hash(&disk);
    assert!(verify(&Secret::from(PASSWORD.to_owned()), &stored));
    assert!(!verify(&Secret::from("another one".to_owned()), &stored));
}

/// The PHC string in the bytes of the database: its last two parts are base64 of fixed length.
fn stored_hash(disk: &str) -> String {
    let begin = disk.find("$argon2id$v=19$m=19456,t=2,p=1$").unwrap();
    let rest = &disk[begin..];
    let parts: Vec<&str> = rest.splitn(6, '$').collect();
    assert_eq!(parts[4].len(), 22, "a salt of 16 bytes");
    format!("${}", parts[1..5].join("$")) + "$" + &parts[5][..43]
}

#[tokio::test]
async fn an_unsuitable_password_is_explained_and_the_link_stays_good() {
    let world = World::new().await;
    let (path, _) = invite(&world).await;
    let long = "x".repeat(129);
    for (first, second, words) in [
        ("", "", "Type the password in both fields."),
        ("elevenchars", "elevenchars", "fewer than 12 characters"),
        (&long, &long, "more than 128 characters"),
        ("twelve chars", "twelve cHars", "The two passwords differ"),
        (
            "Ann@Example.com",
            "Ann@Example.com",
            "is the e-mail address",
        ),
    ] {
        let form = format!("password={first}&again={second}");
        let answer = post(&world, &path, &form, &[]).await;
        assert_eq!(answer.status, 422, "{form}");
        assert!(answer.body.contains("role=\"alert\""));
        assert!(answer.body.contains(words), "{form}: {}", answer.body);
        assert!(answer.body.contains("aria-invalid=\"true\""));
        if !first.is_empty() && !words.contains("e-mail") {
            assert!(!answer.body.contains(first), "no password comes back");
        }
    }
    let common = "password=Password2026%21&again=Password2026%21";
    let answer = post(&world, &path, common, &[]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("everybody tries first"));
    let composed_of_two_characters = format!("password={0}&again={0}", "ab".repeat(6));
    let answer = post(&world, &path, &composed_of_two_characters, &[]).await;
    assert_eq!(answer.status, 303);
}

#[tokio::test]
async fn used_expired_and_invented_links_look_the_same() {
    let world = World::new().await;
    let (path, _) = invite(&world).await;
    let (used, _) = {
        let bob = world.person("Main", "bob@example.com", None).await;
        let secret = world.setup_link(&bob).await.expose().to_owned();
        let path = format!("{SETUP_PATH}{secret}");
        assert_eq!(post(&world, &path, ENCODED, &[]).await.status, 303);
        (path, secret)
    };
    world.pass(SignedDuration::from_hours(72));
    let mut bodies = Vec::new();
    for path in [&path, &used, "/setup/0123456789abcdef", "/setup/%FF%00"] {
        for answer in [
            open(&world, path).await,
            post(&world, path, ENCODED, &[]).await,
        ] {
            assert_eq!(answer.status, 404, "{path}");
            bodies.push(answer.body);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);

    // Guessing does not go unseen.
    let events = world.audit().await;
    let refused = events
        .iter()
        .find(|stored| stored.event.message == "Set-up link refused")
        .unwrap();
    assert_eq!(
        (refused.event.count, refused.event.source_ip.as_str()),
        (8, "127.0.0.1")
    );
}

#[tokio::test]
async fn forms_from_other_sites_are_refused() {
    let world = World::new().await;
    let (path, _) = invite(&world).await;
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("origin", "https://evil.example")],
    ] {
        let answer = post(&world, &path, ENCODED, &headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    let home = format!("http://{}", world.host());
    let headers = [("sec-fetch-site", "same-origin"), ("origin", home.as_str())];
    assert_eq!(post(&world, &path, ENCODED, &headers).await.status, 303);
}

#[tokio::test]
async fn what_is_no_form_of_ours_changes_nothing() {
    let world = World::new().await;
    let (path, _) = invite(&world).await;
    let json = [("content-type", "application/json")];
    let answer = world.send("POST", &path, &json, ENCODED).await;
    assert_eq!(answer.status, 400);
    let twice = format!("{ENCODED}&password=another+password");
    assert_eq!(post(&world, &path, &twice, &[]).await.status, 400);
    let long = format!("{ENCODED}&x={}", "x".repeat(16 * 1024));
    assert_eq!(post(&world, &path, &long, &[]).await.status, 400);
    let answer = world.send("PUT", &path, &[], "").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    assert_eq!(open(&world, &path).await.status, 200);
}

#[tokio::test]
async fn of_many_posts_at_once_one_wins() {
    let world = std::sync::Arc::new(World::new().await);
    let (path, _) = invite(&world).await;
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (world, path) = (world.clone(), path.clone());
        posts.spawn(async move { post(&world, &path, ENCODED, &[]).await.status.as_u16() });
    }
    let mut answers = posts.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [303, 404, 404, 404, 404, 404]);
}

#[tokio::test]
async fn a_failing_store_is_a_page_that_says_to_try_again() {
    let world = World::new().await;
    let (path, secret) = invite(&world).await;
    world.store.close().await;
    for answer in [
        open(&world, &path).await,
        post(&world, &path, ENCODED, &[]).await,
    ] {
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), "1");
        assert!(answer.body.contains("your link is still good"));
        assert!(!answer.body.to_lowercase().contains("database"));
    }
    assert!(logged().contains("a set-up page failed"));
    assert!(!logged().contains(&secret));
}

#[tokio::test]
async fn the_log_never_holds_link_or_password() {
    let world = World::new().await;
    let (path, secret) = invite(&world).await;
    tracing::info!("the log is read");
    open(&world, &path).await;
    post(&world, &path, "password=short+secret&again=differs", &[]).await;
    post(&world, &path, ENCODED, &[]).await;
    post(&world, &path, ENCODED, &[]).await;
    let text = logged();
    assert!(text.contains("the log is read"));
    for hidden in [
        secret.as_str(),
        PASSWORD,
        "short secret",
        "correct+horse",
        "argon2id",
    ] {
        assert!(!text.contains(hidden), "{hidden}");
    }
}

async fn start_link(world: &World) -> Option<String> {
    let links = world.store.setup_links();
    let made = links.issue_at_start(world.now(), &mut SystemRandom).await;
    made.unwrap().map(|link| link.secret.expose().to_owned())
}

#[tokio::test]
async fn whoever_opens_the_link_of_the_first_start_becomes_the_administrator() {
    let world = World::new().await;
    world.workspace("Main").await;
    let secret = start_link(&world).await.unwrap();
    let path = format!("{SETUP_PATH}{secret}");
    let page = open(&world, &path).await;
    assert!(page.body.contains("Make the first administrator"));
    assert!(page.body.contains("<strong>Main</strong>"));

    for (email, words) in [("", "Type an e-mail"), ("ann", "Type an e-mail")] {
        let form = format!("{ENCODED}&email={email}");
        let refused = post(&world, &path, &form, &[]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains(words), "{}", refused.body);
    }
    let short = "password=short&again=short&email=ann%40example.com";
    let refused = post(&world, &path, short, &[]).await;
    assert!(refused.body.contains("value=\"ann@example.com\""), "kept");
    assert!(world.store.people().list().is_empty());

    let form = format!("{ENCODED}&email=ann%40example.com");
    let entered = post(&world, &path, &form, &[]).await;
    assert_eq!(entered.status, 303);
    assert!(entered.header("set-cookie").starts_with("__Host-hallpass="));
    let ann = world.store.people().find("ann@example.com", None).unwrap();
    assert_eq!(ann.roles, [(None, Role::Administrator.into())]);

    assert_eq!(post(&world, &path, &form, &[]).await.status, 404);
    assert_eq!(open(&world, &path).await.status, 404);
    assert!(start_link(&world).await.is_none(), "nobody needs one now");
}

#[tokio::test]
async fn of_many_first_administrators_one_is_made() {
    let world = std::sync::Arc::new(World::new().await);
    world.workspace("Main").await;
    let path = format!("{SETUP_PATH}{}", start_link(&world).await.unwrap());
    let mut posts = tokio::task::JoinSet::new();
    for person in 0..4 {
        let (world, path) = (world.clone(), path.clone());
        let form = format!("{ENCODED}&email={person}%40example.com");
        posts.spawn(async move { post(&world, &path, &form, &[]).await.status.as_u16() });
    }
    let mut answers = posts.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [303, 404, 404, 404]);
    assert_eq!(world.store.people().list().len(), 1);
}

#[tokio::test]
async fn an_administrator_without_a_password_gets_a_link_besides_their_own() {
    let world = World::new().await;
    let (path, _) = invite(&world).await;
    world.pass(SignedDuration::from_secs(1));
    world
        .person("Main", "bob@example.com", Some(Role::Administrator))
        .await;
    let first = format!("{SETUP_PATH}{}", start_link(&world).await.unwrap());
    let second = format!("{SETUP_PATH}{}", start_link(&world).await.unwrap());
    assert_eq!(
        open(&world, &first).await.status,
        404,
        "one start, one link"
    );
    for good in [&second, &path] {
        let page = open(&world, good).await;
        assert!(
            page.body.contains("value=\"ann@example.com\""),
            "the oldest"
        );
    }
    assert_eq!(post(&world, &second, ENCODED, &[]).await.status, 303);
    assert_eq!(
        open(&world, &path).await.status,
        404,
        "nobody chooses again"
    );
    assert!(start_link(&world).await.is_none());
}

#[tokio::test]
async fn the_link_of_the_start_ends_when_an_administrator_comes_another_way_and_with_time() {
    let world = World::new().await;
    world.workspace("Main").await;
    let path = format!("{SETUP_PATH}{}", start_link(&world).await.unwrap());
    world.person("Main", "eve@example.com", None).await;
    assert_eq!(open(&world, &path).await.status, 200, "no administrator");
    let taken = format!("{ENCODED}&email=EVE%40example.com");
    let refused = post(&world, &path, &taken, &[]).await;
    assert!(refused.body.contains("has this e-mail address already"));
    let tenant = Some(Role::Administrator);
    world.person("Tenant", "tom@example.com", tenant).await;
    assert_eq!(open(&world, &path).await.status, 200, "of a tenant only");
    world.administrator().await;
    assert_eq!(open(&world, &path).await.status, 404);
    assert_eq!(post(&world, &path, &taken, &[]).await.status, 404);
    let secret = Secret::from(path.strip_prefix(SETUP_PATH).unwrap().to_owned());
    let taken = world.store.setup_links().take_first(&secret).await;
    assert!(!taken.unwrap(), "nor for a request that was under way");

    let world = World::new().await;
    world.workspace("Main").await;
    let path = format!("{SETUP_PATH}{}", start_link(&world).await.unwrap());
    world.pass(SignedDuration::from_hours(24));
    assert_eq!(open(&world, &path).await.status, 404);
}

/// A new password by a link is what an administrator gives to somebody whose account is in wrong hands.
#[tokio::test]
async fn a_link_ends_the_sessions_and_leaves_the_second_factor() {
    let world = World::new().await;
    let ann = world.administrator().await;
    crate::sign_in::choose(&world, &ann).await;
    let shared = crate::second_factor::switched_on(&world, &ann).await;
    let thief = world.browser(&ann).await;
    let path = format!("{SETUP_PATH}{}", world.setup_link(&ann).await.expose());
    world.pass(SignedDuration::from_secs(60));
    let entered = post(&world, &path, ENCODED, &[]).await;
    assert_eq!(
        entered.header("location"),
        "/sign-in/code?to=%2Fconsole%2Fcredentials"
    );
    assert!(!world.open(&thief, "/").await.body.contains("Sign out"));
    let step = entered.header("set-cookie").split(';').next().unwrap();
    assert!(step.starts_with("__Host-hallpass-code="));
    let code = crate::second_factor::code(&shared, world.now());
    let form = format!("code={code}");
    let entered = post(&world, "/sign-in/code", &form, &[("cookie", step)]).await;
    assert_eq!(entered.header("location"), "/console/credentials");
}
