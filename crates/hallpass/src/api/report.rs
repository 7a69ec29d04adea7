//! Problems as a compiler shows them: what, where, the line itself, what to do.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::output::printable;

/// How much of a line is shown around the place: some definitions are one line.
const BEFORE: usize = 60;
const AFTER: usize = 100;

/// A text whose lines can be shown.
pub(super) struct Lines<'a> {
    name: String,
    lines: Vec<&'a str>,
}

/// What is said about one place of a text.
pub(super) struct Said<'a> {
    pub(super) level: Level<'static>,
    pub(super) rule: Option<&'a str>,
    pub(super) message: &'a str,
    pub(super) advice: Option<&'a str>,
    /// Line and column, from 1.
    pub(super) place: (usize, usize),
}

impl<'a> Lines<'a> {
    pub(super) fn new(name: &str, text: &'a str) -> Self {
        Self {
            name: printable(name),
            lines: text.lines().collect(),
        }
    }

    /// The report as text for a terminal.
    pub(super) fn report(&self, said: &Said<'_>, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let (line, column) = said.place;
        let mut title = said.level.clone().primary_title(printable(said.message));
        if let Some(rule) = said.rule {
            title = title.id(rule);
        }
        let mut group = Group::with_title(title);
        let name = self.name.as_str();
        let origin = Origin::path(name).line(line).char_column(column);
        group = if let Some(text) = self.lines.get(line.wrapping_sub(1)) {
            let window = window(text, column);
            let snippet = Snippet::source(window.text)
                .line_start(line)
                .annotation(AnnotationKind::Primary.span(window.span));
            if window.is_cut {
                // The column counts from the beginning of the line, not of what is shown.
                group.element(origin).element(snippet)
            } else {
                group.element(snippet.path(name))
            }
        } else {
            group.element(origin)
        };
        if let Some(advice) = said.advice {
            group = group.element(Level::HELP.message(printable(advice)));
        }
        renderer.render(&[group])
    }
}

/// A line, or a part of a long one.
struct Window {
    text: String,
    /// What is meant in it, in bytes.
    span: Range<usize>,
    is_cut: bool,
}

fn window(line: &str, column: usize) -> Window {
    let column = column.saturating_sub(1);
    let first = if line.chars().count() > BEFORE + AFTER {
        column.saturating_sub(BEFORE)
    } else {
        0
    };
    let mut shown = if first > 0 { "…" } else { "" }.to_owned();
    let mut span = None;
    let mut rest = line.char_indices().skip(first);
    let mut taken = 0;
    for (at, letter) in rest.by_ref() {
        if first + taken == column {
            span = Some(shown.len()..shown.len() + word(&line[at..]));
        }
        // A control character would drive the terminal, and a tab would move the mark.
        shown.push(if letter.is_control() { ' ' } else { letter });
        taken += 1;
        if taken == BEFORE + AFTER {
            break;
        }
    }
    let goes_on = rest.next().is_some();
    let is_cut = goes_on || first > 0;
    if goes_on {
        shown.push('…');
    }
    let end = shown.len();
    let span = span.unwrap_or(end..end);
    Window {
        text: shown,
        span: span.start..span.end.min(end),
        is_cut,
    }
}

/// How long the key or value is that a text begins with, in bytes.
fn word(text: &str) -> usize {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.find(quote).map_or(text.len(), |end| end + 2);
        }
    }
    let end = text.find([':', ',', ' ', '\t', ']', '}']);
    let first = text.chars().next().map_or(0, char::len_utf8);
    end.unwrap_or(text.len()).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_found_in_the_line() {
        let meant = |line: &str, column| {
            let window = window(line, column);
            window.text[window.span].to_owned()
        };
        assert_eq!(meant("  \"ä b\": 1", 3), "\"ä b\"");
        assert_eq!(meant("ä: nullable: true", 4), "nullable");
        assert_eq!(meant("a: [x, y]", 8), "y");
        assert_eq!(meant("{}", 1), "{");
        assert_eq!(meant("short", 99), "");
        assert_eq!(meant("", 1), "");
    }

    #[test]
    fn a_definition_in_one_line_is_cut_around_the_place() {
        let line = format!("{}here: 1{}", "x".repeat(500), "y".repeat(500));
        let Window { text, span, is_cut } = window(&line, 501);
        assert_eq!(&text[span], "here");
        assert!(is_cut);
        assert!(text.starts_with('…') && text.ends_with('…'));
        assert_eq!(text.chars().count(), BEFORE + AFTER + 2);
        let start = window(&line, 1);
        assert!(start.text.starts_with('x') && start.text.ends_with('…'));
        assert_eq!(start.span.start, 0);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let lines = Lines::new("a\u{1b}b", "x: \u{1b}[31m\u{7}");
        let said = Said {
            level: Level::ERROR,
            rule: Some("a-rule"),
            message: "m\u{1b}",
            advice: Some("do\u{7}"),
            place: (1, 4),
        };
        let report = lines.report(&said, false);
        assert!(!report.contains(['\u{1b}', '\u{7}']), "{report:?}");
    }
}
