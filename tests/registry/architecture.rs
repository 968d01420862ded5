//! Who may name whom. ARCHITECTURE.md draws it for people; this holds the sources to it.

use std::path::{Path, PathBuf};

/// The parts of `src/`, and the parts each may name. A part is a file or a folder of the crate's root.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("environment", &["model"]),
    ("panics", &[]),
    ("rules", &["model"]),
    ("store", &["model"]),
    ("registry", &["model", "environment", "panics", "rules", "store"]),
    ("awaiter", &["model", "environment", "registry"]),
    ("work", &["model", "awaiter", "environment", "registry", "rules"]),
    ("worker", &["model", "awaiter", "environment", "panics", "registry", "rules", "work"]),
    ("driver", &["model", "awaiter", "environment", "registry", "worker"]),
    ("testing", &["model", "environment", "registry"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The first component below `src/`, without its ending.
fn part_of(path: &Path) -> String {
    let inside = path.strip_prefix(src()).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// What `crate::…` paths in this text name, comments apart. `no_use_hides_parts_in_braces`
/// keeps that enough.
fn named_in(text: &str) -> Vec<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(|line| {
        line.match_indices("crate::").map(move |(at, found)| {
            let rest = &line[at + found.len()..];
            rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>()
        })
    })
    .filter(|name| !name.is_empty())
    .collect()
}

#[test]
fn every_part_names_only_what_it_may() {
    let mut wrong = Vec::new();
    for path in sources(&src()) {
        let part = part_of(&path);
        if part == "lib" {
            continue;
        }
        let (_, allowed) = MAY_NAME
            .iter()
            .find(|(name, _)| *name == part)
            .unwrap_or_else(|| panic!("say in MAY_NAME what `{part}` may name"));
        for named in named_in(&std::fs::read_to_string(&path).unwrap()) {
            let is_allowed = named == part
                || allowed.contains(&named.as_str())
                // A macro that the part exports stands at the crate's root.
                || named == "refused" || named == "conformance_tests";
            if !is_allowed {
                wrong.push(format!("{} names {named}", path.strip_prefix(src()).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_use_hides_parts_in_braces() {
    let hiding: Vec<_> = sources(&src())
        .into_iter()
        .filter(|path| std::fs::read_to_string(path).unwrap().contains("crate::{"))
        .collect();
    assert!(hiding.is_empty(), "{hiding:?}");
}

#[test]
fn nothing_in_the_system_names_a_simulator_or_a_clock_of_its_own() {
    let forbidden = ["madsim", "SystemTime::now", "Instant::now", "thread_rng", "HashMap", "HashSet"];
    let mut wrong = Vec::new();
    for path in sources(&src()).into_iter().filter(|path| part_of(path) != "environment") {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in forbidden.iter().filter(|word| text.contains(**word)) {
            wrong.push(format!("{} names {word}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_opens_with_its_idea() {
    let without: Vec<_> = sources(&src())
        .into_iter()
        .filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("//! "))
        .collect();
    assert!(without.is_empty(), "{without:?}");
}
