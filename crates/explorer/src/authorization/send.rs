//! What is needed to send a request: a client of the API that the request's address is of, with the
//! authorization that the request has or inherits.

use std::collections::BTreeSet;

use hallpass_client::address::BaseUrl;
use hallpass_client::{
    AccessToken, Authorization, Client, ClientId, Options, Prefix, Profile, Secret,
};
use hallpass_client::{address::TokenUrl, profile::Authentication};
use reqwest::Url;
use serde::Serialize;

use super::effective::{Asking, Effective, filled, origin, profile_name};
use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::tokens::{Kept, KeptToken, TokensOf};
use crate::variables::{Variables, names};
use crate::visitor::Visitor;
use crate::workspace::{AuthorizationSettings, Draft, OAuth2, Own};

/// What sends a request.
pub struct Authorized {
    /// A client whose base URL is the origin of the request's address: the path of a request that it
    /// sends is the whole path.
    pub client: Client,
    /// The tokens that the workspace keeps a list of.
    tokens: Option<Tokened>,
}

struct Tokened {
    of: TokensOf,
    /// The newest before anything was sent.
    before: Option<Id>,
    /// The one that was chosen.
    first: Option<AccessToken>,
    /// Whether the API refused that, and another took its place.
    was_replaced: bool,
}

impl Authorized {
    /// The API refused the token that the request began with, and it was sent with another.
    pub fn was_replaced(&mut self) {
        if let Some(tokened) = &mut self.tokens {
            tokened.was_replaced = true;
        }
    }
}

/// The token that a request went with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentWith {
    /// Its name in the list of tokens.
    pub id: Id,
    /// Whether it was got for this request.
    pub renewed: bool,
}

/// A request on its way to be sent.
struct Sending<'a> {
    visitor: &'a Visitor,
    id: &'a Id,
    own: &'a Own,
    variables: &'a Variables,
    base_url: BaseUrl,
    options: &'a Options,
}

impl Explorer {
    /// What is needed to send a request.
    pub async fn authorized(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        draft: &Draft,
    ) -> Result<Authorized, Failure> {
        let options = self.surroundings.options();
        self.authorized_with(visitor, workspace, draft, &options)
            .await
    }

    /// The same with a client made otherwise: for its events and limits.
    pub async fn authorized_with(
        &self,
        visitor: &Visitor,
        id: &Id,
        draft: &Draft,
        options: &Options,
    ) -> Result<Authorized, Failure> {
        let workspace = self.workspace(visitor, id).await?;
        let own = self.own(visitor, id).await?;
        let variables = Variables::of(self, visitor, id, &workspace, &own);
        let sending = Sending {
            visitor,
            id,
            own: &own,
            variables: &variables,
            base_url: self.origin(&draft.url, &variables).await?,
            options,
        };
        let inherited = &workspace.authorization;
        let settings = draft.authorization.as_ref().unwrap_or(inherited);
        let to = origin("The address", sending.base_url.as_str())?;
        if carries_secret(settings) || holds_secret(draft, &variables).await? {
            self.let_go(visitor, id, &to).await?;
        }
        match settings {
            AuthorizationSettings::None => self.plain(sending, Authorization::None),
            AuthorizationSettings::Bearer {
                header_prefix,
                token,
            } => {
                let asking = Asking {
                    explorer: self,
                    variables: &variables,
                    visitor,
                    id,
                };
                let token = asking.literal("Token", token, &to).await?;
                let fixed = fixed(token, header_prefix)?;
                self.plain(sending, fixed)
            }
            AuthorizationSettings::Profile { profile } => self.of_profile(&sending, profile),
            AuthorizationSettings::OAuth2(settings) => self.with_token(sending, settings).await,
        }
    }

