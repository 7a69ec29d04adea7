//! The stand-in as whoever serves it sees it: the project's own definition, a seeded state, requests
//! and a clock that the test moves.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod acts;
mod answers;
mod any_definition;
mod application_sets;
mod capacity;
mod clones;
mod definition;
mod device_type1;
mod device_type2;
mod device_type2_acts;
mod device_type2_invariants;
mod device_type2_sets;
mod every_operation;
mod exports;
mod histories;
mod host_family;
mod hosts;
mod invariants;
mod issues;
mod lists;
mod playbook;
mod real_definition;
mod replay;
mod snapshot_acts;
mod snapshots;
mod stand;
mod task_parts;
mod tasks;
mod volumes;
mod world;
