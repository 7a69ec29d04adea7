//! Reading a list to its end: the next page starts where the items received so far end, or where the
//! server's `next` leads (domain facts, section 6.1).
//!
//! A server that ignores the offset, or whose total is wrong, must not keep a program busy for ever:
//! the reading ends at a page that adds nothing. One page is held at a time.

mod envelope;
mod failure;

use std::collections::HashSet;

use hallpass_openapi::BuiltRequest;
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::link::below;
use crate::response::Response;
use crate::send::Client;
use envelope::{Cursor, Envelope, has_id, hash, key};
pub use failure::{Doubt, PagingError};

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its items, each the text that came.
    pub items: Vec<Box<RawValue>>,
    /// How many items are before it.
    pub offset: u64,
    /// How many there are, when the server says so.
    pub total: Option<u64>,
}

/// A list being read, page by page.
pub struct Pages<'a> {
    client: &'a Client,
    request: BuiltRequest,
    next: Next,
    /// The offset of the first page.
    start: u64,
    received: u64,
    pages: u32,
    /// What the items of the last page are told apart by.
    before: Vec<u64>,
    /// Hashes of the addresses of the pages asked for.
    asked: HashSet<u64>,
    first_total: Option<u64>,
    doubt: Option<Doubt>,
}

enum Next {
    /// The page of the request itself.
    First,
    /// The page at this offset.
    Offset(u64),
    /// The page that the server's `next` named.
    Link(String),
    /// It is known before it is asked for that there is none.
    Failed(PagingError),
    Nothing,
}

impl Client {
    /// The pages of a list. The request's own `limit` is the size of a page, its own `offset` the
    /// start.
    pub fn pages(&self, request: BuiltRequest) -> Result<Pages<'_>, Error> {
        if request.method != Method::GET {
            return Err(PagingError::Method(request.method).into());
        }
        Ok(Pages {
            client: self,
            start: offset_of(&request.path_and_query),
            request,
            next: Next::First,
            received: 0,
            pages: 0,
            before: Vec::new(),
            asked: HashSet::new(),
            first_total: None,
            doubt: None,
        })
    }

    /// All items of a list, each as a `T`; `Box<RawValue>` keeps every digit of their numbers.
    pub async fn all_items<T: DeserializeOwned>(
        &self,
        request: BuiltRequest,
    ) -> Result<Vec<T>, Error> {
        let mut pages = self.pages(request)?;
        let mut items = Vec::new();
        while let Some(page) = pages.next().await? {
            for item in page.items {
                let item = serde_json::from_str(item.get());
                items.push(item.map_err(|error| PagingError::Item(error.to_string()))?);
            }
        }
        Ok(items)
    }
}

/// A page for one who looks at it by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnePage {
    /// How many items are on it.
    pub items: usize,
    /// How many items are before it.
    pub offset: u64,
    /// How many there are, when the server says so.
    pub total: Option<u64>,
    /// Path and query of the next page, when there is one.
    pub next: Option<String>,
}

impl Client {
    /// What page of a list an answer is; `None` when it is none. The request is the one that was sent.
    pub fn page_of(&self, request: &BuiltRequest, answer: &Response) -> Option<OnePage> {
        let mut pages = self.pages(request.clone()).ok()?;
        let envelope = Envelope::read(answer).ok()?;
        let asked = &request.path_and_query;
        let page = pages.take(asked, pages.start, envelope).ok()??;
        Some(OnePage {
            items: page.items.len(),
            offset: page.offset,
            total: page.total,
            next: match pages.next {
                Next::Offset(offset) => Some(with_parameter(asked, "offset", &offset.to_string())),
                Next::Link(link) => Some(link),
                Next::First | Next::Failed(_) | Next::Nothing => None,
            },
        })
    }
}

