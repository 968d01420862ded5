//! The law outcomes-are-not-dropped: what a body produced is what is recorded, and its worker does not walk away from it.

use crate::history::event::{BodyOutcome, CallKind, Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};
use crate::laws::state::by_grant::ByGrant;
use crate::plan::Node;

#[derive(Default)]
pub struct OutcomesAreNotDropped {
    /// The hash of what the grant's body gave.
    given: ByGrant<Option<u64>>,
}

impl Law for OutcomesAreNotDropped {
    const SIDE: Side = Side::Worker;
    const CARD: LawCard = LawCard {
        name: "outcomes-are-not-dropped",
        sentence: "a worker whose body produced an outcome sends no release for that grant, and the recorded outcome is the one the \
                   winning grant's body gave",
        hears: &[EventKind::BodyEnded, EventKind::Sent, EventKind::Ended],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["release-after-unknown-completion"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        if !event.grant.is_some() {
            return;
        }
        let given = self.given.of(event.grant);
        match what {
            What::BodyEnded { outcome: BodyOutcome::Output, output } => *given = Some(output),
            What::Sent { call: CallKind::Release, .. } => {
                if given.is_some() {
                    let worker = Node::from_code(event.node);
                    case.breach(|| {
                        format!(
                            "{worker} sent a release although the body of this grant had produced an outcome; right: it sends the \
                             completion again, and no release"
                        )
                    });
                }
            }
            What::Ended { output, .. } => {
                case.meet();
                if given.is_some_and(|given| given != output) {
                    case.breach(|| {
                        "a completion recorded another outcome than the body of its grant produced; \
                         right: the body's outcome"
                            .to_owned()
                    });
                }
            }
            What::BodyEnded { .. } | What::Sent { .. } => {}
            _ => unheard(what),
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence.latest("its body gave an outcome", |event| {
        event.kind() == EventKind::BodyEnded && event.grant == evidence.breach.grant
    })
}
