//! Plans as a `proptest` strategy: the same generator, drawn by a seed that proptest draws and does not shrink. A plan that
//! breaks a law fails the test with our own shrunk plan, its timeline and the command that replays it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use proptest::prelude::{Just, Strategy, any};
use proptest::test_runner::{Config, RngSeed, TestCaseError};

use crate::check::failure;
use crate::generate::generate;
use crate::judge::judge;
use crate::plan::chance::Seed;
use crate::plan::{Plan, Store};
use crate::subject::Subject;

/// A generated plan; it shows itself as its text.
#[derive(Clone)]
pub struct Drawn(Arc<Plan>);

impl Deref for Drawn {
    type Target = Plan;

    fn deref(&self) -> &Plan {
        &self.0
    }
}

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plan of seed {}:\n{}", self.0.seed, *self.0)
    }
}

/// Every plan that the generator makes for worlds with this store.
pub fn plans(store: Store) -> impl Strategy<Value = Drawn> {
    // A smaller seed is no smaller plan: shrinking is ours to do.
    let seeds = any::<u64>().no_shrink();
    (seeds, Just(store)).prop_map(|(seed, store)| Drawn(Arc::new(generate(Seed(seed), store))))
}

/// So many plans, the same in every run, and no file to remember failures by: a regression file does that better.
pub fn config(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(0), failure_persistence: None, ..Config::default() }
}

/// Runs the plan. Breaking a law that the subject claims to keep, it fails with a plan made small.
pub fn holds(plan: &Drawn, subject: &Subject) -> Result<(), TestCaseError> {
    match judge(&plan.0, subject).broken() {
        None => Ok(()),
        Some(broken) => Err(TestCaseError::fail(failure(subject, &plan.0, broken.law, 1_000).to_string())),
    }
}