    /// Takes the tokens that were got while a request was sent into the list; tells which one it went
    /// with. A chosen one that the API refused is chosen no longer: every request would be refused once.
    pub async fn settle(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        authorized: &Authorized,
    ) -> Result<Option<SentWith>, Failure> {
        let Some(Tokened {
            of,
            before,
            first,
            was_replaced,
        }) = &authorized.tokens
        else {
            return Ok(None);
        };
        let newest = match self.absorb(visitor, workspace, of).await {
            Ok(newest) => newest,
            // The request was sent: its answer is not to be lost for the sake of a list.
            Err(failure) => {
                tracing::warn!(%failure, "a token cannot be put into the list");
                of.tokens().at_hand().map(|token| Kept::id(&token))
            }
        };
        let chosen = first.as_ref().map(Kept::id);
        let Some(newest) = newest else {
            return Ok(chosen.map(|id| SentWith { id, renewed: false }));
        };
        let renewed = before.as_ref() != Some(&newest);
        if *was_replaced && chosen.as_ref().is_some_and(|chosen| *chosen != newest) {
            self.change_own(visitor, workspace, |own| {
                own.chosen_token = None;
                Ok(())
            })
            .await?;
        }
        let id = match chosen {
            Some(chosen) if !renewed && !was_replaced => chosen,
            _ => newest,
        };
        Ok(Some(SentWith { id, renewed }))
    }

    /// The origin of a request's address, if it may be reached.
    async fn origin(&self, url: &str, variables: &Variables) -> Result<BaseUrl, Failure> {
        let resolved = filled("The address", variables.resolve(url).await?)?;
        let whole =
            "write the whole address, such as https://us1.data.cloud.hpe.com/api/v1/volumes";
        let url = Url::parse(resolved.text.expose().trim()).map_err(|error| {
            Failure::wrong(
                format!("the address {:?} is none: {error}", resolved.masked),
                format!("{whole}; is there a value for {{{{baseUrl}}}}?"),
            )
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::wrong(
                "the address holds a user name or password",
                "leave it out: credentials are kept apart from addresses",
            ));
        }
        self.surroundings.may_reach(&url)?;
        let origin = url.origin().ascii_serialization();
        BaseUrl::parse(&origin).map_err(|error| {
            let error = error.to_string().replace("base URL", "address");
            Failure::wrong(error, "use https; plain http is for this machine only")
        })
    }

    /// A client that needs no token endpoint.
    fn plain(
        &self,
        sending: Sending<'_>,
        authorization: Authorization,
    ) -> Result<Authorized, Failure> {
        let base_url = sending.base_url;
        let token_url = TokenUrl::parse(base_url.as_str());
        let token_url =
            token_url.map_err(|error| Failure::wrong(error.to_string(), error.hint()))?;
        let client_id = ClientId::parse("explorer");
        let client_id = client_id.map_err(|error| Failure::wrong(error.to_string(), ""))?;
        let profile = Profile::new(profile_name()?, token_url, base_url, client_id);
        let profile = self
            .surroundings
            .adapt(profile.with_authentication(Authentication::Body));
        Ok(Authorized {
            client: Client::authorized(profile, authorization, sending.options),
            tokens: None,
        })
    }

    /// The client of a profile of the command line. Its tokens go to its own API only: a workspace that
    /// somebody shared could name any address.
    fn of_profile(&self, sending: &Sending<'_>, name: &str) -> Result<Authorized, Failure> {
        let (profile, credential) = self.surroundings.profile(name)?;
        let own = Url::parse(profile.base_url().as_str()).map(|url| url.origin());
        let asked = Url::parse(sending.base_url.as_str()).map(|url| url.origin());
        if own != asked {
            return Err(Failure::refused(
                format!(
                    "the profile {name} is for {}, and this request goes to {}",
                    profile.base_url().as_str(),
                    sending.base_url.as_str()
                ),
                "choose the environment of the profile's region, or another authorization",
            ));
        }
        self.may_reach(profile.token_url().as_str())?;
        let profile = profile.with_base_url(sending.base_url.clone());
        let client = Client::new(profile, credential, sending.options);
        let client = client
            .map_err(|error| Failure::wrong(error.to_string(), error.hint().unwrap_or_default()))?;
        Ok(Authorized {
            client,
            tokens: None,
        })
    }

