//! The sections of pages that are generated: laws, coverage marks, planted bugs, profiles, and the help of every command.

use std::path::Path;
use std::process::Command;

use fencepost_sim::coverage::Mark;
use fencepost_sim::generate::profile;
use fencepost_sim::laws::Laws;
use fencepost_sim::plan::{Plan, Store};
use fencepost_sim::planted;

use crate::docs::read;

pub fn section(name: &str) -> String {
    match name {
        "laws" => laws(),
        "coverage marks" => coverage_marks(),
        "planted bugs" => planted_bugs(),
        "profiles" => profiles(),
        "commands" => commands(),
        _ => panic!("nothing generates a section `{name}`"),
    }
}

fn laws() -> String {
    let mut table = "| law | sentence | planted bugs that it must catch |\n|---|---|---|\n".to_owned();
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

fn planted_bugs() -> String {
    let mut table = "| planted bug | real bug that it stands for |\n|---|---|\n".to_owned();
    for planted in planted::all() {
        table.push_str(&format!("| `{}` | {} |\n", planted.name, planted.stands_for));
    }
    table
}

fn profiles() -> String {
    let mut table = "| profile | what is left of a plan |\n|---|---|\n".to_owned();
    for profile in profile::ALL {
        table.push_str(&format!("| `{}` | {} |\n", profile.name, profile.sentence));
    }
    table
}

/// A list for each file that decides marks, below the first sentence of that file.
fn coverage_marks() -> String {
    let table = read(Path::new("sim/src/coverage/mark.rs"));
    let mut lists: Vec<(&str, String)> = Vec::new();
    for mark in Mark::ALL {
        let file = file_of(&table, mark.name());
        let only = match mark.required_store() {
            None => "",
            Some(Store::Memory) => " (only in memory)",
            Some(Store::Sqlite) => " (only on SQLite)",
        };
        let line = format!("- {}{only}\n", mark.name());
        match lists.iter_mut().find(|(known, _)| *known == file) {
            Some((_, list)) => list.push_str(&line),
            None => lists.push((file, line)),
        }
    }
    let lists = lists.into_iter().map(|(file, list)| {
        let source = read(&Path::new("sim/src/coverage").join(format!("{file}.rs")));
        format!("## `{file}.rs`\n\n{}\n\n{list}\n", first_sentence(&source))
    });
    lists.collect()
}

/// The file in which a mark is decided, from its line of the table of marks.
fn file_of<'a>(table: &'a str, mark: &str) -> &'a str {
    let (_, after) = table
        .split_once(&format!(", \"{mark}\", "))
        .unwrap_or_else(|| panic!("mark.rs has no line for `{mark}`"));
    after.split([';', ',']).next().unwrap()
}

/// The first sentence of the `//!` lines of a file.
fn first_sentence(source: &str) -> String {
    let head = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let head = head.collect::<Vec<_>>().join(" ");
    let end = head.find(". ").map_or(head.len(), |end| end + 1);
    head[..end].to_owned()
}

/// The help of the program and of each of its commands.
fn commands() -> String {
    let overview = help(&[]);
    let mut text = format!("```text\n{}\n```\n", overview.trim_end());
    for name in names(&overview) {
        text.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help(&[name]).trim_end()));
    }
    text
}

/// The commands that the program lists in its help.
fn names(overview: &str) -> Vec<&str> {
    let listed = overview.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    // Lines that are indented further go on with what a command is for.
    let of_commands = listed.lines().filter(|line| !line.starts_with("   "));
    let names = of_commands.filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 10, "{overview}");
    names
}

/// The program's answer to `--help`, without its name's path.
fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_fencepost")).args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "{command:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
