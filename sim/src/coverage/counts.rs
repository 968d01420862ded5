//! How often each coverage mark was hit, in one run or in a whole search.

use crate::coverage::Mark;
use crate::plan::Store;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageCounts(Vec<u64>);

impl Default for CoverageCounts {
    fn default() -> Self {
        Self(vec![0; Mark::ALL.len()])
    }
}

impl CoverageCounts {
    pub fn hit(&mut self, mark: Mark) {
        self.0[mark as usize] += 1;
    }

    pub fn of(&self, mark: Mark) -> u64 {
        self.0[mark as usize]
    }

    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum += more);
    }

    /// The marks that were never hit, of those that runs of our registry, or of another, can hit on these stores.
    pub fn missed(&self, stores: &[Store], is_ours: bool) -> Vec<Mark> {
        let can_be_hit = |mark: &Mark| {
            mark.required_store().is_none_or(|store| stores.contains(&store))
                && (is_ours || !mark.needs_our_store())
        };
        Mark::ALL.iter().copied().filter(can_be_hit).filter(|mark| self.of(*mark) == 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_a_search_cannot_reach_is_not_missed() {
        let counts = CoverageCounts::default();
        let (memory, disk) = ([Store::Memory], [Store::Memory, Store::Sqlite]);
        assert_eq!(counts.missed(&disk, true), Mark::ALL);
        assert!(!counts.missed(&memory, true).contains(&Mark::CommitFailed));
        // Nobody can leave another registry's store few fences.
        assert!(counts.missed(&disk, false).contains(&Mark::CommitFailed));
        assert!(!counts.missed(&disk, false).contains(&Mark::FenceNearCeiling));
    }
}
