//! Shrinking, put to the test: it ends by itself, within its budget or when it is told to, keeps what it is about, and
//! makes of every planted bug a plan that a person can read.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use fencepost_sim::generate::generate;
use fencepost_sim::judge::judge;
use fencepost_sim::plan::Plan;
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::planted;
use fencepost_sim::planted::PlantedBug;
use fencepost_sim::shrink::necessity::needs;
use fencepost_sim::shrink::{BUDGET, Ended, Shrunk, Size, shrink, shrink_watched};
use fencepost_sim::subject::Subject;

use super::{regressions, stories};

/// The first plan from a seed on that breaks the sabotage's law.
fn breaking(sabotage: &PlantedBug, from: u64) -> Plan {
    let subject = sabotage.subject();
    let plans = (from..from + 3_000).map(|seed| generate(Seed(seed), subject.store_needed));
    let mut plans = plans.filter(|plan| judge(&Arc::new(plan.clone()), &subject).breaks(sabotage.law));
    plans.next().unwrap_or_else(|| panic!("{} survived", sabotage.name))
}

fn cpu_ms() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap() * 1_000 + u64::try_from(now.tv_nsec).unwrap() / 1_000_000
}

/// Under how many seeds of the network the plan breaks the law.
fn network_seeds_that_break(plan: &Plan, sabotage: &PlantedBug) -> u64 {
    needs(plan, &sabotage.subject(), sabotage.law, 0).whole.breaks
}

fn planted(name: &str) -> &'static PlantedBug {
    planted::by_name(name).unwrap()
}

#[test]
fn every_plan_that_is_kept_is_smaller_than_the_one_before_and_still_breaks_the_law() {
    let sabotage = planted("events-unchecked");
    let plan = breaking(sabotage, 0);
    let mut sizes = vec![Size::of(&plan)];
    let mut told = (0, 0);
    let shrunk = shrink_watched(&plan, &sabotage.subject(), sabotage.law, 5_000, &mut |progress| {
        assert!(progress.tried > told.0 && progress.runs > told.1 && progress.runs <= progress.budget);
        told = (progress.tried, progress.runs);
        if progress.was_kept {
            sizes.push(Size::of(progress.best));
            let best = Arc::new(progress.best.clone());
            assert!(judge(&best, &sabotage.subject()).breaks(sabotage.law), "{}: {best}", progress.what);
        }
        assert_eq!(Some(&Size::of(progress.best)), sizes.last(), "{}", progress.what);
        ControlFlow::Continue(())
    });
    assert!(sizes.windows(2).all(|pair| pair[1] < pair[0]), "{sizes:?}");
    assert_eq!((shrunk.ended, Some(&Size::of(&shrunk.plan))), (Ended::Smallest, sizes.last()));
    assert!(sizes.len() > 10 && shrunk.plan.steps.len() <= 4, "{}", shrunk.plan);
    // A plan that was shrunk to its end does not get smaller again.
    let again = shrink(&shrunk.plan, &sabotage.subject(), sabotage.law, 5_000, &mut |_| {});
    assert_eq!(again.plan, shrunk.plan);
}

#[test]
fn no_more_is_run_than_the_budget_allows_and_what_is_best_by_then_is_given() {
    let sabotage = planted("renew-at-expiry");
    let plan = breaking(sabotage, 0);
    let mut steps = plan.steps.len();
    for budget in [0, 1, 2, 7, 30, 100, 200] {
        let shrunk = shrink(&plan, &sabotage.subject(), sabotage.law, budget, &mut |_| {});
        assert!(shrunk.runs <= budget && shrunk.ended == Ended::OutOfBudget, "{budget}: {shrunk:?}");
        assert!(shrunk.plan.steps.len() <= steps, "{budget}");
        steps = shrunk.plan.steps.len();
        let small = Arc::new(shrunk.plan);
        assert!(judge(&small, &sabotage.subject()).breaks(sabotage.law), "{budget}");
    }
    assert!(steps < plan.steps.len() / 2, "two hundred runs are enough for the large steps");
}

