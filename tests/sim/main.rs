//! The harness, put to the test: does it repeat itself, do its laws bite, does it tell what it found? Read `plan.rs` and
//! `stories.rs` first.

mod answers;
mod architecture;
mod browser;
mod check;
mod ci_files;
mod claims;
mod clients;
mod command_line;
mod determinism;
mod disk;
mod docs;
mod false_alarms;
mod fuzz;
mod honest;
mod laws;
mod leases;
mod live;
mod matrix;
mod others;
mod plan;
mod property;
mod prove;
mod regressions;
mod report;
mod shrinking;
mod situations;
mod std_clock;
mod stories;
mod workers;
mod wrappers;
mod your_lease;
mod your_registry;
