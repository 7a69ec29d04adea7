//! Getting a document that is no part of the API, such as its definition, from where it is published:
//! without a token, by the same ways out as everything else.
//!
//! Redirects are told and not followed, so that whoever asked decides about each place.

use http::StatusCode;
use http::header::{ACCEPT, HeaderValue, LOCATION};
use reqwest::Url;

use crate::connect::unnamed;
use crate::error::Error;
use crate::send::Options;
use crate::transport::{Transport, exchange};

/// What is at a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Downloaded {
    /// The document.
    Document(Vec<u8>),
    /// It is said to be at another place.
    Elsewhere(Url),
    /// The server does not give it.
    Refused(StatusCode),
}

/// Asks for a document of at most `largest` bytes.
pub async fn download(url: &Url, options: &Options, largest: usize) -> Result<Downloaded, Error> {
    // Of a profile, only the ways out would matter, and those are the options' own.
    let nobody = unnamed("https://localhost", "https://localhost", "nobody")?;
    let way = Transport::of(&nobody, options).way_to(url)?;
    let mut request = reqwest::Request::new(reqwest::Method::GET, url.clone());
    let wanted = HeaderValue::from_static("application/yaml, application/json, */*;q=0.5");
    request.headers_mut().insert(ACCEPT, wanted);
    let answer = exchange(&way, request, largest).await?;
    let status = answer.status();
    if status.is_redirection() {
        let to = answer.headers().get(LOCATION);
        let to = to.and_then(|to| url.join(to.to_str().ok()?).ok());
        return Ok(to.map_or(Downloaded::Refused(status), Downloaded::Elsewhere));
    }
    if !status.is_success() {
        return Ok(Downloaded::Refused(status));
    }
    Ok(Downloaded::Document(answer.into_body()))
}
