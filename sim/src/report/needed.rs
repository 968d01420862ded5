//! What each step of a small plan is needed for: the plan without it, under eight seeds of chance, and how often the law is
//! still broken.

use std::fmt;
use std::sync::Arc;

use crate::judge::judge;
use crate::plan::Plan;
use crate::subject::Subject;

/// Seeds that a plan without a step is tried under, its own among them.
const LUCKS: u64 = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    pub step: String,
    /// How often the law is broken without it, of so many tries.
    pub breaks: u64,
    pub of: u64,
}

/// A line for each of the first steps, so many at most, in order.
pub fn needed(plan: &Plan, subject: &Subject, law: &str, most: usize) -> Vec<Needed> {
    let without = |number: usize| {
        let mut less = plan.clone();
        let step = less.steps.remove(number).to_string();
        let lucky = |luck: u64| Plan { seed: plan.seed.wrapping_add(luck), ..less.clone() };
        let breaks = (0..LUCKS).filter(|luck| judge(&Arc::new(lucky(*luck)), subject).breaks(law)).count();
        Needed { step, breaks: breaks as u64, of: LUCKS }
    };
    (0..plan.steps.len().min(most)).map(without).collect()
}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.breaks {
            0 => f.write_str("never"),
            breaks => write!(f, "in {breaks} of {}", self.of),
        }
    }
}
