//! Definitions that were read, held ready: reading a large one takes a moment and much memory, and a
//! page asks for parts of it many times.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, PoisonError};

use aws_lc_rs::digest;
use hallpass_openapi::{Definition, Problem, ReadError};
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use super::look::Looks;
use super::text::Texts;

/// A definition that was read, with its text.
pub struct Loaded {
    /// The definition.
    pub definition: Definition,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// The texts it was read from.
    pub(crate) texts: Texts,
}

impl Loaded {
    /// Reads the texts. References lead to those of them that were given together, and to nothing
    /// else: a definition may ask for `../../secret` and for any address.
    pub(crate) fn read(texts: Texts) -> Result<Self, ReadError> {
        let main = texts.main();
        let reading = Definition::read_from(&main.location, main.bytes(), &mut |location| {
            let found = texts.part(location);
            found
                .map(|text| text.bytes().to_vec())
                .ok_or_else(|| "it is not among the files that were imported together".to_owned())
        })?;
        Ok(Self {
            definition: reading.definition,
            problems: reading.problems,
            texts,
        })
    }
}

/// Definitions that were read lately, by the digest of their text. They are the same for everybody.
pub(crate) struct Shelf {
    /// The one that was asked for last stands at the end.
    loaded: std::sync::Mutex<Vec<(String, Arc<Loaded>)>>,
    /// Few are read at once, because each takes many times the room of its text meanwhile.
    reading: Semaphore,
    /// And one of one person, so that nobody holds all places. Two people who share one by chance wait for each
    /// other.
    readers: [Mutex<()>; 64],
    /// What waits to be taken in.
    pub(super) looks: Looks,
}

/// A turn at reading, for as long as it is held.
pub(super) struct ReadingTurn<'a> {
    _own: MutexGuard<'a, ()>,
    _place: Option<SemaphorePermit<'a>>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            loaded: std::sync::Mutex::default(),
            readers: std::array::from_fn(|_| Mutex::new(())),
            reading: Semaphore::new(MOST_READ_AT_ONCE),
            looks: Looks::default(),
        }
    }
}

impl Shelf {
    /// Waits until this person may have a definition read.
    pub(super) async fn turn(&self, person: &str) -> ReadingTurn<'_> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(person);
        let index = hash % self.readers.len() as u64;
        let index = usize::try_from(index).unwrap_or_default();
        ReadingTurn {
            _own: self.readers[index].lock().await,
            _place: self.reading.acquire().await.ok(),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<Loaded>> {
        let mut loaded = self.all();
        let at = loaded.iter().position(|(one, _)| one == key)?;
        let found = loaded.remove(at);
        let one = found.1.clone();
        loaded.push(found);
        Some(one)
    }

    /// Puts one there. The newest stays however large it is; the page needs it.
    pub(super) fn put(&self, key: String, one: Arc<Loaded>) {
        let mut loaded = self.all();
        loaded.retain(|(known, _)| *known != key);
        loaded.push((key, one));
        let room = |loaded: &[(String, Arc<Loaded>)]| -> usize {
            let texts = loaded.iter().map(|(_, one)| one.texts.bytes().len());
            texts.sum()
        };
        while loaded.len() > 1 && room(&loaded) > MOST_BYTES {
            loaded.remove(0);
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<(String, Arc<Loaded>)>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SHA-256 of a text, in hex.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// How long the texts of definitions that are held may be together. A definition that was read takes ten
/// times the room of its text: 25 MB for a real one of 2.7 MB. Several people with one of 4 MB each have room.
const MOST_BYTES: usize = 20 << 20;

const MOST_READ_AT_ONCE: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(length: usize) -> Arc<Loaded> {
        let mut text = "openapi: 3.0.3\n".to_owned();
        text.push_str(&" ".repeat(length));
        let texts = Texts::read("a", text.into_bytes()).unwrap();
        Arc::new(Loaded::read(texts).unwrap())
    }

    #[tokio::test]
    async fn one_person_reads_one_at_a_time_and_leaves_a_place_to_others() {
        let shelf = Shelf::default();
        let blink = std::time::Duration::from_millis(20);
        let anns = shelf.turn("ann").await;
        assert!(
            tokio::time::timeout(blink, shelf.turn("ann"))
                .await
                .is_err()
        );
        let bobs = tokio::time::timeout(blink, shelf.turn("bob")).await;
        assert!(bobs.is_ok());
        assert!(
            tokio::time::timeout(blink, shelf.turn("eve"))
                .await
                .is_err()
        );
        drop(anns);
        assert!(tokio::time::timeout(blink, shelf.turn("ann")).await.is_ok());
    }

    #[test]
    fn real_definitions_of_several_people_have_room_beside_each_other() {
        let shelf = Shelf::default();
        for person in ["ann", "bob", "eve", "joe"] {
            shelf.put(person.to_owned(), loaded(4 << 20));
        }
        assert!(shelf.get("ann").is_some() && shelf.get("bob").is_some());
    }

    #[test]
    fn what_was_not_asked_for_lately_makes_room() {
        let shelf = Shelf::default();
        let third = MOST_BYTES * 2 / 5;
        for name in ["a", "b"] {
            shelf.put(name.to_owned(), loaded(third));
        }
        assert!(shelf.get("a").is_some());
        shelf.put("c".to_owned(), loaded(third));
        assert!(shelf.get("b").is_none() && shelf.get("a").is_some() && shelf.get("c").is_some());
        shelf.put("large".to_owned(), loaded(MOST_BYTES + 1));
        assert!(shelf.get("large").is_some() && shelf.get("a").is_none());
    }
}
