//! The order of decisions of a run: for each process what the registry changed, renewed and refused, what the ledger took, and
//! which bodies ran, by whom and under which grant, without any time. Decisions of different sorts commute: a refusal changes
//! nothing, and a renewal only an expiry, which is a time. Reads are left out, and so is a decision that repeats the one before
//! it.

use std::collections::BTreeMap;

use crate::history::event::{CallKind, CallResult, Event, GrantNo, NO_PROCESS, What, Witness};
use crate::plan::{Node, Plan};

/// Watches a run for its order of decisions.
#[derive(Debug, Clone)]
pub struct DecisionOrder {
    pub words: Vec<OrderedDecision>,
    workers: Vec<u8>,
    grants: BTreeMap<u16, Vec<GrantNo>>,
}

/// One decision, without its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderedDecision {
    /// Decisions of different processes commute, and so do those of different sorts.
    pub process: u16,
    pub sort: Sort,
    pub node: u8,
    /// Its grant, by its place among those of its process.
    pub grant: usize,
    pub code: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    Change,
    Renewal,
    Refusal,
    Ledger,
    Body,
}

/// With more workers than this they are not exchanged.
const MOST_EXCHANGED: usize = 3;

impl DecisionOrder {
    pub fn new(plan: &Plan) -> Self {
        Self { words: Vec::new(), workers: plan.workers.0.clone(), grants: BTreeMap::new() }
    }

    /// Equal for equal orders, also if workers have changed their roles: the least over all ways to name them.
    pub fn key(&self) -> u64 {
        let own = |node| node;
        let mut least = self.key_with(own);
        if self.workers.len() <= MOST_EXCHANGED {
            for names in orders_of(&self.workers) {
                let renamed = |node: u8| {
                    let place = self.workers.iter().position(|worker| *worker == node);
                    place.map_or(node, |place| names[place])
                };
                least = least.min(self.key_with(renamed));
            }
        }
        least
    }

    /// The key with nodes named in another way.
    pub fn key_with(&self, name_of: impl Fn(u8) -> u8) -> u64 {
        let mut hashes: BTreeMap<(u16, Sort), (u64, Option<OrderedDecision>)> = BTreeMap::new();
        for word in &self.words {
            let (hash, last) = hashes.entry((word.process, word.sort)).or_insert((0, None));
            if last.replace(*word) == Some(*word) {
                continue;
            }
            let named = u64::from(name_of(word.node)) | (word.grant as u64) << 8;
            *hash = mix(mix(*hash, named), word.code);
        }
        hashes.into_iter().fold(0, |key, ((process, sort), (hash, _))| {
            mix(mix(key, u64::from(process) << 8 | sort as u64), hash)
        })
    }

    fn add(&mut self, event: &Event, sort: Sort, code: u64) {
        let known = self.grants.entry(event.process).or_default();
        let grant = match known.iter().position(|grant| *grant == event.grant) {
            Some(place) => place,
            None => {
                known.push(event.grant);
                known.len() - 1
            }
        };
        self.words.push(OrderedDecision { process: event.process, sort, node: event.node, grant, code });
    }
}

impl Witness for DecisionOrder {
    fn see(&mut self, event: &Event) {
        if let Some((sort, code)) = decision_in(event) {
            self.add(event, sort, code);
        }
    }
}

/// The event as a decision; none if it is a read, evidence or the plan's own doing.
fn decision_in(event: &Event) -> Option<(Sort, u64)> {
    let code = |payload: u64| mix(event.kind() as u64, payload);
    let change = |payload: u64| Some((Sort::Change, code(payload)));
    let refusal = |payload: u64| Some((Sort::Refusal, code(payload)));
    match event.what() {
        What::Registered { is_new, .. } => change(u64::from(is_new)),
        What::Granted { fence, .. } | What::Reclaimed { fence, .. } | What::Reentered { fence, .. } => {
            change(fence)
        }
        What::Renewed { .. } => Some((Sort::Renewal, code(0))),
        What::Released | What::Pruned => change(0),
        What::Wrote { write } | What::Asked { write } => change(write as u64),
        What::Ended { status, .. } => change(status as u64),
        What::TurnedOut { call, fate } => change(call as u64 | (fate as u64) << 8),
        What::AnswerDiffers { .. } | What::Panicked | What::Exhausted => change(0),
        What::Remained { what } => change(what as u64),
        What::Drained { rows } => change(rows),
        // A sweep that acts on its list asks for what has ended meanwhile.
        What::Refused { call: CallKind::Claim, why: CallResult::AlreadyTerminal } => None,
        What::Refused { call, why } => refusal(call as u64 | (why as u64) << 8),
        What::Failed { call: CallKind::Read, .. } => None,
        What::Failed { call, is_unknown } => refusal(call as u64 | u64::from(is_unknown) << 8),
        What::EffectTaken { fence, .. } | What::EffectRefused { fence, .. } => {
            Some((Sort::Ledger, code(fence)))
        }
        What::BodyBegan { fence } => Some((Sort::Body, code(fence))),
        What::BodyEnded { outcome, .. } => Some((Sort::Body, code(outcome as u64))),
        _ => None,
    }
}

