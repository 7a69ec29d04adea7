//! RFC 6749, The OAuth 2.0 Authorization Framework: sections 2.3, 3.2, 3.3, 4.4 and 5.
//!
//! Proved beside the code, in `crates/oauth/src`:
//!
//! | Rule | Test |
//! | --- | --- |
//! | 2.3.1: the example header and body | `client_authentication::the_rfc_examples_authenticate` |
//! | 3.2: empty, unknown and repeated parameters | `form::empty_is_absent_unknown_is_ignored_and_twice_is_refused` |
//! | 3.3: the characters of a scope, its order, its case | `scope::rfc6749_3_3_…` |
//! | 4.4.2: the example request | `token_request::rfc6749_4_4_2_the_example_is_read` |
//! | 5.2: codes, statuses and characters | `token_error::rfc6749_5_2_…` |
//!
//! Beside the listener, not here: TLS (2.3.1, 3.2). There is no authorization endpoint, no redirection,
//! no public client and no refresh token, so sections 3.1, 4.1 to 4.3 and 6 do not apply; 3.2's ban on a
//! fragment in the endpoint's URI is a test of `rfc8414.rs`, which reads that URI.
//!
//! Section 2.3 is bent in the profile `greenlake`, where equal credentials in two places are
//! taken (domain facts, section 2.5), and 3.3 and 5.1 where a client without scopes is told nothing of
//! the ones it asks for; the profile `rfc9068` does neither.

use hallpass_authorization_server::{INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH};
use hallpass_oauth::ScopeSet;
use hallpass_store::credentials::{CredentialOptions, IssuedCredential};
use jiff::SignedDuration;

use crate::assertion;
use crate::world::{FORM, GRANT, World, basic_of, claims, form_of, pair_of, parts, workspace_path};

/// A credential that may have the scopes `read` and `write`.
async fn scoped(world: &World) -> IssuedCredential {
    let options = CredentialOptions {
        scopes: Some(ScopeSet::parse("read write").unwrap()),
        ..CredentialOptions::default()
    };
    world.credential_with("us1", "scoped", options).await
}

#[tokio::test]
async fn rfc6749_2_3_more_than_one_method_in_a_request_is_refused() {
    let world = World::rfc9068().await;
    let header = basic_of(&world.credential);
    let id = &world.credential.credential.client_id;
    let key = assertion::key();
    let with_key = world.credential_of_keys("keys", &[&key]).await;
    let assertion = assertion::good(&with_key, &key, world.now(), "1");
    let assertion = assertion::parameters(&assertion);
    for body in [
        world.good_form(),
        format!("{GRANT}&client_secret=x"),
        format!("{GRANT}&{assertion}"),
    ] {
        let answer = world.with_header(&header, &body).await;
        assert_eq!(answer.error(), "invalid_request", "{body}");
    }
    let both = format!("{GRANT}&{assertion}&client_secret=x");
    assert_eq!(world.form(&both).await.error(), "invalid_request");

    let named = format!("{GRANT}&client_id={id}");
    let answer = world.with_header(&header, &named).await;
    assert_eq!(answer.status, 200, "an id alone authenticates nobody");
    let alone = world.form(&format!("{GRANT}&{assertion}")).await;
    assert_eq!(alone.status, 200, "each of them is good by itself");
}

#[tokio::test]
async fn rfc6749_2_3_greenlake_takes_one_credential_said_twice_and_no_other_pair() {
    let world = World::new().await;
    let header = basic_of(&world.credential);
    let answer = world.with_header(&header, &world.good_form()).await;
    assert_eq!(answer.status, 200);
    let other = world.credential_for("us1", "other").await;
    let answer = world.with_header(&header, &form_of(&other)).await;
    assert_eq!(answer.error(), "invalid_request");
}

#[tokio::test]
async fn rfc6749_2_3_1_basic_and_body_are_both_supported() {
    for world in [World::new().await, World::rfc9068().await] {
        let header = basic_of(&world.credential);
        assert_eq!(world.with_header(&header, GRANT).await.status, 200);
        assert_eq!(world.form(&world.good_form()).await.status, 200);
    }
}

#[tokio::test]
async fn rfc6749_2_3_1_credentials_in_the_uri_are_refused() {
    let world = World::rfc9068().await;
    let pair = pair_of(&world.credential);
    for path in [TOKEN_PATH, INTROSPECTION_PATH, REVOCATION_PATH] {
        let target = format!("{path}?{pair}");
        let body = format!("{GRANT}&token=x&{pair}");
        let answer = world.post(&target, &body).await;
        assert_eq!(answer.error(), "invalid_request", "{path}");
    }
}

