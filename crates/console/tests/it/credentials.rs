//! What the REST API does for those who may.

use hallpass_access::Role;
use hallpass_console::CREDENTIALS_PATH;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_store::audit::StoredEvent;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{ISSUER, World, logged};

const US1: &str = "3c18bd03-8306-4c7c-942e-c704a4b8744c";

fn own(client_id: &str) -> String {
    format!("{CREDENTIALS_PATH}/{client_id}")
}

fn dashed(workspace: &str) -> String {
    let ends = [0, 8, 12, 16, 20, 32];
    let parts: Vec<_> = ends
        .windows(2)
        .map(|ends| &workspace[ends[0]..ends[1]])
        .collect();
    parts.join("-")
}

#[tokio::test]
async fn the_list_holds_the_owners_credentials_and_no_others() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let bob = world
        .person("Main", "bob@example.com", Some(Role::Administrator))
        .await;
    let ann_elsewhere = world
        .person("Other", "ann@example.com", Some(Role::Administrator))
        .await;
    let token = world.token_of(&ann).await;
    world.credential(&bob, "us1", "of bob").await;
    world.credential(&ann_elsewhere, "us1", "elsewhere").await;
    world.pass(SignedDuration::from_secs(5));
    let nightly = world.credential(&ann, "us1", "nightly").await;

    let answer = world.get(CREDENTIALS_PATH, &token).await;
    assert_eq!(answer.status, 200);
    let list = answer.json();
    assert_eq!(list["count"], 2);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(list["items"][0]["credentialName"], "console");

    // Members, order and the shape of the times are those of domain facts, section 3.6.
    let id = nightly.credential.client_id.as_str();
    let tenant = dashed(ann.workspace.as_str());
    let expected = format!(
        r#"{{"credentialName":"nightly","id":"{id}","clientId":"{id}","type":"credentials","generation":1,"createdAt":"2023-11-14 22:13:25.000000","updatedAt":"2023-11-14 22:13:25.000000","associatedTenant":{{"resourceUri":"/workspaces/v1/workspaces/{tenant}","tenantName":"Main"}},"associatedServiceManagerProvision":{{"resourceUri":"/service-catalog/v1beta1/service-manager-provisions/{US1}"}}}}],"count":2}}"#
    );
    assert!(answer.body.ends_with(&expected), "{}", answer.body);
    let platform = list["items"][0].as_object().unwrap();
    assert!(!platform.contains_key("associatedServiceManagerProvision"));
}

#[tokio::test]
async fn the_filter_keeps_to_a_workspace() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let other = world.person("Other", "carl@example.com", None).await;
    let path = |filter: &str| format!("{CREDENTIALS_PATH}?filter={}", filter.replace(' ', "%20"));
    let count = async |filter: String| {
        let answer = world.get(&path(&filter), &token).await;
        assert_eq!(answer.status, 200, "{filter}: {}", answer.body);
        answer.json()["count"].clone()
    };
    assert_eq!(count(format!("tenantId eq '{}'", ann.workspace)).await, 1);
    assert_eq!(count(format!("tenantId eq '{}'", other.workspace)).await, 0);
    assert_eq!(count(format!("tenantId eq '{}'", "0".repeat(32))).await, 0);
    for wrong in ["name eq 'console'", "tenantId eq 'x'", "tenantId", "("] {
        let answer = world.get(&path(wrong), &token).await;
        let expected = (400, "HPE_GL_ERROR_BAD_REQUEST".to_owned());
        assert_eq!(answer.refusal(), expected, "{wrong}");
    }
}

