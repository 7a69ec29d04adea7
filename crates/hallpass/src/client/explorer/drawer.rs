//! Workspaces in files: a folder for each, which a person may put under version control.
//!
//! ```text
//! WORKSPACE/workspace.json          definitions, environments, saved requests: what may be shared
//! WORKSPACE/definitions/ID.yaml     the text of a definition (or .json)
//! ```
//!
//! What is the person's own (current values, history, favourites) and which secrets there are is kept apart
//! from it, in a folder of state that belongs to this folder of workspaces. The secrets themselves are in
//! the [`secrets`](super::secrets) of the key store.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hallpass_client::Secret;
use hallpass_explorer::{Document, Drawer, DrawerError, Id, Job};
use hallpass_openapi::Digest;

use super::files::{self, Readers, Seen};
use super::secrets::Secrets;
use crate::client::{base, data_directory};
use crate::command::CommandError;

/// The drawer of the person at this machine.
pub(super) struct Files(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    state: PathBuf,
    seen: Seen,
    secrets: Secrets,
}

impl Files {
    /// The workspaces of this folder, else those of the person's own. It is made when it is missing.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, CommandError> {
        let (folder, readers) = match folder {
            Some(folder) => (folder.to_owned(), Readers::AsUsual),
            None => (data_directory()?.join("workspaces"), Readers::Owner),
        };
        let unusable = |error: std::io::Error| {
            CommandError::usage(format!(
                "workspaces cannot be kept in {}: {error}",
                folder.display()
            ))
            .hint("name another folder with --workspaces")
        };
        files::create_folder(&folder, readers).map_err(unusable)?;
        let folder = folder.canonicalize().map_err(unusable)?;
        let identity = folder.display().to_string();
        let state = base("XDG_STATE_HOME", ".local/state").ok_or_else(|| {
            CommandError::usage("there is no home directory to keep the explorer's state in")
                .hint("set HOME")
        })?;
        let digest = Digest::of(identity.as_bytes()).to_string();
        let state = state.join("hallpass-client/explorer").join(&digest[..16]);
        files::create_folder(&state, Readers::Owner).map_err(unusable)?;
        Ok(Self(Arc::new(Inner {
            secrets: Secrets::of(identity, state.clone())?,
            folder,
            state,
            seen: Seen::default(),
        })))
    }

    /// Where the workspaces are.
    pub(super) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Where what is the person's own is, which only they can read.
    pub(super) fn state(&self) -> &Path {
        &self.0.state
    }

    /// Does something with files, which takes its time, away from the threads that answer requests.
    fn job<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, DrawerError> + Send + 'static,
    ) -> Job<'_, T> {
        let inner = self.0.clone();
        Box::pin(async move {
            let done = tokio::task::spawn_blocking(move || work(&inner)).await;
            let failed = |_| DrawerError::Unavailable("the files could not be reached".to_owned());
            done.map_err(failed)?
        })
    }
}

impl Drawer for Files {
    fn workspaces(&self) -> Job<'_, Vec<Id>> {
        self.job(Inner::workspaces)
    }

    fn read<'a>(&'a self, workspace: &'a Id, document: &'a Document) -> Job<'a, Option<Vec<u8>>> {
        let (workspace, document) = (workspace.clone(), document.clone());
        self.job(move |inner| inner.read(&workspace, &document))
    }

    fn write<'a>(
        &'a self,
        workspace: &'a Id,
        document: &'a Document,
        bytes: Vec<u8>,
    ) -> Job<'a, ()> {
        let (workspace, document) = (workspace.clone(), document.clone());
        self.job(move |inner| inner.write(&workspace, &document, &bytes))
    }

    fn remove<'a>(&'a self, workspace: &'a Id, document: &'a Document) -> Job<'a, ()> {
        let (workspace, document) = (workspace.clone(), document.clone());
        self.job(move |inner| inner.remove(&workspace, &document))
    }

    fn remove_workspace<'a>(&'a self, workspace: &'a Id) -> Job<'a, ()> {
        let workspace = workspace.clone();
        self.job(move |inner| inner.remove_workspace(&workspace))
    }

    fn secret<'a>(&'a self, workspace: &'a Id, name: &'a str) -> Job<'a, Option<Secret>> {
        let (workspace, name) = (workspace.clone(), name.to_owned());
        self.job(move |inner| inner.secrets.load(&workspace, &name))
    }

    fn keep_secret<'a>(
        &'a self,
        workspace: &'a Id,
        name: &'a str,
        secret: Option<Secret>,
    ) -> Job<'a, ()> {
        let (workspace, name) = (workspace.clone(), name.to_owned());
        self.job(move |inner| {
            let _turn = inner.turn()?;
            inner.secrets.keep(&workspace, &name, secret.as_ref())
        })
    }
}

