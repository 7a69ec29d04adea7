//! The pages about people and the REST API for them.

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_store::Person;
use jiff::SignedDuration;
use serde_json::json;

use crate::sign_in::choose;
use crate::world::{World, local};

const USERS: &str = "/workspaces/v1/users";

/// Ann administers, Otto observes, and Eve administers another workspace.
async fn three() -> (World, Person, Person, Person) {
    let world = World::new().await;
    let ann = world.administrator().await;
    let otto = world
        .person("Main", "otto@example.com", Some(Role::Observer))
        .await;
    let eve = world
        .person("Other", "eve@example.com", Some(Role::Administrator))
        .await;
    (world, ann, otto, eve)
}

#[tokio::test]
async fn the_list_shows_the_people_of_the_workspace_and_finds_among_them() {
    let (world, ann, _, _) = three().await;
    let browser = world.browser(&ann).await;
    let page = world.open(&browser, "/console/users").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("ann@example.com") && page.body.contains("otto@example.com"));
    assert!(
        !page.body.contains("eve@example.com"),
        "of another workspace"
    );
    assert!(
        page.body
            .contains("href=\"/console/users\" aria-current=\"page\"")
    );
    for (query, ann_is_there, otto_is_there) in [
        ("search=OTTO", false, true),
        ("search=administrator", true, false),
        ("role=observer", false, true),
        ("state=disabled", false, false),
        ("state=invited", true, true),
        ("offset=1", false, true),
        ("sort=email+desc&offset=1", true, false),
        ("sort=nonsense", true, true),
    ] {
        let page = world
            .open(&browser, &format!("/console/users?{query}"))
            .await;
        let row = |name: &str| {
            page.body
                .contains(&format!("\">{name}@example.com</a></th>"))
        };
        assert_eq!(
            (row("ann"), row("otto")),
            (ann_is_there, otto_is_there),
            "{query}"
        );
    }
}

#[tokio::test]
async fn somebody_who_may_not_change_anything_sees_no_way_to_and_is_refused() {
    let (world, ann, otto, _) = three().await;
    let browser = world.browser(&otto).await;
    let page = world.open(&browser, "/console/users").await;
    assert!(page.body.contains("ann@example.com") && !page.body.contains("/console/users/new"));
    let of_ann = format!("/console/users/{}", ann.id);
    let page = world.open(&browser, &of_ann).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("Remove") && !page.body.contains("Take away"));
    for path in ["remove", "disable"] {
        let page = world.open(&browser, &format!("{of_ann}/{path}")).await;
        assert_eq!(page.status, 403, "{path}");
    }
    for path in [
        "remove",
        "disable",
        "enable",
        "setup-link",
        "assign",
        "take-away",
    ] {
        let sent = [("role", "administrator"), ("instance", "all")];
        let answer = world
            .submit(&browser, &format!("{of_ann}/{path}"), &sent)
            .await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let answer = world
        .submit(
            &browser,
            "/console/users/new",
            &[("email", "x@example.com")],
        )
        .await;
    assert_eq!(answer.status, 403);
    assert_eq!(world.store.people().list().len(), 3);
    let nobody = world.person("Main", "nobody@example.com", None).await;
    let browser = world.browser(&nobody).await;
    assert_eq!(world.open(&browser, "/console/users").await.status, 403);
    let start = world.open(&browser, "/").await;
    assert!(
        !start.body.contains("href=\"/console/users\""),
        "{}",
        start.body
    );
}

