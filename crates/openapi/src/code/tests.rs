use proptest::prelude::*;

use super::*;

/// What a reader of the language takes a literal for, by the few rules that our literals use.
fn meaning(language: Language, literal: &str) -> String {
    match language {
        Language::Curl => shell(literal),
        Language::PowerShell => powershell(literal),
        _ => {
            let inside = literal
                .strip_prefix('"')
                .unwrap()
                .strip_suffix('"')
                .unwrap();
            backslashes(inside)
        }
    }
}

/// Quoted strings, and quotes after a backslash, one after the other.
fn shell(literal: &str) -> String {
    let mut text = String::new();
    let mut rest = literal;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("\\'") {
            text.push('\'');
            rest = after;
        } else {
            let (inside, after) = rest.strip_prefix('\'').unwrap().split_once('\'').unwrap();
            text.push_str(inside);
            rest = after;
        }
    }
    text
}

fn powershell(literal: &str) -> String {
    assert!(
        literal.bytes().all(|byte| matches!(byte, b' '..=b'~')),
        "{literal}"
    );
    let call = literal.strip_prefix("[regex]::Unescape(");
    let quoted = call.map_or(literal, |call| call.strip_suffix(')').unwrap());
    let inside = quoted
        .strip_prefix('\'')
        .unwrap()
        .strip_suffix('\'')
        .unwrap();
    let undoubled = inside.replace("''", "\0");
    assert!(!undoubled.contains('\''), "{literal} ends too early");
    let text = undoubled.replace('\0', "'");
    if call.is_none() {
        return text;
    }
    // Escapes are UTF-16: two may be one letter.
    let mut units = Vec::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, false) => units.push(u16::try_from(u32::from(letter)).unwrap()),
            _ => match letters.next().unwrap() {
                'u' => {
                    let digits: String = letters.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap());
                }
                '\\' => units.push(u16::from(b'\\')),
                other => panic!("\\{other} means something else"),
            },
        }
    }
    String::from_utf16(&units).unwrap()
}

fn backslashes(inside: &str) -> String {
    let mut text = String::new();
    let mut letters = inside.chars();
    let number = |digits: &str| char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap();
    while let Some(letter) = letters.next() {
        assert!(
            letter != '"' && !letter.is_control(),
            "{inside} ends too early"
        );
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next().unwrap() {
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            same @ ('"' | '\\') => text.push(same),
            'U' => text.push(number(&letters.by_ref().take(8).collect::<String>())),
            'u' if letters.as_str().starts_with('{') => {
                let digits: String = letters
                    .by_ref()
                    .skip(1)
                    .take_while(|one| *one != '}')
                    .collect();
                text.push(number(&digits));
            }
            'u' => text.push(number(&letters.by_ref().take(4).collect::<String>())),
            other => panic!("\\{other} is no escape"),
        }
    }
    text
}

proptest! {
    /// Whatever a text holds, its literal means that text, and nothing stands outside of it.
    #[test]
    fn a_literal_means_its_text(text in r#"([\x01-\x7f"'\\`$\n{}%@#]|\PC|.){0,40}"#) {
        for language in Language::ALL {
            let literal = language.literal(&text);
            prop_assert_eq!(meaning(language, &literal), text.as_str(), "{:?} {}", language, literal);
        }
    }

    /// A comment stays on its line, and the line looks like what it is.
    #[test]
    fn a_comment_is_one_line(text in r"([\x00-\x1f]|[\u{2028}\u{202e}\u{2066}\u{85}]|\PC|.){0,40}") {
        let written = text::comments("#", &[text]);
        prop_assert_eq!(written.matches('\n').count(), 1, "{}", written);
        prop_assert!(written.starts_with('#') && written.ends_with('\n'));
        let line = written.trim_end_matches('\n');
        let hides = |one: char| one.is_control() || HIDING.contains(&one);
        prop_assert!(!line.contains(hides), "{:?}", line);
    }
}

/// Ends a line, or turns the direction of the text.
const HIDING: [char; 4] = ['\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}'];

fn form(secret: SecretPlace) -> Access {
    Access::Form(TokenForm {
        url: "https://sso.example.com/as/token.oauth2".to_owned(),
        fields: vec![
            ("grant_type".to_owned(), "client_credentials".to_owned()),
            ("scope".to_owned(), "it's a \"scope\"".to_owned()),
        ],
        secret,
        secret_source: SecretSource::Variable("HALLPASS_CLIENT_SECRET".to_owned()),
        member: "access_token".to_owned(),
    })
}

fn list(access: Access) -> Program {
    Program {
        comments: vec!["All systems\nrm -rf /".to_owned()],
        access,
        prefix: "Bearer".to_owned(),
        notes: Vec::new(),
        request: CodeRequest {
            method: Method::GET,
            url: "https://eu1.example.com/api/v1/storage-systems?filter=name%20eq%20%27a%27"
                .to_owned(),
            headers: vec![("Accept".to_owned(), "application/json".to_owned())],
            body: None,
        },
    }
}

fn create() -> Program {
    let mut program = list(form(SecretPlace::Field("client_secret".to_owned())));
    program.notes = vec!["The answer names a task".to_owned()];
    program.request.method = Method::POST;
    program
        .request
        .headers
        .push(("Content-Type".to_owned(), "application/json".to_owned()));
    program.request.body = Some("{\"name\":\"it's $HOME `a` ü 🦀 \\\"x\\\"\"}".to_owned());
    program
}