/// "MUST protect any endpoint utilizing it against brute force attacks"; what the limits leave alone is
/// in `abuse.rs`.
#[tokio::test]
async fn rfc6749_2_3_1_guessing_is_limited_at_every_endpoint() {
    let world = World::with(|plan| plan.settings.limits.failures_per_client = 3).await;
    let id = &world.credential.credential.client_id;
    let guess = format!("{GRANT}&token=x&client_id={id}&client_secret=guess");
    let workspace = workspace_path(world.workspace.id.as_str());
    for (before, path) in [TOKEN_PATH, INTROSPECTION_PATH, REVOCATION_PATH]
        .into_iter()
        .enumerate()
    {
        let answer = world.post(path, &guess).await;
        assert_eq!(answer.status, 401, "{path} after {before} guesses");
    }
    for path in [TOKEN_PATH, INTROSPECTION_PATH, REVOCATION_PATH, &workspace] {
        assert_eq!(world.post(path, &guess).await.status, 429, "{path}");
    }
}

#[tokio::test]
async fn rfc6749_2_3_2_an_assertion_is_mapped_to_the_client_that_registered_its_key() {
    let world = World::new().await;
    let (mine, others) = (assertion::key(), assertion::key());
    let client = world.credential_of_keys("mine", &[&mine]).await;
    world.credential_of_keys("others", &[&others]).await;
    let good = assertion::good(&client, &mine, world.now(), "1");
    let token = world.form(&assertion::form(&good)).await.token();
    assert_eq!(claims(&token)["client_id"], client.as_str());
    let foreign = assertion::good(&client, &others, world.now(), "2");
    let answer = world.form(&assertion::form(&foreign)).await;
    assert_eq!(answer.error(), "invalid_client");
}

