//! The law linearizable: every answer is the one that a plain model of a process gives, stepped through the calls in the order in
//! which the store's recorder let them in. The model is in `linearizable/model.rs`.
//!
//! A registry that decides in one poll gives that order away, and the model takes one step for each call. Where decisions took
//! time and others came between, any order within their time may have been meant: `linearizable/order.rs` searches those
//! few calls for an order that fits, and when the search is cut short nothing is claimed.

mod cut_off;
mod model;
mod order;

use crate::history::event::{
    CallKind, CallResult, Event, EventKind, GrantNo, NO_PROCESS, Status, SurvivingRow, TurnedOut, What,
};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::linearizable::cut_off::{CutOff, CutOffCall};
use crate::laws::linearizable::model::{Decision, LeftOpen, ProcessModel, ReclaimEvidence};
use crate::laws::linearizable::order::{Order, Overlapping, Possible, SEARCH_STEPS};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::stored_lease::Lease;
use crate::plan::{Node, Plan};

pub use order::Placed;

#[derive(Default)]
pub struct Linearizable {
    rows: ByProcess<ModelledRow>,
    /// The plan sets the registry's clock back.
    goes_back: bool,
    /// Prunes that take time and go on, by the numbers of their calls.
    prunes: Vec<u64>,
    left_open: LeftOpen,
}

struct ModelledRow {
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
    left_open: LeftOpen,
}

/// Evidence from events about a node's next decision on a process. It is used once.
#[derive(Default, Clone, Copy)]
struct CallEvidence {
    claims: Option<GrantNo>,
    output: Option<u64>,
    observed: Option<ReclaimEvidence>,
    unfenced: Option<CallKind>,
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

impl Law for Linearizable {
    const CARD: LawCard = LawCard {
        name: "linearizable",
        sentence: "each process's answers fit one order of its calls that respects real time and a plain model of a process",
        hears: &[
            EventKind::Registered,
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Busy,
            EventKind::Renewed,
            EventKind::Released,
            EventKind::Wrote,
            EventKind::Asked,
            EventKind::Ended,
            EventKind::Appended,
            EventKind::Showed,
            EventKind::LeaseShown,
            EventKind::Refused,
            EventKind::TurnedOut,
            EventKind::Pruned,
            EventKind::Claims,
            EventKind::Completes,
            EventKind::Observed,
            EventKind::Unfenced,
            EventKind::Spanned,
            EventKind::Survived,
            EventKind::SurvivedLease,
            EventKind::Crashed,
            EventKind::Finished,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: true,
        is_about_panics: false,
        catches: &[
            "claim-the-unknown",
            "same-owner-is-same-incarnation",
            "completion-forgotten",
            "already-yours-by-incarnation",
        ],
        explain: stored_lease,
    };

    fn new(plan: &Plan) -> Self {
        let faults = plan.steps.iter().filter_map(|step| step.action.clock_fault());
        let mut of_registry = faults.filter(|fault| fault.node() == Node::Registry);
        Self { goes_back: of_registry.any(|fault| fault.step_ms() < 0), ..Self::default() }
    }

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        if event.process == NO_PROCESS {
            return self.seen_of_all(event, what, case);
        }
        let row = self.rows.of(event.process);
        row.left_open = self.left_open;
        // The answer of the last one is whole once time has passed.
        if row.ended_us < event.at_us {
            row.put_in_order(self.goes_back, case);
        }
        match what {
            What::Claims { .. } => row.evidence(event.node).claims = Some(event.grant),
            What::Observed { is_dead, do_probes_lie } => {
                let observed = ReclaimEvidence { grant: event.grant, is_dead, do_probes_lie };
                row.evidence(event.node).observed = Some(observed);
            }
            What::Completes { output } => row.evidence(event.node).output = Some(output),
            What::Unfenced { call } => row.evidence(event.node).unfenced = Some(call),
            // A prune is over, and may have taken the process.
            What::SpanBegan { kind: CallKind::Prune, .. } => {
                row.put_in_order(self.goes_back, case);
                row.may_be_pruned();
            }
            What::SpanBegan { call, kind } => row.span_begins(event, call, kind),
            What::SpanEnded { call, .. } => row.span_ends(event, call),
            What::Appended { sequence, .. } => row.appended(event, sequence),
            // Nobody knows yet: the evidence of the call counts for what it turns out to have done.
            What::Refused { why: CallResult::OutcomeUnknown, .. } => {}
            What::TurnedOut { fate: TurnedOut::Applied, .. } => {
                row.evidence(event.node).is_shown_next = row.cut_off.is_some();
            }
            What::TurnedOut { fate: TurnedOut::NotApplied | TurnedOut::Partly, .. } => {
                *row.evidence(event.node) = CallEvidence::default();
            }
            What::Survived { row: shown, .. } => row.models(|model| model.opened_again(shown)),
            What::SurvivedLease { expires_ms, .. } => {
                let lease = event.grant.is_some().then_some(Lease { grant: event.grant, expires_ms });
                row.models(|model| model.lease = lease);
            }
            What::Registered { .. }
            | What::Granted { .. }
            | What::Reclaimed { .. }
            | What::Reentered { .. }
            | What::Busy
            | What::Renewed { .. }
            | What::Released
            | What::Wrote { .. }
            | What::Asked { .. }
            | What::Ended { .. }
            | What::Showed { .. }
            | What::LeaseShown { .. }
            | What::Refused { .. }
            | What::Pruned => row.decided(event, what, case),
            // Events of a node or of the run are about no process.
            What::Crashed { .. } | What::Finished => {}
            _ => unheard(what),
        }
        if !self.prunes.is_empty() {
            row.may_be_pruned();
        }
    }
}

impl Linearizable {
    /// How long an extended lease lasts, and what a prune leaves, are other laws' affairs, and may not be claimed.
    pub fn not_claiming(&mut self, not_claimed: &[impl AsRef<str>]) {
        let is_without = |law: &str| not_claimed.iter().any(|claim| claim.as_ref() == law);
        self.left_open = LeftOpen {
            may_shorten: is_without("leases-last-as-asked"),
            prune_forgets_sequences: is_without("log-is-dense") || is_without("log-is-dense/prunes"),
        };
    }

