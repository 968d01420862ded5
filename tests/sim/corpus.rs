//! Every file of the corpus: it holds for the true system, and where it came from a planted bug it still catches that bug.

use std::path::Path;
use std::sync::Arc;

use fencepost_sim::corpus::{files, load};
use fencepost_sim::judge::judge;
use fencepost_sim::subject::Subject;

#[test]
fn every_regression_holds_for_the_true_system_and_catches_what_it_came_from() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../regressions");
    let files = files(&folder).unwrap();
    assert!(!files.is_empty());
    for path in files {
        let (plan, regression) = load(&path).unwrap_or_else(|error| panic!("{error}"));
        let regression = regression.unwrap_or_else(|| panic!("{} has no law and no story", path.display()));
        assert!(regression.story.split_whitespace().count() >= 8, "{} tells no story", path.display());
        let plan = Arc::new(plan);
        let verdict = judge(&plan, &Subject::fencepost());
        assert_eq!(verdict.broken(), None, "{}", path.display());
        assert!(
            verdict.findings.iter().any(|judged| judged.law == regression.law),
            "{} names no law",
            path.display()
        );
        if regression.origin.sabotage.is_some() {
            let subject = regression.subject(&path).unwrap_or_else(|error| panic!("{error}"));
            assert!(judge(&plan, &subject).breaks(&regression.law), "{} no longer bites", path.display());
        }
    }
}
