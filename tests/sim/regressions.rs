//! Regression files: each holds for the true system, and where it came from a planted bug it still catches that bug at the
//! same place. A file that no longer does says why, a plan that breaks nothing is not written, and unrelated changes of a
//! plan do not hide its breach.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fencepost_sim::history::event::EventKind;
use fencepost_sim::judge::{judge, record};
use fencepost_sim::laws::Laws;
use fencepost_sim::plan::step::Step;
use fencepost_sim::plan::work::cancel::Cancel;
use fencepost_sim::plan::{Plan, Process};
use fencepost_sim::regressions::{BreachPlace, KeepError, Regression, files, keep, load, place_of, replay};
use fencepost_sim::subject::Subject;
use fencepost_sim::timeline::text;

fn regression_files() -> Vec<PathBuf> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../regressions")).unwrap()
}

fn regressions() -> impl Iterator<Item = (PathBuf, Regression)> {
    regression_files().into_iter().map(|path| {
        let regression = load(&path).unwrap_or_else(|error| panic!("{error}")).1;
        let regression = regression.unwrap_or_else(|| panic!("{} has no law and no story", path.display()));
        (path, regression)
    })
}

#[test]
fn every_regression_holds_for_the_true_system_and_catches_what_it_came_from_where_it_did() {
    assert!(regression_files().len() >= 20);
    for path in regression_files() {
        let regression = replay(&path, &Subject::fencepost())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let is_placed = regression.place.is_some() || regression.origin.planted_bug.is_none();
        assert!(is_placed, "{} does not say where its law breaks", path.display());
    }
}

/// In a minute: a few steps, a story, and a name that says what it is about.
#[test]
fn every_regression_can_be_read_in_a_minute() {
    for (path, regression) in regressions() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("{}-", regression.law)), "{name}");
        let words = regression.story.split_whitespace().count();
        assert!((25..=120).contains(&words), "{name} tells its story in {words} words");
        let sentences = regression.story.matches(['.', ':']).count();
        assert!((2..=8).contains(&sentences), "{name} tells its story in {sentences} sentences");
        assert!(regression.story.contains("true"), "{name} does not say what the true system does");
        assert!(regression.plan.steps.len() <= 6, "{name}");
    }
}

#[test]
fn every_law_has_a_regression() {
    for law in Laws::names() {
        assert!(regressions().any(|(_, regression)| regression.law == law), "{law}");
    }
}

#[test]
fn the_timeline_of_every_regression_is_as_it_was_reviewed() {
    for (path, regression) in regressions() {
        let subject = regression.subject(&path).unwrap();
        let plan = Arc::new(regression.plan);
        let breach = judge(&plan, &subject).breach_of(&regression.law);
        let drawn = text::draw(&record(&plan, &subject), breach.as_ref());
        insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), drawn);
    }
}

/// A regression that is nobody's business but the test's.
fn kept(plan: &str) -> String {
    format!(
        "law = \"ends-once\"\nstory = \"\"\n[origin]\nsabotage = \"second-terminal\"\n\
         [finding]\nafter = \"2s stale-call p1 complete\"\nevent = \"Ended\"\n[plan]\n{plan}"
    )
}

const PLAN: &str = "format = 1\nseed = 1\nworkers = \"1\"\nhosts = \"1\"\nttl_ms = 3000\nrenew_ms = 1000\n\
                    sweep_ms = 1000\nbound = 4\nhorizon_ms = 4000\nsteps = [\n\
                    \"0ms register p1 rerunnable 1 steps of 10ms\",\n\"2s stale-call p1 complete\",\n]\n\
                    [plan.links]\nfastest_us = 500\nslowest_us = 3000\n";

fn replayed(text: &str) -> Result<Regression, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.toml");
    std::fs::write(&path, text).unwrap();
    replay(&path, &Subject::fencepost()).map_err(|error| error.to_string())
}

