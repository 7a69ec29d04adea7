//! The stand-in under the names of the real system: certificate, names, and what answers under each.

mod by_name;
mod certificate;
pub(crate) mod hosts;
mod issuing;

pub(crate) use by_name::ByName;
pub(crate) use certificate::Certificate;
