//! `fencepost.toml` and the choice of faults on the command line.

use std::fs;
use std::path::Path;

use super::{command, fencepost_in, heard, json, said};

fn folder_with(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fencepost.toml"), config).unwrap();
    folder
}

fn summary(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = fencepost_in(folder, &[&["run", "--format", "json"], arguments].concat());
    json(&heard(&output))["summary"].clone()
}

const CONFIG: &str = r#"
[profile.default]
seeds = "0..12"
store = "memory"

[profile.pauses]
seeds = "5..=9"
faults = ["pause"]
laws = ["stale-writer-refused", "ends-once"]

[profile.strict]
seeds = "0..1"
coverage = ["claim 1 ms before expiry"]

[profile.easy-to-reach]
seeds = "0..40"
coverage = ["a stale terminal write refused"]
"#;

#[test]
fn a_profile_of_the_file_says_what_the_command_line_leaves_open() {
    let folder = folder_with(CONFIG);
    let searched = |arguments: &[&str]| {
        let summary = summary(folder.path(), arguments);
        let part = &summary["searches"][0];
        (part["seeds"].as_str().unwrap().to_owned(), part["store"].as_str().unwrap().to_owned())
    };
    assert_eq!(searched(&[]), ("0..12".to_owned(), "memory".to_owned()));
    assert_eq!(searched(&["--profile", "pauses"]), ("5..10".to_owned(), "memory".to_owned()));
    // The command line replaces it.
    assert_eq!(searched(&["--seeds", "0..3", "--store", "sqlite"]), ("0..3".to_owned(), "sqlite".to_owned()));
    let with_laws = summary(folder.path(), &["--profile", "pauses"]);
    let judged = with_laws["laws"].as_array().unwrap().iter();
    let judged: Vec<&str> =
        judged.filter(|law| law["checked"] != 0).map(|law| law["law"].as_str().unwrap()).collect();
    assert_eq!(judged, ["stale-writer-refused", "ends-once"]);
    assert_eq!(with_laws["profile"], "only pause");
    // A file elsewhere is used when it is named.
    let elsewhere = tempfile::tempdir().unwrap();
    let named = folder.path().join("fencepost.toml");
    let asked = ["run", "--config", named.to_str().unwrap(), "--profile", "pauses", "--format", "json"];
    let output = fencepost_in(elsewhere.path(), &asked);
    assert_eq!(json(&heard(&output))["summary"]["searches"][0]["seeds"], "5..10", "{}", said(&output));
}

#[test]
fn a_profile_that_changes_no_plan_is_named_in_the_summary() {
    let folder = folder_with(CONFIG);
    assert_eq!(summary(folder.path(), &["--profile", "easy-to-reach"])["profile"], "easy-to-reach");
    assert_eq!(summary(folder.path(), &[])["profile"], serde_json::Value::Null);
}

