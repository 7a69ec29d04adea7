//! An answer that may be larger than memory should hold: its beginning is at hand, all of it is in a
//! private file that has no name, so that nobody else finds it and nothing of it stays behind,
//! however the program ends.
//!
//! What an answer means is not known here.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::response::Response;

/// How much of an answer is kept where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// Up to so many bytes are kept in memory; of a larger answer, its beginning.
    pub at_hand: usize,
    /// So many bytes an answer may have at most.
    pub most: u64,
    /// Where the file of a larger one is.
    pub directory: PathBuf,
    /// How long it may take to come whole, once it has begun.
    pub longest: Duration,
}

/// An answer that was kept.
#[derive(Debug, Clone)]
pub struct Kept {
    response: Response,
    size: u64,
    overflow: Option<Overflow>,
}

impl Kept {
    /// The answer; of a large one, with the beginning of its body.
    pub fn response(&self) -> &Response {
        &self.response
    }

    /// The answer alone.
    pub fn into_response(self) -> Response {
        self.response
    }

    /// The size of the whole body.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where all of a large body is; `None` when it is at hand.
    pub fn overflow(&self) -> Option<&Overflow> {
        self.overflow.as_ref()
    }
}

/// A body in a file without a name. It is gone when nobody holds it any more.
#[derive(Debug, Clone)]
pub struct Overflow(Arc<Mutex<File>>);

impl Overflow {
    /// Up to `most` bytes from `offset` on; none at the end. Waits for the disk.
    pub fn read(&self, offset: u64, most: usize) -> io::Result<Bytes> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        let mut buffer = Vec::new();
        (&mut *file).take(most as u64).read_to_end(&mut buffer)?;
        Ok(buffer.into())
    }
}

/// How much room an answer has.
#[derive(Debug, Clone)]
pub(crate) enum Room {
    /// So many bytes of memory; a larger answer is refused.
    Memory(usize),
    /// Memory, and a file behind it.
    File(Keeping),
}

impl Room {
    /// The largest answer that has room.
    pub(crate) fn most(&self) -> u64 {
        match self {
            Self::Memory(most) => *most as u64,
            Self::File(keeping) => keeping.most,
        }
    }

    fn at_hand(&self) -> usize {
        match self {
            Self::Memory(most) => *most,
            Self::File(keeping) => keeping.at_hand,
        }
    }
}

/// Why a body is not kept.
#[derive(Debug)]
pub(crate) enum NotKept {
    /// It is larger than there is room.
    TooLarge,
    /// The file cannot be written.
    File(io::Error),
}

/// A body while it comes.
pub(crate) struct Arriving<'a> {
    room: &'a Room,
    at_hand: Vec<u8>,
    file: Option<File>,
    /// What has come since the file was written last.
    waiting: Vec<u8>,
    size: u64,
}

impl<'a> Arriving<'a> {
    pub(crate) fn new(room: &'a Room) -> Self {
        Self {
            room,
            at_hand: Vec::new(),
            file: None,
            waiting: Vec::new(),
            size: 0,
        }
    }

    /// Takes the next piece.
    pub(crate) async fn take(&mut self, piece: &[u8]) -> Result<(), NotKept> {
        self.size += piece.len() as u64;
        if self.size > self.room.most() {
            return Err(NotKept::TooLarge);
        }
        let free = self.room.at_hand() - self.at_hand.len();
        let (here, rest) = piece.split_at(free.min(piece.len()));
        self.at_hand.extend_from_slice(here);
        self.waiting.extend_from_slice(rest);
        if self.waiting.len() >= WRITTEN_AT_ONCE {
            self.write().await?;
        }
        Ok(())
    }

    /// The answer that it belongs to. `head` has no body yet.
    pub(crate) async fn end(mut self, head: Response) -> Result<Kept, NotKept> {
        if !self.waiting.is_empty() {
            self.write().await?;
        }
        Ok(Kept {
            response: head.with_body(self.at_hand),
            size: self.size,
            overflow: self.file.map(|file| Overflow(Arc::new(Mutex::new(file)))),
        })
    }

    /// Writes what waits, away from the threads that serve connections.
    async fn write(&mut self) -> Result<(), NotKept> {
        let Room::File(keeping) = self.room else {
            return Err(NotKept::TooLarge);
        };
        let (file, begin) = match self.file.take() {
            Some(file) => (Ok(file), Vec::new()),
            None => (
                tempfile::tempfile_in(&keeping.directory),
                self.at_hand.clone(),
            ),
        };
        let waiting = std::mem::take(&mut self.waiting);
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file?;
            file.write_all(&begin)?;
            file.write_all(&waiting)?;
            Ok(file)
        });
        let written = written
            .await
            .map_err(|_| io::Error::other("it was stopped"));
        self.file = Some(written.and_then(|done| done).map_err(NotKept::File)?);
        Ok(())
    }
}

/// How much is written to the file at a time.
const WRITTEN_AT_ONCE: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use proptest::prelude::*;

    use super::*;

    async fn keep(room: &Room, pieces: &[Vec<u8>]) -> Result<Kept, NotKept> {
        let mut arriving = Arriving::new(room);
        for piece in pieces {
            arriving.take(piece).await?;
        }
        let head = Response::new(StatusCode::OK, HeaderMap::new(), Vec::new());
        arriving.end(head).await
    }

    fn in_files(directory: &std::path::Path, at_hand: usize, most: u64) -> Room {
        Room::File(Keeping {
            at_hand,
            most,
            directory: directory.to_owned(),
            longest: Duration::from_secs(1),
        })
    }

    #[tokio::test]
    async fn a_file_has_no_name() {
        let directory = tempfile::tempdir().unwrap();
        let room = in_files(directory.path(), 2, 10);
        let kept = keep(&room, &[b"abcde".to_vec()]).await.unwrap();
        assert_eq!(kept.response().body(), b"ab");
        assert_eq!(&kept.overflow().unwrap().read(1, 3).unwrap()[..], b"bcd");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn nothing_larger_than_the_room_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let pieces = [b"abc".to_vec(), b"def".to_vec()];
        for room in [in_files(directory.path(), 2, 5), Room::Memory(5)] {
            let refused = keep(&room, &pieces).await;
            assert!(matches!(refused, Err(NotKept::TooLarge)), "{room:?}");
        }
        let fits = keep(&Room::Memory(6), &pieces).await.unwrap();
        assert_eq!((fits.size(), fits.overflow().is_none()), (6, true));
    }

    proptest! {
        #[test]
        fn every_byte_is_there_once_and_in_order(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..9),
            at_hand in 0_usize..20,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let directory = tempfile::tempdir().unwrap();
            let room = in_files(directory.path(), at_hand, 1000);
            let kept = runtime.block_on(keep(&room, &pieces)).unwrap();
            let whole = pieces.concat();
            prop_assert_eq!(kept.size(), whole.len() as u64);
            let begin = &whole[..at_hand.min(whole.len())];
            prop_assert_eq!(kept.response().body(), begin);
            match kept.overflow() {
                None => prop_assert!(whole.len() <= at_hand),
                Some(file) => prop_assert_eq!(&file.read(0, 1000).unwrap()[..], &whole[..]),
            }
        }
    }
}
