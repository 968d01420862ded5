//! How the zombie windows of a search are distributed: for each seed the longest time that anybody acted under a grant that was
//! no longer live, counted in steps of 1, 2 and 5.

use serde::Serialize;

/// The upper ends of the ranges, each included; the last range has none.
const BOUNDS_US: [u64; 15] = [
    0, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    5_000_000, 10_000_000, 20_000_000,
];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ZombieWindows {
    counts: [u64; BOUNDS_US.len() + 1],
}

/// The seeds whose longest window was above the range before and at most this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WindowRange {
    /// None for the last range, which has no end.
    pub up_to_us: Option<u64>,
    pub seeds: u64,
}

impl ZombieWindows {
    pub fn add(&mut self, longest_us: u64) {
        self.counts[BOUNDS_US.partition_point(|bound| *bound < longest_us)] += 1;
    }

    /// All ranges, from the shortest windows to the longest.
    pub fn ranges(&self) -> Vec<WindowRange> {
        let bounds = BOUNDS_US.into_iter().map(Some).chain([None]);
        bounds.zip(self.counts).map(|(up_to_us, seeds)| WindowRange { up_to_us, seeds }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_counted_in_the_first_range_that_holds_it() {
        let mut windows = ZombieWindows::default();
        for us in [0, 0, 1, 1_000, 1_001, 2_000, 20_000_000, 20_000_001, u64::MAX] {
            windows.add(us);
        }
        let ranges = windows.ranges();
        let seeds_to = |up_to_us| ranges.iter().find(|range| range.up_to_us == up_to_us).unwrap().seeds;
        assert_eq!(seeds_to(Some(0)), 2);
        assert_eq!(seeds_to(Some(1_000)), 2);
        assert_eq!(seeds_to(Some(2_000)), 2);
        assert_eq!(seeds_to(Some(20_000_000)), 1);
        assert_eq!(seeds_to(None), 2);
        assert_eq!(ranges.iter().map(|range| range.seeds).sum::<u64>(), 9);
    }
}
