//! Follows the requests of a connection on their way to hyper: where each head begins and ends, and
//! how long its body is by its own account.
//!
//! hyper does not tell that a head has begun (its timer runs in the silence between two requests
//! too), nor that one had both Content-Length and Transfer-Encoding (it drops the former). Chunks
//! are not followed: after a chunked request nothing more is known, and the connection has to end
//! with its answer. Whether a head is well formed is left to hyper, which reads every byte as well.

use std::collections::VecDeque;

/// As much of a line as is looked at. A length that stands behind more than that is unknown.
const LONGEST_LINE: usize = 128;

/// Where in its requests a connection is.
#[derive(Debug)]
pub(super) struct Heads {
    place: Place,
    /// The beginning of the line that is being read.
    line: Vec<u8>,
    /// What the head that is being read says so far; nothing before its first line.
    head: Option<Framing>,
    /// What the heads said that hyper has not handed out yet, the oldest first.
    ended: VecDeque<Framing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In a head, or between two requests.
    Head,
    /// In a body of which so many bytes are missing.
    Body(u64),
    /// Nobody knows.
    Lost,
}

/// How a request says that its body ends (RFC 9112 section 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Framing {
    length: Option<Length>,
    chunked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Bytes(u64),
    /// None, or several that differ; hyper refuses those.
    Unclear,
}

impl Framing {
    /// Whether the end of the body is not followed here, so that what comes behind it is not either.
    pub(super) fn is_lost(self) -> bool {
        self.chunked || self.length == Some(Length::Unclear)
    }

    /// Whether two servers could see two different ends: how requests are smuggled past guards
    /// (RFC 9112 section 6.1).
    pub(super) fn is_contradictory(self) -> bool {
        self.chunked && self.length.is_some()
    }

    fn note(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.chunked = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let length = read_length(value);
            self.length = Some(match self.length {
                Some(known) if known != length => Length::Unclear,
                _ => length,
            });
        }
    }
}

impl Heads {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Head,
            line: Vec::new(),
            head: None,
            ended: VecDeque::new(),
        }
    }

    /// Takes note of bytes that hyper is about to get.
    pub(super) fn seen(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Head => self.line(bytes),
                Place::Body(left) => self.body(left, bytes),
                Place::Lost => return,
            };
        }
    }

    /// What the next request said that hyper hands out.
    pub(super) fn next(&mut self) -> Framing {
        self.ended.pop_front().unwrap_or_default()
    }

    /// Whether a head has begun and not ended.
    pub(super) fn in_head(&self) -> bool {
        self.place == Place::Head && (self.head.is_some() || !self.line.is_empty())
    }

    /// Whether more of a request may still come.
    pub(super) fn in_message(&self) -> bool {
        self.place != Place::Head || self.in_head()
    }

    fn line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let room = LONGEST_LINE - self.line.len();
        self.line.extend_from_slice(&part[..part.len().min(room)]);
        let Some(end) = end else {
            return &[];
        };
        let mut line = std::mem::take(&mut self.line);
        self.line_ended(line.strip_suffix(b"\r").unwrap_or(&line));
        line.clear();
        self.line = line;
        &bytes[end + 1..]
    }

    fn line_ended(&mut self, line: &[u8]) {
        match (&mut self.head, line.is_empty()) {
            // Empty lines before a request are passed over (RFC 9112 section 2.2).
            (None, true) => {}
            (None, false) => self.head = Some(Framing::default()),
            (Some(framing), false) => framing.note(line),
            (Some(framing), true) => {
                self.place = match (framing.chunked, framing.length) {
                    (false, None | Some(Length::Bytes(0))) => Place::Head,
                    (false, Some(Length::Bytes(length))) => Place::Body(length),
                    (true, _) | (false, Some(Length::Unclear)) => Place::Lost,
                };
                self.ended.push_back(*framing);
                self.head = None;
            }
        }
    }

    fn body<'a>(&mut self, left: u64, bytes: &'a [u8]) -> &'a [u8] {
        let here = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        self.place = match left - here as u64 {
            0 => Place::Head,
            left => Place::Body(left),
        };
        &bytes[here..]
    }
}

fn read_length(value: &[u8]) -> Length {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Length::Unclear;
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .map_or(Length::Unclear, Length::Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(text: &str) -> Heads {
        let mut heads = Heads::new();
        heads.seen(text.as_bytes());
        heads
    }

    #[test]
    fn requests_are_told_apart_by_their_lengths() {
        let mut heads = after("\r\nPOST / HTTP/1.1\r\ncontent-LENGTH:  5 \r\n\r\nabcd");
        assert!(heads.in_message() && !heads.in_head());
        assert_eq!(heads.next().length, Some(Length::Bytes(5)));
        let mut heads = after(
            "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\nTransfer-Encoding: chunked\n\n",
        );
        assert_eq!(heads.next(), Framing::default());
        assert!(heads.next().is_lost());
        assert_eq!(heads.place, Place::Lost);
    }

    #[test]
    fn both_framings_in_any_order_are_contradictory() {
        let length = "Content-Length: 3\r\n";
        let chunked = "Transfer-Encoding: chunked\r\n";
        for fields in [[length, chunked], [chunked, length]] {
            let mut heads = after(&format!("POST / HTTP/1.1\r\n{}\r\n", fields.concat()));
            assert!(heads.next().is_contradictory());
        }
        for one in [length, chunked] {
            let mut heads = after(&format!("POST / HTTP/1.1\r\n{one}\r\n"));
            assert!(!heads.next().is_contradictory());
        }
    }

    #[test]
    fn a_body_is_not_taken_for_a_head() {
        let body = "Transfer-Encoding: chunked\r\n\r\n";
        let length = body.len();
        let mut heads = after(&format!(
            "POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}GET / HTTP/1.1\r\n"
        ));
        assert!(!heads.next().is_lost());
        assert!(heads.in_head() && heads.ended.is_empty());
    }

    #[test]
    fn a_length_that_is_none_ends_the_following() {
        for value in ["", "-1", "5, 5", "0x5", "99999999999999999999"] {
            let heads = after(&format!(
                "POST / HTTP/1.1\r\nContent-Length: {value}\r\n\r\nxyz"
            ));
            assert_eq!(heads.place, Place::Lost, "{value}");
        }
        let twice = "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(after(twice).place, Place::Lost);
    }

    #[test]
    fn a_head_begins_with_its_first_byte_and_ends_with_its_empty_line() {
        assert!(!after("").in_head());
        assert!(after("G").in_head());
        assert!(after("GET / HTTP/1.1\r\n").in_head());
        assert!(!after("GET / HTTP/1.1\r\n\r\n").in_head());
        assert!(!after("GET / HTTP/1.1\r\n\r\n").in_message());
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_are_cut(cuts in proptest::collection::vec(1usize..40, 1..20)) {
            let text = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nContent-Leng\
                        PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n0\r\n\r\n";
            let mut heads = Heads::new();
            let mut rest = text.as_bytes();
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                heads.seen(now);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(heads.next(), Framing { length: Some(Length::Bytes(12)), chunked: false });
            prop_assert!(heads.next().is_contradictory());
            prop_assert!(heads.ended.is_empty());
        }
    }
}
