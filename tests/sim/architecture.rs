//! Who may name whom in the harness. ARCHITECTURE.md draws it for people; this holds the sources to it. Only the world
//! names the simulator, and no law names a rule of the system or the world that ran it.

use std::path::{Path, PathBuf};

const MAY_NAME: &[(&str, &[&str])] = &[
    ("seed", &[]),
    ("seeds", &[]),
    ("whole_file", &[]),
    ("panics", &[]),
    ("markup", &[]),
    ("counted", &[]),
    ("clock", &[]),
    ("disk", &["seed"]),
    ("event", &[]),
    ("step", &["plan"]),
    ("plan", &["step"]),
    ("generate", &["plan", "seed", "step"]),
    // The generator, in its tests.
    ("profile", &["generate", "plan", "seed", "step"]),
    ("subject", &["plan", "seed", "world"]),
    ("world", &["clock", "disk", "event", "panics", "plan", "seed", "step", "subject"]),
    ("laws", &["event", "plan"]),
    ("zombie", &["clock", "event", "plan", "step"]),
    ("marks", &["event", "plan", "step"]),
    ("history", &["counted", "event", "plan"]),
    ("judge", &["event", "history", "laws", "marks", "plan", "subject", "world", "zombie"]),
    ("shrink", &["judge", "plan", "step", "subject"]),
    ("needs", &["judge", "plan", "shrink", "subject"]),
    ("sabotage", &["plan", "subject", "world"]),
    ("matrix", &["generate", "history", "judge", "panics", "plan", "sabotage", "seed", "shrink", "subject"]),
    ("corpus", &["event", "judge", "laws", "plan", "sabotage", "subject", "whole_file"]),
    (
        "search",
        // The world, in its tests.
        &["generate", "judge", "panics", "plan", "profile", "seed", "seeds", "subject", "world"],
    ),
    ("determinism", &["judge", "search"]),
    ("timeline", &["event", "history", "judge", "markup", "plan", "step"]),
    (
        "report",
        &[
            "counted", "event", "history", "judge", "laws", "marks", "markup", "needs", "panics", "plan",
            "subject", "timeline",
        ],
    ),
    ("check", &["generate", "laws", "marks", "plan", "report", "search", "seed", "shrink", "subject"]),
    ("property", &["check", "generate", "judge", "plan", "seed", "subject"]),
    (
        "cli",
        &[
            "corpus",
            "counted",
            "determinism",
            "event",
            "generate",
            "history",
            "judge",
            "laws",
            "marks",
            "matrix",
            "panics",
            "plan",
            "profile",
            "report",
            "sabotage",
            "search",
            "seed",
            "seeds",
            "shrink",
            "step",
            "subject",
            "timeline",
            "whole_file",
        ],
    ),
];

/// Words of other crates that only these parts may say.
const FOREIGN: &[(&str, &[&str])] = &[
    ("madsim::", &["world"]),
    ("fencepost::rules", &["subject", "sabotage"]),
    ("fencepost::apply", &[]),
    ("std::thread", &["search", "determinism", "matrix", "cli"]),
    ("unsafe ", &["disk"]),
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn part_of(path: &Path) -> String {
    let inside = path.strip_prefix(src()).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// What is not Rust goes into the program as it is.
fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// The code of a file, without comments.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_part_names_only_what_it_may() {
    let mut wrong = Vec::new();
    for path in sources(&src()).into_iter().filter(|path| is_rust(path)) {
        let part = part_of(&path);
        if part == "lib" || part == "main" {
            continue;
        }
        let (_, allowed) = MAY_NAME
            .iter()
            .find(|(name, _)| *name == part)
            .unwrap_or_else(|| panic!("say in MAY_NAME and ARCHITECTURE.md what `{part}` may name"));
        let code = code(&path);
        for (at, found) in code.match_indices("crate::") {
            let rest = &code[at + found.len()..];
            let named: String =
                rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            assert!(!named.is_empty(), "{} hides parts in braces", path.display());
            if named != part && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{part} names {named} ({})", path.display()));
            }
        }
        for (word, who) in FOREIGN {
            if code.contains(word) && !who.contains(&part.as_str()) {
                wrong.push(format!("{part} says `{word}` ({})", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_opens_with_its_idea_and_the_map_names_every_part() {
    let map = std::fs::read_to_string(src().join("../../ARCHITECTURE.md")).unwrap();
    for path in sources(&src()) {
        let text = std::fs::read_to_string(&path).unwrap();
        let opening = match path.extension().and_then(|extension| extension.to_str()) {
            Some("css") => "/* ",
            Some("html") => "<!DOCTYPE html>",
            _ => "//! ",
        };
        assert!(text.starts_with(opening), "{} does not say what it is for", path.display());
        let part = part_of(&path);
        assert!(
            map.contains(&format!("`{part}`")) || ["lib", "main"].contains(&part.as_str()),
            "ARCHITECTURE.md does not name `{part}`"
        );
    }
}
