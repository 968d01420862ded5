//! A reference model: a second registry, written from the contract alone and as plainly as possible, without rules, rows
//! or indexes. It exists to disagree. Put beside any registry and told each call with its answer, in the order in which the
//! registry decided, it says whether the answer is right, down to the last field.
//!
//! It takes from an answer only what nobody could foretell: tokens, by how much a fence grew, registration hashes, and
//! how long an extended lease lasts (never shorter than it was). Everything that is shown later must agree with it.

mod arguments;
mod claims;
mod compare;
mod events;
mod expected;
mod handles;
mod leniency;
mod part;
mod queries;
mod registrations;
mod writes;
mod wrong_answer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::error::{RegistryError, RegistryResult};
use crate::model::event::ProcessEvent;
use crate::model::handle::{ProcessHandleDescriptor, SessionScope};
use crate::model::lease::ProcessLease;
use crate::model::process::{ProcessRecord, ProcessRegistration};
use crate::registry::calls::{AnswerRef, Call, Reply};

use compare::Strictness;
use expected::Expected;
pub use leniency::Leniency;
pub use part::AnswerPart;
pub use wrong_answer::WrongAnswer;

/// Everything that a registry keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferenceModel {
    latitude: Latitude,
    leniency: Leniency,
    /// Boxed: large values are moved whenever a map makes room.
    processes: BTreeMap<String, Box<ModelledProcess>>,
    /// The highest fence and sequence that each id ever reached: they survive prunes.
    reached: BTreeMap<String, Reached>,
    handles: BTreeMap<(SessionScope, String), ProcessHandleDescriptor>,
    /// The hash that was answered for each content.
    hashes: Vec<(Arc<ProcessRegistration>, String)>,
}

/// How much the contract leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Latitude {
    /// Exactly the contract.
    Contract,
    /// This crate's registry: an event of the lifecycle also carries its fact as its payload, and `get_process` answers
    /// nothing only for an unknown id.
    Fencepost,
}

#[derive(Debug, Clone, PartialEq)]
struct ModelledProcess {
    record: ProcessRecord,
    as_registered: Arc<ProcessRegistration>,
    lease: Option<ProcessLease>,
    /// The token and fence of the stored lease are guesses: nobody heard the answer of the claim that made it.
    is_lease_unheard: bool,
    /// The grants that started and ended it.
    starter: Option<ProcessLease>,
    ender: Option<ProcessLease>,
    events: Vec<ProcessEvent>,
    acked: BTreeSet<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Reached {
    fence: u64,
    sequence: u64,
}

/// The inputs of a decision besides the call and the rows.
#[derive(Debug, Clone, Copy)]
pub struct Inputs {
    /// The one reading of the registry's clock.
    pub now_ms: u64,
    /// The word of the registry's probe on the holder of the lease, for a reclaim. Without it both answers are right.
    pub is_holder_dead: Option<bool>,
}

/// The answer that a call got; none, if nobody heard it.
type Heard<'a> = Option<AnswerRef<'a>>;

impl ReferenceModel {
    /// A model for a registry that promises the whole contract.
    pub fn of_the_contract() -> Self {
        Self::new(Latitude::Contract)
    }

    /// Beside this crate's registry, which promises more than the contract.
    pub fn of_fencepost() -> Self {
        Self::new(Latitude::Fencepost)
    }

    fn new(latitude: Latitude) -> Self {
        Self {
            latitude,
            leniency: Leniency::default(),
            processes: BTreeMap::new(),
            reached: BTreeMap::new(),
            handles: BTreeMap::new(),
            hashes: Vec::new(),
        }
    }

    /// A model for a registry that does not promise all of the contract.
    pub fn with_leniency(self, leniency: Leniency) -> Self {
        Self { leniency, ..self }
    }

    /// The fences of this id start above `fence`.
    pub fn start_above_fence(&mut self, process_id: &str, fence: u64) {
        self.reached(process_id).fence = fence;
    }

    /// Takes the call, and says which part of its answer is wrong, if one is. An answer that says that the registry failed
    /// before its commit is never wrong, and changes nothing.
    pub fn judge(&mut self, call: &Call, answer: AnswerRef<'_>, inputs: &Inputs) -> Result<(), AnswerPart> {
        self.compared(call, answer, inputs, |part, _| part)
    }

