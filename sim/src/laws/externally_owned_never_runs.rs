//! The law externally-owned-never-runs: nobody runs a body for a process that is worked on elsewhere.

use fencepost::model::process::RecoveryDisposition;

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::registration;
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::plan::Node;

#[derive(Default)]
pub struct ExternallyOwnedNeverRuns {
    is_external: ByProcess<bool>,
}

impl Law for ExternallyOwnedNeverRuns {
    const SIDE: Side = Side::Worker;
    const CARD: LawCard = LawCard {
        name: "externally-owned-never-runs",
        sentence: "no worker runs the body of an externally owned process",
        hears: &[EventKind::Registered, EventKind::BodyBegan],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: true,
        is_about_panics: false,
        catches: &["disposition-ignored"],
        explain: registration,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let is_external = self.is_external.of(event.process);
        match what {
            What::Registered { disposition, is_new } => {
                if is_new {
                    *is_external = disposition == RecoveryDisposition::ExternallyOwned;
                    if *is_external {
                        case.meet();
                    }
                }
            }
            What::BodyBegan { .. } => {
                if *is_external {
                    let worker = Node::from_code(event.node);
                    case.breach(|| {
                        format!(
                            "{worker} began the body of an externally owned process; right: no \
                                 worker runs it"
                        )
                    });
                }
            }
            _ => unheard(what),
        }
    }
}
