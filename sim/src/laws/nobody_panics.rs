//! The law nobody-panics: code under test does not panic.

use crate::history::event::{Event, EventKind, What};
use crate::laws::case::Case;
use crate::laws::explain::nothing_earlier;
use crate::laws::law::{Law, LawCard, unheard};

#[derive(Default)]
pub struct NobodyPanics;

impl Law for NobodyPanics {
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

    fn see(&mut self, _: &Event, what: What, case: &mut Case) {
        case.meet();
        match what {
            What::Panicked => case.breach(|| "a task of the system panicked".to_owned()),
            // It met a whole run.
            What::Finished => {}
            _ => unheard(what),
        }
    }
}
