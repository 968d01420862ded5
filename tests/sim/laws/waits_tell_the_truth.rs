//! Cases of waits-tell-the-truth.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::{CallKind, What};

use crate::laws::history_builder::{ANN, Case, HistoryBuilder, case, history, running};

const PRUNE_BEGINS: What = What::SpanBegan { call: 1, kind: CallKind::Prune };

/// A host far from the registry begins to wait.
fn awaited(history: HistoryBuilder) -> HistoryBuilder {
    history.at_host(What::WaitBegan { wait: 1 })
}

/// A prune, and a life after it that ends at 1,025 ms.
fn next_life(history: HistoryBuilder) -> HistoryBuilder {
    history.pruned().registered(RecoveryDisposition::Rerunnable).at(1_025).ended(ANN, 8)
}

/// The registry's own host begins to wait for a process.
fn awaited_beside_registry() -> HistoryBuilder {
    history().registered(RecoveryDisposition::Rerunnable).at_registry(What::WaitBegan { wait: 1 })
}

pub fn cases() -> Vec<Case> {
    let told = |outcome| What::WaitEnded { outcome, wait: 1 };
    vec![
        case(
            "a waiter is told the outcome that the process had",
            awaited(running()).ended(ANN, 7).at_host(told(7)),
            awaited(running()).ended(ANN, 7).at_host(told(8)),
        ),
        case(
            "a waiter is told that the id is unknown, if it was at some instant of the wait",
            awaited(running().at(2_000)).ended(ANN, 7).pruned().at_host(told(0)),
            awaited(running().at(2_000)).at_host(told(0)),
        ),
        case(
            "a waiter is told the outcome of a life that was there while it waited",
            awaited(running().ended(ANN, 7).at(2_000)).at(2_100).pruned().at_host(told(7)),
            awaited(running().reborn().at(2_000)).at_host(told(7)),
        ),
        case(
            "beside the registry a waiter is told in the millisecond of the end",
            awaited_beside_registry()
                .ended(ANN, 7)
                .at_registry(told(7))
                .at_registry(What::WaitBegan { wait: 2 })
                .at_registry(What::WaitEnded { outcome: 7, wait: 2 }),
            awaited_beside_registry().ended(ANN, 7).at(1_025).at_registry(told(7)),
        ),
        case(
            "beside the registry a waiter may miss an end that is pruned in the same instant",
            next_life(awaited_beside_registry().ended(ANN, 7)).at_registry(told(8)),
            next_life(awaited_beside_registry().ended(ANN, 7).at(1_001)).at_registry(told(8)),
        ),
        case(
            "while a prune takes time an ended process may be gone, and one that has not ended may not",
            awaited(running().at(2_000)).ended(ANN, 7).at_registry(PRUNE_BEGINS).at_host(told(0)),
            awaited(running().at(2_000)).at_registry(PRUNE_BEGINS).at_host(told(0)),
        ),
        case(
            "no waiter beside the registry is left untold when the run is over",
            awaited_beside_registry().ended(ANN, 7).at_registry(told(7)).at_registry(What::Finished),
            awaited_beside_registry()
                .at_registry(What::WaitEnded { outcome: 0, wait: 9 })
                .ended(ANN, 7)
                .at_registry(What::Finished),
        ),
    ]
}
