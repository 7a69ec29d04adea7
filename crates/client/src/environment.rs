//! A connection that lives wholly in the environment: containers and pipelines need no profile file.
//!
//! The look-up is passed in; this module reads no environment itself.

use std::path::PathBuf;

use hallpass_oauth::{ClientId, Secret};

use crate::address::{BaseUrl, TokenUrl};
use crate::credential_source::CredentialSource;
use crate::profile::{Profile, ProfileError, ProfileName, parse_authentication};

impl Profile {
    /// The connection named by `HALLPASS_TOKEN_URL`, `HALLPASS_BASE_URL`, `HALLPASS_CLIENT_ID` and
    /// a secret; `None` when none of the first three is set. Optional: `HALLPASS_API`,
    /// `HALLPASS_SCOPE`, `HALLPASS_AUTHENTICATION`, `HALLPASS_CA_FILE`. A variable set to nothing
    /// counts as not set.
    pub fn from_environment(
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<(Self, CredentialSource)>, ProfileError> {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        if NEEDED.iter().all(|name| value(name).is_none()) {
            return Ok(None);
        }
        let needed =
            |missing: &'static str| value(missing).ok_or(ProfileError::Missing { missing });
        let token_url = TokenUrl::parse(&needed(NEEDED[0])?)?;
        let base_url = BaseUrl::parse(&needed(NEEDED[1])?)?;
        let client_id = ClientId::parse(&needed(NEEDED[2])?)?;
        let credential =
            CredentialSource::from_environment(&lookup)?.ok_or(ProfileError::Missing {
                missing: "HALLPASS_CLIENT_SECRET",
            })?;
        let method = value("HALLPASS_AUTHENTICATION");
        let profile = Self::new(
            ProfileName::parse("environment")?,
            token_url,
            base_url,
            client_id,
        )
        .with_authentication(parse_authentication(method.as_deref().unwrap_or("body"))?)
        .with_scope(value("HALLPASS_SCOPE").as_deref())
        .with_api(value("HALLPASS_API").map(PathBuf::from))
        .with_ca_file(value("HALLPASS_CA_FILE").map(PathBuf::from));
        Ok(Some((profile, credential)))
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

/// The variables that make a connection.
const NEEDED: [&str; 3] = [
    "HALLPASS_TOKEN_URL",
    "HALLPASS_BASE_URL",
    "HALLPASS_CLIENT_ID",
];

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_secret_comes_from_one_place_only() {
        let mut variables = COMPLETE.to_vec();
        variables.push(("HALLPASS_CLIENT_SECRET_FILE", "/run/secrets/hallpass"));
        assert!(matches!(read(&variables), Err(ProfileError::TwoSecrets)));
        variables.remove(3);
        let (_, credential) = read(&variables).unwrap().unwrap();
        assert!(matches!(credential, CredentialSource::File(_)));
    }
}
