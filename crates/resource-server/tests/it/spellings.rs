//! Paths, headers and bodies that two servers could read in two ways, and those that only look
//! odd.

use hallpass_access::Role;
use serde_json::json;

use crate::wire::{Answer, exchange, parse};
use crate::world::{World, check};

#[tokio::test]
async fn a_path_has_one_spelling() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    for path in [
        "/api/v1/../v1/volumes",
        "/api/v1/%2e%2e/v1/volumes",
        "/api/v1/.%2E/v1/volumes",
        "/api/v1/./volumes",
        "//api/v1/volumes",
        "/api//v1/volumes",
        "/api/v1/volumes/",
        "/api/v1/volumes%00",
        "/api/v1/volumes%0d%0aX:y",
        "/api/v1/volumes%zz",
        "/api/v1/volumes%2",
        "*",
    ] {
        for token in [None, Some(token.as_str())] {
            let answer = world.call("GET", path, token, None).await;
            assert_eq!(answer.status, 400, "{path}");
        }
    }
    // The same text decoded is another segment, not another path.
    let task = "/api/v1/tasks/%2Fapi%2Fv1%2Ftasks%2F7e6f2b90-4c1d-4a58-9f03-d2b8a6c5e417";
    assert_eq!(world.get(task, &token).await.status, 200);
    assert_eq!(
        world.get("/api/v1/volumes/..%2fx", &token).await.status,
        404
    );
    assert_eq!(world.get("/api/v1/Volumes", &token).await.status, 404);
}

#[tokio::test]
async fn the_absolute_form_names_the_host_that_was_asked() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let own = format!("http://{}/api/v1/volumes", world.address);
    assert_eq!(world.get(&own, &token).await.status, 200);
    let foreign = "http://elsewhere.example.com/api/v1/volumes";
    assert_eq!(world.get(foreign, &token).await.status, 400);
}

#[tokio::test]
async fn only_who_has_a_token_learns_which_paths_exist() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    for (method, path, status) in [
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/", 404),
        ("GET", "/metrics", 404),
        ("POST", "/api/v1/nowhere", 404),
        ("POST", "/api/v1/volumes", 405),
        ("DELETE", "/api/v1/host-initiators", 405),
        ("PATCH", "/api/v1/volumes/x", 405),
        ("OPTIONS", "/api/v1/volumes", 204),
        ("TRACE", "/api/v1/volumes", 405),
        ("BREW", "/api/v1/volumes", 405),
    ] {
        let known = world.call(method, path, Some(&token), None).await;
        assert_eq!(known.status, status, "{method} {path}");
        for stranger in [None, Some("garbage")] {
            let answer = world.call(method, path, stranger, None).await;
            assert_eq!(answer.status, 401, "{method} {path}");
        }
    }
    let allow = async |path: &str| {
        let answer = world.call("PATCH", path, Some(&token), None).await;
        answer.header("allow").unwrap().to_owned()
    };
    assert_eq!(allow("/api/v1/volumes").await, "GET, HEAD, OPTIONS");
    assert_eq!(
        allow("/api/v1/host-initiators").await,
        "GET, POST, HEAD, OPTIONS"
    );
    let host = "/api/v1/host-initiators/c2f08e6d1b7945a3a94d5e60b81f3c72";
    assert_eq!(allow(host).await, "GET, PUT, DELETE, HEAD, OPTIONS");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let head = world
        .call("HEAD", "/api/v1/volumes", Some(&token), None)
        .await;
    let get = world.get("/api/v1/volumes", &token).await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, get.header("content-length"))
    );
    assert_eq!(
        world
            .call("HEAD", "/api/v1/volumes", None, None)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn the_token_stands_in_one_header_and_nowhere_else() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let path = "/api/v1/volumes";
    let header = |scheme: &str| format!("Authorization: {scheme} {token}\r\n");
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
        let answer = world.send("GET", path, &header(scheme), "").await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
    let bad = "Authorization: Bearer bad\r\n".to_owned();
    for two in [
        header("Bearer") + &bad,
        bad.clone() + &header("Bearer"),
        header("Bearer") + &header("Bearer"),
    ] {
        assert_eq!(world.send("GET", path, &two, "").await.status, 400);
    }
    for other in [
        header("Basic"),
        header("Token"),
        "Authorization: Bearer\r\n".to_owned(),
        format!("Authorization: {token}\r\n"),
        format!("Authorization: Bearer {token} x\r\n"),
        format!("Authorization: Bearer {token}, Bearer {token}\r\n"),
    ] {
        assert_eq!(
            world.send("GET", path, &other, "").await.status,
            401,
            "{other}"
        );
    }
    for elsewhere in [
        format!("X-Authorization: Bearer {token}\r\n"),
        format!("Proxy-Authorization: Bearer {token}\r\n"),
        format!("Cookie: access_token={token}\r\n"),
    ] {
        let answer = world.send("GET", path, &elsewhere, "").await;
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"api\"")
        );
    }
    let in_url = format!("{path}?access_token={token}");
    for fields in [String::new(), header("Bearer")] {
        let answer = world.send("GET", &in_url, &fields, "").await;
        assert_eq!(answer.status, 400, "a URL is written into logs");
    }
    let form = format!("access_token={token}");
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    assert_eq!(
        world
            .send("POST", "/api/v1/host-initiators", kind, &form)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_body_has_a_bound_and_the_answer_arrives() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let host = json!({"name": "large", "operatingSystem": "Linux", "userCreated": true});
    let host = host.to_string();
    let padded = |length: usize| format!("{host}{}", " ".repeat(length - host.len()));
    let header = format!("Authorization: Bearer {token}\r\n");
    let hosts = "/api/v1/host-initiators";
    let mib = 1024 * 1024;
    for (length, status) in [(mib, 200), (mib + 1, 413), (20 * mib, 413)] {
        let answer = world.send("POST", hosts, &header, &padded(length)).await;
        assert_eq!(answer.status, status, "{length}");
    }
    let answer = world.send("POST", hosts, "", &padded(20 * mib)).await;
    assert_eq!(
        answer.status, 401,
        "a stranger's body is not read, and they are told"
    );
}

