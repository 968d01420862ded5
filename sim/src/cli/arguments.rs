//! The command line as clap reads it: the commands and their help. Every value is checked here, and a usage error becomes one
//! sentence.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

#[cfg(feature = "live")]
use crate::cli::command_options::Live;
use crate::cli::command_options::{
    Completions, Determinism, Events, Hashes, Keep, Man, PlanOptions, Prove, Regressions, Replay, Run,
    Sabotage, Shrink, SubjectOption,
};

const EXIT_CODES: &str = "Exit codes:
  0  all laws hold
  1  a law is broken
  2  inconclusive: no law is broken, and too little was seen to say that none is
  3  not deterministic: two runs of one plan differ
  4  bad input, or the harness itself failed";

/// The same in one line, for the help of each command.
const EXIT_CODES_IN_A_LINE: &str = "Exit codes: 0 all laws hold, 1 a law is broken, 2 inconclusive, 3 not deterministic, \
    4 bad input or a failure of the harness";

#[derive(Parser)]
#[command(name = "fencepost", version, about = "Proves that leases are fenced, or shows where they are not")]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Colours of reports: auto, always or never; auto heeds NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: clap::ColorChoice,
    /// No progress, and of a search only the reports of broken laws, the verdict, and its reasons unless it holds
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// The file with profiles; fencepost.toml in the current folder, unless you say
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Options of run, which is what happens without a command")]
    run: Run,
}

impl Arguments {
    pub fn command(self) -> Command {
        self.command.unwrap_or(Command::Run(self.run))
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Search seeds for a broken law
    Run(Run),
    /// Run a small world under every combination of at most K deviations, such as faults
    Prove(Prove),
    /// Run one seed or plan again
    Replay(Replay),
    /// Make a breaking plan smaller
    Shrink(Shrink),
    /// Make a breaking plan smaller and keep it among the regressions, with its story
    Keep(Keep),
    /// Run every regression again
    Regressions(Regressions),
    /// Plant every bug and see which law catches it
    Sabotage(Sabotage),
    /// Run the same plans twice and compare every event
    Determinism(Determinism),
    /// Judge old histories by today's laws
    Rejudge {
        /// A history, or a folder of them
        histories: PathBuf,
    },
    /// Compare two histories: the first event that differs
    Diff {
        /// A history, as `replay --history` and `run --out` write it
        one: PathBuf,
        /// The history to compare it with
        other: PathBuf,
    },
    /// Each law, with its sentence
    Laws(SubjectOption),
    /// Print an example of every kind of step that a plan may have
    Steps,
    /// The laws over a real system: processes that are killed and stopped, and a real SQLite file or Postgres server
    #[cfg(feature = "live")]
    Live(Live),
    /// Look for what keeps runs from being repeatable: flags, toolchain, the machine
    Doctor,
    /// Print completions for a shell
    Completions(Completions),
    /// Print the manual page of the program or of one of its commands
    Man(Man),
    /// Print the version
    Version,
    /// The hash of each seed's run, a line each
    #[command(hide = true)]
    Hashes(Hashes),
    /// One worker or host of a live run
    #[cfg(feature = "live")]
    #[command(hide = true)]
    LiveChild,
    /// Every event of a run, a line each
    #[command(hide = true)]
    Events(Events),
}

impl Command {
    /// True, if it runs plans of seeds, which the file with profiles may change.
    pub fn has_seeds(&self) -> bool {
        matches!(
            self,
            Self::Run(_)
                | Self::Replay(_)
                | Self::Shrink(_)
                | Self::Keep(_)
                | Self::Determinism(_)
                | Self::Hashes(_)
                | Self::Events(_)
        )
    }

    /// The options for the subject and its plans, if the command has any.
    pub fn plan_options(&self) -> PlanOptions {
        match self {
            Self::Run(Run { plan_options, .. })
            | Self::Replay(Replay { plan_options, .. })
            | Self::Shrink(Shrink { plan_options, .. })
            | Self::Keep(Keep { plan_options, .. })
            | Self::Determinism(Determinism { plan_options, .. })
            | Self::Hashes(Hashes { plan_options, .. })
            | Self::Events(Events { plan_options, .. }) => plan_options.clone(),
            Self::Regressions(Regressions { subject_option, .. })
            | Self::Prove(Prove { subject_option, .. })
            | Self::Laws(subject_option) => {
                PlanOptions { subject_option: subject_option.clone(), ..PlanOptions::default() }
            }
            #[cfg(feature = "live")]
            Self::Live(_) | Self::LiveChild => PlanOptions::default(),
            Self::Sabotage(_)
            | Self::Rejudge { .. }
            | Self::Diff { .. }
            | Self::Steps
            | Self::Doctor
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Version => PlanOptions::default(),
        }
    }
}

/// A command line that is not carried out.
pub enum ParseError {
    /// Help or the version was asked for.
    Help(String),
    Usage(String),
}

/// Checks a command line, of which the first word is the program's name, without running it.
pub fn check_usage(words: &[&str]) -> Result<(), String> {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    match parse(&words) {
        Ok(_) | Err(ParseError::Help(_)) => Ok(()),
        Err(ParseError::Usage(why)) => Err(why),
    }
}

/// The whole command line, for its parser, its completions and its manual pages.
pub fn definition() -> clap::Command {
    // Never wrapped: whether clap would wrap depends on what else is built with it.
    <Arguments as CommandFactory>::command()
        .term_width(0)
        .mut_subcommands(|command| command.after_help(EXIT_CODES_IN_A_LINE).term_width(0))
}

pub fn parse(words: &[OsString]) -> Result<Arguments, ParseError> {
    let parsed = definition()
        .try_get_matches_from(asks_for_help(words))
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    parsed.map_err(|error| {
        let said = error.to_string();
        if error.use_stderr() { ParseError::Usage(one_sentence(&said)) } else { ParseError::Help(said) }
    })
}

/// `help --help` asks for help, which clap would take for a command of that name.
fn asks_for_help(words: &[OsString]) -> &[OsString] {
    match words {
        [_, help, flag] if help == "help" && (flag == "--help" || flag == "-h") => &words[..2],
        _ => words,
    }
}

/// The first paragraph of clap's message in one line.
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
    fn a_usage_error_is_one_line() {
        for words in [
            vec!["fencepost", "dance"],
            vec!["fencepost", "replay"],
            vec!["fencepost", "run", "--seeds", "9..1"],
            vec!["fencepost", "run", "--for", "1m", "--seeds", "0..9"],
            vec!["fencepost", "run", "--fur", "1m"],
            vec!["fencepost", "rejudge", "found", "--store", "sqlite"],
            vec!["fencepost", "--seeds", "0..9", "replay", "1"],
        ] {
            let why = check_usage(&words).unwrap_err();
            assert!(!why.contains('\n') && !why.contains("Usage") && why.len() > 20, "{why}");
        }
    }
}
