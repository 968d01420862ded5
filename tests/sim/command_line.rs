//! The binary, run as users run it: what it says, and the code it ends with.

use std::path::Path;
use std::process::{Command, Output};

fn fencepost(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fencepost")).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_search_of_the_true_system_ends_with_its_table_and_zero() {
    let output = fencepost(&["run", "--seeds", "0..100", "--jobs", "2"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for wanted in ["stale-writer-refused", "100 seeds", "simulated", "seeds a second"] {
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn a_broken_law_is_reported_with_its_small_plan_and_the_lines_that_lead_on() {
    let output = fencepost(&["run", "--seeds", "0..100", "--subject", "renew-then-write"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let law = said.split(':').next().unwrap();
    let laws = fencepost_sim::laws::Laws::new(&fencepost_sim::plan::Plan::quiet(0));
    let sentence = laws.all().into_iter().find(|known| known.name() == law).map(|known| known.sentence());
    assert!(said.starts_with(&format!("{law}: {}", sentence.expect("it starts with a law"))), "{said}");
    let replay = said
        .lines()
        .find_map(|line| line.strip_prefix("replay it:  cargo run --release -- "))
        .expect("it says how");
    let again = fencepost(&replay.split_whitespace().collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn bad_input_is_one_sentence_and_four() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let quiet = fencepost_sim::plan::Plan::quiet(1).to_string();
    let no_step = file("step.toml", &quiet.replace("steps = []", "steps = [\"1s explode\"]"));
    let newer = file("newer.toml", &quiet.replace("format = 1", "format = 9"));
    let no_plan = file("none.toml", "a = [");
    let stranger =
        file("stranger.toml", &quiet.replace("steps = []", "steps = [\"1s pause worker-9 for 1s\"]"));
    let with = |name: &str, from: &str, to: &str| file(name, &quiet.replace(from, to));
    let steps = |name: &str, steps: &str| with(name, "steps = []", &format!("steps = [{steps}]"));
    let circle = steps(
        "circle.toml",
        "\"0s register p1 rerunnable awaits p2\", \"0s register p2 rerunnable awaits p1\"",
    );
    let endless = steps("endless.toml", "\"0s register p1 rerunnable 60000 steps of 9223372036854775807ms\"");
    let far_step = steps("far.toml", "\"0s step registry by +9223372036854775807ms\"");
    let wraps = with("wraps.toml", "renew_ms = 1000", "renew_ms = 6148914691236517206");
    let slow = with("slow.toml", "slowest_us = 3000", "slowest_us = 600000");
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["replay", &circle], "awaits itself"),
        (vec!["replay", &endless], "further than a day"),
        (vec!["replay", &far_step], "further than a day"),
        (vec!["replay", &wraps], "three times renew_ms"),
        (vec!["replay", &slow], "quicker than renew_ms"),
        (vec!["run", "--seeds", "9..1"], "no range of seeds"),
        (vec!["run", "--seeds", "all"], "no range of seeds"),
        (vec!["run", "--subject", "nobody"], "there is no subject `nobody`"),
        (vec!["replay", "missing.toml"], "cannot be read"),
        (vec!["replay", "1", "--timeline", "music"], "no timeline of kind `music`"),
        (vec!["replay", &no_step], "nothing that can happen is called so"),
        (vec!["replay", &no_step], "line "),
        (vec!["replay", &newer], "of format 9"),
        (vec!["replay", &no_plan], "line 1"),
        (vec!["replay", &stranger], "names worker-9"),
        (vec!["shrink", "1"], "breaks no law"),
        (vec!["shrink", "0", "--subject", "renew-then-write", "--law", "peace"], "does not break `peace`"),
        (vec!["dance"], "unrecognized subcommand"),
    ];
    for (arguments, why) in cases {
        let output = fencepost(&arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn runs_do_not_differ_between_processes_threads_and_builds() {
    let output =
        fencepost(&["determinism", "--seeds", "0..60", "--against", env!("CARGO_BIN_EXE_fencepost")]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("no run differs"), "{said}");
}

#[test]
fn a_shrunk_plan_is_kept_as_a_regression_that_replays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept.toml");
    let kept = path.to_str().unwrap();
    let found =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../regressions/stale-writer-refused-renew-then-write.toml");
    let output = fencepost(&["shrink", found, "--budget", "300", "--out", kept]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(Path::new(kept).exists());
    let replayed = fencepost(&["replay", kept, "--timeline", "text"]);
    assert_eq!(replayed.status.code(), Some(1), "{}", said(&replayed));
    assert!(said(&replayed).contains("stale-writer-refused is broken"));
}

#[test]
fn a_page_goes_to_its_file_whole_or_alone_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.html");
    let found =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../regressions/stale-writer-refused-renew-then-write.toml");
    let replay = ["replay", found, "--timeline", "html"];
    let alone = fencepost(&replay);
    assert_eq!(alone.status.code(), Some(1));
    let written = fencepost(&[replay.as_slice(), &["--out", path.to_str().unwrap()]].concat());
    assert_eq!(written.status.code(), Some(1), "{}", said(&written));
    assert!(said(&written).contains("stale-writer-refused is broken at event"), "{}", said(&written));
    let page = std::fs::read(&path).unwrap();
    assert!(page.starts_with(b"<!DOCTYPE html>") && page.ends_with(b"</html>\n"));
    assert!(alone.stdout == page, "standard output has more or less than the page");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = path.join("below-a-file.html");
    let refused = fencepost(&[replay.as_slice(), &["--out", nowhere.to_str().unwrap()]].concat());
    assert_eq!(refused.status.code(), Some(4));
    assert!(said(&refused).contains("cannot be written"), "{}", said(&refused));
}

#[test]
fn the_last_seeds_there_are_can_be_searched() {
    let output = fencepost(&["run", "--seeds", "18446744073709551613..18446744073709551615", "--jobs", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("2 seeds"));
}

#[test]
fn a_search_that_is_too_small_for_every_mark_names_what_it_missed_and_is_judged_by_its_laws() {
    let output = fencepost(&["run", "--seeds", "0..3"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("never reached: ") && said(&output).contains("judged by its laws alone"));
}
