//! Entity tags and `If-None-Match` (RFC 9110 sections 8.8.3 and 13.1.2): a client that has an answer
//! already asks whether it is still the same.
//!
//! A tag is made from the bytes of the answer and from nothing else, so it is the same after a restart and
//! differs between two addresses of one object, whose bodies repeat what was asked for.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::FixedState;
use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderValue};

/// The tag of an answer. Strong: equal tags are equal bytes. Whoever could make two answers with one
/// tag could only mislead readers of their own workspace, so it need not withstand that; what it
/// costs is paid by every call.
pub(crate) fn entity_tag(bytes: &[u8]) -> HeaderValue {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(bytes);
    let tag = format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len());
    HeaderValue::try_from(tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether the client has what carries this tag. A header that cannot be read is as good as none: the
/// answer is sent, which is never wrong.
pub(crate) fn has_it(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().any(|header| {
        let known = header.as_bytes().trim_ascii();
        known == b"*" || Tags(known).any(|known| known == tag.as_bytes())
    })
}

/// The opaque tags of a list, quotes included. `W/` is taken off: `If-None-Match` compares weakly
/// (section 13.1.2).
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let skipped = self
            .0
            .iter()
            .position(|byte| !matches!(byte, b',' | b' ' | b'\t'))?;
        let rest = &self.0[skipped..];
        let quoted = rest.strip_prefix(b"W/").unwrap_or(rest);
        let inside = quoted.strip_prefix(b"\"")?;
        // A comma may stand inside the quotes.
        let end = inside.iter().position(|byte| *byte == b'"')? + 2;
        let (tag, rest) = quoted.split_at(end);
        self.0 = rest;
        Some(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn has(header: &str, tag: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, HeaderValue::from_str(header).unwrap());
        has_it(&headers, &HeaderValue::from_str(tag).unwrap())
    }

    #[test]
    fn rfc9110_13_1_2_lists_are_compared_weakly_and_a_star_is_anything() {
        for header in [
            "\"a\"",
            "W/\"a\"",
            "\"b\", \"a\"",
            "\"b\",W/\"a\"",
            "*",
            " * ",
            ",, \"a\" ,",
            "\"x,y\", \"a\"",
        ] {
            assert!(has(header, "\"a\""), "{header}");
        }
        for header in [
            "\"b\"", "a", "\"a", "\"A\"", "w/\"a\"", "\"x\"a\"", "\"*\"", "",
        ] {
            assert!(!has(header, "\"a\""), "{header}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(IF_NONE_MATCH, HeaderValue::from_static("\"a\""));
        headers.append(IF_NONE_MATCH, HeaderValue::from_static("\"b\""));
        assert!(has_it(&headers, &HeaderValue::from_static("\"b\"")));
        assert!(!has_it(
            &HeaderMap::new(),
            &HeaderValue::from_static("\"b\"")
        ));
    }

    #[test]
    fn a_tag_follows_the_bytes() {
        assert_eq!(entity_tag(b"{}"), entity_tag(b"{}"));
        assert_ne!(entity_tag(b"{}"), entity_tag(b"[]"));
        let tag = entity_tag(b"{}");
        assert!(has(tag.to_str().unwrap(), tag.to_str().unwrap()));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_end_or_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(Tags(&bytes).count() <= bytes.len());
        }

        #[test]
        fn every_tag_of_a_list_is_found(tags in prop::collection::vec("[!#-~]{0,8}", 1..6)) {
            let list: Vec<String> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
            for tag in &list {
                prop_assert!(has(&list.join(", "), tag));
            }
        }
    }
}
