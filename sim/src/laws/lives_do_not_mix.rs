//! The law lives-do-not-mix: a grant of a pruned life does nothing in the next life of its process.

use crate::history::event::{CallKind, Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::stored_lease;
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_grant::ByGrant;
use crate::laws::state::by_process::ByProcess;

#[derive(Default)]
pub struct LivesDoNotMix {
    /// How often each process was pruned.
    lives: ByProcess<u64>,
    granted_in: ByGrant<Option<u64>>,
}

impl Law for LivesDoNotMix {
    const CARD: LawCard = LawCard {
        name: "lives-do-not-mix",
        sentence: "after an id was pruned and registered again, no call that presents a lease from before the prune takes \
                   effect",
        hears: &[
            EventKind::Granted,
            EventKind::Reclaimed,
            EventKind::Reentered,
            EventKind::Renewed,
            EventKind::Wrote,
            EventKind::Ended,
            EventKind::Pruned,
        ],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["nobody-holds-so-anybody-may"],
        explain: stored_lease,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let life = self.lives.of(event.process);
        let call = match what {
            What::Pruned => {
                *life += 1;
                return;
            }
            What::Granted { .. } | What::Reclaimed { .. } => {
                *self.granted_in.of(event.grant) = Some(*life);
                return;
            }
            What::Renewed { .. } => CallKind::Renew.name(),
            What::Ended { .. } => CallKind::Complete.name(),
            What::Reentered { .. } => CallKind::Claim.name(),
            What::Wrote { .. } => "write",
            _ => unheard(what),
        };
        if !event.grant.is_some() {
            return;
        }
        case.meet();
        let granted_in = self.granted_in.get(event.grant).copied().flatten();
        if granted_in != Some(*life) {
            case.breach(|| {
                format!(
                    "`{call}` took effect under a lease from before the id was pruned and \
                     registered again; right: refused"
                )
            });
        }
    }
}
