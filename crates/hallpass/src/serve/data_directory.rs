//! The data directory: private to its owner, one server at a time, the master key in it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use hallpass_oauth::random::SystemRandom;
use hallpass_store::MasterKey;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::command::CommandError;

/// A data directory that exists and that only its owner can read.
#[derive(Debug, Clone)]
pub(crate) struct DataDirectory(PathBuf);

/// Held by the one process that works on the data. Released when the process ends, however it
/// ends.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl DataDirectory {
    /// Makes the directory where it is missing, 0700. One that others can write to or read is
    /// refused and left as it is: it may be somebody else's.
    pub(crate) fn create(path: &Path) -> Result<Self, CommandError> {
        let failed = |error: std::io::Error| {
            CommandError::usage(format!(
                "the data directory {} cannot be used: {error}",
                path.display()
            ))
            .hint("name another one with --data DIR")
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let mode = std::fs::metadata(path)
            .map_err(failed)?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(CommandError::usage(format!(
                "the data directory {} is open to others (mode {:o})",
                path.display(),
                mode & 0o777
            ))
            .hint(format!(
                "name a directory of your own with --data DIR, or close it: chmod 700 {}",
                path.display()
            )));
        }
        Ok(Self(path.to_owned()))
    }

    /// The database file.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("hallpass.db")
    }

    /// Makes the database file where it is missing, for its owner only; SQLite gives the files
    /// beside it the same mode.
    pub(crate) fn create_database(&self) -> Result<PathBuf, CommandError> {
        let path = self.database();
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| {
                CommandError::usage(format!(
                    "the database {} cannot be used: {error}",
                    path.display()
                ))
            })?;
        Ok(path)
    }

    /// The certificate of the TLS listener with its key and its authority.
    pub(crate) fn tls_file(&self) -> PathBuf {
        self.0.join("tls.pem")
    }

    /// The certificate authority, for the programs that are to trust it.
    pub(crate) fn ca_file(&self) -> PathBuf {
        Self::ca_file_in(&self.0)
    }

    /// The same for a directory that need not exist yet.
    pub(crate) fn ca_file_in(directory: &Path) -> PathBuf {
        directory.join("ca.pem")
    }

    /// Puts a file in place of another or of none, whole and on disk or not at all.
    pub(crate) fn replace(
        &self,
        path: &Path,
        mode: u32,
        content: &[u8],
    ) -> Result<(), CommandError> {
        let written = draft(&self.0, |file| {
            file.write_all(content)?;
            file.set_permissions(Permissions::from_mode(mode))
        });
        let kept = written.and_then(|draft| {
            draft.persist(path)?;
            sync(&self.0)
        });
        kept.map_err(|error| {
            CommandError::usage(format!("{} cannot be written: {error}", path.display()))
        })
    }

    /// The socket that takes administrative commands while a server runs.
    pub(crate) fn admin_socket(&self) -> PathBuf {
        Self::admin_socket_in(&self.0)
    }

    /// The same for a directory that need not exist yet.
    pub(crate) fn admin_socket_in(directory: &Path) -> PathBuf {
        directory.join("admin.sock")
    }

    /// Takes the lock. While another process has it, the error names that one.
    pub(crate) fn lock(&self) -> Result<Lock, CommandError> {
        self.try_lock()?.ok_or_else(|| {
            let holder = self.holder();
            CommandError::refused(format!(
                "another hallpass works on {}{holder}",
                self.0.display()
            ))
            .hint("stop it first, or name another data directory with --data DIR")
        })
    }

    /// Takes the lock, unless another process has it.
    pub(crate) fn try_lock(&self) -> Result<Option<Lock>, CommandError> {
        let path = self.0.join("serve.lock");
        let failed = |error: std::io::Error| {
            CommandError::usage(format!(
                "the lock {} cannot be used: {error}",
                path.display()
            ))
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Lock(file);
                lock.describe("");
                Ok(Some(lock))
            }
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    fn holder(&self) -> String {
        let mut text = String::new();
        if let Ok(file) = File::open(self.0.join("serve.lock")) {
            let _ = file.take(200).read_to_string(&mut text);
        }
        match text.trim() {
            "" => String::new(),
            holder => format!(": {holder}"),
        }
    }

    /// The master key: from the file that `HALLPASS_MASTER_KEY_FILE` names, else from `master.key`,
    /// which is made when there is none.
    pub(crate) fn master_key(&self) -> Result<MasterKey, CommandError> {
        let named = std::env::var_os("HALLPASS_MASTER_KEY_FILE");
        if let Some(file) = named.filter(|file| !file.is_empty()) {
            return read_key(Path::new(&file));
        }
        let path = self.0.join("master.key");
        if path.exists() {
            return read_key(&path);
        }
        if self.database().exists() {
            return Err(CommandError::usage(format!(
                "{} is missing, and without it the database beside it cannot be opened",
                path.display()
            ))
            .hint("put the master key back, or name it with HALLPASS_MASTER_KEY_FILE"));
        }
        let key = MasterKey::generate(&mut SystemRandom);
        let failed = |error: std::io::Error| {
            CommandError::usage(format!("{} cannot be written: {error}", path.display()))
        };
        write_new(&path, |file| file.write_all(key.to_text().as_bytes())).map_err(failed)?;
        Ok(key)
    }
}

impl Lock {
    /// Notes who holds the lock, for the error message of the next one.
    pub(crate) fn describe(&mut self, what: &str) {
        let text = format!("process {} {what}", std::process::id());
        // Only a courtesy: without it the error message says less.
        let _ = self.0.set_len(0);
        let _ = self.0.rewind();
        let _ = self.0.write_all(text.trim_end().as_bytes());
    }
}

/// Makes a file (0600) that is there whole and on disk, or not at all: a master key of which half was
/// written would refuse the next start. One that exists is left as it is.
fn write_new(
    path: &Path,
    write: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    draft(folder, write)?.persist_noclobber(path)?;
    sync(folder)
}

/// A file without a name yet, whose content is on disk.
fn draft(
    folder: &Path,
    write: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> std::io::Result<NamedTempFile> {
    let mut draft = NamedTempFile::new_in(folder)?;
    write(draft.as_file_mut())?;
    draft.as_file().sync_all()?;
    Ok(draft)
}

/// The names of files are kept by their folder.
fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

fn read_key(path: &Path) -> Result<MasterKey, CommandError> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| {
            CommandError::usage(format!(
                "the master key {} cannot be read: {error}",
                path.display()
            ))
        })?;
    MasterKey::parse(&text).map_err(|error| {
        CommandError::usage(format!(
            "the master key {} is wrong: {error}",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_new_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        // As far as a process came that was killed while it wrote.
        let killed = write_new(&path, |file| {
            file.write_all(b"half")?;
            assert!(!path.exists(), "others would see a half");
            Err(std::io::ErrorKind::Interrupted.into())
        });
        assert!(killed.is_err());
        assert_eq!(names(folder.path()), Vec::<String>::new());

        write_new(&path, |file| file.write_all(b"whole")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_exists_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        std::fs::write(&path, "the first").unwrap();
        assert!(write_new(&path, |file| file.write_all(b"the second")).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"the first");
        assert_eq!(names(folder.path()), ["master.key"]);
    }
}
