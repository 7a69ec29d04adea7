//! Requests of other programs, passed on with a token.

use bytes::Bytes;
use hallpass_client::address::BaseUrl;
use hallpass_client::{Client, Profile};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::server::{World, credential, ok};

fn request(method: &str, target: &str, body: &'static str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(target)
        .header("authorization", "Bearer of-the-program")
        .header("cookie", "session=planted")
        .header("content-type", "text/plain")
        .header("user-agent", "a-program/1")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

#[tokio::test]
async fn the_program_speaks_and_only_the_token_is_ours() {
    let world = World::start(|call| ok(&String::from_utf8_lossy(&call.body))).await;
    let (client, _) = world.client(None);
    let sent = request("PUT", "/api/v1/x%2Fy?filter=a+b", "1.10");
    let answer = client.forward(&sent).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        answer.into_body().collect().await.unwrap().to_bytes(),
        "1.10"
    );

    let call = world.calls().remove(0);
    assert_eq!(call.method, "PUT");
    assert_eq!(call.path_and_query, "/api/v1/x%2Fy?filter=a+b");
    assert_eq!(call.headers["authorization"], "Bearer token-1");
    assert_eq!(call.headers["content-type"], "text/plain");
    assert_eq!(call.headers["user-agent"], "a-program/1");
    assert!(!call.headers.contains_key("cookie"));
}

#[tokio::test]
async fn a_token_that_died_is_replaced_and_the_body_sent_again() {
    let world = World::quiet().await;
    let (client, _) = world.client(None);
    client.tokens().token().await.unwrap();
    world.supersede();
    let answer = client.forward(&request("POST", "/x", "{}")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let bodies: Vec<_> = world.calls().into_iter().map(|call| call.body).collect();
    assert_eq!(bodies.last().unwrap(), b"{}");
    // Ours, the one that superseded it, and ours again.
    assert_eq!(world.mints(), 3);
}

#[tokio::test]
async fn nothing_goes_anywhere_but_below_the_base_url() {
    let world = World::quiet().await;
    let (client, _) = world.client(None);
    for target in ["/a/../b", "/a/%2e%2e/b", "/a\\b"] {
        let Ok(uri) = target.parse() else { continue };
        let mut sent = request("GET", "/", "");
        *sent.uri_mut() = uri;
        assert!(client.forward(&sent).await.is_err(), "{target}");
    }
    assert!(world.calls().is_empty());
}

/// The server sends the second half only when the first has been read: an answer that were collected
/// first would never come.
#[tokio::test]
async fn an_answer_is_passed_on_while_it_comes() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let world = World::quiet().await;
    let (first_read, wait_for_it) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        assert!(socket.read(&mut head).await.unwrap() > 0);
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab";
        socket.write_all(head).await.unwrap();
        wait_for_it.await.unwrap();
        socket.write_all(b"cd").await.unwrap();
    });
    let known = world.profile();
    let profile = Profile::new(
        known.name().clone(),
        known.token_url().clone(),
        BaseUrl::parse(&base_url).unwrap(),
        known.client_id().clone(),
    );
    let (options, _) = world.options(None);
    let client = Client::new(profile, credential(), &options).unwrap();
    let answer = client.forward(&request("GET", "/x", "")).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "4");
    let mut body = answer.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "ab");
    first_read.send(()).unwrap();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "cd");
}
