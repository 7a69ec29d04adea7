//! The forms of an answer, written while it comes.
//!
//! An answer is one value, a list that comes page by page, or the values that a query makes of
//! either.

use std::io::Write as _;

use serde_json::value::RawValue;

use super::pretty::Pretty;
use super::query;
use super::rows::{Form, Rows, cut};
use super::target::Target;
use super::text::{Json, JsonText};
use super::{AnswerArgs, Failure, Format, columns, items, warn, yaml};
use crate::command::CommandError;
use crate::output;

/// Writes an answer in the form that was asked for.
pub(super) struct Renderer {
    target: Target,
    format: Format,
    pretty: Pretty,
    width: Option<usize>,
    columns: Option<Vec<String>>,
    rows: Rows,
    /// Values of a query that wait for others to be rows with.
    waiting: Vec<String>,
    /// How many values of a query, or items of a list, have been written.
    written: u64,
}

impl Renderer {
    pub(super) fn open(args: &AnswerArgs, order: Vec<String>) -> Result<Self, CommandError> {
        let target = Target::open(args.save.as_deref())?;
        let terminal = target.is_terminal();
        let width = output::terminal_width().filter(|_| terminal);
        let form = match args.format() {
            Format::Csv => Form::Csv,
            _ => Form::Table { width },
        };
        Ok(Self {
            format: args.format(),
            pretty: Pretty {
                terminal,
                colour: terminal && output::colour_on_stdout(),
            },
            width,
            columns: args.columns.clone(),
            rows: Rows::new(form, args.columns.clone(), order),
            waiting: Vec::new(),
            written: 0,
            target,
        })
    }

    /// Whether somebody looks at what is written, so that nothing else may be drawn.
    pub(super) fn is_looked_at(&self) -> bool {
        self.pretty.terminal
    }

    /// Writes a whole answer.
    pub(super) fn whole(&mut self, text: JsonText<'_>, body: &[u8]) -> Result<(), Failure> {
        match self.format {
            Format::Raw => return self.untouched(body, None),
            Format::Json => self.json(text)?,
            Format::Yaml => yaml::write(&mut self.target, &text.value())?,
            Format::Csv | Format::Table => {
                let value = text.value();
                match items(&value) {
                    Some(items) => self.rows.write(&mut self.target, items)?,
                    None => self.single(&value)?,
                }
            }
        }
        Ok(())
    }

    /// Writes what is no JSON as it came, unless it would drive somebody's terminal.
    pub(super) fn untouched(
        &mut self,
        body: &[u8],
        media_type: Option<&str>,
    ) -> Result<(), Failure> {
        if !self.pretty.terminal {
            self.target.write_all(body)?;
            return Ok(());
        }
        let drives = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        match std::str::from_utf8(body) {
            Ok(text) if !text.contains(drives) => self.target.write_all(body)?,
            _ => warn(&format!(
                "the answer is {} bytes of {} and not for a terminal; --save FILE keeps it",
                body.len(),
                media_type.unwrap_or("an unknown type"),
            )),
        }
        Ok(())
    }

    /// Writes a value that a query made.
    pub(super) fn value(&mut self, text: &str) -> Result<(), Failure> {
        match (self.format, JsonText::read(text.as_bytes())) {
            (Format::Csv | Format::Table, _) => {
                self.waiting.push(text.to_owned());
                return Ok(());
            }
            (Format::Json, Some(json)) => self.json(json)?,
            (Format::Yaml, Some(json)) => {
                if self.written > 0 {
                    self.target.write_all(b"---\n")?;
                }
                yaml::write(&mut self.target, &json.value())?;
            }
            (_, json) => self.bare(text, json)?,
        }
        self.written += 1;
        Ok(())
    }

