//! The start page, and the page for a method that a page does not take.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_pages::{Address, Home, notice};

use crate::credential_pages::CREDENTIALS_PAGE;
use crate::page::{PageRefusal, Place};
use crate::{CREDENTIALS_PATH, Console};

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let mut home = console.home();
    match console
        .session_of(&head, peer.ip(), (console.clock)())
        .await
    {
        Ok(Some(by)) => {
            home.create_credentials = Some(format!("{CREDENTIALS_PAGE}/new"));
            console.page(&by, Place::Start, "Start", home)
        }
        Ok(None) => home.answer(),
        Err(error) => PageRefusal::Store(error).answer(&head.uri),
    }
}

impl Console {
    fn home(&self) -> Home {
        let known = &self.addresses;
        let mut addresses = vec![
            address(
                "Token URL",
                &known.token_url,
                "Programs send their client id and secret here and get an access token.",
            ),
            address(
                "Credentials",
                &format!("{}{CREDENTIALS_PATH}", known.console),
                "REST API that lists, creates, resets and deletes credentials.",
            ),
            address(
                "Public keys",
                &known.jwks_url,
                "JSON Web Key Set with which anybody can verify a token.",
            ),
        ];
        let instances = self.workspaces.instances();
        let services = instances
            .iter()
            .filter(|one| one.enabled && !one.is_platform());
        addresses.extend(services.filter_map(|one| {
            let url = self.base_url_of(one)?;
            Some(address(
                &one.title,
                &url,
                "API of this application instance.",
            ))
        }));
        Home {
            token_url: known.token_url.clone(),
            create_credentials: None,
            several_workspaces: self.workspaces.list().len() > 1,
            addresses,
        }
    }
}

/// The answer for a method that a page does not take; the router adds the `Allow` header.
pub(crate) async fn wrong_method() -> Response {
    notice(
        StatusCode::METHOD_NOT_ALLOWED,
        "That cannot be done here",
        &["This page does not take that kind of request. Open it in a browser."],
    )
}

fn address(name: &str, url: &str, purpose: &str) -> Address {
    Address {
        name: name.to_owned(),
        url: url.to_owned(),
        purpose: purpose.to_owned(),
    }
}
