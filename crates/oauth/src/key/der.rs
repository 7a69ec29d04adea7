//! As much of DER (X.690) as is needed to say what a private key is before the cryptographic
//! library, which only says yes or no, is asked.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// Reads one element after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The only element of `bytes`, which has to be a sequence.
    pub(super) fn only_sequence(bytes: &'a [u8]) -> Option<Self> {
        let mut outer = Self(bytes);
        let content = outer.expect(SEQUENCE)?;
        outer.0.is_empty().then_some(Self(content))
    }

    /// The content of the next element, if it has that tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() != Some(&tag) {
            return None;
        }
        let (length, header) = self.length()?;
        let end = header.checked_add(length)?;
        let content = self.0.get(header..end)?;
        self.0 = &self.0[end..];
        Some(content)
    }

    /// What was not read yet.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The next element, which has to be a number that is not negative, without leading zeros.
    pub(super) fn unsigned(&mut self) -> Option<&'a [u8]> {
        let content = self.expect(INTEGER)?;
        match content {
            [] => None,
            [first, ..] if first & 0x80 != 0 => None,
            [0, rest @ ..] => Some(rest),
            _ => Some(content),
        }
    }

    /// The length of the next element's content and of what stands before it.
    fn length(self) -> Option<(usize, usize)> {
        match *self.0.get(1)? {
            short @ 0..=0x7f => Some((usize::from(short), 2)),
            // Up to three length bytes: 16 MiB, more than any key file that is read.
            long @ 0x81..=0x83 => {
                let end = 2 + usize::from(long & 0x7f);
                let bytes = self.0.get(2..end)?;
                let length = bytes
                    .iter()
                    .fold(0, |sum, &byte| sum << 8 | usize::from(byte));
                Some((length, end))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_after_the_other_and_never_beyond_the_end() {
        let bytes = [0x30, 0x07, 0x02, 0x02, 0x00, 0xff, 0x04, 0x01, 0x09];
        let mut inner = Reader::only_sequence(&bytes).unwrap();
        assert_eq!(inner.unsigned(), Some(&[0xff][..]));
        assert_eq!(inner.expect(INTEGER), None, "the next is an octet string");
        assert_eq!(inner.expect(OCTET_STRING), Some(&[9][..]));
        assert_eq!(inner.expect(OCTET_STRING), None);
        for cut in 0..bytes.len() {
            assert!(
                Reader::only_sequence(&bytes[..cut]).is_none(),
                "cut at {cut}"
            );
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert!(
            Reader::only_sequence(&longer).is_none(),
            "something follows"
        );
        assert!(
            Reader::new(&[0x02, 0x01, 0x80]).unsigned().is_none(),
            "a negative number"
        );
    }

    #[test]
    fn long_lengths_are_read() {
        let mut bytes = vec![0x04, 0x82, 0x01, 0x00];
        bytes.extend([7; 256]);
        assert_eq!(
            Reader::new(&bytes).expect(OCTET_STRING).map(<[u8]>::len),
            Some(256)
        );
        assert!(Reader::new(&[0x04, 0x80]).expect(OCTET_STRING).is_none());
        assert!(
            Reader::new(&[0x04, 0x88, 255, 255, 255, 255, 255, 255, 255, 255])
                .expect(OCTET_STRING)
                .is_none()
        );
    }
}
