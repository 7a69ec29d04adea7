//! What a credential may be besides its name: as it is typed, and as the REST API takes it.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::admin::typed::{AllowedScopes, Expiry, TokenLifetime, Typed};

/// What a credential may be.
#[derive(Debug, Args)]
pub(super) struct OptionArgs {
    /// When it ends: a length of time (90d), a day, a time in RFC 3339, or `never`
    #[arg(long, value_name = "TIME|DURATION")]
    expires: Option<Typed<Expiry>>,
    /// How long its tokens live (90s, 15m, 2h), or `default`: as long as the service has it
    #[arg(long, value_name = "DURATION")]
    lifetime: Option<Typed<TokenLifetime>>,
    /// The only scopes it may ask for, with one space between them, or `none` for no such bound
    #[arg(long, value_name = "SCOPES")]
    scope: Option<Typed<AllowedScopes>>,
}

impl OptionArgs {
    /// The members of the body for those that were typed; `null` takes away (RFC 7396). A length of time
    /// begins at `now`.
    pub(super) fn members(&self, now: Timestamp) -> Map<String, Value> {
        let mut members = Map::new();
        if let Some(expires) = &self.expires {
            let time = expires.value.time(now);
            members.insert("expiresAt".to_owned(), json!(time.map(|at| at.to_string())));
        }
        if let Some(lifetime) = &self.lifetime {
            let seconds = lifetime.value.duration().map(|lasting| lasting.as_secs());
            members.insert("tokenLifetimeSeconds".to_owned(), json!(seconds));
        }
        if let Some(scope) = &self.scope {
            let words = scope.value.set().map(|scopes| scopes.to_string());
            members.insert("scope".to_owned(), json!(words));
        }
        members
    }
}
