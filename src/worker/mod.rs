//! The worker: it sweeps the registry and makes one attempt on each row. Read `durable_worker` first, then `sweep`,
//! then `attempt`.

mod attempt;
mod attempt_end;
mod body;
mod claim;
mod config;
mod context;
mod drain;
mod durable_worker;
mod renewal;
mod run_process;
mod state;
mod sweep;

pub use config::DurableProcessWorkerConfig;
pub use durable_worker::DurableProcessWorker;
