//! What the REST API tells and takes beyond the real system's members (domain facts, section 3.6): how a
//! credential stands and when it was last used, and what may be changed of it.

use hallpass_oauth::ScopeSet;
use hallpass_store::Credential;
use hallpass_store::credentials::{CredentialChange, CredentialOptions, Renewal, SecretSummary};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

use super::rule::Deed;
use super::selection::state_word;
use crate::answer::Refusal;
use crate::wire::{print_time, read};

/// How a credential stands. Times are printed as the other times of a credential.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CredentialDetails)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Details {
    /// E-mail address of the owner.
    #[schema(required = false)]
    owner: String,
    /// `active`, `disabled` or `expired`.
    #[schema(required = false)]
    state: &'static str,
    /// When it last got a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    /// The address it last got one from.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_from: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// How long its tokens live.
    #[schema(required = false)]
    token_lifetime_seconds: i64,
    /// The scopes it may ask for, with blanks between them; any when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// The secrets that are alive, the oldest first; none for a credential with registered keys.
    #[schema(required = false)]
    secrets: Vec<SecretDetails>,
}

/// A secret in what may be shown of it.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SecretDetails {
    /// When it was made.
    created_at: String,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// When it last got a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

/// What a credential may be besides its name.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OptionsBody {
    /// When it ends: RFC 3339, or as times are printed here.
    expires_at: Option<String>,
    /// How long its tokens live.
    token_lifetime_seconds: Option<i64>,
    /// The scopes it may ask for, with blanks between them.
    scope: Option<String>,
}

/// What to change; what is absent stays, and `null` takes away (RFC 7396).
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = CredentialChange)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "nothing, null and a value are three things"
)]
pub(crate) struct ChangeBody {
    /// Whether it may be used. `false` ends every token for good.
    enabled: Option<bool>,
    /// When it ends: RFC 3339, or as times are printed here; `null` is never.
    #[serde(default, deserialize_with = "given")]
    expires_at: Option<Option<String>>,
    /// How long its tokens live; `null` is the service's lifetime.
    #[serde(default, deserialize_with = "given")]
    token_lifetime_seconds: Option<Option<i64>>,
    /// The scopes it may ask for, with blanks between them; `null` is any.
    #[serde(default, deserialize_with = "given")]
    scope: Option<Option<String>>,
}

/// How to reset.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[schema(as = CredentialReset)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResetBody {
    /// How long the old secret lives on; tokens stay then. Without it the old secret and all tokens die
    /// at once.
    overlap_seconds: Option<i64>,
}

impl Details {
    pub(crate) fn new(credential: &Credential, now: Timestamp) -> Self {
        let scopes = credential.scopes.as_ref();
        Self {
            owner: credential.owner_email.clone(),
            state: state_word(credential.state(now)),
            last_used_at: credential.last_used_at.map(print_time),
            last_used_from: credential.last_used_from.clone(),
            expires_at: credential.expires_at.map(print_time),
            token_lifetime_seconds: credential.token_lifetime.as_secs(),
            scope: scopes.map(ToString::to_string),
            secrets: credential
                .living_secrets(now)
                .map(SecretDetails::of)
                .collect(),
        }
    }
}

impl SecretDetails {
    fn of(secret: &SecretSummary) -> Self {
        Self {
            created_at: print_time(secret.created_at),
            expires_at: secret.expires_at.map(print_time),
            last_used_at: secret.last_used_at.map(print_time),
        }
    }
}

impl OptionsBody {
    pub(crate) fn read(self) -> Result<CredentialOptions, Refusal> {
        Ok(CredentialOptions {
            expires_at: self.expires_at.as_deref().map(time).transpose()?,
            token_lifetime: self.token_lifetime_seconds.map(SignedDuration::from_secs),
            scopes: self.scope.as_deref().map(scopes).transpose()?,
            ..CredentialOptions::default()
        })
    }
}

