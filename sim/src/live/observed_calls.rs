//! A worker's calls, observed at the worker: each is noted in the poll that begins it, by the reading of the clock that its
//! worker checked its lease with, and again when its answer arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use fencepost::model::lease::ProcessLeaseClaimOutcome;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, Call, Reply, Submit};

use crate::live::journal::{HeardResult, Journal, JournalEntry};
use crate::live::machine::{last_check, last_monotonic};
use crate::live::recorded_registry::RecordedRegistry;
use crate::planted::live::LiveDefect;

pub struct ObservedCalls {
    pub registry: RecordedRegistry,
    pub journal: Arc<Journal>,
    pub defect: Option<LiveDefect>,
    pub numbers: AtomicU64,
}

#[async_trait]
impl Submit for ObservedCalls {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let call = match (self.defect, &*call) {
            (
                Some(LiveDefect::UnfencedCompletion),
                Call::CompleteProcessWithLease { lease, await_output },
            ) => {
                let (process_id, await_output) = (lease.process_id.clone(), await_output.clone());
                Call::CompleteProcess { process_id, await_output }.into()
            }
            _ => call,
        };
        if call.is_read() {
            return self.registry.submit(call).await;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let sent = JournalEntry::Sent { number, call: Arc::clone(&call) };
        // A lease is counted from the reading that its claim was sent on; other calls are made under a lease.
        let is_claim = matches!(*call, Call::ClaimProcessLease { .. } | Call::ReclaimProcessLease { .. });
        self.journal.note_by(sent, if is_claim { last_monotonic() } else { last_check() });
        let answer = self.registry.submit(call).await;
        let result = match answer.as_deref() {
            Ok(Reply::Claim(ProcessLeaseClaimOutcome::Acquired(lease))) => {
                HeardResult::Acquired(lease.clone())
            }
            Ok(Reply::Claim(ProcessLeaseClaimOutcome::Busy { .. })) => HeardResult::Busy,
            Ok(_) => HeardResult::Done,
            Err(error) => HeardResult::Error(error.clone()),
        };
        self.journal.note(JournalEntry::Heard { number, result });
        answer
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.registry.durability_tier()
    }
}
