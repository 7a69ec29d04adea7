//! A connection that lives wholly in the environment: containers and pipelines need no profile file.
//!
//! The look-up is passed in; this module reads no environment itself.

use std::path::{Path, PathBuf};

use hallpass_oauth::Secret;

use crate::credential_source::CredentialSource;
use crate::profile::{Profile, ProfileError, ProfileName, Settings};

impl Profile {
    /// The connection named by `HALLPASS_TOKEN_URL` and `HALLPASS_BASE_URL`, or `HALLPASS_REGION`
    /// in their place, `HALLPASS_CLIENT_ID` and a secret; `None` when none of the four is set. The
    /// other settings of a profile are variables of the same kind, such as `HALLPASS_CA_FILE`. A
    /// variable set to nothing counts as not set.
    ///
    /// There is none for `insecure`: it is not to be switched on where nobody sees it.
    pub fn from_environment(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<(Self, CredentialSource)>, ProfileError> {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        if !Self::is_in_environment(&lookup) {
            return Ok(None);
        }
        let missing = |name: &str| value(name).is_none();
        let needed = if missing("HALLPASS_REGION") {
            &CONNECTION[..3]
        } else {
            &CONNECTION[2..3]
        };
        if let Some(missing) = needed.iter().find(|name| missing(name)) {
            return Err(ProfileError::Missing { missing });
        }
        let profile = settings(&value).read(ProfileName::parse("environment")?, Path::new(""))?;
        let credential = match CredentialSource::from_environment(&lookup)? {
            Some(credential) => credential,
            None if !profile.authentication().needs_secret() => CredentialSource::None,
            None => {
                return Err(ProfileError::Missing {
                    missing: "HALLPASS_CLIENT_SECRET",
                });
            }
        };
        Ok(Some((profile, credential)))
    }

    /// Whether the environment names a connection, or a part of one.
    pub fn is_in_environment(lookup: impl Fn(&str) -> Option<String>) -> bool {
        CONNECTION
            .iter()
            .any(|name| lookup(name).is_some_and(|value| !value.is_empty()))
    }
}

fn settings(value: &impl Fn(&str) -> Option<String>) -> Settings {
    let file = |name: &str| value(name).map(PathBuf::from);
    let resources = value("HALLPASS_RESOURCES").unwrap_or_default();
    Settings {
        region: value("HALLPASS_REGION"),
        token_url: value("HALLPASS_TOKEN_URL"),
        base_url: value("HALLPASS_BASE_URL"),
        client_id: value("HALLPASS_CLIENT_ID"),
        workspace: value("HALLPASS_WORKSPACE"),
        authentication: value("HALLPASS_AUTHENTICATION"),
        unencoded: value("HALLPASS_UNENCODED").is_some_and(|word| word == "true"),
        private_key: file("HALLPASS_PRIVATE_KEY"),
        key_id: value("HALLPASS_KEY_ID"),
        scope: value("HALLPASS_SCOPE"),
        audience: value("HALLPASS_AUDIENCE"),
        resources: resources.split_whitespace().map(str::to_owned).collect(),
        api: file("HALLPASS_API"),
        proxy: value("HALLPASS_PROXY"),
        ca_file: file("HALLPASS_CA_FILE"),
        client_certificate: file("HALLPASS_CLIENT_CERTIFICATE"),
        client_key: file("HALLPASS_CLIENT_KEY"),
        insecure: false,
        secret: None,
    }
}

impl CredentialSource {
    /// The secret named by `HALLPASS_CLIENT_SECRET` or `HALLPASS_CLIENT_SECRET_FILE`, which also
    /// serves a stored profile.
    pub fn from_environment(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ProfileError> {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        match (
            value("HALLPASS_CLIENT_SECRET"),
            value("HALLPASS_CLIENT_SECRET_FILE"),
        ) {
            (Some(_), Some(_)) => Err(ProfileError::TwoSecrets),
            (Some(secret), None) => Ok(Some(Self::Given(Secret::from(secret)))),
            (None, Some(path)) => Ok(Some(Self::File(PathBuf::from(path)))),
            (None, None) => Ok(None),
        }
    }
}

/// The variables that make a connection; the last one stands for the first two.
const CONNECTION: [&str; 4] = [
    "HALLPASS_TOKEN_URL",
    "HALLPASS_BASE_URL",
    "HALLPASS_CLIENT_ID",
    "HALLPASS_REGION",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Authentication;

    type Read = Result<Option<(Profile, CredentialSource)>, ProfileError>;

    fn read(variables: &[(&str, &str)]) -> Read {
        Profile::from_environment(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const COMPLETE: [(&str, &str); 4] = [
        ("HALLPASS_TOKEN_URL", "https://sso.example.com/token"),
        ("HALLPASS_BASE_URL", "https://us1.example.com"),
        ("HALLPASS_CLIENT_ID", "c1"),
        ("HALLPASS_CLIENT_SECRET", "planted"),
    ];

    #[test]
    fn a_complete_environment_is_a_profile_and_an_unrelated_one_is_none() {
        let (profile, credential) = read(&COMPLETE).unwrap().unwrap();
        assert_eq!(profile.client_id().as_str(), "c1");
        assert_eq!(credential.load().unwrap().expose(), "planted");
        assert!(!format!("{profile:?} {credential:?}").contains("planted"));
        assert!(
            read(&[("HALLPASS_API", "x"), ("HALLPASS_TOKEN_URL", "")])
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn the_missing_variable_is_named() {
        for left_out in 0..COMPLETE.len() {
            let mut variables = COMPLETE.to_vec();
            let (name, _) = variables.remove(left_out);
            let error = read(&variables).unwrap_err().to_string();
            assert!(error.starts_with(name), "{name}: {error}");
        }
    }

    #[test]
    fn every_setting_has_a_variable() {
        let mut variables = COMPLETE.to_vec();
        variables.splice(..2, [("HALLPASS_REGION", "eu1")]);
        variables.extend([
            ("HALLPASS_AUTHENTICATION", "basic"),
            ("HALLPASS_UNENCODED", "true"),
            ("HALLPASS_RESOURCES", "https://a.example/ urn:b"),
            ("HALLPASS_PROXY", "http://proxy.example.com:3128"),
            ("HALLPASS_CLIENT_CERTIFICATE", "own.pem"),
            ("HALLPASS_CLIENT_KEY", "own.key"),
            ("HALLPASS_AUDIENCE", "external_api"),
        ]);
        let (profile, _) = read(&variables).unwrap().unwrap();
        assert_eq!(
            profile.base_url().as_str(),
            "https://eu1.data.cloud.hpe.com"
        );
        assert_eq!(profile.authentication(), &Authentication::BasicUnencoded);
        assert_eq!(profile.resources(), ["https://a.example/", "urn:b"]);
        assert_eq!(profile.audience(), Some("external_api"));
        assert_eq!(
            profile.client_certificate().unwrap().key(),
            Path::new("own.key")
        );
        assert!(profile.proxy().is_some() && !profile.insecure());
    }

    #[test]
    fn the_secret_comes_from_one_place_only() {
        let mut variables = COMPLETE.to_vec();
        variables.push(("HALLPASS_CLIENT_SECRET_FILE", "/run/secrets/hallpass"));
        assert!(matches!(read(&variables), Err(ProfileError::TwoSecrets)));
        variables.remove(3);
        let (_, credential) = read(&variables).unwrap().unwrap();
        assert!(matches!(credential, CredentialSource::File(_)));
    }
}
