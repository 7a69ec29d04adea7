//! The REST API for what is a person's own besides their sessions: who they are, their password.
//!
//! A change takes the session of somebody signed in. A program's token changes nothing here: whoever has
//! one must not become the person it was made for.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::{get, put};
use hallpass_access::platform::WORKSPACE_READ;
use hallpass_oauth::Secret;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::password::Kept;
use crate::Console;
use crate::answer::{self, Done, Refusal, answer};
use crate::guard::Call;
use crate::password::Unsuitable;
use crate::people::UserItem;
use crate::session::SignedIn;
use crate::wire::{dashed, print, read_json_body};

/// Where it says who one is.
const ACCOUNT_PATH: &str = "/workspaces/v1/account";

/// Where the password is.
const PASSWORD_PATH: &str = "/workspaces/v1/account/password";

/// What whoever types another password is told.
const WRONG_PASSWORD: &str = "the present password is not right";

/// A person, and their workspace.
#[derive(Serialize, ToSchema)]
struct Account {
    #[serde(flatten)]
    user: UserItem,
    workspace: OwnWorkspace,
}

/// The workspace of whoever asks.
#[derive(Serialize, ToSchema)]
struct OwnWorkspace {
    id: String,
    name: String,
}

/// The present password and the one that takes its place.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PasswordChange {
    /// The present one.
    #[schema(format = Password)]
    current_password: String,
    /// The new one: 12 to 128 characters, and none that everybody tries first.
    #[schema(format = Password)]
    new_password: String,
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(show, change_password))]
pub(crate) struct Declared;

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route(ACCOUNT_PATH, get(show))
        .route(PASSWORD_PATH, put(change_password))
        .merge(super::second_factor::rest::routes())
        .method_not_allowed_fallback(answer::wrong_method)
}

/// Show who one is
///
/// Whoever is signed in needs no permission for that; a program asks for its credential's owner.
#[utoipa::path(
    get, path = "/workspaces/v1/account", operation_id = "getAccount", tag = "Account",
    security(("token" = ["workspace.read"]), ("session" = [])),
    responses((status = 200, description = "The person.", body = Account)),
)]
async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.own_account(&console.call_of(&head, peer)).await)
}

/// Change one's own password
///
/// It ends the other sessions. A token is refused: this takes the session of whoever it is about.
#[utoipa::path(
    put, path = "/workspaces/v1/account/password", operation_id = "changeOwnPassword", tag = "Account",
    security(("session" = [])), request_body = PasswordChange,
    responses((status = 204, description = "It is changed, and the other sessions have ended."),
        (status = 400, description = "The body is not understood, or the new password may not be chosen."),
        (status = 403, description = "The form token is missing, or a token calls."),
        (status = 409, description = "It was changed elsewhere at this moment."),
        (status = 422, description = "The present password is not right."),
        (status = 429, description = "Too many tries have failed; `Retry-After` says when to try again.")),
)]
async fn change_password(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.change_own_password(&call, body).await)
}

impl Console {
    async fn own_account(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let caller = self.identify(call).await?;
        let person = if let Some(person) = caller.in_session() {
            person.clone()
        } else {
            let permitted = self.may(call, caller, WORKSPACE_READ).await?;
            let known = self.people.get(permitted.owner(), permitted.workspace());
            known.ok_or(Refusal::NotFound("there is no such person any more"))?
        };
        let workspace = self.workspaces.find(&person.workspace);
        let workspace = OwnWorkspace {
            id: dashed(&person.workspace),
            name: workspace.map_or_else(String::new, |known| known.name.clone()),
        };
        let entry = self.entry_of(person).await?;
        let user = self.user_item(&entry, None);
        Ok(Done::Ok(print(&Account { user, workspace })))
    }

    async fn change_own_password(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        let wanted = "the texts `currentPassword` and `newPassword`";
        let (by, change) = self
            .own_session_with::<PasswordChange>(call, body, wanted)
            .await?;
        let PasswordChange {
            current_password,
            new_password,
        } = change;
        let again = Secret::from(new_password.clone());
        let (current, new) = (Secret::from(current_password), Secret::from(new_password));
        self.replace_password(&by, current, new, &again).await?;
        Ok(Done::Deleted)
    }

    /// Whoever calls with a session of their own, and the body, which holds secrets: the words of the
    /// parser are left out, because they can repeat what was sent.
    pub(super) async fn own_session_with<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        body: Body,
        wanted: &str,
    ) -> Result<(SignedIn, T), Refusal> {
        self.own_session(call).await?;
        let body = read_json_body(&call.head().headers, body).await?;
        // Asked again: a body may take long to arrive.
        let by = self.own_session(&call.at((self.clock)())).await?;
        let text = String::from_utf8(body).map(Secret::from).ok();
        let read = text.and_then(|text| serde_json::from_str(text.expose()).ok());
        let told = || Refusal::BadRequest(format!("the body must be an object with {wanted}"));
        Ok((by, read.ok_or_else(told)?))
    }
}

impl From<Kept> for Refusal {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Unsuitable(Unsuitable::Missing) => {
                Self::BadRequest("`newPassword` is empty".to_owned())
            }
            Kept::Unsuitable(problem) => Self::BadRequest(problem.to_string()),
            Kept::Wrong => Self::NotConfirmed(WRONG_PASSWORD),
            Kept::Meanwhile => Self::Conflict(kept.to_string()),
            Kept::Unanswered(unanswered) => unanswered.into(),
        }
    }
}
