//! Calls as values. A [`Call`] is one method call of [`ProcessRegistry`] and a [`Reply`] its answer; [`Submit`] is
//! anything that takes the one and gives the other. [`Facade`] makes a `ProcessRegistry` of any `Submit`
//! and [`Dispatch`] a `Submit` of any `ProcessRegistry`, so whoever records, delays, forwards or distorts a registry
//! wraps one method and cannot miss another. Read next: `apply/`, which answers calls.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::model::error::RegistryError;
use crate::model::event::{ProcessEvent, ProcessEventAppendRequest, ProcessEventAppendResult};
use crate::model::handle::{
    ProcessHandleDescriptor, ProcessHandleGrant, ProcessHandleGrantEntry, SessionScope,
};
use crate::model::lease::{
    LeaseOwnerIdentity, ProcessLease, ProcessLeaseClaimOutcome, ProcessLeaseCompletion,
};
use crate::model::process::{
    AbandonRequest, DurabilityTier, FirstStart, ProcessAwaitOutput, ProcessExternalRef, ProcessId,
    ProcessListFilter, ProcessPruneReport, ProcessRecord, ProcessRegistration, ProcessSessionDeleteReport,
    ProcessStarted, WaitState,
};
use crate::registry::ProcessRegistry;

/// The answer to a call. A reply passes many layers, and a record makes it large: so it is boxed once, where it is made.
pub type Answer = Result<Box<Reply>, RegistryError>;

/// An answer, to look at.
pub type AnswerRef<'a> = Result<&'a Reply, &'a RegistryError>;

/// Takes any call, answers with the reply of that call's kind. A call is shared by the layers it passes and by whoever
/// remembers it.
#[async_trait]
pub trait Submit: Send + Sync {
    async fn submit(&self, call: Arc<Call>) -> Answer;

    fn durability_tier(&self) -> DurabilityTier;
}

/// Any [`Submit`] as a [`ProcessRegistry`].
pub struct Facade<S>(pub S);

/// Any [`ProcessRegistry`] as a [`Submit`].
pub struct Dispatch(pub Arc<dyn ProcessRegistry>);

#[async_trait]
impl Submit for Dispatch {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        dispatch(self.0.as_ref(), &call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        self.0.durability_tier()
    }
}

#[async_trait]
impl<S: Submit + ?Sized> Submit for Arc<S> {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        S::submit(self, call).await
    }

    fn durability_tier(&self) -> DurabilityTier {
        S::durability_tier(self)
    }
}

/// An answer. Which variant belongs to which call is written once, in the table below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", content = "value", rename_all = "snake_case")]
pub enum Reply {
    Done(()),
    Truth(bool),
    Count(u64),
    Record(ProcessRecord),
    MaybeRecord(Option<ProcessRecord>),
    Records(Vec<ProcessRecord>),
    FirstStart(FirstStart),
    Handle(ProcessHandleGrant),
    Handles(Vec<ProcessHandleGrant>),
    HandleEntries(Vec<ProcessHandleGrantEntry>),
    SessionDeleted(ProcessSessionDeleteReport),
    Appended(ProcessEventAppendResult),
    Events(Vec<ProcessEvent>),
    Claim(ProcessLeaseClaimOutcome),
    Lease(ProcessLease),
    MaybeLease(Option<ProcessLease>),
    Pruned(ProcessPruneReport),
}

