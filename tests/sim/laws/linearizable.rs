//! Cases of linearizable.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::{CallKind, CallResult, What, Write};
use fencepost_sim::laws::Finding;

use crate::laws::history_builder::{
    ANN, BOB, Case, HistoryBuilder, NOBODY, TTL_MS, broken_at, case, history, judged, result_of, running,
};

const UNFENCED_START: What = What::Unfenced { call: CallKind::UnfencedStart };

fn unfenced_start(history: HistoryBuilder) -> HistoryBuilder {
    history.by(ANN, UNFENCED_START).wrote(ANN, Write::FirstStart)
}

pub fn cases() -> Vec<Case> {
    let claimed = || history().registered(RecoveryDisposition::Rerunnable).claims(1, NOBODY).granted(ANN, 1);
    let taken_over = |history: HistoryBuilder| history.at(1_000 + TTL_MS).claims(2, NOBODY).granted(BOB, 2);
    let completes = |output| What::Completes { output };
    let refused = |why| What::Refused { call: CallKind::UnfencedComplete, why };
    vec![
        case(
            "an incarnation enters its grant again; the same owner after its restart is another incarnation",
            claimed().claims(1, ANN).reentered(ANN, 1_000 + TTL_MS),
            claimed().claims(1, NOBODY).reentered(ANN, 1_000 + TTL_MS),
        ),
        case(
            "a start is answered with who started: this grant, or one before",
            taken_over(running().wrote(ANN, Write::FirstStart).wrote(ANN, Write::StartedByItself))
                .wrote(BOB, Write::StartedBefore),
            taken_over(running().wrote(ANN, Write::FirstStart)).wrote(BOB, Write::StartedByItself),
        ),
        case(
            "a grant that is not stored hears that it was superseded, not that it expired",
            running().refused(BOB, CallKind::Complete, CallResult::Superseded),
            running().refused(BOB, CallKind::Complete, CallResult::Expired),
        ),
        case(
            "a host's arguments are looked at before the process is",
            history().at_host(refused(CallResult::InvalidArgument)),
            history().at_host(refused(CallResult::LeaseRequired)),
        ),
        case(
            "an ended process is known",
            running().ended(ANN, 7).ended(ANN, 7),
            running().ended(ANN, 7).refused(ANN, CallKind::Claim, CallResult::UnknownProcess),
        ),
        case(
            "a completion that is sent again hears of its success; one with another output is refused",
            running().by(ANN, completes(7)).ended(ANN, 7).by(ANN, completes(8)).refused(
                ANN,
                CallKind::Complete,
                CallResult::AlreadyTerminal,
            ),
            running().by(ANN, completes(7)).ended(ANN, 7).by(ANN, completes(7)).refused(
                ANN,
                CallKind::Complete,
                CallResult::AlreadyTerminal,
            ),
        ),
        case(
            "a start that presents no lease is the live holder's right, and nobody's after the expiry",
            unfenced_start(running()),
            unfenced_start(running().at(1_000 + TTL_MS)),
        ),
        case(
            "an unfenced start is first only once, whoever sends it again",
            unfenced_start(running()).by(ANN, UNFENCED_START).wrote(ANN, Write::StartedByItself),
            unfenced_start(unfenced_start(running())),
        ),
        case(
            "a release that began first and ended last may come before a claim, but not before one that began later",
            running()
                .spans(1, ANN, 1_000, false)
                .claims(2, NOBODY)
                .granted(BOB, 2)
                .spans(1, ANN, 1_000, true)
                .released(ANN),
            running()
                .spans(2, NOBODY, 1_000, false)
                .claims(2, NOBODY)
                .spans(2, NOBODY, 1_000, true)
                .granted(BOB, 2),
        ),
    ]
}

/// So many claims of other nodes overlap that not every order can be tried.
fn overlapping_claims() -> HistoryBuilder {
    (10..40).fold(running(), |history, node| history.spans(node, NOBODY, 1_000, false))
}

fn claim_is_busy(history: HistoryBuilder, node: u8) -> HistoryBuilder {
    history.spans(node, NOBODY, 1_000, true).event(node, ANN, What::Busy)
}

#[test]
fn a_search_for_an_order_that_is_cut_short_claims_nothing() {
    // Lawful in any order: the first that is tried fits.
    let lawful = (10..40).fold(overlapping_claims(), claim_is_busy);
    assert_eq!(broken_at("linearizable", &lawful), None);

    // Among them a renewal that nothing explains.
    let renewal = What::Renewed { expires_ms: 9_000, asked_ms: 0 };
    let unexplained = (11..40).fold(overlapping_claims(), claim_is_busy);
    let unexplained = unexplained.spans(10, BOB, 1_000, true).event(10, BOB, renewal);
    let laws = judged(&unexplained);
    let finding = result_of(&laws, "linearizable").finding();
    assert!(matches!(finding, Finding::Undecided { .. }), "{finding:?}");
}
