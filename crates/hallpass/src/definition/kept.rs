//! Where compiled definitions are kept: `$XDG_CACHE_HOME/hallpass/definitions`, a few of them, for
//! their owner only.
//!
//! What is in them is checked by whoever reads them; this module only makes sure that nobody else
//! could have put them there. Every failure means that a definition is read once more, so none is
//! an error.

use std::fs::{self, DirBuilder, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use hallpass_openapi::Digest;

/// How many are kept. The real definition takes 1.6 MB.
const MOST: usize = 24;

/// A directory of compiled definitions, if there is a place for one.
#[derive(Clone)]
pub(super) struct Kept(Option<PathBuf>);

impl Kept {
    /// The user's own.
    pub(super) fn by_this_user() -> Self {
        let base = crate::client::base("XDG_CACHE_HOME", ".cache");
        Self(base.map(|base| base.join("hallpass/definitions")))
    }

    /// A directory of the caller's choice.
    #[cfg(test)]
    pub(super) fn at(directory: PathBuf) -> Self {
        Self(Some(directory))
    }

    /// No place at all.
    #[cfg(test)]
    pub(super) fn nowhere() -> Self {
        Self(None)
    }

    /// What is kept under `key`, or why there is nothing.
    pub(super) fn get(&self, key: &Digest) -> Result<Vec<u8>, String> {
        let path = self.path(key)?;
        let metadata = fs::symlink_metadata(&path).map_err(|error| error.to_string())?;
        let mine = metadata.uid() == rustix::process::geteuid().as_raw();
        if !metadata.is_file() || !mine || metadata.mode() & OTHERS_WRITE != 0 {
            return Err("others could have written it".to_owned());
        }
        fs::read(&path).map_err(|error| error.to_string())
    }

    /// Keeps `bytes` under `key`, in one step; the oldest others go when there are too many.
    pub(super) fn put(&self, key: &Digest, bytes: &[u8]) -> Result<(), String> {
        let path = self.path(key)?;
        let written = || {
            let directory = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
            let mut file = tempfile::Builder::new()
                .prefix(".new-")
                .permissions(Permissions::from_mode(0o600))
                .tempfile_in(directory)?;
            file.write_all(bytes)?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        written().map_err(|error: std::io::Error| error.to_string())?;
        self.remove_oldest();
        Ok(())
    }

    /// Takes what is kept under `key` away.
    pub(super) fn remove(&self, key: &Digest) {
        if let Ok(path) = self.path(key) {
            // If it cannot go, it is not believed the next time either.
            let _ = fs::remove_file(path);
        }
    }

    fn path(&self, key: &Digest) -> Result<PathBuf, String> {
        let directory = self.0.as_ref().ok_or("there is no cache directory")?;
        Ok(directory.join(format!("{key}{SUFFIX}")))
    }

    fn remove_oldest(&self) {
        let Some(Ok(entries)) = self.0.as_ref().map(fs::read_dir) else {
            return;
        };
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let ours = entry.file_name().to_string_lossy().ends_with(SUFFIX);
                let changed = entry.metadata().ok()?.modified().ok()?;
                ours.then(|| (changed, entry.path()))
            })
            .collect();
        files.sort();
        for (_, path) in files.iter().rev().skip(MOST) {
            let _ = fs::remove_file(path);
        }
    }
}

const SUFFIX: &str = ".compiled";

/// The permission bits that let others change a file.
const OTHERS_WRITE: u32 = 0o022;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_private_and_bounded() {
        let outer = tempfile::tempdir().unwrap();
        let directory = outer.path().join("a/definitions");
        let kept = Kept::at(directory.clone());
        let keys: Vec<Digest> = (0..MOST + 3)
            .map(|number| Digest::of(&[u8::try_from(number).unwrap()]))
            .collect();
        for key in &keys {
            kept.put(key, key.to_string().as_bytes()).unwrap();
        }
        let last = &keys[keys.len() - 1];
        assert_eq!(kept.get(last).unwrap(), last.to_string().as_bytes());
        assert_eq!(fs::read_dir(&directory).unwrap().count(), MOST);
        let mode = |path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(
            (mode(directory), mode(kept.path(last).unwrap())),
            (0o700, 0o600)
        );
        kept.remove(last);
        assert!(kept.get(last).is_err());
    }

    #[test]
    fn what_others_could_have_written_is_not_taken() {
        let outer = tempfile::tempdir().unwrap();
        let kept = Kept::at(outer.path().to_owned());
        let key = Digest::of(b"x");
        kept.put(&key, b"x").unwrap();
        let path = kept.path(&key).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o622)).unwrap();
        assert!(kept.get(&key).is_err());
        let elsewhere = outer.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(kept.get(&key).is_err(), "a link may lead anywhere");
        kept.put(&key, b"y").unwrap();
        assert_eq!(kept.get(&key).unwrap(), b"y");
    }
}