/// One line a method: its call, its name, what it borrows, what it takes, and the reply it is answered with.
macro_rules! call_table {
    ($($variant:ident $method:ident
        ( $($borrowed:ident : &$as_ref:ty [$owned:ty]),* ; $($taken:ident : $by_value:ty),* )
        -> $reply:ident($output:ty);)*) => {
        /// One method call, as a value.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "call", rename_all = "snake_case")]
        pub enum Call {
            GetProcess { process_id: ProcessId },
            $($variant { $($borrowed: $owned,)* $($taken: $by_value,)* },)*
        }

        impl Call {
            /// Every call, by the name of its method.
            pub const METHODS: &[&str] = &["get_process", $(stringify!($method),)*];

            /// The name of the method this calls.
            pub fn method(&self) -> &'static str {
                match self {
                    Self::GetProcess { .. } => "get_process",
                    $(Self::$variant { .. } => stringify!($method),)*
                }
            }
        }

        /// Makes the method call that `call` stands for.
        pub async fn dispatch(registry: &dyn ProcessRegistry, call: &Call) -> Answer {
            match call {
                Call::GetProcess { process_id } => {
                    Ok(Box::new(Reply::MaybeRecord(registry.get_process(process_id).await)))
                }
                $(Call::$variant { $($borrowed,)* $($taken,)* } => {
                    registry.$method($($borrowed,)* $($taken.clone(),)*).await
                        .map(|output| Box::new(Reply::$reply(output)))
                })*
            }
        }

        #[async_trait]
        impl<S: Submit> ProcessRegistry for Facade<S> {
            fn durability_tier(&self) -> DurabilityTier {
                self.0.durability_tier()
            }

            async fn get_process(&self, process_id: &str) -> Option<ProcessRecord> {
                match self.0.submit(Arc::new(Call::GetProcess { process_id: process_id.to_owned() })).await {
                    Ok(reply) => match *reply {
                        Reply::MaybeRecord(record) => record,
                        _ => None,
                    },
                    Err(_) => None,
                }
            }

            $(async fn $method(
                &self,
                $($borrowed: &$as_ref,)*
                $($taken: $by_value,)*
            ) -> Result<$output, RegistryError> {
                let call = Call::$variant { $($borrowed: $borrowed.to_owned(),)* $($taken,)* };
                match *self.0.submit(Arc::new(call)).await? {
                    Reply::$reply(output) => Ok(output),
                    other => Err(mismatched(stringify!($method), &other)),
                }
            })*
        }
    };
}

