//! Ending one's other sessions.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use hallpass_oauth::random::SystemRandom;

use super::back;
use crate::Console;
use crate::form::SignedForm;
use crate::page::PageRefusal;
use crate::sign_in::actor;

pub(crate) async fn end(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    form: SignedForm,
) -> Response {
    let by = form.by;
    let (person, actor) = (by.person(), actor(by.person(), by.address()));
    let ended = console
        .sessions
        .end_another(person, &id, &actor, by.now(), &mut SystemRandom)
        .await;
    match ended {
        // One that has ended meanwhile is what was wanted.
        Ok(_) => back("session"),
        Err(error) => PageRefusal::Store(error).answer(by.uri()),
    }
}

pub(crate) async fn end_others(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let by = form.by;
    let (person, actor) = (by.person(), actor(by.person(), by.address()));
    let kept = &by.session().id;
    let ended = console
        .sessions
        .end_others(person, kept, &actor, by.now(), &mut SystemRandom)
        .await;
    match ended {
        Ok(_) => back("sessions"),
        Err(error) => PageRefusal::Store(error).answer(by.uri()),
    }
}
