//! Requests are sent to a real server, and the page is told what came back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request as Asked;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::issuer::Issuer;
use crate::previews::{draft, operation, world};
use crate::world::World;

/// An API without authorization that answers what `answer` says.
async fn api(answer: impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static) -> String {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    let router = Router::new().fallback(move |asked: Asked| {
        let answer = answer(&asked);
        async move { answer }
    });
    tokio::spawn(async move { axum::serve(socket, router).await });
    address
}

fn told(status: u16, kind: &str, body: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("content-type", kind.to_owned())], body.to_owned()).into_response()
}

/// A workspace whose requests go without a token.
async fn open(address: &str) -> (World, String, String) {
    let (world, path, definition) = world(address).await;
    let none = json!({"type": "none"});
    let (status, told) = world
        .ask("PUT", &format!("{path}/authorization"), &none)
        .await;
    assert_eq!(status, StatusCode::OK, "{told}");
    (world, path, definition)
}

async fn send(world: &World, path: &str, draft: &Value) -> Value {
    let (status, told) = world.ask("POST", &format!("{path}/send"), draft).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    told
}

async fn body(world: &World, path: &str, answer: &Value, save: &str) -> Vec<u8> {
    let id = answer["id"].as_str().unwrap();
    let request = Request::builder().uri(format!("{path}/answers/{id}/body{save}"));
    let (status, bytes) = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    bytes
}

const SYSTEMS: &str = r#"{"items":[{"id":"2M2042059T","name":7,"size":18446744073709551615,
  "resourceUri":"/api/v1/storage-systems/2M2042059T","other":"https://elsewhere.example/api/v1/storage-systems/1"}],
  "total":3,"pageLimit":1,"pageOffset":0,"requestUri":"REQUEST"}"#;

