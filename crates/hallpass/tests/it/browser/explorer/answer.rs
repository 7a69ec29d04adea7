//! The answer view: what came back, as a tree, a table and a chart with every digit, and where it leads. Most
//! tests give the view an answer of their own, because a sandbox has none that is so odd; the last ones send
//! requests.

use serde_json::{Value, json};

use super::super::inspection::Inspection;
use super::super::window::Window;
use super::stage::{Definition, Stage};

/// Shows an answer in the place of the view, its body as it is given. What is opened from it is kept in
/// `told.drafts`, and every file that it saves in `told.files`.
const SHOW: &str = r"
    const [answer, body, done] = arguments;
    const entry = document.querySelector('script[type=module][src*=explorer-]').src;
    const fetched = window.fetch;
    window.told = { drafts: [], files: [] };
    window.fetch = (address, options) => (String(address).includes('/answers/')
      ? Promise.resolve(new Response(Uint8Array.from(body)))
      : fetched(address, options));
    const made = URL.createObjectURL;
    URL.createObjectURL = (file) => {
      file.text().then((text) => told.files.push(text));
      return made.call(URL, file);
    };
    const files = ['answer.js', 'app.js'].map((file) => import(new URL(file, entry)));
    Promise.all(files).then(([{ mountAnswer }, { app }]) => {
      app.on('open-draft', (draft) => told.drafts.push(draft));
      const place = document.createElement('section');
      document.getElementById('view').replaceChildren(place);
      mountAnswer(place).show(answer, { operation: 'Volumes', parameters: [] });
      done(null);
    }, (error) => done(String(error)))";

#[track_caller]
fn show(stage: &Stage, changes: &Value, body: &[u8]) {
    let mut answer = json!({
        "id": "a", "status": 200, "reason": "OK", "milliseconds": 368, "size": body.len(), "kept": body.len(),
        "headers": [{ "name": "x-request-id", "value": "r1" }], "mediaType": "application/json",
        "complete": true, "file": false, "method": "GET", "url": "http://127.0.0.1/api/v1/volumes",
        "sent": { "headers": [{ "name": "authorization", "value": "Bearer ********" }], "body": null },
        "events": ["a new token was got"], "violations": [], "known": true, "list": null, "next": null,
        "task": null, "links": [], "problem": null, "token": null,
    });
    for (name, value) in changes.as_object().unwrap() {
        answer[name] = value.clone();
    }
    let failed = stage.window.wait_for_script(SHOW, &json!([answer, body]));
    assert_eq!(failed, Value::Null);
}

/// A page with a workspace.
fn stage() -> Option<Stage> {
    let stage = Stage::served()?;
    stage.create_workspace("Answers", Definition::BuiltIn);
    Some(stage)
}

/// Whole numbers that differ where a double has no digits left.
const LARGEST: u64 = u64::MAX;

fn volumes(count: u64) -> String {
    let volume = |at: u64| {
        let size = LARGEST - at;
        let long = "x".repeat(if at == 2 { 5000 } else { 3 });
        format!(
            r#"{{"id":"id{at}","name":"vol-{at}","sizeMiB":{size},"share":1.50,"health":{{"state":"OK"}},
            "comment":"=1+{at}","text":"{long}","resourceUri":"/api/v1/volumes/{at}"}}"#
        )
    };
    let volumes: Vec<_> = (0..count).map(volume).collect();
    format!(r#"{{"items":[{}],"total":{count}}}"#, volumes.join(","))
}

fn count(window: &Window, css: &str) -> u64 {
    let count = "return document.querySelectorAll(arguments[0]).length";
    window.script(count, &json!([css])).as_u64().unwrap()
}

