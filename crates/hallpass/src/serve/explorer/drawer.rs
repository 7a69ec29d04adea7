//! The drawer of somebody signed in: their part of the store.

use hallpass_client::Secret;
use hallpass_explorer::{Document, Drawer, DrawerError, Id, Job};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::explorer_documents::{DocumentError, OwnDocuments};
use hallpass_store::{Clock, StoreError};

/// What one person keeps in the store.
pub(super) struct OwnDrawer {
    documents: OwnDocuments,
    clock: Clock,
}

impl OwnDrawer {
    pub(super) fn new(documents: OwnDocuments, clock: Clock) -> Self {
        Self { documents, clock }
    }
}

impl Drawer for OwnDrawer {
    fn workspaces(&self) -> Job<'_, Vec<Id>> {
        Box::pin(async {
            let name = Document::Workspace.to_string();
            let names = self.documents.workspaces_with(&name).await;
            let names = names.map_err(|error| unavailable(&error))?;
            // None is there that did not come through `write`, as an id.
            Ok(names
                .iter()
                .filter_map(|name| Id::parse(name).ok())
                .collect())
        })
    }

    fn read<'a>(&'a self, workspace: &'a Id, document: &'a Document) -> Job<'a, Option<Vec<u8>>> {
        Box::pin(async {
            let name = document.to_string();
            let read = self.documents.read(workspace.as_str(), &name).await;
            read.map_err(|error| unavailable(&error))
        })
    }

    fn write<'a>(
        &'a self,
        workspace: &'a Id,
        document: &'a Document,
        bytes: Vec<u8>,
    ) -> Job<'a, ()> {
        Box::pin(async {
            let (workspace, name) = (workspace.as_str(), document.to_string());
            let now = (self.clock)();
            let written = self.documents.write(workspace, &name, bytes, now).await;
            written.map_err(not_kept)
        })
    }

    fn remove<'a>(&'a self, workspace: &'a Id, document: &'a Document) -> Job<'a, ()> {
        Box::pin(async {
            let name = document.to_string();
            let removed = self.documents.remove(workspace.as_str(), &name).await;
            removed.map_err(|error| unavailable(&error))
        })
    }

    fn remove_workspace<'a>(&'a self, workspace: &'a Id) -> Job<'a, ()> {
        Box::pin(async {
            let removed = self.documents.remove_workspace(workspace.as_str()).await;
            removed.map_err(|error| unavailable(&error))
        })
    }

    fn secret<'a>(&'a self, workspace: &'a Id, name: &'a str) -> Job<'a, Option<Secret>> {
        Box::pin(async {
            let secret = self.documents.secret(workspace.as_str(), name).await;
            secret.map_err(|error| unavailable(&error))
        })
    }

    fn keep_secret<'a>(
        &'a self,
        workspace: &'a Id,
        name: &'a str,
        secret: Option<Secret>,
    ) -> Job<'a, ()> {
        Box::pin(async move {
            let (workspace, now) = (workspace.as_str(), (self.clock)());
            self.documents
                .keep_secret(workspace, name, secret.as_ref(), now, &mut SystemRandom)
                .await
                .map_err(not_kept)
        })
    }
}

fn not_kept(error: DocumentError) -> DrawerError {
    match error {
        DocumentError::Store(error) => unavailable(&error),
        told => DrawerError::Full(told.to_string()),
    }
}

/// What the store has to say is for the log: the person can do nothing about it.
fn unavailable(error: &StoreError) -> DrawerError {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "the explorer's documents cannot be reached");
    DrawerError::Unavailable("your explorer's documents cannot be reached just now".to_owned())
}
