//! Where this user's client secrets are: what the library's stores need from the environment and from
//! the terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use hallpass_client::credential_source::CredentialSource;
use hallpass_client::key_store::{Kept, Passphrase, Slot, Store, Stores};
use hallpass_client::profile::{Profile, SecretPlace};
use hallpass_oauth::Secret;

use super::data_directory;
use crate::command::CommandError;

/// The stores of this user.
pub(crate) fn stores() -> Result<Stores, CommandError> {
    let asked = Passphrase::new(passphrase);
    let passphrase = if has_passphrase_file() {
        asked.without_asking()
    } else {
        asked
    };
    Ok(Stores::new(&data_directory()?, bus(), passphrase))
}

/// The same for a program whose person looks at a page and not at the terminal: nobody is asked there.
pub(crate) fn without_asking() -> Result<Stores, CommandError> {
    let known = Passphrase::new(|_| match passphrase_file() {
        Some(path) => read(path),
        None => Err("HALLPASS_PASSPHRASE_FILE does not name a file that holds it".to_owned()),
    });
    Ok(Stores::new(
        &data_directory()?,
        bus(),
        known.without_asking(),
    ))
}

/// Where a profile's secret comes from.
pub(crate) fn credential(profile: &Profile) -> Result<CredentialSource, CommandError> {
    credential_in(profile, stores)
}

/// The same when one's own secrets are in these stores.
pub(crate) fn credential_in(
    profile: &Profile,
    stores: impl FnOnce() -> Result<Stores, CommandError>,
) -> Result<CredentialSource, CommandError> {
    if !profile.authentication().needs_secret() {
        return Ok(CredentialSource::None);
    }
    Ok(match profile.secret() {
        SecretPlace::Kept(store) => {
            CredentialSource::Kept(stores()?.place(*store, &Slot::of(profile)))
        }
        SecretPlace::Variable(name) => match variable(name) {
            Some(secret) => CredentialSource::Given(Secret::from(secret)),
            None => CredentialSource::Unset(name.clone()),
        },
        SecretPlace::File(path) => CredentialSource::File(path.clone()),
        SecretPlace::Command(command) => CredentialSource::Command(command.clone()),
    })
}

/// The place of a secret in one of the stores.
pub(crate) fn kept(store: Store, slot: &Slot) -> Result<Kept, CommandError> {
    Ok(stores()?.place(store, slot))
}

/// Whether a passphrase is to be had without asking anybody.
pub(crate) fn has_passphrase_file() -> bool {
    passphrase_file().is_some()
}

/// The passphrase of encrypted secrets: from a file that was named, from the service manager
/// (systemd's `LoadCredential=hallpass.passphrase:…`), or from the person.
fn passphrase(new: bool) -> Result<Secret, String> {
    if let Some(path) = passphrase_file() {
        return read(path);
    }
    if !std::io::stdin().is_terminal() {
        return Err("there is no terminal to ask for it".to_owned());
    }
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt)
            .map(Secret::from)
            .map_err(|error| error.to_string())
    };
    let first = ask("Passphrase of the encrypted secret: ")?;
    if first.expose().is_empty() {
        return Err("it is empty".to_owned());
    }
    if new && ask("Once more: ")?.expose() != first.expose() {
        return Err("the two do not match".to_owned());
    }
    Ok(first)
}

fn read(passphrase: PathBuf) -> Result<Secret, String> {
    CredentialSource::File(passphrase)
        .load()
        .map_err(|error| error.to_string())
}

fn passphrase_file() -> Option<PathBuf> {
    let given_by_service_manager = || {
        let directory = variable("CREDENTIALS_DIRECTORY")?;
        Some(Path::new(&directory).join("hallpass.passphrase")).filter(|path| path.exists())
    };
    variable("HALLPASS_PASSPHRASE_FILE")
        .map(PathBuf::from)
        .or_else(given_by_service_manager)
}

/// The address of the session's message bus.
fn bus() -> Option<String> {
    variable("DBUS_SESSION_BUS_ADDRESS").or_else(|| {
        let socket = Path::new(&variable("XDG_RUNTIME_DIR")?).join("bus");
        socket
            .exists()
            .then(|| format!("unix:path={}", socket.display()))
    })
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
