//! The law nobody-panics: code under test does not panic.

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::nothing_earlier;
use crate::laws::law::{Law, LawCard, Side, unheard};
use crate::plan::Node;

#[derive(Default)]
pub struct NobodyPanics;

impl Law for NobodyPanics {
    const SIDE: Side = Side::Panicking;
    const CARD: LawCard = LawCard {
        name: "nobody-panics",
        sentence: "no code under test panics (a body may: its process ends Failed)",
        hears: &[EventKind::Panicked, EventKind::Finished],
        needs: &[],
        judges_unordered: true,
        is_about_panics: true,
        catches: &["unwraps-an-expiry"],
        explain: nothing_earlier,
    };

    fn see(&mut self, event: &Event, what: What, case: &mut Case) {
        case.meet();
        match what {
            What::Panicked => case.breach(|| {
                format!("a task of the system panicked on {}; right: no panic", Node::from_code(event.node))
            }),
            // It met a whole run.
            What::Finished => {}
            _ => unheard(what),
        }
    }
}
