//! The REST API for sessions: one's own, and for administrators those of people in their workspace.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::response::Response;
use axum::routing::{delete, get};
use hallpass_access::Permission;
use hallpass_access::platform::{WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::{Actor, Person, PersonId, Session};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answer::{self, Done, Refusal, answer};
use crate::guard::{Call, Caller};
use crate::in_path::InPath;
use crate::{Console, browser};

/// Where it is.
pub(crate) const SESSIONS_PATH: &str = "/workspaces/v1/sessions";

/// Whose sessions are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The id of a person in the caller's workspace, for administrators; the caller without it.
    user: Option<String>,
}

/// Sessions of one person, the newest first.
#[derive(Serialize, ToSchema)]
struct SessionList {
    items: Vec<SessionItem>,
    /// How many there are here.
    count: usize,
    /// Always 0: a person has few.
    offset: usize,
    /// How many there are.
    total: usize,
}

/// Somebody signed in with a browser.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SessionItem {
    /// Names it here; it opens nothing.
    id: String,
    /// Whose it is.
    user_id: String,
    /// When they signed in.
    created_at: String,
    /// When the last request came, to the minute.
    last_seen_at: String,
    /// Where from they signed in.
    address: String,
    /// The browser, in words.
    browser: String,
    /// What the browser calls itself.
    user_agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// What this module adds to the document of the console's API.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list, end, end_others))]
pub(crate) struct SessionsApi;

pub(crate) fn rest() -> Router<Arc<Console>> {
    Router::new()
        .route(SESSIONS_PATH, get(list).delete(end_others))
        .route(&format!("{SESSIONS_PATH}/{{id}}"), delete(end))
        .method_not_allowed_fallback(answer::wrong_method)
}

/// List sessions
///
/// Those of whoever asks; with `user`, those of a person in the same workspace, which takes the permission
/// `workspace.read`.
#[utoipa::path(
    get,
    path = "/workspaces/v1/sessions",
    operation_id = "listSessions",
    tag = "sessions",
    params(Whose),
    responses(
        (status = 200, description = "The sessions that go on", body = SessionList),
        (status = 400, description = "The query cannot be read"),
        (status = 404, description = "No such person in the workspace"),
    ),
    security(("token" = ["workspace.read"]), ("session" = []))
)]
async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    whose: Result<Query<Whose>, QueryRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.list_sessions(&call, whose).await)
}

/// End the other sessions
///
/// All of one's own but the one that asks; with `user`, all of a person in the same workspace, which takes the
/// permission `workspace.update`. It acts on those browsers' next requests.
#[utoipa::path(
    delete,
    path = "/workspaces/v1/sessions",
    operation_id = "endOtherSessions",
    tag = "sessions",
    params(Whose),
    responses(
        (status = 204, description = "They have ended"),
        (status = 400, description = "The query cannot be read"),
        (status = 404, description = "No such person in the workspace"),
    ),
    security(("token" = ["workspace.update"]), ("session" = []))
)]
async fn end_others(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    whose: Result<Query<Whose>, QueryRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.end_other_sessions(&call, whose).await)
}

/// End a session
///
/// One of one's own; with `user`, one of a person in the same workspace, which takes the permission
/// `workspace.update`. It acts on that browser's next request.
#[utoipa::path(
    delete,
    path = "/workspaces/v1/sessions/{id}",
    operation_id = "endSession",
    tag = "sessions",
    params(("id" = String, Path, description = "The session"), Whose),
    responses(
        (status = 204, description = "It has ended"),
        (status = 400, description = "The query cannot be read"),
        (status = 404, description = "No such session of that person"),
    ),
    security(("token" = ["workspace.update"]), ("session" = []))
)]
async fn end(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    whose: Result<Query<Whose>, QueryRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.end_session(&call, &id, whose).await)
}

