//! Nobody reaches another workspace through the console: every operation of its own OpenAPI document, and
//! every page with an id in its address, with ids of theirs, answers as for an id that nobody has.

use hallpass_access::Role;
use hallpass_store::Person;
use serde_json::Value;

use crate::world::{Answer, Browser, World};

/// What stands in the names of everything that the others have.
const MARK: &str = "classified";

/// Pages with an id in their address.
const PAGES: [&str; 23] = [
    "/console/account/sessions/{id}/end",
    "/console/workspaces/{id}",
    "/console/workspaces/{id}/delete",
    "/console/users/{id}",
    "/console/users/{id}/may",
    "/console/users/{id}/assign",
    "/console/users/{id}/take-away",
    "/console/users/{id}/setup-link",
    "/console/users/{id}/second-factor",
    "/console/users/{id}/enable",
    "/console/users/{id}/disable",
    "/console/users/{id}/remove",
    "/console/roles/{id}",
    "/console/roles/{id}/delete",
    "/console/credentials/{id}",
    "/console/credentials/{id}/change",
    "/console/credentials/{id}/token",
    "/console/credentials/{id}/reset",
    "/console/credentials/{id}/delete",
    "/console/credentials/{id}/enable",
    "/console/credentials/{id}/disable",
    "/console/credentials/{id}/sample",
    "/console/credentials/{id}/file",
];

/// Bodies that would change something where it can be changed.
const BODIES: [&str; 4] = [
    "{}",
    r#"{"name":"taken over"}"#,
    r#"{"enabled":false}"#,
    r#"{"credentialName":"taken over"}"#,
];

/// The same for pages.
const FORMS: [&[(&str, &str)]; 3] = [
    &[],
    &[
        ("name", "taken over"),
        ("save", "1"),
        ("permission", "ANY.read"),
    ],
    &[("role", "observer"), ("instance", ""), ("take_away", "1")],
];

/// What is shared by all workspaces (decision 0021).
const SHARED: &str = "/workspaces/v1/application-instances";

async fn theirs(world: &World) -> (Person, Vec<String>) {
    // They are the first, and operate the system: whoever is not one of them gains nothing by that.
    let email = format!("{MARK}@example.com");
    let role = Some(Role::Administrator);
    let ann = world.person("Main", &email, role).await;
    let issued = world.credential(&ann, "us1", MARK).await;
    world.browser(&ann).await;
    let role = world.custom_role(&ann, MARK, "volume.read").await;
    let sessions = world.store.sessions().list(ann.id, world.now()).await;
    let mut ids = vec![
        ann.id.to_string(),
        ann.workspace.to_string(),
        issued.credential.client_id.to_string(),
        role.id.to_string(),
    ];
    ids.extend(sessions.unwrap().iter().map(|one| one.id.clone()));
    (ann, ids)
}

/// An id of the same shape that nobody has.
fn unknown(id: &str) -> String {
    let other = |letter: char| match letter {
        '0'..='8' | 'a'..='e' => char::from(u8::try_from(letter).unwrap() + 1),
        letter => letter,
    };
    id.chars().map(other).collect()
}

/// An answer without what differs between two requests for different ids.
fn told(answer: &Answer, id: &str) -> (u16, String) {
    let mut text = answer.body.replace(id, "ID");
    if let Ok(Value::Object(mut body)) = serde_json::from_str(&text) {
        body.remove("debugId");
        text = Value::Object(body).to_string();
    }
    (answer.status.as_u16(), text)
}

fn filled(path: &str, id: &str) -> String {
    let segments = path.split('/');
    let filled = segments.map(|segment| {
        if segment.starts_with('{') {
            id
        } else {
            segment
        }
    });
    filled.collect::<Vec<_>>().join("/")
}

async fn send(world: &World, by: &Browser, method: &str, path: &str, body: &str) -> Answer {
    match method {
        "GET" => world.open(by, path).await,
        _ => world.script(by, method, path, Some(body)).await,
    }
}

/// Everything that the others have, as administration sees it.
fn state(world: &World, ann: &Person) -> String {
    let people = world.store.people().list();
    let people: Vec<_> = people
        .iter()
        .filter(|person| person.workspace == ann.workspace)
        .collect();
    let credentials = world.store.credentials().list(Some(ann.id));
    let workspace = world.store.workspaces().find(&ann.workspace);
    let roles = world.store.custom_roles().list(&ann.workspace);
    let roles: Vec<_> = roles.iter().map(|known| known.role.name()).collect();
    format!("{people:?} {credentials:?} {workspace:?} {roles:?}")
}

#[tokio::test]
async fn no_operation_and_no_page_reaches_another_workspace() {
    let world = World::new().await;
    let (ann, ids) = theirs(&world).await;
    let role = Some(Role::Administrator);
    let bob = world.person("Lab", "bob@example.com", role).await;
    let by = world.browser(&bob).await;
    let before = state(&world, &ann);

    let document = serde_json::to_value(hallpass_console::document(
        "https://sso.example.com/as/token.oauth2",
    ))
    .unwrap();
    let mut tried = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let method = method.to_uppercase();
            if path.starts_with(SHARED) {
                continue;
            }
            if !path.contains('{') {
                let listed = send(&world, &by, &method, path, "{}").await;
                assert!(
                    !listed.body.contains(MARK),
                    "{method} {path}: {}",
                    listed.body
                );
                continue;
            }
            for id in &ids {
                for body in BODIES {
                    tried += 1;
                    check(&world, &by, &method, (path, id), body).await;
                }
            }
        }
    }
    assert!(tried > 40, "{tried}: the document has lost its operations");
    for page in PAGES {
        for id in &ids {
            let strange = unknown(id);
            let (there, nowhere) = (filled(page, id), filled(page, &strange));
            let of_them = world.open(&by, &there).await;
            let of_nobody = world.open(&by, &nowhere).await;
            assert_eq!(told(&of_them, id), told(&of_nobody, &strange), "{there}");
            assert!(of_them.status.is_client_error(), "{there}");
            assert!(!of_them.body.contains(MARK), "{there}");
            for fields in FORMS {
                let of_them = world.submit(&by, &there, fields).await;
                let of_nobody = world.submit(&by, &nowhere, fields).await;
                assert_eq!(told(&of_them, id), told(&of_nobody, &strange), "{there}");
                assert!(!of_them.body.contains(MARK), "{there}");
            }
        }
    }
    assert_eq!(state(&world, &ann), before);
}

async fn check(world: &World, by: &Browser, method: &str, (path, id): (&str, &str), body: &str) {
    let strange = unknown(id);
    let (there, nowhere) = (filled(path, id), filled(path, &strange));
    let of_them = send(world, by, method, &there, body).await;
    let of_nobody = send(world, by, method, &nowhere, body).await;
    assert_eq!(
        told(&of_them, id),
        told(&of_nobody, &strange),
        "{method} {there} {body}"
    );
    assert!(
        of_them.status.is_client_error(),
        "{method} {there} {body}: {} {}",
        of_them.status,
        of_them.body
    );
    assert!(
        !of_them.body.contains(MARK),
        "{method} {there}: {}",
        of_them.body
    );
}
