//! Whoever changes the files of a workspace does not choose where somebody's secrets go.

use std::sync::Arc;

use axum::http::StatusCode;
use hallpass_explorer::Document;
use serde_json::{Value, json};

use crate::issuer::Issuer;
use crate::world::World;

/// A workspace, its own server, and one of somebody else.
struct Stage {
    world: World,
    path: String,
    own: Arc<Issuer>,
    other: Arc<Issuer>,
}

impl Stage {
    async fn set() -> Self {
        let (own, other) = (Issuer::start().await, Issuer::start().await);
        let token_url = own.token_url();
        let world = World::with(&[("eu1", &own.address), ("token", &token_url)]);
        let path = world.workspace().await;
        Self {
            world,
            path,
            own,
            other,
        }
    }

    async fn ask(&self, method: &str, below: &str, body: &Value) -> (StatusCode, Value) {
        let path = format!("{}{below}", self.path);
        self.world.ask(method, &path, body).await
    }

    async fn authorize(&self, token_url: &str, secret: Value) {
        let settings = json!({
            "type": "oauth2", "accessTokenUrl": token_url, "clientId": "me", "clientSecret": secret,
        });
        let (status, told) = self.ask("PUT", "/authorization", &settings).await;
        assert_eq!(status, StatusCode::OK, "{told}");
    }

    /// Types the secret itself.
    async fn type_secret(&self, token_url: &str) {
        let typed = json!({"kind": "typed", "text": "planted"});
        self.authorize(token_url, typed).await;
    }

    /// Keeps the secret in a variable of the environment, whose API is at `base_url`.
    async fn variables(&self, base_url: &str) {
        let environment = &self.world.get(&self.path).await["environments"][0];
        let below = format!("/environments/{}", environment["id"].as_str().unwrap());
        let changed = json!({"name": "EU1", "variables": [
            {"name": "baseUrl", "on": true, "initial": base_url},
            {"name": "clientSecret", "on": true, "secret": true, "value": "planted"},
        ]});
        let (status, told) = self.ask("PUT", &below, &changed).await;
        assert_eq!(status, StatusCode::OK, "{told}");
    }

    async fn reference_secret(&self) {
        let reference = json!({"kind": "reference", "text": "{{clientSecret}}"});
        self.authorize(&self.own.token_url(), reference).await;
    }

    async fn get_new(&self) -> (StatusCode, Value) {
        self.ask("POST", "/tokens", &json!({})).await
    }

    async fn send(&self) -> (StatusCode, Value) {
        let draft = json!({"method": "GET", "url": "{{baseUrl}}/x"});
        self.ask("POST", "/send", &draft).await
    }

    /// Somebody else changes the file of the workspace.
    fn meddle(&self, change: impl FnOnce(&mut Value)) {
        self.world.meddle(&self.path, &Document::Workspace, change);
    }

    fn lead_away(&self) {
        let base_url = self.other.address.clone();
        self.meddle(|file| {
            file["environments"][0]["variables"][0]["initial"] = base_url.into();
        });
    }

    /// Nothing came to the server of somebody else.
    fn is_unheard(&self) -> bool {
        self.other.asked.lock().unwrap().is_empty() && self.other.called() == 0
    }
}

/// What was refused, and what to do.
fn refused((status, told): (StatusCode, Value)) -> (String, String, Value) {
    assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
    let error = &told["error"];
    let text = |name: &str| error[name].as_str().unwrap().to_owned();
    (text("what"), text("hint"), error["trust"].clone())
}

#[tokio::test]
async fn a_typed_secret_goes_to_the_address_that_it_was_typed_for() {
    let stage = Stage::set().await;
    stage.type_secret(&stage.own.token_url()).await;
    let elsewhere = stage.other.token_url();
    let lead =
        |url: String| stage.meddle(|file| file["authorization"]["accessTokenUrl"] = url.into());
    lead(elsewhere.clone());
    let (what, hint, trust) = refused(stage.get_new().await);
    for part in [
        "Client Secret was typed for",
        &stage.own.address,
        &stage.other.address,
    ] {
        assert!(what.contains(part), "{part}: {what}");
    }
    assert!(hint.contains("type Client Secret again") && hint.contains("put the old address back"));
    assert_eq!(trust, Value::Null, "it is typed again, not waved through");
    refused(stage.send().await);
    assert!(stage.is_unheard());
    lead(stage.own.token_url());
    assert_eq!(stage.get_new().await.0, StatusCode::OK);
    // Another path of the same server is the same server.
    let called = stage.own.called();
    lead(format!("{}/another/token", stage.own.address));
    stage.get_new().await;
    assert_eq!(stage.own.called(), called + 1);
    lead(elsewhere.clone());
    stage.type_secret(&elsewhere).await;
    assert_eq!(stage.get_new().await.0, StatusCode::OK);
    assert_eq!(stage.other.minted(), 1);
}

#[tokio::test]
async fn a_secret_of_a_request_of_its_own_is_bound_too_and_one_without_an_address_when_it_is_used()
{
    let stage = Stage::set().await;
    let typed = json!({
        "type": "oauth2", "accessTokenUrl": "{{tokenUrl}}", "clientId": "me",
        "clientSecret": {"kind": "typed", "text": "planted"},
    });
    let (status, kept) = stage.ask("POST", "/authorization/draft", &typed).await;
    assert_eq!(status, StatusCode::OK, "{kept}");
    let mut settings = kept["authorization"].clone();
    let mut get = async |url: String| {
        settings["accessTokenUrl"] = url.into();
        let wanted = json!({"authorization": settings});
        stage.ask("POST", "/tokens", &wanted).await
    };
    assert_eq!(get(stage.own.token_url()).await.0, StatusCode::OK);
    refused(get(stage.other.token_url()).await);
    assert!(stage.is_unheard());
}

