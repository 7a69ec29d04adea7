//! The pages about roles and the REST API for them.

use std::sync::Arc;

use hallpass_access::{CustomRole, Role};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Person;
use hallpass_store::roles::WorkspaceRole;
use serde_json::json;

use crate::world::{World, local};

const ROLES: &str = "/workspaces/v1/roles";

impl World {
    /// A role of the workspace that this person is in.
    pub(crate) async fn custom_role(
        &self,
        person: &Person,
        name: &str,
        words: &str,
    ) -> Arc<WorkspaceRole> {
        let role = CustomRole::new(name, "", words.parse().unwrap()).unwrap();
        let (roles, rng) = (self.store.custom_roles(), &mut SystemRandom);
        roles
            .create(&person.workspace, role, &local(), self.now(), rng)
            .await
            .unwrap()
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "the life of one role, told from its beginning to its end"
)]
#[tokio::test]
async fn a_role_is_made_changed_and_deleted_on_pages() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let blank = world.open(&browser, "/console/roles/new").await;
    for word in [
        "disk.create",
        "disk.delete",
        "volume.read",
        "ANY.read",
        "workspace.update",
    ] {
        let cell = format!("value=\"{word}\"");
        assert!(blank.body.contains(&cell), "{word}");
    }
    assert!(
        !blank.body.contains("value=\"volume.delete\""),
        "nothing asks for it"
    );

    let fields = [
        ("name", "observer"),
        ("description", "d"),
        ("permission", "disk.read"),
    ];
    let refused = world.submit(&browser, "/console/roles/new", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("is a built-in role"),
        "{}",
        refused.body
    );
    assert!(
        refused
            .body
            .contains("value=\"disk.read\" aria-label=\"disk: read\" checked")
    );
    let refused = world
        .submit(&browser, "/console/roles/new", &[("name", "Empty")])
        .await;
    assert!(refused.status == 422 && refused.body.contains("at least one permission"));

    let fields = [
        ("name", "Keeper"),
        ("permission", "disk.read"),
        ("search", "volume"),
        ("find", "1"),
    ];
    let found = world.submit(&browser, "/console/roles/new", &fields).await;
    assert_eq!(found.status, 200);
    assert!(
        found.body.contains("value=\"Keeper\"") && found.body.contains("value=\"volume.read\"")
    );
    assert!(
        found
            .body
            .contains("value=\"disk.read\" aria-label=\"disk: read\" checked")
    );
    assert!(
        !found.body.contains("value=\"workspace.read\""),
        "not what was looked for"
    );
    assert!(world.store.custom_roles().list(&ann.workspace).is_empty());

    let fields = [
        ("name", "Keeper"),
        ("permission", "disk.read"),
        ("permission", "disk.update"),
    ];
    let made = world.submit(&browser, "/console/roles/new", &fields).await;
    assert_eq!(
        (made.status.as_u16(), made.header("location")),
        (303, "/console/roles")
    );
    let twice = world.submit(&browser, "/console/roles/new", &fields).await;
    assert!(twice.status == 422 && twice.body.contains("exists in this workspace"));
    let role = world.store.custom_roles().list(&ann.workspace)[0].clone();
    let page = format!("/console/roles/{}", role.id);
    let shown = world.open(&browser, &page).await;
    assert!(
        shown
            .body
            .contains("value=\"disk.update\" aria-label=\"disk: update\" checked")
    );
    assert!(
        shown.body.contains("PUT /api/v1/disks/{id}")
            && shown.body.contains("Nobody has this role")
    );

    let fields = [("name", "Sweeper"), ("permission", "disk.delete")];
    assert_eq!(world.submit(&browser, &page, &fields).await.status, 303);
    let people = world.store.people();
    let rng = &mut SystemRandom;
    people
        .assign(ann.id, None, role.id, &local(), world.now(), rng)
        .await
        .unwrap();
    let list = world.open(&browser, "/console/roles").await;
    assert!(list.body.contains("Sweeper") && list.body.contains("disk.delete"));

    let delete = format!("{page}/delete");
    let asked = world.open(&browser, &delete).await;
    assert!(asked.body.contains("1 person has it"), "{}", asked.body);
    let refused = world.submit(&browser, &delete, &[]).await;
    assert!(refused.status == 422 && refused.body.contains("is assigned to 1 person"));
    let done = world.submit(&browser, &delete, &[("take_away", "1")]).await;
    assert_eq!(done.status, 303);
    assert_eq!(world.open(&browser, &page).await.status, 404);
    let ann = people.find("ann@example.com", None).unwrap();
    assert_eq!(ann.roles.len(), 1, "she is an administrator still");
}

