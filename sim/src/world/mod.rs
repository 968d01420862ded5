//! The world runs one plan with the code under test in it: machines, network, disk and clocks are simulated, and every
//! decision is recorded. No other part knows how. Read `run.rs` first, then `scheduler.rs`, `state/`, `recorder/` and
//! `liveness.rs`.

mod bodies;
mod calls;
mod candidate;
mod contender;
mod dispatch;
mod effects;
mod environment;
mod fingerprint;
mod host_calls;
mod hosts;
mod liveness;
mod machines;
mod messages;
mod observed_client;
mod observer;
mod poll_task;
mod recorder;
mod registry_node;
mod registry_waits;
mod renew_then_write;
mod run;
mod scheduler;
mod stale_calls;
mod state;
mod std_clock;
mod steps;
mod store_line;
mod store_node;
mod timed_store;
mod tokio_node;
mod waits;
mod worker_node;

pub use run::{Outcome, run, run_with_calls, run_with_messages};
pub use state::records::DecidedCall;
pub use state::traffic::{ArrivedRequest, MessageLog, SentMessage};
pub use std_clock::with_std_clock;
