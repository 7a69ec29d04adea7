//! Where the secrets of a workspace may go. A workspace may be in a folder that others write to, and it says
//! where tokens are asked for and where requests go; so what a person trusts is kept with what is their
//! own, and a change by somebody else does not choose a new place without the person being told.
//!
//! - What was typed into settings of authorization is for one origin: that of the Access Token URL when it was
//!   typed, else the first one that it goes to. It goes nowhere else.
//! - Variables and access tokens may go anywhere, by way of what the person does. Once the workspace is not as
//!   this person's explorer left it, they go on to the origins that they have gone to, and to another
//!   one when the person says so.
//!
//! On a server nobody else writes to a person's workspaces, so only the first counts there.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::Explorer;
use crate::answer::{Answer, Failure, Json, done};
use crate::id::{Id, hex};
use crate::visitor::Visitor;
use crate::workspace::Workspace;

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    Router::new().route("/explorer/api/w/{workspace}/trust", post(trust))
}

/// What a person trusts with the secrets of a workspace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Trust {
    /// The origin that a kept secret is for, by the secret's name.
    kept_for: BTreeMap<String, Origin>,
    /// Where secrets have gone, and may go; the newest last.
    origins: Vec<Origin>,
    /// The workspace as this person's explorer left it.
    directions: Option<Directions>,
}

/// The scheme, host and port of an address (RFC 6454 section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Origin(String);

impl Origin {
    /// The origin of an address; none if it has none that a request could go to.
    pub(crate) fn of(address: &str) -> Option<Self> {
        let url = Url::parse(address.trim()).ok()?;
        let origin = url.origin();
        origin
            .is_tuple()
            .then(|| Self(origin.ascii_serialization()))
    }
}

/// A digest of what decides in a workspace where requests go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Directions(String);

impl Directions {
    pub(crate) fn of(workspace: &Workspace) -> Self {
        let parts = (
            &workspace.environments,
            &workspace.authorization,
            &workspace.saved,
        );
        let text = serde_json::to_vec(&parts).unwrap_or_default();
        Self(hex(digest::digest(&digest::SHA256, &text).as_ref()))
    }
}

impl Trust {
    /// The person changed the workspace here.
    pub(crate) fn follow(&mut self, before: &Directions, after: Directions) {
        if self.directions.as_ref().is_none_or(|known| known == before) {
            self.directions = Some(after);
        }
    }

    /// A secret was typed, with the address at hand that it is for.
    pub(crate) fn bind(&mut self, name: &str, to: Origin) {
        self.kept_for.insert(name.to_owned(), to);
    }

    /// Forgets what secrets were for that are not kept any more.
    pub(crate) fn release(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.kept_for.retain(|name, _| is_kept(name));
    }

    /// Whether secrets may go there. The workspace of before there was trust is taken as it is.
    fn allows(&self, to: &Origin, now: &Directions) -> bool {
        self.origins.contains(to) || self.directions.as_ref().is_none_or(|known| known == now)
    }

    /// Whether it is known that they may.
    fn remembers(&self, to: &Origin) -> bool {
        self.origins.contains(to) && self.directions.is_some()
    }

