//! A profile as it is written: in a file of profiles, in the environment, by flags. All three are
//! read here, so a setting means the same wherever it stands.
//!
//! Holds no secret, and has no place for one.

use std::path::{Path, PathBuf};

use hallpass_oauth::ClientId;
use hallpass_oauth::identifier::WorkspaceId;
use serde::{Deserialize, Serialize};

use super::{
    Authentication, ClientCertificate, Profile, ProfileError, ProfileName, Proxy, SecretPlace,
    SecretTable, filled,
};
use crate::address::{BaseUrl, TokenUrl};
use crate::region::{Region, workspace_token_url, wrong_host};

/// The settings of one profile, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Name of a region, in place of the two addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Where tokens are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// Where the API is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// As whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The workspace whose own token endpoint is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// How the client says who it is: one of the `AUTHENTICATION_WORDS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<String>,
    /// Whether a Basic header holds id and secret as they are.
    #[serde(skip_serializing_if = "is_off")]
    pub unencoded: bool,
    /// PEM file of the key that signs assertions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PathBuf>,
    /// What the server calls that key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The scope to ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The audience to ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The resources to ask for (RFC 8707).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The file of the API definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<PathBuf>,
    /// Address of a proxy, or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// PEM file of further certificate authorities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client's own certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<PathBuf>,
    /// PEM file of its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<PathBuf>,
    /// Whether servers need not prove who they are.
    #[serde(skip_serializing_if = "is_off")]
    pub insecure: bool,
    /// Where the secret is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretTable>,
}

impl Settings {
    /// Checks the settings of a profile. Relative paths are below `folder`.
    pub fn read(self, name: ProfileName, folder: &Path) -> Result<Profile, ProfileError> {
        let region = self.region.as_deref().map(Region::parse).transpose()?;
        let workspace = self.workspace.as_deref().map(read_workspace).transpose()?;
        let placed = |file: Option<PathBuf>| file.map(|file| folder.join(file));
        let client_id = filled(self.client_id.as_deref()).ok_or(ProfileError::Lacks {
            setting: "client_id",
        })?;
        let client_certificate =
            read_certificate(placed(self.client_certificate), placed(self.client_key))?;
        Ok(Profile {
            name,
            token_url: read_token_url(self.token_url.as_deref(), region, workspace.as_ref())?,
            base_url: read_base_url(self.base_url.as_deref(), region)?,
            client_id: ClientId::parse(&client_id)?,
            region,
            workspace,
            authentication: Authentication::read(
                self.authentication.as_deref(),
                self.unencoded,
                placed(self.private_key),
                self.key_id.as_deref(),
            )?,
            scope: filled(self.scope.as_deref()),
            audience: filled(self.audience.as_deref()),
            resources: read_resources(&self.resources)?,
            api: placed(self.api),
            proxy: self.proxy.as_deref().map(Proxy::parse).transpose()?,
            ca_file: placed(self.ca_file),
            client_certificate,
            insecure: self.insecure,
            secret: match self.secret {
                Some(table) => table.read(folder)?,
                None => SecretPlace::default(),
            },
            shared: false,
        })
    }