#[tokio::test]
async fn a_new_credential_works_at_once_and_belongs_to_the_owner() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let maker = world.credential(&ann, "global", "console").await;
    let token = world.token(&maker).await;
    let body = json!({
        "credentialName": "  nightly  ",
        "associatedTenant": {"resourceUri": format!("/workspaces/v1/workspaces/{}", dashed(ann.workspace.as_str()))},
        "associatedServiceManagerProvision":
            {"resourceUri": format!("/service-catalog/v1beta1/service-manager-provisions/{US1}")},
        "colour": {"of": ["no", "concern"]},
    });
    let answer = world.create(&token, &body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = answer.json();
    let members: Vec<_> = made.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "credentialName",
            "id",
            "clientId",
            "type",
            "generation",
            "createdAt",
            "updatedAt",
            "associatedTenant",
            "associatedServiceManagerProvision",
            "clientSecret"
        ]
    );
    assert_eq!(made["credentialName"], "nightly");
    assert_eq!(made["id"], made["clientId"]);
    let (id, secret) = id_and_secret(&made);
    let nightly = world.token_with(&id, &secret, ISSUER).await.unwrap();
    assert_eq!(world.stands_at(&nightly, "us1"), Ok(()));
    let stored = world.store.credentials().find(&id).unwrap();
    assert_eq!((stored.owner, stored.instance.as_str()), (ann.id, US1));

    // The audit log names the maker.
    let events = world.audit().await;
    let about = |stored: &&StoredEvent| stored.event.resource.id == id;
    let event = &events.iter().find(about).unwrap().event;
    assert_eq!(event.user_email, "ann@example.com");
    assert_eq!(event.client_id, maker.credential.client_id.as_str());
    assert_eq!(
        (event.source.as_str(), event.source_ip.as_str()),
        ("console", "127.0.0.1")
    );

    let plain = world.create(&token, r#"{"credentialName":"plain"}"#).await;
    let (id, _) = id_and_secret(&plain.json());
    let stored = world.store.credentials().find(&id).unwrap();
    assert_eq!(stored.instance, world.instance("global"));
}

#[tokio::test]
async fn a_reset_kills_the_old_secret_and_the_token_used_elsewhere() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let id = nightly.credential.client_id.as_str();
    let at_work = world.token(&nightly).await;
    assert_eq!(world.stands_at(&at_work, "us1"), Ok(()));

    world.pass(SignedDuration::from_secs(60));
    let path = format!("{}/reset", own(id));
    let answer = world.call("POST", &path, &token, None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let reset = answer.json();
    let (same_id, secret) = id_and_secret(&reset);
    assert_eq!(same_id, id);
    assert_eq!(reset["generation"], 2);
    assert_eq!(reset["createdAt"], "2023-11-14 22:13:20.000000");
    assert_eq!(reset["updatedAt"], "2023-11-14 22:14:20.000000");

    assert_eq!(
        world.stands_at(&at_work, "us1"),
        Err(TokenRefusal::Superseded)
    );
    let old = nightly.secret.expose();
    assert_ne!(secret, old);
    assert!(world.token_with(id, old, ISSUER).await.is_none());
    let fresh = world.token_with(id, &secret, ISSUER).await.unwrap();
    assert_eq!(world.stands_at(&fresh, "us1"), Ok(()));
}

#[tokio::test]
async fn a_reset_of_the_calling_credential_ends_the_calling_token() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let maker = world.credential(&ann, "global", "console").await;
    let token = world.token(&maker).await;
    let path = format!("{}/reset", own(maker.credential.client_id.as_str()));
    assert_eq!(world.call("POST", &path, &token, None).await.status, 200);
    assert_eq!(world.call("POST", &path, &token, None).await.status, 401);
}

#[tokio::test]
async fn a_deleted_credential_is_gone_with_its_tokens() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let at_work = world.token(&nightly).await;
    let path = own(nightly.credential.client_id.as_str());
    assert_eq!(world.call("DELETE", &path, &token, None).await.status, 204);
    assert_eq!(
        world.stands_at(&at_work, "us1"),
        Err(TokenRefusal::CredentialGone)
    );
    assert_eq!(world.call("DELETE", &path, &token, None).await.status, 404);
    assert_eq!(world.get(CREDENTIALS_PATH, &token).await.json()["count"], 1);
}

