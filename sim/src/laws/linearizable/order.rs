//! A search for an order of decisions that overlapped: one in which the model gives every answer that was given.

use crate::laws::linearizable::model::{Decision, ProcessModel};

/// How many steps of the model a search may take.
pub(super) const SEARCH_STEPS: u64 = 20_000;

/// A decision that overlapped with others. They stand in the order in which they ended.
pub(super) struct Overlapping {
    /// How many of the others had ended when it began.
    pub began: usize,
    pub decision: Decision,
    /// The number of its event.
    pub number: u64,
}

pub(super) enum Order {
    /// The model after all of them.
    Fits(ProcessModel),
    /// Every order was tried. At least up to this event one of them fits.
    NoneFits { stuck_at: u64 },
    /// Not all orders were tried.
    CutShort,
}

pub(super) fn search(model: &ProcessModel, overlapping: &[Overlapping]) -> Order {
    let is_done = vec![false; overlapping.len()];
    let mut search = Search { overlapping, is_done, steps_left: SEARCH_STEPS, deepest: 0 };
    match search.continue_from(model, 0) {
        Some(model) => Order::Fits(model),
        None if search.steps_left == 0 => Order::CutShort,
        None => Order::NoneFits {
            stuck_at: overlapping.get(search.deepest).map_or(0, |overlapping| overlapping.number),
        },
    }
}

struct Search<'a> {
    overlapping: &'a [Overlapping],
    /// Of each, that it has its place in the order that is being tried.
    is_done: Vec<bool>,
    steps_left: u64,
    /// The most decisions that any order had put in place.
    deepest: usize,
}

impl Search<'_> {
    fn continue_from(&mut self, model: &ProcessModel, count: usize) -> Option<ProcessModel> {
        if count == self.overlapping.len() {
            return Some(model.clone());
        }
        self.deepest = self.deepest.max(count);
        // A decision that ended before another began comes before it.
        let first_end = self.is_done.iter().position(|is_done| !is_done).unwrap_or(0);
        let overlapping = self.overlapping;
        for (place, Overlapping { began, decision, .. }) in overlapping.iter().enumerate() {
            if self.is_done[place] || *began > first_end {
                continue;
            }
            for now_ms in model.readings(decision) {
                if self.steps_left == 0 {
                    return None;
                }
                self.steps_left -= 1;
                if let Ok(next) = model.step(decision, now_ms) {
                    self.is_done[place] = true;
                    if let Some(found) = self.continue_from(&next, count + 1) {
                        return Some(found);
                    }
                    self.is_done[place] = false;
                }
            }
        }
        None
    }
}
