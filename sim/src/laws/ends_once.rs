//! The law ends-once: a life ends once, and every read shows that end from then on.

use crate::history::event::{CallResult, Event, EventKind, Status, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation, registration};
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;

#[derive(Default)]
pub struct EndsOnce {
    /// Status and output of the present life's end.
    ends: ByProcess<Option<(Status, u64)>>,
}

impl Law for EndsOnce {
    const CARD: LawCard = LawCard {
        name: "ends-once",
        sentence: "a life has one terminal outcome; status and output agree and never change",
        hears: &[
            EventKind::Registered,
            EventKind::Ended,
            EventKind::Refused,
            EventKind::Showed,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["second-terminal"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let end = self.ends.of(event.process);
        match what {
            What::Pruned => *end = None,
            What::Registered { is_new, .. } => {
                if is_new {
                    *end = None;
                }
            }
            What::Ended { status, output } => {
                case.meet();
                let (first, first_output) = *end.get_or_insert((status, output));
                if (first, first_output) != (status, output) {
                    let (first, second) = (first.name(), status.name());
                    case.breach(|| {
                        format!(
                            "the process had ended {first}, and another outcome was accepted, {second}; right: refused, and the \
                             first outcome stays"
                        )
                    });
                }
            }
            What::Refused { call, why } => {
                if why == CallResult::AlreadyTerminal && end.is_none() {
                    let (call, why) = (call.name(), why.name());
                    case.breach(|| {
                        format!(
                            "`{call}` was answered `{why}`, and the process had not ended; \
                                 right: any other answer"
                        )
                    });
                }
            }
            What::Showed { status, output } => {
                case.meet();
                let expected = end.unwrap_or((Status::Running, 0));
                if (status, output) != expected {
                    let (shown, was) = (status.name(), expected.0.name());
                    let with = if shown == was { " with another output" } else { "" };
                    case.breach(|| format!("a read showed the process {shown}{with}; right: {was}"));
                }
            }
            _ => unheard(what),
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence
        .earliest_of_life("it had ended", |event| event.kind() == EventKind::Ended)
        .or_else(|| registration(evidence))
}