#[tokio::test]
async fn what_belongs_to_others_looks_like_what_does_not_exist() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let bob = world
        .person("Main", "bob@example.com", Some(Role::Operator))
        .await;
    let carl = world
        .person("Other", "carl@example.com", Some(Role::Operator))
        .await;
    let of_bob = world.credential(&bob, "us1", "of bob").await;
    let of_carl = world.credential(&carl, "us1", "of carl").await;
    let ids = [
        "7c1f0a52-54e5-4a8e-9d0f-1b5f7a3f1c11".to_owned(),
        of_bob.credential.client_id.to_string(),
        of_carl.credential.client_id.to_string(),
        "%FF".to_owned(),
    ];
    let mut bodies = Vec::new();
    for id in &ids {
        for (method, path) in [("DELETE", own(id)), ("POST", format!("{}/reset", own(id)))] {
            let answer = world.call(method, &path, &token, None).await;
            assert_eq!(answer.status, 404, "{method} {path}");
            let mut body = answer.json();
            body["debugId"] = Value::Null;
            bodies.push((body, answer.headers.len()));
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    for issued in [of_bob, of_carl] {
        let at_work = world.token(&issued).await;
        assert_eq!(world.stands_at(&at_work, "us1"), Ok(()), "nothing changed");
        assert_eq!(issued.credential.generation, 1);
    }
}

#[tokio::test]
async fn another_workspace_is_out_of_bounds_whether_or_not_it_exists() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let carl = world.person("Other", "carl@example.com", None).await;
    let mut messages = Vec::new();
    for workspace in [carl.workspace.as_str(), &"1".repeat(32)] {
        let body = json!({
            "credentialName": "nightly",
            "associatedTenant": {"resourceUri": format!("/workspaces/v1/workspaces/{workspace}")},
        });
        let answer = world.create(&token, &body.to_string()).await;
        assert_eq!(answer.refusal(), (403, "HPE_GL_ERROR_FORBIDDEN".to_owned()));
        messages.push(answer.json()["message"].clone());
        let events = world.audit().await;
        let event = &events.last().unwrap().event;
        assert_eq!(event.code, "Unauthorized privilege");
        assert_eq!(event.user_email, "ann@example.com");
    }
    assert_eq!(messages[0], messages[1]);
    assert_eq!(world.get(CREDENTIALS_PATH, &token).await.json()["count"], 1);
}

#[tokio::test]
async fn names_and_numbers_have_limits() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let create = async |name: &str| {
        let body = json!({ "credentialName": name }).to_string();
        world.create(&token, &body).await
    };
    for name in ["", "   ", "a\nb", &"x".repeat(65)] {
        assert_eq!(create(name).await.status, 400, "{name:?}");
    }
    for number in 2..=7 {
        assert_eq!(create(&format!("My Apps {number}")).await.status, 201);
    }
    let taken = create("My Apps 2").await;
    assert_eq!(taken.refusal(), (409, "HPE_GL_ERROR_CONFLICT".to_owned()));
    assert_eq!(
        taken.json()["message"],
        "a credential named `My Apps 2` exists"
    );
    let full = create("My Apps 8").await;
    assert_eq!(full.status, 409);
    assert_eq!(
        full.json()["message"],
        "You have reached the maximum of 7 personal API clients"
    );
}

