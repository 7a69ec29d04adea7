//! What a file of profiles may not hold: secrets at all, and in a file that others write as well, what
//! would let them have a secret that is not theirs.

use std::path::Path;

use super::line_of;
use crate::profile::{Profile, ProfileError, SecretPlace};

/// A setting that is taken from a person's own file only.
///
/// A file of certificate authorities is as good as no check at all to whoever also chooses the proxy,
/// and its content may change without its name. Keys and certificates are files of the person.
pub(super) fn in_a_shared_file(profile: &Profile) -> Option<&'static str> {
    in_the_secret(profile.secret()).or_else(|| {
        let refused = [
            (profile.insecure(), "insecure"),
            (profile.ca_file().is_some(), "ca_file"),
            (profile.client_certificate().is_some(), "client_certificate"),
            (
                profile.authentication().private_key().is_some(),
                "private_key",
            ),
        ];
        refused
            .into_iter()
            .find_map(|(is_there, setting)| is_there.then_some(setting))
    })
}

fn in_the_secret(place: &SecretPlace) -> Option<&'static str> {
    match place {
        SecretPlace::Command(_) => Some("secret.command"),
        SecretPlace::File(_) => Some("secret.file"),
        SecretPlace::Variable(name) => {
            let meant_for_it = name.starts_with("HALLPASS_") && !TAKEN.contains(&name.as_str());
            (!meant_for_it).then_some("secret.env")
        }
        SecretPlace::Kept(_) => None,
    }
}

/// Variables of this program that hold a secret which was meant for something else.
const TAKEN: [&str; 2] = ["HALLPASS_ACCESS_TOKEN", "HALLPASS_CLIENT_SECRET"];

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
