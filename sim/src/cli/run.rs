//! `run`: turns the options into a search request, searches, and writes the reports.

use std::ops::Range;
use std::path::PathBuf;

use crate::cli::command_options::Run;
use crate::cli::config_file::Settings;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::{Invocation, quoted};
use crate::cli::job_summary::append_job_summary;
use crate::cli::output_folder;
use crate::cli::output_folder::OutputFolder;
use crate::cli::progress::SearchProgress;
use crate::cli::values::{Format, Seconds};
use crate::cli::{interrupt, stdout, terminal};
use crate::plan::Store;
use crate::report::failure::Failure;
use crate::report::human;
use crate::report::human::NextCommands;
use crate::report::summary::{FailureLine, Summary, Timings};
use crate::report::{colours, github, json, junit};
use crate::search::seeds;
use crate::search::seeds::{Seeds, Shard};
use crate::search::{
    Conclusion, RequestError, RequiredMarks, SearchRequest, SeedsOnStore, StopRule, processors, search,
    standard_search,
};
use crate::subject::Subject;
use crate::support::atomic_file;

pub fn run(mut wanted: Run, invocation: &Invocation<'_>) -> CommandResult {
    fill_in(&mut wanted, invocation.settings());
    let subject = invocation.subject()?;
    let parts = parts(&wanted, &subject, invocation)?;
    let asked = interrupt::listen()?;
    let is_interrupted = || interrupt::is_asked(&asked);
    let jobs = wanted.jobs.unwrap_or_else(processors);
    let request = SearchRequest {
        profile: invocation.profile(),
        jobs,
        time_limit_us: wanted.time.map(|Seconds(seconds)| seconds.saturating_mul(1_000_000)),
        stop: if wanted.keep_going { StopRule::Never } else { StopRule::AtFirstBreach },
        required_marks: match &invocation.settings().coverage {
            Some(marks) => RequiredMarks::Exactly(marks),
            None => RequiredMarks::BySize,
        },
        laws: (!wanted.law.is_empty()).then_some(wanted.law.as_slice()),
        shrink_runs: Some(wanted.budget),
        is_interrupted: &is_interrupted,
        ..SearchRequest::new(&subject, parts)
    };
    // Bad input and files that cannot be written are reported before the search.
    request.check().map_err(|error| bad_request(&error, invocation))?;
    let out = wanted.out.as_deref().map(OutputFolder::prepare).transpose()?;
    wanted.report.junit.as_deref().map(output_folder::can_be_written).transpose()?;
    if wanted.report.format == Format::Github {
        append_job_summary("")?;
    }

    let mut progress =
        SearchProgress::begin(request.seed_count(), request.time_limit_us, invocation.is_quiet());
    let mut result = search(&request, &mut progress).map_err(|error| bad_request(&error, invocation))?;
    let reproducers = std::mem::take(&mut result.reproducers);
    let failures: Vec<Failure> =
        reproducers.into_iter().map(|reproducer| Failure::new(reproducer, &subject)).collect();
    let report = |failure: &Failure, width| {
        human::failure(failure, &next_commands(failure, out.as_ref(), invocation, &subject), width)
    };
    let reports: Vec<String> = failures.iter().map(|failure| report(failure, None)).collect();
    let timings = Timings::new(jobs, &result);
    let lines =
        failures.iter().zip(&reports).map(|(failure, report)| FailureLine::new(failure, report.clone()));
    let shard = wanted.shard.unwrap_or(Shard::WHOLE);
    let summary = Summary::new(&result, &subject, invocation.profile_name(), shard, lines.collect());

    // Files come first: standard output may be on the disk that is full. If they cannot be written the breach is still
    // printed.
    let files = Files { out: out.as_ref(), junit: wanted.report.junit.as_ref() };
    let written = files.write(&failures, &reports, &summary, &timings, &subject);
    let shown = || failures.iter().map(|failure| report(failure, terminal::width())).collect::<Vec<_>>();
    match wanted.report.format {
        Format::Json => stdout::raw(&json::both(&summary, &timings)),
        Format::Human => print(&shown(), &summary, &timings, &wanted, invocation.is_quiet()),
        Format::Github => {
            print(&shown(), &summary, &timings, &wanted, invocation.is_quiet());
            github::annotations(&summary).iter().for_each(stdout::line);
            append_job_summary(&github::job_summary(&summary))?;
        }
    }
    written.map(|()| result.conclusion)
}

/// Takes from the profile of the file what the command line leaves open.
fn fill_in(wanted: &mut Run, settings: &Settings) {
    if wanted.seeds.is_none() && wanted.time.is_none() && wanted.seeds_from.is_none() {
        wanted.seeds.clone_from(&settings.seeds);
        wanted.time = settings.time;
    }
    wanted.jobs = wanted.jobs.or(settings.jobs);
    if let (true, Some(laws)) = (wanted.law.is_empty(), &settings.laws) {
        wanted.law.clone_from(laws);
    }
    wanted.keep_going |= settings.keep_going.unwrap_or(false);
}

/// The files that were asked for.
struct Files<'a> {
    out: Option<&'a OutputFolder>,
    junit: Option<&'a PathBuf>,
}

