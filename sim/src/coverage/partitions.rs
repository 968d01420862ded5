//! The mark of a partition that cuts one direction between two nodes and leaves the other open.

use crate::coverage::{CoverageCounts, Mark};
use crate::plan::step::Link;

#[derive(Default)]
pub struct PartitionObserver {
    /// Each direction that is cut, and until when.
    cuts: Vec<(Link, u64)>,
}

impl PartitionObserver {
    pub fn cut(&mut self, link: Link, at_us: u64, for_ms: u64, counts: &mut CoverageCounts) {
        self.cuts.retain(|(_, until_us)| at_us < *until_us);
        let back = Link { from: link.to, to: link.from };
        if !self.cuts.iter().any(|(cut, _)| *cut == back) {
            counts.hit(Mark::OneWayCut);
        }
        self.cuts.push((link, at_us + for_ms * 1_000));
    }
}
