//! Whether a credential works: a token is asked for, and the API is called once with it.

use std::sync::Arc;

use hallpass_client::AccessToken;
use hallpass_client::credential_source::CredentialSource;
use hallpass_client::doctor::{self, Finding, Verdict};
use hallpass_client::event::Event;
use hallpass_client::profile::Profile;
use hallpass_client::region::Region;
use hallpass_client::send::Client;
use hallpass_oauth::{ApplicationInstanceId, jws};
use hallpass_openapi::Definition;
use serde_json::Value;

use crate::client::warnings::warning;
use crate::client::{library, options};
use crate::command::CommandError;
use crate::output;

/// Asks for a token, which must be given, and says what is odd about it. `instance` is the one that
/// the credential was made for, where that is known.
pub(super) async fn run(
    profile: &Profile,
    credential: CredentialSource,
    instance: Option<&str>,
) -> Result<(), CommandError> {
    let warn = |event: &Event| {
        if let Some(warning) = warning(event) {
            output::words(&warning);
        }
    };
    let options = options().with_events(Arc::new(warn));
    let client = Client::new(profile.clone(), credential, &options)?;
    let token = client.tokens().renew().await.map_err(library)?;
    output::words(&format!(
        "The credential works: there is a token, good until {}.",
        token.expires_at()
    ));
    if let Some(warning) = other_instance(profile, &token, instance) {
        output::words(&warning);
    }
    // The credential is as good as it is whatever becomes of the file of the definition.
    let definition = match definition_for(profile, &token) {
        Ok(definition) => definition,
        Err(error) => {
            output::words(&format!(
                "warning: no call was tried, for the definition cannot be used: {}",
                output::printable(&error)
            ));
            return Ok(());
        }
    };
    let mut tell = |finding: Finding| output::words(&line(&finding));
    doctor::try_token(&client, &definition, &token, &mut tell).await;
    Ok(())
}

/// What the token can be tried with: the API of the profile, or for a token of the platform, whose base URL is
/// the console, the console's own REST API.
fn definition_for(profile: &Profile, token: &AccessToken) -> Result<Definition, String> {
    if instance_in(token).as_deref() == Some(ApplicationInstanceId::platform().as_str()) {
        let own = hallpass_console::document("");
        let text = own.to_json().map_err(|error| error.to_string())?;
        let reading = Definition::read(&text).map_err(|error| error.to_string())?;
        return Ok(reading.definition);
    }
    let reading = crate::definition::load(profile.api());
    let reading = reading.map_err(|error| error.message().to_owned())?;
    Ok(reading.definition)
}

fn instance_in(token: &AccessToken) -> Option<String> {
    let (_, claims) = jws::peek(token.expose())?;
    let claims: Value = serde_json::from_str(&claims).ok()?;
    Some(claims.get("application_instance_id")?.as_str()?.to_owned())
}

/// The instance in the token against the one that the credential or the region is known to have.
fn other_instance(
    profile: &Profile,
    token: &AccessToken,
    instance: Option<&str>,
) -> Option<String> {
    let said = instance_in(token)?;
    let said = output::printable(&said);
    let region = profile
        .region()
        .or_else(|| Region::of_base_url(profile.base_url().as_str()));
    let (of, wanted) = match (
        region.and_then(|region| Some((region, region.instance()?))),
        instance,
    ) {
        (Some((region, wanted)), _) => (format!("region {region}"), wanted),
        (None, Some(wanted)) => ("the credential".to_owned(), wanted),
        (None, None) => return None,
    };
    (said != wanted).then(|| {
        format!(
            "warning: the token is for the application instance {said}, but that of {of} is \
             {wanted}: calls will be refused\nhint: a credential belongs to one service and region; \
             name that region, or make a credential for this one"
        )
    })
}

fn line(finding: &Finding) -> String {
    let message = output::printable(&finding.message);
    let mut line = match finding.verdict {
        Verdict::Failed | Verdict::Warning => format!("warning: {message}"),
        _ => message,
    };
    if let Some(hint) = &finding.hint {
        line.push_str("\nhint: ");
        line.push_str(&output::printable(hint));
    }
    line
}
