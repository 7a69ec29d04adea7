//! The only SQL: everything that lasts, and the live projection of it
