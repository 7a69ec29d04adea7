//! The REST API for people, under [`USERS_PATH`](super::USERS_PATH).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_access::Permission;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Person;
use hallpass_store::people::Assignments;
use serde::de::DeserializeOwned;

use super::invite::email_of_somebody;
use super::selection::Selection;
use super::wire::{
    AssignmentItem, AssignmentList, NewAssignment, NewUser, OperationList, SetupLink, UserChange,
    UserItem, UserList, assignment_of,
};
use crate::Console;
use crate::answer::{Done, Refusal, answer};
use crate::guard::{Call, Permitted};
use crate::in_path::InPath;
use crate::wire::{self, print, read_json_body};

#[derive(utoipa::OpenApi)]
#[openapi(paths(
    list,
    invite,
    show,
    change,
    remove,
    new_link,
    assignments,
    assign,
    take_away,
    permissions,
    super::second_factor::remove_second_factor
))]
pub(crate) struct Declared;

/// List the people of the workspace
#[utoipa::path(
    get, path = "/workspaces/v1/users", operation_id = "listUsers", tag = "Users",
    security(("token" = ["workspace.read"])),
    params(
        ("search" = Option<String>, Query, description = "Text in the address or a role's name"),
        ("role" = Option<String>, Query, description = "Name or id of a role they have"),
        ("state" = Option<String>, Query, description = "`active`, `invited` or `disabled`"),
        ("sort" = Option<String>, Query,
            description = "`email`, `createdAt`, `lastSignInAt` or `credentials`, and `desc` after a space"),
        ("offset" = Option<usize>, Query), ("limit" = Option<usize>, Query, maximum = 1000),
    ),
    responses((status = 200, description = "The people.", body = UserList),
        (status = 400, description = "A parameter is not understood.")),
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.list_users(&console.call_of(&head, peer)).await)
}

/// Invite a person
///
/// The answer holds the one-time link with which they choose a password; it is not shown again.
#[utoipa::path(
    post, path = "/workspaces/v1/users", operation_id = "inviteUser", tag = "Users",
    security(("token" = ["workspace.update"])), request_body = NewUser,
    responses((status = 201, description = "The person, with `setupUrl`.", body = UserItem),
        (status = 400, description = "The body is not understood, or names no role or instance."),
        (status = 409, description = "The address is taken in this workspace.")),
)]
pub(super) async fn invite(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(
        console
            .invite_user(&console.call_of(&head, peer), body)
            .await,
    )
}

/// Show a person
#[utoipa::path(
    get, path = "/workspaces/v1/users/{id}", operation_id = "getUser", tag = "Users",
    security(("token" = ["workspace.read"])), params(("id" = String, Path)),
    responses((status = 200, description = "The person.", body = UserItem),
        (status = 404, description = "There is no such person in the workspace.")),
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.show_user(&console.call_of(&head, peer), &id).await)
}

/// Disable a person, or enable them again
#[utoipa::path(
    patch, path = "/workspaces/v1/users/{id}", operation_id = "changeUser", tag = "Users",
    security(("token" = ["workspace.update"])), params(("id" = String, Path)),
    request_body = UserChange,
    responses((status = 200, description = "The person.", body = UserItem),
        (status = 400, description = "The body is not understood."),
        (status = 404, description = "There is no such person in the workspace."),
        (status = 409, description = "It is the last administrator, or oneself.")),
)]
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(
        console
            .change_user(&console.call_of(&head, peer), &id, body)
            .await,
    )
}

/// Remove a person; their credentials and tokens die at once
#[utoipa::path(
    delete, path = "/workspaces/v1/users/{id}", operation_id = "removeUser", tag = "Users",
    security(("token" = ["workspace.delete"])), params(("id" = String, Path)),
    responses((status = 204, description = "They are gone."),
        (status = 404, description = "There is no such person in the workspace."),
        (status = 409, description = "It is the last administrator, oneself, or somebody who may do more.")),
)]
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(
        console
            .remove_user(&console.call_of(&head, peer), &id)
            .await,
    )
}

/// Make a new one-time link for a person; an earlier one stops working
#[utoipa::path(
    post, path = "/workspaces/v1/users/{id}/setup-link", operation_id = "makeSetupLink",
    tag = "Users", security(("token" = ["workspace.update"])), params(("id" = String, Path)),
    responses((status = 201, description = "The link.", body = SetupLink),
        (status = 404, description = "There is no such person in the workspace."),
        (status = 409, description = "The person is disabled.")),
)]
pub(super) async fn new_link(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.make_link(&console.call_of(&head, peer), &id).await)
}

