//! The registry, tested through its public face: the conformance suite on every way to reach one, the lease rules as a
//! table, memory and SQLite against a model, bad input, crashes of real processes.

mod agreement;
mod architecture;
mod bad_input;
mod calls;
mod clock;
mod conformance;
mod costs;
mod crashes;
mod default_bodies;
mod lease_table;
mod planted;
mod sample;
mod shapes;
