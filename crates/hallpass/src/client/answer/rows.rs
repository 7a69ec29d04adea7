//! Rows, for the two formats that have them: a table for people, CSV for programs (RFC 4180).
//!
//! The first rows decide the columns and the widths, so that a list can be written while it is read.
//! A value is never changed on the way into CSV, also not one that a spreadsheet takes for a formula.

use std::collections::BTreeSet;
use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::columns::{self, GAP, cell, exact};
use super::text::Json;

/// Writes rows.
pub(super) struct Rows {
    form: Form,
    /// The columns that were asked for.
    wanted: Option<Vec<String>>,
    /// The order of the item schema.
    order: Vec<String>,
    layout: Option<Layout>,
    missed: BTreeSet<String>,
}

/// What rows look like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Csv,
    Table {
        /// Of the terminal; elsewhere nothing is cut off.
        width: Option<usize>,
    },
}

enum Layout {
    Columns(Vec<Column>),
    /// The rows are no objects, so there are no names for columns.
    Values,
}

struct Column {
    path: String,
    width: usize,
}

impl Rows {
    pub(super) fn new(form: Form, wanted: Option<Vec<String>>, order: Vec<String>) -> Self {
        Self {
            form,
            wanted,
            order,
            layout: None,
            missed: BTreeSet::new(),
        }
    }

    /// Writes the next rows; the first ones decide what columns there are.
    pub(super) fn write(&mut self, out: &mut dyn Write, rows: &[Json<'_>]) -> io::Result<()> {
        if self.layout.is_none() {
            if rows.is_empty() && self.wanted.is_none() {
                return Ok(());
            }
            let layout = self.decide(rows);
            if let Layout::Columns(columns) = &layout {
                let names = columns.iter().map(|column| column.path.clone());
                line(out, self.form, columns, names)?;
            }
            self.layout = Some(layout);
        } else if matches!(self.form, Form::Csv) && self.wanted.is_none() {
            self.notice(rows);
        }
        match &self.layout {
            Some(Layout::Columns(columns)) => rows
                .iter()
                .try_for_each(|row| object(out, self.form, columns, row)),
            _ => rows.iter().try_for_each(|row| plain(out, self.form, row)),
        }
    }

    /// Values that have no column, because they came after the columns had been written.
    pub(super) fn missed(&self) -> &BTreeSet<String> {
        &self.missed
    }

    fn decide(&self, rows: &[Json<'_>]) -> Layout {
        let any_object = rows.iter().any(|row| matches!(row, Json::Object(_)));
        if !any_object && !rows.is_empty() {
            return Layout::Values;
        }
        let paths = match (&self.wanted, self.form) {
            (Some(wanted), _) => wanted.clone(),
            (None, Form::Csv) => columns::all(rows),
            (None, Form::Table { width }) => {
                columns::telling(rows, &self.order, width.unwrap_or(UNSEEN_WIDTH))
            }
        };
        let width = |path: &String| {
            let cells = rows.iter().filter_map(|row| row.at(path));
            let widest = cells.map(|value| cell(value).width()).max();
            widest.unwrap_or_default().max(path.width())
        };
        let columns = paths.into_iter().map(|path| Column {
            width: match self.form {
                Form::Csv => 0,
                Form::Table { .. } => width(&path),
            },
            path,
        });
        let mut columns: Vec<Column> = columns.collect();
        if let Form::Table { width: Some(width) } = self.form {
            narrow(&mut columns, width);
        }
        Layout::Columns(columns)
    }

    fn notice(&mut self, rows: &[Json<'_>]) {
        let Some(Layout::Columns(columns)) = &self.layout else {
            return;
        };
        for path in columns::all(rows) {
            let known = columns.iter().any(|column| column.path == path);
            if !known && self.missed.len() < MOST_MISSED {
                self.missed.insert(path);
            }
        }
    }
}

/// Takes from the widest columns until all fit.
fn narrow(columns: &mut [Column], width: usize) {
    loop {
        let all: usize = columns.iter().map(|column| column.width + GAP).sum();
        if all.saturating_sub(GAP) <= width {
            return;
        }
        match columns.iter_mut().max_by_key(|column| column.width) {
            Some(widest) if widest.width > NARROWEST => widest.width -= 1,
            _ => return,
        }
    }
}

fn object(out: &mut dyn Write, form: Form, columns: &[Column], row: &Json<'_>) -> io::Result<()> {
    let is_object = matches!(row, Json::Object(_));
    let cells = columns.iter().enumerate().map(|(at, column)| {
        // A row that is no object stands in the first column.
        let value = if is_object || at > 0 {
            row.at(&column.path)
        } else {
            Some(row)
        };
        value.map_or_else(String::new, |value| shown(form, value))
    });
    line(out, form, columns, cells)
}

fn plain(out: &mut dyn Write, form: Form, row: &Json<'_>) -> io::Result<()> {
    match (form, row) {
        (Form::Csv, Json::List(cells)) => record(out, cells.iter().map(exact)),
        (Form::Csv, single) => record(out, [exact(single)].into_iter()),
        (Form::Table { .. }, single) => writeln!(out, "{}", cell(single)),
    }
}

fn shown(form: Form, value: &Json<'_>) -> String {
    match form {
        Form::Csv => exact(value),
        Form::Table { .. } => cell(value),
    }
}

fn line(
    out: &mut dyn Write,
    form: Form,
    columns: &[Column],
    cells: impl Iterator<Item = String>,
) -> io::Result<()> {
    let Form::Table { width } = form else {
        return record(out, cells);
    };
    let mut text = String::new();
    for (column, cell) in columns.iter().zip(cells) {
        let cell = match width {
            Some(_) => cut(&cell, column.width),
            None => cell,
        };
        text.push_str(&cell);
        let space = column.width.saturating_sub(cell.width()) + GAP;
        text.extend(std::iter::repeat_n(' ', space));
    }
    writeln!(out, "{}", text.trim_end())
}

/// As much of a text as is `width` wide, with a mark when something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let kept = text.chars().take_while(|c| {
        let taken = c.width().unwrap_or_default();
        let fits = taken <= left;
        left = left.saturating_sub(taken);
        fits
    });
    kept.chain(['…']).collect()
}

