//! Marks of wakes and of transfers of handles.

use crate::coverage::{CoverageCounts, Mark};
use crate::history::event::Write;

#[derive(Default)]
pub struct HandleObserver {
    /// A transfer is being decided of which some handles are there and some are not.
    is_half_way: bool,
}

impl HandleObserver {
    pub fn asked(&self, write: Write, counts: &mut CoverageCounts) {
        if write == Write::WakeAcked {
            counts.hit(Mark::WakeAcked);
        }
    }

    pub fn replayed(&self, is_wake: bool, counts: &mut CoverageCounts) {
        if is_wake {
            counts.hit(Mark::WakeReplayed);
        }
    }

    pub fn transfer_is_partial(&mut self) {
        self.is_half_way = true;
    }

    pub fn transfer_refused(&mut self, counts: &mut CoverageCounts) {
        if std::mem::take(&mut self.is_half_way) {
            counts.hit(Mark::TransferRefusedHalfWay);
        }
    }
}
