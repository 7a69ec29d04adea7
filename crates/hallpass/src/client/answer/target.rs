//! Where an answer goes: standard output, or a file that is replaced once everything has come.

use std::fs::Permissions;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Failure;
use crate::command::{CommandError, Exit};

/// Where an answer goes.
pub(super) enum Target {
    Stdout(BufWriter<io::Stdout>),
    File {
        file: BufWriter<NamedTempFile>,
        path: PathBuf,
    },
}

impl Target {
    /// A file, else standard output. Whether the file can be written is known before anything is
    /// sent.
    pub(super) fn open(save: Option<&Path>) -> Result<Self, CommandError> {
        let Some(path) = save else {
            return Ok(Self::Stdout(BufWriter::with_capacity(BUFFER, io::stdout())));
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let refused = |reason: &str| {
            CommandError::usage(format!("{} cannot be written: {reason}", path.display()))
        };
        if path.is_dir() {
            return Err(refused("it is a folder"));
        }
        // The usual permissions of a file that somebody makes, which their umask narrows.
        let file = tempfile::Builder::new()
            .prefix(".hallpass-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|error| refused(&error.to_string()))?;
        Ok(Self::File {
            file: BufWriter::with_capacity(BUFFER, file),
            path: path.to_owned(),
        })
    }

    /// Whether somebody looks at it.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout(_)) && io::stdout().is_terminal()
    }

    /// Everything has been written.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.flush()?;
        match self {
            Self::Stdout(_) => Ok(()),
            Self::File { file, path } => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.as_file().sync_all()?;
                file.persist(&path).map_err(|error| {
                    let what = format!("{} could not be written", path.display());
                    CommandError::caused(Exit::Refused, &what, &error.error)
                })?;
                Ok(())
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File { file, .. } => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File { file, .. } => file.flush(),
        }
    }
}

/// Standard output by itself writes every line on its own.
const BUFFER: usize = 64 * 1024;
