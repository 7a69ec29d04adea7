//! The lock that makes one token request out of many programs' need for one.
//!
//! It is the system's file lock: it goes with its holder, so a program that is killed while asking
//! for a token leaves nothing behind that would block the others.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::private_file::open_lock;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct TokenLock {
    _file: File,
}

/// How asking for the lock ended.
#[derive(Debug)]
pub(crate) enum Asked {
    Held(TokenLock),
    /// Somebody else holds it (still).
    Taken,
    /// The file system has no locks to give, or the file is not ours.
    Unusable(String),
}

impl TokenLock {
    /// Takes the lock if nobody holds it.
    pub(crate) fn try_take(path: &Path) -> Asked {
        match open_lock(path).map(|file| (file.try_lock(), file)) {
            Ok((Ok(()), file)) => Asked::Held(Self { _file: file }),
            Ok((Err(TryLockError::WouldBlock), _)) => Asked::Taken,
            Ok((Err(TryLockError::Error(error)), _)) | Err(error) => {
                Asked::Unusable(error.to_string())
            }
        }
    }

    /// Waits for the lock, at most `bound` long.
    ///
    /// The waiting is done by a thread of its own and not by the runtime's pool: a runtime that ends
    /// waits for its pool, and would hang on a lock that somebody else never gives back. A lock that
    /// comes after the bound is given back at once, because nobody takes the file any more.
    pub(crate) async fn wait(path: PathBuf, bound: Duration) -> Asked {
        let (sender, receiver) = oneshot::channel();
        let waiting = move || {
            let locked: io::Result<File> =
                open_lock(&path).and_then(|file| file.lock().map(|()| file));
            drop(sender.send(locked));
        };
        if let Err(error) = thread::Builder::new()
            .name("token lock".to_owned())
            .spawn(waiting)
        {
            return Asked::Unusable(error.to_string());
        }
        match tokio::time::timeout(bound, receiver).await {
            Err(_) => Asked::Taken,
            Ok(Ok(Ok(file))) => Asked::Held(Self { _file: file }),
            Ok(Ok(Err(error))) => Asked::Unusable(error.to_string()),
            Ok(Err(_)) => Asked::Unusable("the waiting thread ended".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    }

    #[test]
    fn only_one_holds_the_lock_and_the_next_gets_it_when_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lock");
        let Asked::Held(first) = TokenLock::try_take(&path) else {
            panic!("a free lock is taken");
        };
        assert!(matches!(TokenLock::try_take(&path), Asked::Taken));
        runtime().block_on(async {
            let waiting = tokio::spawn(TokenLock::wait(path.clone(), Duration::from_mins(1)));
            tokio::task::yield_now().await;
            drop(first);
            assert!(matches!(waiting.await.unwrap(), Asked::Held(_)));
        });
        assert!(matches!(TokenLock::try_take(&path), Asked::Held(_)));
    }

    #[test]
    fn waiting_ends_at_the_bound_and_a_late_lock_is_given_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lock");
        let held = TokenLock::try_take(&path);
        let asked = runtime().block_on(TokenLock::wait(path.clone(), Duration::from_millis(20)));
        assert!(matches!(asked, Asked::Taken));
        drop(held);
        // The thread left behind takes the lock and drops it; the next one gets it in the end.
        let asked = runtime().block_on(TokenLock::wait(path, Duration::from_mins(1)));
        assert!(matches!(asked, Asked::Held(_)));
    }

    #[test]
    fn a_place_without_locks_is_told_apart_from_a_taken_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let asked = TokenLock::try_take(&file.path().join("x.lock"));
        assert!(matches!(asked, Asked::Unusable(_)));
    }
}
