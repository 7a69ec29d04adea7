//! The REST API for credentials (domain facts, section 3.6). A caller sees and changes the
//! credentials of the token's owner and no others: one of another person or workspace answers
//! exactly like one that does not exist.

pub(crate) mod rule;
pub(crate) mod selection;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::ClientId;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::IssuedCredential;

use crate::Console;
use crate::answer::{Done, Refusal, answer};
use crate::guard::{Call, Permitted};
use crate::wire::{self, Item, List, NewCredential, TenantFilter};

pub(crate) async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.list(&console.call(&head, peer)).await)
}

pub(crate) async fn create(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(console.create(&console.call(&head, peer), body).await)
}

pub(crate) async fn reset(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.reset(&console.call(&head, peer), &text(id)).await)
}

pub(crate) async fn delete(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.delete(&console.call(&head, peer), &text(id)).await)
}

impl Console {
    async fn list(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let filter = TenantFilter::read(&call.head().uri)?;
        let credentials = if filter.admits(permitted.workspace()) {
            self.credentials.list(Some(permitted.owner()))
        } else {
            Vec::new()
        };
        let names = self.workspaces.list();
        let items = credentials
            .iter()
            .map(|credential| Item::new(credential, &names, None));
        Ok(Done::Ok(wire::print(&List::new(items.collect()))))
    }

    async fn create(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        self.permit(call, WORKSPACE_UPDATE).await?;
        let body = wire::read_json_body(&call.head().headers, body).await?;
        // Asked again: a body may take long to arrive, and who could do this when it began may have
        // lost the right since.
        let call = &call.at((self.clock)());
        let permitted = self.permit(call, WORKSPACE_UPDATE).await?;
        let wanted = NewCredential::parse(&body)?;
        if wanted
            .workspace
            .is_some_and(|workspace| workspace != *permitted.workspace())
        {
            return Err(self.out_of_bounds(call, &permitted).await);
        }
        let issued = self
            .credentials
            .create(
                permitted.owner(),
                wanted.instance,
                &wanted.name,
                &permitted.actor(),
                call.now(),
                &mut SystemRandom,
            )
            .await?;
        Ok(Done::Created(self.print_with_secret(&issued)))
    }

    async fn reset(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_UPDATE).await?;
        let client_id = self.own(&permitted, id)?;
        let issued = self
            .credentials
            .reset(
                client_id.as_str(),
                &permitted.actor(),
                call.now(),
                &mut SystemRandom,
            )
            .await?;
        Ok(Done::Ok(self.print_with_secret(&issued)))
    }

    async fn delete(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_DELETE).await?;
        let client_id = self.own(&permitted, id)?;
        self.credentials
            .delete(
                client_id.as_str(),
                &permitted.actor(),
                call.now(),
                &mut SystemRandom,
            )
            .await?;
        Ok(Done::Deleted)
    }

    fn call<'a>(&self, head: &'a Parts, peer: SocketAddr) -> Call<'a> {
        Call::new(head, peer, (self.clock)())
    }

    /// The credential of that id, if it is the caller's own.
    fn own(&self, permitted: &Permitted, id: &str) -> Result<ClientId, Refusal> {
        self.credentials
            .find(id)
            .filter(|credential| credential.owner == permitted.owner())
            .map(|credential| credential.client_id)
            .ok_or(Refusal::UnknownCredential)
    }

    /// The one printed form that holds the secret.
    fn print_with_secret(&self, issued: &IssuedCredential) -> String {
        let names = self.workspaces.list();
        wire::print(&Item::new(&issued.credential, &names, Some(&issued.secret)))
    }
}

/// What stands in the path. Bytes that are no text name no credential; the guard comes first all
/// the same.
fn text(id: Result<Path<String>, PathRejection>) -> String {
    id.map_or_else(|_| String::new(), |Path(id)| id)
}
