//! What was not given is asked for on a terminal; without one, the flag that is missing is named.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use hallpass_client::credential_source::CredentialSource;
use hallpass_client::profile::Settings;
use hallpass_client::region::Region;
use hallpass_oauth::Secret;
use zeroize::Zeroizing;

use crate::command::{CommandError, chain};

/// Asks for the place of the API and for the client id, if they are missing.
pub(super) fn missing(settings: &mut Settings) -> Result<(), CommandError> {
    if settings.region.is_none() && settings.base_url.is_none() {
        let names: Vec<&str> = Region::all().map(Region::name).collect();
        let question = format!("Region ({}) or base URL of the API: ", names.join(", "));
        let answer = ask(
            &question,
            "--region NAME, or --base-url URL and --token-url URL",
        )?;
        if answer.contains("://") && Region::of_base_url(&answer).is_none() {
            settings.base_url = Some(answer);
        } else {
            settings.region = Some(answer);
        }
    }
    if settings.region.is_none() && settings.token_url.is_none() {
        settings.token_url = Some(ask("Token URL: ", "--token-url URL")?);
    }
    if settings.client_id.is_none() {
        settings.client_id = Some(ask("Client id: ", "--client-id ID")?);
    }
    Ok(())
}

/// The secret from a file, from standard input, or typed without being seen.
pub(super) fn secret(file: Option<&Path>) -> Result<Secret, CommandError> {
    let secret = match file {
        Some(path) if path == Path::new("-") => from_input()?,
        Some(path) => CredentialSource::File(PathBuf::from(path))
            .load()
            .map_err(|error| CommandError::usage(chain(&error)).maybe_hint(error.hint()))?,
        None if std::io::stdin().is_terminal() => rpassword::prompt_password("Client secret: ")
            .map(Secret::from)
            .map_err(|error| CommandError::usage(format!("the secret cannot be read: {error}")))?,
        None => {
            return Err(
                CommandError::usage("there is no terminal to ask for the client secret").hint(
                    "name a file with --secret-file FILE, or pipe the secret in with \
                     --secret-file -",
                ),
            );
        }
    };
    let trimmed = secret.expose().trim();
    if trimmed.is_empty() {
        return Err(CommandError::usage("the client secret is empty"));
    }
    Ok(Secret::from(trimmed.to_owned()))
}

fn from_input() -> Result<Secret, CommandError> {
    let mut text = Zeroizing::new(String::with_capacity(LARGEST));
    std::io::stdin()
        .take(LARGEST as u64)
        .read_to_string(&mut text)
        .map_err(|error| {
            CommandError::usage(format!(
                "the secret cannot be read from standard input: {error}"
            ))
        })?;
    Ok(Secret::from(std::mem::take(&mut *text)))
}

fn ask(question: &str, flag: &str) -> Result<String, CommandError> {
    if !std::io::stdin().is_terminal() {
        return Err(CommandError::usage(format!("{flag} is missing"))
            .hint("on a terminal, what is missing is asked for"));
    }
    let _ = write!(std::io::stderr().lock(), "{question}");
    let mut answer = String::new();
    std::io::stdin()
        .read_line(&mut answer)
        .map_err(|error| CommandError::usage(format!("the answer cannot be read: {error}")))?;
    match answer.trim() {
        "" => Err(CommandError::usage(format!("{flag} is missing"))),
        answer => Ok(answer.to_owned()),
    }
}

/// Most that is read of a secret, in bytes.
const LARGEST: usize = 16 * 1024;
