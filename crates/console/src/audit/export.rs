//! The audit log as a file: exactly what is filtered, in pages, so that a log of any length goes through
//! a little memory. When the store fails half-way the transfer breaks off: a part never looks like the
//! whole.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_access::platform::AUDIT_READ;
use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use hallpass_pages::{download, notice};
use hallpass_store::audit::{AuditLog, AuditPage, AuditSearch};
use hallpass_store::{People, PersonId, StoreError};
use http_body::Frame;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::filter::Filter;
use super::wire::{AuditEventItem, COLUMNS};
use crate::Console;
use crate::guard::Permitted;
use crate::page::PageRefusal;
use crate::session::SignedIn;
use crate::wire::print;

/// Events read at a time.
const PAGE: usize = 500;

/// Pages that may wait for a slow reader.
const WAITING: usize = 2;

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    kind: &'static str,
    ending: &'static str,
    head: fn() -> String,
    row: fn(&AuditEventItem) -> String,
}

/// For spreadsheets.
pub(super) const CSV: Format = Format {
    kind: "text/csv; charset=utf-8",
    ending: "csv",
    head: || csv_row(&COLUMNS.map(str::to_owned)),
    row: |event| csv_row(&event.cells()),
};

/// For programs: an object on each line.
pub(super) const LINES: Format = Format {
    kind: "application/jsonl",
    ending: "jsonl",
    head: String::new,
    row: |event| format!("{}\n", print(event)),
};

pub(super) async fn csv(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let outcome = console.export(&by, CSV).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn lines(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let outcome = console.export(&by, LINES).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

impl Console {
    async fn export(&self, by: &SignedIn, format: Format) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, AUDIT_READ).await?;
        let filter = Filter::read(by.uri().query());
        let search = match self.wanted_events(&filter, permitted.caller()) {
            Ok(search) => search,
            Err(error) => {
                let told = [&*error.to_string()];
                return Ok(notice(StatusCode::BAD_REQUEST, "Nothing to export", &told));
            }
        };
        self.audit.settle().await?;
        Ok(self.audit_file(&permitted, search, format, by.now()))
    }

    /// The file for somebody who may read the log, begun.
    pub(super) fn audit_file(
        &self,
        permitted: &Permitted,
        search: AuditSearch,
        format: Format,
        now: Timestamp,
    ) -> Response {
        let (to, rows) = mpsc::channel(WAITING);
        let reading = Reading {
            log: self.audit.clone(),
            people: self.people.clone(),
            person: permitted.owner(),
            workspace: permitted.workspace().clone(),
            search,
        };
        tokio::spawn(write(reading, format, to));
        let name = format!("audit-{}.{}", now.strftime("%Y-%m-%d"), format.ending);
        download(&name, format.kind, Body::new(Rows(rows)))
    }
}

/// An export under way.
struct Reading {
    log: AuditLog,
    people: People,
    /// Who reads.
    person: PersonId,
    workspace: WorkspaceId,
    search: AuditSearch,
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("whoever reads may not read the audit log any more")]
    NotPermitted,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reading {
    /// The next page, for as long as the person may read: a slow reader must not keep a right that was
    /// taken from them.
    async fn page(&self) -> Result<AuditPage, BrokenOff> {
        let person = self.people.get(self.person, &self.workspace);
        let platform = ApplicationInstanceId::platform();
        let may = person.is_some_and(|person| {
            person.enabled && person.roles_on(&platform).permits(&AUDIT_READ)
        });
        if !may {
            return Err(BrokenOff::NotPermitted);
        }
        Ok(self.log.search(&self.search, PAGE).await?)
    }
}

/// Reads on until the log or the reader's patience ends.
async fn write(
    mut reading: Reading,
    format: Format,
    to: mpsc::Sender<Result<String, BrokenOff>>,
) -> Option<Infallible> {
    to.send(Ok((format.head)())).await.ok()?;
    loop {
        let page = match reading.page().await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(error = %error, "an export of the audit log broke off");
                to.send(Err(error)).await.ok()?;
                return None;
            }
        };
        let events = page.events.into_iter().map(AuditEventItem::from);
        let text: String = events.map(|event| (format.row)(&event)).collect();
        to.send(Ok(text)).await.ok()?;
        reading.search.after = Some(page.next?);
    }
}