#[tokio::test]
async fn a_typed_token_goes_where_it_went_first() {
    let stage = Stage::set().await;
    let typed = json!({
        "type": "bearer", "headerPrefix": "Bearer", "token": {"kind": "typed", "text": "planted"},
    });
    let (status, told) = stage.ask("PUT", "/authorization", &typed).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    assert_eq!(stage.send().await.0, StatusCode::OK);
    stage.lead_away();
    let (what, _, _) = refused(stage.send().await);
    assert!(what.starts_with("Token was typed for"), "{what}");
    assert!(stage.is_unheard());
}

#[tokio::test]
async fn a_typed_token_that_was_not_used_yet_is_not_led_away() {
    let stage = Stage::set().await;
    let typed = json!({
        "type": "bearer", "headerPrefix": "Bearer", "token": {"kind": "typed", "text": "planted"},
    });
    stage.ask("PUT", "/authorization", &typed).await;
    stage.lead_away();
    let (what, _, trust) = refused(stage.send().await);
    assert!(what.contains("changed outside"), "{what}");
    assert_eq!(trust, stage.other.address);
    assert!(stage.is_unheard());
}

#[tokio::test]
async fn variables_and_access_tokens_go_to_a_new_place_when_the_person_says_so() {
    let stage = Stage::set().await;
    stage.variables(&stage.own.address).await;
    stage.reference_secret().await;
    assert_eq!(stage.send().await.0, StatusCode::OK);
    stage.lead_away();
    let (what, hint, trust) = refused(stage.send().await);
    assert!(
        what.contains(&stage.other.address) && what.contains("changed outside"),
        "{what}"
    );
    assert!(hint.contains("Authorization"), "{hint}");
    // By way of a variable in a request without authorization.
    let with = json!({
        "method": "GET", "url": "{{baseUrl}}/x", "authorization": {"type": "none"},
        "headers": [{"name": "X-Key", "value": "{{clientSecret}}", "on": true}],
    });
    refused(stage.ask("POST", "/send", &with).await);
    assert!(stage.is_unheard());
    let plain = json!({
        "method": "GET", "url": "{{baseUrl}}/x", "authorization": {"type": "none"},
    });
    assert_eq!(stage.ask("POST", "/send", &plain).await.0, StatusCode::OK);
    assert_eq!(
        stage.other.called(),
        1,
        "what holds no secret goes anywhere"
    );

    let (status, told) = stage.ask("POST", "/trust", &json!({"origin": trust})).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{told}");
    assert_eq!(stage.send().await.0, StatusCode::OK);
    assert!(stage.other.called() > 1);
    // One answer is for one address.
    let third = Issuer::start().await;
    stage.meddle(|file| file["authorization"]["accessTokenUrl"] = third.token_url().into());
    let (what, _, _) = refused(stage.get_new().await);
    assert!(what.contains(&third.address), "{what}");
    assert_eq!(third.minted(), 0);
}

#[tokio::test]
async fn a_saved_request_that_others_changed_takes_no_token_along() {
    let stage = Stage::set().await;
    stage.type_secret(&stage.own.token_url()).await;
    let request = json!({"method": "GET", "url": "{{baseUrl}}/x"});
    let saved = json!({"name": "All", "request": request});
    assert_eq!(
        stage.ask("POST", "/saved", &saved).await.0,
        StatusCode::CREATED
    );
    assert_eq!(stage.send().await.0, StatusCode::OK);
    let url = format!("{}/x", stage.other.address);
    stage.meddle(|file| file["saved"][0]["request"]["url"] = url.clone().into());
    let draft = json!({"method": "GET", "url": url});
    refused(stage.ask("POST", "/send", &draft).await);
    assert!(stage.is_unheard());
}

#[tokio::test]
async fn what_a_person_changes_in_the_page_is_not_asked_about() {
    let stage = Stage::set().await;
    stage.variables(&stage.own.address).await;
    stage.reference_secret().await;
    assert_eq!(stage.send().await.0, StatusCode::OK);
    stage.variables(&stage.other.address).await;
    assert_eq!(stage.send().await.0, StatusCode::OK);
    assert!(!stage.is_unheard());
    let typed = json!({"method": "GET", "url": format!("{}/x", Issuer::start().await.address)});
    assert_eq!(stage.ask("POST", "/send", &typed).await.0, StatusCode::OK);
}

#[tokio::test]
async fn secrets_that_an_earlier_version_kept_are_bound_when_they_are_used() {
    let stage = Stage::set().await;
    stage.type_secret(&stage.own.token_url()).await;
    stage.world.meddle(&stage.path, &Document::Own, |own| {
        own.as_object_mut().unwrap().remove("trust").unwrap();
    });
    assert_eq!(stage.get_new().await.0, StatusCode::OK);
    stage.meddle(|file| {
        file["authorization"]["accessTokenUrl"] = stage.other.token_url().into();
    });
    refused(stage.get_new().await);
    assert!(stage.is_unheard());
}
