//! The protocol: pure decisions over rows and a `now` that is passed in. No rule asks for the time, for chance or for a
//! store. [`Rules`] is a value of plain functions so that any one decision can be replaced from outside; a rule
//! that builds on another reaches it through the value it is handed. [`Rules::LAWFUL`] is the only one to run.
//!
//! Read `leases.rs` first, then `writes.rs`, where the fencing rule stands.

pub mod arguments;
pub mod events;
pub mod handles;
pub mod leases;
pub mod retention;
pub mod worker;
pub mod writes;

use crate::model::error::RegistryError;
use crate::model::event::{ProcessEvent, ProcessEventAppendRequest};
use crate::model::lease::{Grant, LeaseOwnerIdentity, ProcessLease, ProcessLeaseCompletion};
use crate::model::process::{
    ProcessAwaitOutput, ProcessExternalRef, ProcessRecord, ProcessStatus, WaitState,
};
use crate::model::row::{HighWater, Life, ProcessRow, Tenure};

use events::AppendDecision;
use handles::TransferItem;
use leases::{Claim, ClaimDecision, Observation};
use writes::{Admission, Authority, ExecutionWrite, StartDecision};

type Answer<T> = Result<T, RegistryError>;

/// Every decision of the registry. Each field's function documents itself.
#[derive(Clone, Copy)]
pub struct Rules {
    pub is_live: fn(&ProcessLease, now_ms: u64) -> bool,
    pub same_incarnation: fn(&LeaseOwnerIdentity, &LeaseOwnerIdentity) -> bool,
    pub next_fence: fn(highest: u64) -> Option<u64>,
    pub token: fn([u8; leases::TOKEN_BYTES]) -> String,
    pub admit_holder: fn(process_id: &str, Option<&ProcessStatus>) -> Answer<()>,
    pub claim: fn(&Rules, &Claim<'_>) -> Answer<ClaimDecision>,
    pub reclaim: fn(&Rules, &Claim<'_>, &Observation<'_>) -> Answer<ClaimDecision>,
    pub renew:
        fn(&Rules, &Tenure, presented: &ProcessLease, now_ms: u64, until_ms: u64) -> Answer<ProcessLease>,
    pub releases: fn(&Tenure, &ProcessLeaseCompletion) -> bool,
    pub authorize: fn(&Rules, &Tenure, presented: &ProcessLease, now_ms: u64) -> Answer<()>,

    pub register: fn(stored: Option<&ProcessRecord>, process_id: &str, offered_hash: &str) -> Answer<bool>,
    pub admit: fn(&Rules, &Life, Authority<'_>, ExecutionWrite<'_>, now_ms: u64) -> Answer<Admission>,
    pub first_start: fn(&ProcessRow, by: Option<&Grant>) -> StartDecision,
    pub wait_changes: fn(&ProcessRecord, Option<&WaitState>) -> bool,
    pub abandonment: fn(&ProcessRecord, &ProcessAwaitOutput) -> Answer<()>,
    pub request_abandon: fn(&ProcessRecord) -> Answer<bool>,
    pub set_external_ref: fn(&ProcessRecord, &ProcessExternalRef) -> Answer<bool>,

    pub append: fn(
        &ProcessRecord,
        stored: Option<&ProcessEvent>,
        &ProcessEventAppendRequest,
    ) -> Answer<AppendDecision>,
    pub next_sequence: fn(highest: u64) -> Answer<u64>,
    pub transfer: fn(from_scope_id: &str, &[TransferItem]) -> Answer<()>,
    pub prune_through: fn(cutoff_ms: u64) -> Option<u64>,
    pub survives_prune: fn(HighWater) -> HighWater,
}

impl Rules {
    pub const LAWFUL: Self = Self {
        is_live: leases::is_live,
        same_incarnation: crate::model::lease::same_incarnation,
        next_fence: leases::next_fence,
        token: leases::token,
        admit_holder: leases::admit_holder,
        claim: leases::claim,
        reclaim: leases::reclaim,
        renew: leases::renew,
        releases: leases::releases,
        authorize: leases::authorize,
        register: writes::register,
        admit: writes::admit,
        first_start: writes::first_start,
        wait_changes: writes::wait_changes,
        abandonment: writes::abandonment,
        request_abandon: writes::request_abandon,
        set_external_ref: writes::set_external_ref,
        append: events::append,
        next_sequence: events::next_sequence,
        transfer: handles::transfer,
        prune_through: retention::prune_through,
        survives_prune: retention::survives_prune,
    };
}

impl Default for Rules {
    fn default() -> Self {
        Self::LAWFUL
    }
}
