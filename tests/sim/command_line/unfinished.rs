//! Runs that do not come to their end: interrupted, killed, or on a disk that is full. None leaves half a file.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use fencepost_sim::regressions;
use rustix::process::{Pid, Signal, kill_process};

use super::{BINARY, HOLE, command, files, heard, json, said};

#[allow(clippy::disallowed_methods, reason = "the binary runs in true time")]
fn wait(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

fn started(folder: &Path, arguments: &[&str]) -> Child {
    command(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

/// Until it would hear a signal, however slow the machine is.
fn wait_until_it_listens(child: &Child) {
    let hears = |status: &str| {
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
        let caught = u64::from_str_radix(caught.trim(), 16).unwrap_or(0);
        caught & 1 << (Signal::TERM.as_raw() - 1) != 0
    };
    while !hears(&fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap()) {
        wait(5);
    }
}

/// Checks that every file is whole. Hidden unfinished files are no reports.
fn is_whole(folder: &Path) {
    for path in files(folder) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with('.') {
            assert!(name.ends_with(".unfinished"), "{name}");
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => drop(json(&text)),
            Some("toml") => assert!(regressions::load(&path).unwrap().1.is_some(), "{name}"),
            Some("html") => assert!(text.ends_with("</html>\n"), "{name}"),
            Some("xml") => drop(roxmltree::Document::parse(&text).unwrap()),
            _ => assert!(text.ends_with('\n'), "{name}: {text}"),
        }
    }
}

#[test]
fn ctrl_c_ends_a_search_with_the_summary_of_what_was_done() {
    for signal in [Signal::INT, Signal::TERM] {
        let folder = tempfile::tempdir().unwrap();
        let search = "run --for 2m --store memory --out out --junit out/junit.xml --verbose";
        let search: Vec<&str> = search.split(' ').collect();
        let child = started(folder.path(), &search);
        wait(1_500);
        send(&child, signal);
        let output = child.wait_with_output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("it was interrupted") && said.contains("stale-writer-refused"), "{said}");
        let summary = json(&fs::read_to_string(folder.path().join("out/summary.json")).unwrap());
        assert!(summary["seeds"].as_u64() > Some(0), "{summary}");
        assert_eq!(summary["verdict"], "inconclusive");
        let law = &summary["laws"][0];
        let counted = law["held"].as_u64().unwrap() + law["not_reached"].as_u64().unwrap();
        assert_eq!(Some(counted), summary["seeds"].as_u64(), "{law}");
        is_whole(folder.path());
        assert!(!files(folder.path()).iter().any(|path| path.to_str().unwrap().contains("unfinished")));
    }
}

#[test]
fn ctrl_c_ends_a_shrinking_with_the_smallest_plan_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let shrinking = ["shrink", "42", "--subject", "events-unchecked", "--out", "small.toml"];
    let mut child = started(folder.path(), &shrinking);
    let mut first_candidate = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first_candidate).unwrap();
    send(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    let said = said(&output);
    assert!(said.contains("runs, when it was interrupted"), "{said}");
    assert!(regressions::load(&folder.path().join("small.toml")).unwrap().1.is_some());
}

#[test]
fn what_was_broken_before_an_interruption_is_still_reported() {
    let folder = tempfile::tempdir().unwrap();
    let search = [
        "run",
        "--for",
        "2m",
        "--store",
        "memory",
        "--subject",
        "renew-then-write",
        "--keep-going",
        "--budget",
        "50",
    ];
    let child = started(folder.path(), &search);
    wait(1_500);
    send(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(heard(&output).contains("replay it:") && heard(&output).contains("it was interrupted"));
}

/// `timeout` sends its signal to a command, and then to its group.
#[test]
fn the_echo_of_a_signal_ends_nothing_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let child = started(folder.path(), &["run", "--for", "2m", "--store", "memory"]);
    wait_until_it_listens(&child);
    send(&child, Signal::TERM);
    wait(5);
    send(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(heard(&output).contains("it was interrupted"), "{}", said(&output));
}

#[test]
fn of_two_that_keep_one_name_at_once_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keep = |seed| ["keep", seed, "--subject", "disposition-ignored", "--name", "same", "--budget", "300"];
    let seeds: Vec<String> = (0..60)
        .map(|seed| seed.to_string())
        .filter(|seed| {
            let replayed = ["replay", seed, "--subject", "disposition-ignored"];
            super::fencepost(&replayed).status.code() == Some(1)
        })
        .take(2)
        .collect();
    let both: Vec<Child> = seeds.iter().map(|seed| started(folder.path(), &keep(seed))).collect();
    let ended: Vec<Output> = both.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let mut codes: Vec<_> = ended.iter().map(|output| output.status.code()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [Some(1), Some(4)], "{}{}", said(&ended[0]), said(&ended[1]));
    assert!(ended.iter().any(|output| said(output).contains("is there already")));
    let kept = regressions::load(&folder.path().join("regressions/same.toml")).unwrap().1.unwrap();
    let winner = ended.iter().position(|output| output.status.code() == Some(1)).unwrap();
    assert_eq!(kept.origin.seed.map(|seed| seed.to_string()).as_ref(), Some(&seeds[winner]));
}

