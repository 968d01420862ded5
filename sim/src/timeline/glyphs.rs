//! The glyph by which an event is drawn on the page: few kinds, told apart by shape, each with a place in the legend.

use serde::Serialize;

use crate::history::event::{CallKind, CallResult, Event, What};
use crate::plan::Plan;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Glyph {
    /// A step of the plan that gives work.
    Step,
    /// A step that makes the world harder.
    Fault,
    Granted,
    Renewed,
    Released,
    /// A write that was taken.
    Wrote,
    /// A terminal one.
    Ended,
    Refused,
    /// Lost or failed by the store.
    Failed,
    /// A claim that another holder's lease kept out: an everyday event, hidden at first.
    Busy,
    /// A host's request.
    Asked,
    /// A host begins to wait for a process, or is told.
    Waited,
    Sent,
    Heard,
    /// A message that was lost or came again.
    MessageFault,
    BodyBegan,
    BodyEnded,
    EffectSent,
    EffectTaken,
    EffectRefused,
    /// A node crashed, paused, or came back.
    Node,
    /// The run as a whole.
    Run,
    /// Reads, and what they showed.
    Read,
    /// Evidence that was gathered for laws.
    Evidence,
}

impl Glyph {
    pub const ALL: [Self; 24] = [
        Self::Step,
        Self::Fault,
        Self::Granted,
        Self::Renewed,
        Self::Released,
        Self::Wrote,
        Self::Ended,
        Self::Refused,
        Self::Failed,
        Self::Busy,
        Self::Asked,
        Self::Waited,
        Self::Sent,
        Self::Heard,
        Self::MessageFault,
        Self::BodyBegan,
        Self::BodyEnded,
        Self::EffectSent,
        Self::EffectTaken,
        Self::EffectRefused,
        Self::Node,
        Self::Run,
        Self::Read,
        Self::Evidence,
    ];

    pub fn of(event: &Event, plan: &Plan) -> Self {
        match event.what() {
            What::StepTaken { step } => {
                let step = usize::try_from(step).ok().and_then(|step| plan.steps.get(step));
                if step.is_some_and(|step| step.action.is_fault()) { Self::Fault } else { Self::Step }
            }
            What::Granted { .. } | What::Reclaimed { .. } | What::Reentered { .. } => Self::Granted,
            What::Renewed { .. } => Self::Renewed,
            What::Released => Self::Released,
            What::Wrote { .. } => Self::Wrote,
            What::Ended { .. } => Self::Ended,
            What::Busy => Self::Busy,
            What::Refused { call: CallKind::Claim | CallKind::Reclaim, .. } => Self::Busy,
            What::Refused { call: CallKind::Read, .. } => Self::Read,
            What::Refused { .. } => Self::Refused,
            What::Failed { call: CallKind::Read, .. } => Self::Read,
            What::Failed { .. } => Self::Failed,
            What::Registered { .. } | What::Asked { .. } | What::Pruned => Self::Asked,
            What::WaitBegan { .. } | What::WaitEnded { .. } => Self::Waited,
            What::Sent { call: CallKind::Read, .. } => Self::Read,
            What::Sent { .. } => Self::Sent,
            What::Heard { call: CallKind::Read, .. } => Self::Read,
            What::Heard { result: CallResult::Busy, .. } => Self::Busy,
            What::Heard { .. } => Self::Heard,
            What::Lost { .. } | What::Repeated { .. } | What::FromEarlierLife { .. } => Self::MessageFault,
            What::BodyBegan { .. } => Self::BodyBegan,
            What::BodyEnded { .. } => Self::BodyEnded,
            What::EffectStarted { .. } => Self::EffectSent,
            What::EffectTaken { .. } => Self::EffectTaken,
            What::EffectRefused { .. } => Self::EffectRefused,
            What::Crashed { .. }
            | What::Restarted { .. }
            | What::Paused
            | What::Resumed
            | What::Drained { .. } => Self::Node,
            What::LivenessBegan { .. }
            | What::LivenessAsked
            | What::Remained { .. }
            | What::Exhausted
            | What::Panicked
            | What::AnswersJudged { .. }
            | What::Finished => Self::Run,
            What::Showed { .. } | What::Answered { .. } | What::LogRead { .. } | What::LogShown { .. } => {
                Self::Read
            }
            What::ReadBack { .. }
            | What::LeaseAfter
            | What::Observed { .. }
            | What::TokenDrawn { .. }
            | What::GivesUp { .. }
            | What::Appended { .. }
            | What::Replayed { .. }
            | What::TransferIsPartial { .. }
            | What::TurnedOut { .. }
            | What::Survived { .. }
            | What::SurvivedLease { .. }
            | What::Claims { .. }
            | What::Completes { .. }
            | What::Unfenced { .. }
            | What::AnswerDiffers { .. }
            | What::AppliedAgain { .. }
            | What::SpanBegan { .. }
            | What::SpanEnded { .. }
            | What::Believed { .. }
            | What::LeaseShown { .. }
            | What::StoreWaited { .. } => Self::Evidence,
        }
    }

    /// Its place in [`Self::ALL`], by which the page knows it.
    pub fn number(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_stands_at_its_own_number() {
        for (number, glyph) in (0..).zip(Glyph::ALL) {
            assert_eq!(glyph.number(), number);
        }
    }
}
