//! Cases of linearizable.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::{CallKind, CallResult, What, Write};

use crate::laws::history_builder::{
    ANN, BOB, Case, HistoryBuilder, HOST, NOBODY, TTL_MS, case, history, running,
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
            "a lost lease was superseded, or its process has ended",
            running()
                .refused(BOB, CallKind::Complete, CallResult::LeaseLost)
                .ended(ANN, 7)
                .refused(BOB, CallKind::Emit, CallResult::LeaseLost),
            running().refused(ANN, CallKind::Complete, CallResult::LeaseLost),
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
                .span_began(1, ANN, CallKind::Release)
                .claims(2, NOBODY)
                .granted(BOB, 2)
                .span_ended(1, ANN, 1_000)
                .released(ANN)
                .finished(),
            running()
                .span_began(2, NOBODY, CallKind::Claim)
                .claims(2, NOBODY)
                .span_ended(2, NOBODY, 1_000)
                .granted(BOB, 2)
                .finished(),
        ),
        case(
            "a renewal that took time may have been decided before the expiry, unless somebody saw the old lease after it",
            running()
                .at(3_999)
                .span_began(1, ANN, CallKind::Renew)
                .at(4_001)
                .event(HOST, ANN, What::LeaseShown { expires_ms: 6_999 })
                .span_ended(1, ANN, 3_999)
                .renewed_until(ANN, 6_999, TTL_MS)
                .finished(),
            running()
                .at(3_999)
                .span_began(1, ANN, CallKind::Renew)
                .at(4_000)
                .event(HOST, ANN, What::LeaseShown { expires_ms: 4_000 })
                .at(4_001)
                .span_ended(1, ANN, 3_999)
                .renewed_until(ANN, 6_999, TTL_MS)
                .finished(),
        ),
        case(
            "a read shows the lease that is stored",
            running().event(HOST, ANN, What::LeaseShown { expires_ms: 4_000 }),
            running().event(HOST, ANN, What::LeaseShown { expires_ms: 4_001 }),
        ),
        case(
            "a process that a prune may have taken is there or not, until an answer tells",
            running()
                .ended(ANN, 7)
                .pruning(true)
                .at(1_005)
                .pruning(false)
                .refused(ANN, CallKind::Claim, CallResult::UnknownProcess)
                .registered(RecoveryDisposition::Rerunnable),
            running()
                .ended(ANN, 7)
                .pruning(true)
                .at(1_005)
                .pruning(false)
                .refused(ANN, CallKind::Claim, CallResult::UnknownProcess)
                .refused(ANN, CallKind::Claim, CallResult::AlreadyTerminal),
        ),
    ]
}
