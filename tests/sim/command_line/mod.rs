//! The binary, run as users run it: what it says, what it writes, and the code it ends with.

mod bad_input;
mod config;
mod exit_codes;
mod formats;
mod other_reports;
mod out_folder;
mod plans;
mod searches;
mod small_things;
mod terminal;
mod unfinished;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub const BINARY: &str = env!("CARGO_BIN_EXE_fencepost");

/// Below `fencepost`, as where it is installed; so the lines it tells to type can be read back.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg0("fencepost").args(arguments).env_remove("GITHUB_STEP_SUMMARY");
    command
}

pub fn fencepost(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Runs the program in this folder.
pub fn fencepost_in(folder: &Path, arguments: &[&str]) -> Output {
    command(arguments).current_dir(folder).output().unwrap()
}

pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub fn heard(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A regression of a planted bug.
pub const HOLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../regressions/stale-writer-refused-renew-then-write.toml");

/// Every file below a folder, also the hidden ones.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

pub fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
