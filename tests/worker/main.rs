//! The worker, its waits and the remote registry, as stories on an environment that is turned by hand: no wall clock,
//! no sleeping. Read `stage.rs` first.

mod answers;
mod crash_points;
mod decisions;
mod draining;
mod economy;
mod example;
mod foreign;
mod interleavings;
mod keeping;
mod remote;
mod signals;
mod stage;
mod stories;
mod telling;
mod waiting;
