//! Marks of commits that fail, and of those that turn out to be stored all the same.

use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::{CallResult, TurnedOut};

pub fn refused(why: CallResult, counts: &mut CoverageCounts) {
    if why == CallResult::OutcomeUnknown {
        counts.hit(Mark::CommitFailed);
    }
}

pub fn turned_out(fate: TurnedOut, counts: &mut CoverageCounts) {
    match fate {
        TurnedOut::Applied => counts.hit(Mark::FailedCommitIsThere),
        TurnedOut::NotApplied | TurnedOut::Partly => {}
    }
}
