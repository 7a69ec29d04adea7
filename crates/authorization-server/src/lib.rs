//! The token endpoint, its keys and its metadata
