//! The start page and what it refers to.

use crate::world::World;

#[tokio::test]
async fn the_start_page_tells_where_everything_is() {
    let world = World::new().await;
    let page = world.send("GET", "/", &[], "").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    // Addresses may be broken over lines behind a slash.
    let body = page.body.replace("<wbr>", "");
    for text in [
        "https://sso.example.com/as/token.oauth2",
        "https://console.example.com/workspaces/v1/credentials",
        "https://sso.example.com/.well-known/jwks.json",
        "https://us1.example.com",
        "Data Services Cloud Console ( US West )",
        "README",
    ] {
        assert!(body.contains(text), "{text}");
    }
    assert!(!page.body.contains("<script>"));
    let wrong = world.send("POST", "/", &[], "").await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.header("allow")),
        (405, "GET,HEAD")
    );
}

#[tokio::test]
async fn assets_may_be_kept_for_ever_and_are_there_under_the_names_in_the_page() {
    let world = World::new().await;
    let page = world.send("GET", "/", &[], "").await;
    let names: Vec<&str> = page
        .body
        .split('"')
        .filter(|text| text.starts_with("/assets/"))
        .collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        let asset = world.send("GET", name, &[], "").await;
        assert_eq!(asset.status, 200, "{name}");
        assert!(
            asset.header("cache-control").contains("immutable"),
            "{name}"
        );
        let kind = asset.header("content-type");
        let right = match name.rsplit('.').next() {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(kind, right, "{name}");
    }
}

#[tokio::test]
async fn the_start_page_leads_whoever_is_signed_in_to_a_credential() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let (create, command) = (
        "href=\"/console/credentials/new\"",
        "hallpass admin user create",
    );
    let stranger = world.send("GET", "/", &[], "").await.body;
    assert!(stranger.contains(command) && !stranger.contains(create));
    assert!(!stranger.contains("--workspace"));
    let browser = world.browser(&ann).await;
    let hers = world.open(&browser, "/").await.body;
    assert!(hers.contains(create) && !hers.contains(command), "{hers}");

    // One of several workspaces has to be named; which there are is nothing for strangers.
    world.workspace("Laboratory").await;
    let stranger = world.send("GET", "/", &[], "").await.body;
    assert_eq!(stranger.matches("--workspace <var>NAME</var>").count(), 2);
    assert!(!stranger.contains("Laboratory"));
}
