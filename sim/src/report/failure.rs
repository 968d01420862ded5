//! A broken law as a report needs it: the minimal reproducer, the beliefs of all nodes when the law broke, and the need for
//! each step, which takes further runs of the small plan.

use crate::laws;
use crate::laws::law::Side;
use crate::search::Reproducer;
use crate::shrink::necessity::{Needs, needs};
use crate::subject::Subject;
use crate::timeline::snapshot::Snapshot;

/// Steps of a plan that are told of one by one.
const MOST_STEPS: usize = 8;

pub struct Failure {
    pub subject: String,
    /// The scope that it was found in; none if a seed made its plan.
    pub scope: Option<String>,
    pub reproducer: Reproducer,
    pub snapshot: Option<Snapshot>,
    pub needs: Needs,
    /// The side that acted wrongly, in words, where the law tells.
    pub at_fault: Option<&'static str>,
}

impl Failure {
    pub fn new(reproducer: Reproducer, subject: &Subject) -> Self {
        let Reproducer { breach, history, .. } = &reproducer;
        let steps = history.plan.steps.len();
        let shown = if steps > MOST_STEPS { MOST_STEPS - 2 } else { MOST_STEPS };
        let needs = needs(&history.plan, subject, breach.law, shown);
        let process = reproducer.process().map(|process| process.0);
        let snapshot =
            usize::try_from(breach.at).ok().and_then(|place| Snapshot::before(history, place, process));
        let at_fault = at_fault(breach.law, subject);
        Self { subject: subject.name.to_owned(), scope: None, reproducer, snapshot, needs, at_fault }
    }
}

/// A lease service stands where the registry stands otherwise.
fn at_fault(law: &str, subject: &Subject) -> Option<&'static str> {
    let side = laws::side_of(law)?;
    let is_lease = subject.lease_door.is_some() || subject.lease_client.is_some();
    Some(match side {
        Side::Registry if is_lease => "the lease under test",
        Side::RegistryOrWorker if is_lease => "the lease under test or its holder",
        _ => side.name(),
    })
}
