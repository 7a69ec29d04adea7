//! One's own second factor over REST: the same as on the pages, for the session of whoever it is about.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::second_factor::code;
use crate::sign_in::{PASSWORD, choose};
use crate::world::{Answer, Browser, World};

const PATH: &str = "/workspaces/v1/account/second-factor";

/// What takes password and code.
const PROVED: [&str; 3] = ["/confirm", "/recovery-codes", "/remove"];

fn proof(password: &str, code: &str) -> String {
    json!({"currentPassword": password, "code": code}).to_string()
}

async fn state(world: &World, browser: &Browser) -> Value {
    let told = world.script(browser, "GET", PATH, None).await;
    assert_eq!(told.status, 200, "{}", told.body);
    told.json()
}

async fn prove(world: &World, by: &Browser, what: &str, password: &str, code: &str) -> Answer {
    let body = proof(password, code);
    let path = format!("{PATH}{what}");
    world.script(by, "POST", &path, Some(&body)).await
}

/// Begins in that browser; gives the secret as it is typed into an app.
async fn begin(world: &World, browser: &Browser) -> String {
    let begun = world.script(browser, "POST", PATH, None).await;
    assert_eq!(begun.status, 201, "{}", begun.body);
    begun.json()["secret"].as_str().unwrap().to_owned()
}

fn codes(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    let codes = told["recoveryCodes"].as_array().unwrap().iter();
    codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

async fn asks_for_a_code(world: &World) -> bool {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let form = format!("email=ann@example.com&password={PASSWORD}");
    let answer = world.send("POST", "/sign-in", &[kind], &form).await;
    assert_eq!(answer.status, 303);
    answer.header("location").starts_with("/sign-in/code")
}

#[tokio::test]
async fn it_is_set_up_confirmed_renewed_and_removed() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let (here, elsewhere) = (world.browser(&ann).await, world.browser(&ann).await);
    let off = json!({"state": "off", "since": null, "recoveryCodes": 0});
    assert_eq!(state(&world, &here).await, off);
    for what in PROVED {
        let nothing = prove(&world, &here, what, PASSWORD, "000000").await;
        assert_eq!(nothing.refusal().0, 409, "{what}: {}", nothing.body);
    }

    let forgotten = begin(&world, &here).await;
    let begun = world.script(&here, "POST", PATH, None).await.json();
    let key = begun["secret"].as_str().unwrap();
    assert_ne!(key, forgotten, "another one in its place");
    let uri = begun["otpauthUri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/Hallpass:ann%40example%2Ecom?"));
    assert!(uri.contains(&format!("secret={key}&issuer=Hallpass")));
    assert_eq!(begun["confirmBefore"], "2023-11-14T22:43:20Z");
    assert_eq!(state(&world, &here).await["state"], "unconfirmed");
    assert!(
        !asks_for_a_code(&world).await,
        "half of it asks for nothing"
    );

    let good = code(key, world.now());
    for (password, code, words) in [
        ("another one", good.as_str(), "the password is not right"),
        (PASSWORD, "000000", "the code is not right"),
        (
            PASSWORD,
            &code(&forgotten, world.now()),
            "the code is not right",
        ),
    ] {
        let refused = prove(&world, &here, "/confirm", password, code).await;
        let expected = (422, "HPE_GL_ERROR_UNPROCESSABLE_ENTITY".to_owned());
        assert_eq!(refused.refusal(), expected);
        assert!(refused.body.contains(words), "{}", refused.body);
    }
    let first = codes(&prove(&world, &here, "/confirm", PASSWORD, &good).await);
    assert_eq!(first.len(), 10);
    assert!(asks_for_a_code(&world).await);
    assert_eq!(
        world.script(&elsewhere, "GET", PATH, None).await.status,
        401
    );
    let on = json!({"state": "on", "since": "2023-11-14T22:13:20Z", "recoveryCodes": 10});
    assert_eq!(state(&world, &here).await, on);
    assert_eq!(
        world.script(&here, "POST", PATH, None).await.refusal().0,
        409
    );

    // A wrong password uses no code up; a code is good once.
    let wrong = prove(&world, &here, "/recovery-codes", "another one", &first[0]).await;
    assert_eq!(wrong.refusal().0, 422);
    let second = codes(&prove(&world, &here, "/recovery-codes", PASSWORD, &first[0]).await);
    assert_eq!(
        (
            second.len(),
            state(&world, &here).await["recoveryCodes"].clone()
        ),
        (10, json!(10))
    );
    for used in [&first[1], &good] {
        let refused = prove(&world, &here, "/remove", PASSWORD, used).await;
        assert_eq!(refused.refusal().0, 422);
        assert!(
            refused
                .body
                .contains("the password or the code is not right")
        );
    }
    world.pass(SignedDuration::from_secs(60));
    let next = code(key, world.now());
    let gone = prove(&world, &here, "/remove", PASSWORD, &next).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    assert_eq!(state(&world, &here).await, off);
    assert!(!asks_for_a_code(&world).await);
    let audit = world.audit().await;
    for did in [
        "switched a second factor on",
        "made new recovery codes",
        "switched the second factor off",
    ] {
        let message = format!("ann@example.com {did}");
        assert!(
            audit.iter().any(|stored| stored.event.message == message),
            "{did}"
        );
    }
}