/// List what a person is, and where
#[utoipa::path(
    get, path = "/workspaces/v1/users/{id}/role-assignments",
    operation_id = "listRoleAssignments", tag = "Users",
    security(("token" = ["workspace.read"])), params(("id" = String, Path)),
    responses((status = 200, description = "The assignments.", body = AssignmentList),
        (status = 404, description = "There is no such person in the workspace.")),
)]
pub(super) async fn assignments(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(
        console
            .list_assignments(&console.call_of(&head, peer), &id)
            .await,
    )
}

/// Give a person a role; it acts on the next call
#[utoipa::path(
    post, path = "/workspaces/v1/users/{id}/role-assignments", operation_id = "assignRole",
    tag = "Users", security(("token" = ["workspace.update"])), params(("id" = String, Path)),
    request_body = NewAssignment,
    responses((status = 201, description = "The assignment.", body = AssignmentItem),
        (status = 400, description = "The body is not understood, or names no role or instance."),
        (status = 404, description = "There is no such person in the workspace.")),
)]
pub(super) async fn assign(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(
        console
            .assign_role(&console.call_of(&head, peer), &id, body)
            .await,
    )
}

/// Take a role from a person; it acts on the next call
#[utoipa::path(
    delete, path = "/workspaces/v1/users/{id}/role-assignments/{assignment}",
    operation_id = "takeRoleAway", tag = "Users", security(("token" = ["workspace.update"])),
    params(("id" = String, Path), ("assignment" = String, Path)),
    responses((status = 204, description = "They have it no more."),
        (status = 404, description = "There is no such person, or no such assignment."),
        (status = 409, description = "It is the last administrator, or the person may do more than the caller.")),
)]
pub(super) async fn take_away(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath((id, assignment)): InPath<(String, String)>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.take_role_away(&call, &id, &assignment).await)
}

/// List the operations of an application instance, and whether a person may do them
#[utoipa::path(
    get, path = "/workspaces/v1/users/{id}/permissions", operation_id = "listPermissions",
    tag = "Users", security(("token" = ["workspace.read"])),
    params(("id" = String, Path),
        ("instance" = String, Query, description = "Name or id of the application instance"),
        ("allowed" = Option<bool>, Query, description = "Only those that they may, or may not, do")),
    responses((status = 200, description = "The operations.", body = OperationList),
        (status = 400, description = "There is no such instance."),
        (status = 404, description = "There is no such person in the workspace.")),
)]
pub(super) async fn permissions(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(
        console
            .list_permissions(&console.call_of(&head, peer), &id)
            .await,
    )
}

