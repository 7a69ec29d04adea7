//! Application instances: services in a region, with what answers behind them (domain facts, section 5).
//!
//! All workspaces share them, so everybody signed in may see them; only people of the workspace that
//! operates the system change them, and see where calls are passed on to. Where calls go is said by
//! those of them who may do everything there (decision 0021).

pub(crate) mod pages;
pub(crate) mod rest;
mod wire;

use hallpass_store::ApplicationInstance;
use hallpass_store::instances::{InstanceChange, InstanceError};

use crate::Console;
use crate::answer::Refusal;

/// Where the REST API for them is.
pub(crate) const INSTANCES_PATH: &str = "/workspaces/v1/application-instances";

/// Where their pages are.
pub(crate) const INSTANCES_PAGE: &str = "/console/instances";

/// What is said where there is none of that id.
const NO_INSTANCE: &str = "there is no such application instance";

/// Whether a change says anew where calls go: clients are told the base URL, and send their tokens to
/// it; the listener takes them; the upstream gets them.
fn directs(known: &ApplicationInstance, change: &InstanceChange) -> bool {
    let differs = change
        .base_url
        .as_ref()
        .is_some_and(|new| *new != known.base_url);
    differs
        || change
            .origin
            .as_ref()
            .is_some_and(|new| *new != known.origin)
        || change.listen.is_some_and(|new| new != known.listen)
}

impl Console {
    /// The URL by which clients know an instance under this name of the console: the one that was given
    /// to it, or that of its listener. There is none where it has neither.
    pub(crate) fn base_url_of(&self, instance: &ApplicationInstance) -> Option<String> {
        let given = instance.base_url.as_ref().map(ToString::to_string);
        given
            .or_else(|| self.addresses.instances.get(&instance.name).cloned())
            .or_else(|| Some(format!("http://{}", instance.listen?)))
    }
}

impl From<InstanceError> for Refusal {
    fn from(error: InstanceError) -> Self {
        match error {
            InstanceError::BadName | InstanceError::BadText { .. } => {
                Self::BadRequest(error.to_string())
            }
            InstanceError::Unknown(_) => Self::NotFound(NO_INSTANCE),
            InstanceError::Store(error) => Self::Unavailable(error),
            InstanceError::Listen { address, source } => {
                Self::Conflict(format!("it cannot listen on {address}: {source}"))
            }
            conflict => Self::Conflict(conflict.to_string()),
        }
    }
}
