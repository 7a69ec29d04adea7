//! The documentation's pages, and our own document held against what the console answers.

use hallpass_openapi::Definition;

use crate::world::World;

#[tokio::test]
async fn a_definition_is_listed_searched_and_read() {
    let world = World::new().await;
    let get = async |path: &str| world.send("GET", path, &[], "").await;
    assert_eq!(get("/doc").await.header("location"), "/doc/");
    for address in ["/console", "/console/", "/console/credentials/"] {
        let led = get(address).await;
        assert_eq!(led.header("location"), "/console/credentials", "{address}");
    }
    let shelf = get("/doc/").await;
    assert!(
        shelf.body.contains("href=\"/doc/things/\"") && shelf.body.contains("Things &#38; more")
    );

    let page = get("/doc/things/").await;
    assert!(page.body.contains("2 operations"));
    assert!(
        page.body
            .contains("https://sso.example.com/as/token.oauth2")
    );
    assert!(page.body.contains("href=\"/doc/things.yaml\""));
    // The addresses of this server come before those that the definition names.
    let (_, servers) = page.body.split_once("<h2>Servers</h2>").unwrap();
    let (ours, others) = servers.split_once("The definition names others").unwrap();
    assert!(ours.contains("( US West )") && !ours.contains("elsewhere"));
    assert!(others.contains("https://elsewhere.example.com"));
    let found = get("/doc/things/?q=MAKE+post").await.body;
    assert!(found.contains("1 of 2 operations") && found.contains("/operations/makeThing"));
    assert!(!found.contains("/operations/list%20things"));
    let none = get("/doc/things/?q=%3Cb%3E").await.body;
    assert!(none.contains("No operation holds these words") && !none.contains("<b>"));

    let operation = get("/doc/things/operations/makeThing").await.body;
    for part in [
        "<code>thing.create</code>",
        "<strong>bold</strong>",
        "&#60;img src=x&#62;",
        "<code>name</code> <span class=\"badge quiet\">required</span>",
        "at least 3",
        "Example of the body",
        "Answer 201",
    ] {
        assert!(operation.contains(part), "{part}: {operation}");
    }
    assert!(!operation.contains("<img src=x"));
    let listed = get("/doc/things/operations/list%20things").await;
    assert_eq!(listed.status, 200);
    assert_eq!(get("/doc/things/operations/nothing").await.status, 404);
}

#[tokio::test]
async fn an_address_without_its_slash_leads_to_the_definition() {
    let world = World::new().await;
    let answer = world.send("GET", "/doc/things", &[], "").await;
    let found = (answer.status.as_u16(), answer.header("location"));
    assert_eq!(found, (303, "/doc/things/"));
}

#[tokio::test]
async fn whoever_is_signed_in_keeps_the_navigation() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let page = world.open(&browser, "/doc/").await.body;
    assert!(page.contains("aria-current=\"page\">Documentation"));
    let stranger = world.send("GET", "/doc/", &[], "").await.body;
    assert!(!stranger.contains("Sign out"));
}

fn document() -> Definition {
    let document = hallpass_console::document("https://sso.example.com/as/token.oauth2");
    let reading = Definition::read(&document.to_json().unwrap()).unwrap();
    reading.definition
}

/// Every address of the document takes exactly the methods that the document has for it.
#[tokio::test]
async fn the_router_takes_what_the_document_says() {
    let world = World::new().await;
    let definition = document();
    assert!(!definition.operations().is_empty());
    for operation in definition.operations() {
        let path = filled(operation.path());
        let refused = world.send("TRACE", &path, &[], "").await;
        assert_eq!(refused.status, 405, "{path} is no address");
        let mut taken: Vec<&str> = refused.header("allow").split(',').map(str::trim).collect();
        taken.retain(|method| *method != "HEAD");
        taken.sort_unstable();
        let same = definition.operations().iter();
        let same = same.filter(|other| other.path() == operation.path());
        let mut said: Vec<&str> = same.map(|other| other.method().as_str()).collect();
        said.sort_unstable();
        assert_eq!(taken, said, "{path}");
    }
}

/// A stranger is refused at every operation, in the shape that the document has for it.
#[tokio::test]
async fn refusals_keep_to_the_document() {
    let world = World::new().await;
    let definition = document();
    for operation in definition.operations() {
        let path = filled(operation.path());
        let refused = world
            .send(operation.method().as_str(), &path, &[], "")
            .await;
        assert_eq!(refused.status, 401, "{path}");
        let wrong = definition.check_response(operation, 401, &refused.json());
        assert!(wrong.is_empty(), "{path}: {wrong:?}");
    }
}

/// What somebody signed in may read without a permission on the platform is what the document says.
#[tokio::test]
async fn the_document_says_what_takes_no_permission() {
    let world = World::new().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let browser = world.browser(&bob).await;
    let definition = document();
    let mut open = 0;
    for operation in definition.operations() {
        if operation.method() != "GET" {
            continue;
        }
        let declared = definition.document().pointer(operation.pointer()).unwrap();
        let mut ways = declared["security"].as_array().unwrap().iter();
        let in_session = ways.find_map(|way| way["session"].as_array()).unwrap();
        let path = filled(operation.path());
        let answer = world.script(&browser, "GET", &path, None).await;
        assert_eq!(answer.status != 403, in_session.is_empty(), "{path}");
        open += usize::from(in_session.is_empty());
    }
    assert!(open > 3, "{open}");
}

/// What an administrator's token gets from everything that only reads keeps to the schemas.
#[tokio::test]
async fn answers_keep_to_the_document() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let definition = document();
    let mut checked = 0;
    for operation in definition.operations() {
        if operation.method() != "GET" {
            continue;
        }
        let path = filled(operation.path());
        let answer = world.get(&path, &token).await;
        let status = answer.status.as_u16();
        let declared = operation.responses().iter();
        let mut declared = declared.filter(|(known, _)| *known == status.to_string());
        assert!(
            declared.next().is_some(),
            "{path} answers {status}: {}",
            answer.body
        );
        // A file is a text, whatever stands in it.
        let body = if path.contains("/export.") {
            serde_json::Value::String(answer.body.clone())
        } else {
            answer.json()
        };
        let wrong = definition.check_response(operation, status, &body);
        assert!(wrong.is_empty(), "{path}: {wrong:?}\n{}", answer.body);
        checked += usize::from(status == 200);
    }
    assert!(checked > 0);
}

/// An address with an id in each place that wants one.
fn filled(template: &str) -> String {
    let parts = template.split('/').map(|part| {
        if part.starts_with('{') {
            "00cfff70-86ab-4f66-8245-1eb054639c38"
        } else {
            part
        }
    });
    parts.collect::<Vec<_>>().join("/")
}