    /// The same, with both answers in words where they differ.
    pub fn judge_in_words(
        &mut self,
        call: &Call,
        answer: AnswerRef<'_>,
        inputs: &Inputs,
    ) -> Result<(), WrongAnswer> {
        self.compared(call, answer, inputs, |part, expected| WrongAnswer::new(part, expected, answer))
    }

    fn compared<E>(
        &mut self,
        call: &Call,
        answer: AnswerRef<'_>,
        inputs: &Inputs,
        differs: impl FnOnce(AnswerPart, &RegistryResult<Expected<'_>>) -> E,
    ) -> Result<(), E> {
        if matches!(answer, Err(RegistryError::Backend { .. })) {
            return Ok(());
        }
        let by = Strictness { latitude: self.latitude, leniency: self.leniency };
        let expected = self.answer(call, inputs, Some(answer));
        if !by.leniency.compares_method(call.method()) {
            return Ok(());
        }
        compare::compare(&expected, answer, by).map_err(|part| differs(part, &expected))
    }

    /// Takes a call of which nobody heard the answer.
    pub fn apply_unheard(&mut self, call: &Call, inputs: &Inputs) {
        drop(self.answer(call, inputs, None));
    }

    /// The lease that is live at this reading.
    pub fn live_holder(&self, process_id: &str, now_ms: u64) -> Option<&ProcessLease> {
        self.processes.get(process_id)?.live(now_ms)
    }

    /// True if the scope has a handle on the process.
    pub fn has_handle(&self, scope: &SessionScope, process_id: &str) -> bool {
        self.handles.contains_key(&(scope.clone(), process_id.to_owned()))
    }

    /// Somebody saw this lease stored: it tells the token and the fence of one whose claim nobody heard answered.
    pub fn saw_lease(&mut self, seen: &ProcessLease) {
        let Some(process) = self.processes.get_mut(&seen.process_id) else { return };
        process.learn_lease(seen, reached_in(&mut self.reached, &seen.process_id));
    }

    fn reached(&mut self, process_id: &str) -> &mut Reached {
        reached_in(&mut self.reached, process_id)
    }

    fn process(&mut self, process_id: &str) -> RegistryResult<&mut ModelledProcess> {
        self.processes.get_mut(process_id).map(Box::as_mut).ok_or_else(|| RegistryError::unknown(process_id))
    }

    /// Has one arm for each method.
    fn answer(&mut self, call: &Call, inputs: &Inputs, heard: Heard<'_>) -> RegistryResult<Expected<'_>> {
        arguments::check(call)?;
        let now_ms = inputs.now_ms;
        match call {
            Call::RegisterProcess { registration } => self.register(registration, now_ms, heard),
            Call::SetExternalRef { process_id, external_ref } => {
                self.set_external_ref(process_id, external_ref, now_ms)
            }
            Call::GetProcess { process_id } => {
                let is_silent = self.latitude == Latitude::Contract
                    && matches!(heard, Some(Ok(Reply::MaybeRecord(None))));
                Ok(Expected::MaybeRecord(if is_silent { None } else { self.record(process_id) }))
            }
            Call::ReadProcess { process_id } => Ok(Expected::MaybeRecord(self.record(process_id))),
            Call::ListProcesses { filter } => Ok(Expected::Records(self.list(filter))),
            Call::ListNonTerminal {} => Ok(Expected::Records(self.list(&Default::default()))),
            Call::PruneTerminalProcesses { cutoff_epoch_ms } => {
                Ok(Expected::Pruned(self.prune(*cutoff_epoch_ms)))
            }

            Call::GrantHandle { session_scope, process_id, descriptor } => {
                self.grant_handle(session_scope, process_id, descriptor)
            }
            Call::RevokeHandle { session_scope, process_id } => {
                self.handles.remove(&(session_scope.clone(), process_id.clone()));
                Ok(Expected::Done)
            }
            Call::TransferHandleGrants { from_scope, to_scope, process_ids } => {
                self.transfer(from_scope, to_scope, process_ids, heard)
            }
            Call::ListHandleGrants { session_scope } => {
                Ok(Expected::HandleEntries(self.entries(session_scope, true)))
            }
            Call::ListLiveHandleGrants { session_scope } => {
                Ok(Expected::HandleEntries(self.entries(session_scope, false)))
            }
            Call::HasHandleGrant { session_scope, process_id } => {
                let key = (session_scope.clone(), process_id.clone());
                Ok(Expected::Truth(self.handles.contains_key(&key)))
            }
            Call::HandleGrantsForProcess { process_id } => self.handles_on(process_id),
            Call::DeleteSessionProcessState { session_id } => {
                Ok(Expected::SessionDeleted(self.delete_session(session_id, now_ms)))
            }

            Call::AppendEvent { process_id, request } => self.append(process_id, None, request, now_ms),
            Call::AppendEventWithLease { lease, request } => {
                self.append(&lease.process_id, Some(lease), request, now_ms)
            }
            Call::EventsAfter { process_id, after_sequence } => {
                let is_after = |event: &&ProcessEvent| event.sequence > *after_sequence;
                Ok(Expected::Events(self.process(process_id)?.events.iter().filter(is_after).collect()))
            }
            Call::WakeEventsAfter { process_id, after_sequence } => {
                self.unacked_wakes(process_id, *after_sequence)
            }
            Call::CountEventsThrough { process_id, event_type, up_to_sequence } => {
                let is_counted = |event: &&ProcessEvent| {
                    event.event_type == *event_type && event.sequence <= *up_to_sequence
                };
                let counted = self.process(process_id)?.events.iter().filter(is_counted).count();
                Ok(Expected::Count(counted as u64))
            }
            Call::RecentEvents { process_id, limit } => {
                let events = &self.process(process_id)?.events;
                let first = events.len().saturating_sub(*limit);
                Ok(Expected::Events(events[first..].iter().collect()))
            }
            Call::AckWake { process_id, sequence } => self.ack(process_id, *sequence),

            Call::CompleteProcess { process_id, await_output } => {
                self.complete(process_id, None, await_output, now_ms)
            }
            Call::CompleteProcessWithLease { lease, await_output } => {
                self.complete(&lease.process_id, Some(lease), await_output, now_ms)
            }
            Call::RecordFirstStarted { process_id, started } => {
                self.unfenced_start(process_id, started, now_ms)
            }
            Call::RecordFirstStartedWithLease { lease, started } => self.fenced_start(lease, started, now_ms),
            Call::SetProcessWait { process_id, wait } => {
                self.change_wait(process_id, None, Some(wait), now_ms)
            }
            Call::SetProcessWaitWithLease { lease, wait } => {
                self.change_wait(&lease.process_id, Some(lease), Some(wait), now_ms)
            }
            Call::ClearProcessWait { process_id } => self.change_wait(process_id, None, None, now_ms),
            Call::ClearProcessWaitWithLease { lease } => {
                self.change_wait(&lease.process_id, Some(lease), None, now_ms)
            }
            Call::RequestProcessAbandon { process_id, request } => {
                self.request_abandon(process_id, request, now_ms)
            }

            Call::ClaimProcessLease { process_id, owner, lease_ttl_ms } => {
                self.claim(process_id, owner, None, *lease_ttl_ms, inputs, heard)
            }
            Call::ReclaimProcessLease { process_id, owner, observed_holder, lease_ttl_ms } => {
                self.claim(process_id, owner, Some(observed_holder), *lease_ttl_ms, inputs, heard)
            }
            Call::RenewProcessLease { lease, lease_ttl_ms } => {
                self.renew(lease, *lease_ttl_ms, now_ms, heard)
            }
            Call::GetProcessLease { process_id } => {
                if let Some(Ok(Reply::MaybeLease(Some(seen)))) = heard {
                    self.saw_lease(seen);
                }
                let process = self.processes.get(process_id);
                Ok(Expected::MaybeLease(process.and_then(|process| process.lease.as_ref())))
            }
            Call::CompleteProcessLease { completion } => {
                if let Some(process) = self.processes.get_mut(&completion.process_id) {
                    process.lease.take_if(|held| held.lease_token == completion.lease_token);
                }
                Ok(Expected::Done)
            }
        }
    }
}

fn reached_in<'a>(reached: &'a mut BTreeMap<String, Reached>, process_id: &str) -> &'a mut Reached {
    reached.entry(process_id.to_owned()).or_default()
}
