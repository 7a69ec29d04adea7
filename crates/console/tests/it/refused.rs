//! What somebody signed in is told instead of a page stands inside their navigation.

use crate::world::World;

/// What is refused to somebody without a role, or is not there: the method, the address, the status,
/// words of the answer, and the place that is marked in the navigation. Nobody is shown one that is closed.
const TOLD: [(&str, &str, u16, &str, &str); 7] = [
    ("GET", "/nowhere", 404, "There is no page here", ""),
    (
        "GET",
        "/console/credentials/nobody",
        404,
        "That is not there",
        "Credentials",
    ),
    ("GET", "/console/users/new", 403, "takes the permission", ""),
    (
        "GET",
        "/setup/0000000000000000",
        404,
        "This link does not work",
        "",
    ),
    (
        "GET",
        "/doc/things/operations/Nothing",
        404,
        "no such operation",
        "Documentation",
    ),
    ("DELETE", "/console/account", 405, "cannot be done here", ""),
    (
        "POST",
        "/console/account/password",
        403,
        "not from your session",
        "",
    ),
];

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn a_refusal_stands_inside_the_navigation_of_whoever_is_signed_in() {
    let world = World::new().await;
    let olga = world.person("Main", "olga@example.com", None).await;
    let browser = world.browser(&olga).await;
    for (method, path, status, words, place) in TOLD {
        let headers = [("cookie", browser.cookie()), FORM];
        let answer = world.send(method, path, &headers, "").await;
        let body = &answer.body;
        assert_eq!(answer.status, status, "{path}");
        assert!(body.contains(words), "{path}: {body}");
        assert!(body.contains("Sign out"), "{path}: {body}");
        assert!(!body.contains("Sign in"), "{path}: {body}");
        let length = answer.header("content-length");
        assert_eq!(length, body.len().to_string(), "{path}");
        let current = format!("aria-current=\"page\">{place}</a>");
        let is_marked = body.contains("aria-current");
        assert_eq!(is_marked, !place.is_empty(), "{path}: {body}");
        assert!(!is_marked || body.contains(&current), "{path}: {body}");
    }
}

#[tokio::test]
async fn strangers_are_told_the_same_without_one() {
    let world = World::new().await;
    let olga = world.person("Main", "olga@example.com", None).await;
    let browser = world.browser(&olga).await;
    let ended = world.submit(&browser, "/sign-out", &[]).await;
    assert_eq!(ended.status, 303);
    let twice = format!("{0}; {0}", browser.cookie());
    for cookie in ["a=b", browser.cookie(), twice.as_str()] {
        let headers = [("cookie", cookie)];
        let answer = world.send("GET", "/nowhere", &headers, "");
        let answer = answer.await;
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains("There is no page here"));
        assert!(answer.body.contains("Sign in"), "{}", answer.body);
        assert!(!answer.body.contains("olga@"), "{}", answer.body);
    }
}

/// What a notice says besides its page, the browser needs as before.
#[tokio::test]
async fn the_headers_of_a_refusal_stay() {
    let world = World::new().await;
    let olga = world.person("Main", "olga@example.com", None).await;
    let browser = world.browser(&olga).await;
    let headers = [("cookie", browser.cookie())];
    let answer = world.send("PUT", "/console/account", &headers, "").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), "GET,HEAD");
    assert_eq!(answer.header("cache-control"), "no-store");
}