#[tokio::test]
async fn rfc6749_3_2_only_post_is_served() {
    let world = World::new().await;
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
        let answer = world.send(method, TOKEN_PATH, &[], "").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[tokio::test]
async fn rfc6749_3_2_parameters_sent_without_a_value_are_omitted() {
    let world = World::rfc9068().await;
    let scoped = scoped(&world).await;
    let good = form_of(&scoped);
    let empty = format!("{good}&scope=&client_assertion=&client_assertion_type=&x=");
    let answer = world.form(&empty).await;
    assert_eq!(answer.json()["scope"], "read write", "the default scope");
    let answer = world
        .form(&format!("grant_type=&{}", pair_of(&scoped)))
        .await;
    assert_eq!(answer.error(), "invalid_request", "no grant_type");
    let header = basic_of(&scoped);
    let answer = world
        .with_header(&header, &format!("{GRANT}&client_id=&client_secret="))
        .await;
    assert_eq!(answer.status, 200, "no second credential");
}

#[tokio::test]
async fn rfc6749_3_2_unrecognized_parameters_are_ignored() {
    for world in [World::new().await, World::rfc9068().await] {
        let extra = "&redirect_uri=x&code=y&subject_token=z&refresh_token=r&token=t&%00=%FF";
        let answer = world.form(&format!("{}{extra}", world.good_form())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test]
async fn rfc6749_3_2_no_parameter_may_come_twice() {
    let world = World::new().await;
    let good = world.good_form();
    let credential = pair_of(&world.credential);
    for twice in [
        format!("{good}&{GRANT}"),
        format!("{good}&{credential}"),
        format!("{good}&scope=a&scope=a"),
        format!("{good}&scope=&scope="),
        format!("{good}&unknown=1&unknown=1"),
        format!("{good}&unkn%6Fwn=1&unknown=1"),
    ] {
        assert_eq!(
            world.form(&twice).await.error(),
            "invalid_request",
            "{twice}"
        );
    }
    for path in [INTROSPECTION_PATH, REVOCATION_PATH] {
        let answer = world
            .post(path, &format!("token=a&token=a&{credential}"))
            .await;
        assert_eq!(answer.error(), "invalid_request", "{path}");
    }
}

#[tokio::test]
async fn rfc6749_3_2_1_a_client_that_does_not_authenticate_gets_nothing() {
    let world = World::new().await;
    let id = &world.credential.credential.client_id;
    for body in [GRANT.to_owned(), format!("{GRANT}&client_id={id}")] {
        let answer = world.form(&body).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (401, "invalid_client")
        );
    }
}

#[tokio::test]
async fn rfc6749_3_3_the_scope_is_a_set_of_words_that_have_case() {
    let world = World::rfc9068().await;
    let good = form_of(&scoped(&world).await);
    let answer = world.form(&format!("{good}&scope=write+read")).await;
    assert!(
        answer.json().get("scope").is_none(),
        "all that was asked for"
    );
    assert_eq!(claims(&answer.token())["scope"], "write read");
    for wrong in [
        "Read",
        "read+admin",
        "read++write",
        "+read",
        "read%09write",
        "%22",
    ] {
        let answer = world.form(&format!("{good}&scope={wrong}")).await;
        assert_eq!(answer.error(), "invalid_scope", "{wrong}");
    }
}

#[tokio::test]
async fn rfc6749_3_3_a_scope_that_was_not_asked_for_is_told() {
    let world = World::rfc9068().await;
    let good = form_of(&scoped(&world).await);
    let answer = world.form(&good).await;
    assert_eq!(answer.json()["scope"], "read write");
    assert_eq!(claims(&answer.token())["scope"], "read write");
}

#[tokio::test]
async fn rfc6749_3_3_less_than_may_be_had_is_granted_as_asked() {
    let world = World::rfc9068().await;
    let good = form_of(&scoped(&world).await);
    let answer = world.form(&format!("{good}&scope=write")).await;
    assert_eq!(claims(&answer.token())["scope"], "write");
}

#[tokio::test]
async fn rfc6749_3_3_without_registered_scopes_none_is_granted() {
    let world = World::rfc9068().await;
    let answer = world.form(&world.good_form()).await;
    assert!(claims(&answer.token()).get("scope").is_none());
    let asked = world
        .form(&format!("{}&scope=read", world.good_form()))
        .await;
    assert_eq!(asked.error(), "invalid_scope");

    let world = World::new().await;
    let ignored = format!("{}&scope=hpe-tenant", world.good_form());
    let answer = world.form(&ignored).await;
    assert!(answer.json().get("scope").is_none());
    assert!(claims(&answer.token()).get("scope").is_none());
}

/// "The client credentials grant type MUST only be used by confidential clients": by those that prove
/// who they are. Saying so is no proof.
#[tokio::test]
async fn rfc6749_4_4_only_confidential_clients_use_the_grant() {
    let world = World::new().await;
    let id = &world.credential.credential.client_id;
    let workspace = workspace_path(world.workspace.id.as_str());
    for path in [TOKEN_PATH, &workspace] {
        for body in [
            GRANT.to_owned(),
            format!("{GRANT}&client_id={id}"),
            format!("{GRANT}&client_id={id}&client_secret="),
        ] {
            let answer = world.post(path, &body).await;
            let refused = (answer.status, answer.error());
            assert_eq!(refused, (401, "invalid_client".to_owned()), "{path} {body}");
        }
        let header = crate::world::basic(id.as_str(), "");
        let headers = [("Content-Type", FORM), ("Authorization", header.as_str())];
        let answer = world.ask("POST", path, &headers, GRANT).await;
        assert_eq!(answer.status, 401, "{path}: an empty secret");
    }
}

#[tokio::test]
async fn rfc6749_4_4_2_the_grant_type_is_required_and_exact() {
    let world = World::new().await;
    let pair = pair_of(&world.credential);
    assert_eq!(world.form(&pair).await.error(), "invalid_request");
    for other in [
        "password",
        "authorization_code",
        "refresh_token",
        "Client_Credentials",
    ] {
        let answer = world.form(&format!("grant_type={other}&{pair}")).await;
        assert_eq!(answer.error(), "unsupported_grant_type", "{other}");
    }
}

/// The order matters: whoever does not authenticate is not told what it might have had.
#[tokio::test]
async fn rfc6749_4_4_2_the_client_is_authenticated_before_anything_is_decided() {
    let world = World::rfc9068().await;
    let id = &world.credential.credential.client_id;
    let other = world.tenant("Other", false).await;
    let wrong = format!("client_id={id}&client_secret=wrong");
    for (path, body) in [
        (TOKEN_PATH.to_owned(), format!("{GRANT}&scope=none&{wrong}")),
        (
            workspace_path(other.id.as_str()),
            format!("{GRANT}&{wrong}"),
        ),
        (
            TOKEN_PATH.to_owned(),
            format!("grant_type=password&{wrong}"),
        ),
    ] {
        let answer = world.post(&path, &body).await;
        assert_eq!(answer.error(), "invalid_client", "{path} {body}");
    }
}

/// Also section 5.1: the members, their types and the two headers, which [`crate::always`] checks of
/// every answer; here that they say the truth.
#[tokio::test]
async fn rfc6749_4_4_3_the_answer_has_a_token_and_no_refresh_token() {
    for world in [World::new().await, World::rfc9068().await] {
        let answer = world.form(&world.good_form()).await;
        let body = answer.json();
        assert!(body.get("refresh_token").is_none());
        let claims = claims(&answer.token());
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(body["expires_in"], lifetime);
        assert!(world.is_active(&answer.token()).await);
    }
}

#[tokio::test]
async fn rfc6749_5_1_no_answer_with_a_token_or_a_credential_may_be_stored() {
    let world = World::new().await;
    let tenant = world.tenant("Tenant", true).await;
    let issued = world.form(&world.good_form()).await;
    let exchanged = world.exchange(tenant.id.as_str(), &issued.token()).await;
    let told = world.introspect(&world.credential, &issued.token()).await;
    let revoked = world.revoke(&world.credential, &issued.token()).await;
    for answer in [issued, exchanged, told, revoked] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
    }
}

#[tokio::test]
async fn rfc6749_5_1_expires_in_is_the_time_left_when_the_answer_is_made() {
    let world = World::new().await;
    world.step(SignedDuration::from_secs(3));
    let answer = world.form(&world.good_form()).await;
    let expires_in = answer.json()["expires_in"].as_i64().unwrap();
    assert!(expires_in < 7200, "time goes on while a token is made");
    assert!(expires_in > 7200 - 60);
}

/// The other profile counts from the moment of issue, so that the answer and the token agree.
#[tokio::test]
async fn rfc6749_5_1_in_rfc9068_expires_in_is_the_lifetime_of_the_token() {
    let world = World::rfc9068().await;
    world.step(SignedDuration::from_secs(3));
    let answer = world.form(&world.good_form()).await;
    assert_eq!(answer.json()["expires_in"], 7200);
}

#[tokio::test]
async fn rfc6749_5_2_failed_authentication_by_header_is_401_with_the_scheme_that_was_used() {
    let world = World::new().await;
    let id = world.credential.credential.client_id.as_str();
    for path in [TOKEN_PATH, INTROSPECTION_PATH, REVOCATION_PATH] {
        let header = crate::world::basic(id, "wrong");
        let headers = [("Content-Type", FORM), ("Authorization", header.as_str())];
        let body = format!("{GRANT}&token=x");
        let answer = world.ask("POST", path, &headers, &body).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (401, "invalid_client")
        );
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
    }
}

