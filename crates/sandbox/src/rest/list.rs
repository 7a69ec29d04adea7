//! Lists: which items match, in which order, which of them are on the page, and the envelope.

use std::cmp::Ordering;

use hallpass_query::{Filter, Lookup, Page, Select, Sort};
use serde_json::{Map, Value};

use crate::rest::{ListRules, Refusal};
use crate::sandbox::Request;

/// Something that can be listed. It is only rendered when it is on the page.
pub(crate) trait Item: Lookup {
    /// The item as the answer shows it.
    fn render(&self) -> Value;
}

/// What a request asks of a list.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) filter: Option<Filter>,
    sort: Option<Sort>,
    select: Option<Select>,
    page: Page,
}

/// Whether the answer repeats the address that was asked for; some lists do not (domain.md 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope<'a> {
    WithUri(&'a str),
    Plain,
}

impl Question {
    pub(crate) fn parse(
        request: &Request<'_>,
        rules: &ListRules,
        default_page: usize,
    ) -> Result<Self, Refusal> {
        let filter = Filter::parse_all(values(request, "filter"))
            .map_err(|error| Refusal::invalid("filter", &error))?;
        if let Some(filter) = &filter {
            filter.check(&rules.filterable).map_err(|error| {
                if rules.unknown_is_missing {
                    Refusal::NotFound(format!("filter: {error}"))
                } else {
                    Refusal::invalid("filter", &error)
                }
            })?;
        }
        let sort = rules
            .takes_sort
            .then(|| sort(request, rules))
            .transpose()?
            .flatten();
        let select = rules
            .takes_select
            .then(|| select(request))
            .transpose()?
            .flatten();
        let limit = values(request, "limit").next();
        let offset = values(request, "offset").next();
        let page = Page::parse(limit, offset, default_page)
            .map_err(|error| Refusal::BadRequest(error.to_string()))?;
        Ok(Self {
            filter,
            sort,
            select,
            page,
        })
    }

    /// The page that was asked for, of those `items` that match.
    pub(crate) fn answer<T: Item>(
        &self,
        items: impl Iterator<Item = T>,
        envelope: Envelope<'_>,
    ) -> Value {
        let matching = items.filter(|item| self.filter.as_ref().is_none_or(|f| f.matches(item)));
        let (total, shown) = match &self.sort {
            Some(sort) => {
                let mut matching: Vec<T> = matching.collect();
                matching.sort_by(|a, b| -> Ordering { sort.compare(a, b) });
                (
                    matching.len(),
                    self.page
                        .of(&matching)
                        .iter()
                        .map(|item| self.show(item))
                        .collect(),
                )
            }
            None => self.window(matching),
        };
        self.envelope(total, shown, envelope)
    }

    /// One object, with the fields that were selected.
    pub(crate) fn one(
        request: &Request<'_>,
        rules: &ListRules,
        value: Value,
    ) -> Result<Value, Refusal> {
        if !rules.takes_select {
            return Ok(value);
        }
        Ok(match select(request)? {
            Some(select) => select.project(&value),
            None => value,
        })
    }

    /// Counts all and renders only those on the page.
    fn window<T: Item>(&self, items: impl Iterator<Item = T>) -> (usize, Vec<Value>) {
        let end = self.page.offset.saturating_add(self.page.limit);
        let mut shown = Vec::new();
        let mut total = 0;
        for item in items {
            if (self.page.offset..end).contains(&total) {
                shown.push(self.show(&item));
            }
            total += 1;
        }
        (total, shown)
    }

    fn show(&self, item: &impl Item) -> Value {
        let rendered = item.render();
        match &self.select {
            Some(select) => select.project(&rendered),
            None => rendered,
        }
    }

    fn envelope(&self, total: usize, items: Vec<Value>, envelope: Envelope<'_>) -> Value {
        let mut object = Map::new();
        object.insert("items".to_owned(), Value::Array(items));
        object.insert("total".to_owned(), total.into());
        object.insert("pageLimit".to_owned(), self.page.limit.into());
        object.insert("pageOffset".to_owned(), self.page.offset.into());
        if let Envelope::WithUri(uri) = envelope {
            object.insert("requestUri".to_owned(), uri.into());
        }
        Value::Object(object)
    }
}

fn sort(request: &Request<'_>, rules: &ListRules) -> Result<Option<Sort>, Refusal> {
    let Some(text) = joined(request, "sort") else {
        return Ok(None);
    };
    let sort = Sort::parse(&text).map_err(|error| Refusal::invalid("sort", &error))?;
    sort.check(&rules.sortable)
        .map_err(|error| Refusal::invalid("sort", &error))?;
    Ok(Some(sort))
}

/// Any name may be selected: answers may hold more than the definition says (domain.md 7.8).
fn select(request: &Request<'_>) -> Result<Option<Select>, Refusal> {
    joined(request, "select")
        .map(|text| Select::parse(&text).map_err(|error| Refusal::invalid("select", &error)))
        .transpose()
}

fn values<'a>(request: &Request<'a>, name: &str) -> impl Iterator<Item = &'a str> {
    request
        .query
        .iter()
        .filter(move |(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// A repeated parameter goes on where the one before stopped; blank ones are as good as absent.
fn joined(request: &Request<'_>, name: &str) -> Option<String> {
    let given: Vec<&str> = values(request, name)
        .filter(|value| !value.trim().is_empty())
        .collect();
    (!given.is_empty()).then(|| given.join(","))
}