#[tokio::test]
async fn two_ends_of_one_body_are_refused_and_the_connection_ends() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let smuggled = format!(
        "DELETE /api/v1/host-initiators/c2f08e6d1b7945a3a94d5e60b81f3c72 HTTP/1.1\r\n\
         Host: here\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    // Good as a chunked request, and a second one behind it for who goes by that.
    let host =
        json!({"name": "two-ends", "operatingSystem": "Linux", "userCreated": true}).to_string();
    let body = format!("{:x}\r\n{host}\r\n0\r\n\r\n{smuggled}", host.len());
    let length = format!("Content-Length: {}\r\n", body.len());
    let chunked = "Transfer-Encoding: chunked\r\n".to_owned();
    for fields in [
        format!("{length}{chunked}"),
        format!("{chunked}{length}"),
        format!("{chunked}X: y\r\ncontent-length: 0\r\n"),
    ] {
        let request = format!(
            "POST /api/v1/host-initiators HTTP/1.1\r\nHost: here\r\n{fields}\
             Authorization: Bearer {token}\r\n\r\n{body}"
        );
        let answer = raw(&world, &request).await;
        assert_eq!(answer.status, 400, "{fields}");
        assert_eq!(answer.header("connection"), Some("close"));
    }
    let host = "/api/v1/host-initiators/c2f08e6d1b7945a3a94d5e60b81f3c72";
    assert_eq!(
        world.get(host, &token).await.status,
        200,
        "nothing was smuggled"
    );
}

/// Such a body is read, but what comes behind it is not: chunks are where servers disagree.
#[tokio::test]
async fn a_chunked_request_is_the_last_of_its_connection() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let host =
        json!({"name": "chunked", "operatingSystem": "Linux", "userCreated": true}).to_string();
    let request = format!(
        "POST /api/v1/host-initiators HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\
         Authorization: Bearer {token}\r\n\r\n{:x}\r\n{host}\r\n0\r\n\r\n\
         GET /api/v1/volumes HTTP/1.1\r\nHost: here\r\n\r\n",
        host.len()
    );
    let answer = raw(&world, &request).await;
    assert_eq!(
        (answer.status, answer.header("connection")),
        (200, Some("close"))
    );
}

#[tokio::test]
async fn a_request_has_one_host() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let with = |version: &str, hosts: &str| {
        format!(
            "GET /api/v1/volumes HTTP/{version}\r\n{hosts}Connection: close\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        )
    };
    for (version, hosts, status) in [
        ("1.1", "Host: a\r\n", 200),
        ("1.0", "", 200),
        ("1.1", "", 400),
        ("1.1", "Host: a\r\nHost: a\r\n", 400),
        ("1.1", "Host: a\r\nHost: b\r\n", 400),
        ("1.0", "Host: a\r\nHost: b\r\n", 400),
    ] {
        let answer = raw(&world, &with(version, hosts)).await;
        assert_eq!(answer.status, status, "{version} {hosts}");
    }
}

#[tokio::test]
async fn a_head_has_a_bound() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let with = |fields: &str| {
        format!(
            "GET /api/v1/volumes HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\
             Authorization: Bearer {token}\r\n\r\n"
        )
    };
    let long = |length: usize| format!("X: {}\r\n", "y".repeat(length));
    let many = |count: usize| "X: y\r\n".repeat(count);
    for (fields, status) in [
        (long(16 * 1024), 200),
        (many(90), 200),
        (long(33 * 1024), 431),
        (long(512 * 1024), 431),
        (many(101), 431),
    ] {
        let bytes = exchange(world.address, with(&fields).as_bytes()).await;
        let start = format!("HTTP/1.1 {status} ");
        assert!(bytes.starts_with(start.as_bytes()), "{}", fields.len());
    }
}

#[tokio::test]
async fn what_is_no_http_is_not_answered_with_anything_else() {
    let world = World::new().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"GET /api/v1/volumes\r\n\r\n",
        b"GET /api/v1/volumes HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /api/v1/volumes HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /api/v1/volumes HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ] {
        let answer = exchange(world.address, bytes).await;
        let text = String::from_utf8_lossy(bytes).into_owned();
        assert!(
            answer.starts_with(b"HTTP/1.1 400 ") || answer.is_empty(),
            "{text}"
        );
    }
}

async fn raw(world: &World, request: &str) -> Answer {
    let answer = parse(&exchange(world.address, request.as_bytes()).await);
    check(&answer, request.split(' ').next().unwrap());
    answer
}
