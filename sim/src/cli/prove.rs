//! `prove`: explores scopes, and writes what was shown.

use std::path::{Path, PathBuf};

use crate::cli::command_options::Prove;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::job_summary::append_job_summary;
use crate::cli::output_folder::{self, OutputFolder};
use crate::cli::proof_progress::ProofProgress;
use crate::cli::values::{Format, Seconds};
use crate::cli::{interrupt, stdout, terminal};
use crate::prove::{KeptProof, ProveRequest, ProveResult, SmallWorld, prove_all};
use crate::report::colours;
use crate::report::failure::Failure;
use crate::report::human::{self, NextCommands};
use crate::report::proof::{self, ProofReport};
use crate::search::seeds::Shard;
use crate::search::{Reproducer, StopRule, processors};
use crate::subject::Subject;
use crate::support::atomic_file;

pub fn prove(wanted: &Prove, invocation: &Invocation<'_>) -> CommandResult {
    let subject = invocation.subject()?;
    let worlds = worlds(wanted, &subject)?;
    let asked = interrupt::listen()?;
    let is_interrupted = || interrupt::is_asked(&asked);
    let shard = wanted.shard.unwrap_or(Shard::WHOLE);
    let request = ProveRequest {
        jobs: wanted.jobs.unwrap_or_else(processors),
        shard,
        time_limit_us: wanted.time.map(|Seconds(seconds)| seconds.saturating_mul(1_000_000)),
        stop: if wanted.keep_going { StopRule::Never } else { StopRule::AtFirstBreach },
        is_interrupted: &is_interrupted,
        ..ProveRequest::new(&subject, &worlds, wanted.deviations)
    };
    let out = wanted.out.as_deref().map(OutputFolder::prepare).transpose()?;
    wanted.report.junit.as_deref().map(output_folder::can_be_written).transpose()?;
    if wanted.report.format == Format::Github {
        append_job_summary("")?;
    }
    let mut kept = match &wanted.resume {
        Some(path) => Some(KeptProof::open(path, &made_by(&request)?).map_err(CliError::of)?),
        None => None,
    };
    let mut progress = ProofProgress::begin(wanted.deviations, worlds.len(), invocation.is_quiet());
    let result = prove_all(&request, kept.as_mut(), &mut progress).map_err(CliError::of)?;

    let width = terminal::width();
    let (mut told, mut shown) = (Vec::new(), Vec::new());
    let mut temporary = TemporaryPlans::default();
    for failure in failures(&result, &worlds, &subject, wanted.budget, &is_interrupted) {
        let plan = match &out {
            Some(out) => out.plan_of(&failure),
            None => temporary.write(&failure),
        };
        let next = next_commands(&failure, &plan, invocation, &subject);
        let report = human::failure(&failure, &next, None);
        if let Some(out) = &out {
            out.write_failure(&failure, &subject, &report)?;
        }
        shown.push(human::failure(&failure, &next, width));
        told.push((failure.reproducer.breach.law, report));
    }
    let report =
        ProofReport { subject: subject.name, shard: shard.to_string(), result: &result, failures: &told };
    write_files(out.as_ref(), wanted.report.junit.as_ref(), &report)?;
    match wanted.report.format {
        Format::Json => stdout::raw(&proof::json(&report)),
        Format::Human => print(&report, &shown, &temporary.told, invocation.is_quiet()),
        Format::Github => {
            print(&report, &shown, &temporary.told, invocation.is_quiet());
            proof::annotations(&report).iter().for_each(stdout::line);
            append_job_summary(&proof::job_summary(&report))?;
        }
    }
    Ok(result.conclusion)
}

/// The scopes that were named, or those of the catalogue that fit the subject.
fn worlds(wanted: &Prove, subject: &Subject) -> Result<Vec<SmallWorld>, CliError> {
    if wanted.scopes.is_empty() {
        return Ok(SmallWorld::fitting(subject));
    }
    wanted.scopes.iter().map(|name| SmallWorld::find(name).map_err(CliError::of)).collect()
}

/// Names the build and the request: sums of others do not belong together.
fn made_by(request: &ProveRequest<'_>) -> Result<String, CliError> {
    let own = std::env::current_exe()
        .and_then(std::fs::read)
        .map_err(|cause| CliError(format!("this program cannot read itself: {cause}")))?;
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let build = own.iter().fold(0xcbf2_9ce4_8422_2325, fold);
    let scopes: String = request.worlds.iter().map(|world| world.plan.to_string()).collect();
    let scopes = scopes.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fold);
    let ProveRequest { subject, deviations, shard, .. } = request;
    Ok(format!("build {build:016x}, {}, scopes {scopes:016x}, {deviations}, shard {shard}", subject.name))
}

