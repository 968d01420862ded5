//! One plan, run and judged. A search runs the hash and the laws only; when something breaks, the same plan is run again
//! with a recorder, which must see the same events.

mod breach;
mod in_order;
mod judged;
mod judgement;
pub mod overlap;
pub mod zombie;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::coverage::{CoverageCounts, CoverageObserver};
use crate::history::History;
use crate::history::event::{Event, RunningHash, Witness};
use crate::judge::judgement::Judgement;
use crate::judge::overlap::HolderOverlap;
use crate::judge::zombie::ZombieWindow;
use crate::laws::{Finding, Laws};
use crate::plan::Plan;
use crate::subject::Subject;
use crate::world;
use crate::world::{MessageLog, Outcome};

pub use breach::Breach;
pub use judged::Judged;

/// The verdict on one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub seed: u64,
    pub hash: u64,
    pub events: u64,
    pub outcome: Outcome,
    pub findings: Vec<Judged>,
    pub hits: CoverageCounts,
    /// The longest that anybody acted under a grant that was no longer live.
    pub zombie_us: u64,
    /// The longest time that two contenders acted as the holder of one key; only for a lease service.
    pub overlap_us: Option<u64>,
}

/// The breach with the lowest event number; of several at one event, that of the law that is listed first.
pub fn first_breach(findings: &[Judged]) -> Option<Breach> {
    findings.iter().filter_map(Judged::breach).min_by_key(|breach| breach.at)
}

impl Verdict {
    /// The breach of whichever law broke first.
    pub fn broken(&self) -> Option<Breach> {
        first_breach(&self.findings)
    }

    /// How this law was broken, if it was.
    pub fn breach_of(&self, law: &str) -> Option<Breach> {
        self.findings.iter().find(|judged| judged.law == law).and_then(Judged::breach)
    }

    /// Laws of which it could not be told whether they hold, and why.
    pub fn undecided(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.findings.iter().filter_map(|judged| match &judged.finding {
            Finding::Undecided { because } => Some((judged.law, because.as_str())),
            _ => None,
        })
    }

    pub fn breaks(&self, law: &str) -> bool {
        self.findings
            .iter()
            .any(|judged| judged.law == law && matches!(judged.finding, Finding::Broken { .. }))
    }
}

pub fn judge(plan: &Arc<Plan>, subject: &Subject) -> Verdict {
    warm_up(subject);
    let mut witness = Watching {
        hash: RunningHash::default(),
        judgement: Judgement::new(plan, subject.is_ours(), &not_claimed_by(subject)),
        marks: CoverageObserver::new(plan),
        zombies: ZombieWindow::new(plan),
        overlap: subject.lease_door.as_ref().map(|_| HolderOverlap::default()),
    };
    let outcome = world::run(plan, subject, &mut witness);
    let Watching { hash, judgement, marks, zombies, overlap } = witness;
    let findings = judgement.findings(plan);
    Verdict {
        seed: plan.seed,
        hash: hash.value(),
        events: hash.events,
        outcome,
        findings,
        hits: marks.counts,
        zombie_us: zombies.longest_us,
        overlap_us: overlap.map(|overlap| overlap.longest_us),
    }
}

/// The laws, and parts of laws, that the subject does not claim to keep.
pub fn not_claimed_by(subject: &Subject) -> Vec<&'static str> {
    let mut not_claimed = subject.not_claimed.to_vec();
    let laws = Laws::names().into_iter().filter(|law| !subject.claims(law));
    not_claimed.extend(laws.filter(|law| !subject.not_claimed.contains(law)));
    not_claimed
}

/// Judges a run by the laws alone, while `beside` looks on.
pub fn judge_beside(plan: &Arc<Plan>, subject: &Subject, beside: &mut (impl Witness + Send)) -> Vec<Judged> {
    warm_up(subject);
    let mut witness = (beside, Judgement::new(plan, subject.is_ours(), &not_claimed_by(subject)));
    world::run(plan, subject, &mut witness);
    witness.1.findings(plan)
}

/// Every event and message of a run.
pub fn record_messages(plan: &Arc<Plan>, subject: &Subject) -> (Vec<Event>, MessageLog) {
    warm_up(subject);
    let mut events = Vec::new();
    let (_, messages) = world::run_with_messages(plan, subject, &mut events);
    (events, messages)
}

/// Old histories, today's laws. `is_ours` and `not_claimed` are those of the subject that made the history.
pub fn rejudge(history: &History, is_ours: bool, not_claimed: &[impl AsRef<str>]) -> Vec<Judged> {
    let mut judgement = Judgement::new(&history.plan, is_ours, not_claimed);
    history.events.iter().for_each(|event| judgement.see(event));
    judgement.findings(&history.plan)
}

/// The verdict on a history, simulated or live: the laws' findings, the coverage marks it hit, and its longest zombie window.
pub struct HistoryVerdict {
    pub findings: Vec<Judged>,
    pub hits: CoverageCounts,
    pub zombie_us: u64,
}

/// The history of our registry, judged by the laws that are not left out.
pub fn judge_history(history: &History, left_out: &[&str]) -> HistoryVerdict {
    let mut judgement = Judgement::new(&history.plan, true, left_out);
    let mut marks = CoverageObserver::new(&history.plan);
    let mut zombies = ZombieWindow::new(&history.plan);
    for event in &history.events {
        judgement.see(event);
        marks.see(event);
        zombies.see(event);
    }
    let findings = judgement.findings(&history.plan);
    HistoryVerdict { findings, hits: marks.counts, zombie_us: zombies.longest_us }
}

/// True, if the plan breaks the law without its clock faults, too. None, if it has no clock faults.
pub fn without_clock_faults(plan: &Plan, subject: &Subject, law: &str) -> Option<bool> {
    let control = plan.without_clock_faults();
    (control != *plan).then(|| judge(&Arc::new(control), subject).breaks(law))
}

/// Everything that looks at a run that is judged.
struct Watching {
    hash: RunningHash,
    judgement: Judgement,
    marks: CoverageObserver,
    zombies: ZombieWindow,
    overlap: Option<HolderOverlap>,
}

impl Witness for Watching {
    fn see(&mut self, event: &Event) {
        self.hash.see(event);
        self.judgement.see(event);
        self.marks.see(event);
        self.zombies.see(event);
        if let Some(overlap) = &mut self.overlap {
            overlap.see(event);
        }
    }
}

pub fn record(plan: &Arc<Plan>, subject: &Subject) -> History {
    warm_up(subject);
    let mut events: Vec<Event> = Vec::new();
    let outcome = world::run(plan, subject, &mut events);
    History { plan: Plan::clone(plan), grants: outcome.grants, events, notes: outcome.notes }
}

/// A dependency may draw something once for the whole process; the first run of a subject that counts must not be the one
/// that does.
fn warm_up(subject: &Subject) {
    static WARM: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    if WARM.lock().unwrap_or_else(PoisonError::into_inner).contains(subject.name) {
        return;
    }
    let mut plan = Plan::quiet(0);
    let step = "0ms register p1 rerunnable 1 steps of 1ms".parse();
    plan.steps = step.into_iter().collect();
    plan.store = subject.store_needed;
    world::run(&Arc::new(plan), subject, &mut ());
    // Only now: whoever comes meanwhile warms up for itself.
    WARM.lock().unwrap_or_else(PoisonError::into_inner).insert(subject.name);
}
