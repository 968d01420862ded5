//! `run`: the search, and all that is said of it.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crate::cli::arguments::Run;
use crate::cli::invocation::Invocation;
use crate::cli::output_folder;
use crate::cli::output_folder::Out;
use crate::cli::progress::Progress;
use crate::cli::values::{Format, Seconds};
use crate::cli::{CliError, CommandResult, interrupt, stdout, verdict};
use crate::judge::Breach;
use crate::laws::Laws;
use crate::plan::Store;
use crate::report::failure::{Failure, Found};
use crate::report::human;
use crate::report::human::Leads;
use crate::report::summary::{
    BrokenLine, FORMAT, FailureLine, PanickedLine, Searched, Summary, Timings, law_lines, mark_lines,
};
use crate::report::tally::{Longest, Tally, longer};
use crate::report::{github, json, junit};
use crate::search::Conclusion;
use crate::search::seeds;
use crate::search::seeds::{Seeds, Shard};
use crate::search::{Plans, search_among};
use crate::shrink::shrink_watched;
use crate::subject::Subject;
use crate::support::atomic_file;

/// The standard search: so many seeds on each store.
pub const STANDARD: [(u64, Store); 2] = [(10_000, Store::Memory), (500, Store::Sqlite)];

pub fn run(wanted: Run, invocation: &Invocation<'_>) -> CommandResult {
    let subject = invocation.subject()?;
    let unknown = subject.not_claimed.iter().find(|name| !Laws::names().contains(name));
    if let Some(unknown) = unknown {
        return Err(CliError(format!(
            "`{}` does not claim to keep `{unknown}`, and there is no such law: `{}` names them",
            subject.name,
            invocation.line("laws")
        )));
    }
    let searches = searches(&wanted, &subject, invocation)?;
    // A search of nothing would find nothing, and be green.
    if searches.iter().all(|(seeds, _)| seeds.count() == 0) {
        return Err(CliError("there is no seed to run: give more seeds, or fewer shards".to_owned()));
    }
    let out = wanted.out.as_deref().map(Out::prepare).transpose()?;
    wanted.report.junit.as_deref().map(output_folder::can_be_written).transpose()?;
    if wanted.report.format == Format::Github {
        // Nothing yet: whether it can be added to.
        append_job_summary("")?;
    }
    let asked =
        interrupt::listen().map_err(|cause| CliError(format!("Ctrl-C cannot be listened for: {cause}")))?;
    let jobs = wanted.jobs.unwrap_or_else(processors);
    let begun = Clocks::now();
    let seen = Seen::search(&searches, jobs, &wanted, invocation, &subject, &asked);
    let ended = Clocks::now();

    let mut failures = Vec::new();
    let mut is_repeatable = true;
    for first in &seen.firsts {
        match small(first, wanted.budget, invocation, &subject, &asked) {
            Some(failure) => failures.push(failure),
            None => is_repeatable = false,
        }
    }
    let reports: Vec<String> = failures
        .iter()
        .map(|failure| human::failure(failure, &leads(failure, out.as_ref(), invocation, &subject)))
        .collect();
    let timings = Timings::new(
        jobs,
        ended.wall_us.saturating_sub(begun.wall_us),
        ended.cpu_us.saturating_sub(begun.cpu_us),
        &seen.tally,
        seen.slowest,
    );
    let (end, why) = verdict::of(&seen, &searches, is_repeatable, invocation.profile().is_some());
    let lines =
        failures.iter().zip(&reports).map(|(failure, report)| FailureLine::of(failure, report.clone()));
    let summary = summary(&seen, end, why, lines.collect(), &wanted, invocation, &subject);

    // What was asked for on disk comes first: standard output may be the disk that is full. And what cannot be written there
    // is no reason to keep a breach to ourselves.
    let written = (|| {
        if let Some(out) = &out {
            for (failure, report) in failures.iter().zip(&reports) {
                out.write_failure(failure, &subject, report)?;
            }
            out.write_summary(&summary, &timings)?;
        }
        match &wanted.report.junit {
            Some(path) => output_folder::put(path, &junit::of_search(&summary, &timings).xml()),
            None => Ok(()),
        }
    })();
    match wanted.report.format {
        Format::Json => stdout::raw(&json::both(&summary, &timings)),
        Format::Human => tell(&reports, &summary, &timings),
        Format::Github => {
            tell(&reports, &summary, &timings);
            github::annotations(&summary).iter().for_each(stdout::line);
            append_job_summary(&github::job_summary(&summary))?;
        }
    }
    written.map(|()| end)
}

fn tell(reports: &[String], summary: &Summary, timings: &Timings) {
    for report in reports {
        stdout::line(report);
    }
    stdout::raw(&human::summary(summary, timings));
    stdout::raw(&human::verdict(summary));
}

/// GitHub names a file that it shows on the job's page, to which each step adds.
pub fn append_job_summary(page: &str) -> Result<(), CliError> {
    let named = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty());
    let Some(path) = named.map(PathBuf::from) else { return Ok(()) };
    let added = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(page.as_bytes()));
    added.map_err(|cause| {
        let path = path.display();
        CliError(format!("GITHUB_STEP_SUMMARY is `{path}`, which cannot be added to: {cause}"))
    })
}

