//! Cases of externally-owned-never-runs.

use fencepost::model::process::RecoveryDisposition;
use fencepost_sim::history::event::{Status, What};

use crate::laws::history_builder::{ANN, Case, case, history};

pub fn cases() -> Vec<Case> {
    let registered = || history().registered(RecoveryDisposition::ExternallyOwned);
    vec![case(
        "an externally owned process is ended from outside, and no body of it begins",
        registered().at_host(What::Ended { status: Status::Completed, output: 7 }),
        registered().body_began(ANN, 1),
    )]
}
