//! The authorization server: issues access tokens for the client-credentials grant and publishes
//! the keys that verify them.
//!
//! [`token_endpoint`] is walk 1 of the architecture: form → `TokenRequest` and
//! `PresentedCredential` → authenticate → authorize → mint → answer. It knows nothing of the API
//! that the tokens are for.

#[cfg_attr(not(test), expect(dead_code, reason = "the token walk calls it next"))]
mod admission;
mod jwks;
#[cfg_attr(not(test), expect(dead_code, reason = "the token walk calls it next"))]
mod limits;
mod metrics;
#[cfg_attr(not(test), expect(dead_code, reason = "the token walk calls it next"))]
mod signer;
mod token_endpoint;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use hallpass_oauth::mint::Issuing;
use hallpass_store::{
    AuditLog, AuthorizationServerHandles, ClientRegistrations, Clock, PublishedKeys, SigningKeys,
    TokenSequences,
};

pub use metrics::Metrics;

/// The path of the classic token endpoint (domain facts, section 2.1).
pub const TOKEN_PATH: &str = "/as/token.oauth2";

/// The path of a workspace's own token endpoint (domain facts, section 2.6).
pub const WORKSPACE_TOKEN_PATH: &str = "/authorization/v2/oauth2/{workspaceId}/token";

/// The server's parts. Built once, shared by all requests.
pub struct AuthorizationServer {
    clients: ClientRegistrations,
    sequences: TokenSequences,
    signing_keys: SigningKeys,
    published_keys: PublishedKeys,
    audit: AuditLog,
    issuing: Issuing,
    clock: Clock,
    metrics: Metrics,
}

impl AuthorizationServer {
    /// Takes its handles of the store.
    pub fn new(
        handles: AuthorizationServerHandles,
        issuing: Issuing,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let AuthorizationServerHandles {
            clients,
            sequences,
            signing_keys,
            published_keys,
            audit,
        } = handles;
        Self {
            clients,
            sequences,
            signing_keys,
            published_keys,
            audit,
            issuing,
            clock,
            metrics,
        }
    }

    /// The routes.
    pub fn router(self) -> Router {
        let classic = post(token_endpoint::classic).fallback(token_endpoint::wrong_method);
        let of_workspace =
            post(token_endpoint::of_workspace).fallback(token_endpoint::wrong_method);
        Router::new()
            .route(TOKEN_PATH, classic)
            .route(WORKSPACE_TOKEN_PATH, of_workspace)
            .route("/pf/JWKS", get(jwks::published))
            .route("/.well-known/jwks.json", get(jwks::published))
            .with_state(Arc::new(self))
    }
}
