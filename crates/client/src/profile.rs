//! A named connection: where tokens come from, where the API is, and as whom.
//!
//! A profile never holds a secret, so it may be printed, copied and shared; the secret's place is
//! the `credential_source` module's business.

mod authentication;
mod error;
mod name;
mod proxy;
mod secret_place;
mod settings;

use std::path::{Path, PathBuf};

use hallpass_oauth::ClientId;
use hallpass_oauth::identifier::WorkspaceId;

use crate::address::{BaseUrl, TokenUrl};
use crate::region::Region;

pub use authentication::{AUTHENTICATION_WORDS, Authentication, PrivateKey};
pub use error::ProfileError;
pub use name::ProfileName;
pub use proxy::{Proxy, ProxyUrl};
pub use secret_place::{CommandText, SecretPlace, SecretTable};
pub use settings::Settings;

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    name: ProfileName,
    token_url: TokenUrl,
    base_url: BaseUrl,
    client_id: ClientId,
    region: Option<Region>,
    workspace: Option<WorkspaceId>,
    authentication: Authentication,
    scope: Option<String>,
    audience: Option<String>,
    resources: Vec<String>,
    api: Option<PathBuf>,
    proxy: Option<Proxy>,
    ca_file: Option<PathBuf>,
    client_certificate: Option<ClientCertificate>,
    insecure: bool,
    secret: SecretPlace,
    shared: bool,
}

/// What the client shows when a TLS connection is made: for proxies and gateways that let nobody
/// else pass. Two PEM files, opened when the connection is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    certificate: PathBuf,
    key: PathBuf,
}

impl ClientCertificate {
    /// A certificate (with those between it and its authority) and its key.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key }
    }

    /// The file of the certificate.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// The file of the key.
    pub fn key(&self) -> &Path {
        &self.key
    }
}

impl Profile {
    /// A connection that authenticates in the body and asks for no scope. Everything else about a
    /// connection is in [`Settings`].
    pub fn new(
        name: ProfileName,
        token_url: TokenUrl,
        base_url: BaseUrl,
        client_id: ClientId,
    ) -> Self {
        Self {
            name,
            token_url,
            base_url,
            client_id,
            region: None,
            workspace: None,
            authentication: Authentication::default(),
            scope: None,
            audience: None,
            resources: Vec::new(),
            api: None,
            proxy: None,
            ca_file: None,
            client_certificate: None,
            insecure: false,
            secret: SecretPlace::default(),
            shared: false,
        }
    }

    /// The same with another way to authenticate.
    #[must_use]
    pub fn with_authentication(mut self, method: impl Into<Authentication>) -> Self {
        self.authentication = method.into();
        self
    }

    /// The same asking for a scope; a blank one is none.
    #[must_use]
    pub fn with_scope(mut self, scope: Option<&str>) -> Self {
        self.scope = filled(scope);
        self
    }

    /// The same for an API at another address. Whoever calls this decides that its tokens may go there.
    #[must_use]
    pub fn with_base_url(mut self, base_url: BaseUrl) -> Self {
        self.base_url = base_url;
        self
    }

    /// The same with the file of its API definition.
    #[must_use]
    pub fn with_api(mut self, file: Option<PathBuf>) -> Self {
        self.api = file;
        self
    }

    /// The same trusting the certificate authorities in a PEM file besides those of the system.
    #[must_use]
    pub fn with_ca_file(mut self, file: Option<PathBuf>) -> Self {
        self.ca_file = file;
        self
    }

    /// The same believing every server who it says it is. For a look at a test system: whoever is
    /// in between reads the secret.
    #[must_use]
    pub fn with_insecure(mut self, insecure: bool) -> Self {
        self.insecure = insecure;
        self
    }

    /// The same with its secret in another place.
    #[must_use]
    pub fn with_secret(mut self, place: SecretPlace) -> Self {
        self.secret = place;
        self
    }

    /// The same under another name.
    #[must_use]
    pub fn with_name(mut self, name: ProfileName) -> Self {
        self.name = name;
        self
    }

    /// The same as one that others write as well: it gets its own secret and its own tokens only.
    #[must_use]
    pub(crate) fn into_shared(mut self) -> Self {
        self.shared = true;
        self
    }

    /// What it is called.
    pub fn name(&self) -> &ProfileName {
        &self.name
    }

    /// Where tokens are asked for.
    pub fn token_url(&self) -> &TokenUrl {
        &self.token_url
    }

    /// Where the API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// As whom.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The region the base URL follows from.
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    /// The workspace whose token endpoint is asked.
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        self.workspace.as_ref()
    }

    /// How the client says who it is.
    pub fn authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// The scope asked for.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The audience asked for.
    pub fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// The resources asked for (RFC 8707), in the order in which they were written.
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// The file of the API definition.
    pub fn api(&self) -> Option<&Path> {
        self.api.as_deref()
    }

    /// The proxy in place of the environment's.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// Further certificate authorities.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// What the client shows when a TLS connection is made.
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.client_certificate.as_ref()
    }

    /// Whether servers need not prove who they are. Whoever uses such a profile is to be warned,
    /// each time.
    pub fn insecure(&self) -> bool {
        self.insecure
    }

    /// Whether it is from a file that others write as well.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Where its secret is.
    pub fn secret(&self) -> &SecretPlace {
        &self.secret
    }
}

/// The text without blanks around it; a blank one is none.
fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}
