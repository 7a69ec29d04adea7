//! Requests: a [`Draft`](crate::workspace::Draft) becomes what is sent, and what came of it is shown.
//!
//! | Step | Module |
//! | --- | --- |
//! | an operation becomes a draft | `fresh` |
//! | values are put in place of `{{names}}` | `fill` |
//! | where it goes: server, path, operation | `address` |
//! | it is built as the command line builds it, or what is wrong is said | `compose`, `mistake`, `query` |
//! | what will be sent, for people | `preview` |
//! | the same as a program | `samples` |
//! | it is sent | `send`, `words` |
//! | what came back, and where it leads | `answered`, `links`, `tasks` |
//! | its body, as it came | `answers` |
//! | what is kept of it, without secrets | `history`, `saved`, `secrecy`, `masking` |
//!
//! Building is the `openapi` crate's, sending the `client` crate's: a request of the explorer is the
//! same as one of the command line. Who may reach what, and with which token, is not known here.

mod address;
mod answered;
mod answers;
mod compose;
mod fill;
mod fresh;
mod history;
mod links;
mod masking;
mod mistake;
mod preview;
mod query;
mod samples;
mod saved;
mod secrecy;
mod send;
mod tasks;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};

use crate::Explorer;
use crate::answer::Failure;

pub(crate) use address::{segment, typed};
pub(crate) use answers::Answers;
pub(crate) use saved::{MOST_SAVED, is_name};

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    let at = |path: &str| format!("/explorer/api/w/{{workspace}}/{path}");
    Router::new()
        .route(&at("draft"), post(fresh::make))
        .route(&at("preview"), post(preview::show))
        .route(&at("samples"), post(samples::write))
        .route(&at("send"), post(send::send))
        .route(&at("answers/{answer}/body"), get(answers::body))
        .route(&at("tasks/look"), post(tasks::look))
        .route(&at("history"), get(history::list).delete(history::clear))
        .route(&at("history/{entry}"), delete(history::remove))
        .route(&at("saved"), get(saved::list).post(saved::save))
        .route(
            &at("saved/{saved}"),
            put(saved::replace).delete(saved::remove),
        )
        .layer(DefaultBodyLimit::max(LARGEST_DRAFT))
}

/// Does what takes its time with a large request away from the threads that answer requests.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| {
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the request could not be looked at",
            "try again, or leave out what was entered last",
        )
    })
}

/// The largest request that a person writes in a page.
const LARGEST_DRAFT: usize = 8 * 1024 * 1024;

/// What stands in place of a secret that is shown.
const MASK: &str = "********";
