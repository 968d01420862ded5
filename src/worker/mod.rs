//! The worker: it sweeps the registry and makes one attempt on each row. Read `durable_worker` first, then `attempt`.

mod attempt;
mod body;
mod claim;
mod durable_worker;
mod renewal;

pub use durable_worker::{DurableProcessWorker, DurableProcessWorkerConfig};
