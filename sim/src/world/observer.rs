//! An observer: another client, which asks for a process's lease at the instants that tell. Where a call of another's registry
//! takes time, nobody knows when in that time it is decided. A lease that expires meanwhile makes a difference: an answer
//! at that very instant shows whether the call had been decided by then.

use fencepost::registry::calls::{Call, Submit};

use crate::history::event::{CallKind, NO_PROCESS};
use crate::plan::{Node, Process};
use crate::world::calls::CallInfo;
use crate::world::poll_task::run_at_registry;
use crate::world::state::due::Due;
use crate::world::state::nodes::Caller;
use crate::world::state::services::Recorder;
use crate::world::state::{World, with};

impl World {
    /// A decision about a process has begun to take time.
    pub fn observe_at_expiry(&mut self, info: &CallInfo, call: u64) {
        // Calls about no single process are not looked into, and whoever reads changes nothing.
        if info.process == NO_PROCESS || info.kind == CallKind::Read {
            return;
        }
        let process = Process(info.process);
        let Some(at_us) = self.true_us_of_expiry(process, 0) else { return };
        if at_us > self.kernel.now_us {
            let life = self.node(Node::Registry).life;
            self.kernel.at(at_us, Due::Observe { process, call, life });
        }
    }
}

/// Asks for the lease, if the decision still goes on.
pub fn observe(process: Process, call: u64, life: u64) {
    let core = with(|world| {
        let is_open = world.records.open_spans.contains_key(&call) && world.node(Node::Registry).life == life;
        let core = world.services.registry.core.clone().filter(|_| is_open)?;
        world.records.caller = Caller::WORLD;
        Some(core)
    });
    let Some(core) = core else { return };
    run_at_registry(Box::pin(async move {
        let asks = Call::GetProcessLease { process_id: process.to_string() };
        drop(Recorder(core).submit(asks.into()).await);
    }));
}
