//! The metadata documents (RFC 8414, OpenID Connect Discovery 1.0). Every capability they name is
//! served by [`crate::AuthorizationServer::router`].

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use hallpass_oauth::client_authentication::ClientAuthenticationMethod;
use hallpass_oauth::metadata::{AdvertisedMethod, AuthorizationServerMetadata, Document};
use hallpass_oauth::token_request::GrantType;
use hallpass_oauth::{Algorithm, Issuer};

use crate::{AuthorizationServer, INTROSPECTION_PATH, REVOCATION_PATH, TOKEN_PATH, description};

/// Where RFC 8414 has the metadata of an issuer without a path.
const OAUTH_PATH: &str = "/.well-known/oauth-authorization-server";

/// Where OpenID Connect Discovery has it.
const OPENID_PATH: &str = "/.well-known/openid-configuration";

/// Get the metadata of the authorization server
#[utoipa::path(
    get,
    path = OAUTH_PATH,
    tag = "Tokens",
    operation_id = "getMetadata",
    security(()),
    responses((status = 200, description = "Where everything is, and what works there", body = description::Metadata))
)]
pub(crate) async fn oauth(State(server): State<Arc<AuthorizationServer>>) -> Response {
    server.document(server.metadata().to_json())
}

/// Get the metadata in the form of OpenID Connect Discovery
#[utoipa::path(
    get,
    path = OPENID_PATH,
    tag = "Tokens",
    operation_id = "getOpenIdMetadata",
    security(()),
    responses((status = 200, description = "Where everything is, and what works there", body = description::Metadata))
)]
pub(crate) async fn openid(State(server): State<Arc<AuthorizationServer>>) -> Response {
    server.document(server.metadata().to_openid_json())
}

/// Where a document is served. An issuer that cannot have one by the standard has it where clients
/// look that know nothing of issuers with more than a host.
pub(crate) fn paths(document: Document, issuer: &Issuer) -> Vec<String> {
    let plain = match document {
        Document::AuthorizationServer => OAUTH_PATH,
        Document::OpenIdConfiguration => OPENID_PATH,
    };
    let mut paths = vec![plain.to_owned()];
    for path in document.paths(issuer).unwrap_or_default() {
        if !paths.contains(&path) && is_plain(&path) {
            paths.push(path);
        }
    }
    paths
}

/// A path is a route here, and braces, colons and stars mean something else in one.
fn is_plain(path: &str) -> bool {
    path.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b))
}

impl AuthorizationServer {
    fn metadata(&self) -> AuthorizationServerMetadata {
        let at = |path: &str| format!("{}{path}", self.settings.base_url);
        let keys = self.published_keys.states();
        let mut algorithms: Vec<String> = Vec::new();
        for key in keys {
            let name = key.algorithm.as_str().to_owned();
            if !algorithms.contains(&name) {
                algorithms.push(name);
            }
        }
        AuthorizationServerMetadata {
            issuer: self.settings.issuing.issuer.clone(),
            token_endpoint: at(TOKEN_PATH),
            jwks_uri: self.settings.jwks_paths.first().map(|path| at(path)),
            introspection_endpoint: Some(at(INTROSPECTION_PATH)),
            revocation_endpoint: Some(at(REVOCATION_PATH)),
            // What works at the token endpoint named above. Token exchange goes to the endpoint of the
            // tenant's workspace, which no member of these documents can name.
            grant_types: vec![GrantType::CLIENT_CREDENTIALS.to_owned()],
            authentication_methods: ClientAuthenticationMethod::ALL
                .map(AdvertisedMethod::Known)
                .to_vec(),
            assertion_algorithms: Algorithm::ALL
                .iter()
                .flat_map(|algorithm| algorithm.names())
                .map(|&name| name.to_owned())
                .collect(),
            scopes: None,
            token_algorithms: algorithms,
        }
    }

    fn document(&self, json: String) -> Response {
        let headers = [
            (CONTENT_TYPE, "application/json".to_owned()),
            (CACHE_CONTROL, self.max_age()),
        ];
        (headers, json).into_response()
    }

    pub(crate) fn max_age(&self) -> String {
        format!("public, max-age={}", self.settings.jwks_max_age.as_secs())
    }
}
