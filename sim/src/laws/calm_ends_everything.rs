//! The law calm-ends-everything: in the liveness phase, when faults are over, everything comes to its end within a bound.

use crate::history::event::{Event, EventKind, Leftover, NO_PROCESS, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};

#[derive(Default)]
pub struct CalmEndsEverything;

impl Law for CalmEndsEverything {
    const SIDE: Side = Side::RegistryOrWorker;
    const CARD: LawCard = LawCard {
        name: "calm-ends-everything",
        sentence: "once faults are over every row that can end by itself does, and every other once it is asked to; no lease stays \
                   stored and every waiter returns, within a bound",
        hears: &[EventKind::LivenessBegan, EventKind::Remained, EventKind::Exhausted, EventKind::Finished],
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
                "one simulated second took more turns than any may, and the run was cut short; \
                 right: time goes on (look for a livelock)"
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
        Leftover::Row => "had not ended, although nothing kept it; right: it ends",
        Leftover::RowAsked => "had not ended, although it was asked to; right: it ends",
        Leftover::Lease => "still had a lease; right: no lease stays stored",
        Leftover::Waiter => "had a waiter that had not returned; right: every waiter returns",
    };
    let whose = match process {
        NO_PROCESS => "the store".to_owned(),
        process => format!("p{process}"),
    };
    format!("at the end of the liveness phase {whose} {remained}")
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence.latest_of_any_process("faults were over", |event| event.kind() == EventKind::LivenessBegan)
}
