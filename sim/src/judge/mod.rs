//! One plan, run and judged. A search runs the hash and the laws only; when something breaks, the same plan is run again
//! with a recorder, which must see the same events.

mod breach;
pub mod zombie;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::coverage::{Hits, Marks};
use crate::history::History;
use crate::history::event::{Event, Kind, NO_PROCESS, RunningHash, Witness};
use crate::judge::zombie::Zombies;
use crate::laws::{Finding, Law, Laws, broken_assumption};
use crate::plan::{Node, Plan};
use crate::subject::Subject;
use crate::world;
use crate::world::Outcome;

pub use breach::{Breach, first_breach};

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub seed: u64,
    pub hash: u64,
    pub events: u64,
    pub outcome: Outcome,
    pub findings: Vec<Judged>,
    pub hits: Hits,
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

    /// Whether the law itself allows for calls whose order is unknown, or is not about the registry's order at all.
    fn finds_an_order(&self) -> bool {
        let laws = [
            "linearizable",
            "nobody-panics",
            "lost-means-silent",
            "calm-ends-everything",
            "externally-owned-never-runs",
        ];
        laws.contains(&self.law)
    }
}

impl Verdict {
    /// The breach of whichever law broke first.
    pub fn broken(&self) -> Option<Breach> {
        first_breach(&self.findings)
    }

    /// How this law was broken, if it was.
    pub fn breach_of(&self, law: &str) -> Option<Breach> {
        self.findings.iter().find(|judged| judged.law == law).and_then(Breach::found)
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
        marks: Marks::new(plan),
        zombies: Zombies::new(plan),
        early: (!subject.is_ours()).then(|| EarlyReadings::new(plan)),
    };
    let outcome = world::run(plan, subject, &mut witness);
    let Watching { hash, laws, marks, zombies, early } = witness;
    let mut findings = findings(plan, &laws);
    if let Some(early) = early {
        early.doubts(plan, &mut findings);
    }
    findings.retain(|judged| !subject.not_claimed.contains(&judged.law));
    let (hits, zombie_us) = (marks.hits, zombies.longest_us);
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
    let judged = |law: &dyn Law| Judged {
        law: law.name(),
        sentence: law.sentence(),
        finding: match broken_assumption(plan, law.name()) {
            Some(why) => Finding::Undecided { because: why.to_owned() },
            None => law.finding(),
        },
        checked: law.checked(),
    };
    laws.all().into_iter().map(judged).collect()
}

/// Everything that looks at a run that is judged. Laws last: it is the order of what costs least.
struct Watching {
    hash: RunningHash,
    laws: Laws,
    marks: Marks,
    zombies: Zombies,
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

/// Where another's registry reads its clock is unknown. So a decision that took time is judged by the reading at its end,
/// and here by the one at its beginning: a breach that both find at the same event is one, and any other is a doubt. Where
/// decisions about a process overlapped, the order they were made in is unknown too: from there on only the law that looks
/// for an order can say that a law of order is broken.
struct EarlyReadings {
    laws: Laws,
    /// Of every event: its process, and whether a decision about that one went on at the time.
    processes: Vec<(u16, bool)>,
    /// Decisions that go on, and the event that two of a process overlapped at first.
    open: Vec<u16>,
    overlapped: BTreeMap<u16, u64>,
    /// Whose decision, when it ended, and the reading it began with.
    spanned: Option<(u8, u16, u64, u64)>,
    is_needed: bool,
    is_all_unclear: bool,
}

impl EarlyReadings {
    fn new(plan: &Plan) -> Self {
        Self {
            laws: Laws::new(plan),
            processes: Vec::new(),
            open: Vec::new(),
            overlapped: BTreeMap::new(),
            spanned: None,
            is_needed: false,
            is_all_unclear: false,
        }
    }

    fn is_after_an_overlap(&self, at: u64) -> bool {
        let event = usize::try_from(at).ok().and_then(|at| self.processes.get(at));
        let Some((process, was_open)) = event else { return false };
        let is_unclear = self.overlapped.get(process).is_some_and(|first| *first <= at);
        is_unclear || *was_open || self.is_all_unclear
    }

    fn doubts(&self, plan: &Plan, findings: &mut [Judged]) {
        if !self.is_needed {
            return;
        }
        for (late, early) in findings.iter_mut().zip(self::findings(plan, &self.laws)) {
            let place = |finding: &Finding| match finding {
                Finding::Broken { at, .. } => Some(*at),
                _ => None,
            };
            let doubt = if place(&late.finding) != place(&early.finding) {
                "it depends on when, within a call that took time, the registry read its clock"
            } else if place(&late.finding).is_some_and(|at| self.is_after_an_overlap(at))
                && !late.finds_an_order()
            {
                "calls about the process overlapped before, and nobody knows the order they were decided in"
            } else {
                continue;
            };
            late.finding = Finding::Undecided { because: doubt.to_owned() };
        }
    }
}

impl Witness for EarlyReadings {
    fn see(&mut self, event: &Event) {
        let number = self.processes.len() as u64;
        self.processes.push((event.process, self.open.contains(&event.process)));
        if event.kind == Kind::Spanned && event.process == NO_PROCESS {
            // A prune that takes time: whose decisions come before it is unclear, of all processes.
            self.is_all_unclear = true;
            self.is_needed = true;
        }
        if event.kind == Kind::Crashed && event.node == Node::Registry.code() {
            // Nobody knows what became of the calls it was deciding.
            for process in self.open.drain(..) {
                self.overlapped.entry(process).or_insert(number);
                self.is_needed = true;
            }
        }
        if event.kind == Kind::Spanned && event.b == 0 {
            self.open.push(event.process);
        } else if event.kind == Kind::Spanned
            && let Some(place) = self.open.iter().position(|process| *process == event.process)
        {
            self.open.swap_remove(place);
        }
        // One that is made at once while another goes on overlaps with it as well.
        if self.open.iter().filter(|process| **process == event.process).count()
            > usize::from(event.kind == Kind::Spanned)
            && event.kind.is_decided()
        {
            self.overlapped.entry(event.process).or_insert(number);
            self.is_needed = true;
        }
        if event.kind == Kind::Spanned && event.b == 1 && event.a != event.clock {
            self.spanned = Some((event.node, event.process, event.at_us, event.a));
            self.is_needed = true;
        }
        let early = match self.spanned {
            Some((node, process, at_us, from_ms))
                if (node, process, at_us) == (event.node, event.process, event.at_us)
                    && event.kind.is_decided() =>
            {
                Event { clock: from_ms, ..*event }
            }
            _ => *event,
        };
        self.laws.see(&early);
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
