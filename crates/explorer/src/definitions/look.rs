//! Looking at a text before it is taken in: what it is, what is wrong with it, and what it would change.
//! What was looked at waits in memory until it is taken in, forgotten after a while, or displaced by
//! newer ones.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use hallpass_client::SystemRandom;
use hallpass_openapi::ReadError;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::about::counted;
use super::changes::changes;
use super::files;
use super::recognize::refusal;
use super::text::{File, MOST_BYTES, Texts};
use super::{Loaded, format, is_address};
use crate::Explorer;
use crate::answer::{Answer, Failure, answer, told};
use crate::id::Id;
use crate::visitor::Visitor;

/// Texts that were looked at and may be taken in.
#[derive(Default)]
pub(super) struct Looks(Mutex<Vec<Look>>);

/// A text that was looked at.
#[derive(Clone)]
pub(super) struct Look {
    id: Id,
    /// Whose it is, and for which workspace.
    owner: (String, Id),
    pub(super) source: String,
    pub(super) bytes: Bytes,
    until: Timestamp,
}

impl Looks {
    /// What a visitor looked at for a workspace.
    pub(super) fn find(&self, owner: &(String, Id), id: &Id, now: Timestamp) -> Option<Look> {
        let looks = self.all();
        let mut known = looks.iter();
        let found = known.find(|one| one.id == *id && one.owner == *owner && one.until > now);
        found.cloned()
    }

    pub(super) fn forget(&self, id: &Id) {
        self.all().retain(|one| one.id != *id);
    }

    fn put(&self, look: Look, now: Timestamp) {
        let mut looks = self.all();
        looks.retain(|one| one.until > now);
        let of_visitor = |one: &Look| one.owner.0 == look.owner.0;
        if looks.iter().filter(|one| of_visitor(one)).count() >= MOST_OF_ONE
            && let Some(oldest) = looks.iter().position(of_visitor)
        {
            looks.remove(oldest);
        }
        looks.push(look);
        while looks.len() > 1
            && looks.iter().map(|one| one.bytes.len()).sum::<usize>() > MOST_WAITING
        {
            looks.remove(0);
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Look>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many texts of one visitor wait, how long all of them may be, and how long they wait.
const MOST_OF_ONE: usize = 12;
const MOST_WAITING: usize = 96 << 20;
const WAITS: SignedDuration = SignedDuration::from_mins(30);

/// How large a request may be that brings texts; JSON writes some letters longer.
pub(super) const MOST_SENT: usize = MOST_BYTES + (8 << 20);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Given {
    /// What the text is called.
    source: Option<String>,
    /// A definition that it is meant to replace, whatever it is called.
    replaces: Option<Id>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    url: Option<String>,
    #[serde(default)]
    built_in: bool,
    #[serde(default)]
    files: Vec<File>,
}

pub(super) async fn look(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
    Query(given): Query<Given>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    explorer.workspace(&visitor, &workspace).await?;
    let place = Place {
        explorer: &explorer,
        visitor: &visitor,
        workspace,
        replaces: given.replaces,
    };
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        let source = named(given.source.as_deref());
        return place.one(&source, body).await;
    }
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|error| {
        Failure::wrong(
            format!("the request cannot be read: {error}"),
            "load the page again",
        )
    })?;
    if wanted.built_in {
        let text = explorer.surroundings.built_in();
        return place
            .one("built-in", Bytes::from_static(text.as_bytes()))
            .await;
    }
    match wanted.url {
        Some(url) => {
            let url = Url::parse(url.trim())
                .ok()
                .filter(|url| is_address(url.as_str()));
            let url = url.ok_or_else(|| {
                let hint = "type an address that begins with https:// or http://";
                Failure::wrong("that is no address of a definition", hint)
            })?;
            let bytes = explorer.surroundings.fetch(&url).await?;
            place.one(url.as_str(), bytes.into()).await
        }
        None => place.several(wanted.files).await,
    }
}

/// A name as a person may see it. A text that was uploaded comes from no address.
fn named(source: Option<&str>) -> String {
    let plain = |text: &&str| !text.is_empty() && !is_address(text);
    let source = source.map(str::trim).filter(plain).unwrap_or("pasted text");
    source
        .chars()
        .filter(|one| !one.is_control())
        .take(200)
        .collect()
}

/// Where a text would go.
struct Place<'a> {
    explorer: &'a Explorer,
    visitor: &'a Visitor,
    workspace: Id,
    replaces: Option<Id>,
}

