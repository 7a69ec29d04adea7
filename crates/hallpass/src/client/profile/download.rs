//! A credential in a file, as it was shown once: the JSON of `hallpass admin credential create
//! --json` or of the credential API, or the two labelled values of the console's dialog *Credentials
//! Created* (domain facts, sections 3.2 and 3.6).

use std::io::Read as _;
use std::path::{Path, PathBuf};

use hallpass_client::profile::Settings;
use hallpass_oauth::Secret;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::command::CommandError;

/// A credential that was read.
pub(super) struct Download {
    /// Where from, unless from standard input.
    pub(super) file: Option<PathBuf>,
    pub(super) secret: Secret,
    /// The application instance it is for.
    pub(super) instance: Option<String>,
    client_id: String,
    token_url: Option<String>,
    base_url: Option<String>,
}

/// The members that matter, by each of their spellings.
#[derive(Default, Deserialize)]
struct Members {
    #[serde(alias = "clientId", alias = "ClientId")]
    client_id: Option<String>,
    #[serde(alias = "clientSecret", alias = "ClientSecret")]
    client_secret: Option<String>,
    #[serde(alias = "applicationInstanceId")]
    application_instance_id: Option<String>,
    #[serde(alias = "tokenUrl")]
    token_url: Option<String>,
    #[serde(alias = "baseUrl")]
    base_url: Option<String>,
}

impl Download {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(file: &Path) -> Result<Self, CommandError> {
        let is_input = file == Path::new("-");
        let name = if is_input {
            "standard input".to_owned()
        } else {
            file.display().to_string()
        };
        let unreadable =
            |error: std::io::Error| CommandError::usage(format!("{name} cannot be read: {error}"));
        // Room for all of it at once: a growing buffer would leave copies of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(LARGEST + 1));
        let limit = LARGEST as u64 + 1;
        if is_input {
            std::io::stdin()
                .take(limit)
                .read_to_string(&mut text)
                .map_err(unreadable)?;
        } else {
            let opened = std::fs::File::open(file).map_err(unreadable)?;
            opened
                .take(limit)
                .read_to_string(&mut text)
                .map_err(unreadable)?;
        }
        let found = parse(&text).map_err(|reason| {
            CommandError::usage(format!("{name} is no credential: {reason}")).hint(
                "it has to be the file that was saved when the credential was created, or lines \
                 such as `Client ID: …` and `Client Secret: …`",
            )
        })?;
        Ok(Self {
            file: (!is_input).then(|| file.to_owned()),
            ..found
        })
    }

    /// Whose credential it is.
    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Puts what the file says where no flag says otherwise. A region that was named stands for both
    /// addresses.
    pub(super) fn fill(&self, settings: &mut Settings) {
        settings
            .client_id
            .get_or_insert_with(|| self.client_id.clone());
        if settings.region.is_none() {
            let fill = |to: &mut Option<String>, from: &Option<String>| {
                if to.is_none() {
                    to.clone_from(from);
                }
            };
            fill(&mut settings.token_url, &self.token_url);
            fill(&mut settings.base_url, &self.base_url);
        }
    }
}

/// What the text says. The reasons never hold anything of it.
fn parse(text: &str) -> Result<Download, &'static str> {
    if text.len() > LARGEST {
        return Err("it is far too large");
    }
    let members = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|_| "it is no JSON object whose members are texts")?
    } else {
        labelled(text)
    };
    let filled = |text: Option<String>| {
        text.map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let secret = filled(members.client_secret).map(Secret::from);
    let client_id = filled(members.client_id);
    match (client_id, secret) {
        (Some(client_id), Some(secret)) => Ok(Download {
            file: None,
            secret,
            instance: filled(members.application_instance_id),
            client_id,
            token_url: filled(members.token_url),
            base_url: filled(members.base_url),
        }),
        (None, Some(_)) => Err("it has a client secret, but no client id"),
        (Some(_), None) => Err("it has a client id, but no client secret"),
        (None, None) => Err("it has neither a client id nor a client secret"),
    }
}

/// Lines with a label: its value stands behind it, or on the line below.
fn labelled(text: &str) -> Members {
    let mut members = Members::default();
    let mut waiting: Option<&'static str> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (label, value) = match LABELS.iter().find_map(|label| behind(line, label)) {
            Some((label, "")) => {
                waiting = Some(label);
                continue;
            }
            Some(found) => found,
            None => match waiting.take() {
                Some(label) => (label, line),
                None => continue,
            },
        };
        waiting = None;
        let member = match label {
            "client id" => &mut members.client_id,
            "client secret" => &mut members.client_secret,
            "application instance" => &mut members.application_instance_id,
            "token url" => &mut members.token_url,
            _ => &mut members.base_url,
        };
        member.get_or_insert_with(|| value.to_owned());
    }
    members
}

/// What stands behind a label, if the line begins with it.
fn behind<'l>(line: &'l str, label: &&'static str) -> Option<(&'static str, &'l str)> {
    let (start, rest) = line.split_at_checked(label.len())?;
    let is_whole = rest.is_empty() || rest.starts_with([':', '=', ' ', '\t']);
    (start.eq_ignore_ascii_case(label) && is_whole)
        .then(|| (*label, rest.trim_start_matches([':', '=', ' ', '\t', '*'])))
}

const LABELS: [&str; 5] = [
    "client id",
    "client secret",
    "application instance",
    "token url",
    "base url",
];

/// Most that is read, in bytes.
const LARGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(String, String), &'static str> {
        let found = parse(text)?;
        Ok((found.client_id.clone(), found.secret.expose().to_owned()))
    }

    #[test]
    fn every_form_of_a_credential_is_read() {
        let both = Ok(("c1".to_owned(), "s1".to_owned()));
        for text in [
            "{\"clientId\":\"c1\",\"clientSecret\":\"s1\",\"name\":\"x\",\"scopes\":[]}",
            "{\"client_id\":\"c1\",\"client_secret\":\" s1\\n\"}",
            "successfully created nightly\nClient ID: c1\nClient Secret: s1\n",
            "Client ID\nc1\n\nCLIENT SECRET\n  s1\nCopy it to a safe place\n",
            "client id\tc1\r\nclient secret = s1\r\n",
        ] {
            assert_eq!(read(text), both, "{text}");
        }
        let full = parse("{\"clientId\":\"c\",\"clientSecret\":\"s\",\"tokenUrl\":\"t\",\"baseUrl\":\"b\",\"applicationInstanceId\":\"i\"}").ok().unwrap();
        assert_eq!(full.instance.as_deref(), Some("i"));
        let mut settings = Settings {
            token_url: Some("flag".to_owned()),
            ..Settings::default()
        };
        full.fill(&mut settings);
        assert_eq!(settings.token_url.as_deref(), Some("flag"));
        assert_eq!(settings.base_url.as_deref(), Some("b"));
    }

    #[test]
    fn what_lacks_something_is_refused_by_name() {
        for (text, lacks) in [
            ("{\"clientId\":\"planted\"}", "no client secret"),
            ("Client Secret: planted", "no client id"),
            (
                "{\"clientId\":1,\"clientSecret\":\"planted\"}",
                "no JSON object",
            ),
            ("planted", "neither"),
            (
                "{\"clientId\":\"planted\",\"clientSecret\":\" \"}",
                "no client secret",
            ),
        ] {
            let reason = read(text).unwrap_err();
            assert!(reason.contains(lacks), "{text}: {reason}");
        }
    }
}