    /// Writes the values of a query that waited to be rows.
    pub(super) fn end_values(&mut self) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        let values: Result<Vec<Json<'_>>, _> =
            waiting.iter().map(|text| query::read(text)).collect();
        let values = values?;
        // One object in a table is shown like an answer that is one object; so is a list.
        match values.as_slice() {
            [] => {}
            [list @ Json::List(_)] if self.written == 0 && items(list).is_some() => {
                self.rows
                    .write(&mut self.target, items(list).unwrap_or_default())?;
            }
            [single] if self.written == 0 && self.format == Format::Table => self.single(single)?,
            several => self.rows.write(&mut self.target, several)?,
        }
        self.written += values.len() as u64;
        Ok(())
    }

    /// Writes the next items of a list.
    pub(super) fn items(&mut self, page: &[Box<RawValue>]) -> Result<(), Failure> {
        if matches!(self.format, Format::Csv | Format::Table) {
            let values: Result<Vec<Json<'_>>, _> =
                page.iter().map(|item| query::read(item.get())).collect();
            let values = values?;
            self.rows.write(&mut self.target, &values)?;
            self.written += page.len() as u64;
            return Ok(());
        }
        for item in page {
            let text = item.get();
            match self.format {
                Format::Json => self.json_item(text)?,
                Format::Yaml => {
                    let value = query::read(text)?;
                    if self.written == 0 {
                        self.target.write_all(b"items:\n")?;
                    }
                    yaml::write_item(&mut self.target, &value)?;
                }
                _ => writeln!(self.target, "{text}")?,
            }
            self.written += 1;
        }
        Ok(())
    }

    /// Ends a list. One that did not come to its end says so, and is a whole document all the same.
    pub(super) fn end_list(&mut self, whole: bool) -> Result<(), Failure> {
        let total = self.written;
        let out = &mut self.target;
        match self.format {
            Format::Json => {
                let begin = if total == 0 {
                    "{\n  \"items\": ["
                } else {
                    "\n  "
                };
                let incomplete = if whole {
                    ""
                } else {
                    ",\n  \"incomplete\": true"
                };
                writeln!(out, "{begin}],\n  \"total\": {total}{incomplete}\n}}")?;
            }
            Format::Yaml => {
                let begin = if total == 0 { "items: []\n" } else { "" };
                let incomplete = if whole { "" } else { "incomplete: true\n" };
                write!(out, "{begin}total: {total}\n{incomplete}")?;
            }
            Format::Table | Format::Csv if total == 0 => self.rows.write(out, &[])?,
            _ => {}
        }
        self.flush()
    }

    /// What was written by now is seen, whatever comes next.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.target.flush()?)
    }

    /// Everything has been written.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let missed: Vec<&str> = self.rows.missed().iter().map(String::as_str).collect();
        if !missed.is_empty() {
            warn(&format!(
                "later items have values that the first page had not, and so no column: {}; name \
                 what you need with --columns",
                missed.join(", ")
            ));
        }
        self.target.finish()
    }

    fn json(&mut self, text: JsonText<'_>) -> Result<(), Failure> {
        self.pretty.write(&mut self.target, text, 0)?;
        Ok(self.target.write_all(b"\n")?)
    }

    fn json_item(&mut self, text: &str) -> Result<(), Failure> {
        let begin = if self.written == 0 {
            "{\n  \"items\": ["
        } else {
            ","
        };
        write!(self.target, "{begin}\n    ")?;
        match JsonText::read(text.as_bytes()) {
            Some(text) => self.pretty.write(&mut self.target, text, 2)?,
            None => self.target.write_all(text.as_bytes())?,
        }
        Ok(())
    }

    /// A value of a query without anything around it.
    fn bare(&mut self, text: &str, json: Option<JsonText<'_>>) -> Result<(), Failure> {
        let value = json.map(JsonText::value);
        let bare = match &value {
            Some(Json::Text(text)) => text.decoded(),
            _ => text.into(),
        };
        self.target.write_all(bare.as_bytes())?;
        Ok(self.target.write_all(b"\n")?)
    }

    /// One value: in CSV a row, in a table a line for everything in it.
    fn single(&mut self, value: &Json<'_>) -> Result<(), Failure> {
        if self.format == Format::Csv || !matches!(value, Json::Object(_)) {
            return Ok(self
                .rows
                .write(&mut self.target, std::slice::from_ref(value))?);
        }
        let paths = match &self.columns {
            Some(wanted) => wanted.clone(),
            None => columns::all(std::slice::from_ref(value)),
        };
        let names = paths.iter().map(|path| path.chars().count());
        let longest = names.max().unwrap_or_default();
        for path in &paths {
            let shown = value.at(path).map(columns::cell).unwrap_or_default();
            let name = output::printable(path);
            let line = format!("{name:<longest$}  {shown}");
            let line = match self.width {
                Some(width) => cut(line.trim_end(), width),
                None => line.trim_end().to_owned(),
            };
            writeln!(self.target, "{line}")?;
        }
        Ok(())
    }
}
