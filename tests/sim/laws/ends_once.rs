//! Cases of ends-once.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::{CallKind, CallResult, Status, What};

use crate::laws::history_builder::{ANN, BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            "the same end may be recorded again, another may not",
            running().ended(ANN, 7).ended(ANN, 7),
            running().ended(ANN, 7).ended(ANN, 8),
        ),
        case(
            "a read shows the end",
            running().ended(ANN, 7).at_host(What::Showed { status: Status::Completed, output: 7 }),
            running().ended(ANN, 7).at_host(What::Showed { status: Status::Running, output: 0 }),
        ),
        case(
            "the next life ends for itself; a stored registration begins no life",
            running().reborn().ended(BOB, 8),
            running()
                .ended(ANN, 7)
                .at_host(What::Registered { disposition: RecoveryDisposition::Rerunnable, is_new: false })
                .ended(BOB, 8),
        ),
        case(
            "a call is told of an end only if this life has ended",
            running().ended(ANN, 7).refused(BOB, CallKind::Renew, CallResult::AlreadyTerminal),
            running().reborn().refused(BOB, CallKind::Renew, CallResult::AlreadyTerminal),
        ),
    ]
}
