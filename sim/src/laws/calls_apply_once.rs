//! The law calls-apply-once: a message may arrive twice, and a server may forget, but a call takes effect once. The recorder
//! remembers which call of which client was applied.

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::{Evidence, Explanation};
use crate::laws::law::{Law, LawCard, Side, unheard};

#[derive(Default)]
pub struct CallsApplyOnce;

impl Law for CallsApplyOnce {
    const SIDE: Side = Side::Server;
    const CARD: LawCard = LawCard {
        name: "calls-apply-once",
        sentence: "a call takes effect at most once, however often its request arrives and whatever the server has forgotten",
        hears: &[EventKind::Repeated, EventKind::FromEarlierLife, EventKind::AppliedAgain],
        needs: &[],
        judges_unordered: true,
        is_about_panics: false,
        catches: &["server-readmits-old-requests", "server-forgets-its-answers"],
        explain,
    };

    fn see(&mut self, _: &Event, what: What, case: &mut Case) {
        match what {
            What::Repeated { .. } | What::FromEarlierLife { .. } => case.meet(),
            What::AppliedAgain { call, number } => {
                case.meet();
                case.breach(|| {
                    format!(
                        "`{}` (call {number} of its client) took effect a second time; right: it is answered as the first time, \
                         and changes nothing",
                        call.name()
                    )
                });
            }
            _ => unheard(what),
        }
    }
}

fn explain(evidence: &Evidence<'_>) -> Option<Explanation> {
    evidence.latest("its request had arrived again", |event| {
        matches!(event.kind(), EventKind::Repeated | EventKind::FromEarlierLife)
            && event.node == evidence.breach.node
    })
}
