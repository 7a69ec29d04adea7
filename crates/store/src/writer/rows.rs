//! What every token needs written, as rows of the view `group_write`: one statement for watermarks and
//! events, since each statement costs an answer of the thread of the connection. The view's triggers,
//! in the migration that made it, say what becomes of a row.

use sqlx::{QueryBuilder, SqliteConnection};

use super::Watermark;
use crate::StoreError;
use crate::audit::AuditRow;

/// Most rows in one statement. The database takes 32,766 values in one.
pub(crate) const MOST_ROWS: usize = 512;

/// Up to so many rows, two for each credential, a statement is kept prepared: each size is one of its
/// own, and a big one takes memory.
const MOST_REMEMBERED: usize = 32;

/// A row that is written.
pub(crate) enum Row<'a> {
    /// The watermark of a client id.
    Raised(&'a str, &'a Watermark),
    /// An event.
    Event(&'a AuditRow),
}

/// Writes rows, all or none.
pub(crate) async fn write(
    rows: &[Row<'_>],
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let mut statement = QueryBuilder::new(
        "INSERT INTO group_write (client_id, place, bare, id, workspace_id, occurred_at, logged_at, \
         state, code, message, source, source_ip, user_email, permission, task_id, resource_id, \
         resource_name, resource_type, count, counted) ",
    );
    statement.push_values(rows, |mut values, row| match row {
        Row::Raised(client_id, raised) => {
            values
                .push_bind((*client_id).to_owned())
                .push_bind(i64::try_from(raised.place).unwrap_or(i64::MAX))
                .push_bind(raised.bare.map(|bytes| bytes.to_vec()))
                .push(
                    "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
                     NULL, NULL, NULL, NULL",
                );
        }
        Row::Event(event) => event.push_values(&mut values),
    });
    let common = rows.len() <= MOST_REMEMBERED;
    statement
        .build()
        .persistent(common)
        .execute(connection)
        .await?;
    Ok(())
}
