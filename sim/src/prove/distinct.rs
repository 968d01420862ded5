//! How many different hashes there were, in memory that does not grow with them: the smallest are kept. Up to that many the
//! count is exact; above it is worked out from how close together they lie. Counts of several shards can be merged.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The error of a larger count is about one in the square root of this.
const KEPT: usize = 16_384;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct {
    smallest: BTreeSet<u64>,
    is_full: bool,
}

impl Distinct {
    pub fn add(&mut self, hash: u64) {
        if self.is_full && self.smallest.last().is_some_and(|largest| hash >= *largest) {
            return;
        }
        self.smallest.insert(hash);
        if self.smallest.len() > KEPT {
            self.is_full = true;
            self.smallest.pop_last();
        }
    }

    pub fn merge(&mut self, other: &Self) {
        other.smallest.iter().for_each(|hash| self.add(*hash));
        self.is_full |= other.is_full;
    }

    pub fn is_exact(&self) -> bool {
        !self.is_full
    }

    pub fn count(&self) -> u64 {
        let kept = self.smallest.len() as u64;
        match self.smallest.last() {
            Some(largest) if self.is_full => {
                let share = u128::from(kept - 1) * (u128::from(u64::MAX) + 1);
                u64::try_from(share / u128::from((*largest).max(1))).unwrap_or(u64::MAX)
            }
            _ => kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::decision_order::mix;

    fn of(numbers: std::ops::Range<u64>) -> Distinct {
        let mut distinct = Distinct::default();
        numbers.for_each(|number| distinct.add(mix(mix(number, 1), 2)));
        distinct
    }

    #[test]
    fn a_small_count_is_exact_and_a_large_one_is_close() {
        let mut twice = of(0..1_000);
        twice.merge(&of(500..1_500));
        assert_eq!((twice.count(), twice.is_exact()), (1_500, true));
        let large = of(0..200_000);
        assert!(!large.is_exact());
        assert!((195_000..205_000).contains(&large.count()), "{}", large.count());
    }

    #[test]
    fn shards_merge_to_the_whole() {
        let mut merged = of(0..60_000);
        merged.merge(&of(60_000..90_000));
        assert_eq!(merged, of(0..90_000));
    }
}