call_table! {
    RegisterProcess register_process(; registration: ProcessRegistration) -> Record(ProcessRecord);
    SetExternalRef set_external_ref(process_id: &str [ProcessId]; external_ref: ProcessExternalRef)
        -> Record(ProcessRecord);

    GrantHandle grant_handle(session_scope: &SessionScope [SessionScope], process_id: &str [ProcessId];
        descriptor: ProcessHandleDescriptor) -> Handle(ProcessHandleGrant);
    RevokeHandle revoke_handle(session_scope: &SessionScope [SessionScope], process_id: &str [ProcessId];)
        -> Done(());
    TransferHandleGrants transfer_handle_grants(from_scope: &SessionScope [SessionScope],
        to_scope: &SessionScope [SessionScope], process_ids: &[String] [Vec<String>];) -> Done(());
    ListHandleGrants list_handle_grants(session_scope: &SessionScope [SessionScope];)
        -> HandleEntries(Vec<ProcessHandleGrantEntry>);
    ListLiveHandleGrants list_live_handle_grants(session_scope: &SessionScope [SessionScope];)
        -> HandleEntries(Vec<ProcessHandleGrantEntry>);
    HasHandleGrant has_handle_grant(session_scope: &SessionScope [SessionScope], process_id: &str [ProcessId];)
        -> Truth(bool);
    HandleGrantsForProcess handle_grants_for_process(process_id: &str [ProcessId];)
        -> Handles(Vec<ProcessHandleGrant>);
    DeleteSessionProcessState delete_session_process_state(session_id: &str [String];)
        -> SessionDeleted(ProcessSessionDeleteReport);

    AppendEvent append_event(process_id: &str [ProcessId]; request: ProcessEventAppendRequest)
        -> Appended(ProcessEventAppendResult);
    EventsAfter events_after(process_id: &str [ProcessId]; after_sequence: u64) -> Events(Vec<ProcessEvent>);
    WakeEventsAfter wake_events_after(process_id: &str [ProcessId]; after_sequence: u64)
        -> Events(Vec<ProcessEvent>);
    CountEventsThrough count_events_through(process_id: &str [ProcessId], event_type: &str [String];
        up_to_sequence: u64) -> Count(u64);
    RecentEvents recent_events(process_id: &str [ProcessId]; limit: usize) -> Events(Vec<ProcessEvent>);
    AckWake ack_wake(process_id: &str [ProcessId]; sequence: u64) -> Done(());

    CompleteProcess complete_process(process_id: &str [ProcessId]; await_output: ProcessAwaitOutput)
        -> Record(ProcessRecord);
    RecordFirstStarted record_first_started(process_id: &str [ProcessId]; started: ProcessStarted)
        -> Record(ProcessRecord);
    RequestProcessAbandon request_process_abandon(process_id: &str [ProcessId]; request: AbandonRequest)
        -> Record(ProcessRecord);
    SetProcessWait set_process_wait(process_id: &str [ProcessId]; wait: WaitState) -> Record(ProcessRecord);
    ClearProcessWait clear_process_wait(process_id: &str [ProcessId];) -> Record(ProcessRecord);
    ReadProcess read_process(process_id: &str [ProcessId];) -> MaybeRecord(Option<ProcessRecord>);
    ListProcesses list_processes(filter: &ProcessListFilter [ProcessListFilter];) -> Records(Vec<ProcessRecord>);
    ListNonTerminal list_non_terminal(;) -> Records(Vec<ProcessRecord>);

    ClaimProcessLease claim_process_lease(process_id: &str [ProcessId],
        owner: &LeaseOwnerIdentity [LeaseOwnerIdentity]; lease_ttl_ms: u64) -> Claim(ProcessLeaseClaimOutcome);
    ReclaimProcessLease reclaim_process_lease(process_id: &str [ProcessId],
        owner: &LeaseOwnerIdentity [LeaseOwnerIdentity], observed_holder: &ProcessLease [ProcessLease];
        lease_ttl_ms: u64) -> Claim(ProcessLeaseClaimOutcome);
    RenewProcessLease renew_process_lease(lease: &ProcessLease [ProcessLease]; lease_ttl_ms: u64)
        -> Lease(ProcessLease);
    GetProcessLease get_process_lease(process_id: &str [ProcessId];) -> MaybeLease(Option<ProcessLease>);
    CompleteProcessLease complete_process_lease(completion: &ProcessLeaseCompletion [ProcessLeaseCompletion];)
        -> Done(());
    PruneTerminalProcesses prune_terminal_processes(; cutoff_epoch_ms: u64) -> Pruned(ProcessPruneReport);

    CompleteProcessWithLease complete_process_with_lease(lease: &ProcessLease [ProcessLease];
        await_output: ProcessAwaitOutput) -> Record(ProcessRecord);
    AppendEventWithLease append_event_with_lease(lease: &ProcessLease [ProcessLease];
        request: ProcessEventAppendRequest) -> Appended(ProcessEventAppendResult);
    RecordFirstStartedWithLease record_first_started_with_lease(lease: &ProcessLease [ProcessLease];
        started: ProcessStarted) -> FirstStart(FirstStart);
    SetProcessWaitWithLease set_process_wait_with_lease(lease: &ProcessLease [ProcessLease]; wait: WaitState)
        -> Record(ProcessRecord);
    ClearProcessWaitWithLease clear_process_wait_with_lease(lease: &ProcessLease [ProcessLease];)
        -> Record(ProcessRecord);
}

