//! A credential in the words of a page.

use std::sync::Arc;

use hallpass_store::credentials::CredentialState;
use hallpass_store::{ApplicationInstance, Credential};
use jiff::{SignedDuration, Timestamp};

use crate::credentials::selection::state_word;

/// What pages show of a credential.
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) instance: InstanceShown,
    pub(super) state: CredentialState,
    pub(super) state_word: &'static str,
    pub(super) created: Moment,
    pub(super) last_used: Option<Moment>,
    pub(super) last_used_from: String,
    pub(super) expires: Option<Moment>,
    pub(super) lifetime: String,
    pub(super) scopes: String,
    pub(super) secrets: Vec<SecretShown>,
    pub(super) has_keys: bool,
}

/// An application instance.
#[derive(Debug, Clone)]
pub(super) struct InstanceShown {
    pub(super) id: String,
    pub(super) title: String,
    /// The short word, which names the region.
    pub(super) region: String,
    /// Where it is, as people say it.
    pub(super) place: String,
}

/// A secret that is alive.
pub(super) struct SecretShown {
    pub(super) created: Moment,
    pub(super) last_used: Option<Moment>,
    pub(super) expires: Option<Moment>,
}

/// A time, for people and for programs.
pub(super) struct Moment {
    /// For the `datetime` attribute.
    pub(super) exact: String,
    /// To the minute.
    pub(super) text: String,
    /// From now.
    pub(super) distance: String,
}

impl Shown {
    pub(super) fn new(
        credential: &Credential,
        instances: &[Arc<ApplicationInstance>],
        now: Timestamp,
    ) -> Self {
        let moment = |at| Moment::new(at, now);
        let state = credential.state(now);
        let scopes = credential.scopes.as_ref();
        let secrets = credential.living_secrets(now).map(|secret| SecretShown {
            created: moment(secret.created_at),
            last_used: secret.last_used_at.map(moment),
            expires: secret.expires_at.map(moment),
        });
        Self {
            id: credential.client_id.to_string(),
            name: credential.name.clone(),
            owner: credential.owner_email.clone(),
            instance: InstanceShown::of(credential, instances),
            state,
            state_word: state_word(state),
            created: moment(credential.created_at),
            last_used: credential.last_used_at.map(moment),
            last_used_from: credential.last_used_from.clone().unwrap_or_default(),
            expires: credential.expires_at.map(moment),
            lifetime: in_words(credential.token_lifetime),
            scopes: scopes.map(ToString::to_string).unwrap_or_default(),
            secrets: secrets.collect(),
            has_keys: !credential.keys.is_empty(),
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.state == CredentialState::Active
    }

    /// The class of the badge that shows the state.
    pub(super) fn badge(&self) -> &'static str {
        match self.state {
            CredentialState::Active => "good",
            CredentialState::Disabled => "quiet",
            CredentialState::Expired => "bad",
        }
    }
}

impl InstanceShown {
    fn of(credential: &Credential, instances: &[Arc<ApplicationInstance>]) -> Self {
        let known = instances
            .iter()
            .find(|known| known.id == credential.instance);
        Self {
            id: credential.instance.to_string(),
            title: known.map_or_else(String::new, |known| known.title.clone()),
            region: known.map_or_else(String::new, |known| known.name.clone()),
            place: known.map_or_else(String::new, |known| known.region.clone()),
        }
    }
}

impl From<&ApplicationInstance> for InstanceShown {
    fn from(instance: &ApplicationInstance) -> Self {
        Self {
            id: instance.id.to_string(),
            title: instance.title.clone(),
            region: instance.name.clone(),
            place: instance.region.clone(),
        }
    }
}

impl Moment {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        let distance = now.duration_since(at);
        Self {
            exact: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            distance: if distance.abs() < SignedDuration::from_mins(1) {
                "just now".to_owned()
            } else if distance.is_negative() {
                format!("in {}", in_words(distance.abs()))
            } else {
                format!("{} ago", in_words(distance))
            },
        }
    }
}

/// A length of time in its largest unit and the one below, where that says more.
pub(super) fn in_words(length: SignedDuration) -> String {
    const UNITS: [(i64, &str); 4] = [
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let seconds = length.as_secs().max(0);
    let largest = UNITS.iter().position(|(size, _)| seconds >= *size);
    let Some(largest) = largest else {
        return "0 seconds".to_owned();
    };
    let counted = |at: usize, seconds: i64| {
        let (size, word) = UNITS[at];
        let count = seconds / size;
        let plural = if count == 1 { "" } else { "s" };
        (count, format!("{count} {word}{plural}"))
    };
    let (_, text) = counted(largest, seconds);
    let rest = seconds % UNITS[largest].0;
    if largest + 1 == UNITS.len() || seconds / UNITS[largest].0 >= 10 {
        return text;
    }
    match counted(largest + 1, rest) {
        (0, _) => text,
        (_, more) => format!("{text} {more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_units_that_matter() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (61, "1 minute 1 second"),
            (900, "15 minutes"),
            (7_199, "1 hour 59 minutes"),
            (7_200, "2 hours"),
            (86_400 + 3_600, "1 day 1 hour"),
            (40 * 86_400 + 3_600, "40 days"),
        ] {
            assert_eq!(in_words(SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn moments_are_told_from_now() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let at = |seconds: i64| {
            let moment = Moment::new(
                Timestamp::from_second(1_700_000_000 + seconds).unwrap(),
                now,
            );
            (moment.text, moment.distance)
        };
        let text = |text: &str, distance: &str| (text.to_owned(), distance.to_owned());
        assert_eq!(at(0), text("2023-11-14 22:13 UTC", "just now"));
        assert_eq!(at(-180), text("2023-11-14 22:10 UTC", "3 minutes ago"));
        assert_eq!(at(86_400), text("2023-11-15 22:13 UTC", "in 1 day"));
    }
}
