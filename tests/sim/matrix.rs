//! The catalogue of planted bugs: each is killed by the law that must kill it, fast enough, every law kills at least one, and
//! the controls come to what they must come to. What is stable of the table is a snapshot; the seeds needed are not. And
//! the table itself: each verdict is given where it is due.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Mutex;

use fencepost_sim::laws::Laws;
use fencepost_sim::matrix::{Figures, KillVerdict, Matrix, Row, catalogue};
use fencepost_sim::plan::chance::Seed;
use fencepost_sim::planted;
use fencepost_sim::planted::{ExpectedEnd, PlantedBug};
use fencepost_sim::subject::{RandomSchedule, Schedule, Subject, Wakeup};

/// From one start, and plans are not made as small as they get: `fencepost sabotage` in CI does all of it.
const SEARCHED: Matrix<'_> = Matrix {
    starts: &[0],
    most: 2_000,
    jobs: 2,
    shrink_runs: 100,
    deviations: None,
    is_interrupted: &|| false,
};

#[test]
fn every_planted_bug_is_killed_by_its_law_and_every_control_comes_to_its_end() {
    let rows = SEARCHED.of(&catalogue(&[]), &|_| {});
    let mut table = String::new();
    for row in &rows {
        let _ =
            writeln!(table, "{:<34} {:<14} {} ({})", row.bug, row.expected.to_string(), row.verdict, row.law);
        assert!(row.is_right, "{}", row.line());
    }
    insta::assert_snapshot!("what_comes_of_each", table);

    let figures = Figures::of(&rows).unwrap();
    assert!(figures.median.is_some_and(|median| median <= 20), "{figures}");
    assert!(figures.worst.is_some_and(|worst| worst <= 2_000), "{figures}");
    let small = figures.small.unwrap();
    assert!(
        small.steps <= 12 && small.faults <= 2 && small.workers <= 2 && small.processes <= 1,
        "{figures}"
    );
    for row in rows.iter().filter(|row| row.verdict == KillVerdict::Killed) {
        let difference = row.first_difference.as_ref();
        assert!(
            row.small.is_some_and(|small| small.steps > 0) && difference.is_some_and(|at| at.event > 0),
            "{}",
            row.line()
        );
    }
}

#[test]
fn every_law_has_a_planted_bug_that_it_must_catch() {
    let caught: BTreeSet<&str> = planted::all().map(|bug| bug.law).collect();
    let laws: BTreeSet<&str> = Laws::names().into_iter().collect();
    assert_eq!(caught, laws);
}

#[test]
fn names_are_unique_and_every_bug_says_what_it_stands_for() {
    let mut names = BTreeSet::new();
    for (bug, _) in catalogue(&[]) {
        assert!(names.insert(bug.name), "{} stands there twice", bug.name);
        assert!(bug.stands_for.split(' ').count() >= 4, "{}", bug.name);
    }
}

fn row_of(bug: &PlantedBug, starts: &[u64], most: u64) -> Row {
    Matrix { starts, most, jobs: 1, shrink_runs: 100, deviations: None, is_interrupted: &|| false }
        .of(&[(bug, ExpectedEnd::Killed)], &|_| {})
        .remove(0)
}

/// In the order of what was asked, whoever is done first; with the steps of the plan made small, and what shows the bug in it.
#[test]
fn a_row_says_how_small_the_plan_became_and_where_the_histories_part() {
    let named = ["renew-the-expired", "claim-the-ended", "renew-creates"];
    let named: Vec<(&PlantedBug, ExpectedEnd)> =
        named.into_iter().map(|name| (planted::by_name(name).unwrap(), ExpectedEnd::Killed)).collect();
    let told = Mutex::new(Vec::new());
    let matrix = Matrix {
        starts: &[0],
        most: 100,
        jobs: 3,
        shrink_runs: 1_000,
        deviations: None,
        is_interrupted: &|| false,
    };
    let rows = matrix.of(&named, &|row| told.lock().unwrap().push(row.bug));
    assert_eq!(told.into_inner().unwrap(), ["renew-the-expired", "claim-the-ended", "renew-creates"]);

    let expired = &rows[0];
    let difference = expired.first_difference.as_ref().unwrap();
    assert!(expired.small.is_some_and(|small| small.steps <= 4), "{}", expired.line());
    assert!(difference.planted.starts_with("renewed p"), "{difference:?}");
    assert!(difference.truth.starts_with("renew refused: expired p"), "{difference:?}");
    let said = format!("CAUGHT by stale-writer-refused: {} | {}", difference.planted, difference.truth);
    assert!(expired.line().ends_with(&said), "{}", expired.line());
}

