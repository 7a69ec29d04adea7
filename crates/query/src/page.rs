//! Page: `limit` and `offset`, which part of a list is wanted.
//!
//! Integers from 0 with no declared maximum (domain.md 6.1); some clients ask for `limit=total`,
//! so nothing is capped here. A limit of 0 asks for the total alone, and an offset beyond the end
//! gives an empty page.

use std::ops::Range;

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many items at most.
    pub limit: usize,
    /// How many items come before it.
    pub offset: usize,
}

/// A limit or offset that is no number of items.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{parameter}` must be a whole number from 0, not `{value}`")]
pub struct PageError {
    /// `limit` or `offset`.
    pub parameter: &'static str,
    /// What was there instead.
    pub value: String,
}

impl Page {
    /// Reads both parameters; a missing or blank limit is the default, a missing offset is 0.
    pub fn parse(
        limit: Option<&str>,
        offset: Option<&str>,
        default_limit: usize,
    ) -> Result<Self, PageError> {
        Ok(Self {
            limit: number("limit", limit)?.unwrap_or(default_limit),
            offset: number("offset", offset)?.unwrap_or(0),
        })
    }

    /// The page's items.
    pub fn of<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        &all[self.range(all.len())]
    }

    /// The page's place in a list of `total` items; always within it.
    pub fn range(&self, total: usize) -> Range<usize> {
        let start = self.offset.min(total);
        start..start.saturating_add(self.limit).min(total)
    }
}

fn number(parameter: &'static str, value: Option<&str>) -> Result<Option<usize>, PageError> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    // Rust would read a leading `+` as well.
    let parsed = value
        .parse()
        .ok()
        .filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()));
    parsed.map(Some).ok_or_else(|| PageError {
        parameter,
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cut_the_list() {
        let all = ['a', 'b', 'c', 'd', 'e'];
        let page = |limit, offset| Page { limit, offset }.of(&all).iter().collect::<String>();
        assert_eq!(page(2, 1), "bc");
        assert_eq!(page(0, 1), "");
        assert_eq!(page(9, 3), "de");
        assert_eq!(page(2, 5), "");
        assert_eq!(page(usize::MAX, 4), "e");
        assert_eq!(page(usize::MAX, usize::MAX), "");
    }

    #[test]
    fn parameters_have_defaults() {
        assert_eq!(
            Page::parse(None, None, 50),
            Ok(Page {
                limit: 50,
                offset: 0
            })
        );
        assert_eq!(
            Page::parse(Some(" "), Some(""), 50),
            Ok(Page {
                limit: 50,
                offset: 0
            })
        );
        assert_eq!(
            Page::parse(Some("0"), Some("7"), 50),
            Ok(Page {
                limit: 0,
                offset: 7
            })
        );
    }

    #[test]
    fn anything_but_a_whole_number_is_refused_by_name() {
        for value in ["-1", "+1", "1.0", "ten", "1 2", "99999999999999999999999"] {
            let error = Page::parse(Some(value), None, 50).unwrap_err();
            assert_eq!((error.parameter, error.value.as_str()), ("limit", value));
            assert_eq!(
                Page::parse(None, Some(value), 50).unwrap_err().parameter,
                "offset"
            );
        }
    }
}
