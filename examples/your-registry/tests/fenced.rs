//! The harness and the contract, pointed at the registry of this crate: the honest variant passes both, the broken one
//! is caught.

use std::path::Path;
use std::sync::Arc;

use fencepost::ProcessRegistry;
use fencepost::testing::conformance::Backend;
use fencepost::testing::manual_environment::HandEnvironment;
use fencepost_sim::generate::generate;
use fencepost_sim::judge::judge;
use fencepost_sim::plan::Store;
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::{Options, Subject, check, regressions};
use your_registry::MapRegistry;

fn honest() -> Subject {
    Subject::of("map", MapRegistry::open)
}

fn broken() -> Subject {
    Subject::of("map-broken", MapRegistry::open_broken)
}

#[test]
fn the_honest_registry_breaks_no_law() {
    // More seeds than the default: a release by anybody, say, is caught at the 590th.
    let shown = check(&honest(), &Options { seeds: 0..2_000, ..Options::default() }).unwrap();
    assert_eq!(shown.seeds, 2_000);
}

/// They share no rule and no store: what a run shows is the contract, whoever keeps the rows. Yours need not go so far.
#[test]
fn the_honest_registry_does_in_every_run_what_the_reference_does() {
    for seed in 0..300 {
        let plan = Arc::new(generate(Seed(seed), Store::Memory));
        if plan.fences_left.is_some() || plan.has_waits_at_registry() {
            // Only the reference's own store is made to begin near the last fence, and only beside it anybody waits.
            continue;
        }
        assert_eq!(judge(&plan, &honest()).hash, judge(&plan, &Subject::fencepost()).hash, "seed {seed}");
    }
}

#[test]
fn the_broken_registry_lets_a_stale_writer_end_a_process() {
    let failure = check(&broken(), &Options::default()).expect_err("it looks at no clock");
    assert_eq!(failure.law(), Some("stale-writer-refused"), "{failure}");
    assert!(failure.broken().unwrap().plan.steps.len() <= 5, "{failure}");
}

/// Found once, kept for ever: a plan is a fact, where a seed is a promise about the generator.
#[test]
fn every_kept_plan_still_bites_the_broken_registry_and_not_the_honest_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let files = regressions::files(&folder).unwrap();
    assert!(!files.is_empty());
    for path in files {
        let (plan, kept) = regressions::load(&path).unwrap();
        let (plan, kept) = (Arc::new(plan), kept.expect("it names its law"));
        assert_eq!(judge(&plan, &honest()).broken(), None, "{}", path.display());
        assert!(judge(&plan, &broken()).breaks(&kept.law), "{}", path.display());
    }
}

/// Every sentence of the contract is a test of its own.
mod contract {
    use super::*;

    struct Mine;

    impl Backend for Mine {
        fn open(&mut self, environment: &HandEnvironment) -> Arc<dyn ProcessRegistry> {
            Arc::new(MapRegistry::open(Arc::new(environment.clone())))
        }
    }

    fencepost::conformance_tests!(Mine);
}
