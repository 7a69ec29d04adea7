//! Looking for events: by time, state, person, client, source and words, page by page.
//!
//! A page begins behind the last event of the one before it, by time and sequence, so that no page costs
//! more than another. The most telling condition picks the index that is walked; the others are asked of
//! each row. Where they fit seldom, a page ends after so many rows, with fewer events than it might
//! have, and says where to go on.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use hallpass_oauth::WorkspaceId;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row as _, Sqlite};

use super::{AuditLog, AuditState, StoredEvent};
use crate::StoreError;
use crate::database::{nanoseconds, timestamp};

/// Most rows read for a page.
const MOST_READ: usize = 10_000;

/// Rows read at a time when not every one need fit.
const CHUNK: usize = 500;

/// Which events to find. A condition that is `None` holds for all.
#[derive(Debug, Clone, Default)]
pub struct AuditSearch {
    /// Whose they are.
    pub of: AuditOf,
    /// Whether the oldest come first.
    pub oldest_first: bool,
    /// Where to go on: behind the event of this place.
    pub after: Option<AuditPlace>,
    /// How it ended.
    pub state: Option<AuditState>,
    /// The e-mail address of the person.
    pub person: Option<String>,
    /// The client that acted for them.
    pub client_id: Option<String>,
    /// The part of the system.
    pub source: Option<String>,
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Words that all occur somewhere in the event, in any letter case.
    pub text: Option<String>,
    /// What the clients are called, by their ids: words are looked for there too. An event has the
    /// id alone.
    pub names: HashMap<String, String>,
}

/// Whose events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AuditOf {
    /// Everybody's, for the local administrator.
    #[default]
    All,
    /// Those of a workspace.
    Workspace(WorkspaceId),
    /// Those that no workspace can be named for: what strangers tried, and what the system does
    /// for all.
    Nobody,
}

/// The place of an event in the log. Its text is made for addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditPlace {
    occurred_at: Timestamp,
    sequence: i64,
}

/// No place: it must be the text of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is no place in the audit log")]
pub struct NoPlace;

/// Some of what was found.
#[derive(Debug)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<StoredEvent>,
    /// Where to go on, if the log does.
    pub next: Option<AuditPlace>,
    /// How many rows were looked at.
    pub read: usize,
}

impl AuditState {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Initiated,
        Self::Success,
        Self::Failure,
        Self::PermissionDenied,
    ];
}

impl FromStr for AuditState {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or(())
    }
}

impl AuditPlace {
    /// Where the event stands.
    pub fn of(stored: &StoredEvent) -> Self {
        Self {
            occurred_at: stored.event.occurred_at,
            sequence: stored.sequence,
        }
    }
}

impl fmt::Display for AuditPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", nanoseconds(self.occurred_at), self.sequence)
    }
}

impl FromStr for AuditPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (time, sequence) = text.split_once('.').ok_or(NoPlace)?;
        Ok(Self {
            occurred_at: timestamp(time.parse().map_err(|_| NoPlace)?),
            sequence: sequence.parse().map_err(|_| NoPlace)?,
        })
    }
}

impl AuditLog {
    /// Finds up to `limit` events.
    pub async fn search(
        &self,
        search: &AuditSearch,
        limit: usize,
    ) -> Result<AuditPage, StoreError> {
        let sieve = Sieve::of(search);
        // One more than is wanted tells whether that is all.
        let chunk = if sieve.passes_all() {
            limit.saturating_add(1)
        } else {
            CHUNK.max(limit)
        };
        let (mut events, mut read) = (Vec::new(), 0);
        let mut place = search.after;
        loop {
            let rows = statement(search, place, chunk)
                .build()
                .fetch_all(self.database.reader())
                .await?;
            let is_end = rows.len() < chunk;
            for (at, row) in rows.iter().enumerate() {
                read += 1;
                place = Some(place_of(row)?);
                if sieve.passes(row)? {
                    events.push(StoredEvent::from_row(row)?);
                }
                if events.len() == limit {
                    let is_last = is_end && at + 1 == rows.len();
                    let next = place.filter(|_| !is_last);
                    return Ok(AuditPage { events, next, read });
                }
            }
            if is_end || read >= MOST_READ {
                let next = place.filter(|_| !is_end);
                return Ok(AuditPage { events, next, read });
            }
        }
    }

