//! Handles, as `rules/handles.rs` decides them, and the deletion of a session.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::error::RegistryResult;
use crate::model::handle::{ProcessHandleDescriptor, ProcessHandleGrant, SessionScope};
use crate::model::process::{ProcessId, ProcessSessionDeleteReport};
use crate::model::row::ProcessRow;
use crate::registry::apply::step::AtomicStep;
use crate::rules::handles::TransferItem;

impl AtomicStep<'_> {
    pub(super) fn grant_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: ProcessHandleDescriptor,
    ) -> RegistryResult<ProcessHandleGrant> {
        self.must_exist(process_id)?;
        self.rows.put_handle(scope, process_id, &descriptor)?;
        Ok(ProcessHandleGrant::new(scope, process_id, descriptor))
    }

    pub(super) fn transfer_handles(
        &mut self,
        from: &SessionScope,
        to: &SessionScope,
        process_ids: &[ProcessId],
    ) -> RegistryResult<()> {
        let distinct: BTreeSet<ProcessId> = process_ids.iter().cloned().collect();
        let items = distinct
            .into_iter()
            .map(|process_id| {
                let is_known = self.rows.exists(&process_id)?;
                let held = self.rows.handle(from, &process_id)?;
                Ok(TransferItem { process_id, is_known, held })
            })
            .collect::<RegistryResult<Vec<_>>>()?;
        (self.rules.transfer)(&from.id(), &items)?;
        if from == to {
            return Ok(());
        }
        for TransferItem { process_id, held, .. } in &items {
            if let Some(descriptor) = held {
                self.rows.remove_handle(from, process_id)?;
                self.rows.put_handle(to, process_id, descriptor)?;
            }
        }
        Ok(())
    }

    pub(super) fn delete_session(&mut self, session_id: &str) -> RegistryResult<ProcessSessionDeleteReport> {
        let mut report =
            ProcessSessionDeleteReport { session_id: session_id.to_owned(), ..Default::default() };
        let mut touched = BTreeSet::new();
        for (process_id, scope) in self.rows.handles_of_session(&report.session_id)? {
            self.rows.remove_handle(&scope, &process_id)?;
            report.revoked_handle_count += 1;
            touched.insert(process_id);
        }
        for process_id in self.rows.processes_waking(&report.session_id)? {
            self.clear_wake_target(&process_id)?;
            report.deleted_wake_count += 1;
        }
        for process_id in touched {
            if self.stored_process(&process_id)?.row.record.is_terminal() {
                continue;
            }
            if self.rows.handles_on(&process_id)?.is_empty() {
                report.orphaned_process_ids.push(process_id);
            } else {
                report.preserved_process_ids.push(process_id);
            }
        }
        Ok(report)
    }

    fn clear_wake_target(&mut self, process_id: &str) -> RegistryResult<()> {
        let process = self.stored_process(process_id)?;
        let mut row = ProcessRow::clone(&process.row);
        Arc::make_mut(&mut row.record.registration).wake_target = None;
        row.record.updated_at_ms = self.now_ms;
        self.rows.put_row(Some(&process.row), Arc::new(row))
    }
}
