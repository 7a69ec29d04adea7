//! The texts of a definition, for people: a little of Markdown, and nothing of HTML.
//!
//! Known are paragraphs, lists, headings, code between backticks and in fences, and bold text. All
//! else stands as it was written. No link is made: a text from outside must not lead anywhere.

use askama::Template;

/// A text, read.
#[derive(Debug, Template)]
#[template(path = "documentation/prose.html")]
pub(super) struct Prose {
    blocks: Vec<Block>,
}

#[derive(Debug, PartialEq, Eq)]
enum Block {
    Paragraph(Vec<Span>),
    Heading(Vec<Span>),
    List(Vec<Vec<Span>>),
    Code(String),
}

#[derive(Debug, PartialEq, Eq)]
enum Span {
    Text(String),
    Code(String),
    Strong(String),
}

impl Prose {
    pub(super) fn read(text: &str) -> Self {
        let mut blocks = Vec::new();
        let mut lines = text.lines();
        let mut open = Open::default();
        while let Some(line) = lines.next() {
            let trimmed = line.trim();
            if trimmed.starts_with("```") {
                open.close(&mut blocks);
                let code = lines
                    .by_ref()
                    .take_while(|line| !line.trim().starts_with("```"));
                blocks.push(Block::Code(code.collect::<Vec<_>>().join("\n")));
            } else if trimmed.is_empty() {
                open.close(&mut blocks);
            } else if let Some(heading) = heading(trimmed) {
                open.close(&mut blocks);
                blocks.push(Block::Heading(spans(heading)));
            } else if let Some(item) = item(trimmed) {
                open.item(item, &mut blocks);
            } else {
                open.line(trimmed);
            }
        }
        open.close(&mut blocks);
        Self { blocks }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// The paragraph or list that the next line may belong to.
#[derive(Default)]
struct Open {
    items: Vec<String>,
    is_list: bool,
}

impl Open {
    fn item(&mut self, text: &str, blocks: &mut Vec<Block>) {
        if !self.is_list {
            self.close(blocks);
        }
        self.is_list = true;
        self.items.push(text.to_owned());
    }

    fn line(&mut self, text: &str) {
        match self.items.last_mut() {
            Some(last) => {
                last.push(' ');
                last.push_str(text);
            }
            None => self.items.push(text.to_owned()),
        }
    }

    fn close(&mut self, blocks: &mut Vec<Block>) {
        let items = std::mem::take(&mut self.items);
        let is_list = std::mem::take(&mut self.is_list);
        if is_list {
            let items = items.iter().map(|item| spans(item));
            blocks.push(Block::List(items.collect()));
        } else if let Some(text) = items.first() {
            blocks.push(Block::Paragraph(spans(text)));
        }
    }
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    (text.len() < line.len()).then(|| text.strip_prefix(' '))?
}

fn item(line: &str) -> Option<&str> {
    let bullet = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
    bullet.or_else(|| {
        let (number, rest) = line.split_once(". ")?;
        let is_number = !number.is_empty() && number.len() < 4;
        (is_number && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
    })
}

/// Code first: a star inside it is itself.
fn spans(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut parts = text.split('`').peekable();
    let mut is_code = false;
    while let Some(part) = parts.next() {
        // A backtick that is never closed is itself.
        if is_code && parts.peek().is_some() {
            spans.push(Span::Code(part.to_owned()));
        } else if is_code {
            bold(&format!("`{part}"), &mut spans);
        } else {
            bold(part, &mut spans);
        }
        is_code = !is_code;
    }
    spans
}

fn bold(text: &str, spans: &mut Vec<Span>) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("**") {
        let Some((strong, behind)) = after.split_once("**") else {
            break;
        };
        push(before, spans);
        spans.push(Span::Strong(strong.to_owned()));
        rest = behind;
    }
    push(rest, spans);
}

fn push(text: &str, spans: &mut Vec<Span>) {
    if !text.is_empty() {
        spans.push(Span::Text(text.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paragraphs_lists_code_and_bold_text_are_known() {
        let text = "One\ntwo `a*b` **c**.\n\n- first\n  goes on\n- second\n1. third\n# Head\n```\nx <b>\n```\nend `open";
        let html = Prose::read(text).render().unwrap();
        let html = html.replace('\n', "");
        assert_eq!(
            html,
            "<p>One two <code>a*b</code> <strong>c</strong>.</p>\
             <ul><li>first goes on</li><li>second</li><li>third</li></ul>\
             <p><strong>Head</strong></p><pre tabindex=\"0\"><code>x &#60;b&#62;</code></pre>\
             <p>end `open</p>"
        );
    }

    proptest! {
        #[test]
        fn no_text_becomes_a_tag(text in "[<>&a-z`*\n #.1-]{0,60}") {
            let html = Prose::read(&text).render().unwrap();
            let mut rest = html.as_str();
            while let Some(at) = rest.find('<') {
                rest = &rest[at..];
                let known = ["<p>", "</p>", "<ul>", "</ul>", "<li>", "</li>", "<strong>", "</strong>",
                             "<code>", "</code>", "<pre tabindex=\"0\">", "</pre>"];
                prop_assert!(known.iter().any(|tag| rest.starts_with(tag)), "{}", html);
                rest = &rest[1..];
            }
        }
    }
}
