//! `determinism`: checks that a run is a function of its plan. The hidden commands `hashes` and `events` are what it asks
//! another process for.

use std::ops::{ControlFlow, Range};

use serde::Serialize;

use crate::cli::command_options::{Determinism, Hashes};
use crate::cli::config_file::Settings;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::find_plan;
use crate::cli::step_progress::StepProgress;
use crate::cli::{command_report, interrupt, stdout};
use crate::judge::record;
use crate::report::format::DETERMINISM;
use crate::report::junit::{CaseResult, JunitCase, Suite};
use crate::search::clocks::wall_us;
use crate::search::determinism::{self, DeterminismError, SeedDifference};
use crate::search::seeds::{Seeds, Shard};
use crate::search::{Conclusion, SeededPlans, run_seeds};
use crate::support::plural::counted;

/// The seeds, unless somebody says which.
const SEEDS: Range<u64> = 0..1_000;

/// Differences that are told in full.
const SHOWN: usize = 3;

/// One of the comparisons, and how it ended.
struct Pass {
    name: String,
    end: PassEnd,
}

enum PassEnd {
    NotBegun,
    /// Ctrl-C came before its end.
    Interrupted,
    /// True, if it found a difference.
    Done {
        differs: bool,
    },
}

#[derive(Serialize)]
struct DeterminismReport<'a> {
    format: u32,
    verdict: Conclusion,
    exit_code: u8,
    subject: &'a str,
    /// The number of seeds.
    seeds: u64,
    /// The comparisons that were made to their end, in words.
    compared: Vec<&'a str>,
    differences: Vec<DifferenceLine<'a>>,
}

#[derive(Serialize)]
struct DifferenceLine<'a> {
    seed: u64,
    between: &'a str,
    /// The first event that differs: its place, and both sides.
    event: Option<usize>,
    one: Option<&'a str>,
    other: Option<&'a str>,
}

pub fn check(wanted: &Determinism, invocation: &Invocation<'_>) -> CommandResult {
    let (seeds, subject) = (&seeds(wanted, invocation)?, invocation.subject()?);
    let plans = SeededPlans { profile: invocation.profile(), ..SeededPlans::of(&subject) };
    let own = std::env::current_exe()
        .map_err(|cause| CliError(format!("this program cannot find itself: {cause}")))?;
    command_report::check(&wanted.report)?;
    if let Some(other) = &wanted.against {
        determinism::answers(other, seeds.start, &plans).map_err(CliError::of)?;
    }
    let asked = interrupt::listen()?;
    let has_lines = command_report::has_lines(&wanted.report);
    let count = seeds.end.saturating_sub(seeds.start);
    let (began_us, said) = (wall_us(), counted(count, "seed"));
    let progress = StepProgress::begin(count.saturating_mul(2), "runs", invocation.is_quiet());
    let run_done = || {
        progress.add("");
        if interrupt::is_asked(&asked) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };

    let mut passes = vec![
        Pass { name: format!("{said} run twice in this process"), end: PassEnd::NotBegun },
        Pass { name: format!("{said} run in another process, with two threads"), end: PassEnd::NotBegun },
    ];
    let mut binaries = vec![own];
    if let Some(other) = &wanted.against {
        passes.push(Pass { name: format!("{said} run by {}", other.display()), end: PassEnd::NotBegun });
        binaries.push(other.clone());
    }
    let mut differences = Vec::new();
    let within = determinism::within_a_process_watched(seeds.clone(), 1, &plans, &run_done);
    progress.end();
    let ours = within.map(|(ours, found)| {
        passes[0].end = PassEnd::Done { differs: !found.is_empty() };
        differences = found;
        ours
    });
    match &ours {
        None => passes[0].end = PassEnd::Interrupted,
        Some(ours) => {
            for (pass, binary) in passes[1..].iter_mut().zip(&binaries) {
                // Another process need not show a difference that was found here.
                if !differences.is_empty() {
                    break;
                }
                let found = determinism::between_processes(binary, seeds.clone(), 2, &plans, ours);
                pass.end = ended(found, interrupt::is_asked(&asked), &mut differences)?;
                if matches!(pass.end, PassEnd::Interrupted) {
                    break;
                }
            }
        }
    }

    let is_interrupted = passes.iter().any(|pass| matches!(pass.end, PassEnd::Interrupted));
    let verdict = match (differences.is_empty(), is_interrupted) {
        (false, _) => Conclusion::NotDeterministic,
        (true, true) => Conclusion::Inconclusive,
        (true, false) => Conclusion::Holds,
    };
    let compared: Vec<&str> = passes
        .iter()
        .filter(|pass| matches!(pass.end, PassEnd::Done { .. }))
        .map(|pass| pass.name.as_str())
        .collect();
    if has_lines {
        compared.iter().for_each(stdout::line);
        print(&differences, is_interrupted);
    }
    let report = DeterminismReport {
        format: DETERMINISM,
        verdict,
        exit_code: verdict.exit_code(),
        subject: subject.name,
        seeds: count,
        compared,
        differences: differences.iter().map(DifferenceLine::of).collect(),
    };
    command_report::write(
        &wanted.report,
        &report,
        &suite(&passes, &differences, wall_us().saturating_sub(began_us)),
    )?;
    Ok(verdict)
}

