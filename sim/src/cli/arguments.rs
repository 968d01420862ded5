//! What the command line understands. Every value is read here, so that whatever is understood can be carried out, and what
//! is not is one sentence.

use std::ffi::OsString;
use std::ops::Range;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::cli::values;
use crate::cli::values::{Format, Profiled, Seconds, Show, Stores, Timeline};
use crate::matrix::WORST_BAR;
use crate::search::seeds::{Shard, parse_range};
use crate::shrink::BUDGET;

#[derive(Parser)]
#[command(name = "fencepost", version, about = "Proves that leases are fenced, or shows where they are not")]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten, next_help_heading = "Options of run, which is what happens without a command")]
    run: Run,
}

impl Arguments {
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Run(self.run))
    }
}

/// Whom a command is about.
#[derive(clap::Args, Clone, Default)]
pub struct Whom {
    /// The system under test: this program's own, fencepost, or the name of a sabotage
    #[arg(long, value_name = "NAME")]
    pub subject: Option<String>,
}

/// Which plan a seed stands for: of a file there is nothing to choose.
#[derive(clap::Args, Clone, Default)]
pub struct OfSeeds {
    #[command(flatten)]
    pub whom: Whom,
    /// Where the registry keeps its rows: memory, sqlite, or for a search both
    #[arg(long, value_parser = values::stores)]
    pub store: Option<Stores>,
    /// Change every generated plan, as calm-clocks, no-crashes or one-worker
    #[arg(long, value_name = "NAME", value_parser = values::profile)]
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
    Determinism(Determinism),
    /// Judge old histories by today's laws
    Rejudge {
        /// A history, or a folder of them
        histories: PathBuf,
    },
    /// Compare two histories: the first event that differs
    Diff { one: PathBuf, other: PathBuf },
    /// Each law, with its sentence
    Laws(Whom),
    /// What can stand in a plan: a step of every kind
    Steps,
    /// Look for what keeps runs from being repeatable: flags, toolchain, the machine
    Doctor,
    /// The hash of each seed's run, a line each
    #[command(hide = true)]
    Hashes(Hashes),
    /// Every event of a run, a line each
    #[command(hide = true)]
    Events(Events),
}

impl Command {
    /// What was asked for of the subject and its plans, where a command is about any.
    pub fn of_seeds(&self) -> OfSeeds {
        match self {
            Self::Run(Run { of_seeds, .. })
            | Self::Replay(Replay { of_seeds, .. })
            | Self::Shrink(Shrink { of_seeds, .. })
            | Self::Keep(Keep { of_seeds, .. })
            | Self::Determinism(Determinism { of_seeds, .. })
            | Self::Hashes(Hashes { of_seeds, .. })
            | Self::Events(Events { of_seeds, .. }) => of_seeds.clone(),
            Self::Regressions(Regressions { whom, .. }) | Self::Laws(whom) => {
                OfSeeds { whom: whom.clone(), ..OfSeeds::default() }
            }
            Self::Sabotage(_) | Self::Rejudge { .. } | Self::Diff { .. } | Self::Steps | Self::Doctor => {
                OfSeeds::default()
            }
        }
    }
}

#[derive(clap::Args)]
pub struct Determinism {
    /// A range such as 0..1000
    #[arg(long, default_value = "0..1000", value_parser = parse_range, allow_hyphen_values = true)]
    pub seeds: Range<u64>,
    /// Another build of this program, to compare with
    #[arg(long, value_name = "PROGRAM")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    pub of_seeds: OfSeeds,
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
    pub of_seeds: OfSeeds,
}

#[derive(clap::Args)]
pub struct Events {
    pub what: String,
    #[command(flatten)]
    pub of_seeds: OfSeeds,
}

