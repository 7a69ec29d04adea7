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
mod answer;
mod answer_body;
mod audit_events;
mod conditional;
mod faults;
mod guard;
pub mod listener;
mod metrics;
mod own;
mod permitted;
mod record;
mod reply;
mod stand_in;
mod state_calls;
mod target;
mod token_cache;
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use hallpass_access::OperationPermissions;
use hallpass_oauth::Expectation;
use hallpass_openapi::Definition;
use hallpass_store::{
    AuditLog, Clock, Instances, Principals, PublishedKeys, ResourceServerHandles,
};

use tokio::sync::{RwLock, Semaphore};

pub use answer_body::{AnswerBody, CutShort};
pub use faults::{FaultError, FaultRule, Faults, ListedRule, RuleRefused};
pub use metrics::Metrics;
pub use own::level;
pub use stand_in::{OriginError, Saved, StandInSettings, StandIns, Unrestorable};
pub use target::AskedUrl;

use token_cache::TokenCache;
use upstream::Forwarder;

/// What one resource server guards.
pub struct Settings {
    /// What it asks of a token; names the application instance it is.
    pub expectation: Expectation,
    /// The URL its clients know it by, without a slash at the end.
    pub base_url: String,
    /// The API.
    pub definition: Arc<Definition>,
    /// The stand-in.
    pub stand_in: StandInSettings,
    /// What goes wrong on request.
    pub faults: Arc<Faults>,
    /// Whether permitted calls that only read are audited too.
    pub audit_reads: bool,
    /// How long an upstream may take for one call.
    pub upstream_time: Duration,
}

/// Most saved states that are received or sent at once; each may have hundreds of megabytes.
const STATES_IN_MEMORY: usize = 4;

/// The guard of one application instance. Built once, shared by all requests.
pub struct ResourceServer {
    expectation: Expectation,
    base_url: String,
    definition: Arc<Definition>,
    permissions: OperationPermissions,
    keys: PublishedKeys,
    principals: Principals,
    audit: AuditLog,
    instances: Instances,
    stand_ins: StandIns,
    verified: TokenCache,
    clock: Clock,
    metrics: Metrics,
    /// Held for reading by each change under way.
    changes: Arc<RwLock<()>>,
    faults: Arc<Faults>,
    /// Whoever saves, restores or resets a state.
    state_calls: Arc<Semaphore>,
    /// Saved states that are being received or sent.
    states_in_memory: Arc<Semaphore>,
    audit_reads: bool,
    forwarder: Forwarder,
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
            instances,
        } = handles;
        let Settings {
            expectation,
            base_url,
            definition,
            stand_in,
            faults,
            audit_reads,
            upstream_time,
        } = settings;
        Self {
            permissions: OperationPermissions::derive(&definition),
            keys: published_keys,
            principals,
            audit,
            instances,
            stand_ins: StandIns::new(
                definition.clone(),
                stand_in,
                sandbox_journals,
                expectation.instance.clone(),
            ),
            verified: TokenCache::new(),
            expectation,
            base_url,
            definition,
            clock,
            metrics,
            changes: Arc::default(),
            faults,
            state_calls: Arc::new(Semaphore::new(1)),
            states_in_memory: Arc::new(Semaphore::new(STATES_IN_MEMORY)),
            audit_reads,
            forwarder: Forwarder::new(upstream_time),
        }
    }

    /// The URL that clients know it by at this moment: an administrator may have given it another one.
    fn base_url(&self) -> String {
        let instance = self.instances.find(&self.expectation.instance);
        let told = instance.and_then(|instance| {
            let given = instance.base_url.as_ref().map(ToString::to_string);
            given.or_else(|| Some(format!("http://{}", instance.listen?)))
        });
        told.unwrap_or_else(|| self.base_url.clone())
    }

    /// The stand-ins behind it.
    pub fn stand_ins(&self) -> &StandIns {
        &self.stand_ins
    }

    /// What goes wrong on request.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}
