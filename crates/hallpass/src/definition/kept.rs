//! Where compiled definitions are kept: `$XDG_CACHE_HOME/hallpass/definitions`, a few of them, for
//! their owner only; and beside them, of which files they were made.
//!
//! What is in them is checked by whoever reads them; this module only makes sure that nobody else
//! could have put them there. Every failure means that a definition is read once more, so none is
//! an error.

use std::borrow::Cow;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{Read as _, Write as _};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use hallpass_openapi::{Bytes, Digest};

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
    pub(super) fn nowhere() -> Self {
        Self(None)
    }

    /// The compiled definition that is kept under `key`, or why there is none.
    pub(super) fn get(&self, key: &Digest) -> Result<KeptFile, String> {
        open(&self.path(key, COMPILED)?)
    }

    /// What was noted under `key`.
    pub(super) fn note(&self, key: &Digest) -> Option<String> {
        let mut text = String::new();
        let file = open(&self.path(key, NOTE).ok()?).ok()?;
        (&file.0)
            .take(LONGEST_NOTE)
            .read_to_string(&mut text)
            .ok()?;
        Some(text)
    }

    /// Keeps a compiled definition under `key`, in one step; the oldest others go when there are too
    /// many.
    pub(super) fn put(&self, key: &Digest, bytes: &[u8]) -> Result<(), String> {
        write(&self.path(key, COMPILED)?, bytes)?;
        self.remove_oldest(COMPILED);
        Ok(())
    }

    /// Notes something under `key`.
    pub(super) fn put_note(&self, key: &Digest, text: &str) -> Result<(), String> {
        write(&self.path(key, NOTE)?, text.as_bytes())?;
        self.remove_oldest(NOTE);
        Ok(())
    }

    /// Takes what is noted under `key` away.
    pub(super) fn remove_note(&self, key: &Digest) {
        self.remove_file(key, NOTE);
    }

    /// Takes the compiled definition under `key` away.
    pub(super) fn remove(&self, key: &Digest) {
        self.remove_file(key, COMPILED);
    }

    fn remove_file(&self, key: &Digest, suffix: &str) {
        if let Ok(path) = self.path(key, suffix) {
            // If it cannot go, it is not believed the next time either.
            let _ = fs::remove_file(path);
        }
    }

    fn path(&self, key: &Digest, suffix: &str) -> Result<PathBuf, String> {
        let directory = self.0.as_ref().ok_or("there is no cache directory")?;
        Ok(directory.join(format!("{key}{suffix}")))
    }

    fn remove_oldest(&self, suffix: &str) {
        let Some(Ok(entries)) = self.0.as_ref().map(fs::read_dir) else {
            return;
        };
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let ours = entry.file_name().to_string_lossy().ends_with(suffix);
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

/// A file that is here, if nobody else can have written it. Neither a link nor a pipe is followed or
/// waited for.
fn open(path: &Path) -> Result<KeptFile, String> {
    let open = || {
        let metadata = fs::symlink_metadata(path)?;
        let file = metadata.is_file().then(|| File::open(path)).transpose()?;
        Ok((file, metadata.dev(), metadata.ino()))
    };
    let (file, device, inode) = open().map_err(|error: std::io::Error| error.to_string())?;
    let others = || "others could have written it".to_owned();
    let file = file.ok_or_else(others)?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    let same = (metadata.dev(), metadata.ino()) == (device, inode);
    let mine = metadata.uid() == rustix::process::geteuid().as_raw();
    if !same || !mine || metadata.mode() & OTHERS_WRITE != 0 {
        return Err(others());
    }
    Ok(KeptFile(file))
}

/// Writes a file in one step.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
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
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    written().map_err(|error: std::io::Error| error.to_string())
}

/// Of which only as much is read as is asked for.
#[derive(Debug)]
pub(super) struct KeptFile(File);

impl Bytes for KeptFile {
    fn range(&self, range: Range<usize>) -> Option<Cow<'_, [u8]>> {
        let length = usize::try_from(self.0.metadata().ok()?.len()).ok()?;
        if range.start > range.end || range.end > length {
            return None;
        }
        let mut bytes = vec![0; range.len()];
        let start = u64::try_from(range.start).ok()?;
        self.0.read_exact_at(&mut bytes, start).ok()?;
        Some(Cow::Owned(bytes))
    }
}

const COMPILED: &str = ".compiled";
const NOTE: &str = ".note";

/// A note is a line.
const LONGEST_NOTE: u64 = 4096;

/// The permission bits that let others change a file.
const OTHERS_WRITE: u32 = 0o022;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(kept: &Kept, key: &Digest) -> String {
        let file = kept.get(key).unwrap();
        let length = usize::try_from(file.0.metadata().unwrap().len()).unwrap();
        assert_eq!(file.range(0..length + 1), None, "there is no more");
        String::from_utf8(file.range(0..length).unwrap().into_owned()).unwrap()
    }

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
        assert_eq!(text(&kept, last), last.to_string());
        assert_eq!(fs::read_dir(&directory).unwrap().count(), MOST);
        let mode = |path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(
            (mode(directory), mode(kept.path(last, COMPILED).unwrap())),
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
        let path = kept.path(&key, COMPILED).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o622)).unwrap();
        assert!(kept.get(&key).is_err());
        let elsewhere = outer.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(kept.get(&key).is_err(), "a link may lead anywhere");
        kept.put(&key, b"y").unwrap();
        assert_eq!(text(&kept, &key), "y");
    }
}