#[test]
fn programs_in_every_language() {
    for language in Language::ALL {
        insta::assert_snapshot!(
            format!("list_{language:?}"),
            language.write(&list(form(SecretPlace::EncodedBasic("an id".to_owned()))))
        );
        insta::assert_snapshot!(
            format!("unencoded_{language:?}"),
            language.write(&list(form(SecretPlace::Basic("an id".to_owned()))))
        );
        insta::assert_snapshot!(format!("create_{language:?}"), language.write(&create()));
    }
}

#[test]
fn programs_without_a_token_and_with_another_prefix() {
    for language in Language::ALL {
        let without = language.write(&list(Access::None));
        assert!(!without.contains("uthorization"), "{without}");
        assert!(!without.contains("token"), "{without}");
        insta::assert_snapshot!(format!("without_{language:?}"), without);
        let mut other = list(Access::Variable("A_TOKEN".to_owned()));
        for (prefix, before) in [("it's a %s", "it's a %s "), ("", "")] {
            prefix.clone_into(&mut other.prefix);
            let text = language.write(&other);
            let before = match language {
                Language::Curl => format!("Authorization: {before}"),
                _ => before.to_owned(),
            };
            assert!(text.contains(&language.literal(&before)), "{text}");
            assert!(!text.contains("Bearer"), "{text}");
        }
    }
}

/// A page fills the place in while somebody types, so there is exactly one, and nothing asks for more.
#[test]
fn a_word_stands_where_the_reader_puts_the_secret() {
    const WORD: &str = "PUT-THE-CLIENT-SECRET-HERE";
    for language in Language::ALL {
        for place in [
            SecretPlace::Field("client_secret".to_owned()),
            SecretPlace::Basic("an id".to_owned()),
        ] {
            let mut program = list(form(place));
            if let Access::Form(form) = &mut program.access {
                form.secret_source = SecretSource::Placeholder(WORD.to_owned());
            }
            let text = language.write(&program);
            let literal = language.literal(WORD);
            assert_eq!(text.matches(&literal).count(), 1, "{language:?} {text}");
            assert_eq!(text.matches(WORD).count(), 1, "{language:?} {text}");
            assert!(!text.contains("HALLPASS_CLIENT_SECRET"), "{text}");
            // What is there instead of the variable is what the rest of the program reads.
            let read = text.to_lowercase().matches("secret").count();
            assert!(read >= 3, "{language:?} {text}");
        }
    }
}

#[test]
fn a_token_stands_in_a_program_only_if_it_is_given() {
    for language in Language::ALL {
        let with = language.write(&list(Access::Token("t0ken".to_owned())));
        assert!(
            with.contains("t0ken") && !with.contains("CLIENT_SECRET"),
            "{with}"
        );
        let variable = language.write(&list(Access::Variable("A_TOKEN".to_owned())));
        assert!(
            variable.contains("A_TOKEN") && !variable.contains("SECRET"),
            "{variable}"
        );
        let without = language.write(&create());
        assert!(without.contains("HALLPASS_CLIENT_SECRET"), "{without}");
    }
}

/// The request of the sample that people copy, in PowerShell, could not be parsed; ours must have no
/// comma between the lines, and must send the form that it makes.
#[test]
fn powershell_sends_the_form_it_makes() {
    let script = Language::PowerShell.write(&create());
    let (_, rest) = script.split_once("$Form = @(\n").unwrap();
    let (entries, rest) = rest.split_once("\n) -join '&'\n").unwrap();
    let entries: Vec<&str> = entries.lines().map(str::trim).collect();
    assert_eq!(
        entries,
        [
            "[uri]::EscapeDataString('grant_type') + '=' + [uri]::EscapeDataString('client_credentials')",
            "[uri]::EscapeDataString('scope') + '=' + [uri]::EscapeDataString('it''s a \"scope\"')",
            "[uri]::EscapeDataString('client_secret') + '=' + [uri]::EscapeDataString($Secret)",
        ]
    );
    assert!(rest.contains("Body               = $Form\n"), "{rest}");
    for opening in ["{}", "()"] {
        let count = |at: usize| script.matches(&opening[at..=at]).count();
        assert_eq!(count(0), count(1), "{opening} are in pairs");
    }
}

/// RFC 8707 section 2: `resource` may be there more than once.
#[test]
fn a_form_may_hold_one_name_twice() {
    let mut program = create();
    if let Access::Form(form) = &mut program.access {
        let resource = |value: &str| ("resource".to_owned(), value.to_owned());
        form.fields = vec![resource("urn:one"), resource("urn:two")];
    }
    let python = Language::Python.write(&program);
    assert!(
        python.contains("data=[\n        (\"resource\", \"urn:one\"),\n"),
        "{python}"
    );
    let script = Language::PowerShell.write(&program);
    assert_eq!(
        script.matches("EscapeDataString('resource') + '='").count(),
        2,
        "{script}"
    );
    assert!(!script.contains("'resource' ="), "{script}");
}

#[test]
fn curl_does_not_wait_for_the_body_of_a_head() {
    let mut program = create();
    program.request.method = Method::HEAD;
    let script = Language::Curl.write(&program);
    assert!(
        script.contains("--head") && !script.contains("--request"),
        "{script}"
    );
}