#[tokio::test]
async fn an_invited_person_gets_a_link_that_is_shown_once_and_works() {
    let (world, ann, _, _) = three().await;
    let browser = world.browser(&ann).await;
    let form = world.open(&browser, "/console/users/new").await;
    assert!(
        form.body.contains("name=\"email\"") && form.body.contains("value=\"observer\" selected")
    );
    for (fields, problem) in [
        (
            vec![("email", "not an address"), ("role", "observer")],
            "e-mail address",
        ),
        (
            vec![("email", "olga@example.com"), ("role", "observer")],
            "at least one instance",
        ),
        (
            vec![
                ("email", "Otto@example.com"),
                ("role", "observer"),
                ("instance", "all"),
            ],
            "exists in this workspace",
        ),
        (
            vec![
                ("email", "olga@example.com"),
                ("role", "root"),
                ("instance", "all"),
            ],
            "one of the roles",
        ),
    ] {
        let answer = world.submit(&browser, "/console/users/new", &fields).await;
        assert_eq!(answer.status, 422, "{problem}");
        assert!(answer.body.contains(problem), "{problem}: {}", answer.body);
        let typed = format!("value=\"{}\"", fields[0].1);
        assert!(answer.body.contains(&typed), "nothing typed is lost");
    }
    let fields = [
        ("email", "olga@example.com"),
        ("role", "operator"),
        ("instance", "us1"),
        ("instance", "eu1"),
    ];
    let answer = world.submit(&browser, "/console/users/new", &fields).await;
    assert_eq!(answer.status, 200);
    let (_, rest) = answer
        .body
        .split_once("https://console.example.com")
        .unwrap();
    let path = rest.split_once('<').unwrap().0;
    assert_eq!(world.send("GET", path, &[], "").await.status, 200);
    let people = world.store.people();
    let olga = people.find("olga@example.com", None).unwrap();
    assert_eq!(olga.roles.len(), 2);
    assert!(
        olga.roles_on(&world.instance("us1"))
            .contains(Role::Operator)
    );
    assert!(olga.roles_on(&world.instance("jp1")).is_empty());
    let of_olga = format!("/console/users/{}", olga.id);
    assert!(
        !world
            .open(&browser, &of_olga)
            .await
            .body
            .contains("/setup/")
    );

    let again = world
        .submit(&browser, &format!("{of_olga}/setup-link"), &[])
        .await;
    assert!(again.body.contains("https://console.example.com/setup/"));
    assert!(!again.body.contains(path), "another link");
    assert_eq!(world.send("GET", path, &[], "").await.status, 404);
}

