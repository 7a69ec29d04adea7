//! RFC 8414, OAuth 2.0 Authorization Server Metadata.
//!
//! Proved beside the code, in `crates/oauth/src/metadata.rs`: how the document is printed and read
//! (`rfc8414_2_…`, `rfc8414_3_1_…`, `rfc8414_3_3_…`).
//!
//! Section 2.1 (signed metadata) is optional and not there, and so are the members that tell of an
//! authorization endpoint or of registration. Sections 2 and 3.2 contradict each other for a server
//! without an authorization endpoint: `response_types_supported` is required, and members without
//! elements must be left out. The required one is written, empty, since libraries insist on it.
//! That everything advertised works is walked in `walk.rs`.
//!
//! Section 2 wants https. A server for development listens on plain http of the loopback address, and its
//! issuer may say so: that is on purpose, and the operator's to choose.

use hallpass_oauth::Issuer;
use hallpass_oauth::metadata::{AuthorizationServerMetadata, Document};
use serde_json::Value;

use crate::wire::Answer;
use crate::world::{ISSUER, World};

const PATH: &str = "/.well-known/oauth-authorization-server";
const OPENID_PATH: &str = "/.well-known/openid-configuration";

async fn get(world: &World, path: &str) -> Answer {
    world.send("GET", path, &[], "").await
}

#[tokio::test]
async fn rfc8414_2_the_issuer_is_the_configured_one_and_not_the_servers_address() {
    let elsewhere = "https://127.0.0.1:8443";
    let world = World::with(|plan| plan.settings.base_url = elsewhere.to_owned()).await;
    for path in [PATH, OPENID_PATH] {
        let document = get(&world, path).await.json();
        assert_eq!(document["issuer"], ISSUER);
    }
}

#[tokio::test]
async fn rfc8414_2_the_issuer_is_the_one_that_tokens_name() {
    let world = World::rfc9068().await;
    let token = world.token().await;
    let issuer = &get(&world, PATH).await.json()["issuer"];
    assert_eq!(crate::world::claims(&token)["iss"], *issuer);
}

#[tokio::test]
async fn rfc8414_2_required_members_are_there() {
    let world = World::new().await;
    let document = get(&world, PATH).await.json();
    for name in ["issuer", "token_endpoint"] {
        assert!(document[name].is_string(), "{name}");
    }
    assert!(document["response_types_supported"].is_array());
    for endpoint in ["token", "introspection", "revocation"] {
        let methods = format!("{endpoint}_endpoint_auth_methods_supported");
        let algorithms = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        let has = |name: &str, word: &str| {
            let words = document[name].as_array().unwrap();
            words.iter().any(|known| known == word)
        };
        assert!(has(&methods, "private_key_jwt"), "{endpoint}");
        // Required beside that method; RS256 should be there and `none` must not.
        assert!(
            has(&algorithms, "RS256") && !has(&algorithms, "none"),
            "{endpoint}"
        );
    }
}

/// RFC 6749 section 3.2: the endpoint's URI has no fragment.
#[tokio::test]
async fn rfc8414_2_endpoints_are_urls_of_the_servers_address_without_fragment() {
    let address = "https://127.0.0.1:8443/behind/a/proxy";
    let world = World::with(|plan| plan.settings.base_url = address.to_owned()).await;
    let document = get(&world, OPENID_PATH).await.json();
    let endpoints: Vec<&str> = document
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
        .map(|(_, url)| url.as_str().unwrap())
        .collect();
    assert_eq!(endpoints.len(), 4);
    for url in endpoints {
        let path = url.strip_prefix(address).unwrap();
        assert!(path.starts_with('/') && !path.contains(['?', '#']), "{url}");
    }
}

#[tokio::test]
async fn rfc8414_3_1_the_document_is_where_the_issuers_path_says() {
    let issuer = "https://sso.example.com/tenant/one";
    let world = World::with(|plan| plan.issuer(issuer)).await;
    for path in [
        "/.well-known/oauth-authorization-server/tenant/one",
        "/.well-known/openid-configuration/tenant/one",
        "/tenant/one/.well-known/openid-configuration",
    ] {
        let answer = get(&world, path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()["issuer"], issuer, "{path}");
    }
    let other = get(&world, "/.well-known/oauth-authorization-server/tenant/two").await;
    assert_eq!(
        other.status, 404,
        "another issuer's document is not ours to serve"
    );
}

#[tokio::test]
async fn rfc8414_3_1_a_slash_at_the_end_of_the_issuer_is_taken_off_in_the_path_only() {
    let issuer = "https://sso.example.com/tenant/";
    let world = World::with(|plan| plan.issuer(issuer)).await;
    let answer = get(&world, "/.well-known/oauth-authorization-server/tenant").await;
    assert_eq!(answer.json()["issuer"], issuer);
}

#[tokio::test]
async fn rfc8414_3_1_documents_are_got_and_nothing_else() {
    let world = World::new().await;
    for path in [PATH, OPENID_PATH] {
        for method in ["POST", "PUT", "DELETE"] {
            let answer = world.send(method, path, &[], "").await;
            assert_eq!(answer.status, 405, "{method} {path}");
        }
        assert_eq!(world.send("HEAD", path, &[], "").await.status, 200);
    }
}

#[tokio::test]
async fn rfc8414_3_2_the_answer_is_200_and_json() {
    let world = World::new().await;
    for path in [PATH, OPENID_PATH] {
        let answer = get(&world, path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert!(answer.json().is_object());
    }
}

#[tokio::test]
async fn rfc8414_3_2_no_member_is_empty_but_the_one_that_section_2_requires() {
    let world = World::new().await;
    for path in [PATH, OPENID_PATH] {
        for (name, value) in get(&world, path).await.json().as_object().unwrap() {
            let empty = match value {
                Value::Array(values) => values.is_empty(),
                Value::String(text) => text.is_empty(),
                Value::Null => true,
                _ => false,
            };
            assert_eq!(empty, name == "response_types_supported", "{name}");
        }
    }
}

#[tokio::test]
async fn rfc8414_3_3_a_strict_client_takes_the_document_for_its_issuer() {
    let issuer = Issuer::parse("https://sso.example.com/tenant").unwrap();
    let world = World::with(|plan| plan.issuer(issuer.as_str())).await;
    for document in [Document::AuthorizationServer, Document::OpenIdConfiguration] {
        let url = document.url(&issuer).unwrap();
        let path = url.strip_prefix("https://sso.example.com").unwrap();
        let body = get(&world, path).await.body;
        let read = AuthorizationServerMetadata::parse(body.as_bytes(), &issuer).unwrap();
        assert_eq!(read.issuer, issuer);
    }
}
