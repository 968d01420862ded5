//! The catalogue of planted bugs: each is killed by the law that must kill it, every law kills at least one, and the controls
//! come to what they must come to. What is stable of the table is a snapshot; the seeds needed are not.

use std::collections::BTreeSet;
use std::fmt::Write;

use fencepost_sim::laws::Laws;
use fencepost_sim::matrix::{End, matrix};
use fencepost_sim::sabotage;

#[test]
fn every_planted_bug_is_killed_by_its_law_and_every_control_comes_to_its_end() {
    let rows = matrix(&[], &[0], 2_000, 2, &|_| {});
    let mut table = String::new();
    for row in &rows {
        let _ = writeln!(table, "{:<34} {:<14} {:?} ({})", row.sabotage, row.fate, row.end, row.law);
        assert!(row.is_right, "{}", row.line());
    }
    insta::assert_snapshot!("what_comes_of_each", table);
}

#[test]
fn every_law_has_a_planted_bug_that_it_must_catch() {
    let caught: BTreeSet<&str> = sabotage::all().map(|sabotage| sabotage.law).collect();
    let laws: BTreeSet<&str> = Laws::names().into_iter().collect();
    assert_eq!(caught, laws);
}

#[test]
fn names_are_unique_and_every_bug_says_what_it_stands_for() {
    let mut names = BTreeSet::new();
    for sabotage in sabotage::all().chain(sabotage::controls().iter().map(|(control, _)| control)) {
        assert!(names.insert(sabotage.name), "{} stands there twice", sabotage.name);
        assert!(sabotage.stands_for.split(' ').count() >= 4, "{}", sabotage.name);
    }
}

/// A bug whose law is another one's is told apart from one that is caught by its own.
#[test]
fn a_bug_that_only_another_law_catches_is_not_called_killed() {
    let rows = matrix(&["control-capital-tokens".to_owned(), "same-token".to_owned()], &[0], 20, 1, &|_| {});
    let ends: Vec<End> = rows.iter().map(|row| row.end).collect();
    assert_eq!(ends, [End::Killed, End::SurvivedNotJudged]);
}