#[tokio::test]
async fn roles_are_given_and_taken_on_the_page_of_a_person() {
    let (world, ann, otto, _) = three().await;
    let browser = world.browser(&ann).await;
    let token = world
        .token(&world.credential(&otto, "us1", "nightly").await)
        .await;
    assert_eq!(world.stands_at(&token, "us1"), Ok(()));
    let of_otto = format!("/console/users/{}", otto.id);
    let fields = [("role", "operator"), ("instance", "us1")];
    let answer = world
        .submit(&browser, &format!("{of_otto}/assign"), &fields)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, of_otto.as_str())
    );
    let page = world.open(&browser, &of_otto).await;
    assert!(page.body.contains("Take away operator"), "{}", page.body);
    let instance = world.instance("us1").to_string();
    let fields = [("role", "operator"), ("instance", instance.as_str())];
    let answer = world
        .submit(&browser, &format!("{of_otto}/take-away"), &fields)
        .await;
    assert_eq!(answer.status, 303);
    assert!(
        !world
            .open(&browser, &of_otto)
            .await
            .body
            .contains("Take away operator")
    );
    let fields = [("role", "operator"), ("instance", "mars")];
    let answer = world
        .submit(&browser, &format!("{of_otto}/assign"), &fields)
        .await;
    assert_eq!(answer.status, 422);

    let fields = [("role", "administrator"), ("instance", "all")];
    let of_ann = format!("/console/users/{}", ann.id);
    let answer = world
        .submit(&browser, &format!("{of_ann}/take-away"), &fields)
        .await;
    assert_eq!(answer.status, 422);
    assert!(
        answer
            .body
            .contains("is the last administrator of the workspace"),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn disabled_and_removed_people_lose_tokens_and_sessions_and_the_dialog_says_so() {
    let (world, ann, otto, _) = three().await;
    let browser = world.browser(&ann).await;
    let used = world.credential(&otto, "us1", "used").await;
    world.credential(&otto, "us1", "idle").await;
    let token = world.token(&used).await;
    let theirs = world.browser(&otto).await;
    let of_otto = format!("/console/users/{}", otto.id);

    let dialog = world.open(&browser, &format!("{of_otto}/remove")).await;
    assert!(dialog.body.contains("2 credentials die"), "{}", dialog.body);
    assert!(
        dialog
            .body
            .contains("<strong>1 of 2</strong> got a token in the last 30 days")
    );
    assert_eq!(
        world.stands_at(&token, "us1"),
        Ok(()),
        "asking changes nothing"
    );

    let answer = world
        .submit(&browser, &format!("{of_otto}/disable"), &[])
        .await;
    assert_eq!(answer.status, 303);
    assert_eq!(
        world.stands_at(&token, "us1"),
        Err(TokenRefusal::CredentialGone)
    );
    let client_id = used.credential.client_id.as_str();
    let minted = world
        .token_with(client_id, used.secret.expose(), crate::world::ISSUER)
        .await;
    assert!(minted.is_none(), "no tokens for somebody disabled");
    assert_eq!(
        world.open(&theirs, "/console/users").await.status,
        303,
        "signed out"
    );
    let page = world.open(&browser, &of_otto).await;
    assert!(page.body.contains("Disabled") && !page.body.contains("New set-up link"));
    let link = world
        .submit(&browser, &format!("{of_otto}/setup-link"), &[])
        .await;
    assert_eq!(link.status, 422);

    let answer = world
        .submit(&browser, &format!("{of_otto}/enable"), &[])
        .await;
    assert_eq!(answer.status, 303);
    assert_eq!(world.stands_at(&token, "us1"), Ok(()));
    assert_eq!(
        world.open(&theirs, "/console/users").await.status,
        303,
        "still signed out"
    );

    world.pass(SignedDuration::from_hours(24));
    let browser = world.browser(&ann).await;
    let theirs = world.browser(&otto).await;
    let fresh = world.token(&used).await;
    let answer = world
        .submit(&browser, &format!("{of_otto}/remove"), &[])
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/console/users")
    );
    assert_eq!(
        world.stands_at(&fresh, "us1"),
        Err(TokenRefusal::CredentialGone)
    );
    let minted = world
        .token_with(client_id, used.secret.expose(), crate::world::ISSUER)
        .await;
    assert!(minted.is_none());
    assert!(!world.open(&theirs, "/").await.body.contains("Sign out"));
    assert_eq!(world.open(&browser, &of_otto).await.status, 404);
    let said = world.audit().await;
    for message in [
        "User otto@example.com disabled",
        "User otto@example.com removed",
    ] {
        let told = said
            .iter()
            .find(|one| one.event.message == message)
            .unwrap();
        assert_eq!(told.event.user_email, "ann@example.com");
    }
}

#[tokio::test]
async fn nobody_shuts_themselves_or_the_last_administrator_out() {
    let (world, ann, otto, _) = three().await;
    let browser = world.browser(&ann).await;
    let of_ann = format!("/console/users/{}", ann.id);
    for path in ["remove", "disable"] {
        let path = format!("{of_ann}/{path}");
        let answer = world.submit(&browser, &path, &[]).await;
        assert_eq!(answer.status, 422, "{path}");
        assert!(
            answer
                .body
                .contains("Nobody can remove or disable themselves")
        );
        assert_eq!(world.open(&browser, &path).await.status, 422);
    }
    let rest = format!("{USERS}/{}", ann.id);
    let removed = world.script(&browser, "DELETE", &rest, None).await;
    assert_eq!(removed.refusal().0, 409);
    let disabled = r#"{"enabled":false}"#;
    let answer = world.script(&browser, "PATCH", &rest, Some(disabled)).await;
    assert_eq!(answer.refusal().0, 409);

    // Otto may do all that Ann may by a role of his own, and is no administrator.
    let rng = &mut SystemRandom;
    let words = "ANY.* audit.* sandbox.* workspace.*";
    let made = world.custom_role(&otto, "Staff", words).await;
    let people = world.store.people();
    people
        .assign(otto.id, None, made.id, &local(), world.now(), rng)
        .await
        .unwrap();
    let his = world.browser(&otto).await;
    for path in ["remove", "disable"] {
        let answer = world.submit(&his, &format!("{of_ann}/{path}"), &[]).await;
        assert_eq!(answer.status, 422, "{path}");
        assert!(
            answer
                .body
                .contains("is the last administrator of the workspace")
        );
    }
    let removed = world.script(&his, "DELETE", &rest, None).await;
    assert_eq!(removed.refusal().0, 409);
    let assignment = format!("{rest}/role-assignments/administrator@all");
    let demoted = world.script(&his, "DELETE", &assignment, None).await;
    assert_eq!(demoted.refusal().0, 409);
    people
        .assign(
            otto.id,
            None,
            Role::Administrator,
            &local(),
            world.now(),
            rng,
        )
        .await
        .unwrap();
    let removed = world.script(&his, "DELETE", &rest, None).await;
    assert_eq!(removed.status, 204);
}

