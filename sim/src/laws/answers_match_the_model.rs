//! The law answers-match-the-model: every answer is the right one, down to its last field. The recorder keeps a reference
//! model of all rows beside the registry, takes it through each call in the order of decisions, and compares. Which part of
//! which answer is judged here, and which elsewhere, stands in [`judged_answers`](crate::laws::judged_answers).

use crate::history::event::{Event, EventKind, NO_PROCESS, Unjudged, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::plan::Node;

#[derive(Default)]
pub struct AnswersMatchTheModel;

impl Law for AnswersMatchTheModel {
    const CARD: LawCard = LawCard {
        name: "answers-match-the-model",
        sentence: "every answer of every method, a refusal too, is the one that a plain model of all rows gives, in the order \
                   of decisions",
        hears: &[EventKind::AnswerDiffers, EventKind::AnswersJudged],
        needs: &[Assumption::DiskSyncs],
        // Where the order of writes is unknown, the recorder stops comparing.
        judges_unordered: true,
        is_about_panics: false,
        catches: &[
            "read-without-the-wait",
            "lease-outlives-the-end",
            "rows-behind-a-limit",
            "limit-before-the-filter",
            "cursor-in-a-signed-column",
            "count-below-its-bound",
            "recent-from-the-front",
            "acks-forgotten",
            "live-handles-of-the-ended",
            "frame-taken-for-its-session",
            "reference-replaced",
            "wait-written-again",
            "registration-by-id-alone",
            "prune-of-all-prunes-nothing",
            "prune-counts-no-events",
            "sequence-forgotten-by-prune",
            "session-counts-no-wakes",
        ],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        match what {
            What::AnswerDiffers { method, part } => {
                case.meet();
                case.breach(|| {
                    let (method, part) = (method.name(), part.name());
                    let caller = match Node::from_code(event.node) {
                        // Nobody in the run asked: the world looked for itself.
                        Node::Registry => "the world".to_owned(),
                        node => node.to_string(),
                    };
                    let about = match event.process {
                        NO_PROCESS => String::new(),
                        process => format!(" about p{process}"),
                    };
                    format!(
                        "{caller} called {method}{about}, and the answer is wrong in {part}; right: what a plain model of all rows \
                         answers"
                    )
                });
            }
            What::AnswersJudged { answers, unjudged } => {
                case.meet_times(answers);
                if unjudged != Unjudged::None {
                    case.doubt(|| format!("answers were not judged any more: {}", unjudged.name()));
                }
            }
            _ => unheard(what),
        }
    }
}

/// The last write of the process, which the answer does not fit.
fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    let is_write = |event: &Event| {
        matches!(
            event.kind(),
            EventKind::Registered
                | EventKind::Granted
                | EventKind::Reclaimed
                | EventKind::Reentered
                | EventKind::Renewed
                | EventKind::Released
                | EventKind::Wrote
                | EventKind::Ended
                | EventKind::Pruned
                | EventKind::Asked
        )
    };
    evidence.latest("the last write before it", is_write)
}