#[test]
fn determinism_runs_the_seeds_of_a_profile_and_refuses_a_time() {
    let folder = folder_with(&format!("{CONFIG}\n[profile.long]\nfor = \"10m\"\n"));
    let output = fencepost_in(folder.path(), &["determinism", "--profile", "pauses", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(json(&heard(&output))["seeds"], 5);
    let asked = ["determinism", "--profile", "pauses", "--seeds", "0..2", "--format", "json"];
    assert_eq!(json(&heard(&fencepost_in(folder.path(), &asked)))["seeds"], 2);
    let timed = fencepost_in(folder.path(), &["determinism", "--profile", "long"]);
    assert_eq!(timed.status.code(), Some(4), "{}", said(&timed));
    assert!(said(&timed).contains("say --seeds 0..1000"), "{}", said(&timed));
}

/// The process beside this one is told everything by options: it must not read the file of the folder.
#[test]
fn doctor_names_a_file_with_profiles_that_cannot_be_read_and_blames_nothing_else() {
    let row = |output: &std::process::Output, name: &str| {
        let told = heard(output);
        let is_row = |line: &&str| line.split_whitespace().nth(1) == Some(name);
        told.lines().find(is_row).unwrap_or_else(|| panic!("no row {name}: {told}")).to_owned()
    };
    let wrong = fencepost_in(folder_with("[profile.ci]\nsedes = \"1\"\n").path(), &["doctor"]);
    assert_eq!(wrong.status.code(), Some(4), "{}", said(&wrong));
    let profiles = row(&wrong, "profiles");
    assert!(profiles.starts_with("WRONG") && profiles.contains("unknown field `sedes`"), "{profiles}");
    assert!(row(&wrong, "determinism").starts_with("ok"), "{}", said(&wrong));
    // A default profile changes other processes' plans, and not those of this check.
    let changed = fencepost_in(folder_with("[profile.default]\nfaults = [\"pause\"]\n").path(), &["doctor"]);
    assert!(row(&changed, "determinism").starts_with("ok"), "{}", said(&changed));
    assert!(row(&changed, "profiles").contains("default can be read"), "{}", said(&changed));
}

#[test]
fn coverage_that_a_profile_asks_for_must_be_reached() {
    let folder = folder_with(CONFIG);
    let output = fencepost_in(folder.path(), &["run", "--profile", "strict"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("never reached: claim 1 ms before expiry"), "{}", said(&output));
    assert!(
        said(&output).contains("coverage marks missed (not required by this profile)"),
        "{}",
        said(&output)
    );
    let output = fencepost_in(folder.path(), &["run", "--profile", "easy-to-reach"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    let folder = folder_with("[profile.ci]\nlaws = [\"ends-onec\"]\n");
    let output = fencepost_in(folder.path(), &["run", "--profile", "ci"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(
        said(&output).contains(
            "`fencepost.toml`: line 2, column 8: unknown law `ends-onec`; did you mean `ends-once`?"
        ),
        "{}",
        said(&output)
    );
    let output = fencepost_in(folder.path(), &["run", "--config", "no-such.toml"]);
    assert!(said(&output).contains("`no-such.toml` cannot be read"), "{}", said(&output));
}

#[test]
fn chosen_faults_are_the_only_ones_and_a_report_names_them_for_its_commands() {
    let folder = tempfile::tempdir().unwrap();
    // `events` prints a line for each step that is taken.
    let faults_of = |arguments: &[&str]| {
        let output = fencepost_in(folder.path(), &[&["events", "7"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        heard(&output).lines().filter(|line| line.contains('[')).map(str::to_owned).collect::<Vec<_>>()
    };
    let all = faults_of(&[]);
    let without = faults_of(&["--no-fault", "pause"]);
    let only = faults_of(&["--fault", "pause"]);
    let has_pause = |lines: &[String]| lines.iter().any(|line| line.contains("[pause"));
    assert!(!has_pause(&without) && without.len() <= all.len() && only.len() <= all.len());

    // The command that a report offers finds the same breach again.
    let search =
        ["run", "--seeds", "0..200", "--subject", "renew-then-write", "--fault", "pause", "--fault", "hold"];
    let report = said(&fencepost_in(folder.path(), &search));
    let line = report.lines().find_map(|line| line.strip_prefix("replay it:  fencepost ")).unwrap();
    assert!(line.contains("--fault pause --fault hold"), "{line}");
    let words: Vec<&str> = line.split_whitespace().collect();
    let again = fencepost_in(folder.path(), &words);
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));

    let wrong = fencepost_in(folder.path(), &["run", "--fault", "pauze"]);
    assert_eq!(wrong.status.code(), Some(4));
    assert!(said(&wrong).contains("unknown fault `pauze`; did you mean `pause`?"), "{}", said(&wrong));
    let of_file = fencepost_in(folder.path(), &["replay", super::HOLE, "--no-fault", "pause"]);
    assert!(said(&of_file).contains("--no-fault is for seeds"), "{}", said(&of_file));
}

#[test]
fn a_process_beside_this_one_runs_the_same_chosen_faults() {
    let output = command(&["determinism", "--seeds", "0..10", "--fault", "cut"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}
