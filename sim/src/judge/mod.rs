//! One plan, run and judged. A search runs the hash and the laws only; when something breaks, the same plan is run again
//! with a recorder, which must see the same events.

mod breach;
mod early_readings;
pub mod zombie;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::coverage::{CoverageCounts, CoverageObserver};
use crate::history::History;
use crate::history::event::{Event, RunningHash, Witness};
use crate::judge::early_readings::EarlyReadings;
use crate::judge::zombie::ZombieWindow;
use crate::laws::{Finding, LawResult, Laws};
use crate::plan::Plan;
use crate::subject::Subject;
use crate::world;
use crate::world::Outcome;

pub use breach::Breach;

/// What came of a run.
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
}

/// One law's word on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub law: &'static str,
    pub sentence: &'static str,
    pub finding: Finding,
    pub checked: u64,
}

impl Judged {
    pub fn holds(&self) -> bool {
        self.finding == Finding::Holds
    }

    /// The breach that the finding states, if it states one.
    pub fn breach(&self) -> Option<Breach> {
        match &self.finding {
            Finding::Broken { at, because } => {
                let Self { law, sentence, .. } = *self;
                Some(Breach { law, sentence, at: *at, because: because.clone() })
            }
            Finding::Holds | Finding::Undecided { .. } => None,
        }
    }
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
        laws: Laws::new(plan),
        marks: CoverageObserver::new(plan),
        zombies: ZombieWindow::new(plan),
        early: (!subject.is_ours()).then(|| EarlyReadings::new(plan)),
    };
    let outcome = world::run(plan, subject, &mut witness);
    let Watching { hash, laws, marks, zombies, early } = witness;
    let mut findings = findings(plan, &laws);
    if let Some(early) = early.filter(|early| early.is_needed) {
        doubt(plan, &early, &mut findings);
    }
    findings.retain(|judged| !subject.not_claimed.contains(&judged.law));
    let (hits, zombie_us) = (marks.counts, zombies.longest_us);
    Verdict { seed: plan.seed, hash: hash.value(), events: hash.events, outcome, findings, hits, zombie_us }
}

/// Old histories, today's laws.
pub fn rejudge(history: &History) -> Vec<Judged> {
    let mut laws = Laws::new(&history.plan);
    history.events.iter().for_each(|event| laws.see(event));
    findings(&history.plan, &laws)
}

/// Whether the plan breaks the law without its clock faults, too; none, if it has none.
pub fn without_clock_faults(plan: &Plan, subject: &Subject, law: &str) -> Option<bool> {
    let control = plan.without_clock_faults();
    (control != *plan).then(|| judge(&Arc::new(control), subject).breaks(law))
}

fn findings(plan: &Plan, laws: &Laws) -> Vec<Judged> {
    let judged = |law: LawResult<'_>| Judged {
        law: law.name(),
        sentence: law.sentence(),
        finding: finding(plan, law),
        checked: law.checked(),
    };
    laws.all().into_iter().map(judged).collect()
}

fn finding(plan: &Plan, law: LawResult<'_>) -> Finding {
    match law.card.broken_assumption(plan) {
        Some(why) => Finding::Undecided { because: why.to_owned() },
        None => law.finding(),
    }
}

/// Takes back what depends on an instant or an order that nobody knows.
fn doubt(plan: &Plan, early: &EarlyReadings, findings: &mut [Judged]) {
    for (judged, law) in findings.iter_mut().zip(early.laws.all()) {
        assert_eq!(judged.law, law.name(), "findings stand in the order of the laws");
        if let Some(doubt) = early.doubt(law.card, &judged.finding, &finding(plan, law)) {
            judged.finding = Finding::Undecided { because: doubt.to_owned() };
        }
    }
}

/// Everything that looks at a run that is judged. Laws last: it is the order of what costs least.
struct Watching {
    hash: RunningHash,
    laws: Laws,
    marks: CoverageObserver,
    zombies: ZombieWindow,
    early: Option<EarlyReadings>,
}

impl Witness for Watching {
    fn see(&mut self, event: &Event) {
        self.hash.see(event);
        self.laws.see(event);
        self.marks.see(event);
        self.zombies.see(event);
        if let Some(early) = &mut self.early {
            early.see(event);
        }
    }
}

pub fn record(plan: &Arc<Plan>, subject: &Subject) -> History {
    warm_up(subject);
    let mut events: Vec<Event> = Vec::new();
    let outcome = world::run(plan, subject, &mut events);
    History { plan: Plan::clone(plan), grants: outcome.grants, events }
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
