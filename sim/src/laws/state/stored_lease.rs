//! The lease that must be stored for a process, worked out from everything the registry answered so far.

use crate::history::event::{Event, GrantNo, What};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    pub grant: GrantNo,
    /// By the registry's clock.
    pub expires_ms: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredLease(pub Option<Lease>);

impl StoredLease {
    pub fn is_held_by(self, grant: GrantNo) -> bool {
        self.0.is_some_and(|lease| lease.grant == grant)
    }

    /// This grant is stored and unexpired at the reading.
    pub fn is_live(self, grant: GrantNo, now_ms: u64) -> bool {
        self.0.is_some_and(|lease| lease.grant == grant && now_ms < lease.expires_ms)
    }

    pub fn store(&mut self, grant: GrantNo, expires_ms: u64) {
        self.0 = Some(Lease { grant, expires_ms });
    }

    pub fn follow(&mut self, event: &Event, what: What) {
        match LeaseChange::of(what) {
            LeaseChange::Made { expires_ms } => self.store(event.grant, expires_ms),
            LeaseChange::Extended { expires_ms } if self.is_held_by(event.grant) => {
                self.store(event.grant, expires_ms);
            }
            LeaseChange::GivenBack if self.is_held_by(event.grant) => self.0 = None,
            LeaseChange::Ended | LeaseChange::Pruned => self.0 = None,
            LeaseChange::Extended { .. } | LeaseChange::GivenBack | LeaseChange::Unchanged => {}
        }
    }
}

/// The change that an event makes to the stored lease of its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseChange {
    Made {
        expires_ms: u64,
    },
    /// Only if the event's grant is the stored one.
    Extended {
        expires_ms: u64,
    },
    /// Only if the event's grant is the stored one.
    GivenBack,
    Ended,
    Pruned,
    Unchanged,
}

impl LeaseChange {
    #[inline]
    pub fn of(what: What) -> Self {
        match what {
            What::Granted { expires_ms, .. } | What::Reclaimed { expires_ms, .. } => {
                Self::Made { expires_ms }
            }
            What::Reentered { expires_ms, .. } | What::Renewed { expires_ms, .. } => {
                Self::Extended { expires_ms }
            }
            What::Released => Self::GivenBack,
            What::Ended { .. } => Self::Ended,
            What::Pruned => Self::Pruned,
            What::Registered { .. }
            | What::Busy
            | What::Wrote { .. }
            | What::Refused { .. }
            | What::Failed { .. }
            | What::Showed { .. }
            | What::Asked { .. }
            | What::ReadBack { .. }
            | What::LeaseAfter
            | What::Observed { .. }
            | What::TokenDrawn { .. }
            | What::GivesUp { .. }
            | What::Appended { .. }
            | What::Replayed { .. }
            | What::StoreWaited { .. }
            | What::LogRead { .. }
            | What::LogShown { .. }
            | What::TransferIsPartial { .. }
            | What::TurnedOut { .. }
            | What::Survived { .. }
            | What::SurvivedLease { .. }
            | What::Claims { .. }
            | What::Completes { .. }
            | What::Unfenced { .. }
            | What::Answered { .. }
            | What::AnswerDiffers { .. }
            | What::AppliedAgain { .. }
            | What::AnswersJudged { .. }
            | What::SpanBegan { .. }
            | What::SpanEnded { .. }
            | What::LeaseShown { .. }
            | What::Sent { .. }
            | What::Heard { .. }
            | What::BodyBegan { .. }
            | What::BodyEnded { .. }
            | What::EffectStarted { .. }
            | What::EffectTaken { .. }
            | What::EffectRefused { .. }
            | What::WaitBegan { .. }
            | What::WaitEnded { .. }
            | What::Drained { .. }
            | What::StepTaken { .. }
            | What::Crashed { .. }
            | What::Restarted { .. }
            | What::Paused
            | What::Resumed
            | What::Panicked
            | What::Repeated { .. }
            | What::FromEarlierLife { .. }
            | What::Lost { .. }
            | What::LivenessBegan { .. }
            | What::LivenessAsked
            | What::Remained { .. }
            | What::Exhausted
            | What::Finished
            | What::Believed { .. } => Self::Unchanged,
        }
    }
}
