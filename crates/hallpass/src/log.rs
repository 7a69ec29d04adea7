//! The log: words on stderr, as text for people or as JSON for machines.
//!
//! Other people's crates say no more than warnings, whatever is asked for: what they tell at `debug`
//! and `trace` can be whole requests, with the secrets in them. In text, control characters are
//! escaped wherever they come from, so that no request can write a line of its own or play with the
//! terminal of whoever reads.

use std::error::Error;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Level, Metadata};
use tracing_subscriber::field::{MakeVisitor, RecordFields, VisitFmt, VisitOutput};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::output;

/// Starts the log. `HALLPASS_LOG` takes the usual directives (`debug`, `hallpass_store=trace`),
/// `HALLPASS_LOG_FORMAT` is `text` or `json`.
pub(crate) fn start(server: bool) {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let usual = if server { "info" } else { "warn" };
    let filter = variable("HALLPASS_LOG").unwrap_or_else(|| usual.to_owned());
    let format = variable("HALLPASS_LOG_FORMAT").unwrap_or_else(|| TEXT.to_owned());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    let lines = if format == JSON {
        let lines = lines.json().flatten_event(true).with_current_span(false);
        lines.with_ansi(false).boxed()
    } else {
        let lines = lines.with_ansi(output::colour_on_stderr());
        lines.fmt_fields(Escaped).boxed()
    };
    tracing_subscriber::registry()
        .with(EnvFilter::new(filter))
        .with(filter_fn(may_be_said))
        .with(lines)
        .init();
    if ![TEXT, JSON].contains(&&*format) {
        tracing::warn!("HALLPASS_LOG_FORMAT is neither `text` nor `json`: the log is text");
    }
}

const TEXT: &str = "text";
const JSON: &str = "json";

fn may_be_said(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("hallpass") || *metadata.level() <= Level::WARN
}

/// Fields as text in which every control character is escaped.
struct Escaped;

impl<'a> MakeVisitor<Writer<'a>> for Escaped {
    type Visitor = EscapedFields<'a>;

    fn make_visitor(&self, writer: Writer<'a>) -> EscapedFields<'a> {
        EscapedFields {
            writer,
            is_first: true,
            outcome: Ok(()),
        }
    }
}

struct EscapedFields<'a> {
    writer: Writer<'a>,
    is_first: bool,
    outcome: fmt::Result,
}

impl EscapedFields<'_> {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) -> fmt::Result {
        if !std::mem::take(&mut self.is_first) {
            self.writer.write_char(' ')?;
        }
        let mut writer = EscapingWriter(&mut self.writer);
        match field.name() {
            "message" => writer.write_fmt(value),
            name => write!(writer, "{name}={value}"),
        }
    }
}

impl Visit for EscapedFields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.outcome.is_ok() {
            self.outcome = self.write(field, format_args!("{value:?}"));
        }
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        if self.outcome.is_ok() {
            self.outcome = self.write(field, format_args!("{}", Chain(error)));
        }
    }
}

impl VisitOutput<fmt::Result> for EscapedFields<'_> {
    fn finish(self) -> fmt::Result {
        self.outcome
    }

    fn visit<R: RecordFields>(mut self, fields: &R) -> fmt::Result {
        fields.record(&mut self);
        self.finish()
    }
}

impl VisitFmt for EscapedFields<'_> {
    fn writer(&mut self) -> &mut dyn fmt::Write {
        &mut self.writer
    }
}

/// An error and everything that it comes from.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        std::iter::successors(self.0.source(), |error: &&(dyn Error + 'static)| {
            (*error).source()
        })
        .try_for_each(|error| write!(f, ": {error}"))
    }
}

/// Lets through what a terminal shows and nothing that it obeys.
struct EscapingWriter<'a, W>(&'a mut W);

impl<W: fmt::Write> fmt::Write for EscapingWriter<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // Nearly always; no character has to be looked at by itself.
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return self.0.write_str(text);
        }
        let mut rest = text;
        while let Some(place) = rest.find(is_obeyed) {
            self.0.write_str(&rest[..place])?;
            let mut from = rest[place..].chars();
            if let Some(character) = from.next() {
                write!(self.0, "{}", character.escape_unicode())?;
            }
            rest = from.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Control characters (the newline too), and the marks that end a line or turn text around.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    fn logged(say: impl FnOnce()) -> String {
        let lines = Lines::default();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(lines.clone())
            .without_time()
            .fmt_fields(Escaped);
        let subscriber = tracing_subscriber::registry()
            .with(filter_fn(may_be_said))
            .with(layer.with_ansi(false));
        tracing::subscriber::with_default(subscriber, say);
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer\nwords")]
    struct Outer(#[source] io::Error);

    /// Audit statement 43.
    #[test]
    fn audit_43_nobody_writes_a_line_of_their_own() {
        let hostile = "a\nERROR forged\r\u{1b}[2J\u{9b}\u{7}\u{2028}\u{202e}é";
        let text = logged(|| {
            let _span = tracing::error_span!("span", shown = %hostile).entered();
            let error = Outer(io::Error::other(hostile));
            let error: &(dyn Error + 'static) = &error;
            tracing::info!(error, text = hostile, shown = %hostile, "{hostile}");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        let line = text.strip_suffix('\n').unwrap();
        assert!(!line.contains(is_obeyed), "{line:?}");
        let shown = "a\\u{a}ERROR forged\\u{d}\\u{1b}[2J\\u{9b}\\u{7}\\u{2028}\\u{202e}é";
        assert_eq!(line.matches(shown).count(), 4, "{line}");
        assert!(
            line.contains(&format!("error=outer\\u{{a}}words: {shown}")),
            "{line}"
        );
    }

    #[test]
    fn other_crates_say_warnings_and_no_more() {
        let text = logged(|| {
            tracing::debug!(target: "sqlx::query", "theirs");
            tracing::info!(target: "hyper", "theirs");
            tracing::trace!(target: "hallpass_store", "ours");
            tracing::warn!(target: "rustls", "ours to know");
        });
        assert!(!text.contains("theirs"), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