#[test]
fn whoever_watches_can_end_it_and_keeps_the_best() {
    let sabotage = planted("renew-at-expiry");
    let plan = breaking(sabotage, 0);
    let mut best = None;
    let shrunk = shrink_watched(&plan, &sabotage.subject(), sabotage.law, 5_000, &mut |progress| {
        assert!(best.is_none(), "asked again after it had enough");
        if progress.was_kept && progress.tried > 5 {
            best = Some(progress.best.clone());
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    assert_eq!((shrunk.ended, Some(shrunk.plan)), (Ended::Interrupted, best));
}

#[test]
fn it_tells_of_every_candidate_and_tries_none_twice() {
    let sabotage = planted("second-terminal");
    let plan = breaking(sabotage, 0);
    let mut told = Vec::new();
    let shrunk =
        shrink(&plan, &sabotage.subject(), sabotage.law, 5_000, &mut |tried| told.push(tried.to_owned()));
    assert!(
        told.iter().any(|line| line.starts_with("kept "))
            && told.iter().any(|line| line.starts_with("holds "))
    );
    let mut watched = 0;
    shrink_watched(&plan, &sabotage.subject(), sabotage.law, 5_000, &mut |progress| {
        watched = progress.tried;
        ControlFlow::Continue(())
    });
    assert_eq!(told.len() as u64, watched);
    // Eight runs each at most, and the two that look for the breach in each of some rounds.
    assert!(
        shrunk.runs >= watched && shrunk.runs <= 8 * (watched + 1) + 2 * 20,
        "{} for {watched}",
        shrunk.runs
    );
}

#[test]
fn a_plan_that_breaks_nothing_is_given_back_as_it_was() {
    let plan = Plan::clone(&stories::plan(&["0ms register p1 rerunnable 3 steps of 100ms"]));
    let shrunk =
        shrink(&plan, &Subject::fencepost(), "one-live-grant", 1_000, &mut |_| panic!("nothing to try"));
    assert_eq!((shrunk.ended, shrunk.plan, shrunk.runs), (Ended::NotBroken, plan, 8));
}

#[test]
fn what_each_part_is_needed_for_is_found_by_leaving_it_out() {
    let sabotage = planted("renew-the-expired");
    let mut plan = Plan::clone(&stories::plan(&[
        "0ms register p1 rerunnable 1 steps of 8s",
        "0ms register p2 rerunnable 1 steps of 10ms",
        "0ms hold renew p1 until expiry +0ms asleep",
    ]));
    plan.workers.0 = vec![1];
    plan.sweep_ms = 500;
    plan.clocks = vec!["host-1 +5ms +0ppm".parse().unwrap()];
    let needs = needs(&plan, &sabotage.subject(), sabotage.law, 2);
    assert_eq!((needs.whole.breaks, needs.whole.tried), (8, 8));
    let parts = needs.steps.iter().chain(&needs.facts);
    let told: Vec<String> = parts.map(|need| format!("{}: {}", need.what, need.breaks_without())).collect();
    assert_eq!(
        told,
        [
            "0ms register p1 rerunnable 1 steps of 8s: never",
            "0ms register p2 rerunnable 1 steps of 10ms: in 8 of 8",
            "sweep_ms = 500: in 8 of 8",
            "clock host-1 +5ms +0ppm: in 8 of 8",
        ]
    );
    assert!(needs.steps[0].is_needed() && !needs.steps[1].is_needed());
}

/// How many unrelated changes leave it breaking the law, and how many were tried.
fn survives(plan: &Plan, sabotage: &PlantedBug) -> (usize, usize) {
    let changed: Vec<Plan> = regressions::unrelated_changes(plan).into_values().flatten().collect();
    let subject = sabotage.subject();
    let all = changed.len();
    let is_broken = |plan: &Plan| judge(&Arc::new(plan.clone()), &subject).breaks(sabotage.law);
    (changed.iter().filter(|plan| is_broken(plan)).count(), all)
}

#[derive(Debug, Clone, Copy)]
struct Row {
    steps: usize,
    faults: usize,
    workers: usize,
    processes: usize,
    runs: u64,
    cpu_ms: u64,
    network_seeds: u64,
    /// Unrelated changes after which it still breaks its law, and all of them.
    survives: (usize, usize),
}

impl Row {
    fn of(shrunk: &Shrunk, cpu_ms: u64, sabotage: &PlantedBug) -> Self {
        let plan = &shrunk.plan;
        let size = Size::of(plan);
        Self {
            steps: size.steps,
            faults: plan.steps.iter().filter(|step| step.action.is_fault()).count(),
            workers: plan.workers.0.len(),
            processes: size.processes,
            runs: shrunk.runs,
            cpu_ms,
            network_seeds: network_seeds_that_break(plan, sabotage),
            survives: survives(plan, sabotage),
        }
    }
}

fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// Prints the table of all planted bugs; with `PLANS` set, the plans too.
///
///     cargo test --release -p fencepost-sim --test sim -- --ignored --nocapture every_planted_bug_shrinks
#[test]
#[ignore = "takes a minute when optimized, and ten when not"]
fn every_planted_bug_shrinks_to_a_plan_that_a_person_can_read() {
    let wanted = std::env::var("ONLY").ok();
    let mut rows = Vec::new();
    println!(
        "{:<36} {:>5} {:>6} {:>7} {:>9} {:>6} {:>7} {:>5} {:>8}",
        "sabotage", "steps", "faults", "workers", "processes", "runs", "cpu ms", "of 8", "survives"
    );
    for sabotage in planted::all().filter(|known| wanted.as_ref().is_none_or(|name| name == known.name)) {
        for start in [0, 1_000_000] {
            let plan = breaking(sabotage, start);
            let before = cpu_ms();
            let shrunk = shrink(&plan, &sabotage.subject(), sabotage.law, BUDGET, &mut |tried| {
                if std::env::var_os("TRIED").is_some() {
                    println!("{tried}");
                }
            });
            let row = Row::of(&shrunk, cpu_ms() - before, sabotage);
            println!(
                "{:<36} {:>5} {:>6} {:>7} {:>9} {:>6} {:>7} {:>5} {:>5}/{:<2}  {:?} from {}",
                sabotage.name,
                row.steps,
                row.faults,
                row.workers,
                row.processes,
                row.runs,
                row.cpu_ms,
                row.network_seeds,
                row.survives.0,
                row.survives.1,
                shrunk.ended,
                plan.steps.len()
            );
            if std::env::var_os("PLANS").is_some() {
                println!("{}", shrunk.plan);
            }
            rows.push(row);
        }
    }
    let mut table = String::new();
    let of = |what: fn(&Row) -> usize| median(rows.iter().map(what));
    let slowest_ms = rows.iter().map(|row| row.cpu_ms).max().unwrap_or(0);
    let medians = (of(|row| row.steps), of(|row| row.faults), of(|row| row.workers), of(|row| row.processes));
    let _ =
        write!(table, "medians of steps, faults, workers, processes: {medians:?}; slowest {slowest_ms} ms");
    println!("{table}");
    assert!(medians.0 <= 12 && medians.1 <= 2 && medians.2 <= 2 && medians.3 <= 1, "{table}");
    assert!(slowest_ms <= 10_000 || cfg!(debug_assertions), "{table}");
}
