//! Live runs, as users start them: short ones. They must judge what happened, find what is planted, and leave nothing behind,
//! however they end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fencepost::testing::postgres_server::PostgresServer;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::command_line::{BINARY, heard, said};

/// A folder for whatever a run leaves; a server's own user may enter it.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(folder.path().join("tmp")).unwrap();
    fs::set_permissions(folder.path().join("tmp"), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

fn live(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.arg("live").args(arguments).current_dir(folder).env("TMPDIR", folder.join("tmp"));
    command
}

#[allow(clippy::disallowed_methods, reason = "the binary runs in true time")]
fn wait() {
    std::thread::sleep(Duration::from_millis(20));
}

/// The processes that know this folder: the run's own have it in their environment or on their command line.
fn processes_of(folder: &Path) -> Vec<String> {
    let name = folder.to_str().unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let path = entry.path();
        let holds = |file: &str| {
            let bytes = fs::read(path.join(file)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(name)
        };
        let is_number = entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok());
        if is_number && (holds("environ") || holds("cmdline")) {
            found.push(
                String::from_utf8_lossy(&fs::read(path.join("cmdline")).unwrap_or_default()).into_owned(),
            );
        }
    }
    found
}

/// Waits until no process and no file of the run is left. One that never ends would let this test never end.
fn nothing_is_left(folder: &Path) {
    while !processes_of(folder).is_empty() || fs::read_dir(folder.join("tmp")).unwrap().next().is_some() {
        wait();
    }
}

/// Waits until workers have begun to write.
fn wait_until_it_works(folder: &Path) {
    let has_journals = || {
        let folders = fs::read_dir(folder.join("tmp")).unwrap().filter_map(Result::ok);
        let mut files =
            folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().filter_map(Result::ok);
        files.any(|file| file.path().extension().is_some_and(|extension| extension == "journal"))
    };
    while !has_journals() {
        wait();
    }
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    live(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn has_postgres() -> bool {
    let has = PostgresServer::programs().is_some();
    if !has {
        eprintln!("skipped: no Postgres is installed; with `initdb` and `pg_ctl` on the path this test runs");
    }
    has
}

fn holds_and_can_be_judged_again(store: &str) {
    let folder = folder();
    let output = live(
        folder.path(),
        &["--store", store, "--for", "3s", "--workers", "2", "--hosts", "1", "--keep", "kept"],
    )
    .output()
    .unwrap();
    let printed = said(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    for part in ["HOLDS: no law is broken", "cannot be replayed", "stale-writer-refused", "is not judged: "] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let history = folder.path().join("kept/history.json");
    let judged = Command::new(BINARY).arg("rejudge").arg(&history).output().unwrap();
    assert_eq!(judged.status.code(), Some(0), "{}", said(&judged));
    nothing_is_left(folder.path());
}

#[test]
fn a_short_run_on_sqlite_holds_and_can_be_judged_again() {
    holds_and_can_be_judged_again("sqlite");
}

#[test]
fn a_short_run_on_postgres_holds_and_can_be_judged_again() {
    if has_postgres() {
        holds_and_can_be_judged_again("postgres");
    }
}

#[test]
fn a_planted_bug_is_found_and_leaves_a_report_and_a_page() {
    let folder = folder();
    let arguments =
        ["--planted", "application-clock", "--for", "3s", "--workers", "2", "--hosts", "1", "--keep", "kept"];
    let output = live(folder.path(), &arguments).output().unwrap();
    let printed = said(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    for part in ["leases-last-as-asked: ", "\nBROKEN: ", "rejudge kept/history.json", "simulated: "] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let report = fs::read_to_string(folder.path().join("kept/report.txt")).unwrap();
    assert!(report.contains("here: ") && report.contains("just before event"), "{report}");
    let page = fs::read_to_string(folder.path().join("kept/page.html")).unwrap();
    assert!(page.ends_with("</html>\n"));
    let judged =
        Command::new(BINARY).args(["rejudge", "kept/history.json"]).current_dir(folder.path()).output();
    assert_eq!(judged.unwrap().status.code(), Some(1));
    nothing_is_left(folder.path());
}

fn leaves_nothing_after(signal: Signal, store: &str) {
    let folder = folder();
    let mut child =
        start(folder.path(), &["--store", store, "--for", "10m", "--workers", "2", "--hosts", "1"]);
    wait_until_it_works(folder.path());
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
    if signal == Signal::INT {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(heard(&output).contains("it was interrupted"), "{}", said(&output));
    } else {
        child.wait().unwrap();
    }
    nothing_is_left(folder.path());
}

#[test]
fn an_interrupted_run_tells_what_it_has_and_leaves_nothing() {
    leaves_nothing_after(Signal::INT, "sqlite");
}

#[test]
fn a_killed_run_leaves_no_process_and_no_file() {
    leaves_nothing_after(Signal::KILL, "sqlite");
}

#[test]
fn a_killed_run_leaves_no_server() {
    if has_postgres() {
        leaves_nothing_after(Signal::KILL, "postgres");
    }
}

#[test]
fn bad_input_is_refused_with_a_sentence_and_without_a_secret() {
    let folder = folder();
    for (arguments, told) in [
        (&["--store", "mysql://me:secret@127.0.0.1/db"][..], "is no store of a live run"),
        (&["--store", "postgres://me:secret@192.0.2.7/db"], "reaches nothing but this machine"),
        (&["--store", "postgres://me:secret@127.0.0.1:1/db"], "the store cannot be opened"),
        (&["--planted", "release-by-id"], "unknown bug of a live run"),
        (&["--workers", "0"], "is no number of processes"),
    ] {
        let output = live(folder.path(), arguments).output().unwrap();
        let printed = said(&output);
        assert_eq!(output.status.code(), Some(4), "{printed}");
        assert!(printed.contains(told) && !printed.contains("secret@"), "{printed}");
    }
    let child = Command::new(BINARY).arg("live-child").output().unwrap();
    assert_eq!(child.status.code(), Some(4), "{}", said(&child));
    nothing_is_left(folder.path());
}
