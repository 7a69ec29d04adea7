//! Settings as the page sends them, where a secret may be a text that was just typed, and what of them
//! may be stored.

use hallpass_client::{Prefix, Secret, SystemRandom};
use serde_json::{Map, Value, json};

use super::Whose;
use crate::answer::Failure;
use crate::id::Id;
use crate::variables::are_names;
use crate::workspace::{AuthorizationSettings, Literal};

/// Settings that were typed, apart from the secret in them.
pub(super) struct Typed {
    pub(super) settings: AuthorizationSettings,
    /// What the drawer is to keep, and under which name.
    pub(super) secret: Option<(String, Secret)>,
}

impl Typed {
    pub(super) fn read(mut typed: Value, whose: Whose) -> Result<Self, Failure> {
        let mut secret = None;
        if let Value::Object(members) = &mut typed {
            for field in ["clientSecret", "token"] {
                if let Some(kept) = members.get_mut(field) {
                    secret = take(kept, whose).or(secret);
                }
            }
        }
        let settings: AuthorizationSettings = serde_json::from_value(typed).map_err(|error| {
            Failure::wrong(
                format!("the settings cannot be read: {error}"),
                "load the page again",
            )
        })?;
        check(&settings)?;
        Ok(Self { settings, secret })
    }
}

/// Puts what may be stored in place of what was typed; the rest is the secret.
fn take(literal: &mut Value, whose: Whose) -> Option<(String, Secret)> {
    let kind = literal.get("kind").and_then(Value::as_str);
    // What calls itself a reference is looked at as well: it would be stored as it is.
    if !matches!(kind, Some("typed" | "reference")) {
        return None;
    }
    let text = literal.as_object_mut().map(std::mem::take).and_then(text);
    let text = text.unwrap_or_default();
    if text.trim().is_empty() {
        *literal = json!({ "kind": "empty" });
        return None;
    }
    if are_names(&text) {
        *literal = json!({ "kind": "reference", "text": text.trim() });
        return None;
    }
    let name = format!("{}{}", whose.prefix(), Id::generate(&mut SystemRandom));
    *literal = json!({ "kind": "kept", "name": name });
    // Who copies a secret copies a blank along now and then.
    Some((name, Secret::from(text.trim().to_owned())))
}

fn text(mut literal: Map<String, Value>) -> Option<String> {
    match literal.remove("text") {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Refuses settings that the page would not send.
pub(crate) fn check(settings: &AuthorizationSettings) -> Result<(), Failure> {
    let too_long = |what: &str| {
        Failure::wrong(
            format!("{what} is longer than {LONGEST} bytes"),
            "make it shorter",
        )
    };
    let bad = |what: &str, hint: &str| Err(Failure::wrong(what, hint));
    match settings {
        AuthorizationSettings::Profile { profile } if profile.len() > LONGEST => {
            Err(too_long("the name of the profile"))
        }
        AuthorizationSettings::None | AuthorizationSettings::Profile { .. } => Ok(()),
        AuthorizationSettings::Bearer {
            header_prefix,
            token,
        } => {
            prefix(header_prefix)?;
            literal(token)
        }
        AuthorizationSettings::OAuth2(oauth2) => {
            for (what, text) in [
                ("Token Name", &oauth2.token_name),
                ("Access Token URL", &oauth2.access_token_url),
                ("Client ID", &oauth2.client_id),
                ("Scope", &oauth2.scope),
            ] {
                if text.len() > LONGEST {
                    return Err(too_long(what));
                }
                if text.chars().any(char::is_control) {
                    return bad(&format!("{what} has a line break in it"), "take it out");
                }
            }
            prefix(&oauth2.header_prefix)?;
            literal(&oauth2.client_secret)
        }
    }
}

fn prefix(text: &str) -> Result<(), Failure> {
    Prefix::parse(text).map(drop).map_err(|_| {
        Failure::wrong(
            "Header Prefix has characters that no header can hold",
            "use a word such as Bearer, or leave it empty",
        )
    })
}

fn literal(literal: &Literal) -> Result<(), Failure> {
    match literal {
        Literal::Kept { name } if !is_kept_by_settings(name) => Err(Failure::wrong(
            "the settings name a secret that is not theirs",
            "type the secret again",
        )),
        _ => Ok(()),
    }
}

/// Whether a secret of this name was kept for settings.
pub(super) fn is_kept_by_settings(name: &str) -> bool {
    let whose = [Whose::Workspace, Whose::Draft];
    whose.iter().any(|one| name.starts_with(one.prefix()))
}

/// The longest field.
const LONGEST: usize = 4000;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(secret: &Value) -> Result<Typed, Failure> {
        let typed = json!({"type": "oauth2", "clientId": "c", "clientSecret": secret});
        Typed::read(typed, Whose::Workspace)
    }

    fn stored(typed: &Typed) -> Literal {
        match &typed.settings {
            AuthorizationSettings::OAuth2(oauth2) => oauth2.client_secret.clone(),
            _ => Literal::Empty,
        }
    }

    #[test]
    fn only_references_are_stored_whatever_a_text_calls_itself() {
        for kind in ["typed", "reference"] {
            let literal = |text: &str| read(&json!({"kind": kind, "text": text})).unwrap();
            let reference = literal(" {{a}}{{ b }} ");
            assert!(reference.secret.is_none());
            let text = "{{a}}{{ b }}".to_owned();
            assert_eq!(stored(&reference), Literal::Reference { text });
            assert_eq!(stored(&literal(" ")), Literal::Empty);
            for secret in ["planted", "x{{a}}", "{{a}} {{b}} planted", "{planted}"] {
                let typed = literal(secret);
                assert_eq!(typed.secret.as_ref().unwrap().1.expose(), secret);
                let stored = serde_json::to_string(&typed.settings).unwrap();
                assert!(!stored.contains("planted"), "{stored}");
            }
        }
    }

    #[test]
    fn settings_name_no_secret_of_something_else() {
        for name in ["tokens", "environment/e/secret", ""] {
            assert!(read(&json!({"kind": "kept", "name": name})).is_err());
        }
        let own = read(&json!({"kind": "kept", "name": "authorization/root-1"}));
        assert!(own.unwrap().secret.is_none());
    }
}
