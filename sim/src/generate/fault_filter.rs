//! Chooses faults by name, the first word of their steps: some of them alone, or all but some. The hardship in a plan's header
//! goes with the fault of the same kind: messages are lost where `lose` is chosen, and clocks differ where `step` is.

use crate::plan::fault::FAULTS;
use crate::plan::{ClockSetting, Plan};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultFilter {
    /// If this is not empty, only these are left.
    pub only: Vec<&'static str>,
    pub without: Vec<&'static str>,
}

/// The names of all faults, in order, each once.
pub fn fault_names() -> Vec<&'static str> {
    let name = |example: &'static str| example.split_whitespace().nth(1);
    let mut names: Vec<&str> =
        FAULTS.iter().flat_map(|kind| (kind.examples)()).filter_map(|line| name(line)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl FaultFilter {
    pub fn is_empty(&self) -> bool {
        self.only.is_empty() && self.without.is_empty()
    }

    /// Why this choice is a mistake: it leaves out every fault that it asks for.
    pub fn contradiction(&self) -> Option<String> {
        let is_empty = !self.only.is_empty() && self.only.iter().all(|fault| self.without.contains(fault));
        is_empty.then(|| {
            let faults = self.only.join(", ");
            format!("no fault is left: {faults} cannot be asked for and left out at once")
        })
    }

    fn keeps(&self, fault: &str) -> bool {
        (self.only.is_empty() || self.only.contains(&fault)) && !self.without.contains(&fault)
    }

    pub fn apply(&self, plan: &mut Plan) {
        plan.steps.retain(|step| {
            let words = step.action.to_string();
            !step.action.is_fault() || self.keeps(words.split_whitespace().next().unwrap_or_default())
        });
        if !self.keeps("lose") {
            plan.links.loss_permille = 0;
        }
        if !self.keeps("repeat") {
            plan.links.repeat_permille = 0;
        }
        if !self.keeps("delay") {
            plan.links.late_permille = 0;
        }
        for clock in &mut plan.clocks {
            if !self.keeps("step") {
                clock.offset_ms = 0;
            }
            if !self.keeps("drift") {
                clock.drift_ppm = 0;
            }
        }
        plan.clocks.retain(|ClockSetting { offset_ms, drift_ppm, .. }| *offset_ms != 0 || *drift_ppm != 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;
    use crate::plan::Store;
    use crate::plan::chance::Seed;

    fn plans(filter: &FaultFilter) -> Vec<Plan> {
        let stores = [Store::Memory, Store::Sqlite];
        (0..300)
            .map(|seed| {
                let mut plan = generate(Seed(seed), stores[(seed % 2) as usize]);
                filter.apply(&mut plan);
                plan
            })
            .collect()
    }

    #[test]
    fn a_fault_that_is_asked_for_and_left_out_is_a_contradiction() {
        let filter = |only: &[&'static str], without: &[&'static str]| FaultFilter {
            only: only.to_vec(),
            without: without.to_vec(),
        };
        assert!(filter(&["pause"], &["pause"]).contradiction().is_some_and(|why| why.contains("pause")));
        for (only, without) in [(&["pause", "cut"][..], &["cut"][..]), (&[], &["cut"]), (&["cut"], &[])] {
            assert_eq!(filter(only, without).contradiction(), None);
        }
    }

    fn faults(plan: &Plan) -> Vec<String> {
        plan.steps.iter().filter(|step| step.action.is_fault()).map(|step| step.action.to_string()).collect()
    }

    #[test]
    fn every_fault_has_a_name_that_its_steps_begin_with() {
        let names = fault_names();
        for known in ["crash", "cut", "disk", "hold", "lose", "pause", "power-off", "step", "store"] {
            assert!(names.contains(&known), "{known} {names:?}");
        }
        let nothing = FaultFilter::default();
        for fault in plans(&nothing).iter().flat_map(faults) {
            assert!(names.iter().any(|name| fault.split(' ').next() == Some(name)), "{fault}");
        }
    }

    #[test]
    fn one_fault_alone_is_left_with_the_work() {
        let filter = FaultFilter { only: vec!["pause"], ..FaultFilter::default() };
        let (all, some) = (plans(&FaultFilter::default()), plans(&filter));
        let mut pauses = 0;
        for (whole, plan) in all.iter().zip(&some) {
            plan.check().unwrap();
            assert!(faults(plan).iter().all(|fault| fault.starts_with("pause ")), "{plan}");
            assert_eq!(
                (plan.links.loss_permille, plan.links.repeat_permille, plan.links.late_permille),
                (0, 0, 0)
            );
            assert!(plan.clocks.is_empty());
            assert_eq!(whole.bodies().count(), plan.bodies().count());
            pauses += faults(plan).len();
        }
        assert!(pauses > 50, "{pauses}");
    }

    #[test]
    fn one_fault_is_left_out_and_the_others_stay() {
        let filter = FaultFilter { without: vec!["crash", "lose"], ..FaultFilter::default() };
        let (all, some) = (plans(&FaultFilter::default()), plans(&filter));
        for (whole, plan) in all.iter().zip(&some) {
            plan.check().unwrap();
            let left = |plan: &Plan| {
                let is_left = |fault: &String| !fault.starts_with("crash ") && !fault.starts_with("lose ");
                faults(plan).into_iter().filter(is_left).collect::<Vec<_>>()
            };
            assert_eq!(faults(plan), left(whole));
            assert_eq!((plan.links.loss_permille, &plan.clocks), (0, &whole.clocks));
        }
    }
}