#[tokio::test]
async fn built_in_roles_are_shown_and_stay_as_they_are() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let page = world.open(&browser, "/console/roles/operator").await;
    assert!(page.body.contains("built in") && page.body.contains("disabled"));
    assert!(!page.body.contains("Save role"));
    let fields = [("name", "x"), ("permission", "disk.read")];
    let answer = world
        .submit(&browser, "/console/roles/operator", &fields)
        .await;
    assert_eq!(answer.status, 404);
    let answer = world
        .submit(&browser, "/console/roles/operator/delete", &[])
        .await;
    assert_eq!(answer.status, 404);
    let path = format!("{ROLES}/operator");
    let body = r#"{"name":"x","permissions":["disk.read"]}"#;
    assert_eq!(
        world
            .script(&browser, "PUT", &path, Some(body))
            .await
            .refusal()
            .0,
        409
    );
    assert_eq!(
        world
            .script(&browser, "DELETE", &path, None)
            .await
            .refusal()
            .0,
        409
    );
}

#[tokio::test]
async fn the_rest_api_for_roles_does_what_the_pages_do() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let body = r#"{"name":"Keeper","description":"d","permissions":["data-services.disk.write","disk.read"]}"#;
    let made = world.call("POST", ROLES, &token, Some(body)).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["permissions"], json!(["disk.read", "disk.update"]));
    assert_eq!(
        (&made["builtIn"], &made["users"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(made["createdAt"], "2023-11-14T22:13:20Z");
    assert_eq!(
        world
            .call("POST", ROLES, &token, Some(body))
            .await
            .refusal()
            .0,
        409
    );
    for body in [
        r#"{"name":"a","permissions":["disk.fly"]}"#,
        r#"{"name":"a","permissions":[]}"#,
        r#"{"name":"Observer","permissions":["disk.read"]}"#,
        r#"{"name":"a"}"#,
    ] {
        let refused = world.call("POST", ROLES, &token, Some(body)).await;
        assert_eq!(refused.refusal().0, 400, "{body}");
    }
    let list = world.get(ROLES, &token).await.json();
    assert_eq!(list["total"], 4);
    let everything = json!(["ANY.*", "audit.*", "sandbox.*", "workspace.*"]);
    assert_eq!(list["items"][0]["permissions"], everything);
    let path = format!("{ROLES}/{}", made["id"].as_str().unwrap());
    let body = r#"{"name":"Sweeper","permissions":["disk.*"]}"#;
    let changed = world.call("PUT", &path, &token, Some(body)).await.json();
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Sweeper"), &json!(""))
    );
    let body = r#"{"role":"sweeper","instance":"us1"}"#;
    let assignments = format!("/workspaces/v1/users/{}/role-assignments", ann.id);
    let assigned = world
        .call("POST", &assignments, &token, Some(body))
        .await
        .json();
    assert_eq!(assigned["roleName"], "Sweeper");
    assert_eq!(
        world.call("DELETE", &path, &token, None).await.refusal().0,
        409
    );
    let removed = world
        .call("DELETE", &format!("{path}?takeAway=true"), &token, None)
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(world.get(&path, &token).await.refusal().0, 404);
    assert_eq!(world.get(&assignments, &token).await.json()["total"], 1);
}

#[tokio::test]
async fn another_workspaces_roles_are_like_none_and_readers_change_none() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let eve = world
        .person("Other", "eve@example.com", Some(Role::Administrator))
        .await;
    let otto = world
        .person("Main", "otto@example.com", Some(Role::Observer))
        .await;
    let theirs = world.custom_role(&eve, "Theirs", "disk.read").await;
    let ours = world.custom_role(&ann, "Theirs", "disk.read").await;
    let browser = world.browser(&ann).await;
    let body = r#"{"name":"Mine","permissions":["disk.*"]}"#;
    for id in [&theirs.id.to_string(), "x", "%FF"] {
        for path in [
            format!("/console/roles/{id}"),
            format!("/console/roles/{id}/delete"),
        ] {
            assert_eq!(world.open(&browser, &path).await.status, 404, "{path}");
            let fields = [("name", "Mine"), ("permission", "disk.update")];
            assert_eq!(
                world.submit(&browser, &path, &fields).await.status,
                404,
                "{path}"
            );
        }
        let path = format!("{ROLES}/{id}");
        for (method, body) in [("GET", None), ("DELETE", None), ("PUT", Some(body))] {
            let answer = world.script(&browser, method, &path, body).await;
            assert_eq!(answer.refusal().0, 404, "{method} {path}");
        }
    }
    let list = world.script(&browser, "GET", ROLES, None).await.json();
    assert_eq!(list["total"], 4, "one of them is ours");
    let assign = format!("/workspaces/v1/users/{}/role-assignments", otto.id);
    let body_of_theirs = format!(r#"{{"role":"{}"}}"#, theirs.id);
    let answer = world
        .script(&browser, "POST", &assign, Some(&body_of_theirs))
        .await;
    assert_eq!(answer.refusal().0, 400);

    let reader = world.browser(&otto).await;
    let path = format!("{ROLES}/{}", ours.id);
    for (method, path, body) in [
        ("POST", ROLES, Some(body)),
        ("PUT", path.as_str(), Some(body)),
        ("DELETE", path.as_str(), None),
    ] {
        let answer = world.script(&reader, method, path, body).await;
        assert_eq!(answer.refusal().0, 403, "{method}");
    }
    let page = world
        .open(&reader, &format!("/console/roles/{}", ours.id))
        .await;
    assert!(page.status == 200 && !page.body.contains("Save role"));
    for path in ["new".to_owned(), ours.id.to_string()] {
        let fields = [("name", "Mine"), ("permission", "disk.update")];
        let answer = world
            .submit(&reader, &format!("/console/roles/{path}"), &fields)
            .await;
        assert_eq!(answer.status, 403);
    }
    let roles = world.store.custom_roles();
    assert_eq!(
        roles.get(ours.id, &ann.workspace).unwrap().role.name(),
        "Theirs"
    );
}

/// A program learns the words where the page has its grid, and each of them makes a role.
#[tokio::test]
async fn the_words_that_there_are_are_listed_with_what_asks_for_them() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let path = "/workspaces/v1/permissions";
    let listed = world.script(&browser, "GET", path, None).await.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(listed["total"], items.len());
    let asking = |word: &str| {
        let found = items.iter().find(|item| item["permission"] == word);
        found.unwrap()["operations"].clone()
    };
    let roles = asking("workspace.read");
    let listing = json!({"operationId": "listRoles", "method": "GET", "path": ROLES});
    assert!(roles.as_array().unwrap().contains(&listing), "{roles}");
    assert!(
        asking("disk.read")[0]["path"]
            .as_str()
            .unwrap()
            .contains("disk")
    );
    let words: Vec<_> = items.iter().map(|item| &item["permission"]).collect();
    let body = json!({"name": "all", "permissions": words}).to_string();
    let made = world.script(&browser, "POST", ROLES, Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let nobody = world.person("Main", "olga@example.com", None).await;
    let other = world.browser(&nobody).await;
    let refused = world.script(&other, "GET", path, None).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_word_that_no_operation_asks_for_is_refused_with_those_like_it() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    for (word, said) in [
        (
            "volumes.read",
            "asks for `volumes.read`; did you mean `volume.read`?",
        ),
        ("volume.delete", "asks for `volume.delete`"),
        ("disc.*", "asks for `disc.*`; did you mean `disk.*`?"),
        ("xyzzyx.delete", "asks for `xyzzyx.delete`"),
    ] {
        let body = json!({"name": "typo", "permissions": ["disk.read", word]}).to_string();
        let refused = world.script(&browser, "POST", ROLES, Some(&body)).await;
        assert_eq!(refused.refusal().0, 400, "{word}");
        assert!(refused.body.contains(said), "{}", refused.body);
        assert!(
            refused
                .body
                .contains("GET /workspaces/v1/permissions lists")
        );
        let fields = [
            ("name", "typo"),
            ("permission", "disk.read"),
            ("permission", word),
        ];
        let refused = world.submit(&browser, "/console/roles/new", &fields).await;
        assert_eq!(refused.status, 422, "{word}");
        let said = said.split('`').nth(1).unwrap();
        assert!(
            refused.body.contains(&format!("asks for “{said}”")),
            "{}",
            refused.body
        );
    }
    // What the built-in roles permit makes a role, too.
    for role in world.script(&browser, "GET", ROLES, None).await.json()["items"]
        .as_array()
        .unwrap()
    {
        let name = format!("like {}", role["name"].as_str().unwrap());
        let body = json!({"name": name, "permissions": role["permissions"]}).to_string();
        let made = world.script(&browser, "POST", ROLES, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
}

#[tokio::test]
async fn what_a_role_has_of_another_definition_may_stay() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let old = world.custom_role(&ann, "Old", "shelf.* disk.read").await;
    let path = format!("{ROLES}/{}", old.id);
    for (words, status) in [
        (vec!["shelf.*", "disk.read", "volume.read"], 200),
        (vec!["shelf.read", "disk.read"], 200),
        (vec!["shelf.update", "disk.read"], 400),
    ] {
        let body = json!({"name": "Old", "permissions": words}).to_string();
        let changed = world.script(&browser, "PUT", &path, Some(&body)).await;
        assert_eq!(changed.status, status, "{words:?}: {}", changed.body);
    }
}
