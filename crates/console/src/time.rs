//! A time as pages show it: to the minute and in UTC, with the exact one for programs beside it.

use std::fmt;

use jiff::Timestamp;

/// A time, for a template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown(pub(crate) Timestamp);

impl Shown {
    /// RFC 3339, for the attribute `datetime`.
    pub(crate) fn exact(self) -> String {
        format!("{:.0}", self.0)
    }

    /// The day alone, where that is enough.
    pub(crate) fn day(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m-%d %H:%M UTC").fmt(f)
    }
}
