//! Taking somebody's second factor away, who lost their device and their recovery codes. One's own is
//! switched off on the page of the account, which asks for the password and a code.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_access::platform::WORKSPACE_UPDATE;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::people::PersonError;
use hallpass_store::{Person, PersonId};

use super::USERS_PAGE;
use crate::Console;
use crate::answer::{Done, Refusal, answer};
use crate::form::SignedForm;
use crate::guard::Call;
use crate::in_path::InPath;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;

const TO_ONESELF: &str = "nobody takes their own second factor away here; switch it off on the page \
                          of your account";

#[derive(Template)]
#[template(path = "user_second_factor.html")]
struct Confirm {
    form_token: String,
    id: String,
    email: String,
}

/// Why it stays.
enum Kept {
    Oneself,
    Beyond(PersonError),
}

pub(super) async fn ask(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    by: SignedIn,
) -> Response {
    let page = async {
        let permitted = console.permit_person(&by, WORKSPACE_UPDATE).await?;
        let person = console.person_for(&permitted, &id)?;
        if let Err(kept) = console.may_free(permitted.owner(), &person) {
            return console.kept_page(&by, person, kept).await;
        }
        let content = Confirm {
            form_token: console.form_token(&by),
            id: person.id.to_string(),
            email: person.email.to_string(),
        };
        Ok(console.page(&by, Place::Users, "Take the second factor away", content))
    };
    let page: Result<Response, PageRefusal> = page.await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn take_away(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    let by = form.by;
    let outcome = async {
        let permitted = console.permit_person(&by, WORKSPACE_UPDATE).await?;
        let person = console.person_for(&permitted, &id)?;
        if let Err(kept) = console.may_free(permitted.owner(), &person) {
            return console.kept_page(&by, person, kept).await;
        }
        let (actor, rng) = (permitted.actor(), &mut SystemRandom);
        console
            .second_factors
            .remove(&person, &actor, by.now(), rng)
            .await?;
        let words = format!("The second factor of {} is off.", person.email);
        let next = format!("{USERS_PAGE}/{}", person.id);
        Ok(console.done(&by, &next, words))
    };
    let outcome: Result<Response, PageRefusal> = outcome.await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

/// Take the second factor of somebody away who lost it
#[utoipa::path(
    delete, path = "/workspaces/v1/users/{id}/second-factor", operation_id = "removeSecondFactor",
    tag = "Users", security(("token" = ["workspace.update"])), params(("id" = String, Path)),
    responses((status = 204, description = "It is gone."),
        (status = 404, description = "There is no such user in the workspace, or they have none."),
        (status = 409, description = "It is one's own, or the person may do more than the caller.")),
)]
pub(super) async fn remove_second_factor(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.free_user(&console.call_of(&head, peer), &id).await)
}

impl Console {
    fn may_free(&self, by: PersonId, person: &Person) -> Result<(), Kept> {
        if by == person.id {
            return Err(Kept::Oneself);
        }
        self.people
            .may_stand_in(by, person.id)
            .map_err(Kept::Beyond)
    }

    async fn kept_page(
        &self,
        by: &SignedIn,
        person: Person,
        kept: Kept,
    ) -> Result<Response, PageRefusal> {
        match kept {
            Kept::Oneself => {
                let problem = "Switch your own second factor off on the page of your account.";
                self.user_refused(by, person, problem.to_owned()).await
            }
            Kept::Beyond(error) => self.user_done(by, person, Err(error), USERS_PAGE).await,
        }
    }

    async fn free_user(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_UPDATE).await?;
        let person = self.user_meant(&permitted, id)?;
        match self.may_free(permitted.owner(), &person) {
            Ok(()) => {}
            Err(Kept::Oneself) => return Err(Refusal::Conflict(TO_ONESELF.to_owned())),
            Err(Kept::Beyond(error)) => return Err(error.into()),
        }
        let (actor, rng) = (permitted.actor(), &mut SystemRandom);
        let removed = self
            .second_factors
            .remove(&person, &actor, call.now(), rng)
            .await?;
        if !removed {
            return Err(Refusal::NotFound("this user has no second factor"));
        }
        Ok(Done::Deleted)
    }
}
