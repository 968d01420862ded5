//! Judging runs in which decisions took time. Nobody knows at which instant of such a decision it was made. So the law
//! linearizable searches for an order of them that fits every answer, and here the history is judged again in that order:
//! each decision that took time is moved to its place, between its beginning and its end. A law that holds there holds.
//! A breach stands only if the order in which decisions ended shows it, too, and if nothing of the process overlapped before:
//! otherwise another order may explain it. Laws whose card says so allow for every order themselves.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use crate::history::event::{CallKind, Event, EventKind, NO_PROCESS, What, Witness};
use crate::judge::judged::{Judged, findings};
use crate::laws::case::Case;
use crate::laws::law::Law;
use crate::laws::linearizable::{Linearizable, Placed};
use crate::laws::{Finding, Laws};
use crate::plan::{Node, Plan};

const UNKNOWN_ORDER: &str =
    "calls about the process overlapped before, and nobody knows the order they were decided in";
const OTHER_ORDER: &str = "it depends on the order of calls that overlapped, and on when they were decided";

/// The findings of a history, of which `by_end` are those in the order in which decisions ended.
pub fn judged_in_order(
    plan: &Plan,
    events: &[Event],
    by_end: Vec<Judged>,
    not_claimed: &[String],
) -> Vec<Judged> {
    let spans = Spans::of(events);
    if spans.calls.is_empty() {
        return by_end;
    }
    let (in_order, origins) = spans.in_order(plan, events);
    let mut laws = Laws::for_claims(plan, not_claimed);
    in_order.iter().for_each(|event| laws.see(event));
    let cards = laws.all();
    let mut judged = findings(plan, &laws);
    for (place, judged) in judged.iter_mut().enumerate() {
        let by_end = &by_end[place];
        assert_eq!(judged.law, by_end.law, "findings stand in the order of the laws");
        let card = cards[place].card;
        if card.name == Linearizable::CARD.name {
            *judged = by_end.clone();
            continue;
        }
        if let Finding::Broken { at, .. } = &mut judged.finding {
            *at = usize::try_from(*at).ok().and_then(|at| origins.get(at)).copied().unwrap_or(*at);
        }
        if judged.finding == Finding::Holds {
            continue;
        }
        let doubt = match (broken_at(&judged.finding), broken_at(&by_end.finding)) {
            (Some(here), Some(there)) if here == there => {
                let is_clear = card.judges_unordered || !spans.is_after_an_overlap(events, here);
                (!is_clear).then_some(UNKNOWN_ORDER)
            }
            (Some(_), _) => Some(OTHER_ORDER),
            (None, _) => None,
        };
        if let Some(because) = doubt {
            judged.finding = Finding::Undecided { because: because.to_owned() };
        }
    }
    judged
}

fn broken_at(finding: &Finding) -> Option<u64> {
    match finding {
        Finding::Broken { at, .. } => Some(*at),
        Finding::Holds | Finding::Undecided { .. } => None,
    }
}

/// The decisions that took time.
struct Spans {
    calls: Vec<SlowCall>,
    /// The first event at which two decisions about the process overlapped.
    overlapped: BTreeMap<u16, usize>,
}

/// The events of one decision that took time, by their places in the history.
struct SlowCall {
    /// Its evidence, and the event of its beginning.
    evidence: RangeInclusive<usize>,
    /// The event of its end, and its decision.
    decision: Range<usize>,
}

impl SlowCall {
    fn places(&self) -> impl Iterator<Item = usize> {
        self.evidence.clone().chain(self.decision.clone())
    }

    /// The call whose decision began and ended at these places.
    fn of(events: &[Event], began: usize, ended: usize) -> Self {
        let is_beside = |other: &Event, of: usize| {
            let of = &events[of];
            let is_span = matches!(other.what(), What::SpanBegan { .. } | What::SpanEnded { .. });
            other.kind().is_decided()
                && !is_span
                && (other.node, other.process, other.at_us) == (of.node, of.process, of.at_us)
        };
        // The caller may have another call decided at the same instant.
        let is_evidence = |other: &&Event| is_beside(other, began) && is_evidence(other.kind());
        let is_decision = |other: &&Event| is_beside(other, ended) && !self::is_evidence(other.kind());
        let evidence = events[..began].iter().rev().take_while(is_evidence).count();
        let decided = events[ended + 1..].iter().take_while(is_decision);
        let answers = decided.clone().enumerate().filter(|(_, event)| is_answer(event.kind()));
        let decision = answers.map(|(place, _)| place).nth(1).unwrap_or_else(|| decided.count());
        Self { evidence: began - evidence..=began, decision: ended..ended + 1 + decision }
    }
}

/// A call is answered with one of these at most, and a prune that it found out about comes before.
fn is_answer(kind: EventKind) -> bool {
    kind <= EventKind::Asked && kind != EventKind::Pruned
        || matches!(kind, EventKind::LeaseShown | EventKind::LogRead | EventKind::Answered)
}