impl Files<'_> {
    fn write(
        &self,
        failures: &[Failure],
        reports: &[String],
        summary: &Summary,
        timings: &Timings,
        subject: &Subject,
    ) -> Result<(), CliError> {
        if let Some(out) = self.out {
            for (failure, report) in failures.iter().zip(reports) {
                out.write_failure(failure, subject, report)?;
            }
            out.write_index(summary, timings, failures)?;
            out.write_summary(summary, timings)?;
        }
        match self.junit {
            Some(path) => output_folder::put(path, &junit::of_search(summary, timings).xml()),
            None => Ok(()),
        }
    }
}

/// A search that failed ends with its failure: the tables are for a search that held, or on demand.
fn print(reports: &[String], summary: &Summary, timings: &Timings, wanted: &Run, is_quiet: bool) {
    let has_tables = wanted.verbose || summary.verdict == Conclusion::Holds;
    if !is_quiet {
        if has_tables {
            stdout::fitted(&human::tables(summary, terminal::width()));
        }
        stdout::fitted(&human::short_summary(summary));
        let last = if has_tables { human::speed(summary, timings) } else { human::tables_in_a_line(summary) };
        stdout::fitted(&last);
    }
    for report in reports {
        stdout::raw("\n");
        stdout::painted(report, colours::of_failure);
    }
    if !reports.is_empty() {
        stdout::raw("\n");
    }
    // With --quiet what is only noted beside a verdict that holds is left out.
    let is_short = is_quiet && summary.verdict == Conclusion::Holds;
    let end = if is_short { human::last_line(summary.verdict, 0) } else { human::verdict(summary) };
    stdout::painted(&end, colours::of_verdict);
}

/// On the command line `laws` lists the laws, so the message need not.
fn bad_request(error: &RequestError, invocation: &Invocation<'_>) -> CliError {
    match error {
        RequestError::UnknownLaw { subject, law } => CliError(format!(
            "`{subject}` does not claim to keep `{law}`, and there is no such law: `{}` names them",
            invocation.line("laws")
        )),
        RequestError::NothingToJudge { .. }
        | RequestError::NoSqlite { .. }
        | RequestError::NoSeeds
        | RequestError::ImpossiblePlan(_) => CliError(error.to_string()),
    }
}

/// The seeds to run on each store: those that the options name, or the standard search.
fn parts(
    wanted: &Run,
    subject: &Subject,
    invocation: &Invocation<'_>,
) -> Result<Vec<SeedsOnStore>, CliError> {
    let start = wanted.start.as_deref().map_or(0, seeds::start_of);
    let shard = wanted.shard.unwrap_or(Shard::WHOLE);
    let from_start = |range: Range<u64>| {
        Seeds::range(start.saturating_add(range.start)..start.saturating_add(range.end)).shard(shard)
    };
    let on_each = |seeds: Seeds, stores: &[Store]| {
        stores.iter().map(|store| SeedsOnStore { seeds: seeds.clone(), store: *store }).collect()
    };
    let stores = invocation.stores().map_or_else(|| vec![subject.store_needed], <[Store]>::to_vec);
    if let Some(path) = &wanted.seeds_from {
        let shown = path.display();
        let text = atomic_file::read(path).map_err(|cause| {
            CliError(format!("`{shown}` cannot be read: {cause}: write a file with a seed a line"))
        })?;
        let listed = seeds::parse_list(&text)
            .map_err(|why| CliError(format!("`{shown}` is no list of seeds: {why}")))?;
        return Ok(on_each(Seeds::listed(shown.to_string(), listed).shard(shard), &stores));
    }
    if let Some(range) = &wanted.seeds {
        return Ok(on_each(from_start(range.clone()), &stores));
    }
    let standard = standard_search(subject, invocation.stores());
    if wanted.time.is_some() {
        let stores: Vec<Store> = standard.iter().map(|(_, store)| *store).collect();
        return Ok(on_each(from_start(0..seeds::END), &stores));
    }
    let part = |(count, store)| SeedsOnStore { seeds: from_start(0..count), store };
    Ok(standard.into_iter().map(part).collect())
}

/// The commands that a report offers: about the files that were written, or else about the seed.
fn next_commands(
    failure: &Failure,
    out: Option<&OutputFolder>,
    invocation: &Invocation<'_>,
    subject: &Subject,
) -> NextCommands {
    let found = &failure.reproducer;
    let about = |command: &str| invocation.about_seed(command, found.seed, subject, found.store);
    let from_its_seed = format!("{} --shrunk --timeline text", about("replay"));
    match out {
        Some(out) => {
            let plan = out.plan_of(failure);
            let about = |command: &str| invocation.about_file(command, &plan, subject);
            NextCommands {
                replay: format!("{} --timeline text", about("replay")),
                debug: format!("open {} in a browser", quoted(&out.page_of(failure).display().to_string())),
                keep: about("keep"),
                elsewhere: Some(from_its_seed),
            }
        }
        None => NextCommands {
            replay: from_its_seed,
            debug: format!("{} --shrunk --timeline html --out {}.html", about("replay"), found.file_stem()),
            keep: format!("{} --law {}", about("keep"), found.breach.law),
            elsewhere: None,
        },
    }
}
