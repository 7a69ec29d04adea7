//! The REST API for credentials (domain facts, section 3.6). A caller sees and changes the credentials of
//! the token's owner: one of another person or workspace answers exactly like one that does not exist.
//! Whoever governs a workspace says so with `owner`, and then reaches as far as [`rule`] lets them.
//!
//! The real system's members and answers are as they are there; what else the pages can do has members
//! of its own ([`details`]).

pub(crate) mod details;
pub(crate) mod rule;
pub(crate) mod selection;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_access::platform::WORKSPACE_READ;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Credential;
use hallpass_store::credentials::IssuedCredential;

use crate::answer::{Done, ErrorBody, Refusal, answer};
use crate::guard::Call;
use crate::in_path::InPath;
use crate::wire::{self, CreationBody, Item, List, NewCredential, TenantFilter};
use crate::{CREDENTIALS_PATH, Console};

use details::{ChangeBody, Details, ResetBody};
use rule::{Deed, Reach, may_create, still_may_create};
use selection::Selection;

/// The path of one credential.
const ONE: &str = "/workspaces/v1/credentials/{id}";

/// The path of its reset.
const RESET: &str = "/workspaces/v1/credentials/{id}/reset";

/// Most credentials in an answer.
const LONGEST_PAGE: usize = 1000;

/// What this module declares.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, create, show, change, reset, delete),
    tags((name = "Credentials", description = "What programs get their tokens with."))
)]
pub(crate) struct Api;

/// Whose credentials are meant.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it only describes what Asked reads")]
struct OwnerParameter {
    /// Nothing for your own; `all` for everybody's in your workspace, or the e-mail address of one person.
    owner: Option<String>,
}

/// What to list, in which order, and which part of it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it only describes what Asked reads")]
struct ListParameters {
    /// `tenantId eq '<workspace id>'`.
    filter: Option<String>,
    /// The id or the short name of an application instance.
    instance: Option<String>,
    /// `active`, `disabled` or `expired`.
    state: Option<String>,
    /// A part of a name, an id or an owner's address, in any case.
    search: Option<String>,
    /// `name`, `owner`, `instance`, `clientId`, `createdAt`, `lastUsedAt`, `expiresAt` or `state`, with
    /// `asc` or `desc` behind it. Otherwise the oldest come first.
    sort: Option<String>,
    /// Most to answer.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// How many to leave out before.
    offset: Option<usize>,
    /// Whether the items say how they stand.
    details: Option<bool>,
}

/// A query, read.
struct Asked {
    owner: Option<String>,
    selection: Selection,
    limit: Option<usize>,
    offset: Option<usize>,
    details: bool,
}

