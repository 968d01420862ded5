//! The answer that the model expects, in values it already has: an answer is compared, and not made.

use crate::model::event::ProcessEvent;
use crate::model::handle::{ProcessHandleDescriptor, SessionScope};
use crate::model::lease::ProcessLease;
use crate::model::process::{ProcessPruneReport, ProcessRecord, ProcessSessionDeleteReport};

#[derive(Debug)]
pub(super) enum Expected<'a> {
    Done,
    Truth(bool),
    Count(u64),
    Record(&'a ProcessRecord),
    MaybeRecord(Option<&'a ProcessRecord>),
    Records(Vec<&'a ProcessRecord>),
    FirstStart(StartAnswer, &'a ProcessRecord),
    Handle(ExpectedHandle<'a>),
    Handles(Vec<ExpectedHandle<'a>>),
    HandleEntries(Vec<(ExpectedHandle<'a>, &'a ProcessRecord)>),
    SessionDeleted(ProcessSessionDeleteReport),
    Appended { event: &'a ProcessEvent, replayed: bool },
    Events(Vec<&'a ProcessEvent>),
    Acquired(&'a ProcessLease),
    Busy(&'a ProcessLease),
    Lease(&'a ProcessLease),
    MaybeLease(Option<&'a ProcessLease>),
    Pruned(ProcessPruneReport),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartAnswer {
    Started,
    AlreadyYours,
    AlreadyStarted,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ExpectedHandle<'a> {
    pub scope: &'a SessionScope,
    pub process_id: &'a str,
    pub descriptor: &'a ProcessHandleDescriptor,
}

impl<'a> ExpectedHandle<'a> {
    pub(super) fn of(
        ((scope, process_id), descriptor): (&'a (SessionScope, String), &'a ProcessHandleDescriptor),
    ) -> Self {
        Self { scope, process_id, descriptor }
    }
}
