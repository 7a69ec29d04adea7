//! Completion of command lines: `hallpass completion SHELL` prints a script, and the script asks the
//! hidden `hallpass complete` on every press of the key.
//!
//! The engine is our own (decision: docs/decisions/0016): what can follow depends on the words
//! before it (the parameters on the operation, the operation on the profile), which completers of
//! `clap_complete` are not told. It reads the profile file and the compiled form of the definition:
//! never the network, never a secret. Whatever goes wrong, it says nothing: half a line is being typed.

mod engine;
mod line;
mod names;
mod scripts;

use clap::{Args, ValueEnum};

use crate::command::CommandError;
use crate::output;

/// Print a script that completes command lines of hallpass
///
/// bash: add `eval "$(hallpass completion bash)"` to ~/.bashrc. zsh: the same with zsh in ~/.zshrc, after
/// compinit. fish: `hallpass completion fish > ~/.config/fish/completions/hallpass.fish`.
#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    #[arg(value_enum)]
    shell: Shell,
}

/// What can come next on a command line; the scripts ask it
#[derive(Debug, Args)]
pub(crate) struct CompleteArgs {
    #[arg(value_enum)]
    shell: Shell,
    /// bash: the line up to the cursor and the characters that end a word; else the words behind the
    /// program, the last one as far as it is typed
    #[arg(last = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// A shell there is a script for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// Prints the script.
pub(crate) fn script(args: &CompletionArgs) -> Result<(), CommandError> {
    output::data(match args.shell {
        Shell::Bash => scripts::BASH,
        Shell::Zsh => scripts::ZSH,
        Shell::Fish => scripts::FISH,
    })
}

/// Prints what can come next, one candidate per line.
pub(crate) fn complete(args: &CompleteArgs) -> Result<(), CommandError> {
    let lines = match args.shell {
        Shell::Bash => {
            let [typed, breaks] = args.words.as_slice() else {
                return Ok(());
            };
            let line = line::Line::read(typed);
            let candidates = engine::candidates(line.before(), line.current());
            candidates
                .iter()
                .filter_map(|one| line.rest_of(&one.value, one.is_final(), breaks))
                .collect()
        }
        Shell::Zsh | Shell::Fish => {
            let Some((current, before)) = args.words.split_last() else {
                return Ok(());
            };
            let told = |one: &engine::Candidate| {
                let about = output::printable(&one.about);
                format!("{}\t{about}", output::printable(&one.value))
            };
            engine::candidates(before, current)
                .iter()
                .map(told)
                .collect::<Vec<_>>()
        }
    };
    if lines.is_empty() {
        return Ok(());
    }
    output::data(&lines.join("\n"))
}
