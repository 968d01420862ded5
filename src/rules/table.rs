//! The table of the registry's decisions: one field a decision, each a plain function that can be replaced.

use crate::model::error::RegistryResult;
use crate::model::event::{ProcessEvent, ProcessEventAppendRequest};
use crate::model::lease::{Grant, LeaseOwnerIdentity, ProcessLease, ProcessLeaseCompletion};
use crate::model::process::{
    ProcessAwaitOutput, ProcessExternalRef, ProcessRecord, ProcessStatus, WaitState,
};
use crate::model::row::{HighWater, ProcessRow, StoredProcess, Tenure};
use crate::rules::decisions::{
    Admission, AppendDecision, Authority, Claim, ClaimDecision, ExecutionWrite, Observation, StartDecision,
    TOKEN_BYTES, TransferItem,
};

/// Every decision of the registry. Each field's function documents itself.
#[derive(Clone, Copy)]
pub struct Rules {
    pub is_live: fn(&ProcessLease, now_ms: u64) -> bool,
    pub same_incarnation: fn(&LeaseOwnerIdentity, &LeaseOwnerIdentity) -> bool,
    pub next_fence: fn(highest: u64) -> Option<u64>,
    pub token: fn([u8; TOKEN_BYTES]) -> String,
    pub admit_holder: fn(process_id: &str, Option<&ProcessStatus>) -> RegistryResult<()>,
    pub claim: fn(&Rules, &Claim<'_>) -> RegistryResult<ClaimDecision>,
    pub reclaim: fn(&Rules, &Claim<'_>, &Observation<'_>) -> RegistryResult<ClaimDecision>,
    pub renew: fn(
        &Rules,
        &Tenure,
        presented: &ProcessLease,
        now_ms: u64,
        until_ms: u64,
    ) -> RegistryResult<ProcessLease>,
    pub releases: fn(&Tenure, &ProcessLeaseCompletion) -> bool,
    pub authorize: fn(&Rules, &Tenure, presented: &ProcessLease, now_ms: u64) -> RegistryResult<()>,

    pub register:
        fn(stored: Option<&ProcessRecord>, process_id: &str, offered_hash: &str) -> RegistryResult<bool>,
    pub admit: fn(
        &Rules,
        &StoredProcess,
        Authority<'_>,
        ExecutionWrite<'_>,
        now_ms: u64,
    ) -> RegistryResult<Admission>,
    pub first_start: fn(&ProcessRow, by: Option<&Grant>) -> StartDecision,
    pub wait_changes: fn(&ProcessRecord, Option<&WaitState>) -> bool,
    pub abandonment: fn(&ProcessRecord, &ProcessAwaitOutput) -> RegistryResult<()>,
    pub request_abandon: fn(&ProcessRecord) -> RegistryResult<bool>,
    pub set_external_ref: fn(&ProcessRecord, &ProcessExternalRef) -> RegistryResult<bool>,

    pub append: fn(
        &ProcessRecord,
        stored: Option<&ProcessEvent>,
        &ProcessEventAppendRequest,
    ) -> RegistryResult<AppendDecision>,
    pub next_sequence: fn(highest: u64) -> RegistryResult<u64>,
    pub transfer: fn(from_scope_id: &str, &[TransferItem]) -> RegistryResult<()>,
    pub prune_through: fn(cutoff_ms: u64) -> Option<u64>,
    pub survives_prune: fn(HighWater) -> HighWater,
}
