//! Worlds that a search can be asked for: a generated plan with some of its hardship taken out, or with one kind left. A
//! profile is a pure function of the plan, applied after the generator, so that a seed and a name are a plan again.

use crate::generate::fault_filter::FaultFilter;
use crate::plan::step_kind::Group;
use crate::plan::{ClockSetting, Links, Node, NodeNumbers, Plan};

pub struct Profile {
    pub name: &'static str,
    pub sentence: &'static str,
    change: ProfileChange,
}

/// How a profile changes a plan.
enum ProfileChange {
    Fixed(fn(&mut Plan)),
    /// Another profile first, if there is one, and then a choice of faults.
    Faults {
        world: Option<&'static Profile>,
        filter: FaultFilter,
    },
}

pub const ALL: &[Profile] = &[
    Profile {
        name: "calm-clocks",
        sentence: "clocks agree and keep time",
        change: ProfileChange::Fixed(calm_clocks),
    },
    Profile {
        name: "no-crashes",
        sentence: "nothing crashes, machines keep their power",
        change: ProfileChange::Fixed(no_crashes),
    },
    Profile {
        name: "quick-links",
        sentence: "messages arrive, once and soon",
        change: ProfileChange::Fixed(quick_links),
    },
    Profile {
        name: "one-worker",
        sentence: "there is no other worker than worker-1",
        change: ProfileChange::Fixed(one_worker),
    },
    Profile {
        name: "clocks",
        sentence: "clocks differ and are set, and nothing else is hard",
        change: ProfileChange::Fixed(clocks),
    },
    Profile {
        name: "crashes",
        sentence: "machines crash, and nothing else is hard",
        change: ProfileChange::Fixed(crashes),
    },
];

pub fn by_name(name: &str) -> Result<&'static Profile, String> {
    ALL.iter().find(|profile| profile.name == name).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|profile| profile.name).collect();
        format!("there is no profile `{name}`: say one of {}", names.join(", "))
    })
}

impl Profile {
    pub fn apply(&self, mut plan: Plan) -> Plan {
        self.change(&mut plan);
        plan
    }

    fn change(&self, plan: &mut Plan) {
        match &self.change {
            ProfileChange::Fixed(change) => change(plan),
            ProfileChange::Faults { world, filter } => {
                if let Some(world) = world {
                    world.change(plan);
                }
                filter.apply(plan);
            }
        }
    }

