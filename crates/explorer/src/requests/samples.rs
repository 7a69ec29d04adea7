//! A draft as a program: the same as the command line's samples, with the settings of the workspace in
//! place of a profile's. There is no secret and no token in it.

use std::sync::Arc;

use axum::extract::{Path, State};
use hallpass_client::address::{BaseUrl, TokenUrl};
use hallpass_client::profile::Authentication;
use hallpass_client::sample::{Sample, SampleLanguage, SampleToken};
use hallpass_client::{BuiltRequest, ClientId, Prefix, Profile, ProfileName};
use hallpass_openapi::code::Language;
use serde::Deserialize;
use serde_json::json;

use super::MASK;
use super::compose::Composed;
use super::fill::Face;
use super::preview::unmasked;
use crate::Explorer;
use crate::answer::{Answer, Failure, Json, told};
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::{AuthorizationSettings, ClientAuthentication, Draft, OAuth2};

/// Which program.
#[derive(Deserialize)]
pub(super) struct Wanted {
    request: Draft,
    language: String,
}

pub(super) async fn write(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Answer {
    let id = Id::parse(&workspace)?;
    let language = language(&wanted.language)?;
    let (workspace, composed) = explorer
        .compose(&visitor, &id, &wanted.request, Face::Shown)
        .await?;
    let title = title(&composed);
    let notes = notes(&composed);
    let Some((server, request)) = composed.request else {
        let first = composed.mistakes.iter().find(|wrong| wrong.stops);
        let (what, hint) = first.map_or(("the request is not complete", ""), |wrong| {
            (wrong.what.as_str(), wrong.hint.as_str())
        });
        return Err(Failure::wrong(what, hint));
    };
    let request = BuiltRequest {
        path_and_query: unmasked(&request.path_and_query),
        ..request
    };
    let own = wanted.request.authorization.as_ref();
    let settings = own.unwrap_or(&workspace.authorization);
    let profile = explorer.profile_of(&visitor, &id, settings, server).await?;
    let prefix = settings.header_prefix().map(Prefix::parse).transpose();
    let prefix = prefix.map_err(|error| {
        Failure::wrong(
            format!("Header Prefix: {error}"),
            "use a word such as Bearer",
        )
    })?;
    let sample = Sample {
        profile: &profile,
        request: &request,
        title: &title,
        notes,
        token: match settings {
            AuthorizationSettings::None => SampleToken::None,
            AuthorizationSettings::Bearer { .. } => SampleToken::Given,
            AuthorizationSettings::OAuth2(_) | AuthorizationSettings::Profile { .. } => {
                SampleToken::OfProfile
            }
        },
        prefix: &prefix.unwrap_or_default(),
    };
    told(&json!({ "text": sample.write(language) }))
}

fn language(word: &str) -> Result<SampleLanguage, Failure> {
    let language = match word {
        "curl" => Language::Curl,
        "python" => Language::Python,
        "powershell" => Language::PowerShell,
        "javascript" => Language::JavaScript,
        "go" => Language::Go,
        "rust" => Language::Rust,
        _ => {
            return Err(Failure::wrong(
                format!("no program is written in {word:?} here"),
                "choose curl, python, powershell, javascript, go or rust",
            ));
        }
    };
    Ok(SampleLanguage::Plain(language))
}

fn title(composed: &Composed) -> String {
    match &composed.known {
        None => format!("{} {}", composed.method, composed.address.path),
        Some(known) => {
            let operation = known.operation();
            match operation.summary() {
                "" => operation.id().to_owned(),
                summary => format!("{}: {summary}", operation.id()),
            }
        }
    }
}

fn notes(composed: &Composed) -> Vec<String> {
    let secrets = composed.filled.used.iter().filter(|used| used.secret);
    let secrets: Vec<&str> = secrets.map(|used| used.name.as_str()).collect();
    if secrets.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{MASK} stands in place of a secret: {}",
        secrets.join(", ")
    )]
}

impl Explorer {
    /// What a program has to know of the settings.
    async fn profile_of(
        &self,
        visitor: &Visitor,
        id: &Id,
        settings: &AuthorizationSettings,
        server: BaseUrl,
    ) -> Result<Profile, Failure> {
        match settings {
            AuthorizationSettings::OAuth2(settings) => {
                self.profile_of_settings(visitor, id, settings, server)
                    .await
            }
            AuthorizationSettings::Profile { profile } => {
                let (profile, _) = self.surroundings.profile(profile)?;
                Ok(profile.with_base_url(server))
            }
            // The program is given its token or goes without, so nobody is asked for one.
            AuthorizationSettings::Bearer { .. } | AuthorizationSettings::None => {
                profile(server.as_str(), "explorer", server.clone())
            }
        }
    }

    async fn profile_of_settings(
        &self,
        visitor: &Visitor,
        id: &Id,
        settings: &OAuth2,
        server: BaseUrl,
    ) -> Result<Profile, Failure> {
        let shown = async |field: &str, text: &str| {
            let resolved = self.resolve(visitor, id, text).await?;
            match resolved.missing() {
                None => Ok(resolved.masked),
                Some(missing) => Err(Failure::wrong(
                    format!(
                        "{field}: {{{{{}}}}} has no value: {}",
                        missing.name, missing.from
                    ),
                    "give the variable a value in the active environment",
                )),
            }
        };
        let token_url = shown("Access Token URL", &settings.access_token_url).await?;
        let client_id = shown("Client ID", &settings.client_id).await?;
        let scope = shown("Scope", &settings.scope).await?;
        let authentication = match settings.client_authentication {
            ClientAuthentication::Body => Authentication::Body,
            ClientAuthentication::Basic => Authentication::Basic,
        };
        let profile = profile(&token_url, &client_id, server)?;
        Ok(profile
            .with_authentication(authentication)
            .with_scope(Some(&scope)))
    }
}

fn profile(token_url: &str, client_id: &str, server: BaseUrl) -> Result<Profile, Failure> {
    let hint = "fill in the form of the authorization";
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        Failure::wrong(format!("{what}: {error}"), hint)
    };
    let name = ProfileName::parse("explorer").map_err(|error| wrong("Name", &error))?;
    let token_url =
        TokenUrl::parse(token_url).map_err(|error| wrong("Access Token URL", &error))?;
    let client_id = ClientId::parse(client_id).map_err(|error| wrong("Client ID", &error))?;
    Ok(Profile::new(name, token_url, server, client_id))
}
