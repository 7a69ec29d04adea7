//! The resource server: the guard in front of an API.
//!
//! [`guard`](mod@guard) is walk 2 of the architecture: request → `PresentedToken` → verify → match
//! the operation → permit by what the credential's owner may do *now* → audit → origin → answer.
//! The origin takes nothing but a call with a `Permitted` in it, and only the permission step makes
//! one.
//!
//! The data path sits on hyper itself, with an [accept loop](listener) that bounds how long a
//! silent or slow peer may hold a connection. This crate gets no handle that could name a client
//! secret or a private key.

mod access_answers;
mod audit_events;
mod guard;
pub mod listener;
mod metrics;
mod own;
mod permitted;
mod reply;
mod sandboxes;
mod target;
mod token_cache;

use std::sync::Arc;

use hallpass_access::OperationPermissions;
use hallpass_oauth::Expectation;
use hallpass_openapi::Definition;
use hallpass_store::{AuditLog, Clock, Principals, PublishedKeys, ResourceServerHandles};

use tokio::sync::RwLock;

pub use metrics::Metrics;
pub use own::level;
pub use target::AskedUrl;

use sandboxes::Sandboxes;
use token_cache::TokenCache;

/// What one resource server guards.
pub struct Settings {
    /// What it asks of a token; names the application instance it is.
    pub expectation: Expectation,
    /// The URL its clients know it by, without a slash at the end.
    pub base_url: String,
    /// The API.
    pub definition: Arc<Definition>,
    /// How the stand-in behaves.
    pub sandbox: hallpass_sandbox::Settings,
    /// The number that the stand-in's first state is made from.
    pub seed: u64,
    /// Whether permitted calls that only read are audited too.
    pub audit_reads: bool,
}

/// The guard of one application instance. Built once, shared by all requests.
pub struct ResourceServer {
    expectation: Expectation,
    base_url: String,
    definition: Arc<Definition>,
    permissions: OperationPermissions,
    keys: PublishedKeys,
    principals: Principals,
    audit: AuditLog,
    sandboxes: Sandboxes,
    verified: TokenCache,
    clock: Clock,
    metrics: Metrics,
    /// Held for reading by each change under way.
    changes: Arc<RwLock<()>>,
    audit_reads: bool,
}

impl ResourceServer {
    /// Takes its handles of the store.
    pub fn new(
        handles: ResourceServerHandles,
        settings: Settings,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        let ResourceServerHandles {
            published_keys,
            principals,
            audit,
            sandbox_journals,
        } = handles;
        let Settings {
            expectation,
            base_url,
            definition,
            sandbox,
            seed,
            audit_reads,
        } = settings;
        Self {
            permissions: OperationPermissions::derive(&definition),
            keys: published_keys,
            principals,
            audit,
            sandboxes: Sandboxes::new(
                hallpass_sandbox::Sandbox::new(definition.clone(), sandbox),
                sandbox_journals,
                expectation.instance.clone(),
                seed,
            ),
            verified: TokenCache::new(),
            expectation,
            base_url,
            definition,
            clock,
            metrics,
            changes: Arc::default(),
            audit_reads,
        }
    }
}
