//! Sums over runs with the same number of deviations. They do not depend on the order of runs, so the sums of shards add up to
//! the whole's. Of each broken law the first witness is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::laws::Finding;
use crate::plan::step::Step;
use crate::prove::decision_order::mix;
use crate::prove::distinct::Distinct;
use crate::prove::one_run::RunSeen;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelSum {
    /// Points at which something was made to go wrong.
    pub points: u64,
    pub runs: u64,
    /// By family of the last deviation.
    pub families: BTreeMap<String, u64>,
    /// Runs with the history of the run that they deviate from.
    pub unchanged: u64,
    pub histories: Distinct,
    pub orders: Distinct,
    /// By law: how often its situation was met.
    pub checked: BTreeMap<String, u64>,
    /// By law: runs in which it could not be told.
    pub undecided: BTreeMap<String, u64>,
    /// By law: runs that broke it.
    pub broken: BTreeMap<String, u64>,
    /// In the order in which they were found, one for each law.
    pub witnesses: Vec<BreachWitness>,
    /// A sum over every run: two that agree here are of the same runs.
    pub digest: u64,
}

/// A run that breaks a law: the steps that go wrong in it, and why it is broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreachWitness {
    pub law: String,
    pub because: String,
    /// The deviations, as steps of the plan.
    pub steps: Vec<String>,
}

impl LevelSum {
    /// Adds a run with these deviations. `place` keys the digest: the scope and the number of deviations.
    pub fn add(
        &mut self,
        place: u64,
        family: Option<&str>,
        steps: &[Step],
        seen: &RunSeen,
        key: u64,
        parent: Option<u64>,
    ) {
        self.runs += 1;
        if let Some(family) = family {
            *entry(&mut self.families, family) += 1;
        }
        self.unchanged += u64::from(parent == Some(seen.history));
        self.histories.add(mix(place, seen.history));
        self.orders.add(mix(place, key));
        self.digest = self.digest.wrapping_add(mix(mix(place, seen.history), key));
        for judged in &seen.findings {
            if judged.checked > 0 {
                *entry(&mut self.checked, judged.law) += judged.checked;
            }
            match judged.finding {
                Finding::Holds => {}
                Finding::Undecided { .. } => *entry(&mut self.undecided, judged.law) += 1,
                Finding::Broken { .. } => *entry(&mut self.broken, judged.law) += 1,
            }
        }
        for breach in seen.breaches() {
            if self.witnesses.iter().all(|known| known.law != breach.law) {
                let steps = steps.iter().map(ToString::to_string).collect();
                self.witnesses.push(BreachWitness {
                    law: breach.law.to_owned(),
                    because: breach.because,
                    steps,
                });
            }
        }
    }

    /// Adds a later part of the same runs.
    pub fn merge(&mut self, later: &Self) {
        self.points += later.points;
        self.runs += later.runs;
        self.unchanged += later.unchanged;
        self.histories.merge(&later.histories);
        self.orders.merge(&later.orders);
        self.digest = self.digest.wrapping_add(later.digest);
        for (sums, others) in [
            (&mut self.families, &later.families),
            (&mut self.checked, &later.checked),
            (&mut self.undecided, &later.undecided),
            (&mut self.broken, &later.broken),
        ] {
            for (law, count) in others {
                *entry(sums, law) += count;
            }
        }
        for witness in &later.witnesses {
            if self.witnesses.iter().all(|known| known.law != witness.law) {
                self.witnesses.push(witness.clone());
            }
        }
    }
}

fn entry<'a>(sums: &'a mut BTreeMap<String, u64>, law: &str) -> &'a mut u64 {
    if !sums.contains_key(law) {
        sums.insert(law.to_owned(), 0);
    }
    sums.get_mut(law).unwrap_or_else(|| unreachable!("it was inserted above"))
}
