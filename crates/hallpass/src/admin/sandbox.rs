//! The commands for the stand-in: its state as a whole, and faults.

use std::convert::Infallible;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::admin::InWorkspace;
use crate::command::{CommandError, Exit};
use crate::output;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum SandboxCommand {
    /// List the stand-ins that have a state, and how large it is
    List,
    /// Write the whole state of a stand-in to a file
    Save {
        #[command(flatten)]
        of: StandInArgs,
        /// Where to; `-` is standard output
        #[arg(long, value_name = "FILE", default_value = "-")]
        file: PathBuf,
    },
    /// Put a saved state in the place of the present one; a file that is not good changes nothing
    Restore {
        #[command(flatten)]
        of: StandInArgs,
        /// What `save` wrote; `-` is standard input
        #[arg(long, value_name = "FILE", default_value = "-")]
        file: Document,
    },
    /// Begin anew; what was made is gone
    Reset {
        #[command(flatten)]
        of: StandInArgs,
        /// Number that the state is made from [default: that of the server]
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// How many volumes it has [default: that of the server]
        #[arg(long, value_name = "N")]
        volumes: Option<usize>,
    },
    /// Faults that a running server makes
    #[command(subcommand)]
    Fault(FaultCommand),
}

/// Which stand-in.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct StandInArgs {
    /// Application instance, by name or id
    #[arg(long)]
    pub(crate) instance: String,
    #[command(flatten)]
    pub(crate) at: InWorkspace,
}

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum FaultCommand {
    /// Make faults from the next call on, until the server ends or they are cleared
    Add {
        /// Faults, such as `status=503; every=10` or `delay=500ms, task=fail`
        faults: String,
        /// Application instance, by name or id
        #[arg(long)]
        instance: String,
        /// Only for these calls: the id of an operation, a path such as `/api/v1/volumes*`, or a method
        /// and a path
        #[arg(
            long,
            value_name = "CALLS",
            default_value = "",
            hide_default_value = true
        )]
        on: String,
    },
    /// List them, and how many calls each has met
    List {
        /// Application instance, by name or id
        #[arg(long)]
        instance: String,
    },
    /// Make no more, those of the configuration included
    Clear {
        /// Application instance, by name or id
        #[arg(long)]
        instance: String,
    },
}

/// A state that was saved. It is read by the process that was started, which may read what the server may
/// not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Document {
    /// Named, and not read yet. `-` is standard input.
    Named(PathBuf),
    Read(String),
}

/// Longest state that is read, in bytes.
const LONGEST_STATE: u64 = 256 * 1024 * 1024;

impl Document {
    /// Reads the file, if that was not done.
    pub(super) fn read(&mut self) -> Result<(), CommandError> {
        let Self::Named(path) = self else {
            return Ok(());
        };
        let mut text = String::new();
        let most = LONGEST_STATE + 1;
        let read = if path == Path::new("-") {
            std::io::stdin().take(most).read_to_string(&mut text)
        } else {
            File::open(&*path).and_then(|file| file.take(most).read_to_string(&mut text))
        };
        let failed = |what: &str| CommandError::usage(format!("{} {what}", path.display()));
        let read = read.map_err(|error| failed(&format!("cannot be read: {error}")))?;
        if u64::try_from(read).unwrap_or(u64::MAX) > LONGEST_STATE {
            return Err(failed("is longer than 256 MiB"));
        }
        *self = Self::Read(text);
        Ok(())
    }
}

impl FromStr for Document {
    type Err = Infallible;
    fn from_str(path: &str) -> Result<Self, Infallible> {
        Ok(Self::Named(PathBuf::from(path)))
    }
}

/// Puts a saved state where it is to be. A file is replaced as a whole or not at all.
pub(super) fn write(document: &str, file: &Path) -> Result<(), CommandError> {
    if file == Path::new("-") {
        return output::data(document);
    }
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let written =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).and_then(|mut new| {
            new.write_all(document.as_bytes())?;
            new.write_all(b"\n")?;
            Ok(new.persist(file)?)
        });
    written.map(drop).map_err(|error| {
        let what = format!("{} cannot be written", file.display());
        CommandError::caused(Exit::Usage, &what, &error)
    })
}