#[tokio::test]
async fn another_workspaces_people_are_like_none() {
    let (world, ann, _, eve) = three().await;
    let browser = world.browser(&ann).await;
    let nobody = "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b80";
    for id in [&eve.id.to_string(), nobody, "x", "%FF"] {
        let page = format!("/console/users/{id}");
        for path in ["", "/remove", "/disable", "/may"] {
            let answer = world.open(&browser, &format!("{page}{path}")).await;
            assert_eq!(answer.status, 404, "{id}{path}");
        }
        for path in [
            "remove",
            "disable",
            "enable",
            "setup-link",
            "assign",
            "take-away",
        ] {
            let answer = world.submit(&browser, &format!("{page}/{path}"), &[]).await;
            assert_eq!(answer.status, 404, "{id}/{path}");
        }
        let rest = format!("{USERS}/{id}");
        let assignment = r#"{"role":"observer"}"#;
        for (method, path, body) in [
            ("GET", "", None),
            ("DELETE", "", None),
            ("PATCH", "", Some(r#"{"enabled":false}"#)),
            ("POST", "/setup-link", None),
            ("GET", "/role-assignments", None),
            ("POST", "/role-assignments", Some(assignment)),
            ("DELETE", "/role-assignments/administrator@all", None),
            ("GET", "/permissions?instance=us1", None),
        ] {
            let answer = world
                .script(&browser, method, &format!("{rest}{path}"), body)
                .await;
            assert_eq!(answer.refusal().0, 404, "{method} {id}{path}");
        }
    }
    let known = world.store.people().find("eve@example.com", None).unwrap();
    assert!(known.enabled && known.roles.len() == 1);
}

#[tokio::test]
async fn the_rest_api_does_what_the_pages_do() {
    let (world, ann, _, _) = three().await;
    let token = world.token_of(&ann).await;
    let list = world
        .get(&format!("{USERS}?search=example&limit=1&offset=1"), &token)
        .await;
    let list = list.json();
    assert_eq!(
        (&list["count"], &list["offset"], &list["total"]),
        (&json!(1), &json!(1), &json!(2))
    );
    assert_eq!(list["items"][0]["email"], "otto@example.com");
    assert_eq!(list["items"][0]["state"], "invited");
    assert_eq!(
        world
            .get(&format!("{USERS}?limit=0"), &token)
            .await
            .refusal()
            .0,
        400
    );

    let body = r#"{"email":"olga@example.com","roles":[{"role":"Operator","instance":"us1"}]}"#;
    let made = world.call("POST", USERS, &token, Some(body)).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let url = made["setupUrl"].as_str().unwrap();
    assert!(
        url.starts_with("https://console.example.com/setup/"),
        "{url}"
    );
    let of_olga = format!("{USERS}/{}", made["id"].as_str().unwrap());
    let shown = world.get(&of_olga, &token).await.json();
    assert!(shown.get("setupUrl").is_none());
    assert_eq!(shown["roles"][0]["roleId"], "operator");
    assert_eq!(shown["roles"][0]["instanceName"], "us1");
    assert_eq!(
        world
            .call("POST", USERS, &token, Some(body))
            .await
            .refusal()
            .0,
        409
    );
    for body in [
        r#"{"email":"x@example.com","roles":[{"role":"root"}]}"#,
        r#"{"email":"x@example.com","roles":[{"role":"observer","instance":"mars"}]}"#,
        r#"{"email":"x@example.com","role":"observer"}"#,
        "{}",
    ] {
        let refused = world.call("POST", USERS, &token, Some(body)).await;
        assert_eq!(refused.refusal().0, 400, "{body}");
    }

    let assignments = format!("{of_olga}/role-assignments");
    let body = Some(r#"{"role":"observer"}"#);
    let assigned = world.call("POST", &assignments, &token, body).await;
    assert_eq!(
        (assigned.status.as_u16(), &assigned.json()["id"]),
        (201, &json!("observer@all"))
    );
    assert_eq!(world.get(&assignments, &token).await.json()["total"], 2);
    let one = format!("{assignments}/observer@all");
    assert_eq!(world.call("DELETE", &one, &token, None).await.status, 204);
    assert_eq!(
        world.call("DELETE", &one, &token, None).await.refusal().0,
        404
    );

    let body = Some(r#"{"enabled":false}"#);
    let changed = world.call("PATCH", &of_olga, &token, body).await;
    assert_eq!(changed.json()["state"], "disabled");
    let link = format!("{of_olga}/setup-link");
    assert_eq!(
        world.call("POST", &link, &token, None).await.refusal().0,
        409
    );
    world
        .call("PATCH", &of_olga, &token, Some(r#"{"enabled":true}"#))
        .await;
    assert_eq!(world.call("POST", &link, &token, None).await.status, 201);
    assert_eq!(
        world.call("DELETE", &of_olga, &token, None).await.status,
        204
    );
    assert_eq!(world.get(&of_olga, &token).await.refusal().0, 404);
}

#[tokio::test]
async fn what_a_person_may_do_is_told_operation_by_operation() {
    let (world, ann, otto, _) = three().await;
    let rng = &mut SystemRandom;
    let made = world.custom_role(&otto, "Disk keeper", "disk.update").await;
    let us1 = Some(world.instance("us1"));
    let people = world.store.people();
    people
        .assign(otto.id, us1, made.id, &local(), world.now(), rng)
        .await
        .unwrap();

    let token = world.token_of(&ann).await;
    let of_otto = format!("{USERS}/{}/permissions?instance", otto.id);
    let told = world.get(&format!("{of_otto}=us1"), &token).await.json();
    assert_eq!(told["total"], 6);
    let operation = |told: &serde_json::Value, id: &str| {
        let mut items = told["items"].as_array().unwrap().iter();
        items.find(|one| one["operationId"] == id).unwrap().clone()
    };
    assert_eq!(
        operation(&told, "DiskUpdate")["allowedBy"],
        json!(["Disk keeper"])
    );
    assert_eq!(operation(&told, "DiskUpdate")["permission"], "disk.update");
    assert_eq!(
        operation(&told, "DiskList")["allowedBy"],
        json!(["observer"])
    );
    assert_eq!(operation(&told, "DiskDelete")["allowed"], false);
    assert_eq!(operation(&told, "AccessControls")["allowed"], true);
    let there = world.get(&format!("{of_otto}=eu1"), &token).await.json();
    assert_eq!(operation(&there, "DiskUpdate")["allowed"], false);
    let refused = world
        .get(&format!("{of_otto}=us1&allowed=false"), &token)
        .await
        .json();
    assert_eq!(refused["count"], 2);
    let platform = world.get(&format!("{of_otto}=global"), &token).await.json();
    assert_eq!(operation(&platform, "listUsers")["allowed"], true);
    assert_eq!(
        operation(&platform, "removeUser")["permission"],
        "workspace.delete"
    );
    assert_eq!(operation(&platform, "removeUser")["allowed"], false);
    // Signed in, an observer makes credentials of their own.
    let own = operation(&platform, "createCredential");
    assert_eq!(
        (&own["allowed"], &own["allowedBy"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(
        world
            .get(&format!("{of_otto}=mars"), &token)
            .await
            .refusal()
            .0,
        400
    );

    let browser = world.browser(&ann).await;
    let page = format!("/console/users/{}/may", otto.id);
    let all = world.open(&browser, &format!("{page}?instance=us1")).await;
    assert!(all.body.contains("4 of 6 allowed"), "{}", all.body);
    assert!(all.body.contains("PUT /api/v1/disks/{id}") && all.body.contains("Disk keeper"));
    let some = world
        .open(
            &browser,
            &format!("{page}?instance=us1&show=refused&search=delete"),
        )
        .await;
    assert!(some.body.contains("DiskDelete") && !some.body.contains("DiskCreate"));
}

#[tokio::test]
async fn whoever_manages_people_gives_only_what_they_have() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let role = world
        .custom_role(&bob, "Manager", "ANY.* workspace.read workspace.update")
        .await;
    let (people, rng) = (world.store.people(), &mut SystemRandom);
    people
        .assign(bob.id, None, role.id, &local(), world.now(), rng)
        .await
        .unwrap();
    let browser = world.browser(&bob).await;
    let own = format!("/console/users/{}", bob.id);
    let administrator = [("role", "administrator"), ("instance", "all")];
    let assign = format!("{own}/assign");
    let refused = world.submit(&browser, &assign, &administrator).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("audit.*"), "{}", refused.body);
    let invited = [
        ("email", "eve@example.com"),
        ("role", "administrator"),
        ("instance", "all"),
    ];
    let refused = world.submit(&browser, "/console/users/new", &invited).await;
    assert!(refused.status == 422 && refused.body.contains("audit.*"));
    let fields = [("name", "Manager"), ("permission", "audit.read")];
    let page = format!("/console/roles/{}", role.id);
    let refused = world.submit(&browser, &page, &fields).await;
    assert!(refused.status == 422 && refused.body.contains("audit.read"));
    // Nor do they let themselves in as somebody who has more.
    let link = format!("/console/users/{}/setup-link", ann.id);
    let refused = world.submit(&browser, &link, &[]).await;
    assert!(refused.status == 422 && refused.body.contains("audit.*"));
    let link = format!("/workspaces/v1/users/{}/setup-link", ann.id);
    assert_eq!(
        world.script(&browser, "POST", &link, None).await.status,
        409
    );

    let observer = [("role", "operator"), ("instance", "us1")];
    let refused = world.submit(&browser, &assign, &observer).await;
    assert!(refused.status == 422 && refused.body.contains("audit.read"));
    let keeper = world.custom_role(&bob, "Keeper", "volume.*").await;
    let keeper = keeper.id.to_string();
    let given = [("role", keeper.as_str()), ("instance", "us1")];
    assert_eq!(world.submit(&browser, &assign, &given).await.status, 303);
}

#[tokio::test]
async fn nobody_makes_a_set_up_link_for_themselves() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    let page = world
        .open(&browser, &format!("/console/users/{}", ann.id))
        .await;
    assert!(!page.body.contains("setup-link"));
    let link = format!("/console/users/{}/setup-link", ann.id);
    let refused = world.submit(&browser, &link, &[]).await;
    assert!(refused.status == 422 && refused.body.contains("for themselves"));
    assert!(!refused.body.contains("/setup/"));
    let path = format!("/workspaces/v1/users/{}/setup-link", ann.id);
    let token = world.token_of(&ann).await;
    let refused = world.call("POST", &path, &token, None).await;
    assert_eq!(refused.status, 409);
}

#[tokio::test]
async fn a_page_far_behind_the_list_is_empty() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let browser = world.browser(&ann).await;
    for path in ["/console/users", USERS, "/workspaces/v1/credentials"] {
        let far = format!("{path}?offset={}", usize::MAX);
        assert_eq!(
            world.script(&browser, "GET", &far, None).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_shown_once_is_marked_to_be_forgotten() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    let browser = world.browser(&ann).await;
    let link = format!("/console/users/{}/setup-link", bob.id);
    let made = world.submit(&browser, &link, &[]).await;
    assert!(made.body.contains("id=\"link\" data-once"), "{}", made.body);
}

#[tokio::test]
async fn an_administrator_takes_the_second_factor_of_somebody_away_who_lost_it() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world.person("Main", "bob@example.com", None).await;
    for person in [&ann, &bob] {
        choose(&world, person).await;
    }
    let browser = world.browser(&ann).await;
    let page = format!("/console/users/{}", bob.id);
    let taken = format!("{page}/second-factor");
    let path = format!("{USERS}/{}/second-factor", bob.id);
    let has_one = async || {
        let factors = world.store.second_factors();
        factors.of(bob.id, world.now()).await.unwrap().is_some()
    };
    assert!(!world.open(&browser, &page).await.body.contains(&taken));
    let none = world.script(&browser, "DELETE", &path, None).await;
    assert_eq!(none.status, 404);
    for by_page in [true, false] {
        crate::second_factor::switched_on(&world, &bob).await;
        assert!(has_one().await);
        assert!(world.open(&browser, &page).await.body.contains(&taken));
        let asked = world.open(&browser, &taken).await;
        assert!(asked.status == 200 && has_one().await);
        let done = if by_page {
            world.submit(&browser, &taken, &[]).await.status
        } else {
            world.script(&browser, "DELETE", &path, None).await.status
        };
        assert_eq!(done, if by_page { 303 } else { 204 });
        assert!(!has_one().await);
    }

    // Not one's own, which asks for the password and a code.
    crate::second_factor::switched_on(&world, &ann).await;
    let browser = world.browser(&ann).await;
    let own = format!("/console/users/{}/second-factor", ann.id);
    assert_eq!(world.submit(&browser, &own, &[]).await.status, 422);
    let own = format!("{USERS}/{}/second-factor", ann.id);
    let refused = world.script(&browser, "DELETE", &own, None).await;
    assert_eq!(refused.status, 409);
    let factors = world.store.second_factors();
    assert!(factors.of(ann.id, world.now()).await.unwrap().is_some());
}

#[tokio::test]
async fn nobody_is_invited_under_an_address_that_reads_otherwise() {
    let (world, ann, _, _) = three().await;
    let browser = world.browser(&ann).await;
    let token = world.token_of(&ann).await;
    for email in [
        "no-at.example.com",
        "a\u{202e}nna@example.com",
        "anna\u{200b}@example.com",
        "anna@exam\u{ad}ple.com",
        "\u{e0041}anna@example.com",
    ] {
        let fields = [("email", email), ("role", "observer"), ("instance", "all")];
        let page = world.submit(&browser, "/console/users/new", &fields).await;
        assert_eq!(page.status, 422, "{email:?}");
        let body = serde_json::json!({"email": email, "roles": []}).to_string();
        let rest = world
            .call("POST", "/workspaces/v1/users", &token, Some(&body))
            .await;
        assert_eq!(rest.status, 400, "{email:?}: {rest:?}");
        assert!(rest.body.contains("`email`"), "{}", rest.body);
    }
}

/// Or an administrator could be made less, let in by a new link whose password is somebody else's, and made an
/// administrator again by a colleague who knows nothing of it.
#[tokio::test]
async fn nothing_is_taken_from_somebody_who_may_do_more() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let adam = world
        .person("Main", "adam@example.com", Some(Role::Administrator))
        .await;
    let help = world.person("Main", "help@example.com", None).await;
    let words = "workspace.read workspace.update workspace.delete";
    let role = world.custom_role(&help, "Helpdesk", words).await;
    let (people, by, rng) = (world.store.people(), local(), &mut SystemRandom);
    let given = people.assign(help.id, None, role.id, &by, world.now(), rng);
    given.await.unwrap();
    let [browser, annes] = [world.browser(&help).await, world.browser(&ann).await];
    let user = format!("/workspaces/v1/users/{}", adam.id);
    let sessions = format!("/workspaces/v1/sessions?user={}", adam.id);
    let _ = world.browser(&adam).await;

    let disabled = Some(r#"{"enabled": false}"#);
    for (method, path, body) in [
        (
            "DELETE",
            format!("{user}/role-assignments/administrator@all"),
            None,
        ),
        ("PATCH", user.clone(), disabled),
        ("DELETE", user.clone(), None),
        ("POST", format!("{user}/setup-link"), None),
        ("DELETE", sessions.clone(), None),
    ] {
        let refused = world.script(&browser, method, &path, body).await;
        assert_eq!(refused.status, 409, "{method} {path}: {}", refused.body);
    }
    for page in ["disable", "remove"] {
        let page = format!("/console/users/{}/{page}", adam.id);
        let refused = world.open(&browser, &page).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body.contains("who may do more"), "{}", refused.body);
    }
    let page = format!("/console/users/{}", adam.id);
    let (seen, hers) = (
        world.open(&browser, &page).await,
        world.open(&annes, &page).await,
    );
    assert!(
        seen.body.contains("may do more than you: ANY.*"),
        "{}",
        seen.body
    );
    for part in ["setup-link", "/disable", "/remove", "/take-away"] {
        assert!(
            !seen.body.contains(part) && hers.body.contains(part),
            "{part}"
        );
    }
    let left = world.open(&annes, &sessions).await.json();
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "{left}");

    // Those who may do as much do it.
    let done = world.script(&annes, "PATCH", &user, disabled).await;
    assert_eq!(done.status, 200, "{}", done.body);
}

/// Or what cannot be taken from somebody is taken from their role.
#[tokio::test]
async fn nothing_is_taken_from_a_role_of_somebody_who_may_do_more() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let chief = world.person("Main", "chief@example.com", None).await;
    let help = world.person("Main", "help@example.com", None).await;
    let chiefs = world
        .custom_role(&chief, "Chief", "ANY.* workspace.* audit.read")
        .await;
    let words = "workspace.read workspace.update workspace.delete";
    let helps = world.custom_role(&help, "Helpdesk", words).await;
    let (people, by) = (world.store.people(), local());
    for (person, role) in [(&chief, &chiefs), (&help, &helps)] {
        let rng = &mut SystemRandom;
        let given = people.assign(person.id, None, role.id, &by, world.now(), rng);
        given.await.unwrap();
    }
    let [browser, annes] = [world.browser(&help).await, world.browser(&ann).await];
    let role = format!("/workspaces/v1/roles/{}", chiefs.id);
    let less = |words: &str| format!(r#"{{"name": "Chief", "permissions": [{words}]}}"#);
    let read = less(r#""workspace.read""#);
    for (method, path, body) in [
        ("PUT", role.clone(), Some(read.as_str())),
        ("DELETE", format!("{role}?takeAway=true"), None),
    ] {
        let refused = world.script(&browser, method, &path, body).await;
        assert_eq!(refused.status, 409, "{method}: {}", refused.body);
        assert!(refused.body.contains("may do more"), "{}", refused.body);
    }
    let page = format!("/console/roles/{}", chiefs.id);
    for (page, fields) in [
        (
            page.clone(),
            [("name", "Chief"), ("permission", "workspace.read")],
        ),
        (format!("{page}/delete"), [("take_away", "1"), ("name", "")]),
    ] {
        let refused = world.submit(&browser, &page, &fields).await;
        assert_eq!(refused.status, 422, "{page}");
        assert!(refused.body.contains("may do more"), "{}", refused.body);
    }
    let chief = people.get(chief.id, &chief.workspace).unwrap();
    assert_eq!(chief.roles[0].1.permissions(), *chiefs.role.permissions());

    // Another name takes nothing; and those who may do as much take what they like.
    let same = less(r#""ANY.*", "workspace.*", "audit.read""#).replace("Chief", "Boss");
    for (by, body) in [(&browser, same), (&annes, read)] {
        let done = world.script(by, "PUT", &role, Some(&body)).await;
        assert_eq!(done.status, 200, "{}", done.body);
    }
}
