//! Which of two plans is smaller: fewer steps before fewer processes, those before fewer nodes, then unusual settings and
//! forms, things that a reader has to count, how round the numbers are, and how large. Every step of shrinking goes down.

use crate::plan::span::Span;
use crate::plan::{Links, Plan, Store, TaskOrder};
use crate::shrink::plan_names::processes;

/// The first that differs decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    pub steps: usize,
    pub processes: usize,
    pub nodes: usize,
    /// Facts of the header that are not those of a quiet world.
    pub settings: usize,
    /// Forms of steps beyond the plainest ones.
    pub unusual: usize,
    /// Steps of bodies, and other things that a reader counts.
    pub counted: u64,
    /// How far the numbers are from round ones.
    pub unround: u64,
    /// Sum of all numbers.
    pub total: u64,
}

impl Size {
    pub fn of(plan: &Plan) -> Self {
        let mut size = Self {
            steps: plan.steps.len(),
            processes: processes(plan).len(),
            nodes: plan.workers.0.len() + plan.hosts.0.len(),
            settings: settings(plan),
            unusual: 0,
            counted: plan.fences_left.unwrap_or(0),
            unround: 0,
            total: 0,
        };
        size.add(plan.horizon_ms);
        for clock in &plan.clocks {
            size.add(clock.offset_ms.unsigned_abs());
            size.add(u64::from(clock.drift_ppm.unsigned_abs()));
        }
        for step in &plan.steps {
            size.add(step.at_ms);
            size.unusual += step.action.unusual();
            size.counted += step.action.counted();
            if let Some(Span::UntilExpiry { .. }) = step.action.span() {
                // An expiry is as easy to think of as a tenth of a second, and no length at all.
                size.unround += 3;
            }
            for number in step.action.numbers() {
                size.add(number.unsigned_abs());
            }
        }
        size
    }

    fn add(&mut self, number: u64) {
        self.unround += roughness(number);
        self.total = self.total.saturating_add(number);
    }
}

/// For milliseconds: whole seconds read best, and odd milliseconds worst.
fn roughness(number: u64) -> u64 {
    match number {
        0 => 0,
        // An offset of a millisecond or two is what expiries are about.
        1..=9 => 1,
        _ if number.is_multiple_of(1_000) => 1,
        _ if number.is_multiple_of(100) => 2,
        _ if number.is_multiple_of(10) => 4,
        _ => 6,
    }
}

fn settings(plan: &Plan) -> usize {
    let quiet = Plan::quiet(0);
    let links = plan.links;
    let clocks = plan.clocks.iter().map(|clock| {
        // One that differs in nothing is still a line.
        1 + usize::from(clock.offset_ms != 0) + usize::from(clock.drift_ppm != 0)
    });
    let facts = [
        plan.store != Store::Memory,
        plan.order != TaskOrder::Drawn,
        plan.fences_left.is_some(),
        plan.bound != quiet.bound,
        plan.sweep_ms != quiet.sweep_ms,
        (plan.ttl_ms, plan.renew_ms) != (quiet.ttl_ms, quiet.renew_ms),
        (links.fastest_us, links.slowest_us) != (Links::QUICK.fastest_us, Links::QUICK.slowest_us),
        links.loss_permille > 0,
        links.repeat_permille > 0,
        links.late_permille > 0 || links.late_ms > 0,
    ];
    facts.into_iter().filter(|is_set| *is_set).count() + clocks.sum::<usize>() + plan.leases.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(lines: &[&str]) -> Size {
        let steps = lines.iter().map(|line| line.parse().unwrap()).collect();
        Size::of(&Plan { steps, ..Plan::quiet(1) })
    }

    /// Each is smaller than the one before it.
    #[test]
    fn what_reads_easier_is_smaller() {
        let falling: &[&[&str]] = &[
            &["0ms register p1 rerunnable 1 steps of 1s", "1s prune"],
            &["1.234s register p1 owner-bound awaits p2"],
            &["1.234s register p1 owner-bound waits"],
            &["1.234s register p1 rerunnable waits"],
            &["1.234s register p1 rerunnable 9 steps of 10ms"],
            &["1.234s register p1 rerunnable 2 steps of 3s"],
            &["1.234s register p1 rerunnable 1 steps of 2s"],
            &["1.23s register p1 rerunnable 1 steps of 2s"],
            &["1.7s register p1 rerunnable 1 steps of 2s"],
            &["2s register p1 rerunnable 1 steps of 2s"],
            &["1s register p1 rerunnable 1 steps of 2s"],
            &["0ms register p1 rerunnable 1 steps of 2s"],
            &[],
        ];
        for pair in falling.windows(2) {
            assert!(size(pair[1]) < size(pair[0]), "{pair:?}");
        }
    }

    #[test]
    fn an_expiry_reads_easier_than_an_odd_length_and_harder_than_a_round_one() {
        let pause = |span: &str| size(&[&format!("1s pause worker-1 {span}")]);
        assert!(pause("until p1 expires +1ms").unround < pause("for 1.437s").unround);
        assert!(pause("for 2s").unround < pause("until p1 expires +0ms").unround);
    }

    #[test]
    fn every_fact_of_the_header_counts() {
        let quiet = Plan::quiet(1);
        let clock = "registry +0ms +0ppm".parse().unwrap();
        let late = Links { late_permille: 1, ..Links::QUICK };
        let larger = [
            Plan { store: Store::Sqlite, ..quiet.clone() },
            Plan { order: TaskOrder::FirstReady, ..quiet.clone() },
            Plan { fences_left: Some(0), ..quiet.clone() },
            Plan { bound: 1, ..quiet.clone() },
            Plan { sweep_ms: 1, ..quiet.clone() },
            Plan { ttl_ms: 2_999, ..quiet.clone() },
            Plan { links: late, ..quiet.clone() },
            Plan { clocks: vec![clock], ..quiet.clone() },
            Plan { leases: vec!["worker-1 ttl 3s renew 1s".parse().unwrap()], ..quiet.clone() },
            Plan { horizon_ms: 10_001, ..quiet.clone() },
        ];
        for plan in larger {
            assert!(Size::of(&plan) > Size::of(&quiet), "{plan}");
        }
    }
}
