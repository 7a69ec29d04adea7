//! Which file of profiles is meant: one's own, or one that is named. All commands ask here, so that
//! `HALLPASS_PROFILES` means the same to each of them.

use std::path::PathBuf;

use clap::Args;
use hallpass_client::profiles::Profiles;

use super::{config_directory, library};
use crate::command::CommandError;

/// The file of profiles.
#[derive(Debug, Default, Args)]
pub(crate) struct FileArg {
    /// File of profiles to use instead of your own, such as one that is shared in a repository
    /// [default: HALLPASS_PROFILES]
    #[arg(long, value_name = "FILE")]
    profiles: Option<PathBuf>,
}

impl FileArg {
    /// The file that a flag named, if there was one.
    pub(crate) fn flagged(file: Option<&str>) -> Self {
        Self {
            profiles: file.map(PathBuf::from),
        }
    }

    /// Whether a connection in the environment may be meant: a flag says more than a variable.
    pub(crate) fn is_open(&self) -> bool {
        self.profiles.is_none()
    }

    /// Whether it is a file that others write as well; one of no name is one's own.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared().is_some()
    }

    /// The option that named it, for a command line that is to be copied. What the environment says is
    /// left out, it will say it again.
    pub(crate) fn as_typed(&self) -> Vec<String> {
        let file = self.profiles.as_ref();
        file.filter(|file| !file.as_os_str().is_empty())
            .map(|file| vec!["--profiles".to_owned(), file.display().to_string()])
            .unwrap_or_default()
    }

    /// The profiles.
    pub(crate) fn load(&self) -> Result<Profiles, CommandError> {
        match self.shared() {
            Some(file) => Profiles::load_shared(&file),
            None => Profiles::load(&config_directory()?),
        }
        .map_err(library)
    }

    fn shared(&self) -> Option<PathBuf> {
        self.profiles
            .clone()
            .or_else(|| std::env::var_os("HALLPASS_PROFILES").map(PathBuf::from))
            .filter(|file| !file.as_os_str().is_empty())
    }
}

/// The directory of one's own profiles, for commands that change them. Whoever has named another file
/// does not mean those, and the other is not for this program to write.
pub(crate) fn own_to_change() -> Result<PathBuf, CommandError> {
    if let Some(file) = FileArg::default().shared() {
        return Err(CommandError::usage(format!(
            "HALLPASS_PROFILES names {}, and a shared file is not changed",
            file.display()
        ))
        .hint("unset HALLPASS_PROFILES to change your own profiles, or edit that file yourself"));
    }
    config_directory()
}
