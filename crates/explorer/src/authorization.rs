//! How requests authenticate (domain facts, section 9, rows 10 to 15 and 21): the settings as they are
//! typed, and what becomes of them when a request is sent.
//!
//! Settings are part of what a person may share, so a secret that is typed into them is put where the
//! drawer keeps secrets, and the settings name it. How a token is asked for and renewed is the client
//! crate's business; which tokens there are is that of [`crate::tokens`].

mod effective;
mod send;
mod typed;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{post, put};
use serde_json::{Value, json};

use crate::Explorer;
use crate::answer::{Answer, Failure, Json, told};
use crate::cabinet::Turn;
use crate::id::Id;
use crate::trust::Origin;
use crate::visitor::Visitor;
use crate::workspace::{AuthorizationSettings, Own, Workspace};

pub(crate) use effective::Effective;
pub use send::{Authorized, SentWith};

use typed::Typed;
pub(crate) use typed::check;

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    let base = "/explorer/api/w/{workspace}/authorization";
    Router::new()
        .route(base, put(change))
        .route(&format!("{base}/draft"), post(draft))
}

async fn change(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(typed): Json<Value>,
) -> Answer {
    let id = Id::parse(&id)?;
    let turn = explorer.turn(&visitor, &id).await;
    let settings = turn.take_settings(typed, Whose::Workspace).await?;
    let stored = settings.clone();
    turn.change(|workspace| {
        workspace.authorization = stored;
        Ok(())
    })
    .await?;
    turn.forget_unused().await?;
    drop(turn);
    told(&json!({ "authorization": settings }))
}

async fn draft(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(typed): Json<Value>,
) -> Answer {
    let id = Id::parse(&id)?;
    let settings = explorer.take_draft_settings(&visitor, &id, typed).await?;
    told(&json!({ "authorization": settings }))
}

impl Explorer {
    /// Settings of a request that is being filled in, as they are stored.
    pub(crate) async fn take_draft_settings(
        &self,
        visitor: &Visitor,
        id: &Id,
        typed: Value,
    ) -> Result<AuthorizationSettings, Failure> {
        let turn = self.turn(visitor, id).await;
        let settings = turn.take_settings(typed, Whose::Draft).await?;
        turn.forget_unused().await?;
        Ok(settings)
    }
}

/// What is typed, and what is forgotten: in one turn, or what one request keeps would be forgotten by another
/// before the workspace names it.
impl Turn<'_> {
    /// Settings as they are stored: what was typed as a secret is kept apart.
    async fn take_settings(
        &self,
        typed: Value,
        whose: Whose,
    ) -> Result<AuthorizationSettings, Failure> {
        let Typed { settings, secret } = Typed::read(typed, whose)?;
        if let Some((name, secret)) = secret {
            let to = self.meant(&settings).await?;
            self.change_own(|own| {
                own.kept_secrets.push(name.clone());
                if let Some(to) = to {
                    own.trust.bind(&name, to);
                }
                Ok(())
            })
            .await?;
            let drawer = &self.visitor.drawer;
            drawer.keep_secret(self.id, &name, Some(secret)).await?;
        }
        Ok(settings)
    }

    /// The origin that a secret is typed for: that of the Access Token URL, as it is now. Without one, and for
    /// a token, which goes wherever the requests go, it is the first that it goes to.
    async fn meant(&self, settings: &AuthorizationSettings) -> Result<Option<Origin>, Failure> {
        let AuthorizationSettings::OAuth2(settings) = settings else {
            return Ok(None);
        };
        let variables = self.explorer.variables(self.visitor, self.id).await?;
        let token_url = variables.resolve(&settings.access_token_url).await?;
        Ok(Origin::of(token_url.text.expose()))
    }

    /// Forgets the secrets that no settings name any more. The newest of drafts stay: a request that is
    /// being filled in is known to nobody but its page.
    async fn forget_unused(&self) -> Result<(), Failure> {
        let workspace = self.explorer.workspace(self.visitor, self.id).await?;
        let unused = self
            .change_own(|own| {
                let unused = unused(&workspace, own);
                own.kept_secrets.retain(|name| !unused.contains(name));
                own.trust
                    .release(|name| !unused.iter().any(|one| one == name));
                Ok(unused)
            })
            .await?;
        for name in unused {
            let drawer = &self.visitor.drawer;
            drawer.keep_secret(self.id, &name, None).await?;
        }
        Ok(())
    }
}

/// Whose settings a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Workspace,
    Draft,
}

impl Whose {
    /// What the names of its secrets begin with. Settings name no other secrets: those of a workspace
    /// that somebody shared could mean to send a person's own elsewhere.
    fn prefix(self) -> &'static str {
        match self {
            Self::Workspace => "authorization/root-",
            Self::Draft => "authorization/draft-",
        }
    }
}

fn unused(workspace: &Workspace, own: &Own) -> Vec<String> {
    // Names are random, so a text that has one in it names it.
    let workspace = serde_json::to_string(workspace).unwrap_or_default();
    let history = serde_json::to_string(&own.history).unwrap_or_default();
    let mut drafts = 0;
    let newest_first = own.kept_secrets.iter().rev();
    let unnamed = newest_first.filter(|name| {
        let name = name.as_str();
        !workspace.contains(name) && !history.contains(name)
    });
    let gone = unnamed.filter(|name| {
        drafts += usize::from(name.starts_with(Whose::Draft.prefix()));
        !name.starts_with(Whose::Draft.prefix()) || drafts > MOST_OF_DRAFTS
    });
    gone.cloned().collect()
}

/// How many secrets of drafts are kept that nothing names.
const MOST_OF_DRAFTS: usize = 20;