    /// The event of that sequence, if it is the workspace's.
    pub async fn find(
        &self,
        workspace: &WorkspaceId,
        sequence: i64,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM audit_event WHERE sequence = $1 AND workspace_id = $2")
                .bind(sequence)
                .bind(workspace.as_str())
                .fetch_optional(self.database.reader())
                .await?;
        row.as_ref().map(StoredEvent::from_row).transpose()
    }

    /// The event of that sequence, if it belongs to no workspace.
    pub async fn find_nobodys(&self, sequence: i64) -> Result<Option<StoredEvent>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM audit_event WHERE sequence = $1 AND workspace_id IS NULL")
                .bind(sequence)
                .fetch_optional(self.database.reader())
                .await?;
        row.as_ref().map(StoredEvent::from_row).transpose()
    }
}

/// What the index answers: the workspace, one more equality, the time, the place and the order.
fn statement(
    search: &AuditSearch,
    place: Option<AuditPlace>,
    limit: usize,
) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT * FROM audit_event WHERE ");
    match &search.of {
        AuditOf::Workspace(workspace) => sql
            .push("workspace_id = ")
            .push_bind(workspace.as_str().to_owned()),
        AuditOf::Nobody => sql.push("workspace_id IS NULL"),
        AuditOf::All => sql.push("1 = 1"),
    };
    // The second condition is what the partial index says of its rows.
    if let Some((column, value, of_index)) = leading(search) {
        sql.push(format!(" AND {column} = ")).push_bind(value);
        sql.push(of_index);
    }
    if let Some(from) = search.from {
        sql.push(" AND occurred_at >= ")
            .push_bind(nanoseconds(from));
    }
    if let Some(to) = search.to {
        sql.push(" AND occurred_at < ").push_bind(nanoseconds(to));
    }
    let (beyond, order) = if search.oldest_first {
        (" > (", "ASC")
    } else {
        (" < (", "DESC")
    };
    if let Some(place) = place {
        sql.push(" AND (occurred_at, sequence)").push(beyond);
        sql.push_bind(nanoseconds(place.occurred_at)).push(", ");
        sql.push_bind(place.sequence).push(")");
    }
    sql.push(format!(
        " ORDER BY occurred_at {order}, sequence {order} LIMIT "
    ));
    sql.push_bind(i64::try_from(limit).unwrap_or(i64::MAX));
    sql
}

/// The condition with an index of its own that fits the fewest rows.
fn leading(search: &AuditSearch) -> Option<(&'static str, String, &'static str)> {
    let not_done = search.state.filter(|state| *state != AuditState::Success);
    let client_id = search
        .client_id
        .as_ref()
        .map(|id| ("client_id", id, " AND client_id <> ''"));
    let person = search
        .person
        .as_ref()
        .map(|email| ("user_email", email, " AND user_email <> ''"));
    let texts = client_id.or(person);
    texts
        .map(|(column, value, of_index)| (column, value.clone(), of_index))
        .or_else(|| {
            let state = not_done?.as_str().to_owned();
            Some(("state", state, " AND state <> 'Success'"))
        })
}

fn place_of(row: &SqliteRow) -> Result<AuditPlace, StoreError> {
    Ok(AuditPlace {
        occurred_at: timestamp(row.try_get("occurred_at")?),
        sequence: row.try_get("sequence")?,
    })
}

/// What is asked of each row.
struct Sieve<'a> {
    equal: Vec<(&'static str, &'a str)>,
    words: Vec<String>,
    names: &'a HashMap<String, String>,
}

/// Where words are looked for.
const TEXTS: [&str; 12] = [
    "message",
    "code",
    "source",
    "source_ip",
    "user_email",
    "client_id",
    "permission",
    "task_id",
    "resource_id",
    "resource_name",
    "resource_type",
    "state",
];

impl<'a> Sieve<'a> {
    fn of(search: &'a AuditSearch) -> Self {
        let conditions = [
            ("client_id", search.client_id.as_deref()),
            ("user_email", search.person.as_deref()),
            ("source", search.source.as_deref()),
            ("state", search.state.map(AuditState::as_str)),
        ];
        let leading = leading(search);
        let by_index = leading.as_ref().map(|(column, ..)| *column);
        let rest = conditions
            .into_iter()
            .filter(|(column, _)| Some(*column) != by_index);
        let text = search.text.as_deref().unwrap_or_default().to_lowercase();
        Self {
            equal: rest
                .filter_map(|(column, value)| Some((column, value?)))
                .collect(),
            words: text.split_whitespace().map(str::to_owned).collect(),
            names: &search.names,
        }
    }

