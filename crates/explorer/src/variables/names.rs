//! Where `{{names}}` stand in a text.

/// The names that stand in a text, trimmed, in order, as often as they stand there.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    cut(text).into_iter().filter_map(|part| match part {
        Part::Name { name, .. } => Some(name),
        Part::Text(_) => None,
    })
}

/// Whether a text is nothing but `{{names}}`, so that it may be shared.
pub(crate) fn are_names(text: &str) -> bool {
    let parts = cut(text.trim());
    let is_name = |part: &Part<'_>| matches!(part, Part::Name { .. });
    !parts.is_empty() && parts.iter().all(is_name)
}

/// A part of a text.
pub(crate) enum Part<'a> {
    /// What was typed.
    Text(&'a str),
    /// A name, and how it stands there.
    Name { name: &'a str, typed: &'a str },
}

/// Cuts a text into names and what stands between. Of `{{{a}}}` the inner braces count.
pub(crate) fn cut(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while let Some(found) = text[at..].find("{{") {
        let mut open = at + found;
        while text[open + 2..].starts_with('{') {
            open += 1;
        }
        let inside = &text[open + 2..];
        let end = inside
            .char_indices()
            .take(LONGEST_NAME + 20)
            .find(|(_, letter)| matches!(letter, '{' | '}') || letter.is_control());
        at = open + 2;
        let Some((length, '}')) = end else { continue };
        let name = inside[..length].trim();
        if !inside[length..].starts_with("}}") || !could_be_name(name) {
            continue;
        }
        if begin < open {
            parts.push(Part::Text(&text[begin..open]));
        }
        at = open + length + 4;
        parts.push(Part::Name {
            name,
            typed: &text[open..at],
        });
        begin = at;
    }
    if begin < text.len() {
        parts.push(Part::Text(&text[begin..]));
    }
    parts
}

/// Whether somebody may have meant a name. JSON has quotes where names have none.
fn could_be_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains(['"', '\''])
}

/// The longest name.
const LONGEST_NAME: usize = 100;
