//! The law release-frees-own: a release frees the grant it names. The recorder reads the lease that is stored afterwards.

use crate::history::event::{Event, EventKind, GrantNo, What};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::stored_lease::StoredLease;

#[derive(Default)]
pub struct ReleaseFreesOwn {
    rows: ByProcess<ReleasedRow>,
}

#[derive(Default)]
struct ReleasedRow {
    stored: StoredLease,
    /// True if the last release named the stored grant. Its effect is read next, except after a release that took time or
    /// whose outcome was found out later: nobody reads it then.
    is_own: bool,
}

impl Law for ReleaseFreesOwn {
    const CARD: LawCard = LawCard {
        name: "release-frees-own",
        sentence: "a release ends the grant it names and no other",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Ended,
            EventKind::Released,
            EventKind::LeaseAfter,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["release-by-id-alone"],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let row = self.rows.of(event.process);
        match what {
            What::Released => {
                row.is_own = row.stored.is_held_by(event.grant);
                row.stored.follow(event, what);
            }
            What::LeaseAfter => {
                case.meet();
                let is_own = row.is_own;
                let expected = row.stored.0.map_or(GrantNo::NONE, |lease| lease.grant);
                if event.grant != expected {
                    case.breach(|| {
                        let named = if is_own { "its own grant" } else { "another's" };
                        let left = if event.grant.is_some() { "a lease was stored" } else { "none was" };
                        format!("a release that named {named} was answered, and afterwards {left}")
                    });
                }
            }
            What::Reentered { expires_ms, .. } => row.stored.store(event.grant, expires_ms),
            What::Granted { .. }
            | What::Reclaimed { .. }
            | What::Renewed { .. }
            | What::Ended { .. }
            | What::Pruned => row.stored.follow(event, what),
            _ => unheard(what),
        }
    }
}
