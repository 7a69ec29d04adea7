//! Which credentials a list shows, in which order, and which part of it: the same words in the query of
//! the page and of the REST API.

use std::cmp::Ordering;
use std::sync::Arc;

use hallpass_store::credentials::CredentialState;
use hallpass_store::{ApplicationInstance, Credential};
use jiff::Timestamp;

/// Longest text that is searched for, in characters.
const LONGEST_SEARCH: usize = 200;

/// What to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Name,
    Owner,
    Instance,
    ClientId,
    Created,
    LastUsed,
    Expires,
    State,
}

/// A list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) by: Column,
    pub(crate) descending: bool,
}

/// What is wanted of a list, besides whose credentials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The short name or id of an application instance.
    pub(crate) instance: Option<String>,
    pub(crate) state: Option<CredentialState>,
    /// A part of a name, an id or an owner's address, in any case.
    pub(crate) search: String,
    /// Without one, the oldest come first.
    pub(crate) order: Option<Order>,
}

/// A word in a query that stands for nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("state is active, disabled or expired")]
    State,
    #[error(
        "sort is one of name, owner, instance, clientId, createdAt, lastUsedAt, expiresAt and state, with asc or desc behind it"
    )]
    Order,
}

impl Column {
    pub(crate) const ALL: [Self; 8] = [
        Self::Name,
        Self::Owner,
        Self::Instance,
        Self::ClientId,
        Self::Created,
        Self::LastUsed,
        Self::Expires,
        Self::State,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Owner => "owner",
            Self::Instance => "instance",
            Self::ClientId => "clientId",
            Self::Created => "createdAt",
            Self::LastUsed => "lastUsedAt",
            Self::Expires => "expiresAt",
            Self::State => "state",
        }
    }
}

impl Order {
    /// Reads `name`, `name asc`, `name desc` and `-name`.
    fn parse(text: &str) -> Result<Self, Unknown> {
        let mut words = text.split_ascii_whitespace();
        let first = words.next().ok_or(Unknown::Order)?;
        let (word, minus) = match first.strip_prefix('-') {
            Some(word) => (word, true),
            None => (first, false),
        };
        let descending = match words.next() {
            None => minus,
            Some(way) if way.eq_ignore_ascii_case("asc") && !minus => false,
            Some(way) if way.eq_ignore_ascii_case("desc") && !minus => true,
            Some(_) => return Err(Unknown::Order),
        };
        let by = Column::ALL.into_iter().find(|column| column.word() == word);
        match (by, words.next()) {
            (Some(by), None) => Ok(Self { by, descending }),
            _ => Err(Unknown::Order),
        }
    }

    /// As it stands in a query.
    pub(crate) fn text(self) -> String {
        let minus = if self.descending { "-" } else { "" };
        format!("{minus}{}", self.by.word())
    }
}

impl Selection {
    /// Reads the parameters of a query; others are none of its business. An empty one is as good as none.
    pub(crate) fn read<'a>(
        query: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Unknown> {
        let mut selection = Self::default();
        let trimmed = query.into_iter().map(|(name, value)| (name, value.trim()));
        for (name, value) in trimmed.filter(|(_, value)| !value.is_empty()) {
            match name {
                "instance" => selection.instance = Some(value.to_owned()),
                "state" => selection.state = Some(state(value).ok_or(Unknown::State)?),
                "search" => selection.search = value.chars().take(LONGEST_SEARCH).collect(),
                "sort" => selection.order = Some(Order::parse(value)?),
                _ => (),
            }
        }
        Ok(selection)
    }

    /// Whether anything is left out.
    pub(crate) fn is_narrow(&self) -> bool {
        self.instance.is_some() || self.state.is_some() || !self.search.is_empty()
    }

