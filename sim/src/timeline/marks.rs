//! What kind of mark an event makes on the page: few kinds, told apart by shape, each with a place in the legend.

use serde::Serialize;

use crate::history::event::{CallKind, Event, Kind, refusal};
use crate::plan::Plan;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Mark {
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
    /// A claim that somebody else's lease kept out: everyday.
    Busy,
    /// A host's request.
    Asked,
    /// A host begins to wait for a process, or is told.
    Waited,
    Sent,
    Heard,
    /// A message that was lost or came again.
    Astray,
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
    /// Gathered for laws.
    Evidence,
}

impl Mark {
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
        Self::Astray,
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
        match event.kind {
            Kind::StepTaken => {
                let step = usize::try_from(event.a).ok().and_then(|number| plan.steps.get(number));
                if step.is_some_and(|step| step.action.is_fault()) { Self::Fault } else { Self::Step }
            }
            Kind::Granted | Kind::Reclaimed | Kind::Reentered => Self::Granted,
            Kind::Renewed => Self::Renewed,
            Kind::Released => Self::Released,
            Kind::Wrote => Self::Wrote,
            Kind::Ended => Self::Ended,
            Kind::Busy => Self::Busy,
            Kind::Refused => match CallKind::from_code(event.a) {
                CallKind::Claim | CallKind::Reclaim => Self::Busy,
                CallKind::Read => Self::Read,
                _ => Self::Refused,
            },
            Kind::Failed if event.a == CallKind::Read as u64 => Self::Read,
            Kind::Failed => Self::Failed,
            Kind::Registered | Kind::Asked | Kind::Pruned => Self::Asked,
            Kind::WaitBegan | Kind::WaitEnded => Self::Waited,
            Kind::Sent if event.a == CallKind::Read as u64 => Self::Read,
            Kind::Sent => Self::Sent,
            Kind::Heard if event.a >> 8 == CallKind::Read as u64 => Self::Read,
            Kind::Heard if event.a & 0xff == refusal::BUSY => Self::Busy,
            Kind::Heard => Self::Heard,
            Kind::Lost | Kind::Repeated | Kind::FromEarlierLife => Self::Astray,
            Kind::BodyBegan => Self::BodyBegan,
            Kind::BodyEnded => Self::BodyEnded,
            Kind::EffectStarted => Self::EffectSent,
            Kind::EffectTaken => Self::EffectTaken,
            Kind::EffectRefused => Self::EffectRefused,
            Kind::Crashed | Kind::Restarted | Kind::Paused | Kind::Resumed | Kind::Drained => Self::Node,
            Kind::LivenessBegan
            | Kind::LivenessAsked
            | Kind::Remained
            | Kind::Exhausted
            | Kind::Panicked
            | Kind::Finished => Self::Run,
            Kind::Showed | Kind::LogRead | Kind::LogShown => Self::Read,
            Kind::ReadBack
            | Kind::LeaseAfter
            | Kind::Observed
            | Kind::TokenDrawn
            | Kind::GivesUp
            | Kind::Appended
            | Kind::Replayed
            | Kind::TransferIsPartial
            | Kind::TurnedOut
            | Kind::Survived
            | Kind::SurvivedLease
            | Kind::Claims
            | Kind::Completes
            | Kind::Unfenced
            | Kind::Spanned
            | Kind::StoreWaited => Self::Evidence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_stands_at_its_own_number() {
        for (number, mark) in Mark::ALL.into_iter().enumerate() {
            assert_eq!(mark as usize, number);
        }
    }
}