#[test]
fn a_run_that_is_killed_leaves_whole_files_or_none() {
    let mut were_killed = 0;
    // At the first of these nobody is done, however fast the machine is.
    for ms in [1, 20, 60, 120, 180, 240, 320, 400, 600] {
        let folder = tempfile::tempdir().unwrap();
        let search = [
            "run",
            "--seeds",
            "0..40",
            "--subject",
            "renew-then-write",
            "--budget",
            "60",
            "--keep-going",
            "--out",
            "out",
            "--junit",
            "out/junit.xml",
        ];
        let mut searching = started(folder.path(), &search);
        let mut keeping = started(folder.path(), &["keep", HOLE, "--budget", "60"]);
        wait(ms);
        for child in [&mut searching, &mut keeping] {
            were_killed += u32::from(child.try_wait().unwrap().is_none());
            drop(child.kill());
            child.wait().unwrap();
        }
        is_whole(folder.path());
    }
    assert!(were_killed >= 2, "only {were_killed} were still at work");
}

/// No file may grow above so many kilobytes: what is longer fails in the middle, as on a full disk.
fn with_little_space(folder: &Path, kilobytes: u32, arguments: &str) -> Output {
    let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec '{BINARY}' {arguments}");
    // Its output goes through pipes, which have no limit.
    Command::new("bash").args(["-c", &script]).current_dir(folder).output().unwrap()
}

#[test]
fn a_full_disk_leaves_whole_files_or_none_and_is_told() {
    let searching =
        "run --seeds 0..40 --subject renew-then-write --budget 60 --out out --junit out/junit.xml";
    for (kilobytes, arguments) in [
        (0, searching),
        (1, searching),
        (8, searching),
        (1, "replay 3 --timeline html --out page.html"),
        (8, "replay 3 --timeline html --out page.html"),
        (1, "replay 3 --history h.json"),
        (0, &format!("keep '{HOLE}' --budget 60")),
        (0, &format!("shrink '{HOLE}' --budget 60 --out regressions/mine.toml")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page.html");
        fs::write(&page, "an older page</html>\n").unwrap();
        let output = with_little_space(folder.path(), kilobytes, arguments);
        assert_eq!(fs::read_to_string(&page).unwrap(), "an older page</html>\n", "{arguments}");
        assert_eq!(output.status.code(), Some(4), "{arguments}: {}", said(&output));
        assert!(said(&output).contains("cannot be written"), "{arguments}: {}", said(&output));
        assert!(!said(&output).contains("panicked"), "{arguments}: {}", said(&output));
        is_whole(folder.path());
        let left = files(folder.path());
        assert!(!left.iter().any(|path| path.to_str().unwrap().contains("unfinished")), "{left:?}");
        assert!(!folder.path().join("out/summary.json").exists(), "{left:?}");
    }
}

#[test]
fn a_report_that_nobody_can_write_down_is_no_success() {
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let output = command(&["run", "--seeds", "0..3"]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("standard output cannot be written"), "{}", said(&output));
}

#[test]
fn a_reader_that_goes_away_changes_no_verdict() {
    let script = format!("'{BINARY}' events '{HOLE}' | head -1; exit ${{PIPESTATUS[0]}}");
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(said(&output).lines().count(), 1, "{}", said(&output));
}
