//! The Secret Service over the session's message bus.
//!
//! Every question has a thread and a runtime of its own, so that it can be asked from anywhere, and
//! an end, since a bus may take a message and never answer.

use std::collections::HashMap;
use std::time::Duration;

use hallpass_oauth::Secret;
use secret_service::{Collection, EncryptionType, Error, SecretService};
use zeroize::Zeroizing;

use super::KeyRingError;

pub(super) fn probe(bus: &str, patience: Duration) -> Result<(), KeyRingError> {
    ask(bus, patience, async |service: &SecretService<'_>| {
        let collection = default_collection(service).await?;
        if collection.is_locked().await? {
            Err(KeyRingError::Locked)
        } else {
            Ok(())
        }
    })
}

pub(super) fn is_there(bus: &str, slot: &str, patience: Duration) -> Result<bool, KeyRingError> {
    let slot = slot.to_owned();
    ask(bus, patience, async move |service: &SecretService<'_>| {
        let found = service.search_items(attributes(&slot)).await?;
        Ok(!found.unlocked.is_empty() || !found.locked.is_empty())
    })
}

pub(super) fn load(
    bus: &str,
    slot: &str,
    patience: Duration,
) -> Result<Option<Secret>, KeyRingError> {
    let slot = slot.to_owned();
    ask(bus, patience, async move |service: &SecretService<'_>| {
        let found = service.search_items(attributes(&slot)).await?;
        let Some(item) = found.unlocked.first().or(found.locked.first()) else {
            return Ok(None);
        };
        item.unlock().await?;
        let content = Zeroizing::new(item.get_secret().await?);
        match std::str::from_utf8(&content) {
            Ok(text) if !text.is_empty() => Ok(Some(Secret::from(text.to_owned()))),
            _ => Err(KeyRingError::NotASecret),
        }
    })
}

pub(super) fn store(
    bus: &str,
    slot: &str,
    label: &str,
    secret: &Secret,
    patience: Duration,
) -> Result<(), KeyRingError> {
    let (slot, label, secret) = (slot.to_owned(), label.to_owned(), secret.clone());
    ask(bus, patience, async move |service: &SecretService<'_>| {
        let collection = default_collection(service).await?;
        collection.unlock().await?;
        let content = secret.expose().as_bytes();
        // In place of an entry with the same attributes.
        let created =
            collection.create_item(&label, attributes(&slot), content, true, "text/plain");
        created.await?;
        Ok(())
    })
}

pub(super) fn remove(bus: &str, slot: &str, patience: Duration) -> Result<bool, KeyRingError> {
    let slot = slot.to_owned();
    ask(bus, patience, async move |service: &SecretService<'_>| {
        let found = service.search_items(attributes(&slot)).await?;
        let all: Vec<_> = found.unlocked.iter().chain(&found.locked).collect();
        for item in &all {
            item.unlock().await?;
            item.delete().await?;
        }
        Ok(!all.is_empty())
    })
}

/// What an entry is found by.
fn attributes(slot: &str) -> HashMap<&str, &str> {
    HashMap::from([("application", "hallpass"), ("profile", slot)])
}

async fn default_collection<'s>(
    service: &'s SecretService<'_>,
) -> Result<Collection<'s>, KeyRingError> {
    match service.get_default_collection().await {
        Err(Error::NoResult) => Err(KeyRingError::NoCollection),
        other => Ok(other?),
    }
}

/// Asks one question.
fn ask<T, Q>(bus: &str, patience: Duration, question: Q) -> Result<T, KeyRingError>
where
    T: Send + 'static,
    Q: AsyncFnOnce(&SecretService<'_>) -> Result<T, KeyRingError> + Send + 'static,
{
    let bus = bus.to_owned();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| KeyRingError::Refused {
                reason: error.to_string(),
            })?;
        let timed_out = |_| KeyRingError::TimedOut {
            seconds: patience.as_secs(),
        };
        runtime.block_on(async {
            let asked = async {
                let service = connect(&bus).await?;
                question(&service).await
            };
            tokio::time::timeout(patience, asked)
                .await
                .map_err(timed_out)?
        })
    });
    thread.join().unwrap_or_else(|_| {
        Err(KeyRingError::Refused {
            reason: "its library failed".to_owned(),
        })
    })
}

async fn connect(bus: &str) -> Result<SecretService<'static>, KeyRingError> {
    let connection = zbus::connection::Builder::address(bus)
        .map_err(Error::Zbus)?
        .build()
        .await
        .map_err(|_| KeyRingError::NoBus)?;
    // Nobody who listens to the bus reads the secret.
    Ok(SecretService::connect_with_existing(EncryptionType::Dh, connection).await?)
}

impl From<Error> for KeyRingError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable => Self::NoService,
            Error::Locked => Self::Locked,
            Error::Prompt | Error::PromptDisconnected => Self::Dismissed,
            other => {
                let reason = other.to_string();
                // What the bus says when nobody has the name of the service, and none can be started.
                if reason.contains("ServiceUnknown") || reason.contains("NameHasNoOwner") {
                    Self::NoService
                } else {
                    Self::Refused { reason }
                }
            }
        }
    }
}
