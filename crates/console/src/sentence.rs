//! Messages of other rooms as a page says them. There they are parts of something longer, for terminals
//! and programs: they begin small, end without a stop, and mark what was typed with back-ticks.

use std::fmt::Display;

/// A whole sentence, with quotation marks.
pub(crate) fn sentence(message: &dyn Display) -> String {
    let mut text = String::new();
    let mut quoted = false;
    for letter in message.to_string().chars() {
        match letter {
            '`' => {
                text.push(if quoted { '”' } else { '“' });
                quoted = !quoted;
            }
            letter if text.is_empty() => text.extend(letter.to_uppercase()),
            letter => text.push(letter),
        }
    }
    if !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_becomes_a_sentence() {
        for (message, said) in [
            (
                "a role named `Backup` exists",
                "A role named “Backup” exists.",
            ),
            ("`Lab` manages `Roof`", "“Lab” manages “Roof”."),
            ("Type it again.", "Type it again."),
            ("", "."),
        ] {
            assert_eq!(sentence(&message), said);
        }
    }
}
