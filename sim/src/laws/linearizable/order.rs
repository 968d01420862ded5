//! A search for the orders of decisions that overlapped: those in which the model gives every answer that was given. A decision
//! may be made at any one instant between its beginning and its end, so time goes into the search: along an order the
//! readings of the registry's clock never go back, unless the clock itself may.

use std::collections::BTreeSet;

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
    pub node: u8,
    pub ended_us: u64,
}

/// A state of the process that the answers so far allow, and one way to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Possible {
    pub model: ProcessModel,
    pub way: Vec<Placed>,
}

/// A decision that took time, in its place of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The number of its event.
    pub number: u64,
    pub now_ms: u64,
}

pub(super) enum Order {
    /// Every state that some order leads to.
    Fits(Vec<Possible>),
    /// Every order was tried. At least up to this event one of them fits.
    NoneFits { stuck_at: u64 },
    /// Not all orders were tried.
    CutShort,
}

/// All orders from each of the states. `goes_back`: the registry's clock may be set back meanwhile.
pub(super) fn search(
    possible: &[Possible],
    overlapping: &[Overlapping],
    goes_back: bool,
    steps: u64,
) -> Order {
    let mut search = Search {
        overlapping,
        goes_back,
        is_done: vec![false; overlapping.len()],
        way: Vec::new(),
        seen: BTreeSet::new(),
        ends: Vec::new(),
        steps_left: steps,
        deepest: 0,
    };
    for Possible { model, way } in possible {
        search.way.clone_from(way);
        search.continue_from(model, 0, 0);
    }
    match search.ends {
        _ if search.steps_left == 0 => Order::CutShort,
        ends if ends.is_empty() => Order::NoneFits {
            stuck_at: overlapping.get(search.deepest).map_or(0, |overlapping| overlapping.number),
        },
        ends => Order::Fits(ends),
    }
}

struct Search<'a> {
    overlapping: &'a [Overlapping],
    goes_back: bool,
    /// For each call, true if it has its place in the order that is being tried.
    is_done: Vec<bool>,
    way: Vec<Placed>,
    /// The combinations that were tried: the decisions in place, the last reading, and the state.
    seen: BTreeSet<(Vec<bool>, u64, ProcessModel)>,
    ends: Vec<Possible>,
    steps_left: u64,
    /// The most decisions that any order had put in place.
    deepest: usize,
}

impl Search<'_> {
    fn continue_from(&mut self, model: &ProcessModel, count: usize, last_ms: u64) {
        self.deepest = self.deepest.max(count);
        if count == self.overlapping.len() {
            if !self.ends.iter().any(|end| end.model == *model) {
                self.ends.push(Possible { model: model.clone(), way: self.way.clone() });
            }
            return;
        }
        if !self.seen.insert((self.is_done.clone(), last_ms, model.clone())) {
            return;
        }
        // A decision that ended before another began comes before it.
        let first_end = self.is_done.iter().position(|is_done| !is_done).unwrap_or(0);
        let overlapping = self.overlapping;
        let may_be_next = |search: &Self, place: usize| {
            !search.is_done[place] && overlapping[place].began <= first_end
        };
        let places: Vec<usize> = (0..overlapping.len()).filter(|place| may_be_next(self, *place)).collect();
        // One that fits here and changes nothing needs no other place.
        for place in &places {
            let decision = &overlapping[*place].decision;
            let now_ms = if self.goes_back { decision.to_ms } else { decision.from_ms.max(last_ms) };
            let crosses_expiry = model.expires_between(last_ms, now_ms) && !self.goes_back;
            if !crosses_expiry && self.step(model, decision, now_ms).as_ref() == Some(model) {
                return self.place(*place, model, now_ms, count);
            }
        }
        for place in places {
            let decision = &overlapping[place].decision;
            for now_ms in model.readings(decision, last_ms, self.goes_back) {
                if let Some(next) = self.step(model, decision, now_ms) {
                    self.place(place, &next, now_ms, count);
                }
            }
        }
    }

    fn step(&mut self, model: &ProcessModel, decision: &Decision, now_ms: u64) -> Option<ProcessModel> {
        self.steps_left = self.steps_left.saturating_sub(1);
        (self.steps_left > 0).then(|| model.step(decision, now_ms).ok()).flatten()
    }

    fn place(&mut self, place: usize, next: &ProcessModel, now_ms: u64, count: usize) {
        let last_ms = if self.goes_back { 0 } else { now_ms };
        self.is_done[place] = true;
        self.way.push(Placed { number: self.overlapping[place].number, now_ms });
        self.continue_from(next, count + 1, last_ms);
        self.way.pop();
        self.is_done[place] = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::{GrantNo, What};
    use crate::laws::linearizable::model::LeftOpen;
    use crate::laws::state::stored_lease::Lease;

    const HELD: GrantNo = GrantNo(0);
    const OTHER: GrantNo = GrantNo(1);

    /// A decision at 1,000 ms that overlaps with all others, by its number.
    fn overlapping(number: u64, grant: GrantNo, what: What) -> Overlapping {
        let decision = Decision {
            what,
            grant,
            from_ms: 1_000,
            to_ms: 1_000,
            read_ms: 1_000,
            sequence: None,
            claims: GrantNo::NONE,
            output: None,
            observed: None,
            unfenced: None,
            left_open: LeftOpen::default(),
        };
        Overlapping { began: 0, decision, number, node: 1, ended_us: 1_000_000 }
    }

    /// A process that is held until 4,000 ms, so claims of others are busy in any order.
    fn held() -> [Possible; 1] {
        let lease = Some(Lease { grant: HELD, expires_ms: 4_000 });
        [Possible { model: ProcessModel { is_known: true, lease, ..ProcessModel::default() }, way: Vec::new() }]
    }

    #[test]
    fn a_search_that_is_cut_short_says_so() {
        let busy: Vec<Overlapping> = (0..30).map(|number| overlapping(number, HELD, What::Busy)).collect();
        let Order::Fits(fits) = search(&held(), &busy, false, SEARCH_STEPS) else { panic!("any order fits") };
        assert_eq!(fits.iter().map(|fit| fit.way.len()).collect::<Vec<_>>(), [30]);
        assert!(matches!(search(&held(), &busy, false, 10), Order::CutShort));
    }

    #[test]
    fn a_decision_that_no_order_explains_is_named() {
        let mut decisions: Vec<Overlapping> =
            (0..30).map(|number| overlapping(number, HELD, What::Busy)).collect();
        decisions.push(overlapping(30, OTHER, What::Renewed { expires_ms: 9_000, asked_ms: 0 }));
        let order = search(&held(), &decisions, false, SEARCH_STEPS);
        assert!(matches!(order, Order::NoneFits { stuck_at: 30 }));
    }
}
