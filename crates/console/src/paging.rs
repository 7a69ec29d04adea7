//! Which part of a list is asked for: `limit` and `offset`, as everywhere in this system (domain facts,
//! section 6.1).

use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;

use crate::answer::Refusal;

/// How many items there are on a page at most, and when nothing is said.
const MOST: usize = 1000;
const CUSTOMARY: usize = 100;

/// Which part of a list is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many items to list at most; 100 when nothing is said, never more than 1000.
    limit: Option<usize>,
    /// How many items to leave out before.
    offset: Option<usize>,
}

impl Paging {
    pub(crate) fn read(uri: &Uri) -> Result<Self, Refusal> {
        Query::try_from_uri(uri)
            .map(|Query(page)| page)
            .map_err(|_| Refusal::BadRequest("limit and offset are whole numbers".to_owned()))
    }

    pub(crate) fn offset(&self) -> usize {
        self.offset.unwrap_or(0)
    }

    /// The part of the list.
    pub(crate) fn of<'a, T>(&self, all: &'a [T]) -> impl Iterator<Item = &'a T> {
        let limit = self.limit.unwrap_or(CUSTOMARY).min(MOST);
        all.iter().skip(self.offset()).take(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_a_part_of_the_list_and_never_outside_of_it() {
        let all = [1, 2, 3];
        let page = |query: &str| -> Vec<i32> {
            let uri = format!("/x?{query}").parse().unwrap();
            let page = Paging::read(&uri).unwrap();
            page.of(&all).copied().collect()
        };
        assert_eq!(page(""), [1, 2, 3]);
        assert_eq!(page("limit=1&offset=1&other=x"), [2]);
        assert!(page("offset=9").is_empty() && page("limit=0").is_empty());
        for wrong in ["limit=-1", "offset=x"] {
            let uri = format!("/x?{wrong}").parse().unwrap();
            assert!(Paging::read(&uri).is_err(), "{wrong}");
        }
    }
}