    /// What is left of these credentials, in order.
    pub(crate) fn apply(
        &self,
        credentials: Vec<Credential>,
        instances: &[Arc<ApplicationInstance>],
        now: Timestamp,
    ) -> Vec<Credential> {
        let instance_of = |credential: &Credential| {
            let known = instances
                .iter()
                .find(|known| known.id == credential.instance);
            known.map_or((String::new(), String::new()), |known| {
                (known.title.clone(), known.name.clone())
            })
        };
        let searched = self.search.to_lowercase();
        let mut left: Vec<Credential> = credentials
            .into_iter()
            .filter(|one| self.state.is_none_or(|state| one.state(now) == state))
            .filter(|one| {
                self.instance.as_ref().is_none_or(|wanted| {
                    one.instance.as_str() == wanted || instance_of(one).1 == *wanted
                })
            })
            .filter(|one| {
                [&one.name, one.client_id.as_str(), &one.owner_email]
                    .iter()
                    .any(|text| text.to_lowercase().contains(&searched))
            })
            .collect();
        if let Some(Order { by, descending }) = self.order {
            left.sort_by(|a, b| {
                let ascending = match by {
                    Column::Name => words(&a.name, &b.name),
                    Column::Owner => words(&a.owner_email, &b.owner_email),
                    Column::Instance => instance_of(a).cmp(&instance_of(b)),
                    Column::ClientId => a.client_id.cmp(&b.client_id),
                    Column::Created => a.created_at.cmp(&b.created_at),
                    Column::LastUsed => a.last_used_at.cmp(&b.last_used_at),
                    // What never expires comes after everything that does.
                    Column::Expires => end(a).cmp(&end(b)),
                    Column::State => a.state(now).cmp(&b.state(now)),
                };
                if descending {
                    ascending.reverse()
                } else {
                    ascending
                }
            });
        }
        left
    }
}

/// The word for a state, in a query and where it is shown.
pub(crate) fn state_word(state: CredentialState) -> &'static str {
    match state {
        CredentialState::Active => "active",
        CredentialState::Disabled => "disabled",
        CredentialState::Expired => "expired",
    }
}

fn state(word: &str) -> Option<CredentialState> {
    [
        CredentialState::Active,
        CredentialState::Disabled,
        CredentialState::Expired,
    ]
    .into_iter()
    .find(|state| state_word(*state) == word)
}

/// As people look for words: letters of either case are alike.
fn words(a: &str, b: &str) -> Ordering {
    a.to_lowercase().cmp(&b.to_lowercase()).then(a.cmp(b))
}

fn end(credential: &Credential) -> Timestamp {
    credential.expires_at.unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_are_read_in_each_spelling() {
        let order = |by, descending| Ok(Order { by, descending });
        assert_eq!(Order::parse("name"), order(Column::Name, false));
        assert_eq!(
            Order::parse(" createdAt ASC "),
            order(Column::Created, false)
        );
        assert_eq!(
            Order::parse("lastUsedAt desc"),
            order(Column::LastUsed, true)
        );
        assert_eq!(Order::parse("-expiresAt"), order(Column::Expires, true));
        for wrong in [
            "",
            "-",
            "colour",
            "name up",
            "-name desc",
            "name asc asc",
            "Name",
        ] {
            assert_eq!(Order::parse(wrong), Err(Unknown::Order), "{wrong}");
        }
    }

    #[test]
    fn empty_parameters_are_none_and_wrong_ones_are_refused() {
        let read = |query: &[(&'static str, &'static str)]| Selection::read(query.iter().copied());
        assert_eq!(
            read(&[("state", ""), ("search", " "), ("x", "y")]),
            Ok(Selection::default())
        );
        assert_eq!(read(&[("state", "asleep")]), Err(Unknown::State));
        let narrow = read(&[("search", " night "), ("state", "expired")]).unwrap();
        assert_eq!(
            (narrow.search.as_str(), narrow.is_narrow()),
            ("night", true)
        );
        assert!(!read(&[("sort", "name")]).unwrap().is_narrow());
    }

    proptest! {
        #[test]
        fn any_order_is_read_or_refused_and_read_back(text in "-?[a-zA-Z]{0,12}( (asc|desc|x))?") {
            if let Ok(order) = Order::parse(&text) {
                prop_assert_eq!(Order::parse(&order.text()), Ok(order));
            }
        }
    }
}
