//! What will be sent, for people: the address with the origin of each piece, the headers with those that
//! are added, the body, the variables, and what is wrong. It never fails because of what is wrong, needs
//! no token, and shows no secret.

use std::sync::Arc;

use axum::extract::{Path, State};
use hallpass_client::send::headers_of;
use hallpass_client::{BuiltRequest, USER_AGENT};
use serde::Serialize;

use super::compose::{Composed, rough_query};
use super::fill::{Face, FilledRow};
use super::mistake::Wrong;
use super::{MASK, away};
use crate::Explorer;
use crate::answer::{Answer, Json, told};
use crate::id::Id;
use crate::variables::{Piece, Used};
use crate::visitor::Visitor;
use crate::workspace::{AuthorizationSettings, Draft, RowPlace, Workspace};

/// What will be sent.
#[derive(Debug, Serialize)]
pub(super) struct Preview {
    method: String,
    url: String,
    headers: Vec<Header>,
    body: Option<String>,
    variables: Vec<Used>,
    mistakes: Vec<Wrong>,
    parts: Vec<Part>,
}

/// A header, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) value: String,
    from: String,
}

/// A piece of the address, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Part {
    text: String,
    from: String,
}

pub(super) async fn show(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
    Json(draft): Json<Draft>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    let (workspace, composed) = explorer
        .compose(&visitor, &workspace, &draft, Face::Shown)
        .await?;
    away(move || {
        let authorization = Authorization::of(&draft, &workspace);
        told(&preview(composed, &authorization))
    })
    .await?
}

fn preview(composed: Composed, authorization: &Authorization<'_>) -> Preview {
    let parts = parts(&composed);
    let body = composed.request.as_ref().map_or_else(
        || composed.filled.body.as_ref().map(|body| body.text.clone()),
        |(_, request)| request.body.as_deref().map(text),
    );
    Preview {
        method: composed.method.to_string(),
        url: parts.iter().map(|part| part.text.as_str()).collect(),
        headers: headers(&composed, authorization),
        body,
        variables: composed.filled.used,
        mistakes: composed.mistakes,
        parts,
    }
}

/// What a request is authorized with, and whether that is its own.
pub(super) struct Authorization<'a> {
    own: bool,
    settings: &'a AuthorizationSettings,
}

impl<'a> Authorization<'a> {
    pub(super) fn of(draft: &'a Draft, workspace: &'a Workspace) -> Self {
        let own = draft.authorization.as_ref();
        Self {
            own: own.is_some(),
            settings: own.unwrap_or(&workspace.authorization),
        }
    }

    fn header(&self) -> Option<Header> {
        let prefix = self.settings.header_prefix()?;
        let whose = if self.own {
            "authorization of this request"
        } else {
            "authorization of the workspace"
        };
        Some(Header {
            name: "Authorization".to_owned(),
            value: format!("{} {MASK}", prefix.trim()).trim().to_owned(),
            from: whose.to_owned(),
        })
    }
}

/// The headers in the order in which people look for them.
pub(super) fn headers(composed: &Composed, authorization: &Authorization<'_>) -> Vec<Header> {
    let header = |name: &str, value: &str, from: &str| Header {
        name: name.to_owned(),
        value: value.to_owned(),
        from: from.to_owned(),
    };
    let mut headers = Vec::new();
    let Some((server, request)) = &composed.request else {
        headers.extend(authorization.header());
        let typed = composed.filled.headers.iter();
        headers.extend(typed.map(|row| header(&row.name, &row.value, "typed")));
        return headers;
    };
    let host = server
        .as_str()
        .split_once("://")
        .map_or("", |(_, host)| host);
    headers.push(header("Host", host, "the address"));
    let shown = authorization.header();
    let has_token = shown.is_some();
    headers.extend(shown);
    for (name, value) in &headers_of(request).unwrap_or_default() {
        let name = capitals(name.as_str());
        // The token takes its place.
        if !(has_token && name == "Authorization") {
            let from = origin(&name, composed, request);
            headers.push(header(&name, &text(value.as_bytes()), &from));
        }
    }
    if let Some(body) = &request.body {
        let length = body.len().to_string();
        headers.push(header("Content-Length", &length, "the length of the body"));
    }
    headers.push(header("User-Agent", USER_AGENT, "added when it is sent"));
    headers
}

fn origin(name: &str, composed: &Composed, request: &BuiltRequest) -> String {
    let is_it = |row: &&FilledRow| row.name.eq_ignore_ascii_case(name);
    let filled = &composed.filled;
    if filled.headers.iter().any(|row| is_it(&row)) {
        return "typed".to_owned();
    }
    let mut rows = filled.parameters.iter();
    if let Some(row) = rows.find(|row| row.place == RowPlace::Header && is_it(row)) {
        return format!("parameter {}", row.name);
    }
    match name {
        "Cookie" => "parameters that are cookies".to_owned(),
        "Content-Type" if request.body.is_some() => "the body".to_owned(),
        _ => "added when it is sent".to_owned(),
    }
}

