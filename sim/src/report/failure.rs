//! A breach as a value: the small plan that shows it, its history, who believed what when it happened, and what each step is
//! needed for. It is made by running the small plan again.

use std::sync::Arc;

use crate::history::History;
use crate::history::event::NO_PROCESS;
use crate::judge::{Breach, judge, record, without_clock_faults};
use crate::plan::{Plan, Process, Store};
use crate::shrink::necessity::{Needs, needs};
use crate::subject::Subject;
use crate::support::panics;
use crate::timeline::snapshot::Moment;

/// Where a breach was found, and how far its plan was made smaller.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// None of a plan from a file.
    pub seed: Option<u64>,
    pub store: Store,
    pub steps: usize,
    pub runs: u64,
}

/// Steps of a plan that are told of one by one.
const MOST_STEPS: usize = 8;

pub struct Failure {
    pub broken: Breach,
    pub subject: String,
    pub found: Found,
    /// Of the small plan.
    pub history: History,
    pub moment: Option<Moment>,
    pub needs: Needs,
    /// Whether the law is broken without the plan's clock faults, too; none, if it has none.
    pub without_clock_faults: Option<bool>,
    /// What the code under test panicked with, where panics are remembered.
    pub panicked: Option<String>,
}

impl Failure {
    /// None, if this plan does not break the law again, in the same way: it is not deterministic.
    pub fn of(plan: &Plan, subject: &Subject, law: &str, found: Found) -> Option<Self> {
        let plan = Arc::new(plan.clone());
        let shown = if plan.steps.len() > MOST_STEPS { MOST_STEPS - 2 } else { MOST_STEPS };
        let needs = needs(&plan, subject, law, shown);
        let without_clock_faults = without_clock_faults(&plan, subject, law);
        drop(panics::take_last());
        let verdict = judge(&plan, subject);
        // A body may panic because its plan says so: that is no news.
        let panicked = panics::take_last().filter(|_| law == "nobody-panics");
        let broken = verdict.breach_of(law)?;
        let history = record(&plan, subject);
        if history.hash() != verdict.hash {
            return None;
        }
        let place = usize::try_from(broken.at).ok();
        let process = Self::process_at(&history, &broken).map(|process| process.0);
        let moment = place.and_then(|place| Moment::of(&history, place, process));
        let subject = subject.name.to_owned();
        Some(Self { broken, subject, found, history, moment, needs, without_clock_faults, panicked })
    }

    /// Whom the breach is about.
    pub fn process(&self) -> Option<Process> {
        Self::process_at(&self.history, &self.broken)
    }

    fn process_at(history: &History, broken: &Breach) -> Option<Process> {
        let event = usize::try_from(broken.at).ok().and_then(|at| history.events.get(at))?;
        (event.process != NO_PROCESS).then_some(Process(event.process))
    }

    /// Its name where it is kept.
    pub fn file_stem(&self) -> String {
        match self.found.seed {
            Some(seed) => format!("{}-{seed}", self.broken.law),
            None => self.broken.law.to_owned(),
        }
    }
}
