//! Passwords that everybody tries first: rows of the keyboard, repeated words, words about passwords,
//! seasons and years, the names of the product and of what it is used with. The list was made for this
//! project from common knowledge; nobody is asked over the network about what was typed.
//!
//! Capitals do not count, and neither do digits at the end: `Password2026` is `password`.

/// One per line, in lower case, without digits at the end.
const LIST: &str = include_str!("common.txt");

/// Whether it is on the list, or one character over and over.
pub(super) fn contains(password: &str) -> bool {
    let folded = password.trim().to_lowercase();
    let mut characters = folded.chars();
    let first = characters.next();
    if characters.all(|character| Some(character) == first) {
        return true;
    }
    let base = folded.trim_end_matches(|c: char| c.is_ascii_digit());
    let base = if base.is_empty() { &folded } else { base };
    LIST.lines().any(|known| known == base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_digits_at_the_end_do_not_help() {
        for text in [
            "passwordpassword",
            "PasswordPassword",
            "PassWord1234567",
            " Password2026 ",
            "123456789012",
            "1qaz2wsx3edc",
            "Greenlake2025",
            "qwertyuiopasdfgh",
            "HewlettPackard1",
            "aaaaaaaaaaaaa",
            "            ",
        ] {
            assert!(contains(text), "{text}");
        }
    }

    #[test]
    fn a_few_unrelated_words_are_fine() {
        for text in [
            "correct horse battery",
            "tin lamp orbit",
            "passwords are dull things",
            "928374650192",
            "password in the middle1",
        ] {
            assert!(!contains(text), "{text}");
        }
    }

    /// A line that is not folded could never be found.
    #[test]
    fn every_line_is_found_as_it_stands() {
        let mut lines: Vec<&str> = LIST.lines().collect();
        assert!(lines.len() > 1000);
        assert!(lines.iter().all(|line| contains(line)));
        let count = lines.len();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), count, "no line stands there twice");
    }
}
