//! Checks that fencepost's contract asks for and upstream's trait does not make, and upstream's words as typed errors.

use fencepost::RegistryError;
use fencepost::model::lease::ProcessLease;
use fencepost::model::process::{AbandonWriter, ProcessAwaitOutput, ProcessRecord, RecoveryDisposition};
use lash_core as theirs;

use crate::adapter::{Lash, Theirs};
use crate::shapes::{Answer, our_lease, our_record};

impl Lash {
    pub async fn row(&self, process_id: &str) -> Answer<ProcessRecord> {
        self.read(process_id).await?.ok_or_else(|| RegistryError::unknown(process_id))
    }

    /// Upstream's read says "none" of a failure, too: only the log tells the two apart.
    pub async fn read(&self, process_id: &str) -> Answer<Option<ProcessRecord>> {
        if let Some(record) = self.registry.get_process(process_id).await {
            return our_record(record).map(Some);
        }
        match self.registry.events_after(process_id, 0).await {
            Err(error) if error.to_string().contains("unknown process") => Ok(None),
            Err(error) => Err(RegistryError::backend("read_process", error)),
            Ok(_) => Err(RegistryError::backend("read_process", "it answers no record for a known process")),
        }
    }

    pub async fn stored(&self, process_id: &str) -> Answer<Option<ProcessLease>> {
        let stored = self.registry.get_process_lease(process_id).await;
        self.or_refused(process_id, stored).await?.map(our_lease).transpose()
    }

    pub fn is_unexpired(&self, lease: &ProcessLease) -> bool {
        lease.expires_at_epoch_ms > self.environment.now_epoch_ms()
    }

    pub fn ttl(&self, ttl_ms: u64) -> Answer<()> {
        match self.environment.now_epoch_ms().checked_add(ttl_ms) {
            Some(_) if ttl_ms > 0 => Ok(()),
            _ => Err(RegistryError::invalid("lease_ttl_ms", "must end after now, and in time")),
        }
    }

    pub async fn must_run(&self, process_id: &str) -> Answer<()> {
        self.row(process_id).await?;
        self.must_not_have_ended(process_id).await
    }

    /// The release says itself if the process is known.
    pub async fn must_not_have_ended(&self, process_id: &str) -> Answer<()> {
        match self.read(process_id).await? {
            Some(row) if row.is_terminal() => {
                Err(RegistryError::AlreadyTerminal { process_id: row.id().to_owned(), status: row.status })
            }
            _ => Ok(()),
        }
    }

    /// Writes of an execution come under a lease where workers run it, and without one where nobody here does.
    pub fn must_be_addressed_rightly(&self, row: &ProcessRecord, by: Option<&ProcessLease>) -> Answer<()> {
        match (row.disposition().is_worker_run(), by) {
            // A release without a fenced completion is worked by a protocol of unfenced writes.
            (true, None) if cfg!(feature = "fenced") => {
                Err(RegistryError::LeaseRequired { process_id: row.id().to_owned() })
            }
            (false, Some(_)) => Err(RegistryError::invalid(
                "process_id",
                "is externally owned: use the method without a lease",
            )),
            _ => Ok(()),
        }
    }

    pub async fn must_hold(&self, presented: &ProcessLease) -> Answer<()> {
        let (fence, process_id) = (presented.fencing_token, presented.process_id.clone());
        match self.stored(&process_id).await? {
            Some(held) if held.grant() == presented.grant() => match self.is_unexpired(&held) {
                true => Ok(()),
                false => Err(RegistryError::LeaseExpired {
                    process_id,
                    fence,
                    expires_at_epoch_ms: held.expires_at_epoch_ms,
                    now_epoch_ms: self.environment.now_epoch_ms(),
                }),
            },
            held => Err(RegistryError::LeaseSuperseded {
                process_id,
                presented_fence: fence,
                current_fence: held.map_or(fence, |held| held.fencing_token),
            }),
        }
    }

    /// Time alone is no reason to give a process up.
    pub fn must_be_licensed(&self, row: &ProcessRecord, output: &ProcessAwaitOutput) -> Answer<()> {
        let ProcessAwaitOutput::Abandoned { evidence } = output else { return Ok(()) };
        let is_licensed = match evidence.writer {
            AbandonWriter::ReconciledRequest => row.abandon_request.is_some(),
            AbandonWriter::Sweep | AbandonWriter::OwnerDrain => {
                row.disposition() == RecoveryDisposition::OwnerBound && row.first_started.is_some()
            }
        };
        if is_licensed { Ok(()) } else { Err(RegistryError::invalid("output", "nothing licenses it")) }
    }

    pub async fn must_be_a_wake(&self, process_id: &str, sequence: u64) -> Answer<()> {
        let log = self.or_refused(process_id, self.registry.events_after(process_id, 0).await).await?;
        let is_it =
            |event: &theirs::ProcessEvent| event.sequence == sequence && event.semantics.wake.is_some();
        match log.iter().any(is_it) {
            true => Ok(()),
            false => Err(RegistryError::invalid("sequence", "is no wake")),
        }
    }

    /// "Missing or expired" is all that upstream says of a lease.
    pub async fn lost(&self, presented: &ProcessLease, error: &theirs::PluginError) -> RegistryError {
        if !is_refusal(&error.to_string()) {
            return RegistryError::unavailable("write under a lease", error);
        }
        if let Err(refusal) = self.must_run(&presented.process_id).await {
            return refusal;
        }
        if !error.to_string().contains("missing or expired") {
            return RegistryError::invalid("lease", error.to_string());
        }
        let (process_id, fence) = (presented.process_id.clone(), presented.fencing_token);
        match self.must_hold(presented).await {
            Err(refusal) => refusal,
            Ok(()) => {
                RegistryError::LeaseSuperseded { process_id, presented_fence: fence, current_fence: fence }
            }
        }
    }

    /// Reads the kind of a refusal from upstream's text, as far as the text tells.
    pub async fn or_refused<T>(&self, process_id: &str, answer: Theirs<T>) -> Answer<T> {
        let error = match answer {
            Ok(value) => return Ok(value),
            Err(error) => error.to_string(),
        };
        let process_id = process_id.to_owned();
        if error.contains("unknown process") {
            return Err(RegistryError::UnknownProcess { process_id });
        }
        if !is_refusal(&error) {
            return Err(RegistryError::unavailable("call the release", error));
        }
        let row = self.row(&process_id).await?;
        if error.contains("registration hash conflict") {
            let offered_hash = error.rsplit(' ').next().unwrap_or_default().to_owned();
            let stored_hash = row.registration_hash;
            return Err(RegistryError::RegistrationConflict { process_id, stored_hash, offered_hash });
        }
        match row.external_ref {
            Some(stored) if error.contains("external ref conflict") => {
                Err(RegistryError::ExternalRefConflict { process_id, stored: Box::new(stored) })
            }
            _ if row.status.is_terminal() => {
                Err(RegistryError::AlreadyTerminal { process_id, status: row.status })
            }
            _ => Err(RegistryError::invalid("process_id", error)),
        }
    }
}

/// A refusal names its process; what SQLite says does not, and then nobody knows what was written.
pub fn is_refusal(said: &str) -> bool {
    said.contains('`')
}
