//! What is looked for, as it stands in an address: the same words for pages, files and REST.

use std::collections::HashMap;

use hallpass_oauth::WorkspaceId;
use hallpass_store::AuditState;
use hallpass_store::audit::{AuditOf, AuditPlace, AuditSearch};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The parameters, as they were typed.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) search: String,
    pub(super) state: String,
    pub(super) person: String,
    pub(super) client_id: String,
    pub(super) source: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Whose events: [`NOBODYS`], or those of the workspace.
    pub(super) of: String,
    pub(super) after: String,
    pub(super) limit: String,
}

/// Whose events somebody may look for.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// Those of this workspace.
    pub(super) workspace: &'a WorkspaceId,
    /// Those, too, that belong to no workspace.
    pub(super) nobodys: bool,
}

/// The word for events that belong to no workspace: what strangers tried, what the system did for all.
pub(super) const NOBODYS: &str = "system";

/// Why nothing can be looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadFilter {
    /// Not one of the words.
    #[error("`state` must be Initiated, Success, Failure or PermissionDenied")]
    State,
    /// No time.
    #[error(
        "`{0}` must be a time in UTC, such as 2026-01-31, 2026-01-31T08:30 or 2026-01-31T08:30:00Z"
    )]
    Time(&'static str),
    /// Not a place that an earlier answer has told.
    #[error("`after` must be what an earlier answer gave as `next`")]
    Place,
    /// No number that makes sense.
    #[error("`limit` must be a number from 1 to {MOST_EVENTS}")]
    Limit,
    /// Neither of the words, or not for whoever asks.
    #[error(
        "`of` must be left out, or {NOBODYS} for administrators of the workspace that operates the system"
    )]
    Of,
    /// Not a text at all.
    #[error("the address holds a parameter that is too long")]
    TooLong,
}

/// Most events on a page.
pub(super) const MOST_EVENTS: usize = 1000;

/// Longest parameter read, in bytes.
const LONGEST: usize = 1000;

impl Filter {
    /// Reads the query of an address. Parameters that nobody knows are ignored; of two of the same name
    /// the last counts.
    pub(super) fn read(query: Option<&str>) -> Self {
        let mut filter = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if let Some(field) = filter.field(&name) {
                value.trim().clone_into(field);
            }
        }
        filter
    }

    fn field(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "search" => &mut self.search,
            "state" => &mut self.state,
            "person" => &mut self.person,
            "clientId" => &mut self.client_id,
            "source" => &mut self.source,
            "of" => &mut self.of,
            "from" => &mut self.from,
            "to" => &mut self.to,
            "after" => &mut self.after,
            "limit" => &mut self.limit,
            _ => return None,
        })
    }

    /// The query of an address that asks the same, from another place.
    pub(super) fn query(&self, after: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("search", self.search.as_str()),
            ("state", &self.state),
            ("person", &self.person),
            ("clientId", &self.client_id),
            ("source", &self.source),
            ("of", &self.of),
            ("from", &self.from),
            ("to", &self.to),
            ("limit", &self.limit),
            ("after", after),
        ];
        for (name, value) in fields {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }

    /// Whether one of the conditions is set that are asked for seldom.
    pub(super) fn is_special(&self) -> bool {
        let seldom = [
            &self.client_id,
            &self.source,
            &self.of,
            &self.from,
            &self.to,
        ];
        seldom.iter().any(|text| !text.is_empty())
    }

    /// Whether anything is left out.
    pub(super) fn is_set(&self) -> bool {
        let all = Self {
            after: String::new(),
            limit: String::new(),
            ..self.clone()
        };
        !all.query("").is_empty()
    }

    /// What to ask of the store, of what somebody may look for and no other.
    pub(super) fn search(&self, seen: Seen<'_>) -> Result<AuditSearch, BadFilter> {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        if self.query(&self.after).len() > LONGEST {
            return Err(BadFilter::TooLong);
        }
        Ok(AuditSearch {
            of: match self.of.as_str() {
                "" => AuditOf::Workspace(seen.workspace.clone()),
                NOBODYS if seen.nobodys => AuditOf::Nobody,
                _ => return Err(BadFilter::Of),
            },
            oldest_first: false,
            after: parsed(&self.after, BadFilter::Place, |text| {
                text.parse::<AuditPlace>().ok()
            })?,
            state: parsed(&self.state, BadFilter::State, |text| {
                text.parse::<AuditState>().ok()
            })?,
            // As people and clients are named in the log.
            person: text(&self.person.to_lowercase()),
            client_id: text(&self.client_id),
            source: text(&self.source),
            from: parsed(&self.from, BadFilter::Time("from"), time)?,
            to: parsed(&self.to, BadFilter::Time("to"), time)?,
            text: text(&self.search),
            names: HashMap::new(),
        })
    }

    /// How many events are wanted.
    pub(super) fn limit(&self, default: usize) -> Result<usize, BadFilter> {
        let number = |text: &str| text.parse().ok().filter(|n| (1..=MOST_EVENTS).contains(n));
        let wanted: Option<usize> = parsed(&self.limit, BadFilter::Limit, number)?;
        Ok(wanted.unwrap_or(default))
    }
}

