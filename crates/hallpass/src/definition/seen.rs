//! What a file was when it was last looked into, so that it need not be looked into again.
//!
//! A definition is megabytes, and reading it takes longer than a call. So its digest is noted beside
//! what the system says of the file: which one it is, its length, and when it was last changed. The
//! time of its last change (`ctime`) moves with every change of the content and cannot be set, unlike
//! the time that is shown (`mtime`). A note is made only when the file had been left alone for a
//! while: two changes within one tick of the file system's clock have the same time.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use hallpass_openapi::Digest;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::kept::Kept;

/// How long a file must have been left alone. File systems count in steps of up to two seconds.
const SETTLED: SignedDuration = SignedDuration::from_secs(3);

/// What the system says of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Looks {
    device: u64,
    inode: u64,
    length: u64,
    changed: (i64, i64),
    modified: (i64, i64),
}

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    looks: Looks,
    digest: Digest,
}

/// The digest of a file, and its content when it had to be read.
pub(super) fn digest(path: &Path, kept: &Kept) -> io::Result<(Digest, Option<Vec<u8>>)> {
    let key = key(path);
    let note = kept.note(&key);
    let note = note.and_then(|text| serde_json::from_str::<Note>(&text).ok());
    if let Some(note) = note
        && note.looks == Looks::of(&fs::metadata(path)?)
    {
        return Ok((note.digest, None));
    }
    let (bytes, looks) = read(path)?;
    let digest = Digest::of(&bytes);
    if let Some(looks) = looks
        && looks.settled(crate::serve::system_time())
        && let Ok(text) = serde_json::to_string(&Note { looks, digest })
    {
        // Without the note, the file is read the next time too.
        let _ = kept.put_note(&key, &text);
    }
    Ok((digest, Some(bytes)))
}

/// Takes away what was noted of a file, which turned out wrong.
pub(super) fn forget(path: &Path, kept: &Kept) {
    kept.remove_note(&key(path));
}

fn key(path: &Path) -> Digest {
    Digest::of(path.as_os_str().as_bytes())
}

/// A file's content and its looks; those only when they stayed the same while it was read.
fn read(path: &Path) -> io::Result<(Vec<u8>, Option<Looks>)> {
    let mut file = File::open(path)?;
    let before = Looks::of(&file.metadata()?);
    let mut bytes = Vec::with_capacity(usize::try_from(before.length).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    let same = Looks::of(&file.metadata()?) == before;
    Ok((bytes, same.then_some(before)))
}

impl Looks {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    /// Whether the last change is long enough ago. A clock that was set back leaves it open.
    fn settled(&self, now: Timestamp) -> bool {
        now.as_second().saturating_sub(self.changed.0) > SETTLED.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note_of(path: &Path, kept: &Kept, digest: Digest) {
        let looks = Looks::of(&fs::metadata(path).unwrap());
        let text = serde_json::to_string(&Note { looks, digest }).unwrap();
        kept.put_note(&key(path), &text).unwrap();
    }

    #[test]
    fn a_file_that_looks_the_same_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path().join("cache"));
        let path = folder.path().join("api.yaml");
        fs::write(&path, "one").unwrap();
        let first = digest(&path, &kept).unwrap();
        assert_eq!(first, (Digest::of(b"one"), Some(b"one".to_vec())));
        let again = digest(&path, &kept).unwrap();
        assert!(
            again.1.is_some(),
            "it was changed a moment ago, so nothing was noted"
        );
        note_of(&path, &kept, Digest::of(b"noted"));
        assert_eq!(digest(&path, &kept).unwrap(), (Digest::of(b"noted"), None));
    }

    #[test]
    fn another_time_length_or_file_is_another_look() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path().join("cache"));
        let path = folder.path().join("api.yaml");
        fs::write(&path, "one").unwrap();
        note_of(&path, &kept, Digest::of(b"noted"));
        let replaced = folder.path().join("new");
        fs::write(&replaced, "two").unwrap();
        fs::rename(&replaced, &path).unwrap();
        assert_eq!(digest(&path, &kept).unwrap().0, Digest::of(b"two"));
    }

    #[test]
    fn a_file_is_settled_some_time_after_its_last_change() {
        let looks = Looks {
            device: 1,
            inode: 1,
            length: 1,
            changed: (1000, 5),
            modified: (0, 0),
        };
        let at = |second| looks.settled(Timestamp::from_second(second).unwrap());
        assert!(!at(1000) && !at(1003) && at(1004));
        assert!(!at(10), "the clock was set back");
    }
}
