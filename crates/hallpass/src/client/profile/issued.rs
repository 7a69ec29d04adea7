//! A secret that another command has just been given: it goes into a profile without being shown.

use std::path::Path;

use hallpass_client::Client;
use hallpass_client::key_store::Store;
use hallpass_client::profile::{Profile, ProfileName, SecretPlace, Settings};
use hallpass_client::profiles::{Existing, Profiles};
use hallpass_oauth::Secret;

use super::add::{Place, keep};
use crate::client::library;
use crate::client::selection::own_to_change;
use crate::command::CommandError;

/// The profile for a credential that is about to be made, or about to get a new secret.
pub(crate) struct NewProfile {
    name: ProfileName,
    known: Option<Profile>,
}

impl NewProfile {
    /// One that is not there yet.
    pub(crate) fn named(name: &str) -> Result<Self, CommandError> {
        let name = ProfileName::parse(name).map_err(library)?;
        let profiles = Profiles::load(&own_to_change()?).map_err(library)?;
        if profiles.iter().any(|known| *known.name() == name) {
            return Err(
                CommandError::usage(format!("there is a profile `{name}` already"))
                    .hint("choose another name, or remove it first: `hallpass profile remove`"),
            );
        }
        Ok(Self { name, known: None })
    }

    /// One that is there, of that client.
    pub(crate) fn known(name: &str, client_id: &str) -> Result<Self, CommandError> {
        let profiles = Profiles::load(&own_to_change()?).map_err(library)?;
        let profile = profiles.select(Some(name)).map_err(library)?.clone();
        if profile.client_id().as_str() != client_id {
            return Err(CommandError::usage(format!(
                "profile `{name}` is of the client {}, not of {client_id}",
                profile.client_id()
            ))
            .hint("`hallpass profile list` shows which profile is of which client"));
        }
        Ok(Self {
            name: profile.name().clone(),
            known: Some(profile),
        })
    }

    /// Keeps a new profile, which trusts what the client's own profile trusts.
    pub(crate) fn keep(
        &self,
        client: &Client,
        client_id: &str,
        base_url: &str,
        store: Store,
        secret: &Secret,
    ) -> Result<(), CommandError> {
        let by = client.profile();
        let settings = Settings {
            token_url: Some(by.token_url().as_str().to_owned()),
            base_url: Some(base_url.to_owned()),
            client_id: Some(client_id.to_owned()),
            ca_file: by.ca_file().map(Path::to_owned),
            proxy: by.proxy().map(|proxy| proxy.as_str().to_owned()),
            insecure: by.insecure(),
            ..Settings::default()
        };
        let profile = settings.read(self.name.clone(), Path::new("/"));
        let profile = profile.map_err(library)?;
        let profile = profile.with_secret(SecretPlace::Kept(store));
        keep(&profile, Some(secret), Place::New(Existing::Keep), false)
    }

    /// Keeps the new secret of a known one.
    pub(crate) fn keep_secret(&self, store: Store, secret: &Secret) -> Result<(), CommandError> {
        let Some(known) = &self.known else {
            return Ok(());
        };
        let changed = known.clone().with_secret(SecretPlace::Kept(store));
        keep(&changed, Some(secret), Place::Of(known), false)
    }
}
