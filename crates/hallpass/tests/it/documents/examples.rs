//! The commands that stand in a document.

/// A command and what should come of it.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) line: usize,
    pub(super) command: String,
    pub(super) exit: i32,
    pub(super) expected: Vec<String>,
    pub(super) place: Place,
}

/// Where a command is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a block marked `console`: nobody answers.
    Shell,
    /// In a block marked `console terminal`: somebody looks and answers.
    Terminal,
    /// In a block of another kind: it is only shown.
    Nowhere,
}

impl Place {
    fn of(block: &str) -> Self {
        match block {
            "console" => Self::Shell,
            "console terminal" => Self::Terminal,
            _ => Self::Nowhere,
        }
    }

    /// The command that a line begins. Blocks of other kinds may have them without the prompt.
    fn command(self, line: &str) -> Option<&str> {
        let prompted = line.strip_prefix("$ ");
        match self {
            Self::Shell | Self::Terminal => prompted,
            Self::Nowhere => prompted.or_else(|| {
                let bare = BARE.iter().any(|program| line.starts_with(program));
                bare.then_some(line)
            }),
        }
    }
}

/// What a command without a prompt begins with.
const BARE: [&str; 7] = [
    "hallpass ",
    "curl ",
    "newman ",
    "eval ",
    "bash ",
    "cargo ",
    "scripts/",
];

/// All commands of a document, in their order.
pub(super) fn examples(document: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut block, mut goes_on) = (None, false);
    for (number, line) in document.lines().enumerate() {
        if let Some(word) = line.trim_start().strip_prefix("```") {
            block = match block {
                None => Some(Place::of(word)),
                Some(_) => None,
            };
            goes_on = false;
            continue;
        }
        let Some(place) = block else { continue };
        if goes_on {
            let last = examples.last_mut().unwrap();
            last.command.push('\n');
            last.command.push_str(line);
            goes_on = line.ends_with('\\');
        } else if let Some(command) = place.command(line) {
            examples.push(Example {
                line: number + 1,
                command: command.to_owned(),
                exit: 0,
                expected: Vec::new(),
                place,
            });
            goes_on = line.ends_with('\\');
        } else if place != Place::Nowhere {
            let last = examples.last_mut().expect("output has a command above it");
            last.expected.push(line.trim_end().to_owned());
        }
    }
    for example in &mut examples {
        if let Some((_, code)) = example.command.rsplit_once("# exit ") {
            example.exit = code.trim().parse().unwrap();
        }
    }
    examples
}

/// Whether the lines are those that were expected: `…` is anything within a line, a line of it alone
/// any lines.
pub(super) fn fits(expected: &[String], lines: &[String]) -> bool {
    match expected.split_first() {
        None => lines.is_empty(),
        Some((any, rest)) if any.trim() == "…" => {
            (0..=lines.len()).any(|skipped| fits(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line_fits(first, line) && fits(rest, lines)),
    }
}

fn line_fits(expected: &str, line: &str) -> bool {
    match expected.split_once('…') {
        None => expected == line,
        Some((before, rest)) => line.strip_prefix(before).is_some_and(|line| {
            let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.any(|at| line_fits(rest, &line[at..]))
        }),
    }
}

#[test]
fn what_is_shown_is_compared() {
    let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(fits(&shown("a…c\n…\nz"), &shown("abc\n1\n2\nz")));
    assert!(fits(&shown("…"), &[]));
    for (expected, said) in [
        ("a", "b"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("a…c", "ab"),
        ("…z", "za"),
    ] {
        assert!(
            !fits(&shown(expected), &shown(said)),
            "{expected:?} {said:?}"
        );
    }
}

#[test]
fn commands_are_found_in_every_block() {
    let document = "$ no block\n\
        ```console\n$ a \\\n  b  # exit 2\nout\n```\n\
        ```text\n$ c\nout\nhallpass d\n```\n\
        ```console terminal\n$ e\nhallpass is output here\n```\n";
    let found = examples(document);
    let found: Vec<_> = found
        .iter()
        .map(|one| {
            (
                one.command.as_str(),
                one.place,
                one.exit,
                one.expected.len(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("a \\\n  b  # exit 2", Place::Shell, 2, 1),
            ("c", Place::Nowhere, 0, 0),
            ("hallpass d", Place::Nowhere, 0, 0),
            ("e", Place::Terminal, 0, 1),
        ]
    );
}
