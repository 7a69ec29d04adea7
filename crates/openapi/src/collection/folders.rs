//! The tree of folders: one for each part of the paths, as people know it from Postman's own import
//! (domain.md section 9, step 9). A folder that would hold nothing but one folder is joined with it.

use serde_json::{Value, json};

use super::id::id;
use super::request;
use crate::definition::Definition;
use crate::operation::Operation;

/// The items of a collection.
pub(super) fn tree(definition: &Definition, operations: &[&Operation]) -> Value {
    let mut root = Folder::default();
    for operation in operations {
        let segments = operation.path().split('/').filter(|one| !one.is_empty());
        segments
            .fold(&mut root, Folder::below)
            .operations
            .push(operation);
    }
    root.items(definition, "")
}

/// What begins with one path.
#[derive(Default)]
struct Folder<'a> {
    operations: Vec<&'a Operation>,
    /// By the next segment of the path, in the order of the definition.
    folders: Vec<(&'a str, Folder<'a>)>,
}

impl<'a> Folder<'a> {
    fn below(&mut self, segment: &'a str) -> &mut Self {
        let at = self.folders.iter().position(|(name, _)| *name == segment);
        let at = at.unwrap_or_else(|| {
            self.folders.push((segment, Self::default()));
            self.folders.len() - 1
        });
        &mut self.folders[at].1
    }

    fn items(&self, definition: &Definition, path: &str) -> Value {
        let requests = self.operations.iter();
        let requests = requests.map(|operation| request::item(definition, operation));
        let folders = self.folders.iter();
        let folders = folders.map(|(name, folder)| folder.item(definition, path, name));
        requests.chain(folders).collect()
    }

    /// The folder at `path`, called `name`; a single request needs none.
    fn item(&self, definition: &Definition, path: &str, name: &str) -> Value {
        let path = format!("{path}/{}", name.rsplit('/').next().unwrap_or(name));
        match (self.operations.as_slice(), self.folders.as_slice()) {
            ([operation], []) => request::item(definition, operation),
            ([], [(only, folder)]) => folder.item(definition, &path, &format!("{name}/{only}")),
            _ => json!({
                "id": id(&["folder", &path]),
                "name": name,
                "item": self.items(definition, &path),
            }),
        }
    }
}