#[tokio::test]
async fn no_token_and_no_other_site_touches_it() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let here = world.browser(&ann).await;
    let key = begin(&world, &here).await;
    let good = code(&key, world.now());
    let (token, body) = (world.token_of(&ann).await, proof(PASSWORD, &good));
    let mut tried = vec![("GET", PATH.to_owned()), ("POST", PATH.to_owned())];
    tried.extend(PROVED.map(|what| ("POST", format!("{PATH}{what}"))));
    for (method, path) in &tried {
        let by_program = world.call(method, path, &token, Some(&body)).await;
        assert_eq!(by_program.refusal().0, 403, "{method} {path}");
        assert!(
            by_program.body.contains("no token does this"),
            "{method} {path}"
        );
        let stranger = world.send(method, path, &[], "").await;
        assert_eq!(stranger.refusal().0, 401, "{method} {path}");
        if *method == "POST" {
            let json = ("content-type", "application/json");
            let cookie = ("cookie", World::parts(&here).0);
            let forged = world.send(method, path, &[cookie, json], &body).await;
            assert_eq!(forged.refusal().0, 403, "{path}");
        }
    }
    assert_eq!(state(&world, &here).await["state"], "unconfirmed");
    let odd = world
        .script(
            &here,
            "POST",
            &format!("{PATH}/confirm"),
            Some(&format!("[\"{PASSWORD}\"]")),
        )
        .await;
    assert_eq!(odd.refusal().0, 400);
    assert!(!odd.body.contains(PASSWORD), "{}", odd.body);
    assert_eq!(
        prove(&world, &here, "/confirm", PASSWORD, &good)
            .await
            .status,
        200,
        "still good"
    );
}

/// Pages and REST share the tries.
#[tokio::test]
async fn guessing_has_an_end() {
    let world = World::new().await;
    let ann = world.administrator().await;
    choose(&world, &ann).await;
    let here = world.browser(&ann).await;
    let key = begin(&world, &here).await;
    let first = code(&key, world.now());
    codes(&prove(&world, &here, "/confirm", PASSWORD, &first).await);
    for _ in 0..10 {
        let wrong = prove(&world, &here, "/remove", PASSWORD, "000000").await;
        assert_eq!(wrong.refusal().0, 422);
    }
    world.pass(SignedDuration::from_secs(30));
    let good = code(&key, world.now());
    let late = prove(&world, &here, "/remove", PASSWORD, &good).await;
    assert_eq!(late.refusal().0, 429, "{}", late.body);
    assert!(late.header("retry-after").parse::<u32>().unwrap() > 0);
    let page = "/console/account/second-factor/off";
    let fields = [("password", PASSWORD), ("code", good.as_str())];
    assert_eq!(world.submit(&here, page, &fields).await.status, 429);
    world.pass(SignedDuration::from_secs(60));
    let good = code(&key, world.now());
    let gone = prove(&world, &here, "/remove", PASSWORD, &good).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
}
