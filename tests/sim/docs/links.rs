//! Checks of pages that need no run of a command: links lead somewhere, every page is in the table of contents, README stays
//! short, and commands that are only mentioned are ones that the program understands.

use std::path::{Path, PathBuf};

use fencepost_sim::cli;
use fencepost_sim::plan::all_kinds::examples;
use fencepost_sim::plan::step::Step;

use crate::docs::{pages, read, workspace};

/// Commands in pages that are not `$ fencepost …`, and where each is run instead, or why it is not.
const RUN_ELSEWHERE: &[(&str, &str)] = &[
    ("cargo run --release", "the standard search, a test of whose size is in tests/sim/command_line"),
    ("cargo run --release -- run --seeds 0..200", "the same program as `$ fencepost run --seeds 0..200`"),
    (
        "cargo install --locked --path sim",
        "nowhere: it would build the program again; the program itself is run by every `$ fencepost`",
    ),
    ("cargo test", ".ci/run"),
    ("cargo test -p fencepost-sim --test sim docs::", ".ci/run, as part of `cargo test`"),
    ("UPDATE_DOCS=1 cargo test -p fencepost-sim --test sim docs::", ".ci/run, without writing"),
    ("UPDATE_ARCHITECTURE=1 cargo test architecture", ".ci/run, without writing"),
    ("cargo bench -p fencepost-sim", "built by clippy in .ci/run; it measures and shows nothing"),
    ("cargo run --example two_workers", "tests/worker/example.rs"),
    (
        "cargo run --features postgres --example two_workers -- --store postgres://fencepost:secret@localhost/jobs",
        "tests/postgres/example.rs, with a server of its own",
    ),
    (
        "cargo bench --features postgres,testing --bench postgres -- [--rows 1000000] [postgres://…]",
        "built by clippy in .ci/run; it measures and shows nothing",
    ),
    ("cargo new --lib your-lease", "nowhere: its crate is examples/your-lease"),
    ("cargo run -- run --seeds 0..20000", "tests/sim/your_lease.rs, over fewer seeds"),
    ("cargo run -- replay 7 --timeline text", "tests/sim/your_lease.rs"),
    ("cargo run -- replay 7 --timeline html --out seven.html", "tests/sim/your_lease.rs"),
];

fn all_pages() -> Vec<PathBuf> {
    let others = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
    pages().into_iter().chain(others.map(PathBuf::from)).collect()
}

/// The lines of a page outside its blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_block = false;
    text.lines().filter(move |line| {
        is_block ^= line.starts_with("```");
        !is_block
    })
}

/// The blocks of a page with this word behind their fence, as lines.
fn blocks<'a>(text: &'a str, kind: &str) -> Vec<&'a str> {
    let mut inside = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Some(word) = line.strip_prefix("```") {
            inside = if inside.is_some() { None } else { Some(word) };
        } else if inside == Some(kind) {
            lines.push(line);
        }
    }
    lines
}

/// The targets of `[text](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|after| after.split(')').next())
}

/// The anchor of a heading, as mdBook and code hosts make it.
fn anchor(heading: &str) -> String {
    let letters = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = letters.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_in_it() {
    for page in all_pages() {
        let text = read(&page);
        for target in prose(&text).flat_map(links).filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { page.clone() } else { page.with_file_name("").join(file) };
            let shown = page.display();
            assert!(workspace().join(&file).exists(), "{shown} links to `{target}`, which does not exist");
            let has_heading =
                || read(&file).lines().any(|line| line.starts_with('#') && anchor(line) == heading);
            assert!(heading.is_empty() || has_heading(), "{shown}: `{target}` has no such heading");
        }
    }
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let summary = read(Path::new("docs/SUMMARY.md"));
    let listed: Vec<&str> = summary.lines().flat_map(links).collect();
    for page in pages().into_iter().skip(1).filter(|page| !page.ends_with("SUMMARY.md")) {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(listed.contains(&name), "docs/SUMMARY.md does not list {name}");
    }
}

#[test]
fn readme_is_short_and_no_command_of_a_page_needs_a_filter() {
    let lines = read(Path::new("README.md")).lines().count();
    assert!(lines <= 160, "README.md has {lines} lines");
    for page in pages() {
        let text = read(&page);
        for command in blocks(&text, "console").into_iter().filter(|line| line.starts_with("$ ")) {
            assert!(
                !command.contains('|') && !command.contains("/dev/null"),
                "{}: {command}",
                page.display()
            );
        }
    }
}

#[test]
fn every_other_command_of_a_page_is_run_elsewhere() {
    for page in pages() {
        let text = read(&page);
        let commands = blocks(&text, "console")
            .into_iter()
            .filter(|line| line.starts_with("cargo ") || line.contains("=1 cargo "));
        for command in commands {
            let is_known = RUN_ELSEWHERE.iter().any(|(known, _)| *known == command);
            assert!(is_known, "{}: where is `{command}` run?", page.display());
        }
    }
}

#[test]
fn commands_that_are_only_mentioned_are_understood() {
    let mut count = 0;
    for page in all_pages() {
        let text = read(&page);
        let spans = prose(&text).flat_map(|line| line.split('`').skip(1).step_by(2));
        let indented = text.lines().filter_map(|line| line.strip_prefix("    "));
        for command in spans.chain(indented).filter(|text| {
            // `fencepost = …` is a line of a manifest.
            text.starts_with("fencepost ") && !text.starts_with("fencepost =")
        }) {
            let command = command.split(" #").next().unwrap();
            let mut words: Vec<&str> = command.split_whitespace().collect();
            if words.len() == 2 {
                // A command that is only named.
                words.push("--help");
            }
            cli::check_usage(&words).unwrap_or_else(|why| panic!("{}: `{command}`: {why}", page.display()));
            count += 1;
        }
    }
    assert!(count > 10, "only {count} commands were found");
}

#[test]
fn every_step_is_explained_and_nothing_else() {
    let page = read(Path::new("docs/plans.md"));
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    // A profile is a single word.
    let explained: Vec<&str> =
        rows.filter_map(|row| row.split('`').next()).filter(|row| row.contains(' ')).collect();
    for line in examples() {
        let (_, step) = line.split_once(' ').unwrap();
        let is_explained =
            explained.iter().any(|row| row.split_once(' ').is_some_and(|(_, row)| row == step));
        assert!(is_explained, "docs/plans.md has no row for `{line}`");
    }
    for row in explained {
        row.parse::<Step>().unwrap_or_else(|why| panic!("docs/plans.md: {why}"));
    }
}
