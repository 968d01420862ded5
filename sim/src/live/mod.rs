//! The laws over a real system: workers and hosts as processes of the operating system, over a real SQLite file or a real
//! Postgres server, while processes are killed and stopped and connections are cut. Each process writes a journal of what it
//! decided and saw; after the run the journals become one history. Read `conductor` first, then `recorded_store`, then
//! `merge/`.

mod conductor;
mod final_look;
mod fleet;
mod host;
mod host_request;
mod journal;
mod live_error;
mod machine;
mod machine_clock;
mod merge;
mod nemesis;
mod observed_calls;
mod outside;
mod proxy;
mod recorded_registry;
mod recorded_store;
mod scripts;
mod settings;
mod store_door;
mod store_host;
mod watched_rows;
mod worker;
mod workload;

pub use conductor::{LiveFaults, LiveRun, conduct};
pub use live_error::LiveError;
pub use merge::MergedRun;
pub use settings::{LiveRequest, LiveStore, NOT_JUDGED, UnjudgedLaw};

/// Runs this process as the worker or host that its environment names, until it is killed.
pub fn run_child() -> Result<(), LiveError> {
    let seat = settings::ChildSeat::from_environment()?;
    match seat.node {
        crate::plan::Node::Host(_) => host::run(&seat),
        _ => worker::run(&seat),
    }
}
