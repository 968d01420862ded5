//! Each exit code, met by the binary. What ours never does is done by a program of somebody's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use fencepost_sim::plan::Plan;
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::subject::{Schedule, Wakeup};
use fencepost_sim::{Subject, cli};

use super::{HOLE, fencepost, said};

#[test]
fn zero_all_laws_hold() {
    for arguments in
        [&["run", "--seeds", "0..5"][..], &["replay", "5"], &["laws"], &["replay", "5", "--store", "sqlite"]]
    {
        assert_eq!(fencepost(arguments).status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn one_a_law_is_broken() {
    for arguments in
        [&["run", "--seeds", "0..100", "--subject", "never-renews", "--budget", "9"][..], &["replay", HOLE]]
    {
        assert_eq!(fencepost(arguments).status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn two_a_law_is_undecided() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lies.toml");
    let plan = Plan::quiet(1).to_string().replace(
        "steps = []",
        "steps = [\"0s register p1 rerunnable 1 steps of 10ms\", \"1s disk lies about syncs for 1s\"]",
    );
    fs::write(&path, plan.replace("bound = 4", "bound = 4\nstore = \"sqlite\"")).unwrap();
    let output = fencepost(&["replay", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("it cannot be told whether one-live-grant holds"), "{}", said(&output));
}

#[test]
fn two_a_search_of_the_standard_size_missed_a_mark() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seeds.txt");
    // Ten thousand times one world is as large as the standard search, and has seen one world.
    fs::write(&path, "1\n".repeat(10_000)).unwrap();
    let output = fencepost(&["run", "--seeds-from", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("never reached: ") && said(&output).contains("INCONCLUSIVE"));
    fs::write(&path, "1\n".repeat(10)).unwrap();
    let smaller = fencepost(&["run", "--seeds-from", path.to_str().unwrap()]);
    assert_eq!(smaller.status.code(), Some(0), "{}", said(&smaller));
    assert!(
        said(&smaller).contains("coverage marks missed (required only in a full search): "),
        "{}",
        said(&smaller)
    );
}

#[test]
fn three_runs_differ() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("another-build");
    // It answers with other hashes than ours, and with events that begin as ours do.
    fs::write(&path, "#!/bin/sh\ncase $1 in hashes) printf '01\\n02\\n03\\n';; *) echo other;; esac\n")
        .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let output = fencepost(&["determinism", "--seeds", "0..3", "--against", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("first at event 0:"), "{}", said(&output));

    let leaky = ones_own(&["determinism", "--seeds", "0..40", "--subject", "leaky"]);
    assert_eq!(leaky.status.code(), Some(3), "{}", said(&leaky));
}

#[test]
fn runs_do_not_differ_between_processes_threads_and_builds() {
    for store in ["memory", "sqlite"] {
        let seeds = if store == "memory" { "0..60" } else { "0..10" };
        let same = env!("CARGO_BIN_EXE_fencepost");
        let output = fencepost(&["determinism", "--seeds", seeds, "--store", store, "--against", same]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains("no run differs"), "{said}");
    }
}

#[test]
fn four_the_harness_itself_panics_and_the_seed_is_named() {
    for jobs in ["1", "2"] {
        let output = ones_own(&["run", "--seeds", "0..50", "--subject", "in-pieces", "--jobs", jobs]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(
            said.contains("the harness itself panicked in seed 23") && said.contains("exit_codes.rs"),
            "{said}"
        );
        assert!(said.contains("23 of 50 seeds") && said.contains("NO VERDICT"), "{said}");
        assert!(!said.contains("note: run with `RUST_BACKTRACE"), "{said}");
    }
    let replayed = ones_own(&["shrink", "23", "--subject", "in-pieces"]);
    assert_eq!(replayed.status.code(), Some(4), "{}", said(&replayed));
    assert!(
        said(&replayed).contains("the harness itself failed, which is a bug in it"),
        "{}",
        said(&replayed)
    );
}

#[test]
fn a_program_of_ones_own_knows_its_subjects_the_true_system_and_the_planted_bugs() {
    let ran = |arguments: &[&str]| {
        let output = ones_own(&[&["run", "--seeds", "0..20", "--budget", "20"], arguments].concat());
        (output.status.code(), said(&output))
    };
    assert_eq!(ran(&[]).0, Some(0));
    assert_eq!(ran(&["--subject", "fencepost"]).0, Some(0));
    let (code, said) = ran(&["--subject", "renew-then-write"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--subject renew-then-write"), "{said}");
    let (code, said) = ran(&["--subject", "xyzzy"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("expected one of honest, leaky, in-pieces, fencepost, "), "{said}");
}

/// The command line of somebody's own binary, which is this one.
fn ones_own(arguments: &[&str]) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "command_line::exit_codes::a_program_of_ones_own",
            "--ignored",
            "--nocapture",
            "--quiet",
        ])
        .env(WORDS, arguments.join("\n"))
        .output()
        .unwrap()
}

const WORDS: &str = "FENCEPOST_TEST_WORDS";

/// Not a test: what [`ones_own`] runs.
#[test]
#[ignore = "a program that tests here start"]
fn a_program_of_ones_own() {
    let Ok(words) = std::env::var(WORDS) else { return };
    let words = std::iter::once("own").chain(words.lines());
    let honest = Subject { name: "honest", ..Subject::fencepost() };
    let leaky = Subject { name: "leaky", schedule: Some(|_| Box::new(ByAddress)), ..Subject::fencepost() };
    let in_pieces = Subject { name: "in-pieces", schedule: Some(panics_at_23), ..Subject::fencepost() };
    std::process::exit(i32::from(cli::run_command_line(
        words.map(Into::into).collect(),
        &[honest, leaky, in_pieces],
    )));
}

/// Orders tasks by where something happens to lie in memory.
struct ByAddress;

impl Schedule for ByAddress {
    fn place(&mut self, _: Wakeup) -> u64 {
        (std::ptr::from_ref(Box::leak(Box::new(0_u64))) as u64).wrapping_mul(0xd6e8_feb8_6659_fd93)
    }
}

fn panics_at_23(seed: Seed) -> Box<dyn Schedule> {
    struct InTurn;
    impl Schedule for InTurn {
        fn place(&mut self, wakeup: Wakeup) -> u64 {
            wakeup.task
        }
    }
    assert!(seed.0 != 23, "the world fell into pieces");
    Box::new(InTurn)
}
