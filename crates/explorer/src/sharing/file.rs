//! The file that a workspace is shared as.
//!
//! ```json
//! {"hallpassWorkspace": 1, "workspace": {…}, "definitions": [{"id": "…", "text": "…"}]}
//! ```
//!
//! It is read from outside: whatever does not fit together is refused, in words.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::limits::within_limits;
use crate::answer::Failure;
use crate::id::Id;
use crate::workspace::{AuthorizationSettings, Literal, Saved, Workspace};

/// Largest file, in bytes.
pub(super) const LARGEST: usize = 64 << 20;

/// A workspace with the texts of its definitions, in the same order.
#[derive(Debug, PartialEq)]
pub(super) struct Shared {
    pub(super) workspace: Workspace,
    pub(super) definitions: Vec<Carried>,
}

/// The text of a definition.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Carried {
    pub(super) id: Id,
    pub(super) text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    hallpass_workspace: u32,
    workspace: &'a Workspace,
    definitions: &'a [Carried],
}

/// What every version of the file says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    hallpass_workspace: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Read {
    #[serde(rename = "hallpassWorkspace")]
    _version: u32,
    workspace: Workspace,
    definitions: Vec<Carried>,
}

const VERSION: u32 = 1;

impl Shared {
    /// Reads a file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let head: Head = serde_json::from_slice(bytes).map_err(|_| {
            Failure::wrong(
                "this is no workspace of Hallpass",
                "choose a file that was exported in the explorer; a definition is imported inside a \
                 workspace",
            )
        })?;
        let newer = |version| {
            Failure::wrong(
                format!("the file has the format {version}, which this version does not know"),
                "use the version of Hallpass that made the file, or a later one",
            )
        };
        if head.hallpass_workspace != VERSION {
            return Err(newer(head.hallpass_workspace));
        }
        let read: Read = serde_json::from_slice(bytes)
            .map_err(|error| broken(&format!("the file cannot be read: {error}")))?;
        if read.workspace.format != Workspace::FORMAT {
            return Err(newer(read.workspace.format));
        }
        let mut shared = Self {
            workspace: read.workspace,
            definitions: read.definitions,
        };
        shared.workspace.name = crate::workspaces::named(&shared.workspace.name)?;
        shared.put_in_order()?;
        forget_kept(&mut shared.workspace);
        within_limits(&shared.workspace)?;
        Ok(shared)
    }

    /// The file's content.
    pub(super) fn text(&self) -> Result<Vec<u8>, Failure> {
        let written = Written {
            hallpass_workspace: VERSION,
            workspace: &self.workspace,
            definitions: &self.definitions,
        };
        let text = serde_json::to_vec_pretty(&written);
        let text = text.map_err(|error| broken(&format!("it cannot be written: {error}")))?;
        if text.len() > LARGEST {
            return Err(Failure::wrong(
                format!("the file would be larger than {} MiB", LARGEST >> 20),
                "remove a definition first",
            ));
        }
        Ok(text)
    }

    /// Each definition has one text, each text its definition, and nothing is called like another.
    fn put_in_order(&mut self) -> Result<(), Failure> {
        let mut names = HashSet::new();
        let workspace = &self.workspace;
        let definitions = workspace.definitions.iter().map(|one| &one.id);
        let environments = workspace.environments.iter().map(|one| &one.id);
        let saved = workspace.saved.iter().map(|one| &one.id);
        for id in definitions.chain(environments).chain(saved) {
            if !names.insert(id) {
                return Err(broken(&format!("two things in the file are called {id}")));
            }
        }
        for environment in &workspace.environments {
            let mut names = HashSet::new();
            for variable in &environment.variables {
                if !names.insert(&variable.name) {
                    return Err(broken(&format!(
                        "environment {:?} has two variables {:?}",
                        environment.name, variable.name
                    )));
                }
            }
        }
        let count = self.definitions.len();
        let texts = self.definitions.drain(..).map(|one| (one.id, one.text));
        let mut texts: HashMap<Id, String> = texts.collect();
        if texts.len() != count || count != self.workspace.definitions.len() {
            return Err(broken("definitions and their texts do not belong together"));
        }
        for known in &self.workspace.definitions {
            let text = texts.remove(&known.id).ok_or_else(|| {
                broken(&format!(
                    "the text of the definition {:?} is missing",
                    known.title
                ))
            })?;
            let id = known.id.clone();
            self.definitions.push(Carried { id, text });
        }
        Ok(())
    }
}

/// Gives saved requests names of their own, and their definitions those that they have now.
pub(super) fn rename(saved: &mut [Saved], definitions: &HashMap<Id, Id>) {
    for one in saved {
        one.id = Id::generate(&mut hallpass_client::SystemRandom);
        let draft = &mut one.request;
        draft.definition = draft
            .definition
            .take()
            .and_then(|id| definitions.get(&id).cloned());
        if draft.definition.is_none() {
            draft.operation = None;
        }
    }
}

/// What a drawer keeps stays there; in another one nothing is kept under these names.
pub(super) fn forget_kept(workspace: &mut Workspace) {
    for literal in literals(workspace) {
        if let Literal::Kept { .. } = literal {
            *literal = Literal::Empty;
        }
    }
}

/// The names under which the settings of authorization have secrets in the drawer.
pub(super) fn kept_names(workspace: &Workspace) -> Vec<String> {
    let mut workspace = workspace.clone();
    literals(&mut workspace)
        .filter_map(|literal| match literal {
            Literal::Kept { name } => Some(name.clone()),
            Literal::Empty | Literal::Reference { .. } => None,
        })
        .collect()
}

