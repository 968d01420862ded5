//! Marks of processes that are given up: by a drain of their owner, or as somebody requested it.

use fencepost::model::process::AbandonWriter;

use crate::coverage::per_process::PerProcess;
use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::Event;

#[derive(Default)]
pub struct AbandonmentObserver {
    /// Who is about to give the process up.
    writers: PerProcess<Option<AbandonWriter>>,
}

impl AbandonmentObserver {
    pub fn gives_up(&mut self, event: &Event, writer: AbandonWriter) {
        *self.writers.of(event.process) = Some(writer);
    }

    pub fn ended(&mut self, event: &Event, counts: &mut CoverageCounts) {
        match self.writers.of(event.process).take() {
            Some(AbandonWriter::ReconciledRequest) => counts.hit(Mark::AbandonSettled),
            Some(AbandonWriter::OwnerDrain) => counts.hit(Mark::OwnerDrained),
            Some(AbandonWriter::Sweep) | None => {}
        }
    }

    pub fn pruned(&mut self, event: &Event) {
        *self.writers.of(event.process) = None;
    }
}
