//! Values that take more than a word: lengths of time, ends and scopes. Each is read where it is
//! typed, and travels to a running server in the words it was typed in.

use std::fmt;
use std::str::FromStr;

use hallpass_oauth::ScopeSet;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value beside the words it was typed in.
#[derive(Debug, Clone)]
pub(crate) struct Typed<T> {
    words: String,
    pub(crate) value: T,
}

impl<T: FromStr> FromStr for Typed<T> {
    type Err = T::Err;
    fn from_str(words: &str) -> Result<Self, T::Err> {
        Ok(Self {
            words: words.to_owned(),
            value: words.parse()?,
        })
    }
}

impl<T> Serialize for Typed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.words)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Typed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = String::deserialize(deserializer)?;
        words.parse().map_err(D::Error::custom)
    }
}

/// A length of time in whole seconds, and at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period(SignedDuration);

/// Why a text is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotThat {
    #[error("write a number with its unit, such as 90s, 15m, 2h30m or 30d")]
    Period,
    #[error("write `default`, or a number with its unit, such as 90s, 15m or 2h")]
    Lifetime,
    #[error(
        "write `never`, a length of time such as 12h or 90d, a day such as 2030-12-31 (its beginning, UTC), \
         or a time such as 2030-12-31T18:00:00Z"
    )]
    Expiry,
}

impl Period {
    pub(crate) fn duration(self) -> SignedDuration {
        self.0
    }
}

impl FromStr for Period {
    type Err = NotThat;
    fn from_str(text: &str) -> Result<Self, NotThat> {
        let span: Span = text.parse().map_err(|_| NotThat::Period)?;
        // Months and years have no length of their own.
        let duration = span
            .to_duration(SpanRelativeTo::days_are_24_hours())
            .map_err(|_| NotThat::Period)?;
        if duration.as_secs() < 1 || duration.subsec_nanos() != 0 {
            return Err(NotThat::Period);
        }
        Ok(Self(duration))
    }
}

/// How long the tokens of a credential live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenLifetime {
    /// As long as the service has it.
    OfTheService,
    Lasting(Period),
}

impl TokenLifetime {
    pub(crate) fn duration(self) -> Option<SignedDuration> {
        match self {
            Self::OfTheService => None,
            Self::Lasting(period) => Some(period.duration()),
        }
    }
}

impl FromStr for TokenLifetime {
    type Err = NotThat;
    fn from_str(text: &str) -> Result<Self, NotThat> {
        match text {
            "default" => Ok(Self::OfTheService),
            text => text
                .parse()
                .map(Self::Lasting)
                .map_err(|_| NotThat::Lifetime),
        }
    }
}

/// When something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    Never,
    After(Period),
    At(Timestamp),
}

impl Expiry {
    /// The time that is meant when the command is executed at `now`.
    pub(crate) fn time(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(time) => Some(time),
            Self::After(period) => {
                Some(now.checked_add(period.duration()).unwrap_or(Timestamp::MAX))
            }
        }
    }
}

impl FromStr for Expiry {
    type Err = NotThat;
    fn from_str(text: &str) -> Result<Self, NotThat> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Ok(period) = text.parse() {
            return Ok(Self::After(period));
        }
        if let Ok(time) = text.parse() {
            return Ok(Self::At(time));
        }
        // A day that is followed by anything else is a time without its zone.
        let day = text.len() == "2030-12-31".len();
        let day = day.then(|| text.parse::<Date>().ok()).flatten();
        let day = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
        day.map(|day| Self::At(day.timestamp()))
            .ok_or(NotThat::Expiry)
    }
}

/// The scopes that a credential may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllowedScopes(Option<ScopeSet>);

impl AllowedScopes {
    /// `None` where nothing is said about scopes.
    pub(crate) fn set(&self) -> Option<ScopeSet> {
        self.0.clone()
    }
}

impl FromStr for AllowedScopes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            "" => Err("write scopes with one space between them, or `none`".to_owned()),
            text => ScopeSet::parse(text)
                .map(|set| Self(Some(set)))
                .map_err(|error| error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        let period: Period = text.parse().ok()?;
        Some(period.duration().as_secs())
    }

    #[test]
    fn periods_have_units_and_a_length() {
        for (text, wanted) in [
            ("90s", 90),
            ("3600s", 3600),
            ("15m", 900),
            ("2h30m", 9000),
            ("2h 30m", 9000),
            ("90d", 90 * 86_400),
            ("1 week", 7 * 86_400),
            ("PT1H", 3600),
        ] {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        for text in [
            "",
            "0s",
            "-5m",
            "5m ago",
            "3600",
            "1mo",
            "1y",
            "1500ms",
            "fortnight",
            "m",
            "9999999999h",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn an_end_is_a_length_a_day_a_time_or_never() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let time = |text: &str| text.parse::<Expiry>().map(|expiry| expiry.time(now));
        let at = |text: &str| Ok(Some(text.parse::<Timestamp>().unwrap()));
        assert_eq!(time("never"), Ok(None));
        assert_eq!(time("36h"), at("2026-01-02T12:00:00Z"));
        assert_eq!(time("2030-12-31"), at("2030-12-31T00:00:00Z"));
        assert_eq!(
            time("2030-12-31T18:00:00+02:00"),
            at("2030-12-31T16:00:00Z")
        );
        for text in [
            "",
            "soon",
            "2030-12-31T18:00:00",
            "2030-13-01",
            "0s",
            "20301231",
        ] {
            assert_eq!(time(text), Err(NotThat::Expiry), "{text}");
        }
    }

    #[test]
    fn no_scopes_and_no_lifetime_of_its_own_have_words() {
        assert_eq!("none".parse::<AllowedScopes>().unwrap().set(), None);
        let two = "a b".parse::<AllowedScopes>().unwrap().set().unwrap();
        assert_eq!(two.to_string(), "a b");
        assert!("".parse::<AllowedScopes>().is_err());
        assert!("a  b".parse::<AllowedScopes>().is_err());
        let lifetime = |text: &str| text.parse::<TokenLifetime>().map(TokenLifetime::duration);
        assert_eq!(lifetime("default"), Ok(None));
        assert_eq!(lifetime("15m"), Ok(Some(SignedDuration::from_mins(15))));
        assert_eq!(lifetime("long"), Err(NotThat::Lifetime));
    }
}
