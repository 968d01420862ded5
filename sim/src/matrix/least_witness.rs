//! The least number of deviations that shows a planted bug, over all scopes: none at first, then one, then two. Its law must
//! break; other laws may break before.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::judge::judge;
use crate::planted::PlantedBug;
use crate::prove::{ProveRequest, ProveResult, SmallWorld, Statement, prove_all};
use crate::search::{HarnessPanic, StopRule};
use crate::shrink::shrink;

/// The result of the search for the fewest deviations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeastWitness {
    /// None, if so many deviations do not show the bug.
    pub found: Option<FoundWitness>,
    /// Deviations that were tried in every scope.
    pub tried: usize,
    pub runs: u64,
    /// A law that broke, if it was another one only.
    pub other_law: Option<String>,
}

/// The first run that broke the bug's own law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundWitness {
    pub scope: String,
    pub deviations: usize,
    /// The deviations of the witness.
    pub steps: Vec<String>,
    /// Steps of the whole plan, once it was made small.
    pub plan_steps: usize,
}

/// Tries up to `deviations`, with up to `shrink_runs` runs to make the witness small. `time_limit_us` ends it early.
pub fn least_witness(
    bug: &PlantedBug,
    deviations: usize,
    shrink_runs: u64,
    time_limit_us: Option<u64>,
) -> Result<LeastWitness, HarnessPanic> {
    let subject = bug.subject();
    let mut worlds = SmallWorld::catalogue();
    // A bug of a store shows only where that store is.
    worlds.sort_by_key(|world| world.plan.store != subject.store_needed);
    let stop = StopRule::AtBreachOf(bug.law);
    let request = ProveRequest { stop, time_limit_us, ..ProveRequest::new(&subject, &worlds, deviations) };
    let result = prove_all(&request, None, &mut ())
        .unwrap_or_else(|error| unreachable!("nothing is kept in a file: {error}"));
    let ProveResult { statements, panicked, .. } = result;
    if let Some((scope, said)) = panicked {
        let world = worlds.iter().find(|world| world.name == scope).unwrap_or(&worlds[0]);
        return Err(HarnessPanic { seed: world.plan.seed, store: world.plan.store, said });
    }
    let shown = statements.iter().zip(&worlds).find_map(|(statement, world)| {
        let witness = statement.broken.iter().find(|witness| witness.law == bug.law)?;
        Some((world, witness))
    });
    let found = shown.map(|(world, witness)| {
        let plan = witness.plan(world);
        assert!(
            judge(&Arc::new(plan.clone()), &subject).breaks(bug.law),
            "a witness does not break its law again"
        );
        let small = shrink(&plan, &subject, bug.law, shrink_runs, &mut |_| {}).plan;
        FoundWitness {
            scope: world.name.clone(),
            deviations: witness.steps.len(),
            steps: witness.steps.clone(),
            plan_steps: small.steps.len(),
        }
    });
    let other = statements.iter().flat_map(|statement| &statement.broken).next();
    let levels = statements.iter().map(|statement| {
        statement.levels.iter().take_while(|level| level.is_complete()).count().saturating_sub(1)
    });
    Ok(LeastWitness {
        other_law: other.filter(|_| found.is_none()).map(|witness| witness.law.clone()),
        found,
        tried: levels.min().unwrap_or(0),
        runs: statements.iter().map(Statement::runs).sum(),
    })
}

impl fmt::Display for LeastWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.found, &self.other_law) {
            (Some(FoundWitness { scope, deviations, .. }), _) => write!(f, "{deviations} in {scope}"),
            (None, Some(law)) => write!(f, "more than {}, and {law} broke", self.tried),
            (None, None) => write!(f, "more than {}", self.tried),
        }
    }
}
