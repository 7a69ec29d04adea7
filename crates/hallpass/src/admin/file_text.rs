//! Files that a command names, such as a private key: read here, sent as text, wiped after use.

use std::convert::Infallible;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::command::CommandError;

/// The text of a file that was named on the command line. It is read by the process that was started
/// there, which may read what the server may not; wiped from memory with the value.
#[derive(Clone)]
pub(crate) enum FileText {
    /// Named, and not read yet. `-` is standard input.
    Named(PathBuf),
    Read(Zeroizing<String>),
}

/// Longest file that is read, in bytes: a key set of ten RSA keys fits many times over.
const LONGEST_FILE: usize = 64 * 1024;

impl FileText {
    /// Reads the file, if that was not done.
    pub(crate) fn read(&mut self) -> Result<(), CommandError> {
        if let Self::Named(path) = self {
            *self = Self::Read(read_file(path)?);
        }
        Ok(())
    }

    /// The text; nothing before it is read.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Named(_) => "",
            Self::Read(text) => text,
        }
    }

    /// The access bits of the file, where others than its owner have some.
    pub(crate) fn open_to_others(&self) -> Option<(&Path, u32)> {
        let Self::Named(path) = self else { return None };
        let metadata = std::fs::metadata(path).ok().filter(Metadata::is_file)?;
        let mode = metadata.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then_some((path, mode))
    }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, CommandError> {
    let failed = |what: &str| {
        let name = if path == Path::new("-") {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        CommandError::usage(format!("{name} {what}"))
    };
    // Room for everything at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_FILE + 64));
    let most = u64::try_from(LONGEST_FILE + 1).unwrap_or(u64::MAX);
    let read = if path == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    read.map_err(|error| failed(&format!("cannot be read: {error}")))?;
    if bytes.len() > LONGEST_FILE {
        return Err(failed(&format!("is longer than {LONGEST_FILE} bytes")));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| failed("is no text"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

impl FromStr for FileText {
    type Err = Infallible;
    fn from_str(path: &str) -> Result<Self, Infallible> {
        Ok(Self::Named(PathBuf::from(path)))
    }
}

impl fmt::Debug for FileText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(path) => write!(f, "FileText({})", path.display()),
            Self::Read(_) => f.write_str("FileText([redacted])"),
        }
    }
}

// In Base64, because text in JSON is unescaped in a buffer that nobody wipes.
impl Serialize for FileText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(_) => Err(S::Error::custom("the file was not read")),
            Self::Read(text) => {
                serializer.serialize_str(&Zeroizing::new(STANDARD.encode(text.as_bytes())))
            }
        }
    }
}

impl<'de> Deserialize<'de> for FileText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let base64 = <&str>::deserialize(deserializer)?;
        let bytes = STANDARD.decode(base64).map(Zeroizing::new);
        let bytes = bytes.map_err(D::Error::custom)?;
        let text = std::str::from_utf8(&bytes).map_err(D::Error::custom)?;
        Ok(Self::Read(Zeroizing::new(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_travels_by_its_text_and_never_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        std::fs::write(&path, "line\n\"quoted\"\n").unwrap();
        let mut file = FileText::Named(path.clone());
        assert!(serde_json::to_string(&file).is_err(), "it was not read");
        file.read().unwrap();
        let travelled: FileText =
            serde_json::from_str(&serde_json::to_string(&file).unwrap()).unwrap();
        assert_eq!(travelled.text(), "line\n\"quoted\"\n");
        assert!(!format!("{travelled:?}").contains("line"));

        std::fs::write(&path, vec![b'x'; LONGEST_FILE + 1]).unwrap();
        let error = FileText::Named(path).read().unwrap_err();
        assert!(error.message().contains("is longer than"), "{error:?}");
    }
}