    /// The settings that are read back as this profile. What follows from the region is left out;
    /// paths below `folder` are relative to it, so that the folder may be moved or shared.
    pub fn of(profile: &Profile, folder: &Path) -> Self {
        let placed = |file: &Path| {
            file.strip_prefix(folder)
                .map_or_else(|_| file.to_owned(), Path::to_owned)
        };
        let region = profile.region;
        let follows = read_token_url(None, region, profile.workspace.as_ref());
        let token_url = Some(&profile.token_url).filter(|url| follows.as_ref().ok() != Some(url));
        let key = profile.authentication.private_key();
        let own = profile.client_certificate.as_ref();
        Self {
            region: region.map(|region| region.name().to_owned()),
            token_url: token_url.map(ToString::to_string),
            base_url: region.is_none().then(|| profile.base_url.to_string()),
            client_id: Some(profile.client_id.to_string()),
            workspace: profile.workspace.as_ref().map(ToString::to_string),
            authentication: Some(profile.authentication.word().to_owned()),
            unencoded: profile.authentication == Authentication::BasicUnencoded,
            private_key: key.map(|key| placed(key.file())),
            key_id: key.and_then(|key| key.id()).map(str::to_owned),
            scope: profile.scope.clone(),
            audience: profile.audience.clone(),
            resources: profile.resources.clone(),
            api: profile.api.as_deref().map(placed),
            proxy: profile.proxy.as_ref().map(ToString::to_string),
            ca_file: profile.ca_file.as_deref().map(placed),
            client_certificate: own.map(|own| placed(own.certificate())),
            client_key: own.map(|own| placed(own.key())),
            insecure: profile.insecure,
            secret: Some(&profile.secret)
                .filter(|place| {
                    profile.authentication.needs_secret() && **place != SecretPlace::default()
                })
                .map(|place| SecretTable::of(place, folder)),
        }
    }
}

fn read_token_url(
    given: Option<&str>,
    region: Option<Region>,
    workspace: Option<&WorkspaceId>,
) -> Result<TokenUrl, ProfileError> {
    let classic = match (given, region) {
        (Some(given), _) => TokenUrl::parse(given)?,
        (None, Some(region)) => TokenUrl::parse(region.token_url())?,
        (None, None) => {
            return Err(ProfileError::Lacks {
                setting: "token_url",
            });
        }
    };
    let Some(workspace) = workspace else {
        return Ok(classic);
    };
    if let Some(twin) = workspace_token_url(classic.as_str(), workspace.as_str()) {
        return Ok(TokenUrl::parse(&twin)?);
    }
    let own = format!("/{workspace}/token");
    if classic.as_str().ends_with(&own) {
        return Ok(classic);
    }
    Err(ProfileError::Workspace {
        token_url: classic.to_string(),
    })
}

fn read_base_url(given: Option<&str>, region: Option<Region>) -> Result<BaseUrl, ProfileError> {
    let given = given.map(BaseUrl::parse).transpose()?;
    let of_region = region
        .map(|region| BaseUrl::parse(region.base_url()))
        .transpose()?;
    match (given, of_region) {
        (Some(given), Some(of_region)) if given != of_region => Err(ProfileError::TwoPlaces {
            base_url: given.to_string(),
        }),
        (Some(base_url), _) | (None, Some(base_url)) => {
            match base_url.url().host_str().and_then(wrong_host) {
                Some(wrong) => Err(wrong.into()),
                None => Ok(base_url),
            }
        }
        (None, None) => Err(ProfileError::Lacks {
            setting: "base_url",
        }),
    }
}

/// A workspace is shown with and without dashes; its token endpoint wants none (domain facts,
/// section 2.6).
fn read_workspace(text: &str) -> Result<WorkspaceId, ProfileError> {
    let bare = text.trim().replace('-', "").to_ascii_lowercase();
    Ok(WorkspaceId::parse(&bare)?)
}

fn read_certificate(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<ClientCertificate>, ProfileError> {
    let needs = |setting, other| Err(ProfileError::NeedsToo { setting, other });
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(ClientCertificate::new(certificate, key))),
        (Some(_), None) => needs("client_certificate", "client_key"),
        (None, Some(_)) => needs("client_key", "client_certificate"),
        (None, None) => Ok(None),
    }
}

