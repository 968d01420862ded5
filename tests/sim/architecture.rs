//! The parts of `sim/src/`: what each is for, what it imports and what it must never know. ARCHITECTURE.md shows this table.

#[path = "../architecture/mod.rs"]
mod sources;

use std::path::{Path, PathBuf};

use sources::{Architecture, Part, part_of};

/// In reading order.
const PARTS: &[Part] = &[
    Part {
        name: "support",
        idea: "small helpers that know nothing of leases: files written whole, plurals, escaped markup, remembered panics",
        imports: &[],
        never_knows: "a plan or a run",
    },
    Part {
        name: "plan",
        idea: "a run as a value: header, steps as lines of text, one file per fault and per kind of work, chance, clocks",
        imports: &[],
        never_knows: "how a world carries it out",
    },
    Part {
        name: "generate",
        idea: "a plan from a seed, and profiles that change a generated plan",
        imports: &["plan"],
        never_knows: "how plans are judged",
    },
    Part {
        name: "history",
        idea: "events of 40 bytes with a typed view, the running hash, and one run recorded",
        imports: &["plan", "support"],
        never_knows: "who made the events",
    },
    Part {
        name: "disk",
        idea: "simulated files that lose, keep or tear writes until they are synced; the only place with `unsafe`",
        imports: &["plan"],
        never_knows: "which store writes to it",
    },
    Part {
        name: "lease",
        idea: "the narrow door: a lock behind four calls, or somebody's client before a simulated store, and what is promised",
        imports: &[],
        never_knows: "the world that runs it, a law's code",
    },
    Part {
        name: "subject",
        idea: "the system that is put to the test: our rules and settings, or anybody's registry, lock, workers and waits",
        imports: &["lease", "plan"],
        never_knows: "the world that runs it",
    },
    Part {
        name: "world",
        idea: "runs a plan: scheduler, network, machines, recorder, liveness phase; the only place that names madsim",
        imports: &["disk", "history", "lease", "plan", "subject", "support"],
        never_knows: "a law",
    },
    Part {
        name: "laws",
        idea: "one file per law: name, sentence, events it hears, verdict, explanation, planted bugs it must catch",
        imports: &["history", "plan"],
        never_knows: "the rules it judges, the world that ran them",
    },
    Part {
        name: "coverage",
        idea: "coverage marks: situations that a search must have reached",
        imports: &["history", "plan"],
        never_knows: "a law",
    },
    Part {
        name: "judge",
        idea: "one plan, run and judged; the longest time anybody acted under a grant that was no longer live",
        imports: &["coverage", "history", "laws", "plan", "subject", "world"],
        never_knows: "other runs",
    },
    Part {
        name: "shrink",
        idea: "a smaller plan that breaks the same law, and the necessity of each of its parts",
        imports: &["judge", "plan", "subject"],
        never_knows: "where the plan came from",
    },
    Part {
        name: "planted",
        idea: "the true system with one planted bug each, and controls that must survive",
        imports: &["laws", "plan", "subject"],
        never_knows: "how bugs are found",
    },
    Part {
        name: "live",
        idea: "the laws over a real system: processes, signals, a real store, and one history of what they wrote down",
        imports: &["history", "plan", "planted", "subject", "world"],
        never_knows: "a law, how results are printed",
    },
    Part {
        name: "search",
        idea: "many seeds on several threads, and the one policy: when to stop, what is broken, what is inconclusive",
        imports: &[
            "coverage", "generate", "history", "judge", "laws", "plan", "shrink", "subject", "support",
        ],
        never_knows: "how results are printed",
    },
    Part {
        name: "prove",
        idea: "every run of a small world in which at most so many things go wrong: scopes, deviations, points, statements",
        imports: &["history", "judge", "laws", "plan", "search", "subject", "support", "world"],
        never_knows: "how a planted bug is made, how results are printed",
    },
    Part {
        name: "matrix",
        idea: "the kill matrix: which law kills which planted bug, after how many seeds and with how few deviations",
        imports: &["history", "judge", "plan", "planted", "prove", "search", "shrink", "subject", "support"],
        never_knows: "how results are printed",
    },
    Part {
        name: "regressions",
        idea: "regression files: how one is kept, and what its replay must go on showing",
        imports: &["history", "judge", "laws", "plan", "planted", "subject", "support"],
        never_knows: "the command line",
    },
    Part {
        name: "timeline",
        idea: "a history drawn as text and as one page",
        imports: &["history", "judge", "laws", "plan", "support"],
        never_knows: "how the run was made",
    },
    Part {
        name: "report",
        idea: "results of searches and proofs as plain data, and the writers for each format",
        imports: &[
            "coverage", "history", "judge", "laws", "lease", "live", "prove", "search", "shrink", "subject",
            "support", "timeline",
        ],
        never_knows: "the command line",
    },
    Part {
        name: "check",
        idea: "the harness in a `#[test]`: one call, and plans as a `proptest` strategy",
        imports: &["coverage", "generate", "judge", "laws", "plan", "prove", "report", "search", "subject"],
        never_knows: "the command line",
    },
    Part {
        name: "cli",
        idea: "the command line: it parses, calls and prints, one file per command",
        imports: &[
            "coverage",
            "generate",
            "history",
            "judge",
            "laws",
            "live",
            "matrix",
            "plan",
            "planted",
            "prove",
            "regressions",
            "report",
            "search",
            "shrink",
            "subject",
            "support",
            "timeline",
        ],
        never_knows: "how anything is decided",
    },
];

/// Words of other crates, and the only parts that may use them.
const FOREIGN: &[(&str, &[&str])] = &[
    ("madsim::", &["world"]),
    ("fencepost::rules", &["subject", "planted"]),
    ("fencepost::registry::apply", &[]),
    ("std::thread", &["search", "prove", "matrix", "cli", "live", "world"]),
    ("unsafe ", &["disk"]),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn architecture() -> Architecture {
    Architecture::read(&folder(), PARTS)
}

#[test]
fn every_part_imports_exactly_what_the_table_says() {
    let wrong = architecture().wrong_imports();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_parts_import_each_other_in_a_circle() {
    assert_eq!(architecture().circle_of_parts(), None);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_eq!(architecture().circle_of_files(), None);
}

#[test]
fn only_the_named_parts_use_the_simulator_the_rules_threads_and_unsafe() {
    for (word, parts) in FOREIGN {
        let wrong = architecture().forbidden(&[word], |path| {
            let part = part_of(path);
            !parts.contains(&part.as_str()) && part != "lib" && part != "main"
        });
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn every_file_opens_with_its_idea() {
    let without = architecture().files_without_an_idea();
    assert!(without.is_empty(), "{without:?}");
}

/// `Store` is the registry's trait to a reader of `src`, and the kind of store in a plan to a reader of `sim`.
#[test]
fn no_two_types_share_a_name() {
    let system = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let doubled = sources::type_names::defined_twice(&[&system, &folder()]);
    assert_eq!(doubled.keys().collect::<Vec<_>>(), ["Store"], "{doubled:#?}");
}

#[test]
fn the_document_shows_this_table() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md");
    if let Err(why) = architecture().check_document(&document, "sim/src") {
        panic!("{why}");
    }
}
