//! What goes over the wire to the API, and what comes back of it.

use std::sync::Arc;
use std::time::Duration;

use hallpass_client::{Client, Error, Event, Kind, Limits, Retries};
use http::Method;

use crate::server::{Call, World, credential, get, json, ok, profile, request};

#[tokio::test]
async fn the_request_arrives_as_it_was_built_with_a_bearer_token() {
    let world = World::start(|call| ok(&String::from_utf8_lossy(&call.body))).await;
    let (client, _) = world.client(None);
    let mut sent = request(
        Method::POST,
        "/api/v1/volumes?a=b%20c",
        Some(r#"{"size":18446744073709551615}"#),
    );
    sent.headers = vec![
        ("X-Trace".to_owned(), "t1".to_owned()),
        ("Authorization".to_owned(), "Bearer stale".to_owned()),
    ];
    let response = client.send(&sent).await.unwrap();
    assert_eq!(response.body(), br#"{"size":18446744073709551615}"#);
    assert_eq!(
        response.json().unwrap().to_string(),
        r#"{"size":18446744073709551615}"#
    );

    let Call {
        method,
        path_and_query,
        headers,
        ..
    } = world.calls().remove(0);
    assert_eq!(
        (method, path_and_query.as_str()),
        (Method::POST, "/api/v1/volumes?a=b%20c")
    );
    assert_eq!(headers["authorization"], "Bearer token-1");
    assert_eq!(
        headers["user-agent"],
        concat!("hallpass/", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(headers["accept"], "application/json");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["x-trace"], "t1");
}

#[tokio::test]
async fn a_refusal_is_the_answer_and_never_renews_the_token() {
    let forbidden = r#"{"error":"no","errorCode":"FORBIDDEN","traceId":"0af7"}"#;
    let world = World::start(move |_| json(403, forbidden)).await;
    let (client, _) = world.client(None);
    let response = client.send(&get("/x")).await.unwrap();
    let problem = response.problem().unwrap();
    assert_eq!((problem.status(), problem.trace_id()), (403, Some("0af7")));
    let error = response.success().unwrap_err();
    assert_eq!(error.kind(), Kind::Api);
    assert!(error.hint().unwrap().contains("permission"));
    assert_eq!((world.token_calls(), world.calls().len()), (1, 1));
}

#[tokio::test]
async fn a_second_401_is_the_answer() {
    let expired = (
        401,
        vec![(
            "www-authenticate",
            "Bearer error=\"invalid_token\"".to_owned(),
        )],
        "Jwt is expired".to_owned(),
    );
    let world = World::start(move |_| expired.clone()).await;
    let (client, _) = world.client(None);
    let error = client
        .send(&get("/x"))
        .await
        .unwrap()
        .success()
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Authentication);
    assert!(error.to_string().contains("Jwt is expired"), "{error}");
    assert!(error.hint().unwrap().contains("invalid_token"));
    assert_eq!((world.token_calls(), world.calls().len()), (2, 2));
}

fn redirect(to: String) -> (u16, Vec<(&'static str, String)>, String) {
    (307, vec![("location", to)], String::new())
}

#[tokio::test]
async fn redirects_are_followed_within_the_server_when_nothing_changes_by_it() {
    let world = World::start(|call| match call.path_and_query.as_str() {
        "/there" => ok("{}"),
        _ => redirect("/there".to_owned()),
    })
    .await;
    let (client, events) = world.client(None);
    assert_eq!(client.send(&get("/here")).await.unwrap().status(), 200);
    assert_eq!(
        events.count(|event| matches!(event, Event::RedirectFollowed { .. })),
        1
    );
    let response = client
        .send(&request(Method::DELETE, "/here", None))
        .await
        .unwrap();
    assert_eq!(response.status(), 307);
    assert!(
        response
            .problem()
            .unwrap()
            .hint()
            .unwrap()
            .contains("base URL")
    );
    let asked: Vec<_> = world
        .calls()
        .into_iter()
        .map(|call| call.path_and_query)
        .collect();
    assert_eq!(asked, ["/here", "/there", "/here"]);
}

#[tokio::test]
async fn the_token_is_not_taken_to_another_server_and_circles_end() {
    let other = World::quiet().await;
    let elsewhere = format!("{}/x", other.address);
    let world = World::start(move |call| match call.path_and_query.as_str() {
        "/circle" => redirect("/circle".to_owned()),
        _ => redirect(elsewhere.clone()),
    })
    .await;
    let (client, events) = world.client(None);
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 307);
    assert_eq!(other.calls().len(), 0);
    assert_eq!(
        events.count(|event| matches!(event, Event::RedirectRefused { .. })),
        1
    );
    assert_eq!(client.send(&get("/circle")).await.unwrap().status(), 307);
    assert_eq!(world.calls().len(), 1 + 6);
}

#[tokio::test]
async fn answers_beyond_the_limit_are_not_taken() {
    let world = World::start(|_| ok(&"x".repeat(1001))).await;
    let (options, _) = world.options(None);
    for (limit, taken) in [(1001, true), (1000, false)] {
        let options = options.clone().with_limits(Limits {
            body: limit,
            ..Limits::default()
        });
        let client = Client::new(world.profile(), credential(), &options).unwrap();
        let sent = client.send(&get("/x")).await;
        assert_eq!(sent.is_ok(), taken, "{limit}");
        assert!(sent.err().is_none_or(|error| error.kind() == Kind::Api));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_nobodys_fault_but_its_own() {
    let world = World::quiet().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let (options, _) = world.options(None);
    let client = Client::new(profile(&address), credential(), &options).unwrap();
    let error = client.send(&get("/x")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert!(
        cause.is_some_and(|cause| cause.contains(&address)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_path_that_leaves_the_base_or_a_broken_header_is_not_sent() {
    let world = World::quiet().await;
    let (client, _) = world.client(None);
    for path in ["/api/../admin", "@example.com/", "/a/%2e%2E/b"] {
        let error = client.send(&get(path)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage, "{path}");
    }
    let mut split = get("/x");
    split.headers = vec![("X-A".to_owned(), "b\r\nX-C: d".to_owned())];
    assert!(matches!(client.send(&split).await, Err(Error::Request(_))));
    assert_eq!((world.token_calls(), world.calls().len()), (0, 0));
}

#[tokio::test]
async fn a_file_of_authorities_that_is_none_is_named() {
    let world = World::quiet().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let (options, _) = world.options(None);
    let profile = profile("https://127.0.0.1:1").with_ca_file(Some(file.clone()));
    for content in [
        None,
        Some(""),
        Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let client = Client::new(profile.clone(), credential(), &options).unwrap();
        let error = client.send(&get("/x")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.to_string().contains("ca.pem"), "{error}");
    }
}

/// A server that answers `status` until it has been asked `busy` times.
async fn busy_world(status: u16, busy: usize) -> Arc<World> {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    World::start(move |_| {
        if asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < busy {
            let (status, mut headers, body) = json(status, "{}");
            headers.push(("retry-after", "0".to_owned()));
            return (status, headers, body);
        }
        ok("{}")
    })
    .await
}

#[tokio::test]
async fn what_has_certainly_not_acted_is_sent_again() {
    for (method, status, busy, answered, calls) in [
        (Method::GET, 503, 3, 200, 4),
        (Method::GET, 503, 4, 503, 4),
        (Method::DELETE, 429, 1, 200, 2),
        (Method::POST, 429, 2, 200, 3),
        (Method::POST, 503, 1, 503, 1),
        (Method::PATCH, 503, 1, 503, 1),
        (Method::GET, 500, 1, 500, 1),
    ] {
        let world = busy_world(status, busy).await;
        let (client, events) = world.client(None);
        let response = client
            .send(&request(method.clone(), "/x", None))
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), answered, "{method} {status}");
        assert_eq!(world.calls().len(), calls, "{method} {status}");
        let told = events.count(|event| matches!(event, Event::Repeating { .. }));
        assert_eq!(told, calls - 1, "{method} {status}");
        assert_eq!(world.token_calls(), 1, "the token is good");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again_even_by_a_post() {
    let world = World::quiet().await;
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let (options, events) = world.options(None);
    let retries = Retries {
        most: 2,
        longest: Duration::from_millis(1),
    };
    let options = options.with_retries(retries).with_jitter(Arc::new(|| 0.0));
    let mut elsewhere = profile(&world.address);
    elsewhere = hallpass_client::Profile::new(
        elsewhere.name().clone(),
        elsewhere.token_url().clone(),
        hallpass_client::address::BaseUrl::parse(&format!("http://{closed}")).unwrap(),
        elsewhere.client_id().clone(),
    );
    let client = Client::new(elsewhere, credential(), &options).unwrap();
    let error = client
        .send(&request(Method::POST, "/x", Some("{}")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert_eq!(
        events.count(|event| matches!(event, Event::Repeating { .. })),
        2
    );
}

#[tokio::test]
async fn a_preview_masks_the_token_and_asks_for_none() {
    let world = World::quiet().await;
    let (client, _) = world.client(None);
    let mut sent = request(Method::POST, "/a?b=c", Some("<a/>"));
    sent.headers = vec![("content-type".to_owned(), "application/xml".to_owned())];
    let preview = client.preview(&sent).unwrap();
    assert_eq!(preview.url, format!("{}/a?b=c", world.address));
    let headers = [
        ("content-type", "application/xml"),
        ("accept", "application/json"),
        ("authorization", "Bearer ********"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(preview.headers, headers);
    assert_eq!(preview.body.unwrap(), b"<a/>");
    assert_eq!((world.token_calls(), world.calls().len()), (0, 0));
}
