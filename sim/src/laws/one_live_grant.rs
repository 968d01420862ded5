//! The law one-live-grant: no grant is made while another is live.

use crate::history::event::{Event, EventKind, GrantNo, What};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::fence_names::FenceNames;
use crate::laws::state::stored_lease::StoredLease;

#[derive(Default)]
pub struct OneLiveGrant {
    stored: ByProcess<StoredLease>,
    fences: FenceNames,
    /// The grants that hold their process by the word of a lease service.
    believed: ByProcess<Vec<GrantNo>>,
}

impl Law for OneLiveGrant {
    const CARD: LawCard = LawCard {
        name: "one-live-grant",
        sentence: "a process has at most one stored grant; a new one is made only where no other is live at that call's reading, \
                   or by a lawful reclaim",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Released,
            EventKind::Ended,
            EventKind::Pruned,
            EventKind::Believed,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["expiry-by-the-callers-clock", "claim-decided-before-a-wait"],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let stored = self.stored.of(event.process);
        let fences = &self.fences;
        match what {
            What::Believed { holds } => {
                let believed = self.believed.of(event.process);
                believed.retain(|grant| *grant != event.grant);
                if holds {
                    case.meet();
                    if let Some(other) = believed.last() {
                        case.breach(|| {
                            let (one, other) = (fences.name(event.grant), fences.name(*other));
                            format!(
                                "asked who holds the key, the service named {one} and {other} \
                                     at once; right: one of them"
                            )
                        });
                    }
                    believed.push(event.grant);
                }
            }
            What::Granted { fence, .. } => {
                case.meet();
                if let Some(held) = stored.0
                    && event.clock < held.expires_ms
                {
                    case.breach(|| {
                        let (other, left_ms) = (fences.name(held.grant), held.expires_ms - event.clock);
                        format!(
                            "a claim was granted fence {fence} while {other} was live for {left_ms} \
                             ms more; right: busy"
                        )
                    });
                }
            }
            What::Reentered { .. } => {
                case.meet();
                if !stored.is_live(event.grant, event.clock) {
                    case.breach(|| {
                        "a claim was answered with the grant that its caller had before, which was not the live one; right: a new \
                         grant, or busy"
                            .to_owned()
                    });
                }
            }
            // The law reclaim-takes-the-observed-dead judges from whom a reclaim may take.
            What::Reclaimed { .. }
            | What::Renewed { .. }
            | What::Released
            | What::Ended { .. }
            | What::Pruned => {}
            _ => unheard(what),
        }
        stored.follow(event, what);
        self.fences.follow(event, what);
    }
}
