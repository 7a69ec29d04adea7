//! `hallpass api tree`: the operations of a definition in folders.

use clap::{Args, ValueEnum};
use hallpass_openapi::Entry;

use crate::command::CommandError;
use crate::definition::{ApiArg, Known};
use crate::output;

/// Show the operations of an API definition in folders
#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// What the folders are: the steps of the paths, or the tags
    #[arg(long, value_enum, default_value_t = By::Path)]
    by: By,
    /// How many folders deep to go; what is left out is counted
    #[arg(long, value_name = "NUMBER")]
    depth: Option<usize>,
    #[command(flatten)]
    api: ApiArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Path,
    Tag,
}

/// Runs the command.
pub(super) fn run(args: &TreeArgs) -> Result<(), CommandError> {
    let known = args.api.open()?;
    let mut root = Folder::default();
    for entry in known.index().entries() {
        match args.by {
            By::Path => root.add(
                entry.path().split('/').filter(|step| !step.is_empty()),
                entry,
            ),
            By::Tag => root.add(std::iter::once(entry.tag().unwrap_or("(no tag)")), entry),
        }
    }
    root.join();
    let mut lines = vec![format!("{} ({} operations)", title(&known), root.count())];
    root.print(0, args.depth.unwrap_or(usize::MAX), &mut lines);
    output::data(&lines.join("\n"))
}

fn title(known: &Known) -> String {
    let title = output::printable(known.index().title());
    let version = output::printable(known.index().version());
    format!("{title} {version}").trim().to_owned()
}

/// A folder: operations, and folders in the order of the definition.
#[derive(Default)]
struct Folder<'a> {
    operations: Vec<&'a Entry>,
    folders: Vec<(String, Folder<'a>)>,
}

impl<'a> Folder<'a> {
    fn add(&mut self, mut steps: impl Iterator<Item = &'a str>, entry: &'a Entry) {
        let Some(step) = steps.next() else {
            self.operations.push(entry);
            return;
        };
        let known = self.folders.iter().position(|(name, _)| name == step);
        let position = known.unwrap_or_else(|| {
            self.folders.push((step.to_owned(), Folder::default()));
            self.folders.len() - 1
        });
        self.folders[position].1.add(steps, entry);
    }

    /// A folder that holds nothing but one other is shown as one with it.
    fn join(&mut self) {
        for (name, folder) in &mut self.folders {
            while folder.operations.is_empty() && folder.folders.len() == 1 {
                if let Some((below, inner)) = folder.folders.pop() {
                    *name = format!("{name}/{below}");
                    *folder = inner;
                }
            }
            folder.join();
        }
    }

    fn count(&self) -> usize {
        let below = self.folders.iter().map(|(_, folder)| folder.count());
        self.operations.len() + below.sum::<usize>()
    }

    fn print(&self, indentation: usize, depth: usize, lines: &mut Vec<String>) {
        let blanks = "  ".repeat(indentation);
        for entry in &self.operations {
            let line = format!(
                "{blanks}{:<6} {}  {}",
                entry.method().as_str(),
                output::printable(entry.id()),
                output::printable(entry.summary())
            );
            lines.push(line.trim_end().to_owned());
        }
        for (name, folder) in &self.folders {
            let name = output::printable(name);
            if depth <= 1 {
                let count = folder.count();
                let operations = if count == 1 {
                    "operation"
                } else {
                    "operations"
                };
                lines.push(format!("{blanks}{name}/ ({count} {operations})"));
            } else {
                lines.push(format!("{blanks}{name}/"));
                folder.print(indentation + 1, depth - 1, lines);
            }
        }
    }
}