/// The seeds of the command line, or of the profile, or the usual ones.
fn seeds(wanted: &Determinism, invocation: &Invocation<'_>) -> Result<Range<u64>, CliError> {
    let Settings { seeds, time, .. } = invocation.settings();
    match (&wanted.seeds, seeds, time) {
        (Some(seeds), ..) | (None, Some(seeds), _) => Ok(seeds.clone()),
        (None, None, Some(_)) if invocation.names_profile() => Err(CliError(
            "the profile says how long to search (`for`), and this command needs to know which seeds: say --seeds 0..1000"
                .to_owned(),
        )),
        (None, None, _) => Ok(SEEDS),
    }
}

/// How a comparison with another process ended. Ctrl-C reaches that process, too.
fn ended(
    found: Result<Vec<SeedDifference>, DeterminismError>,
    is_interrupted: bool,
    differences: &mut Vec<SeedDifference>,
) -> Result<PassEnd, CliError> {
    match found {
        Ok(found) => {
            let differs = !found.is_empty();
            differences.extend(found);
            Ok(PassEnd::Done { differs })
        }
        Err(_) if is_interrupted => Ok(PassEnd::Interrupted),
        Err(error) => Err(CliError::of(error)),
    }
}

fn print(differences: &[SeedDifference], is_interrupted: bool) {
    for difference in differences.iter().take(SHOWN) {
        stdout::line(format_args!("seed {} differs between {}", difference.seed, difference.between));
        match &difference.first {
            Some((place, one, other)) => {
                stdout::line(format_args!("  first at event {place}:\n    {one}\n    {other}"));
            }
            None => stdout::line("  the difference did not show again when both were recorded"),
        }
    }
    match (differences.is_empty(), is_interrupted) {
        (true, true) => stdout::line("it was interrupted: no run is known to differ"),
        (true, false) => stdout::line("no run differs"),
        (false, _) => stdout::line(counted(differences.len(), "difference")),
    }
}

impl<'a> DifferenceLine<'a> {
    fn of(difference: &'a SeedDifference) -> Self {
        let first = difference.first.as_ref();
        Self {
            seed: difference.seed,
            between: &difference.between,
            event: first.map(|(place, ..)| *place),
            one: first.map(|(_, one, _)| one.as_str()),
            other: first.map(|(.., other)| other.as_str()),
        }
    }
}

/// A case for each comparison.
fn suite(passes: &[Pass], differences: &[SeedDifference], wall_us: u64) -> Suite {
    let all: Vec<String> = differences
        .iter()
        .map(|each| format!("seed {} differs between {}", each.seed, each.between))
        .collect();
    let case = |Pass { name, end }: &Pass| {
        let result = match end {
            PassEnd::NotBegun => CaseResult::Skipped("not begun".to_owned()),
            PassEnd::Interrupted => CaseResult::Skipped("interrupted".to_owned()),
            PassEnd::Done { differs: false } => CaseResult::Held,
            PassEnd::Done { differs: true } => {
                CaseResult::Failed(counted(differences.len(), "difference"), all.join("\n"))
            }
        };
        JunitCase { name: name.clone(), result }
    };
    let is_done = |pass: &&Pass| matches!(pass.end, PassEnd::Done { .. });
    let is_interrupted = passes.iter().any(|pass| matches!(pass.end, PassEnd::Interrupted));
    let mut cases: Vec<JunitCase> = passes.iter().map(case).collect();
    cases.extend(
        is_interrupted.then(|| {
            JunitCase::interrupted(passes.iter().filter(is_done).count(), passes.len(), "comparison")
        }),
    );
    Suite { name: "fencepost determinism".to_owned(), cases, wall_us }
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
