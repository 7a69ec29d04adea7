//! Steps 16 to 23 of section 9 of `domain.md`: a request that inherits what was set once is filled in, sent,
//! and its answer read; tokens that do not open anything any more; a token in a header of one's own; and
//! trying an operation out from its documentation.

use serde_json::{Value, json};

use super::rows::SYSTEM;
use super::stage::Stage;
use crate::http::{get, get_with, token_of};
use crate::world::eventually;

const OPERATION: &str = "SystemsList";
const PATH: &str = "/api/v1/storage-systems";

/// 11: of several tokens any can be chosen, and what stands before it in the header.
#[track_caller]
pub(super) fn chosen_token(stage: &Stage) {
    let window = &stage.window;
    window.press("Get New Access Token");
    window.says("Authentication complete");
    window.press("Proceed");
    assert_eq!(chosen(stage)["name"], "GreenLake");
    window.choose("Access Token", "Mine");
    eventually("the other token is in use", || {
        (chosen(stage)["name"] == "Mine").then_some(())
    });
    window.retype("Header Prefix", "DSCC");
    // It is on its way when the next view asks what will be sent, and that waits for it.
    open(stage);
    window.click_on("#request-headers");
    window.says("DSCC ********");
    stage.go("/authorization");
    window.retype("Header Prefix", "Bearer");
    saved(stage);

    // The newer one has superseded it: the API refuses it once, and it is not used again.
    let refused = refusals(stage);
    open(stage);
    for _ in 0..2 {
        send(stage, "200 OK");
    }
    assert_eq!(chosen(stage)["name"], "GreenLake");
    assert_eq!(refusals(stage), refused + 1);
}

/// 16: a request says that it inherits, and which headers go with it.
#[track_caller]
pub(super) fn inherited(stage: &Stage) {
    let window = &stage.window;
    open(stage);
    window.click_on("#request-authorization");
    window.says("The workspace says: OAuth 2.0");
    assert_eq!(window.value("Type"), "inherit");
    assert_eq!(window.read("#request-authorization .count"), "inherited");
    window.click_on("#request-headers");
    window.says("Bearer ********");
    window.says("authorization of the workspace");
    let names = "return [...document.querySelectorAll('#request-panel th code')].map((one) => one.textContent)";
    let names = window.script(names, &json!([]));
    for name in ["Host", "Authorization", "Accept", "User-Agent"] {
        let all = names.as_array().unwrap();
        assert!(all.iter().any(|one| one == name), "{name} in {names}");
    }
}

/// 17: parameters hold the definition's examples, and are off.
#[track_caller]
pub(super) fn prefilled(stage: &Stage) {
    let window = &stage.window;
    let path = format!("/definitions/{}/operations/{OPERATION}", definition(stage));
    let detail = stage.ask("GET", &path, &Value::Null);
    window.click_on("#request-parameters");
    let rows = "return Object.fromEntries([...document.querySelectorAll('tr[data-parameter]')].map((row) =>
        [row.dataset.parameter, { on: row.querySelector('input').checked,
          value: row.querySelector('.entry').querySelector('input, textarea, select').value }]))";
    let rows = window.script(rows, &json!([]));
    let mut examples = 0;
    for parameter in detail["parameters"].as_array().unwrap() {
        let row = &rows[parameter["name"].as_str().unwrap()];
        assert_eq!(row["on"], false, "{parameter}");
        if let Some(example) = parameter["example"].as_str() {
            examples += 1;
            assert_eq!(row["value"], example, "{parameter}");
        }
    }
    assert!(examples >= 3, "{rows}");
    assert_eq!(address(stage), stage.server.us1(PATH));
}

/// 18: the address with the values that are sent, variables replaced.
#[track_caller]
pub(super) fn effective(stage: &Stage) {
    let window = &stage.window;
    window.fill("filter", "name eq '{{SystemID}}'");
    eventually("the variable's value in the address", || {
        address(stage).contains(SYSTEM).then_some(())
    });
    window.click_on("[aria-label='Send filter']");
    window.fill("limit", "1");
    let whole = format!("{}?limit=1", stage.server.us1(PATH));
    eventually("the address that is sent", || {
        (address(stage) == whole).then_some(())
    });
}

/// 19 and 20: how it went, the body in its forms, the headers, a file; and where in the list this is.
#[track_caller]
pub(super) fn answered(stage: &Stage) {
    let window = &stage.window;
    send(stage, "200 OK");
    let head = window.read(".answer-head");
    assert!(head.contains(" ms") && head.contains('B'), "{head}");
    let fetched = fetched(stage);

    window.press("Pretty");
    window.finds(".json-row");
    window.press("Raw");
    let raw: Value = serde_json::from_str(&window.read(".answer-raw")).unwrap();
    assert_eq!(raw["items"][0]["id"], fetched["items"][0]["id"]);
    assert_eq!(raw["items"].as_array().unwrap().len(), 1);
    window.press("Pretty");
    let total = fetched["total"].as_u64().unwrap();
    window.says(&format!("Items 1–1 of {total}"));
    assert!(total < 2 || window.shows(".answer-pages button"));

    let save = window.attribute(".answer-head a", "href");
    let fetch = "const [address, done] = arguments;
        fetch(address).then(async (answer) =>
          done({ body: await answer.text(), kind: answer.headers.get('content-disposition') }))";
    let saved = window.wait_for_script(fetch, &json!([save]));
    assert!(saved["kind"].as_str().unwrap().starts_with("attachment"));
    let saved: Value = serde_json::from_str(saved["body"].as_str().unwrap()).unwrap();
    assert_eq!(saved, raw, "what is saved is what came");

    window.click_on(".answer-tabs [id$='-headers']");
    window.says("Was sent");
    window.says("Bearer ********");
    window.says("application/json");
}

