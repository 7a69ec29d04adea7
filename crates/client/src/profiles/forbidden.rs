//! What a file of profiles may not hold: secrets at all, and in a file that others write as well, what
//! would let them have a secret that is not theirs.

use std::path::Path;

use super::line_of;
use crate::profile::{Profile, ProfileError, SecretPlace};

/// A setting that is taken from a person's own file only.
pub(super) fn in_a_shared_file(profile: &Profile) -> Option<&'static str> {
    match profile.secret() {
        SecretPlace::Command(_) => Some("secret.command"),
        SecretPlace::File(_) => Some("secret.file"),
        SecretPlace::Variable(name) if !name.starts_with("HALLPASS_") => Some("secret.env"),
        SecretPlace::Variable(_) | SecretPlace::Kept(_) => profile.insecure().then_some("insecure"),
    }
}

/// A setting that is named like a secret and holds a text: somebody put one where it does not belong.
pub(super) fn misplaced_secret(text: &str, path: &Path) -> Option<ProfileError> {
    let table = toml::de::DeTable::parse(text).ok()?;
    let (key, at) = secret_in(table.get_ref())?;
    Some(ProfileError::SecretInFile {
        path: path.to_owned(),
        line: line_of(text, at),
        key,
    })
}

fn secret_in(table: &toml::de::DeTable<'_>) -> Option<(String, usize)> {
    table.iter().find_map(|(key, value)| match value.get_ref() {
        toml::de::DeValue::Table(inner) => secret_in(inner),
        toml::de::DeValue::String(_) if is_named_like_a_secret(key.get_ref()) => {
            Some((key.get_ref().to_string(), key.span().start))
        }
        _ => None,
    })
}

fn is_named_like_a_secret(key: &str) -> bool {
    let bare: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    let bare = bare.to_ascii_lowercase();
    [
        "secret",
        "password",
        "passphrase",
        "token",
        "apikey",
        "credential",
    ]
    .iter()
    .any(|word| bare.ends_with(word))
}
