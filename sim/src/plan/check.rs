//! Which plans can be run. A plan that no world can be made of is refused before it runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::body::Body;
use crate::plan::error::PlanError;
use crate::plan::header::{FORMAT, Plan};
use crate::plan::names::Process;

const DAY_MS: u64 = 86_400_000;

impl Plan {
    pub fn check(&self) -> Result<(), PlanError> {
        if self.format != FORMAT {
            return Err(PlanError::AnotherFormat { found: self.format.into() });
        }
        self.check_header().map_err(|why| PlanError::Impossible { why })?;
        self.check_steps()?;
        if let Some(circle) = self.circle_of_waits() {
            let why = format!("{circle} awaits itself, by way of others or directly: that never ends");
            return Err(PlanError::Impossible { why });
        }
        Ok(())
    }

    fn check_header(&self) -> Result<(), String> {
        let is_wrong = |ttl_ms: u64, renew_ms: u64| {
            let is_short = renew_ms.checked_mul(3).is_none_or(|least_ms| ttl_ms < least_ms);
            is_short || renew_ms == 0 || ttl_ms > DAY_MS
        };
        if is_wrong(self.ttl_ms, self.renew_ms) {
            return Err(
                "ttl_ms must be at least three times renew_ms, both above 0, and at most a day".into()
            );
        }
        for lease in &self.leases {
            let is_slow = self.links.slowest_us.saturating_mul(2) >= lease.renew_ms.saturating_mul(1_000);
            if is_wrong(lease.ttl_ms, lease.renew_ms) || is_slow || !self.has(lease.worker) {
                return Err(format!(
                    "`{lease}` is no lease of this world: it has a worker here, a ttl of at least three renewals and at most a \
                     day, and renewals that are slower than a message there and back"
                ));
            }
        }
        if self.workers.0.is_empty() || self.hosts.0.is_empty() {
            return Err("it needs at least one worker and one host".into());
        }
        if self.workers.0.iter().chain(&self.hosts.0).any(|number| !(1..=99).contains(number)) {
            return Err("workers and hosts are numbered from 1 to 99".into());
        }
        if self.sweep_ms == 0 || self.sweep_ms > DAY_MS || self.bound == 0 {
            return Err("sweep_ms and bound must be above 0, and sweep_ms at most a day".into());
        }
        if self.links.fastest_us > self.links.slowest_us || self.links.slowest_us > 60_000_000 {
            return Err(
                "the links' fastest_us must not be above slowest_us, and that not above a minute".into()
            );
        }
        if 2 * self.links.slowest_us >= self.renew_ms * 1_000 {
            return Err(
                "a message there and back must be quicker than renew_ms: twice slowest_us is not".into()
            );
        }
        let permille = [self.links.loss_permille, self.links.repeat_permille, self.links.late_permille];
        if permille.iter().any(|share| *share > 1_000) || self.links.late_ms > DAY_MS {
            return Err("a share of messages is at most 1000 permille, and late_ms at most a day".into());
        }
        if self.horizon_ms > DAY_MS {
            return Err("horizon_ms must be at most a day".into());
        }
        let far = |offset_ms: i64, ppm: i32| {
            offset_ms.unsigned_abs() > 1_000 * DAY_MS || ppm.unsigned_abs() > 100_000
        };
        if let Some(clock) = self.clocks.iter().find(|clock| far(clock.offset_ms, clock.drift_ppm)) {
            return Err(format!("`{clock}` is no clock: at most a thousand days off and 100000ppm"));
        }
        Ok(())
    }

    fn check_steps(&self) -> Result<(), PlanError> {
        for (place, step) in self.steps.iter().enumerate() {
            let impossible = |why: String| Err(PlanError::ImpossibleStep { place, why });
            if let Some(missing) = step.action.nodes().into_iter().find(|node| !self.has(*node)) {
                return impossible(format!("`{step}` names {missing}, which is not in this world"));
            }
            if step.at_ms > DAY_MS || step.action.longest_ms() > DAY_MS {
                return impossible(format!("`{step}` reaches further than a day"));
            }
            if let Some(why) = step.action.impossible() {
                return impossible(format!("`{step}` {why}"));
            }
        }
        Ok(())
    }

    /// A process that waits for others that wait for it, in any of its lives.
    fn circle_of_waits(&self) -> Option<Process> {
        let mut awaits: BTreeMap<Process, BTreeSet<Process>> = BTreeMap::new();
        for (process, body) in self.bodies() {
            if let Body::Awaits { child } = body {
                awaits.entry(process).or_default().insert(*child);
            }
        }
        awaits.keys().copied().find(|start| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![*start]);
            while let Some(process) = next.pop() {
                for child in awaits.get(&process).into_iter().flatten() {
                    if child == start {
                        return true;
                    }
                    if seen.insert(*child) {
                        next.push(*child);
                    }
                }
            }
            false
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::Plan;

    /// Found by the fuzz test: twice the time overflowed.
    #[test]
    fn links_of_any_slowness_are_refused_in_a_sentence() {
        let lease = "worker-1 ttl 2500ms renew 500ms".parse().unwrap();
        let mut plan = Plan { leases: vec![lease], ..Plan::quiet(1) };
        plan.check().unwrap();
        plan.links.slowest_us = u64::MAX;
        let refused = plan.check().unwrap_err().to_string();
        assert!(refused.contains("is no lease of this world"), "{refused}");
    }
}