#[test]
fn a_body_is_read_as_a_tree() {
    let Some(stage) = stage() else { return };
    let window = &stage.window;
    let draft = json!({ "method": "GET", "url": "{{baseUrl}}/api/v1/volumes/0", "parameters": [], "headers": [], "body": null });
    let changes = json!({
        "violations": [{ "pointer": "/items/1234/name", "what": "it is too short" }],
        "links": [{ "pointer": "/items/0/resourceUri", "target": "VolumeGetById", "draft": draft }],
    });
    show(&stage, &changes, volumes(2345).as_bytes());
    window.says("200 OK");
    window.says("It worked");
    window.says("368 ms");
    window.says(&LARGEST.to_string());
    window.says("1.50");
    assert!(count(window, ".json-row") < 400, "only what is looked at");

    // Finds what is closed, far below.
    window.fill("Find in the body", "VOL-2301");
    window.says("1 of 1");
    assert_eq!(window.read(".json-found .json-value"), "\"vol-2301\"");
    assert_eq!(window.read(".json-path code"), "/items/2301/name");
    window.press("Copy value");
    window.says("The value is copied");
    assert_eq!(window.clipboard(), "vol-2301");
    window.fill("Find in the body", "vol-230");
    window.says("1 of 11");
    window.press("Next match");
    window.says("2 of 11");
    assert_eq!(window.read(".json-found .json-value"), "\"vol-2300\"");

    // A long text is cut, until it is wanted.
    window.fill("Find in the body", "xxxxxx");
    window.press("all 5,002 characters");
    window.says(&"x".repeat(5000));

    // From a difference to its place.
    window.press("Checks1");
    window.press("/items/1234/name");
    window.says("it is too short");
    assert_eq!(window.read(".json-path code"), "/items/1234/name");

    // A link opens the request.
    window.fill("Find in the body", "/api/v1/volumes/0");
    window.says("1 of 1");
    window.press("Open VolumeGetById");
    let opened = window.script("return told.drafts", &json!([]));
    assert_eq!(opened, json!([draft]));
}

#[test]
fn a_list_is_a_table() {
    let Some(stage) = stage() else { return };
    let window = &stage.window;
    show(&stage, &json!({}), volumes(250).as_bytes());
    window.press("Table");
    assert_eq!(window.read(".answer-table th:first-child"), "name");
    assert_eq!(count(window, ".answer-table tbody tr"), 100);
    window.press("Show 150 more");
    assert_eq!(count(window, ".answer-table tbody tr"), 250);

    // By the last digit, which a double would have lost.
    window.press("sizeMiB");
    window.finds("th[aria-sort=ascending]");
    let first = || window.read(".answer-table tbody tr:first-child .number");
    assert_eq!(first(), (LARGEST - 249).to_string());
    window.press("sizeMiB");
    window.finds("th[aria-sort=descending]");
    assert_eq!(first(), LARGEST.to_string());
    assert_eq!(window.focus(), "sizeMiB");

    // A column less, and the file: numbers whole, and no text that a spreadsheet would run.
    window.press("Columns (8)");
    window.click_on(".answer-columns label:last-child input");
    assert_eq!(count(window, ".answer-table th"), 7);
    window.press("Save as CSV");
    let saved = "const done = arguments[0]; const look = () => (told.files.length ? done(told.files[0]) : setTimeout(look, 10)); look()";
    let saved = window.wait_for_script(saved, &json!([]));
    let saved = saved.as_str().unwrap();
    assert_eq!(saved.lines().count(), 251);
    let row = saved.lines().nth(1).unwrap();
    assert!(row.contains(&format!("\"{LARGEST}\"")), "{row}");
    assert!(row.contains("\"'=1+0\""), "{row}");
}

#[test]
fn numbers_over_time_are_a_chart() {
    let Some(stage) = stage() else { return };
    let window = &stage.window;
    // The real API calls seconds "ms".
    let point = |at: u64| {
        format!(
            r#"{{"timestampms":{},"readValue":{at}.50,"writeValue":20,"totalValue":{}}}"#,
            1_605_063_600 + 300 * at,
            at + 20
        )
    };
    let points: Vec<_> = (0..300).map(point).collect();
    let points = points.join(",");
    let body = format!(
        r#"{{"historyData":{{"iopsMetricsData":{{"items":[{points}]}},"latencyMetricsDataMs":{{"items":[{points}]}}}}}}"#
    );
    show(&stage, &json!({}), body.as_bytes());
    window.press("Chart");
    window.says("iops metrics data (operations per second)");
    assert_eq!(count(window, "svg .chart-line"), 3);
    window.click_on(".chart-legend label:last-child input");
    assert_eq!(count(window, "svg .chart-line"), 2);
    window.script("document.querySelector('svg').focus()", &json!([]));
    window.keys("\u{e014}\u{e014}");
    window.says("2020-11-11 03:05:00 UTC");
    assert_eq!(window.read(".chart-said strong"), "1.50");
    window.choose_last("Shown:");
    window.says("latency metrics data ms (ms)");
    window.press("The numbers (300)");
    assert_eq!(window.read(".chart-numbers tbody td:nth-child(2)"), "0.50");
}

