//! The law live-writer-accepted: who holds the live grant is not told that it is gone.

use crate::history::event::{CallResult, Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::fence_names::FenceNames;
use crate::laws::state::stored_lease::StoredLease;

#[derive(Default)]
pub struct LiveWriterAccepted {
    stored: ByProcess<StoredLease>,
    fences: FenceNames,
}

impl Law for LiveWriterAccepted {
    const CARD: LawCard = LawCard {
        name: "live-writer-accepted",
        sentence: "a call whose grant is stored, held and unexpired at its reading is never answered superseded, expired or lease \
                   required",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Released,
            EventKind::Ended,
            EventKind::Refused,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["expired-too-early", "expiry-in-whole-seconds"],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let stored = self.stored.of(event.process);
        match what {
            What::Refused { call, why } => {
                let denies = [
                    CallResult::Superseded,
                    CallResult::Expired,
                    CallResult::LeaseLost,
                    CallResult::LeaseRequired,
                ];
                if event.grant.is_some() && denies.contains(&why) {
                    case.meet();
                    if stored.is_live(event.grant, event.clock) {
                        let (call, why) = (call.name(), why.name());
                        let fences = &self.fences;
                        case.breach(|| {
                            let grant = fences.name(event.grant);
                            format!(
                                "`{call}` under {grant} was answered `{why}` although that grant was stored and live; right: the \
                                 grant counts, and the call is carried out"
                            )
                        });
                    }
                }
            }
            What::Granted { .. }
            | What::Reclaimed { .. }
            | What::Reentered { .. }
            | What::Renewed { .. }
            | What::Released
            | What::Ended { .. }
            | What::Pruned => {
                stored.follow(event, what);
                self.fences.follow(event, what);
            }
            _ => unheard(what),
        }
    }
}
