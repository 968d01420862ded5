//! Prunes, as `rules/retention.rs` decides them.

use crate::model::error::RegistryResult;
use crate::model::process::ProcessPruneReport;
use crate::model::row::HighWater;
use crate::registry::apply::step::AtomicStep;

impl AtomicStep<'_> {
    pub(super) fn prune(&mut self, cutoff_ms: u64) -> RegistryResult<ProcessPruneReport> {
        let mut report = ProcessPruneReport::default();
        let Some(through_ms) = (self.rules.prune_through)(cutoff_ms) else {
            return Ok(report);
        };
        for process_id in self.rows.ended_through(through_ms)? {
            // The index says that it ended; only the row knows, and a damaged one is not deleted on a guess.
            if !self.rows.lease_row(&process_id)?.status.is_some_and(|status| status.is_terminal()) {
                continue;
            }
            let kept: HighWater = (self.rules.survives_prune)(self.rows.high_water(&process_id)?);
            report.pruned_events += self.rows.prune(&process_id, kept)?;
            report.pruned_processes += 1;
        }
        Ok(report)
    }
}
