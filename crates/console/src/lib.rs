//! API credentials for people and their programs
