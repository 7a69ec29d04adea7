//! Answers that are at hand: their bodies, byte for byte, until newer ones take their place or they are
//! old. Small ones are in memory, large ones in files without a name.

use std::collections::HashMap;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use hallpass_client::{Kept, Overflow};
use http_body::{Frame, SizeHint};
use serde::Deserialize;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Duration, Instant, sleep_until};

use crate::Explorer;
use crate::answer::{Answer, Failure};
use crate::id::Id;
use crate::visitor::Visitor;

/// Answers of everybody.
pub(crate) struct Answers {
    folder: PathBuf,
    stock: Arc<Mutex<Stock>>,
}

#[derive(Default)]
struct Stock {
    /// The newest last.
    all: Vec<Stored>,
    /// How much those that are still coming may be, by visitor.
    under_way: HashMap<String, u64>,
    /// Whether somebody looks after the old ones.
    is_swept: bool,
}

struct Stored {
    visitor: String,
    workspace: Id,
    id: Id,
    since: Instant,
    body: StoredBody,
}

/// A body.
#[derive(Clone)]
struct StoredBody {
    /// All of it, or its beginning.
    at_hand: Bytes,
    size: u64,
    /// How much of it is in a file.
    in_file: u64,
    overflow: Option<Overflow>,
    json: bool,
}

/// Room for an answer that is still coming, for as long as it is held.
pub(super) struct Room {
    visitor: String,
    most: u64,
    stock: Arc<Mutex<Stock>>,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    save: Option<String>,
}

impl Answers {
    /// With large ones in this folder. It is made where it is missing, and emptied: answers do not outlive
    /// the program.
    pub(crate) fn in_folder(folder: PathBuf) -> Self {
        if let Err(error) = emptied(&folder) {
            let folder = folder.display();
            tracing::warn!(%error, %folder, "large answers cannot be kept in this folder");
        }
        Self {
            folder,
            stock: Arc::default(),
        }
    }

    /// Where large ones are.
    pub(super) fn folder(&self) -> &FilePath {
        &self.folder
    }

    /// Room for an answer of up to `most` bytes, in place of the oldest ones.
    pub(super) fn room(&self, visitor: &Visitor, most: u64) -> Result<Room, Failure> {
        let mut stock = self.stock();
        let theirs = stock.under_way.get(&visitor.key).copied();
        let theirs = theirs.unwrap_or_default().saturating_add(most);
        let all = stock.under_way.values().sum::<u64>().saturating_add(most);
        if theirs > MOST_FILES || all > MOST_FILES_OF_ALL {
            return Err(Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many answers are on their way",
                "send it again when some of them have come; it was not sent",
            ));
        }
        stock.under_way.insert(visitor.key.clone(), theirs);
        stock.make_room(&visitor.key);
        Ok(Room {
            visitor: visitor.key.clone(),
            most,
            stock: self.stock.clone(),
        })
    }

    /// Keeps an answer of a visitor, in place of their oldest ones where there is no room.
    pub(super) fn keep(&self, visitor: &Visitor, workspace: &Id, id: Id, kept: &Kept) {
        let body = StoredBody {
            at_hand: Bytes::copy_from_slice(kept.response().body()),
            size: kept.size(),
            in_file: kept.overflow().map_or(0, |_| kept.size()),
            overflow: kept.overflow().cloned(),
            json: kept
                .response()
                .media_type()
                .is_some_and(|name| name.ends_with("json")),
        };
        let mut stock = self.stock();
        stock.all.push(Stored {
            visitor: visitor.key.clone(),
            workspace: workspace.clone(),
            id,
            since: Instant::now(),
            body,
        });
        stock.make_room(&visitor.key);
        if !std::mem::replace(&mut stock.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.stock)));
        }
    }

    fn find(&self, visitor: &Visitor, workspace: &Id, id: &Id) -> Option<StoredBody> {
        let stock = self.stock();
        let mut theirs = stock.all.iter().filter(|one| one.visitor == visitor.key);
        let found = theirs.find(|one| one.workspace == *workspace && one.id == *id);
        found.map(|one| one.body.clone())
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        locked(&self.stock)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut stock = locked(&self.stock);
        if let Some(theirs) = stock.under_way.get_mut(&self.visitor) {
            *theirs = theirs.saturating_sub(self.most);
            if *theirs == 0 {
                stock.under_way.remove(&self.visitor);
            }
        }
    }
}

