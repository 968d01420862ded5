//! Wrappers that stand before our registry and spoil one answer, or the call before it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fencepost::model::handle::SessionScope;
use fencepost::model::lease::ProcessLease;
use fencepost::model::process::{DurabilityTier, ProcessListFilter};
use fencepost::registry::calls::{Answer, Call, Reply, Submit};

use crate::subject::Core;

/// Changes calls before they are decided, and answers after.
pub struct Spoils {
    pub core: Core,
    pub call: fn(Call) -> Call,
    /// With the call as it was made.
    pub reply: fn(&Call, &mut Reply),
}

#[async_trait]
impl Submit for Spoils {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let mut reply = self.core.submit((self.call)(Call::clone(&call)).into()).await?;
        (self.reply)(&call, &mut reply);
        Ok(reply)
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

/// Shows the lease of whoever ended a process, for ever.
pub struct ShowsEndersLeases {
    pub core: Core,
    pub enders: Mutex<BTreeMap<String, ProcessLease>>,
}

#[async_trait]
impl Submit for ShowsEndersLeases {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let reply = self.core.submit(Arc::clone(&call)).await?;
        let mut enders = self.enders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Call::CompleteProcessWithLease { lease, .. } = &*call {
            enders.insert(lease.process_id.clone(), lease.clone());
        }
        Ok(match (&*call, &*reply) {
            (Call::GetProcessLease { process_id }, Reply::MaybeLease(None)) => {
                Box::new(Reply::MaybeLease(enders.get(process_id).cloned()))
            }
            _ => reply,
        })
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.core.durability_tier()
    }
}

pub fn first_page_of_work(asked: &Call, reply: &mut Reply) {
    if let (Call::ListNonTerminal {}, Reply::Records(records)) = (asked, reply) {
        records.truncate(2);
    }
}

pub fn as_it_is(call: Call) -> Call {
    call
}

pub fn unchanged(_: &Call, _: &mut Reply) {}

pub fn without_the_wait(_: &Call, reply: &mut Reply) {
    if let Reply::MaybeRecord(Some(record)) = reply {
        record.wait = None;
    }
}

/// The whole page, of which the filter then takes its part.
pub fn page_of_all(call: Call) -> Call {
    match call {
        Call::ListProcesses { filter } => {
            let ProcessListFilter { limit, after, .. } = filter;
            Call::ListProcesses { filter: ProcessListFilter { limit, after, ..ProcessListFilter::any() } }
        }
        call => call,
    }
}

pub fn filtered_afterwards(call: &Call, reply: &mut Reply) {
    if let (Call::ListProcesses { filter }, Reply::Records(records)) = (call, reply) {
        records.retain(|record| {
            filter.status.is_none_or(|kind| kind == record.status.kind())
                && filter.waiting.is_none_or(|waiting| waiting == record.wait.is_some())
                && filter.disposition.is_none_or(|wanted| wanted == record.disposition())
                && (filter.definition.is_none()
                    || filter.definition == record.registration.identity.definition)
        });
    }
}

/// A cursor in a signed column: the greatest is before the first.
pub fn signed_cursor(call: Call) -> Call {
    match call {
        Call::EventsAfter { process_id, after_sequence } if i64::try_from(after_sequence).is_err() => {
            Call::EventsAfter { process_id, after_sequence: 0 }
        }
        call => call,
    }
}

pub fn counted_below(call: Call) -> Call {
    match call {
        Call::CountEventsThrough { process_id, event_type, up_to_sequence } => Call::CountEventsThrough {
            process_id,
            event_type,
            up_to_sequence: up_to_sequence.saturating_sub(1),
        },
        call => call,
    }
}

pub fn all_events(call: Call) -> Call {
    match call {
        Call::RecentEvents { process_id, .. } => Call::RecentEvents { process_id, limit: usize::MAX },
        call => call,
    }
}

pub fn the_first_of_them(call: &Call, reply: &mut Reply) {
    if let (Call::RecentEvents { limit, .. }, Reply::Events(events)) = (call, reply) {
        events.truncate(*limit);
    }
}

pub fn wakes_with_the_acked(call: Call) -> Call {
    match call {
        Call::WakeEventsAfter { process_id, after_sequence } => {
            Call::EventsAfter { process_id, after_sequence }
        }
        call => call,
    }
}

pub fn events_that_wake(call: &Call, reply: &mut Reply) {
    if let (Call::WakeEventsAfter { .. }, Reply::Events(events)) = (call, reply) {
        events.retain(|event| event.wake.is_some());
    }
}

pub fn handles_of_all(call: Call) -> Call {
    match call {
        Call::ListLiveHandleGrants { session_scope } => Call::ListHandleGrants { session_scope },
        call => call,
    }
}

/// A frame's scope is taken for its session's.
pub fn without_the_frame(call: Call) -> Call {
    let of_session = |scope: SessionScope| SessionScope::session(scope.session_id);
    match call {
        Call::ListHandleGrants { session_scope } => {
            Call::ListHandleGrants { session_scope: of_session(session_scope) }
        }
        Call::HasHandleGrant { session_scope, process_id } => {
            Call::HasHandleGrant { session_scope: of_session(session_scope), process_id }
        }
        Call::RevokeHandle { session_scope, process_id } => {
            Call::RevokeHandle { session_scope: of_session(session_scope), process_id }
        }
        call => call,
    }
}

pub fn no_wakes_cleared(_: &Call, reply: &mut Reply) {
    if let Reply::SessionDeleted(report) = reply {
        report.deleted_wake_count = 0;
    }
}

pub fn no_events_pruned(_: &Call, reply: &mut Reply) {
    if let Reply::Pruned(report) = reply {
        report.pruned_events = 0;
    }
}
