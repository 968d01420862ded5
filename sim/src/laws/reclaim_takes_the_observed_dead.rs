//! The law reclaim-takes-the-observed-dead: a live grant is taken from a holder only if that one was observed and is dead.

use crate::history::event::{Event, EventKind, GrantNo, What};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};
use crate::laws::state::by_process::ByProcess;
use crate::laws::state::stored_lease::StoredLease;

#[derive(Default)]
pub struct ReclaimTakesTheObservedDead {
    rows: ByProcess<ReclaimedRow>,
}

#[derive(Default)]
struct ReclaimedRow {
    stored: StoredLease,
    observed: Option<ObservedHolder>,
}

#[derive(Clone, Copy)]
struct ObservedHolder {
    grant: GrantNo,
    may_be_taken: bool,
}

impl Law for ReclaimTakesTheObservedDead {
    const SIDE: Side = Side::RegistryOrWorker;
    const CARD: LawCard = LawCard {
        name: "reclaim-takes-the-observed-dead",
        sentence: "a live grant is taken over only if it is the one observed and its holder is dead",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Ended,
            EventKind::Released,
            EventKind::Observed,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["reclaim-whoever-holds", "reclaim-from-the-living"],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let row = self.rows.of(event.process);
        match what {
            // A probe that lies breaks an assumption: what follows from the lie is not the registry's fault.
            What::Observed { is_dead, do_probes_lie } => {
                let may_be_taken = is_dead || do_probes_lie;
                row.observed = Some(ObservedHolder { grant: event.grant, may_be_taken });
            }
            What::Reclaimed { .. } => {
                case.meet();
                let live = row.stored.0.filter(|lease| event.clock < lease.expires_ms);
                if let Some(live) = live {
                    match row.observed.take() {
                        Some(observed) if observed.grant != live.grant => case.breach(|| {
                            "a reclaim took over a live grant that was not the one it had observed; \
                             right: busy"
                                .to_owned()
                        }),
                        Some(observed) if observed.may_be_taken => {}
                        Some(_) => case.breach(|| {
                            "a reclaim took over a live grant although its holder was alive; right: \
                             busy"
                                .to_owned()
                        }),
                        None => case.breach(|| {
                            "a reclaim took over a live grant that nobody had observed; right: \
                             busy"
                                .to_owned()
                        }),
                    }
                }
                row.stored.follow(event, what);
            }
            What::Reentered { expires_ms, .. } => row.stored.store(event.grant, expires_ms),
            What::Granted { .. }
            | What::Renewed { .. }
            | What::Released
            | What::Ended { .. }
            | What::Pruned => row.stored.follow(event, what),
            _ => unheard(what),
        }
    }
}
