//! Reading a list to its end: the next page starts where the items received so far end (domain
//! facts, section 6.1).
//!
//! A server that ignores the offset, or whose total is wrong, must not keep a program busy for ever:
//! the reading ends at a page that adds nothing. Items stay the JSON values that came.

use hallpass_openapi::BuiltRequest;
use http::Method;
use serde_json::Value;

use crate::error::{Error, Kind};
use crate::send::Client;

/// Why a list could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagingError {
    /// The answer has no `items`.
    #[error("the answer is no list: it has no `items`")]
    NoList,
    /// Only what reads can be repeated.
    #[error("{0} is not a list to read; only GET is")]
    Method(Method),
    /// The server gives the same page for another offset.
    #[error("the server repeats the page at offset {offset}: {received} of {total} items came")]
    Repeats {
        /// The offset asked for.
        offset: u64,
        /// How many items came before.
        received: u64,
        /// How many there should be.
        total: u64,
    },
}

impl PagingError {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Repeats { .. } => Kind::Api,
            Self::NoList | Self::Method(_) => Kind::Usage,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoList | Self::Method(_) => Some("send it without asking for all".to_owned()),
            Self::Repeats { total, .. } => {
                Some(format!("the server does not page; ask for limit={total}"))
            }
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its items, as they came.
    pub items: Vec<Value>,
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
}

enum Next {
    /// The page at this offset; `before` is the page that was read before it.
    Page {
        offset: u64,
        received: u64,
        before: Vec<Value>,
    },
    Nothing,
}

impl Client {
    /// The pages of a list. The request's own `limit` is the size of a page, its own `offset` the
    /// start.
    pub fn pages(&self, request: BuiltRequest) -> Result<Pages<'_>, Error> {
        if request.method != Method::GET {
            return Err(PagingError::Method(request.method).into());
        }
        let offset = offset_of(&request.path_and_query);
        let next = Next::Page {
            offset,
            received: 0,
            before: Vec::new(),
        };
        Ok(Pages {
            client: self,
            request,
            next,
        })
    }

    /// All items of a list.
    pub async fn all_items(&self, request: BuiltRequest) -> Result<Vec<Value>, Error> {
        let mut pages = self.pages(request)?;
        let mut items = Vec::new();
        while let Some(page) = pages.next().await? {
            items.extend(page.items);
        }
        Ok(items)
    }
}

impl Pages<'_> {
    /// The next page; `None` after the last one. After an error there is no further page.
    pub async fn next(&mut self) -> Result<Option<Page>, Error> {
        let Next::Page {
            offset,
            received,
            before,
        } = std::mem::replace(&mut self.next, Next::Nothing)
        else {
            return Ok(None);
        };
        let request = if received == 0 {
            self.request.clone()
        } else {
            let path_and_query = with_offset(&self.request.path_and_query, offset);
            BuiltRequest {
                path_and_query,
                ..self.request.clone()
            }
        };
        let answer = self.client.send(&request).await?.success()?.json()?;
        let page = read(answer, offset)?;
        if page.items.is_empty() && received > 0 {
            return Ok(None);
        }
        if received > 0 && page.items == before {
            // A server that does not page and names no total has given everything at once.
            return match page.total {
                Some(total) => Err(PagingError::Repeats {
                    offset,
                    received,
                    total,
                }
                .into()),
                None => Ok(None),
            };
        }
        self.next = following(&page, received);
        Ok(Some(page))
    }
}

fn following(page: &Page, received: u64) -> Next {
    let count = page.items.len() as u64;
    let offset = page.offset.saturating_add(count);
    if count == 0 || page.total.is_some_and(|total| offset >= total) {
        return Next::Nothing;
    }
    Next::Page {
        offset,
        received: received + count,
        before: page.items.clone(),
    }
}

fn read(mut answer: Value, offset: u64) -> Result<Page, PagingError> {
    let total = answer.get("total").and_then(number);
    match answer.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(Page {
            items,
            offset,
            total,
        }),
        // An empty list is written as null by some.
        Some(Value::Null) => Ok(Page {
            items: Vec::new(),
            offset,
            total,
        }),
        _ => Err(PagingError::NoList),
    }
}

/// A number, also written as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
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

/// The same request at another offset. The other parameters stay as they were written.
fn with_offset(path_and_query: &str, offset: u64) -> String {
    let (path, query) = path_and_query
        .split_once('?')
        .unwrap_or((path_and_query, ""));
    let others = query.split('&').filter(|pair| {
        let name = form_urlencoded::parse(pair.as_bytes()).next();
        name.is_some_and(|(name, _)| name != "offset")
    });
    let mut pairs: Vec<String> = others.map(str::to_owned).collect();
    pairs.push(format!("offset={offset}"));
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_offset_is_replaced_and_everything_else_stays_as_it_was_written() {
        assert_eq!(with_offset("/v", 20), "/v?offset=20");
        assert_eq!(
            with_offset("/v?offset=5&filter=a%20b+c&limit=10&off%73et=7", 20),
            "/v?filter=a%20b+c&limit=10&offset=20"
        );
        assert_eq!(offset_of("/v?limit=1&offset=5"), 5);
        assert_eq!(offset_of("/v?offset=x"), 0);
    }

    #[test]
    fn numbers_beyond_floating_point_stay_exact() {
        let text = r#"{"items":[{"id":18446744073709551615}],"total":"1"}"#;
        let page = read(serde_json::from_str(text).unwrap(), 0).unwrap();
        assert_eq!(page.total, Some(1));
        assert_eq!(page.items[0].to_string(), r#"{"id":18446744073709551615}"#);
    }

    #[test]
    fn only_items_make_a_list() {
        assert!(
            read(json!({"items": null, "total": 0}), 0)
                .unwrap()
                .items
                .is_empty()
        );
        for answer in [json!({}), json!([]), json!({"items": {}}), json!(null)] {
            assert_eq!(read(answer, 0).unwrap_err(), PagingError::NoList);
        }
    }
}
