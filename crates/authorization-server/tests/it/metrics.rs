//! What is counted, and that strangers cannot make series.

use std::sync::Arc;

use hallpass_authorization_server::{
    AuthorizationServer, INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH,
};
use hallpass_oauth::random::SystemRandom;
use jiff::SignedDuration;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::assertion;
use crate::world::{GRANT, World, actor, exchange_form, pair_of, workspace_path};

#[tokio::test]
async fn tokens_are_counted_by_grant() {
    let world = World::new().await;
    let tenant = world.tenant("Tenant", true).await;
    world.token().await;
    let subject = world.token().await;
    world.exchange(tenant.id.as_str(), &subject).await.token();
    is_in(
        &world,
        r#"hallpass_access_tokens_issued_total{grant="client_credentials"} 2"#,
    );
    is_in(
        &world,
        r#"hallpass_access_tokens_issued_total{grant="token_exchange"} 1"#,
    );
}

#[tokio::test]
async fn refusals_are_counted_by_endpoint_and_code() {
    let world = World::new().await;
    let wrong = format!("{}x", pair_of(&world.credential));
    world.form("grant_type=").await;
    world.form(&format!("{GRANT}&{wrong}")).await;
    let nowhere = workspace_path("00000000000000000000000000000000");
    world.post(&nowhere, &world.good_form()).await;
    world
        .exchange("00000000000000000000000000000000", "x")
        .await;
    world.post(INTROSPECTION_PATH, &wrong).await;
    world
        .post(INTROSPECTION_PATH, &format!("token=x&{wrong}"))
        .await;
    world
        .post(REVOCATION_PATH, &format!("token=x&{wrong}"))
        .await;
    for (endpoint, error, status, count) in [
        ("token", "invalid_request", 400, 2),
        ("token", "invalid_client", 401, 1),
        ("token", "unauthorized_client", 400, 1),
        ("introspection", "invalid_request", 400, 1),
        ("introspection", "invalid_client", 401, 1),
        ("revocation", "invalid_client", 401, 1),
    ] {
        is_in(&world, &refused(endpoint, error, status, count));
    }
}

fn refused(endpoint: &str, error: &str, status: u16, count: u32) -> String {
    format!(
        "hallpass_token_requests_refused_total{{endpoint=\"{endpoint}\",error=\"{error}\",status=\"{status}\"}} {count}"
    )
}

/// They have one error code, and an operator has to know whether clients ask too much or the server
/// can do too little.
#[tokio::test]
async fn a_limit_and_an_overload_are_counted_apart() {
    let limited = World::with(|plan| plan.settings.limits.failures_per_client = 1).await;
    let overloaded = World::with(|plan| plan.settings.limits.under_way = 0).await;
    let wrong = format!("{}x", limited.good_form());
    limited.form(&wrong).await;
    assert_eq!(limited.form(&wrong).await.status, 429);
    let good = overloaded.good_form();
    assert_eq!(overloaded.form(&good).await.status, 503);
    for (world, status) in [(&limited, 429), (&overloaded, 503)] {
        is_in(
            world,
            &refused("token", "temporarily_unavailable", status, 1),
        );
    }
}

/// A replayed assertion, at whatever endpoint, is a failed authentication like any other.
#[tokio::test]
async fn a_replayed_assertion_is_counted_written_down_and_limited() {
    let world = World::with(|plan| plan.settings.limits.failures_per_client = 3).await;
    let key = assertion::key();
    let client = world.credential_of_keys("keys", &[&key]).await;
    let used = assertion::good(&client, &key, world.now(), "1");
    let used = format!("{}&token=x", assertion::form(&used));
    assert_eq!(world.form(&used).await.status, 200);
    for path in [TOKEN_PATH, INTROSPECTION_PATH, REVOCATION_PATH] {
        assert_eq!(world.post(path, &used).await.status, 401, "{path}");
    }
    assert_eq!(world.form(&used).await.status, 429);
    let line = r#"hallpass_client_authentications_failed_total{reason="replay"} 4"#;
    is_in(&world, line);
    let events = world.audit().await;
    let told = "Client authentication failed: the client assertion was used before";
    let event = events.iter().find(|stored| stored.event.message == told);
    let event = &event.unwrap().event;
    assert_eq!(event.client_id, client.as_str());
    assert_eq!(event.source_ip, "127.0.0.1");
    assert_eq!(event.code, "invalid_client");
    let fresh = assertion::good(&client, &key, world.now(), "2");
    let answer = world.form(&assertion::form(&fresh)).await;
    assert_eq!(answer.status, 200, "a good one is never limited");
}

