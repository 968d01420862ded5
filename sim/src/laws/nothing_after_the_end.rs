//! The law nothing-after-the-end: a process that has ended gets no lease, no write and no event any more.

use crate::history::event::{Event, EventKind, What, Write};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation, registration};
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;

#[derive(Default)]
pub struct NothingAfterTheEnd {
    has_ended: ByProcess<bool>,
}

impl Law for NothingAfterTheEnd {
    const CARD: LawCard = LawCard {
        name: "nothing-after-the-end",
        sentence: "no event, wait, start or lease is added to a terminal process",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Wrote,
            EventKind::Asked,
            EventKind::Ended,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["claim-the-ended"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let has_ended = self.has_ended.of(event.process);
        let added = match what {
            What::Ended { .. } => {
                *has_ended = true;
                return;
            }
            What::Pruned => {
                *has_ended = false;
                return;
            }
            What::Granted { .. } | What::Reclaimed { .. } | What::Reentered { .. } | What::Renewed { .. } => {
                "a lease"
            }
            What::Wrote { write: Write::StartedBefore | Write::StartedByItself } => return,
            What::Wrote { .. } => "a write of an execution",
            What::Asked { write: Write::Signal | Write::CancelRequest } => "an event",
            // Wakes may be acked and handles given after the end, too.
            What::Asked { .. } => return,
            _ => unheard(what),
        };
        case.meet();
        if *has_ended {
            case.breach(|| format!("{added} was accepted for a process that had ended; right: refused"));
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence
        .earliest_of_life("it had ended", |event| event.kind() == EventKind::Ended)
        .or_else(|| registration(evidence))
}