#[test]
fn what_went_badly_is_explained() {
    let Some(stage) = stage() else { return };
    let window = &stage.window;
    let problem = json!({ "what": "the owner has no role for it", "hint": "ask for one", "code": "FORBIDDEN", "traceId": "t1" });
    let refused = json!({ "status": 403, "reason": "Forbidden", "problem": problem });
    show(&stage, &refused, b"{\"error\":\"no\"}");
    window.says("The owner has no role for it");
    window.says("Ask for one");
    window.says("FORBIDDEN");

    let busy = json!({ "status": 429, "reason": "Too Many Requests", "mediaType": "text/plain" });
    show(&stage, &busy, b"slow down");
    window.says("Wait a little");
    assert_eq!(window.read(".answer-raw"), "slow down");

    show(
        &stage,
        &json!({ "mediaType": "image/png" }),
        &[0x89, b'P', 0, 0xff],
    );
    window.says("This is no text (image/png, 4 B)");
    show(&stage, &json!({}), b"{\"a\": nope}");
    window.says("line 1, column 7");
    let large = json!({ "file": true, "complete": false, "size": 123_456_789 });
    show(&stage, &large, b"");
    window.says("too large to be shown (123 MB)");
    assert!(
        window
            .attribute(".answer-head a", "href")
            .ends_with("/answers/a/body?save=1")
    );
}