/// The body: whatever the writer sends.
struct Rows(mpsc::Receiver<Result<String, BrokenOff>>);

impl HttpBody for Rows {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let received = self.0.poll_recv(context);
        received.map(|rows| Some(rows?.map(|text| Frame::data(Bytes::from(text)))))
    }
}

/// What a formula begins with, for one spreadsheet or another: the full-width signs are read like the
/// others, and what is not shown is passed over.
const FORMULA: [char; 11] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

/// A line of a CSV file (RFC 4180). Every cell is in quotes. One that a spreadsheet would take for a
/// formula begins with an apostrophe: texts in the log come from strangers.
fn csv_row(cells: &[String]) -> String {
    let mut row = String::new();
    for (at, cell) in cells.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let is_formula = cell.starts_with(FORMULA);
        let guard = if is_formula { "'" } else { "" };
        let cell = cell.replace('"', "\"\"");
        let _ = write!(row, "{comma}\"{guard}{cell}\"");
    }
    row.push_str("\r\n");
    row
}

#[cfg(test)]
mod tests {
    use hallpass_access::Role;
    use hallpass_oauth::Subject;
    use hallpass_oauth::random::SystemRandom;
    use hallpass_store::{Actor, MasterKey, Policy, Store};

    use super::*;

    #[tokio::test]
    async fn an_export_under_way_ends_when_its_reader_may_not_read_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let (now, rng) = (Timestamp::UNIX_EPOCH, &mut SystemRandom);
        let file = folder.path().join("hallpass.db");
        let key = MasterKey::generate(rng);
        let store = Store::open(&file, &key, Policy::default(), now, rng);
        let store = store.await.unwrap();
        let by = Actor {
            email: "test".to_owned(),
            client_id: String::new(),
            address: String::new(),
            source: "test",
        };
        let workspaces = store.workspaces();
        let workspace = workspaces.create("Main", &by, now, rng).await.unwrap();
        let people = store.people();
        let email = Subject::parse("olga@example.com").unwrap();
        let role = Some(Role::Administrator);
        let person = people.create(&workspace.id, email, role, &by, now, rng);
        let person = person.await.unwrap();
        let reading = Reading {
            log: store.audit_log(),
            people: people.clone(),
            person: person.id,
            workspace: workspace.id.clone(),
            search: AuditSearch::default(),
        };
        assert!(!reading.page().await.unwrap().events.is_empty());
        let disabled = people.set_enabled(person.id, false, &by, now, rng);
        disabled.await.unwrap();
        assert!(matches!(reading.page().await, Err(BrokenOff::NotPermitted)));
        let enabled = people.set_enabled(person.id, true, &by, now, rng);
        enabled.await.unwrap();
        assert!(reading.page().await.is_ok());
        let removed = people.remove(person.id, &by, now, rng);
        removed.await.unwrap();
        let (to, mut rows) = mpsc::channel(WAITING);
        assert!(write(reading, CSV, to).await.is_none());
        let head = rows.recv().await.unwrap().unwrap();
        assert!(head.starts_with('"') && head.lines().count() == 1);
        assert!(
            rows.recv().await.unwrap().is_err(),
            "a part is not the whole"
        );
    }

    #[test]
    fn cells_are_quoted_and_formulas_made_harmless() {
        let cells = [
            "a,b",
            "c\"d",
            "=1+1",
            "+1",
            "-1",
            "@x",
            "\tx",
            "e\nf",
            "a=b",
            "",
            "\n=1",
            "\u{ff1d}1",
            "\u{ff0b}1",
            "\u{ff0d}1",
            "\u{ff20}x",
        ];
        assert_eq!(
            csv_row(&cells.map(str::to_owned)),
            "\"a,b\",\"c\"\"d\",\"'=1+1\",\"'+1\",\"'-1\",\"'@x\",\"'\tx\",\"e\nf\",\"a=b\",\"\",\"'\n=1\",\"'\u{ff1d}1\",\"'\u{ff0b}1\",\"'\u{ff0d}1\",\"'\u{ff20}x\"\r\n"
        );
    }
}
