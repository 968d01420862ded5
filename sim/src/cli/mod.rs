//! The command line. `arguments` parses it, and each command is a file of its own. Exit codes: 0 all laws hold, 1 a law is
//! broken, 2 inconclusive, 3 not deterministic, 4 bad input or a failure of the harness itself.

mod arguments;
mod command_options;
mod command_report;
mod config_file;
mod determinism;
mod diff;
mod doctor;
mod error;
mod history_files;
mod interrupt;
mod invocation;
mod job_summary;
mod keep;
mod laws;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "live")]
mod live_values;
mod new_regression;
mod output_folder;
mod plan_source;
mod progress;
mod proof_progress;
mod prove;
mod regressions;
mod rejudge;
mod replay;
mod run;
mod sabotage;
mod shell_files;
mod shrink;
mod stdout;
mod step_progress;
mod terminal;
mod values;
mod wrap;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use crate::plan::all_kinds::examples;
use crate::search::Conclusion;
use crate::subject::Subject;
use crate::support::panics;

use arguments::{Arguments, Command};
use config_file::Settings;
use error::{CliError, CommandResult};
use invocation::Invocation;
use values::Stores;

pub use arguments::check_usage;

/// Runs the command line that the process was started with, for the true system.
pub fn main() -> ExitCode {
    main_for(&Subject::fencepost())
}

/// The same for a subject of your own, called by your own binary.
pub fn main_for(own: &Subject) -> ExitCode {
    main_for_all(std::slice::from_ref(own))
}

/// The same for several subjects, chosen by `--subject NAME`; the first is the default. The true system and the planted
/// bugs can be chosen, too.
pub fn main_for_all(own: &[Subject]) -> ExitCode {
    ExitCode::from(run_command_line(std::env::args_os().collect(), own))
}

/// Runs one command line, of which the first word is the program's name, and gives the exit code.
pub fn run_command_line(words: Vec<OsString>, own: &[Subject]) -> u8 {
    let arguments = match arguments::parse(&words) {
        Ok(arguments) => arguments,
        Err(arguments::ParseError::Help(help)) => {
            stdout::raw(&help);
            return stdout::end(0);
        }
        Err(arguments::ParseError::Usage(why)) => {
            stdout::complain(&why);
            return 4;
        }
    };
    panics::remember_instead_of_printing();
    let outcome = catch_unwind(AssertUnwindSafe(|| run_command(arguments, &words, own)));
    let code = match outcome {
        Ok(Ok(conclusion)) => conclusion.exit_code(),
        Ok(Err(error)) => {
            stdout::complain(&error.to_string());
            4
        }
        Err(payload) => {
            let said = panics::told(payload.as_ref());
            stdout::complain(&format!("the harness itself failed, which is a bug in it: {said}"));
            4
        }
    };
    stdout::end(code)
}

fn run_command(arguments: Arguments, words: &[OsString], own: &[Subject]) -> CommandResult {
    terminal::set_colours(arguments.color);
    let is_quiet = arguments.quiet;
    let config = arguments.config.clone();
    let command = arguments.command();
    let is_search = matches!(command, Command::Run(_));
    let asked = command.plan_options();
    if asked.store.as_ref().is_some_and(|Stores(stores)| stores.len() > 1) && !is_search {
        return Err(CliError("`--store both` is for a search: say memory or sqlite".to_owned()));
    }
    let mut settings = if command.has_seeds() {
        config_file::settings(config.as_deref(), asked.profile.as_deref())?
    } else {
        Settings::default()
    };
    // A seed is run on one store: the one that its subject needs.
    let is_of_search = |Stores(stores): &Stores| stores.len() > 1 && !is_search;
    settings.store = settings.store.filter(|stores| !is_of_search(stores));
    let invocation = Invocation::new(words, own, asked, settings, is_quiet)?;
    match command {
        Command::Run(wanted) => run::run(wanted, &invocation),
        Command::Prove(wanted) => prove::prove(&wanted, &invocation),
        Command::Replay(wanted) => replay::replay(wanted, &invocation),
        Command::Shrink(wanted) => shrink::shrink_to(&wanted, &invocation),
        Command::Keep(wanted) => keep::keep(&wanted, &invocation),
        Command::Regressions(wanted) => regressions::regressions(&wanted, &invocation),
        Command::Sabotage(wanted) => sabotage::kill(&wanted, &invocation),
        Command::Determinism(wanted) => determinism::check(&wanted, &invocation),
        Command::Rejudge { histories } => rejudge::rejudge_all(&histories),
        Command::Diff { one, other } => diff::diff(&one, &other),
        Command::Laws(_) => laws::laws(&invocation.subject()?),
        Command::Steps => {
            examples().for_each(stdout::line);
            Ok(Conclusion::Holds)
        }
        Command::Doctor => doctor::doctor(config.as_deref()),
        Command::Completions(wanted) => shell_files::completions(wanted.shell, words),
        Command::Man(wanted) => shell_files::man(wanted.command.as_deref()),
        Command::Version => {
            stdout::line(format_args!("fencepost {}", env!("CARGO_PKG_VERSION")));
            Ok(Conclusion::Holds)
        }
        Command::Hashes(wanted) => determinism::hashes(&wanted, &invocation),
        #[cfg(feature = "live")]
        Command::Live(wanted) => live::live(&wanted, &invocation),
        #[cfg(feature = "live")]
        Command::LiveChild => live::child(),
        Command::Events(wanted) => determinism::events(&wanted.what, &invocation),
    }
}
