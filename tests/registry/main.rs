//! The registry, tested through its public face: the conformance suite on every way to reach one, the lease rules as a
//! table, memory and SQLite against a model, bad input, crashes of real processes.

mod agreement;
mod conformance;
mod model;
