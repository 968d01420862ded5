//! The law fences-only-grow: a fence that was granted once is never granted again, nor any below it.

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, unheard};
use crate::laws::state::by_process::ByProcess;

#[derive(Default)]
pub struct FencesOnlyGrow {
    /// The subject does not claim that fences survive a prune.
    starts_again: bool,
    highest: ByProcess<Option<u64>>,
}

impl Law for FencesOnlyGrow {
    const CARD: LawCard = LawCard {
        name: "fences-only-grow",
        sentence: "every new grant of an id has a fence above all earlier ones, through release, expiry, crash, prune and new \
                   lives",
        hears: &[EventKind::Granted, EventKind::Reclaimed, EventKind::Pruned],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["fence-repeated", "fence-forgotten-by-prune"],
        explain,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        let highest = self.highest.of(event.process);
        if let What::Pruned = what {
            if self.starts_again {
                *highest = None;
            }
            return;
        }
        let Some(granted) = granted_fence(what) else { unheard(what) };
        case.meet();
        if let Some(fence) = *highest
            && granted <= fence
        {
            case.breach(|| match granted == fence {
                true => format!("fence {fence} was granted a second time; right: a fence above {fence}"),
                false => format!(
                    "fence {granted} was granted after fence {fence} had been; right: a fence above {fence}"
                ),
            });
        }
        *highest = (*highest).max(Some(granted));
    }
}

impl FencesOnlyGrow {
    /// Leaves out the prunes, if the subject does not claim that fences survive them.
    pub fn not_claiming(&mut self, not_claimed: &[impl AsRef<str>]) {
        self.starts_again = not_claimed.iter().any(|claim| claim.as_ref() == "fences-only-grow/prunes");
    }
}

/// The fence of a new grant.
fn granted_fence(what: What) -> Option<u64> {
    let (What::Granted { fence, .. } | What::Reclaimed { fence, .. }) = what else { return None };
    Some(fence)
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    let granted = granted_fence(evidence.breach.what())?;
    evidence.latest("this fence, or a higher one, had been granted before", |event| {
        granted_fence(event.what()).is_some_and(|fence| fence >= granted)
    })
}
