//! What keeps a connection from working: the whole way is walked step by step, from the names of the
//! hosts to one harmless call, and each step says what it found and what to do about it.
//!
//! A step that cannot be taken because an earlier one failed is left out: one cause, one finding.
//! Nothing is changed anywhere, except that a token may be asked for.

mod call;
mod clock;
mod finding;
mod metadata;
mod reach;

use hallpass_openapi::Definition;

use crate::access_token::AccessToken;
use crate::send::Client;
pub use finding::{Finding, Step, Verdict};

/// How thoroughly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Ask for a new token, which proves the secret, instead of taking the one in the cache. Where
    /// the server keeps one token per credential, the old one dies.
    pub renew: bool,
}

/// Walks the way and tells each finding as it is made. `definition` is what the API should be like;
/// without one no call is made.
pub async fn examine(
    client: &Client,
    definition: Option<&Definition>,
    extent: Extent,
    tell: &mut (dyn FnMut(Finding) + Send),
) {
    let profile = client.profile();
    let (token_url, base_url) = (profile.token_url().url(), profile.base_url().url());
    let token_server = reach::server(client, "the authorization server", token_url, tell).await;
    let api = if token_url.origin() == base_url.origin() {
        token_server.clone()
    } else {
        reach::server(client, "the API", base_url, tell).await
    };
    if let Some(seen) = token_server.as_ref().or(api.as_ref()) {
        tell(clock::compare(seen));
    }
    if token_server.is_some() {
        metadata::check(client, tell).await;
    }
    let Some(token) = call::token(client, extent, token_server.is_some(), tell).await else {
        return;
    };
    let Some(definition) = definition else {
        return;
    };
    tell(call::servers(client, definition));
    if api.is_some() {
        call::harmless(client, definition, &token, tell).await;
    }
}

/// The last step alone: whether the API takes a token that was just got, found out by one harmless
/// call.
pub async fn try_token(
    client: &Client,
    definition: &Definition,
    token: &AccessToken,
    tell: &mut (dyn FnMut(Finding) + Send),
) {
    call::harmless(client, definition, token, tell).await;
}