#[derive(clap::Args)]
pub struct Sabotage {
    /// Only these; all of them, unless you say
    pub names: Vec<String>,
    /// Seeds to try for each, from each start
    #[arg(long, default_value_t = WORST_BAR, value_parser = values::most, allow_negative_numbers = true)]
    pub most: u64,
    /// As JSON: the rows, and the figures of the whole catalogue
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args)]
pub struct Run {
    /// A range such as 0..10000; the standard search, unless you say
    #[arg(long, value_parser = parse_range, allow_hyphen_values = true, conflicts_with = "seeds_from")]
    pub seeds: Option<Range<u64>>,
    /// Search for so long, as 30s, 10m or 2h, from seed 0 upwards
    #[arg(long = "for", value_name = "TIME", value_parser = values::time, allow_hyphen_values = true, conflicts_with_all = ["seeds", "seeds_from"])]
    pub time: Option<Seconds>,
    /// Count seeds from one that belongs to this commit, or to any other text
    #[arg(long, value_name = "COMMIT", value_parser = values::commit, conflicts_with = "seeds_from")]
    pub start: Option<String>,
    /// The seeds of a file, one a line
    #[arg(long, value_name = "FILE")]
    pub seeds_from: Option<PathBuf>,
    /// One of so many equal parts, as 1/4
    #[arg(long, value_name = "i/n", allow_hyphen_values = true)]
    pub shard: Option<Shard>,
    /// Threads; as many as the machine has processors, unless you say
    #[arg(long, value_parser = values::jobs, allow_negative_numbers = true)]
    pub jobs: Option<usize>,
    /// Go on after a broken law
    #[arg(long)]
    pub keep_going: bool,
    /// Runs to spend on making a breaking plan smaller
    #[arg(long, default_value_t = BUDGET, value_parser = values::budget, hide = true)]
    pub budget: u64,
    /// Write summary.json, timings.json and failures/ there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub of_seeds: OfSeeds,
    #[command(flatten)]
    pub report: Report,
}

#[derive(clap::Args)]
pub struct Report {
    /// What standard output is for: human, json or github
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
    /// Write the drawing there
    #[arg(long, value_name = "FILE", requires = "timeline")]
    pub out: Option<PathBuf>,
    /// Stop at the event of this number
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
    pub of_seeds: OfSeeds,
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
    pub of_seeds: OfSeeds,
}

#[derive(clap::Args)]
pub struct Keep {
    /// A seed, or the file of a plan or regression
    #[arg(allow_negative_numbers = true)]
    pub what: String,
    /// What happens in it, for people
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
    pub of_seeds: OfSeeds,
}

#[derive(clap::Args)]
pub struct Regressions {
    #[arg(default_value = "regressions")]
    pub folder: PathBuf,
    #[command(flatten)]
    pub whom: Whom,
    #[command(flatten)]
    pub report: Report,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_fencepost_is_the_standard_search() {
        let run = |words: &[&str]| match parse(&words.iter().map(OsString::from).collect::<Vec<_>>()) {
            Ok(arguments) => match arguments.command() {
                Command::Run(run) => run,
                _ => panic!("another command"),
            },
            Err(_) => panic!("it is understood"),
        };
        for words in [&["fencepost"][..], &["fencepost", "run"]] {
            let run = run(words);
            assert!(run.seeds.is_none() && run.time.is_none() && run.jobs.is_none() && !run.keep_going);
        }
        assert_eq!(run(&["fencepost", "--seeds", "3..9"]).seeds, Some(3..9));
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for words in [
            vec!["fencepost", "dance"],
            vec!["fencepost", "replay"],
            vec!["fencepost", "run", "--seeds", "9..1"],
            vec!["fencepost", "run", "--for", "1m", "--seeds", "0..9"],
            vec!["fencepost", "run", "--fur", "1m"],
            vec!["fencepost", "rejudge", "found", "--store", "sqlite"],
            vec!["fencepost", "--seeds", "0..9", "replay", "1"],
        ] {
            let why = understands(&words).unwrap_err();
            assert!(!why.contains('\n') && !why.contains("Usage") && why.len() > 20, "{why}");
        }
    }
}
