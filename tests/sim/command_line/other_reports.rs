//! `sabotage`, `determinism`, `regressions` and `shrink`: their JSON, their JUnit, and how they end when interrupted.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::{HOLE, command, fencepost, fencepost_in, heard, json, said};

/// The cases of a JUnit file with the names of the elements in them.
fn cases(path: &Path) -> Vec<(String, Option<String>)> {
    let text = fs::read_to_string(path).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    cases
        .map(|case| {
            let end = case.children().find(|child| child.is_element());
            (case.attribute("name").unwrap().to_owned(), end.map(|end| end.tag_name().name().to_owned()))
        })
        .collect()
}

#[test]
fn a_kill_matrix_has_json_and_junit_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    let asked =
        ["sabotage", "renew-then-write", "events-unchecked", "--format", "json", "--junit", "junit.xml"];
    let output = fencepost_in(folder.path(), &asked);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let table = json(&heard(&output));
    assert_eq!(
        (&table["format"], &table["verdict"], &table["exit_code"]),
        (&2.into(), &"holds".into(), &0.into())
    );
    assert_eq!((table["wanted"].as_u64(), table["rows"].as_array().unwrap().len()), (Some(2), 2));
    let passed = |name: &str| (name.to_owned(), None);
    let mut found = cases(&folder.path().join("junit.xml"));
    found.sort();
    assert_eq!(found, [passed("events-unchecked"), passed("renew-then-write")]);
    // The older option says the same.
    let older = fencepost(&["sabotage", "renew-then-write", "events-unchecked", "--json"]);
    assert_eq!(heard(&older), heard(&output));
    // A bug that is not caught in so few seeds fails its case.
    let few = ["sabotage", "clock-read-before-the-lock", "--most", "1", "--junit", "few.xml"];
    let output = fencepost_in(folder.path(), &few);
    if output.status.code() == Some(1) {
        assert_eq!(cases(&folder.path().join("few.xml"))[0].1.as_deref(), Some("failure"));
    }
}

#[test]
fn determinism_has_json_and_junit_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["determinism", "--seeds", "0..5", "--format", "json", "--junit", "junit.xml"];
    let output = fencepost_in(folder.path(), &asked);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report = json(&heard(&output));
    assert_eq!((&report["verdict"], &report["seeds"]), (&"holds".into(), &5.into()));
    let compared: Vec<&str> =
        report["compared"].as_array().unwrap().iter().filter_map(|line| line.as_str()).collect();
    assert_eq!(
        compared,
        ["5 seeds run twice in this process", "5 seeds run in another process, with two threads"]
    );
    let passed: Vec<String> =
        cases(&folder.path().join("junit.xml")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(passed, compared);
}

#[test]
fn a_shrinking_has_json_and_junit_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["shrink", HOLE, "--budget", "40", "--format", "json", "--junit", "junit.xml", "--quiet"];
    let output = fencepost_in(folder.path(), &asked);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(output.stderr.is_empty(), "{}", said(&output));
    let report = json(&heard(&output));
    assert_eq!((&report["law"], &report["verdict"]), (&"stale-writer-refused".into(), &"broken".into()));
    let plan: fencepost_sim::plan::Plan = report["plan"].as_str().unwrap().parse().unwrap();
    assert_eq!(Some(plan.steps.len() as u64), report["steps"].as_u64());
    let failed = ("stale-writer-refused".to_owned(), Some("failure".to_owned()));
    assert_eq!(cases(&folder.path().join("junit.xml")), [failed]);
}

#[test]
fn github_hears_of_a_case_that_failed() {
    let output = fencepost(&["shrink", HOLE, "--budget", "10", "--format", "github", "--quiet"]);
    let annotation = heard(&output).lines().find(|line| line.starts_with("::error ")).map(str::to_owned);
    assert!(annotation.unwrap().contains("stale-writer-refused"), "{}", said(&output));
}

#[allow(clippy::disallowed_methods, reason = "the binary runs in true time")]
fn wait(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn interrupted(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let child: Child =
        command(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait(1_200);
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    child.wait_with_output().unwrap()
}

/// An interrupted run is not green for a reader of JUnit.
fn interrupted_case() -> (String, Option<String>) {
    ("the run as a whole".to_owned(), Some("failure".to_owned()))
}

#[test]
fn a_folder_without_regressions_passes_and_one_that_is_not_there_fails_its_report() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    let junit = folder.path().join("junit.xml");
    let empty = fencepost_in(folder.path(), &["regressions", "empty", "--junit", "junit.xml"]);
    assert_eq!(empty.status.code(), Some(0), "{}", said(&empty));
    assert!(said(&empty).contains("there is no regression in `empty` yet: `fencepost keep SEED` adds one"));
    assert!(cases(&junit).is_empty());
    let missing = fencepost_in(folder.path(), &["regressions", "--junit", "junit.xml"]);
    assert_eq!(missing.status.code(), Some(4), "{}", said(&missing));
    assert!(
        said(&missing).contains("`regressions` does not exist: ") && said(&missing).contains("keep SEED")
    );
    assert_eq!(cases(&junit), [("the folder of regressions".to_owned(), Some("error".to_owned()))]);
}

#[test]
fn ctrl_c_ends_each_of_them_with_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let output = interrupted(folder.path(), &["sabotage", "--junit", "matrix.xml"]);
    assert!(said(&output).contains("it was interrupted: "), "{}", said(&output));
    assert!(matches!(output.status.code(), Some(1 | 2)), "{}", said(&output));
    let skipped = cases(&folder.path().join("matrix.xml"));
    assert!(skipped.iter().any(|(_, end)| end.as_deref() == Some("skipped")), "{skipped:?}");
    assert!(skipped.contains(&interrupted_case()), "{skipped:?}");

    let endless = ["determinism", "--seeds", "0..1000000", "--junit", "same.xml"];
    let output = interrupted(folder.path(), &endless);
    assert!(cases(&folder.path().join("same.xml")).contains(&interrupted_case()));
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("it was interrupted: no run is known to differ"), "{}", said(&output));

    // As many files as take longer than that.
    let many = folder.path().join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..400 {
        fs::copy(HOLE, many.join(format!("{number}.toml"))).unwrap();
    }
    let output = interrupted(folder.path(), &["regressions", "many", "--junit", "files.xml"]);
    if output.status.code() != Some(0) {
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("it was interrupted: "), "{}", said(&output));
        let cases = cases(&folder.path().join("files.xml"));
        assert!(cases.len() == 401 && cases.contains(&interrupted_case()), "{cases:?}");
    }
}