#[tokio::test]
async fn failed_authentications_are_counted_by_reason() {
    let world = World::new().await;
    let good = pair_of(&world.credential);
    let key = assertion::key();
    let keyed = world.credential_of_keys("keys", &[&key]).await;
    let disabled = world.credential_for("us1", "disabled").await;
    world.enable(&disabled.credential.client_id, false).await;
    world
        .store
        .credentials()
        .rotate(
            world.credential.credential.client_id.as_str(),
            SignedDuration::from_secs(1),
            &actor(),
            world.now(),
            &mut SystemRandom,
        )
        .await
        .unwrap();
    world.wait(SignedDuration::from_secs(1));
    let bad_assertion = assertion::good(&keyed, &assertion::key(), world.now(), "1");
    for (credential, reason) in [
        (
            "client_id=nobody&client_secret=x".to_owned(),
            "unknown_client",
        ),
        (format!("{good}x"), "wrong_secret"),
        (good, "expired_secret"),
        (pair_of(&disabled), "disabled"),
        (assertion::parameters(&bad_assertion), "assertion"),
        (String::new(), "unreadable"),
    ] {
        world.form(&format!("{GRANT}&{credential}")).await;
        let line = format!("hallpass_client_authentications_failed_total{{reason=\"{reason}\"}} 1");
        is_in(&world, &line);
    }
}

#[tokio::test]
async fn the_time_of_a_request_is_measured_by_its_outcome() {
    let world = World::new().await;
    // Between its head and its answer a request looks at the clock once more, or twice.
    world.step(SignedDuration::from_millis(2));
    world.token().await;
    world.form("grant_type=").await;
    for line in [
        r#"hallpass_token_request_duration_seconds_count{outcome="issued"} 1"#,
        r#"hallpass_token_request_duration_seconds_count{outcome="refused"} 1"#,
        r#"hallpass_token_request_duration_seconds_bucket{le="0.001",outcome="issued"} 0"#,
        r#"hallpass_token_request_duration_seconds_bucket{le="0.01",outcome="issued"} 1"#,
    ] {
        is_in(&world, line);
    }
}

#[tokio::test]
async fn what_the_server_holds_is_measured_when_it_is_read() {
    let world = World::new().await;
    for line in [
        "hallpass_signing_queue 0",
        "hallpass_token_requests_under_way 0",
        "hallpass_projection_credentials 1",
        "hallpass_projection_people 1",
        "hallpass_projection_spent_ids 0",
        r#"hallpass_signing_key_age_seconds{state="active"} 0"#,
    ] {
        is_in(&world, line);
    }
    let token = world.token().await;
    world.revoke(&world.credential, &token).await;
    world.credential_for("us1", "other").await;
    world.wait(SignedDuration::from_secs(60));
    world
        .store
        .keys()
        .rotate(&actor(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    world.wait(SignedDuration::from_secs(5));
    for line in [
        "hallpass_projection_credentials 2",
        "hallpass_projection_spent_ids 1",
        r#"hallpass_signing_key_age_seconds{state="active"} 65"#,
        r#"hallpass_signing_key_age_seconds{state="upcoming"} 5"#,
    ] {
        is_in(&world, line);
    }
}

/// Every value a label can have is known to the server: ids, methods, grants and scopes that strangers
/// invent make no series.
#[tokio::test]
async fn thousands_of_different_ids_make_no_series() {
    let world = World::with(|plan| {
        plan.settings.limits.failures_per_address = 0;
    })
    .await;
    let strange = |n: usize| {
        [
            format!("{GRANT}&client_id=stranger-{n}&client_secret=s{n}"),
            format!("grant_type=grant-{n}&{}", pair_of(&world.credential)),
            format!("{GRANT}&client_id=a&client_secret=b&parameter-{n}=1&parameter-{n}=2"),
            exchange_form(&format!("token-{n}")),
        ]
    };
    let known = async |n: usize| {
        for body in strange(n) {
            world.form(&body).await;
        }
        world
            .post(&workspace_path(&format!("{n:032x}")), &world.good_form())
            .await;
    };
    known(0).await;
    let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let before = series(&world.metrics());
    for n in 1..=400 {
        known(n).await;
    }
    let after = world.metrics();
    assert_eq!(series(&after), before, "{after}");
    assert!(
        !after.contains("stranger") && !after.contains("grant-"),
        "{after}"
    );
    let id = world.credential.credential.client_id.as_str();
    assert!(!after.contains(id));
}

/// The registry does not keep a server alive that nobody serves any more.
#[tokio::test]
async fn a_server_that_is_gone_is_not_measured() {
    let world = World::new().await;
    let mut registry = Registry::default();
    let now = world.now();
    let server = AuthorizationServer::start(
        world.store.for_authorization_server(),
        world.plan.settings.clone(),
        Arc::new(move || now),
        &mut registry,
    );
    let is_measured = || {
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        text.contains("hallpass_signing_queue 0")
    };
    assert!(is_measured());
    drop(server.unwrap());
    assert!(!is_measured());
}

fn is_in(world: &World, line: &str) {
    let text = world.metrics();
    assert!(text.lines().any(|known| known == line), "{line} in {text}");
}