fn literals(workspace: &mut Workspace) -> impl Iterator<Item = &mut Literal> {
    let requests = workspace.saved.iter_mut();
    let own = requests.filter_map(|one| one.request.authorization.as_mut());
    std::iter::once(&mut workspace.authorization)
        .chain(own)
        .filter_map(|settings| match settings {
            AuthorizationSettings::OAuth2(settings) => Some(&mut settings.client_secret),
            AuthorizationSettings::Bearer { token, .. } => Some(token),
            AuthorizationSettings::None | AuthorizationSettings::Profile { .. } => None,
        })
}

fn broken(what: &str) -> Failure {
    Failure::wrong(
        what,
        "the file was changed, or did not arrive whole; ask for it again",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn file(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let definition = |id: &str| {
            json!({"id": id, "title": "T", "version": "1", "format": "OpenAPI 3.0",
                "source": "a.yaml", "documentation": true, "digest": "d"})
        };
        let mut file = json!({
            "hallpassWorkspace": 1,
            "workspace": {
                "format": 1,
                "name": " Test ",
                "definitions": [definition("d1"), definition("d2")],
                "environments": [{"id": "e1", "name": "EU", "variables": []}],
                "authorization": {"type": "oauth2", "clientSecret": {"kind": "kept", "name": "x"}},
                "saved": [{"id": "s1", "name": "S", "request":
                    {"definition": "d2", "operation": "o", "method": "GET", "url": "{{baseUrl}}/x"}}],
            },
            "definitions": [{"id": "d2", "text": "two"}, {"id": "d1", "text": "one"}],
        });
        change(&mut file);
        serde_json::to_vec(&file).unwrap()
    }

    #[test]
    fn a_file_is_put_in_order_and_written_back() {
        let shared = Shared::read(&file(|_| {})).unwrap();
        assert_eq!(shared.workspace.name, "Test");
        let texts: Vec<_> = shared.definitions.iter().map(|one| &*one.text).collect();
        assert_eq!(texts, ["one", "two"]);
        let AuthorizationSettings::OAuth2(settings) = &shared.workspace.authorization else {
            panic!("{:?}", shared.workspace.authorization)
        };
        assert_eq!(settings.client_secret, Literal::Empty);
        assert_eq!(Shared::read(&shared.text().unwrap()).unwrap(), shared);
    }

    #[test]
    fn what_does_not_fit_together_is_refused_by_name() {
        let said = |change: fn(&mut serde_json::Value)| {
            Shared::read(&file(change)).unwrap_err().to_string()
        };
        for (change, says) in [
            (
                (|file| file["hallpassWorkspace"] = 2.into()) as fn(&mut serde_json::Value),
                "format 2",
            ),
            (|file| file["workspace"]["format"] = 9.into(), "format 9"),
            (|file| *file = json!({"openapi": "3.0.0"}), "no workspace"),
            (
                |file| file["workspace"]["environments"][0]["id"] = "d1".into(),
                "called d1",
            ),
            (
                |file| file["definitions"][0]["id"] = "d3".into(),
                "the text",
            ),
            (
                |file| file["definitions"][0]["id"] = "d1".into(),
                "belong together",
            ),
            (|file| file["definitions"] = json!([]), "belong together"),
            (
                |file| file["workspace"]["definitions"][0]["id"] = "../x".into(),
                "no id",
            ),
            (
                |file| file["workspace"]["secrets"] = json!({}),
                "unknown field",
            ),
            (|file| file["workspace"]["name"] = "".into(), "a name"),
            (
                |file| {
                    let one = json!({"name": "x", "on": true});
                    file["workspace"]["environments"][0]["variables"] = json!([one, one]);
                },
                "two variables",
            ),
        ] {
            let said = said(change);
            assert!(said.contains(says), "{says}: {said}");
        }
    }

    #[test]
    fn saved_requests_follow_their_definitions() {
        let mut shared = Shared::read(&file(|_| {})).unwrap();
        let new = Id::parse("new").unwrap();
        let renamed = HashMap::from([(Id::parse("d2").unwrap(), new.clone())]);
        let saved = &mut shared.workspace.saved;
        rename(saved, &renamed);
        assert_eq!(saved[0].request.definition, Some(new));
        assert_eq!(saved[0].request.operation.as_deref(), Some("o"));
        assert_ne!(saved[0].id.as_str(), "s1");
        rename(saved, &HashMap::new());
        assert_eq!(
            (&saved[0].request.definition, &saved[0].request.operation),
            (&None, &None)
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>, cut in 0_usize..900) {
            let _ = Shared::read(&bytes);
            let whole = file(|_| {});
            let part = &whole[..cut.min(whole.len())];
            prop_assert_eq!(Shared::read(part).is_ok(), part.len() == whole.len());
        }

        #[test]
        fn whatever_is_read_is_read_again(name in "\\PC{0,120}", text in "\\PC*", id in "[a-zA-Z./-]{0,70}") {
            let bytes = file(|file| {
                file["workspace"]["name"] = name.into();
                file["definitions"][1]["text"] = text.into();
                file["workspace"]["saved"][0]["request"]["definition"] = id.into();
            });
            if let Ok(shared) = Shared::read(&bytes) {
                prop_assert_eq!(Shared::read(&shared.text().unwrap()).unwrap(), shared);
            }
        }
    }
}
