//! *Credentials Created*: id and secret, once. It is the answer to the form that made the secret, so it
//! has no address of its own.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_store::credentials::IssuedCredential;

use super::file::{file_name, profile_name};
use super::page_of;
use super::shown::Shown;
use crate::Console;
use crate::page::Place;
use crate::session::SignedIn;

/// Why there is a new secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    Created,
    Reset,
    /// The old secret lives on for a while.
    SecondSecret,
}

#[derive(Template)]
#[template(path = "credentials/issued.html")]
struct Issued<'a> {
    credential: Shown,
    secret: &'a str,
    occasion: Occasion,
    form_token: String,
    token_url: &'a str,
    file_name: String,
    profile_name: String,
    href: String,
}

impl Console {
    pub(super) fn issued_page(
        &self,
        by: &SignedIn,
        issued: &IssuedCredential,
        occasion: Occasion,
    ) -> Response {
        let credential = &issued.credential;
        let content = Issued {
            credential: Shown::new(credential, &self.instances(), by.now()),
            secret: issued.secret.expose(),
            occasion,
            form_token: self.form_token(by),
            token_url: &self.addresses.token_url,
            file_name: file_name(&credential.name),
            profile_name: profile_name(&credential.name),
            href: page_of(credential.client_id.as_str()),
        };
        let status = if occasion == Occasion::Created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        self.page_with(
            status,
            by,
            Place::Credentials,
            "Credentials Created",
            content,
        )
    }
}