#[test]
fn everybody_can_read_an_answer() {
    let Some(stage) = stage() else { return };
    let window = &stage.window;
    let mut seen = Inspection::of(&stage.origin).unwrap();
    let changes = json!({
        "list": { "items": 250, "total": 2345, "offset": 10, "limit": 250 },
        "violations": [{ "pointer": "/items/0/name", "what": "it is too short" }],
    });
    show(&stage, &changes, volumes(250).as_bytes());
    for tab in ["Pretty", "Table", "Raw"] {
        window.press(tab);
        seen.look(window, &format!("explorer-answer-{}", tab.to_lowercase()));
    }
    for (tab, name) in [
        ("Headers1", "headers"),
        ("Checks1", "checks"),
        ("Log", "log"),
    ] {
        window.press(tab);
        seen.look(window, &format!("explorer-answer-{name}"));
    }
    let point = |at: u64| format!(r#"{{"timestamp":{},"usage":{at}}}"#, 1_605_063_600 + at);
    let points: Vec<_> = (0..9).map(point).collect();
    show(
        &stage,
        &json!({}),
        format!("[{}]", points.join(",")).as_bytes(),
    );
    window.press("Chart");
    seen.look(window, "explorer-answer-chart");
    let refused = json!({ "status": 404, "reason": "Not Found" });
    show(&stage, &refused, b"{\"error\":\"no\"}");
    window.says("404");
    seen.look(window, "explorer-answer-refused");
    seen.end();
}

/// A workspace whose requests go to the instance `us1`, with a token.
fn sending() -> Option<Stage> {
    let stage = stage()?;
    stage.authorize();
    Some(stage)
}

/// Sends a request, as the request editor does, and shows the answer in the place of the view.
const SEND: &str = r"
    const [draft, done] = arguments;
    const entry = document.querySelector('script[type=module][src*=explorer-]').src;
    window.told = { drafts: [] };
    const files = ['answer.js', 'app.js', 'api.js'].map((file) => import(new URL(file, entry)));
    Promise.all(files).then(async ([{ mountAnswer }, { app }, { post }]) => {
      app.on('open-draft', (opened) => told.drafts.push(opened));
      const place = document.createElement('section');
      document.getElementById('view').replaceChildren(place);
      mountAnswer(place).show(await post('/send', draft), draft);
      done(null);
    }).catch((error) => done(`${error}: ${error.hint}`))";

#[track_caller]
fn send(stage: &Stage, draft: &Value) {
    let failed = stage.window.wait_for_script(SEND, &json!([draft]));
    assert_eq!(failed, Value::Null);
}

/// A request of an operation, with these values of parameters.
#[track_caller]
fn draft(stage: &Stage, operation: &str, values: &[(&str, &str)]) -> Value {
    let definition = &stage.workspace()["definitions"][0]["id"];
    let fresh = json!({ "definition": definition, "operation": operation });
    let mut draft = stage.ask("POST", "/draft", &fresh)["draft"].take();
    for (name, value) in values {
        let rows = draft["parameters"].as_array_mut().unwrap();
        let row = rows.iter_mut().find(|row| row["name"] == *name).unwrap();
        row["value"] = json!(value);
        row["on"] = json!(true);
    }
    draft
}

#[test]
fn pages_of_a_list_are_turned_and_links_lead_on() {
    let Some(stage) = sending() else { return };
    let window = &stage.window;
    send(&stage, &draft(&stage, "SystemsList", &[("limit", "1")]));
    window.says("200 OK");
    window.says("Items 1–1 of");
    window.finds(".json-row");
    // What stands before the numbers that change with time.
    let system = || {
        let body = window.read(".json");
        body.split("type:").next().unwrap().to_owned()
    };
    let first = system();
    assert!(
        !window.shows(".count[data-kind=bad]"),
        "as the definition says"
    );
    window.press("Next page");
    window.says("Items 2–2 of");
    window.finds(".json-row");
    assert_ne!(system(), first);
    window.press("Previous page");
    window.says("Items 1–1 of");
    window.finds(".json-row");
    assert_eq!(system(), first);

    window.click_on(".json button.link[title*='/api/v1/storage-systems/']");
    let opened = window.script("return told.drafts[0]", &json!([]));
    assert_ne!(opened["operation"], "SystemsList");
    // The editor opens it as well, in the place that the next answer takes.
    window.finds(".request-tabs");
    send(&stage, &opened);
    window.says("200 OK");
}

#[test]
fn a_task_is_followed_to_its_end() {
    let Some(stage) = sending() else { return };
    let window = &stage.window;
    let mut draft = draft(&stage, "VolumeCreate", &[]);
    let volume = json!({ "name": "followed", "sizeMib": 16384, "userCpg": "SSD_r6" });
    draft["body"] = json!({ "mediaType": "application/json", "text": volume.to_string() });
    send(&stage, &draft);
    window.says("202 Accepted");
    window.finds(".answer-task[data-kind=good]");
    window.says("It is done");
    let done = "return document.querySelector('.answer-task progress').value";
    assert_eq!(window.script(done, &json!([])), 100);
}

/// What the stand-in tells of a system's past, with nothing filled in but the definition's examples.
#[test]
fn the_history_of_a_system_is_a_chart() {
    let Some(stage) = sending() else { return };
    let window = &stage.window;
    let mut seen = Inspection::of(&stage.origin).unwrap();
    for (operation, name) in [
        ("DeviceType1SystemCapacityHistoryGet", "capacity"),
        ("DeviceType1SystemPerformanceHistoryGet", "performance"),
    ] {
        send(&stage, &draft(&stage, operation, &[]));
        window.says("200 OK");
        window.press("Chart");
        window.finds("svg .chart-line");
        // A day, with a point every five minutes.
        window.says("The numbers (289)");
        assert!(
            !window.shows(".count[data-kind=bad]"),
            "as the definition says"
        );
        seen.look(window, &format!("explorer-history-{name}"));
    }
    seen.end();
}

#[test]
fn a_refusal_of_the_api_is_explained() {
    let Some(stage) = sending() else { return };
    let window = &stage.window;
    let values = [("systemId", "nobody"), ("id", "none")];
    send(&stage, &draft(&stage, "DeviceType1VolumeGetById", &values));
    window.says("404 Not Found");
    window.says("NOT_FOUND");
    window.finds(".answer .alert");
}
