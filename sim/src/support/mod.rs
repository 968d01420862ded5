//! Small helpers that know nothing of leases: files written whole, plural words, escaped markup, remembered panics.

pub mod atomic_file;
pub mod differing;
pub mod markup;
pub mod panics;
pub mod plural;
pub mod unknown_name;
