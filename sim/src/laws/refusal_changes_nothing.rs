//! The law refusal-changes-nothing: a refused call leaves the stored state as it was. The recorder reads it before and after.

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Assumption, Law, LawCard, unheard};

#[derive(Default)]
pub struct RefusalChangesNothing;

impl Law for RefusalChangesNothing {
    const CARD: LawCard = LawCard {
        name: "refusal-changes-nothing",
        sentence: "after a refused call the stored state is what it was before",
        hears: &[EventKind::ReadBack],
        needs: &[Assumption::DiskSyncs],
        judges_unordered: false,
        is_about_panics: false,
        catches: &["half-a-transfer"],
        explain,
    };

    fn see(&mut self, _: &Event, what: What, case: &mut Case) {
        let What::ReadBack { before, after } = what else { unheard(what) };
        case.meet();
        if before != after {
            case.breach(|| {
                "a call was refused, and changed what is stored all the same; right: a refused call \
                 changes nothing"
                    .to_owned()
            });
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence.latest("the call was refused", |event| event.kind() == EventKind::Refused)
}
