//! The short way: from nothing to an answer in three calls, for programs that have no profile.
//!
//! The only place of this library that reads the system's clock.

use std::sync::Arc;

use hallpass_oauth::{ClientId, Secret};
use hallpass_openapi::BuiltRequest;
use http::Method;
use serde::Serialize;

use crate::address::{BaseUrl, TokenUrl};
use crate::credential_source::CredentialSource;
use crate::error::Error;
use crate::profile::{Profile, ProfileError, ProfileName};
use crate::response::Response;
use crate::send::{Cache, Client, Options};

impl Options {
    /// With the system's clock, and tokens in memory only.
    pub fn in_memory() -> Self {
        Self::new(Cache::None, Arc::new(system_time))
    }

    /// With the system's clock, and tokens in files of `directory` that all programs of one user share. It
    /// is made when it is missing, for its owner only.
    pub fn shared_in(directory: impl Into<std::path::PathBuf>) -> Self {
        Self::new(Cache::Directory(directory.into()), Arc::new(system_time))
    }
}

impl Client {
    /// A client for the API at `base_url`, as `client_id`, with tokens from `token_url`. Nothing is
    /// sent yet. Tokens live in memory; for those that all programs of a user share see
    /// [`Options::shared_in`] and [`Client::new`].
    pub fn connect(
        token_url: &str,
        base_url: &str,
        client_id: &str,
        client_secret: impl Into<Secret>,
    ) -> Result<Self, Error> {
        let profile = unnamed(token_url, base_url, client_id)?;
        let credential = CredentialSource::Given(client_secret.into());
        Self::new(profile, credential, &Options::in_memory())
    }

    /// `GET` of a path below the base URL, with its query. An answer of 4xx or 5xx is an error.
    pub async fn get(&self, path_and_query: &str) -> Result<Response, Error> {
        self.call(Method::GET, path_and_query, None).await
    }

    /// `POST` of `body` as JSON. An answer of 4xx or 5xx is an error; a 202 may start a task, see
    /// [`Client::wait_for_task`].
    pub async fn post(
        &self,
        path_and_query: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<Response, Error> {
        self.call(Method::POST, path_and_query, Some(json(body)?))
            .await
    }

    /// `PUT` of `body` as JSON, otherwise as [`Client::post`].
    pub async fn put(
        &self,
        path_and_query: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<Response, Error> {
        self.call(Method::PUT, path_and_query, Some(json(body)?))
            .await
    }

    /// `DELETE` of a path. An answer of 4xx or 5xx is an error.
    pub async fn delete(&self, path_and_query: &str) -> Result<Response, Error> {
        self.call(Method::DELETE, path_and_query, None).await
    }

    async fn call(
        &self,
        method: Method,
        path_and_query: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response, Error> {
        let request = BuiltRequest {
            method,
            path_and_query: path_and_query.to_owned(),
            headers: Vec::new(),
            body,
        };
        self.send(&request).await?.success()
    }
}

fn json(body: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(body).map_err(|_| Error::Request("its body cannot be written as JSON"))
}

/// A profile that was never kept.
pub(crate) fn unnamed(
    token_url: &str,
    base_url: &str,
    client_id: &str,
) -> Result<Profile, ProfileError> {
    Ok(Profile::new(
        ProfileName::parse("unnamed")?,
        TokenUrl::parse(token_url)?,
        BaseUrl::parse(base_url)?,
        ClientId::parse(client_id)?,
    ))
}

#[expect(
    clippy::disallowed_methods,
    reason = "programs that bring no clock of their own mean the system's"
)]
fn system_time() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