/// The first witness of each broken law, run again and made small.
fn failures(
    result: &ProveResult,
    worlds: &[SmallWorld],
    subject: &Subject,
    runs: u64,
    is_interrupted: &dyn Fn() -> bool,
) -> Vec<Failure> {
    let mut failures: Vec<Failure> = Vec::new();
    for (statement, world) in result.statements.iter().zip(worlds) {
        for witness in &statement.broken {
            let is_told = |failure: &Failure| failure.reproducer.breach.law == witness.law;
            if failures.iter().any(is_told) {
                continue;
            }
            let plan = witness.plan(world);
            if let Some(found) = Reproducer::find(&plan, subject, &witness.law, runs, is_interrupted) {
                let scope = Some(world.name.clone());
                failures.push(Failure { scope, ..Failure::new(found, subject) });
            }
        }
    }
    failures
}

fn write_files(
    out: Option<&OutputFolder>,
    junit: Option<&PathBuf>,
    report: &ProofReport<'_>,
) -> Result<(), CliError> {
    if let Some(out) = out {
        out.write_proof(&proof::json(report))?;
    }
    junit.map_or(Ok(()), |path| output_folder::put(path, &proof::junit(report).xml()))
}

/// A proof that failed ends with its failure.
fn print(report: &ProofReport<'_>, failures: &[String], plans: &[String], is_quiet: bool) {
    if !is_quiet {
        for statement in &report.result.statements {
            stdout::fitted(&proof::statement(statement));
        }
        stdout::fitted(&proof::held_fixed(report.result));
    }
    for told in failures {
        stdout::raw("\n");
        stdout::painted(told, colours::of_failure);
    }
    plans.iter().for_each(stdout::line);
    if !failures.is_empty() {
        stdout::raw("\n");
    }
    stdout::painted(&proof::verdict(report), colours::of_verdict);
}

/// The plans of witnesses when there is no `--out`: no seed makes them, so their text is written into a folder for temporary
/// files, which is this process's own.
#[derive(Default)]
struct TemporaryPlans {
    folder: Option<PathBuf>,
    /// A line for each plan: where it is, or why it is not.
    told: Vec<String>,
}

impl TemporaryPlans {
    /// A command line that names a plan which could not be written says so when it is typed; so does the line here.
    fn write(&mut self, failure: &Failure) -> PathBuf {
        let folder = self.folder.get_or_insert_with(new_folder);
        let plan = folder.join(format!("{}.toml", failure.reproducer.file_stem()));
        let (law, shown) = (failure.reproducer.breach.law, plan.display());
        let text = failure.reproducer.plan().to_string();
        self.told.push(match atomic_file::write(&plan, text.as_bytes()) {
            Ok(()) => format!(
                "the plan that breaks {law} is in {shown}; with --out DIR it is kept in a folder of yours"
            ),
            Err(cause) => format!("the plan that breaks {law} could not be written to {shown}: {cause}"),
        });
        plan
    }
}

/// A new folder that no other process writes into.
fn new_folder() -> PathBuf {
    let named =
        |ending: String| std::env::temp_dir().join(format!("fencepost-{}{ending}", std::process::id()));
    let names =
        std::iter::once(named(String::new())).chain((2..100).map(|number| named(format!("-{number}"))));
    // An older process may have had the same number, and somebody else's folder is not written into.
    let mut free = names.filter(|folder| std::fs::create_dir(folder).is_ok());
    free.next().unwrap_or_else(|| named(String::new()))
}

/// The plan of a witness has no seed that makes it, so all commands name its file.
fn next_commands(
    failure: &Failure,
    plan: &Path,
    invocation: &Invocation<'_>,
    subject: &Subject,
) -> NextCommands {
    let about = |command: &str| invocation.about_file(command, plan, subject);
    let page = format!("{}.html", failure.reproducer.file_stem());
    NextCommands {
        replay: format!("{} --timeline text", about("replay")),
        debug: format!("{} --timeline html --out {page}", about("replay")),
        keep: format!("{} --law {}", about("keep"), failure.reproducer.breach.law),
        elsewhere: None,
    }
}
