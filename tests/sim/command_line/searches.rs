//! Searches: which seeds they run, and what they say of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{fencepost, heard, json, said};

#[test]
fn a_search_of_the_true_system_ends_with_its_table_and_zero() {
    let output = fencepost(&["run", "--seeds", "0..100", "--jobs", "2"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let wanted = [
        "stale-writer-refused",
        "100 of 100 seeds of 0..100 on memory",
        "longest zombie window: ",
        "simulated",
        "seeds a second; slowest: ",
        "HOLDS: no law is broken",
    ];
    for wanted in wanted {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    // Not a terminal: no bar, and the search is shorter than the time between two lines.
    assert!(output.stderr.is_empty(), "{said}");
}

#[test]
fn a_broken_law_is_reported_with_its_small_plan_and_lines_that_lead_on() {
    let folder = tempfile::tempdir().unwrap();
    let output = fencepost(&["run", "--seeds", "0..100", "--subject", "renew-then-write"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    // Short summary, report, verdict: the end of the output says what failed. No table hides it.
    let told = heard(&output);
    let (summary, rest) = told.split_once("\n\n").unwrap();
    let law = rest.split(':').next().unwrap();
    assert!(
        summary.contains(" of 100 seeds of 0..100 on memory\n") && !summary.contains("simulated"),
        "{told}"
    );
    assert!(summary.ends_with("coverage marks reached (`--verbose` shows the tables)"), "{told}");
    assert!(!told.contains("\nlaw  ") && is_broken(told.lines().last()), "{told}");
    let laws = fencepost_sim::laws::Laws::new(&fencepost_sim::plan::Plan::quiet(0));
    let sentence = laws.all().into_iter().find(|known| known.name() == law).map(|known| known.sentence());
    assert!(rest.starts_with(&format!("{law}: {}", sentence.expect("it starts with a law"))), "{said}");
    for lead in ["replay it:  fencepost ", "debug it:   fencepost ", "keep it:    fencepost "] {
        let line = said.lines().find_map(|line| line.strip_prefix(lead)).expect("it says how");
        let words: Vec<&str> = line.split_whitespace().collect();
        let again = super::fencepost_in(folder.path(), &words);
        assert_eq!(again.status.code(), Some(1), "{line}: {}", super::said(&again));
        assert!(super::said(&again).contains(law), "{line}: {}", super::said(&again));
    }
    assert_eq!(super::files(folder.path()).len(), 2, "the page and the regression");

    // One line of the report works without the files of `--out`.
    let search = ["run", "--seeds", "0..100", "--subject", "renew-then-write", "--out", "out"];
    let report = super::said(&super::fencepost_in(folder.path(), &search));
    let line = report.lines().find_map(|line| line.strip_prefix("elsewhere:  fencepost ")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let away = tempfile::tempdir().unwrap();
    let again = super::fencepost_in(away.path(), &words);
    assert_eq!(again.status.code(), Some(1), "{}", super::said(&again));
    assert!(super::said(&again).contains(&format!("{law} is broken")), "{}", super::said(&again));
}

/// The verdict counts the laws.
fn is_broken(line: Option<&str>) -> bool {
    line.is_some_and(|line| {
        line == "BROKEN: a law is broken"
            || line.starts_with("BROKEN: ") && line.ends_with(" laws are broken")
    })
}

/// The summary of a search, which is the same on every machine.
fn summary(arguments: &[&str]) -> serde_json::Value {
    let output = fencepost(&[&["run", "--format", "json"], arguments].concat());
    json(&heard(&output))["summary"].clone()
}

#[test]
fn a_search_says_as_much_as_is_asked() {
    let broken = ["run", "--seeds", "0..20", "--subject", "renew-then-write", "--budget", "50"];
    let with = |more: &[&str]| heard(&fencepost(&[&broken, more].concat()));
    let verbose = with(&["--verbose"]);
    let tables = verbose.find("law    ").unwrap();
    assert!(tables < verbose.find("\n  here: ").unwrap(), "{verbose}");
    assert!(is_broken(verbose.lines().last()), "{verbose}");
    let quiet = fencepost(&[broken.as_slice(), &["--quiet"]].concat());
    let told = heard(&quiet);
    assert!(!told.contains(" seeds of 0..20") && told.contains("\n  here: "), "{told}");
    assert!(is_broken(told.lines().last()) && quiet.stderr.is_empty(), "{told}");
    let green = heard(&fencepost(&["run", "--seeds", "0..5", "--quiet"]));
    assert_eq!(green, "HOLDS: no law is broken\n", "the marks of a small search are no reason");
    let marks = heard(&fencepost(&["run", "--seeds", "0..5"]));
    assert!(marks.contains(" coverage marks missed "), "{marks}");
}

#[test]
fn one_law_is_judged_alone_if_it_is_asked_for() {
    let search = ["--seeds", "0..40", "--subject", "renew-then-write", "--keep-going", "--budget", "50"];
    let all = summary(&search);
    let laws = |summary: &serde_json::Value, key: &str| -> Vec<String> {
        let lines = summary[key].as_array().unwrap();
        lines.iter().map(|line| line["law"].as_str().unwrap().to_owned()).collect()
    };
    assert!(laws(&all, "laws_broken").len() > 1, "{all}");
    let one = summary(&[search.as_slice(), &["--law", "stale-writer-refused"]].concat());
    assert_eq!(laws(&one, "laws"), ["stale-writer-refused"]);
    assert_eq!(laws(&one, "laws_broken"), ["stale-writer-refused"]);
    assert_eq!((&one["hash"], &one["seeds"]), (&all["hash"], &all["seeds"]));
    let kept = summary(&["--seeds", "0..40", "--subject", "renew-then-write", "--law", "ends-once"]);
    assert_eq!((&kept["verdict"], laws(&kept, "laws_broken").len()), (&"holds".into(), 0));
}

#[test]
fn a_law_that_was_asked_for_and_never_checked_makes_a_search_inconclusive() {
    let law = "acknowledged-survives";
    let output = fencepost(&["run", "--seeds", "0..5", "--store", "memory", "--law", law]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains(&format!("asked for, and checked by no run: {law}")), "{}", said(&output));
    assert!(said(&output).contains("INCONCLUSIVE"), "{}", said(&output));
    let all = fencepost(&["run", "--seeds", "0..5", "--store", "memory"]);
    assert_eq!(all.status.code(), Some(0), "nobody asked for one: {}", said(&all));
    let both = fencepost(&["run", "--seeds", "0..5", "--law", "ends-once", "--law", law]);
    assert!(said(&both).contains(&format!("checked by no run: {law} (")), "{}", said(&both));
}

#[test]
fn seeds_are_a_range_with_or_without_its_end_or_one() {
    for (given, same) in [("5", "5..6"), ("5..=9", "5..10")] {
        assert_eq!(summary(&["--seeds", given]), summary(&["--seeds", same]));
    }
}

#[test]
fn shards_together_run_exactly_the_seeds_of_the_whole_once_each_with_the_same_hashes() {
    let hashes = |arguments: &[&str]| -> Vec<String> {
        let output = fencepost(&[&["hashes", "--seeds", "40..93"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        heard(&output).lines().map(str::to_owned).collect()
    };
    let whole = hashes(&[]);
    assert_eq!((whole.len(), whole.iter().collect::<BTreeSet<_>>().len()), (53, 53));
    let mut together = vec![None; whole.len()];
    for number in 0..4 {
        let part = hashes(&["--shard", &format!("{}/4", number + 1), "--jobs", "2"]);
        // A shard is every fourth seed.
        for (hash, place) in part.into_iter().zip((number..whole.len()).step_by(4)) {
            assert_eq!(together[place].replace(hash), None, "seed {} was run twice", 40 + place);
        }
    }
    assert_eq!(together, whole.iter().cloned().map(Some).collect::<Vec<_>>());

    // `run` shards alike: what it counts adds up, and so do its hashes.
    let number = |value: &serde_json::Value, key: &str| value[key].as_u64().unwrap();
    let hash = |value: &serde_json::Value| u64::from_str_radix(value["hash"].as_str().unwrap(), 16).unwrap();
    let whole = summary(&["--seeds", "40..93", "--store", "both"]);
    let shards: Vec<_> = (1..=4)
        .map(|shard| summary(&["--seeds", "40..93", "--store", "both", "--shard", &format!("{shard}/4")]))
        .collect();
    for key in ["seeds", "calls", "events", "faults", "simulated_us"] {
        let sum: u64 = shards.iter().map(|shard| number(shard, key)).sum();
        assert_eq!(sum, number(&whole, key), "{key}");
    }
    let sum = shards.iter().map(hash).fold(0_u64, u64::wrapping_add);
    assert_eq!(sum, hash(&whole));
    assert_eq!(number(&whole, "seeds"), 106);
}

#[test]
fn the_same_seeds_say_the_same_with_any_number_of_jobs() {
    let one = summary(&["--seeds", "0..60", "--jobs", "1"]);
    assert_eq!(one, summary(&["--seeds", "0..60", "--jobs", "3"]));
    let broken = ["--seeds", "0..60", "--subject", "renew-then-write", "--budget", "50", "--jobs"];
    assert_eq!(
        summary(&[broken.as_slice(), &["1"]].concat()),
        summary(&[broken.as_slice(), &["3"]].concat())
    );
}

#[test]
fn every_commit_has_seeds_of_its_own_that_can_be_run_again() {
    let at = |commit: &str| summary(&["--seeds", "0..5", "--start", commit]);
    let (one, other) = (at("2f9c1e5"), at("2f9c1e6"));
    assert_eq!(one, at("2f9c1e5"));
    assert_ne!((&one["hash"], &one["searches"]), (&other["hash"], &other["searches"]));
    // Its name is a range, which is the same search.
    let range = one["searches"][0]["seeds"].as_str().unwrap();
    assert_eq!(summary(&["--seeds", range])["hash"], one["hash"]);
}

#[test]
fn the_seeds_of_a_file_are_run_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seeds.txt");
    std::fs::write(&path, "# last week's\n7\n3 # slow\n\n7\n").unwrap();
    let listed = summary(&["--seeds-from", path.to_str().unwrap()]);
    assert_eq!(listed["seeds"], 3);
    let hash = |seeds: &str| {
        u64::from_str_radix(summary(&["--seeds", seeds])["hash"].as_str().unwrap(), 16).unwrap()
    };
    let wanted = hash("7..8").wrapping_mul(2).wrapping_add(hash("3..4"));
    assert_eq!(listed["hash"], format!("{wanted:016x}"));
}

#[test]
fn a_profile_is_searched_and_its_failures_replay_with_it() {
    let calm = summary(&["--seeds", "0..50", "--profile", "one-worker"]);
    assert_eq!((&calm["profile"], &calm["verdict"]), (&"one-worker".into(), &"holds".into()));
    assert_ne!(calm["hash"], summary(&["--seeds", "0..50"])["hash"]);
    let broken =
        fencepost(&["run", "--seeds", "0..200", "--profile", "calm-clocks", "--subject", "never-renews"]);
    let said = said(&broken);
    assert_eq!(broken.status.code(), Some(1), "{said}");
    let keeps = said.lines().find(|line| line.starts_with("keep it:")).unwrap();
    assert!(keeps.contains(" --subject never-renews --profile calm-clocks --law "), "{keeps}");
}

#[test]
fn the_last_seeds_there_are_can_be_searched() {
    let output = fencepost(&["run", "--seeds", "9007199254740990..9007199254740992", "--jobs", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("2 of 2 seeds of 9007199254740990.."));
}

#[test]
fn a_search_that_goes_on_finds_every_law_that_is_broken_and_counts_all() {
    let folder = tempfile::tempdir().unwrap();
    let junit = folder.path().join("junit.xml");
    let search = "run --seeds 0..60 --subject renew-then-write --keep-going --budget 100";
    let with = |more: &[&str]| fencepost(&[&search.split(' ').collect::<Vec<_>>(), more].concat());
    let output = with(&["--format", "json", "--junit", junit.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let summary = json(&heard(&output))["summary"].clone();
    assert_eq!(summary["seeds"], 60);
    let of_table: BTreeSet<&str> = summary["laws"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|law| law["broken"].as_u64() > Some(0))
        .map(|law| law["law"].as_str().unwrap())
        .collect();
    let broken = summary["broken"].as_array().unwrap();
    assert!(broken.len() > 1, "{summary}");
    let earliest: BTreeSet<&str> = broken.iter().map(|line| line["law"].as_str().unwrap()).collect();
    assert!(earliest.len() < of_table.len(), "some law is never the earliest that is broken: {earliest:?}");
    let first_seeds: BTreeMap<&str, u64> = summary["laws_broken"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["law"].as_str().unwrap(), line["seed"].as_u64().unwrap()))
        .collect();
    let laws: BTreeSet<&str> = first_seeds.keys().copied().collect();
    assert_eq!(laws, of_table);
    let failures: Vec<&str> =
        summary["failures"].as_array().unwrap().iter().map(|line| line["law"].as_str().unwrap()).collect();
    assert_eq!(failures.iter().copied().collect::<BTreeSet<_>>(), laws);
    assert_eq!(failures.len(), laws.len(), "each law once");

    let xml = std::fs::read_to_string(&junit).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let failed = document.descendants().filter(|node| node.has_tag_name("failure"));
    let failed: BTreeSet<&str> =
        failed.map(|node| node.parent().unwrap().attribute("name").unwrap()).collect();
    assert_eq!(failed, laws);
    let told = heard(&with(&["--format", "github"]));
    let annotations = told.lines().filter_map(|line| line.strip_prefix("::error title="));
    let annotated: BTreeSet<&str> = annotations.map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(annotated, laws);
    for (law, seed) in first_seeds {
        assert!(told.contains(&format!("{law} (seed {seed})")), "{told}");
    }
}

#[test]
fn time_ends_a_search_and_stores_share_it() {
    let output = fencepost(&["run", "--for", "2s", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = json(&heard(&output));
    let searches = told["summary"]["searches"].as_array().unwrap();
    assert_eq!(searches.len(), 2);
    assert!(searches.iter().all(|searched| searched["run"].as_u64().unwrap() > 0), "{searches:?}");
    let wall_us = told["timings"]["wall_us"].as_u64().unwrap();
    assert!((1_900_000..20_000_000).contains(&wall_us), "{wall_us}");
}
