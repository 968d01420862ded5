//! What the command line understands. Every value is read here, so that whatever is understood can be carried out, and what
//! is not is one sentence.

use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::matrix::WORST_BAR;
use crate::plan::Store;
use crate::profile::{self, Profile};
use crate::seeds::{Shard, parse_range};

#[derive(Parser)]
#[command(name = "fencepost", version, about = "Proves that leases are fenced, or shows where they are not")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where the registry keeps its rows: memory, sqlite or both
    #[arg(long, global = true, value_parser = parse_stores)]
    pub store: Option<Stores>,
    /// The system under test: this program's own, fencepost, or the name of a sabotage
    #[arg(long, global = true)]
    pub subject: Option<String>,
    /// Change every generated plan, as calm-clocks, no-crashes or one-worker
    #[arg(long, global = true, value_parser = parse_profile)]
    pub profile: Option<Profiled>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Search seeds for a broken law
    Run(Run),
    /// Run one seed or plan again
    Replay(Replay),
    /// Make a breaking plan smaller
    Shrink(Shrink),
    /// Make a breaking plan smaller and keep it among the regressions, with its story
    Keep(Keep),
    /// Run every kept plan
    Regressions(Regressions),
    /// Plant every bug and see which law catches it
    Sabotage(Sabotage),
    /// Check that a run is a function of its plan
    Determinism {
        #[arg(long, default_value = "0..1000", value_parser = parse_range)]
        seeds: Range<u64>,
        /// Another build of this program, to compare with
        #[arg(long)]
        against: Option<PathBuf>,
    },
    /// Judge old histories by today's laws
    Rejudge {
        /// A history, or a folder of them
        histories: PathBuf,
    },
    /// Compare two histories: the first event that differs
    Diff { one: PathBuf, other: PathBuf },
    /// Each law, with its sentence
    Laws,
    /// Look for what keeps runs from being repeatable: flags, toolchain, the machine
    Doctor,
    /// The hash of each seed's run, a line each
    #[command(hide = true)]
    Hashes {
        #[arg(long, value_parser = parse_range)]
        seeds: Range<u64>,
        #[arg(long)]
        shard: Option<Shard>,
        #[arg(long, default_value_t = 1, value_parser = parse_jobs)]
        jobs: usize,
    },
    /// Every event of a run, a line each
    #[command(hide = true)]
    Events { what: String },
}

#[derive(clap::Args)]
pub struct Sabotage {
    /// Only these; all of them, unless you say
    pub names: Vec<String>,
    /// Seeds to try for each, from each start
    #[arg(long, default_value_t = WORST_BAR, value_parser = parse_most)]
    pub most: u64,
    /// As JSON, a row each
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args)]
pub struct Run {
    /// A range such as 0..10000; the standard search, unless you say
    #[arg(long, value_parser = parse_range, conflicts_with = "seeds_from")]
    pub seeds: Option<Range<u64>>,
    /// Search for so long, as 30s, 10m or 2h, from seed 0 upwards
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time, conflicts_with_all = ["seeds", "seeds_from"])]
    pub time: Option<Seconds>,
    /// Count seeds from one that belongs to this commit, or to any other text
    #[arg(long, value_name = "COMMIT", conflicts_with = "seeds_from")]
    pub start: Option<String>,
    /// The seeds of a file, one a line
    #[arg(long, value_name = "FILE")]
    pub seeds_from: Option<PathBuf>,
    /// One of so many equal parts, as 1/4
    #[arg(long, value_name = "i/n")]
    pub shard: Option<Shard>,
    /// Threads; as many as the machine has processors, unless you say
    #[arg(long, value_parser = parse_jobs)]
    pub jobs: Option<usize>,
    /// Go on after a broken law
    #[arg(long)]
    pub keep_going: bool,
    /// Runs to spend on making a breaking plan smaller
    #[arg(long, default_value_t = SHRINK_RUNS, hide = true)]
    pub budget: u64,
    /// Write summary.json, timings.json and failures/ there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub report: Report,
}