/// Which seeds to run on which stores: those that were named, or the standard search.
fn searches(
    wanted: &Run,
    subject: &Subject,
    invocation: &Invocation<'_>,
) -> Result<Vec<(Seeds, Store)>, CliError> {
    let start = wanted.start.as_deref().map_or(0, seeds::start_of);
    let shard = wanted.shard.unwrap_or(Shard::WHOLE);
    let from = |range: std::ops::Range<u64>| {
        Seeds::range(start.saturating_add(range.start)..start.saturating_add(range.end)).shard(shard)
    };
    let standard: Vec<(u64, Store)> = STANDARD
        .into_iter()
        .filter(|(_, store)| match invocation.stores() {
            Some(stores) => stores.contains(store),
            // Another's registry keeps its rows where it does.
            None => subject.is_ours() || *store == subject.store_needed,
        })
        .collect();
    let stores = invocation.stores().map_or_else(|| vec![subject.store_needed], <[Store]>::to_vec);
    let on = |seeds: &Seeds, stores: &[Store]| stores.iter().map(|store| (seeds.clone(), *store)).collect();
    if let Some(path) = &wanted.seeds_from {
        let shown = path.display();
        let text = atomic_file::read(path).map_err(|cause| {
            CliError(format!("`{shown}` cannot be read: {cause}: write a file with a seed a line"))
        })?;
        let listed = seeds::parse_list(&text)
            .map_err(|why| CliError(format!("`{shown}` is no list of seeds: {why}")))?;
        return Ok(on(&Seeds::listed(shown.to_string(), listed).shard(shard), &stores));
    }
    if let Some(range) = &wanted.seeds {
        return Ok(on(&from(range.clone()), &stores));
    }
    if wanted.time.is_some() {
        let stores: Vec<Store> = standard.iter().map(|(_, store)| *store).collect();
        return Ok(on(&from(0..seeds::END), &stores));
    }
    Ok(standard.into_iter().map(|(seeds, store)| (from(0..seeds), store)).collect())
}

/// The first breach of a law.
pub struct First {
    seed: u64,
    store: Store,
    pub broken: Breach,
}

/// What a search came to see.
pub struct Seen {
    pub tally: Tally,
    pub searched: Vec<Searched>,
    slowest: Option<Longest>,
    pub broken: Vec<BrokenLine>,
    pub firsts: Vec<First>,
    pub panicked: Option<PanickedLine>,
    pub was_interrupted: bool,
}

impl Seen {
    fn search(
        searches: &[(Seeds, Store)],
        jobs: usize,
        wanted: &Run,
        invocation: &Invocation<'_>,
        subject: &Subject,
        asked: &AtomicBool,
    ) -> Self {
        let mut seen = Self {
            tally: Tally::new(subject),
            searched: Vec::new(),
            slowest: None,
            broken: Vec::new(),
            firsts: Vec::new(),
            panicked: None,
            was_interrupted: false,
        };
        let allowed_us = wanted.time.map(|Seconds(seconds)| seconds.saturating_mul(1_000_000));
        let count = allowed_us.is_none().then(|| searches.iter().map(|(seeds, _)| seeds.count()).sum());
        let began_us = Clocks::now().wall_us;
        let mut progress = Progress::begin(count, allowed_us, began_us);
        for (place, (seeds, store)) in searches.iter().enumerate() {
            // Stores share the time evenly.
            let left = (searches.len() - place) as u64;
            let now_us = Clocks::now().wall_us;
            let until_us = allowed_us.map(|allowed_us| {
                let end_us = began_us.saturating_add(allowed_us);
                now_us + end_us.saturating_sub(now_us) / left
            });
            let is_enough = || {
                interrupt::is_asked(asked)
                    || until_us.is_some_and(|until_us| Clocks::now().wall_us >= until_us)
            };
            let before = seen.tally.seeds;
            let plans = Plans { store: *store, profile: invocation.profile(), subject };
            search_among(seeds, &plans, jobs, &is_enough, |done| {
                seen.slowest = Some(Longest { us: done.cpu_us, seed: done.seed, store: *store })
                    .and_then(|other| longer(seen.slowest, other));
                let verdict = match done.verdict {
                    Ok(verdict) => verdict,
                    Err(said) => {
                        seen.panicked = Some(PanickedLine { seed: done.seed, store: *store, said });
                        return ControlFlow::Break(());
                    }
                };
                seen.tally.add(&verdict, *store);
                progress.show(&seen.tally, Clocks::now().wall_us);
                match verdict.broken() {
                    None => ControlFlow::Continue(()),
                    Some(broken) => seen.breaks(done.seed, *store, broken, wanted.keep_going, &progress),
                }
            });
            let run = seen.tally.seeds - before;
            let wanted_count = allowed_us.is_none().then(|| seeds.count());
            seen.searched.push(Searched { store: *store, seeds: seeds.name(), wanted: wanted_count, run });
            let is_cut_short = wanted_count.is_some_and(|count| run < count) || allowed_us.is_some();
            seen.was_interrupted |= interrupt::is_asked(asked) && is_cut_short;
            let is_over = !seen.broken.is_empty() && !wanted.keep_going;
            if is_over || seen.panicked.is_some() || interrupt::is_asked(asked) {
                break;
            }
        }
        progress.end();
        seen
    }

