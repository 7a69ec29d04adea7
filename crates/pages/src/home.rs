//! The start page: what this server is and where its parts are. It holds nothing that a stranger
//! may not read.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::Page;

/// What the start page tells.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct Home {
    /// Where programs get their access tokens; also shown in the sample request.
    pub token_url: String,
    /// Where whoever is signed in makes a credential; strangers are told the commands.
    pub create_credentials: Option<String>,
    /// Whether a command has to name the workspace.
    pub several_workspaces: bool,
    /// Every address worth knowing, in the order to show.
    pub addresses: Vec<Address>,
}

/// An address and what it is for.
#[derive(Debug, Clone)]
pub struct Address {
    /// What is there, in a few words.
    pub name: String,
    /// The whole URL.
    pub url: String,
    /// What it is good for, in one sentence.
    pub purpose: String,
}

impl Home {
    /// The answer.
    pub fn answer(self) -> Response {
        Page::new("Start", self).answer(StatusCode::OK)
    }
}
