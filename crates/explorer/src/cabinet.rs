//! Reading and changing what a drawer holds, one change of a workspace at a time.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use crate::Explorer;
use crate::answer::Failure;
use crate::drawer::Document;
use crate::id::Id;
use crate::trust::Directions;
use crate::visitor::Visitor;
use crate::workspace::{Literal, Own, Workspace};

/// Changes of the same workspace wait for each other. Two that share a turn by chance do too, which
/// costs them a moment.
pub(crate) struct Turns([Mutex<()>; 64]);

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Turns {
    async fn take(&self, visitor: &Visitor, workspace: &Id) -> MutexGuard<'_, ()> {
        let hash =
            BuildHasherDefault::<DefaultHasher>::default().hash_one((&visitor.key, workspace));
        let turns = self.0.len() as u64;
        let index = usize::try_from(hash % turns).unwrap_or_default();
        self.0[index].lock().await
    }
}

/// A visitor's turn in a workspace: nothing changes in it that is not changed by whoever has it. It ends
/// with the value.
pub(crate) struct Turn<'a> {
    pub(crate) explorer: &'a Explorer,
    pub(crate) visitor: &'a Visitor,
    pub(crate) id: &'a Id,
    _guard: MutexGuard<'a, ()>,
}

impl Turn<'_> {
    /// Changes the workspace; nothing is written when `change` fails.
    pub(crate) async fn change<T>(
        &self,
        change: impl FnOnce(&mut Workspace) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (explorer, visitor, id) = (self.explorer, self.visitor, self.id);
        let mut workspace = explorer.workspace(visitor, id).await?;
        let before = Directions::of(&workspace);
        let outcome = change(&mut workspace)?;
        explorer
            .write(visitor, id, &Document::Workspace, &workspace)
            .await?;
        let after = Directions::of(&workspace);
        if before != after {
            self.follow(&before, after).await;
        }
        Ok(outcome)
    }

    /// Changes what is the visitor's own; nothing is written when `change` fails.
    pub(crate) async fn change_own<T>(
        &self,
        change: impl FnOnce(&mut Own) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (explorer, visitor, id) = (self.explorer, self.visitor, self.id);
        // Nothing of one's own is kept of a workspace that is not there.
        explorer.workspace(visitor, id).await?;
        let mut own = explorer.own(visitor, id).await?;
        let outcome = change(&mut own)?;
        explorer.write(visitor, id, &Document::Own, &own).await?;
        Ok(outcome)
    }

    /// What the person changes here is no change of somebody else.
    async fn follow(&self, before: &Directions, after: Directions) {
        let followed = self.change_own(|own| {
            own.trust.follow(before, after);
            Ok(())
        });
        // The workspace is written. At worst the person is asked about an address that is their own.
        if let Err(failure) = followed.await {
            tracing::warn!(%failure, "a change of a workspace is not remembered as one's own");
        }
    }
}

impl Explorer {
    /// A turn for changing a workspace. Not to be taken twice.
    pub(crate) async fn turn<'a>(&'a self, visitor: &'a Visitor, id: &'a Id) -> Turn<'a> {
        Turn {
            explorer: self,
            visitor,
            id,
            _guard: self.turns.take(visitor, id).await,
        }
    }

    /// A workspace of the visitor.
    pub(crate) async fn workspace(&self, visitor: &Visitor, id: &Id) -> Result<Workspace, Failure> {
        let bytes = visitor.drawer.read(id, &Document::Workspace).await?;
        let bytes = bytes.ok_or_else(|| Failure::not_found("workspace of this name"))?;
        read(&bytes, "the workspace").or_else(|failure| mended(&bytes).ok_or(failure))
    }

    /// What is the visitor's own in a workspace.
    pub(crate) async fn own(&self, visitor: &Visitor, id: &Id) -> Result<Own, Failure> {
        match visitor.drawer.read(id, &Document::Own).await? {
            None => Ok(Own::default()),
            Some(bytes) => {
                let mut own: Own = read(&bytes, "what is your own in the workspace")?;
                for entry in &mut own.history {
                    let settings = entry.pointer_mut("/draft/authorization");
                    settings.map(Literal::empty_texts);
                }
                Ok(own)
            }
        }
    }

    /// Changes a workspace; nothing is written when `change` fails.
    pub(crate) async fn change<T>(
        &self,
        visitor: &Visitor,
        id: &Id,
        change: impl FnOnce(&mut Workspace) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.turn(visitor, id).await.change(change).await
    }

    /// Changes what is the visitor's own in a workspace; nothing is written when `change` fails.
    pub(crate) async fn change_own<T>(
        &self,
        visitor: &Visitor,
        id: &Id,
        change: impl FnOnce(&mut Own) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.turn(visitor, id).await.change_own(change).await
    }

    /// Writes a document of a workspace.
    pub(crate) async fn write(
        &self,
        visitor: &Visitor,
        id: &Id,
        document: &Document,
        content: &impl Serialize,
    ) -> Result<(), Failure> {
        let mut bytes = serde_json::to_vec_pretty(content)
            .map_err(|error| Failure::wrong(error.to_string(), "change what was entered last"))?;
        bytes.push(b'\n');
        Ok(visitor.drawer.write(id, document, bytes).await?)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        Failure::wrong(
            format!("{what} cannot be read: {error}"),
            "it was written by another version, or changed by hand; restore the file, or remove it",
        )
    })
}

/// A workspace whose settings hold a text where only `{{names}}` may stand, without that text: an earlier
/// version took such a one in.
fn mended(bytes: &[u8]) -> Option<Workspace> {
    let mut stored: Value = serde_json::from_slice(bytes).ok()?;
    let mut emptied = stored
        .get_mut("authorization")
        .is_some_and(Literal::empty_texts);
    let saved = stored.get_mut("saved").and_then(Value::as_array_mut);
    for saved in saved.into_iter().flatten() {
        let settings = saved.pointer_mut("/request/authorization");
        emptied |= settings.is_some_and(Literal::empty_texts);
    }
    if emptied {
        let name = stored["name"].as_str().unwrap_or_default();
        tracing::warn!(
            name,
            "a secret that was written into the workspace is left out; it has to be typed again in the \
             explorer"
        );
    }
    serde_json::from_value(stored).ok()
}
