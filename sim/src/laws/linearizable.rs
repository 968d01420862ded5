//! The law linearizable: every answer is the one that a plain model of a process gives, stepped through the calls in the order in
//! which the store's recorder let them in. The model is in `linearizable/model.rs`, and what a process's answers allow in
//! `linearizable/modelled_row.rs`.
//!
//! A registry that decides in one poll gives that order away, and the model takes one step for each call. Where decisions took
//! time and others came between, any order within their time may have been meant: `linearizable/order.rs` searches those
//! few calls for an order that fits, and when the search is cut short nothing is claimed.

mod cut_off;
mod model;
mod modelled_row;
mod order;

use crate::history::event::{
    CallKind, CallResult, Event, EventKind, NO_PROCESS, TurnedOut, What,
};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::linearizable::model::{LeftOpen, ReclaimEvidence};
use crate::laws::linearizable::modelled_row::{CallEvidence, ModelledRow};
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
        row.reaches(event.at_us, self.goes_back, case);
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
            What::TurnedOut { fate: TurnedOut::Applied, .. } => row.was_made(event.node),
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
                row.ends(self.goes_back, case);
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
        self.rows.all().map(|row| row.way())
    }
}
