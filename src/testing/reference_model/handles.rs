//! Handles: who may look at which process, and the deletion of a session.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::handle::{ProcessHandleDescriptor, SessionScope};
use crate::model::process::{ProcessRecord, ProcessSessionDeleteReport};

use super::expected::{Expected, ExpectedHandle};
use super::{Heard, ReferenceModel};

impl ReferenceModel {
    pub(super) fn grant_handle(
        &mut self,
        scope: &SessionScope,
        process_id: &str,
        descriptor: &ProcessHandleDescriptor,
    ) -> RegistryResult<Expected<'_>> {
        self.process(process_id)?;
        let key = (scope.clone(), process_id.to_owned());
        self.handles.insert(key.clone(), descriptor.clone());
        let granted = self.handles.get_key_value(&key);
        let handle = granted.map(ExpectedHandle::of).ok_or_else(|| RegistryError::unknown(process_id))?;
        Ok(Expected::Handle(handle))
    }

    /// All or nothing. Which of several wrong ids a refusal names is the registry's choice.
    pub(super) fn transfer(
        &mut self,
        from: &SessionScope,
        to: &SessionScope,
        process_ids: &[String],
        heard: Heard<'_>,
    ) -> RegistryResult<Expected<'_>> {
        let named = match heard {
            Some(Err(
                RegistryError::UnknownProcess { process_id }
                | RegistryError::HandleMissing { process_id, .. },
            )) => Some(process_id),
            _ => None,
        };
        let wrong = |is_wrong: &dyn Fn(&&String) -> bool| {
            let chosen = named.filter(|id| process_ids.contains(id) && is_wrong(id));
            chosen.or_else(|| process_ids.iter().find(is_wrong)).cloned()
        };
        if let Some(process_id) = wrong(&|id| !self.processes.contains_key(*id)) {
            return Err(RegistryError::UnknownProcess { process_id });
        }
        let key = |scope: &SessionScope, id: &str| (scope.clone(), id.to_owned());
        if let Some(process_id) = wrong(&|id| !self.handles.contains_key(&key(from, id))) {
            return Err(RegistryError::HandleMissing { scope_id: from.id(), process_id });
        }
        for id in process_ids {
            if let Some(descriptor) = self.handles.remove(&key(from, id)) {
                self.handles.insert(key(to, id), descriptor);
            }
        }
        Ok(Expected::Done)
    }

    pub(super) fn handles_on(&mut self, process_id: &str) -> RegistryResult<Expected<'_>> {
        self.process(process_id)?;
        let on_it = self.handles.iter().filter(|((_, id), _)| id == process_id);
        let mut handles: Vec<_> = on_it.collect();
        handles.sort_by_key(|((scope, _), _)| (scope.session_id.clone(), scope.id()));
        Ok(Expected::Handles(handles.into_iter().map(ExpectedHandle::of).collect()))
    }

    pub(super) fn delete_session(&mut self, session_id: &str, now_ms: u64) -> ProcessSessionDeleteReport {
        let mut report =
            ProcessSessionDeleteReport { session_id: session_id.to_owned(), ..Default::default() };
        let mut touched = BTreeSet::new();
        self.handles.retain(|(scope, id), _| {
            let goes = scope.session_id == session_id;
            if goes {
                report.revoked_handle_count += 1;
                touched.insert(id.clone());
            }
            !goes
        });
        for process in self.processes.values_mut() {
            let target = process.record.registration.wake_target.as_ref();
            if target.is_some_and(|target| target.session_id == session_id) {
                Arc::make_mut(&mut process.record.registration).wake_target = None;
                process.record.updated_at_ms = now_ms;
                report.deleted_wake_count += 1;
            }
        }
        for id in touched {
            if self.processes.get(&id).is_none_or(|process| process.record.is_terminal()) {
                continue;
            }
            if self.handles.keys().any(|(_, held)| *held == id) {
                report.preserved_process_ids.push(id);
            } else {
                report.orphaned_process_ids.push(id);
            }
        }
        report
    }

    /// The handles of exactly this scope, in the order of processes.
    pub(super) fn entries(
        &self,
        scope: &SessionScope,
        with_ended: bool,
    ) -> Vec<(ExpectedHandle<'_>, &ProcessRecord)> {
        let of_scope = self.handles.iter().filter(|((held, _), _)| held == scope);
        of_scope
            .filter_map(|handle| Some((ExpectedHandle::of(handle), &self.processes.get(&handle.0.1)?.record)))
            .filter(|(_, record)| with_ended || !record.is_terminal())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_may_name_any_of_several_unknown_processes() {
        let mut model = ReferenceModel::of_the_contract();
        let scope = SessionScope::session("s");
        let ids = ["a".to_owned(), "b".to_owned()];
        for id in &ids {
            let unknown = RegistryError::unknown(id);
            let refusal = model.transfer(&scope, &scope, &ids, Some(Err(&unknown))).err();
            assert_eq!(refusal, Some(RegistryError::unknown(id)));
        }
    }
}
