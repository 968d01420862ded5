//! Cases of bodies-overlap-within-bound. Clocks neither drift nor step here, so 4 ms is all that is allowed.

use fencepost_sim::history::event::{BodyOutcome, CallKind, CallResult, TurnedOut, What, Witness};
use fencepost_sim::laws::{Finding, Laws};
use fencepost_sim::plan::Plan;

use crate::laws::history_builder::{
    ANN, BOB, Case, HistoryBuilder, NOBODY, TTL_MS, case, result_of, running,
};

/// Bob's body begins at the expiry of Ann's lease.
fn taken_over(history: HistoryBuilder) -> HistoryBuilder {
    history.at(4_000).granted(BOB, 2).body_began(BOB, 2)
}

pub fn cases() -> Vec<Case> {
    let dropped = What::BodyEnded { outcome: BodyOutcome::Dropped, output: 0 };
    let paused = || taken_over(running().body_began(ANN, 1).event(1, NOBODY, What::Paused));
    vec![
        case(
            "the first body stops within 4 ms of the second's beginning",
            taken_over(running().body_began(ANN, 1)).at(4_004).by(ANN, dropped),
            taken_over(running().body_began(ANN, 1)).at(4_005).by(ANN, dropped),
        ),
        case(
            "time in which a node stands still does not count",
            paused().at(9_000).event(1, NOBODY, What::Resumed).by(ANN, dropped),
            paused().at(9_000).event(1, NOBODY, What::Resumed).at(9_010).by(ANN, dropped),
        ),
    ]
}

/// The registry's clock is set forward after it has decided a renewal, and before anybody knows that it was applied.
#[test]
fn a_renewal_of_unknown_outcome_counts_from_its_decision() {
    let steps = vec!["2s step registry by +2s".parse().unwrap()];
    let plan = Plan { ttl_ms: TTL_MS, steps, ..Plan::quiet(0) };
    let applied = What::TurnedOut { call: CallKind::Renew, fate: TurnedOut::Applied };
    let unknown = running().body_began(ANN, 1).at(2_000);
    let stepped = unknown.refused(ANN, CallKind::Renew, CallResult::OutcomeUnknown);
    let stepped = stepped.at_registry(What::StepTaken { step: 0 });
    let renewed = stepped.at(2_500).event(1, ANN, applied).renewed(ANN);
    let dropped = What::BodyEnded { outcome: BodyOutcome::Dropped, output: 0 };
    let taken_over = |dropped_ms| {
        let taken_over = renewed.clone().at(3_000).granted(BOB, 2).body_began(BOB, 2);
        let mut laws = Laws::new(&plan);
        taken_over.at(dropped_ms).by(ANN, dropped).events.iter().for_each(|event| laws.see(event));
        result_of(&laws, "bodies-overlap-within-bound").finding()
    };
    assert_eq!(taken_over(5_000), Finding::Holds);
    assert!(matches!(taken_over(5_005), Finding::Broken { .. }));
}
