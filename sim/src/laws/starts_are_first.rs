//! The law starts-are-first: the first start of a life is recorded once.

use crate::history::event::{Event, EventKind, What, Write};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation, is_first_start};
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;

#[derive(Default)]
pub struct StartsAreFirst {
    was_started: ByProcess<bool>,
}

impl Law for StartsAreFirst {
    const CARD: LawCard = LawCard {
        name: "starts-are-first",
        sentence: "a life's first start is recorded once, and no later start takes its place",
        hears: &[EventKind::Wrote, EventKind::Pruned],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["last-start-wins"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let was_started = self.was_started.of(event.process);
        match what {
            What::Pruned => *was_started = false,
            What::Wrote { write: Write::FirstStart } => {
                case.meet();
                if std::mem::replace(was_started, true) {
                    case.breach(|| {
                        "a first start was recorded again in one life; right: `already \
                                    started`, and the first one stays"
                            .to_owned()
                    });
                }
            }
            What::Wrote { .. } => {}
            _ => unheard(what),
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence.earliest_of_life("the first start was recorded", is_first_start)
}
