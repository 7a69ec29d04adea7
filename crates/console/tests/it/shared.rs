//! What all workspaces share, and who administers it: workspaces and application instances.

use hallpass_access::Role;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Person;
use hallpass_store::instances::Origin;
use serde_json::{Value, json};

use crate::world::{Answer, World, local};

const WORKSPACES: &str = "/workspaces/v1/workspaces";
const INSTANCES: &str = "/workspaces/v1/application-instances";

async fn two_administrators(world: &World) -> (Person, Person) {
    let ann = world.administrator().await;
    let role = Some(Role::Administrator);
    let other = world.person("Lab", "ann@example.com", role).await;
    (ann, other)
}

async fn call(world: &World, by: &Person, method: &str, path: &str, body: Option<Value>) -> Answer {
    let browser = world.browser(by).await;
    if method == "GET" {
        return world.open(&browser, path).await;
    }
    let body = body.map(|body| body.to_string());
    world.script(&browser, method, path, body.as_deref()).await
}

#[tokio::test]
async fn workspaces_are_made_renamed_and_removed_by_the_first_ones_administrators() {
    let world = World::new().await;
    let (ann, other) = two_administrators(&world).await;
    let made = json!({"name": "Shop"});
    let made = call(&world, &ann, "POST", WORKSPACES, Some(made)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let shop = made.json();
    assert_eq!(
        (&shop["people"], &shop["operating"]),
        (&json!(0), &json!(false))
    );
    let path = shop["resourceUri"].as_str().unwrap();
    let name = Some(json!({"name": "Store"}));
    let renamed = call(&world, &ann, "PATCH", path, name.clone()).await;
    assert_eq!(renamed.json()["name"], "Store");
    let taken = call(&world, &ann, "POST", WORKSPACES, name.clone()).await;
    assert_eq!(taken.status, 409);
    let listed = call(&world, &ann, "GET", WORKSPACES, None).await.json();
    let names = listed["items"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Main", "Lab", "Store"]);

    let seen = call(&world, &other, "GET", WORKSPACES, None).await.json();
    assert_eq!(
        (&seen["total"], &seen["items"][0]["name"]),
        (&json!(1), &json!("Lab"))
    );
    let hidden = call(&world, &other, "GET", path, None).await;
    let unknown = format!("{WORKSPACES}/{}", "0".repeat(32));
    let nowhere = call(&world, &other, "GET", &unknown, None).await;
    assert_eq!(
        (hidden.status.as_u16(), hidden.refusal()),
        (404, nowhere.refusal())
    );
    for (method, path) in [("POST", WORKSPACES), ("PATCH", path), ("DELETE", path)] {
        let refused = call(&world, &other, method, path, name.clone()).await;
        assert_eq!(refused.status, 403, "{method}");
    }
    assert_eq!(call(&world, &ann, "DELETE", path, None).await.status, 204);
    let lab = format!("{WORKSPACES}/{}", other.workspace);
    assert_eq!(call(&world, &ann, "DELETE", &lab, None).await.status, 409);
}

#[tokio::test]
async fn instances_are_changed_by_the_first_workspace_and_seen_by_all() {
    let world = World::new().await;
    let (ann, other) = two_administrators(&world).await;
    let wanted = json!({
        "name": "attic", "title": "Attic", "region": "Roof", "listen": "127.0.0.1:4711",
        "upstreamUrl": "http://10.0.0.7:8080/",
    });
    let refused = call(&world, &other, "POST", INSTANCES, Some(wanted.clone())).await;
    assert_eq!(refused.status, 403);
    let made = call(&world, &ann, "POST", INSTANCES, Some(wanted)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(made["baseUrl"], "http://127.0.0.1:4711");
    assert_eq!(made["upstreamUrl"], "http://10.0.0.7:8080");
    let path = format!("{INSTANCES}/{}", made["id"].as_str().unwrap());
    let seen = call(&world, &other, "GET", &path, None).await.json();
    assert_eq!(seen["title"], "Attic");
    assert!(seen.get("upstreamUrl").is_none() && seen.get("credentials").is_none());

    let change = json!({"baseUrl": "https://attic.example.com", "enabled": false});
    let changed = call(&world, &ann, "PATCH", &path, Some(change))
        .await
        .json();
    assert_eq!(changed["baseUrl"], "https://attic.example.com");
    assert_eq!(
        changed["upstreamUrl"], made["upstreamUrl"],
        "the rest stays"
    );
    let evil = json!({"upstreamUrl": "http://169.254.169.254/latest"});
    let refused = call(&world, &ann, "PATCH", &path, Some(evil)).await;
    assert_eq!(refused.status, 400);
    let on = json!({"enabled": true});
    call(&world, &ann, "PATCH", &path, Some(on)).await;
    world.credential(&other, "attic", "nightly").await;
    let refused = call(&world, &ann, "DELETE", &path, None).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    let too = format!("{path}?withCredentials=true");
    assert_eq!(call(&world, &ann, "DELETE", &too, None).await.status, 204);
    assert_eq!(call(&world, &ann, "GET", &path, None).await.status, 404);
    assert!(world.store.credentials().list(Some(other.id)).is_empty());
}

#[tokio::test]
async fn the_pages_make_change_and_remove_what_they_show() {
    let world = World::new().await;
    let (ann, other) = two_administrators(&world).await;
    let browser = world.browser(&ann).await;
    let wrong = [
        ("name", "attic"),
        ("title", "A <b>"),
        ("upstream", "ftp://x"),
    ];
    let refused = world
        .submit(&browser, "/console/instances/new", &wrong)
        .await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("value=\"A &#60;b&#62;\""),
        "nothing typed is lost"
    );
    assert!(refused.body.contains("value=\"ftp://x\""));
    let right = [
        ("name", "attic"),
        ("title", "Attic"),
        ("upstream", "https://a.example"),
        ("enabled", "1"),
    ];
    let made = world
        .submit(&browser, "/console/instances/new", &right)
        .await;
    assert_eq!(
        (made.status.as_u16(), made.header("location")),
        (303, "/console/instances")
    );
    let attic = world.instance("attic");
    let path = format!("/console/instances/{attic}");
    let form = world.open(&browser, &path).await;
    assert!(form.body.contains("value=\"https://a.example\""));
    let stand_in = [("title", "Attic"), ("upstream", ""), ("enabled", "1")];
    assert_eq!(world.submit(&browser, &path, &stand_in).await.status, 303);
    let list = world.open(&browser, "/console/instances").await;
    assert!(!list.body.contains("a.example") && list.body.contains("Attic"));
    let delete = format!("{path}/delete");
    assert!(
        world
            .open(&browser, &delete)
            .await
            .body
            .contains("Remove Attic?")
    );
    assert_eq!(world.submit(&browser, &delete, &[]).await.status, 303);
    assert!(world.store.workspaces().find_instance("attic").is_none());

    let made = world
        .submit(&browser, "/console/workspaces/new", &[("name", "Shop")])
        .await;
    assert_eq!(made.status, 303);
    let shop = world.store.workspaces().list().pop().unwrap();
    let path = format!("/console/workspaces/{}", shop.id);
    assert_eq!(
        world
            .submit(&browser, &path, &[("name", "Main")])
            .await
            .status,
        422
    );
    assert_eq!(
        world
            .submit(&browser, &path, &[("name", "Store")])
            .await
            .status,
        303
    );
    assert!(
        world
            .open(&browser, "/console/workspaces")
            .await
            .body
            .contains("Store")
    );
    let delete = format!("{path}/delete");
    assert_eq!(world.submit(&browser, &delete, &[]).await.status, 303);

    let foreign = world.browser(&other).await;
    let list = world.open(&foreign, "/console/workspaces").await;
    assert!(list.body.contains("Lab") && !list.body.contains("Main"));
    let platform = format!("/console/instances/{}", world.instance("us1"));
    for path in [
        "/console/instances/new",
        "/console/workspaces/new",
        &platform,
    ] {
        assert_eq!(world.open(&foreign, path).await.status, 403, "{path}");
        assert_eq!(
            world.submit(&foreign, path, &right).await.status,
            403,
            "{path}"
        );
    }
}

/// Somebody of the first workspace with a role of these words, everywhere.
async fn with_role(world: &World, email: &str, words: &str) -> Person {
    let person = world.person("Main", email, None).await;
    let role = world.custom_role(&person, email, words).await;
    let (people, rng) = (world.store.people(), &mut SystemRandom);
    let by = local();
    let given = people.assign(person.id, None, role.id, &by, world.now(), rng);
    given.await.unwrap()
}

#[tokio::test]
async fn who_may_not_do_everything_does_not_say_where_everybodys_calls_go() {
    let world = World::new().await;
    let (ann, _) = two_administrators(&world).await;
    let words = "workspace.read workspace.update workspace.delete";
    let help = with_role(&world, "help@example.com", words).await;
    let most = with_role(&world, "most@example.com", "ANY.* workspace.*").await;
    let all = "ANY.* audit.* sandbox.* workspace.*";
    let all = with_role(&world, "all@example.com", all).await;
    let us1 = world.instance("us1");
    let path = format!("{INSTANCES}/{us1}");
    let now = || world.store.workspaces().find_instance("us1").unwrap();
    let before = now();
    for by in [&help, &most] {
        for change in [
            json!({"upstreamUrl": "http://127.0.0.1:9", "passesToken": true}),
            json!({"upstreamUrl": "http://127.0.0.1:9"}),
            json!({"baseUrl": "https://mine.example.com"}),
            json!({"title": "US", "listen": "127.0.0.1:4712"}),
        ] {
            let refused = call(&world, by, "PATCH", &path, Some(change.clone())).await;
            assert_eq!(refused.status, 403, "{change}: {}", refused.body);
            assert!(refused.body.contains("everybody's tokens"), "{change}");
        }
        let made = json!({"name": "attic", "title": "Attic", "listen": "127.0.0.1:0"});
        let refused = call(&world, by, "POST", INSTANCES, Some(made)).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    assert_eq!(*now(), *before, "nothing of it was done");
    let denied = world.audit().await;
    let denied = denied
        .iter()
        .filter(|one| one.event.user_email == "help@example.com");
    assert_eq!(denied.count(), 5, "each refusal is in the log");

    // The rest is theirs, also with members that say what is there already.
    let change = json!({"title": "US", "baseUrl": null, "upstreamUrl": null});
    let changed = call(&world, &help, "PATCH", &path, Some(change)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    for by in [&ann, &all] {
        for url in [json!("http://127.0.0.1:9"), json!(null)] {
            let change = json!({"upstreamUrl": url});
            let changed = call(&world, by, "PATCH", &path, Some(change)).await;
            assert_eq!(changed.status, 200, "{}", changed.body);
        }
    }
    let change = json!({"upstreamUrl": "http://127.0.0.1:9", "passesToken": true});
    let changed = call(&world, &ann, "PATCH", &path, Some(change)).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let said = world.audit().await.pop().unwrap().event.message;
    assert_eq!(
        said,
        "Application instance us1 changed: upstream http://127.0.0.1:9, which gets the access tokens"
    );
    let made = json!({"name": "attic", "title": "Attic", "listen": "127.0.0.1:0"});
    let made = call(&world, &all, "POST", INSTANCES, Some(made)).await;
    let attic = format!("{INSTANCES}/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(
        call(&world, &help, "DELETE", &attic, None).await.status,
        403
    );
    assert_eq!(call(&world, &all, "DELETE", &attic, None).await.status, 204);
}

#[tokio::test]
async fn everything_on_one_instance_is_enough_for_that_one() {
    let world = World::new().await;
    let words = "workspace.read workspace.update";
    let local_one = with_role(&world, "local@example.com", words).await;
    let (people, us1) = (world.store.people(), world.instance("us1"));
    let (role, rng) = (Role::Administrator, &mut SystemRandom);
    let on = Some(us1.clone());
    let by = local();
    let given = people.assign(local_one.id, on, role, &by, world.now(), rng);
    given.await.unwrap();
    for (name, status) in [("us1", 200), ("eu1", 403)] {
        let path = format!("{INSTANCES}/{}", world.instance(name));
        let change = json!({"upstreamUrl": "http://127.0.0.1:9"});
        let done = call(&world, &local_one, "PATCH", &path, Some(change)).await;
        assert_eq!(done.status, status, "{name}: {}", done.body);
    }
}

#[tokio::test]
async fn the_page_of_an_instance_has_only_what_the_person_may_change() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let help = with_role(
        &world,
        "help@example.com",
        "workspace.read workspace.update",
    )
    .await;
    let (annes, theirs) = (world.browser(&ann).await, world.browser(&help).await);
    let page = format!("/console/instances/{}", world.instance("us1"));
    let upstream = "http://127.0.0.1:9";
    let fields = [
        ("title", "US"),
        ("upstream", upstream),
        ("passes_token", "1"),
        ("enabled", "1"),
    ];
    assert_eq!(world.submit(&theirs, &page, &fields).await.status, 403);
    assert_eq!(world.submit(&annes, &page, &fields).await.status, 303);
    let (hers, seen) = (
        world.open(&annes, &page).await,
        world.open(&theirs, &page).await,
    );
    for field in [
        "name=\"upstream\"",
        "name=\"base_url\"",
        "name=\"passes_token\"",
    ] {
        assert!(
            hers.body.contains(field) && !seen.body.contains(field),
            "{field}"
        );
    }
    assert!(seen.body.contains("those who may do everything"));
    // What their form does not have stays.
    let fields = [("title", "US West"), ("region", "West"), ("enabled", "1")];
    assert_eq!(world.submit(&theirs, &page, &fields).await.status, 303);
    let us1 = world.store.workspaces().find_instance("us1").unwrap();
    assert_eq!((us1.title.as_str(), us1.enabled), ("US West", true));
    let Origin::Upstream(kept) = &us1.origin else {
        panic!("the upstream stays: {us1:?}");
    };
    assert_eq!((kept.url.as_str(), kept.passes_token), (upstream, true));

    let new = "/console/instances/new";
    let list = world.open(&theirs, "/console/instances").await;
    assert!(!list.body.contains(new));
    assert!(
        world
            .open(&annes, "/console/instances")
            .await
            .body
            .contains(new)
    );
    assert_eq!(world.open(&theirs, new).await.status, 403);
    let made = [("name", "attic"), ("title", "Attic")];
    assert_eq!(world.submit(&theirs, new, &made).await.status, 403);
}