    fn breaks(
        &mut self,
        seed: u64,
        store: Store,
        broken: Breach,
        keeps_going: bool,
        progress: &Progress,
    ) -> ControlFlow<()> {
        let (law, because) = (broken.law, broken.because.clone());
        self.broken.push(BrokenLine { seed, store, law, because });
        if !self.firsts.iter().any(|first| first.broken.law == broken.law) {
            // Now, and not in the end: whoever is killed has said it.
            progress.say(&format!("{law} is broken by seed {seed} on {}", store.name()));
            self.firsts.push(First { seed, store, broken });
        }
        if keeps_going { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// About a second.
const HASTY_RUNS: u64 = 500;

/// The first breach of a law, with its plan made small; none, if it does not happen again.
fn small(
    first: &First,
    budget: u64,
    invocation: &Invocation<'_>,
    subject: &Subject,
    asked: &AtomicBool,
) -> Option<Failure> {
    let (store, profile) = (first.store, invocation.profile());
    let plan = Plans { store, profile, subject }.plan(first.seed);
    let law = first.broken.law;
    // Who asked for an end wants one soon, and a plan that can be read.
    let was_asked = interrupt::is_asked(asked);
    let budget = if was_asked { budget.min(HASTY_RUNS) } else { budget };
    let shrunk = shrink_watched(&plan, subject, law, budget, &mut |_| {
        if interrupt::is_asked(asked) && !was_asked {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let found = Found { seed: Some(first.seed), store, steps: plan.steps.len(), runs: shrunk.runs };
    Failure::of(&shrunk.plan, subject, law, found)
}

/// Lines that lead on: about the files that were written, or about the seed.
fn leads(failure: &Failure, out: Option<&Out>, invocation: &Invocation<'_>, subject: &Subject) -> Leads {
    let seed = failure.found.seed.unwrap_or_default();
    let about = |command: &str| invocation.about_seed(command, seed, subject, failure.found.store);
    let from_its_seed = format!("{} --shrunk --timeline text", about("replay"));
    match out {
        Some(out) => {
            let plan = out.plan_of(failure);
            let about = |command: &str| invocation.about_file(command, &plan, subject);
            Leads {
                replay: format!("{} --timeline text", about("replay")),
                debug: format!("open {} in a browser", out.page_of(failure).display()),
                keep: about("keep"),
                elsewhere: Some(from_its_seed),
            }
        }
        None => Leads {
            replay: from_its_seed,
            debug: format!("{} --shrunk --timeline html --out {}.html", about("replay"), failure.file_stem()),
            keep: format!("{} --law {}", about("keep"), failure.broken.law),
            elsewhere: None,
        },
    }
}

fn summary(
    seen: &Seen,
    end: Conclusion,
    why: Vec<String>,
    failures: Vec<FailureLine>,
    wanted: &Run,
    invocation: &Invocation<'_>,
    subject: &Subject,
) -> Summary {
    let tally = &seen.tally;
    Summary {
        format: FORMAT,
        verdict: match end {
            Conclusion::Holds => "holds",
            Conclusion::Broken => "broken",
            Conclusion::Inconclusive => "inconclusive",
            Conclusion::NotDeterministic => "not deterministic",
            Conclusion::Failed => "failed",
        },
        why,
        exit_code: end.exit_code(),
        subject: subject.name.to_owned(),
        profile: invocation.profile().map(|profile| profile.name),
        shard: wanted.shard.unwrap_or(Shard::WHOLE).to_string(),
        searches: seen.searched.clone(),
        seeds: tally.seeds,
        calls: tally.calls,
        faults: tally.faults,
        events: tally.events,
        simulated_us: tally.simulated_us,
        hash: format!("{:016x}", tally.hash),
        laws: law_lines(tally),
        marks: mark_lines(tally),
        longest_zombie_window: tally.zombie.map(Into::into),
        broken: seen.broken.clone(),
        failures,
        panicked: seen.panicked.clone(),
    }
}

pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// CPU time of this process and true time, in microseconds: inside a run the machine's clocks are simulated.
#[derive(Clone, Copy)]
struct Clocks {
    cpu_us: u64,
    wall_us: u64,
}

impl Clocks {
    fn now() -> Self {
        let us = |id| {
            let now = rustix::time::clock_gettime(id);
            u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000
                + u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000
        };
        let (cpu, wall) = (rustix::time::ClockId::ProcessCPUTime, rustix::time::ClockId::Monotonic);
        Self { cpu_us: us(cpu), wall_us: us(wall) }
    }
}