#[tokio::test]
async fn an_answer_comes_as_it_is_and_leads_on() {
    let address = api(|asked| {
        let host = asked.headers()["host"].to_str().unwrap();
        let uri = format!("http://{host}{}", asked.uri());
        told(200, "application/json", &SYSTEMS.replace("REQUEST", &uri))
    })
    .await;
    let (world, path, definition) = open(&address).await;
    let id = operation(&world, &path, &definition, "GET", "/api/v1/storage-systems").await;
    let draft = draft(&world, &path, &definition, &id).await;
    let answer = send(&world, &path, &draft).await;
    assert_eq!(
        (&answer["status"], &answer["reason"]),
        (&json!(200), &json!("OK"))
    );
    assert_eq!(
        answer["list"],
        json!({"items": 1, "total": 3, "offset": 0, "limit": 1})
    );
    assert_eq!(
        (&answer["complete"], &answer["known"]),
        (&json!(true), &json!(true))
    );
    let bytes = String::from_utf8(body(&world, &path, &answer, "").await).unwrap();
    assert!(bytes.contains("18446744073709551615"), "{bytes}");
    let links = answer["links"].as_array().unwrap();
    let pointers: Vec<&str> = links
        .iter()
        .map(|one| one["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(
        pointers,
        ["/items/0/resourceUri", "/requestUri"],
        "no other server"
    );
    let one = &links[0]["draft"];
    assert!(
        one["url"]
            .as_str()
            .unwrap()
            .starts_with("{{baseUrl}}/api/v1/storage-systems/{")
    );
    assert_eq!(one["parameters"][0]["value"], "2M2042059T");
    let next = answer["next"]["parameters"].as_array().unwrap();
    let offset = next.iter().find(|row| row["name"] == "offset").unwrap();
    assert_eq!(
        (&offset["value"], &offset["on"]),
        (&json!("1"), &json!(true))
    );
    let differences = answer["violations"].as_array().unwrap();
    let mut pointers = differences.iter().map(|one| &one["pointer"]);
    assert!(pointers.any(|one| one == "/items/0/name"), "{answer}");
}

/// What was sent holds the values of secrets; the way to the next page holds what was typed.
#[tokio::test]
async fn the_next_page_is_asked_for_as_it_was_typed() {
    let address = api(|_| {
        told(
            200,
            "application/json",
            r#"{"items":[{"id":1}],"total":10,"pageLimit":1,"pageOffset":0}"#,
        )
    })
    .await;
    let (world, path, _) = open(&address).await;
    let shown = world.get(&path).await;
    let environment = &shown["environments"][0];
    let id = environment["id"].as_str().unwrap();
    let base = &environment["variables"][0];
    let variables = json!([
        {"name": "baseUrl", "on": true, "secret": false, "initial": base["initial"], "current": null},
        {"name": "key", "on": true, "secret": true, "initial": "", "current": null, "value": "p@ss word/PLANTED"},
    ]);
    let changed = json!({"name": environment["name"], "variables": variables});
    let at = format!("{path}/environments/{id}");
    let (status, told) = world.ask("PUT", &at, &changed).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let draft = json!({
        "method": "GET", "url": "{{baseUrl}}/list?limit=1&k={{key}}", "parameters": [], "headers": [],
        "body": null, "authorization": {"type": "none"},
    });
    let answer = send(&world, &path, &draft).await;
    let next = &answer["next"];
    let url = next["url"].as_str().unwrap();
    assert!(url.contains("k={{key}}"), "{answer}");
    assert!(answer["next"].to_string().contains("offset"), "{answer}");
    send(&world, &path, next).await;
    let history = world.get(&format!("{path}/history")).await;
    for told in [answer, history] {
        assert!(!told.to_string().contains("PLANTED"), "{told}");
    }
    // However it is written.
    let mut written = draft.clone();
    written["url"] = json!("{{baseUrl}}/list?k=p%40ss%20word%2FPLANTED");
    let saved = json!({"name": "Written", "request": written});
    let (status, told) = world.ask("POST", &format!("{path}/saved"), &saved).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
}

#[tokio::test]
async fn a_request_has_an_end() {
    let address = api(|_| told(200, "application/json", "{}")).await;
    let (world, path, _) = open(&address).await;
    let draft =
        |url: &str, headers: Value| json!({"method": "GET", "url": url, "headers": headers});
    let names: Vec<String> = (0..501).map(|at| format!("{{{{n{at}}}}}")).collect();
    let names = names.join("/");
    let row = json!({"name": "x", "value": "1", "on": true});
    for long in [
        draft(&format!("{{{{baseUrl}}}}/{names}"), json!([])),
        draft("{{baseUrl}}/", Value::from(vec![row; 1001])),
        json!({"method": "GET", "url": "{{baseUrl}}/", "authorization":
            {"type": "oauth2", "scope": names}}),
    ] {
        let (status, told) = world.ask("POST", &format!("{path}/preview"), &long).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    }
}

#[tokio::test]
async fn an_error_is_explained_and_a_page_is_no_json() {
    let address = api(|asked| match asked.uri().path() {
        "/api/v1/storage-systems" => told(
            403,
            "application/json",
            r#"{"error":"no","errorCode":"FORBIDDEN","traceId":"t1"}"#,
        ),
        "/moved" => (
            StatusCode::FOUND,
            [("location", "https://elsewhere.example/")],
        )
            .into_response(),
        _ => told(200, "text/html", "<script>alert(1)</script>"),
    })
    .await;
    let (world, path, definition) = open(&address).await;
    let id = operation(&world, &path, &definition, "GET", "/api/v1/storage-systems").await;
    let mut request = draft(&world, &path, &definition, &id).await;
    let answer = send(&world, &path, &request).await;
    assert_eq!(answer["problem"]["code"], "FORBIDDEN");
    assert_eq!(answer["problem"]["traceId"], "t1");
    assert!(
        answer["problem"]["hint"].as_str().unwrap().contains("role"),
        "{answer}"
    );

    let id = operation(&world, &path, &definition, "GET", "/api/v1/tasks").await;
    request = draft(&world, &path, &definition, &id).await;
    let answer = send(&world, &path, &request).await;
    assert!(
        answer["violations"][0]["what"]
            .as_str()
            .unwrap()
            .contains("text/html"),
        "{answer}"
    );
    let request = Request::builder()
        .uri(format!(
            "{path}/answers/{}/body",
            answer["id"].as_str().unwrap()
        ))
        .body(Body::empty())
        .unwrap();
    let shown = world.answer(request).await;
    let header = |name: &str| shown.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");

    let free = json!({"method": "GET", "url": "{{baseUrl}}/moved"});
    let answer = send(&world, &path, &free).await;
    assert_eq!(answer["status"], 302);
    assert!(
        answer["events"]
            .to_string()
            .contains("elsewhere.example was not followed"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_huge_answer_is_in_a_file_and_not_in_memory() {
    const PIECES: u64 = 300;
    let address = api(|_| {
        let piece = Bytes::from(vec![b'x'; 1024 * 1024]);
        Response::new(Body::new(Pieces(PIECES, piece)))
    })
    .await;
    let (world, path, _) = open(&address).await;
    let free = json!({"method": "GET", "url": "{{baseUrl}}/huge"});
    let before = memory();
    let answer = send(&world, &path, &free).await;
    assert_eq!(answer["size"], PIECES * 1024 * 1024);
    assert_eq!(
        (&answer["file"], &answer["complete"]),
        (&json!(true), &json!(false))
    );
    let id = answer["id"].as_str().unwrap();
    let request = Request::builder().uri(format!("{path}/answers/{id}/body?save=1"));
    let saved = world.answer(request.body(Body::empty()).unwrap()).await;
    assert!(
        saved.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    let mut body = saved.into_body();
    let mut size = 0;
    while let Some(frame) = http_body_util::BodyExt::frame(&mut body).await {
        size += frame.unwrap().into_data().unwrap().len() as u64;
    }
    assert_eq!(size, PIECES * 1024 * 1024);
    if let (Some(before), Some(after)) = (before, memory()) {
        assert!(
            after < before + 150 * 1024,
            "{before} kB grew to {after} kB"
        );
    }
}

/// The most memory that this process had, in kB, where the system says so.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The same piece so many times.
struct Pieces(u64, Bytes);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        if self.0 == 0 {
            return std::task::Poll::Ready(None);
        }
        self.0 -= 1;
        let piece = http_body::Frame::data(self.1.clone());
        std::task::Poll::Ready(Some(Ok(piece)))
    }
}

#[tokio::test]
async fn nothing_that_is_wrong_is_sent_unless_somebody_wants_it() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let address = api(move |asked| {
        counted.fetch_add(1, Ordering::SeqCst);
        told(200, "text/plain", &asked.uri().to_string())
    })
    .await;
    let (world, path, definition) = open(&address).await;
    let id = operation(&world, &path, &definition, "GET", "/api/v1/storage-systems").await;
    let mut draft = draft(&world, &path, &definition, &id).await;
    draft["parameters"] = json!([{"name": "limit", "in": "query", "value": "all", "on": true}]);
    let (status, refused) = world.ask("POST", &format!("{path}/send"), &draft).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused["error"]["what"].as_str().unwrap().contains("limit"),
        "{refused}"
    );
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    draft["unchecked"] = true.into();
    let answer = send(&world, &path, &draft).await;
    assert_eq!(
        body(&world, &path, &answer, "").await,
        b"/api/v1/storage-systems?limit=all"
    );

    let free = json!({"method": "GET", "url": "http://127.0.0.1:1/x"});
    let (status, refused) = world.ask("POST", &format!("{path}/send"), &free).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(
        refused["error"]["what"]
            .as_str()
            .unwrap()
            .contains("127.0.0.1:1"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_task_is_looked_at_by_whatever_names_it() {
    let address = api(|asked| match (asked.method().as_str(), asked.uri().path()) {
        ("DELETE", _) => told(202, "application/json", r#"{"taskUri":"/rest/vega/v1/tasks/t-1","status":"SUBMITTED","message":""}"#),
        (_, "/api/v1/tasks/t-1") => told(
            200,
            "application/json",
            r#"{"id":"t-1","displayName":"Delete it","state":"FAILED","progressPercent":40,"error":{"error":"in use"}}"#,
        ),
        _ => told(404, "application/json", "{}"),
    })
    .await;
    let (world, path, _) = open(&address).await;
    let free = json!({"method": "DELETE", "url": "{{baseUrl}}/x"});
    let answer = send(&world, &path, &free).await;
    assert_eq!(answer["task"]["uri"], "/api/v1/tasks/t-1");
    for asked in [
        json!({"uri": "t-1"}),
        json!({"uri": "/rest/vega/v1/tasks/t-1"}),
        json!({"uri": answer["task"]["uri"], "draft": answer["task"]["draft"]}),
    ] {
        let (status, seen) = world
            .ask("POST", &format!("{path}/tasks/look"), &asked)
            .await;
        assert_eq!(status, StatusCode::OK, "{asked}: {seen}");
        assert_eq!(
            (&seen["state"], &seen["progress"]),
            (&json!("FAILED"), &json!(40))
        );
        assert_eq!((&seen["ended"], &seen["ok"]), (&json!(true), &json!(false)));
        assert!(seen["what"].as_str().unwrap().contains("in use"), "{seen}");
    }
    // Looking is no request of the person.
    assert_eq!(
        world
            .get(&format!("{path}/history"))
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn history_and_saved_requests_hold_no_secret() {
    let address = api(|_| told(200, "text/plain", "planted-s3cret")).await;
    let (world, path, _) = open(&address).await;
    let shown = world.get(&path).await;
    let environment = shown["environments"][0]["id"].as_str().unwrap();
    let base = json!({"name": "baseUrl", "on": true, "secret": false, "initial": address});
    let secret = json!({"name": "key", "on": true, "secret": true, "initial": "", "value": "planted-s3cret"});
    let changed = json!({"name": "Here", "variables": [base, secret]});
    let (status, told) = world
        .ask(
            "PUT",
            &format!("{path}/environments/{environment}"),
            &changed,
        )
        .await;
    assert!(status.is_success(), "{told}");
    let request = json!({
        "method": "POST", "url": "{{baseUrl}}/x?a=planted-s3cret",
        "headers": [
            {"name": "X-Key", "value": "{{key}}", "on": true},
            {"name": "Cookie", "value": "session=planted-cookie", "on": true},
        ],
        "body": {"mediaType": "text/plain", "text": "say planted-s3cret"},
    });
    let answer = send(&world, &path, &request).await;
    let headers = answer["sent"]["headers"].as_array().unwrap();
    let key = headers.iter().find(|one| one["name"] == "X-Key").unwrap();
    assert_eq!(key["value"], "********");
    let history = world.get(&format!("{path}/history")).await;
    assert_eq!(history[0]["status"], 200);
    assert_eq!(
        history[0]["draft"]["headers"],
        json!([{"name": "X-Key", "in": "header", "value": "{{key}}", "on": true}])
    );
    assert!(
        !world.documents().contains("planted"),
        "{}",
        world.documents()
    );
    let saved = json!({"name": "Mine", "request": request});
    let (status, refused) = world.ask("POST", &format!("{path}/saved"), &saved).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.to_string().contains("planted-s3cret"), "{refused}");
    let fine =
        json!({"name": "Mine", "request": {"method": "GET", "url": "{{baseUrl}}/x?a={{key}}"}});
    let (status, made) = world.ask("POST", &format!("{path}/saved"), &fine).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(world.get(&format!("{path}/saved")).await[0]["name"], "Mine");
    let one = format!("{path}/saved/{}", made["id"].as_str().unwrap());
    let renamed = json!({"name": "Ours", "request": fine["request"]});
    assert_eq!(
        world.ask("PUT", &one, &renamed).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.get(&format!("{path}/saved")).await[0]["name"], "Ours");
    assert_eq!(
        world.ask("DELETE", &one, &Value::Null).await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.get(&format!("{path}/saved")).await, json!([]));
    assert_eq!(
        world
            .ask("DELETE", &format!("{path}/history"), &Value::Null)
            .await
            .0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(world.get(&format!("{path}/history")).await, json!([]));
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_request_repeated() {
    let issuer = Issuer::start().await;
    let (world, path, _) = world(&issuer.address).await;
    let mut settings = world.get(&path).await["authorization"].clone();
    settings["clientId"] = "a-client".into();
    settings["clientSecret"] = json!({"kind": "typed", "text": "planted"});
    let (status, told) = world
        .ask("PUT", &format!("{path}/authorization"), &settings)
        .await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let free = json!({"method": "GET", "url": "{{baseUrl}}/x"});
    let first = send(&world, &path, &free).await;
    assert_eq!(
        (&first["status"], &first["token"]["renewed"]),
        (&json!(200), &json!(true))
    );
    issuer.revoke();
    let second = send(&world, &path, &free).await;
    assert_eq!(second["status"], 200, "{second}");
    assert_eq!(issuer.minted(), 2);
    assert_ne!(first["token"]["id"], second["token"]["id"]);
    let events = second["events"].to_string();
    assert!(events.contains("sent again with a new one"), "{events}");
    assert!(!format!("{first}{second}").contains("eyJ"), "{second}");
}

#[tokio::test]
async fn a_person_may_give_up_waiting() {
    let arrived = Arc::new(Notify::new());
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", socket.local_addr().unwrap());
    let told_of = arrived.clone();
    let router = Router::new().fallback(move |asked: Asked| {
        let arrived = told_of.clone();
        async move {
            if asked.uri().path() == "/slow" {
                arrived.notify_one();
                std::future::pending::<()>().await;
            }
            "done"
        }
    });
    tokio::spawn(async move { axum::serve(socket, router).await });
    let (world, path, _) = open(&address).await;
    let slow = json!({"method": "GET", "url": "{{baseUrl}}/slow"});
    tokio::select! {
        answer = send(&world, &path, &slow) => panic!("{answer}"),
        () = arrived.notified() => {}
    }
    assert_eq!(world.get(&format!("{path}/history")).await, json!([]));
    let quick = json!({"method": "GET", "url": "{{baseUrl}}/quick"});
    assert_eq!(send(&world, &path, &quick).await["status"], 200);
}

/// A secret that calls itself a reference would be kept and shown as one.
#[tokio::test]
async fn what_calls_itself_a_reference_and_is_none_is_refused() {
    let address = api(|_| told(200, "text/plain", "")).await;
    let (world, path, _) = open(&address).await;
    let literal = |text: &str| json!({"kind": "reference", "text": text});
    let bearer =
        json!({"type": "bearer", "headerPrefix": "Bearer", "token": literal("planted-s3cret")});
    let oauth2 = json!({"type": "oauth2", "clientSecret": literal("{{a}}planted-s3cret")});
    for settings in [bearer, oauth2] {
        let draft = json!({"method": "GET", "url": "{{baseUrl}}/x", "authorization": settings});
        for (to, asked) in [
            ("send", draft.clone()),
            ("preview", draft.clone()),
            ("samples", json!({"request": draft, "language": "curl"})),
            ("saved", json!({"name": "Mine", "request": draft})),
            ("tasks/look", json!({"uri": "t-1", "draft": draft})),
        ] {
            let (status, told) = world.ask("POST", &format!("{path}/{to}"), &asked).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{to}: {told}");
            assert!(!told.to_string().contains("planted"), "{told}");
        }
    }
    assert!(!world.documents().contains("planted"));
}

#[tokio::test]
async fn a_workspace_with_a_secret_written_into_it_opens_without_it() {
    let address = api(|_| told(200, "text/plain", "")).await;
    let (world, path, _) = open(&address).await;
    let draft = |text: &str| {
        let secret = json!({"kind": "reference", "text": text});
        let settings = json!({"type": "oauth2", "clientSecret": secret});
        json!({"method": "GET", "url": "{{baseUrl}}/x", "authorization": settings})
    };
    for name in ["Mine", "Ours"] {
        let saved = json!({"name": name, "request": draft("{{secret}}")});
        let (status, told) = world.ask("POST", &format!("{path}/saved"), &saved).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
    }
    world.written_anew(|document| document.replacen("{{secret}}", "planted-s3cret", 1));
    let saved = world.get(&format!("{path}/saved")).await;
    let secret = |at: usize| &saved[at]["request"]["authorization"]["clientSecret"];
    assert_eq!(secret(0), &json!({"kind": "empty"}));
    assert_eq!(secret(1)["text"], "{{secret}}");

    send(&world, &path, &json!({"method": "GET", "url": "{{baseUrl}}/x", "authorization":
        {"type": "bearer", "headerPrefix": "", "token": {"kind": "reference", "text": "{{baseUrl}}"}}})).await;
    world.written_anew(|document| {
        document.replacen(
            "\"text\": \"{{baseUrl}}\"",
            "\"text\": \"planted-s3cret\"",
            1,
        )
    });
    let history = world.get(&format!("{path}/history")).await;
    assert_eq!(
        history[0]["draft"]["authorization"]["token"],
        json!({"kind": "empty"})
    );
}

/// A workspace whose active environment has this secret variable, `{{key}}`.
async fn with_key(address: &str, key: &str) -> (World, String, String) {
    let (world, path, definition) = open(address).await;
    let shown = world.get(&path).await;
    let environment = shown["environments"][0]["id"].as_str().unwrap();
    let base = json!({"name": "baseUrl", "on": true, "secret": false, "initial": address});
    let secret = json!({"name": "key", "on": true, "secret": true, "initial": "", "value": key});
    let changed = json!({"name": "Here", "variables": [base, secret]});
    let at = format!("{path}/environments/{environment}");
    let (status, told) = world.ask("PUT", &at, &changed).await;
    assert!(status.is_success(), "{told}");
    (world, path, definition)
}

#[tokio::test]
async fn why_nothing_came_back_holds_no_secret() {
    let (world, path, _) = with_key("http://127.0.0.1:1", "PlantedHost").await;
    for url in [
        "https://{{key}}.invalid/x",
        "https://127.0.0.1:{{key}}/x",
        "http://{{key}}.invalid/x",
    ] {
        let draft = json!({"method": "GET", "url": url, "unchecked": true});
        let (status, told) = world.ask("POST", &format!("{path}/send"), &draft).await;
        assert!(!status.is_success(), "{told}");
        let told = told.to_string();
        assert!(!told.to_lowercase().contains("planted"), "{told}");
    }
    let settings = json!({
        "type": "oauth2", "accessTokenUrl": "https://{{key}}.invalid/token", "clientId": "c",
        "clientSecret": {"kind": "typed", "text": "s3cret"},
    });
    let asked = json!({ "authorization": settings });
    let (status, told) = world.ask("POST", &format!("{path}/tokens"), &asked).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY, "{told}");
    let told = told.to_string();
    assert!(told.contains("********.invalid"), "{told}");
    assert!(!told.to_lowercase().contains("planted"), "{told}");
}

#[tokio::test]
async fn what_happened_and_where_it_leads_hold_no_secret() {
    let address = api(|asked| match asked.uri().path() {
        "/start" => (
            StatusCode::FOUND,
            [("location", "/end?say=p%40ss%2fPLANTED")],
        )
            .into_response(),
        _ => told(
            202,
            "application/json",
            r#"{"items":[{"resourceUri":"/api/v1/storage-systems/p%40ss%2FPLANTED","a":"/api/v1/storage-systems/p@ss/PLANTED"}],
              "total":9,"next":"/end?cursor=p%40ss%2fPLANTED","taskUri":"/rest/vega/v1/tasks/p%40ss%2fPLANTED"}"#,
        ),
    })
    .await;
    let (world, path, _) = with_key(&address, "p@ss/PLANTED").await;
    let draft = json!({"method": "GET", "url": "{{baseUrl}}/start?k={{key}}"});
    let answer = send(&world, &path, &draft).await;
    let events = answer["events"].to_string();
    assert!(events.contains("/end?say=********"), "{answer}");
    assert_ne!(answer["links"], json!([]), "{answer}");
    assert_ne!(answer["task"], Value::Null, "{answer}");
    assert_ne!(answer["next"], Value::Null, "{answer}");
    let history = world.get(&format!("{path}/history")).await;
    for told in [answer, history] {
        assert!(!told.to_string().contains("PLANTED"), "{told}");
    }
}

/// The secret of a request's own authorization is known to the request alone.
#[tokio::test]
async fn the_secret_of_a_draft_is_neither_saved_nor_shared() {
    let address = api(|_| told(200, "text/plain", "")).await;
    let (world, path, _) = open(&address).await;
    let typed = json!({"type": "bearer", "headerPrefix": "", "token": {"kind": "typed", "text": "plan/ted-token"}});
    let (status, told) = world
        .ask("POST", &format!("{path}/authorization/draft"), &typed)
        .await;
    assert_eq!(status, StatusCode::OK, "{told}");
    for written in ["plan/ted-token", "plan%2Fted-token"] {
        let request = json!({"method": "GET", "url": format!("{{{{baseUrl}}}}/x?a={written}")});
        let saved = json!({"name": "Mine", "request": request});
        let (status, told) = world.ask("POST", &format!("{path}/saved"), &saved).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    }
    let fine =
        json!({"name": "Mine", "request": {"method": "GET", "url": "{{baseUrl}}/x?a=none-of-it"}});
    let (status, told) = world.ask("POST", &format!("{path}/saved"), &fine).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    world.written_anew(|document| document.replace("none-of-it", "plan/ted-token"));
    let export = format!("{path}/export");
    let (status, told) = world.ask("GET", &export, &Value::Null).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
}

/// A long request is composed beside the threads that answer requests.
#[tokio::test]
async fn a_long_request_stops_nobody_else() {
    let (world, path, _) = open("http://127.0.0.1:1").await;
    let body = json!({"mediaType": "text/plain", "text": "{{baseUrl}} ".repeat(20_000)});
    // It is refused before anybody waits for a server.
    let draft = json!({"method": "POST", "url": "{{baseUrl}}/{{nothing}}", "body": body});
    for to in ["preview", "send"] {
        let at = format!("{path}/{to}");
        let mut turns = 0_usize;
        let others = async {
            loop {
                turns += 1;
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = others => {}
            (status, told) = world.ask("POST", &at, &draft) => {
                let refused = told["error"].is_object();
                assert_eq!(refused, !status.is_success(), "{told}");
            }
        }
        assert!(turns > 500, "{to}: {turns} turns");
    }
}
