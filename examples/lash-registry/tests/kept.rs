//! Findings, each a plan with its story. A plan is a fact about every release: it breaks its law in some, and in the others it
//! shows that the bug is not there, or is there no more.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use fencepost_sim::Subject;
use fencepost_sim::judge::judge;
use fencepost_sim::regressions;
use lash_registry::subjects;

struct Finding {
    /// Its file in `regressions/`.
    plan: &'static str,
    /// The subject that it is run with.
    subject: &'static str,
    /// The releases whose subject of this name breaks the law of the file, if it claims to keep that law.
    broken_in: &'static [&'static str],
}

const ALL: &[&str] = &["86", "89", "113"];

const FINDINGS: &[Finding] = &[
    Finding { plan: "a-stale-writer-completes", subject: "memory", broken_in: &["86"] },
    Finding { plan: "a-renewal-decided-before-its-wait", subject: "waiting", broken_in: &["113"] },
    Finding { plan: "a-power-off-loses-a-lease", subject: "disk", broken_in: ALL },
    Finding { plan: "a-prune-of-everything-prunes-nothing", subject: "uncapped", broken_in: ALL },
    Finding { plan: "the-double-leases-an-unknown-id", subject: "double", broken_in: ALL },
    Finding { plan: "the-double-keeps-half-of-a-transfer", subject: "double", broken_in: ALL },
];

fn release() -> &'static str {
    env!("CARGO_PKG_NAME").trim_start_matches("lash-alpha-")
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../regressions")
}

fn subject(name: &str) -> Subject {
    subjects()
        .into_iter()
        .find(|subject| subject.name == name)
        .unwrap_or_else(|| panic!("no subject `{name}`"))
}

#[test]
fn every_finding_is_where_it_was_found_and_nowhere_else() {
    for finding in FINDINGS {
        let (plan, kept) = regressions::load(&folder().join(format!("{}.toml", finding.plan))).unwrap();
        let kept = kept.expect("it names its law");
        assert!(kept.story.len() > 80, "{}: tell the story", finding.plan);
        let subject = subject(finding.subject);
        if !subject.claims(&kept.law) {
            continue;
        }
        let verdict = judge(&Arc::new(plan), &subject);
        let is_broken = finding.broken_in.contains(&release());
        assert_eq!(verdict.breaks(&kept.law), is_broken, "{}: {:?}", finding.plan, verdict.broken());
        if !is_broken {
            assert_eq!(verdict.broken(), None, "{}", finding.plan);
        }
    }
}

#[test]
fn every_kept_plan_is_a_finding() {
    let files = regressions::files(&folder()).unwrap();
    let kept: BTreeSet<_> = files.iter().filter_map(|file| file.file_stem()?.to_str()).collect();
    let listed: BTreeSet<_> = FINDINGS.iter().map(|finding| finding.plan).collect();
    assert_eq!(kept, listed);
}

/// Releases with a fenced completion keep every law that upstream promises. README tells how many seeds were run.
#[test]
fn a_search_finds_nothing_in_memory() {
    let subject = subject("memory");
    let options = fencepost_sim::Options { seeds: 0..60, ..Default::default() };
    match (release(), fencepost_sim::check(&subject, &options)) {
        ("86", found) => assert_eq!(found.unwrap_err().law(), Some("stale-writer-refused")),
        (_, found) => assert_eq!(found.unwrap().seeds, 60),
    }
}
