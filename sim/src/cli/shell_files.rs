//! `completions` and `man`: files for shells and for `man`, made of the definition of the command line.

use std::ffi::OsString;

use clap::Command;

use crate::cli::arguments::definition;
use crate::cli::error::{CliError, CommandResult};
use crate::cli::invocation::Invocation;
use crate::cli::stdout;
use crate::search::Conclusion;
use crate::support::unknown_name::unknown;

/// Prints the completions for a shell, for the program under the name by which it was called.
pub fn completions(shell: clap_complete::Shell, words: &[OsString]) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), Invocation::program_name(words), &mut script);
    stdout::raw(&String::from_utf8_lossy(&script));
    Ok(Conclusion::Holds)
}

/// Prints a manual page: of the program, or of one of its commands.
pub fn man(name: Option<&str>) -> CommandResult {
    let mut whole = definition();
    whole.build();
    let page = match name {
        None => whole,
        Some(name) => {
            let commands: Vec<&Command> =
                whole.get_subcommands().filter(|command| !command.is_hide_set()).collect();
            let names: Vec<&str> = commands.iter().map(|command| command.get_name()).collect();
            let found = commands.iter().find(|command| command.get_name() == name);
            let found = found.ok_or_else(|| CliError(unknown("command", name, &names)))?;
            Command::clone(found)
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|cause| CliError(format!("the manual page cannot be made: {cause}")))?;
    stdout::raw(&String::from_utf8_lossy(&text));
    Ok(Conclusion::Holds)
}