    fn passes_all(&self) -> bool {
        self.equal.is_empty() && self.words.is_empty()
    }

    fn passes(&self, row: &SqliteRow) -> Result<bool, StoreError> {
        for (column, value) in &self.equal {
            if row.try_get::<&str, _>(*column)? != *value {
                return Ok(false);
            }
        }
        if self.words.is_empty() {
            return Ok(true);
        }
        let mut all = String::new();
        for column in TEXTS {
            all.push_str(row.try_get(column)?);
            // No word goes from one text to the next.
            all.push(' ');
        }
        let client_id: &str = row.try_get("client_id")?;
        all.extend(self.names.get(client_id).map(String::as_str));
        let all = all.to_lowercase();
        Ok(self.words.iter().all(|word| all.contains(word)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sqlx::sqlite::SqlitePool;

    use super::*;

    /// What SQLite does for a search.
    async fn plan(pool: &SqlitePool, search: &AuditSearch) -> String {
        let place = AuditPlace {
            occurred_at: Timestamp::UNIX_EPOCH,
            sequence: 1,
        };
        let statement = statement(search, Some(place), 100);
        let explain = format!("EXPLAIN QUERY PLAN {}", statement.sql().as_str());
        let rows = sqlx::query(sqlx::AssertSqlSafe(explain))
            .fetch_all(pool)
            .await
            .unwrap();
        let rows = rows.iter().map(|row| row.get::<String, _>("detail"));
        rows.collect::<Vec<_>>().join("; ")
    }

    #[tokio::test]
    async fn every_search_walks_an_index_in_the_order_of_the_answer() {
        let pool = SqlitePool::connect("sqlite::memory:").await.unwrap();
        sqlx::migrate!().run(&pool).await.unwrap();
        let workspace = "e8a4da2eefc311eba02cb603422bc0a0".parse().unwrap();
        let all = AuditSearch {
            of: AuditOf::Workspace(workspace),
            from: Some(Timestamp::UNIX_EPOCH),
            to: Some(Timestamp::UNIX_EPOCH),
            ..AuditSearch::default()
        };
        let text = || Some("x".to_owned());
        let searches = [
            ("audit_event_time", all.clone()),
            (
                "audit_event_time",
                AuditSearch {
                    source: text(),
                    text: text(),
                    ..all.clone()
                },
            ),
            (
                "audit_event_time",
                AuditSearch {
                    state: Some(AuditState::Success),
                    ..all.clone()
                },
            ),
            (
                "audit_event_state",
                AuditSearch {
                    state: Some(AuditState::Failure),
                    ..all.clone()
                },
            ),
            (
                "audit_event_person",
                AuditSearch {
                    person: text(),
                    ..all.clone()
                },
            ),
            (
                "audit_event_client",
                AuditSearch {
                    client_id: text(),
                    person: text(),
                    ..all.clone()
                },
            ),
            (
                "audit_event_time",
                AuditSearch {
                    of: AuditOf::Nobody,
                    ..all.clone()
                },
            ),
            (
                "audit_event_age",
                AuditSearch {
                    of: AuditOf::All,
                    ..all.clone()
                },
            ),
        ];
        for (index, search) in searches {
            for oldest_first in [false, true] {
                let search = AuditSearch {
                    oldest_first,
                    ..search.clone()
                };
                let plan = plan(&pool, &search).await;
                assert!(plan.contains(index), "{index}: {plan}");
                assert!(!plan.contains("TEMP B-TREE"), "sorted: {plan}");
            }
        }
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = AuditPlace {
            occurred_at: Timestamp::from_nanosecond(1_700_000_000_123_456_789).unwrap(),
            sequence: 42,
        };
        assert_eq!(place.to_string(), "1700000000123456789.42");
        assert_eq!(place.to_string().parse(), Ok(place));
        for wrong in ["", "1", "1.", ".1", "a.b", "1.2.3"] {
            assert_eq!(wrong.parse::<AuditPlace>(), Err(NoPlace), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_place_or_none(text: String) {
            let _ = text.parse::<AuditPlace>();
        }
    }
}