#[test]
fn a_file_that_no_longer_reaches_its_point_fails_with_the_reason() {
    let good = kept(PLAN);
    assert!(replayed(&good).is_ok(), "{:?}", replayed(&good));
    let cases = [
        (
            good.replace("stale-call p1 complete\",\n]", "stale-call p1 completes\",\n]"),
            "unknown call `completes`",
        ),
        (
            good.replace("format = 1", "format = 9\ncolour = 3"),
            "the plan is of format 9, and this build reads format 1",
        ),
        (good.replace("law = \"ends-once\"", "law = \"peace\""), "names the law `peace`, and there is none"),
        (
            good.replace("second-terminal", "third-terminal"),
            "`third-terminal`, which this build does not have",
        ),
        (good.replace("story = \"\"\n", ""), "missing field `story`"),
        (
            good.replace("\"2s stale-call p1 complete\",\n]", "]"),
            "with `second-terminal` planted, ends-once holds",
        ),
        (
            good.replace("\"Ended\"", "\"Showed\""),
            "ends-once is broken by an event of kind Ended after `2s stale-call p1 complete`, and was by an event of kind Showed",
        ),
        (
            good.replace("after = \"2s stale-call p1 complete\"\n", ""),
            "ends-once is broken by an event of kind Ended after `2s stale-call p1 complete`, and was by an event of kind Ended \
             before any step",
        ),
        (
            good.replace("[finding]\nafter = \"2s stale-call p1 complete\"\nevent = \"Ended\"\n", ""),
            "it does not say where ends-once breaks with `second-terminal` planted",
        ),
        (PLAN.replace("[plan.links]", "[links]"), "is a plan alone"),
    ];
    for (text, why) in cases {
        let said = replayed(&text).expect_err(why);
        assert!(said.contains(why), "{why}: {said}");
    }
}

#[test]
fn a_regression_that_the_true_system_breaks_says_which_law_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.toml");
    std::fs::write(&path, kept(PLAN)).unwrap();
    let broken = fencepost_sim::planted::by_name("second-terminal").unwrap().subject();
    let said = replay(&path, &broken).expect_err("it breaks").to_string();
    assert!(
        said.contains("second-terminal breaks outcomes-are-not-dropped at event 31: a completion recorded"),
        "{said}"
    );
}

#[test]
fn what_is_kept_breaks_its_law_when_it_is_read_back_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("regressions/some.toml");
    for (original, regression) in regressions().take(5) {
        let subject = regression.subject(&original).unwrap();
        let placeless = Regression { place: None, ..regression.clone() };
        assert_eq!(keep(&path, &placeless, &subject).unwrap(), regression);
        let said = keep(&path, &placeless, &subject).expect_err("it would replace the one that is there");
        assert!(matches!(said, KeepError::IsThere { .. }), "{said}");
        let (plan, read) = load(&path).unwrap();
        assert_eq!((&plan, read.as_ref()), (&regression.plan, Some(&regression)));
        assert_eq!(place_of(&plan, &subject, &regression.law), regression.place);
        assert_eq!(files(path.parent().unwrap()).unwrap(), std::slice::from_ref(&path));
        std::fs::remove_file(&path).unwrap();
    }
}

