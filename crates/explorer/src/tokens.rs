//! Access tokens (domain facts, section 9, rows 11 and 13 to 15): got, listed, explained, chosen, removed.
//!
//! Asking is the client crate's business, whose [`Tokens`] ask once for all who need one; there is one
//! for each set of settings of a workspace. Here is the list that people see, which outlives the program.

mod kept;
mod shown;

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, patch, post};
use hallpass_client::address::BaseUrl;
use hallpass_client::{AccessToken, CredentialSource, TokenFailure, Tokens};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Explorer;
use crate::answer::{Answer, Failure, Json, done, told};
use crate::authorization::Effective;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::AuthorizationSettings;
use crate::workspaces::named;

pub(crate) use kept::{Kept, KeptToken};

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    let base = "/explorer/api/w/{workspace}/tokens";
    Router::new()
        .route(base, get(list).post(get_new).delete(remove_expired))
        .route(&format!("{base}/{{token}}"), patch(rename).delete(remove))
        .route(&format!("{base}/{{token}}/use"), post(choose))
        .route(&format!("{base}/{{token}}/value"), get(value))
}

/// The tokens that are being got and renewed, by whose they are and what they are got with.
pub(crate) struct Engines(Cache<String, Tokens>);

impl Default for Engines {
    fn default() -> Self {
        Self(Cache::new(MOST_ENGINES))
    }
}

/// The tokens of settings.
pub(crate) struct TokensOf {
    tokens: Tokens,
    /// A digest of everything that shapes a token.
    settings: String,
    token_name: String,
    scope: String,
}

