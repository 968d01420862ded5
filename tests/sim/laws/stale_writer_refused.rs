//! Cases of stale-writer-refused.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::{CallKind, CallResult, Status, What, Write};

use crate::laws::history_builder::{ANN, BOB, Case, case, running};

pub fn cases() -> Vec<Case> {
    let completed = What::Ended { status: Status::Completed, output: 7 };
    vec![
        case(
            "a completion counts until the millisecond before the expiry",
            running().at(3_999).ended(ANN, 7),
            running().at(4_000).ended(ANN, 7),
        ),
        case(
            "a renewal counts until the millisecond before the expiry",
            running().at(3_999).renewed(ANN),
            running().at(4_000).renewed(ANN),
        ),
        case(
            "once another grant took its place, only that one writes",
            running().wrote(ANN, Write::Progress).at(4_000).granted(BOB, 2).wrote(BOB, Write::Progress),
            running().wrote(ANN, Write::Progress).at(4_000).granted(BOB, 2).wrote(ANN, Write::Progress),
        ),
        case(
            "when the clock stepped back, an expired grant is live again, unless another took its place",
            running()
                .at(4_000)
                .refused(ANN, CallKind::Emit, CallResult::Expired)
                .at(3_500)
                .wrote(ANN, Write::Wait),
            running().at(4_000).granted(BOB, 2).at(3_500).wrote(ANN, Write::Wait),
        ),
        case(
            "a grant's own completion is accepted again after its answer was lost, but not after a release",
            running().ended(ANN, 7).at(9_000).ended(ANN, 7),
            running().released(ANN).ended(ANN, 7),
        ),
        case(
            "a process that no worker runs needs no grant to end",
            running()
                .wrote(ANN, Write::Progress)
                .registered(RecoveryDisposition::ExternallyOwned)
                .at_host(completed),
            running().at_host(completed),
        ),
    ]
}
