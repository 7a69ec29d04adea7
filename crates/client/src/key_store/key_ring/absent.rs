//! No key store: for other systems, and for library users that leave the feature out.

use std::time::Duration;

use hallpass_oauth::Secret;

use super::KeyRingError;

pub(super) fn probe(_: &str, _: Duration) -> Result<(), KeyRingError> {
    Err(KeyRingError::NotBuilt)
}

pub(super) fn is_there(_: &str, _: &str, _: Duration) -> Result<bool, KeyRingError> {
    Err(KeyRingError::NotBuilt)
}

pub(super) fn load(_: &str, _: &str, _: Duration) -> Result<Option<Secret>, KeyRingError> {
    Err(KeyRingError::NotBuilt)
}

pub(super) fn store(
    _: &str,
    _: &str,
    _: &str,
    _: &Secret,
    _: Duration,
) -> Result<(), KeyRingError> {
    Err(KeyRingError::NotBuilt)
}

pub(super) fn remove(_: &str, _: &str, _: Duration) -> Result<bool, KeyRingError> {
    Err(KeyRingError::NotBuilt)
}
