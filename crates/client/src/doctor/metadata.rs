//! What the authorization server publishes about itself (RFC 8414), beside what the profile says.

use hallpass_oauth::Issuer;
use hallpass_oauth::metadata::{AdvertisedMethod, AuthorizationServerMetadata, Document};
use reqwest::Url;

use super::finding::{Finding, Step};
use crate::send::Client;
use crate::transport::exchange;

pub(super) async fn check(client: &Client, tell: &mut (dyn FnMut(Finding) + Send)) {
    let origin = client.profile().token_url().url().origin();
    let origin = origin.ascii_serialization();
    let Some((url, issuer)) = address(&origin) else {
        return;
    };
    let Ok(way) = client.way_to(&url) else {
        return;
    };
    let request = reqwest::Request::new(http::Method::GET, url);
    let body = match exchange(&way, request, LARGEST).await {
        Ok(answer) if answer.status().is_success() => answer.into_body(),
        _ => {
            tell(Finding::note(
                Step::Metadata,
                format!("{origin} publishes nothing about itself, so the profile is believed"),
            ));
            return;
        }
    };
    match AuthorizationServerMetadata::parse(&body, &issuer) {
        Ok(metadata) => compare(client, &metadata, tell),
        Err(error) => tell(
            Finding::warning(
                Step::Metadata,
                format!("what {origin} publishes about itself cannot be believed: {error}"),
            )
            .hint("whoever runs the authorization server should know"),
        ),
    }
}

fn address(origin: &str) -> Option<(Url, Issuer)> {
    let issuer = Issuer::parse(origin).ok()?;
    let url = Document::AuthorizationServer.url(&issuer).ok()?;
    Some((Url::parse(&url).ok()?, issuer))
}

fn compare(
    client: &Client,
    metadata: &AuthorizationServerMetadata,
    tell: &mut (dyn FnMut(Finding) + Send),
) {
    let profile = client.profile();
    let word = advertised_word(profile.authentication().word());
    let offered: Vec<String> = metadata
        .authentication_methods
        .iter()
        .map(|method| AdvertisedMethod::into(method.clone()))
        .collect();
    if !offered.is_empty() && !offered.iter().any(|method| method == word) {
        let offered = offered.join(", ");
        tell(
            Finding::warning(
                Step::Metadata,
                format!("the profile authenticates by {word}; the server offers {offered}"),
            )
            .hint("replace the profile with another --authentication"),
        );
    }
    let token_url = profile.token_url().as_str();
    tell(if metadata.token_endpoint == token_url {
        Finding::fine(
            Step::Metadata,
            "the server names the same token URL as the profile",
        )
    } else {
        let named = &metadata.token_endpoint;
        Finding::note(
            Step::Metadata,
            format!("the server names {named} as its token URL; the profile has another"),
        )
        .hint(
            "if no token is given, replace the profile with --token-url; where each workspace has an \
             address of its own, this is as it should be",
        )
    });
}

/// The profile's word in the words of RFC 8414 section 2.
fn advertised_word(word: &'static str) -> &'static str {
    match word {
        "body" => "client_secret_post",
        "basic" => "client_secret_basic",
        other => other,
    }
}

/// Such documents have a few kilobytes.
const LARGEST: usize = 256 * 1024;
