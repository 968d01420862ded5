//! Cases of acknowledged-survives.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::{CallKind, Status, SurvivingRow, TurnedOut, What, Write};

use crate::laws::history_builder::{
    ANN, BOB, Case, HistoryBuilder, NOBODY, REGISTERED_ROW, TTL_MS, broken_at, case, history, row_of, running,
};

const UNTIL_MS: u64 = 1_000 + TTL_MS;

fn registered() -> HistoryBuilder {
    history().registered(RecoveryDisposition::Rerunnable)
}

pub fn cases() -> Vec<Case> {
    let started_row = SurvivingRow::Known {
        status: Status::Running,
        is_started: true,
        is_waiting: false,
        is_abandon_requested: false,
        is_torn: false,
    };
    let turned_out = |fate| {
        let known = registered().shows_row(REGISTERED_ROW, 0);
        known.by(ANN, What::TurnedOut { call: CallKind::Complete, fate })
    };
    vec![
        case(
            "the lease is there after the store was opened again",
            running()
                .wrote(ANN, Write::FirstStart)
                .appended(2, 0)
                .shows_row(started_row, 2)
                .shows_lease(ANN, UNTIL_MS, 0),
            running().shows_row(REGISTERED_ROW, 0).shows_lease(NOBODY, 0, 0),
        ),
        case(
            "the end is there",
            running().ended(ANN, 7).shows_row(row_of(Status::Completed), 0),
            running().ended(ANN, 7).shows_row(row_of(Status::Running), 0),
        ),
        case(
            "the process is there",
            registered().shows_row(REGISTERED_ROW, 0),
            registered().shows_row(SurvivingRow::Gone, 0),
        ),
        case(
            "the last event is there",
            registered().appended(3, 0).shows_row(REGISTERED_ROW, 3),
            registered().appended(3, 0).shows_row(REGISTERED_ROW, 2),
        ),
        case(
            "a call that was never acknowledged is there whole or not at all",
            turned_out(TurnedOut::NotApplied),
            turned_out(TurnedOut::Partly),
        ),
    ]
}

/// The facts that a row shows.
#[derive(Clone, Copy)]
struct Facts {
    status: Status,
    is_started: bool,
    is_waiting: bool,
    is_abandon_requested: bool,
    is_torn: bool,
}

const BUSY: Facts = Facts {
    status: Status::Running,
    is_started: true,
    is_waiting: true,
    is_abandon_requested: true,
    is_torn: false,
};
const NOT_WAITING: Facts = Facts { is_waiting: false, ..BUSY };

impl From<Facts> for SurvivingRow {
    fn from(facts: Facts) -> Self {
        let Facts { status, is_started, is_waiting, is_abandon_requested, is_torn } = facts;
        Self::Known { status, is_started, is_waiting, is_abandon_requested, is_torn }
    }
}

/// A process that was started and asked to be abandoned, waits, and has three events.
fn busy() -> HistoryBuilder {
    running()
        .wrote(ANN, Write::FirstStart)
        .wrote(ANN, Write::Wait)
        .asked(Write::AbandonRequest)
        .appended(3, 0)
}

fn is_broken(shown: &HistoryBuilder) -> bool {
    broken_at("acknowledged-survives", shown).is_some()
}

#[test]
fn each_acknowledged_fact_alone_must_survive() {
    let shown = |row: SurvivingRow, last_sequence, lease, until_ms| {
        busy().shows_row(row, last_sequence).shows_lease(lease, until_ms, 0)
    };
    assert!(!is_broken(&shown(BUSY.into(), 3, ANN, UNTIL_MS)));
    // An event that nobody was told of is there whole.
    assert!(!is_broken(&shown(BUSY.into(), 4, ANN, UNTIL_MS)));
    for (lost, row, last_sequence, lease, until_ms) in [
        ("the first start", Facts { is_started: false, ..BUSY }.into(), 3, ANN, UNTIL_MS),
        ("the wait", NOT_WAITING.into(), 3, ANN, UNTIL_MS),
        ("the abandon request", Facts { is_abandon_requested: false, ..BUSY }.into(), 3, ANN, UNTIL_MS),
        ("an end of nobody's", Facts { status: Status::Completed, ..BUSY }.into(), 3, ANN, UNTIL_MS),
        ("rows that cannot be read", SurvivingRow::Unreadable, 3, ANN, UNTIL_MS),
        ("the last event", BUSY.into(), 2, ANN, UNTIL_MS),
        ("the lease", BUSY.into(), 3, NOBODY, 0),
        ("another's lease", BUSY.into(), 3, BOB, UNTIL_MS),
        ("a shorter lease", BUSY.into(), 3, ANN, UNTIL_MS - 1),
        ("a longer lease", BUSY.into(), 3, ANN, UNTIL_MS + 1),
    ] {
        assert!(is_broken(&shown(row, last_sequence, lease, until_ms)), "{lost}");
    }
}

#[test]
fn what_was_taken_back_stays_away() {
    let cleared = |facts: Facts, lease, until_ms| {
        let cleared = busy().wrote(ANN, Write::WaitCleared).released(ANN);
        cleared.shows_row(facts.into(), 3).shows_lease(lease, until_ms, 0)
    };
    assert!(!is_broken(&cleared(NOT_WAITING, NOBODY, 0)));
    assert!(is_broken(&cleared(BUSY, NOBODY, 0)), "a cleared wait is back");
    assert!(is_broken(&cleared(NOT_WAITING, ANN, UNTIL_MS)), "a released lease is back");
}

#[test]
fn an_end_survives_with_its_status_and_its_outcome() {
    let ended =
        |facts: Facts, output| busy().ended(ANN, 7).shows_row(facts.into(), 3).shows_lease(NOBODY, 0, output);
    let completed = Facts { status: Status::Completed, ..NOT_WAITING };
    assert!(!is_broken(&ended(completed, 7)));
    assert!(is_broken(&ended(completed, 8)), "another outcome");
    assert!(is_broken(&ended(Facts { status: Status::Failed, ..completed }, 7)), "another end");
    assert!(is_broken(&ended(BUSY, 7)), "no end");
    let torn = Facts { is_torn: true, ..completed };
    assert!(is_broken(&ended(torn, 7)), "an end beside the lease that it takes away");
}

#[test]
fn a_pruned_process_stays_away() {
    let pruned = || busy().ended(ANN, 7).pruned();
    assert!(!is_broken(&pruned().shows_row(SurvivingRow::Gone, 0)));
    let is_back = pruned().shows_row(REGISTERED_ROW, 3).shows_lease(NOBODY, 0, 0);
    assert!(is_broken(&is_back), "a pruned process is back");
}