/// The value would break its law, and its text is no plan: no process has that number. Nothing is written.
#[test]
fn what_does_not_break_its_law_from_its_text_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.toml");
    let regression: Regression = toml::from_str(&kept(PLAN)).unwrap();
    let subject = regression.subject(&path).unwrap();
    let with = |plan: Plan| Regression { plan, ..regression.clone() };
    let mut unreadable = regression.plan.clone();
    unreadable.steps.push(Step { at_ms: 3_000, action: Cancel { process: Process(1_000) }.into() });
    assert!(place_of(&unreadable, &subject, &regression.law).is_some());
    let said = keep(&path, &with(unreadable), &subject).expect_err("it cannot be read");
    assert!(matches!(said, KeepError::Unreadable { .. }), "{said}");
    assert!(said.to_string().contains("`p1000` is no process"), "{said}");
    let mut unordered = regression.plan.clone();
    unordered.workers.0 = vec![2, 1];
    let said = keep(&path, &with(unordered), &subject).expect_err("it reads back as another");
    assert!(matches!(said, KeepError::AnotherPlan), "{said}");
    let mut harmless = regression.plan.clone();
    harmless.steps.pop();
    let said = keep(&path, &with(harmless), &subject).expect_err("it breaks nothing");
    assert_eq!(
        said.to_string(),
        "the plan does not break `ends-once` on `second-terminal`: nothing was written"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_place_is_told_by_the_last_step_before_it_and_the_kind_of_its_event() {
    let regression: Regression = toml::from_str(&kept(PLAN)).unwrap();
    let subject = regression.subject(Path::new("")).unwrap();
    let place = |steps: &[&str]| {
        let steps = steps.iter().map(|line| line.parse().unwrap()).collect();
        place_of(&Plan { steps, ..regression.plan.clone() }, &subject, "ends-once")
    };
    let register = "0ms register p1 rerunnable 1 steps of 10ms";
    let told = |after: &str| Some(BreachPlace { after: after.parse().ok(), event: EventKind::Ended });
    assert_eq!(
        place(&[register, "2s stale-call p1 complete", "3s prune"]),
        told("2s stale-call p1 complete")
    );
    assert_eq!(
        place(&[register, "1.9s stale-call p1 complete", "2s stale-call p1 complete"]),
        told("1.9s stale-call p1 complete")
    );
    assert_eq!(place(&[register]), None);
}

/// Plans that differ in nothing that matters, by what differs.
pub fn unrelated_changes(plan: &Plan) -> BTreeMap<&'static str, Vec<Plan>> {
    let mut changed: BTreeMap<&str, Vec<Plan>> = BTreeMap::new();
    let first = plan.hosts.0[0];
    let text = plan.to_string().replace(&format!("host-{first}"), "host-7");
    let renamed = text.replace(&format!("hosts = \"{first}"), "hosts = \"7").parse().unwrap();
    changed.entry("another host").or_default().push(renamed);
    let last_ms = plan.steps.last().map_or(0, |step| step.at_ms);
    let no_ops = [
        ("a clock that does not move", format!("step host-{first} by +0ms")),
        ("a wait for nobody", "await p99".into()),
    ];
    for (what, line) in no_ops {
        for at_ms in [0, last_ms / 2, last_ms] {
            let mut more = plan.clone();
            let place = more.steps.partition_point(|step| step.at_ms < at_ms);
            more.steps.insert(place, format!("{at_ms}ms {line}").parse().unwrap());
            changed.entry(what).or_default().push(more);
        }
    }
    for place in 1..plan.steps.len() {
        // The order in a file says nothing of the order in time; at one instant it is that order.
        let is_one_instant = plan.steps[place - 1].at_ms == plan.steps[place].at_ms;
        let what = if is_one_instant { "another order at one instant" } else { "another order of lines" };
        let mut reordered = plan.clone();
        reordered.steps.swap(place - 1, place);
        changed.entry(what).or_default().push(reordered);
    }
    changed
}

/// By what was changed: how many files broke their law under every such change, of how many.
fn survivors() -> BTreeMap<&'static str, (usize, Vec<String>)> {
    let mut survivors: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for (path, regression) in regressions() {
        let subject = regression.subject(&path).unwrap();
        for (what, plans) in unrelated_changes(&regression.plan) {
            let survives = plans.into_iter().all(|plan| {
                assert_ne!(plan, regression.plan, "{what}");
                plan.check().unwrap();
                judge(&Arc::new(plan), &subject).breaks(&regression.law)
            });
            let (survived, lost) = survivors.entry(what).or_default();
            if survives { *survived += 1 } else { lost.push(path.display().to_string()) }
        }
    }
    survivors
}

#[test]
fn unrelated_changes_leave_regressions_breaking_their_law() {
    let survivors = survivors();
    assert_eq!(survivors.len(), 5);
    for (what, (survived, lost)) in survivors {
        println!("{what}: {survived} survive, lost are {lost:?}");
        let all = survived + lost.len();
        // Few small plans take two steps at one instant.
        let least = if what.ends_with("one instant") { 5 } else { 20 };
        assert!(all >= least && survived * 100 >= all * 95, "{what}: {survived} of {all}, lost are {lost:?}");
    }
}
