//! Waits for the end of a process, each recorded from its beginning to its end.

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::awaiter::ProcessAwaiter;
use fencepost::driver::ProcessAttach;
use fencepost::model::process::ProcessAwaitOutput;

use crate::history::event::{GrantNo, What};
use crate::plan::{Node, Process};
use crate::world::fingerprint::hash_of;
use crate::world::recorder::resolve_unknown;
use crate::world::state::{try_with, with};

/// Our own way to wait.
pub struct OurWaits(pub ProcessAwaiter);

#[async_trait]
impl ProcessAttach for OurWaits {
    async fn await_terminal(&self, process_id: &str) -> Result<ProcessAwaitOutput, RegistryError> {
        self.0.await_terminal(process_id).await
    }
}

/// Waits at a node until the process ends, and records both ends of the wait.
pub async fn wait(node: Node, process: Process, waits: &dyn ProcessAttach) {
    let wait = OpenWait::begin(node, process);
    let answer = waits.await_terminal(&process.to_string()).await;
    if node == Node::Registry {
        // Beside the registry an end can be seen that no recorded call has told of.
        let core = with(|world| world.services.registry.core.clone());
        if let Some(core) = core {
            resolve_unknown::resolve(core.as_ref()).await;
        }
    }
    wait.end(answer.as_ref().map_or(0, hash_of));
}

/// A wait that goes on. Dropped, it is over without an end.
struct OpenWait {
    node: Node,
    process: Process,
    number: u64,
}

impl OpenWait {
    fn begin(node: Node, process: Process) -> Self {
        with(|world| {
            world.workload.waits += 1;
            world.workload.waiting += 1;
            let number = world.workload.waits;
            world.note(node, process.0, GrantNo::NONE, What::WaitBegan { wait: number });
            Self { node, process, number }
        })
    }

    fn end(self, outcome: u64) {
        with(|world| {
            let what = What::WaitEnded { outcome, wait: self.number };
            world.note(self.node, self.process.0, GrantNo::NONE, what);
        });
    }
}

impl Drop for OpenWait {
    fn drop(&mut self) {
        try_with(|world| world.workload.waiting -= 1);
    }
}