impl TokensOf {
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    authorization: Option<Value>,
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    expired: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

async fn list(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    told(&explorer.tokens_shown(&visitor, &Id::parse(&id)?).await?)
}

async fn get_new(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(Wanted { authorization }): Json<Wanted>,
) -> Answer {
    let id = Id::parse(&id)?;
    let settings = match authorization {
        Some(typed) => explorer.take_draft_settings(&visitor, &id, typed).await?,
        None => explorer.workspace(&visitor, &id).await?.authorization,
    };
    let got = explorer.get_token(&visitor, &id, &settings).await;
    let got = explorer.bare(&visitor, &id, got).await?;
    told(&explorer.token_shown(&visitor, &id, &got).await?)
}

async fn remove_expired(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Answer {
    let id = Id::parse(&id)?;
    if which.expired.is_none() {
        return Err(Failure::wrong(
            "only the expired tokens are removed together",
            "ask with ?expired=1, or remove one after the other",
        ));
    }
    let now = explorer.now();
    explorer
        .change_tokens(&visitor, &id, |kept| {
            kept.all_mut().retain(|token| !token.has_expired(now));
            Ok(())
        })
        .await?;
    done()
}

async fn rename(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((id, token)): Path<(String, String)>,
    Json(Named { name }): Json<Named>,
) -> Answer {
    let (id, token, name) = (Id::parse(&id)?, Id::parse(&token)?, named(&name)?);
    explorer
        .change_tokens(&visitor, &id, |kept| {
            let mut all = kept.all_mut().iter_mut();
            let found = all.find(|one| one.id == token);
            found.ok_or_else(no_such_token)?.name = name;
            Ok(())
        })
        .await?;
    done()
}

async fn remove(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((id, token)): Path<(String, String)>,
) -> Answer {
    let (id, token) = (Id::parse(&id)?, Id::parse(&token)?);
    let removed = explorer
        .change_tokens(&visitor, &id, |kept| {
            let all = kept.all_mut();
            let at = all.iter().position(|one| one.id == token);
            Ok(all.remove(at.ok_or_else(no_such_token)?))
        })
        .await?;
    explorer.forget_token(&visitor, &id, &removed);
    done()
}

async fn choose(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((id, token)): Path<(String, String)>,
) -> Answer {
    let (id, token) = (Id::parse(&id)?, Id::parse(&token)?);
    let kept = explorer.kept_tokens(&visitor, &id).await?;
    let chosen = kept.find(&token).ok_or_else(no_such_token)?;
    if chosen.has_expired(explorer.now()) {
        return Err(Failure::wrong(
            "this token has ended",
            "press Get New Access Token",
        ));
    }
    let of = explorer.root_tokens(&visitor, &id).await;
    let of = explorer.bare(&visitor, &id, of).await?;
    if !chosen.is_of(&of) {
        return Err(Failure::wrong(
            "this token was got with other settings than those of Authorization now",
            "put the settings or the environment back, or press Get New Access Token",
        ));
    }
    explorer
        .change_own(&visitor, &id, |own| {
            own.chosen_token = Some(token);
            Ok(())
        })
        .await?;
    done()
}

async fn value(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((id, token)): Path<(String, String)>,
) -> Answer {
    let (id, token) = (Id::parse(&id)?, Id::parse(&token)?);
    let kept = explorer.kept_tokens(&visitor, &id).await?;
    let found = kept.find(&token).ok_or_else(no_such_token)?;
    told(&json!({ "value": found.value().expose() }))
}

impl Explorer {
    /// The tokens that such settings get. Whoever asks at the same time asks the same.
    pub(crate) fn tokens_of(
        &self,
        visitor: &Visitor,
        id: &Id,
        effective: &Effective,
    ) -> Result<TokensOf, Failure> {
        let settings = folded(&effective.parts());
        let base_url = BaseUrl::parse(effective.token_url())
            .map_err(|error| Failure::wrong(error.to_string(), error.hint()))?;
        let profile = self.surroundings.adapt(effective.profile(base_url)?);
        let credential = CredentialSource::Given(effective.client_secret.clone());
        let key = engine_key(visitor, id, &settings);
        let options = self.surroundings.options();
        let made = || Ok::<_, Failure>(Tokens::new(profile, credential, &options));
        Ok(TokensOf {
            tokens: self.engines.0.get_or_insert_with(&key, made)?,
            settings,
            token_name: effective.token_name.clone(),
            scope: effective.scope().to_owned(),
        })
    }

    /// Gets a new token, whatever there is.
    async fn get_token(
        &self,
        visitor: &Visitor,
        id: &Id,
        settings: &AuthorizationSettings,
    ) -> Result<Id, Failure> {
        let of = self.tokens_for(visitor, id, settings).await?;
        let token = of.tokens.renew().await;
        let token = token.map_err(|failure| in_words(&failure))?;
        self.take_in(visitor, id, &of, &token).await
    }

    /// The tokens that settings get.
    async fn tokens_for(
        &self,
        visitor: &Visitor,
        id: &Id,
        settings: &AuthorizationSettings,
    ) -> Result<TokensOf, Failure> {
        let AuthorizationSettings::OAuth2(settings) = settings else {
            return Err(Failure::wrong(
                "tokens are got with the type OAuth 2.0",
                "choose it in Authorization",
            ));
        };
        let variables = self.variables(visitor, id).await?;
        let effective = Effective::of(settings, self, &variables, visitor, id).await?;
        self.may_reach(effective.token_url())?;
        self.tokens_of(visitor, id, &effective)
    }

    /// The tokens that the settings of the workspace get.
    async fn root_tokens(&self, visitor: &Visitor, id: &Id) -> Result<TokensOf, Failure> {
        let settings = self.workspace(visitor, id).await?.authorization;
        self.tokens_for(visitor, id, &settings).await
    }

    /// Takes the newest token of settings into the list; tells which one it is. A token that was got
    /// ends the ones before, so a choice among those ends with it.
    pub(crate) async fn absorb(
        &self,
        visitor: &Visitor,
        id: &Id,
        of: &TokensOf,
    ) -> Result<Option<Id>, Failure> {
        let now = self.now();
        let newest = of.tokens.at_hand().filter(|token| token.expires_at() > now);
        let Some(newest) = newest else {
            return Ok(None);
        };
        self.take_in(visitor, id, of, &newest).await.map(Some)
    }

    async fn take_in(
        &self,
        visitor: &Visitor,
        id: &Id,
        of: &TokensOf,
        token: &AccessToken,
    ) -> Result<Id, Failure> {
        let new = Kept::id(token);
        if self.kept_tokens(visitor, id).await?.find(&new).is_some() {
            return Ok(new);
        }
        let token = KeptToken::new(of, token);
        self.change_tokens(visitor, id, |kept| {
            kept.put(token);
            Ok(())
        })
        .await?;
        self.change_own(visitor, id, |own| {
            own.chosen_token = None;
            Ok(())
        })
        .await?;
        Ok(new)
    }

    /// A token that somebody removed is not used again.
    fn forget_token(&self, visitor: &Visitor, id: &Id, removed: &KeptToken) {
        let key = engine_key(visitor, id, removed.settings());
        let Some(tokens) = self.engines.0.get(&key) else {
            return;
        };
        let is_it = tokens
            .at_hand()
            .is_some_and(|one| Kept::id(&one) == removed.id);
        if is_it && let Err(error) = tokens.forget() {
            tracing::warn!(%error, "a removed token stays in the cache of this machine");
        }
    }
}

/// Why there is no token, for the page.
pub(crate) fn in_words(failure: &TokenFailure) -> Failure {
    let mut what = failure.to_string();
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        let cause_says = cause.to_string();
        if !what.contains(&cause_says) {
            what = format!("{what}: {cause_says}");
        }
        source = cause.source();
    }
    let hint = failure
        .hint()
        .unwrap_or_else(|| "look at what the server says".to_owned());
    let hint = hint
        .replace("client id and secret", "Client ID and Client Secret")
        .replace("the profile's scope", "Scope")
        .replace("the token URL", "the Access Token URL")
        .replace("the way to authenticate", "Client Authentication");
    Failure::elsewhere(what, hint)
}

fn no_such_token() -> Failure {
    Failure::not_found("token of this name")
}

fn engine_key(visitor: &Visitor, id: &Id, settings: &str) -> String {
    folded(&[&visitor.key, id.as_str(), settings])
}

/// SHA-256 over the parts, each with its length before it, so that no two lists run together.
fn folded(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    crate::id::hex(context.finish().as_ref())
}

/// Settings whose tokens are held at the same time, of all people.
const MOST_ENGINES: usize = 200;
