//! A line as bash has it: one text, of which bash wants only the end of a word back.
//!
//! Bash ends words at the characters of `COMP_WORDBREAKS` too, among them `=` and `:`, and replaces only
//! what comes after the last of them. So the line is taken apart here, by the shell's rules for quotes,
//! and a candidate is cut and quoted the way bash needs it.

/// A line up to the cursor.
pub(super) struct Line {
    before: Vec<String>,
    current: String,
    /// The last word as it is typed, with its quotes.
    raw: String,
    open_quote: Option<char>,
}

impl Line {
    /// Takes a line apart. Its first word is the program, which is left out.
    pub(super) fn read(line: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        let (mut word, mut raw) = (String::new(), String::new());
        let mut quote = None;
        let mut escaped = false;
        for c in line.chars() {
            if quote.is_none() && !escaped && c.is_whitespace() {
                if !raw.is_empty() {
                    words.push(std::mem::take(&mut word));
                    raw.clear();
                }
                continue;
            }
            raw.push(c);
            match (c, quote) {
                _ if escaped => {
                    word.push(c);
                    escaped = false;
                }
                ('\\', None | Some('"')) => escaped = true,
                ('\'' | '"', None) => quote = Some(c),
                (_, Some(open)) if c == open => quote = None,
                _ => word.push(c),
            }
        }
        let before = words.into_iter().skip(1).collect();
        Self {
            before,
            current: word,
            raw,
            open_quote: quote,
        }
    }

    /// The words before the last one.
    pub(super) fn before(&self) -> &[String] {
        &self.before
    }

    /// The last word, as far as it is typed.
    pub(super) fn current(&self) -> &str {
        &self.current
    }

    /// What bash puts in place of the end of the last word to make it `candidate`. `None` when what is
    /// typed before that end is something else.
    pub(super) fn rest_of(&self, candidate: &str, is_final: bool, breaks: &str) -> Option<String> {
        if let Some(quote) = self.open_quote {
            // Behind the quote nothing ends a word, and bash closes it itself.
            let (outside, _) = self.raw.rsplit_once(quote)?;
            let kept = Self::read(&format!("x {outside}")).current;
            return strip(candidate, &kept).map(str::to_owned);
        }
        let is_break =
            |c: char| breaks.contains(c) && !c.is_whitespace() && !matches!(c, '"' | '\'');
        let kept = match self.raw.rfind(is_break) {
            Some(at) => {
                let end = at + self.raw[at..].chars().next().map_or(0, char::len_utf8);
                Self::read(&format!("x {}", &self.raw[..end])).current
            }
            None => String::new(),
        };
        let rest = strip(candidate, &kept)?;
        Some(escaped(rest) + if is_final { " " } else { "" })
    }
}

/// `text` without `prefix`, in any case: as many characters are taken away.
fn strip<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let mut rest = text.chars();
    for wanted in prefix.chars() {
        let found = rest.next()?;
        if found != wanted && !found.to_lowercase().eq(wanted.to_lowercase()) {
            return None;
        }
    }
    Some(rest.as_str())
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_alphanumeric() && !"-_./:=,@%+".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const BREAKS: &str = " \t\n\"'@><=;|&(:";

    fn words(line: &str) -> (Vec<String>, String) {
        let line = Line::read(line);
        (line.before.clone(), line.current)
    }

    #[test]
    fn a_line_is_taken_apart_like_a_shell_does() {
        let own = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(words("hallpass "), (Vec::new(), String::new()));
        assert_eq!(
            words(r#"hallpass  call a 'b c' "d\"e" f\ g na"#),
            (own(&["call", "a", "b c", "d\"e", "f g"]), "na".to_owned())
        );
        assert_eq!(words("hallpass '' x='a b").0, own(&[""]));
        assert_eq!(words("hallpass '' x='a b").1, "x=a b");
    }

    #[test]
    fn bash_gets_what_comes_after_its_last_break() {
        let rest = |line: &str, candidate: &str| Line::read(line).rest_of(candidate, true, BREAKS);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            rest("hallpass call devicet", "DeviceType1"),
            some("DeviceType1 ")
        );
        assert_eq!(rest("hallpass call A mode=T", "mode=THIN"), some("THIN "));
        assert_eq!(rest("hallpass call A Mode=", "mode=THIN"), some("THIN "));
        assert_eq!(
            rest("hallpass call A name='a b=", "name=a b=c"),
            some("a b=c")
        );
        assert_eq!(rest("hallpass x", "a b"), some("a\\ b "));
        assert_eq!(rest("hallpass a=@d", "a=@dir/x"), some("dir/x "));
        assert_eq!(rest("hallpass a=b", "c=b"), None);
    }
}
