//! The law waits-tell-the-truth: what a waiter is told was true at some instant of its wait.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::event::{CallKind, Event, EventKind, NO_PROCESS, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::plan::{Node, Plan, Store};

#[derive(Default)]
pub struct WaitsTellTheTruth {
    rows: ByProcess<AwaitedRow>,
    /// When each wait began, by its number.
    began_us: BTreeMap<u64, u64>,
    /// Reads on the registry's own node take no time, so a waiter there has no excuse for being late.
    do_reads_take_no_time: bool,
    /// Prunes that take time, and may have taken what has ended by now.
    open_prunes: BTreeSet<u64>,
}

#[derive(Default)]
struct AwaitedRow {
    is_known: bool,
    /// The last instant at which the id was unknown, if it is known now.
    unknown_until_us: u64,
    /// Outcomes of the present life.
    outcomes: BTreeSet<u64>,
    /// Outcomes of earlier lives, with the instant at which each was pruned.
    earlier: BTreeMap<u64, u64>,
    waits_beside_registry: Vec<WaitBesideRegistry>,
    /// A prune took time since the id was registered: if it had ended, it may be gone, though nobody has seen that yet.
    may_be_pruned: bool,
}

struct WaitBesideRegistry {
    number: u64,
    /// The instant of the end that it must answer in.
    ended_us: Option<u64>,
}

impl Law for WaitsTellTheTruth {
    const SIDE: Side = Side::Waiter;
    const CARD: LawCard = LawCard {
        name: "waits-tell-the-truth",
        sentence: "a wait is answered with an outcome the id had at some instant of it, and with unknown only if the id was \
                   unknown at one; a waiter on the registry's own node is answered in the millisecond of the end",
        hears: &[
            EventKind::Registered,
            EventKind::Pruned,
            EventKind::Ended,
            EventKind::Spanned,
            EventKind::WaitBegan,
            EventKind::WaitEnded,
            EventKind::Paused,
            EventKind::Crashed,
            EventKind::Finished,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &[
            "a-failed-read-ends-a-wait",
            "subscribes-after-the-first-read",
            "a-failed-sink-wakes-nobody",
            "ends-remembered-by-id",
        ],
        explain,
    };

    fn new(plan: &Plan) -> Self {
        Self { do_reads_take_no_time: plan.store == Store::Memory, ..Self::default() }
    }

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let is_beside_registry = event.node == Node::Registry.code();
        match what {
            What::Finished => self.finished(case),
            // Whoever waits on a node that stands still or dies hears nothing in time.
            What::Paused | What::Crashed { .. } => {
                if is_beside_registry {
                    self.rows.all().for_each(|row| row.waits_beside_registry.clear());
                }
            }
            What::SpanBegan { call, kind: CallKind::Prune } => {
                self.open_prunes.insert(call);
                match event.process {
                    NO_PROCESS => self.rows.all().for_each(|row| row.may_be_pruned = true),
                    process => self.rows.of(process).may_be_pruned = true,
                }
            }
            What::SpanBegan { .. } => {}
            What::SpanEnded { call, .. } => {
                self.open_prunes.remove(&call);
            }
            What::Registered { .. }
            | What::Pruned
            | What::Ended { .. }
            | What::WaitBegan { .. }
            | What::WaitEnded { .. }
                if event.process == NO_PROCESS => {}
            What::Registered { .. } => {
                let row = self.rows.of(event.process);
                row.registered(event.at_us);
                row.may_be_pruned = !self.open_prunes.is_empty();
            }
            What::Pruned => self.rows.of(event.process).pruned(event.at_us),
            What::Ended { output, .. } => self.rows.of(event.process).ended(output, event.at_us),
            What::WaitBegan { wait } => {
                if is_beside_registry && self.do_reads_take_no_time {
                    let begun = WaitBesideRegistry { number: wait, ended_us: None };
                    self.rows.of(event.process).waits_beside_registry.push(begun);
                }
                self.began_us.insert(wait, event.at_us);
            }
            What::WaitEnded { outcome, wait } => {
                case.meet();
                let began_us = self.began_us.remove(&wait).unwrap_or(0);
                let row = self.rows.of(event.process);
                row.must_be_in_time(wait, event.at_us, case);
                row.must_be_true(outcome, began_us, case);
            }
            _ => unheard(what),
        }
    }
}

impl WaitsTellTheTruth {
    /// At the end of the run everybody must have been told.
    fn finished(&mut self, case: &mut Case) {
        let is_untold = |wait: &WaitBesideRegistry| wait.ended_us.is_some();
        if self.rows.all().any(|row| row.waits_beside_registry.iter().any(is_untold)) {
            case.breach(|| {
                "a waiter on the registry's node was never told of an end that was decided; right: \
                 told in that millisecond"
                    .to_owned()
            });
        }
    }
}

impl AwaitedRow {
    fn registered(&mut self, at_us: u64) {
        if !self.is_known {
            self.is_known = true;
            self.unknown_until_us = at_us;
        }
    }

    fn pruned(&mut self, at_us: u64) {
        self.is_known = false;
        // Pruned in the very instant of its end: a waiter that looks now finds the next life, or none.
        for wait in self.waits_beside_registry.iter_mut().filter(|wait| wait.ended_us == Some(at_us)) {
            wait.ended_us = None;
        }
        self.earlier.extend(std::mem::take(&mut self.outcomes).into_iter().map(|outcome| (outcome, at_us)));
    }

    fn ended(&mut self, output: u64, at_us: u64) {
        self.outcomes.insert(output);
        for wait in &mut self.waits_beside_registry {
            wait.ended_us.get_or_insert(at_us);
        }
    }

    fn must_be_in_time(&mut self, number: u64, now_us: u64, case: &mut Case) {
        let place = self.waits_beside_registry.iter().position(|wait| wait.number == number);
        if let Some(place) = place
            && let Some(ended_us) = self.waits_beside_registry.swap_remove(place).ended_us
            && now_us / 1_000 > ended_us / 1_000
        {
            let late_ms = now_us / 1_000 - ended_us / 1_000;
            case.breach(|| {
                format!(
                    "a waiter on the registry's node was told {late_ms} ms after the end was \
                     decided; right: in that millisecond"
                )
            });
        }
    }

    fn must_be_true(&self, outcome: u64, began_us: u64, case: &mut Case) {
        // The answer took a moment to come: what was true when it was asked may be over.
        let may_be_gone = self.may_be_pruned && !self.outcomes.is_empty();
        let was_unknown = !self.is_known || self.unknown_until_us >= began_us || may_be_gone;
        match outcome {
            0 if was_unknown => {}
            0 => case.breach(|| {
                "a waiter was told that the id is unknown, and it was known all the while; right: \
                 its outcome, once it ends"
                    .to_owned()
            }),
            outcome if self.outcomes.contains(&outcome) => {}
            outcome => match self.earlier.get(&outcome) {
                Some(pruned_us) if *pruned_us >= began_us => {}
                Some(_) => case.breach(|| {
                    "a waiter was told the outcome of a life that was pruned before the wait began; \
                     right: one that the id had since"
                        .to_owned()
                }),
                None => {
                    case.breach(|| {
                        "a waiter was told an outcome that the process never had; right: \
                                    one that it had during the wait"
                            .to_owned()
                    });
                }
            },
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    let What::WaitEnded { wait: ended, .. } = evidence.breach.what() else { return None };
    evidence
        .latest("the wait began", |event| matches!(event.what(), What::WaitBegan { wait } if wait == ended))
}
