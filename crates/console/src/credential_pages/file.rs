//! *Download file*: the credential as `hallpass profile add --from` reads it.
//!
//! The page that shows a new secret posts it back and gets it as an attachment. So it works without a
//! script, the server keeps nothing, and the browser's list of downloads has an address without the
//! secret: a `data:` link would have put all of it there.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hallpass_oauth::Secret;
use hallpass_pages::download as saved;
use serde::Serialize;

use super::{Id, answered, text};
use crate::Console;
use crate::credentials::rule::Deed;
use crate::form::SignedForm;
use crate::page::PageRefusal;

/// Longest secret taken; ours have 32 characters, or a few more.
const LONGEST_SECRET: usize = 256;

/// Longest name of a file, without its ending.
const LONGEST_NAME: usize = 40;

/// The members in the spelling of `hallpass admin credential create --json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    name: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    application_instance_id: &'a str,
    token_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
}

pub(super) async fn download(
    State(console): State<Arc<Console>>,
    id: Id,
    form: SignedForm,
) -> Response {
    let secret = form.fields.secret("client_secret");
    let outcome = console.file(&form, &text(id), &secret).await;
    answered(&form.by, outcome)
}

impl Console {
    async fn file(
        &self,
        form: &SignedForm,
        id: &str,
        secret: &Secret,
    ) -> Result<Response, PageRefusal> {
        let managed = self.managed(&form.by, id, Deed::Obtain).await?;
        let fits = (1..=LONGEST_SECRET).contains(&secret.expose().len());
        if !fits || !secret.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PageRefusal::NoForm);
        }
        let credential = managed.credential();
        let file = File {
            name: &credential.name,
            client_id: credential.client_id.as_str(),
            client_secret: secret.expose(),
            application_instance_id: credential.instance.as_str(),
            token_url: &self.addresses.token_url,
            base_url: self.base_url(&credential.instance),
        };
        let text = serde_json::to_string_pretty(&file).map_err(|_| PageRefusal::NoForm)?;
        let name = file_name(&credential.name);
        Ok(saved(&name, "application/json", Body::from(text + "\n")))
    }
}

/// The name that the browser saves it under: one that no shell takes for more than a name.
pub(super) fn file_name(name: &str) -> String {
    format!("{}.json", profile_name(name))
}

/// The name of the profile in the command: what `hallpass profile add` takes, and what a person who
/// reads it recognises.
pub(super) fn profile_name(name: &str) -> String {
    let plain = name
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .flat_map(char::to_lowercase);
    let plain: String = plain.collect();
    let words = plain.split('-').filter(|word| !word.is_empty());
    let mut short: String = words.collect::<Vec<_>>().join("-");
    short.truncate(LONGEST_NAME);
    if short.is_empty() {
        "credential".to_owned()
    } else {
        short
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_recognisable() {
        for (name, profile) in [
            ("nightly", "nightly"),
            ("My Apps Credential 1", "my-apps-credential-1"),
            ("  ../../etc $(rm) ", "etc-rm"),
            ("夜", "credential"),
        ] {
            assert_eq!(profile_name(name), profile);
        }
    }

    proptest! {
        #[test]
        fn no_name_means_anything_to_a_shell_or_a_header(name in "\\PC{0,80}") {
            let profile = profile_name(&name);
            prop_assert!(!profile.is_empty() && profile.len() <= LONGEST_NAME);
            prop_assert!(profile.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
            prop_assert!(!profile.starts_with('-'));
        }
    }
}
