//! Files that are written whole or not at all, and not over what somebody else has written since they were
//! read: another explorer on the same folder, an editor, or a program for version control.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hallpass_explorer::DrawerError;
use hallpass_openapi::Digest;

/// What this process has seen of the files that it changes.
#[derive(Default)]
pub(super) struct Seen(Mutex<HashMap<PathBuf, Digest>>);

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readers {
    /// Whoever the person lets: it is a file like others.
    AsUsual,
    /// Its owner only.
    Owner,
}

impl Seen {
    /// Reads a file that is going to be changed.
    pub(super) fn read(&self, path: &Path, largest: usize) -> Result<Option<Vec<u8>>, DrawerError> {
        let content = read(path, largest)?;
        self.remember(path, content.as_deref());
        Ok(content)
    }

    /// Puts a file in place of the one that was read; not in place of another.
    pub(super) fn replace(
        &self,
        path: &Path,
        content: &[u8],
        readers: Readers,
        largest: usize,
    ) -> Result<(), DrawerError> {
        let present = read(path, largest)?.as_deref().map(Digest::of);
        let known = self.lock().get(path).copied();
        if present != known {
            return Err(DrawerError::Unavailable(format!(
                "{} was changed by another program in this moment",
                path.display()
            )));
        }
        replace(path, content, readers)?;
        self.remember(path, Some(content));
        Ok(())
    }

    /// Forgets what was seen of a file that is gone.
    pub(super) fn forget(&self, path: &Path) {
        self.remember(path, None);
    }

    fn remember(&self, path: &Path, content: Option<&[u8]>) {
        let mut seen = self.lock();
        match content {
            Some(content) => seen.insert(path.to_owned(), Digest::of(content)),
            None => seen.remove(path),
        };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a file; `None` if there is none. A link is not followed: whoever else writes the folder would
/// have other files shown.
pub(super) fn read(path: &Path, largest: usize) -> Result<Option<Vec<u8>>, DrawerError> {
    let failed = |error: io::Error| failed("read", path, &error);
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !found.is_file() || found.len() > largest as u64 {
        return Err(DrawerError::Unavailable(format!(
            "{} is no plain file of at most {largest} bytes",
            path.display()
        )));
    }
    let mut content = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(largest as u64)
        .read_to_end(&mut content)
        .map_err(failed)?;
    Ok(Some(content))
}

/// Writes a file beside its place and renames it there.
pub(super) fn replace(path: &Path, content: &[u8], readers: Readers) -> Result<(), DrawerError> {
    let mode = match readers {
        Readers::AsUsual => 0o666,
        Readers::Owner => 0o600,
    };
    let write = || {
        let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
        create_folder(folder, readers)?;
        let mut file = tempfile::Builder::new()
            .prefix(".hallpass-")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error: io::Error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            DrawerError::Full(format!("there is no room for {}", path.display()))
        }
        _ => failed("write", path, &error),
    })
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), DrawerError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path, &error)),
        _ => Ok(()),
    }
}

/// Makes a folder, with those above it, unless it is there.
pub(super) fn create_folder(path: &Path, readers: Readers) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    if readers == Readers::Owner {
        builder.mode(0o700);
    }
    builder.create(path)
}

/// The system refused.
pub(super) fn failed(action: &str, path: &Path, error: &io::Error) -> DrawerError {
    DrawerError::Unavailable(format!("cannot {action} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: usize = 100;

    fn put(seen: &Seen, path: &Path, content: &str) -> Result<(), DrawerError> {
        seen.replace(path, content.as_bytes(), Readers::Owner, LARGEST)
    }

    #[test]
    fn a_file_that_somebody_else_changed_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/x");
        let (one, other) = (Seen::default(), Seen::default());
        assert_eq!(one.read(&path, LARGEST).unwrap(), None);
        put(&one, &path, "1").unwrap();
        put(&one, &path, "2").unwrap();
        put(&other, &path, "3").unwrap_err();
        assert_eq!(other.read(&path, LARGEST).unwrap().unwrap(), b"2");
        put(&other, &path, "3").unwrap();
        put(&one, &path, "4").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"3");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        remove(&path).unwrap();
        other.forget(&path);
        put(&other, &path, "5").unwrap();
    }

    #[test]
    fn links_and_huge_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("x"), folder.path().join("y"));
        fs::write(&path, [b'x'; LARGEST + 1]).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        for path in [path, link] {
            let error = read(&path, LARGEST).unwrap_err().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
    }
}