impl Inner {
    fn workspaces(&self) -> Result<Vec<Id>, DrawerError> {
        let failed = |error: std::io::Error| files::failed("read", &self.folder, &error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            // What else is in a folder under version control is not ours.
            let Some(Ok(id)) = name.to_str().map(Id::parse) else {
                continue;
            };
            if self.path(&id, &Document::Workspace).is_file() {
                found.push(id);
            }
        }
        Ok(found)
    }

    fn read(&self, workspace: &Id, document: &Document) -> Result<Option<Vec<u8>>, DrawerError> {
        let Document::Definition(_) = document else {
            return self
                .seen
                .read(&self.path(workspace, document), LARGEST_WORKSPACE);
        };
        for path in self.definition(workspace, document) {
            if let Some(text) = files::read(&path, LARGEST_DEFINITION)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn write(&self, workspace: &Id, document: &Document, bytes: &[u8]) -> Result<(), DrawerError> {
        let largest = match document {
            Document::Definition(_) => LARGEST_DEFINITION,
            Document::Workspace | Document::Own => LARGEST_WORKSPACE,
        };
        if bytes.len() > largest {
            let what = match document {
                Document::Definition(_) => "the definition",
                Document::Workspace => "the workspace",
                Document::Own => "what is your own in the workspace",
            };
            let megabytes = largest / (1024 * 1024);
            return Err(DrawerError::Full(format!(
                "{what} would be larger than {megabytes} MB"
            )));
        }
        let _turn = self.turn()?;
        match document {
            Document::Workspace => {
                let path = self.path(workspace, document);
                self.seen.replace(&path, bytes, Readers::AsUsual, largest)
            }
            Document::Own => {
                let path = self.path(workspace, document);
                self.seen.replace(&path, bytes, Readers::Owner, largest)
            }
            Document::Definition(_) => {
                let [yaml, json] = self.definition(workspace, document);
                let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
                let (path, other) = match first {
                    Some(b'{') => (json, yaml),
                    _ => (yaml, json),
                };
                files::replace(&path, bytes, Readers::AsUsual)?;
                files::remove(&other)
            }
        }
    }

    fn remove(&self, workspace: &Id, document: &Document) -> Result<(), DrawerError> {
        let _turn = self.turn()?;
        if let Document::Definition(_) = document {
            for path in self.definition(workspace, document) {
                files::remove(&path)?;
            }
            return Ok(());
        }
        let path = self.path(workspace, document);
        files::remove(&path)?;
        self.seen.forget(&path);
        Ok(())
    }

    /// Files that somebody put beside ours stay where they are.
    fn remove_workspace(&self, workspace: &Id) -> Result<(), DrawerError> {
        let _turn = self.turn()?;
        self.secrets.forget_all(workspace)?;
        for document in [Document::Workspace, Document::Own] {
            let path = self.path(workspace, &document);
            files::remove(&path)?;
            self.seen.forget(&path);
        }
        let folder = self.folder.join(workspace.as_str());
        let definitions = folder.join(DEFINITIONS);
        for entry in fs::read_dir(&definitions).into_iter().flatten().flatten() {
            let path = entry.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let extension = path.extension().and_then(|extension| extension.to_str());
            let is_id = stem.is_some_and(|stem| Id::parse(stem).is_ok());
            if is_id && matches!(extension, Some("yaml" | "json")) {
                files::remove(&path)?;
            }
        }
        // Those that are not empty stay.
        for folder in [definitions, folder, self.state.join(workspace.as_str())] {
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }

    fn path(&self, workspace: &Id, document: &Document) -> PathBuf {
        match document {
            Document::Own => self.state.join(workspace.as_str()).join("own.json"),
            Document::Workspace | Document::Definition(_) => {
                self.folder.join(workspace.as_str()).join("workspace.json")
            }
        }
    }

    /// Where the text of a definition may be: as YAML, as JSON.
    fn definition(&self, workspace: &Id, document: &Document) -> [PathBuf; 2] {
        let name = match document {
            Document::Definition(id) => id.as_str(),
            Document::Workspace | Document::Own => "",
        };
        let folder = self.folder.join(workspace.as_str()).join(DEFINITIONS);
        ["yaml", "json"].map(|extension| folder.join(format!("{name}.{extension}")))
    }

    /// Waits until no other explorer changes this folder. The turn ends with the value.
    fn turn(&self) -> Result<File, DrawerError> {
        let path = self.state.join("lock");
        let failed = |error: std::io::Error| files::failed("lock", &path, &error);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(lock)
    }
}

const DEFINITIONS: &str = "definitions";

/// Largest text of a definition, in bytes.
const LARGEST_DEFINITION: usize = 32 * 1024 * 1024;

/// Largest workspace, and largest own part of one, in bytes.
const LARGEST_WORKSPACE: usize = 16 * 1024 * 1024;
