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
