//! The file of profiles: `profiles.toml` in the configuration directory, with the name of the
//! current one.
//!
//! It is replaced whole, by rename, under a lock, so two programs that change it neither tear it nor
//! lose each other's change. It never holds a secret, and one that was put there by hand is refused.

mod forbidden;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::private_file;
use crate::profile::{Profile, ProfileError, ProfileName, Settings};

/// All stored profiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profiles {
    current: Option<ProfileName>,
    entries: BTreeMap<ProfileName, Profile>,
}

/// What to do when the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Refuse.
    Keep,
    /// Take its place.
    Replace,
}

impl Profiles {
    /// Reads the file; a missing one holds no profiles.
    pub fn load(directory: &Path) -> Result<Self, ProfileError> {
        let path = directory.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => parse(&text, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ProfileError::File {
                action: "read",
                path,
                source,
            }),
        }
    }

    /// Reads a file that others write as well, such as one in a repository.
    ///
    /// Whoever writes it may choose where secrets are sent. So it gets none that was not meant for
    /// it: it may name environment variables of this program's own only, no file and no program to
    /// run, and it has no say in whose certificates are believed. Its profiles know that they are
    /// shared ([`Profile::is_shared`]).
    pub fn load_shared(path: &Path) -> Result<Self, ProfileError> {
        let text = fs::read_to_string(path).map_err(|source| ProfileError::File {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        let mut profiles = parse(&text, path)?;
        for profile in profiles.entries.values_mut() {
            if let Some(setting) = forbidden::in_a_shared_file(profile) {
                return Err(ProfileError::Entry {
                    path: path.to_owned(),
                    name: profile.name().to_string(),
                    source: Box::new(ProfileError::NotShared { setting }),
                });
            }
            *profile = profile.clone().into_shared();
        }
        Ok(profiles)
    }

    /// Reads the file, changes it and writes it back, all under one lock. Nothing is written when
    /// the change is refused.
    pub fn update<T>(
        directory: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, ProfileError>,
    ) -> Result<T, ProfileError> {
        let _held_until_written = lock(directory)?;
        let mut profiles = Self::load(directory)?;
        let result = change(&mut profiles)?;
        profiles.write(directory)?;
        Ok(result)
    }

    /// Adds a profile. The first one becomes current.
    pub fn add(&mut self, profile: Profile, existing: Existing) -> Result<(), ProfileError> {
        let name = profile.name().clone();
        if existing == Existing::Keep && self.entries.contains_key(&name) {
            return Err(ProfileError::Exists {
                name: name.to_string(),
            });
        }
        self.tell_apart(&name)?;
        if self.entries.is_empty() {
            self.current = Some(name.clone());
        }
        self.entries.insert(name, profile);
        Ok(())
    }

    /// Refuses a new name that a file system might take for another one's. A file that has such
    /// names already stays usable.
    fn tell_apart(&self, new: &ProfileName) -> Result<(), ProfileError> {
        let alike = |other: &&ProfileName| other.as_str().eq_ignore_ascii_case(new.as_str());
        match self.entries.keys().find(alike) {
            Some(other) if !self.entries.contains_key(new) => Err(ProfileError::SameButCase {
                name: new.to_string(),
                other: other.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// The profiles, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Profile> {
        self.entries.values()
    }

    /// The current profile's name.
    pub fn current(&self) -> Option<&ProfileName> {
        self.current.as_ref()
    }

    /// The profile called `name`; without a name, the current one.
    pub fn select(&self, name: Option<&str>) -> Result<&Profile, ProfileError> {
        match (name, &self.current) {
            (Some(name), _) => self.get(name),
            (None, Some(current)) => self.get(current.as_str()),
            (None, None) => Err(ProfileError::NoneChosen {
                known: self.names(),
            }),
        }
    }

    /// Makes a profile current.
    pub fn use_profile(&mut self, name: &str) -> Result<(), ProfileError> {
        self.current = Some(self.get(name)?.name().clone());
        Ok(())
    }

    /// Takes a profile out; if it was the current one, none is.
    pub fn remove(&mut self, name: &str) -> Result<Profile, ProfileError> {
        let name = self.get(name)?.name().clone();
        if self.current.as_ref() == Some(&name) {
            self.current = None;
        }
        self.entries
            .remove(&name)
            .ok_or_else(|| ProfileError::Unknown {
                name: name.to_string(),
                known: self.names(),
            })
    }

    /// Gives a profile another name: `profile` takes the place of `name`, which may be current.
    pub fn rename(&mut self, name: &str, profile: Profile) -> Result<(), ProfileError> {
        let was_current = self
            .current
            .as_ref()
            .is_some_and(|current| current.as_str() == name);
        let to = profile.name().clone();
        if to.as_str() != name && self.entries.contains_key(&to) {
            return Err(ProfileError::Exists {
                name: to.to_string(),
            });
        }
        self.tell_apart(&to)?;
        self.remove(name)?;
        self.entries.insert(to.clone(), profile);
        if was_current {
            self.current = Some(to);
        }
        Ok(())
    }

    /// Undoes what was done to one profile since it was `before`.
    pub fn put_back(&mut self, name: &ProfileName, before: Option<Profile>) {
        if let Some(before) = before {
            self.entries.insert(name.clone(), before);
            return;
        }
        self.entries.remove(name);
        if self.current.as_ref() == Some(name) {
            self.current = None;
        }
    }

    fn get(&self, name: &str) -> Result<&Profile, ProfileError> {
        let unknown = || ProfileError::Unknown {
            name: name.to_owned(),
            known: self.names(),
        };
        let name = ProfileName::parse(name)?;
        self.entries.get(&name).ok_or_else(unknown)
    }

    fn names(&self) -> Vec<String> {
        self.entries.keys().map(ToString::to_string).collect()
    }

    fn write(&self, directory: &Path) -> Result<(), ProfileError> {
        let path = directory.join(FILE);
        let failed = |source| ProfileError::File {
            action: "write",
            path: path.clone(),
            source,
        };
        let table = Table {
            current: self.current.as_ref().map(ToString::to_string),
            profiles: self
                .entries
                .iter()
                .map(|(n, p)| (n.to_string(), Settings::of(p, directory)))
                .collect(),
        };
        let text = toml::to_string(&table).map_err(|error| failed(io::Error::other(error)))?;
        private_file::replace(&path, text.as_bytes(), private_file::Durable::Yes).map_err(failed)
    }
}

/// The file's name in the configuration directory.
const FILE: &str = "profiles.toml";

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Settings>,
}

fn parse(text: &str, path: &Path) -> Result<Profiles, ProfileError> {
    if let Some(misplaced) = forbidden::misplaced_secret(text, path) {
        return Err(misplaced);
    }
    // Only the parser's message is taken: its full text quotes the line, and the line may be a
    // secret somebody put into the wrong file.
    let table: Table = toml::from_str(text).map_err(|error| ProfileError::Syntax {
        path: path.to_owned(),
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let mut entries = BTreeMap::new();
    let folder = path.parent().unwrap_or(Path::new("/"));
    for (name, settings) in table.profiles {
        let read = ProfileName::parse(&name).and_then(|name| settings.read(name, folder));
        let profile = read.map_err(|source| ProfileError::Entry {
            path: path.to_owned(),
            name,
            source: Box::new(source),
        })?;
        entries.insert(profile.name().clone(), profile);
    }
    // A current profile that is gone is no profile; the next call says that none is chosen.
    let current = table
        .current
        .and_then(|name| ProfileName::parse(&name).ok());
    Ok(Profiles {
        current: current.filter(|name| entries.contains_key(name)),
        entries,
    })
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn lock(directory: &Path) -> Result<File, ProfileError> {
    let path = directory.join("profiles.lock");
    let failed = |source| ProfileError::File {
        action: "lock",
        path: path.clone(),
        source,
    };
    private_file::create_directory(directory).map_err(failed)?;
    let file = private_file::open_lock(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
