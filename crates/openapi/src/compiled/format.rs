//! The bytes of a compiled definition: a header, a head, and records that are found by their place.
//!
//! ```text
//! magic (8) · format (4) · length of the head (4) · digest of the head (32) · head · records
//! ```
//!
//! Numbers are little-endian. The head and each record are JSON; a record follows the first half of
//! its digest, so that opening one operation needs no look at all the others, and yet nothing is
//! read that is not as it was written.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use aws_lc_rs::digest::{SHA256, digest};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Distrust;

/// What these bytes are, whatever the file is called.
const MAGIC: [u8; 8] = *b"hallpass";

/// Changed whenever the head or a record changes its meaning.
const FORMAT: u32 = 2;

const HEADER: usize = MAGIC.len() + 4 + 4 + DIGEST;
const DIGEST: usize = 32;

/// How much of its digest stands before a record.
const MARK: usize = 16;

/// The SHA-256 of a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; DIGEST]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut value = [0; DIGEST];
        value.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(value)
    }

    /// The digest that `text`, 64 lower-case hexadecimal digits, writes.
    fn parse(text: &str) -> Option<Self> {
        let mut value = [0; DIGEST];
        if text.len() != 2 * DIGEST || !text.is_ascii() {
            return None;
        }
        for (at, byte) in value.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(value))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("no digest"))
    }
}

/// Where a record is: its place behind the head, and its length without the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span(u32, u32);

/// Collects records.
#[derive(Default)]
pub(super) struct Writer {
    records: Vec<u8>,
}

impl Writer {
    /// Adds a record.
    pub(super) fn add(&mut self, value: &impl Serialize) -> Option<Span> {
        let bytes = serde_json::to_vec(value).ok()?;
        let at = u32::try_from(self.records.len()).ok()?;
        let length = u32::try_from(bytes.len()).ok()?;
        self.records
            .extend_from_slice(&Digest::of(&bytes).0[..MARK]);
        self.records.extend_from_slice(&bytes);
        Some(Span(at, length))
    }

    /// The finished bytes.
    pub(super) fn finish(self, head: &impl Serialize) -> Option<Vec<u8>> {
        let head = serde_json::to_vec(head).ok()?;
        let length = u32::try_from(head.len()).ok()?;
        let header: [&[u8]; 4] = [
            &MAGIC,
            &FORMAT.to_le_bytes(),
            &length.to_le_bytes(),
            &Digest::of(&head).0,
        ];
        Some(
            [&header.concat(), &head, &self.records]
                .map(Vec::as_slice)
                .concat(),
        )
    }
}

/// Where the bytes of a compiled form are; they need not be in memory.
pub trait Bytes: Send + Sync {
    /// The bytes in this range; `None` when there are not so many, or they cannot be read.
    fn range(&self, range: Range<usize>) -> Option<Cow<'_, [u8]>>;
}

impl Bytes for Vec<u8> {
    fn range(&self, range: Range<usize>) -> Option<Cow<'_, [u8]>> {
        self.get(range).map(Cow::Borrowed)
    }
}

/// Reads records.
pub(super) struct Reader {
    bytes: Box<dyn Bytes>,
    /// Where the records begin.
    start: usize,
}

impl Reader {
    /// Checks the header and reads the head.
    pub(super) fn open<H: DeserializeOwned>(bytes: Box<dyn Bytes>) -> Result<(Self, H), Distrust> {
        let magic = bytes.range(0..MAGIC.len()).ok_or(Distrust::Foreign)?;
        if *magic != MAGIC {
            return Err(Distrust::Foreign);
        }
        let header = bytes.range(0..HEADER).ok_or(Distrust::Damaged)?;
        if number(&header, MAGIC.len())? != FORMAT {
            return Err(Distrust::Version);
        }
        let length = number(&header, MAGIC.len() + 4)? as usize;
        let start = HEADER + length;
        let head = bytes.range(HEADER..start).ok_or(Distrust::Damaged)?;
        if Digest::of(&head).0 != header[HEADER - DIGEST..] {
            return Err(Distrust::Damaged);
        }
        // Its digest is right, so what it holds was written by another build.
        let read = serde_json::from_slice(&head).map_err(|_| Distrust::Version)?;
        drop((magic, header, head));
        Ok((Self { bytes, start }, read))
    }

    /// One record.
    pub(super) fn get<R: DeserializeOwned>(&self, span: Span) -> Result<R, Distrust> {
        let record = || {
            let at = self.start.checked_add(span.0 as usize)?;
            let end = at.checked_add(MARK)?.checked_add(span.1 as usize)?;
            self.bytes.range(at..end)
        };
        let record = record().ok_or(Distrust::Damaged)?;
        let (mark, bytes) = record.split_at_checked(MARK).ok_or(Distrust::Damaged)?;
        if Digest::of(bytes).0[..MARK] != *mark {
            return Err(Distrust::Damaged);
        }
        serde_json::from_slice(bytes).map_err(|_| Distrust::Version)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "records from byte {}", self.start)
    }
}

fn number(bytes: &[u8], at: usize) -> Result<u32, Distrust> {
    let bytes = bytes.get(at..at + 4).ok_or(Distrust::Damaged)?;
    Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_written_and_read_in_hexadecimal() {
        let digest = Digest::of(b"abc");
        let text = digest.to_string();
        assert_eq!(
            text,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(Digest::parse(&text), Some(digest));
        for wrong in [
            "",
            "ba",
            &text[1..],
            &text.replace('f', "g"),
            &"ä".repeat(32),
        ] {
            assert_eq!(Digest::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_record_that_is_not_as_it_was_written_is_refused() {
        let mut writer = Writer::default();
        let one = writer.add(&"one").unwrap();
        let two = writer.add(&"two").unwrap();
        let bytes = writer.finish(&()).unwrap();
        let open = |bytes: Vec<u8>| Reader::open::<()>(Box::new(bytes)).map(|(reader, ())| reader);
        let reader = open(bytes.clone()).unwrap();
        assert_eq!(reader.get::<String>(two).unwrap(), "two");
        assert_eq!(reader.get::<String>(Span(9, 9)), Err(Distrust::Damaged));
        assert_eq!(
            reader.get::<String>(Span(u32::MAX, 9)),
            Err(Distrust::Damaged)
        );

        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let reader = open(flipped).unwrap();
        assert_eq!(reader.get::<String>(two), Err(Distrust::Damaged));
        assert_eq!(reader.get::<String>(one).unwrap(), "one");

        let mut other = bytes;
        other[MAGIC.len()] ^= 1;
        assert_eq!(open(other).unwrap_err(), Distrust::Version);
    }
}