#[tokio::test]
async fn rfc6749_5_2_each_refusal_has_its_code() {
    let world = World::rfc9068().await;
    let good = world.good_form();
    let other = world.tenant("Other", false).await;
    for (path, body, error) in [
        (
            TOKEN_PATH.to_owned(),
            pair_of(&world.credential),
            "invalid_request",
        ),
        (TOKEN_PATH.to_owned(), format!("{good}x"), "invalid_client"),
        (
            TOKEN_PATH.to_owned(),
            format!("grant_type=x&{}", pair_of(&world.credential)),
            "unsupported_grant_type",
        ),
        (
            TOKEN_PATH.to_owned(),
            format!("{good}&scope=x"),
            "invalid_scope",
        ),
        (
            workspace_path(other.id.as_str()),
            good.clone(),
            "unauthorized_client",
        ),
    ] {
        assert_eq!(world.post(&path, &body).await.error(), error, "{body}");
    }
}

#[tokio::test]
async fn rfc6749_5_2_words_of_the_request_come_back_in_allowed_characters() {
    let world = World::rfc9068().await;
    let strange = "%22%5C%C3%A9%0A%00%7F";
    let good = form_of(&scoped(&world).await);
    for body in [
        format!("{good}&{strange}=1&{strange}=1"),
        format!("{good}&scope={strange}"),
        format!("grant_type={strange}&{}", pair_of(&world.credential)),
    ] {
        // The characters are checked of every answer.
        assert_eq!(world.form(&body).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn rfc6749_5_1_what_stands_in_the_answer_stands_in_the_token() {
    let world = World::rfc9068().await;
    let answer = world.form(&form_of(&scoped(&world).await)).await;
    let (_, payload) = parts(&answer.token());
    assert!(payload.contains(r#""scope":"read write""#), "{payload}");
}
