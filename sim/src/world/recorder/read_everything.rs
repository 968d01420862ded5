//! Reads everything there is from beside the run, and holds it against the model: what nobody asks for, too. It is done when
//! the liveness phase begins, with leases and waits in the rows, and when it ends.

use fencepost::model::handle::SessionScope;
use fencepost::model::process::{ProcessListFilter, ProcessStatusKind};
use fencepost::registry::calls::{Call, Reply, Submit};

use crate::disk;
use crate::plan::Node;
use crate::world::poll_task::run_at_registry;
use crate::world::recorder::judge_answers::look_and_judge;
use crate::world::state::with;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Records, leases and handles: logs only grow, and are read at the end.
    Rows,
    RowsAndLogs,
}

/// While the registry is down there is nothing to read.
pub fn read_everything(extent: Extent) {
    let core = with(|world| {
        let is_up = world.node(Node::Registry).is_up && world.records.answers.is_judging();
        is_up.then(|| world.services.registry.core.clone()).flatten()
    });
    let is_dead = disk::with(|disk| disk.died()).flatten().is_some();
    if let (Some(core), false) = (core, is_dead) {
        run_at_registry(Box::pin(async move {
            // None is a registry that takes time, and was given up.
            let (Some(()) | None) = read_all_rows(core.as_ref(), extent).await;
        }));
    }
}

async fn read_all_rows(registry: &dyn Submit, extent: Extent) -> Option<()> {
    let any = ProcessListFilter::any;
    read(registry, Call::ListProcesses { filter: any() }).await?;
    let one_ended = ProcessListFilter { status: Some(ProcessStatusKind::Completed), limit: Some(1), ..any() };
    read(registry, Call::ListProcesses { filter: one_ended }).await?;
    for session in ["s1", "s2"] {
        let session_scope = SessionScope::session(session);
        read(registry, Call::ListHandleGrants { session_scope: session_scope.clone() }).await?;
        read(registry, Call::ListLiveHandleGrants { session_scope }).await?;
    }
    let known = with(|world| world.records.rows.len());
    for process in 1..known {
        let process_id = format!("p{process}");
        read(registry, Call::GetProcessLease { process_id: process_id.clone() }).await?;
        if extent == Extent::RowsAndLogs {
            read_log(registry, process_id).await?;
        }
    }
    Some(())
}

async fn read_log(registry: &dyn Submit, process_id: String) -> Option<()> {
    let id = || process_id.clone();
    read(registry, Call::HandleGrantsForProcess { process_id: id() }).await?;
    read(registry, Call::WakeEventsAfter { process_id: id(), after_sequence: 0 }).await?;
    let log = read(registry, Call::EventsAfter { process_id: id(), after_sequence: 0 }).await?;
    let Reply::Events(events) = log else { return Some(()) };
    let Some(last) = events.last() else { return Some(()) };
    // At the bounds, where a comparison is easily wrong.
    let (event_type, up_to_sequence) = (last.event_type.clone(), last.sequence);
    read(registry, Call::CountEventsThrough { process_id: id(), event_type, up_to_sequence }).await?;
    read(registry, Call::RecentEvents { process_id: id(), limit: 1 }).await?;
    read(registry, Call::EventsAfter { process_id: id(), after_sequence: u64::MAX }).await?;
    Some(())
}

/// None, if the registry takes time; a refusal is as good as no answer here.
async fn read(registry: &dyn Submit, call: Call) -> Option<Reply> {
    Some(look_and_judge(registry, call).await?.unwrap_or(Reply::Done(())))
}
