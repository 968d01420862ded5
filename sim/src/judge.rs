//! One plan, run and judged. A search runs the hash and the laws only; when something breaks, the same plan is run again
//! with a recorder, which must see the same events.

use std::sync::{Arc, Once};

use crate::event::{Event, RunningHash};
use crate::history::History;
use crate::laws::{Finding, Law, Laws};
use crate::marks::{Hits, Marks};
use crate::plan::Plan;
use crate::subject::Subject;
use crate::world::{self, Outcome};

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub hash: u64,
    pub events: u64,
    pub outcome: Outcome,
    pub findings: Vec<Judged>,
    pub hits: Hits,
}

/// One law's word on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub law: &'static str,
    pub sentence: &'static str,
    pub finding: Finding,
    pub checked: u64,
}

/// A breach, of whichever law broke first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub law: &'static str,
    pub sentence: &'static str,
    pub at: u64,
    pub because: String,
}

impl Verdict {
    pub fn broken(&self) -> Option<Broken> {
        let broken = self.findings.iter().filter_map(|judged| match &judged.finding {
            Finding::Broken { at, because } => {
                Some(Broken { law: judged.law, sentence: judged.sentence, at: *at, because: because.clone() })
            }
            _ => None,
        });
        broken.min_by_key(|broken| broken.at)
    }

    /// How this law was broken, if it was.
    pub fn breach_of(&self, law: &str) -> Option<Broken> {
        self.findings.iter().find(|judged| judged.law == law).and_then(|judged| match &judged.finding {
            Finding::Broken { at, because } => {
                Some(Broken { law: judged.law, sentence: judged.sentence, at: *at, because: because.clone() })
            }
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
    warm_up();
    let mut witness = (RunningHash::default(), (Laws::new(plan), Marks::new(plan)));
    let outcome = world::run(plan, subject, &mut witness);
    let (hash, (laws, marks)) = witness;
    let claimed = |law: &&dyn Law| !subject.not_claimed.contains(&law.name());
    let findings = laws.all().into_iter().filter(claimed).map(judged).collect();
    Verdict { hash: hash.value(), events: hash.events, outcome, findings, hits: marks.hits }
}

fn judged(law: &dyn Law) -> Judged {
    Judged { law: law.name(), sentence: law.sentence(), finding: law.finding(), checked: law.checked() }
}

pub fn record(plan: &Arc<Plan>, subject: &Subject) -> History {
    warm_up();
    let mut events: Vec<Event> = Vec::new();
    let outcome = world::run(plan, subject, &mut events);
    History { plan: Plan::clone(plan), grants: outcome.grants, events }
}

/// A dependency may draw something once for the whole process; the first run that counts must not be the one that does.
fn warm_up() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut plan = Plan::quiet(0);
        plan.steps = ["0ms register p1 rerunnable 1 steps of 1ms"]
            .iter()
            .filter_map(|line| line.parse().ok())
            .collect();
        world::run(&Arc::new(plan), &Subject::fencepost(), &mut ());
    });
}
