//! The kinds of events, without what they carry. Their order is part of every history's hash.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum EventKind {
    // Decided by the registry, in the order it decided.
    Registered,
    Granted,
    Reclaimed,
    Reentered,
    Renewed,
    Busy,
    Released,
    Wrote,
    Ended,
    Refused,
    Failed,
    Showed,
    Pruned,
    Asked,

    // Evidence that the recorder gathered beside the decision it belongs to.
    ReadBack,
    LeaseAfter,
    Observed,
    TokenDrawn,
    GivesUp,
    Appended,
    Replayed,
    StoreWaited,
    LogRead,
    LogShown,
    TransferIsPartial,
    TurnedOut,
    Survived,
    SurvivedLease,
    Claims,
    Completes,
    Unfenced,
    Spanned,
    LeaseShown,
    Answered,
    AnswerDiffers,
    AppliedAgain,

    // Seen at a node.
    Sent,
    Heard,
    BodyBegan,
    BodyEnded,
    EffectStarted,
    EffectTaken,
    EffectRefused,
    WaitBegan,
    WaitEnded,
    Drained,

    // Done by the plan.
    StepTaken,
    Crashed,
    Restarted,
    Paused,
    Resumed,
    Panicked,
    Repeated,
    FromEarlierLife,
    Lost,
    LivenessBegan,
    LivenessAsked,
    Remained,
    Exhausted,
    AnswersJudged,
    Finished,

    // Added after the others. It stands last, so that the numbers of the others stay.
    /// A lease service was asked who holds a key.
    Believed,
}

impl EventKind {
    /// A decision, or evidence beside one: its clock is the registry's reading.
    pub fn is_decided(self) -> bool {
        self <= Self::AppliedAgain
    }
}
