//! docs/formats.md has a line for every field of every report, and no line for a field that no report has.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use fencepost_sim::report::format;
use serde_json::Value;

use crate::docs::{read, workspace};

/// The fields that the first column of a section's table names.
fn documented(page: &str, section: &str) -> BTreeSet<String> {
    let (_, after) =
        page.split_once(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no section {section}"));
    let table = after.split("\n## ").next().unwrap();
    let first_column = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    first_column.flat_map(|names| names.split(", ")).map(|name| name.trim_matches('`').to_owned()).collect()
}

fn report(arguments: &str) -> Value {
    let words: Vec<&str> = arguments.split(' ').collect();
    let output = Command::new(env!("CARGO_BIN_EXE_fencepost"))
        .args(&words)
        .current_dir(workspace())
        .env_remove("GITHUB_STEP_SUMMARY")
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{arguments}: {why}"))
}

#[test]
fn every_field_of_every_report_has_its_line() {
    let page = read(Path::new("docs/formats.md"));
    let search = report("run --seeds 0..2 --format json");
    let hole = "regressions/stale-writer-refused-renew-then-write.toml";
    let reports = [
        ("summary", search["summary"].clone(), format::SUMMARY),
        ("timings", search["timings"].clone(), format::TIMINGS),
        ("proof", report("prove few-fences --deviations 0 --format json"), format::PROOF),
        ("regressions", report("regressions --format json"), format::REGRESSIONS),
        ("kill matrix", report("sabotage renew-then-write --format json"), format::KILL_MATRIX),
        ("determinism", report("determinism --seeds 0..2 --format json"), format::DETERMINISM),
        ("shrinking", report(&format!("shrink {hole} --budget 5 --format json --quiet")), format::SHRINK),
    ];
    for (section, report, version) in reports {
        let mut fields: BTreeSet<String> = report.as_object().unwrap().keys().cloned().collect();
        if section == "summary" {
            // Only a search of a lease service has them.
            fields.extend(["longest_overlap", "lease_claims"].map(str::to_owned));
        }
        assert_eq!(documented(&page, section), fields, "{section}");
        assert_eq!(report["format"], version, "{section}");
        assert!(page.contains(&format!("| {section} | ")), "{section}");
        let line = page.lines().find(|line| line.starts_with(&format!("| {section} | "))).unwrap();
        assert!(line.ends_with(&format!(" | {version} |")), "{line}");
    }
}
