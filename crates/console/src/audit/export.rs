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
use hallpass_pages::{download, notice};
use hallpass_store::StoreError;
use hallpass_store::audit::{AuditLog, AuditSearch};
use http_body::Frame;
use tokio::sync::mpsc;

use super::filter::Filter;
use super::wire::{AuditEventItem, COLUMNS};
use crate::Console;
use crate::page::PageRefusal;
use crate::session::SignedIn;
use crate::wire::print;

/// Events read at a time.
const PAGE: usize = 500;

/// Pages that may wait for a slow reader.
const WAITING: usize = 2;

/// How a file is written.
#[derive(Debug, Clone, Copy)]
struct Format {
    kind: &'static str,
    ending: &'static str,
    head: fn() -> String,
    row: fn(&AuditEventItem) -> String,
}

const CSV: Format = Format {
    kind: "text/csv; charset=utf-8",
    ending: "csv",
    head: || csv_row(&COLUMNS.map(str::to_owned)),
    row: |event| csv_row(&event.cells()),
};

const LINES: Format = Format {
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
        let search = match filter.search(permitted.workspace()) {
            Ok(search) => search,
            Err(error) => {
                let told = [&*error.to_string()];
                return Ok(notice(StatusCode::BAD_REQUEST, "Nothing to export", &told));
            }
        };
        self.audit.settle().await?;
        let (to, rows) = mpsc::channel(WAITING);
        tokio::spawn(write(self.audit.clone(), search, format, to));
        let name = format!("audit-{}.{}", by.now().strftime("%Y-%m-%d"), format.ending);
        Ok(download(&name, format.kind, Body::new(Rows(rows))))
    }
}

/// Reads on until the log or the reader's patience ends.
async fn write(
    log: AuditLog,
    mut search: AuditSearch,
    format: Format,
    to: mpsc::Sender<Result<String, StoreError>>,
) -> Option<Infallible> {
    to.send(Ok((format.head)())).await.ok()?;
    loop {
        let page = match log.search(&search, PAGE).await {
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
        search.after = Some(page.next?);
    }
}

/// The body: whatever the writer sends.
struct Rows(mpsc::Receiver<Result<String, StoreError>>);

impl HttpBody for Rows {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        let received = self.0.poll_recv(context);
        received.map(|rows| Some(rows?.map(|text| Frame::data(Bytes::from(text)))))
    }
}

/// A line of a CSV file (RFC 4180). Every cell is in quotes. One that a spreadsheet would take for a
/// formula begins with an apostrophe: texts in the log come from strangers.
fn csv_row(cells: &[String]) -> String {
    let mut row = String::new();
    for (at, cell) in cells.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let guard = if is_formula { "'" } else { "" };
        let cell = cell.replace('"', "\"\"");
        let _ = write!(row, "{comma}\"{guard}{cell}\"");
    }
    row.push_str("\r\n");
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_made_harmless() {
        let cells = [
            "a,b", "c\"d", "=1+1", "+1", "-1", "@x", "\tx", "e\nf", "a=b", "",
        ];
        assert_eq!(
            csv_row(&cells.map(str::to_owned)),
            "\"a,b\",\"c\"\"d\",\"'=1+1\",\"'+1\",\"'-1\",\"'@x\",\"'\tx\",\"e\nf\",\"a=b\",\"\"\r\n"
        );
    }
}