impl Console {
    /// Reads a body for a change. The permission is asked for before and again: a body may take long
    /// to arrive, and who could do this when it began may have lost the right since.
    pub(crate) async fn permit_with<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        permission: Permission,
        body: Body,
    ) -> Result<(Permitted, T), Refusal> {
        self.permit(call, permission.clone()).await?;
        let body = read_json_body(&call.head().headers, body).await?;
        let permitted = self.permit(&call.at((self.clock)()), permission).await?;
        Ok((permitted, wire::read(&body)?))
    }

    pub(super) fn user_meant(&self, permitted: &Permitted, id: &str) -> Result<Person, Refusal> {
        let person = self.user_of(permitted.workspace(), id);
        person.ok_or(Refusal::NotFound("there is no such user in your workspace"))
    }

    /// The same, for what nobody may do to themselves.
    fn another_user(&self, permitted: &Permitted, id: &str) -> Result<Person, Refusal> {
        let person = self.user_meant(permitted, id)?;
        if person.id == permitted.owner() {
            let why = "nobody can remove or disable themselves; ask another administrator";
            return Err(Refusal::Conflict(why.to_owned()));
        }
        Ok(person)
    }

    async fn list_users(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let query = call.head().uri.query().unwrap_or_default();
        let selection = Selection::read(query).map_err(Refusal::BadRequest)?;
        let (page, total) = selection.of(self.people_of(permitted.workspace()).await?);
        let items = page.iter().map(|entry| self.user_item(entry, None));
        let list = UserList::new(items.collect(), selection.offset, total);
        Ok(Done::Ok(print(&list)))
    }

    async fn invite_user(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        let (permitted, new) = self
            .permit_with::<NewUser>(call, WORKSPACE_UPDATE, body)
            .await?;
        let email = email_of_somebody(&new.email)
            .map_err(|error| Refusal::BadRequest(format!("`email`: {error}")))?;
        let roles = new.roles.iter();
        let roles = roles.map(|role| self.assignment_meant(role, permitted.workspace()));
        let roles = roles.collect::<Result<Assignments, _>>()?;
        let (person, secret) = self
            .people
            .given_by(permitted.owner())
            .invite(
                permitted.workspace(),
                email,
                roles,
                &permitted.actor(),
                (self.clock)(),
                &mut SystemRandom,
            )
            .await?;
        let entry = self.entry_of(person).await?;
        let item = self.user_item(&entry, Some(self.setup_url(&secret)));
        Ok(Done::Created(print(&item)))
    }

    async fn show_user(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let entry = self.entry_of(self.user_meant(&permitted, id)?).await?;
        Ok(Done::Ok(print(&self.user_item(&entry, None))))
    }

    async fn change_user(&self, call: &Call<'_>, id: &str, body: Body) -> Result<Done, Refusal> {
        let (permitted, change) = self
            .permit_with::<UserChange>(call, WORKSPACE_UPDATE, body)
            .await?;
        let person = if change.enabled {
            self.user_meant(&permitted, id)?
        } else {
            self.another_user(&permitted, id)?
        };
        let (now, rng) = ((self.clock)(), &mut SystemRandom);
        let changed = self
            .people
            .given_by(permitted.owner())
            .set_enabled(person.id, change.enabled, &permitted.actor(), now, rng)
            .await?;
        let entry = self.entry_of(changed).await?;
        Ok(Done::Ok(print(&self.user_item(&entry, None))))
    }

    async fn remove_user(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_DELETE).await?;
        let person = self.another_user(&permitted, id)?;
        self.people
            .given_by(permitted.owner())
            .remove(person.id, &permitted.actor(), call.now(), &mut SystemRandom)
            .await?;
        Ok(Done::Deleted)
    }

    async fn make_link(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_UPDATE).await?;
        let person = self.user_meant(&permitted, id)?;
        if !person.enabled {
            let why = format!("{} is disabled; enable them first", person.email);
            return Err(Refusal::Conflict(why));
        }
        if person.id == permitted.owner() {
            let why =
                "nobody makes a set-up link for themselves; change the password in the console";
            return Err(Refusal::Conflict(why.to_owned()));
        }
        self.people.may_stand_in(permitted.owner(), person.id)?;
        let (now, rng) = (call.now(), &mut SystemRandom);
        let secret = self
            .setup_links
            .issue(person.id, &permitted.actor(), now, rng)
            .await?;
        let setup_url = self.setup_url(&secret);
        Ok(Done::Created(print(&SetupLink { setup_url })))
    }

    async fn list_assignments(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let person = self.user_meant(&permitted, id)?;
        let items = self.assignment_items(&person.roles);
        Ok(Done::Ok(print(&AssignmentList::new(items))))
    }

    async fn assign_role(&self, call: &Call<'_>, id: &str, body: Body) -> Result<Done, Refusal> {
        let (permitted, new) = self
            .permit_with::<NewAssignment>(call, WORKSPACE_UPDATE, body)
            .await?;
        let person = self.user_meant(&permitted, id)?;
        let (instance, role) = self.assignment_meant(&new, permitted.workspace())?;
        let (now, rng) = ((self.clock)(), &mut SystemRandom);
        let changed = self
            .people
            .given_by(permitted.owner())
            .assign(
                person.id,
                instance.clone(),
                role,
                &permitted.actor(),
                now,
                rng,
            )
            .await?;
        let made = changed.roles.into_iter();
        let made: Vec<_> = made
            .filter(|(on, known)| *on == instance && known.key() == role)
            .collect();
        let item = self.assignment_items(&made).pop();
        Ok(Done::Created(print(&item)))
    }

    async fn take_role_away(
        &self,
        call: &Call<'_>,
        id: &str,
        assignment: &str,
    ) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_UPDATE).await?;
        let person = self.user_meant(&permitted, id)?;
        let meant = assignment_of(assignment);
        let (instance, role) = meant.ok_or(Refusal::NotFound(
            "there is no such role assignment in your workspace",
        ))?;
        let (now, rng) = (call.now(), &mut SystemRandom);
        let outcome = self
            .people
            .given_by(permitted.owner())
            .revoke(person.id, instance, role, &permitted.actor(), now, rng)
            .await;
        match outcome {
            // A role of another workspace is assigned to nobody here.
            Err(hallpass_store::people::PersonError::UnknownRole(_)) => Err(Refusal::NotFound(
                "there is no such role assignment in your workspace",
            )),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Done::Deleted),
        }
    }

    async fn list_permissions(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let person = self.user_meant(&permitted, id)?;
        let query = call.head().uri.query().unwrap_or_default();
        let asked = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        let instance = self.workspaces.find_instance(&asked("instance"));
        let instance = instance.ok_or_else(|| {
            Refusal::BadRequest("instance must name an application instance".to_owned())
        })?;
        let wanted = match asked("allowed").as_str() {
            "" => None,
            "true" => Some(true),
            "false" => Some(false),
            _ => return Err(Refusal::BadRequest("allowed is true or false".to_owned())),
        };
        let items = self.allowed(&person, &instance.id, wanted);
        Ok(Done::Ok(print(&OperationList::new(items))))
    }
}
