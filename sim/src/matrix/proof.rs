//! What shows that a kill was the planted bug's doing: the plan that killed it, made small, played twice. At the first event at
//! which the bug's history leaves the true system's, what was planted has run; that it was wrong, its law says. That is the same question for every
//! bug, asked of what happened, so that no sabotage needs a probe of its own; and a law that objected to lawful behaviour
//! would have no such event to show.

use std::sync::Arc;

use serde::Serialize;

use crate::history::History;
use crate::judge::record;
use crate::matrix::hunt::plan;
use crate::plan::Plan;
use crate::plan::chance::Seed;
use crate::planted::PlantedBug;
use crate::shrink::{Size, shrink};
use crate::subject::Subject;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    pub small: Small,
    /// None: both histories are one, and the law objects to what the true system does.
    pub first_difference: Option<Difference>,
}

/// What there is to read in a plan that was made small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Small {
    pub steps: u64,
    pub faults: u64,
    pub workers: u64,
    pub processes: u64,
}

/// The first event that differs, as each of the two says it. Where both say the same it is a time or a value that does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub event: usize,
    pub planted: String,
    pub truth: String,
}

impl Small {
    fn of(plan: &Plan) -> Self {
        let faults = plan.steps.iter().filter(|step| step.action.is_fault()).count();
        let Size { steps, processes, .. } = Size::of(plan);
        let workers = plan.workers.0.len();
        let [steps, faults, workers, processes] =
            [steps, faults, workers, processes].map(|count| count as u64);
        Self { steps, faults, workers, processes }
    }
}

pub fn proof(sabotage: &PlantedBug, seed: Seed, runs: u64) -> Proof {
    let (subject, truth) = (sabotage.subject(), Subject::fencepost());
    let small = shrink(&plan(seed, &subject), &subject, sabotage.law, runs, &mut |_| {}).plan;
    let small = Arc::new(small);
    let size = Small::of(&small);
    let (planted, truth) = (record(&small, &subject), record(&small, &truth));
    Proof { small: size, first_difference: difference(&planted, &truth) }
}

fn difference(planted: &History, truth: &History) -> Option<Difference> {
    let event = planted.first_difference(truth)?;
    Some(Difference { event, planted: said(planted, event), truth: said(truth, event) })
}

fn said(history: &History, place: usize) -> String {
    history
        .events
        .get(place)
        .map_or_else(|| "nothing more".to_owned(), |event| history.said(event).to_string())
}
