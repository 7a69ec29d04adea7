//! The guard in front of an API
