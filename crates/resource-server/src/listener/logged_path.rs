//! A request's path as a log may have it. Set-up links carry their secret in the path, and people
//! paste tokens and secrets into addresses; what looks like one is left out. The rest is printable
//! ASCII and has a bounded length, so that no request can write lines of its own into a log.

/// What stands for a part that is not shown.
const HIDDEN: &str = "[hidden]";

/// From this length on, a part of a path could be a secret.
const SUSPICIOUS: usize = 20;

/// Most bytes of a path that are shown.
const LONGEST: usize = 256;

/// The path without parts that could be secrets, escaped and cut.
pub(super) fn logged_path(path: &str) -> String {
    let mut shown = String::with_capacity(path.len().min(LONGEST));
    for (place, part) in path.split('/').enumerate() {
        if place > 0 {
            shown.push('/');
        }
        if could_be_secret(part) {
            shown.push_str(HIDDEN);
        } else {
            shown.extend(part.chars().flat_map(escaped));
        }
        if shown.len() > LONGEST {
            let end = shown.floor_char_boundary(LONGEST);
            shown.truncate(end);
            shown.push_str("[cut]");
            break;
        }
    }
    shown
}

/// Words in lower case and UUIDs with dashes are names; everything else of some length could be a
/// client secret, a token or a link's secret.
fn could_be_secret(part: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.');
    part.len() >= SUSPICIOUS && !part.bytes().all(is_word) && !is_uuid(part)
}

fn is_uuid(part: &str) -> bool {
    let groups = part.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12])
        && part
            .bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn escaped(character: char) -> impl Iterator<Item = char> {
    let plain = character.is_ascii_graphic().then_some(character);
    let spelled = plain.is_none().then(|| character.escape_unicode());
    plain.into_iter().chain(spelled.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_shown() {
        for path in [
            "/",
            "",
            "*",
            "/as/token.oauth2",
            "/.well-known/oauth-authorization-server",
            "/service-catalog/v1beta1/service-manager-provisions/0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
            "/api/v1/storage-systems/device-type1/2M2042059T/volumes",
        ] {
            assert_eq!(logged_path(path), path);
        }
    }

    #[test]
    fn what_could_be_a_secret_is_not() {
        for secret in [
            "00112233445566778899aabbccddeeff",
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
            "correct+horse+battery+staple",
            "%30%30%31%31%32%32%33%33",
            "00112233-445566778899-aabbccddeeff",
        ] {
            assert_eq!(
                logged_path(&format!("/setup/{secret}/x")),
                "/setup/[hidden]/x"
            );
        }
    }

    #[test]
    fn nothing_but_printable_ascii_is_shown() {
        assert_eq!(
            logged_path("/a\u{9b}b\n\u{7f}é"),
            "/a\\u{9b}b\\u{a}\\u{7f}\\u{e9}"
        );
        assert_eq!(
            logged_path(&"/a".repeat(1000)),
            format!("{}[cut]", "/a".repeat(128))
        );
    }

    proptest! {
        #[test]
        fn any_path_is_one_short_line(path in any::<String>()) {
            let shown = logged_path(&path);
            prop_assert!(shown.len() <= LONGEST + 5);
            prop_assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()));
        }

        #[test]
        fn no_secret_of_any_kind_gets_through(secret in "[0-9a-f]{32}|[0-9a-f]{64}|[A-Z0-9_-]{22,64}", before in "[a-z/]{0,12}") {
            prop_assume!(!is_uuid(&format!("{before}{secret}")));
            prop_assume!(secret.bytes().any(|byte| !byte.is_ascii_lowercase() && byte != b'-' && byte != b'_'));
            let shown = logged_path(&format!("/{before}{secret}"));
            prop_assert!(!shown.contains(&secret));
        }
    }
}
