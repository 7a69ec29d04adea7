//! What can come next, from the definition of the command line and the words before.

use std::collections::HashMap;

use clap::{Arg, ArgAction, Command, CommandFactory as _, ValueHint};

use super::names;
use crate::cli::Cli;

/// Something that can come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) value: String,
    /// What it is, in a few words; may be empty.
    pub(super) about: String,
}

impl Candidate {
    pub(super) fn new(value: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            about: about.into(),
        }
    }

    /// Whether the word ends with it: more is to come after a name, a folder or an item of a list.
    pub(super) fn is_final(&self) -> bool {
        !self.value.ends_with(['=', '/', ',', '.', '@'])
    }
}

/// The words behind the program, as far as they are understood.
#[derive(Default)]
pub(super) struct Typed {
    /// Names of the commands that were chosen, from the outermost.
    pub(super) commands: Vec<String>,
    /// The values of options and positional arguments, by their ids.
    pub(super) values: HashMap<String, Vec<String>>,
}

impl Typed {
    /// The last value of an argument.
    pub(super) fn value(&self, id: &str) -> Option<&str> {
        self.values.get(id)?.last().map(String::as_str)
    }
}

/// What can stand in place of `current`, behind the words `before`.
pub(super) fn candidates(before: &[String], current: &str) -> Vec<Candidate> {
    let root = Cli::command();
    let mut walk = Walk::new(&root);
    for word in before {
        walk.step(word);
    }
    walk.candidates(current)
}

struct Walk<'c> {
    command: &'c Command,
    /// Options of the commands around, which hold here too.
    global: Vec<&'c Arg>,
    typed: Typed,
    /// The option that the next word is the value of.
    pending: Option<&'c Arg>,
    /// How many positional arguments there were.
    position: usize,
    only_positional: bool,
}

impl<'c> Walk<'c> {
    fn new(root: &'c Command) -> Self {
        Self {
            command: root,
            global: Vec::new(),
            typed: Typed::default(),
            pending: None,
            position: 0,
            only_positional: false,
        }
    }

    fn step(&mut self, word: &str) {
        if let Some(option) = self.pending.take() {
            self.note(option, word);
        } else if self.only_positional || word == "-" || !word.starts_with('-') {
            self.enter(word);
        } else if word == "--" {
            self.only_positional = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long
                .split_once('=')
                .map_or((long, None), |(n, v)| (n, Some(v)));
            if let Some(option) = self.options().find(|one| is_long(one, name)) {
                self.option(option, value);
            }
        } else {
            self.shorts(&word[1..]);
        }
    }

    /// A command, else a positional argument.
    fn enter(&mut self, word: &str) {
        if self.position == 0
            && let Some(command) = self.command.find_subcommand(word)
        {
            let globals = self
                .command
                .get_arguments()
                .filter(|one| one.is_global_set());
            self.global.extend(globals);
            self.typed.commands.push(command.get_name().to_owned());
            self.command = command;
            return;
        }
        if let Some(argument) = self.positional() {
            self.note(argument, word);
        }
        self.position += 1;
    }

    /// Several flags in one word; the last may have its value behind it.
    fn shorts(&mut self, letters: &str) {
        for (at, letter) in letters.char_indices() {
            let Some(option) = self.options().find(|one| one.get_short() == Some(letter)) else {
                return;
            };
            let value = letters[at + letter.len_utf8()..].trim_start_matches('=');
            if takes_value(option) {
                return self.option(option, Some(value).filter(|value| !value.is_empty()));
            }
            self.option(option, None);
        }
    }

    fn option(&mut self, option: &'c Arg, value: Option<&str>) {
        match value {
            Some(value) => self.note(option, value),
            None if takes_value(option) => self.pending = Some(option),
            None => self.note(option, ""),
        }
    }

    fn note(&mut self, argument: &Arg, value: &str) {
        let values = self.typed.values.entry(argument.get_id().to_string());
        values.or_default().push(value.to_owned());
    }

    fn options(&self) -> impl Iterator<Item = &'c Arg> + use<'c> {
        let own = self
            .command
            .get_arguments()
            .filter(|one| !one.is_positional());
        own.chain(self.global.clone())
    }

    /// The positional argument whose turn it is. The last one may take several.
    fn positional(&self) -> Option<&'c Arg> {
        let mut positionals = self.command.get_positionals();
        positionals.nth(self.position).or_else(|| {
            let last = self.command.get_positionals().last()?;
            takes_several(last).then_some(last)
        })
    }

    fn candidates(&self, current: &str) -> Vec<Candidate> {
        if let Some(option) = self.pending {
            return self.values_of(option, current);
        }
        if current.starts_with("--")
            && !self.only_positional
            && let Some((name, value)) = current.split_once('=')
        {
            let option = self.options().find(|one| is_long(one, &name[2..]));
            let found = option
                .map(|option| self.values_of(option, value))
                .unwrap_or_default();
            let with_name =
                |one: Candidate| Candidate::new(format!("{name}={}", one.value), one.about);
            return found.into_iter().map(with_name).collect();
        }
        if current.starts_with('-') && !self.only_positional {
            return self.flags(current);
        }
        let mut found = Vec::new();
        if self.position == 0 {
            let commands = self
                .command
                .get_subcommands()
                .filter(|one| !one.is_hide_set());
            let commands =
                commands.map(|one| Candidate::new(one.get_name(), about(one.get_about())));
            found.extend(fitting(commands, current));
        }
        if let Some(argument) = self.positional() {
            found.extend(self.values_of(argument, current));
        }
        found
    }

    fn flags(&self, current: &str) -> Vec<Candidate> {
        let may_come = |one: &&Arg| {
            let again = takes_several(one)
                || matches!(one.get_action(), ArgAction::Count | ArgAction::Append);
            !one.is_hide_set() && (again || !self.typed.values.contains_key(one.get_id().as_str()))
        };
        let flags = self.options().filter(may_come).filter_map(|one| {
            let long = one.get_long()?;
            Some(Candidate::new(format!("--{long}"), about(one.get_help())))
        });
        let help = std::iter::once(Candidate::new("--help", "Print help"));
        fitting(flags.chain(help), current).collect()
    }

    fn values_of(&self, argument: &Arg, current: &str) -> Vec<Candidate> {
        if let Some(found) = names::values(&self.typed, argument, current) {
            return found;
        }
        let possible = argument.get_possible_values();
        if !possible.is_empty() {
            let possible = possible.iter().filter(|one| !one.is_hide_set());
            let possible =
                possible.map(|one| Candidate::new(one.get_name(), about(one.get_help())));
            return fitting(possible, current).collect();
        }
        match argument.get_value_hint() {
            ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath => {
                names::files("", current)
            }
            _ => Vec::new(),
        }
    }
}

fn is_long(option: &Arg, name: &str) -> bool {
    option.get_long() == Some(name)
        || option
            .get_all_aliases()
            .is_some_and(|all| all.contains(&name))
}

fn takes_value(option: &Arg) -> bool {
    option.get_action().takes_values()
}

fn takes_several(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Append)
        || argument
            .get_num_args()
            .is_some_and(|number| number.max_values() > 1)
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// Those that begin like what is typed, in any case.
pub(super) fn fitting(
    candidates: impl Iterator<Item = Candidate>,
    current: &str,
) -> impl Iterator<Item = Candidate> {
    let wanted = current.to_lowercase();
    candidates.filter(move |one| one.value.to_lowercase().starts_with(&wanted))
}
