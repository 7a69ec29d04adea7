//! `hallpass api add`: tells a profile which definition its API has.

use std::path::PathBuf;

use clap::Args;
use hallpass_client::profiles::{Existing, Profiles};
use hallpass_openapi::{Reading, Severity};

use crate::client::library;
use crate::client::selection::own_to_change;
use crate::command::{CommandError, chain};
use crate::definition::{Known, load};
use crate::output;

/// Use an API definition for a profile from now on
///
/// The file is checked, and the profile remembers where it is. Leave it there: a change in it counts
/// from the next call on.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// OpenAPI definition in JSON or YAML
    file: PathBuf,
    /// Profile [default: HALLPASS_PROFILE, else the current one]
    #[arg(long, short, value_name = "NAME", env = "HALLPASS_PROFILE")]
    profile: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &AddArgs) -> Result<(), CommandError> {
    let directory = own_to_change()?;
    let file =
        std::path::absolute(&args.file).map_err(|error| CommandError::usage(chain(&error)))?;
    let reading = load(Some(&file))?;
    let name = args.profile.as_deref().filter(|name| !name.is_empty());
    let chosen = Profiles::update(&directory, |profiles| {
        let profile = profiles.select(name)?.clone();
        let chosen = profile.name().clone();
        profiles.add(profile.with_api(Some(file.clone())), Existing::Replace)?;
        Ok(chosen)
    })
    .map_err(library)?;
    // So that the first call and the first completion are as quick as all others.
    Known::open(Some(&file))?;
    output::words(&format!("Profile {chosen} has {}.", described(&reading)));
    if !reading.problems.is_empty() {
        let file = args.file.display();
        output::words(&format!(
            "`hallpass api check {file}` tells what was found in the definition."
        ));
    }
    Ok(())
}

fn described(reading: &Reading) -> String {
    let definition = &reading.definition;
    let count = |severity| {
        reading
            .problems
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    let name = format!("{} {}", definition.title(), definition.version());
    let mut text = format!(
        "the definition {} with {}",
        output::printable(name.trim()),
        counted(definition.operations().len(), "operation")
    );
    let found = [("error", Severity::Error), ("warning", Severity::Warning)];
    for (word, count) in found.map(|(word, severity)| (word, count(severity))) {
        if count > 0 {
            text = format!("{text}, {}", counted(count, word));
        }
    }
    text
}

fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}
