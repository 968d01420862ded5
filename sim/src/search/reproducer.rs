//! The minimal reproducer of a breach: the plan made as small as it gets, run again with a recorder. A breach that does not
//! come again has none, since the run is then no function of its plan.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::history::History;
use crate::history::event::NO_PROCESS;
use crate::judge::{Breach, judge, record, without_clock_faults};
use crate::laws::card;
use crate::plan::{Plan, Process, Store};
use crate::shrink::shrink_watched;
use crate::subject::Subject;
use crate::support::panics;

/// About a second: for a search that was interrupted.
const HASTY_RUNS: u64 = 500;

pub struct Reproducer {
    /// The seed of the plan before it was made small.
    pub seed: u64,
    pub store: Store,
    /// Steps of the plan before it was made small.
    pub steps_before: usize,
    /// Runs that were spent on making it small.
    pub runs: u64,
    pub breach: Breach,
    /// The run of the small plan.
    pub history: History,
    /// True, if the law breaks without the plan's clock faults, too. None if the plan has no clock faults.
    pub without_clock_faults: Option<bool>,
    /// The message of the last panic, if the law is about panics and messages are kept.
    pub panicked: Option<String>,
}

impl Reproducer {
    /// Makes the plan small, as far as `runs` runs allow, and runs it again. None if the law does not break again in
    /// the same way.
    pub fn find(
        plan: &Plan,
        subject: &Subject,
        law: &str,
        runs: u64,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Option<Self> {
        let was_interrupted = is_interrupted();
        let runs = if was_interrupted { runs.min(HASTY_RUNS) } else { runs };
        let shrunk = shrink_watched(plan, subject, law, runs, &mut |_| {
            if is_interrupted() && !was_interrupted {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let small = Arc::new(shrunk.plan);
        let without_clock_faults = without_clock_faults(&small, subject, law);
        drop(panics::take_last());
        let verdict = judge(&small, subject);
        // Other panics are in the plan: bodies that are made to panic.
        let is_about_panics = card(law).is_some_and(|card| card.is_about_panics);
        let panicked = panics::take_last().filter(|_| is_about_panics);
        let breach = verdict.breach_of(law)?;
        let history = record(&small, subject);
        (history.hash() == verdict.hash).then_some(Self {
            seed: plan.seed,
            store: plan.store,
            steps_before: plan.steps.len(),
            runs: shrunk.runs,
            breach,
            history,
            without_clock_faults,
            panicked,
        })
    }

    pub fn plan(&self) -> &Plan {
        &self.history.plan
    }

    /// The process that the breach is about.
    pub fn process(&self) -> Option<Process> {
        let event = usize::try_from(self.breach.at).ok().and_then(|at| self.history.events.get(at))?;
        (event.process != NO_PROCESS).then_some(Process(event.process))
    }

    /// The name of its files, without an extension.
    pub fn file_stem(&self) -> String {
        format!("{}-{}", self.breach.law, self.seed)
    }
}