impl Default for Run {
    /// The standard search.
    fn default() -> Self {
        Self {
            seeds: None,
            time: None,
            start: None,
            seeds_from: None,
            shard: None,
            jobs: None,
            keep_going: false,
            budget: SHRINK_RUNS,
            out: None,
            report: Report::default(),
        }
    }
}

#[derive(clap::Args, Default)]
pub struct Report {
    /// What standard output is for: human, json or github
    #[arg(long, default_value = "human", value_parser = parse_format)]
    pub format: Format,
    /// Write a JUnit report there
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Replay {
    /// A seed, or the file of a plan or regression
    pub what: String,
    /// Draw what happened: text or html
    #[arg(long, value_parser = parse_timeline)]
    pub timeline: Option<Timeline>,
    /// Write the drawing there
    #[arg(long, value_name = "FILE", requires = "timeline")]
    pub out: Option<PathBuf>,
    /// Stop at the event of this number
    #[arg(long, value_name = "EVENT")]
    pub until: Option<usize>,
    /// Show who believed what there: state
    #[arg(long, value_parser = parse_show)]
    pub show: Option<Show>,
    /// Leave out the step of this number, the first is 1
    #[arg(long, value_name = "STEP")]
    pub without: Vec<usize>,
    /// Make the plan smaller first
    #[arg(long)]
    pub shrunk: bool,
    /// Write every event there, for `rejudge` and `diff`
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Shrink {
    /// A seed, or the file of a plan or regression
    pub what: String,
    /// The law it must go on breaking; the first it breaks, unless you say
    #[arg(long)]
    pub law: Option<String>,
    /// Runs to spend
    #[arg(long, default_value_t = SHRINK_RUNS)]
    pub budget: u64,
    /// Write it there, as a regression
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct Keep {
    /// A seed, or the file of a plan or regression
    pub what: String,
    /// What happens in it, for people
    #[arg(long)]
    pub story: Option<String>,
    /// The law it must go on breaking; the first it breaks, unless you say
    #[arg(long)]
    pub law: Option<String>,
    /// Runs to spend
    #[arg(long, default_value_t = SHRINK_RUNS)]
    pub budget: u64,
    /// The folder of regressions
    #[arg(long, value_name = "DIR", default_value = "regressions")]
    pub into: PathBuf,
    /// The file's name there, without .toml
    #[arg(long)]
    pub name: Option<String>,
}

#[derive(clap::Args)]
pub struct Regressions {
    #[arg(default_value = "regressions")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub report: Report,
}

/// Runs that a shrinking may spend.
pub const SHRINK_RUNS: u64 = 5_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stores(pub &'static [Store]);

#[derive(Clone)]
pub struct Profiled(pub &'static Profile);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    #[default]
    Human,
    Json,
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeline {
    Text,
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    State,
}

/// Why nothing is done.
pub enum NotObeyed {
    /// Help or the version, which was asked for.
    Asked(String),
    Wrong(String),
}

/// Whether these words, of which the first is the program's name, are understood.
pub fn understands(words: &[&str]) -> Result<(), String> {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    match parse(&words) {
        Ok(_) | Err(NotObeyed::Asked(_)) => Ok(()),
        Err(NotObeyed::Wrong(why)) => Err(why),
    }
}

pub fn parse(words: &[OsString]) -> Result<Arguments, NotObeyed> {
    Arguments::try_parse_from(words).map_err(|error| {
        let said = error.to_string();
        if error.use_stderr() { NotObeyed::Wrong(one_sentence(&said)) } else { NotObeyed::Asked(said) }
    })
}

/// What clap says in paragraphs, without the usage.
fn one_sentence(said: &str) -> String {
    let end = said.find("\nUsage:").or_else(|| said.find("\nFor more information")).unwrap_or(said.len());
    let words: Vec<&str> = said[..end].split_whitespace().collect();
    let sentence = words.join(" ");
    let sentence = sentence.strip_prefix("error: ").unwrap_or(&sentence);
    format!("{sentence} (`--help` tells what there is)")
}

fn parse_stores(text: &str) -> Result<Stores, String> {
    match text {
        "memory" => Ok(Stores(&[Store::Memory])),
        "sqlite" => Ok(Stores(&[Store::Sqlite])),
        "both" => Ok(Stores(&[Store::Memory, Store::Sqlite])),
        _ => Err(format!("`{text}` is no store: say memory, sqlite or both")),
    }
}

fn parse_profile(text: &str) -> Result<Profiled, String> {
    profile::by_name(text).map(Profiled)
}

fn parse_time(text: &str) -> Result<Seconds, String> {
    let unit_s = |unit: char| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        _ => None,
    };
    let mut letters = text.chars();
    let seconds = letters.next_back().and_then(unit_s).and_then(|unit_s: u64| {
        let digits = letters.as_str();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok())?.and_then(|number: u64| number.checked_mul(unit_s))
    });
    seconds
        .filter(|seconds| (1..=1_000_000_000).contains(seconds))
        .map(Seconds)
        .ok_or_else(|| format!("`{text}` is no time: say 30s, 10m or 2h"))
}

fn parse_jobs(text: &str) -> Result<usize, String> {
    let jobs = text.parse().ok().filter(|jobs| (1..=1_024).contains(jobs));
    jobs.ok_or_else(|| format!("`{text}` is no number of threads: say 1 to 1024"))
}

fn parse_most(text: &str) -> Result<u64, String> {
    let most = text.parse().ok().filter(|most| (1..=1_000_000_000).contains(most));
    most.ok_or_else(|| format!("`{text}` is no number of seeds: say 1 to 1000000000"))
}

fn parse_format(text: &str) -> Result<Format, String> {
    match text {
        "human" => Ok(Format::Human),
        "json" => Ok(Format::Json),
        "github" => Ok(Format::Github),
        _ => Err(format!("there is no format `{text}`: say human, json or github")),
    }
}

fn parse_timeline(text: &str) -> Result<Timeline, String> {
    match text {
        "text" => Ok(Timeline::Text),
        "html" => Ok(Timeline::Html),
        _ => Err(format!("there is no timeline of kind `{text}`: say text or html")),
    }
}

fn parse_show(text: &str) -> Result<Show, String> {
    match text {
        "state" => Ok(Show::State),
        _ => Err(format!("`{text}` cannot be shown: say state")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_an_end() {
        let read = |text| parse_time(text).ok().map(|Seconds(seconds)| seconds);
        assert_eq!([read("30s"), read("10m"), read("2h")], [Some(30), Some(600), Some(7_200)]);
        for wrong in
            ["10", "m", "0s", "-1s", "+1s", "1.5h", "1d", "", "99999999999999999999h", "5124095576030432h"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn plain_fencepost_is_the_standard_search() {
        let parsed = parse(&["fencepost".into(), "run".into()]).ok().and_then(|arguments| arguments.command);
        let Some(Command::Run(said)) = parsed else { panic!("it is understood") };
        let unsaid = Run::default();
        assert_eq!(
            (said.seeds, said.time, said.jobs, said.budget),
            (unsaid.seeds, unsaid.time, unsaid.jobs, unsaid.budget)
        );
        assert!(parse(&["fencepost".into()]).is_ok_and(|arguments| arguments.command.is_none()));
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for words in [
            vec!["fencepost", "dance"],
            vec!["fencepost", "replay"],
            vec!["fencepost", "run", "--seeds", "9..1"],
            vec!["fencepost", "run", "--for", "1m", "--seeds", "0..9"],
            vec!["fencepost", "run", "--fur", "1m"],
        ] {
            let why = understands(&words).unwrap_err();
            assert!(!why.contains('\n') && !why.contains("Usage") && why.len() > 20, "{why}");
        }
    }
}
