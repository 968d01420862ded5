//! Registrations, their hashes, and references to work elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::process::{ProcessExternalRef, ProcessRecord, ProcessRegistration, ProcessStatus};
use crate::registry::calls::Reply;

use super::expected::Expected;
use super::{Heard, ModelledProcess, ReferenceModel};

impl ReferenceModel {
    pub(super) fn register(
        &mut self,
        registration: &ProcessRegistration,
        now_ms: u64,
        heard: Heard<'_>,
    ) -> RegistryResult<Expected<'_>> {
        let answered = match heard {
            Some(Ok(Reply::Record(record))) => Some(record),
            _ => None,
        };
        let hash = self.hash_of(registration, answered);
        if self.processes.contains_key(&registration.id) {
            let process = self.process(&registration.id)?;
            if *process.as_registered == *registration {
                if process.record.registration_hash.is_empty() {
                    process.record.registration_hash = hash;
                }
                return Ok(Expected::Record(&process.record));
            }
            return Err(RegistryError::RegistrationConflict {
                process_id: registration.id.clone(),
                stored_hash: process.record.registration_hash.clone(),
                offered_hash: hash,
            });
        }
        // The answer's own copy of the same content: later comparisons are of one pointer.
        let shared = answered.map(|record| &record.registration).filter(|shared| ***shared == *registration);
        let registration = shared.map_or_else(|| Arc::new(registration.clone()), Arc::clone);
        let record = ProcessRecord {
            registration: Arc::clone(&registration),
            registration_hash: hash,
            created_at_ms: now_ms,
            updated_at_ms: now_ms,
            external_ref: None,
            first_started: None,
            abandon_request: None,
            wait: None,
            status: ProcessStatus::Running,
        };
        let process = ModelledProcess {
            record,
            as_registered: Arc::clone(&registration),
            lease: None,
            is_lease_unheard: false,
            starter: None,
            ender: None,
            events: Vec::new(),
            acked: BTreeSet::new(),
        };
        Ok(Expected::Record(
            &self.processes.entry(registration.id.clone()).or_insert(Box::new(process)).record,
        ))
    }

    /// The hash of this content, by its first answer: one content has one hash, and two have two. Empty, if nobody has heard it.
    fn hash_of(&mut self, registration: &ProcessRegistration, answered: Option<&ProcessRecord>) -> String {
        if let Some((_, known)) = self.hashes.iter().find(|(content, _)| **content == *registration) {
            return known.clone();
        }
        let Some(answered) = answered else { return String::new() };
        let hash = &answered.registration_hash;
        if hash.is_empty() || self.hashes.iter().any(|(_, other)| other == hash) {
            return "the hash of no other content".to_owned();
        }
        self.hashes.push((Arc::new(registration.clone()), hash.clone()));
        hash.clone()
    }

    pub(super) fn set_external_ref(
        &mut self,
        process_id: &str,
        external_ref: &ProcessExternalRef,
        now_ms: u64,
    ) -> RegistryResult<Expected<'_>> {
        let record = &mut self.process(process_id)?.record;
        match &record.external_ref {
            Some(stored) if stored != external_ref => {
                let (process_id, stored) = (process_id.to_owned(), Box::new(stored.clone()));
                return Err(RegistryError::ExternalRefConflict { process_id, stored });
            }
            Some(_) => {}
            None => {
                record.external_ref = Some(external_ref.clone());
                record.updated_at_ms = now_ms;
            }
        }
        Ok(Expected::Record(record))
    }
}
