//! Faults that the server was told to make: which calls they are for, and to which of those they happen.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass_openapi::{Definition, Operation};
use http::Method;

use super::grammar::{Fault, FaultError, When, Writer, parse};

/// A rule as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    /// The id of an operation, or a path with `*` for anything, or a method and such a path; every call
    /// when it is empty.
    pub on: String,
    /// The faults, as `Hallpass-Fault` takes them.
    pub faults: String,
}

/// A rule, with the calls it has met.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: u64,
    pub(super) written: FaultRule,
    on: On,
    pub(super) faults: Vec<Fault>,
    met: AtomicU64,
}

#[derive(Debug)]
enum On {
    Every,
    Operation(String),
    Path(Option<Method>, String),
}

impl FaultRule {
    /// Checks what can be checked without a definition.
    pub fn check(&self) -> Result<(), FaultError> {
        parse(&self.faults, Writer::Server).map(drop)
    }
}

impl Rule {
    pub(super) fn read(
        id: u64,
        written: FaultRule,
        definition: &Definition,
    ) -> Result<Self, FaultError> {
        Ok(Self {
            id,
            on: On::read(written.on.trim(), definition)?,
            faults: parse(&written.faults, Writer::Server)?,
            written,
            met: AtomicU64::new(0),
        })
    }

    /// Which call of those it is for this one is, from 1 on; nothing for the others.
    pub(super) fn meets(&self, operation: &Operation, method: &Method, path: &str) -> Option<u64> {
        self.on
            .matches(operation, method, path)
            .then(|| self.met.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// How many calls it has met.
    pub(super) fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }
}

impl On {
    fn read(text: &str, definition: &Definition) -> Result<Self, FaultError> {
        if text.is_empty() {
            return Ok(Self::Every);
        }
        if text.starts_with('/') {
            return Ok(Self::Path(None, text.to_owned()));
        }
        if let Some((method, path)) = text.split_once(' ')
            && let Ok(method) = method.parse()
            && path.trim_start().starts_with('/')
        {
            return Ok(Self::Path(Some(method), path.trim_start().to_owned()));
        }
        let known = |operation: &Operation| operation.id() == text;
        if definition.operations().iter().any(known) {
            return Ok(Self::Operation(text.to_owned()));
        }
        Err(FaultError::UnknownOperation(
            text.chars().filter(|c| !c.is_control()).take(60).collect(),
        ))
    }

    fn matches(&self, operation: &Operation, method: &Method, path: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Operation(id) => operation.id() == id,
            Self::Path(only, pattern) => {
                only.as_ref().is_none_or(|only| only == method) && is_like(path, pattern)
            }
        }
    }
}

impl When {
    /// Whether it happens to the call with these places, both counted from 1: among those of its token,
    /// and among those of its rule.
    pub(super) fn happens(&self, of_token: u64, of_rule: u64, luck: impl Fn() -> f64) -> bool {
        let times = self.times.map_or(u64::MAX, NonZeroU64::get);
        of_token > self.after
            && of_token - self.after <= times
            && self
                .every
                .is_none_or(|every| of_rule.is_multiple_of(every.get()))
            && self.chance.is_none_or(|chance| luck() < chance)
    }

    /// Whether the calls of each token are counted for it.
    pub(super) fn counts_tokens(&self) -> bool {
        self.after > 0 || self.times.is_some()
    }
}

/// Whether a path is like a pattern, in which `*` stands for anything.
fn is_like(path: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return path == pattern;
    };
    let Some(mut path) = path.strip_prefix(start) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = path.find(piece) else {
            return false;
        };
        path = &path[at + piece.len()..];
    }
    path.ends_with(end)
}

/// A number from 0 to 1 that follows from its arguments alone, so that two runs have the same luck
/// (the mixing steps of SplitMix64).
pub(super) fn luck(seed: u64, rule: u64, fault: u64, call: u64) -> f64 {
    let mix = |state: u64, word: u64| {
        let mut mixed = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mixed = [rule, fault, call].into_iter().fold(mix(0, seed), mix);
    let high = u32::try_from(mixed >> 32).unwrap_or(u32::MAX);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (path, pattern, like) in [
            ("/api/v1/volumes", "/api/v1/volumes", true),
            ("/api/v1/volumes/x", "/api/v1/volumes", false),
            ("/api/v1/volumes/x", "/api/v1/volumes*", true),
            ("/api/v1/a/b/c", "/api/*/b/*", true),
            ("/api/v1/a/b", "/api/*/b/*", false),
            ("/a/b/b", "/a*/b", true),
            ("/a/b", "*", true),
            ("/ab", "/ab*b", false),
        ] {
            assert_eq!(is_like(path, pattern), like, "{path} {pattern}");
        }
    }

    #[test]
    fn it_happens_after_some_and_so_many_times() {
        let when = |text: &str| {
            let fault = parse(&format!("drop;{text}"), Writer::Server).unwrap();
            let when = &fault[0].when;
            (1..=8)
                .filter(|call| when.happens(*call, *call, || 0.4))
                .collect::<Vec<u64>>()
        };
        assert_eq!(when("after=6"), [7, 8]);
        assert_eq!(when("times=2"), [1, 2]);
        assert_eq!(when("after=3;times=2"), [4, 5]);
        assert_eq!(when("every=3"), [3, 6]);
        assert_eq!(when("every=2;after=4"), [6, 8]);
        assert_eq!(when("chance=0.3"), [0_u64; 0]);
        assert_eq!(when("chance=0.5;times=1"), [1]);
    }

    #[test]
    fn luck_follows_the_seed_and_is_spread_evenly() {
        let drawn = |seed| -> Vec<f64> { (0..2000).map(|call| luck(seed, 1, 0, call)).collect() };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert_ne!(luck(7, 1, 0, 3).to_bits(), luck(7, 1, 1, 3).to_bits());
        for tenth in 1..10 {
            let bound = f64::from(tenth) / 10.0;
            let below = drawn(7).iter().filter(|luck| **luck < bound).count();
            let wanted = usize::try_from(tenth * 200).unwrap();
            assert!(below.abs_diff(wanted) < 100, "{bound}: {below}");
        }
    }
}
