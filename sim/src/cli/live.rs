//! `live`: has a live run carried out, judges its history, and prints and keeps the results.

use std::path::Path;
use std::sync::Arc;

use crate::cli::command_options::Live;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::live_values;
use crate::cli::values::Seconds;
use crate::cli::{history_files, interrupt, output_folder, stdout, terminal};
use crate::generate::generate;
use crate::judge::{Breach, HistoryVerdict, first_breach, judge, judge_history};
use crate::live::{LiveFaults, LiveRequest, LiveRun, NOT_JUDGED, conduct, run_child};
use crate::plan::Store;
use crate::plan::chance::Seed;
use crate::planted;
use crate::report::{colours, human, live as report};
use crate::search::Conclusion;
use crate::subject::Subject;
use crate::support::plural::counted;
use crate::timeline::html;
use crate::timeline::page_head::{PageHead, Ruling};

/// Seeds that are tried for a simulated plan that breaks the same law.
const SIMULATED_SEEDS: u64 = 150;

const HISTORY: &str = "history.json";
const REPORT: &str = "report.txt";
const PAGE: &str = "page.html";

/// Laws that are not judged, as a history says it.
static LEFT_OUT: [&str; NOT_JUDGED.len()] = {
    let mut names = [""; NOT_JUDGED.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = NOT_JUDGED[place].law;
        place += 1;
    }
    names
};

pub fn live(wanted: &Live, invocation: &Invocation<'_>) -> CommandResult {
    let Seconds(seconds) = wanted.time;
    let asked = interrupt::listen()?;
    let program = std::env::current_exe()
        .map_err(|cause| CliError(format!("this program does not find its own file: {cause}")))?;
    let request = LiveRequest {
        store: live_values::live_store(&wanted.store).map_err(CliError)?,
        workers: wanted.workers,
        hosts: wanted.hosts,
        seconds,
        seed: wanted.seed,
        planted: wanted.planted,
        program,
    };
    if let Some(folder) = &wanted.keep {
        let name = folder.join(HISTORY);
        output_folder::can_be_written(&name)?;
    }
    let bar = terminal::bar(Some(seconds * 1_000), invocation.is_quiet());
    let mut tell = |faults: &LiveFaults, now_ms: u64| {
        bar.set_position(now_ms);
        let (kills, stops) = (counted(faults.kills, "kill"), counted(faults.stops, "stop"));
        bar.set_message(format!("{kills}, {stops}"));
    };
    let run = conduct(&request, &|| interrupt::is_asked(&asked), &mut tell).map_err(CliError::of)?;
    bar.finish_and_clear();
    let history = &run.merged.history;
    let verdict = judge_history(history, &LEFT_OUT);
    let broken = first_breach(&verdict.findings);
    let (why, conclusion) = report::conclusion(&run, &verdict);
    let kept = wanted.keep.as_deref().map(|folder| keep(folder, &request, &run, &verdict, broken.as_ref()));
    if !invocation.is_quiet() {
        if wanted.verbose || conclusion == Conclusion::Holds {
            stdout::fitted(&report::tables(&verdict, terminal::width()));
        }
        stdout::fitted(&report::short_summary(&request, &run, &verdict));
    }
    if let Some(broken) = &broken {
        let told = report::breach(history, broken, terminal::width());
        stdout::painted(&format!("\n{told}"), colours::of_failure);
        tell_what_next(wanted, broken, invocation);
    }
    for line in why {
        stdout::line(line);
    }
    let laws_broken = verdict.findings.iter().filter(|judged| judged.breach().is_some()).count();
    stdout::painted(&human::last_line(conclusion, laws_broken), colours::of_verdict);
    kept.transpose()?;
    Ok(conclusion)
}

/// The workers and hosts of a live run are this program.
pub fn child() -> CommandResult {
    run_child().map(|()| Conclusion::Holds).map_err(CliError::of)
}

fn keep(
    folder: &Path,
    request: &LiveRequest,
    run: &LiveRun,
    verdict: &HistoryVerdict,
    broken: Option<&Breach>,
) -> Result<(), CliError> {
    let history = &run.merged.history;
    let name = request.planted.unwrap_or("fencepost");
    let subject = Subject { name, not_claimed: &LEFT_OUT, ..Subject::fencepost() };
    history_files::write(&folder.join(HISTORY), history, &subject)?;
    let Some(broken) = broken else { return Ok(()) };
    output_folder::put(&folder.join(REPORT), &report::breach(history, broken, None))?;
    let events = history.events.len() as u64;
    debug_assert!(verdict.findings.iter().any(|judged| judged.law == broken.law));
    let plan = format!("a live run on {}, seed {}", request.store.name(), request.seed);
    let head =
        PageHead { subject: name, plan: &plan, events, hash: history.hash(), ruling: Ruling::Broken(broken) };
    output_folder::put(&folder.join(PAGE), &html::draw(history, &head))
}

fn tell_what_next(wanted: &Live, broken: &Breach, invocation: &Invocation<'_>) {
    match &wanted.keep {
        Some(folder) => {
            let history = folder.join(HISTORY);
            stdout::line(format_args!(
                "judge it:   {}",
                invocation.line(&format!("rejudge {}", history.display()))
            ));
            stdout::line(format_args!("see it:     {}", folder.join(PAGE).display()));
        }
        None => stdout::line(
            "keep it:    say `--keep DIR` the next time: this run cannot be replayed from its seed",
        ),
    }
    let simulated = wanted.planted.and_then(planted::live::by_name).map(|bug| bug.simulated);
    let subject =
        simulated.and_then(planted::by_name).map_or_else(Subject::fencepost, planted::PlantedBug::subject);
    match simulated_seed(broken.law, &subject) {
        Some((seed, store)) => {
            let line = invocation.about_seed("replay", seed, &subject, store);
            stdout::line(format_args!("simulated:  {line} breaks the same law"));
        }
        None => stdout::line(format_args!(
            "simulated:  no plan of seeds 0..{SIMULATED_SEEDS} breaks this law with `{}`",
            subject.name
        )),
    }
    stdout::line("");
}

/// The first seed whose simulated run breaks the law.
fn simulated_seed(law: &str, subject: &Subject) -> Option<(u64, Store)> {
    let store = subject.store_needed;
    let seeds = (0..SIMULATED_SEEDS).map(|seed| (seed, Arc::new(generate(Seed(seed), store))));
    seeds.into_iter().find(|(_, plan)| judge(plan, subject).breaks(law)).map(|(seed, _)| (seed, store))
}
