//! Which trace a request belongs to: W3C Trace Context, levels 1 and 2, as far as a server needs it
//! that calls nobody. One id stands in the answer, in the header `x-request-id` and beside whatever
//! is logged; it is the caller's own where the caller sent a good `traceparent`.
//!
//! `tracestate` belongs to those who forward a request; it stays in the header fields, unread.

use std::fmt;

use hallpass_oauth::identifier::hex;
use http::{HeaderMap, HeaderValue};
use rand_core::CryptoRng;

const TRACEPARENT: &str = "traceparent";

/// Length of a `traceparent` of version 00, and of the part that later versions begin with.
const KNOWN_LENGTH: usize = 55;

/// A request's trace, and our part in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
}

/// Names a trace: everything that was done for one cause, by however many servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

/// Names the part of a trace that is this server's work on one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanId([u8; 8]);

impl TraceContext {
    /// Goes on with the trace that the header fields name, or begins one. Fields that are malformed
    /// count as absent (Trace Context section 4.3).
    pub fn of(headers: &HeaderMap, rng: &mut dyn CryptoRng) -> Self {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let named = match (values.next(), values.next()) {
            (Some(value), None) => trace_of(value.as_bytes()),
            _ => None,
        };
        let (fresh, span_id) = not_zero(rng);
        Self {
            trace_id: named.unwrap_or(fresh),
            span_id,
        }
    }

    /// The trace of no request.
    pub(crate) fn new(rng: &mut dyn CryptoRng) -> Self {
        Self::of(&HeaderMap::new(), rng)
    }

    /// The trace: what the caller is told too.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Our part in it.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }
}

impl TraceId {
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_str(&self.to_string()).expect("hexadecimal digits are a header value")
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// A new trace and our part in it, drawn together. All zeros would say that there is none (section
/// 3.2.2.3).
fn not_zero(rng: &mut dyn CryptoRng) -> (TraceId, SpanId) {
    loop {
        let mut bytes = [0; 24];
        rng.fill_bytes(&mut bytes);
        let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
        trace_id.copy_from_slice(&bytes[..16]);
        span_id.copy_from_slice(&bytes[16..]);
        if trace_id != [0; 16] && span_id != [0; 8] {
            return (TraceId(trace_id), SpanId(span_id));
        }
    }
}

/// Reads a `traceparent` (section 3.2): of version 00 to the letter, of a later version the part
/// that all versions have (section 3.2.4).
fn trace_of(value: &[u8]) -> Option<TraceId> {
    let (known, more) = value.split_at_checked(KNOWN_LENGTH)?;
    let [version @ .., b'-'] = &known[..3] else {
        return None;
    };
    let [version] = from_hex::<1>(version)?;
    let fits = match version {
        0 => more.is_empty(),
        0xff => false,
        _ => more.is_empty() || more.starts_with(b"-"),
    };
    if !fits || known[35] != b'-' || known[52] != b'-' {
        return None;
    }
    let trace_id = from_hex::<16>(&known[3..35])?;
    let parent_id = from_hex::<8>(&known[36..52])?;
    from_hex::<1>(&known[53..])?;
    (trace_id != [0; 16] && parent_id != [0; 8]).then_some(TraceId(trace_id))
}

/// Lower case only, as the grammar has it.
fn from_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_oauth::random::SystemRandom;
    use proptest::prelude::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn read(values: &[&str]) -> TraceContext {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, HeaderValue::from_str(value).unwrap());
        }
        TraceContext::of(&headers, &mut SystemRandom)
    }

    #[track_caller]
    fn is_taken_over(value: &str) {
        assert_eq!(read(&[value]).trace_id().to_string(), TRACE, "{value}");
    }

    #[track_caller]
    fn is_ignored(values: &[&str]) {
        let context = read(values);
        assert_ne!(context.trace_id().to_string(), TRACE, "{values:?}");
        assert_eq!(context.trace_id().to_string().len(), 32);
    }

    #[test]
    fn a_good_traceparent_is_gone_on_with() {
        for flags in ["00", "01", "03", "ff"] {
            is_taken_over(&format!("00-{TRACE}-b7ad6b7169203331-{flags}"));
        }
        let ours = read(&[&format!("00-{TRACE}-b7ad6b7169203331-01")]).span_id();
        assert_ne!(ours.to_string(), "b7ad6b7169203331");
    }

    #[test]
    fn later_versions_are_read_as_far_as_they_are_known() {
        is_taken_over(&format!("01-{TRACE}-b7ad6b7169203331-01"));
        is_taken_over(&format!("cc-{TRACE}-b7ad6b7169203331-01-what.comes.later"));
        is_taken_over(&format!("fe-{TRACE}-b7ad6b7169203331-01-"));
        is_ignored(&[&format!("cc-{TRACE}-b7ad6b7169203331-01.what")]);
        is_ignored(&[&format!("ff-{TRACE}-b7ad6b7169203331-01")]);
        is_ignored(&[&format!("00-{TRACE}-b7ad6b7169203331-01-what")]);
        is_ignored(&[&format!("00-{TRACE}-b7ad6b7169203331-01-")]);
    }

    #[test]
    fn malformed_ones_begin_a_new_trace() {
        let upper = TRACE.to_uppercase();
        let good = format!("00-{TRACE}-b7ad6b7169203331-01");
        is_ignored(&[]);
        is_ignored(&[&good, &good]);
        for malformed in [
            String::new(),
            "00".to_owned(),
            format!("00-{upper}-b7ad6b7169203331-01"),
            format!("00-{TRACE}-B7AD6B7169203331-01"),
            format!("0A-{TRACE}-b7ad6b7169203331-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01".to_owned(),
            format!("00-{TRACE}-b7ad6b7169203331-0"),
            format!("00-{TRACE}-b7ad6b7169203331-0x"),
            format!("00_{TRACE}-b7ad6b7169203331-01"),
            format!("00-{TRACE}_b7ad6b7169203331-01"),
            format!("00-{TRACE}-b7ad6b7169203331_01"),
            format!("00-{TRACE}-b7ad6b716920333g-01"),
            format!("0-{TRACE}-b7ad6b7169203331-001"),
            format!(" 00-{TRACE}-b7ad6b7169203331-01"),
        ] {
            is_ignored(&[&malformed]);
        }
    }

    #[test]
    fn every_request_has_a_part_of_its_own() {
        let good = format!("00-{TRACE}-b7ad6b7169203331-01");
        assert_ne!(read(&[&good]).span_id(), read(&[&good]).span_id());
        assert_ne!(read(&[]).trace_id(), read(&[]).trace_id());
    }

    proptest! {
        #[test]
        fn whatever_is_read_was_there(value in proptest::collection::vec(any::<u8>(), 0..70)) {
            prop_assert!(trace_of(&value).is_none());
        }

        #[test]
        fn what_is_printed_is_read(trace in any::<[u8; 16]>(), parent in any::<[u8; 8]>(), flags in any::<u8>()) {
            prop_assume!(trace != [0; 16] && parent != [0; 8]);
            let text = format!("00-{}-{}-{flags:02x}", TraceId(trace), SpanId(parent));
            prop_assert_eq!(trace_of(text.as_bytes()), Some(TraceId(trace)));
        }
    }
}
