//! The law calm-ends-everything: in the liveness phase, when faults are over, everything comes to its end within a bound.

use crate::history::event::{Event, EventKind, Leftover, NO_PROCESS, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, unheard};

#[derive(Default)]
pub struct CalmEndsEverything;

impl Law for CalmEndsEverything {
    const CARD: LawCard = LawCard {
        name: "calm-ends-everything",
        sentence: "once faults are over every row that can end by itself does, and every other once it is asked to; no lease stays \
                   stored and every waiter returns, within a bound",
        hears: &[
            EventKind::LivenessBegan,
            EventKind::Remained,
            EventKind::Exhausted,
            EventKind::Finished,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: true,
        is_about_panics: false,
        catches: &["never-renews", "rows-one-after-another", "permit-held-while-waiting"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        match what {
            What::LivenessBegan { .. } => case.meet(),
            What::Exhausted => case.breach(|| {
                "the run was cut short: one simulated second took more turns than any may (a livelock, or a runaway plan)"
                    .to_owned()
            }),
            What::Remained { what: leftover } => case.breach(|| because(event.process, leftover)),
            What::Finished => {}
            _ => unheard(what),
        }
    }
}

fn because(process: u16, leftover: Leftover) -> String {
    let remained = match leftover {
        Leftover::Row => "had not ended, although nothing kept it",
        Leftover::RowAsked => "had not ended, although it was asked to",
        Leftover::Lease => "still had a lease",
        Leftover::Waiter => "a waiter had not returned",
    };
    match process {
        NO_PROCESS => format!("at the end of the calm {remained}"),
        process => format!("at the end of the calm p{process} {remained}"),
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence.latest_of_any_process("faults were over", |event| event.kind() == EventKind::LivenessBegan)
}
