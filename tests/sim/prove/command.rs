//! The command: its exit codes, what it writes for people and for machines, and the regression that a breach leaves.

use std::fs;

use fencepost_sim::regressions;

use crate::command_line::{command, fencepost, fencepost_in, files, heard, json, said};

#[test]
fn a_scope_that_holds_is_stated_with_its_bound_and_what_was_held_fixed() {
    let output = fencepost(&["prove", "externally-owned", "--deviations", "1"]);
    let told = heard(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for words in [
        "externally-owned: complete with at most 1 deviation",
        "never put to the test: ",
        "held fixed:",
        "digest ",
        "HOLDS: no run of these scopes breaks a law",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn the_document_and_the_suite_are_read_back_and_the_digest_is_the_same_in_shards() {
    let folder = tempfile::tempdir().unwrap();
    let prove = |more: &[&str]| {
        let words = ["prove", "few-fences", "owner-bound", "--deviations", "0", "--format", "json"];
        json(&heard(&fencepost_in(folder.path(), &[words.as_slice(), more].concat())))
    };
    let whole = prove(&["--junit", "suite.xml", "--out", "out"]);
    assert_eq!((&whole["verdict"], &whole["scopes"][0]["complete"]), (&"holds".into(), &true.into()));
    let digest =
        |told: &serde_json::Value| u64::from_str_radix(told["digest"].as_str().unwrap(), 16).unwrap();
    let halves = ["1/2", "2/2"].map(|shard| digest(&prove(&["--shard", shard])));
    assert_eq!(digest(&whole), halves[0].wrapping_add(halves[1]));
    let suite = fs::read_to_string(folder.path().join("suite.xml")).unwrap();
    let suite = roxmltree::Document::parse(&suite).unwrap();
    let cases: Vec<&str> = suite
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
        .filter_map(|case| case.attribute("name"))
        .collect();
    assert_eq!(cases, ["few-fences", "owner-bound"]);
    assert_eq!(json(&fs::read_to_string(folder.path().join("out/proof.json")).unwrap()), whole);
}

#[test]
fn a_breach_leaves_a_regression_that_breaks_its_law_again() {
    let folder = tempfile::tempdir().unwrap();
    let words =
        ["prove", "one-rerunnable", "--subject", "reclaim-whoever-holds", "--out", "out", "--budget", "300"];
    let output = fencepost_in(folder.path(), &words);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("BROKEN reclaim-takes-the-observed-dead when "), "{told}");
    assert!(told.contains("breaks it: process p1, scope one-rerunnable"), "{told}");
    let kept = files(folder.path()).into_iter().find(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("reclaim-takes-the-observed-dead") && name.ends_with(".toml")
    });
    let kept = kept.unwrap_or_else(|| panic!("no regression: {:?}", files(folder.path())));
    let regression = regressions::load(&kept).unwrap().1.unwrap();
    assert!(regression.story.contains("scope one-rerunnable"), "{}", regression.story);
    assert_eq!(regression.origin.seed, None);
    let replayed = fencepost(&["replay", kept.to_str().unwrap(), "--subject", "reclaim-whoever-holds"]);
    assert_eq!(replayed.status.code(), Some(1), "{}", said(&replayed));
}

#[test]
fn without_a_folder_the_plan_goes_to_one_that_no_other_process_uses_and_the_output_says_where() {
    let temporary = tempfile::tempdir().unwrap();
    let prove = || {
        let words = ["prove", "one-rerunnable", "--subject", "reclaim-whoever-holds", "--budget", "20"];
        let output = command(&words).env("TMPDIR", temporary.path()).output().unwrap();
        let told = heard(&output);
        let line =
            told.lines().find(|line| line.starts_with("the plan that breaks ")).expect(&told).to_owned();
        let path = line.split(" is in ").nth(1).unwrap().split(';').next().unwrap().to_owned();
        assert!(told.contains(&format!("replay it:  fencepost replay {path} ")), "{told}");
        std::path::PathBuf::from(path)
    };
    let (one, other) = (prove(), prove());
    assert!(one.is_file() && other.is_file());
    assert_ne!(one.parent(), other.parent());
}

#[test]
fn bad_input_is_one_sentence_and_an_early_end_is_inconclusive() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.toml"), "about = \"mine\"\n[plan]\nformat = 1\n").unwrap();
    for (words, why) in [
        (&["prove", "nowhere"][..], "unknown scope `nowhere`"),
        (&["prove", "plan.toml"], "missing field"),
        (&["prove", "--deviations", "10"], "is no number of deviations"),
        (&["prove", "--shard", "3/2"], "is no shard"),
    ] {
        let output = fencepost_in(folder.path(), words);
        let told = said(&output);
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.contains(why) && told.lines().count() == 1, "{told}");
    }
    let output = fencepost(&["prove", "wait-and-signal", "--deviations", "2", "--for", "1s"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("INCONCLUSIVE"), "{}", said(&output));
}
