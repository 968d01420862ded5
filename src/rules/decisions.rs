//! The vocabulary of the rules: what a rule is asked, and what it may answer. Each rule's file shows its own part of it
//! again, so that a rule and its words are found together.

use crate::model::event::ProcessWake;
use crate::model::handle::ProcessHandleDescriptor;
use crate::model::lease::{LeaseOwnerIdentity, ProcessLease};
use crate::model::process::{ProcessAwaitOutput, ProcessId, ProcessStarted};
use crate::model::row::Tenure;

/// Entropy drawn for each new grant.
pub const TOKEN_BYTES: usize = 16;

/// A wish to hold a process.
pub struct Claim<'a> {
    pub process_id: &'a str,
    pub tenure: &'a Tenure,
    pub owner: &'a LeaseOwnerIdentity,
    pub now_ms: u64,
    pub until_ms: u64,
}

/// The lease that a reclaimer saw, and how it asks whether the stored holder is dead.
pub struct Observation<'a> {
    pub observed_holder: &'a ProcessLease,
    pub is_definitely_dead: &'a dyn Fn(&LeaseOwnerIdentity) -> bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimDecision {
    NewGrant { fence: u64 },
    Reenter { until_ms: u64 },
    Busy,
}

/// The lease that a write presents, if any.
#[derive(Clone, Copy)]
pub enum Authority<'a> {
    Unfenced,
    Fenced(&'a ProcessLease),
}

/// The writes that belong to whoever executes a process.
#[derive(Clone, Copy)]
pub enum ExecutionWrite<'a> {
    Start(&'a ProcessStarted),
    Wait,
    Event { event_type: &'a str },
    End(&'a ProcessAwaitOutput),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Go,
    /// The same grant wrote the same outcome before and did not hear the answer: answer it again.
    AlreadyApplied,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartDecision {
    Record,
    AlreadyYours,
    AlreadyStarted,
}

#[derive(Debug, Clone, PartialEq)]
pub enum AppendDecision {
    /// The stored event is the answer.
    Replayed,
    New {
        wake: Option<ProcessWake>,
    },
}

/// One id that a transfer names, and what the scope holds of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferItem {
    pub process_id: ProcessId,
    pub is_known: bool,
    pub held: Option<ProcessHandleDescriptor>,
}
