//! Text that came from another machine, made fit for an error or an event: short, one line, and
//! without a secret that the other side echoed.

/// The first line with something in it, without control characters, at most [`LONGEST`] characters
/// long, and with every one of `secrets` blotted out.
pub(crate) fn first_line(text: &str, secrets: &[&str]) -> String {
    let text = without(text, secrets);
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let mut shown: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect();
    if line.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

fn without(text: &str, secrets: &[&str]) -> String {
    secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| {
            text.replace(secret, "[redacted]")
        })
}

/// Longest excerpt of a foreign text, in characters.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excerpt_is_one_short_line_without_secrets() {
        assert_eq!(
            first_line("\n  a\u{1b}[2Jb planted \nc", &["", "planted"]),
            "a[2Jb [redacted]"
        );
        let long = first_line(&"ä".repeat(500), &[]);
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert_eq!(first_line("", &[]), "");
    }

    #[test]
    fn a_secret_is_blotted_out_before_the_line_is_cut() {
        let text = format!("{}planted", "x".repeat(LONGEST - 3));
        assert!(!first_line(&text, &["planted"]).contains("pla"));
    }
}
