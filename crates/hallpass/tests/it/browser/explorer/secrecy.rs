//! After all the steps no secret is anywhere but where it is kept: not in what the page shows or was told,
//! not in the history, what is saved, or what is shared, and not in the server's log.

use serde_json::{Value, json};

use super::stage::Stage;

/// What the page is told of the workspace.
const TOLD: [&str; 7] = [
    "",
    "/tokens",
    "/history",
    "/saved",
    "/environments",
    "/variables",
    "/export",
];

/// The views that show most of it.
const VIEWS: [&str; 5] = ["/", "/authorization", "/tokens", "/request", "/nowhere"];

/// The secret of the credential and every token of the workspace are hidden.
#[track_caller]
pub(super) fn nothing_is_told(stage: &Stage) {
    let heard = heard(stage);
    let secrets = secrets(stage);
    assert!(secrets.len() > 2, "the secret and the tokens of the steps");
    for view in VIEWS {
        stage.go(view);
        stage.window.finds("#view *");
        for secret in &secrets {
            stage.hides(secret);
        }
    }
    let told = TOLD.map(|path| (path, stage.ask("GET", path, &Value::Null).to_string()));
    let log = stage.server.process.stderr.text() + &stage.server.process.stdout.text();
    let log = [("the log", log)];
    let heard = heard.iter().map(|(url, body)| (&**url, body));
    let all = told.iter().chain(&log);
    let all: Vec<_> = all.map(|(name, text)| (*name, text)).chain(heard).collect();
    for secret in &secrets {
        for (name, text) in &all {
            assert!(!text.contains(secret), "{name} holds a secret");
        }
    }
}

#[track_caller]
fn secrets(stage: &Stage) -> Vec<String> {
    let known = stage.ask("GET", "/tokens", &Value::Null);
    let tokens = known["tokens"].as_array().unwrap().iter().map(|token| {
        let path = format!("/tokens/{}/value", token["id"].as_str().unwrap());
        let value = stage.ask("GET", &path, &Value::Null);
        value["value"].as_str().unwrap().to_owned()
    });
    let secret = stage.credential.client_secret.clone();
    tokens.chain([secret]).collect()
}

/// The answers that the browser still has of those that the page was given, but for the one that is the
/// token itself.
#[track_caller]
fn heard(stage: &Stage) -> Vec<(String, String)> {
    let mut heard = Vec::new();
    for entry in stage.window.log("performance") {
        let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
        let event = &event["message"];
        let parameters = &event["params"];
        let url = parameters["response"]["url"].as_str().unwrap_or_default();
        let is_answer = event["method"] == "Network.responseReceived";
        if !is_answer || !url.contains("/explorer/api/") || url.ends_with("/value") {
            continue;
        }
        let request = json!({ "requestId": parameters["requestId"] });
        if let Ok(got) = stage
            .window
            .try_devtools("Network.getResponseBody", &request)
        {
            heard.push((url.to_owned(), got["body"].as_str().unwrap().to_owned()));
        }
    }
    let has = |part: &str| heard.iter().any(|(url, _)| url.ends_with(part));
    assert!(
        has("/send") && has("/preview") && has("/tokens"),
        "too little is left"
    );
    heard
}
