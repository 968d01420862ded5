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

    /// The marks that were never hit, of those that runs on these stores can hit.
    pub fn missed(&self, stores: &[Store]) -> Vec<Mark> {
        let can_be_hit = |mark: &Mark| mark.required_store().is_none_or(|store| stores.contains(&store));
        Mark::ALL.iter().copied().filter(can_be_hit).filter(|mark| self.of(*mark) == 0).collect()
    }
}
