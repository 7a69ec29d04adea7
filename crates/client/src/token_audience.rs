//! Whom a client assertion is for. Servers accept the address of the token endpoint (RFC 7523 section
//! 3, point 3), the stricter ones only their issuer (draft-ietf-oauth-rfc7523bis).
//!
//! A server whose issuer is the origin of its token URL says so in its metadata (RFC 8414), which is
//! believed only when it names that very issuer. Without such a document it is the token URL.

use hallpass_oauth::Issuer;
use hallpass_oauth::metadata::{AuthorizationServerMetadata, Document};
use reqwest::{Method, Request, Url};

use crate::address::TokenUrl;
use crate::transport::{Transport, exchange};

/// The audience of assertions for the server of `token_url`.
pub(crate) async fn audience(token_url: &TokenUrl, transport: &Transport) -> String {
    let issuer = published(token_url, transport).await;
    issuer.unwrap_or_else(|| token_url.as_str().to_owned())
}

async fn published(token_url: &TokenUrl, transport: &Transport) -> Option<String> {
    let issuer = Issuer::parse(&token_url.url().origin().ascii_serialization()).ok()?;
    let url = Document::AuthorizationServer.url(&issuer).ok()?;
    let url = Url::parse(&url).ok()?;
    let way = transport.way_to(&url).ok()?;
    let answer = exchange(&way, Request::new(Method::GET, url), LARGEST)
        .await
        .ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let metadata = AuthorizationServerMetadata::parse(answer.body(), &issuer).ok()?;
    Some(metadata.issuer.to_string())
}

/// Such documents have a few kilobytes.
const LARGEST: usize = 256 * 1024;
