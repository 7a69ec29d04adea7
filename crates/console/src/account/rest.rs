//! The REST API for what is a person's own besides their sessions: their password.
//!
//! It takes the session of somebody signed in. A program's token does nothing here: whoever has one
//! must not become the person it was made for.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::put;
use hallpass_oauth::Secret;
use serde::Deserialize;
use utoipa::ToSchema;

use super::password::Kept;
use crate::Console;
use crate::answer::{self, Done, Refusal, answer};
use crate::guard::Call;
use crate::password::Unsuitable;
use crate::wire::read_json_body;

/// Where the password is.
const PASSWORD_PATH: &str = "/workspaces/v1/account/password";

/// What whoever types another password is told.
const WRONG_PASSWORD: &str = "the present password is not right";

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
#[openapi(paths(change_password))]
pub(crate) struct Declared;

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route(PASSWORD_PATH, put(change_password))
        .method_not_allowed_fallback(answer::wrong_method)
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
    let call = Call::new(&head, peer, (console.clock)());
    answer(console.change_own_password(&call, body).await)
}

impl Console {
    async fn change_own_password(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        self.own_session(call).await?;
        let body = read_json_body(&call.head().headers, body).await?;
        let by = self.own_session(&call.at((self.clock)())).await?;
        let PasswordChange {
            current_password,
            new_password,
        } = read(body)?;
        let again = Secret::from(new_password.clone());
        let (current, new) = (Secret::from(current_password), Secret::from(new_password));
        self.replace_password(&by, current, new, &again).await?;
        Ok(Done::Deleted)
    }
}

/// The words of the parser are left out: they can repeat what was sent.
fn read(body: Vec<u8>) -> Result<PasswordChange, Refusal> {
    let text = String::from_utf8(body).map(Secret::from).ok();
    let change = text.and_then(|text| serde_json::from_str(text.expose()).ok());
    change.ok_or_else(|| {
        let told = "the body must be an object with the texts `currentPassword` and `newPassword`";
        Refusal::BadRequest(told.to_owned())
    })
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
