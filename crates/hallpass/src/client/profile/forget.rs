//! What a profile leaves behind when it goes, changes its secret or its name.

use hallpass_client::credential_source::CredentialSource;
use hallpass_client::key_store::{Kept, Slot};
use hallpass_client::profile::{Profile, SecretPlace};
use hallpass_client::send::Client;

use crate::client::stores::kept;
use crate::client::{library, options};
use crate::command::{CommandError, chain};

/// Where this program keeps the profile's secret, if it does.
pub(super) fn place(profile: &Profile) -> Result<Option<Kept>, CommandError> {
    match profile.secret() {
        SecretPlace::Kept(store) if profile.authentication().needs_secret() => {
            Ok(Some(kept(*store, &Slot::from(profile.name()))?))
        }
        _ => Ok(None),
    }
}

/// Everything of a profile that is gone: no living token and no secret stay behind.
pub(super) fn everything(profile: &Profile) -> Result<(), CommandError> {
    token(profile)?;
    if let Some(place) = place(profile)? {
        place.remove().map_err(|error| {
            CommandError::usage(chain(&error)).hint(format!(
                "the profile is gone; its secret is left in {place}"
            ))
        })?;
    }
    Ok(())
}

/// What `after` has no use for any more of what `before` had. A token that `after` was tried with is
/// good for it.
pub(super) fn superseded(
    before: &Profile,
    after: &Profile,
    tried: bool,
) -> Result<(), CommandError> {
    let same_client =
        before.client_id() == after.client_id() && before.token_url() == after.token_url();
    if !same_client || !tried {
        token(before)?;
    }
    // A profile that authenticates with a key keeps no secret, whatever its place is called.
    let is_kept_again = place(after)?.is_some() && before.secret() == after.secret();
    match place(before)? {
        Some(place) if !is_kept_again => place
            .remove()
            .map(drop)
            .map_err(|error| CommandError::usage(chain(&error)).maybe_hint(error.hint())),
        _ => Ok(()),
    }
}

/// The cached token.
fn token(profile: &Profile) -> Result<(), CommandError> {
    let client = Client::new(profile.clone(), CredentialSource::None, &options())?;
    client.tokens().forget().map_err(library)?;
    Ok(())
}
