//! Holds the registry's answers against the reference model, and records what differs.

use std::sync::Arc;

use fencepost::RegistryError;
use fencepost::environment::Environment;
use fencepost::model::error::RegistryResult;
use fencepost::registry::calls::{AnswerRef, Call, Reply, Submit};
use fencepost::testing::reference_model::{Inputs, WrongAnswer};

use crate::history::event::{GrantNo, MethodNo, NO_PROCESS, What};
use crate::plan::Node;
use crate::support::differing::differing;
use crate::world::calls::{CallInfo, process_of, result_of};
use crate::world::environment::NodeEnvironment;
use crate::world::recorder::unrecorded_read::look_closely;
use crate::world::state::answer_judge::NoStateFits;
use crate::world::state::{World, with};

/// The inputs of the call's decision, as the registry's node sees them now.
pub fn inputs(call: &Call) -> Inputs {
    let (is_ours, now_ms) = with(|world| (world.subject.is_ours(), world.reading_ms()));
    let is_holder_dead = match call {
        Call::ReclaimProcessLease { observed_holder, .. } if is_ours => {
            Some(NodeEnvironment(Node::Registry).is_definitely_dead(&observed_holder.owner))
        }
        _ => None,
    };
    Inputs { now_ms, is_holder_dead }
}

/// One read from beside the run, held against the model. None, if the registry takes time.
pub async fn look_and_judge(registry: &dyn Submit, call: Call) -> Option<RegistryResult<Reply>> {
    let inputs = inputs(&call);
    let call = Arc::new(call);
    let shown = look_closely(registry, Arc::clone(&call)).await?;
    with(|world| {
        let process = call.process_id().and_then(process_of).unwrap_or(NO_PROCESS);
        let wrong = world.records.answers.judge_look(&call, shown.as_ref(), &inputs);
        world.differs(&CallInfo::of_the_world(process), wrong);
    });
    Some(shown)
}

/// The call's method, if no event but its answer tells of it.
pub fn untold(call: &Call) -> Option<MethodNo> {
    let is_told = match call {
        Call::SetExternalRef { .. }
        | Call::RevokeHandle { .. }
        | Call::DeleteSessionProcessState { .. }
        | Call::GetProcess { .. }
        | Call::GetProcessLease { .. }
        | Call::ListProcesses { .. }
        | Call::ListHandleGrants { .. }
        | Call::ListLiveHandleGrants { .. }
        | Call::HasHandleGrant { .. }
        | Call::HandleGrantsForProcess { .. }
        | Call::CountEventsThrough { .. }
        | Call::RecentEvents { .. } => false,
        Call::RegisterProcess { .. }
        | Call::GrantHandle { .. }
        | Call::TransferHandleGrants { .. }
        | Call::AppendEvent { .. }
        | Call::AppendEventWithLease { .. }
        | Call::EventsAfter { .. }
        | Call::WakeEventsAfter { .. }
        | Call::AckWake { .. }
        | Call::CompleteProcess { .. }
        | Call::CompleteProcessWithLease { .. }
        | Call::RecordFirstStarted { .. }
        | Call::RecordFirstStartedWithLease { .. }
        | Call::RequestProcessAbandon { .. }
        | Call::SetProcessWait { .. }
        | Call::SetProcessWaitWithLease { .. }
        | Call::ClearProcessWait { .. }
        | Call::ClearProcessWaitWithLease { .. }
        | Call::ReadProcess { .. }
        | Call::ListNonTerminal {}
        | Call::ClaimProcessLease { .. }
        | Call::ReclaimProcessLease { .. }
        | Call::RenewProcessLease { .. }
        | Call::CompleteProcessLease { .. }
        | Call::PruneTerminalProcesses { .. } => true,
    };
    (!is_told).then(|| MethodNo::of(call.method()))
}

impl World {
    /// The call was decided at one instant.
    pub fn judge_answer(&mut self, info: &CallInfo, call: &Call, answer: AnswerRef<'_>, inputs: &Inputs) {
        let (answers, now_us) = (&mut self.records.answers, self.kernel.now_us);
        if answer.is_err_and(RegistryError::outcome_is_unknown) {
            let wrong = answers.unheard(call, inputs, now_us);
            return self.differs(info, wrong);
        }
        let wrong = answers.judge(call, answer, inputs, now_us);
        self.differs(info, wrong);
        if let Some(method) = untold(call) {
            self.note_answer(info, method, answer);
        }
    }

    pub fn differs(&mut self, info: &CallInfo, wrong: Option<NoStateFits>) {
        if let Some(NoStateFits { method, wrong: WrongAnswer { part, answered, expected } }) = wrong {
            let method = MethodNo::of(method);
            self.decision(info, info.presented, What::AnswerDiffers { method, part });
            let (answered, expected) = differing(&answered, &expected);
            self.annotate(&[("answered", answered), ("right", expected)]);
        }
    }

    /// Records the answer of a method of which no other event tells.
    pub fn note_answer(&mut self, info: &CallInfo, method: MethodNo, answer: AnswerRef<'_>) {
        if answer.is_ok() {
            self.decision(info, GrantNo::NONE, What::Answered { method, result: result_of(answer) });
        }
    }

    /// At the end of a run: how much was judged.
    pub fn note_answers_judged(&mut self) {
        let (answers, unjudged) = (self.records.answers.answers, self.records.answers.unjudged);
        self.note_at(Node::Registry, What::AnswersJudged { answers, unjudged });
    }
}