/// One record of CSV. Lines end with a line feed alone, which every reader takes and the tools of
/// the shell want.
pub(crate) fn record(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<String> = cells.collect();
    if let [only] = cells.as_slice()
        && only.is_empty()
    {
        // An empty line would be no record.
        return out.write_all(b"\"\"\n");
    }
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

/// The width that decides the columns of a table that nobody sees: the same on every machine.
const UNSEEN_WIDTH: usize = 120;

/// A column is not made narrower to fit.
const NARROWEST: usize = 8;

/// How many values without a column are told.
const MOST_MISSED: usize = 20;

#[cfg(test)]
mod tests {
    use super::super::query::read;
    use super::*;

    fn written(rows: &mut Rows, text: &[&str]) -> String {
        let mut out = Vec::new();
        let values: Vec<Json<'_>> = text.iter().map(|text| read(text).unwrap()).collect();
        rows.write(&mut out, &values).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn csv(columns: Option<&[&str]>) -> Rows {
        let columns = columns.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        Rows::new(Form::Csv, columns, Vec::new())
    }

    fn table(width: Option<usize>) -> Rows {
        Rows::new(Form::Table { width }, None, Vec::new())
    }

    #[test]
    fn csv_keeps_every_value_as_it_is() {
        let items = [
            r#"{"id":"a","n":18446744073709551616,"o":{"p":"x, \"y\"\nz"}}"#,
            r#"{"id":"=1+1","l":[1,{"a":1.10}],"n":null,"o":{"p":" "}}"#,
        ];
        assert_eq!(
            written(&mut csv(None), &items),
            "id,n,o.p,l\na,18446744073709551616,\"x, \"\"y\"\"\nz\",\n=1+1,,\" \",\"[1,{\"\"a\"\":1.10}]\"\n"
        );
        assert_eq!(
            written(&mut csv(Some(&["o.p", "none", "id"])), &items[..1]),
            "o.p,none,id\n\"x, \"\"y\"\"\nz\",,a\n"
        );
        assert_eq!(written(&mut csv(Some(&["id"])), &[]), "id\n");
        assert_eq!(
            written(&mut csv(None), &[r#"["a",1]"#, "null"]),
            "a,1\n\"\"\n"
        );
    }

    #[test]
    fn the_first_rows_decide_the_columns_and_later_members_are_noticed() {
        let mut rows = csv(None);
        written(&mut rows, &[r#"{"a":1}"#]);
        assert_eq!(written(&mut rows, &[r#"{"b":{"c":2},"a":3}"#]), "3\n");
        assert!(rows.missed().iter().eq(["b.c"]));
    }

    #[test]
    fn a_table_is_cut_on_a_terminal_only() {
        let long = format!(r#"{{"id":"1","name":"{}"}}"#, "x".repeat(50));
        assert_eq!(
            written(&mut table(None), &[&long])
                .lines()
                .nth(1)
                .unwrap()
                .len(),
            54
        );
        let cut = written(&mut table(Some(30)), &[&long]);
        assert_eq!(cut, format!("name{:24}id\n{}…  1\n", "", "x".repeat(25)));
        // Wide letters take two places each, and nothing can drive the terminal.
        let odd = written(
            &mut table(None),
            &[r#"{"a":"盘盘","b":1}"#, r#"{"a":"\u001b[2J","b":2}"#],
        );
        assert_eq!(odd, "a          b\n盘盘       1\n\\u{1b}[2J  2\n");
    }

    #[test]
    fn the_widths_of_the_first_rows_stay() {
        let mut rows = table(None);
        written(&mut rows, &[r#"{"a":"xxxx","b":1}"#]);
        let later = written(
            &mut rows,
            &[r#"{"a":"y","b":2}"#, r#"{"a":"zzzzzzzz","b":3}"#],
        );
        assert_eq!(later, "y     2\nzzzzzzzz  3\n");
    }
}
