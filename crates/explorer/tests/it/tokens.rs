//! Tokens are got, listed, chosen and renewed, and requests go with them.

use std::sync::Arc;

use axum::http::StatusCode;
use hallpass_client::BuiltRequest;
use hallpass_explorer::workspace::Draft;
use hallpass_explorer::{Explorer, Failure, Id, SentWith, Visitor};
use serde_json::{Value, json};

use crate::issuer::Issuer;
use crate::world::World;

/// A workspace that is set up for an issuer.
struct Stage {
    world: World,
    issuer: Arc<Issuer>,
    path: String,
}

fn settings(issuer: &Issuer) -> Value {
    json!({
        "type": "oauth2", "tokenName": "Mine", "grantType": "client_credentials",
        "accessTokenUrl": issuer.token_url(), "clientId": "me",
        "clientSecret": {"kind": "typed", "text": "planted"}, "scope": "",
        "clientAuthentication": "body", "headerPrefix": "Bearer", "addTo": "header", "renew": true,
    })
}

impl Stage {
    async fn set() -> Self {
        let issuer = Issuer::start().await;
        let (address, token_url) = (issuer.address.clone(), issuer.token_url());
        let world = World::with(&[("eu1", &address), ("token", &token_url)]);
        let path = world.workspace().await;
        let stage = Self {
            world,
            issuer,
            path,
        };
        stage.settle(&[]).await;
        stage
    }

    /// Puts the settings, but for these.
    async fn settle(&self, changes: &[(&str, Value)]) -> Value {
        let mut settings = settings(&self.issuer);
        for (name, value) in changes {
            settings[*name] = value.clone();
        }
        let path = format!("{}/authorization", self.path);
        let (status, told) = self.world.ask("PUT", &path, &settings).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        told["authorization"].clone()
    }

    async fn ask(&self, method: &str, below: &str, body: &Value) -> (StatusCode, Value) {
        let path = format!("{}{below}", self.path);
        self.world.ask(method, &path, body).await
    }

    async fn get_new(&self) -> Value {
        let (status, token) = self.ask("POST", "/tokens", &json!({})).await;
        assert_eq!(status, StatusCode::OK, "{token}");
        token
    }

    async fn tokens(&self) -> Value {
        self.world.get(&format!("{}/tokens", self.path)).await
    }

    fn id(&self) -> Id {
        Id::parse(self.path.rsplit('/').next().unwrap()).unwrap()
    }
}

fn draft(authorization: &Value) -> Draft {
    let draft = json!({
        "method": "GET", "url": "{{baseUrl}}/api/v1/x/{id}", "authorization": authorization,
    });
    serde_json::from_value(draft).unwrap()
}

/// Sends a request as the page's would be: its status, the header that arrived, and the token.
async fn send(
    stage: &Stage,
    explorer: &Explorer,
    draft: &Draft,
) -> Result<(u16, String, Option<SentWith>), Failure> {
    let visitor: Visitor = stage.world.visitor();
    let authorized = explorer.authorized(&visitor, &stage.id(), draft).await?;
    let request = BuiltRequest {
        method: http::Method::GET,
        path_and_query: "/api/v1/x/1".to_owned(),
        headers: Vec::new(),
        body: None,
    };
    let answer = authorized.client.send(&request).await.unwrap();
    let with = explorer.settle(&visitor, &stage.id(), &authorized).await?;
    let header = String::from_utf8_lossy(answer.body()).into_owned();
    Ok((answer.status().as_u16(), header, with))
}

fn token(number: usize) -> String {
    format!("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.{number}")
}