/// Reads the body of a change.
pub(crate) fn change(body: &[u8]) -> Result<CredentialChange, Refusal> {
    let body: ChangeBody = read(body)?;
    let expires_at = body
        .expires_at
        .map(|end| end.as_deref().map(time).transpose());
    let wanted = body
        .scope
        .map(|words| words.as_deref().map(scopes).transpose());
    let lifetime = body.token_lifetime_seconds;
    Ok(CredentialChange {
        enabled: body.enabled,
        token_lifetime: lifetime.map(|seconds| seconds.map(SignedDuration::from_secs)),
        expires_at: expires_at.transpose()?,
        scopes: wanted.transpose()?,
        ..CredentialChange::default()
    })
}

/// What somebody wants who asks for that change.
pub(crate) fn deed(change: &CredentialChange) -> Deed {
    let only_off = change.enabled == Some(false)
        && change.token_lifetime.is_none()
        && change.expires_at.is_none()
        && change.scopes.is_none();
    if only_off {
        Deed::SwitchOff
    } else {
        Deed::Change
    }
}

/// Reads the body of a reset; an empty one is as good as none.
pub(crate) fn renewal(body: &[u8]) -> Result<Renewal, Refusal> {
    let body: ResetBody = if body.trim_ascii().is_empty() {
        ResetBody::default()
    } else {
        read(body)?
    };
    Ok(Renewal {
        overlap: body.overlap_seconds.map(SignedDuration::from_secs),
        instead_of: None,
    })
}

/// Tells `null` from nothing.
#[expect(
    clippy::option_option,
    reason = "nothing, null and a value are three things"
)]
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

fn time(text: &str) -> Result<Timestamp, Refusal> {
    let as_printed = || format!("{}Z", text.replacen(' ', "T", 1)).parse();
    text.parse()
        .or_else(|_: jiff::Error| as_printed())
        .map_err(|_: jiff::Error| {
            Refusal::BadRequest("expiresAt must be a time such as 2027-12-31T23:59:59Z".to_owned())
        })
}

fn scopes(text: &str) -> Result<ScopeSet, Refusal> {
    ScopeSet::parse(text).map_err(|error| Refusal::BadRequest(format!("scope: {error}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn null_takes_away_and_nothing_stays() {
        let nothing = change(b"{}").unwrap();
        assert!(nothing.expires_at.is_none() && nothing.scopes.is_none());
        let away =
            change(br#"{"expiresAt":null,"scope":null,"tokenLifetimeSeconds":null}"#).unwrap();
        assert_eq!(
            (away.expires_at, away.token_lifetime),
            (Some(None), Some(None))
        );
        assert!(away.scopes.is_some_and(|scopes| scopes.is_none()));
    }

    #[test]
    fn a_member_that_nobody_knows_is_refused() {
        for body in [r#"{"enabeld":false}"#, r#"{"credentialName":"x"}"#] {
            assert!(change(body.as_bytes()).is_err(), "{body}");
        }
        assert!(renewal(br#"{"overlapSecond":60}"#).is_err());
    }

    #[test]
    fn times_are_read_as_they_are_printed_and_as_the_rest_of_the_world_prints_them() {
        let at: Timestamp = "2027-12-31T23:59:59.5Z".parse().unwrap();
        for text in [
            "2027-12-31T23:59:59.5Z",
            "2028-01-01T00:59:59.5+01:00",
            &print_time(at),
        ] {
            assert_eq!(time(text).unwrap(), at, "{text}");
        }
        for text in ["", "tomorrow", "2027-12-31", "1830297599"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn to_switch_off_alone_is_less_than_a_change() {
        let of = |body: &str| deed(&change(body.as_bytes()).unwrap());
        assert_eq!(of(r#"{"enabled":false}"#), Deed::SwitchOff);
        assert_eq!(of(r#"{"enabled":true}"#), Deed::Change);
        assert_eq!(of(r#"{"enabled":false,"scope":null}"#), Deed::Change);
        assert_eq!(of("{}"), Deed::Change);
    }

    proptest! {
        #[test]
        fn no_body_panics(text in ".{0,80}") {
            let _ = change(text.as_bytes());
            let _ = renewal(text.as_bytes());
            let _ = time(&text);
        }
    }
}
