//! The options of each command, as clap reads them. The value types are in `values.rs`.

use std::ops::Range;
use std::path::PathBuf;

#[cfg(feature = "live")]
use crate::cli::live_values;
use crate::cli::values;
use crate::cli::values::{Format, Seconds, Show, Stores, Timeline};
use crate::matrix::WORST_BAR;
use crate::search::seeds::{Shard, parse_range};
use crate::shrink::BUDGET;

/// The option that names the subject of a command.
#[derive(clap::Args, Clone, Default)]
pub struct SubjectOption {
    /// The system under test: this program's own, fencepost, or a planted bug by its name (`sabotage` lists and runs them)
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
}

/// The options that decide which plan a seed stands for; a plan in a file needs none of them.
#[derive(clap::Args, Clone, Default)]
pub struct PlanOptions {
    #[command(flatten)]
    pub subject_option: SubjectOption,
    /// Where the registry keeps its rows: memory or sqlite; `run` also takes both
    #[arg(long, value_parser = values::stores)]
    pub store: Option<Stores>,
    /// Change every generated plan, as calm-clocks, no-crashes or one-worker; or a profile of fencepost.toml
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Only this fault: the first word of its step, as pause, cut or crash (`steps` lists all steps); can be given several times
    #[arg(long, value_name = "FAULT", value_parser = values::fault)]
    pub fault: Vec<&'static str>,
    /// All faults but this one, named as for --fault; can be given several times
    #[arg(long, value_name = "FAULT", value_parser = values::fault)]
    pub no_fault: Vec<&'static str>,
}

#[derive(clap::Args)]
pub struct Run {
    /// Seeds: 0..10000 (the end excluded), 5..=9 or 5; the standard search, unless you say
    #[arg(long, value_parser = parse_range, allow_hyphen_values = true, conflicts_with = "seeds_from")]
    pub seeds: Option<Range<u64>>,
    /// Search for so long, as 30s, 10m or 1h30m, from seed 0 upwards
    #[arg(long = "for", value_name = "TIME", value_parser = values::time, allow_hyphen_values = true, conflicts_with_all = ["seeds", "seeds_from"])]
    pub time: Option<Seconds>,
    /// Count seeds from a first seed that is a hash of this text, such as a commit; git is not asked, so a short and a full hash
    /// of one commit give different seeds
    #[arg(long, value_name = "COMMIT", value_parser = values::commit, conflicts_with = "seeds_from")]
    pub start: Option<String>,
    /// The seeds of a file with one seed a line
    #[arg(long, value_name = "FILE")]
    pub seeds_from: Option<PathBuf>,
    /// One of so many equal parts, as 1/4
    #[arg(long, value_name = "i/n", allow_hyphen_values = true)]
    pub shard: Option<Shard>,
    /// Threads; as many as the machine has processors, unless you say
    #[arg(long, value_parser = values::jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
    /// Judge only this law; can be given several times
    #[arg(long, value_name = "LAW", value_parser = values::law)]
    pub law: Vec<&'static str>,
    /// Go on after a broken law
    #[arg(long)]
    pub keep_going: bool,
    /// Print the tables of laws and coverage marks whatever the verdict
    #[arg(long, short)]
    pub verbose: bool,
    /// Runs to spend on making a breaking plan smaller
    #[arg(long, default_value_t = BUDGET, value_parser = values::budget, hide = true)]
    pub budget: u64,
    /// Write index.html, summary.json, timings.json and failures/ there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub plan_options: PlanOptions,
    #[command(flatten)]
    pub report: ReportOptions,
}

#[derive(clap::Args)]
pub struct Prove {
    /// Scopes by name, or files; the whole catalogue, unless you say
    pub scopes: Vec<String>,
    /// At most so many deviations in a run: faults, late calls, or tasks in another order
    #[arg(long, default_value_t = 1, value_parser = values::deviations, allow_negative_numbers = true)]
    pub deviations: usize,
    /// Threads; as many as the machine has processors, unless you say
    #[arg(long, value_parser = values::jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
    /// One of so many parts, as 1/4
    #[arg(long, value_name = "i/n", allow_hyphen_values = true)]
    pub shard: Option<Shard>,
    /// End after so long, as 30s, 10m or 1h30m, with what was shown by then
    #[arg(long = "for", value_name = "TIME", value_parser = values::time, allow_hyphen_values = true)]
    pub time: Option<Seconds>,
    /// Keep the finished parts of every level in this file, and go on from there the next time; the same build and request only
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Go on after a broken law
    #[arg(long)]
    pub keep_going: bool,
    /// Runs to spend on making a breaking plan smaller
    #[arg(long, default_value_t = BUDGET, value_parser = values::budget, hide = true)]
    pub budget: u64,
    /// Write proof.json and failures/ there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub subject_option: SubjectOption,
    #[command(flatten)]
    pub report: ReportOptions,
}

