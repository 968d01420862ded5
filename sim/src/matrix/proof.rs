//! The proof of a kill: the plan that killed a planted bug, made small and run twice, with the bug and with the true system.
//! The first event that differs shows that the planted code ran; its law says that the result is wrong. A law that objects
//! to lawful behaviour has no such event, since then the two histories are the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;

use crate::history::History;
use crate::judge::record;
use crate::plan::Plan;
use crate::planted::PlantedBug;
use crate::search::{HarnessPanic, SeededPlans};
use crate::shrink::{Size, shrink};
use crate::subject::Subject;
use crate::support::panics;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    pub small: ReproducerSize,
    /// None if both histories are the same: then the law objects to what the true system does.
    pub first_difference: Option<FirstDifference>,
}

/// The size of a plan that was made small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReproducerSize {
    pub steps: u64,
    pub faults: u64,
    pub workers: u64,
    pub processes: u64,
}

/// The first event that differs, in the words of both histories. If the words are the same, a time or a value differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FirstDifference {
    pub event: usize,
    pub planted: String,
    pub truth: String,
}

impl ReproducerSize {
    fn of(plan: &Plan) -> Self {
        let faults = plan.steps.iter().filter(|step| step.action.is_fault()).count();
        let Size { steps, processes, .. } = Size::of(plan);
        let workers = plan.workers.0.len();
        let [steps, faults, workers, processes] =
            [steps, faults, workers, processes].map(|count| count as u64);
        Self { steps, faults, workers, processes }
    }
}

/// Proves a kill, with up to `runs` runs to make the plan small. It works on a thread of its own: after a panic of the
/// harness the thread's world is in an unknown state.
pub fn prove(bug: &PlantedBug, seed: u64, runs: u64) -> Result<Proof, HarnessPanic> {
    let subject = bug.subject();
    let store = subject.store_needed;
    let caught = || {
        catch_unwind(AssertUnwindSafe(|| proof(bug, &subject, seed, runs)))
            .map_err(|payload| panics::told(payload.as_ref()))
    };
    let joined = std::thread::scope(|scope| scope.spawn(caught).join());
    let proof = joined.unwrap_or_else(|payload| Err(panics::told(payload.as_ref())));
    proof.map_err(|said| HarnessPanic { seed, store, said })
}

fn proof(bug: &PlantedBug, subject: &Subject, seed: u64, runs: u64) -> Proof {
    let plan = SeededPlans::of(subject).plan(seed);
    let small = Arc::new(shrink(&plan, subject, bug.law, runs, &mut |_| {}).plan);
    let (planted, truth) = (record(&small, subject), record(&small, &Subject::fencepost()));
    Proof { small: ReproducerSize::of(&small), first_difference: difference(&planted, &truth) }
}

fn difference(planted: &History, truth: &History) -> Option<FirstDifference> {
    let event = planted.first_difference(truth)?;
    Some(FirstDifference { event, planted: said(planted, event), truth: said(truth, event) })
}

fn said(history: &History, place: usize) -> String {
    history
        .events
        .get(place)
        .map_or_else(|| "nothing more".to_owned(), |event| history.phrase(event).to_string())
}
