//! Which people a list shows, and in which order: the same for the page and for the REST API.

use super::{Entry, State};

/// Most people on one page.
const LONGEST_PAGE: usize = 1000;

/// What was asked for. A word that was not understood is kept for whoever must refuse it.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Words that occur in the address or in the name of a role.
    pub(crate) search: String,
    /// A role, by name or id.
    pub(crate) role: String,
    pub(crate) state: Option<State>,
    pub(crate) sort: Sort,
    pub(crate) descending: bool,
    pub(crate) offset: usize,
    /// How many at most.
    pub(crate) limit: Option<usize>,
}

/// What a list can be sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    #[default]
    Email,
    CreatedAt,
    LastSignInAt,
    Credentials,
}

impl Sort {
    pub(crate) const ALL: [Self; 4] = [
        Self::Email,
        Self::CreatedAt,
        Self::LastSignInAt,
        Self::Credentials,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::CreatedAt => "createdAt",
            Self::LastSignInAt => "lastSignInAt",
            Self::Credentials => "credentials",
        }
    }
}

impl Selection {
    /// Reads a query; parameters of other names are ignored. The error says what is wrong.
    pub(crate) fn read(query: &str) -> Result<Self, String> {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            match name.as_ref() {
                "search" => value.clone_into(&mut read.search),
                "role" => value.clone_into(&mut read.role),
                "state" if !value.is_empty() => {
                    let state = State::parse(value);
                    let state = state.ok_or("state is active, invited or disabled")?;
                    read.state = Some(state);
                }
                "sort" if !value.is_empty() => read.read_sort(value)?,
                "offset" if !value.is_empty() => {
                    let offset = value.parse();
                    read.offset = offset.map_err(|_| "offset is a whole number")?;
                }
                "limit" if !value.is_empty() => {
                    let limit = value.parse().ok();
                    let limit = limit.filter(|limit| (1..=LONGEST_PAGE).contains(limit));
                    let wrong = format!("limit is a whole number from 1 to {LONGEST_PAGE}");
                    read.limit = Some(limit.ok_or(wrong)?);
                }
                _ => {}
            }
        }
        Ok(read)
    }

    /// What is on this page, and how many there are in all.
    pub(crate) fn of(&self, people: Vec<Entry>) -> (Vec<Entry>, usize) {
        let mut found: Vec<Entry> = people.into_iter().filter(|one| self.admits(one)).collect();
        let facts = |entry: &Entry| entry.facts;
        match self.sort {
            Sort::Email => {}
            Sort::CreatedAt => found.sort_by_key(|one| facts(one).map(|facts| facts.created_at)),
            Sort::LastSignInAt => {
                found.sort_by_key(|one| facts(one).and_then(|facts| facts.last_sign_in_at));
            }
            Sort::Credentials => found.sort_by_key(|one| one.credentials),
        }
        if self.descending {
            found.reverse();
        }
        let total = found.len();
        let page = found.into_iter().skip(self.offset);
        (
            page.take(self.limit.unwrap_or(LONGEST_PAGE)).collect(),
            total,
        )
    }

    fn read_sort(&mut self, value: &str) -> Result<(), String> {
        let (name, order) = value.split_once(' ').unwrap_or((value, "asc"));
        let sort = Sort::ALL.into_iter().find(|sort| sort.as_str() == name);
        self.descending = match order.trim() {
            "asc" => false,
            "desc" => true,
            _ => return Err("a sort ends in asc or desc".to_owned()),
        };
        self.sort = sort.ok_or("sort is email, createdAt, lastSignInAt or credentials")?;
        Ok(())
    }

    fn admits(&self, entry: &Entry) -> bool {
        let (search, wanted) = (self.search.to_lowercase(), self.role.to_lowercase());
        let roles = || entry.person.roles.iter().map(|(_, role)| role);
        let found = entry.person.email.as_str().to_lowercase().contains(&search)
            || roles().any(|role| role.to_string().to_lowercase().contains(&search));
        let has_role = wanted.is_empty()
            || roles().any(|role| {
                role.to_string().to_lowercase() == wanted || role.key().to_string() == wanted
            });
        found && has_role && self.state.is_none_or(|state| state == entry.state())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_selection_says_why() {
        for (query, why) in [
            ("state=gone", "state is"),
            ("sort=colour", "sort is"),
            ("sort=email+up", "ends in asc or desc"),
            ("offset=-1", "offset is"),
            ("limit=0", "limit is"),
            ("limit=1001", "limit is"),
        ] {
            let error = Selection::read(query).unwrap_err();
            assert!(error.contains(why), "{query}: {error}");
        }
        let read = Selection::read("sort=credentials+desc&state=&limit=&x=1&offset=3").unwrap();
        assert_eq!((read.sort, read.descending), (Sort::Credentials, true));
        assert_eq!((read.offset, read.limit, read.state), (3, None, None));
    }
}
