//! Remembers signatures that were checked. Only that: whether a token may be used is decided anew
//! on every request, so nothing here ever has to be purged.

use std::sync::Arc;

use hallpass_oauth::JwkSet;
use hallpass_oauth::bearer::PresentedToken;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::verify::{Expectation, SignedToken, TokenRefusal, check};
use jiff::Timestamp;
use quick_cache::sync::Cache;

/// Most tokens remembered by one resource server: about 40 MB. Fewer than there are living tokens would be worse than no
/// cache.
const MOST_TOKENS: usize = 100_000;

/// Checked signatures, by the token's hash.
pub(crate) struct TokenCache(Cache<[u8; 32], Arc<SignedToken>>);

impl TokenCache {
    pub(crate) fn new() -> Self {
        Self(Cache::new(MOST_TOKENS))
    }

    /// The token, once its signature is known to be good. A bad one is not remembered: floods of
    /// them would push the good ones out.
    pub(crate) fn signed(
        &self,
        presented: &PresentedToken,
        keys: &JwkSet,
        expectation: &Expectation,
        now: Timestamp,
    ) -> Result<Arc<SignedToken>, TokenRefusal> {
        let fingerprint = presented.fingerprint();
        if let Some(known) = self.0.get(&fingerprint) {
            return Ok(known);
        }
        let unverified = UnverifiedToken::parse(presented.expose())?;
        let signed = Arc::new(check(&unverified, keys, expectation, now)?);
        self.0.insert(fingerprint, signed.clone());
        Ok(signed)
    }
}
