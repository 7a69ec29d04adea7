//! Settings of OAuth 2.0 with values in place of `{{names}}`: what a token is asked for with.

use hallpass_client::address::{BaseUrl, TokenUrl};
use hallpass_client::profile::Authentication;
use hallpass_client::{ClientId, Profile, ProfileName, Secret};
use reqwest::Url;

use super::typed::is_kept_by_settings;
use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::trust::Origin;
use crate::variables::{Resolved, Variables};
use crate::visitor::Visitor;
use crate::workspace::{ClientAuthentication, Literal, OAuth2};

/// Settings that are complete.
pub(crate) struct Effective {
    /// What a new token is called.
    pub(crate) token_name: String,
    token_url: TokenUrl,
    client_id: ClientId,
    pub(crate) client_secret: Secret,
    scope: String,
    authentication: Authentication,
}

impl Effective {
    /// Fills the settings in; says which field lacks something.
    pub(crate) async fn of(
        settings: &OAuth2,
        explorer: &Explorer,
        variables: &Variables,
        visitor: &Visitor,
        id: &Id,
    ) -> Result<Self, Failure> {
        let field = async |name: &str, text: &str| -> Result<String, Failure> {
            let resolved = filled(name, variables.resolve(text).await?)?;
            Ok(resolved.text.expose().trim().to_owned())
        };
        let token_url = field("Access Token URL", &settings.access_token_url).await?;
        let token_url = TokenUrl::parse(required("Access Token URL", &token_url)?)
            .map_err(|error| Failure::wrong(error.to_string(), error.hint()))?;
        let client_id = field("Client ID", &settings.client_id).await?;
        let client_id = ClientId::parse(required("Client ID", &client_id)?).map_err(|error| {
            Failure::wrong(
                format!("Client ID: {error}"),
                "copy it again from where the credential was made",
            )
        })?;
        let secret = &settings.client_secret;
        let asking = Asking {
            explorer,
            variables,
            visitor,
            id,
        };
        let to = origin("Access Token URL", token_url.as_str())?;
        let client_secret = asking.literal("Client Secret", secret, &to).await?;
        Ok(Self {
            token_name: field("Token Name", &settings.token_name).await?,
            token_url,
            client_id,
            client_secret,
            scope: field("Scope", &settings.scope).await?,
            authentication: match settings.client_authentication {
                ClientAuthentication::Body => Authentication::Body,
                ClientAuthentication::Basic => Authentication::Basic,
            },
        })
    }

    /// Where the token is asked for.
    pub(crate) fn token_url(&self) -> &str {
        self.token_url.as_str()
    }

    /// The scope that is asked for.
    pub(crate) fn scope(&self) -> &str {
        &self.scope
    }

    /// Everything that shapes a token, the secret included.
    pub(crate) fn parts(&self) -> [&str; 5] {
        [
            self.token_url.as_str(),
            self.client_id.as_str(),
            self.client_secret.expose(),
            &self.scope,
            self.authentication.word(),
        ]
    }

    /// The connection that these settings describe, to an API at `base_url`.
    pub(crate) fn profile(&self, base_url: BaseUrl) -> Result<Profile, Failure> {
        let (token_url, client_id) = (self.token_url.clone(), self.client_id.clone());
        let profile = Profile::new(profile_name()?, token_url, base_url, client_id);
        Ok(profile
            .with_authentication(self.authentication.clone())
            .with_scope(Some(&self.scope)))
    }
}

impl Explorer {
    /// Refuses an address that may not be reached from here.
    pub(crate) fn may_reach(&self, address: &str) -> Result<(), Failure> {
        let url = Url::parse(address).map_err(|error| {
            Failure::wrong(
                format!("{address:?} is no address: {error}"),
                "write the whole address, such as https://us1.data.cloud.hpe.com",
            )
        })?;
        self.surroundings.may_reach(&url)
    }
}

/// Somebody on whose behalf a secret is looked up.
pub(super) struct Asking<'a> {
    pub(super) explorer: &'a Explorer,
    pub(super) variables: &'a Variables,
    pub(super) visitor: &'a Visitor,
    pub(super) id: &'a Id,
}

impl Asking<'_> {
    /// The secret that a literal stands for, if it may go to this origin.
    pub(super) async fn literal(
        &self,
        field: &str,
        literal: &Literal,
        to: &Origin,
    ) -> Result<Secret, Failure> {
        let (explorer, visitor, id) = (self.explorer, self.visitor, self.id);
        let secret = match literal {
            Literal::Reference { text } => {
                let resolved = filled(field, self.variables.resolve(text).await?)?;
                if resolved.is_secret() {
                    explorer.let_go(visitor, id, to).await?;
                }
                Some(resolved.text)
            }
            Literal::Kept { name } if is_kept_by_settings(name) => {
                let kept = visitor.drawer.secret(id, name).await?;
                let kept = kept.ok_or_else(|| {
                    Failure::wrong(
                        format!("{field} is not kept on this machine"),
                        "type it again in Authorization; secrets are not shared with a workspace",
                    )
                })?;
                explorer.let_kept_go(visitor, id, (field, name), to).await?;
                Some(kept)
            }
            Literal::Empty | Literal::Kept { .. } => None,
        };
        let secret = secret.filter(|secret| !secret.expose().trim().is_empty());
        secret.ok_or_else(|| empty(field))
    }
}

/// The origin of an address that was checked.
pub(super) fn origin(field: &str, address: &str) -> Result<Origin, Failure> {
    Origin::of(address).ok_or_else(|| {
        Failure::wrong(
            format!("{field} leads to no server"),
            "write the whole address, such as https://us1.data.cloud.hpe.com",
        )
    })
}

/// The name of connections that the explorer makes.
pub(super) fn profile_name() -> Result<ProfileName, Failure> {
    ProfileName::parse("explorer").map_err(|error| Failure::wrong(error.to_string(), ""))
}

/// The text, when everything that it names has a value.
pub(super) fn filled(field: &str, resolved: Resolved) -> Result<Resolved, Failure> {
    let Some(missing) = resolved.missing() else {
        return Ok(resolved);
    };
    Err(Failure::wrong(
        format!(
            "{field} has no value for {{{{{}}}}}: {}",
            missing.name, missing.from
        ),
        "give the variable a value in the active environment, or choose another environment",
    ))
}

fn required<'a>(field: &str, text: &'a str) -> Result<&'a str, Failure> {
    if text.is_empty() {
        return Err(empty(field));
    }
    Ok(text)
}

fn empty(field: &str) -> Failure {
    Failure::wrong(
        format!("{field} is empty"),
        "open Authorization and fill it in",
    )
}
