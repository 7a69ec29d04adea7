//! HTTP around a read: entity tags, HEAD and OPTIONS (RFC 9110).

use hallpass_access::Role;
use jiff::SignedDuration;

use crate::operations::{Ids, all};
use crate::wire::Answer;
use crate::world::World;

/// With the head fields of every request of a client.
async fn send(world: &World, method: &str, target: &str, token: &str, fields: &str) -> Answer {
    let fields = format!("Authorization: Bearer {token}\r\n{fields}");
    world.send(method, target, &fields, "").await
}

#[tokio::test]
async fn every_get_has_a_tag_and_is_not_sent_again_to_whoever_has_it() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let reads = all(&Ids::new()).into_iter().filter(|one| !one.changes());
    for read in reads {
        // Nothing happens in between, so whatever is there is the same.
        let first = send(&world, "GET", &read.target, &token, "").await;
        assert_eq!(first.status, 200, "{}: {}", read.id, first.body);
        let tag = first.header("etag").unwrap();
        for known in [tag.to_owned(), format!("\"x\", W/{tag}"), "*".to_owned()] {
            let fields = format!("If-None-Match: {known}\r\n");
            for method in ["GET", "HEAD"] {
                let again = send(&world, method, &read.target, &token, &fields).await;
                assert_eq!(again.status, 304, "{}: {}", read.id, again.body);
                assert_eq!(again.header("etag"), Some(tag), "{}", read.id);
            }
        }
        let other = send(
            &world,
            "GET",
            &read.target,
            &token,
            "If-None-Match: \"x\"\r\n",
        )
        .await;
        assert_eq!((other.status, &other.body), (200, &first.body));
    }
}

#[tokio::test]
async fn a_tag_goes_with_the_object_it_was_for() {
    let world = World::new().await;
    let token = world.token("ann", Role::Administrator).await;
    let list = "/api/v1/volumes?limit=1000";
    let before = world.get(list, &token).await;
    world.start_volume(&token, "tagged").await;
    world.wait(SignedDuration::from_secs(2));
    let fields = format!("If-None-Match: {}\r\n", before.header("etag").unwrap());
    let after = send(&world, "GET", list, &token, &fields).await;
    assert_eq!(after.status, 200);
    assert_ne!(after.header("etag"), before.header("etag"));
}

#[tokio::test]
async fn a_head_is_the_get_without_its_body() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    for read in all(&Ids::new()).into_iter().filter(|one| !one.changes()) {
        let get = send(&world, "GET", &read.target, &token, "").await;
        let head = send(&world, "HEAD", &read.target, &token, "").await;
        assert_eq!(head.status, get.status, "{}", read.id);
        for name in ["content-type", "content-length", "cache-control", "etag"] {
            let value = get.header(name);
            assert!(value.is_some(), "{}: {name}", read.id);
            assert_eq!(head.header(name), value, "{}: {name}", read.id);
        }
    }
    let nobody = world.token("bob", None).await;
    let head = send(&world, "HEAD", "/api/v1/volumes", &nobody, "").await;
    assert_eq!(head.status, 403);
    let denied = world.audit().await;
    let last = denied.last().unwrap();
    assert_eq!(last.event.state.as_str(), "PermissionDenied");
}

#[tokio::test]
async fn options_tells_what_a_path_allows_to_whoever_has_a_token() {
    let world = World::new().await;
    let token = world.token("ann", Role::Observer).await;
    let volume = "/api/v1/storage-systems/device-type1/2M2042059T/volumes";
    let volumes = send(&world, "OPTIONS", volume, &token, "").await;
    assert_eq!(volumes.status, 204);
    assert_eq!(volumes.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let refused = send(&world, "PATCH", volume, &token, "").await;
    assert_eq!(refused.status, 405);
    assert_eq!(refused.header("allow"), Some("GET, POST, HEAD, OPTIONS"));
    let unknown = send(&world, "OPTIONS", "/api/v1/nothing", &token, "").await;
    assert_eq!(unknown.status, 404);

    // About the server as a whole.
    assert_eq!(send(&world, "OPTIONS", "*", &token, "").await.status, 204);
    assert_eq!(send(&world, "GET", "*", &token, "").await.status, 400);

    // A stranger learns nothing about which paths exist.
    let known = world.call("OPTIONS", volume, None, None).await;
    let unknown = world.call("OPTIONS", "/api/v1/nothing", None, None).await;
    assert_eq!((known.status, unknown.status), (401, 401));
}
