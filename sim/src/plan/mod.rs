//! A plan: everything a run depends on, as a value. A header describes the world; steps say what happens in it, one line of
//! text each. A plan is kept as a TOML file, and the same plan gives the same events, byte for byte, on any machine.
//!
//! Each kind of step is one file, under [`work`] or [`fault`]. How a plan is made stands in `generate`, and what a step
//! does to the world in `world`, behind [`simulation::Simulation`].

mod action_parts;
pub mod all_kinds;
pub mod body;
pub mod chance;
mod check;
pub mod clock;
pub mod clock_fault;
mod digits;
pub mod draw;
mod error;
pub mod fault;
mod file;
mod header;
pub mod host_call;
pub mod kind_entry;
pub mod method;
mod names;
pub mod simulation;
pub mod span;
pub mod step;
pub mod step_kind;
pub(crate) mod toml_text;
mod words;
pub mod work;

pub use error::PlanError;
pub use file::Outline;
pub use header::{ClockSetting, FORMAT, LeaseSetting, Links, Plan, Store, TaskOrder};
pub use names::{Link, Node, NodeNumbers, Process, Scope};