    /// Events about no process: the end of the run, a registry that died in the middle of decisions, and a prune that took
    /// time.
    fn seen_of_all(&mut self, event: &Event, what: What, case: &mut Case) {
        let is_registry = event.node == Node::Registry.code();
        if let What::SpanBegan { call, kind: CallKind::Prune } = what {
            self.prunes.push(call);
            self.may_prune(case);
        } else if let What::SpanEnded { call, .. } = what
            && self.prunes.contains(&call)
        {
            self.prunes.retain(|open| *open != call);
            self.may_prune(case);
        } else if matches!(what, What::Crashed { .. }) && is_registry {
            self.prunes.clear();
            for row in self.rows.all() {
                row.registry_died(self.goes_back, case);
            }
        } else if matches!(what, What::Finished) {
            for row in self.rows.all() {
                let is_unclear = row.is_unclear();
                row.open.clear();
                if is_unclear && !row.overlapping.is_empty() {
                    row.lose();
                    case.doubt(|| "decisions that took time had no end".to_owned());
                }
                row.put_in_order(self.goes_back, case);
            }
        }
    }

    /// A prune begins to take time, or is over.
    fn may_prune(&mut self, case: &mut Case) {
        for row in self.rows.all() {
            row.put_in_order(self.goes_back, case);
            row.may_be_pruned();
        }
    }

    /// One order for each process that fits every answer. It names the decisions that took time or overlapped with one that did.
    pub fn ways(&mut self) -> impl Iterator<Item = &[Placed]> {
        self.rows.all().map(|row| row.possible.first().map_or(&[][..], |first| &first.way))
    }
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
    fn evidence(&mut self, node: u8) -> &mut CallEvidence {
        let place = match self.evidence.iter().position(|(of, _)| *of == node) {
            Some(place) => place,
            None => {
                self.evidence.push((node, CallEvidence::default()));
                self.evidence.len() - 1
            }
        };
        &mut self.evidence[place].1
    }

    fn models(&mut self, change: impl Fn(&mut ProcessModel)) {
        self.possible.iter_mut().for_each(|possible| change(&mut possible.model));
    }

    /// A prune that takes time may remove the process at any instant of that time, or not at all.
    fn may_be_pruned(&mut self) {
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
    fn registry_died(&mut self, goes_back: bool, case: &mut Case) {
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

    fn lose(&mut self) {
        self.is_lost = true;
        self.open.clear();
        self.overlapping.clear();
    }

    fn span_begins(&mut self, event: &Event, call: u64, kind: CallKind) {
        let evidence = std::mem::take(self.evidence(event.node));
        let place = self.overlapping.len();
        self.open.push(OpenDecision { call, kind, presented: event.grant, evidence, began_ms: event.clock, place });
    }

    fn span_ends(&mut self, event: &Event, call: u64) {
        // After a crash of the registry nobody knows its beginning.
        let Some(found) = self.open.iter().position(|open| open.call == call) else { return };
        let OpenDecision { evidence, began_ms, place, .. } = self.open.remove(found);
        self.ended_us = event.at_us;
        let spanned = EndedDecision { began_ms, place, ended_ms: event.clock, ended_us: event.at_us };
        *self.evidence(event.node) = CallEvidence { spanned: Some(spanned), ..evidence };
    }

    /// The answer to the append that was decided last.
    fn appended(&mut self, event: &Event, sequence: u64) {
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

    fn decided(&mut self, event: &Event, what: What, case: &mut Case) {
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
    fn put_in_order(&mut self, goes_back: bool, case: &mut Case) {
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

impl ProcessModel {
    /// The store was opened again. Whether it kept everything is judged by acknowledged-survives; here its word is taken.
    fn opened_again(&mut self, shown: SurvivingRow) {
        let (is_known, status, is_started) = match shown {
            SurvivingRow::Gone | SurvivingRow::Unreadable => (false, Status::Running, false),
            SurvivingRow::Known { status, is_started, .. } => (true, status, is_started),
        };
        self.is_known = is_known;
        if status == Status::Running {
            self.end = None;
        }
        self.started_by = self.started_by.filter(|_| is_started);
    }
}
