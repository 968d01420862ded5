//! One process under the law linearizable: the states that its answers so far allow, and the decisions that still wait for their
//! place in an order.

use crate::history::event::{CallKind, Event, GrantNo, What};
use crate::laws::case::Case;
use crate::laws::linearizable::cut_off::{CutOff, CutOffCall};
use crate::laws::linearizable::model::{Decision, LeftOpen, ProcessModel, ReclaimEvidence};
use crate::laws::linearizable::order::{self, Order, Overlapping, Placed, Possible, SEARCH_STEPS};
use crate::laws::state::stored_lease::Lease;

pub(super) struct ModelledRow {
    /// Every state that the answers so far allow: more than one only after calls that overlapped.
    possible: Vec<Possible>,
    /// Evidence about the next decision, by node.
    evidence: Vec<(u8, CallEvidence)>,
    overlapping: Vec<Overlapping>,
    /// Decisions that have begun and not ended.
    open: Vec<OpenDecision>,
    /// Calls that died with the registry in the middle of their decisions, until somebody has seen what they left.
    cut_off: Option<CutOff>,
    /// The instant at which the last of the overlapping decisions ended.
    ended_us: u64,
    /// A prune that took time began or ended while decisions about the process went on.
    was_prune_open: bool,
    /// From here on nothing can be said of the process: after a breach, or a doubt.
    is_lost: bool,
    pub left_open: LeftOpen,
}

/// Evidence from events about a node's next decision on a process. It is used once.
#[derive(Default, Clone, Copy)]
pub(super) struct CallEvidence {
    pub claims: Option<GrantNo>,
    pub output: Option<u64>,
    pub observed: Option<ReclaimEvidence>,
    pub unfenced: Option<CallKind>,
    spanned: Option<EndedDecision>,
    /// It died with the registry, and was made: the reads that follow show what it left.
    is_shown_next: bool,
}

/// A decision that takes time and goes on.
struct OpenDecision {
    call: u64,
    kind: CallKind,
    presented: GrantNo,
    evidence: CallEvidence,
    began_ms: u64,
    /// How many of the overlapping decisions had ended when it began.
    place: usize,
}

/// A decision that took time.
#[derive(Clone, Copy)]
struct EndedDecision {
    began_ms: u64,
    place: usize,
    ended_ms: u64,
    ended_us: u64,
}

impl Default for ModelledRow {
    fn default() -> Self {
        Self {
            possible: vec![Possible::default()],
            evidence: Vec::new(),
            overlapping: Vec::new(),
            open: Vec::new(),
            cut_off: None,
            ended_us: 0,
            was_prune_open: false,
            is_lost: false,
            left_open: LeftOpen::default(),
        }
    }
}

impl ModelledRow {
    pub fn evidence(&mut self, node: u8) -> &mut CallEvidence {
        let place = match self.evidence.iter().position(|(of, _)| *of == node) {
            Some(place) => place,
            None => {
                self.evidence.push((node, CallEvidence::default()));
                self.evidence.len() - 1
            }
        };
        &mut self.evidence[place].1
    }

    pub fn models(&mut self, change: impl Fn(&mut ProcessModel)) {
        self.possible.iter_mut().for_each(|possible| change(&mut possible.model));
    }

    /// A prune that takes time may remove the process at any instant of that time, or not at all.
    pub fn may_be_pruned(&mut self) {
        let ended = self.possible.iter().filter(|possible| possible.model.end.is_some());
        let emptied = |one: &Possible| Possible { model: one.model.emptied(self.left_open), way: one.way.clone() };
        let pruned: Vec<Possible> = ended.map(emptied).collect();
        for one in pruned {
            if !self.possible.iter().any(|known| known.model == one.model) {
                self.possible.push(one);
            }
        }
        self.was_prune_open |= !self.overlapping.is_empty() || !self.open.is_empty();
    }

