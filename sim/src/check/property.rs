//! Plans as a `proptest` strategy: proptest draws seeds and our generator makes their plans. proptest does not shrink them: a
//! plan that breaks a law fails the test with our own minimal reproducer, its timeline and the command that replays it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use proptest::prelude::{Just, Strategy};
use proptest::test_runner::{Config, RngSeed, TestCaseError};

use crate::check::{CheckError, check_plan};
use crate::generate::generate;
use crate::plan::chance::Seed;
use crate::plan::{Plan, Store};
use crate::search::seeds;
use crate::subject::Subject;

/// A generated plan. Its debug form is its text.
#[derive(Clone)]
pub struct GeneratedPlan(Arc<Plan>);

impl Deref for GeneratedPlan {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

impl fmt::Debug for GeneratedPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plan of seed {}:\n{}", self.0.seed, *self.0)
    }
}

/// Every plan that the generator makes for worlds with this store.
pub fn plans(store: Store) -> impl Strategy<Value = GeneratedPlan> {
    // A smaller seed does not mean a smaller plan, so our own shrinker is used instead.
    let seeds = (0..seeds::END).no_shrink();
    (seeds, Just(store)).prop_map(|(seed, store)| GeneratedPlan(Arc::new(generate(Seed(seed), store))))
}

/// So many plans, the same in every run. proptest keeps no file of failures; `keep` writes regressions instead.
pub fn config(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(0), failure_persistence: None, ..Config::default() }
}

/// Runs the plan, and fails with a small plan if the subject breaks a law that it claims to keep. A plan for which a law is
/// undecided is rejected: it counts neither for the subject nor against it.
pub fn holds(plan: &GeneratedPlan, subject: &Subject) -> Result<(), TestCaseError> {
    check_plan(subject, &plan.0, SHRINK_RUNS).map_err(|error| match error {
        CheckError::Inconclusive(why) => TestCaseError::reject(why.to_string()),
        CheckError::Broken(_)
        | CheckError::NotProven(_)
        | CheckError::NotDeterministic { .. }
        | CheckError::HarnessPanicked(_)
        | CheckError::BadRequest(_) => TestCaseError::fail(error.to_string()),
    })
}

/// Runs to spend on making a breaking plan small.
const SHRINK_RUNS: u64 = 1_000;
