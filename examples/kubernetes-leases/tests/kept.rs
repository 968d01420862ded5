//! Findings, each a plan with its story.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fencepost_sim::judge::judge;
use fencepost_sim::{Subject, regressions};
use kubernetes_leases::subjects;

/// A plan in `regressions/`, the subject that it breaks, and for how long at least two candidates both believed.
struct Finding {
    plan: &'static str,
    subject: &'static str,
    overlap_ms: u64,
}

const FINDINGS: &[Finding] = &[
    Finding {
        plan: "two-leaders-after-a-late-answer",
        subject: "kube-leader-election-0.44",
        overlap_ms: 840,
    },
    Finding {
        plan: "a-late-release-empties-the-successors-lease",
        subject: "kube-lease-manager-0.13",
        overlap_ms: 1_020,
    },
    Finding { plan: "two-leaders-at-first", subject: "kube-coordinate-0.2", overlap_ms: 2_900 },
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

/// The plans that break others do not break the control.
#[test]
fn the_control_survives_every_finding() {
    for finding in FINDINGS {
        let (plan, _) = regressions::load(&folder().join(format!("{}.toml", finding.plan))).unwrap();
        let verdict = judge(&Arc::new(plan), &subject("kubert-0.25"));
        assert_eq!(verdict.broken(), None, "{}", finding.plan);
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
    use std::ops::ControlFlow;

    use fencepost_sim::search::{SeededPlans, verdicts};

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