impl Console {
    async fn list_sessions(
        &self,
        call: &Call<'_>,
        whose: Result<Query<Whose>, QueryRejection>,
    ) -> Result<Done, Refusal> {
        let (person, _) = self.whose(call, whose, WORKSPACE_READ).await?;
        let current = self.session_id(call).await?;
        let sessions = self.sessions.list(person.id, call.now()).await?;
        let item = |session: Session| SessionItem {
            current: current.as_ref() == Some(&session.id),
            user_id: session.person.id.to_string(),
            created_at: format!("{:.0}", session.created_at),
            last_seen_at: format!("{:.0}", session.last_seen_at),
            browser: browser::in_words(&session.user_agent),
            address: session.address,
            user_agent: session.user_agent,
            id: session.id,
        };
        let items: Vec<_> = sessions.into_iter().map(item).collect();
        let list = SessionList {
            count: items.len(),
            offset: 0,
            total: items.len(),
            items,
        };
        Ok(Done::Ok(serde_json::to_string(&list).unwrap_or_default()))
    }

    async fn end_session(
        &self,
        call: &Call<'_>,
        id: &str,
        whose: Result<Query<Whose>, QueryRejection>,
    ) -> Result<Done, Refusal> {
        let (person, actor) = self.whose(call, whose, WORKSPACE_UPDATE).await?;
        let ended = self
            .sessions
            .end_another(&person, id, &actor, call.now(), &mut SystemRandom)
            .await?;
        if ended {
            Ok(Done::Deleted)
        } else {
            Err(Refusal::NotFound("there is no such session of that person"))
        }
    }

    async fn end_other_sessions(
        &self,
        call: &Call<'_>,
        whose: Result<Query<Whose>, QueryRejection>,
    ) -> Result<Done, Refusal> {
        let (person, actor) = self.whose(call, whose, WORKSPACE_UPDATE).await?;
        let by = self.by_script(call).await?;
        let own = by.filter(|by| by.person().id == person.id);
        let kept = own.map_or_else(String::new, |by| by.session().id.clone());
        self.sessions
            .end_others(&person, &kept, &actor, call.now(), &mut SystemRandom)
            .await?;
        Ok(Done::Deleted)
    }

    /// Whose sessions are meant, for whoever may look at them. Somebody signed in needs no permission
    /// for their own; a program does.
    async fn whose(
        &self,
        call: &Call<'_>,
        whose: Result<Query<Whose>, QueryRejection>,
        permission: Permission,
    ) -> Result<(Person, Actor), Refusal> {
        let caller = self.identify(call).await?;
        let Ok(Query(Whose { user })) = whose else {
            let twice = "`user` stands there twice";
            return Err(Refusal::BadRequest(twice.to_owned()));
        };
        let own = user.as_deref().is_none_or(|id| is(&caller, id));
        let actor = caller.actor();
        if own && !caller.is_client() {
            return Ok((self.session_owner(&caller, None)?, actor));
        }
        let ends = permission == WORKSPACE_UPDATE;
        let permitted = self.may(call, caller, permission).await?;
        let person = self.session_owner(permitted.caller(), user.as_deref())?;
        if ends {
            self.people.may_stop(permitted.owner(), person.id)?;
        }
        Ok((person, actor))
    }

    /// The person of that id in the caller's workspace, or the caller's own.
    fn session_owner(&self, caller: &Caller, id: Option<&str>) -> Result<Person, Refusal> {
        let id = match id {
            None => Some(caller.person()),
            Some(text) => text.parse::<PersonId>().ok(),
        };
        let mut people = self.people.list().into_iter();
        let found =
            people.find(|known| Some(known.id) == id && known.workspace == *caller.workspace());
        found.ok_or(Refusal::NotFound(
            "there is no such person in your workspace",
        ))
    }

    /// The id of the session that the call was made with, if it was: with a token, none.
    async fn session_id(&self, call: &Call<'_>) -> Result<Option<String>, Refusal> {
        let by = self.by_script(call).await?;
        Ok(by.map(|by| by.session().id.clone()))
    }
}

fn is(caller: &Caller, id: &str) -> bool {
    id.parse::<PersonId>() == Ok(caller.person())
}
