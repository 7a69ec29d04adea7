//! The settings of a profile as flags.

use std::path::{Path, PathBuf};

use clap::Args;
use hallpass_client::profile::{AUTHENTICATION_WORDS, Settings};

use crate::command::CommandError;

/// What a connection is made of.
#[derive(Debug, Args)]
pub(super) struct SettingsArgs {
    /// Region of the API, such as us1, eu1, jp1, us-west: stands for both URLs
    #[arg(long, value_name = "NAME")]
    pub(super) region: Option<String>,
    /// Token URL of the authorization server
    #[arg(long, value_name = "URL")]
    pub(super) token_url: Option<String>,
    /// Base URL of the API
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// Client id of the credential
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,
    /// Ask for tokens at the token endpoint of this workspace
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// How the client authenticates: secret in the body, Basic header, or a signed assertion
    #[arg(long, value_parser = AUTHENTICATION_WORDS)]
    authentication: Option<String>,
    /// Send id and secret in the Basic header as they are, for servers that do not decode them
    #[arg(long)]
    unencoded: bool,
    /// PEM file of the private key that signs assertions (private_key_jwt)
    #[arg(long, value_name = "FILE")]
    pub(super) private_key: Option<PathBuf>,
    /// What the authorization server calls that key
    #[arg(long, value_name = "ID")]
    key_id: Option<String>,
    /// Scope to ask for
    #[arg(long)]
    scope: Option<String>,
    /// Audience to ask for
    #[arg(long)]
    audience: Option<String>,
    /// Resource to ask for (RFC 8707); may be repeated
    #[arg(long = "resource", value_name = "URI")]
    resources: Vec<String>,
    /// OpenAPI definition of the API [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    api: Option<PathBuf>,
    /// Proxy in place of HTTPS_PROXY, or `none` for no proxy at all
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// PEM file of certificate authorities to trust besides those of the system
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// PEM file of the client's own certificate, for proxies and gateways that ask for one
    #[arg(long, value_name = "FILE")]
    client_certificate: Option<PathBuf>,
    /// PEM file of the key of that certificate
    #[arg(long, value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// Believe every server who it says it is: whoever is in between reads the secret
    #[arg(long)]
    insecure: bool,
}

impl SettingsArgs {
    /// The settings as they are kept: files by their absolute paths.
    pub(super) fn settings(&self) -> Result<Settings, CommandError> {
        Ok(Settings {
            region: self.region.clone(),
            token_url: self.token_url.clone(),
            base_url: self.base_url.clone(),
            client_id: self.client_id.clone(),
            workspace: self.workspace.clone(),
            authentication: self.authentication.clone(),
            unencoded: self.unencoded,
            private_key: absolute(self.private_key.as_deref())?,
            key_id: self.key_id.clone(),
            scope: self.scope.clone(),
            audience: self.audience.clone(),
            resources: self.resources.clone(),
            api: absolute(self.api.as_deref())?,
            proxy: self.proxy.clone(),
            ca_file: absolute(self.ca_file.as_deref())?,
            client_certificate: absolute(self.client_certificate.as_deref())?,
            client_key: absolute(self.client_key.as_deref())?,
            insecure: self.insecure,
            secret: None,
        })
    }
}

fn absolute(file: Option<&Path>) -> Result<Option<PathBuf>, CommandError> {
    let path = file.map(std::path::absolute).transpose();
    path.map_err(|error| CommandError::usage(format!("a file cannot be named: {error}")))
}
