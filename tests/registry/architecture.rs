//! The parts of `src/`: what each is for, what it imports and what it must never know. ARCHITECTURE.md shows this
//! table.

#[path = "../architecture/mod.rs"]
mod sources;

use std::path::{Path, PathBuf};

use sources::{Architecture, Part, part_of};

/// In reading order.
const PARTS: &[Part] = &[
    Part {
        name: "model",
        idea: "plain data: processes, leases, events, handles, errors, and the rows that a store keeps of them",
        imports: &[],
        never_knows: "a rule, a store, the time",
    },
    Part {
        name: "environment",
        idea: "the only way to clocks, sleep, tasks, entropy and the liveness of others; `System` is production",
        imports: &["model"],
        never_knows: "what it is used for",
    },
    Part {
        name: "panics",
        idea: "catches panics in code that is not ours",
        imports: &[],
        never_knows: "whose code it was",
    },
    Part {
        name: "rules",
        idea: "every decision of the registry and of the worker, as pure functions in a table that can be replaced",
        imports: &["model"],
        never_knows: "a clock, a store, an await",
    },
    Part {
        name: "store",
        idea: "keeps rows, all or nothing in one atomic step: in memory, in SQLite or on a Postgres server",
        imports: &["model"],
        never_knows: "whether a lease is live",
    },
    Part {
        name: "registry",
        idea: "the trait that users hold, calls as values, and the ways to a registry: inline, on a thread, watched, remote",
        imports: &["environment", "model", "panics", "rules", "store"],
        never_knows: "who works on a process",
    },
    Part {
        name: "awaiter",
        idea: "waits for an outcome or an event: reads, then sleeps until a tick or a backoff, and reads again",
        imports: &["environment", "model", "registry"],
        never_knows: "who writes",
    },
    Part {
        name: "work",
        idea: "engines and their bodies: what a body may do, and what is believed of the lease it runs under",
        imports: &["awaiter", "environment", "model", "registry", "rules"],
        never_knows: "how a lease was won",
    },
    Part {
        name: "worker",
        idea: "sweeps the registry and makes one attempt on each row: claim, renew, run the body, end",
        imports: &["awaiter", "environment", "model", "panics", "registry", "rules", "work"],
        never_knows: "a store",
    },
    Part {
        name: "driver",
        idea: "the host's handle: a watched registry, whoever runs its rows, and waits",
        imports: &["awaiter", "environment", "model", "registry", "worker"],
        never_knows: "a lease",
    },
    Part {
        name: "testing",
        idea: "for tests of any registry: the conformance suite, a reference model, an environment that is turned by hand, a Postgres server",
        imports: &["environment", "model", "registry"],
        never_knows: "our rules and stores",
    },
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
fn nothing_in_the_system_names_a_simulator_or_a_clock_of_its_own() {
    let words = ["madsim", "SystemTime::now", "Instant::now", "thread_rng", "HashMap", "HashSet"];
    let wrong = architecture().forbidden(&words, |path| part_of(path) != "environment");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_opens_with_its_idea() {
    let without = architecture().files_without_an_idea();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn no_two_types_share_a_name() {
    let doubled = sources::type_names::defined_twice(&[&folder()]);
    assert!(doubled.is_empty(), "{doubled:#?}");
}

#[test]
fn the_document_shows_this_table() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    if let Err(why) = architecture().check_document(&document, "src") {
        panic!("{why}");
    }
}