/// A resource is an absolute URI without a fragment (RFC 8707 section 2). Kept as it was written:
/// servers compare strings.
fn read_resources(written: &[String]) -> Result<Vec<String>, ProfileError> {
    let absolute = |text: &String| {
        reqwest::Url::parse(text)
            .is_ok_and(|url| url.fragment().is_none() && url.password().is_none())
    };
    match written.iter().position(|text| !absolute(text)) {
        Some(at) => Err(ProfileError::Resource { position: at + 1 }),
        None => Ok(written.to_vec()),
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape serde asks for"
)]
fn is_off(switch: &bool) -> bool {
    !switch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Profile, ProfileError> {
        let settings: Settings = toml::from_str(text).unwrap();
        settings.read(ProfileName::parse("p").unwrap(), Path::new("/folder"))
    }

    const FULL: &str = "region = \"us1\"\nclient_id = \"c1\"\n\
        workspace = \"0123456789abcdef0123456789abcdef\"\nauthentication = \"private_key_jwt\"\n\
        private_key = \"key.pem\"\nkey_id = \"k1\"\nscope = \"hpe-tenant\"\naudience = \"external_api\"\n\
        resources = [\"https://a.example/\", \"urn:b\"]\napi = \"../api.yaml\"\nproxy = \"none\"\n\
        ca_file = \"/etc/ca.pem\"\nclient_certificate = \"own.pem\"\nclient_key = \"own.key\"\n\
        insecure = true\n";

    #[test]
    fn what_is_written_is_read_and_written_again() {
        let profile = read(FULL).unwrap();
        assert_eq!(
            profile.base_url().as_str(),
            "https://us1.data.cloud.hpe.com"
        );
        assert_eq!(
            profile.token_url().as_str(),
            "https://global.api.greenlake.hpe.com/authorization/v2/oauth2/\
             0123456789abcdef0123456789abcdef/token"
        );
        let key = profile.authentication().private_key().unwrap();
        assert_eq!(key.file(), Path::new("/folder/key.pem"));
        assert_eq!(profile.api(), Some(Path::new("/folder/../api.yaml")));
        assert_eq!(profile.proxy(), Some(&Proxy::Direct));
        assert!(profile.insecure());
        let settings = Settings::of(&profile, Path::new("/folder"));
        assert_eq!(toml::to_string(&settings).unwrap(), FULL);
    }

    #[test]
    fn addresses_follow_from_the_region_unless_they_are_given() {
        let given = read(
            "region = \"EU1\"\nclient_id = \"c\"\ntoken_url = \"https://sso.example.com/token\"",
        );
        assert_eq!(
            given.unwrap().token_url().as_str(),
            "https://sso.example.com/token"
        );
        let none = read("client_id = \"c\"\ntoken_url = \"https://sso.example.com/token\"");
        assert!(none.unwrap_err().hint().unwrap().contains("region"));
        let two = read("region = \"us1\"\nclient_id = \"c\"\nbase_url = \"https://a.example/\"");
        assert!(matches!(two, Err(ProfileError::TwoPlaces { .. })));
        let wrong = read(
            "client_id = \"c\"\ntoken_url = \"https://a.example/\"\nbase_url = \"https://us-west.data.cloud.hpe.com\"",
        );
        assert!(wrong.unwrap_err().hint().unwrap().contains("us-west.api."));
    }

    #[test]
    fn a_workspace_is_asked_at_its_own_endpoint() {
        let at = |token_url: &str| {
            read(&format!(
                "base_url = \"https://a.example\"\nclient_id = \"c\"\ntoken_url = \"{token_url}\"\n\
                 workspace = \"01234567-89AB-cdef-0123-456789abcdef\""
            ))
        };
        let twin = at("http://127.0.0.1:1/as/token.oauth2").unwrap();
        let address = twin.token_url().as_str();
        assert!(
            address.ends_with("/oauth2/0123456789abcdef0123456789abcdef/token"),
            "{address}"
        );
        assert_eq!(
            at(address).unwrap(),
            twin,
            "the endpoint itself may be given"
        );
        assert!(at("https://sso.example.com/token").is_err());
    }

    #[test]
    fn halves_are_refused_with_what_is_missing() {
        let base = "region = \"us1\"\nclient_id = \"c\"\n";
        for (half, other) in [
            ("client_key = \"k\"", "client_certificate"),
            ("client_certificate = \"k\"", "client_key"),
            ("authentication = \"private_key_jwt\"", "private_key"),
            ("resources = [\"urn:a\", \"b\"]", "resource"),
        ] {
            let error = read(&format!("{base}{half}")).unwrap_err().to_string();
            assert!(error.contains(other), "{half}: {error}");
        }
    }
}
