//! Files that only their owner may read: made with mode 0600 in directories with mode 0700, replaced
//! whole by rename so that readers need no lock and never see half a file.
//!
//! Knows nothing of what is in them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a private file is not used. Cloneable, because one failure may be told to many waiters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrivateFileError {
    /// Others may read or change it.
    #[error("{} is open to other people (mode {mode:03o})", path.display())]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they have to be.
        wanted: u32,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to another user than its directory", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
    },
    /// Far too large, or no plain file.
    #[error("{} is no plain file of a sensible size", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot {action} {}: {reason}", path.display())]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

impl PrivateFileError {
    fn io(action: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exposed { path, wanted, .. } => {
                Some(format!("chmod {wanted:03o} {}", path.display()))
            }
            Self::Owner { path } => Some(format!("remove {}", path.display())),
            Self::Shape { .. } | Self::Io { .. } => None,
        }
    }
}

/// A directory whose files are for its owner only.
#[derive(Debug, Clone)]
pub(crate) struct PrivateDirectory(PathBuf);

impl PrivateDirectory {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Makes the directory when it is missing, and refuses one that others may change.
    pub(crate) fn prepare(&self) -> Result<(), PrivateFileError> {
        create_directory(&self.0)
            .map_err(|error| PrivateFileError::io("create", &self.0, &error))?;
        self.owner().map(drop)
    }

    /// Reads a file of the directory; `None` when there is none.
    ///
    /// Whoever is not root can open a file with mode 0600 only as its owner, so a file that passes
    /// here is one of our own; for root the directory's owner has to be the file's as well. What
    /// somebody else planted is not read.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, PrivateFileError> {
        let path = self.path(name);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(PrivateFileError::io("read", &path, &error)),
        };
        let owner = self.owner()?;
        let failed = |error: io::Error| PrivateFileError::io("read", &path, &error);
        let metadata = file.metadata().map_err(failed)?;
        if metadata.mode() & OTHERS != 0 {
            let mode = metadata.mode() & 0o777;
            return Err(PrivateFileError::Exposed {
                path,
                mode,
                wanted: 0o600,
            });
        }
        if metadata.uid() != owner {
            return Err(PrivateFileError::Owner { path });
        }
        let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        if !metadata.is_file() || size > LARGEST {
            return Err(PrivateFileError::Shape { path });
        }
        // Room for all of it at once: a growing buffer would leave copies of its content behind.
        let mut content = Zeroizing::new(Vec::with_capacity(size + 1));
        file.read_to_end(&mut content).map_err(failed)?;
        Ok(Some(content))
    }

    /// Replaces a file of the directory.
    pub(crate) fn replace(
        &self,
        name: &str,
        content: &[u8],
        durable: Durable,
    ) -> Result<(), PrivateFileError> {
        self.prepare()?;
        let path = self.path(name);
        replace(&path, content, durable)
            .map_err(|error| PrivateFileError::io("write", &path, &error))
    }

    /// Removes a file of the directory; says whether there was one.
    pub(crate) fn remove(&self, name: &str) -> Result<bool, PrivateFileError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(PrivateFileError::io("remove", &path, &error)),
        }
    }

    fn owner(&self) -> Result<u32, PrivateFileError> {
        let metadata =
            fs::metadata(&self.0).map_err(|error| PrivateFileError::io("read", &self.0, &error))?;
        if metadata.mode() & OTHERS_WRITE != 0 {
            let mode = metadata.mode() & 0o777;
            return Err(PrivateFileError::Exposed {
                path: self.0.clone(),
                mode,
                wanted: 0o700,
            });
        }
        Ok(metadata.uid())
    }
}

/// Whether the content has to survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    Yes,
    /// A lost or empty file only costs another request.
    No,
}

/// Writes a file with mode 0600 beside its place and renames it there.
pub(crate) fn replace(path: &Path, content: &[u8], durable: Durable) -> io::Result<()> {
    let directory = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut file = tempfile::Builder::new()
        .prefix(".hallpass-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(directory)?;
    file.write_all(content)?;
    if durable == Durable::Yes {
        file.as_file().sync_all()?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Makes a directory with mode 0700, with those above it, unless it is there.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file that exists only to be locked. It is never removed: a program that waits on a
/// removed file and one that makes a new file would both think they hold the lock.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
}

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Those of them that let others put files into a directory. A directory that was there before may
/// be seen by others: its files are not.
const OTHERS_WRITE: u32 = 0o022;

/// Largest private file read, in bytes: a token answer is at most 64 kB; many of them, kept together and
/// encrypted, are far less than this.
const LARGEST: usize = 2 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, PrivateDirectory) {
        let outer = tempfile::tempdir().unwrap();
        let directory = PrivateDirectory::new(outer.path().join("a/private"));
        (outer, directory)
    }

    #[test]
    fn what_is_written_is_read_back_by_its_owner_only() {
        let (_outer, directory) = directory();
        assert_eq!(directory.read("x").unwrap(), None);
        directory.replace("x", b"one", Durable::No).unwrap();
        directory.replace("x", b"two", Durable::Yes).unwrap();
        assert_eq!(directory.read("x").unwrap().unwrap().as_slice(), b"two");
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(
            (mode(&directory.0), mode(&directory.path("x"))),
            (0o700, 0o600)
        );
        let left = fs::read_dir(&directory.0).unwrap().count();
        assert_eq!(left, 1, "no temporary file stays behind");
        assert!(directory.remove("x").unwrap());
        assert!(!directory.remove("x").unwrap());
    }

    #[test]
    fn files_and_directories_that_others_can_read_are_refused_with_the_cure() {
        let (_outer, directory) = directory();
        directory.replace("x", b"one", Durable::No).unwrap();
        let path = directory.path("x");
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let error = directory.read("x").unwrap_err();
            assert_eq!(
                error.hint().unwrap(),
                format!("chmod 600 {}", path.display())
            );
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(&directory.0, Permissions::from_mode(0o770)).unwrap();
        assert!(
            directory
                .read("x")
                .unwrap_err()
                .hint()
                .unwrap()
                .starts_with("chmod 700")
        );
        assert!(directory.replace("x", b"two", Durable::No).is_err());
    }

    #[test]
    fn odd_files_are_refused() {
        let (_outer, directory) = directory();
        directory
            .replace("big", &vec![b'x'; LARGEST + 1], Durable::No)
            .unwrap();
        assert!(matches!(
            directory.read("big"),
            Err(PrivateFileError::Shape { .. })
        ));
        DirBuilder::new()
            .mode(0o700)
            .create(directory.path("dir"))
            .unwrap();
        assert!(directory.read("dir").is_err());
    }
}
