//! The longest overlap of a run: true time in which two contenders both took themselves for the holder of one key, and acted
//! on it. A node that stands still does not act. It is a measure and no law: clocks that are apart make short ones lawful.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::event::{Event, GrantNo, What, Witness};

/// Watches the events of a run for the longest overlap.
#[derive(Default)]
pub struct HolderOverlap {
    pub longest_us: u64,
    /// By process: the grants that are acted on, each with its node.
    acting: BTreeMap<u16, Vec<(GrantNo, u8)>>,
    standing_still: BTreeSet<u8>,
    /// By process: when two began to act at once.
    since_us: BTreeMap<u16, u64>,
}

impl HolderOverlap {
    /// Called when the set of contenders that act has changed.
    fn look(&mut self, now_us: u64) {
        for (process, acting) in &self.acting {
            let awake = acting.iter().filter(|(_, node)| !self.standing_still.contains(node)).count();
            if awake >= 2 {
                self.since_us.entry(*process).or_insert(now_us);
            } else if let Some(since_us) = self.since_us.remove(process) {
                self.longest_us = self.longest_us.max(now_us - since_us);
            }
        }
    }
}

impl Witness for HolderOverlap {
    fn see(&mut self, event: &Event) {
        let what = event.what();
        if let What::BodyBegan { .. } = what {
            self.acting.entry(event.process).or_default().push((event.grant, event.node));
        } else if let What::BodyEnded { .. } = what {
            self.acting.entry(event.process).or_default().retain(|(grant, _)| *grant != event.grant);
        } else if let What::Paused = what {
            self.standing_still.insert(event.node);
        } else if let What::Resumed | What::Crashed { .. } = what {
            self.standing_still.remove(&event.node);
        } else {
            return;
        }
        self.look(event.at_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{BodyOutcome, Context, NO_PROCESS};

    const BEGINS: What = What::BodyBegan { fence: 1 };
    const ENDS: What = What::BodyEnded { outcome: BodyOutcome::Dropped, output: 0 };

    /// Each at an instant in µs, at a node, under its grant.
    fn longest(events: &[(u64, u8, What)]) -> u64 {
        let mut overlap = HolderOverlap::default();
        for (at_us, node, what) in events {
            let (process, grant) = match what {
                What::Paused | What::Resumed => (NO_PROCESS, GrantNo::NONE),
                _ => (1, GrantNo(u32::from(*node))),
            };
            let context = Context { at_us: *at_us, clock: 0, node: *node, process, grant };
            overlap.see(&Event::new(context, *what));
        }
        overlap.longest_us
    }

    #[test]
    fn two_overlap_from_the_second_beginning_to_the_first_end() {
        assert_eq!(longest(&[(1, 1, BEGINS), (5, 1, ENDS), (5, 2, BEGINS), (9, 2, ENDS)]), 0);
        assert_eq!(longest(&[(1, 1, BEGINS), (5, 2, BEGINS), (12, 1, ENDS), (90, 2, ENDS)]), 7);
    }

    #[test]
    fn who_stands_still_does_not_act() {
        let paused = [(1, 1, BEGINS), (2, 1, What::Paused), (5, 2, BEGINS), (50, 1, What::Resumed)];
        assert_eq!(longest(&[&paused[..], &[(50, 1, ENDS), (60, 2, ENDS)]].concat()), 0);
        assert_eq!(longest(&[&paused[..], &[(53, 1, ENDS), (60, 2, ENDS)]].concat()), 3);
    }
}
