//! The people of a workspace: who there is, what they are and where, and what they may do.
//!
//! Somebody of another workspace answers exactly like somebody who does not exist. What is refused
//! here and not in the store: to shut oneself out.

mod assigned;
mod changes;
mod invite;
mod list;
mod may;
mod rest;
mod second_factor;
mod selection;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use hallpass_store::people::PersonFacts;
use hallpass_store::{ApplicationInstance, Person, PersonId, StoreError};

use crate::Console;

pub(crate) use invite::{BadEmail, email_of_somebody};
pub(crate) use rest::Declared;
pub(crate) use wire::{UserItem, time};

/// Where the REST API for people is.
pub(crate) const USERS_PATH: &str = "/workspaces/v1/users";

/// Where the pages about people are.
pub(crate) const USERS_PAGE: &str = "/console/users";

/// A person with what a list shows of them.
pub(crate) struct Entry {
    pub(crate) person: Person,
    pub(crate) facts: Option<PersonFacts>,
    /// How many credentials they have.
    pub(crate) credentials: usize,
}

/// How a person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Active,
    /// They have not chosen a password yet.
    Invited,
    Disabled,
}

/// Names no application instance.
pub(crate) struct UnknownInstance;

impl State {
    const ALL: [Self; 3] = [Self::Active, Self::Invited, Self::Disabled];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::Disabled => "disabled",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Entry {
    pub(crate) fn has_second_factor(&self) -> bool {
        self.facts.is_some_and(|facts| facts.has_second_factor)
    }

    pub(crate) fn state(&self) -> State {
        let has_password = self.facts.is_some_and(|facts| facts.has_password);
        match (self.person.enabled, has_password) {
            (false, _) => State::Disabled,
            (true, true) => State::Active,
            (true, false) => State::Invited,
        }
    }
}

/// The pages.
pub(crate) fn pages() -> Router<Arc<Console>> {
    let at = |rest: &str| format!("{USERS_PAGE}{rest}");
    Router::new()
        .route(USERS_PAGE, get(list::show))
        .route(&at("/new"), get(invite::ask).post(invite::invite))
        .route(&at("/{id}"), get(assigned::show))
        .route(&at("/{id}/assign"), post(assigned::assign))
        .route(&at("/{id}/take-away"), post(assigned::take_away))
        .route(&at("/{id}/setup-link"), post(changes::new_link))
        .route(&at("/{id}/enable"), post(changes::enable))
        .route(
            &at("/{id}/second-factor"),
            get(second_factor::ask).post(second_factor::take_away),
        )
        .route(
            &at("/{id}/disable"),
            get(changes::ask_to_disable).post(changes::disable),
        )
        .route(
            &at("/{id}/remove"),
            get(changes::ask_to_remove).post(changes::remove),
        )
        .route(&at("/{id}/may"), get(may::show))
        .method_not_allowed_fallback(crate::start::wrong_method)
}

/// The REST API.
pub(crate) fn rest() -> Router<Arc<Console>> {
    let at = |rest: &str| format!("{USERS_PATH}{rest}");
    Router::new()
        .route(USERS_PATH, get(rest::list).post(rest::invite))
        .route(
            &at("/{id}"),
            get(rest::show).patch(rest::change).delete(rest::remove),
        )
        .route(&at("/{id}/setup-link"), post(rest::new_link))
        .route(
            &at("/{id}/second-factor"),
            axum::routing::delete(second_factor::remove_second_factor),
        )
        .route(
            &at("/{id}/role-assignments"),
            get(rest::assignments).post(rest::assign),
        )
        .route(
            &at("/{id}/role-assignments/{assignment}"),
            axum::routing::delete(rest::take_away),
        )
        .route(&at("/{id}/permissions"), get(rest::permissions))
        .method_not_allowed_fallback(crate::answer::wrong_method)
}

impl Console {
    /// Everybody of a workspace, by address.
    pub(crate) async fn people_of(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Entry>, StoreError> {
        let facts = self.people.facts(workspace).await?;
        let mut credentials: HashMap<PersonId, usize> = HashMap::new();
        for credential in self.credentials.list(None) {
            *credentials.entry(credential.owner).or_default() += 1;
        }
        let people = self.people.list().into_iter();
        let people = people.filter(|person| person.workspace == *workspace);
        let entry = |person: Person| Entry {
            facts: facts.get(&person.id).copied(),
            credentials: credentials.get(&person.id).copied().unwrap_or_default(),
            person,
        };
        Ok(people.map(entry).collect())
    }

    /// The person of that id, if they are of that workspace.
    pub(crate) fn user_of(&self, workspace: &WorkspaceId, id: &str) -> Option<Person> {
        self.people.get(id.parse().ok()?, workspace)
    }

    /// The same with what a list shows of them.
    pub(crate) async fn entry_of(&self, person: Person) -> Result<Entry, StoreError> {
        let facts = self.people.facts(&person.workspace).await?;
        Ok(Entry {
            facts: facts.get(&person.id).copied(),
            credentials: self.credentials.list(Some(person.id)).len(),
            person,
        })
    }

    /// The address of a one-time link.
    pub(crate) fn setup_url(&self, secret: &hallpass_oauth::Secret) -> String {
        let console = self.addresses.console.trim_end_matches('/');
        format!("{console}{}{}", crate::SETUP_PATH, secret.expose())
    }

    /// The instance of that short name or id; `None` is every one.
    pub(crate) fn instance_meant(
        &self,
        word: &str,
    ) -> Result<Option<Arc<ApplicationInstance>>, UnknownInstance> {
        if word.is_empty() || word == "all" {
            return Ok(None);
        }
        let known = self.workspaces.find_instance(word);
        known.map(Some).ok_or(UnknownInstance)
    }

    /// What people call an instance; `None` is every one.
    pub(crate) fn instance_title(&self, id: Option<&ApplicationInstanceId>) -> String {
        let Some(id) = id else {
            return "Every instance".to_owned();
        };
        let known = self.workspaces.find_instance(id.as_str());
        known.map_or_else(|| id.to_string(), |instance| instance.title.clone())
    }
}
