//! The secrets of workspaces: in the best place that the machine has now without asking anybody in a
//! terminal, which are the same places as those of profiles.
//!
//! A list beside the person's own files says which secrets there are and in which place each is. It holds
//! names only.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hallpass_client::credential_source::CredentialError;
use hallpass_client::key_store::{Kept, Slot, Store, Stores};
use hallpass_client::{Secret, SystemRandom};
use hallpass_explorer::{DrawerError, Id};
use rand_core::Rng as _;
use serde::{Deserialize, Serialize};

use super::files::{self, Readers};
use crate::client::stores;
use crate::command::CommandError;

/// The secrets of the workspaces of one folder.
pub(super) struct Secrets {
    /// The folder: workspaces of others are called the same by chance, or on purpose.
    folder: String,
    state: PathBuf,
    stores: Stores,
    opened: Mutex<HashMap<(Id, String), Opened>>,
}

/// A secret that was opened, and as of which change. Opening an encrypted one takes its time.
struct Opened {
    change: String,
    secret: Secret,
}

/// What is known of a secret without opening it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    /// The place it is in, by its word.
    store: String,
    /// Different after each change, whichever program made it.
    change: String,
}

type List = BTreeMap<String, Entry>;

impl Secrets {
    pub(super) fn of(folder: String, state: PathBuf) -> Result<Self, CommandError> {
        Ok(Self {
            folder,
            state,
            stores: stores::without_asking()?,
            opened: Mutex::default(),
        })
    }

    /// A secret; `None` if there is none of this name.
    pub(super) fn load(&self, workspace: &Id, name: &str) -> Result<Option<Secret>, DrawerError> {
        let list = self.list(workspace)?;
        let Some(entry) = list.get(name) else {
            return Ok(None);
        };
        let key = (workspace.clone(), name.to_owned());
        if let Some(opened) = self.opened().get(&key)
            && opened.change == entry.change
        {
            return Ok(Some(opened.secret.clone()));
        }
        let secret = match self.place(entry, workspace, name)?.load() {
            Ok(secret) => secret,
            Err(CredentialError::Absent { .. }) => return Ok(None),
            Err(error) => return Err(unavailable(&error)),
        };
        let opened = Opened {
            change: entry.change.clone(),
            secret: secret.clone(),
        };
        self.opened().insert(key, opened);
        Ok(Some(secret))
    }

    /// Keeps a secret in place of the one kept before; `None` forgets it.
    pub(super) fn keep(
        &self,
        workspace: &Id,
        name: &str,
        secret: Option<&Secret>,
    ) -> Result<(), DrawerError> {
        let mut list = self.list(workspace)?;
        let before = list.remove(name);
        self.opened().remove(&(workspace.clone(), name.to_owned()));
        let Some(secret) = secret else {
            let Some(before) = before else {
                return Ok(());
            };
            let place = self.place(&before, workspace, name)?;
            place.remove().map_err(|error| unavailable(&error))?;
            return self.write(workspace, &list);
        };
        if secret.expose().len() > LARGEST {
            let what = format!("a secret has at most {LARGEST} bytes");
            return Err(DrawerError::Full(what));
        }
        if list.len() >= MOST {
            let what = format!("a workspace has at most {MOST} secrets");
            return Err(DrawerError::Full(what));
        }
        let entry = Entry {
            store: self.best().word().to_owned(),
            change: format!("{:016x}", SystemRandom.next_u64()),
        };
        let place = self.place(&entry, workspace, name)?;
        place
            .keep(secret, &mut SystemRandom)
            .map_err(|error| unavailable(&error))?;
        if let Some(before) = before.filter(|before| before.store != entry.store) {
            // What cannot be removed there is not used any more.
            let _ = self.place(&before, workspace, name)?.remove();
        }
        list.insert(name.to_owned(), entry);
        self.write(workspace, &list)
    }

    /// Forgets all secrets of a workspace.
    pub(super) fn forget_all(&self, workspace: &Id) -> Result<(), DrawerError> {
        for (name, entry) in self.list(workspace)? {
            let place = self.place(&entry, workspace, &name)?;
            place.remove().map_err(|error| unavailable(&error))?;
        }
        self.opened().retain(|(one, _), _| one != workspace);
        files::remove(&self.path(workspace))
    }

    /// The best place now: the key store if it answers, the encrypted file if its passphrase is at hand,
    /// else a file that only its owner may read.
    fn best(&self) -> Store {
        if self.stores.probe_key_ring().is_ok() {
            Store::KeyRing
        } else if stores::has_passphrase_file() {
            Store::Encrypted
        } else {
            Store::File
        }
    }

    fn place(&self, entry: &Entry, workspace: &Id, name: &str) -> Result<Kept, DrawerError> {
        let store = Store::parse(&entry.store).map_err(|_| self.unreadable(workspace))?;
        let slot = Slot::of_workspace(&self.folder, workspace.as_str(), name);
        Ok(self.stores.place(store, &slot))
    }

    fn list(&self, workspace: &Id) -> Result<List, DrawerError> {
        match files::read(&self.path(workspace), LARGEST_LIST)? {
            None => Ok(List::new()),
            Some(list) => serde_json::from_slice(&list).map_err(|_| self.unreadable(workspace)),
        }
    }

    fn write(&self, workspace: &Id, list: &List) -> Result<(), DrawerError> {
        let mut content =
            serde_json::to_vec_pretty(list).map_err(|_| self.unreadable(workspace))?;
        content.push(b'\n');
        files::replace(&self.path(workspace), &content, Readers::Owner)
    }

    fn unreadable(&self, workspace: &Id) -> DrawerError {
        DrawerError::Unavailable(format!(
            "{} is no list of secrets: remove it, and enter the secrets again",
            self.path(workspace).display()
        ))
    }

    fn path(&self, workspace: &Id) -> PathBuf {
        self.state.join(workspace.as_str()).join("secrets.json")
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<(Id, String), Opened>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(error: &CredentialError) -> DrawerError {
    let hint = error
        .hint()
        .map_or_else(String::new, |hint| format!(" ({hint})"));
    DrawerError::Unavailable(format!("{error}{hint}"))
}

/// Longest secret, in bytes: the tokens of a workspace are one, too.
const LARGEST: usize = 512 * 1024;
const MOST: usize = 1000;
const LARGEST_LIST: usize = 1024 * 1024;