    /// A decision goes on whose effect matters here, so that nobody knows what it has done so far.
    fn is_unclear(&self) -> bool {
        self.open.iter().any(|open| match open.kind {
            CallKind::Read
            | CallKind::Emit
            | CallKind::SetWait
            | CallKind::ClearWait
            | CallKind::UnfencedEmit
            | CallKind::UnfencedSetWait
            | CallKind::UnfencedClearWait
            | CallKind::Abandon
            | CallKind::GrantHandle
            | CallKind::Transfer
            | CallKind::Ack
            | CallKind::Other => false,
            CallKind::Register
            | CallKind::Claim
            | CallKind::Reclaim
            | CallKind::Renew
            | CallKind::Release
            | CallKind::Start
            | CallKind::UnfencedStart
            | CallKind::Complete
            | CallKind::UnfencedComplete
            | CallKind::Prune => true,
        })
    }

    /// The registry died. What stands is seen once somebody asks: until then nobody knows which of the open decisions were made.
    pub fn registry_died(&mut self, goes_back: bool, case: &mut Case) {
        let is_unclear = self.is_unclear();
        let open = std::mem::take(&mut self.open);
        if !is_unclear || self.is_lost {
            return self.put_in_order(goes_back, case);
        }
        let overlapping = std::mem::take(&mut self.overlapping);
        match order::search(&self.possible, &overlapping, goes_back, SEARCH_STEPS) {
            Order::Fits(possible) => self.possible = possible,
            // An answer may rest on a call that died.
            Order::NoneFits { .. } | Order::CutShort => {
                self.lose();
                return case.doubt(|| "calls were answered while others died with the registry".to_owned());
            }
        }
        let died = open.iter().map(|open| CutOffCall {
            kind: open.kind,
            presented: open.presented,
            output: open.evidence.output,
        });
        self.cut_off = Some(CutOff::add(self.cut_off.take(), died));
    }

    /// The answer to the first question after the registry died: what its open decisions have left.
    fn shows_what_was_left(&mut self, mut cut_off: CutOff, event: &Event, what: What, case: &mut Case) {
        match what {
            What::Showed { status, output } => {
                cut_off.shown = Some((status, output));
                self.cut_off = Some(cut_off);
            }
            What::LeaseShown { expires_ms } => {
                let lease = event.grant.is_some().then_some(Lease { grant: event.grant, expires_ms });
                self.possible = cut_off.left(&self.possible, lease, self.left_open);
                if self.possible.is_empty() {
                    self.lose();
                    case.breach(|| "what is stored after the registry died is no work of any call; right: what some of the open calls leave".to_owned());
                }
            }
            _ => {
                self.lose();
                case.doubt(|| "calls died with the registry, and nobody saw at once what they had left".to_owned());
            }
        }
    }

    /// A call that died with the registry was made, or one whose outcome nobody knew.
    pub fn was_made(&mut self, node: u8) {
        self.evidence(node).is_shown_next = self.cut_off.is_some();
    }

    /// The answer of the last of the overlapping decisions is whole once time has passed.
    pub fn reaches(&mut self, at_us: u64, goes_back: bool, case: &mut Case) {
        if self.ended_us < at_us {
            self.put_in_order(goes_back, case);
        }
    }

    /// The run is over.
    pub fn ends(&mut self, goes_back: bool, case: &mut Case) {
        let is_unclear = self.is_unclear();
        self.open.clear();
        if is_unclear && !self.overlapping.is_empty() {
            self.lose();
            case.doubt(|| "decisions that took time had no end".to_owned());
        }
        self.put_in_order(goes_back, case);
    }

    /// One order that fits every answer.
    pub fn way(&self) -> &[Placed] {
        self.possible.first().map_or(&[][..], |first| &first.way)
    }

    fn lose(&mut self) {
        self.is_lost = true;
        self.open.clear();
        self.overlapping.clear();
    }

    pub fn span_begins(&mut self, event: &Event, call: u64, kind: CallKind) {
        let evidence = std::mem::take(self.evidence(event.node));
        let place = self.overlapping.len();
        self.open.push(OpenDecision { call, kind, presented: event.grant, evidence, began_ms: event.clock, place });
    }

    pub fn span_ends(&mut self, event: &Event, call: u64) {
        // After a crash of the registry nobody knows its beginning.
        let Some(found) = self.open.iter().position(|open| open.call == call) else { return };
        let OpenDecision { evidence, began_ms, place, .. } = self.open.remove(found);
        self.ended_us = event.at_us;
        let spanned = EndedDecision { began_ms, place, ended_ms: event.clock, ended_us: event.at_us };
        *self.evidence(event.node) = CallEvidence { spanned: Some(spanned), ..evidence };
    }