impl Call {
    /// True if the call changes nothing.
    pub fn is_read(&self) -> bool {
        match self {
            Self::GetProcess { .. }
            | Self::ReadProcess { .. }
            | Self::ListProcesses { .. }
            | Self::ListNonTerminal { .. }
            | Self::ListHandleGrants { .. }
            | Self::ListLiveHandleGrants { .. }
            | Self::HasHandleGrant { .. }
            | Self::HandleGrantsForProcess { .. }
            | Self::EventsAfter { .. }
            | Self::WakeEventsAfter { .. }
            | Self::CountEventsThrough { .. }
            | Self::RecentEvents { .. }
            | Self::GetProcessLease { .. } => true,
            Self::RegisterProcess { .. }
            | Self::SetExternalRef { .. }
            | Self::GrantHandle { .. }
            | Self::RevokeHandle { .. }
            | Self::TransferHandleGrants { .. }
            | Self::DeleteSessionProcessState { .. }
            | Self::AppendEvent { .. }
            | Self::AppendEventWithLease { .. }
            | Self::AckWake { .. }
            | Self::CompleteProcess { .. }
            | Self::CompleteProcessWithLease { .. }
            | Self::RecordFirstStarted { .. }
            | Self::RecordFirstStartedWithLease { .. }
            | Self::RequestProcessAbandon { .. }
            | Self::SetProcessWait { .. }
            | Self::SetProcessWaitWithLease { .. }
            | Self::ClearProcessWait { .. }
            | Self::ClearProcessWaitWithLease { .. }
            | Self::ClaimProcessLease { .. }
            | Self::ReclaimProcessLease { .. }
            | Self::RenewProcessLease { .. }
            | Self::CompleteProcessLease { .. }
            | Self::PruneTerminalProcesses { .. } => false,
        }
    }

    /// The one process that the call is about, if it is about one.
    pub fn process_id(&self) -> Option<&str> {
        match self {
            Self::RegisterProcess { .. }
            | Self::TransferHandleGrants { .. }
            | Self::ListHandleGrants { .. }
            | Self::ListLiveHandleGrants { .. }
            | Self::DeleteSessionProcessState { .. }
            | Self::ListProcesses { .. }
            | Self::ListNonTerminal { .. }
            | Self::PruneTerminalProcesses { .. } => None,
            Self::GetProcess { process_id }
            | Self::ReadProcess { process_id }
            | Self::SetExternalRef { process_id, .. }
            | Self::GrantHandle { process_id, .. }
            | Self::RevokeHandle { process_id, .. }
            | Self::HasHandleGrant { process_id, .. }
            | Self::HandleGrantsForProcess { process_id }
            | Self::AppendEvent { process_id, .. }
            | Self::EventsAfter { process_id, .. }
            | Self::WakeEventsAfter { process_id, .. }
            | Self::CountEventsThrough { process_id, .. }
            | Self::RecentEvents { process_id, .. }
            | Self::AckWake { process_id, .. }
            | Self::CompleteProcess { process_id, .. }
            | Self::RecordFirstStarted { process_id, .. }
            | Self::RequestProcessAbandon { process_id, .. }
            | Self::SetProcessWait { process_id, .. }
            | Self::ClearProcessWait { process_id }
            | Self::ClaimProcessLease { process_id, .. }
            | Self::ReclaimProcessLease { process_id, .. }
            | Self::GetProcessLease { process_id } => Some(process_id),
            Self::RenewProcessLease { lease, .. }
            | Self::CompleteProcessWithLease { lease, .. }
            | Self::AppendEventWithLease { lease, .. }
            | Self::RecordFirstStartedWithLease { lease, .. }
            | Self::SetProcessWaitWithLease { lease, .. }
            | Self::ClearProcessWaitWithLease { lease } => Some(&lease.process_id),
            Self::CompleteProcessLease { completion } => Some(&completion.process_id),
        }
    }
}

/// A `Submit` that answers a call with another call's reply says nothing about what it did.
fn mismatched(method: &'static str, reply: &Reply) -> RegistryError {
    // The kind alone: a reply may carry tokens, and errors are logged.
    let debug = format!("{reply:?}");
    let kind = debug.split('(').next().unwrap_or_default();
    RegistryError::unavailable(method, format!("answered with a reply of another kind: {kind}"))
}
