//! The second factor: from switching it on to having lost the device.

use hallpass_oauth::random::SystemRandom;
use hallpass_store::Person;
use jiff::{SignedDuration, Timestamp};
use totp_rs::{Builder, Secret};

use crate::sign_in::{PASSWORD, choose};
use crate::world::{Answer, Browser, World};

const PATH: &str = "/console/account/second-factor";

/// What an authenticator app shows.
pub(crate) fn code(key: &str, now: Timestamp) -> String {
    let secret = Secret::try_from_base32(key.replace(' ', "")).unwrap();
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    totp.generate(now.as_second().unsigned_abs()).to_string()
}

/// The text between two marks of a page.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect(before);
    rest.split_once(after).unwrap().0
}

/// Begins the set-up in that browser; gives the key that the page shows.
async fn begin(world: &World, browser: &Browser) -> String {
    let begun = world.submit(browser, &format!("{PATH}/begin"), &[]).await;
    assert_eq!(begun.header("location"), PATH, "{}", begun.body);
    let page = world.open(browser, PATH).await;
    between(&page.body, "<code id=\"key\" data-once>", "<").to_owned()
}

/// Switches the second factor of a person on; gives the key of their device.
pub(crate) async fn switched_on(world: &World, person: &Person) -> String {
    let browser = world.browser(person).await;
    let key = begin(world, &browser).await;
    let code = code(&key, world.now());
    let on = world.submit(&browser, PATH, &[("code", &code)]).await;
    assert!(on.body.contains("The second factor is on"), "{}", on.body);
    key
}

fn recovery_codes(page: &Answer) -> Vec<String> {
    let codes = between(&page.body, "aria-label=\"Recovery codes\">", "</pre>");
    codes.lines().map(str::to_owned).collect()
}

async fn post(world: &World, path: &str, form: &str, cookie: &str) -> Answer {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let headers = [kind, ("cookie", cookie)];
    world.send("POST", path, &headers, form).await
}

/// The password, as it is typed first; gives the cookie that comes back.
async fn password(world: &World) -> String {
    let form = format!("email=ann@example.com&password={PASSWORD}&to=%2Fx");
    let asked = post(world, "/sign-in", &form, "").await;
    assert_eq!(asked.header("location"), "/sign-in/code?to=%2Fx");
    let cookie = asked.header("set-cookie");
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"));
    cookie.split(';').next().unwrap().to_owned()
}

async fn type_code(world: &World, step: &str, code: &str) -> Answer {
    post(
        world,
        "/sign-in/code",
        &format!("to=%2Fx&code={code}"),
        step,
    )
    .await
}

fn entered(answer: &Answer) -> bool {
    let (status, to) = (answer.status.as_u16(), answer.header("location"));
    let cookie = answer.header("set-cookie").starts_with("__Host-hallpass=");
    assert_eq!(cookie, (status, to) == (303, "/x"), "{answer:?}");
    cookie
}

#[tokio::test]
async fn it_is_on_when_a_code_was_right_and_then_it_is_asked_for() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let browser = world.browser(&ann).await;
    let key = begin(&world, &browser).await;
    let picture = world.open(&browser, &format!("{PATH}/picture")).await;
    assert_eq!(picture.header("content-type"), "image/svg+xml");
    assert_eq!(picture.header("cache-control"), "no-store");
    assert!(picture.body.starts_with("<svg "));

    let wrong = world.submit(&browser, PATH, &[("code", "000000")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains(&key), "the same key is confirmed");
    let form = format!("email=ann@example.com&password={PASSWORD}&to=%2Fx");
    let alone = post(&world, "/sign-in", &form, "").await;
    assert!(entered(&alone), "half of it asks for nothing");

    let first = code(&key, world.now());
    let on = world.submit(&browser, PATH, &[("code", &first)]).await;
    assert_eq!(recovery_codes(&on).len(), 10);
    let again = world.open(&browser, PATH).await;
    assert_eq!(
        again.header("location"),
        "/console/account",
        "never shown again"
    );
    let picture = world.open(&browser, &format!("{PATH}/picture")).await;
    assert_eq!(picture.status, 404);
    let begun = world.submit(&browser, &format!("{PATH}/begin"), &[]).await;
    assert_eq!(begun.header("location"), "/console/account");

    let step = password(&world).await;
    let page = world
        .send("GET", "/sign-in/code?to=%2Fx", &[("cookie", &step)], "")
        .await;
    assert!(page.body.contains("Type the code"));
    let nowhere = world
        .send("GET", "/console/account", &[("cookie", &step)], "")
        .await;
    assert_eq!(nowhere.status, 303, "a step is no session");
    let as_session = step.replace("hallpass-code", "hallpass");
    let nowhere = world
        .send("GET", "/console/account", &[("cookie", &as_session)], "")
        .await;
    assert_eq!(nowhere.status, 303);

    assert!(
        !entered(&type_code(&world, &step, &first).await),
        "used to confirm"
    );
    world.pass(SignedDuration::from_secs(30));
    let next = code(&key, world.now());
    assert!(entered(&type_code(&world, &step, &next).await));
    assert!(
        !entered(&type_code(&world, &step, &next).await),
        "the step is over"
    );
    let step = password(&world).await;
    assert!(
        !entered(&type_code(&world, &step, &next).await),
        "a code is good once"
    );
    world.pass(SignedDuration::from_secs(30));
    assert!(
        !entered(&type_code(&world, &step, &next).await),
        "and stays used"
    );
}