impl Pages<'_> {
    /// The next page; `None` after the last one. After an error there is no further page.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        let (offset, path_and_query) = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Nothing => return Ok(None),
            Next::Failed(error) => return Err(error.into()),
            Next::First => (self.start, self.request.path_and_query.clone()),
            Next::Offset(offset) => {
                let path =
                    with_parameter(&self.request.path_and_query, "offset", &offset.to_string());
                (offset, path)
            }
            Next::Link(link) => (self.start + self.received, link),
        };
        let request = BuiltRequest {
            path_and_query,
            ..self.request.clone()
        };
        let answer = self.client.send(&request).await?.success()?;
        let envelope = Envelope::read(&answer)?;
        self.take(&request.path_and_query, offset, envelope)
    }

    /// Why the list may not be the whole one, as far as it was read.
    pub fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    fn take(
        &mut self,
        asked: &str,
        offset: u64,
        envelope: Envelope,
    ) -> Result<Option<Page>, Error> {
        self.asked.insert(hash(asked));
        let keys: Vec<u64> = envelope.items.iter().map(|item| key(item)).collect();
        let leads_on = matches!(envelope.cursor, Cursor::To(_));
        if leads_on && self.repeats_ids(&keys, &envelope) {
            let received = self.received;
            return Err(PagingError::Circle { received }.into());
        }
        if self.received > 0 && !leads_on {
            if keys.is_empty() {
                self.finish(envelope.total);
                return Ok(None);
            }
            if self.repeats(&keys, offset, &envelope) {
                return self.repeated(offset, envelope.total);
            }
        }
        self.pages += 1;
        self.received += keys.len() as u64;
        self.before = keys;
        self.watch(envelope.total);
        self.next = self
            .following(asked, offset, &envelope)
            .unwrap_or_else(Next::Failed);
        if matches!(self.next, Next::Nothing) {
            self.finish(envelope.total);
        }
        Ok(Some(Page {
            items: envelope.items,
            offset,
            total: envelope.total,
        }))
    }

    /// Whether the page adds nothing. Items without an id may be alike, as `select` makes them, and
    /// yet be others; a server that echoes the offset and knows the total pages well.
    fn repeats(&self, keys: &[u64], offset: u64, envelope: &Envelope) -> bool {
        let pages_well = envelope.offset == Some(offset) && envelope.total.is_some();
        !pages_well && keys.iter().all(|key| self.before.contains(key))
    }

    /// The same of a page that leads on, which may be empty, and whose items may be alike when they have
    /// no id.
    fn repeats_ids(&self, keys: &[u64], envelope: &Envelope) -> bool {
        !keys.is_empty()
            && envelope.items.iter().all(|item| has_id(item))
            && keys.iter().all(|key| self.before.contains(key))
    }

    /// A server that does not page and names no total has given everything at once.
    fn repeated(&self, offset: u64, total: Option<u64>) -> Result<Option<Page>, Error> {
        match total {
            None => Ok(None),
            Some(total) => Err(PagingError::Repeats {
                offset,
                received: self.received,
                total,
            }
            .into()),
        }
    }

    fn following(
        &self,
        asked: &str,
        offset: u64,
        envelope: &Envelope,
    ) -> Result<Next, PagingError> {
        let received = self.received;
        if self.pages >= MOST_PAGES {
            let pages = self.pages;
            return Err(PagingError::Endless { pages, received });
        }
        if let Cursor::To(cursor) = &envelope.cursor {
            let link = self.link(asked, cursor).ok_or(PagingError::Elsewhere)?;
            if self.asked.contains(&hash(&link)) {
                return Err(PagingError::Circle { received });
            }
            return Ok(Next::Link(link));
        }
        let count = envelope.items.len() as u64;
        let end = offset.saturating_add(count);
        let over = match (envelope.total, envelope.remaining) {
            (Some(total), _) => end >= total,
            (None, Some(remaining)) => remaining == 0,
            (None, None) => envelope.cursor == Cursor::End,
        };
        Ok(if count == 0 || over {
            Next::Nothing
        } else {
            Next::Offset(end)
        })
    }

    fn link(&self, asked: &str, cursor: &str) -> Option<String> {
        let is_address = ["/", "?", "http://", "https://"]
            .iter()
            .any(|begin| cursor.starts_with(begin));
        if is_address {
            return below(self.client.profile().base_url(), asked, cursor);
        }
        let word =
            percent_encoding::utf8_percent_encode(cursor, percent_encoding::NON_ALPHANUMERIC);
        Some(with_parameter(
            &without_parameter(asked, "offset"),
            "next",
            &word.to_string(),
        ))
    }

    fn watch(&mut self, total: Option<u64>) {
        let (Some(first), Some(later)) = (self.first_total.or(total), total) else {
            return;
        };
        self.first_total = Some(first);
        if first != later {
            self.doubt = Some(Doubt::Changed { first, later });
        }
    }

    fn finish(&mut self, total: Option<u64>) {
        let received = self.received;
        if let Some(total) = total
            && self.doubt.is_none()
            && received > 0
            && self.start.saturating_add(received) < total
        {
            self.doubt = Some(Doubt::Short { received, total });
        }
    }
}

fn offset_of(path_and_query: &str) -> u64 {
    let query = path_and_query
        .split_once('?')
        .map_or("", |(_, query)| query);
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name == "offset")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0)
}

/// The same request with a parameter that has this (encoded) value. The others stay as they were
/// written.
fn with_parameter(path_and_query: &str, name: &str, value: &str) -> String {
    let others = without_parameter(path_and_query, name);
    let mark = if others.contains('?') { '&' } else { '?' };
    format!("{others}{mark}{name}={value}")
}

fn without_parameter(path_and_query: &str, unwanted: &str) -> String {
    let Some((path, query)) = path_and_query.split_once('?') else {
        return path_and_query.to_owned();
    };
    let others = query.split('&').filter(|pair| {
        let name = form_urlencoded::parse(pair.as_bytes()).next();
        name.is_some_and(|(name, _)| name != unwanted)
    });
    let others: Vec<&str> = others.collect();
    if others.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", others.join("&"))
    }
}

/// How many pages a list may have; more are a server that makes up pages as it is asked for them.
const MOST_PAGES: u32 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_parameter_is_replaced_and_everything_else_stays_as_it_was_written() {
        let at = |path: &str| with_parameter(path, "offset", "20");
        assert_eq!(at("/v"), "/v?offset=20");
        assert_eq!(at("/v?offset=3"), "/v?offset=20");
        assert_eq!(
            at("/v?offset=5&filter=a%20b+c&limit=10&off%73et=7"),
            "/v?filter=a%20b+c&limit=10&offset=20"
        );
        assert_eq!(offset_of("/v?limit=1&offset=5"), 5);
        assert_eq!(offset_of("/v?offset=x"), 0);
    }
}