    fn remember(&mut self, to: &Origin, now: Directions) {
        self.directions.get_or_insert(now);
        self.origins.retain(|known| known != to);
        self.origins.push(to.clone());
        let surplus = self.origins.len().saturating_sub(MOST_ORIGINS);
        self.origins.drain(..surplus);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trusted {
    origin: String,
}

async fn trust(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(Trusted { origin }): Json<Trusted>,
) -> Answer {
    let id = Id::parse(&id)?;
    let to = Origin::of(&origin).ok_or_else(|| {
        Failure::wrong(
            format!("{origin:?} is no address that secrets could go to"),
            "load the page again, and send the request once more",
        )
    })?;
    let now = Directions::of(&explorer.workspace(&visitor, &id).await?);
    explorer
        .change_own(&visitor, &id, |own| {
            own.trust.remember(&to, now);
            Ok(())
        })
        .await?;
    done()
}

impl Explorer {
    /// Refuses to let secrets of a workspace go to a place that somebody else chose.
    pub(crate) async fn let_go(
        &self,
        visitor: &Visitor,
        id: &Id,
        to: &Origin,
    ) -> Result<(), Failure> {
        if !self.surroundings.is_local() {
            return Ok(());
        }
        let trust = self.own(visitor, id).await?.trust;
        let now = Directions::of(&self.workspace(visitor, id).await?);
        if !trust.allows(to, &now) {
            return Err(chosen_by_others(to));
        }
        if !trust.remembers(to) {
            self.change_own(visitor, id, |own| {
                own.trust.remember(to, now);
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Refuses to let a secret that was typed into settings go to another place than it was typed for.
    pub(crate) async fn let_kept_go(
        &self,
        visitor: &Visitor,
        id: &Id,
        (field, name): (&str, &str),
        to: &Origin,
    ) -> Result<(), Failure> {
        match self.own(visitor, id).await?.trust.kept_for.get(name) {
            Some(known) if known == to => Ok(()),
            Some(known) => Err(typed_for(field, known, to)),
            None => {
                self.let_go(visitor, id, to).await?;
                self.change_own(visitor, id, |own| {
                    // Another request may have gone first.
                    match own.trust.kept_for.get(name) {
                        Some(known) if known != to => Err(typed_for(field, known, to)),
                        _ => {
                            own.trust.bind(name, to.clone());
                            Ok(())
                        }
                    }
                })
                .await
            }
        }
    }
}

fn typed_for(field: &str, Origin(known): &Origin, Origin(to): &Origin) -> Failure {
    Failure::refused(
        format!("{field} was typed for {known}, and would go to {to} now: nothing was sent"),
        format!(
            "if {to} is right, type {field} again in Authorization; if it is not, put the old address \
             back, there or in the environment. A secret for several addresses is best a secret \
             variable of each environment"
        ),
    )
}

fn chosen_by_others(Origin(to): &Origin) -> Failure {
    Failure::refused(
        format!(
            "the workspace was changed outside this explorer, and secrets of yours would go to {to}, \
             where they have not gone before: nothing was sent"
        ),
        "look at the addresses of the environment, of Authorization and of the request; trust this one \
         if it is right",
    )
    .until_trusted(to.clone())
}

/// Origins that are remembered of a workspace.
const MOST_ORIGINS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(address: &str) -> Origin {
        Origin::of(address).unwrap()
    }

    fn left_as(name: &str) -> Directions {
        Directions(name.to_owned())
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for same in ["https://a.example:443/token?x", " HTTPS://A.example/"] {
            assert_eq!(origin(same), origin("https://a.example"));
        }
        for other in [
            "http://a.example",
            "https://a.example:444",
            "https://b.a.example",
            "https://a.example@b.example",
        ] {
            assert_ne!(origin(other), origin("https://a.example"));
        }
        for none in ["", "a.example", "file:///etc", "data:,x", "{{tokenUrl}}"] {
            assert_eq!(Origin::of(none), None, "{none}");
        }
    }

    #[test]
    fn after_a_change_by_others_only_known_origins_are_allowed() {
        let (known, new) = (origin("https://a.example"), origin("https://b.example"));
        let mut trust = Trust::default();
        assert!(trust.allows(&known, &left_as("1")), "of an earlier version");
        trust.remember(&known, left_as("1"));
        assert!(trust.allows(&new, &left_as("1")));
        trust.follow(&left_as("1"), left_as("2"));
        assert!(trust.allows(&new, &left_as("2")), "changed here");
        assert!(!trust.allows(&new, &left_as("1")), "put back by others");
        assert!(trust.allows(&known, &left_as("3")));
        assert!(!trust.allows(&new, &left_as("3")));
        trust.follow(&left_as("3"), left_as("4"));
        assert!(
            !trust.allows(&new, &left_as("4")),
            "a change on top of one by others vouches for nothing"
        );
        trust.remember(&new, left_as("4"));
        assert!(trust.allows(&new, &left_as("4")));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut trust = Trust::default();
        for number in 0..=MOST_ORIGINS {
            trust.remember(&origin(&format!("https://a{number}.example")), left_as("1"));
        }
        assert_eq!(trust.origins.len(), MOST_ORIGINS);
        assert!(!trust.remembers(&origin("https://a0.example")));
    }
}
