//! RFC 8693, OAuth 2.0 Token Exchange, as far as it is offered: a token of the managing workspace for
//! one of a managed tenant (domain facts, section 2.7). What else holds of such tokens is in `exchange.rs`.
//!
//! Proved beside the code: required parameters and token types, `crates/oauth/src/token_request.rs`
//! (`rfc8693_2_1_…`, `rfc8693_2_3_…`); the printed answer, `token_response.rs`.
//!
//! Delegation (`actor_token`, sections 4.1 and 4.4) and targets by parameter (`resource`, `audience`)
//! are not offered and are refused. Client authentication is left to the server by section 2.1; here the
//! subject token speaks for itself, and a client that does authenticate has to be its own.

use hallpass_oauth::ScopeSet;
use hallpass_store::credentials::CredentialOptions;

use crate::wire::Answer;
use crate::world::{Plan, World, claims, exchange_form, forged, workspace_path};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A world with a managed tenant, and the path of its endpoint.
async fn managed(change: impl FnOnce(&mut Plan)) -> (World, String) {
    let world = World::with(change).await;
    let tenant = world.tenant("Tenant", true).await;
    let path = workspace_path(tenant.id.as_str());
    (world, path)
}

fn is_invalid_request(answer: &Answer) {
    let refused = (answer.status, answer.error());
    assert_eq!(refused, (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn rfc8693_2_1_subject_token_and_type_are_required() {
    let (world, path) = managed(|_| ()).await;
    let form = exchange_form(&world.token().await);
    for name in ["subject_token", "subject_token_type"] {
        for gone in ["&unknown=", &format!("&{name}=&x=")] {
            let body = form.replace(&format!("&{name}="), gone);
            is_invalid_request(&world.post(&path, &body).await);
        }
    }
    assert_eq!(world.post(&path, &form).await.status, 200);
}

#[tokio::test]
async fn rfc8693_2_1_the_actor_token_and_its_type_are_not_taken() {
    let (world, path) = managed(|_| ()).await;
    let token = world.token().await;
    let form = exchange_form(&token);
    for actor in [
        format!("&actor_token_type={ACCESS_TOKEN}"),
        format!("&actor_token={token}&actor_token_type={ACCESS_TOKEN}"),
        format!("&actor_token={token}"),
    ] {
        is_invalid_request(&world.post(&path, &format!("{form}{actor}")).await);
    }
}

/// "MUST perform the appropriate validation procedures for the indicated token type".
#[tokio::test]
async fn rfc8693_2_1_the_subject_token_is_validated() {
    let (world, path) = managed(|_| ()).await;
    let token = world.token().await;
    let superseding = world.token().await;
    for bad in ["x", "a.b.c", &token, &forged(&superseding)] {
        is_invalid_request(&world.post(&path, &exchange_form(bad)).await);
    }
    let claimed = exchange_form(&superseding).replace(ACCESS_TOKEN, JWT);
    assert_eq!(world.post(&path, &claimed).await.status, 200, "it is a JWT");
    let claimed = exchange_form(&superseding).replace("access_token&", "saml2&");
    let claimed = claimed.replace("type:access_token", "type:saml2");
    is_invalid_request(&world.post(&path, &claimed).await);
}

#[tokio::test]
async fn rfc8693_2_1_unsupported_targets_are_refused_and_not_overlooked() {
    let (world, path) = managed(|_| ()).await;
    let form = exchange_form(&world.token().await);
    for target in ["resource=https://api.example.com", "audience=external_api"] {
        let answer = world.post(&path, &format!("{form}&{target}")).await;
        assert_eq!(answer.error(), "invalid_target", "{target}");
    }
}

/// The order and the rest of the members are checked of every answer.
#[tokio::test]
async fn rfc8693_2_2_1_issued_token_type_is_there() {
    for profile in [|_: &mut Plan| (), Plan::rfc9068 as fn(&mut Plan)] {
        let (world, path) = managed(profile).await;
        let form = exchange_form(&world.token().await);
        for (asked, issued) in [("", ACCESS_TOKEN), (ACCESS_TOKEN, ACCESS_TOKEN), (JWT, JWT)] {
            let body = format!("{form}&requested_token_type={asked}");
            let answer = world.post(&path, &body).await;
            assert_eq!(answer.json()["issued_token_type"], issued);
            assert_eq!(answer.json()["token_type"], "Bearer");
            assert!(answer.json().get("refresh_token").is_none());
        }
    }
}

#[tokio::test]
async fn rfc8693_2_2_1_expires_in_is_the_time_that_the_subject_token_has_left() {
    let (world, path) = managed(|_| ()).await;
    let token = world.token().await;
    world.wait(jiff::SignedDuration::from_secs(7000));
    let answer = world.post(&path, &exchange_form(&token)).await;
    assert_eq!(answer.json()["expires_in"], 200);
    assert_eq!(claims(&answer.token())["exp"], claims(&token)["exp"]);
}

#[tokio::test]
async fn rfc8693_2_2_1_the_scope_is_told_when_it_is_not_the_one_asked_for() {
    let (world, path) = managed(Plan::rfc9068).await;
    let options = CredentialOptions {
        scopes: Some(ScopeSet::parse("read write").unwrap()),
        ..CredentialOptions::default()
    };
    let scoped = world.credential_with("us1", "scoped", options).await;
    let form = exchange_form(&world.token_of(&scoped).await);

    let unasked = world.post(&path, &form).await;
    assert_eq!(unasked.json()["scope"], "read write");
    assert_eq!(claims(&unasked.token())["scope"], "read write");

    let less = world.post(&path, &format!("{form}&scope=read")).await;
    assert!(less.json().get("scope").is_none());
    assert_eq!(claims(&less.token())["scope"], "read");

    let more = world.post(&path, &format!("{form}&scope=read+admin")).await;
    assert_eq!(more.error(), "invalid_scope");
}

#[tokio::test]
async fn rfc8693_2_2_1_an_exchange_never_widens_the_scope_of_the_subject_token() {
    let (world, path) = managed(Plan::rfc9068).await;
    let options = CredentialOptions {
        scopes: Some(ScopeSet::parse("read write").unwrap()),
        ..CredentialOptions::default()
    };
    let scoped = world.credential_with("us1", "scoped", options).await;
    let narrow = format!("{}&scope=read", crate::world::form_of(&scoped));
    let form = exchange_form(&world.form(&narrow).await.token());
    let answer = world.post(&path, &format!("{form}&scope=read+write")).await;
    assert_eq!(answer.error(), "invalid_scope");
    assert_eq!(world.post(&path, &form).await.json()["scope"], "read");

    let none = exchange_form(&world.token().await);
    let answer = world.post(&path, &format!("{none}&scope=read")).await;
    assert_eq!(answer.error(), "invalid_scope");
    assert_eq!(world.post(&path, &none).await.status, 200);
}

/// "MUST be the invalid_request error code" for whatever is wrong with the subject token.
#[tokio::test]
async fn rfc8693_2_2_2_a_bad_subject_token_is_invalid_request() {
    let (world, path) = managed(|_| ()).await;
    let token = world.token().await;
    let exchanged = world.post(&path, &exchange_form(&token)).await.token();
    is_invalid_request(&world.post(&path, &exchange_form(&exchanged)).await);

    world.wait(jiff::SignedDuration::from_secs(7200));
    is_invalid_request(&world.post(&path, &exchange_form(&token)).await);
    world.wait(jiff::SignedDuration::from_secs(3600));
    is_invalid_request(&world.post(&path, &exchange_form(&token)).await);
}

#[tokio::test]
async fn rfc8693_2_2_2_a_target_that_may_not_be_had_is_invalid_target() {
    let (world, _) = managed(|_| ()).await;
    let token = world.token().await;
    let unmanaged = world.tenant("Unmanaged", false).await;
    let answer = world.exchange(unmanaged.id.as_str(), &token).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (400, "invalid_target")
    );
}
