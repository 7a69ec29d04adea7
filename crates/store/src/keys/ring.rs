//! The keys in memory: parsed once, replaced as a whole whenever one changes.

use std::sync::Arc;

use aws_lc_rs::digest;
use hallpass_oauth::identifier::hex;
use hallpass_oauth::{JwkSet, KeyId, SigningKey};
use jiff::Timestamp;

use super::{KeyPolicy, KeyRow, KeyState, PublishedKey};
use crate::{MasterKey, StoreError};

/// All keys that are published, parsed once.
pub(crate) struct KeyRing {
    keys: Vec<RingKey>,
    active: Arc<SigningKey>,
    published: Arc<JwkSet>,
    document: Arc<JwksDocument>,
}

#[derive(Clone)]
struct RingKey {
    row: KeyRow,
    signing: Arc<SigningKey>,
}

/// The published keys as they go over the wire.
#[derive(Debug)]
pub struct JwksDocument {
    /// The JSON (RFC 7517 section 5).
    pub json: String,
    /// A strong validator of it, with its quotes (RFC 9110 section 8.8.3).
    pub etag: String,
}

/// What the clock asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// A key's time has come.
    pub(crate) state_change: bool,
    /// The next key has to be made.
    pub(crate) next_key: bool,
}

impl Due {
    pub(crate) fn any(self) -> bool {
        self.state_change || self.next_key
    }
}

impl KeyRing {
    /// Opens the rows. Keys that `known` holds already are not parsed again.
    pub(crate) fn open(
        rows: Vec<KeyRow>,
        master_key: &MasterKey,
        known: Option<&Self>,
    ) -> Result<Self, StoreError> {
        let mut keys = Vec::new();
        for row in rows {
            if row.key.state == KeyState::Retired {
                continue;
            }
            let parsed = known.and_then(|ring| ring.find(&row.key.id));
            let signing = match parsed {
                Some(known) => known.signing.clone(),
                None => Arc::new(parse(&row, master_key)?),
            };
            keys.push(RingKey { row, signing });
        }
        let active = keys
            .iter()
            .find(|key| key.row.key.state == KeyState::Active)
            .map(|key| key.signing.clone())
            .ok_or_else(|| StoreError::Unreadable {
                what: "set of signing keys",
                value: "none is active".to_owned(),
            })?;
        let public: Result<Vec<_>, _> = keys
            .iter()
            .map(|key| key.signing.public_key().map(Arc::new))
            .collect();
        let published = JwkSet::new(public?);
        let document = Arc::new(JwksDocument::new(published.to_json()));
        Ok(Self {
            keys,
            active,
            published: Arc::new(published),
            document,
        })
    }

    pub(crate) fn active(&self) -> Arc<SigningKey> {
        self.active.clone()
    }

    pub(crate) fn published(&self) -> Arc<JwkSet> {
        self.published.clone()
    }

    pub(crate) fn document(&self) -> Arc<JwksDocument> {
        self.document.clone()
    }

    pub(crate) fn states(&self) -> Vec<PublishedKey> {
        let published = self.keys.iter().map(|key| PublishedKey {
            id: key.row.key.id.clone(),
            algorithm: key.signing.algorithm(),
            state: key.row.key.state,
            created_at: key.row.key.created_at,
        });
        published.collect()
    }

    /// What the clock asks for at `now`.
    pub(crate) fn due(&self, policy: &KeyPolicy, now: Timestamp) -> Due {
        let mut upcoming = false;
        let mut active_long_enough = false;
        let mut state_change = false;
        for key in self.keys.iter().map(|key| &key.row.key) {
            match key.state {
                KeyState::Upcoming => {
                    upcoming = true;
                    state_change |= key.activates_at <= now;
                }
                KeyState::Active => {
                    // The next key is made so early that it takes over in time.
                    let old = policy.rotate_every.is_some_and(|every| {
                        let age = now.duration_since(key.activates_at);
                        age + policy.publish_before >= every
                    });
                    // An imported key is what somebody wanted, whatever the setting says.
                    let of_another_kind = key.kind != policy.spec.as_str() && !key.imported;
                    active_long_enough = old || of_another_kind;
                }
                KeyState::Retiring => {
                    state_change |= key.retires_at.is_some_and(|end| end <= now);
                }
                KeyState::Retired => {}
            }
        }
        Due {
            state_change,
            next_key: active_long_enough && !upcoming,
        }
    }

    fn find(&self, id: &KeyId) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.row.key.id == *id)
    }
}

fn parse(row: &KeyRow, master_key: &MasterKey) -> Result<SigningKey, StoreError> {
    let der = master_key
        .open(row.key.id.as_str(), &row.sealed)
        .ok_or(StoreError::WrongMasterKey)?;
    Ok(SigningKey::from_pkcs8(&der)?)
}

impl JwksDocument {
    fn new(json: String) -> Self {
        let hash = digest::digest(&digest::SHA256, json.as_bytes());
        let etag = format!("\"{}\"", hex(&hash.as_ref()[..16]));
        Self { json, etag }
    }
}
