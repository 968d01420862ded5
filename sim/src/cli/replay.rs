//! `replay`: runs one seed or plan again, and draws its timeline, shows its state or changes the plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::command_options::Replay;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::plan_source::{PlanSource, find_plan};
use crate::cli::shrink::until_asked;
use crate::cli::values::Timeline;
use crate::cli::wrap::wrapped;
use crate::cli::{history_files, output_folder, stdout, terminal};
use crate::history::History;
use crate::judge::{Breach, Verdict, judge, record};
use crate::plan::Plan;
use crate::search::Conclusion;
use crate::shrink::BUDGET;
use crate::subject::Subject;
use crate::support::panics;
use crate::timeline::page_head::{PageHead, Ruling};
use crate::timeline::snapshot::Snapshot;
use crate::timeline::{html, text};

pub fn replay(mut wanted: Replay, invocation: &Invocation<'_>) -> CommandResult {
    let source = find_plan(&wanted.what, invocation)?;
    if wanted.timeline == Some(Timeline::Html) && wanted.out.is_none() && terminal::is_stdout() {
        wanted.out = Some(page_file(&source, &wanted.what));
    }
    let wanted = &wanted;
    let plan = changed(&source, wanted)?;
    drop(panics::take_last());
    let verdict = judge(&plan, &source.subject);
    let panicked = panics::take_last();
    let breach = breach(&verdict, &source);
    // A page on standard output must not be mixed with other lines.
    let is_page = wanted.timeline == Some(Timeline::Html) && wanted.out.is_none();
    if let (Some(regression), false) = (&source.regression, is_page) {
        stdout::line(format_args!("{}\n", wrapped(&regression.story)));
    }
    let needs_history = wanted.timeline.is_some()
        || wanted.show.is_some()
        || wanted.until.is_some()
        || wanted.history.is_some();
    if needs_history {
        let Some(history) = recorded(&plan, &source.subject, &verdict) else {
            stdout::line(
                "this plan does not give the same events twice: `determinism` shows where they part",
            );
            return Ok(Conclusion::NotDeterministic);
        };
        show(wanted, history, &source, &verdict, breach.as_ref())?;
    }
    let end = tell(&verdict, breach.as_ref(), is_page);
    // A body may panic because its plan says so. Such a panic is not worth a line.
    let is_about_panics =
        breach.and_then(|broken| crate::laws::card(broken.law)).is_some_and(|card| card.is_about_panics);
    if let (Some(said), true, false) = (panicked, is_about_panics, is_page) {
        stdout::line(format_args!("the last panic said: {said}"));
    }
    Ok(end)
}

/// The file of a page that would fill a terminal with markup; it is named after the plan.
fn page_file(source: &PlanSource, what: &str) -> PathBuf {
    match source.seed {
        Some(seed) => PathBuf::from(format!("timeline-seed-{seed}.html")),
        None => {
            let stem = Path::new(what).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            PathBuf::from(format!("timeline-{stem}.html"))
        }
    }
}

/// The breach of the law that the regression is about, or else the first.
fn breach(verdict: &Verdict, source: &PlanSource) -> Option<Breach> {
    let law = source.regression.as_ref().map(|regression| regression.law.as_str());
    law.and_then(|law| verdict.breach_of(law)).or_else(|| verdict.broken())
}

fn changed(source: &PlanSource, wanted: &Replay) -> Result<Arc<Plan>, CliError> {
    let mut plan = Plan::clone(&source.plan);
    let count = plan.steps.len();
    if let Some(number) = wanted.without.iter().find(|number| !(1..=count).contains(*number)) {
        return Err(CliError(match count {
            0 => format!("there is no step {number}: the plan has none"),
            _ => format!("there is no step {number}: say 1 to {count}"),
        }));
    }
    if wanted.shrunk {
        let broken = breach(&judge(&source.plan, &source.subject), source).ok_or_else(|| {
            CliError("this plan breaks no law: there is nothing to shrink, leave out --shrunk".to_owned())
        })?;
        plan = until_asked(source, broken.law, BUDGET, &mut |_| {})?.plan;
        let count = plan.steps.len();
        if let Some(number) = wanted.without.iter().find(|number| **number > count) {
            return Err(CliError(format!("there is no step {number} once it is shrunk: say 1 to {count}")));
        }
    }
    let mut number = 0;
    plan.steps.retain(|_| {
        number += 1;
        !wanted.without.contains(&number)
    });
    Ok(Arc::new(plan))
}