#[tokio::test]
async fn a_bad_body_is_refused_with_words_that_help() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let message = async |body: &str| {
        let answer = world.create(&token, body).await;
        let expected = (400, "HPE_GL_ERROR_BAD_REQUEST".to_owned());
        assert_eq!(answer.refusal(), expected, "{body}");
        answer.json()["message"].as_str().unwrap().to_owned()
    };
    let told = message("{\n\"credentialName\": 'x'}").await;
    assert!(told.contains("line 2 column 19"), "{told}");
    assert!(message("{}").await.contains("credentialName"));
    let nowhere = r#"{"credentialName":"n","associatedServiceManagerProvision":{"resourceUri":"/service-catalog/v1beta1/service-manager-provisions/7c1f0a52-54e5-4a8e-9d0f-1b5f7a3f1c11"}}"#;
    assert!(message(nowhere).await.contains("7c1f0a52-54e5"));

    let bearer = format!("Bearer {token}");
    let with_type = async |kind: &str, body: &str| {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        world.send("POST", CREDENTIALS_PATH, &headers, body).await
    };
    let good = r#"{"credentialName":"typed"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "",
    ] {
        let answer = with_type(kind, good).await;
        let expected = (415, "HPE_GL_ERROR_UNSUPPORTED_MEDIA_TYPE".to_owned());
        assert_eq!(answer.refusal(), expected, "{kind}");
    }
    assert_eq!(
        with_type("Application/JSON; charset=utf-8", good)
            .await
            .status,
        201
    );

    let padded = |length: usize| {
        let empty = r#"{"credentialName":"long","x":""}"#;
        empty.replace(
            "\"x\":\"",
            &format!("\"x\":\"{}", "x".repeat(length - empty.len())),
        )
    };
    let over = world.create(&token, &padded(16 * 1024 + 1)).await;
    assert_eq!(
        over.refusal(),
        (413, "HPE_GL_ERROR_PAYLOAD_TOO_LARGE".to_owned())
    );
    assert_eq!(world.create(&token, &padded(16 * 1024)).await.status, 201);
}

#[tokio::test]
async fn secrets_are_in_the_answers_of_create_and_reset_and_nowhere_else() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let made = world
        .create(&token, r#"{"credentialName":"nightly"}"#)
        .await;
    let (id, first) = id_and_secret(&made.json());
    let path = format!("{}/reset", own(&id));
    let reset = world.call("POST", &path, &token, None).await;
    let (_, second) = id_and_secret(&reset.json());
    world
        .create(&token, r#"{"credentialName":"nightly"}"#)
        .await;
    let list = world.get(CREDENTIALS_PATH, &token).await;
    let audit = format!("{:?}", world.audit().await);
    world.store.close().await;
    let disk = crate::setup::everything_on_disk(&world);

    assert!(!list.body.contains("clientSecret"));
    assert!(audit.contains(&id), "the audit log was read");
    assert!(
        logged().contains("HPE_GL_ERROR_CONFLICT"),
        "the log was read"
    );
    for secret in [&first, &second] {
        assert_eq!(secret.len(), 32);
        for (place, text) in [
            ("list", &list.body),
            ("audit", &audit),
            ("log", &logged()),
            ("disk", &disk),
        ] {
            assert!(!text.contains(secret.as_str()), "{place}");
        }
    }
    assert!(!logged().contains(&token) && !disk.contains(&token));
}

#[tokio::test]
async fn a_failing_store_is_503_and_says_nothing_of_itself() {
    let world = World::new().await;
    let ann = world.administrator().await;
    let token = world.token_of(&ann).await;
    let nightly = world.credential(&ann, "us1", "nightly").await;
    let path = own(nightly.credential.client_id.as_str());
    world.store.close().await;
    let answers = [
        world.create(&token, r#"{"credentialName":"more"}"#).await,
        world
            .call("POST", &format!("{path}/reset"), &token, None)
            .await,
        world.call("DELETE", &path, &token, None).await,
    ];
    for answer in answers {
        let expected = (503, "HPE_GL_ERROR_SERVICE_UNAVAILABLE".to_owned());
        assert_eq!(answer.refusal(), expected);
        assert_eq!(answer.header("retry-after"), "1");
        let told = answer.body.to_lowercase();
        assert!(!told.contains("sql") && !told.contains("database") && !told.contains("pool"));
    }
}

fn id_and_secret(item: &Value) -> (String, String) {
    let member = |name: &str| item[name].as_str().unwrap().to_owned();
    (member("clientId"), member("clientSecret"))
}
