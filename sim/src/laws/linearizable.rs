//! The law linearizable: every answer is the one that a plain model of a process gives, stepped through the calls in the order in
//! which the store's recorder let them in. The model is in `linearizable/model.rs`.
//!
//! A registry that decides in one poll gives that order away, and the model takes one step for each call. Where decisions took
//! time and others came between, any order within their time may have been meant: `linearizable/order.rs` searches those
//! few calls for an order that fits, and when the search is cut short nothing is claimed.

mod model;
mod order;

use crate::history::event::{
    CallKind, CallResult, Event, EventKind, GrantNo, NO_PROCESS, Status, SurvivingRow, TurnedOut, What,
};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::linearizable::model::{Decision, ProcessModel, ReclaimEvidence};
use crate::laws::linearizable::order::{Order, Overlapping, SEARCH_STEPS};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::stored_lease::Lease;
use crate::plan::Node;

#[derive(Default)]
pub struct Linearizable {
    rows: ByProcess<ModelledRow>,
}

#[derive(Default)]
struct ModelledRow {
    model: ProcessModel,
    /// Evidence about the next decision, by node.
    evidence: Vec<(u8, CallEvidence)>,
    overlapping: Vec<Overlapping>,
    /// The decisions that go on: the node of each, and its place among those that overlap.
    open: Vec<(u8, usize)>,
    /// After a breach or a doubt nothing more can be said of the process.
    is_lost: bool,
}

/// What events told of a node's next decision about a process. It is used once.
#[derive(Default, Clone, Copy)]
struct CallEvidence {
    claims: Option<GrantNo>,
    output: Option<u64>,
    observed: Option<ReclaimEvidence>,
    unfenced: Option<CallKind>,
    spanned: Option<DecisionSpan>,
}

/// A decision that took time.
#[derive(Clone, Copy)]
struct DecisionSpan {
    began_ms: u64,
    /// How many of the overlapping decisions had ended when it began.
    place: usize,
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
            EventKind::Showed,
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

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        if event.process == NO_PROCESS {
            return self.seen_of_all(event, what, case);
        }
        let row = self.rows.of(event.process);
        match what {
            What::Claims { .. } => row.evidence(event.node).claims = Some(event.grant),
            What::Observed { is_dead, do_probes_lie } => {
                let observed = ReclaimEvidence { grant: event.grant, is_dead, do_probes_lie };
                row.evidence(event.node).observed = Some(observed);
            }
            What::Completes { output } => row.evidence(event.node).output = Some(output),
            What::Unfenced { call } => row.evidence(event.node).unfenced = Some(call),
            What::Spanned { is_over: false, .. } => row.span_begins(event.node, case),
            What::Spanned { began_ms, is_over: true } => row.span_ends(event, began_ms),
            // Nobody knows yet: the evidence of the call counts for what it turns out to have done.
            What::Refused { why: CallResult::OutcomeUnknown, .. } => {}
            What::TurnedOut { fate: TurnedOut::Applied, .. } => {}
            What::TurnedOut { fate: TurnedOut::NotApplied | TurnedOut::Partly, .. } => {
                *row.evidence(event.node) = CallEvidence::default();
            }
            What::Survived { row: shown, .. } => row.model.opened_again(shown),
            What::SurvivedLease { expires_ms, .. } => {
                row.model.lease =
                    event.grant.is_some().then_some(Lease { grant: event.grant, expires_ms });
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
            | What::Refused { .. }
            | What::Pruned => row.decided(event, what, case),
            // Of a node and of the run: they are about no process.
            What::Crashed { .. } | What::Finished => {}
            _ => unheard(what),
        }
    }
}

impl Linearizable {
    /// Events about no process that make it unclear what was decided: a registry that died in the middle of decisions, and a
    /// prune that took time.
    fn seen_of_all(&mut self, event: &Event, what: What, case: &mut Case) {
        let is_registry = event.node == Node::Registry.code();
        let (why, takes_all) = if is_registry && matches!(what, What::Crashed { .. }) {
            ("the registry died in the middle of decisions that took time", false)
        } else if matches!(what, What::Finished) {
            ("decisions that took time had no end", false)
        } else if matches!(what, What::Spanned { .. }) {
            ("a call about many processes took time", true)
        } else {
            return;
        };
        for row in self.rows.all().filter(|row| takes_all || !row.open.is_empty()) {
            row.is_lost = true;
            row.open.clear();
            row.overlapping.clear();
            case.doubt(|| why.to_owned());
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

    fn span_begins(&mut self, node: u8, case: &mut Case) {
        if self.open.iter().any(|(of, _)| *of == node) {
            // Which of the two ends first, nobody can tell.
            self.is_lost = true;
            case.doubt(|| "a node had two calls about a process at once".to_owned());
        }
        self.open.push((node, self.overlapping.len()));
    }

    fn span_ends(&mut self, event: &Event, began_ms: u64) {
        let found = self.open.iter().position(|(node, _)| *node == event.node);
        let place = found.map_or(0, |found| self.open.remove(found).1);
        let span = DecisionSpan { began_ms, place, ended_us: event.at_us };
        self.evidence(event.node).spanned = Some(span);
    }

    fn decided(&mut self, event: &Event, what: What, case: &mut Case) {
        let evidence = std::mem::take(self.evidence(event.node));
        // A decision that is no matter of this law leaves its span behind.
        let span = evidence.spanned.filter(|span| span.ended_us == event.at_us);
        let decision = Decision {
            what,
            grant: event.grant,
            from_ms: span.map_or(event.clock, |span| span.began_ms),
            to_ms: event.clock,
            claims: evidence.claims.unwrap_or(GrantNo::NONE),
            output: evidence.output,
            observed: evidence.observed,
            // Where calls of one node overlap, the evidence of one may be taken for another's.
            unfenced: evidence.unfenced.or_else(|| (!event.grant.is_some()).then_some(CallKind::Other)),
        };
        case.meet();
        if self.is_lost {
            return;
        }
        // What overlapped with a call that was no matter of this law is still to be put in order.
        if span.is_some() || !self.open.is_empty() || !self.overlapping.is_empty() {
            let began = span.map_or(self.overlapping.len(), |span| span.place);
            self.overlapping.push(Overlapping { began, decision, number: case.number() });
            if self.open.is_empty() {
                self.put_in_order(case);
            }
            return;
        }
        match self.model.step(&decision, event.clock) {
            Ok(next) => self.model = next,
            Err(why) => {
                self.is_lost = true;
                case.breach(|| why);
            }
        }
    }

    fn put_in_order(&mut self, case: &mut Case) {
        match order::search(&self.model, &self.overlapping) {
            Order::Fits(model) => self.model = model,
            Order::NoneFits { stuck_at } => {
                self.is_lost = true;
                let count = self.overlapping.len();
                case.breach_at(stuck_at, || {
                    format!("no order of {count} overlapping calls explains their answers")
                });
            }
            Order::CutShort => {
                self.is_lost = true;
                case.doubt(|| format!("no order was found in {SEARCH_STEPS} steps, and not all were tried"));
            }
        }
        self.overlapping.clear();
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
