//! The port behind which a person's workspaces are kept: files on their own machine, a database on a
//! server. It holds bytes under names and does not know what they mean.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hallpass_client::Secret;

use crate::id::Id;

/// What one person keeps. Nobody reaches another's.
pub trait Drawer: Send + Sync {
    /// All workspaces, in no order.
    fn workspaces(&self) -> Job<'_, Vec<Id>>;

    /// A document; `None` if there is none.
    fn read<'a>(&'a self, workspace: &'a Id, document: &'a Document) -> Job<'a, Option<Vec<u8>>>;

    /// Puts a document there, in place of the one before: all of it or nothing.
    fn write<'a>(
        &'a self,
        workspace: &'a Id,
        document: &'a Document,
        bytes: Vec<u8>,
    ) -> Job<'a, ()>;

    /// Takes a document away, if it is there.
    fn remove<'a>(&'a self, workspace: &'a Id, document: &'a Document) -> Job<'a, ()>;

    /// Takes a workspace away with all its documents and secrets.
    fn remove_workspace<'a>(&'a self, workspace: &'a Id) -> Job<'a, ()>;

    /// A secret of a workspace; `None` if there is none of this name.
    fn secret<'a>(&'a self, workspace: &'a Id, name: &'a str) -> Job<'a, Option<Secret>>;

    /// Keeps a secret where secrets are kept; `None` forgets it. Names are up to 200 letters, digits,
    /// hyphens, dots and slashes.
    fn keep_secret<'a>(
        &'a self,
        workspace: &'a Id,
        name: &'a str,
        secret: Option<Secret>,
    ) -> Job<'a, ()>;
}

/// A drawer that several parts use.
pub type SharedDrawer = Arc<dyn Drawer>;

/// Something that a drawer does in its time.
pub type Job<'a, T> = Pin<Box<dyn Future<Output = Result<T, DrawerError>> + Send + 'a>>;

/// What is kept of a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Document {
    /// The workspace itself: what a person may share. It never holds a secret.
    Workspace,
    /// What is this person's own in it: current values, history, favourites. Never shared.
    Own,
    /// The text of a definition, as it was imported.
    Definition(Id),
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workspace => f.write_str("workspace"),
            Self::Own => f.write_str("own"),
            Self::Definition(id) => write!(f, "definition-{id}"),
        }
    }
}

/// Why a drawer does not do it. In words for the person whose drawer it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DrawerError {
    /// There is no room.
    #[error("{0}")]
    Full(String),
    /// It cannot be read or written.
    #[error("{0}")]
    Unavailable(String),
}