/// A decision after which the registry's rows are not what they were before: where it makes a difference to come earlier or
/// later.
pub fn changes_rows(event: &Event) -> bool {
    let is_change = matches!(
        event.what(),
        What::Granted { .. }
            | What::Reclaimed { .. }
            | What::Reentered { .. }
            | What::Released
            | What::Ended { .. }
            | What::Pruned
            | What::Registered { is_new: true, .. }
            | What::Wrote { .. }
            | What::Asked { .. }
    );
    is_change && event.process != NO_PROCESS && event.node != Node::Ledger.code()
}

/// Every order of these names but the first, which is their own.
fn orders_of(names: &[u8]) -> Vec<Vec<u8>> {
    let mut orders = vec![Vec::new()];
    for _ in names {
        let longer = |order: &Vec<u8>| {
            let left = names.iter().filter(|name| !order.contains(name));
            left.map(|name| [order.as_slice(), &[*name]].concat()).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders.remove(0);
    orders
}

/// Folds one more number into a hash.
pub fn mix(hash: u64, word: u64) -> u64 {
    let wide = u128::from(hash ^ word ^ 0x6c62_272e_07bb_0142) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
    (wide as u64) ^ ((wide >> 64) as u64).rotate_left(23) ^ word.rotate_left(41)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::event::Context;

    fn order(events: &[(u8, u32, What)]) -> DecisionOrder {
        let mut order = DecisionOrder::new(&Plan::quiet(1));
        for (at_us, (node, grant, what)) in (0..).zip(events) {
            let context = Context { at_us, clock: at_us, node: *node, process: 1, grant: GrantNo(*grant) };
            order.see(&Event::new(context, *what));
        }
        order
    }

    fn granted(fence: u64) -> What {
        What::Granted { expires_ms: 7 * fence, fence }
    }

    #[test]
    fn workers_that_changed_their_roles_have_the_same_order() {
        let key = |events: &[(u8, u32, What)]| order(events).key();
        let one = key(&[(1, 0, granted(1)), (1, 0, What::Released), (2, 1, granted(2))]);
        assert_eq!(one, key(&[(2, 5, granted(1)), (2, 5, What::Released), (3, 6, granted(2))]));
        assert_ne!(one, key(&[(1, 0, granted(1)), (1, 0, What::Released), (1, 1, granted(2))]));
        assert_ne!(one, key(&[(1, 0, granted(1)), (101, 0, What::Released), (2, 1, granted(2))]));
    }

    #[test]
    fn reads_and_repeated_decisions_do_not_count_and_the_order_does() {
        let key = |events: &[(u8, u32, What)]| order(events).key();
        let renewed = What::Renewed { expires_ms: 1, asked_ms: 1 };
        let once = key(&[(1, 0, granted(1)), (1, 0, renewed), (1, 0, What::Released)]);
        let twice = [(1, 0, granted(1)), (1, 0, renewed), (2, 0, What::Busy), (1, 0, renewed)];
        assert_eq!(once, key(&[twice.as_slice(), &[(1, 0, What::Released)]].concat()));
        let released_first = [(1, 0, What::Released), (1, 0, granted(1)), (1, 0, renewed)];
        assert_ne!(once, key(&released_first));
        // A renewal commutes with changes, and is there or not.
        assert_eq!(once, key(&[(1, 0, renewed), (1, 0, granted(1)), (1, 0, What::Released)]));
        assert_ne!(once, key(&[(1, 0, granted(1)), (1, 0, What::Released)]));
    }

    #[test]
    fn three_names_have_five_other_orders() {
        assert_eq!(orders_of(&[1, 2, 3]).len(), 5);
        assert!(orders_of(&[7]).is_empty());
    }
}
