//! Marks of calls that hosts make without a lease: answers that no worker asks for, and writes to processes that are owned
//! elsewhere.

use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{Event, MethodNo, Write};
use crate::plan::Node;

const BY_METHOD: [(&str, Mark); 5] = [
    ("set_external_ref", Mark::ExternalRefSet),
    ("revoke_handle", Mark::HandleRevoked),
    ("list_handle_grants", Mark::HandlesListed),
    ("delete_session_process_state", Mark::SessionDeleted),
    ("count_events_through", Mark::EventsCounted),
];

pub fn answered(method: MethodNo, counts: &mut CoverageCounts) {
    if let Some((_, mark)) = BY_METHOD.iter().find(|(name, _)| *name == method.name()) {
        counts.hit(*mark);
    }
}

pub fn wrote(event: &Event, write: Write, counts: &mut CoverageCounts) {
    match write {
        Write::FirstStart if is_by_host(event) => counts.hit(Mark::HostStarted),
        Write::Wait if is_by_host(event) => counts.hit(Mark::HostWaited),
        Write::FirstStart
        | Write::Wait
        | Write::WaitCleared
        | Write::Progress
        | Write::AbandonRequest
        | Write::Signal
        | Write::CancelRequest
        | Write::StartedByItself
        | Write::WakeAcked
        | Write::HandleGranted
        | Write::HandlesMoved
        | Write::StartedBefore => {}
    }
}

pub fn ended(event: &Event, counts: &mut CoverageCounts) {
    if is_by_host(event) {
        counts.hit(Mark::HostEnded);
    }
}

fn is_by_host(event: &Event) -> bool {
    matches!(Node::from_code(event.node), Node::Host(_)) && !event.grant.is_some()
}
