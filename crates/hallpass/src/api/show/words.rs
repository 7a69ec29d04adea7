//! What is told about an operation, for people.

use hallpass_openapi::{Inside, Operation, Shape};
use serde_json::Value;

use super::json::place;
use super::{Answer, Told, plain};
use crate::output::printable;

/// All of it as text.
pub(super) fn text(told: &Told<'_>) -> String {
    let mut page = Page::default();
    head(&mut page, told);
    let parameters = told.parameters.iter().map(|(parameter, shape)| Row {
        indentation: 1,
        name: parameter.name.clone(),
        kind: format!("{} {}", place(parameter.location), shape.kind),
        required: parameter.required,
        notes: notes(shape, parameter.example.as_ref().or(shape.example.as_ref())),
        about: about(&[&parameter.description, &shape.description]),
    });
    page.table("Parameters", &parameters.collect::<Vec<_>>());
    for (media_type, shape) in &told.bodies {
        let need = if told.operation.needs_body() {
            ""
        } else {
            ", may be left out"
        };
        let only_json = told.bodies.len() == 1 && *media_type == "application/json";
        let kind = if only_json {
            String::new()
        } else {
            format!(" {media_type}")
        };
        let mut rows = Vec::new();
        fields(shape, 1, Direction::Request, &mut rows);
        page.heading(&format!("Body{kind}: {}{need}", shape.kind));
        page.rows(&rows);
    }
    answers(&mut page, told);
    for (what, names) in [
        ("Filter by", &told.marks.filterable),
        ("Sort by", &told.marks.sortable),
    ] {
        if !names.is_empty() {
            page.heading(&format!("{what}: {}", names.join(", ")));
        }
    }
    page.heading("Example");
    page.line(&format!("  {}", told.call));
    if let Some(before) = &told.before {
        page.line("");
        page.line("No profile has this definition. Before the call, give it to the current profile, or with");
        page.line("--profile NAME to another:");
        page.line(&format!("  {before}"));
    }
    page.0.trim_end().to_owned()
}

/// Good answers with their fields, the others in a line each.
fn answers(page: &mut Page, told: &Told<'_>) {
    let is_good = |answer: &&Answer<'_>| answer.status.starts_with('2');
    for answer in told.answers.iter().filter(is_good) {
        let kind = answer
            .shape
            .as_ref()
            .map(|shape| format!(", {}", shape.kind));
        let description = about(&[answer.description]);
        page.heading(&format!(
            "Answer {}{}: {description}",
            answer.status,
            kind.unwrap_or_default()
        ));
        if let Some(shape) = &answer.shape {
            let mut rows = Vec::new();
            fields(shape, 1, Direction::Answer, &mut rows);
            page.rows(&rows);
        }
    }
    let others: Vec<&Answer<'_>> = told.answers.iter().filter(|one| !is_good(one)).collect();
    if !others.is_empty() {
        page.heading("Other answers");
        let width = others
            .iter()
            .map(|one| one.status.len())
            .max()
            .unwrap_or_default();
        for answer in others {
            let description = about(&[answer.description]);
            page.line(&format!("  {:<width$}  {description}", answer.status));
        }
    }
}

fn head(page: &mut Page, told: &Told<'_>) {
    let operation: &Operation = told.operation;
    page.line(operation.id());
    page.line(&format!("{} {}", operation.method(), operation.path()));
    if operation.deprecated() {
        page.line("Deprecated: the definition advises against using it.");
    }
    page.paragraph(operation.summary());
    if operation.description() != operation.summary() {
        page.paragraph(operation.description());
    }
    page.paragraph(&match &told.permission {
        Some(permission) => format!("Needs the permission {permission}."),
        None => "Needs any role in the workspace.".to_owned(),
    });
}

/// Which fields are of interest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

fn fields(shape: &Shape, indentation: usize, direction: Direction, rows: &mut Vec<Row>) {
    for field in shape.fields() {
        let inside = &field.shape;
        let other_way = match direction {
            Direction::Request => inside.read_only,
            Direction::Answer => inside.write_only,
        };
        if other_way {
            continue;
        }
        let mut notes = notes(inside, inside.example.as_ref());
        match &inside.inside {
            Inside::Again(name) => notes.push(format!("as {} around it", printable(name))),
            Inside::Deeper => notes.push("more inside".to_owned()),
            Inside::Nothing | Inside::Fields(_) => {}
        }
        rows.push(Row {
            indentation,
            name: field.name.clone(),
            kind: inside.kind.clone(),
            // What an answer must hold is nothing that its reader has to do.
            required: field.required && direction == Direction::Request,
            notes,
            about: about(&[&inside.description]),
        });
        fields(inside, indentation + 1, direction, rows);
    }
}

/// One parameter or field.
struct Row {
    indentation: usize,
    name: String,
    kind: String,
    required: bool,
    notes: Vec<String>,
    about: String,
}

/// The first text that is there, in one line.
fn about(texts: &[&str]) -> String {
    let text = texts.iter().find(|text| !text.is_empty());
    let words = text.map(|text| text.split_whitespace().collect::<Vec<_>>());
    words.unwrap_or_default().join(" ")
}

fn notes(shape: &Shape, example: Option<&Value>) -> Vec<String> {
    let mut notes = Vec::new();
    if !shape.values.is_empty() {
        let values: Vec<String> = shape.values.iter().map(plain).collect();
        notes.push(format!("one of {}", values.join(", ")));
    }
    notes.extend(shape.limits.iter().cloned());
    if shape.nullable {
        notes.push("or null".to_owned());
    }
    if shape.deprecated {
        notes.push("deprecated".to_owned());
    }
    let single =
        example.filter(|value| !value.is_object() && !value.is_array() && !value.is_null());
    if let Some(example) = single.filter(|_| shape.values.is_empty()) {
        notes.push(format!("such as {}", plain(example)));
    }
    notes
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(printable(text).trim_end());
        self.0.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.line("");
        self.line(text);
    }

    /// A text of several lines keeps them.
    fn paragraph(&mut self, text: &str) {
        if !text.trim().is_empty() {
            self.line("");
            text.trim().lines().for_each(|line| self.line(line));
        }
    }

    fn table(&mut self, title: &str, rows: &[Row]) {
        if !rows.is_empty() {
            self.heading(title);
            self.rows(rows);
        }
    }

    fn rows(&mut self, rows: &[Row]) {
        let name = |row: &Row| format!("{}{}", "  ".repeat(row.indentation), row.name);
        let width = |text: &str| text.chars().count();
        let names = rows
            .iter()
            .map(|row| width(&name(row)))
            .max()
            .unwrap_or_default();
        let kinds = rows
            .iter()
            .map(|row| width(&row.kind))
            .max()
            .unwrap_or_default();
        for row in rows {
            let required = row.required.then(|| "required".to_owned());
            let told = required.into_iter().chain(row.notes.iter().cloned());
            let mut told = told.collect::<Vec<_>>().join("; ");
            if !row.about.is_empty() {
                let between = if told.is_empty() { "" } else { ". " };
                told = format!("{told}{between}{}", row.about);
            }
            self.line(&format!(
                "{:<names$}  {:<kinds$}  {told}",
                name(row),
                row.kind
            ));
        }
    }
}
