//! What may be kept of a request: everything but secrets. A secret is what the key store keeps for the
//! workspace, what only headers of authorization hold, and what looks like a token.

use hallpass_client::Secret;

use super::MASK;
use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::variables::names;
use crate::visitor::Visitor;
use crate::workspace::environment::secret_name;
use crate::workspace::{AuthorizationSettings, Draft, Literal, Row, Workspace};

/// The secrets of a workspace.
pub(super) struct Secrets(Vec<Secret>);

impl Explorer {
    /// The secrets that are kept for a workspace.
    pub(super) async fn secrets(
        &self,
        visitor: &Visitor,
        id: &Id,
        workspace: &Workspace,
    ) -> Result<Secrets, Failure> {
        let variables = workspace.environments.iter().flat_map(|environment| {
            let secret = environment.variables.iter().filter(|one| one.secret);
            secret.map(|one| secret_name(&environment.id, &one.name))
        });
        let mut kept: Vec<String> = variables.collect();
        let requests = workspace.saved.iter();
        let settings = requests.filter_map(|one| one.request.authorization.as_ref());
        for settings in settings.chain([&workspace.authorization]) {
            kept.extend(literal(settings));
        }
        let mut secrets = Vec::new();
        for name in kept {
            secrets.extend(visitor.drawer.secret(id, &name).await?);
        }
        Ok(Secrets(secrets))
    }
}

fn literal(settings: &AuthorizationSettings) -> Option<String> {
    let literal = match settings {
        AuthorizationSettings::OAuth2(settings) => &settings.client_secret,
        AuthorizationSettings::Bearer { token, .. } => token,
        AuthorizationSettings::None | AuthorizationSettings::Profile { .. } => return None,
    };
    match literal {
        Literal::Kept { name } => Some(name.clone()),
        Literal::Empty | Literal::Reference { .. } => None,
    }
}

impl Secrets {
    /// The draft without its secrets.
    pub(super) fn taken_from(&self, draft: &Draft) -> Draft {
        let mut draft = draft.clone();
        draft.url = self.masked(&draft.url);
        draft.headers.retain(|row| !is_credential(row));
        draft.parameters.retain(|row| !is_credential(row));
        for row in draft.headers.iter_mut().chain(&mut draft.parameters) {
            row.value = self.masked(&row.value);
        }
        if let Some(body) = &mut draft.body {
            body.text = self.masked(&body.text);
        }
        draft
    }

    /// A text with a mask in place of every secret.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter().filter(|one| is_telling(one.expose())) {
            if text.contains(secret.expose()) {
                text = text.replace(secret.expose(), MASK);
            }
        }
        for token in tokens(&text) {
            text = text.replace(&token, MASK);
        }
        text
    }

    /// Where a draft holds a secret, in words.
    pub(super) fn found_in(&self, draft: &Draft) -> Option<String> {
        let holds = |text: &str| self.masked(text) != text;
        let rows = || draft.headers.iter().chain(&draft.parameters);
        if holds(&draft.url) {
            return Some("the address".to_owned());
        }
        if let Some(row) = rows().find(|row| is_credential(row) || holds(&row.value)) {
            return Some(format!("{:?}", row.name));
        }
        let body = draft.body.as_ref();
        body.filter(|body| holds(&body.text))
            .map(|_| "the body".to_owned())
    }
}

/// Whether a text is long enough to be told from others: a secret of three letters stands everywhere.
fn is_telling(secret: &str) -> bool {
    secret.chars().count() >= 6
}

/// Whether a row holds what only a server is to see. A value that only names variables is none.
fn is_credential(row: &Row) -> bool {
    let name = row.name.to_ascii_lowercase();
    let telling = [
        "authorization",
        "cookie",
        "api-key",
        "apikey",
        "secret",
        "token",
        "password",
    ];
    let is_one = match row.place {
        crate::workspace::RowPlace::Header => telling.iter().any(|word| name.contains(word)),
        crate::workspace::RowPlace::Cookie => true,
        _ => false,
    };
    is_one && !row.value.is_empty() && !is_reference(&row.value)
}

/// Whether a text is nothing but names of variables, with what stands before a token.
fn is_reference(text: &str) -> bool {
    let mut rest = text.to_owned();
    for name in names(text) {
        rest = rest.replacen(&format!("{{{{{name}}}}}"), "", 1);
    }
    let words = rest.split_whitespace();
    rest != text
        && words
            .into_iter()
            .all(|word| matches!(word, "Bearer" | "Basic"))
}

/// The signed tokens in a text (RFC 7519): three parts, the first a JSON object.
fn tokens(text: &str) -> Vec<String> {
    let part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let words = text.split(|letter| !part(letter));
    let is_token = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        parts.len() == 3 && word.starts_with("eyJ") && parts.iter().all(|one| one.len() >= 8)
    };
    words.filter(is_token).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::RowPlace;

    fn draft(url: &str, header: (&str, &str)) -> Draft {
        Draft {
            definition: None,
            operation: None,
            method: "GET".to_owned(),
            url: url.to_owned(),
            parameters: Vec::new(),
            headers: vec![Row {
                name: header.0.to_owned(),
                place: RowPlace::Header,
                value: header.1.to_owned(),
                on: true,
            }],
            body: None,
            authorization: None,
        }
    }

    #[test]
    fn secrets_are_found_and_taken_out() {
        let secrets = Secrets(vec![Secret::from("planted".to_owned())]);
        let one = draft("https://a/x?key=planted", ("X-Trace", "1"));
        assert_eq!(secrets.found_in(&one).unwrap(), "the address");
        assert_eq!(secrets.taken_from(&one).url, "https://a/x?key=********");
        let token = "eyJhbGciOiJub25l.eyJzdWIiOiIxMjM0.c2lnbmF0dXJl";
        let one = draft("https://a/x", ("X-Other", token));
        assert_eq!(secrets.found_in(&one).unwrap(), "\"X-Other\"");
        assert_eq!(secrets.taken_from(&one).headers[0].value, MASK);
    }

    #[test]
    fn headers_of_authorization_stay_only_as_references() {
        let secrets = Secrets(Vec::new());
        for (name, value) in [
            ("Authorization", "Basic abc"),
            ("X-API-key", "1"),
            ("cookie", "a=b"),
        ] {
            let one = draft("https://a/x", (name, value));
            assert!(secrets.found_in(&one).is_some(), "{name}");
            assert!(secrets.taken_from(&one).headers.is_empty(), "{name}");
        }
        let reference = draft("https://a/x", ("Authorization", "Bearer {{token}}"));
        assert_eq!(secrets.found_in(&reference), None);
        assert_eq!(secrets.taken_from(&reference), reference);
    }
}