/// The name as people write it.
pub(super) fn capitals(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    });
    words.collect::<Vec<_>>().join("-")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn parts(composed: &Composed) -> Vec<Part> {
    let address = &composed.address;
    let mut parts = base(composed);
    let mut path = address.filled(|_| None);
    let mut query = None;
    if let Some((_, request)) = &composed.request {
        let (whole, rest) = match request.path_and_query.split_once('?') {
            Some((whole, rest)) => (whole, Some(rest)),
            None => (&*request.path_and_query, None),
        };
        let prefix = address
            .server()
            .map(|(_, prefix)| prefix)
            .unwrap_or_default();
        let below = whole.strip_prefix(&*prefix).unwrap_or(whole);
        below.clone_into(&mut path);
        query = rest.map(str::to_owned);
    }
    if address.is_template {
        parts.extend(segments(&address.path, &path));
    } else {
        parts.push(part(&path, "typed"));
    }
    let typed: Vec<String> = address.query_pairs().collect();
    let pairs: Vec<(String, String)> = match &query {
        Some(query) => query
            .split('&')
            .map(|pair| (name(pair), pair.to_owned()))
            .collect(),
        None if composed.request.is_some() => Vec::new(),
        None => {
            let typed = typed.iter().map(|pair| (name(pair), pair.clone()));
            typed.chain(rough_query(&composed.filled)).collect()
        }
    };
    for (at, (name, pair)) in pairs.into_iter().enumerate() {
        let mark = if at == 0 { "?" } else { "&" };
        let from = if typed.contains(&pair) {
            "typed".to_owned()
        } else {
            format!("parameter {name}")
        };
        parts.push(part(&format!("{mark}{pair}"), &from));
    }
    for part in &mut parts {
        part.text = unmasked(&part.text);
    }
    parts
}

/// The pieces before the path: what was typed, and what variables stood for.
fn base(composed: &Composed) -> Vec<Part> {
    let mut left = composed.address.base.len();
    let mut parts = Vec::new();
    for Piece { text, name } in &composed.filled.pieces {
        let mut end = left.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        left -= end;
        if end > 0 {
            let mut used = composed.filled.used.iter();
            let used = used.find(|used| Some(&used.name) == name.as_ref());
            parts.push(part(&text[..end], used.map_or("typed", |used| &used.from)));
        }
    }
    // A base that ends with a slash, and a path that begins with one, have one between them.
    if let (Some(last), true) = (parts.last_mut(), composed.request.is_some()) {
        last.text = last.text.trim_end_matches('/').to_owned();
    }
    parts
}

/// The segments of a path beside those of its template.
fn segments(template: &str, path: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let written: Vec<&str> = path.split('/').collect();
    for (at, segment) in template.split('/').enumerate() {
        let slash = if at == 0 { "" } else { "/" };
        let value = written.get(at).copied().unwrap_or_default();
        match segment
            .split_once('{')
            .and_then(|(_, rest)| rest.split_once('}'))
        {
            Some((name, _)) => {
                add(&mut parts, slash, "definition");
                add(&mut parts, value, &format!("parameter {name}"));
            }
            None => add(&mut parts, &format!("{slash}{value}"), "definition"),
        }
    }
    parts
}

fn add(parts: &mut Vec<Part>, text: &str, from: &str) {
    match parts.last_mut() {
        Some(last) if last.from == from => last.text.push_str(text),
        _ if text.is_empty() => {}
        _ => parts.push(part(text, from)),
    }
}

fn part(text: &str, from: &str) -> Part {
    Part {
        text: text.to_owned(),
        from: from.to_owned(),
    }
}

fn name(pair: &str) -> String {
    let name = form_urlencoded::parse(pair.as_bytes()).next();
    let name = name.map(|(name, _)| name.into_owned()).unwrap_or_default();
    name.split('[').next().unwrap_or_default().to_owned()
}

/// A mask that was percent-encoded, as a mask again.
pub(super) fn unmasked(text: &str) -> String {
    text.replace("%2A%2A%2A%2A%2A%2A%2A%2A", MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_where_its_values_stand() {
        let cut = segments("/v1/{a}/x/{b}", "/v1/1/x/2%2F3");
        let cut: Vec<_> = cut.iter().map(|part| (&*part.text, &*part.from)).collect();
        assert_eq!(
            cut,
            [
                ("/v1/", "definition"),
                ("1", "parameter a"),
                ("/x/", "definition"),
                ("2%2F3", "parameter b"),
            ]
        );
    }

    #[test]
    fn names_of_headers_are_written_as_people_do() {
        assert_eq!(capitals("content-type"), "Content-Type");
        assert_eq!(capitals("x--a"), "X--A");
    }
}
