//! The world runs one plan with the code under test in it: machines, network, disk and clocks are simulated, and every
//! decision is recorded. No other part knows how. Read `run.rs` first, then `scheduler.rs`, `state/`, `recorder/` and
//! `liveness.rs`.

mod bodies;
mod calls;
mod candidate;
mod contender;
mod cut_off;
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
mod own_store;
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

#[cfg(feature = "live")]
pub(crate) use calls::{
    is_unfenced_execution, kind_of, presented_by, process_in, process_of, refusal_of, request_in, status_of,
};
#[cfg(feature = "live")]
pub(crate) use fingerprint::{hash_of, hash_text};
pub use liveness::liveness_phase_has_begun;
pub use run::{Outcome, run, run_with_calls, run_with_messages};
#[cfg(feature = "live")]
pub(crate) use state::grants::Grants;
pub use state::records::DecidedCall;
pub use state::traffic::{ArrivedRequest, MessageLog, SentMessage};
pub use std_clock::with_std_clock;
