//! README, run: every block that begins with `$ fencepost` is run in a folder like a fresh clone, in order, and what it says is
//! compared; the table of laws is the one there is. With UPDATE_README=1 what differs is written anew.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use fencepost_sim::laws::Laws;
use fencepost_sim::plan::Plan;
use fencepost_sim::planted;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Compares, or writes.
fn settle(wanted: &str, found: &str) {
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(workspace().join("README.md"), wanted).unwrap();
        return;
    }
    for (number, (wanted, found)) in (1..).zip(wanted.lines().zip(found.lines())) {
        assert_eq!(
            found, wanted,
            "README.md, line {number}: write it anew with UPDATE_README=1 cargo test readme"
        );
    }
    assert_eq!(wanted.len(), found.len(), "README.md ends too early or too late");
}

/// What a clone has, and a program called `fencepost`.
fn clone() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["regressions", ".cargo", "bin"] {
        fs::create_dir(at(name)).unwrap();
    }
    let regressions = fs::read_dir(workspace().join("regressions")).unwrap();
    let names =
        regressions.map(|entry| format!("regressions/{}", entry.unwrap().file_name().to_str().unwrap()));
    let others = [".cargo/config.toml", "Cargo.toml", "rust-toolchain.toml"].map(str::to_owned);
    for name in names.chain(others) {
        fs::copy(workspace().join(&name), at(&name)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_fencepost"), at("bin/fencepost")).unwrap();
    folder
}

fn said(command: &str, folder: &Path) -> String {
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-c", command]).current_dir(folder).env("PATH", path).env_remove("GITHUB_STEP_SUMMARY");
    for flag in ["RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        bash.env_remove(flag);
    }
    let output = bash.output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// One test: two that write would write over each other.
#[test]
fn its_commands_say_what_it_shows_and_its_table_is_of_the_laws_there_are() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let folder = clone();
    let mut told = String::new();
    let mut commands = 0;
    let (mut is_block, mut is_run, mut is_table) = (false, false, false);
    for line in readme.lines() {
        let is_fence = line.starts_with("```");
        if line == "<!-- /laws -->" {
            is_table = false;
        }
        if line.starts_with("$ fencepost") && is_block {
            is_run = true;
            told.push_str(line);
            told.push('\n');
            told.push_str(&said(&line[2..], folder.path()));
            commands += 1;
        } else if (!is_run || is_fence) && !is_table {
            told.push_str(line);
            told.push('\n');
        }
        if is_fence {
            (is_block, is_run) = (line == "```console", false);
        }
        if line == "<!-- laws -->" {
            told.push_str(&laws());
            is_table = true;
        }
    }
    assert!(commands >= 20, "only {commands} commands were found");
    settle(&told, &readme);
}

fn laws() -> String {
    let mut table = "| law | says | catches |\n|---|---|---|\n".to_owned();
    for law in Laws::new(&Plan::quiet(0)).all() {
        let caught: Vec<String> = planted::all()
            .filter(|planted| planted.law == law.name())
            .map(|planted| format!("`{}`", planted.name))
            .collect();
        let caught = if caught.is_empty() { "–".to_owned() } else { caught.join(", ") };
        table.push_str(&format!("| `{}` | {} | {caught} |\n", law.name(), law.sentence()));
    }
    table
}

/// What a command line does not say of itself, README must not say either: every command is told of.
#[test]
fn every_command_is_told_of() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_fencepost")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 10, "{help}");
    for name in names.into_iter().filter(|name| *name != "help") {
        assert!(readme.contains(&format!("**`{name}")), "{name}");
    }
}
