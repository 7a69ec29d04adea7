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
//!
//! Building is the `openapi` crate's, sending the `client` crate's: a request of the explorer is the
//! same as one of the command line. Who may reach what, and with which token, is not known here.

mod address;
mod compose;
mod fill;
mod fresh;
mod mistake;
mod preview;
mod query;
mod samples;

use std::sync::Arc;

use axum::Router;
use axum::routing::post;

use crate::Explorer;

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    Router::new()
        .route("/explorer/api/w/{workspace}/draft", post(fresh::make))
        .route("/explorer/api/w/{workspace}/preview", post(preview::show))
        .route("/explorer/api/w/{workspace}/samples", post(samples::write))
}

/// What stands in place of a secret that is shown.
const MASK: &str = "********";