#[derive(clap::Args)]
pub struct ReportOptions {
    /// Format of standard output: human, json or github
    #[arg(long, default_value = "human", value_parser = values::format)]
    pub format: Format,
    /// Write a JUnit report there
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Replay {
    /// A seed, or the file of a plan or regression
    #[arg(allow_negative_numbers = true)]
    pub what: String,
    /// Draw what happened: text or html
    #[arg(long, value_parser = values::timeline)]
    pub timeline: Option<Timeline>,
    /// Write the drawing there; a page never goes to a terminal, but to a file named after the plan
    #[arg(long, value_name = "FILE", requires = "timeline")]
    pub out: Option<PathBuf>,
    /// Draw only up to the event of this number; everything is judged
    #[arg(long, value_name = "EVENT", value_parser = values::event, allow_negative_numbers = true)]
    pub until: Option<usize>,
    /// Show who believed what there: state
    #[arg(long, value_parser = values::show)]
    pub show: Option<Show>,
    /// Leave out the step of this number, the first is 1
    #[arg(long, value_name = "STEP", value_parser = values::step, allow_negative_numbers = true)]
    pub without: Vec<usize>,
    /// Make the plan smaller first
    #[arg(long)]
    pub shrunk: bool,
    /// Write every event there, for `rejudge` and `diff`
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    #[command(flatten)]
    pub plan_options: PlanOptions,
}

#[derive(clap::Args)]
pub struct Shrink {
    /// A seed, or the file of a plan or regression
    #[arg(allow_negative_numbers = true)]
    pub what: String,
    /// The law it must go on breaking; the one it was kept or planted for, or the first it breaks, unless you say
    #[arg(long, value_parser = values::law)]
    pub law: Option<&'static str>,
    /// Runs to spend
    #[arg(long, default_value_t = BUDGET, value_parser = values::budget, allow_negative_numbers = true)]
    pub budget: u64,
    /// Write it there, as a regression
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub plan_options: PlanOptions,
    #[command(flatten)]
    pub report: ReportOptions,
}

#[derive(clap::Args)]
pub struct Keep {
    /// A seed, or the file of a plan or regression
    #[arg(allow_negative_numbers = true)]
    pub what: String,
    /// The story of the plan, for people
    #[arg(long, value_parser = values::story)]
    pub story: Option<String>,
    /// The law it must go on breaking; the one it was kept or planted for, or the first it breaks, unless you say
    #[arg(long, value_parser = values::law)]
    pub law: Option<&'static str>,
    /// Runs to spend
    #[arg(long, default_value_t = BUDGET, value_parser = values::budget, allow_negative_numbers = true)]
    pub budget: u64,
    /// The folder of regressions
    #[arg(long, value_name = "DIR", default_value = "regressions")]
    pub into: PathBuf,
    /// The file's name there, without .toml
    #[arg(long, value_parser = values::name)]
    pub name: Option<String>,
    #[command(flatten)]
    pub plan_options: PlanOptions,
}

#[derive(clap::Args)]
pub struct Regressions {
    /// The folder of regressions; `keep` makes it
    #[arg(default_value = "regressions")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub subject_option: SubjectOption,
    #[command(flatten)]
    pub report: ReportOptions,
}

#[derive(clap::Args)]
pub struct Sabotage {
    /// Only these planted bugs; all of them, unless you say
    pub names: Vec<String>,
    /// Seeds to try for each planted bug, from each of several first seeds
    #[arg(long, default_value_t = WORST_BAR, value_parser = values::most, allow_negative_numbers = true)]
    pub most: u64,
    /// Also find the fewest deviations (faults, late calls, tasks in another order) that show each bug, up to so many
    #[arg(long, value_parser = values::deviations, allow_negative_numbers = true)]
    pub deviations: Option<usize>,
    /// The same as --format json
    #[arg(long, hide = true, conflicts_with = "format")]
    pub json: bool,
    #[command(flatten)]
    pub report: ReportOptions,
}

#[derive(clap::Args)]
pub struct Determinism {
    /// Seeds: 0..1000 (the end excluded), 5..=9 or 5; those of the profile, or else 0..1000, unless you say
    #[arg(long, value_parser = parse_range, allow_hyphen_values = true)]
    pub seeds: Option<Range<u64>>,
    /// Another build of this program, to compare with
    #[arg(long, value_name = "PROGRAM")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    pub plan_options: PlanOptions,
    #[command(flatten)]
    pub report: ReportOptions,
}

#[cfg(feature = "live")]
#[derive(clap::Args)]
pub struct Live {
    /// The store: sqlite, postgres (a server that the run starts), or the URL of a server on this machine
    // Parsed by the command: the parser of options quotes a value that is wrong, and a URL has a password.
    #[arg(long, default_value = "sqlite")]
    pub store: String,
    /// Worker processes
    #[arg(long, default_value_t = 4, value_parser = live_values::live_nodes)]
    pub workers: u8,
    /// Host processes, which register the work and wait for it
    #[arg(long, default_value_t = 2, value_parser = live_values::live_nodes)]
    pub hosts: u8,
    /// How long faults go on, as 60s, 10m or 1h; then everything has to end
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = values::time)]
    pub time: Seconds,
    /// Draws the work and the faults; the run itself cannot be repeated
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Plant a bug in every process of the run
    #[arg(long, value_name = "BUG", value_parser = live_values::live_bug)]
    pub planted: Option<&'static str>,
    /// Keep the history there, and for a broken law its report and page
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Print the tables of laws and coverage marks whatever the verdict
    #[arg(long, short)]
    pub verbose: bool,
}

#[derive(clap::Args)]
pub struct Hashes {
    #[arg(long, value_parser = parse_range)]
    pub seeds: Range<u64>,
    #[arg(long)]
    pub shard: Option<Shard>,
    #[arg(long, default_value_t = 1, value_parser = values::jobs)]
    pub jobs: usize,
    #[command(flatten)]
    pub plan_options: PlanOptions,
}

#[derive(clap::Args)]
pub struct Events {
    pub what: String,
    #[command(flatten)]
    pub plan_options: PlanOptions,
}

#[derive(clap::Args)]
pub struct Completions {
    /// The shell: bash, elvish, fish, powershell or zsh
    pub shell: clap_complete::Shell,
}

#[derive(clap::Args)]
pub struct Man {
    /// The command; the program as a whole, unless you say
    pub command: Option<String>,
}
