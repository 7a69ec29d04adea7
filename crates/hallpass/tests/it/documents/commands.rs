//! Every command of the documents is run, and what a document shows of its output must come.
//!
//! A line that begins with `$ ` is a command; all commands of a document run in their order, in an empty home
//! directory, against a running `hallpass serve` whose addresses take the place of the default ones.
//! `$CLIENT_ID` and `$CLIENT_SECRET` are a credential of Ann, an administrator, for us1, and the current
//! profile `local` has it. Below a command stands its output: `…` is anything within a line, a line of it
//! alone any lines; nothing means that the output is not looked at. A command that ends with a code other
//! than 0 has it behind it: `# exit 2`.
//!
//! In a block marked `console` one bash runs them, and nobody answers. In one marked `console terminal` each
//! has a terminal of its own, and a person who types what stands behind its questions, presses the keys
//! in `<…>` and ends with `^C` what does not end by itself.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::examples::{Example, Place, examples, fits};
use super::stage::Stage;

/// The documents that users read.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let markdown = |folder: &str| {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "md"))
    };
    let mut documents: Vec<PathBuf> = markdown("docs").chain(markdown("docs/decisions")).collect();
    documents.push(root.join("README.md"));
    documents.sort();
    documents
}

/// What is shown and not run: the document, the command, and why.
const NOT_RUN: [(&str, &str, &str); 6] = [
    (
        "README.md",
        "cargo run --release -- demo",
        "builds the program; demo.rs runs `hallpass demo`",
    ),
    ("README.md", "scripts/test", "runs this test"),
    (
        "console.md",
        "hallpass profile add nightly --from nightly.json",
        "the file is saved by a browser; client_cli/profiles.rs adds profiles from files",
    ),
    (
        "finding.md",
        "eval \"$(hallpass completion bash)\"",
        "a line of ~/.bashrc; the commands with <Tab> are typed where it was read",
    ),
    (
        "finding.md",
        "eval \"$(hallpass completion zsh)\"",
        "a line of ~/.zshrc; finding/shells.rs types it into zsh where there is one",
    ),
    (
        "finding.md",
        "hallpass completion fish > ~/.config/fish/completions/hallpass.fish",
        "for fish, whose folder it is; finding/shells.rs has fish read what it writes where there is one",
    ),
];

fn is_run(document: &str, example: &Example) -> bool {
    NOT_RUN
        .iter()
        .all(|(file, command, _)| (*file, *command) != (document, &example.command))
}

#[test]
fn every_command_of_the_documents_does_what_they_say() {
    let mut wrong = String::new();
    let mut commands = 0;
    for document in documents() {
        let name = document.file_name().unwrap().to_str().unwrap();
        let mut examples = examples(&std::fs::read_to_string(&document).unwrap());
        examples.retain(|example| is_run(name, example));
        if examples.is_empty() {
            continue;
        }
        commands += examples.len();
        let mut stage = Stage::new();
        for example in &examples {
            let Some((code, output)) = stage.play(example) else {
                continue;
            };
            let lines: Vec<String> = output
                .lines()
                .map(|line| line.trim_end().to_owned())
                .collect();
            let shown = example.expected.is_empty() || fits(&example.expected, &lines);
            if code != Some(example.exit) || !shown {
                let Example {
                    line,
                    command,
                    exit,
                    ..
                } = example;
                writeln!(
                    wrong,
                    "{name}:{line}: {command}\nexit {code:?}, not {exit}; it said:\n{output}"
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(commands > 20, "only {commands} commands were found");
}

/// A command outside of the blocks that are run is one of the list, and the list has no other.
#[test]
fn what_is_not_run_is_listed_with_its_reason() {
    let mut left: Vec<_> = NOT_RUN
        .iter()
        .map(|(file, command, _)| (*file, *command))
        .collect();
    for document in documents() {
        let name = document.file_name().unwrap().to_str().unwrap();
        for example in examples(&std::fs::read_to_string(&document).unwrap()) {
            let listed = left
                .iter()
                .position(|one| *one == (name, example.command.as_str()));
            if let Some(at) = listed {
                left.swap_remove(at);
            } else {
                let Example {
                    line,
                    command,
                    place,
                    ..
                } = example;
                assert_ne!(place, Place::Nowhere, "{name}:{line}: {command} is not run");
            }
        }
    }
    assert!(left.is_empty(), "{left:?} stand nowhere any more");
}
