//! What a credential may be besides its name, as it is typed: when it expires, how long its tokens live,
//! which scopes it may ask for. The same fields for a new credential and for a change.

use hallpass_oauth::ScopeSet;
use hallpass_store::credentials::{CredentialError, CredentialOptions};
use jiff::{SignedDuration, Timestamp};

use crate::Console;
use crate::form::Fields;
use crate::sentence::sentence;

/// What stands in the fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TypedOptions<'a> {
    pub(super) expires: &'a str,
    pub(super) lifetime: &'a str,
    pub(super) scopes: &'a str,
}

/// What is wrong, and with which field.
pub(super) struct Problem {
    pub(super) field: &'static str,
    pub(super) words: String,
}

impl<'a> TypedOptions<'a> {
    pub(super) fn of(fields: &'a Fields) -> Self {
        Self {
            expires: fields.text("expires"),
            lifetime: fields.text("lifetime"),
            scopes: fields.text("scopes"),
        }
    }

    /// Whether the less common fields are to be seen.
    pub(super) fn has_more(&self) -> bool {
        [self.expires, self.lifetime, self.scopes]
            .iter()
            .any(|text| !text.is_empty())
    }
}

impl Console {
    /// What the fields ask for; what is empty is not asked for.
    pub(super) fn options_of(
        &self,
        typed: TypedOptions<'_>,
        now: Timestamp,
    ) -> Result<CredentialOptions, Problem> {
        let longest = self.credentials.limits().longest_lifetime;
        Ok(CredentialOptions {
            expires_at: filled(typed.expires, |text| end_after(text, now))?,
            token_lifetime: filled(typed.lifetime, |text| lifetime(text, longest))?,
            scopes: filled(typed.scopes, |text| {
                ScopeSet::parse(text).map_err(|error| problem("scopes", &sentence(&error)))
            })?,
            ..CredentialOptions::default()
        })
    }
}

fn filled<T>(
    text: &str,
    read: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<Option<T>, Problem> {
    (!text.is_empty()).then(|| read(text)).transpose()
}

fn end_after(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let end = end_of_day(text).ok_or_else(|| problem("expires", "Write the day as 2027-12-31."))?;
    if end <= now {
        return Err(problem("expires", "That day is over. Choose a later one."));
    }
    Ok(end)
}

fn lifetime(text: &str, longest: SignedDuration) -> Result<SignedDuration, Problem> {
    let minutes = text.parse::<i64>().ok().filter(|many| *many > 0);
    let lifetime = minutes
        .and_then(|many| many.checked_mul(60))
        .map(SignedDuration::from_secs)
        .filter(|lifetime| *lifetime <= longest);
    let bound = longest.as_mins();
    lifetime.ok_or_else(|| problem("lifetime", &format!("Write whole minutes, 1 to {bound}.")))
}

pub(super) fn problem(field: &'static str, words: &str) -> Problem {
    Problem {
        field,
        words: words.to_owned(),
    }
}

/// The field that is to blame, if one is.
pub(super) fn problem_of(error: CredentialError) -> Result<Problem, CredentialError> {
    let field = match &error {
        CredentialError::NameTaken(_) | CredentialError::BadName(_) => "name",
        CredentialError::UnknownInstance(_) | CredentialError::InstanceOff(_) => "instance",
        CredentialError::Lifetime { .. } => "lifetime",
        CredentialError::ExpiresInThePast => "expires",
        CredentialError::LimitReached(_) => "all",
        _ => return Err(error),
    };
    Ok(Problem {
        field,
        words: sentence(&error),
    })
}

/// The last moment of a day, in UTC.
fn end_of_day(text: &str) -> Option<Timestamp> {
    let midnight: Timestamp = format!("{text}T00:00:00Z").parse().ok()?;
    midnight.checked_add(SignedDuration::from_secs(86_399)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_works_until_the_day_is_over() {
        let end = end_of_day("2027-12-31").unwrap();
        assert_eq!(end.to_string(), "2027-12-31T23:59:59Z");
        for wrong in [
            "",
            "31.12.2027",
            "2027-13-01",
            "2027-12-31T00:00:00Z",
            "tomorrow",
        ] {
            assert_eq!(end_of_day(wrong), None, "{wrong}");
        }
    }
}
