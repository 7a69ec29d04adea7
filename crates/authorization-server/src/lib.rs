//! The authorization server: issues access tokens, says and ends what they are worth, and publishes
//! the keys that verify them.
//!
//! [`token_endpoint`] is walk 1 of the architecture: form → `TokenRequest` and
//! `PresentedCredential` → authenticate → authorize → mint → answer. The other endpoints share its
//! first steps ([`client`]) and its one way to answer ([`answer`]). It knows nothing of the API that
//! the tokens are for.

mod admission;
mod answer;
mod by_hand;
mod client;
mod description;
mod exchange;
mod introspection_endpoint;
mod issuing;
mod jwks;
mod limits;
mod metadata;
mod metrics;
mod revocation_endpoint;
mod settings;
mod signer;
mod token_endpoint;
mod token_status;

use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use hallpass_oauth::Issuer;
use hallpass_oauth::metadata::Document;
use hallpass_oauth::verify::LEEWAY;
use hallpass_store::{
    AuditLog, AuthorizationServerHandles, ClientRegistrations, Clock, Principals, PublishedKeys,
    Revocations, SigningKeys, TokenSequences,
};
use jiff::{SignedDuration, Timestamp};
use prometheus_client::registry::Registry;

pub use description::description;
pub use settings::{Limits, Settings};

use admission::Admission;
use limits::{FailureLimits, MintLimits};
use metrics::Metrics;
use signer::Signer;

/// The path of the classic token endpoint (domain facts, section 2.1).
pub const TOKEN_PATH: &str = "/as/token.oauth2";

/// The path of a workspace's own token endpoint (domain facts, section 2.6).
pub const WORKSPACE_TOKEN_PATH: &str = "/authorization/v2/oauth2/{workspaceId}/token";

/// The path of the introspection endpoint, PingFederate's customary one.
pub const INTROSPECTION_PATH: &str = "/as/introspect.oauth2";

/// The path of the revocation endpoint, PingFederate's customary one.
pub const REVOCATION_PATH: &str = "/as/revoke_token.oauth2";

/// The usual paths of the published keys.
pub const JWKS_PATHS: [&str; 2] = ["/.well-known/jwks.json", "/pf/JWKS"];

/// The server's parts. Built once, shared by all requests, and by all names that it answers under.
#[derive(Clone)]
pub struct AuthorizationServer {
    clients: ClientRegistrations,
    sequences: TokenSequences,
    signing_keys: SigningKeys,
    published_keys: PublishedKeys,
    principals: Principals,
    revocations: Revocations,
    audit: AuditLog,
    settings: Settings,
    clock: Clock,
    /// The latest time that a token was issued at, in seconds since 1970.
    latest: Arc<AtomicI64>,
    failures: Arc<FailureLimits>,
    mints: Arc<MintLimits>,
    questions: Arc<MintLimits>,
    admission: Arc<Admission>,
    signer: Arc<Signer>,
    metrics: Arc<Metrics>,
}

impl AuthorizationServer {
    /// Takes its handles of the store and starts its signing threads.
    pub fn start(
        handles: AuthorizationServerHandles,
        settings: Settings,
        clock: Clock,
        registry: &mut Registry,
    ) -> std::io::Result<Arc<Self>> {
        let AuthorizationServerHandles {
            clients,
            sequences,
            signing_keys,
            published_keys,
            principals,
            revocations,
            audit,
        } = handles;
        let hasher = RandomState::new();
        let limits = &settings.limits;
        let server = Arc::new(Self {
            clients,
            sequences,
            signing_keys,
            published_keys,
            principals,
            revocations,
            audit,
            clock,
            latest: Arc::new(AtomicI64::new(i64::MIN)),
            failures: Arc::new(FailureLimits::new(limits.failures(), &hasher)),
            mints: Arc::new(MintLimits::new(limits.mints(), &hasher)),
            questions: Arc::new(MintLimits::new(limits.questions(), &hasher)),
            admission: Arc::new(Admission::new(limits.under_way)),
            signer: Arc::new(Signer::start(limits.signing_threads, limits.signing_queue)?),
            metrics: Arc::new(Metrics::new(registry)),
            settings,
        });
        metrics::observe(&server, registry);
        Ok(server)
    }

    /// The same server under another name: tokens that are asked for there carry `issuer`, and the
    /// addresses that its answers tell begin with `base_url`. Limits, counters, signing threads and
    /// the times of tokens are shared. Whoever verifies must trust the issuer, this server too: it
    /// has to be among [`Settings::issuers`].
    #[must_use]
    pub fn under(&self, issuer: Issuer, base_url: &str) -> Arc<Self> {
        let mut server = self.clone();
        server.settings.issuing.issuer = issuer;
        base_url.clone_into(&mut server.settings.base_url);
        Arc::new(server)
    }

    /// The routes.
    pub fn router(self: Arc<Self>) -> Router {
        let classic = only_post(post(token_endpoint::classic));
        let of_workspace = only_post(post(token_endpoint::of_workspace));
        let mut router = Router::new()
            .route(TOKEN_PATH, classic)
            .route(WORKSPACE_TOKEN_PATH, of_workspace)
            .route(
                INTROSPECTION_PATH,
                only_post(post(introspection_endpoint::introspect)),
            )
            .route(
                REVOCATION_PATH,
                only_post(post(revocation_endpoint::revoke)),
            );
        for path in &self.settings.jwks_paths {
            router = router.route(path, get(jwks::published));
        }
        let issuer = &self.settings.issuing.issuer;
        let documents = [
            (Document::AuthorizationServer, get(metadata::oauth)),
            (Document::OpenIdConfiguration, get(metadata::openid)),
        ];
        for (document, route) in documents {
            for path in metadata::paths(document, issuer) {
                router = router.route(&path, route.clone());
            }
        }
        router.with_state(self)
    }

    /// The time that a token is issued at. A clock that is set back must not make tokens that look
    /// older than those already out, or that are dead when they arrive. So the times of tokens stay
    /// where they were, less the leeway, until the clock has caught up; everything else goes by the
    /// clock. One that was far ahead was wrong, and is not waited for.
    fn issue_time(&self, now: Timestamp) -> Timestamp {
        let latest = self.latest.load(Ordering::Acquire);
        let ahead = latest.saturating_sub(now.as_second());
        if ahead > MOST_HELD_BACK.as_secs() {
            self.latest.store(now.as_second(), Ordering::Release);
            return now;
        }
        self.latest.fetch_max(now.as_second(), Ordering::AcqRel);
        if ahead <= LEEWAY.as_secs() {
            return now;
        }
        Timestamp::from_second(latest - LEEWAY.as_secs()).unwrap_or(now)
    }
}

/// How far a clock may be set back and its time still count for tokens.
const MOST_HELD_BACK: SignedDuration = SignedDuration::from_hours(2);

fn only_post(
    route: MethodRouter<Arc<AuthorizationServer>>,
) -> MethodRouter<Arc<AuthorizationServer>> {
    route.fallback(answer::wrong_method)
}
