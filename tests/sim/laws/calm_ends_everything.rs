//! Cases of calm-ends-everything.

use fencepost_sim::history::event::{Leftover, What};

use crate::laws::history_builder::{Case, case, history};

pub fn cases() -> Vec<Case> {
    let calm = || history().at_registry(What::LivenessBegan { bound_us: 0 });
    vec![
        case(
            "nothing is left when the liveness phase is over",
            calm(),
            calm().at_registry(What::Remained { what: Leftover::Row }),
        ),
        case("the liveness phase is not cut short", calm(), calm().at_registry(What::Exhausted)),
    ]
}