/// It is recorded of a call before its decision begins.
fn is_evidence(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Claims
            | EventKind::Completes
            | EventKind::Unfenced
            | EventKind::Observed
            | EventKind::GivesUp
            | EventKind::TransferIsPartial
            | EventKind::StoreWaited
    )
}

impl Spans {
    fn of(events: &[Event]) -> Self {
        let mut open: BTreeMap<u64, (usize, u16)> = BTreeMap::new();
        let (mut calls, mut overlapped) = (Vec::new(), BTreeMap::new());
        for (place, event) in events.iter().enumerate() {
            let (own, is_decision) = match event.what() {
                What::SpanBegan { call, .. } | What::SpanEnded { call, .. } => (Some(call), true),
                _ => (None, event.kind().is_decided()),
            };
            // A prune is about every process.
            let is_about = |process: u16| {
                process == event.process || process == NO_PROCESS || event.process == NO_PROCESS
            };
            let others = open.iter().filter(|(call, (_, process))| Some(**call) != own && is_about(*process));
            if is_decision && others.count() > 0 {
                overlapped.entry(event.process).or_insert(place);
            }
            let what = event.what();
            if let What::SpanBegan { kind: CallKind::Prune, .. } = what {
                // When, and whether, it took a process that has ended is not known.
                overlapped.entry(event.process).or_insert(place);
            }
            if let What::SpanBegan { call, .. } = what {
                open.insert(call, (place, event.process));
            } else if let What::SpanEnded { call, .. } = what
                && let Some((began, _)) = open.remove(&call)
            {
                calls.push(SlowCall::of(events, began, place));
            } else if matches!(what, What::Crashed { .. }) && event.node == Node::Registry.code() {
                // Nobody knows what became of the calls that were being decided.
                for (_, process) in std::mem::take(&mut open).into_values() {
                    overlapped.entry(process).or_insert(place);
                }
            }
        }
        Self { calls, overlapped }
    }

    fn is_after_an_overlap(&self, events: &[Event], at: u64) -> bool {
        let Some(at) = usize::try_from(at).ok().filter(|at| *at < events.len()) else { return false };
        let process = events[at].process;
        let is_after = |process: u16| self.overlapped.get(&process).is_some_and(|first| *first <= at);
        is_after(process) || is_after(NO_PROCESS)
    }

    /// The events in the order that linearizable found, and the place of each in the history.
    fn in_order(&self, plan: &Plan, events: &[Event]) -> (Vec<Event>, Vec<u64>) {
        let moves = self.moves(plan, events);
        let mut is_moved = vec![false; events.len()];
        for place in moves.values().flatten().flat_map(|(call, _)| self.calls[*call].places()) {
            is_moved[place] = true;
        }
        let (mut in_order, mut origins) =
            (Vec::with_capacity(events.len()), Vec::with_capacity(events.len()));
        for (place, event) in events.iter().enumerate() {
            for (call, now_ms) in moves.get(&place).into_iter().flatten() {
                for own in self.calls[*call].places() {
                    let mut moved = events[own].with_clock(*now_ms);
                    moved.at_us = event.at_us;
                    in_order.push(moved);
                    origins.push(own as u64);
                }
            }
            if !is_moved[place] {
                in_order.push(*event);
                origins.push(place as u64);
            }
        }
        (in_order, origins)
    }

    /// The calls that move, by the place that each moves before, in order, each with its reading. It is the latest place that
    /// the order allows: no later than the call's own end, nor than whatever comes after it.
    fn moves(&self, plan: &Plan, events: &[Event]) -> BTreeMap<usize, Vec<(usize, u64)>> {
        let calls = self.calls.iter().enumerate();
        let decisions = calls.flat_map(|(call, span)| span.decision.clone().map(move |place| (place, call)));
        let call_of: BTreeMap<usize, usize> = decisions.collect();
        let mut moves: BTreeMap<usize, Vec<(usize, u64)>> = BTreeMap::new();
        for way in ways(plan, events) {
            let mut latest = usize::MAX;
            for Placed { number, now_ms } in way.into_iter().rev() {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                match call_of.get(&number) {
                    Some(call) => {
                        latest = latest.min(self.calls[*call].decision.start);
                        moves.entry(latest).or_default().push((*call, now_ms));
                    }
                    // A decision that was made at once stays where it is.
                    None => latest = latest.min(number),
                }
            }
        }
        // Each way was followed from its end.
        moves.values_mut().for_each(|calls| calls.reverse());
        moves
    }
}

/// For each process, the decisions that took time or overlapped with one that did, in an order that fits.
fn ways(plan: &Plan, events: &[Event]) -> Vec<Vec<Placed>> {
    let (mut law, mut case) = (Linearizable::new(plan), Case::default());
    for (number, event) in (0..).zip(events) {
        if Linearizable::CARD.hears.contains(&event.kind()) {
            case.turn_to(number);
            law.see(event, event.what(), &mut case);
        }
    }
    law.ways().map(<[Placed]>::to_vec).collect()
}
