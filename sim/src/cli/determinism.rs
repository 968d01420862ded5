//! `determinism`: checks that a run is a function of its plan. The hidden commands `hashes` and `events` are what it asks
//! another process for.

use std::ops::ControlFlow;

use crate::cli::command_options::{Determinism, Hashes};
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::find_plan;
use crate::cli::stdout;
use crate::judge::record;
use crate::search::Conclusion;
use crate::search::determinism;
use crate::search::seeds::{Seeds, Shard};
use crate::search::{SeededPlans, run_seeds};
use crate::support::plural::counted;

pub fn check(wanted: &Determinism, invocation: &Invocation<'_>) -> CommandResult {
    let (seeds, subject) = (&wanted.seeds, invocation.subject()?);
    let plans = SeededPlans { profile: invocation.profile(), ..SeededPlans::of(&subject) };
    let own = std::env::current_exe()
        .map_err(|cause| CliError(format!("this program cannot find itself: {cause}")))?;
    let (ours, mut differences) = determinism::within_a_process(seeds.clone(), 1, &plans);
    stdout::line(format_args!("{} run twice in this process", counted(ours.len(), "seed")));
    // Another process need not show a difference that was found here.
    if differences.is_empty() {
        let others = determinism::between_processes(&own, seeds.clone(), 2, &plans, &ours);
        differences.extend(others.map_err(CliError::of)?);
        stdout::line(format_args!(
            "{} run in another process, with two threads",
            counted(ours.len(), "seed")
        ));
    }
    if let (Some(other), true) = (&wanted.against, differences.is_empty()) {
        let others = determinism::between_processes(other, seeds.clone(), 2, &plans, &ours);
        differences.extend(others.map_err(CliError::of)?);
        stdout::line(format_args!("{} run by {}", counted(ours.len(), "seed"), other.display()));
    }
    for difference in differences.iter().take(3) {
        stdout::line(format_args!("seed {} differs between {}", difference.seed, difference.between));
        match &difference.first {
            Some((place, one, other)) => {
                stdout::line(format_args!("  first at event {place}:\n    {one}\n    {other}"));
            }
            None => stdout::line("  the difference did not show again when both were recorded"),
        }
    }
    if differences.is_empty() {
        stdout::line("no run differs");
        return Ok(Conclusion::Holds);
    }
    stdout::line(format_args!("{}", counted(differences.len(), "difference")));
    Ok(Conclusion::NotDeterministic)
}

pub fn hashes(wanted: &Hashes, invocation: &Invocation<'_>) -> CommandResult {
    let subject = invocation.subject()?;
    let seeds = Seeds::range(wanted.seeds.clone()).shard(wanted.shard.unwrap_or(Shard::WHOLE));
    let plans = SeededPlans { profile: invocation.profile(), ..SeededPlans::of(&subject) };
    let mut panicked = None;
    run_seeds(&seeds, &plans, wanted.jobs, &|| false, |done| {
        match done.verdict {
            Ok(verdict) => stdout::line(format_args!("{:016x}", verdict.hash)),
            Err(said) => panicked = Some((done.seed, said)),
        }
        ControlFlow::Continue(())
    });
    match panicked {
        None => Ok(Conclusion::Holds),
        Some((seed, said)) => Err(CliError(format!("the harness itself panicked in seed {seed}: {said}"))),
    }
}

pub fn events(what: &str, invocation: &Invocation<'_>) -> CommandResult {
    let source = find_plan(what, invocation)?;
    let history = record(&source.plan, &source.subject);
    for place in 0..history.events.len() {
        stdout::line(history.line(place));
    }
    Ok(Conclusion::Holds)
}
