//! Cases of abandonment-is-licensed.

use fencepost::model::process::AbandonWriter;
use fencepost_sim::history::event::{CallKind, CallResult, GrantNo, Licence, Status, What, Write};

use crate::laws::history_builder::{ANN, BOB, Case, HistoryBuilder, case, owner_bound};

const ABANDONED: What = What::Ended { status: Status::Abandoned, output: 9 };

fn gives_up(history: HistoryBuilder, grant: GrantNo, licence: Licence) -> HistoryBuilder {
    history.by(grant, What::GivesUp { writer: AbandonWriter::Sweep, licence })
}

/// Bob's giving up begins first and is stored; Ann's comes between and is refused.
fn overlapping(bobs: Licence, anns: Licence) -> HistoryBuilder {
    let begun = gives_up(owner_bound().at(4_000).granted(BOB, 2), BOB, bobs);
    gives_up(begun, ANN, anns).refused(ANN, CallKind::Complete, CallResult::Superseded).by(BOB, ABANDONED)
}

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
        case(
            "of two decisions that overlap, each is judged by its own caller's licence",
            overlapping(starter_is_dead, none),
            overlapping(none, starter_is_dead),
        ),
        case(
            "a refusal of another caller's call takes nobody's licence away; one of the completion itself takes its own",
            gives_up(taken_over(), BOB, starter_is_dead)
                .refused(ANN, CallKind::Renew, CallResult::Superseded)
                .by(BOB, ABANDONED),
            gives_up(taken_over(), BOB, starter_is_dead)
                .refused(BOB, CallKind::Complete, CallResult::Failed)
                .by(BOB, ABANDONED),
        ),
    ]
}