/// Runs the plan again with a recorder. None if the events are not those that were judged.
fn recorded(plan: &Arc<Plan>, subject: &Subject, verdict: &Verdict) -> Option<History> {
    let history = record(plan, subject);
    (history.hash() == verdict.hash).then_some(history)
}

fn show(
    wanted: &Replay,
    mut history: History,
    source: &PlanSource,
    verdict: &Verdict,
    broken: Option<&Breach>,
) -> Result<(), CliError> {
    if let Some(path) = &wanted.history {
        history_files::write(path, &history, &source.subject)?;
    }
    let last = history.events.len().saturating_sub(1);
    let place = match wanted.until {
        Some(number) if number > last => {
            return Err(CliError(format!("there is no event {number}: say 0 to {last}")));
        }
        Some(number) => number,
        None => broken.and_then(|broken| usize::try_from(broken.at).ok()).unwrap_or(last),
    };
    let snapshot = wanted.show.and_then(|_| Snapshot::before(&history, place, None));
    let line = history.line(place);
    if let Some(until) = wanted.until {
        history.events.truncate(until + 1);
    }
    let ruling = Ruling::of(verdict, broken, history.events.len());
    if let Some(timeline) = wanted.timeline {
        let drawn = match timeline {
            Timeline::Text => text::draw(&history, ruling.broken()),
            Timeline::Html => {
                let (subject, plan) = (source.subject.name, drawn_from(source, wanted));
                let (events, hash) = (verdict.events, verdict.hash);
                html::draw(&history, &PageHead { subject, plan: &plan, events, hash, ruling })
            }
        };
        match &wanted.out {
            None => stdout::raw(&drawn),
            Some(path) => {
                output_folder::put(path, &drawn)?;
                stdout::line(format_args!("the timeline is in {}", path.display()));
            }
        }
    }
    let is_page = wanted.timeline == Some(Timeline::Html) && wanted.out.is_none();
    if is_page {
        return Ok(());
    }
    if let Some(snapshot) = snapshot {
        stdout::raw(&snapshot.to_string());
    }
    if wanted.show.is_some() || wanted.until.is_some() {
        stdout::line(format_args!("event {place}: {}", line.trim_start()));
    }
    Ok(())
}

/// The name of the plan for the page: its seed or file name, and the changes made to it.
fn drawn_from(source: &PlanSource, wanted: &Replay) -> String {
    let mut plan = match source.seed {
        Some(seed) => format!("seed {seed}"),
        None => Path::new(&wanted.what).file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    if wanted.shrunk {
        plan.push_str(", made small");
    }
    if !wanted.without.is_empty() {
        let numbers: Vec<String> = wanted.without.iter().map(ToString::to_string).collect();
        plan.push_str(&format!(", without step {}", numbers.join(", ")));
    }
    plan
}

fn tell(verdict: &Verdict, broken: Option<&Breach>, is_page: bool) -> Conclusion {
    let line = |said: String| {
        if !is_page {
            stdout::line(said);
        }
    };
    if let Some(broken) = broken {
        line(format!("{} is broken at event {}: {}", broken.law, broken.at, broken.because));
        if let Some(first) = verdict.broken().filter(|first| first.law != broken.law) {
            line(format!("before it, {} is broken at event {}: {}", first.law, first.at, first.because));
        }
    }
    for (law, because) in verdict.undecided() {
        line(format!("it cannot be told whether {law} holds: {because}"));
    }
    let conclusion = Conclusion::of_findings(&verdict.findings);
    if conclusion == Conclusion::Holds {
        line(format!("every law holds, over {} events (hash {:016x})", verdict.events, verdict.hash));
    }
    conclusion
}
