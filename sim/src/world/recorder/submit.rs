//! The passage of one call through the recorder: it may wait for a slow store or fail, is looked at where laws need it, is
//! decided, and its decision is recorded.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use fencepost::RegistryError;
use fencepost::model::process::DurabilityTier;
use fencepost::registry::calls::{Answer, AnswerRef, Call, Submit};

use crate::disk;
use crate::history::event::{CallKind, What};
use crate::plan::step::StoreFailure;
use crate::world::calls::CallInfo;
use crate::world::recorder::beliefs;
use crate::world::recorder::deciding::{Deciding, wait_for_decision};
use crate::world::recorder::evidence::{StateBefore, look_after};
use crate::world::recorder::judge_answers;
use crate::world::recorder::resolve_unknown;
use crate::world::recorder::store_wait::wait_for_store;
use crate::world::recorder::unrecorded_read::poll_once;
use crate::world::state::nodes::Caller;
use crate::world::state::records::{DecisionClock, RequestName};
use crate::world::state::services::Recorder;
use crate::world::state::store_faults::StoreWaits;
use crate::world::state::unknown_call::WatchedCall;
use crate::world::state::{World, with};

/// Rare work is boxed, and no answer is held while something is awaited: this future is made and moved at every call, and
/// should be no larger than every call needs.
#[async_trait]
impl Submit for Recorder {
    async fn submit(&self, call: Arc<Call>) -> Answer {
        let core = self.0.as_ref();
        let (caller, request, is_ours, waits) = with(|world| {
            let waits = world.store_faults.waits(world.kernel.now_us);
            let must_wait = waits != StoreWaits::NONE || world.services.registry.is_locked();
            // A late call that a step sends comes from nobody's client.
            let request = world.records.request.take();
            (world.records.caller, request, world.subject.is_ours(), must_wait.then_some(waits))
        });
        // The lock is held until the call is answered.
        let waited = match waits {
            Some(waits) => Some(Box::pin(wait_for_store(waits)).await),
            None => None,
        };
        let (method, is_answer_lost) = (call.method(), with(|world| world.reach_store(caller, &call))?);
        let is_on_disk = with(|world| world.is_on_disk());
        if is_on_disk && is_dead() {
            // The registry died in an earlier call of this very instant.
            return std::future::pending().await;
        }
        if with(|world| world.records.unknown.is_some()) {
            Box::pin(resolve_unknown::resolve(core)).await;
        }
        let read_ms = waited.as_ref().map(|waited| waited.clock.read_ms);
        let (info, is_looked_at, is_watched, mut before) = with(|world| {
            world.records.decided_on_ms = read_ms;
            // Others have called while this call waited.
            world.records.caller = caller;
            world.keep_call(&call);
            let info = world.call_info(caller, &call);
            if let Some(waited) = &waited {
                world.store_waited(&info, waited.clock.arrived_ms);
            }
            let is_looked_at = world.record_evidence_before(&info, &call);
            let is_watched = info.kind != CallKind::Read && world.may_outcome_be_unknown(is_on_disk);
            (info, is_looked_at, is_watched, StateBefore::new(world))
        });
        if is_looked_at {
            Box::pin(before.look(core, &info, &call)).await;
        }
        let watched = match is_watched {
            true => Box::pin(resolve_unknown::watch(core, &info, &call)).await,
            false => None,
        };
        // To be held against its answer.
        let is_judging = with(|world| world.records.answers.is_judging());
        let asked = is_judging.then(|| Arc::clone(&call));
        let inputs = asked.as_deref().map(judge_answers::inputs);
        let judged = asked.as_deref().zip(inputs.as_ref());
        // Nobody tells when another registry's store has its lock: it never sees the time before.
        let clock = waited.as_ref().map(|waited| DecisionClock { has_lock: !is_ours, ..waited.clock });
        let mut deciding = Deciding::new(core, call, is_ours, clock);
        let (answer, span) = match poll_once(Pin::new(&mut deciding)).await {
            Some(answer) => (answer, None),
            None => {
                let (answer, span) = Box::pin(wait_for_decision(&info, judged, deciding)).await;
                (answer, Some(span))
            }
        };
        let took_time = span.is_some();
        if is_on_disk && is_dead() {
            // The registry died in the middle of this call: nobody hears of it, and its end is the next turn.
            drop(answer);
            with(|world| {
                world.keep_unknown(watched, &before);
                world.records.decided_on_ms = None;
                if let Some((call, inputs)) = judged {
                    let wrong = world.records.answers.unheard(call, inputs, world.kernel.now_us);
                    world.differs(&info, wrong);
                }
            });
            return std::future::pending().await;
        }
        with(|world| {
            assert!(
                took_time || before.at_us == world.kernel.now_us,
                "time passed in one poll of a decision"
            );
            if let Some(span) = &span {
                world.span_ended(&info, span);
            }
            world.answered(&info, &before, answer.as_deref());
            if answer.is_ok() && info.kind != CallKind::Read {
                world.applied(&info, request);
            }
            if let (Some((call, inputs)), false) = (judged, took_time) {
                world.judge_answer(&info, call, answer.as_deref(), inputs);
            }
            if let Some(span) = &span {
                world.judge_span(&info, answer.as_deref(), span);
            }
            world.records.decided_on_ms = read_ms.filter(|_| !took_time);
            if answer.as_ref().is_err_and(RegistryError::outcome_is_unknown) {
                world.keep_unknown(watched, &before);
            }
        });
        if info.kind != CallKind::Read {
            beliefs::ask(info.process);
        }
        // A change after a decision that took time may be another call's doing.
        let is_looked_at_after = !took_time && (is_looked_at || info.kind == CallKind::Release);
        let answer = match is_looked_at_after || info.kind == CallKind::Prune {
            true => Box::pin(follow_up(core, info, before, is_looked_at_after, answer)).await,
            false => answer,
        };
        if read_ms.is_some() {
            with(|world| world.records.decided_on_ms = None);
        }
        if is_answer_lost { answer.and_then(|_| Err(store_is_silent(method))) } else { answer }
    }

