//! Where the secret of a profile is, as it is written in the profile: the name of a place, never
//! what is in it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ProfileError;
use crate::credential_source::SecretCommand;
use crate::key_store::Store;

/// Where the secret of a profile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// This program keeps it, in the store that was found usable when it was put there.
    Kept(Store),
    /// An environment variable holds it.
    Variable(String),
    /// A file that somebody else looks after holds it.
    File(PathBuf),
    /// A program prints it.
    Command(SecretCommand),
}

impl Default for SecretPlace {
    fn default() -> Self {
        Self::Kept(Store::File)
    }
}

/// The place as it is written: a table with one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretTable {
    /// One of the stores of this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The name of an environment variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// A program with its arguments, or a line for the shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandText>,
}

/// A command as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandText {
    /// A list: a program and its arguments, run without a shell.
    Words(Vec<String>),
    /// One text: a line for the shell.
    Line(String),
}

impl SecretTable {
    /// Checks the table. Relative paths are below `folder`.
    pub(super) fn read(self, folder: &Path) -> Result<SecretPlace, ProfileError> {
        match (self.store, self.env, self.file, self.command) {
            (Some(store), None, None, None) => Ok(SecretPlace::Kept(Store::parse(&store)?)),
            (None, Some(name), None, None) if is_variable(&name) => Ok(SecretPlace::Variable(name)),
            (None, None, Some(file), None) if !file.as_os_str().is_empty() => {
                Ok(SecretPlace::File(folder.join(file)))
            }
            (None, None, None, Some(CommandText::Words(words))) if !words.is_empty() => {
                Ok(SecretPlace::Command(SecretCommand::Program(words)))
            }
            (None, None, None, Some(CommandText::Line(line))) if !line.trim().is_empty() => {
                Ok(SecretPlace::Command(SecretCommand::Shell(line)))
            }
            _ => Err(ProfileError::SecretPlace),
        }
    }

    /// The table that is read back as the same place.
    pub(super) fn of(place: &SecretPlace, folder: &Path) -> Self {
        let mut table = Self::default();
        match place {
            SecretPlace::Kept(store) => table.store = Some(store.word().to_owned()),
            SecretPlace::Variable(name) => table.env = Some(name.clone()),
            SecretPlace::File(file) => {
                table.file = Some(file.strip_prefix(folder).unwrap_or(file).to_owned());
            }
            SecretPlace::Command(SecretCommand::Program(words)) => {
                table.command = Some(CommandText::Words(words.clone()));
            }
            SecretPlace::Command(SecretCommand::Shell(line)) => {
                table.command = Some(CommandText::Line(line.clone()));
            }
        }
        table
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_one_member_and_read_back() {
        let folder = Path::new("/folder");
        for text in [
            "store = \"keyring\"\n",
            "env = \"CI_SECRET\"\n",
            "file = \"mounted/secret\"\n",
            "command = [\"pass\", \"show\", \"x\"]\n",
            "command = \"pass show x | head -1\"\n",
        ] {
            let table: SecretTable = toml::from_str(text).unwrap();
            let place = table.clone().read(folder).unwrap();
            assert_eq!(SecretTable::of(&place, folder), table, "{text}");
            assert_eq!(toml::to_string(&table).unwrap(), text);
        }
    }

    #[test]
    fn no_place_two_places_and_odd_ones_are_refused() {
        for text in [
            "",
            "env = \"A\"\nfile = \"b\"",
            "env = \"planted secret\"",
            "command = []",
            "command = \" \"",
            "store = \"drawer\"",
        ] {
            let table: SecretTable = toml::from_str(text).unwrap();
            let error = table.read(Path::new("/")).unwrap_err();
            assert!(!error.to_string().contains("planted"), "{text}: {error}");
        }
    }
}