    /// A profile with a choice of faults. A command line makes one at most, which lives as long as the program.
    pub fn with_faults(world: Option<&'static Self>, filter: FaultFilter) -> &'static Self {
        let mut parts: Vec<String> = world.iter().map(|world| world.name.to_owned()).collect();
        for (word, faults) in [("only", &filter.only), ("without", &filter.without)] {
            parts.extend((!faults.is_empty()).then(|| format!("{word} {}", faults.join(" "))));
        }
        let name = Box::leak(parts.join(", ").into_boxed_str());
        let change = ProfileChange::Faults { world, filter };
        Box::leak(Box::new(Self { name, sentence: "faults that were chosen", change }))
    }

    /// The options that choose this profile on a command line.
    pub fn options(&self) -> Vec<(&'static str, &'static str)> {
        match &self.change {
            ProfileChange::Fixed(_) => vec![("--profile", self.name)],
            ProfileChange::Faults { world, filter } => {
                let mut options = world.map_or_else(Vec::new, Self::options);
                options.extend(filter.only.iter().map(|fault| ("--fault", *fault)));
                options.extend(filter.without.iter().map(|fault| ("--no-fault", *fault)));
                options
            }
        }
    }
}

fn calm_clocks(plan: &mut Plan) {
    *plan = plan.without_clock_faults();
}

fn no_crashes(plan: &mut Plan) {
    plan.steps.retain(|step| step.action.group() != Group::Crash);
}

fn quick_links(plan: &mut Plan) {
    plan.links = Links::QUICK;
    plan.steps.retain(|step| step.action.group() != Group::Link);
}

fn one_worker(plan: &mut Plan) {
    let alone = |node: Node| !matches!(node, Node::Worker(number) if number != 1);
    plan.workers = NodeNumbers(vec![1]);
    plan.clocks.retain(|clock| alone(clock.node));
    plan.leases.retain(|lease| alone(lease.worker));
    plan.steps.retain(|step| step.action.nodes().into_iter().all(alone));
}

/// Leaves the work, one group of faults, and calls that are held or late: those make nothing hard by themselves.
fn keep_only(plan: &mut Plan, faults: Group) {
    plan.steps.retain(|step| [Group::Work, Group::Call, faults].contains(&step.action.group()));
}

fn clocks(plan: &mut Plan) {
    plan.links = Links::QUICK;
    keep_only(plan, Group::Clock);
    if plan.clocks.is_empty() {
        let offset_ms = (plan.seed % 9) as i64 * 500 - 2_000;
        plan.clocks.push(ClockSetting { node: Node::Registry, offset_ms, drift_ppm: 1_000 });
    }
}

fn crashes(plan: &mut Plan) {
    plan.links = Links::QUICK;
    plan.clocks.clear();
    keep_only(plan, Group::Crash);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;
    use crate::plan::Store;
    use crate::plan::chance::Seed;

    fn plans(name: &str) -> Vec<Plan> {
        let profile = by_name(name).unwrap();
        let stores = [Store::Memory, Store::Sqlite];
        let drawn = |seed: u64| generate(Seed(seed), stores[(seed % 2) as usize]);
        (0..300).map(|seed| profile.apply(drawn(seed))).collect()
    }

    #[test]
    fn every_profile_makes_plans_that_can_be_run_and_that_read_back() {
        for profile in ALL {
            for plan in plans(profile.name) {
                plan.check().unwrap_or_else(|why| panic!("{} of seed {}: {why}", profile.name, plan.seed));
                assert_eq!(plan.to_string().parse(), Ok(plan));
            }
        }
    }

    #[test]
    fn a_profile_keeps_its_sentence() {
        let has =
            |plan: &Plan, word: &str| plan.steps.iter().any(|step| step.action.to_string().starts_with(word));
        for plan in plans("calm-clocks") {
            assert!(plan.clocks.is_empty() && !has(&plan, "step ") && !has(&plan, "drift "));
        }
        for plan in plans("no-crashes") {
            assert!(!has(&plan, "crash ") && !has(&plan, "power-off "));
        }
        for plan in plans("quick-links") {
            assert!(!["cut ", "lose ", "repeat ", "delay "].iter().any(|word| has(&plan, word)));
            assert_eq!(plan.links.loss_permille, 0);
        }
        for plan in plans("one-worker") {
            assert_eq!(plan.workers.0, [1]);
            assert!(!plan.to_string().contains("worker-2"), "{plan}");
        }
        for plan in plans("clocks") {
            assert!(!plan.clocks.is_empty() && !has(&plan, "pause ") && !has(&plan, "crash "));
        }
        for plan in plans("crashes") {
            assert!(!has(&plan, "pause ") && !has(&plan, "step ") && plan.clocks.is_empty());
        }
    }

    #[test]
    fn a_choice_of_faults_names_the_options_that_make_it_again() {
        let world = by_name("one-worker").ok();
        let filter = FaultFilter { only: vec!["pause", "cut"], without: vec!["cut"] };
        let profile = Profile::with_faults(world, filter);
        let options: Vec<String> =
            profile.options().iter().map(|(option, value)| format!("{option} {value}")).collect();
        assert_eq!(profile.name, "one-worker, only pause cut, without cut");
        assert_eq!(options.join(" "), "--profile one-worker --fault pause --fault cut --no-fault cut");
        let plan = profile.apply(generate(Seed(3), Store::Memory));
        assert_eq!(plan.workers.0, [1]);
        let is_pause = |words: String| words.starts_with("pause ");
        let faults = plan.steps.iter().filter(|step| step.action.is_fault());
        assert!(faults.map(|step| step.action.to_string()).all(is_pause), "{plan}");
    }

    #[test]
    fn work_is_left_as_it_was() {
        let count = |plan: &Plan| plan.bodies().count();
        for profile in ALL {
            let profiled: usize = plans(profile.name).iter().map(count).sum();
            let stores = [Store::Memory, Store::Sqlite];
            let drawn: usize =
                (0..300).map(|seed| count(&generate(Seed(seed), stores[(seed % 2) as usize]))).sum();
            assert_eq!(profiled, drawn, "{}", profile.name);
        }
    }
}
