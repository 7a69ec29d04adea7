//! Which definition somebody means who names a file, a profile or nothing.
//!
//! No secret is looked for: which API a profile is for can be asked without its key.

use std::path::{Path, PathBuf};

use clap::Args;
use hallpass_client::profile::Profile;
use hallpass_client::profiles::Profiles;
use hallpass_openapi::Definition;

use super::Known;
use crate::client::selection::FileArg;
use crate::client::{config_directory, library};
use crate::command::CommandError;

/// The definition to look into.
#[derive(Debug, Args)]
pub(crate) struct ApiArg {
    /// OpenAPI definition in JSON or YAML [default: the profile's, else the built-in one]
    #[arg(long, value_name = "FILE", conflicts_with = "profile")]
    api: Option<PathBuf>,
    /// Profile whose definition is meant [default: the one that `hallpass call` would use]
    #[arg(long, short, value_name = "NAME")]
    profile: Option<String>,
    #[command(flatten)]
    profiles: FileArg,
    /// Say on stderr when the definition is read whole, and why
    #[arg(long, short)]
    verbose: bool,
}

/// How `hallpass call` comes to use a definition.
pub(crate) enum Way {
    /// With these options, often none.
    Options(Vec<String>),
    /// Not at all, until a profile has the definition in this file.
    NoProfile(PathBuf),
}

impl ApiArg {
    /// Opens the definition.
    pub(crate) fn open(&self) -> Result<Known, CommandError> {
        let known = Known::open(self.file()?.as_deref())?;
        if self.verbose {
            known.tell_remark();
        }
        Ok(known)
    }

    /// Reads the whole definition.
    pub(crate) fn read(&self) -> Result<Definition, CommandError> {
        Ok(super::load(self.file()?.as_deref())?.definition)
    }

    fn file(&self) -> Result<Option<PathBuf>, CommandError> {
        match &self.api {
            Some(file) => Ok(Some(file.clone())),
            None => of_profile(self.profile.as_deref(), &self.profiles),
        }
    }

    /// How a call comes to use the same definition.
    pub(crate) fn way(&self) -> Way {
        let of = |profile: &str| {
            let mut options = vec!["-p".to_owned(), profile.to_owned()];
            options.extend(self.profiles.as_typed());
            Way::Options(options)
        };
        let Some(file) = &self.api else {
            let named = self.profile.as_deref().filter(|name| !name.is_empty());
            return named.map_or_else(|| Way::Options(self.profiles.as_typed()), of);
        };
        let is_it = |api: &Path| match (api.canonicalize(), file.canonicalize()) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        };
        if of_profile(None, &self.profiles).is_ok_and(|api| api.as_deref().is_some_and(is_it)) {
            return Way::Options(self.profiles.as_typed());
        }
        // Profiles that cannot be read are none: the definition can be looked at all the same.
        let profiles = self.profiles.load().ok();
        let mut all = profiles.iter().flat_map(Profiles::iter);
        match all.find(|one| one.api().is_some_and(is_it)) {
            Some(profile) => of(profile.name().as_str()),
            None => Way::NoProfile(file.clone()),
        }
    }
}

/// The definition of a profile: the one that is named, that of the environment, or the current one.
/// Without any profile it is the built-in one.
pub(crate) fn of_profile(
    name: Option<&str>,
    file: &FileArg,
) -> Result<Option<PathBuf>, CommandError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = name.map(str::to_owned).filter(|name| !name.is_empty());
    let named = named.or_else(|| variable("HALLPASS_PROFILE"));
    if named.is_none() && file.is_open() && Profile::is_in_environment(variable) {
        return Ok(variable("HALLPASS_API").map(PathBuf::from));
    }
    // Without a home there are no profiles, and the built-in definition needs none.
    if named.is_none() && !file.is_shared() && config_directory().is_err() {
        return Ok(None);
    }
    let profiles = file.load()?;
    if named.is_none() && profiles.current().is_none() {
        return Ok(None);
    }
    let profile = profiles.select(named.as_deref()).map_err(library)?;
    Ok(profile.api().map(Path::to_owned))
}
