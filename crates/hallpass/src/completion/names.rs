//! Names that depend on the user's profiles and on the definition of the API.

use std::path::Path;

use clap::Arg;
use hallpass_openapi::{Brief, Entry, Input, Route};
use http::Method;

use super::engine::{Candidate, Typed, fitting};
use crate::client::selection::FileArg;
use crate::definition::{Known, of_profile};

/// The values of an argument, if it is one whose values are known here.
pub(super) fn values(typed: &Typed, argument: &Arg, current: &str) -> Option<Vec<Candidate>> {
    let command: Vec<&str> = typed.commands.iter().map(String::as_str).collect();
    let value_names = argument.get_value_names().unwrap_or_default();
    let found = match (command.as_slice(), argument.get_id().as_str()) {
        (_, "profile") | (["profile", ..], "name") if command != ["profile", "add"] => {
            profiles(typed, current)
        }
        (_, "operation") => operations(typed, current),
        (["get" | "post" | "put" | "patch" | "delete", ..], "path") => paths(typed, current),
        (["help"], "words") => return None,
        _ if value_names.iter().any(|name| name == "NAME=VALUE") => {
            arguments(typed, argument.get_id().as_str(), current)
        }
        (_, "data") if current.starts_with('@') => Some(files("@", &current[1..])),
        (_, "file") => Some(files("", current)),
        _ if value_names.iter().any(|name| name == "FILE") => Some(files("", current)),
        _ => return None,
    };
    Some(found.unwrap_or_default())
}

/// Files that a path can be continued to, behind what stands before it.
pub(super) fn files(before: &str, current: &str) -> Vec<Candidate> {
    let (folder, begun) = match current.rfind('/') {
        Some(at) => current.split_at(at + 1),
        None => ("", current),
    };
    let place = if folder.is_empty() { "." } else { folder };
    let Ok(entries) = Path::new(place).read_dir() else {
        return Vec::new();
    };
    let mut found: Vec<Candidate> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let is_wanted =
                name.starts_with(begun) && (begun.starts_with('.') || !name.starts_with('.'));
            let slash = if entry.path().is_dir() { "/" } else { "" };
            is_wanted.then(|| Candidate::new(format!("{before}{folder}{name}{slash}"), ""))
        })
        .collect();
    found.sort_by(|one, other| one.value.cmp(&other.value));
    found
}

fn profiles(typed: &Typed, current: &str) -> Option<Vec<Candidate>> {
    let profiles = FileArg::flagged(typed.value("profiles")).load().ok()?;
    let names = profiles
        .iter()
        .map(|one| Candidate::new(one.name().as_str(), one.base_url().as_str()));
    Some(fitting(names, current).collect())
}

/// The definition that the line is about.
fn known(typed: &Typed) -> Option<Known> {
    let profiles = FileArg::flagged(typed.value("profiles"));
    let file = match typed.value("api") {
        Some(file) => Some(file.into()),
        None => of_profile(typed.value("profile"), &profiles).ok()?,
    };
    Known::open(file.as_deref()).ok()
}

fn operations(typed: &Typed, current: &str) -> Option<Vec<Candidate>> {
    let known = known(typed)?;
    let entries = known.index().entries().iter();
    let names = entries.map(|entry| Candidate::new(entry.id(), entry.summary()));
    Some(fitting(names, current).collect())
}

/// Paths of the definition for the method that the command is named after. A parameter is left to be
/// typed.
fn paths(typed: &Typed, current: &str) -> Option<Vec<Candidate>> {
    let known = known(typed)?;
    let method = method(typed)?;
    let entries = known.index().entries().iter();
    let mut found: Vec<Candidate> = Vec::new();
    for entry in entries.filter(|entry| *entry.method() == method) {
        if let Some(path) = continued(entry, current)
            && !found.iter().any(|one| one.value == path)
        {
            found.push(Candidate::new(path, entry.summary()));
        }
    }
    Some(found)
}

/// What is typed of a path, with as many segments more as are known: up to the next parameter.
fn continued(entry: &Entry, current: &str) -> Option<String> {
    let mut typed = current.split('/');
    let mut path = String::new();
    let mut segments = entry.path().split('/').peekable();
    let last = typed.next_back()?;
    for done in typed {
        let segment = segments.next()?;
        if !segment.starts_with('{') && segment != done {
            return None;
        }
        path += done;
        path.push('/');
    }
    let next = segments.next()?;
    if next.starts_with('{') {
        return None;
    }
    next.starts_with(last).then_some(())?;
    path += next;
    for segment in segments {
        path.push('/');
        if segment.starts_with('{') {
            return Some(path);
        }
        path += segment;
    }
    Some(path)
}

fn method(typed: &Typed) -> Option<Method> {
    typed.commands.last()?.to_uppercase().parse().ok()
}

/// Names of parameters and fields that were not given yet, or the values of the one that is named.
fn arguments(typed: &Typed, id: &str, current: &str) -> Option<Vec<Candidate>> {
    let known = known(typed)?;
    let position = match (typed.value("operation"), typed.value("path")) {
        (Some(name), _) => known.find(name).ok()?,
        (None, Some(path)) => match known.index().route(&method(typed)?, path) {
            Route::Found { operation, .. } => operation,
            _ => return None,
        },
        (None, None) => return None,
    };
    let brief = known.brief(position).ok()?;
    if let Some((name, value)) = current.split_once('=') {
        return Some(values_of(&brief, name, value));
    }
    let given = typed.values.get(id).map(Vec::as_slice).unwrap_or_default();
    let is_given = |input: &Input| {
        let name = |word: &String| {
            word.split_once('=')
                .map(|(name, _)| name.trim_end_matches(':').to_owned())
        };
        given.iter().filter_map(name).any(|name| name == input.name)
    };
    let in_path = typed.value("operation").is_none();
    let mut inputs: Vec<&Input> = brief
        .inputs
        .iter()
        .filter(|input| input.repeats || !is_given(input))
        .filter(|input| !in_path || input.place != hallpass_openapi::Place::Path)
        .collect();
    inputs.sort_by_key(|input| !input.required || is_given(input));
    let names = inputs.into_iter().map(|input| {
        let need = if input.required { "required, " } else { "" };
        let between = if input.about.is_empty() { "" } else { ": " };
        let about = format!("{need}{}{between}{}", input.kind, input.about);
        Candidate::new(format!("{}=", input.name), about)
    });
    Some(fitting(names, current).collect())
}

fn values_of(brief: &Brief, name: &str, value: &str) -> Vec<Candidate> {
    if let Some(file) = value.strip_prefix('@') {
        return files(&format!("{name}=@"), file);
    }
    let plain = name.trim_end_matches(':');
    let Some(input) = brief.inputs.iter().find(|input| input.name == plain) else {
        return Vec::new();
    };
    let all = |values: &[String], end: &str| -> Vec<Candidate> {
        let values = values
            .iter()
            .map(|one| Candidate::new(format!("{name}={one}{end}"), ""));
        fitting(values, &format!("{name}={value}")).collect()
    };
    match plain {
        _ if !input.values.is_empty() => all(&input.values, ""),
        "sort" => all(&brief.sortable, ""),
        "filter" => all(&brief.filterable, ""),
        "select" => {
            let before = value.rfind(',').map_or("", |at| &value[..=at]);
            let listed = brief
                .selectable
                .iter()
                .filter(|one| !before.split(',').any(|known| known == *one));
            let values = listed.map(|one| Candidate::new(format!("{name}={before}{one}"), ""));
            fitting(values, &format!("{name}={value}")).collect()
        }
        _ => Vec::new(),
    }
}
