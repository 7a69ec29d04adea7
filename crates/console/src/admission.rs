//! Who is signed in, told to a room beside the console that has pages of its own: [`Guest`].
//!
//! The console does not know that room; the composition root lets people in there with what is here.
//! Session, times, form token and what stands around a page are the console's own, so a person who is
//! signed out, disabled or removed is out there as well, at once.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::response::Response;
use hallpass_oauth::{Secret, WorkspaceId};
use hallpass_pages::Frame;
use hallpass_store::{PersonId, StoreError};

use crate::Console;
use crate::page::{PageRefusal, Place};
use crate::same_site::began_elsewhere;
use crate::session::FORM_TOKEN_HEADER;

/// A room beside the console, as the navigation shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neighbour {
    /// Its name.
    pub title: &'static str,
    /// Where it begins.
    pub href: &'static str,
}

/// Somebody signed in who comes to the room beside.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Who.
    pub person: PersonId,
    /// Their workspace.
    pub workspace: WorkspaceId,
    /// What stands around a page for them.
    pub frame: Frame,
    /// What scripts and forms of their pages carry.
    pub form_token: String,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// The request was not sent from a page of this session.
    #[error("the request was not sent from a page of this session")]
    Elsewhere,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NotAdmitted {
    /// The page in place of the one that was asked for: where to sign in, or why not.
    pub fn page(self, head: &Parts) -> Response {
        let refusal = match self {
            Self::SignedOut => PageRefusal::SignedOut,
            Self::Elsewhere => PageRefusal::Elsewhere,
            Self::Store(error) => PageRefusal::Store(error),
        };
        refusal.answer(&head.uri)
    }
}

impl Console {
    /// Whose request it is. One that may change something carries the form token of the session: in the
    /// header that our scripts set, or as `typed`, the field of a form. It wants
    /// `ConnectInfo<SocketAddr>`.
    pub async fn admit(&self, head: &Parts, typed: Option<&Secret>) -> Result<Guest, NotAdmitted> {
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.ok_or(NotAdmitted::SignedOut)?;
        let by = self
            .session_of(head, peer.0.ip(), (self.clock)())
            .await?
            .ok_or(NotAdmitted::SignedOut)?;
        if !head.method.is_safe() {
            let carried = match typed {
                Some(typed) if !head.headers.contains_key(FORM_TOKEN_HEADER) => {
                    self.is_form_token(&by, typed)
                }
                _ => self.carries_form_token(&by, head),
            };
            if !carried || began_elsewhere(head) {
                return Err(NotAdmitted::Elsewhere);
            }
        }
        Ok(Guest {
            person: by.person().id,
            workspace: by.person().workspace.clone(),
            frame: self.frame(&by, Place::Neighbour),
            form_token: self.form_token(&by),
        })
    }
}