    /// A client with the tokens of settings: the chosen one, else the newest, and new ones when the
    /// settings say so.
    async fn with_token(
        &self,
        sending: Sending<'_>,
        settings: &OAuth2,
    ) -> Result<Authorized, Failure> {
        let (visitor, id) = (sending.visitor, sending.id);
        let effective = Effective::of(settings, self, sending.variables, visitor, id).await?;
        self.may_reach(effective.token_url())?;
        let of = self.tokens_of(visitor, id, &effective)?;
        let kept = self.kept_tokens(visitor, id).await?;
        if let Some(newest) = kept.newest_of(&of) {
            of.tokens().adopt(&newest);
        }
        let now = self.now();
        let chosen = sending.own.chosen_token.as_ref();
        let first = chosen
            .and_then(|id| kept.find(id))
            .filter(|token| token.is_of(&of) && !token.has_expired(now))
            .map(KeptToken::access_token);
        let authorization = if settings.renew {
            Authorization::Tokens {
                tokens: of.tokens().clone(),
                first: first.clone(),
                prefix: prefix(&settings.header_prefix)?,
            }
        } else {
            let token = first.clone().or_else(|| of.tokens().at_hand());
            let token = good(token, now)?;
            fixed(
                Secret::from(token.expose().to_owned()),
                &settings.header_prefix,
            )?
        };
        let profile = effective.profile(sending.base_url)?;
        let profile = self.surroundings.adapt(profile);
        let before = of.tokens().at_hand().map(|token| Kept::id(&token));
        Ok(Authorized {
            client: Client::authorized(profile, authorization, sending.options),
            tokens: Some(Tokened {
                of,
                before,
                first,
                was_replaced: false,
            }),
        })
    }
}

/// Whether a secret of the workspace goes with every request. What belongs to a profile goes to the
/// profile's own API in any case, and a typed token to the place that it is for.
fn carries_secret(settings: &AuthorizationSettings) -> bool {
    matches!(settings, AuthorizationSettings::OAuth2(_))
}

/// Whether there is a secret in what a request says.
async fn holds_secret(draft: &Draft, variables: &Variables) -> Result<bool, Failure> {
    let rows = draft.parameters.iter().chain(&draft.headers);
    let values = rows.filter(|row| row.on).map(|row| &row.value);
    let body = draft.body.iter().map(|body| &body.text);
    let texts = values.chain([&draft.url]).chain(body);
    let used: BTreeSet<&str> = texts.flat_map(|text| names(text)).collect();
    // The names alone: texts are long, and what they say does not matter here.
    let used: String = used
        .into_iter()
        .flat_map(|name| ["{{", name, "}}"])
        .collect();
    Ok(variables.resolve(&used).await?.is_secret())
}

/// A token that has not ended, for settings that say not to get another one.
fn good(token: Option<AccessToken>, now: jiff::Timestamp) -> Result<AccessToken, Failure> {
    let what = match token {
        Some(token) if token.expires_at() > now => return Ok(token),
        Some(_) => "the access token has ended",
        None => "there is no access token yet",
    };
    Err(Failure::wrong(
        what,
        "open Authorization and press Get New Access Token, or switch automatic renewal on",
    ))
}

fn fixed(token: Secret, header_prefix: &str) -> Result<Authorization, Failure> {
    let prefix = prefix(header_prefix)?;
    Ok(Authorization::Fixed { token, prefix })
}

fn prefix(text: &str) -> Result<Prefix, Failure> {
    Prefix::parse(text).map_err(|error| {
        Failure::wrong(
            format!("Header Prefix: {error}"),
            "use a word such as Bearer, or leave it empty",
        )
    })
}
