//! Cases of abandonment-is-licensed.

use fencepost::model::process::AbandonWriter;
use fencepost_sim::history::event::{Licence, Status, What, Write};

use crate::laws::history_builder::{BOB, Case, case, owner_bound};

pub fn cases() -> Vec<Case> {
    let none = Licence::default();
    let starter_is_dead = Licence { is_starter_dead: true, ..none };
    let probes_lie = Licence { do_probes_lie: true, ..none };
    let by_starter = Licence { is_by_starter: true, ..none };
    let taken_over = || owner_bound().at(4_000).granted(BOB, 2);
    vec![
        case(
            "a sweep gives up what a dead worker started, and nothing else",
            taken_over().given_up(AbandonWriter::Sweep, starter_is_dead),
            taken_over().given_up(AbandonWriter::Sweep, none),
        ),
        case(
            "a drain gives up what its own life started, and nothing else",
            taken_over().given_up(AbandonWriter::OwnerDrain, by_starter),
            taken_over().given_up(AbandonWriter::OwnerDrain, starter_is_dead),
        ),
        case(
            "a request is carried out only if it was made",
            owner_bound()
                .asked(Write::AbandonRequest)
                .at(4_000)
                .granted(BOB, 2)
                .given_up(AbandonWriter::ReconciledRequest, none),
            taken_over().given_up(AbandonWriter::ReconciledRequest, none),
        ),
        case(
            "a sweep that lying probes misled is not to blame; somebody who names no reason is",
            taken_over().given_up(AbandonWriter::Sweep, probes_lie),
            taken_over().by(BOB, What::Ended { status: Status::Abandoned, output: 9 }),
        ),
    ]
}
