//! Findings, each a plan with its story.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dlock_lease::subjects;
use fencepost_sim::judge::judge;
use fencepost_sim::search::{SeededPlans, verdicts};
use fencepost_sim::{Subject, regressions};

/// A plan in `regressions/`, the subject that it breaks, and for how long at least two closures ran at once.
struct Finding {
    plan: &'static str,
    subject: &'static str,
    overlap_ms: u64,
}

const FINDINGS: &[Finding] = &[
    Finding { plan: "tokens-start-again-after-a-release", subject: "dlock-0.2-calls", overlap_ms: 0 },
    Finding { plan: "the-closure-goes-on-without-its-lease", subject: "dlock-0.2-with", overlap_ms: 970 },
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")
}

fn subject(name: &str) -> Subject {
    let found = subjects().into_iter().find(|subject| subject.name == name);
    found.unwrap_or_else(|| panic!("no subject `{name}`"))
}

#[test]
fn every_finding_is_where_it_was_found() {
    for finding in FINDINGS {
        let (plan, kept) = regressions::load(&folder().join(format!("{}.toml", finding.plan))).unwrap();
        let kept = kept.expect("it names its law");
        assert!(kept.story.len() > 80, "{}: tell the story", finding.plan);
        let verdict = judge(&Arc::new(plan), &subject(finding.subject));
        assert!(verdict.breaks(&kept.law), "{}: {:?}", finding.plan, verdict.broken());
        let overlap_ms = verdict.overlap_us.unwrap_or_default() / 1_000;
        assert!(overlap_ms >= finding.overlap_ms, "{}: {overlap_ms} ms", finding.plan);
    }
}

#[test]
fn every_kept_plan_is_a_finding() {
    let files = regressions::files(&folder()).unwrap();
    let kept: BTreeSet<_> = files.iter().filter_map(|file| file.file_stem()?.to_str()).collect();
    let listed: BTreeSet<_> = FINDINGS.iter().map(|finding| finding.plan).collect();
    assert_eq!(kept, listed);
}

/// The same seed, the same history, whichever thread it runs on.
#[test]
fn runs_repeat() {
    for subject in subjects() {
        let hashes = |jobs| {
            let mut hashes = Vec::new();
            verdicts(0..60, &SeededPlans::of(&subject), jobs, |_, verdict| {
                hashes.push((verdict.hash, verdict.events));
                ControlFlow::Continue(())
            });
            hashes
        };
        assert_eq!(hashes(1), hashes(2), "{}", subject.name);
    }
}
