//! Help, the version, completions, manual pages, and places that cannot be written.

use std::process::Command;

use super::{fencepost, fencepost_in, heard, said};

#[test]
fn help_tells_the_exit_codes_of_every_command() {
    for arguments in [&["--help"][..], &["run", "--help"], &["help", "replay"], &["sabotage", "--help"]] {
        let output = fencepost(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        let help = heard(&output);
        assert!(help.contains("Exit codes:") && help.contains("inconclusive"), "{arguments:?}: {help}");
    }
}

#[test]
fn help_of_help_and_the_version_as_a_command_are_no_bad_input() {
    let help = fencepost(&["help", "--help"]);
    assert_eq!(help.status.code(), Some(0), "{}", said(&help));
    assert_eq!(heard(&help), heard(&fencepost(&["help"])));
    let version = fencepost(&["version"]);
    assert_eq!(version.status.code(), Some(0), "{}", said(&version));
    assert_eq!(heard(&version), heard(&fencepost(&["--version"])));
}

#[test]
fn shells_read_the_completions() {
    for (shell, wanted) in
        [("bash", "complete "), ("zsh", "#compdef fencepost"), ("fish", "complete -c fencepost")]
    {
        let output = fencepost(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}: {}", said(&output));
        let script = heard(&output);
        assert!(script.contains(wanted) && script.contains("keep-going"), "{shell}: {script}");
    }
    let script = heard(&fencepost(&["completions", "bash"]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fencepost.bash");
    std::fs::write(&path, script).unwrap();
    let read = Command::new("bash").arg("-n").arg(&path).output().unwrap();
    assert!(read.status.success() && read.stderr.is_empty(), "{}", said(&read));
    let unknown = fencepost(&["completions", "cmd"]);
    assert_eq!(unknown.status.code(), Some(4), "{}", said(&unknown));
}

#[test]
fn manual_pages_are_made_of_the_command_line() {
    let page = heard(&fencepost(&["man"]));
    assert!(page.contains(".TH fencepost 1") && page.contains("Exit codes"), "{page}");
    let run = heard(&fencepost(&["man", "run"]));
    assert!(run.contains(".TH fencepost-run 1") && run.contains("keep\\-going"), "{run}");
    let unknown = fencepost(&["man", "runn"]);
    assert_eq!(unknown.status.code(), Some(4), "{}", said(&unknown));
    assert!(said(&unknown).contains("unknown command `runn`; did you mean `run`?"), "{}", said(&unknown));
}

#[test]
fn the_root_is_no_place_for_reports() {
    let out = fencepost(&["run", "--seeds", "0..1", "--out", "/"]);
    assert_eq!(out.status.code(), Some(4), "{}", said(&out));
    assert!(said(&out).contains("`/` is the root of all files: name a folder of its own"), "{}", said(&out));
    for arguments in [
        &["replay", "1", "--timeline", "html", "--out", "/"][..],
        &["replay", "1", "--history", "/"],
        &["run", "--seeds", "0..1", "--junit", "/"],
    ] {
        let output = fencepost(arguments);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {}", said(&output));
        assert!(
            said(&output).contains("`/` cannot be written: it is a folder, name a file"),
            "{}",
            said(&output)
        );
    }
}

#[test]
fn another_build_that_cannot_be_started_is_told_before_any_seed_is_run() {
    let output = fencepost(&["determinism", "--seeds", "0..100000", "--against", "/no/such/build"]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("cannot be started") && heard(&output).is_empty(), "{}", said(&output));
}

#[test]
fn commands_that_are_offered_work_in_a_folder_with_a_space() {
    let folder = tempfile::tempdir().unwrap();
    let search =
        ["run", "--seeds", "0..60", "--subject", "renew-then-write", "--budget", "50", "--out", "my results"];
    let report = said(&fencepost_in(folder.path(), &search));
    for label in ["replay it:  ", "keep it:    "] {
        let line = report.lines().find_map(|line| line.strip_prefix(label)).unwrap();
        assert!(line.contains("'my results/"), "{line}");
        let script = line.replacen("fencepost", "\"$FENCEPOST\"", 1);
        let again = Command::new("bash")
            .args(["-c", &script])
            .env("FENCEPOST", super::BINARY)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(again.status.code(), Some(1), "{line}: {}", said(&again));
    }
    let debug = report.lines().find_map(|line| line.strip_prefix("debug it:   ")).unwrap();
    assert!(debug.contains("'my results/failures/"), "{debug}");
}