    /// The answer to the append that was decided last.
    pub fn appended(&mut self, event: &Event, sequence: u64) {
        // A call that took time and decided nothing was answered with an event that was there before.
        let span = self.evidence(event.node).spanned.take();
        if span.is_some_and(|span| span.ended_us == event.at_us) {
            return;
        }
        match self.overlapping.last_mut() {
            Some(last)
                if (last.node, last.ended_us) == (event.node, event.at_us) && last.decision.sequence.is_none() =>
            {
                let is_append = matches!(last.decision.what, What::Wrote { .. } | What::Asked { .. });
                last.decision.sequence = is_append.then_some(sequence);
            }
            // A replay, whose event was there before.
            Some(_) => {}
            None if !self.open.is_empty() => {}
            None => self.models(|model| model.last_sequence = model.last_sequence.max(sequence)),
        }
    }

    pub fn decided(&mut self, event: &Event, what: What, case: &mut Case) {
        let evidence = match what {
            // A registration that took time may have shown that a prune had come before it: both took place in its span.
            What::Pruned => *self.evidence(event.node),
            _ => std::mem::take(self.evidence(event.node)),
        };
        // A decision that is no matter of this law leaves its span behind.
        let span = evidence.spanned.filter(|span| span.ended_us == event.at_us);
        let decision = Decision {
            what,
            grant: event.grant,
            from_ms: span.map_or(event.clock, |span| span.began_ms),
            to_ms: span.map_or(event.clock, |span| span.ended_ms),
            read_ms: event.clock,
            sequence: None,
            claims: evidence.claims.unwrap_or(GrantNo::NONE),
            output: evidence.output,
            observed: evidence.observed,
            // Where calls of one node overlap, the evidence of one may be taken for another's.
            unfenced: evidence.unfenced.or_else(|| (!event.grant.is_some()).then_some(CallKind::Other)),
            left_open: self.left_open,
        };
        case.meet();
        if self.is_lost || evidence.is_shown_next {
            return;
        }
        if let Some(cut_off) = self.cut_off.take() {
            return self.shows_what_was_left(cut_off, event, what, case);
        }
        // An earlier call may have overlapped with one that this law does not judge: then the order is still open.
        if span.is_some() || !self.open.is_empty() || !self.overlapping.is_empty() {
            let began = span.map_or(self.overlapping.len(), |span| span.place);
            let (number, node, ended_us) = (case.number(), event.node, event.at_us);
            self.ended_us = ended_us;
            self.overlapping.push(Overlapping { began, decision, number, node, ended_us });
            return;
        }
        let mut why = None;
        self.possible.retain_mut(|possible| match possible.model.step(&decision, event.clock) {
            Ok(next) => {
                possible.model = next;
                true
            }
            Err(because) => {
                why.get_or_insert(because);
                false
            }
        });
        if let (true, Some(why)) = (self.possible.is_empty(), why) {
            self.lose();
            case.breach(|| why);
        }
    }

    /// Once no decision goes on.
    pub fn put_in_order(&mut self, goes_back: bool, case: &mut Case) {
        if self.overlapping.is_empty() || !self.open.is_empty() {
            return;
        }
        match order::search(&self.possible, &self.overlapping, goes_back, SEARCH_STEPS) {
            Order::Fits(possible) => {
                self.possible = possible;
                if std::mem::take(&mut self.was_prune_open) {
                    self.overlapping.clear();
                    self.may_be_pruned();
                }
            }
            Order::NoneFits { .. } if self.was_prune_open => {
                self.is_lost = true;
                case.doubt(|| "a prune that took time overlapped with other calls that did".to_owned());
            }
            Order::NoneFits { stuck_at } => {
                let count = self.overlapping.len();
                self.is_lost = true;
                case.breach_at(stuck_at, || {
                    format!("no order of {count} overlapping calls explains their answers; right: answers that fit some order")
                });
            }
            Order::CutShort => {
                self.is_lost = true;
                case.doubt(|| format!("no order was found in {SEARCH_STEPS} steps, and not all were tried"));
            }
        }
        self.overlapping.clear();
        self.was_prune_open = false;
    }
}