#[tokio::test]
async fn a_token_is_got_listed_explained_renamed_and_removed() {
    let stage = Stage::set().await;
    let got = stage.get_new().await;
    assert_eq!(got["name"], "Mine");
    assert_eq!(got["masked"], "eyJhbG…****");
    assert!(got["secondsLeft"].as_i64().unwrap() > 7000);
    let claim = &got["claims"][0];
    assert_eq!(
        (&claim["name"], &claim["value"]),
        (&json!("sub"), &json!("me"))
    );
    assert!(claim["meaning"].as_str().unwrap().contains("owner"));
    let id = got["id"].as_str().unwrap();
    let below = format!("/tokens/{id}");
    let (status, _) = stage.ask("PATCH", &below, &json!({"name": "Yours"})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let listed = stage.tokens().await;
    assert_eq!(listed["tokens"][0]["name"], "Yours");
    assert_eq!(listed["chosen"], id);
    let (_, value) = stage
        .ask("GET", &format!("{below}/value"), &Value::Null)
        .await;
    assert_eq!(
        format!("Bearer {}", value["value"].as_str().unwrap()),
        token(1)
    );
    let (status, _) = stage.ask("DELETE", &below, &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(stage.tokens().await, json!({"tokens": [], "chosen": null}));
}

#[tokio::test]
async fn both_ways_to_authenticate_and_refusals_in_words() {
    let stage = Stage::set().await;
    stage
        .settle(&[("clientAuthentication", json!("basic"))])
        .await;
    stage.get_new().await;
    {
        let asked = stage.issuer.asked.lock().unwrap();
        let (headers, body) = &asked[0];
        assert!(
            headers["authorization"]
                .to_str()
                .unwrap()
                .starts_with("Basic ")
        );
        assert!(!body.contains("planted"), "{body}");
    }
    let wrong = json!({"kind": "typed", "text": "wrong"});
    stage.settle(&[("clientSecret", wrong)]).await;
    let (status, told) = stage.ask("POST", "/tokens", &json!({})).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let what = told["error"]["what"].as_str().unwrap();
    assert!(what.contains("invalid_client: Invalid client."), "{what}");
    assert!(
        told["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("Client Secret")
    );
    let missing = json!({"kind": "reference", "text": "{{mySecret}}"});
    stage.settle(&[("clientSecret", missing)]).await;
    let (_, told) = stage.ask("POST", "/tokens", &json!({})).await;
    let what = told["error"]["what"].as_str().unwrap();
    assert!(
        what.starts_with("Client Secret has no value for {{mySecret}}"),
        "{what}"
    );
    stage
        .settle(&[("accessTokenUrl", json!("http://127.0.0.1:1/t"))])
        .await;
    let (status, told) = stage.ask("POST", "/tokens", &json!({})).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{told}");
    assert!(
        told["error"]["what"]
            .as_str()
            .unwrap()
            .contains("127.0.0.1:1")
    );
}

#[tokio::test]
async fn requests_inherit_the_token_and_two_at_once_get_one() {
    let stage = Stage::set().await;
    let explorer = stage.world.explorer();
    let inherits = draft(&Value::Null);
    let (one, two) = tokio::join!(
        send(&stage, &explorer, &inherits),
        send(&stage, &explorer, &inherits)
    );
    let ((one, header, with), (two, _, _)) = (one.unwrap(), two.unwrap());
    assert_eq!((one, two, header), (200, 200, token(1)));
    assert_eq!(stage.issuer.minted(), 1);
    assert!(with.unwrap().renewed);
    let (_, _, with) = send(&stage, &explorer, &inherits).await.unwrap();
    assert!(!with.unwrap().renewed);
    assert_eq!(stage.tokens().await["tokens"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_outlives_the_program_and_a_refused_one_is_replaced_once() {
    let stage = Stage::set().await;
    let inherits = draft(&Value::Null);
    send(&stage, &stage.world.explorer(), &inherits)
        .await
        .unwrap();
    let explorer = stage.world.explorer();
    let (status, header, _) = send(&stage, &explorer, &inherits).await.unwrap();
    assert_eq!((status, header), (200, token(1)));
    stage.issuer.revoke();
    let (status, header, with) = send(&stage, &explorer, &inherits).await.unwrap();
    assert_eq!((status, header), (200, token(2)));
    assert!(with.unwrap().renewed);
    assert_eq!(stage.issuer.minted(), 2);
    assert_eq!(stage.tokens().await["tokens"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn without_renewal_people_choose_their_token_and_are_told_when_it_ended() {
    let stage = Stage::set().await;
    let off = [("renew", json!(false))];
    let stored = stage.settle(&off).await;
    let explorer = stage.world.explorer();
    let inherits = draft(&Value::Null);
    let failure = send(&stage, &explorer, &inherits).await.unwrap_err();
    assert!(failure.hint().contains("Get New Access Token"), "{failure}");
    let first = stage.get_new().await["id"].as_str().unwrap().to_owned();
    *stage.issuer.lifetime.lock().unwrap() = 0;
    let ended = stage.get_new().await["id"].as_str().unwrap().to_owned();
    let (status, _) = stage
        .ask("POST", &format!("/tokens/{ended}/use"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let explorer = stage.world.explorer();
    let failure = send(&stage, &explorer, &inherits).await.unwrap_err();
    assert_eq!(failure.to_string(), "the access token has ended");
    let (status, told) = stage
        .ask("POST", &format!("/tokens/{first}/use"), &json!({}))
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{told}");
    let (status, header, with) = send(&stage, &explorer, &inherits).await.unwrap();
    assert_eq!((status, header), (401, token(1)), "nothing is renewed");
    assert!(!with.unwrap().renewed);
    // Other settings, other tokens.
    let mut other = stored;
    other["clientId"] = json!("somebody-else");
    let failure = send(&stage, &explorer, &draft(&other)).await.unwrap_err();
    assert_eq!(failure.to_string(), "there is no access token yet");
    stage.ask("DELETE", "/tokens?expired=1", &Value::Null).await;
    let left = stage.tokens().await;
    assert_eq!(left["tokens"].as_array().unwrap().len(), 1);
    assert_eq!(left["tokens"][0]["id"], first);
}

#[tokio::test]
async fn a_request_has_its_own_authorization() {
    let stage = Stage::set().await;
    let explorer = stage.world.explorer();
    let none = draft(&json!({"type": "none"}));
    let (status, header, with) = send(&stage, &explorer, &none).await.unwrap();
    assert_eq!((status, &*header, with), (401, "nothing", None));
    let typed = json!({
        "type": "bearer", "headerPrefix": "Token", "token": {"kind": "typed", "text": "planted"},
    });
    let (status, kept) = stage.ask("POST", "/authorization/draft", &typed).await;
    assert_eq!(status, StatusCode::OK, "{kept}");
    assert_eq!(kept["authorization"]["token"]["kind"], "kept");
    let bearer = draft(&kept["authorization"]);
    let (_, header, _) = send(&stage, &explorer, &bearer).await.unwrap();
    assert_eq!(header, "Token planted");
    assert_eq!(stage.issuer.minted(), 0);
}

#[tokio::test]
async fn a_profile_has_its_own_tokens_and_they_go_to_its_own_api_only() {
    let stage = Stage::set().await;
    let explorer = stage.world.explorer();
    let mut profile = draft(&json!({"type": "profile", "profile": "mine"}));
    let (status, header, with) = send(&stage, &explorer, &profile).await.unwrap();
    assert_eq!((status, header, with), (200, token(1), None));
    assert_eq!(stage.tokens().await["tokens"], json!([]));
    profile.url = "http://127.0.0.1:1/api".to_owned();
    let failure = send(&stage, &explorer, &profile).await.unwrap_err();
    assert!(
        failure.to_string().contains("goes to http://127.0.0.1:1"),
        "{failure}"
    );
    assert_eq!(stage.issuer.minted(), 1);
    let unknown = draft(&json!({"type": "profile", "profile": "yours"}));
    assert!(send(&stage, &explorer, &unknown).await.is_err());
}

#[tokio::test]
async fn the_current_token_is_a_variable() {
    let stage = Stage::set().await;
    let look = json!({"texts": ["Bearer {{accessToken}}"]});
    let (_, looked) = stage.ask("POST", "/variables/look", &look).await;
    assert_eq!(looked[0]["used"][0]["missing"], true);
    stage.get_new().await;
    let (_, looked) = stage.ask("POST", "/variables/look", &look).await;
    assert_eq!(looked[0]["masked"], "Bearer ********");
    let explorer = stage.world.explorer();
    let visitor = stage.world.visitor();
    let text = "Bearer {{accessToken}}";
    let resolved = explorer.resolve(&visitor, &stage.id(), text).await.unwrap();
    assert_eq!(resolved.text.expose(), token(1));
}

#[tokio::test]
async fn no_secret_is_shown_or_written_where_it_could_be_shared() {
    let stage = Stage::set().await;
    let told = [
        stage.get_new().await.to_string(),
        stage.tokens().await.to_string(),
        stage.world.get(&stage.path).await.to_string(),
        stage.settle(&[]).await.to_string(),
        stage.world.documents(),
    ];
    let live = token(1);
    let live = live.trim_start_matches("Bearer ");
    for told in told {
        assert!(!told.contains("planted") && !told.contains(live), "{told}");
    }
    // Each time that the settings were put, the secret before was forgotten.
    let secrets = stage.world.secrets();
    let planted = secrets.values().filter(|secret| *secret == "planted");
    assert_eq!(planted.count(), 1);
    let stored = stage
        .settle(&[("clientSecret", json!({"kind": "typed", "text": ""}))])
        .await;
    assert_eq!(stored["clientSecret"], json!({"kind": "empty"}));
    assert!(
        !stage
            .world
            .secrets()
            .values()
            .any(|secret| secret == "planted")
    );
}

#[tokio::test]
async fn of_two_who_type_a_secret_at_once_the_settings_have_theirs() {
    let stage = Stage::set().await;
    for _ in 0..5 {
        let (_, _) = tokio::join!(stage.settle(&[]), stage.settle(&[]));
        let kept = stage.world.get(&stage.path).await["authorization"]["clientSecret"].clone();
        let name = kept["name"].as_str().unwrap();
        assert!(stage.world.secrets().contains_key(name), "{kept}");
    }
}
