//! Which operation of a definition is what here. Operations are told by method and path, so that a
//! definition with other operation ids or parameter names is understood, too.
//!
//! Each kind of resource has its rows beside its rules; this file only knows how to find them.

use hallpass_openapi::Operation;
use http::Method;

use super::{
    Call, application_set_exports, application_sets, capacity, clones, exports, host_groups,
    host_volumes, hosts, initiators, issues, pools, snapsets, snapshot_acts, snapshots, systems,
    tasks, type2, vluns, volume_changes, volume_sets, volumes,
};
use crate::rest::{Refusal, Virtual};
use crate::sandbox::Outcome;

/// One operation: how it is told, and what answers it.
#[derive(Debug)]
pub(crate) struct Row {
    method: &'static str,
    /// Behind `/api/v1/`, parameters as `{}`.
    path: &'static str,
    /// What the path parameters name, in their order.
    names: &'static [Named],
    virtual_attributes: Virtual,
    answer: Answer,
}

type Answer = fn(&mut Call<'_, '_>) -> Result<Outcome, Refusal>;

/// What a path parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// A system of any device type.
    System,
    DeviceType1,
    DeviceType2,
    Pool,
    Volume,
    /// A snapshot of a device-type2 volume.
    Snapshot2,
    VolumeCollection,
    /// An array of a device-type2 system.
    Array,
    Vlun,
    Snapshot,
    Clone,
    VolumeSet,
    Snapset,
    Host,
    HostGroup,
    Initiator,
    Issue,
    Task,
}

const RESOURCES: &[&[Row]] = &[
    systems::ROWS,
    pools::ROWS,
    volumes::ROWS,
    volume_changes::ROWS,
    exports::ROWS,
    vluns::ROWS,
    snapshots::ROWS,
    snapshot_acts::ROWS,
    clones::ROWS,
    application_sets::ROWS,
    application_set_exports::ROWS,
    snapsets::ROWS,
    volume_sets::ROWS,
    capacity::ROWS,
    hosts::ROWS,
    host_groups::ROWS,
    initiators::ROWS,
    host_volumes::ROWS,
    type2::SYSTEM,
    type2::POOLS,
    type2::VOLUMES,
    type2::EXPORTS,
    type2::SNAPSHOTS,
    type2::CLONES,
    type2::COLLECTIONS,
    type2::HANDOVERS,
    issues::ROWS,
    tasks::ROWS,
];

impl Row {
    pub(super) const fn new(
        method: &'static str,
        path: &'static str,
        names: &'static [Named],
        answer: Answer,
    ) -> Self {
        Self {
            method,
            path,
            names,
            virtual_attributes: Virtual::These(&[]),
            answer,
        }
    }

    /// With attributes to filter by that the schema does not name (domain.md 6.2).
    pub(super) const fn filtered_by(self, virtual_attributes: Virtual) -> Self {
        Self {
            virtual_attributes,
            ..self
        }
    }

    /// The row of an operation, if it is modelled.
    pub(crate) fn of(operation: &Operation) -> Option<&'static Self> {
        Self::find(operation.method(), operation.path())
    }

    pub(crate) fn virtual_attributes(&self) -> Virtual {
        self.virtual_attributes
    }

    /// Whether this is the row of that method and path, as they are written here.
    pub(super) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    pub(crate) fn answer(&self, call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
        (self.answer)(call)
    }

    /// What the parameters of a path name, as far as it is known from the rows: those of the longest
    /// row that it goes on from, for an operation that is not modelled itself.
    pub(super) fn names_in(path: &str) -> &'static [Named] {
        let path = shape(path).unwrap_or_default();
        let goes_on = |row: &&Row| {
            let rest = path.strip_prefix(row.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let longest = all().filter(goes_on).max_by_key(|row| row.path.len());
        longest.map_or(&[], |row| row.names)
    }

    fn find(method: &Method, path: &str) -> Option<&'static Self> {
        let path = shape(path)?;
        all().find(|row| row.method == method.as_str() && row.path == path)
    }
}

/// A path as the rows have it.
fn shape(path: &str) -> Option<String> {
    let segments: Vec<&str> = path
        .strip_prefix("/api/v1/")?
        .split('/')
        .map(|segment| {
            if segment.starts_with('{') {
                "{}"
            } else {
                segment
            }
        })
        .collect();
    Some(segments.join("/"))
}

fn all() -> impl Iterator<Item = &'static Row> {
    RESOURCES.iter().flat_map(|rows| rows.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_operation_is_told_by_method_and_path_whatever_its_parameters_are_called() {
        let find = |method, path| Row::find(&method, path).map(|row| row.path);
        assert_eq!(
            find(Method::GET, "/api/v1/tasks/{anything}"),
            Some("tasks/{}")
        );
        assert_eq!(
            find(Method::GET, "/api/v1/storage-systems/storage-types"),
            Some("storage-systems/storage-types")
        );
        assert_eq!(
            find(Method::GET, "/api/v1/storage-systems/{id}"),
            Some("storage-systems/{}")
        );
        assert_eq!(find(Method::POST, "/api/v1/tasks/{id}"), None);
        assert_eq!(find(Method::GET, "/api/v1/audit-events"), None);
        assert_eq!(find(Method::GET, "/tasks/{id}"), None);
    }

    #[test]
    fn each_path_parameter_is_named_and_no_row_stands_twice() {
        let mut seen = BTreeSet::new();
        for row in all() {
            let holes = row.path.matches("{}").count();
            assert_eq!(row.names.len(), holes, "{} {}", row.method, row.path);
            assert!(
                seen.insert((row.method, row.path)),
                "{} {}",
                row.method,
                row.path
            );
        }
    }
}
