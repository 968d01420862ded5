//! The law outside-sees-fences-in-order: the ledger outside takes effects by their fence alone. An effect that was sent before a
//! loss and arrives before the successor's first is lawful, because nobody outside can tell.

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, Side, unheard};
use crate::laws::state::by_process::ByProcess;

#[derive(Default)]
pub struct OutsideSeesFencesInOrder {
    rows: ByProcess<HighestFences>,
}

#[derive(Default)]
struct HighestFences {
    granted: u64,
    taken: u64,
}

impl Law for OutsideSeesFencesInOrder {
    const SIDE: Side = Side::Worker;
    const CARD: LawCard = LawCard {
        name: "outside-sees-fences-in-order",
        sentence: "after the ledger saw a fence it accepts none below it; an effect with the highest fence granted so far is never \
                   refused",
        hears: &[EventKind::Granted, EventKind::Reclaimed, EventKind::EffectTaken, EventKind::EffectRefused],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["effects-stamped-ahead"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let row = self.rows.of(event.process);
        match what {
            What::Granted { fence, .. } | What::Reclaimed { fence, .. } => {
                row.granted = row.granted.max(fence)
            }
            What::EffectTaken { fence, .. } => {
                case.meet();
                let taken = row.taken;
                if fence < taken {
                    case.breach(|| {
                        format!("the ledger took an effect with fence {fence} after {taken}; right: refused")
                    });
                }
                row.taken = taken.max(fence);
            }
            What::EffectRefused { fence, .. } => {
                case.meet();
                let granted = row.granted;
                if fence >= granted {
                    case.breach(|| {
                        format!(
                            "the ledger refused an effect with fence {fence}, and {granted} is the highest fence granted; right: \
                             accepted, so an earlier effect carried a fence that nobody was granted"
                        )
                    });
                }
            }
            _ => unheard(what),
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    let (What::EffectTaken { fence: lower, .. } | What::EffectRefused { fence: lower, .. }) =
        evidence.breach.what()
    else {
        return None;
    };
    let is_refusal = evidence.breach.kind() == EventKind::EffectRefused;
    evidence.latest(
        "a higher fence had been seen",
        |event| matches!(event.what(), What::EffectTaken { fence, .. } if fence > lower || is_refusal),
    )
}
