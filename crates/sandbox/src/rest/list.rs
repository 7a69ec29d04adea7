//! Lists: which items match, in which order, which of them are on the page, and the envelope.

use std::cmp::Ordering;

use hallpass_query::{Filter, Lookup, Page, Select, Sort};
use serde::Serialize;
use serde_json::Value;

use crate::rest::{ListRules, Refusal};
use crate::sandbox::{Body, Request};

/// Something that can be listed. It is only rendered when it is on the page.
pub(crate) trait Item: Lookup {
    /// The item as the answer shows it.
    fn render(&self) -> Value;

    /// The same as JSON text.
    fn write(&self, out: &mut Vec<u8>) {
        write(out, &self.render());
    }
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
        (default_page, longest_page): (usize, usize),
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
            .then(|| select(request, rules))
            .transpose()?
            .flatten();
        let limit = values(request, "limit").next();
        let offset = values(request, "offset").next();
        let mut page = Page::parse(limit, offset, default_page)
            .map_err(|error| Refusal::BadRequest(error.to_string()))?;
        // No single answer may take the memory of all; the next page begins where this one ends.
        page.limit = page.limit.min(longest_page);
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
    ) -> Body {
        if let Some(sort) = &self.sort {
            return self.sorted(sort, items, envelope);
        }
        // How many match shows at the end.
        let mut page = Written::begin(1);
        let end = self.page.offset.saturating_add(self.page.limit);
        let mut total = 0;
        for item in self.matching(items) {
            if (self.page.offset..end).contains(&total) {
                self.show(&item, &mut page);
            }
            total += 1;
        }
        Body::Written(page.end(total, self.page, envelope))
    }

    /// The page that was asked for, of things that match, all of them: `from` gives those behind the
    /// first so many, of `total`.
    pub(crate) fn answer_all<T: Item, I: Iterator<Item = T>>(
        &self,
        from: impl FnOnce(usize) -> I,
        total: usize,
        envelope: Envelope<'_>,
    ) -> Body {
        if let Some(sort) = &self.sort {
            return self.sorted(sort, from(0), envelope);
        }
        let left = total.saturating_sub(self.page.offset);
        let mut page = Written::begin(self.page.limit.min(left));
        let shown = from(self.page.offset).take(self.page.limit);
        shown.for_each(|item| self.show(&item, &mut page));
        Body::Written(page.end(total, self.page, envelope))
    }

    fn sorted<T: Item>(
        &self,
        sort: &Sort,
        items: impl Iterator<Item = T>,
        envelope: Envelope<'_>,
    ) -> Body {
        let placed = |item: T| (sort.place(&item), item);
        let mut matching: Vec<_> = self.matching(items).map(placed).collect();
        matching.sort_by(|(a, _), (b, _)| -> Ordering { sort.compare(a, b) });
        let shown = self.page.of(&matching).iter();
        let mut page = Written::begin(shown.len());
        shown.for_each(|(_, item)| self.show(item, &mut page));
        Body::Written(page.end(matching.len(), self.page, envelope))
    }

    fn matching<T: Item>(&self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        let filter = self.filter.as_ref();
        items.filter(move |item| filter.is_none_or(|filter| filter.matches(item)))
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
        Ok(match select(request, rules)? {
            Some(select) => select.project(&value),
            None => value,
        })
    }

    fn show(&self, item: &impl Item, page: &mut Written) {
        match &self.select {
            Some(select) => page.add(|out| write(out, &select.project(&item.render()))),
            None => page.add(|out| item.write(out)),
        }
    }
}

/// A list as JSON text, as far as it is written.
struct Written {
    text: Vec<u8>,
    /// How many items there will be at most.
    expected: usize,
    is_empty: bool,
}

/// For so many items there is room from the first one on: they are about as long as that.
const ROOM: usize = 64;

/// What stands around the items.
const AROUND: usize = 512;

impl Written {
    fn begin(expected: usize) -> Self {
        let mut text = Vec::with_capacity(AROUND);
        text.extend_from_slice(br#"{"items":["#);
        Self {
            text,
            expected,
            is_empty: true,
        }
    }

    fn add(&mut self, item: impl FnOnce(&mut Vec<u8>)) {
        if !self.is_empty {
            self.text.push(b',');
            return item(&mut self.text);
        }
        self.is_empty = false;
        item(&mut self.text);
        // A sixteenth more, since some are longer.
        let length = self.text.len() + self.text.len() / 16;
        let others = self.expected.min(ROOM).saturating_sub(1);
        self.text.reserve(length * others + AROUND);
    }

    fn end(self, total: usize, page: Page, envelope: Envelope<'_>) -> Vec<u8> {
        let Self { mut text, .. } = self;
        text.push(b']');
        for (name, number) in [
            ("total", total),
            ("pageLimit", page.limit),
            ("pageOffset", page.offset),
        ] {
            text.extend_from_slice(format!(",\"{name}\":{number}").as_bytes());
        }
        if let Envelope::WithUri(uri) = envelope {
            text.extend_from_slice(br#","requestUri":"#);
            write(&mut text, uri);
        }
        text.push(b'}');
        text
    }
}

/// Writes a value as JSON.
pub(crate) fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Into memory, and every key is a text: it cannot fail.
    let _ = serde_json::to_writer(out, value);
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
fn select(request: &Request<'_>, rules: &ListRules) -> Result<Option<Select>, Refusal> {
    let Some(text) = joined(request, "select") else {
        return Ok(None);
    };
    let select = Select::parse(&text).map_err(|error| Refusal::invalid("select", &error))?;
    let is_selected = |name: &str| {
        let mut attributes = select.attributes();
        attributes.any(|path| path.steps().next() == Some(name))
    };
    let needed = rules.must_select.iter();
    let missing: Vec<&str> = needed
        .map(String::as_str)
        .filter(|name| !is_selected(name))
        .collect();
    if missing.is_empty() {
        Ok(Some(select))
    } else {
        Err(Refusal::LeftOut(missing.join(", ")))
    }
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
