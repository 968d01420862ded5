//! Marks of rows that changed between the list by which a worker found them and its claim.

use std::collections::BTreeMap;

use fencepost::model::process::RecoveryDisposition;

use crate::coverage::per_process::PerProcess;
use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{CallKind, CallResult, Event, Write};

#[derive(Default)]
pub struct ListingObserver {
    /// When each node listed last.
    listed_at_us: BTreeMap<u8, u64>,
    processes: PerProcess<RowChanges>,
}

#[derive(Default)]
struct RowChanges {
    started_at_us: Option<u64>,
    registered_at_us: u64,
    /// The dispositions of its last two lives, the present one last.
    dispositions: [Option<RecoveryDisposition>; 2],
}

impl ListingObserver {
    pub fn listed(&mut self, event: &Event) {
        self.listed_at_us.insert(event.node, event.at_us);
    }

    pub fn registered(&mut self, event: &Event, disposition: RecoveryDisposition) {
        let row = self.processes.of(event.process);
        row.registered_at_us = event.at_us;
        row.dispositions = [row.dispositions[1], Some(disposition)];
    }

    pub fn wrote(&mut self, event: &Event, write: Write) {
        if write == Write::FirstStart {
            self.processes.of(event.process).started_at_us = Some(event.at_us);
        }
    }

    pub fn granted(&mut self, event: &Event, counts: &mut CoverageCounts) {
        let listed_at_us = self.listed_at_us.get(&event.node).copied().unwrap_or_default();
        let row = self.processes.of(event.process);
        if row.started_at_us.is_some_and(|at_us| at_us > listed_at_us) {
            counts.hit(Mark::StartedSinceListed);
        }
        let [before, now] = row.dispositions;
        if before.is_some() && before != now && row.registered_at_us > listed_at_us {
            counts.hit(Mark::OtherDispositionSinceListed);
        }
    }

    pub fn refused(&self, call: CallKind, why: CallResult, counts: &mut CoverageCounts) {
        if (call, why) == (CallKind::Claim, CallResult::AlreadyTerminal) {
            counts.hit(Mark::EndedSinceListed);
        }
    }

    pub fn pruned(&mut self, event: &Event) {
        let row = self.processes.of(event.process);
        *row = RowChanges { dispositions: row.dispositions, ..RowChanges::default() };
    }

    pub fn node_crashed(&mut self, node: u8) {
        self.listed_at_us.remove(&node);
    }
}
