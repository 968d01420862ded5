//! Who may name whom in the harness. ARCHITECTURE.md draws it for people; this holds the sources to it. Only the world
//! names the simulator, and no law names a rule of the system or the world that ran it.

use std::path::{Path, PathBuf};

const MAY_NAME: &[(&str, &[&str])] = &[
    ("support", &[]),
    ("plan", &[]),
    ("disk", &["plan"]),
    ("history", &["plan", "support"]),
    ("generate", &["plan"]),
    ("subject", &["plan", "world"]),
    ("world", &["disk", "history", "plan", "subject", "support"]),
    ("laws", &["history", "plan"]),
    ("coverage", &["history", "plan"]),
    ("judge", &["coverage", "history", "laws", "plan", "subject", "world"]),
    ("shrink", &["judge", "plan", "subject"]),
    ("planted", &["laws", "plan", "subject", "world"]),
    ("matrix", &["generate", "history", "judge", "plan", "planted", "shrink", "subject", "support"]),
    ("regressions", &["history", "judge", "laws", "plan", "planted", "subject", "support"]),
    ("search", &["generate", "judge", "plan", "subject", "support", "world"]),
    ("timeline", &["history", "judge", "laws", "plan", "support"]),
    ("report", &["coverage", "history", "judge", "laws", "plan", "shrink", "subject", "support", "timeline"]),
    ("check", &["coverage", "generate", "judge", "laws", "plan", "report", "search", "shrink", "subject"]),
    (
        "cli",
        &[
            "coverage",
            "generate",
            "history",
            "judge",
            "laws",
            "matrix",
            "plan",
            "planted",
            "regressions",
            "report",
            "search",
            "shrink",
            "subject",
            "support",
            "timeline",
        ],
    ),
];

/// Words of other crates that only these parts may say.
const FOREIGN: &[(&str, &[&str])] = &[
    ("madsim::", &["world"]),
    ("fencepost::rules", &["subject", "planted"]),
    ("fencepost::registry::apply", &[]),
    ("std::thread", &["search", "matrix", "cli"]),
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