/// Tokens that repeat, and the law that must catch it is another one, which does not.
#[test]
fn a_bug_that_only_another_law_catches_is_not_called_killed() {
    let same_token = planted::by_name("same-token").unwrap();
    let law = "externally-owned-never-runs";
    let row = row_of(&PlantedBug { law, ..*same_token }, &[0], 20);
    assert_eq!((row.verdict, row.is_right, row.worst), (KillVerdict::KilledByAnotherLaw, false, None));
    let tail = "CAUGHT BY ANOTHER LAW: tokens-are-drawn, and not externally-owned-never-runs   WRONG";
    assert!(row.line().ends_with(tail), "{}", row.line());
}

/// With a seed less than the slowest start needs, the others still kill it.
#[test]
fn a_bug_that_is_killed_from_some_starts_is_told_apart() {
    let fences = planted::by_name("fence-forgotten-by-prune").unwrap();
    let needed = row_of(fences, &[0, 1_000_000, 2_000_000, 3_000_000], 50).needed;
    let needed: Vec<u64> = needed.into_iter().map(Option::unwrap).collect();
    let (least, most) = (*needed.iter().min().unwrap(), *needed.iter().max().unwrap());
    assert!(least < most, "all starts are alike: {needed:?}");

    let row = row_of(fences, &[0, 1_000_000, 2_000_000, 3_000_000], most - 1);
    assert_eq!((row.verdict, row.is_right, row.worst), (KillVerdict::KilledFromSomeStarts, false, None));
    let killed = needed.iter().filter(|needed| **needed < most).count();
    let said = format!("CAUGHT from {killed} of 4 starts by fences-only-grow: ");
    assert!(row.line().contains(&said), "{}", row.line());
    assert_eq!(Figures::of(&[row]).map(|figures| figures.meet_the_bars()), Some(false));
}

/// Not of the first seeds there are.
#[test]
fn whether_a_bug_was_reached_is_a_matter_of_the_seeds_that_were_searched() {
    let late = PlantedBug {
        name: "late",
        stands_for: "nothing: ready tasks take another order in late seeds",
        law: "one-live-grant",
        subject: |subject| Subject { schedule: Some(otherwise_in_late_seeds), ..subject },
    };
    assert_eq!(row_of(&late, &[0], 20).verdict, KillVerdict::SurvivedNeverReached);
    assert_eq!(row_of(&late, &[OTHERWISE_FROM - 10], 10).verdict, KillVerdict::SurvivedNeverReached);
    assert_eq!(row_of(&late, &[OTHERWISE_FROM - 10], 30).verdict, KillVerdict::SurvivedNotJudged);
    assert_eq!(row_of(&late, &[0, OTHERWISE_FROM], 20).verdict, KillVerdict::SurvivedNotJudged);
}

const OTHERWISE_FROM: u64 = 4_000_000;

fn otherwise_in_late_seeds(seed: Seed) -> Box<dyn Schedule> {
    struct ByTask;
    impl Schedule for ByTask {
        fn place(&mut self, wakeup: Wakeup) -> u64 {
            wakeup.task
        }
    }
    if seed.0 >= OTHERWISE_FROM { Box::new(ByTask) } else { Box::new(RandomSchedule(seed)) }
}

#[test]
fn a_panic_of_the_harness_is_an_error_with_its_seed_and_its_words() {
    let panics = PlantedBug {
        name: "panics",
        stands_for: "a harness that panics in one seed",
        law: "one-live-grant",
        subject: |subject| Subject { schedule: Some(panics_in_seed_seven), ..subject },
    };
    let row = row_of(&panics, &[0, 1_000_000], 20);
    assert_eq!((row.verdict, row.is_right), (KillVerdict::HarnessError, false));
    assert!(row.line().contains("HARNESS ERROR in seed 7: seven is one too many"), "{}", row.line());
    let json = serde_json::to_value(&row).unwrap();
    assert_eq!((&json["verdict"], &json["harness_panic"]["seed"]), (&"HARNESS ERROR".into(), &7.into()));
    // The world it left in pieces is nobody else's.
    assert_eq!(row_of(planted::by_name("same-token").unwrap(), &[0], 20).verdict, KillVerdict::Killed);
}

fn panics_in_seed_seven(seed: Seed) -> Box<dyn Schedule> {
    assert!(seed.0 != 7, "seven is one too many");
    Box::new(RandomSchedule(seed))
}

#[test]
fn a_search_at_the_end_of_all_seeds_ends_there() {
    let inert = planted::by_name("control-the-same-value").unwrap();
    assert_eq!(row_of(inert, &[u64::MAX - 2], u64::MAX).verdict, KillVerdict::SurvivedNeverReached);
    let same_token = planted::by_name("same-token").unwrap();
    assert_eq!(row_of(same_token, &[u64::MAX - 20], u64::MAX).verdict, KillVerdict::Killed);
}
