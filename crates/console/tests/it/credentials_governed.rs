//! What the REST API for credentials does beyond the real system's: details, changes, overlaps, and other
//! people's credentials for those who govern the workspace.

use hallpass_access::Role;
use hallpass_console::CREDENTIALS_PATH;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_store::AuditState;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{ISSUER, World};

fn one(id: &str) -> String {
    format!("{CREDENTIALS_PATH}/{id}")
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["credentialName"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn one_credential_says_how_it_stands() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let id = nightly.credential.client_id.as_str();
    world.pass(SignedDuration::from_secs(5));
    world.token(&nightly).await;
    let shown = world.get(&one(id), &token).await;
    assert_eq!(shown.status, 200);
    let shown = shown.json();
    for (member, value) in [
        ("credentialName", json!("nightly")),
        ("owner", json!("ann@example.com")),
        ("state", json!("active")),
        ("lastUsedAt", json!("2023-11-14 22:13:25.000000")),
        ("lastUsedFrom", json!("192.0.2.44")),
        ("tokenLifetimeSeconds", json!(7200)),
        ("expiresAt", Value::Null),
    ] {
        assert_eq!(shown[member], value, "{member}");
    }
    assert_eq!(shown["secrets"].as_array().unwrap().len(), 1);
    assert!(shown.get("clientSecret").is_none());
    // A list has the details only for those who ask: its form is the real system's.
    let list = world.get(CREDENTIALS_PATH, &token).await.json();
    assert!(list["items"][1].get("state").is_none() && list.get("total").is_none());
    let path = format!("{CREDENTIALS_PATH}?details=true");
    let list = world.get(&path, &token).await.json();
    assert_eq!(list["items"][1]["state"], "active");
}

#[tokio::test]
async fn a_change_acts_at_once_and_null_takes_away() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let path = one(nightly.credential.client_id.as_str());
    let at_work = world.token(&nightly).await;
    let change = async |body: Value| {
        world
            .call("PATCH", &path, &token, Some(&body.to_string()))
            .await
    };
    let bounded = change(json!({
        "expiresAt": "2023-12-01T00:00:00Z", "tokenLifetimeSeconds": 60, "scope": "read write",
    }))
    .await;
    assert_eq!(bounded.status, 200, "{}", bounded.body);
    let bounded = bounded.json();
    assert_eq!(bounded["expiresAt"], "2023-12-01 00:00:00.000000");
    assert_eq!(bounded["tokenLifetimeSeconds"], 60);
    assert_eq!(bounded["scope"], "read write");
    let free =
        change(json!({"expiresAt": null, "tokenLifetimeSeconds": null, "scope": null})).await;
    let free = free.json();
    assert!(free.get("expiresAt").is_none() && free.get("scope").is_none());
    assert_eq!(free["tokenLifetimeSeconds"], 7200);
    assert_eq!(world.stands_at(&at_work, "us1"), Ok(()));

    let off = change(json!({"enabled": false})).await.json();
    assert_eq!(off["state"], "disabled");
    assert!(world.stands_at(&at_work, "us1").is_err());
    assert_eq!(
        change(json!({"enabled": true})).await.json()["state"],
        "active"
    );
    for (wrong, words) in [
        (json!({"expiresAt": "2020-01-01T00:00:00Z"}), "in the past"),
        (json!({"expiresAt": "soon"}), "expiresAt"),
        (json!({"tokenLifetimeSeconds": 0}), "lifetime"),
        (json!({"scope": "\""}), "scope"),
        (json!({"enabled": "no"}), "line 1"),
    ] {
        let refused = change(wrong).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body.contains(words), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_reset_may_leave_the_old_secret_for_a_while() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let id = nightly.credential.client_id.as_str();
    let at_work = world.token(&nightly).await;
    world.pass(SignedDuration::from_secs(1));
    let path = format!("{}/reset", one(id));
    let reset = async |body: &str| world.call("POST", &path, &token, Some(body)).await;
    let second = reset(r#"{"overlapSeconds":60}"#).await;
    assert_eq!(second.status, 200, "{}", second.body);
    let second = second.json()["clientSecret"].as_str().unwrap().to_owned();
    assert_eq!(world.stands_at(&at_work, "us1"), Ok(()));
    for secret in [nightly.secret.expose(), &second] {
        assert!(world.token_with(id, secret, ISSUER).await.is_some());
    }
    assert_eq!(
        reset(r#"{"overlapSeconds":60}"#).await.status,
        409,
        "two are alive"
    );
    assert_eq!(reset(r#"{"overlapSeconds":-1}"#).await.status, 400);
    assert_eq!(reset("{").await.status, 400);
    assert_eq!(reset("{}").await.status, 200);
    assert!(world.token_with(id, &second, ISSUER).await.is_none());
}

#[tokio::test]
async fn who_governs_the_workspace_says_so_and_gets_no_secret() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let otto = world
        .person("Main", "otto@example.com", Some(Role::Operator))
        .await;
    let carl = world
        .person("Other", "carl@example.com", Some(Role::Operator))
        .await;
    let of_otto = world.credential(&otto, "us1", "of otto").await;
    let of_carl = world.credential(&carl, "us1", "of carl").await;
    let get = async |query: &str| {
        let answer = world
            .get(&format!("{CREDENTIALS_PATH}?{query}"), &token)
            .await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        answer.json()
    };
    assert_eq!(
        names(&get("owner=all&sort=name").await),
        ["console", "of otto"]
    );
    assert_eq!(names(&get("owner=OTTO@example.com").await), ["of otto"]);
    assert!(names(&get("owner=carl@example.com").await).is_empty());
    let part = get("owner=all&sort=name+desc&limit=1&offset=1").await;
    assert_eq!(names(&part), ["console"]);
    assert_eq!(
        (&part["count"], &part["offset"], &part["total"]),
        (&json!(1), &json!(1), &json!(2))
    );

    let at_work = world.token(&of_otto).await;
    let id = of_otto.credential.client_id.as_str();
    let governed = format!("{}?owner=all", one(id));
    let off = Some(r#"{"enabled":false}"#);
    for (method, path, body) in [
        ("GET", one(id), None),
        ("PATCH", one(id), off),
        ("DELETE", one(id), None),
        ("POST", format!("{}/reset", one(id)), None),
        ("POST", format!("{}/reset?owner=all", one(id)), None),
        (
            "GET",
            format!("{}?owner=all", one(of_carl.credential.client_id.as_str())),
            None,
        ),
        (
            "PATCH",
            format!("{}?owner=all", one(of_carl.credential.client_id.as_str())),
            off,
        ),
        (
            "DELETE",
            format!("{}?owner=all", one(of_carl.credential.client_id.as_str())),
            None,
        ),
    ] {
        let answer = world.call(method, &path, &token, body).await;
        assert_eq!(answer.status, 404, "{method} {path}");
    }
    assert_eq!(world.stands_at(&at_work, "us1"), Ok(()));
    assert_eq!(
        world.get(&governed, &token).await.json()["owner"],
        "otto@example.com"
    );
    assert_eq!(
        world.call("PATCH", &governed, &token, off).await.json()["state"],
        "disabled"
    );
    assert_eq!(
        world.stands_at(&at_work, "us1"),
        Err(TokenRefusal::Superseded)
    );
    assert_eq!(
        world.call("DELETE", &governed, &token, None).await.status,
        204
    );
    assert!(world.store.credentials().find(id).is_none());

    // An observer sees them all, and changes none.
    let olga = world
        .person("Main", "olga@example.com", Some(Role::Observer))
        .await;
    let browser = world.browser(&olga).await;
    let of_otto = world.credential(&otto, "us1", "again").await;
    let governed = format!("{}?owner=all", one(of_otto.credential.client_id.as_str()));
    assert_eq!(
        world.script(&browser, "GET", &governed, None).await.status,
        200
    );
    for (method, body) in [("PATCH", off), ("DELETE", None)] {
        let refused = world.script(&browser, method, &governed, body).await;
        assert_eq!(refused.status, 403, "{method}");
        let events = world.audit().await;
        assert_eq!(
            events.last().unwrap().event.state,
            AuditState::PermissionDenied
        );
    }
}

#[tokio::test]
async fn with_a_session_a_role_on_the_instance_is_enough() {
    let world = World::new().await;
    let otto = world.person("Main", "otto@example.com", None).await;
    let browser = world.browser(&otto).await;
    let us1 = world.instance("us1");
    let body = json!({
        "credentialName": "nightly",
        "associatedServiceManagerProvision":
            {"resourceUri": format!("/service-catalog/v1beta1/service-manager-provisions/{us1}")},
        "expiresAt": "2027-12-31T23:59:59Z",
        "tokenLifetimeSeconds": 60,
        "scope": "read",
    })
    .to_string();
    let create = async || {
        world
            .script(&browser, "POST", CREDENTIALS_PATH, Some(&body))
            .await
    };
    let refused = create().await;
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .body
            .contains("no role on that application instance")
    );
    world
        .store
        .people()
        .assign(
            otto.id,
            Some(us1),
            Role::Observer,
            &crate::world::local(),
            world.now(),
            &mut hallpass_oauth::random::SystemRandom,
        )
        .await
        .unwrap();
    let made = create().await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    let id = made["id"].as_str().unwrap();
    let stored = world.store.credentials().find(id).unwrap();
    assert_eq!(stored.token_lifetime, SignedDuration::from_mins(1));
    assert_eq!(stored.scopes.unwrap().to_string(), "read");
    let reset = format!("{}/reset", one(id));
    assert_eq!(
        world.script(&browser, "POST", &reset, None).await.status,
        200
    );
    let listed = world.script(&browser, "GET", CREDENTIALS_PATH, None).await;
    assert_eq!(names(&listed.json()), ["nightly"]);
    let all = format!("{CREDENTIALS_PATH}?owner=all");
    assert_eq!(world.script(&browser, "GET", &all, None).await.status, 403);
    assert_eq!(
        world
            .script(&browser, "DELETE", &one(id), None)
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    for (query, words) in [
        ("state=asleep", "active, disabled or expired"),
        ("sort=colour", "lastUsedAt"),
        ("limit=0", "1 to 1000"),
        ("limit=x", "limit must be a number"),
        ("offset=-1", "offset must be a number"),
    ] {
        let answer = world
            .get(&format!("{CREDENTIALS_PATH}?{query}"), &token)
            .await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains(words), "{}", answer.body);
    }
}
