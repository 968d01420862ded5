//! The law release-frees-own: a release frees the grant it names. The recorder reads the lease that is stored afterwards.

use crate::history::event::{Event, EventKind, GrantNo, What};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::fence_names::FenceNames;
use crate::laws::state::stored_lease::StoredLease;

#[derive(Default)]
pub struct ReleaseFreesOwn {
    rows: ByProcess<ReleasedRow>,
    fences: FenceNames,
}

#[derive(Default)]
struct ReleasedRow {
    stored: StoredLease,
    /// The last release. Its effect is read next, except after a release that took time or whose outcome was found out later:
    /// nobody reads it then.
    release: Option<Release>,
}

/// A release that was answered: the grant it named, and the one that was stored before it.
#[derive(Clone, Copy)]
struct Release {
    named: GrantNo,
    held: Option<GrantNo>,
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
                let held = row.stored.0.map(|lease| lease.grant);
                row.release = Some(Release { named: event.grant, held });
                row.stored.follow(event, what);
            }
            What::LeaseAfter => {
                case.meet();
                let expected = row.stored.0.map_or(GrantNo::NONE, |lease| lease.grant);
                if event.grant != expected {
                    let (release, fences) = (row.release, &self.fences);
                    case.breach(|| because(release, event, fences));
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
        self.fences.follow(event, what);
    }
}

/// The event shows the lease that was stored after the release.
fn because(release: Option<Release>, after: &Event, fences: &FenceNames) -> String {
    let process = after.process;
    let left = match after.grant {
        GrantNo::NONE => "no lease was stored".to_owned(),
        grant => format!("{} was stored", fences.name(grant)),
    };
    let Some(Release { named, held }) = release else {
        return format!("nobody released p{process}, and {left}; right: the lease stays as it was");
    };
    let name = fences.name(named);
    match held {
        Some(held) if held == named => format!(
            "a release of p{process} naming {name}, which was held, was answered `released`, and \
             then {left}; right: no lease"
        ),
        Some(held) => {
            let held = fences.name(held);
            format!(
                "a release of p{process} naming {name} was answered `released` while {held} was held, and then {left}; right: \
                 refused or ignored, and {held} stays"
            )
        }
        None => format!(
            "a release of p{process} naming {name} was answered `released` while nothing was held, and then {left}; right: no \
             lease"
        ),
    }
}
