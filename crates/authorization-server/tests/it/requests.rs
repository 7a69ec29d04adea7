//! What a token request has to look like (RFC 6749 section 3.2), down to the odd ones.

use hallpass_authorization_server::{INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH};

use crate::world::{FORM, World, workspace_path};

#[tokio::test]
async fn malformed_requests_are_told_apart_from_unknown_grants() {
    let world = World::new().await;
    let good = world.good_form();
    let credential = good.split_once('&').unwrap().1;
    let many: Vec<String> = (0..101).map(|n| format!("&p{n}=1")).collect();
    for (body, error) in [
        (credential.to_owned(), "invalid_request"),
        (format!("grant_type=&{credential}"), "invalid_request"),
        (
            format!("{good}&grant_type=client_credentials"),
            "invalid_request",
        ),
        (format!("{good}&scope=a&scope=b"), "invalid_request"),
        (
            format!("{good}&x%22%5C%C3%A9=1&x%22%5C%C3%A9=2"),
            "invalid_request",
        ),
        (format!("{good}&client_secret=other"), "invalid_request"),
        (format!("{good}{}", many.concat()), "invalid_request"),
        (
            format!("grant_type=password&{credential}"),
            "unsupported_grant_type",
        ),
        (
            format!("grant_type=CLIENT_CREDENTIALS&{credential}"),
            "unsupported_grant_type",
        ),
    ] {
        assert_eq!(world.form(&body).await.json()["error"], error, "{body}");
    }
}

#[tokio::test]
async fn what_means_nothing_to_the_server_is_ignored() {
    let world = World::new().await;
    let good = world.good_form();
    for extra in [
        "",
        "&scope=",
        "&scope=hpe-tenant",
        "&x=1",
        "&audience=&resource=",
        "&grant_types=x",
        "&",
    ] {
        assert_eq!(
            world.form(&format!("{good}{extra}")).await.status,
            200,
            "{extra}"
        );
    }
    let parts: Vec<&str> = good.split('&').rev().collect();
    assert_eq!(world.form(&parts.join("&")).await.status, 200);
}

#[tokio::test]
async fn only_a_form_is_read() {
    let world = World::new().await;
    let good = world.good_form();
    for kind in [
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=utf-8",
        "Application/X-WWW-Form-URLEncoded",
    ] {
        let headers = [("Content-Type", kind)];
        let answer = world.ask("POST", TOKEN_PATH, &headers, &good).await;
        assert_eq!(answer.status, 200, "{kind}");
    }
    for headers in [
        &[("Content-Type", "application/json")][..],
        &[("Content-Type", "multipart/form-data; boundary=x")],
        &[("Content-Type", "application/x-www-form-urlencoded-not")],
        &[("Content-Type", "")],
        &[],
    ] {
        let answer = world.ask("POST", TOKEN_PATH, headers, &good).await;
        assert_eq!(answer.json()["error"], "invalid_request", "{headers:?}");
    }
    let json = r#"{"grant_type":"client_credentials"}"#;
    let headers = [("Content-Type", "application/json")];
    let answer = world.ask("POST", TOKEN_PATH, &headers, json).await;
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn credentials_in_the_url_are_refused_even_beside_good_ones() {
    let world = World::new().await;
    let good = world.good_form();
    for (query, body) in [
        (good.as_str(), ""),
        (good.as_str(), good.as_str()),
        ("client_id=x", good.as_str()),
        ("x=1&client_secret=x", good.as_str()),
        ("CLIENT_SECRET=x", good.as_str()),
        ("client%5Fsecret=x", good.as_str()),
        ("client_assertion=x", good.as_str()),
    ] {
        let target = format!("{TOKEN_PATH}?{query}");
        let answer = world
            .ask("POST", &target, &[("Content-Type", FORM)], body)
            .await;
        assert_eq!(answer.json()["error"], "invalid_request", "{query}");
    }
    let target = format!("{TOKEN_PATH}?grant_type=client_credentials");
    let headers = [("Content-Type", FORM)];
    let answer = world.ask("POST", &target, &headers, &good).await;
    assert_eq!(
        answer.status, 200,
        "other parameters of the URL mean nothing"
    );
}

#[tokio::test]
async fn a_body_has_a_bound() {
    let world = World::new().await;
    let good = world.good_form();
    let padded = |length: usize| format!("{good}&x={}", "y".repeat(length - good.len() - 3));
    assert_eq!(world.form(&padded(16 * 1024)).await.status, 200);
    for length in [16 * 1024 + 1, 1024 * 1024] {
        for target in [TOKEN_PATH, INTROSPECTION_PATH, REVOCATION_PATH] {
            let answer = world.post(target, &padded(length)).await;
            assert_eq!(answer.status, 413, "{target} {length}");
            assert_eq!(answer.error(), "invalid_request");
        }
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_the_right_one_named() {
    let world = World::new().await;
    let of_workspace = workspace_path(world.workspace.id.as_str());
    let targets = [
        TOKEN_PATH,
        INTROSPECTION_PATH,
        REVOCATION_PATH,
        of_workspace.as_str(),
    ];
    for target in targets {
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            let answer = world.ask(method, target, &[], "").await;
            assert_eq!(answer.status, 405, "{method} {target}");
            assert_eq!(answer.header("allow"), Some("POST"));
        }
    }
}

#[tokio::test]
async fn a_workspace_has_its_own_endpoint() {
    let world = World::new().await;
    let good = world.good_form();
    let own = world.workspace.id.as_str();
    let hyphens = [
        &own[..8],
        &own[8..12],
        &own[12..16],
        &own[16..20],
        &own[20..],
    ]
    .join("-");
    let other = world.tenant("Other", false).await;
    let wrong = format!("{good}x");
    for (workspace, body, outcome) in [
        (own, &good, None),
        (hyphens.as_str(), &good, None),
        (other.id.as_str(), &good, Some("unauthorized_client")),
        (
            "00000000000000000000000000000000",
            &good,
            Some("unauthorized_client"),
        ),
        (other.id.as_str(), &wrong, Some("invalid_client")),
        (own, &wrong, Some("invalid_client")),
        ("main", &good, Some("invalid_request")),
        ("%FF", &good, Some("invalid_request")),
        ("%C3%A9%22", &good, Some("invalid_request")),
    ] {
        let target = workspace_path(workspace);
        let answer = world
            .ask("POST", &target, &[("Content-Type", FORM)], body)
            .await;
        let error = answer.json()["error"].as_str().map(str::to_owned);
        assert_eq!(error.as_deref(), outcome, "{workspace}");
    }
}