/// List credentials
///
/// Your own, unless `owner` says otherwise, which takes the permission `workspace.read`. With `limit` or `offset` the answer says which part it is.
#[utoipa::path(
    get,
    path = CREDENTIALS_PATH,
    tag = "Credentials",
    operation_id = "listCredentials",
    params(OwnerParameter, ListParameters),
    security(("token" = ["workspace.read"]), ("session" = [])),
    responses(
        (status = 200, description = "The credentials", body = List<'_>),
        (status = 400, description = "A parameter makes no sense", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.list(&console.call_of(&head, peer)).await)
}

/// Create a credential
///
/// It belongs to you. The answer holds the secret, which is not stored and never shown again. Signed in, it takes
/// any role on the application instance.
#[utoipa::path(
    post,
    path = CREDENTIALS_PATH,
    tag = "Credentials",
    operation_id = "createCredential",
    request_body = CreationBody,
    security(("token" = ["workspace.update"]), ("session" = [])),
    responses(
        (status = 201, description = "The credential with its secret", body = Item<'_>),
        (status = 400, description = "The body makes no sense", body = ErrorBody<'_>),
        (status = 409, description = "The name is taken, or you have as many as allowed", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn create(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(console.create(&console.call_of(&head, peer), body).await)
}

/// Show a credential
///
/// With how it stands, and when and from where it was last used; without a secret.
#[utoipa::path(
    get,
    path = ONE,
    tag = "Credentials",
    operation_id = "getCredential",
    params(("id" = String, Path, description = "The client id"), OwnerParameter),
    security(("token" = ["workspace.read"]), ("session" = [])),
    responses(
        (status = 200, description = "The credential", body = Item<'_>),
        (status = 404, description = "There is no such credential for you", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.show(&console.call_of(&head, peer), &id).await)
}

/// Change a credential
///
/// What is absent stays, and `null` takes away (RFC 7396). Signed in, one's own takes any role on the application
/// instance, and to disable it nothing; somebody else's takes the permission.
#[utoipa::path(
    patch,
    path = ONE,
    tag = "Credentials",
    operation_id = "changeCredential",
    params(("id" = String, Path, description = "The client id"), OwnerParameter),
    request_body = ChangeBody,
    security(("token" = ["workspace.update"]), ("session" = [])),
    responses(
        (status = 200, description = "The credential as it is now", body = Item<'_>),
        (status = 400, description = "The body makes no sense", body = ErrorBody<'_>),
        (status = 404, description = "There is no such credential for you", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn change(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.change(&call, &id, body).await)
}

/// Reset a client secret
///
/// The answer holds the new secret, which is not stored and never shown again. Only the owner can do this;
/// signed in, it takes any role on the application instance.
#[utoipa::path(
    post,
    path = RESET,
    tag = "Credentials",
    operation_id = "resetCredential",
    params(("id" = String, Path, description = "The client id")),
    request_body = Option<ResetBody>,
    security(("token" = ["workspace.update"]), ("session" = [])),
    responses(
        (status = 200, description = "The credential with its new secret", body = Item<'_>),
        (status = 400, description = "The overlap is out of bounds", body = ErrorBody<'_>),
        (status = 404, description = "There is no such credential for you", body = ErrorBody<'_>),
        (status = 409, description = "Two secrets are alive, or it has keys instead", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn reset(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.reset(&call, &id, body).await)
}

/// Delete a credential
///
/// Its secrets and all its tokens die at once. Somebody else's takes the permission.
#[utoipa::path(
    delete,
    path = ONE,
    tag = "Credentials",
    operation_id = "deleteCredential",
    params(("id" = String, Path, description = "The client id"), OwnerParameter),
    security(("token" = ["workspace.delete"]), ("session" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "There is no such credential for you", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn delete(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.delete(&console.call_of(&head, peer), &id).await)
}

impl Asked {
    fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let bad = |words: String| Refusal::BadRequest(words);
        let query = call.head().uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let found = |name: &str| {
            let pair = pairs
                .iter()
                .find(|(known, value)| known == name && !value.is_empty());
            pair.map(|(_, value)| value.as_str())
        };
        let number = |name: &str| {
            let read = found(name).map(str::parse::<usize>).transpose();
            read.map_err(|_| bad(format!("{name} must be a number")))
        };
        let limit = number("limit")?;
        if limit.is_some_and(|limit| !(1..=LONGEST_PAGE).contains(&limit)) {
            return Err(bad(format!("limit is 1 to {LONGEST_PAGE}")));
        }
        let all = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(Self {
            owner: found("owner").map(str::to_owned),
            selection: Selection::read(all).map_err(|unknown| bad(unknown.to_string()))?,
            limit,
            offset: number("offset")?,
            details: found("details") == Some("true"),
        })
    }

    fn reach(&self) -> Reach {
        match self.owner {
            Some(_) => Reach::Workspace,
            None => Reach::Own,
        }
    }
}

impl Console {
    async fn list(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let caller = self.caller(call, Deed::See).await?;
        let asked = Asked::read(call)?;
        let filter = TenantFilter::read(&call.head().uri)?;
        let mut all = match &asked.owner {
            None => self.credentials.list(Some(caller.person())),
            Some(owner) => {
                if !caller.permits(&WORKSPACE_READ) {
                    let lacks = rule::Refused::Lacks(WORKSPACE_READ);
                    return Err(self.refusal(call, &caller, lacks, Deed::See).await);
                }
                let mut all = self.credentials.list(None);
                all.retain(|one| one.workspace == *caller.workspace());
                all.retain(|one| owner == "all" || one.owner_email.eq_ignore_ascii_case(owner));
                all
            }
        };
        all.retain(|_| filter.admits(caller.workspace()));
        let found = asked
            .selection
            .apply(all, &self.workspaces.instances(), call.now());
        let offset = asked.offset.unwrap_or(0);
        let limit = asked.limit.unwrap_or(usize::MAX);
        let names = self.workspaces.list();
        let items = found.iter().skip(offset).take(limit).map(|credential| {
            let item = Item::new(credential, &names, None);
            if asked.details {
                item.with(Details::new(credential, call.now()))
            } else {
                item
            }
        });
        let items = items.collect();
        let is_part = asked.limit.is_some() || asked.offset.is_some();
        Ok(Done::Ok(wire::print(&if is_part {
            List::part(items, offset, found.len())
        } else {
            List::new(items)
        })))
    }

    async fn create(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        let deed = Deed::Change;
        self.caller(call, deed).await?;
        let body = wire::read_json_body(&call.head().headers, body).await?;
        // Asked again: a body may take long to arrive, and who could do this when it began may have
        // lost the right since.
        let call = &call.at((self.clock)());
        let caller = self.caller(call, deed).await?;
        let wanted = NewCredential::parse(&body)?;
        if wanted
            .workspace
            .is_some_and(|workspace| workspace != *caller.workspace())
        {
            return Err(self.out_of_bounds(call, &caller, &deed.permission()).await);
        }
        if let Err(refused) = may_create(&caller, &wanted.instance) {
            return Err(self.refusal(call, &caller, refused, deed).await);
        }
        let issued = self
            .credentials
            .only_if(still_may_create(&caller, &wanted.instance))
            .create_with(
                caller.person(),
                wanted.instance,
                &wanted.name,
                wanted.options,
                &caller.actor(),
                call.now(),
                &mut SystemRandom,
            )
            .await?;
        Ok(Done::Created(self.print_with_secret(&issued)))
    }

    async fn show(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let reach = Asked::read(call)?.reach();
        let managed = self.managed_by_call(call, id, Deed::See, reach).await?;
        Ok(Done::Ok(self.print_details(managed.credential(), call)))
    }

    async fn change(&self, call: &Call<'_>, id: &str, body: Body) -> Result<Done, Refusal> {
        let reach = Asked::read(call)?.reach();
        self.managed_by_call(call, id, Deed::SwitchOff, reach)
            .await?;
        let body = wire::read_json_body(&call.head().headers, body).await?;
        let wanted = details::change(&body)?;
        let call = &call.at((self.clock)());
        let deed = details::deed(&wanted);
        let managed = self.managed_by_call(call, id, deed, reach).await?;
        let changed = self
            .credentials
            .change(
                managed.client_id().as_str(),
                wanted,
                managed.actor(),
                call.now(),
                &mut SystemRandom,
            )
            .await?;
        Ok(Done::Ok(self.print_details(&changed, call)))
    }

    async fn reset(&self, call: &Call<'_>, id: &str, body: Body) -> Result<Done, Refusal> {
        self.managed_by_call(call, id, Deed::Obtain, Reach::Own)
            .await?;
        // Programs for the real system send nothing, of whatever type.
        let headers = &call.head().headers;
        let body = match wire::read_json_body(headers, body).await {
            Ok(body) => body,
            Err(Refusal::NotJson) => Vec::new(),
            Err(refusal) => return Err(refusal),
        };
        let renewal = details::renewal(&body)?;
        let call = &call.at((self.clock)());
        let managed = self
            .managed_by_call(call, id, Deed::Obtain, Reach::Own)
            .await?;
        let issued = self
            .credentials
            .renew(
                managed.client_id().as_str(),
                renewal,
                managed.actor(),
                call.now(),
                &mut SystemRandom,
            )
            .await?;
        Ok(Done::Ok(self.print_with_secret(&issued)))
    }

    async fn delete(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let reach = Asked::read(call)?.reach();
        let managed = self.managed_by_call(call, id, Deed::Delete, reach).await?;
        self.credentials
            .delete(
                managed.client_id().as_str(),
                managed.actor(),
                call.now(),
                &mut SystemRandom,
            )
            .await?;
        Ok(Done::Deleted)
    }

    fn print_details(&self, credential: &Credential, call: &Call<'_>) -> String {
        let names = self.workspaces.list();
        let details = Details::new(credential, call.now());
        wire::print(&Item::new(credential, &names, None).with(details))
    }

    /// The one printed form that holds the secret.
    fn print_with_secret(&self, issued: &IssuedCredential) -> String {
        let names = self.workspaces.list();
        wire::print(&Item::new(&issued.credential, &names, Some(&issued.secret)))
    }
}
