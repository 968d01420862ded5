//! The binary on a terminal: a pseudo-terminal of a given size, whose other end is read.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use fencepost_sim::coverage::Mark;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{command, fencepost, heard};

/// The bytes that a terminal of so many columns and 30 rows receives.
fn on_terminal(columns: u16, folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(OsStr::from_bytes(name.as_bytes())).unwrap();
    let size = Winsize { ws_row: 30, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    let mut child = {
        let end = || terminal.try_clone().unwrap();
        let mut command = command(arguments);
        command.current_dir(folder).stdin(end()).stdout(end()).stderr(end());
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR").envs(environment.iter().copied());
        command.spawn().unwrap()
    };
    drop(terminal);
    let mut sent = Vec::new();
    let mut part = [0; 4_096];
    let mut controller = File::from(controller);
    // Once nobody has the terminal open any more, reading fails.
    while let Ok(read @ 1..) = controller.read(&mut part) {
        sent.extend_from_slice(&part[..read]);
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&sent).replace("\r\n", "\n")
}

/// The words, however the lines are wrapped.
fn unwrapped(told: &str) -> String {
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn plain(sent: &str) -> String {
    anstream::adapter::strip_str(sent).to_string()
}

#[test]
fn a_failing_search_ends_with_its_failure_and_no_line_is_wider_than_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    for columns in [60, 80, 100, 160] {
        let search = ["run", "--seeds", "0..40", "--subject", "renew-then-write", "--budget", "50"];
        let sent = on_terminal(columns, folder.path(), &[], &search);
        let told = plain(&sent);
        // A carriage return begins the line anew, as progress does.
        let mut drawn = sent.split(['\n', '\r']).map(plain);
        let wide = drawn.find(|line| line.chars().count() > usize::from(columns));
        assert_eq!(wide, None, "{columns} columns:\n{told}");
        let lines: Vec<&str> = told.lines().collect();
        let screen = lines[lines.len().saturating_sub(30)..].join("\n");
        assert!(screen.contains("\nreplay it:") && screen.trim_end().ends_with(" broken"), "{screen}");
        assert!(!told.contains(Mark::ALL[0].name()) && unwrapped(&told).contains(" marks reached"), "{told}");
        assert!(sent.contains("\x1b[1m\x1b[31mBROKEN: "), "{sent:?}");
    }
}

#[test]
fn a_table_fits_eighty_columns() {
    let folder = tempfile::tempdir().unwrap();
    // A slow machine would draw a bar before the table, which is redrawn in place and then taken away.
    let told = plain(&on_terminal(80, folder.path(), &[("TERM", "dumb")], &["run", "--seeds", "0..5"]));
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    let law = told.lines().find(|line| line.starts_with("stale-writer-refused ")).unwrap();
    assert_eq!(law.split_whitespace().count(), 6, "a law is one line: {told}");
}

#[test]
fn progress_is_redrawn_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let search = ["run", "--for", "2s", "--store", "memory"];
    let sent = on_terminal(80, folder.path(), &[], &search);
    // A terminal goes back to the beginning of the line, and never to the next one, before the report begins.
    let told = plain(&sent);
    assert!(told.contains(" s left, ") && told.contains(" a second"), "{sent:?}");
    assert!(told.lines().filter(|line| line.contains(" s left, ")).count() <= 1, "{sent:?}");
    let quiet = on_terminal(80, folder.path(), &[], &[search.as_slice(), &["--quiet"]].concat());
    assert!(!quiet.contains(" a second"), "{quiet:?}");
    let dumb = on_terminal(80, folder.path(), &[("TERM", "dumb")], &search);
    assert!(!dumb.contains(" s left"), "{dumb:?}");
}

#[test]
fn colours_are_as_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let search = ["run", "--seeds", "0..3"];
    let green = "\x1b[1m\x1b[32mHOLDS";
    let on = |environment: &[(&str, &str)], more: &[&str]| {
        on_terminal(100, folder.path(), environment, &[search.as_slice(), more].concat())
    };
    assert!(on(&[], &[]).contains(green));
    assert!(!on(&[("NO_COLOR", "1")], &[]).contains(green));
    assert!(!on(&[], &["--color", "never"]).contains(green));
    assert!(on(&[("NO_COLOR", "1")], &["--color", "always"]).contains(green));
    let piped = |more: &[&str]| heard(&fencepost(&[search.as_slice(), more].concat()));
    assert!(!piped(&[]).contains('\x1b') && piped(&["--color", "always"]).contains(green));
}

#[test]
fn a_page_never_fills_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let told = on_terminal(100, folder.path(), &[], &["replay", "7", "--timeline", "html"]);
    assert!(told.contains("the timeline is in timeline-seed-7.html\n"), "{told}");
    let page = std::fs::read_to_string(folder.path().join("timeline-seed-7.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(told.contains("every law holds, over ") && !told.contains("<!DOCTYPE"), "{told}");
}