/// Nothing typed is nothing wanted.
fn parsed<T>(
    text: &str,
    error: BadFilter,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, BadFilter> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some).ok_or(error)
}

/// A time, a time of day without a zone (as a browser's field has it), or a day. All mean UTC unless they
/// say otherwise.
fn time(text: &str) -> Option<Timestamp> {
    let utc = |time: DateTime| Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse::<Timestamp>()
        .ok()
        .or_else(|| utc(text.parse::<Date>().ok()?.at(0, 0, 0, 0)).filter(|_| text.len() < 11))
        .or_else(|| utc(text.parse::<DateTime>().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn workspace() -> WorkspaceId {
        "a".repeat(32).parse().unwrap()
    }

    fn own(workspace: &WorkspaceId) -> Seen<'_> {
        Seen {
            workspace,
            nobodys: false,
        }
    }

    #[test]
    fn events_of_no_workspace_are_for_those_who_may_see_them() {
        let workspace = workspace();
        let filter = Filter::read(Some("of=system"));
        assert!(filter.is_set());
        let seen = Seen {
            nobodys: true,
            ..own(&workspace)
        };
        assert_eq!(filter.search(seen).unwrap().of, AuditOf::Nobody);
        let refused = filter.search(own(&workspace));
        assert_eq!(refused.unwrap_err(), BadFilter::Of);
        let usual = Filter::default().search(own(&workspace)).unwrap();
        assert_eq!(usual.of, AuditOf::Workspace(workspace));
    }

    #[test]
    fn an_address_is_read_and_written_alike() {
        let query = "search=a+b&state=Failure&person=Ann%40Example.com&from=2026-01-31&after=5.7";
        let filter = Filter::read(Some(query));
        let search = filter.search(own(&workspace())).unwrap();
        assert_eq!(search.text.as_deref(), Some("a b"));
        assert_eq!(search.state, Some(AuditState::Failure));
        assert_eq!(search.person.as_deref(), Some("ann@example.com"));
        assert_eq!(search.from, Some("2026-01-31T00:00:00Z".parse().unwrap()));
        assert!(search.after.is_some() && search.to.is_none());
        assert_eq!(
            Filter::read(Some(&filter.query("5.7"))).query("5.7"),
            filter.query("5.7")
        );
        assert!(filter.is_set() && !Filter::read(Some("after=1.1&limit=3")).is_set());
    }

    #[test]
    fn times_may_be_typed_as_days_and_as_browsers_send_them() {
        for (typed, meant) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T08:30", "2026-01-31T08:30:00Z"),
            ("2026-01-31T08:30:15", "2026-01-31T08:30:15Z"),
            ("2026-01-31T08:30:00+02:00", "2026-01-31T06:30:00Z"),
        ] {
            assert_eq!(time(typed), Some(meant.parse().unwrap()), "{typed}");
        }
        assert_eq!(time("yesterday"), None);
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        for (query, expected) in [
            ("state=failed", BadFilter::State),
            ("from=x", BadFilter::Time("from")),
            ("to=2026-13-01", BadFilter::Time("to")),
            ("after=x", BadFilter::Place),
            ("of=everybody", BadFilter::Of),
        ] {
            let refused = Filter::read(Some(query)).search(own(&workspace()));
            assert_eq!(refused.unwrap_err(), expected, "{query}");
        }
        for limit in ["0", "1001", "-1", "x"] {
            let filter = Filter::read(Some(&format!("limit={limit}")));
            assert_eq!(filter.limit(50), Err(BadFilter::Limit));
        }
        assert_eq!(Filter::default().limit(50), Ok(50));
    }

    proptest! {
        #[test]
        fn any_address_is_a_search_or_refused(query: String) {
            let filter = Filter::read(Some(&query));
            let _ = (filter.search(own(&workspace())), filter.limit(50));
        }
    }
}