    fn durability_tier(&self) -> DurabilityTier {
        DurabilityTier::Inline
    }
}

fn store_is_silent(method: &'static str) -> RegistryError {
    RegistryError::unavailable(method, "the store did not say")
}

/// Looks at what the decided call has left behind, and gives its answer back.
async fn follow_up(
    core: &dyn Submit,
    info: CallInfo,
    before: StateBefore,
    is_looked_at: bool,
    answer: Answer,
) -> Answer {
    if is_looked_at {
        look_after(core, &info, &before, answer.as_deref()).await;
    }
    if info.kind == CallKind::Prune && answer.is_ok() {
        resolve_unknown::look_for_the_pruned(core, info.caller).await;
    }
    answer
}

impl World {
    /// Records if the same request had been applied before.
    fn applied(&mut self, info: &CallInfo, request: Option<RequestName>) {
        let Some(request) = request else { return };
        if !self.records.applied.insert(request) {
            let (call, number) = (info.kind, request.number);
            self.decision(info, info.presented, What::AppliedAgain { call, number });
        }
    }

    /// Fails the call if the plan has the store fail it now. True if it will be decided and its answer lost.
    fn reach_store(&mut self, caller: Caller, call: &Call) -> Result<bool, RegistryError> {
        let method = call.method();
        match self.store_faults.failure(self.kernel.now_us) {
            Some(StoreFailure::Before) => {
                self.failed(caller, call, false);
                Err(RegistryError::backend(method, "the store failed"))
            }
            Some(StoreFailure::UnknownBefore) => {
                self.failed(caller, call, true);
                Err(store_is_silent(method))
            }
            Some(StoreFailure::Reads) if call.is_read() && call.process_id().is_some() => {
                self.failed(caller, call, false);
                Err(RegistryError::backend(method, "the store failed"))
            }
            Some(StoreFailure::UnknownAfter) => Ok(true),
            Some(StoreFailure::Reads) | None => Ok(false),
        }
    }

    /// Records the decision on a call.
    fn answered(&mut self, info: &CallInfo, before: &StateBefore, answer: AnswerRef<'_>) {
        let kept = self.records.decided_calls.as_mut();
        if let Some(decided) = kept.and_then(|calls| calls.last_mut()) {
            decided.was_ok = answer.is_ok();
        }
        self.records.arrived_us = before.at_us;
        self.decided(info, before.entropy_drawn, answer);
    }

    /// Keeps a call whose outcome is unknown, to look it up before the next decision.
    fn keep_unknown(&mut self, watched: Option<Box<WatchedCall>>, before: &StateBefore) {
        self.records.unknown = watched.map(|watched| resolve_unknown::end_unknown(watched, self, before));
    }
}

/// The registry's process died at its disk.
fn is_dead() -> bool {
    disk::with(|disk| disk.died()).flatten().is_some()
}