/// 21: a token that another one superseded is renewed by itself; without renewal the refusal is told, and
/// a press helps.
#[track_caller]
pub(super) fn renewed(stage: &Stage) {
    let window = &stage.window;
    let (refused, issued) = (refusals(stage), issues(stage));
    token_of(&stage.credential);
    send(stage, "200 OK");
    window.says("new token");
    assert_eq!(refusals(stage), refused + 1, "the superseded token");
    assert_eq!(
        issues(stage),
        issued + 2,
        "the one outside, and its successor"
    );

    stage.go("/authorization");
    window.click_on(".switch input");
    saved(stage);
    token_of(&stage.credential);
    open(stage);
    send(stage, "401 ");
    window.finds(".answer .alert");
    assert_eq!(issues(stage), issued + 3, "none is got without a press");

    stage.go("/authorization");
    window.press("Get New Access Token");
    window.says("Authentication complete");
    window.press("Proceed");
    open(stage);
    send(stage, "200 OK");
    assert_eq!(issues(stage), issued + 4);
    stage.go("/authorization");
    window.click_on(".switch input");
    saved(stage);
}

/// 22: the current token is a variable, with no script that puts it there.
#[track_caller]
pub(super) fn token_as_variable(stage: &Stage) {
    let window = &stage.window;
    stage.go("/request");
    window.fill("Address", &format!("{{{{baseUrl}}}}{PATH}?limit=1"));
    window.click_on("#request-authorization");
    window.choose("Type", "No Auth");
    window.says("without an access token");
    send(stage, "401 ");

    window.click_on("#request-headers");
    window.press("Add a header");
    window.fill("Name of the header", "Authorization");
    window.fill("Value of the header", "Bearer {{accessToken}}");
    window.click_on("#request-sent");
    window.says("the current access token");
    send(stage, "200 OK");
}

/// 23: from the documentation to a request: the server that it goes to, the status, everything opened.
#[track_caller]
pub(super) fn tried(stage: &Stage) {
    let window = &stage.window;
    stage.go(&format!("/docs/{}/{OPERATION}", definition(stage)));
    // It was imported without.
    window.press("Show documentation");
    window.says("Responses");
    window.press("Try it");
    window.finds("#request-parameters");
    let elsewhere = stage.server.instance("eu1").to_owned();
    window.choose("Environment", "(eu1)");
    eventually("the address of another server", || {
        address(stage).starts_with(&elsewhere).then_some(())
    });
    window.choose("Environment", "DSCC testing");
    eventually("the address of the first", || {
        address(stage)
            .starts_with(&stage.server.us1(PATH))
            .then_some(())
    });
    send(stage, "200 OK");
    window.finds(".json-row");
    window.press("Expand all");
    assert!(!window.shows(".json [aria-expanded=false]"));
    assert!(window.shows(".json [aria-level='4']"));
    send(stage, "200 OK");
}

/// Presses Send, and waits for the answer to that.
#[track_caller]
pub(super) fn send(stage: &Stage, status: &str) {
    let old = "document.querySelector('.answer-head')?.setAttribute('data-old', '')";
    stage.window.script(old, &json!([]));
    stage.window.click_on("button.send");
    stage.window.finds(".answer-head:not([data-old])");
    let head = stage.window.read(".answer-head");
    assert!(head.contains(status), "{head}");
}

/// Waits until the form of the authorization is with the server.
#[track_caller]
fn saved(stage: &Stage) {
    eventually("the authorization is saved", || {
        (stage.window.read(".save-state") == "Saved").then_some(())
    });
}

/// The operation in the request editor.
#[track_caller]
fn open(stage: &Stage) {
    stage.go(&format!("/op/{}/{OPERATION}", definition(stage)));
    stage.window.finds("#request-parameters");
}

#[track_caller]
fn definition(stage: &Stage) -> String {
    let id = stage.workspace()["definitions"][0]["id"].clone();
    id.as_str().unwrap().to_owned()
}

/// The address as the page says that it is sent.
#[track_caller]
fn address(stage: &Stage) -> String {
    stage.window.read(".request-effective")
}

#[track_caller]
fn chosen(stage: &Stage) -> Value {
    let known = stage.ask("GET", "/tokens", &Value::Null);
    let mut tokens = known["tokens"].as_array().unwrap().iter();
    let chosen = tokens.find(|token| token["chosen"] == true);
    chosen.cloned().unwrap_or_default()
}

/// What the API says to the same request from elsewhere.
#[track_caller]
fn fetched(stage: &Stage) -> Value {
    let path = format!("/tokens/{}/value", chosen(stage)["id"].as_str().unwrap());
    let token = stage.ask("GET", &path, &Value::Null)["value"].take();
    let address = stage.server.us1(&format!("{PATH}?limit=1"));
    get_with(&address, token.as_str().unwrap()).is(200).json()
}

/// How often the API has refused a token.
fn refusals(stage: &Stage) -> u64 {
    counted(stage, "hallpass_api_answers_total{status=\"401\"} ")
}

/// How many tokens were issued.
fn issues(stage: &Stage) -> u64 {
    counted(
        stage,
        "hallpass_access_tokens_issued_total{grant=\"client_credentials\"} ",
    )
}

#[track_caller]
fn counted(stage: &Stage, name: &str) -> u64 {
    let metrics = get(stage.server.metrics()).is(200).text;
    let mut lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
    lines.next().map_or(0, |value| value.parse().unwrap())
}
