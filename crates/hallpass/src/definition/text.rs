//! The text of a definition and, when it is written in several files, those beside it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fs;
use std::path::{Component, Path, PathBuf};

use hallpass_openapi::{Definition, Digest, Reading, Source};
use percent_encoding::percent_decode_str;

use super::kept::Kept;
use super::seen;
use crate::command::{CommandError, Exit};

/// The definition that is used unless another is named: the core of the storage API, written for
/// this project.
pub(super) const BUILT_IN: &str = include_str!("../../../../api/storage-api.yaml");

/// A definition that is not read yet.
pub(super) struct Text {
    name: String,
    /// Where the text is; nothing for the built-in one.
    file: Option<PathBuf>,
    /// The file's own name; other files are named from where it is.
    location: String,
    /// Where other files may be. The built-in definition has none.
    folder: Option<PathBuf>,
    bytes: OnceCell<Cow<'static, [u8]>>,
    digest: Digest,
    kept: Kept,
}

impl Text {
    /// The text in `file`, or the built-in one. What `kept` says of the file spares looking into it.
    pub(super) fn of(file: Option<&Path>, kept: &Kept) -> Result<Self, CommandError> {
        let Some(file) = file else {
            let bytes = BUILT_IN.as_bytes();
            return Ok(Self {
                name: "the built-in definition".to_owned(),
                file: None,
                location: String::new(),
                folder: None,
                bytes: OnceCell::from(Cow::Borrowed(bytes)),
                digest: Digest::of(bytes),
                kept: kept.clone(),
            });
        };
        let name = file.display().to_string();
        let path = std::path::absolute(file).map_err(|error| unreadable(&name, &error))?;
        let own_name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let (digest, bytes) =
            seen::digest(&path, kept).map_err(|error| unreadable(&name, &error))?;
        Ok(Self {
            location: own_name.unwrap_or_default(),
            folder: path.parent().map(Path::to_owned),
            file: Some(path),
            digest,
            kept: kept.clone(),
            bytes: bytes
                .map(Cow::Owned)
                .map(OnceCell::from)
                .unwrap_or_default(),
            name,
        })
    }

    /// The text itself, which must be what the digest says.
    fn bytes(&self) -> Result<&[u8], CommandError> {
        if let Some(bytes) = self.bytes.get() {
            return Ok(bytes);
        }
        let path = self.file.as_deref().unwrap_or(Path::new(""));
        let bytes = fs::read(path).map_err(|error| unreadable(&self.name, &error))?;
        if Digest::of(&bytes) != self.digest {
            seen::forget(path, &self.kept);
            return Err(super::changed());
        }
        Ok(self.bytes.get_or_init(|| Cow::Owned(bytes)))
    }

    /// What to call it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The digest of the text itself.
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    /// What its compiled form is kept under: the same text in another folder may refer to other
    /// files, and another version of this program writes another form.
    pub(super) fn key(&self) -> Digest {
        let folder = self
            .folder
            .as_deref()
            .map(Path::as_os_str)
            .unwrap_or_default();
        let digest = self.digest.to_string();
        let version = env!("CARGO_PKG_VERSION");
        let parts = [
            digest.as_bytes(),
            version.as_bytes(),
            folder.as_encoded_bytes(),
        ];
        Digest::of(&parts.join(&b'\n'))
    }

    /// Reads it and the files it refers to; which those were, and what was in them.
    pub(super) fn read(&self) -> Result<(Reading, Vec<Source>), CommandError> {
        let mut sources = Vec::new();
        let mut load = |location: &str| {
            let bytes = self.beside(location);
            sources.push(Source {
                location: location.to_owned(),
                digest: digest(&bytes),
            });
            bytes
        };
        let reading = Definition::read_from(&self.location, self.bytes()?, &mut load);
        let reading = reading.map_err(|error| {
            CommandError::caused(Exit::Usage, &self.name, &error).maybe_hint(error.hint.clone())
        })?;
        Ok((reading, sources))
    }

    /// Whether another file is what it was.
    pub(super) fn is_unchanged(&self, source: &Source) -> bool {
        digest(&self.beside(&source.location)) == source.digest
    }

    fn beside(&self, location: &str) -> Result<Vec<u8>, String> {
        let Some(folder) = &self.folder else {
            return Err("the built-in definition has no other files".to_owned());
        };
        beside(folder, location)
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> CommandError {
    CommandError::usage(format!("the API definition {name} cannot be read: {error}"))
}

/// Another file of the definition. It must be in the definition's folder, links followed: a
/// definition that somebody sent may ask for any file of the one who reads it.
pub(crate) fn beside(folder: &Path, location: &str) -> Result<Vec<u8>, String> {
    if location.contains("://") {
        return Err(
            "nothing is fetched over the network: put the file beside the definition and refer to it there"
                .to_owned(),
        );
    }
    let outside = || "it is not in the folder of the definition".to_owned();
    let decoded = percent_decode_str(location).decode_utf8_lossy();
    let relative = Path::new(&*decoded);
    let is_below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !relative.components().all(is_below) {
        return Err(outside());
    }
    let readable = |error: std::io::Error| error.to_string();
    let folder = folder.canonicalize().map_err(readable)?;
    let path = folder.join(relative).canonicalize().map_err(readable)?;
    if !path.starts_with(&folder) {
        return Err(outside());
    }
    if !path.is_file() {
        return Err("it is no file".to_owned());
    }
    fs::read(&path).map_err(readable)
}

/// A file that cannot be read counts too: it may be there the next time.
fn digest(bytes: &Result<Vec<u8>, String>) -> Digest {
    Digest::of(bytes.as_deref().unwrap_or(b"\0there is no such file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_in_the_folder_are_read() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("api");
        fs::create_dir_all(folder.join("below")).unwrap();
        fs::write(outer.path().join("secret"), "x").unwrap();
        fs::write(folder.join("below/part.yaml"), "x").unwrap();
        fs::write(folder.join("api.yaml"), "openapi: 3.0.3").unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret"), folder.join("link")).unwrap();
        let text = Text::of(Some(&folder.join("api.yaml")), &Kept::nowhere()).unwrap();
        assert!(text.beside("below/part.yaml").is_ok());
        assert!(text.beside("./below/p%61rt.yaml").is_ok());
        for outside in [
            "../secret",
            "below/../../secret",
            "%2e%2e/secret",
            "/etc/hostname",
            "link",
            "below",
            "http://127.0.0.1:1/x",
            "nothing",
        ] {
            assert!(text.beside(outside).is_err(), "{outside}");
        }
        assert!(
            Text::of(None, &Kept::nowhere())
                .unwrap()
                .beside("Cargo.toml")
                .is_err()
        );
    }

    #[test]
    fn the_key_tells_texts_and_folders_apart() {
        let outer = tempfile::tempdir().unwrap();
        let keys: Vec<Digest> = [("a", "1"), ("b", "1"), ("a", "2")]
            .into_iter()
            .map(|(folder, text)| {
                let folder = outer.path().join(folder);
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("api.yaml"), text).unwrap();
                Text::of(Some(&folder.join("api.yaml")), &Kept::nowhere())
                    .unwrap()
                    .key()
            })
            .collect();
        assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
    }
}
