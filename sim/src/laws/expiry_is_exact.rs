//! The law expiry-is-exact: a lease ends in the millisecond it says, for every method alike.

use crate::history::event::{CallResult, Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::stored_lease::StoredLease;

#[derive(Default)]
pub struct ExpiryIsExact {
    stored: ByProcess<StoredLease>,
}

/// On which side of the expiry an event shows the stored grant.
#[derive(Clone, Copy)]
enum ShownSide {
    /// Still good: lawful only before the expiry.
    Live(&'static str),
    /// Gone: lawful only from the expiry on.
    Over(&'static str),
    Neither,
}

impl Law for ExpiryIsExact {
    const CARD: LawCard = LawCard {
        name: "expiry-is-exact",
        sentence: "at `expires_at` the grant is gone, one millisecond earlier it is not, for every method alike",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Wrote,
            EventKind::Ended,
            EventKind::Released,
            EventKind::Busy,
            EventKind::Refused,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["claim-at-expiry", "restart-rearms-leases"],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let stored = self.stored.of(event.process);
        let expires_ms = stored.0.map_or(0, |lease| lease.expires_ms);
        let is_over = event.clock >= expires_ms;
        let (is_wrong, grant_did) = match shown(*stored, event, what) {
            ShownSide::Live(grant_did) => (is_over, grant_did),
            ShownSide::Over(grant_did) => (!is_over, grant_did),
            ShownSide::Neither => (false, ""),
        };
        if !grant_did.is_empty() {
            case.meet();
        }
        if is_wrong {
            case.breach(|| {
                let when = match (event.clock.abs_diff(expires_ms), is_over) {
                    (0, _) => "in the millisecond of its expiry".to_owned(),
                    (apart_ms, true) => format!("{apart_ms} ms after its expiry"),
                    (apart_ms, false) => format!("{apart_ms} ms before its expiry"),
                };
                let right = if is_over { "gone from its expiry on" } else { "live until its expiry" };
                format!("{when} a grant {grant_did}; right: it is {right}")
            });
        }
        // The registry must stand by its last answer, even if it re-entered a grant that was not stored.
        if let What::Reentered { expires_ms, .. } = what {
            stored.store(event.grant, expires_ms);
        } else {
            stored.follow(event, what);
        }
    }
}

fn shown(stored: StoredLease, event: &Event, what: What) -> ShownSide {
    let is_holders = stored.is_held_by(event.grant);
    match what {
        What::Renewed { .. } if is_holders => ShownSide::Live("was renewed"),
        What::Wrote { .. } if is_holders => ShownSide::Live("wrote"),
        What::Ended { .. } if is_holders => ShownSide::Live("ended its process"),
        What::Reentered { .. } if is_holders => ShownSide::Live("was entered again"),
        What::Busy if is_holders => ShownSide::Live("kept others out"),
        What::Granted { .. } if stored.0.is_some() => ShownSide::Over("gave way to another's claim"),
        What::Refused { why: CallResult::Expired, .. } if is_holders => {
            ShownSide::Over("was refused as expired")
        }
        What::Refused { why: CallResult::LeaseLost, .. } if is_holders => {
            ShownSide::Over("was refused as lost")
        }
        What::Renewed { .. }
        | What::Wrote { .. }
        | What::Ended { .. }
        | What::Reentered { .. }
        | What::Busy
        | What::Granted { .. }
        | What::Refused { .. }
        | What::Reclaimed { .. }
        | What::Released
        | What::Pruned => ShownSide::Neither,
        _ => unheard(what),
    }
}
