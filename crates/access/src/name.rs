//! Names that people give: to roles, workspaces, application instances, credentials, and in a way to
//! people, by whose addresses they are known. The one rule about what may stand in any of them.
//!
//! A name is read by people, in lists that decide who may do what. So it holds nothing that is not shown:
//! control characters, ends of lines, and format characters, among them those that turn the direction of
//! writing round. They make one name look like another (Unicode Technical Report 36, section 2.10).

/// Why a text is no name. The words go on after "the name of a workspace", or whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// There is nothing in it but blanks.
    #[error("is empty")]
    Empty,
    /// It has more characters than that.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// It has this character, which is not shown.
    #[error("has the character U+{:04X}, which is not shown", u32::from(*.0))]
    Unseen(char),
}

/// A name as it was typed, without blanks around it.
pub fn name(typed: &str, longest: usize) -> Result<String, BadName> {
    let name = text(typed, longest)?;
    if name.is_empty() {
        return Err(BadName::Empty);
    }
    Ok(name)
}

/// The same where nothing at all may stand too.
pub fn text(typed: &str, longest: usize) -> Result<String, BadName> {
    let text = typed.trim();
    seen(text)?;
    if text.chars().count() > longest {
        return Err(BadName::TooLong(longest));
    }
    Ok(text.to_owned())
}

/// Whether everything in a text is shown.
pub fn seen(text: &str) -> Result<(), BadName> {
    match text.chars().find(|&character| is_unseen(character)) {
        Some(character) => Err(BadName::Unseen(character)),
        None => Ok(()),
    }
}

/// Control characters, separators of lines and paragraphs, and the format characters of Unicode 16
/// (general categories Cc, Zl, Zp and Cf).
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0xad | 0x600..=0x605
                | 0x61c
                | 0x6dd
                | 0x70f
                | 0x890..=0x891
                | 0x8e2
                | 0x180e
                | 0x200b..=0x200f
                | 0x2028..=0x202e
                | 0x2060..=0x206f
                | 0xfeff
                | 0xfff9..=0xfffb
                | 0x1_10bd
                | 0x1_10cd
                | 0x1_3430..=0x1_343f
                | 0x1_bca0..=0x1_bca3
                | 0x1_d173..=0x1_d17a
                | 0xe_0001
                | 0xe_0020..=0xe_007f
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_trimmed_and_holds_what_is_shown() {
        assert_eq!(
            name(" nightly – läuft ", 64),
            Ok("nightly – läuft".to_owned())
        );
        assert_eq!(
            name("夜間バックアップ", 8),
            Ok("夜間バックアップ".to_owned())
        );
        assert_eq!(name("❤\u{fe0f} red", 64), Ok("❤\u{fe0f} red".to_owned()));
        assert_eq!(name(" \t ", 64), Err(BadName::Empty));
        assert_eq!(text("", 64), Ok(String::new()));
        assert_eq!(name("abc", 2), Err(BadName::TooLong(2)));
        assert_eq!(
            name("äöü", 3),
            Ok("äöü".to_owned()),
            "characters, not bytes"
        );
    }

    #[test]
    fn what_is_not_shown_is_named() {
        for unseen in [
            '\0',
            '\n',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{2066}',
            '\u{feff}',
            '\u{e0041}',
        ] {
            let typed = format!("ad{unseen}min");
            assert_eq!(name(&typed, 64), Err(BadName::Unseen(unseen)), "{unseen:?}");
        }
        let told = BadName::Unseen('\u{202e}').to_string();
        assert_eq!(told, "has the character U+202E, which is not shown");
    }

    proptest! {
        #[test]
        fn a_name_is_as_good_the_second_time(typed in "\\PC{0,20}|.{0,20}") {
            if let Ok(once) = name(&typed, 12) {
                prop_assert_eq!(name(&once, 12), Ok(once.clone()));
                prop_assert!(!once.chars().any(char::is_control));
            }
        }
    }
}