impl Place<'_> {
    async fn one(&self, source: &str, bytes: Bytes) -> Answer {
        match self.look(source, bytes).await? {
            Ok(look) => told(&look),
            Err(error) => Ok(answer(
                StatusCode::UNPROCESSABLE_ENTITY,
                &json!({ "error": error }),
            )),
        }
    }

    /// Looks at each definition among files that were given together.
    async fn several(&self, given: Vec<File>) -> Answer {
        let given = files::checked(given)?;
        let (mut looks, mut failures) = (Vec::new(), Vec::new());
        for main in files::definitions(&given)? {
            let joined = Texts::join(&main, &given);
            match self.look(&main, joined.into()).await? {
                Ok(look) => looks.push(look),
                Err(error) => failures.push(error),
            }
        }
        told(&json!({ "looks": looks, "failures": failures }))
    }

    /// What a text is; inside, why it is nothing.
    async fn look(&self, source: &str, bytes: Bytes) -> Result<Result<Value, Value>, Failure> {
        if bytes.len() > MOST_BYTES {
            return Err(Failure::wrong(
                format!("{source} is larger than {} MiB", MOST_BYTES >> 20),
                "no definition that people read is that large; check what was picked",
            ));
        }
        let explorer = self.explorer;
        let begun = (explorer.clock)();
        // What of several files belongs together is known when they were read once.
        let bytes = files::needed(explorer, self.visitor, source, bytes).await?;
        let loaded = match explorer.read(self.visitor, source, bytes.clone()).await? {
            Ok(loaded) => loaded,
            Err(error) => return Ok(Err(broken(source, &bytes, &error))),
        };
        let now = (explorer.clock)();
        let look = Look {
            id: Id::generate(&mut SystemRandom),
            owner: (self.visitor.key.clone(), self.workspace.clone()),
            source: source.to_owned(),
            bytes,
            until: now + WAITS,
        };
        let same = self.same(&loaded).await?;
        let definition = &loaded.definition;
        let answer = json!({
            "look": look.id,
            "source": source,
            "title": definition.title(),
            "version": definition.version(),
            "format": format(definition),
            "as": "API",
            "operations": definition.operations().len(),
            "files": loaded.texts.all().len(),
            "problems": counted(&loaded.problems),
            "milliseconds": now.duration_since(begun).as_millis(),
            "same": same,
        });
        explorer.shelf.looks.put(look, now);
        Ok(Ok(answer))
    }

    /// The definitions that it could replace: those of the same title, and the one that was asked for.
    async fn same(&self, new: &Arc<Loaded>) -> Result<Vec<Value>, Failure> {
        let (explorer, visitor) = (self.explorer, self.visitor);
        let workspace = explorer.workspace(visitor, &self.workspace).await?;
        let mut same = Vec::new();
        for known in workspace.definitions {
            let is_meant = self.replaces.as_ref() == Some(&known.id);
            if !is_meant && known.title != new.definition.title() {
                continue;
            }
            // A text that is broken or missing can be replaced too; what changes is not known then.
            let changed = match explorer.loaded(visitor, &self.workspace, &known).await {
                Ok(old) => compared(&old, new).await,
                Err(_) => Value::Null,
            };
            same.push(json!({
                "definition": known.id,
                "title": known.title,
                "version": known.version,
                "changes": changed,
            }));
        }
        Ok(same)
    }
}

/// What is different, found away from the threads that answer requests.
pub(super) async fn compared(old: &Arc<Loaded>, new: &Arc<Loaded>) -> Value {
    let (old, new) = (old.clone(), new.clone());
    let compared = tokio::task::spawn_blocking(move || changes(&old.definition, &new.definition));
    compared.await.unwrap_or(Value::Null)
}

/// Why a text is no definition, with the lines around the place.
fn broken(source: &str, bytes: &Bytes, error: &ReadError) -> Value {
    let Ok(texts) = Texts::read(source, bytes.clone()) else {
        return json!({ "source": source, "what": error.to_string(), "hint": "import the files again" });
    };
    let text = texts.main();
    let (what, hint) = refusal(text.bytes(), error);
    let from = error.line.saturating_sub(AROUND).max(1);
    let lines = text.lines(from..error.line + AROUND + 1);
    let excerpt = lines.into_iter().zip(from..);
    let excerpt = excerpt.map(|(text, line)| {
        let text: String = text.chars().take(200).collect();
        json!({ "line": line, "text": text })
    });
    json!({
        "source": source,
        "what": what,
        "hint": hint,
        "line": error.line,
        "column": error.column,
        "excerpt": excerpt.collect::<Vec<_>>(),
    })
}

/// How many lines are shown on each side of a mistake.
const AROUND: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn look(visitor: &str, size: usize, until: Timestamp) -> Look {
        Look {
            id: Id::generate(&mut SystemRandom),
            owner: (visitor.to_owned(), Id::parse("w").unwrap()),
            source: "a".to_owned(),
            bytes: vec![0; size].into(),
            until,
        }
    }

    #[test]
    fn what_waits_is_bounded_and_nobody_elses() {
        let looks = Looks::default();
        let now = Timestamp::UNIX_EPOCH;
        let later = now + WAITS;
        let other = look("b", 1, later);
        looks.put(other.clone(), now);
        let mine: Vec<Look> = (0..=MOST_OF_ONE).map(|_| look("a", 1, later)).collect();
        for one in &mine {
            looks.put(one.clone(), now);
        }
        let is_there = |one: &Look, now| looks.find(&one.owner, &one.id, now).is_some();
        assert!(!is_there(&mine[0], now) && is_there(&mine[1], now) && is_there(&other, now));
        assert!(!is_there(&mine[1], later), "it waited too long");
        assert!(
            looks.find(&other.owner, &mine[1].id, now).is_none(),
            "it is somebody else's"
        );
        looks.put(look("c", MOST_WAITING, later), now);
        assert!(!is_there(&other, now), "there is no room");
    }

    #[test]
    fn an_upload_has_a_plain_name() {
        assert_eq!(named(Some(" a.yaml\n")), "a.yaml");
        assert_eq!(named(Some("https://a/b")), "pasted text");
        assert_eq!(named(None), "pasted text");
    }
}