impl Stock {
    fn make_room(&mut self, visitor: &str) {
        while let Some(oldest) = self.surplus(visitor) {
            self.all.remove(oldest);
        }
    }

    /// Takes away what is old; tells when the next will be, or that nothing is left.
    fn forget_old(&mut self, now: Instant) -> Option<Instant> {
        self.all.retain(|one| one.since + OLDEST > now);
        let next = self.all.first().map(|first| first.since + OLDEST);
        self.is_swept = next.is_some();
        next
    }

    /// The answer that has to make room; never the newest.
    fn surplus(&self, visitor: &str) -> Option<usize> {
        let (_, older) = self.all.split_last()?;
        let theirs = || self.all.iter().filter(|one| one.visitor == visitor);
        let in_memory = |one: &Stored| one.body.at_hand.len();
        let in_file = |one: &Stored| one.body.in_file;
        let coming = self.under_way.get(visitor).copied().unwrap_or_default();
        let too_many = theirs().count() > MOST_ANSWERS
            || theirs().map(in_memory).sum::<usize>() > MOST_MEMORY
            || theirs().map(in_file).sum::<u64>() + coming > MOST_FILES;
        if too_many && let Some(oldest) = older.iter().position(|one| one.visitor == visitor) {
            return Some(oldest);
        }
        let coming: u64 = self.under_way.values().sum();
        let crowded = self.all.iter().map(in_memory).sum::<usize>() > MOST_MEMORY_OF_ALL
            || self.all.iter().map(in_file).sum::<u64>() + coming > MOST_FILES_OF_ALL;
        (crowded && !older.is_empty()).then_some(0)
    }
}

/// Takes answers away when they are old, as long as there are any.
async fn sweep(stock: Weak<Mutex<Stock>>) {
    loop {
        let Some(held) = stock.upgrade() else { return };
        let Some(next) = locked(&held).forget_old(Instant::now()) else {
            return;
        };
        drop(held);
        sleep_until(next).await;
    }
}

fn locked(stock: &Mutex<Stock>) -> MutexGuard<'_, Stock> {
    stock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a folder that only its owner can read, and takes away what an earlier program left in it.
fn emptied(folder: &FilePath) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    for left in std::fs::read_dir(folder)? {
        let left = left?;
        if left.file_type()?.is_file() {
            std::fs::remove_file(left.path())?;
        }
    }
    Ok(())
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
            StatusCode::NOT_FOUND,
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

/// How long an answer is at hand.
const OLDEST: Duration = Duration::from_hours(1);

/// How much of a file is read at a time.
const READ_AT_ONCE: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(visitor: &str, in_file: u64) -> Stored {
        Stored {
            visitor: visitor.to_owned(),
            workspace: Id::parse("w").unwrap(),
            id: Id::parse("a").unwrap(),
            since: Instant::now(),
            body: StoredBody {
                at_hand: Bytes::new(),
                size: in_file,
                in_file,
                overflow: None,
                json: false,
            },
        }
    }

    #[test]
    fn what_is_under_way_takes_the_room_of_ones_own_oldest() {
        let mut stock = Stock::default();
        for visitor in ["ann", "bob", "ann", "ann"] {
            stock.all.push(stored(visitor, MOST_FILES / 4));
        }
        stock.under_way.insert("ann".to_owned(), MOST_FILES / 4);
        stock.make_room("ann");
        assert_eq!(stock.all.len(), 4);
        stock.under_way.insert("ann".to_owned(), MOST_FILES / 2);
        stock.make_room("ann");
        let left: Vec<&str> = stock.all.iter().map(|one| &*one.visitor).collect();
        assert_eq!(left, ["bob", "ann", "ann"]);
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut stock = Stock {
            all: vec![stored("ann", 1), stored("bob", 1)],
            ..Stock::default()
        };
        let since = stock.all[0].since;
        stock.all[1].since = since + OLDEST / 2;
        let end = since + OLDEST;
        assert_eq!(stock.forget_old(since), Some(end));
        assert_eq!(stock.all.len(), 2);
        assert_eq!(stock.forget_old(end), Some(end + OLDEST / 2));
        assert_eq!(stock.all[0].visitor, "bob");
        assert_eq!(stock.forget_old(end + OLDEST), None);
        assert!(stock.all.is_empty() && !stock.is_swept);
    }

    #[test]
    fn a_folder_is_made_and_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("a/b");
        emptied(&inside).unwrap();
        std::fs::write(inside.join("left"), "x").unwrap();
        emptied(&inside).unwrap();
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 0);
    }
}
