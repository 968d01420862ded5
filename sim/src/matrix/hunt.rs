//! One search for one planted bug, from one start.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;

use crate::generate::generate;
use crate::judge::judge;
use crate::plan::Plan;
use crate::plan::chance::Seed;
use crate::planted::PlantedBug;
use crate::subject::Subject;
use crate::support::panics;

/// What was found.
pub struct Hunt {
    start: u64,
    /// Seeds until its own law broke, if it did.
    pub needed: Option<u64>,
    /// Whichever law broke first.
    pub first_law: Option<&'static str>,
    /// Whether any run that was made differs from the true system's of the same plan.
    pub was_reached: bool,
}

/// The harness itself panicked: in this seed, with these words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HarnessPanic {
    pub seed: u64,
    pub said: String,
}

/// The seed that is tried now, for whoever must say where a panic was.
#[derive(Default)]
pub struct At(Cell<u64>);

impl At {
    pub fn is_at(&self, seed: u64) -> Seed {
        self.0.set(seed);
        Seed(seed)
    }
}

/// Does it on a thread of its own: one in which the harness panicked has a world in pieces.
pub fn apart<T: Send>(work: impl FnOnce(&At) -> T + Send) -> Result<T, HarnessPanic> {
    let caught = || {
        let at = At::default();
        let done = catch_unwind(AssertUnwindSafe(|| work(&at)));
        done.map_err(|payload| HarnessPanic { seed: at.0.get(), said: panics::told(payload.as_ref()) })
    };
    let joined = std::thread::scope(|scope| scope.spawn(caught).join());
    joined.unwrap_or_else(|payload| Err(HarnessPanic { seed: 0, said: panics::told(payload.as_ref()) }))
}

pub fn plan(seed: Seed, subject: &Subject) -> Arc<Plan> {
    Arc::new(generate(seed, subject.store_needed))
}

pub fn hunt(sabotage: &PlantedBug, start: u64, most: u64, at: &At) -> Hunt {
    let subject = sabotage.subject();
    let mut first_law = None;
    let mut hashes = Vec::new();
    for seed in (0..most).map_while(|further| start.checked_add(further)) {
        let verdict = judge(&plan(at.is_at(seed), &subject), &subject);
        first_law = first_law.or_else(|| verdict.broken().map(|broken| broken.law));
        if verdict.breaks(sabotage.law) {
            // The true system's run breaks nothing, so it is another.
            return Hunt { start, needed: Some(seed - start + 1), first_law, was_reached: true };
        }
        hashes.push((seed, verdict.hash));
    }
    let truth = Subject::fencepost();
    let differs = |(seed, hash): &(u64, u64)| judge(&plan(at.is_at(*seed), &subject), &truth).hash != *hash;
    let was_reached = first_law.is_some() || hashes.iter().any(differs);
    Hunt { start, needed: None, first_law, was_reached }
}

impl Hunt {
    pub fn killed_by_seed(&self) -> Option<u64> {
        self.needed.map(|needed| self.start + (needed - 1))
    }
}
