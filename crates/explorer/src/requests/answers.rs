//! Answers that are at hand: their bodies, byte for byte, until newer ones take their place. Small ones
//! are in memory, large ones in files without a name.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use hallpass_client::{Kept, Overflow};
use http_body::{Frame, SizeHint};
use serde::Deserialize;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::Explorer;
use crate::answer::{Answer, Failure};
use crate::id::Id;
use crate::visitor::Visitor;

/// Answers of everybody, the newest last.
#[derive(Default)]
pub(crate) struct Answers(Mutex<Vec<Stored>>);

struct Stored {
    visitor: String,
    workspace: Id,
    id: Id,
    body: StoredBody,
}

/// A body.
#[derive(Clone)]
struct StoredBody {
    /// All of it, or its beginning.
    at_hand: Bytes,
    size: u64,
    overflow: Option<Overflow>,
    json: bool,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    save: Option<String>,
}

impl Answers {
    /// Keeps an answer of a visitor, in place of their oldest ones where there is no room.
    pub(super) fn keep(&self, visitor: &Visitor, workspace: &Id, id: Id, kept: &Kept) {
        let body = StoredBody {
            at_hand: Bytes::copy_from_slice(kept.response().body()),
            size: kept.size(),
            overflow: kept.overflow().cloned(),
            json: kept
                .response()
                .media_type()
                .is_some_and(|name| name.ends_with("json")),
        };
        let mut all = self.all();
        all.push(Stored {
            visitor: visitor.key.clone(),
            workspace: workspace.clone(),
            id,
            body,
        });
        while let Some(oldest) = surplus(&all, &visitor.key) {
            all.remove(oldest);
        }
    }

    fn find(&self, visitor: &Visitor, workspace: &Id, id: &Id) -> Option<StoredBody> {
        let all = self.all();
        let mut theirs = all.iter().filter(|one| one.visitor == visitor.key);
        let found = theirs.find(|one| one.workspace == *workspace && one.id == *id);
        found.map(|one| one.body.clone())
    }

    fn all(&self) -> MutexGuard<'_, Vec<Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer that has to make room; never the newest.
fn surplus(all: &[Stored], visitor: &str) -> Option<usize> {
    let (newest, older) = all.split_last()?;
    let theirs = || all.iter().filter(|one| one.visitor == visitor);
    let in_memory = |one: &Stored| one.body.at_hand.len();
    let in_file = |one: &Stored| one.body.overflow.as_ref().map_or(0, |_| one.body.size);
    let too_many = theirs().count() > MOST_ANSWERS
        || theirs().map(in_memory).sum::<usize>() > MOST_MEMORY
        || theirs().map(in_file).sum::<u64>() > MOST_FILES;
    if too_many {
        return older.iter().position(|one| one.visitor == newest.visitor);
    }
    let crowded = all.iter().map(in_memory).sum::<usize>() > MOST_MEMORY_OF_ALL
        || all.iter().map(in_file).sum::<u64>() > MOST_FILES_OF_ALL;
    (crowded && !older.is_empty()).then_some(0)
}

/// The body as it came. To a browser it is text, whatever it says of itself: an answer of an API is no
/// page of this server.
pub(super) async fn body(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, id)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (workspace, id) = (Id::parse(&workspace)?, Id::parse(&id)?);
    let found = explorer.answers.find(&visitor, &workspace, &id);
    let found = found.ok_or_else(|| {
        Failure::new(
            axum::http::StatusCode::NOT_FOUND,
            "the answer is not at hand any more",
            "send the request again; only the newest answers are kept",
        )
    })?;
    let ending = if found.json { "json" } else { "txt" };
    let body = match found.overflow {
        None => Body::from(found.at_hand),
        Some(file) => Body::new(Reading::begin(file, found.size)),
    };
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let text = "text/plain; charset=utf-8";
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(text));
    if wanted.save.is_some() {
        let name = format!("attachment; filename=\"answer-{id}.{ending}\"");
        if let Ok(name) = HeaderValue::try_from(name) {
            headers.insert(CONTENT_DISPOSITION, name);
        }
        let bytes = "application/octet-stream";
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(bytes));
    }
    Ok(hallpass_pages::protected(answer))
}

/// A file while it is read: the next piece when somebody takes it, so that one who takes nothing holds
/// no thread.
struct Reading {
    file: Overflow,
    offset: u64,
    size: u64,
    piece: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Reading {
    fn begin(file: Overflow, size: u64) -> Self {
        Self {
            file,
            offset: 0,
            size,
            piece: None,
        }
    }
}

impl http_body::Body for Reading {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.offset >= self.size {
            return Poll::Ready(None);
        }
        let (file, offset) = (self.file.clone(), self.offset);
        let read = move || file.read(offset, READ_AT_ONCE);
        let piece = self.piece.get_or_insert_with(|| spawn_blocking(read));
        let piece = ready!(Pin::new(piece).poll(context));
        self.piece = None;
        let piece = piece.map_err(io::Error::other).flatten();
        // What is shorter than it said has an end all the same.
        let length = piece.as_ref().map_or(0, Bytes::len) as u64;
        self.offset = if length == 0 {
            self.size
        } else {
            offset + length
        };
        Poll::Ready(Some(piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.size - self.offset.min(self.size))
    }
}

/// How many answers of one visitor are at hand.
const MOST_ANSWERS: usize = 30;

/// How much memory the answers of one visitor may take, and those of all.
const MOST_MEMORY: usize = 32 * 1024 * 1024;
const MOST_MEMORY_OF_ALL: usize = 256 * 1024 * 1024;

/// How much room in files.
const MOST_FILES: u64 = 2 * 1024 * 1024 * 1024;
const MOST_FILES_OF_ALL: u64 = 8 * 1024 * 1024 * 1024;

/// How much of a file is read at a time.
const READ_AT_ONCE: usize = 256 * 1024;
