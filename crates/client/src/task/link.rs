//! Where a task is looked at, from the answer that started it (domain facts, section 6.5).
//!
//! `taskUri` is a bare id, a path of one of two bases, or a whole URL; of all of them only the id
//! leads to the task. Newer services name another collection, in `taskUri` or in the header
//! `location` of a 202, and that address is the task's.

use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::link::below;
use crate::response::Response;
use crate::send::Client;

/// Where a task is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLink {
    id: String,
    path: String,
}

impl TaskLink {
    /// The task with this id.
    pub fn of_id(id: &str) -> Self {
        Self {
            path: format!("{TASKS}{}", utf8_percent_encode(id, SEGMENT)),
            id: id.to_owned(),
        }
    }

    /// The task that a `taskUri` or `resourceUri` names, when it is an id or an address in a
    /// collection of tasks.
    pub fn of_uri(uri: &str) -> Option<Self> {
        let segments = segments(uri);
        let id = segments.last()?;
        let collection = segments
            .len()
            .checked_sub(2)
            .map(|at| segments[at].as_str());
        let is_task = collection.is_none_or(|name| name.eq_ignore_ascii_case("tasks"));
        is_task.then(|| Self::of_id(id))
    }

    /// The task's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The path it is looked at with.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Client {
    /// The task that an answer started; `None` when it started none.
    pub fn task_of(&self, response: &Response) -> Option<TaskLink> {
        let body: Option<Value> = serde_json::from_slice(response.body()).ok();
        let uri = body.as_ref().and_then(|body| body.get("taskUri")?.as_str());
        let location = || {
            // The location of a 201 is what was made, and not a task.
            (response.status() == StatusCode::ACCEPTED)
                .then(|| response.header("location"))
                .flatten()
        };
        let uri = uri
            .map(str::trim)
            .filter(|uri| !uri.is_empty())
            .or_else(location)?;
        TaskLink::of_uri(uri).or_else(|| {
            let path = below(self.profile().base_url(), "/", uri)?;
            let id = segments(uri).pop()?;
            Some(TaskLink { id, path })
        })
    }
}

/// The segments of the path of an address. A path that was sent as one segment, percent-encoded,
/// counts as the path it is.
fn segments(uri: &str) -> Vec<String> {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => path,
    };
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let segments = decoded.split('/').map(str::trim);
    let segments = segments.filter(|segment| !segment.is_empty());
    segments.map(str::to_owned).collect()
}

/// The collection of tasks.
const TASKS: &str = "/api/v1/tasks/";

/// What is encoded in a segment of a path: all but the unreserved characters (RFC 3986 section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "dd9e6b68-db1c-4f86-90b4-9ce31d65abfa";

    #[test]
    fn the_task_is_found_in_all_forms_of_its_address() {
        for uri in [
            ID.to_owned(),
            format!("/rest/vega/v1/tasks/{ID}"),
            format!("/api/v1/tasks/{ID}/"),
            format!("api/v1/tasks/{ID}"),
            format!("/api/v1/tasks/%2Fapi%2Fv1%2Ftasks%2F{ID}"),
            format!("https://us1.example.com/api/v1/tasks/{ID}/?x=/y"),
        ] {
            let link = TaskLink::of_uri(&uri).expect(&uri);
            assert_eq!((link.id(), &link), (ID, &TaskLink::of_id(ID)), "{uri}");
        }
        for uri in ["", "/", "https://us1.example.com", "/a/async-operations/1"] {
            assert_eq!(TaskLink::of_uri(uri), None, "{uri}");
        }
    }

    #[test]
    fn an_id_is_one_segment_whatever_is_in_it() {
        assert_eq!(
            TaskLink::of_id("a/../b?c").path(),
            "/api/v1/tasks/a%2F..%2Fb%3Fc"
        );
    }
}