#[tokio::test]
async fn tries_are_few_and_the_step_is_short() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let key = switched_on(&world, &ann).await;
    world.pass(SignedDuration::from_secs(60));
    let step = password(&world).await;
    for _ in 0..5 {
        assert_eq!(type_code(&world, &step, "000000").await.status, 422);
    }
    let good = code(&key, world.now());
    let over = type_code(&world, &step, &good).await;
    assert_eq!(over.header("location"), "/sign-in?to=%2Fx");

    // The password again gives five more, and then the person's own limit is reached.
    let step = password(&world).await;
    for _ in 0..5 {
        assert_eq!(type_code(&world, &step, "000000").await.status, 422);
    }
    let step = password(&world).await;
    let limited = type_code(&world, &step, &good).await;
    assert_eq!(
        (limited.status.as_u16(), limited.header("retry-after")),
        (429, "60")
    );
    world.pass(SignedDuration::from_secs(60));
    let good = code(&key, world.now());
    assert!(entered(&type_code(&world, &step, &good).await));

    let step = password(&world).await;
    world.pass(SignedDuration::from_mins(10));
    let good = code(&key, world.now());
    assert!(!entered(&type_code(&world, &step, &good).await));
    let audit = world.audit().await;
    let refused = audit
        .iter()
        .filter(|stored| stored.event.message == "Sign-in code refused");
    let refused: Vec<_> = refused
        .map(|stored| stored.event.user_email.clone())
        .collect();
    assert!(!refused.is_empty() && refused.iter().all(|email| email == "ann@example.com"));
}

#[tokio::test]
async fn a_recovery_code_opens_once_and_new_ones_end_the_old() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let browser = world.browser(&ann).await;
    let key = begin(&world, &browser).await;
    let on = world
        .submit(&browser, PATH, &[("code", &code(&key, world.now()))])
        .await;
    let codes = recovery_codes(&on);
    let step = password(&world).await;
    let typed = codes[0].to_uppercase().replace('-', "+");
    assert!(
        entered(&type_code(&world, &step, &typed).await),
        "however it is typed"
    );
    let step = password(&world).await;
    assert!(!entered(&type_code(&world, &step, &codes[0]).await), "once");
    assert!(!entered(&type_code(&world, &step, "aaaa-bbbb-cccc").await));
    let page = world.open(&browser, "/console/account").await;
    assert!(
        page.body.contains("9 recovery codes are left"),
        "{}",
        page.body
    );

    let renew = format!("{PATH}/recovery-codes");
    world.pass(SignedDuration::from_secs(60));
    let fields = [("password", PASSWORD), ("code", "000000")];
    assert_eq!(world.submit(&browser, &renew, &fields).await.status, 422);
    let good = code(&key, world.now());
    let fields = [("password", "another one"), ("code", good.as_str())];
    assert_eq!(world.submit(&browser, &renew, &fields).await.status, 422);
    let fields = [("password", PASSWORD), ("code", good.as_str())];
    let renewed = recovery_codes(&world.submit(&browser, &renew, &fields).await);
    assert_eq!(renewed.len(), 10);
    let step = password(&world).await;
    assert!(!entered(&type_code(&world, &step, &codes[1]).await));
    assert!(entered(&type_code(&world, &step, &renewed[1]).await));

    // Nothing of it is on disk in clear.
    world.store.close().await;
    let disk = crate::setup::everything_on_disk(&world);
    let shared = Secret::try_from_base32(key.replace(' ', "")).unwrap();
    let bytes = String::from_utf8_lossy(shared.as_ref()).into_owned();
    for hidden in [renewed[2].as_str(), codes[2].as_str(), &key, &bytes] {
        assert!(!disk.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn switching_it_off_asks_for_both_and_an_administrator_can_take_it_away() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let key = switched_on(&world, &ann).await;
    let browser = world.browser(&ann).await;
    let off = format!("{PATH}/off");
    assert!(
        world
            .open(&browser, &off)
            .await
            .body
            .contains("class=\"danger\"")
    );
    world.pass(SignedDuration::from_secs(60));
    let good = code(&key, world.now());
    for fields in [
        [("password", "another one"), ("code", good.as_str())],
        [("password", PASSWORD), ("code", "000000")],
    ] {
        let refused = world.submit(&browser, &off, &fields).await;
        assert_eq!(refused.status, 422);
    }
    let fields = [("password", PASSWORD), ("code", good.as_str())];
    let done = world.submit(&browser, &off, &fields).await;
    assert_eq!(
        done.header("location"),
        "/console/account?done=second-factor-off"
    );
    assert_eq!(
        world.open(&browser, &off).await.status,
        303,
        "there is none"
    );

    switched_on(&world, &ann).await;
    let factors = world.store.second_factors();
    let (by, now) = (crate::world::local(), world.now());
    let remove = || async {
        factors
            .remove(&ann, &by, now, &mut SystemRandom)
            .await
            .unwrap()
    };
    assert!(remove().await);
    assert!(!remove().await);
    let form = format!("email=ann@example.com&password={PASSWORD}&to=%2Fx");
    assert!(entered(&post(&world, "/sign-in", &form, "").await));
    let said: Vec<_> = world
        .audit()
        .await
        .into_iter()
        .map(|e| e.event.message)
        .collect();
    for message in [
        "ann@example.com switched a second factor on",
        "ann@example.com switched the second factor off",
        "ann@example.com was freed from the second factor",
    ] {
        assert!(said.iter().any(|known| known == message), "{message}");
    }
}
