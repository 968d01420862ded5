//! Proving a scope in a `#[test]`: every run of a small world in which at most so many things go wrong, for any subject.

use crate::check::error::{BrokenLaw, CheckError, NotProven};
use crate::laws::Laws;
use crate::prove::{ProveRequest, SmallWorld, Statement, prove_all};
use crate::search::seeds::Shard;
use crate::search::{Conclusion, HarnessPanic, Reproducer, processors};
use crate::subject::Subject;

/// Runs to spend on making a breaking plan smaller.
const SHRINK_RUNS: u64 = 1_000;

/// Explores the scope with at most so many deviations, on all processors, and returns what was shown. The error is the first
/// broken law with its small plan, or a statement that is not complete.
///
/// ```no_run
/// use fencepost_sim::prove::SmallWorld;
/// use fencepost_sim::{Subject, prove};
///
/// let scope = SmallWorld::find("one-rerunnable").unwrap();
/// let shown = prove(&Subject::fencepost(), &scope, 1).unwrap();
/// assert!(shown.is_complete);
/// ```
pub fn prove(subject: &Subject, scope: &SmallWorld, deviations: usize) -> Result<Statement, CheckError> {
    let worlds = std::slice::from_ref(scope);
    let request = ProveRequest {
        jobs: processors(),
        shard: Shard::WHOLE,
        ..ProveRequest::new(subject, worlds, deviations)
    };
    let result = prove_all(&request, None, &mut ())
        .unwrap_or_else(|error| unreachable!("nothing is kept in a file: {error}"));
    let (seed, store) = (scope.plan.seed, scope.plan.store);
    if let Some((_, said)) = result.panicked {
        return Err(CheckError::HarnessPanicked(HarnessPanic { seed, store, said }));
    }
    let Some(statement) = result.statements.into_iter().next() else {
        unreachable!("one scope was asked for, and has its statement")
    };
    if let Some(witness) = statement.broken.first() {
        let plan = witness.plan(scope);
        let found = Reproducer::find(&plan, subject, &witness.law, SHRINK_RUNS, &|| false);
        return Err(match found {
            Some(found) => CheckError::Broken(Box::new(BrokenLaw::new(found, subject))),
            None => {
                let law = Laws::names().into_iter().find(|law| *law == witness.law);
                CheckError::NotDeterministic { subject: subject.name, law: law.unwrap_or("a law"), seed }
            }
        });
    }
    match statement.verdict {
        Conclusion::Holds => Ok(statement),
        _ => Err(CheckError::NotProven(Box::new(NotProven(statement)))),
    }
}
