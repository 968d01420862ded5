//! Records, lists of them, and prunes.

use crate::model::process::{ProcessListFilter, ProcessPruneReport, ProcessRecord};

use super::{ReferenceModel, reached_in};

impl ReferenceModel {
    pub(super) fn record(&self, process_id: &str) -> Option<&ProcessRecord> {
        self.processes.get(process_id).map(|process| &process.record)
    }

    /// Lists processes in the order of their ids.
    pub(super) fn list(&self, filter: &ProcessListFilter) -> Vec<&ProcessRecord> {
        let records = self.processes.values().map(|process| &process.record);
        records
            .filter(|record| {
                let registration = &record.registration;
                filter.status.is_none_or(|kind| kind == record.status.kind())
                    && filter.waiting.is_none_or(|waiting| waiting == record.wait.is_some())
                    && filter.disposition.is_none_or(|wanted| wanted == registration.disposition)
                    && (filter.definition.is_none() || filter.definition == registration.identity.definition)
                    && filter.after.as_ref().is_none_or(|after| registration.id > *after)
            })
            .take(filter.limit.unwrap_or(usize::MAX))
            .collect()
    }

    /// Prunes ended rows that were last updated before the cutoff. The largest cutoff prunes every ended row.
    pub(super) fn prune(&mut self, cutoff_ms: u64) -> ProcessPruneReport {
        let mut report = ProcessPruneReport::default();
        self.processes.retain(|_, process| {
            let is_old = process.record.updated_at_ms < cutoff_ms || cutoff_ms == u64::MAX;
            let goes = process.record.is_terminal() && is_old;
            if goes {
                let reached = reached_in(&mut self.reached, process.record.id());
                if self.leniency.prune_forgets_fences {
                    reached.fence = 0;
                }
                if self.leniency.prune_forgets_sequences {
                    reached.sequence = 0;
                }
                report.pruned_processes += 1;
                report.pruned_events += process.events.len() as u64;
            }
            !goes
        });
        self.handles.retain(|(_, id), _| self.processes.contains_key(id));
        report
    }
}
